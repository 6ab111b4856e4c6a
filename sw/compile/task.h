// SPDX-License-Identifier: Apache-2.0
//
// What there is to emit, piece by piece: the layers of a unit, and their tiles in the order in
// which they are computed.
#pragma once

#include <cstddef>
#include <vector>

#include "sw/compile/allocate.h"
#include "sw/compile/layer.h"
#include "sw/compile/tile.h"
#include "sw/compile/weights.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// A rolling buffer at its place in the scratchpad; no bytes: none.
struct Rolling {
  int64_t address = 0;
  TileBuffer buffer;
};

/// A layer of a unit, and all about it that its tiles share.
struct LayerWork {
  int index = 0;  ///< of the layer in the network
  const Layer* layer = nullptr;
  Extent out;  ///< as it is computed
  Spills spills;
  WeightShape shape;
  TilePlan plan;
  int64_t address = 0;    ///< of the tile buffers
  Rolling before, after;  ///< what it reads and writes, in a chain
  bool SomeChannels() const { return plan.channels < out.c; }
};

/// A tile of a layer; in a chain, its share of a band.
struct Task {
  const LayerWork* work = nullptr;
  Tile tile;
  size_t number = 0;    ///< among the layer's
  bool last = false;    ///< of the layer's
  int rows_before = 0;  ///< first row in the rolling buffer it reads
  int rows_after = 0;   ///< first row in the rolling buffer it writes
};

std::vector<LayerWork> WorksOf(const Network& network, const Allocation& allocation,
                               const Unit& unit, const HardwareConfig& config);

/// All tasks of a unit, in order. They refer to `works`, which must outlive them.
std::vector<Task> TasksOf(const Unit& unit, const std::vector<LayerWork>& works);

}  // namespace weft::compile
