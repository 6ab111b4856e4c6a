// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/fixed_point.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace weft::reference {
namespace {

constexpr int32_t kInt32Min = std::numeric_limits<int32_t>::min();
constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();

int32_t WrappingShiftLeft(int32_t x, int bits) {
  return static_cast<int32_t>(static_cast<uint32_t>(x) << bits);
}

// High half first, then a second rounding in the division: two roundings.
int32_t RequantizeDouble(int32_t x, QuantizedMultiplier m) {
  const int32_t shifted = WrappingShiftLeft(x, std::max(m.shift, 0));
  const int32_t high = SaturatingRoundingDoublingHighMul(shifted, m.multiplier);
  return static_cast<int32_t>(RoundingDivideByPowerOfTwo(high, std::max(-m.shift, 0)));
}

// The exact product, rounded once, ties upwards. |x * multiplier| < 2^62, so nothing overflows.
int32_t RequantizeSingle(int32_t x, QuantizedMultiplier m) {
  const int64_t product = static_cast<int64_t>(x) * m.multiplier;
  const int64_t half = int64_t{1} << (30 - m.shift);
  return static_cast<int32_t>((product + half) >> (31 - m.shift));
}

}  // namespace

QuantizedMultiplier QuantizeMultiplier(double value) {
  assert(value >= 0.0 && std::isfinite(value));
  QuantizedMultiplier result;
  const double mantissa = std::frexp(value, &result.shift);
  int64_t fixed = std::llround(mantissa * 2147483648.0);
  if (fixed == int64_t{1} << 31) {  // a mantissa just below 1 rounded up to 1
    fixed /= 2;
    ++result.shift;
  }
  if (result.shift < kSmallestShift) return QuantizedMultiplier{0, 0};
  result.multiplier = static_cast<int32_t>(fixed);
  return result;
}

int32_t SaturatingRoundingDoublingHighMul(int32_t a, int32_t b) {
  if (a == kInt32Min && b == kInt32Min) return kInt32Max;
  const int64_t product = static_cast<int64_t>(a) * b;
  return static_cast<int32_t>((product + (int64_t{1} << 30)) >> 31);
}

int64_t RoundingDivideByPowerOfTwo(int64_t x, int exponent) {
  assert(exponent >= 0 && exponent <= 62);
  const int64_t mask = (int64_t{1} << exponent) - 1;
  const int64_t remainder = x & mask;
  const int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

int32_t SaturatingShiftLeft(int32_t x, int exponent) {
  assert(exponent >= 0 && exponent <= 31);
  const int64_t wide = static_cast<int64_t>(x) * (int64_t{1} << exponent);
  return static_cast<int32_t>(std::clamp<int64_t>(wide, kInt32Min, kInt32Max));
}

int32_t Requantize(int32_t x, QuantizedMultiplier m, Rounding rounding) {
  assert(m.shift >= kSmallestShift && m.shift <= kLargestShift);
  return rounding == Rounding::kDouble ? RequantizeDouble(x, m) : RequantizeSingle(x, m);
}

}  // namespace weft::reference
