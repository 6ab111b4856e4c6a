// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/quantize.h"

#include <gtest/gtest.h>

#include <cmath>

namespace weft::compile {
namespace {

TEST(QuantizeMultiplier, IsMantissaAndExponent) {
  EXPECT_EQ(QuantizeMultiplier(1.0), kIdentity);
  EXPECT_EQ(QuantizeMultiplier(0.75), (Multiplier{3 << 29, 0}));
  EXPECT_EQ(QuantizeMultiplier(0.0), (Multiplier{0, 0}));
}

TEST(QuantizeMultiplier, MantissaThatRoundsUpToOneMovesTheExponent) {
  EXPECT_EQ(QuantizeMultiplier(std::nextafter(1.0, 0.0)), kIdentity);
}

TEST(QuantizeMultiplier, FlushesBelowTheSmallestShift) {
  EXPECT_EQ(QuantizeMultiplier(std::ldexp(0.5, -31)), (Multiplier{1 << 30, -31}));
  EXPECT_EQ(QuantizeMultiplier(std::ldexp(0.5, -32)), (Multiplier{0, 0}));
}

TEST(QuantizeMultiplier, FullyConnectedFormsItsProductInFloat) {
  // Scales whose float product differs from the double one.
  const float in = 0.1f, weight = 0.3f, out = 0.7f;
  EXPECT_EQ(FullyConnectedMultiplier(in, weight, out),
            QuantizeMultiplier(double{in * weight} / double{out}));
  EXPECT_NE(FullyConnectedMultiplier(in, weight, out), ConvolutionMultiplier(in, weight, out));
}

// Rounding mode 2 with this multiplier is a division rounded to nearest, ties away from zero.
TEST(ReciprocalOfCount, DividesExactly) {
  for (int64_t count = 1; count <= 1200; ++count) {
    const Multiplier reciprocal = ReciprocalOfCount(count);
    ASSERT_GE(reciprocal.m, 1 << 30);
    const int t = 31 - reciprocal.shift;
    const auto check = [&](int64_t x) {
      const int64_t expected = x > 0 ? (x + count / 2) / count : (x - count / 2) / count;
      const int64_t product = x * reciprocal.m;
      const int64_t got = (product + (int64_t{1} << (t - 1)) - (product < 0 ? 1 : 0)) >> t;
      ASSERT_EQ(got, expected) << x << " / " << count;
    };
    for (int64_t quotient = -128; quotient <= 127; ++quotient) {  // around every tie
      for (int64_t near = -2; near <= 2; ++near) {
        const int64_t x = quotient * count + count / 2 + near;
        if (x >= -128 * count && x <= 127 * count) check(x);
      }
    }
  }
}

TEST(ActivationClamp, FollowsTheOutputQuantisation) {
  const Clamp none = ActivationClamp(Activation::kNone, 0.1f, 5);
  EXPECT_EQ(none.low, -128);
  EXPECT_EQ(none.high, 127);
  EXPECT_EQ(ActivationClamp(Activation::kRelu, 0.1f, 5).low, 5);
  EXPECT_EQ(ActivationClamp(Activation::kRelu6, 0.1f, 5).high, 65);
  EXPECT_EQ(ActivationClamp(Activation::kRelu6, 0.001f, 5).high, 127);
  const Clamp unit = ActivationClamp(Activation::kReluN1To1, 0.1f, 5);
  EXPECT_EQ(unit.low, -5);
  EXPECT_EQ(unit.high, 15);
}

TEST(SoftmaxTable, IsTheExponentialInSteps) {
  for (float scale : {0.004f, 0.05f, 0.3f, 4.0f}) {
    const auto table = SoftmaxTable(1.0f, scale);
    EXPECT_EQ(table[0], INT32_MAX);
    for (size_t d = 1; d < table.size(); ++d) {
      EXPECT_LE(table[d], table[d - 1]);
      const double real = std::exp(-scale * static_cast<double>(d));
      EXPECT_NEAR(table[d] / 2147483648.0, real, 1e-6) << "step " << d << " of " << scale;
    }
  }
}

TEST(SoftmaxTable, EndsWhereTheFixedPointRangeDoes) {
  const auto table = SoftmaxTable(1.0f, 0.5f);  // 31 / 0.5 = 62 steps
  EXPECT_GE(table[61], 0);
  for (size_t d = 63; d < table.size(); ++d) EXPECT_EQ(table[d], 0) << d;
}

}  // namespace
}  // namespace weft::compile
