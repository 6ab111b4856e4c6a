// SPDX-License-Identifier: Apache-2.0
//
// The fixed point exponential and reciprocal against the C library, and a few values to the last
// bit: the roundings inside hardly ever reach an int8 output, so networks cannot pin them. Those
// values come from exact rational arithmetic in Python, each chosen to move when one of the
// roundings is replaced by a truncation.
#include "sim/reference/softmax_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tb/lib/seed.h"

namespace weft::reference {
namespace {

constexpr int32_t kOneQ31 = std::numeric_limits<int32_t>::max();

double FromQ31(int32_t x) { return std::ldexp(x, -31); }

TEST(ExpOnNegativeValues, EndsOfTheRange) {
  EXPECT_EQ(ExpOnNegativeValues(0), kOneQ31);
  EXPECT_LT(ExpOnNegativeValues(-1), kOneQ31);
  EXPECT_LE(ExpOnNegativeValues(std::numeric_limits<int32_t>::min() + 1), 1);
}

TEST(ExpOnNegativeValues, LastBits) {
  EXPECT_EQ(ExpOnNegativeValues(-1), 2147483124);
  EXPECT_EQ(ExpOnNegativeValues(-(1 << 24)), 1672462419);  // -1/4: the edge of the polynomial
  EXPECT_EQ(ExpOnNegativeValues(-(1 << 24) - 1), 1672461539);
  EXPECT_EQ(ExpOnNegativeValues(-3804734), 2029119174);
  EXPECT_EQ(ExpOnNegativeValues(-12597621), 1779936320);
  EXPECT_EQ(ExpOnNegativeValues(-55608284), 937694343);
  EXPECT_EQ(ExpOnNegativeValues(-100000001), 483927979);
}

TEST(OneOverOnePlusX, LastBits) {
  EXPECT_EQ(OneOverOnePlusX(0), kOneQ31);  // saturated
  EXPECT_EQ(OneOverOnePlusX(127023494), 2027553982);
  EXPECT_EQ(OneOverOnePlusX(703078820), 1617816154);
  EXPECT_EQ(OneOverOnePlusX(1591382744), 1233444986);
  EXPECT_EQ(OneOverOnePlusX(kOneQ31), 1073741820);
}

TEST(ExpOnNegativeValues, CloseToTheRealFunction) {
  testing::Rng rng;
  for (int i = 0; i < 100000; ++i) {
    // Every power of two down to -32, so that each factor of the product is met.
    const int32_t x = static_cast<int32_t>(rng.Int(-kOneQ31, -1) >> rng.Int(0, 26));
    ASSERT_NEAR(FromQ31(ExpOnNegativeValues(x)), std::exp(std::ldexp(x, -26)), 1e-6) << x;
  }
}

TEST(ExpOnNegativeValues, NeverRisesFromStepToStep) {
  int32_t previous = ExpOnNegativeValues(0);
  for (int32_t x = -(1 << 16); x > -(1 << 30); x -= 1 << 16) {
    const int32_t value = ExpOnNegativeValues(x);
    ASSERT_LE(value, previous) << x;
    previous = value;
  }
}

TEST(OneOverOnePlusX, CloseToTheRealFunction) {
  testing::Rng rng;
  EXPECT_NEAR(FromQ31(OneOverOnePlusX(0)), 1.0, 1e-8);
  EXPECT_NEAR(FromQ31(OneOverOnePlusX(kOneQ31)), 0.5, 1e-8);
  for (int i = 0; i < 100000; ++i) {
    const int32_t x = static_cast<int32_t>(rng.Int(0, kOneQ31));
    ASSERT_NEAR(FromQ31(OneOverOnePlusX(x)), 1.0 / (1.0 + FromQ31(x)), 1e-8) << x;
  }
}

}  // namespace
}  // namespace weft::reference
