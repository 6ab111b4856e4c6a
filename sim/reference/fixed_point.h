// SPDX-License-Identifier: Apache-2.0
//
// The integer primitives every quantised kernel of the reference is built from: rounding
// multiplication, rounding division and requantisation, in both rounding modes.
//
// Written from the definitions in docs/numerics.md alone, so that agreement with the functional
// model and the hardware means something. Pure functions, no state, safe from any thread.
//
//   QuantizedMultiplier m = QuantizeMultiplier(0.0123);      // 0.0123 = multiplier * 2^(shift-31)
//   int32_t y = Requantize(accumulator, m, Rounding::kDouble);
#pragma once

#include <cstdint>

#include "weft/graph.h"

namespace weft::reference {

/// A positive real number as multiplier * 2^(shift - 31), multiplier in [2^30, 2^31) or 0.
struct QuantizedMultiplier {
  int32_t multiplier = 0;
  int shift = 0;  ///< positive: to the left
};

/// The shifts Requantize accepts; QuantizeMultiplier never goes below the smallest.
inline constexpr int kSmallestShift = -31;
inline constexpr int kLargestShift = 30;

/// Splits `value` (>= 0, finite) into mantissa and exponent. Below 2^-32 it becomes exactly zero.
QuantizedMultiplier QuantizeMultiplier(double value);

/// SRDHM: the high half of 2*a*b, rounded to nearest, ties upwards; saturates the one overflow.
int32_t SaturatingRoundingDoublingHighMul(int32_t a, int32_t b);

/// RDPOT: x / 2^exponent, rounded to nearest, ties away from zero. exponent in 0..62.
int64_t RoundingDivideByPowerOfTwo(int64_t x, int exponent);

/// x * 2^exponent, clamped to int32. exponent in 0..31.
int32_t SaturatingShiftLeft(int32_t x, int exponent);

/// MBQM32: x * m in the given rounding mode. A left shift ahead of the product wraps in int32.
int32_t Requantize(int32_t x, QuantizedMultiplier m, Rounding rounding);

}  // namespace weft::reference
