// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/quantized_parameters.h"

#include <algorithm>
#include <cmath>

namespace weft::reference {
namespace {

// One multiplier per weight scale, all in double.
std::vector<QuantizedMultiplier> PerChannelMultipliers(AffineInt8 input, const Tensor& weights,
                                                       AffineInt8 output) {
  std::vector<QuantizedMultiplier> multipliers;
  for (float scale : weights.quant.scales) {
    multipliers.push_back(
        QuantizeMultiplier(double{input.scale} * double{scale} / double{output.scale}));
  }
  return multipliers;
}

OutputRange RangeAround(AffineInt8 output, Activation activation) {
  return {output.zero_point, RangeOf(activation, output)};
}

}  // namespace

AffineInt8 Int8Quantization(const Tensor& tensor) {
  return {tensor.quant.scales[0], static_cast<int32_t>(tensor.quant.zero_points[0])};
}

ActivationRange RangeOf(Activation activation, AffineInt8 quantization) {
  ActivationRange range;
  const auto stored = [quantization](float real) {
    // Clamped far outside int8, so that a tiny scale does not leave int32.
    const float steps = std::clamp(std::round(real / quantization.scale), -1024.0f, 1024.0f);
    return quantization.zero_point + static_cast<int32_t>(steps);
  };
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      range.lo = std::max(range.lo, quantization.zero_point);
      break;
    case Activation::kRelu6:
      range.lo = std::max(range.lo, quantization.zero_point);
      range.hi = std::min(range.hi, stored(6.0f));
      break;
    case Activation::kReluN1To1:
      range.lo = std::max(range.lo, stored(-1.0f));
      range.hi = std::min(range.hi, stored(1.0f));
      break;
  }
  return range;
}

OutputStage ConvolutionStage(const Tensor& input, const Tensor& weights, const Tensor& output,
                             Activation activation, Rounding rounding) {
  const AffineInt8 x = Int8Quantization(input), y = Int8Quantization(output);
  return {PerChannelMultipliers(x, weights, y), RangeAround(y, activation), rounding};
}

OutputStage FullyConnectedStage(const Tensor& input, const Tensor& weights, const Tensor& output,
                                Activation activation, Rounding rounding) {
  if (weights.quant.per_channel()) {
    return ConvolutionStage(input, weights, output, activation, rounding);
  }
  const AffineInt8 x = Int8Quantization(input), y = Int8Quantization(output);
  const float product = x.scale * weights.quant.scales[0];
  return {{QuantizeMultiplier(double{product} / double{y.scale})},
          RangeAround(y, activation),
          rounding};
}

AddParams AddParameters(const Tensor& first, const Tensor& second, const Tensor& output,
                        Activation activation, Rounding rounding) {
  const AffineInt8 a = Int8Quantization(first), b = Int8Quantization(second);
  const AffineInt8 y = Int8Quantization(output);
  AddParams params;
  const double common = 2.0 * double{std::max(a.scale, b.scale)};
  const double raise = static_cast<double>(int64_t{1} << params.left_shift);
  params.first = {a.zero_point, QuantizeMultiplier(double{a.scale} / common)};
  params.second = {b.zero_point, QuantizeMultiplier(double{b.scale} / common)};
  params.output_multiplier = QuantizeMultiplier(common / (raise * double{y.scale}));
  params.output = RangeAround(y, activation);
  params.rounding = rounding;
  return params;
}

RescaleParams RescaleParameters(const Tensor& input, const Tensor& output, Activation activation,
                                Rounding rounding) {
  const AffineInt8 x = Int8Quantization(input), y = Int8Quantization(output);
  return {x.zero_point, QuantizeMultiplier(double{x.scale} / double{y.scale}),
          RangeAround(y, activation), rounding};
}

SoftmaxParams SoftmaxParameters(const Tensor& input, float beta) {
  constexpr int kIntegerBits = 5;
  constexpr int kFractionBits = 31 - kIntegerBits;
  constexpr double kOne = 1 << kFractionBits;
  constexpr double kLargest = 2147483647.0;
  SoftmaxParams params;
  params.depth = input.shape.back();
  params.multiplier = QuantizeMultiplier(
      std::min(double{beta} * double{Int8Quantization(input).scale} * kOne, kLargest));
  const double raise = static_cast<double>(int64_t{1} << params.multiplier.shift);
  const double radius = ((1 << kIntegerBits) - 1) * kOne / raise;
  params.difference_minimum = -static_cast<int32_t>(std::floor(radius));
  return params;
}

}  // namespace weft::reference
