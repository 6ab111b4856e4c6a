// SPDX-License-Identifier: Apache-2.0
//
// The integer arithmetic of the device, all of it: docs/numerics.md in code. Nothing here is shared
// with sim/reference/, and nothing uses floating point.
//
//   int32_t q = Requantise(acc + bias, multiplier, shift, RoundingMode::kDouble) + zero_point;
//
// Conventions: `multiplier` is Q0.31, `shift` is -31..31 and positive to the left. int32 additions
// and left shifts wrap around, as the hardware's do. Right shifts are arithmetic.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>

namespace weft::functional {

inline constexpr int kMaxShift = 31;

/// SETUP_OUTPUT's field `rounding`.
enum class RoundingMode : uint8_t { kDouble = 0, kSingle = 1, kHalfAway = 2 };

/// a + b modulo 2^32.
inline int32_t WrapAdd(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

/// a - b modulo 2^32.
inline int32_t WrapSub(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}

/// x * 2^bits modulo 2^32; bits 0..31.
inline int32_t WrapShiftLeft(int32_t x, int bits) {
  return static_cast<int32_t>(static_cast<uint32_t>(x) << bits);
}

/// Half of the high word of 2*a*b, rounded half up; the one overflow gives the largest int32.
inline int32_t Srdhm(int32_t a, int32_t b) {
  constexpr int32_t kLowest = std::numeric_limits<int32_t>::min();
  if (a == kLowest && b == kLowest) return std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>((int64_t{a} * b + (int64_t{1} << 30)) >> 31);
}

/// x / 2^bits, rounded to nearest, ties away from zero; bits 0..62.
inline int32_t RoundingShiftRight(int32_t x, int bits) {
  const int64_t mask = (int64_t{1} << bits) - 1;
  const int64_t rest = int64_t{x} & mask;
  const int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return static_cast<int32_t>((int64_t{x} >> bits) + (rest > threshold ? 1 : 0));
}

/// x * multiplier * 2^(shift - 31) in one of the three roundings. With shift = 31 nothing is
/// shifted out and kSingle and kHalfAway do not round.
inline int32_t Requantise(int32_t x, int32_t multiplier, int shift, RoundingMode mode) {
  if (mode == RoundingMode::kDouble) {
    const int32_t shifted = WrapShiftLeft(x, std::max(shift, 0));
    return RoundingShiftRight(Srdhm(shifted, multiplier), std::max(-shift, 0));
  }
  const int64_t product = int64_t{x} * multiplier;
  const int right = 31 - shift;
  if (right == 0) return static_cast<int32_t>(product);
  int64_t rounding = int64_t{1} << (right - 1);
  if (mode == RoundingMode::kHalfAway && product < 0) rounding -= 1;
  return static_cast<int32_t>((product + rounding) >> right);
}

/// value + zero_point, limited to [low, high].
inline int32_t OffsetAndClamp(int32_t value, int32_t zero_point, int32_t low, int32_t high) {
  return std::clamp(WrapAdd(value, zero_point), low, high);
}

/// Multiplier and shift of one requantisation.
struct Scale {
  int32_t multiplier = 0;
  int shift = 0;
};

/// An operand of an addition, brought to the scale of the sum.
inline int32_t AddOperand(int32_t value, int32_t zero_point, int left_shift, Scale scale,
                          RoundingMode mode) {
  return Requantise(WrapShiftLeft(WrapSub(value, zero_point), left_shift), scale.multiplier,
                    scale.shift, mode);
}

/// x * 2^bits, limited to int32.
inline int32_t SaturatingShiftLeft(int32_t x, int bits) {
  const int64_t wide = int64_t{x} << bits;
  return static_cast<int32_t>(std::clamp<int64_t>(wide, std::numeric_limits<int32_t>::min(),
                                                  std::numeric_limits<int32_t>::max()));
}

/// 1 / (1 + x) for x in [0, 1), both Q0.31: three Newton steps on h = (1 + x) / 2 in Q2.29.
inline int32_t OneOverOnePlusX(int32_t x) {
  constexpr int32_t k48Over17 = 1515870810;        // Q2.29
  constexpr int32_t kMinus32Over17 = -1010580540;  // Q2.29
  constexpr int32_t kOneQ2 = 1 << 29;
  const int32_t half = static_cast<int32_t>((int64_t{x} + (int64_t{1} << 31)) >> 1);
  int32_t estimate = WrapAdd(k48Over17, Srdhm(half, kMinus32Over17));
  for (int step = 0; step < 3; ++step) {
    const int32_t error = WrapSub(kOneQ2, Srdhm(half, estimate));
    estimate = WrapAdd(estimate, SaturatingShiftLeft(Srdhm(estimate, error), 2));
  }
  return SaturatingShiftLeft(estimate, 1);  // 1 / h in Q2.29 is 1 / (2 * h) in Q1.30
}

/// Softmax of one row. `table[d]` is exp(-d input steps) in Q0.31, zero where it is to vanish. Of
/// any other table the result is defined, too: the sum takes entries without sign, the product with
/// it.
inline void Softmax(std::span<const int8_t> row, std::span<const int32_t, 256> table,
                    std::span<int8_t> result) {
  const int32_t largest = *std::max_element(row.begin(), row.end());
  uint32_t sum = 0;
  for (const int8_t x : row) {
    sum +=
        static_cast<uint32_t>((uint64_t{static_cast<uint32_t>(table[largest - x])} + 2048) >> 12);
  }
  const int leading_zeros = std::countl_zero(sum);
  const uint32_t normalised = static_cast<uint32_t>(uint64_t{sum} << leading_zeros);
  const int32_t reciprocal = OneOverOnePlusX(static_cast<int32_t>(normalised - (1u << 31)));
  for (size_t i = 0; i < row.size(); ++i) {
    const int32_t scaled = Srdhm(reciprocal, table[largest - row[i]]);
    const int32_t share = RoundingShiftRight(scaled, (12 - leading_zeros) + 23);
    result[i] = static_cast<int8_t>(std::clamp(share - 128, -128, 127));
  }
}

}  // namespace weft::functional
