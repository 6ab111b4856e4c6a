// SPDX-License-Identifier: Apache-2.0
//
// Computing a chain of layers in bands of rows, so that what one passes to the next never exists as
// a whole and never leaves the scratchpad (the expanded tensors of inverted bottlenecks).
//
//   band    0   1   2   3   4     rows of the last output, top to bottom, in each band from the
//   layer a ### ### ##  ####      first layer to the last: the rows that the next one needs and
//   layer b ##  ### ##  ##  ##    that are not there yet
//
// Rows that pass between two layers are appended to a rolling buffer. Windows overlap, so when it
// is full it starts anew with the rows that are still needed, which are computed once more: the
// larger the buffer, the less often. Operands that live in memory pass through tile buffers like
// those of a single layer, a band a tile.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sw/compile/layer.h"
#include "sw/compile/tile.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// What one layer of a chain does in a band.
struct Share {
  int y0 = 0, y1 = 0;  ///< rows of its output
  int first_row = 0;   ///< of its output in the rolling buffer behind it, which starts there
  bool empty() const { return y0 >= y1; }
};

/// A band: the share of each layer of the chain, first to last.
using Band = std::vector<Share>;

struct BandPlan {
  std::vector<TilePlan> tiles;      ///< by layer: its shares, and buffers of operands in memory
  std::vector<TileBuffer> between;  ///< by layer but the last: the rolling buffer behind it
  std::vector<Band> bands;          ///< in order
  int64_t cycles = 0;               ///< estimate, halos that are computed again included
  int64_t bytes() const;
};

/// Whether `next` can be computed in one chain with `layer`, its producer: nothing else sees the
/// value between them, and both read and write it row by row. `readers`: of that value.
bool CanChain(const Network& network, const Layer& layer, const Layer& next, int readers);

/// The plan of least estimated time for layers first..last of `network` whose buffers take at most
/// `available` bytes; none if not even bands of one row fit. `spills`: by layer of the chain.
std::optional<BandPlan> ChooseBands(const Network& network, int first, int last,
                                    const std::vector<Spills>& spills, int64_t available,
                                    const HardwareConfig& config);

}  // namespace weft::compile
