// SPDX-License-Identifier: Apache-2.0
//
// Where a task finds its operands in the scratchpad and puts its result: the whole value, a tile's
// buffer, or a rolling buffer between two layers.
#pragma once

#include <cstdint>

#include "sw/compile/allocate.h"
#include "sw/compile/layer.h"
#include "sw/compile/task.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// Part of a tensor in the scratchpad: its rows row0.., of each the bytes byte0.., of each pixel
/// the channels channel0...
struct Surface {
  int64_t address = 0, pitch = 0;
  int row0 = 0, rows = 0;
  int row_step = 1;  ///< rows of the tensor from one row here to the next
  int64_t byte0 = 0, row_bytes = 0;
  int64_t pixel = 0;  ///< bytes between pixels
  int channel0 = 0;
  int64_t At(int64_t row, int64_t x, int64_t channel) const {
    return address + (row - row0) / row_step * pitch + x * pixel - byte0 + channel - channel0;
  }
  /// The pixels x0..x1-1 of a row, all their channels.
  int64_t At(int64_t row, int64_t x0) const { return At(row, x0, channel0); }
  int64_t Bytes(int64_t x0, int64_t x1) const { return (x1 - x0) * pixel; }
};

class Surfaces {
 public:
  Surfaces(const Network& network, const Allocation& allocation, const HardwareConfig& config)
      : network_(network), allocation_(allocation), config_(config) {}

  Surface Input(const Task& task) const;
  /// Of a layer with a second operand.
  Surface Residual(const Task& task) const;
  Surface Output(const Task& task) const;

  /// Bytes between the rows of a value, `pitch` apart, as this reader sees it.
  int64_t PitchFor(const Operand& operand, int64_t pitch) const;

 private:
  const Home& HomeOf(int value) const { return allocation_.homes[static_cast<size_t>(value)]; }
  Surface Whole(const Operand& operand) const;
  Surface InTile(const Operand& operand, const Rect& rect, const Task& task, int64_t address,
                 const TileBuffer& buffer) const;

  const Network& network_;
  const Allocation& allocation_;
  const HardwareConfig& config_;
};

}  // namespace weft::compile
