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

/// `channels` are those of the layer's output.
WeightShape ShapeOfWeights(const Layer& layer, int channels, const HardwareConfig& config);

/// Whether so many ring words may stay until all tiles have used them; the rest of the ring is for
/// what comes next.
inline bool StayInRing(int64_t words, const HardwareConfig& config) {
  return words <= config.ring_words() * 3 / 4;
}

/// words() * weight_word bytes.
std::vector<uint8_t> PackWeights(const Layer& layer, int channels, const HardwareConfig& config);

}  // namespace weft::compile
