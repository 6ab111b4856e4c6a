// SPDX-License-Identifier: Apache-2.0
//
// From an int32 accumulator to an int8 activation: requantise, add the zero point, clamp.
//
//   OutputStage stage{.multipliers = {m}, .zero_point = -3, .rounding = Rounding::kDouble};
//   int8_t y = stage.Apply(accumulator, channel);
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/reference/fixed_point.h"

namespace weft::reference {

/// The stored values an activation may take, both ends included.
struct ActivationRange {
  int32_t lo = -128;
  int32_t hi = 127;
};

/// Zero point and clamp of one output tensor. The sum with the zero point does not wrap.
struct OutputRange {
  int32_t zero_point = 0;
  ActivationRange range;

  int8_t Store(int32_t scaled) const {
    const int64_t shifted = static_cast<int64_t>(scaled) + zero_point;
    return static_cast<int8_t>(std::clamp<int64_t>(shifted, range.lo, range.hi));
  }
};

/// The requantisation that ends convolutions and fully connected layers.
struct OutputStage {
  std::vector<QuantizedMultiplier> multipliers;  ///< one per output channel, or one for all
  OutputRange output;
  Rounding rounding = Rounding::kDouble;

  int8_t Apply(int32_t accumulator, int channel) const {
    const size_t index = multipliers.size() == 1 ? 0 : static_cast<size_t>(channel);
    return output.Store(Requantize(accumulator, multipliers[index], rounding));
  }
};

/// The sum of products and the bias, wrapping in int32 like the accumulator it stands for.
inline int32_t AddBias(int32_t accumulator, int32_t bias) {
  return static_cast<int32_t>(static_cast<uint32_t>(accumulator) + static_cast<uint32_t>(bias));
}

}  // namespace weft::reference
