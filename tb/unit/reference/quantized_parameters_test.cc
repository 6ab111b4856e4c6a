// SPDX-License-Identifier: Apache-2.0
//
// Multipliers from scales. The expected numbers were computed apart, with IEEE arithmetic in
// Python, from the formulas of docs/numerics.md.
#include "sim/reference/quantized_parameters.h"

#include <gtest/gtest.h>

namespace weft::reference {
namespace {

Tensor Scaled(std::vector<float> scales, int64_t zero_point = 0) {
  Tensor tensor;
  tensor.shape = {1, 5};
  tensor.quant.zero_points.assign(scales.size(), zero_point);
  tensor.quant.scales = std::move(scales);
  return tensor;
}

void ExpectMultiplier(QuantizedMultiplier m, int32_t multiplier, int shift) {
  EXPECT_EQ(m.multiplier, multiplier);
  EXPECT_EQ(m.shift, shift);
}

void ExpectRange(ActivationRange range, int lo, int hi) {
  EXPECT_EQ(range.lo, lo);
  EXPECT_EQ(range.hi, hi);
}

TEST(QuantizedParameters, ConvolutionMultipliesScalesInDouble) {
  const OutputStage stage =
      ConvolutionStage(Scaled({0.1f}), Scaled({0.003f, 0.0071f}), Scaled({0.02f}, -7),
                       Activation::kRelu, Rounding::kSingle);
  ASSERT_EQ(stage.multipliers.size(), 2u);
  ExpectMultiplier(stage.multipliers[0], 2061584397, -6);
  ExpectMultiplier(stage.multipliers[1], 1219770765, -4);
  EXPECT_EQ(stage.output.zero_point, -7);
  ExpectRange(stage.output.range, -7, 127);
  EXPECT_EQ(stage.rounding, Rounding::kSingle);
}

TEST(QuantizedParameters, FullyConnectedPerTensorMultipliesScalesInFloat) {
  const OutputStage per_tensor = FullyConnectedStage(
      Scaled({0.1f}), Scaled({0.003f}), Scaled({0.02f}), Activation::kNone, Rounding::kDouble);
  ASSERT_EQ(per_tensor.multipliers.size(), 1u);
  ExpectMultiplier(per_tensor.multipliers[0], 2061584446, -6);
  const OutputStage per_channel =
      FullyConnectedStage(Scaled({0.1f}), Scaled({0.003f, 0.0071f}), Scaled({0.02f}),
                          Activation::kNone, Rounding::kDouble);
  ASSERT_EQ(per_channel.multipliers.size(), 2u);
  ExpectMultiplier(per_channel.multipliers[0], 2061584397, -6);
}

TEST(QuantizedParameters, AddBringsBothToTwiceTheLargerScale) {
  const AddParams params = AddParameters(Scaled({0.05f}, 3), Scaled({0.02f}, -4),
                                         Scaled({0.06f}, 5), Activation::kNone, Rounding::kDouble);
  EXPECT_EQ(params.left_shift, 20);
  EXPECT_EQ(params.first.zero_point, 3);
  EXPECT_EQ(params.second.zero_point, -4);
  EXPECT_EQ(params.output.zero_point, 5);
  ExpectMultiplier(params.first.multiplier, 1 << 30, 0);
  ExpectMultiplier(params.second.multiplier, 1717986854, -2);
  ExpectMultiplier(params.output_multiplier, 1789569773, -19);
}

TEST(QuantizedParameters, RescaleDividesInDouble) {
  const RescaleParams params = RescaleParameters(Scaled({0.05f}, 3), Scaled({0.02f}, -4),
                                                 Activation::kNone, Rounding::kDouble);
  EXPECT_EQ(params.input_zero_point, 3);
  EXPECT_EQ(params.output.zero_point, -4);
  ExpectMultiplier(params.multiplier, 1342177330, 2);
}

TEST(QuantizedParameters, ActivationRanges) {
  const AffineInt8 coarse{0.05f, -100}, fine{0.01f, 10};
  ExpectRange(RangeOf(Activation::kNone, coarse), -128, 127);
  ExpectRange(RangeOf(Activation::kRelu, coarse), -100, 127);
  ExpectRange(RangeOf(Activation::kRelu6, coarse), -100, 20);
  ExpectRange(RangeOf(Activation::kRelu6, fine), 10, 127);
  ExpectRange(RangeOf(Activation::kReluN1To1, coarse), -120, -80);
  ExpectRange(RangeOf(Activation::kReluN1To1, fine), -90, 110);
  ExpectRange(RangeOf(Activation::kRelu6, {4.0f, 0}), 0, 2);  // 1.5 steps, away from zero
  ExpectRange(RangeOf(Activation::kReluN1To1, {2.0f, 0}), -1, 1);
  ExpectRange(RangeOf(Activation::kReluN1To1, {1e-30f, 0}), -128, 127);
}

TEST(QuantizedParameters, Softmax) {
  const SoftmaxParams params = SoftmaxParameters(Scaled({1.0f / 255.0f}), 1.0f);
  EXPECT_EQ(params.depth, 5);
  ExpectMultiplier(params.multiplier, 1077952640, 19);
  EXPECT_EQ(params.difference_minimum, -3968);
  // A scale beyond 2^5 saturates: every difference but 0 is below the minimum.
  const SoftmaxParams steep = SoftmaxParameters(Scaled({100.0f}), 1.0f);
  ExpectMultiplier(steep.multiplier, INT32_MAX, 31);
  EXPECT_EQ(steep.difference_minimum, 0);
}

}  // namespace
}  // namespace weft::reference
