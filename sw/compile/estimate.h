// SPDX-License-Identifier: Apache-2.0
//
// What a layer costs in cycles of the array, of post-processing and of the AXI port, from its shape
// and its tiles: by this the compiler chooses tilings and rewrites, and on it stands the prediction
// of a whole network (predict.h).
//
// The port moves a beat a cycle each way. Array and post-processing work side by side, a block of
// pixels by N channels at a time; what they wait for (weights, operands, memory) is not part of the
// work.
#pragma once

#include <cstdint>

#include "sw/compile/layer.h"
#include "sw/compile/tile.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// Cycles a tile costs by set-up and what does not overlap with the next.
inline constexpr int kTileOverhead = 64;

/// One tile's share of a layer, in cycles; weights not counted.
struct TileCost {
  int64_t load = 0;   ///< read beats of spilled operands
  int64_t store = 0;  ///< write beats of a spilled output
  int64_t work = 0;   ///< of the array or of post-processing, whichever takes longer
};

/// Cycles of the array, its feed included, and of post-processing.
struct Work {
  int64_t array = 0, post = 0;
  int64_t cycles() const { return array > post ? array : post; }
};

/// For `part` of a layer's output: rows, columns and channels of a rectangle.
Work WorkOf(const Layer& layer, const Extent& part, const HardwareConfig& config);

/// `tile` is one of TilesOf(out, plan).
TileCost CostOfTile(const Layer& layer, const Extent& out, const TilePlan& plan, const Tile& tile,
                    const HardwareConfig& config);

/// AXI read beats of `words` weight words.
int64_t WeightBeats(int64_t words, const HardwareConfig& config);

/// Estimated cycles of a layer in the tiles of `plan`, by itself: work, or the port in either
/// direction, whichever takes longest; with one slot a tile, one after the other.
int64_t LayerCycles(const Layer& layer, const Extent& out, const TilePlan& plan,
                    const HardwareConfig& config);

}  // namespace weft::compile
