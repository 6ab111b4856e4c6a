// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/softmax_math.h"

#include <array>
#include <limits>

#include "sim/reference/fixed_point.h"

namespace weft::reference {
namespace {

constexpr int32_t kOneQ31 = std::numeric_limits<int32_t>::max();

int32_t Mul(int32_t a, int32_t b) { return SaturatingRoundingDoublingHighMul(a, b); }

int32_t RoundedHalvings(int32_t x, int times) {
  return static_cast<int32_t>(RoundingDivideByPowerOfTwo(x, times));
}

// exp(a) for a in [-1/4, 0), Q0.31: the Taylor series to x^4 around -1/8.
int32_t ExpOnLastQuarter(int32_t a) {
  constexpr int32_t kExpOfMinusOneEighth = 1895147668;
  constexpr int32_t kOneThird = 715827883;
  const int32_t x = a + (int32_t{1} << 28);  // + 1/8
  const int32_t x2 = Mul(x, x);
  const int32_t x3 = Mul(x2, x);
  const int32_t x4 = Mul(x2, x2);
  const int32_t cubic = Mul(RoundedHalvings(x4, 2) + x3, kOneThird);  // x^4/12 + x^3/3
  const int32_t tail = RoundedHalvings(cubic + x2, 1);                // x^4/24 + x^3/6 + x^2/2
  return kExpOfMinusOneEighth + Mul(kExpOfMinusOneEighth, x + tail);
}

}  // namespace

int32_t ExpOnNegativeValues(int32_t x) {
  if (x == 0) return kOneQ31;
  constexpr int kFraction = 26;
  constexpr int32_t kQuarter = int32_t{1} << (kFraction - 2);
  // exp(-2^k), k = -2..4, Q0.31: one factor for each bit above the last quarter.
  constexpr std::array<int32_t, 7> kExpOfMinusPowers = {
      1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t last_quarter = (x & (kQuarter - 1)) - kQuarter;
  const int32_t remainder = last_quarter - x;  // >= 0, a multiple of 1/4
  int32_t result = ExpOnLastQuarter(SaturatingShiftLeft(last_quarter, 31 - kFraction));
  for (size_t i = 0; i < kExpOfMinusPowers.size(); ++i) {
    const int bit = kFraction - 2 + static_cast<int>(i);
    if (remainder & (int32_t{1} << bit)) result = Mul(result, kExpOfMinusPowers[i]);
  }
  return result;
}

int32_t OneOverOnePlusX(int32_t x) {
  constexpr int32_t kOneQ29 = int32_t{1} << 29;
  constexpr int32_t k48Over17 = 1515870810;        // Q2.29
  constexpr int32_t kMinus32Over17 = -1010580540;  // Q2.29
  constexpr int kIterations = 3;
  // h = (1 + x) / 2, rounded; the sum is never negative.
  const int32_t h = static_cast<int32_t>((static_cast<int64_t>(x) + kOneQ31 + 1) / 2);
  int32_t estimate = k48Over17 + Mul(h, kMinus32Over17);  // of 1 / h, Q2.29
  for (int i = 0; i < kIterations; ++i) {
    const int32_t error = kOneQ29 - Mul(h, estimate);
    estimate += SaturatingShiftLeft(Mul(estimate, error), 2);  // Q2.29 * Q2.29 = Q4.27
  }
  return SaturatingShiftLeft(estimate, 1);  // half of it, as Q0.31
}

}  // namespace weft::reference
