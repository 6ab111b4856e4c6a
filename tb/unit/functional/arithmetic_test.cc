// SPDX-License-Identifier: Apache-2.0
//
// The device's arithmetic against exact rational arithmetic in 128 bits.
#include "sim/functional/arithmetic.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tb/lib/seed.h"
#include "tb/unit/functional/exact.h"

namespace weft::functional {
namespace {

using testing::ExactRequantise;
using testing::int128_t;
using testing::NearestAway;
using testing::NearestUp;
using testing::Rng;

constexpr int32_t kLowest = std::numeric_limits<int32_t>::min();
constexpr int32_t kHighest = std::numeric_limits<int32_t>::max();
constexpr int kSamples = 200000;

// Values that are often extreme.
int32_t Value(Rng& rng) {
  switch (rng.Int(0, 3)) {
    case 0:
      return static_cast<int32_t>(rng.Int(kLowest, kHighest));
    case 1:
      return static_cast<int32_t>(rng.Int(-1000, 1000));
    case 2:
      return static_cast<int32_t>((uint32_t{1} << rng.Int(0, 31)) - (rng.Chance(0.5) ? 1 : 0));
    default:
      return rng.Chance(0.5) ? kLowest : kHighest;
  }
}

TEST(Srdhm, IsTheRoundedHighHalfOfTheDoubledProduct) {
  Rng rng;
  for (int i = 0; i < kSamples; ++i) {
    const int32_t a = Value(rng), b = Value(rng);
    const int128_t exact = NearestUp(int128_t{a} * b, 31);
    ASSERT_EQ(Srdhm(a, b), exact > kHighest ? kHighest : static_cast<int32_t>(exact))
        << a << " " << b;
  }
}

TEST(Srdhm, SaturatesItsOnlyOverflowAndRoundsTiesUp) {
  EXPECT_EQ(Srdhm(kLowest, kLowest), kHighest);
  EXPECT_EQ(Srdhm(1, 1 << 30), 1);    // 0.5
  EXPECT_EQ(Srdhm(-1, 1 << 30), 0);   // -0.5
  EXPECT_EQ(Srdhm(3, 1 << 30), 2);    // 1.5
  EXPECT_EQ(Srdhm(-3, 1 << 30), -1);  // -1.5
}

TEST(RoundingShiftRight, RoundsTiesAwayFromZero) {
  EXPECT_EQ(RoundingShiftRight(2, 2), 1);    // 0.5
  EXPECT_EQ(RoundingShiftRight(-2, 2), -1);  // -0.5
  EXPECT_EQ(RoundingShiftRight(1, 2), 0);
  EXPECT_EQ(RoundingShiftRight(-1, 2), 0);
  EXPECT_EQ(RoundingShiftRight(-6, 2), -2);  // -1.5
  EXPECT_EQ(RoundingShiftRight(kLowest, 31), -1);
  EXPECT_EQ(RoundingShiftRight(kHighest, 31), 1);
  EXPECT_EQ(RoundingShiftRight(kLowest, 0), kLowest);
  Rng rng;
  for (int i = 0; i < kSamples; ++i) {
    const int32_t x = Value(rng);
    const int bits = static_cast<int>(rng.Int(0, 40));
    ASSERT_EQ(RoundingShiftRight(x, bits), static_cast<int32_t>(NearestAway(x, bits)))
        << x << " >> " << bits;
  }
}

TEST(Requantise, EqualsExactArithmetic) {
  Rng rng;
  for (int i = 0; i < kSamples; ++i) {
    const int32_t x = Value(rng), m = Value(rng);
    const int shift = static_cast<int>(rng.Int(-31, 31));
    for (const RoundingMode mode :
         {RoundingMode::kDouble, RoundingMode::kSingle, RoundingMode::kHalfAway}) {
      ASSERT_EQ(Requantise(x, m, shift, mode), ExactRequantise(x, m, shift, static_cast<int>(mode)))
          << x << " * " << m << " shift " << shift << " mode " << static_cast<int>(mode);
    }
  }
}

TEST(Requantise, TheModesDifferWhereTheyShould) {
  struct Case {
    int32_t x, multiplier;
    int shift;
    int32_t twice, once, away;
  };
  // Effective factor 2^-2, so that x = 2 is a tie at 0.5; and values of which the first rounding
  // makes a tie that was none.
  const std::vector<Case> cases = {
      {2, 1 << 30, -1, 1, 1, 1},     {-2, 1 << 30, -1, -1, 0, -1},  {6, 1 << 30, -1, 2, 2, 2},
      {-6, 1 << 30, -1, -2, -1, -2}, {1, 1 << 30, -1, 1, 0, 0},     {-1, 1 << 30, -1, 0, 0, 0},
      {5, 1 << 30, -1, 2, 1, 1},     {-7, 1 << 30, -1, -2, -2, -2},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Requantise(c.x, c.multiplier, c.shift, RoundingMode::kDouble), c.twice) << c.x;
    EXPECT_EQ(Requantise(c.x, c.multiplier, c.shift, RoundingMode::kSingle), c.once) << c.x;
    EXPECT_EQ(Requantise(c.x, c.multiplier, c.shift, RoundingMode::kHalfAway), c.away) << c.x;
  }
}

TEST(Requantise, MultiplierHalfShiftOneIsTheIdentity) {
  for (const RoundingMode mode :
       {RoundingMode::kDouble, RoundingMode::kSingle, RoundingMode::kHalfAway}) {
    for (int32_t x = -1000; x <= 1000; ++x) {
      ASSERT_EQ(Requantise(x, 1 << 30, 1, mode), x);
    }
  }
}

// Average pooling divides by a multiplication: exact for every sum of every window up to 256.
TEST(Requantise, HalfAwayDividesExactly) {
  for (int count = 1; count <= 256; ++count) {
    int t = 30;
    while ((int64_t{1} << (t + 1)) / count < int64_t{1} << 31 && t < 61) ++t;
    const int64_t multiplier = ((int64_t{1} << t) + count - 1) / count;
    ASSERT_LE(multiplier, kHighest);
    for (int sum = -128 * count; sum <= 127 * count; ++sum) {
      const int expected = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
      ASSERT_EQ(Requantise(sum, static_cast<int32_t>(multiplier), 31 - t, RoundingMode::kHalfAway),
                expected)
          << sum << " / " << count;
    }
  }
}

TEST(AddOperand, ShiftsAroundTheZeroPointAndWraps) {
  EXPECT_EQ(AddOperand(5, 3, 20, {1 << 30, 1}, RoundingMode::kDouble), 2 << 20);
  EXPECT_EQ(AddOperand(-128, 127, 31, {1 << 30, 0}, RoundingMode::kDouble),
            -(1 << 30));  // -255 << 31
}

TEST(OneOverOnePlusX, IsTheReciprocal) {
  Rng rng;
  double worst = 0;
  for (int i = 0; i < kSamples; ++i) {
    const int32_t x = i < 2 ? (i == 0 ? 0 : kHighest) : static_cast<int32_t>(rng.Int(0, kHighest));
    const double expected = 1.0 / (1.0 + x * 0x1.0p-31);
    worst = std::max(worst, std::abs(OneOverOnePlusX(x) * 0x1.0p-31 - expected));
  }
  EXPECT_LT(worst, 0x1.0p-26);
}

// exp(-d * step) in Q0.31.
std::array<int32_t, 256> Table(double step) {
  std::array<int32_t, 256> table;
  for (int d = 0; d < 256; ++d) {
    const double value = std::min(std::exp(-d * step) * 0x1.0p31, 2147483647.0);
    table[d] = static_cast<int32_t>(std::lround(value));
  }
  return table;
}

TEST(Softmax, IsWithinOneOfTheRealOne) {
  Rng rng;
  for (int trial = 0; trial < 300; ++trial) {
    const double step = 0.002 + 0.3 * rng.Real();
    const auto table = Table(step);
    const auto row = rng.Vector<int8_t>(static_cast<size_t>(rng.Int(1, 200)));
    std::vector<int8_t> result(row.size());
    Softmax(row, table, result);
    double sum = 0;
    for (const int8_t x : row) sum += std::exp(x * step);
    for (size_t i = 0; i < row.size(); ++i) {
      const double expected = std::min(std::exp(row[i] * step) / sum * 256 - 128, 127.0);
      ASSERT_NEAR(result[i], expected, 0.6) << "step " << step << " element " << i;
    }
  }
}

TEST(Softmax, EqualElementsShareAndOneElementTakesAll) {
  const auto table = Table(0.1);
  std::vector<int8_t> result(10);
  Softmax(std::vector<int8_t>(10, 42), table, result);
  EXPECT_EQ(result, std::vector<int8_t>(10, -102));  // 25.6 - 128
  result.resize(1);
  Softmax(std::vector<int8_t>{-7}, table, result);
  EXPECT_EQ(result[0], 127);
  result.resize(8);
  Softmax(std::vector<int8_t>(8, -128), table, result);
  EXPECT_EQ(result, std::vector<int8_t>(8, -96));  // exactly 32 - 128
}

}  // namespace
}  // namespace weft::functional
