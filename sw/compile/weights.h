// SPDX-License-Identifier: Apache-2.0
//
// A layer's weights in the form the weight ring delivers them: for each block of N output channels
// its K x N weight blocks, one a beat, then its parameter record (docs/architecture.md, "Array").
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/layer.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// How many weight-ring words a layer takes, and where its blocks are.
struct WeightShape {
  int blocks = 0;        ///< of N output channels
  int beats = 0;         ///< K-byte operand vectors a pixel and block
  int beat_words = 0;    ///< ring words a beat takes; 0: none, or one block shared by all beats
  int param_words = 0;   ///< of the record after a block's last beat
  int shared_words = 0;  ///< a block shared by all beats, or a softmax table
  int64_t block_words() const { return int64_t{beats} * beat_words + param_words; }
  int64_t words() const { return shared_words + blocks * block_words(); }
};

/// How a layer's weights pass through the ring.
enum class WeightMode : uint8_t {
  kResident,  ///< asked for once, used by all stripes, released by the last
  kGroups,    ///< some blocks at a time, used by all stripes of the tile
  kStreamed,  ///< block by block and in parts, again for every stripe
};

/// `stripes`: of all tiles of the layer.
WeightMode WeightModeOf(const WeightShape& shape, int64_t stripes, const HardwareConfig& config);

/// Ring words of a group of blocks (at least one block), or of a part of a streamed one.
int64_t WeightPieceWords(const HardwareConfig& config);

/// `channels` are those of the layer's output.
WeightShape ShapeOfWeights(const Layer& layer, int channels, const HardwareConfig& config);

/// words() * weight_word bytes.
std::vector<uint8_t> PackWeights(const Layer& layer, int channels, const HardwareConfig& config);

}  // namespace weft::compile
