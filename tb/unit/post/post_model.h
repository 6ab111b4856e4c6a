// SPDX-License-Identifier: Apache-2.0
//
// What post-processing computes, written down once more for its tests, from docs/numerics.md and
// docs/commands.md. It shares nothing with sim/functional/ and works in wide integers: every value
// is computed exactly, then rounded, then wrapped or limited where the document says so.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace weft::post_model {

using Wide = __int128;

enum Rounding { kDouble = 0, kSingle = 1, kHalfAway = 2 };

inline int32_t Wrap(Wide x) { return static_cast<int32_t>(static_cast<uint32_t>(x)); }

// Floor of x / 2^bits.
inline Wide Floor(Wide x, int bits) { return x >> bits; }

// Nearest to x / 2^bits, a tie up.
inline Wide NearestUp(Wide x, int bits) {
  return bits == 0 ? x : Floor(x + (Wide{1} << (bits - 1)), bits);
}

// Nearest to x / 2^bits, a tie away from zero.
inline Wide NearestAway(Wide x, int bits) {
  return x < 0 ? -NearestUp(-x, bits) : NearestUp(x, bits);
}

// SRDHM of numerics.md.
inline int32_t HighMultiply(int32_t a, int32_t b) {
  const Wide nearest = NearestUp(Wide{a} * b, 31);
  return static_cast<int32_t>(std::min<Wide>(nearest, std::numeric_limits<int32_t>::max()));
}

inline int32_t Requantise(int32_t x, int32_t multiplier, int shift, int rounding) {
  if (rounding == kDouble) {
    const int32_t shifted = shift > 0 ? Wrap(Wide{x} << shift) : x;
    return Wrap(NearestAway(HighMultiply(shifted, multiplier), shift < 0 ? -shift : 0));
  }
  const Wide product = Wide{x} * multiplier;
  return Wrap(rounding == kSingle ? NearestUp(product, 31 - shift)
                                  : NearestAway(product, 31 - shift));
}

inline int32_t Clamp(int32_t x, int32_t low, int32_t high) {
  return std::max(low, std::min(x, high));
}

// Softmax of a row with a table of exponentials, Q0.31, or of anything: summed without sign,
// multiplied with it.
inline std::vector<int8_t> Softmax(const std::vector<int8_t>& row,
                                   const std::vector<int32_t>& table) {
  const int largest = *std::max_element(row.begin(), row.end());
  uint32_t sum = 0;
  for (int8_t x : row) {
    sum += static_cast<uint32_t>(NearestUp(static_cast<uint32_t>(table[largest - x]), 12));
  }
  const int head = std::countl_zero(sum);
  const uint32_t scaled = head == 32 ? 0 : sum << head;
  const int32_t excess = Wrap(Wide{scaled} - (Wide{1} << 31));

  const auto saturate = [](Wide x) {
    return static_cast<int32_t>(std::clamp<Wide>(x, std::numeric_limits<int32_t>::min(),
                                                 std::numeric_limits<int32_t>::max()));
  };
  // Half of 1 + excess.
  const auto half = static_cast<int32_t>(Floor(Wide{excess} + (Wide{1} << 31), 1));
  int32_t x = Wrap(Wide{1515870810} + HighMultiply(half, -1010580540));
  for (int i = 0; i < 3; ++i) {
    const int32_t error = Wrap(Wide{1 << 29} - HighMultiply(half, x));
    x = Wrap(Wide{x} + saturate(Wide{HighMultiply(x, error)} << 2));
  }
  const int32_t reciprocal = saturate(Wide{x} << 1);

  std::vector<int8_t> result;
  for (int8_t value : row) {
    const int32_t share = HighMultiply(reciprocal, table[largest - value]);
    result.push_back(static_cast<int8_t>(
        Clamp(static_cast<int32_t>(NearestAway(share, 35 - head)) - 128, -128, 127)));
  }
  return result;
}

}  // namespace weft::post_model
