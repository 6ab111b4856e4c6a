// SPDX-License-Identifier: Apache-2.0
//
// The integer primitives: worked ties of both signs, extremes, and random values against exact
// rational rounding in 128 bits.
#include "sim/reference/fixed_point.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tb/lib/seed.h"

namespace weft::reference {
namespace {

constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
constexpr int32_t kHalf = 1 << 30;  // a multiplier of one half

using Int128 = __int128;

// numerator / 2^bits rounded to nearest, by comparing twice the remainder: no shift or mask tricks.
int64_t DivideNearest(Int128 numerator, int bits, bool ties_away) {
  const Int128 divisor = Int128{1} << bits;
  Int128 quotient = numerator / divisor;
  Int128 remainder = numerator % divisor;
  if (remainder < 0) {  // floor division
    remainder += divisor;
    --quotient;
  }
  const bool tie_up = !ties_away || numerator > 0;
  if (2 * remainder > divisor || (2 * remainder == divisor && tie_up)) ++quotient;
  return static_cast<int64_t>(quotient);
}

TEST(RoundingDoublingHighMul, TiesGoUp) {
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(1, kHalf), 1);    // 0.5
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(-1, kHalf), 0);   // -0.5
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(3, kHalf), 2);    // 1.5
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(-3, kHalf), -1);  // -1.5
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(3, -kHalf), -1);  // -1.5
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(-3, -kHalf), 2);  // 1.5
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(1, kHalf - 1), 0);
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(-1, kHalf + 1), -1);
}

TEST(RoundingDoublingHighMul, Extremes) {
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(kMin, kMin), kMax);
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(kMin, kMax), -kMax);
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(kMax, kMax), kMax - 1);
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(kMin, 1), -1);
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(kMin, 0), 0);
}

TEST(RoundingDivide, TiesGoAwayFromZero) {
  EXPECT_EQ(RoundingDivideByPowerOfTwo(1, 1), 1);    // 0.5
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-1, 1), -1);  // -0.5
  EXPECT_EQ(RoundingDivideByPowerOfTwo(6, 2), 2);    // 1.5
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-6, 2), -2);  // -1.5
  EXPECT_EQ(RoundingDivideByPowerOfTwo(5, 2), 1);    // 1.25
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-5, 2), -1);  // -1.25
  EXPECT_EQ(RoundingDivideByPowerOfTwo(7, 2), 2);    // 1.75
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-7, 2), -2);  // -1.75
}

TEST(RoundingDivide, Extremes) {
  EXPECT_EQ(RoundingDivideByPowerOfTwo(kMax, 0), kMax);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(kMin, 0), kMin);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(kMax, 31), 1);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(kMin, 31), -1);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(kHalf, 31), 1);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(kHalf - 1, 31), 0);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-kHalf, 31), -1);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-kHalf + 1, 31), 0);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(kMax, 33), 0);  // a softmax over many equal elements
}

TEST(SaturatingShift, Clamps) {
  EXPECT_EQ(SaturatingShiftLeft(3, 4), 48);
  EXPECT_EQ(SaturatingShiftLeft(-3, 4), -48);
  EXPECT_EQ(SaturatingShiftLeft(kHalf, 1), kMax);
  EXPECT_EQ(SaturatingShiftLeft(-kHalf, 1), kMin);
  EXPECT_EQ(SaturatingShiftLeft(-kHalf - 1, 1), kMin);
  EXPECT_EQ(SaturatingShiftLeft(kMin, 31), kMin);
}

struct Tie {
  int32_t x;
  QuantizedMultiplier m;
  int32_t with_double, with_single;
};

TEST(Requantize, TiesOfBothSignsInBothModes) {
  const QuantizedMultiplier half{kHalf, 0}, quarter{kHalf, -1}, eighth{kHalf, -2};
  const QuantizedMultiplier sixteenth{kHalf, -3};
  const std::vector<Tie> ties = {
      {1, half, 1, 1},          {-1, half, 0, 0},        // +-0.5, one rounding
      {3, half, 2, 2},          {-3, half, -1, -1},      // +-1.5
      {2, quarter, 1, 1},       {-2, quarter, -1, 0},    // +-0.5
      {6, quarter, 2, 2},       {-6, quarter, -2, -1},   // +-1.5
      {1, quarter, 1, 0},       {-1, quarter, 0, 0},     // +-0.25: rounded twice
      {5, quarter, 2, 1},       {-5, quarter, -1, -1},   // +-1.25
      {7, quarter, 2, 2},       {-7, quarter, -2, -2},   // +-1.75: -3.5, then -3
      {4, eighth, 1, 1},        {-4, eighth, -1, 0},     // +-0.5
      {3, eighth, 1, 0},        {-3, eighth, 0, 0},      // +-0.375
      {8, sixteenth, 1, 1},     {-8, sixteenth, -1, 0},  // +-0.5
      {-24, sixteenth, -2, -1}, {24, sixteenth, 2, 2},   // -+1.5
  };
  for (const Tie& tie : ties) {
    SCOPED_TRACE(fmt::format("x {} shift {}", tie.x, tie.m.shift));
    EXPECT_EQ(Requantize(tie.x, tie.m, Rounding::kDouble), tie.with_double);
    EXPECT_EQ(Requantize(tie.x, tie.m, Rounding::kSingle), tie.with_single);
  }
}

