// SPDX-License-Identifier: Apache-2.0
//
// Roundings written as exact arithmetic in 128 bits: what the device's formulas are to equal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace weft::testing {

__extension__ typedef __int128 int128_t;

/// numerator / 2^bits rounded down.
inline int128_t FloorDivide(int128_t numerator, int bits) {
  const int128_t divisor = int128_t{1} << bits;
  int128_t quotient = numerator / divisor;
  if (numerator % divisor != 0 && numerator < 0) --quotient;
  return quotient;
}

/// numerator / 2^bits to the nearest, ties upward.
inline int128_t NearestUp(int128_t numerator, int bits) {
  return FloorDivide(2 * numerator + (int128_t{1} << bits), bits + 1);
}

/// numerator / 2^bits to the nearest, ties away from zero.
inline int128_t NearestAway(int128_t numerator, int bits) {
  return numerator < 0 ? -NearestUp(-numerator, bits) : NearestUp(numerator, bits);
}

inline int32_t Wrapped(int128_t value) {
  return static_cast<int32_t>(static_cast<uint32_t>(value));
}

/// x * m * 2^(shift - 31); rounding 0 twice, 1 once with ties up, 2 once with ties away from zero.
inline int32_t ExactRequantise(int32_t x, int32_t m, int shift, int rounding) {
  if (rounding == 1) return Wrapped(NearestUp(int128_t{x} * m, 31 - shift));
  if (rounding == 2) return Wrapped(NearestAway(int128_t{x} * m, 31 - shift));
  const int32_t shifted = shift > 0 ? Wrapped(int128_t{x} << shift) : x;
  const int128_t high =
      std::min<int128_t>(NearestUp(int128_t{shifted} * m, 31), std::numeric_limits<int32_t>::max());
  return static_cast<int32_t>(shift < 0 ? NearestAway(high, -shift) : high);
}

}  // namespace weft::testing
