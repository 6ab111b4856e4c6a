// SPDX-License-Identifier: Apache-2.0
//
// int8 softmax in fixed point, with explicit quantised parameters. The output's scale is 1/256 and
// its zero point -128. It has no rounding mode: its roundings are part of its definition.
#pragma once

#include <cstdint>
#include <span>

#include "sim/reference/fixed_point.h"

namespace weft::reference {

struct SoftmaxParams {
  int depth = 1;                      ///< elements in a row, at most kLargestSoftmaxDepth
  QuantizedMultiplier multiplier;     ///< of beta * input scale * 2^26; shift >= 0
  int32_t difference_minimum = -255;  ///< below it an element's share is zero
};

/// Sums of exponentials are Q12.19; the largest exponential is one.
inline constexpr int kLargestSoftmaxDepth = 4095;

/// input and output [rows, depth].
void Softmax(const SoftmaxParams& params, std::span<const int8_t> input, std::span<int8_t> output);

}  // namespace weft::reference