TEST(Requantize, Extremes) {
  const QuantizedMultiplier one{kHalf, 1}, largest{kMax, 0}, least{kHalf, kSmallestShift};
  for (Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
    SCOPED_TRACE(static_cast<int>(rounding));
    EXPECT_EQ(Requantize(kMax, largest, rounding), kMax - 1);
    EXPECT_EQ(Requantize(kMin, largest, rounding), -kMax);
    EXPECT_EQ(Requantize(kHalf - 1, one, rounding), kHalf - 1);
    EXPECT_EQ(Requantize(-kHalf, one, rounding), -kHalf);
    EXPECT_EQ(Requantize(kMax, QuantizedMultiplier{0, 0}, rounding), 0);
    EXPECT_EQ(Requantize(kMin, QuantizedMultiplier{0, 0}, rounding), 0);
    EXPECT_EQ(Requantize(kHalf - 1, least, rounding), 0);
  }
  // 2^31 * 2^-32 is a tie.
  EXPECT_EQ(Requantize(kMin, least, Rounding::kDouble), -1);
  EXPECT_EQ(Requantize(kMin, least, Rounding::kSingle), 0);
  EXPECT_EQ(Requantize(kMax, least, Rounding::kDouble), 1);  // 0.49..., rounded twice
  EXPECT_EQ(Requantize(kMax, least, Rounding::kSingle), 0);
}

TEST(Requantize, LeftShiftWrapsOnlyWithDoubleRounding) {
  const QuantizedMultiplier one{kHalf, 1};
  EXPECT_EQ(Requantize(kHalf, one, Rounding::kDouble), -kHalf);
  EXPECT_EQ(Requantize(kMin, one, Rounding::kDouble), 0);
  EXPECT_EQ(Requantize(kHalf, one, Rounding::kSingle), kHalf);
  EXPECT_EQ(Requantize(kMin, one, Rounding::kSingle), kMin);
}

TEST(Requantize, RandomAgainstExactRationals) {
  testing::Rng rng;
  for (int i = 0; i < 200000; ++i) {
    const int shift = static_cast<int>(rng.Int(kSmallestShift, 0));
    // Small magnitudes as well as large ones: ties and near ties are common among them.
    const int32_t x = static_cast<int32_t>(rng.Int(kMin, kMax) >> rng.Int(0, 30));
    int32_t multiplier = static_cast<int32_t>(rng.Int(kHalf, kMax));
    if (rng.Chance(0.3)) multiplier = kHalf + (static_cast<int32_t>(rng.Int(0, 7)) << 27);
    const Int128 product = static_cast<Int128>(x) * multiplier;
    SCOPED_TRACE(fmt::format("x {} multiplier {} shift {}", x, multiplier, shift));
    ASSERT_EQ(Requantize(x, {multiplier, shift}, Rounding::kSingle),
              DivideNearest(product, 31 - shift, false));
    const int64_t high = DivideNearest(product, 31, false);
    ASSERT_EQ(Requantize(x, {multiplier, shift}, Rounding::kDouble),
              DivideNearest(high, -shift, true));
  }
}

void ExpectMultiplier(double value, int32_t multiplier, int shift) {
  const QuantizedMultiplier m = QuantizeMultiplier(value);
  EXPECT_EQ(m.multiplier, multiplier) << value;
  EXPECT_EQ(m.shift, shift) << value;
}

TEST(QuantizeMultiplier, PowersAndFractions) {
  ExpectMultiplier(0.0, 0, 0);
  ExpectMultiplier(0.25, kHalf, -1);
  ExpectMultiplier(0.5, kHalf, 0);
  ExpectMultiplier(0.75, 3 << 29, 0);
  ExpectMultiplier(1.0, kHalf, 1);
  ExpectMultiplier(1.5, 3 << 29, 1);
  ExpectMultiplier(std::ldexp(0.5, kLargestShift), kHalf, kLargestShift);
}

TEST(QuantizeMultiplier, RoundsHalfAwayAndCarriesIntoTheExponent) {
  ExpectMultiplier(std::ldexp(kHalf + 0.5, -31), kHalf + 1, 0);
  ExpectMultiplier(std::ldexp(kHalf + 0.499, -31), kHalf, 0);
  ExpectMultiplier(std::nextafter(1.0, 0.0), kHalf, 1);
  ExpectMultiplier(1.0 - std::ldexp(1.0, -31), kMax, 0);
}

TEST(QuantizeMultiplier, FlushesToZeroBelowTheSmallestShift) {
  ExpectMultiplier(std::ldexp(1.0, -32), kHalf, -31);
  ExpectMultiplier(std::nextafter(std::ldexp(1.0, -32), 0.0), kHalf, -31);  // rounds up first
  ExpectMultiplier(std::ldexp(1.0 - std::ldexp(1.0, -30), -32), 0, 0);
  ExpectMultiplier(std::ldexp(1.0, -36), 0, 0);
  ExpectMultiplier(std::numeric_limits<double>::denorm_min(), 0, 0);
}

}  // namespace
}  // namespace weft::reference
