// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/quantized_parameters.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace weft::reference {
namespace {

bool IsUsableScale(float scale) { return std::isfinite(scale) && scale > 0.0f; }

Result<std::vector<AffineInt8>> Int8Quantizations(std::initializer_list<const Tensor*> tensors) {
  std::vector<AffineInt8> result;
  for (const Tensor* tensor : tensors) {
    const auto one = Int8Quantization(*tensor);
    if (!one) return tl::make_unexpected(one.error());
    result.push_back(*one);
  }
  return result;
}

Result<QuantizedMultiplier> CheckedMultiplier(double ratio, const Tensor& output) {
  if (std::isfinite(ratio) && ratio >= 0.0) {
    const QuantizedMultiplier m = QuantizeMultiplier(ratio);
    if (m.shift <= kLargestShift) return m;
  }
  return Fail("tensor '{}': the ratio of scales {} cannot be requantised (the limit is 2^{}); "
              "check the scales of the operator's tensors",
              output.name, ratio, kLargestShift);
}

Result<OutputStage> StageFrom(const std::vector<double>& ratios, const Tensor& output,
                              AffineInt8 quantization, Activation activation, Rounding rounding) {
  OutputStage stage;
  for (double ratio : ratios) {
    const auto multiplier = CheckedMultiplier(ratio, output);
    if (!multiplier) return tl::make_unexpected(multiplier.error());
    stage.multipliers.push_back(*multiplier);
  }
  stage.output = {quantization.zero_point, RangeOf(activation, quantization)};
  stage.rounding = rounding;
  return stage;
}

// One ratio per weight scale, all in double.
std::vector<double> PerChannelRatios(AffineInt8 input, const Tensor& weights, AffineInt8 output) {
  std::vector<double> ratios;
  for (float scale : weights.quant.scales) {
    ratios.push_back(static_cast<double>(input.scale) * static_cast<double>(scale) /
                     static_cast<double>(output.scale));
  }
  return ratios;
}

Status CheckWeightScales(const Tensor& weights) {
  const std::vector<float>& scales = weights.quant.scales;
  if (weights.type != DType::kInt8 || scales.empty() ||
      !std::all_of(scales.begin(), scales.end(), IsUsableScale)) {
    return Fail("tensor '{}': the reference needs int8 weights with positive scales; this is {} "
                "with {} scales",
                weights.name, DTypeName(weights.type), scales.size());
  }
  return {};
}

}  // namespace

Result<AffineInt8> Int8Quantization(const Tensor& tensor) {
  if (tensor.type != DType::kInt8) {
    return Fail("tensor '{}': the reference computes with int8 activations, this one is {}",
                tensor.name, DTypeName(tensor.type));
  }
  const Quantization& quant = tensor.quant;
  if (quant.scales.size() != 1 || quant.zero_points.size() != 1) {
    return Fail("tensor '{}': an activation needs one scale and one zero point, this one has {} "
                "and {}",
                tensor.name, quant.scales.size(), quant.zero_points.size());
  }
  const float scale = quant.scales[0];
  const int64_t zero_point = quant.zero_points[0];
  if (!IsUsableScale(scale) || zero_point < -128 || zero_point > 127) {
    return Fail("tensor '{}': scale {} and zero point {} are not a valid int8 quantisation",
                tensor.name, scale, zero_point);
  }
  return AffineInt8{scale, static_cast<int32_t>(zero_point)};
}

ActivationRange RangeOf(Activation activation, AffineInt8 quantization) {
  ActivationRange range;
  const auto stored = [quantization](float real) {
    // Clamped so that a tiny scale does not leave int32.
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

Result<OutputStage> ConvolutionStage(const Tensor& input, const Tensor& weights,
                                     const Tensor& output, Activation activation,
                                     Rounding rounding) {
  const auto ends = Int8Quantizations({&input, &output});
  if (!ends) return tl::make_unexpected(ends.error());
  if (Status ok = CheckWeightScales(weights); !ok) return tl::make_unexpected(ok.error());
  for (int64_t zero_point : weights.quant.zero_points) {
    if (zero_point != 0) {
      return Fail("tensor '{}': convolution weights need zero point 0, found {}", weights.name,
                  zero_point);
    }
  }
  return StageFrom(PerChannelRatios((*ends)[0], weights, (*ends)[1]), output, (*ends)[1],
                   activation, rounding);
}

Result<OutputStage> FullyConnectedStage(const Tensor& input, const Tensor& weights,
                                        const Tensor& output, Activation activation,
                                        Rounding rounding) {
  const auto ends = Int8Quantizations({&input, &output});
  if (!ends) return tl::make_unexpected(ends.error());
  if (Status ok = CheckWeightScales(weights); !ok) return tl::make_unexpected(ok.error());
  std::vector<double> ratios;
  if (weights.quant.per_channel()) {
    ratios = PerChannelRatios((*ends)[0], weights, (*ends)[1]);
  } else {
    const float product = (*ends)[0].scale * weights.quant.scales[0];
    ratios = {static_cast<double>(product) / static_cast<double>((*ends)[1].scale)};
  }
  return StageFrom(ratios, output, (*ends)[1], activation, rounding);
}

Result<AddParams> AddParameters(const Tensor& first, const Tensor& second, const Tensor& output,
                                Activation activation, Rounding rounding) {
  const auto quantizations = Int8Quantizations({&first, &second, &output});
  if (!quantizations) return tl::make_unexpected(quantizations.error());
  const AffineInt8 a = (*quantizations)[0], b = (*quantizations)[1], y = (*quantizations)[2];
  AddParams params;
  const double common = 2.0 * std::max(static_cast<double>(a.scale), static_cast<double>(b.scale));
  const double raise = static_cast<double>(int64_t{1} << params.left_shift);
  const auto output_multiplier =
      CheckedMultiplier(common / (raise * static_cast<double>(y.scale)), output);
  if (!output_multiplier) return tl::make_unexpected(output_multiplier.error());
  params.first = {a.zero_point, QuantizeMultiplier(static_cast<double>(a.scale) / common)};
  params.second = {b.zero_point, QuantizeMultiplier(static_cast<double>(b.scale) / common)};
  params.output_multiplier = *output_multiplier;
  params.output = {y.zero_point, RangeOf(activation, y)};
  params.rounding = rounding;
  return params;
}

Result<RescaleParams> RescaleParameters(const Tensor& input, const Tensor& output,
                                        Activation activation, Rounding rounding) {
  const auto ends = Int8Quantizations({&input, &output});
  if (!ends) return tl::make_unexpected(ends.error());
  const AffineInt8 x = (*ends)[0], y = (*ends)[1];
  const auto multiplier =
      CheckedMultiplier(static_cast<double>(x.scale) / static_cast<double>(y.scale), output);
  if (!multiplier) return tl::make_unexpected(multiplier.error());
  return RescaleParams{
      x.zero_point, *multiplier, {y.zero_point, RangeOf(activation, y)}, rounding};
}

Result<SoftmaxParams> SoftmaxParameters(const Tensor& input, const Tensor& output, float beta) {
  const auto ends = Int8Quantizations({&input, &output});
  if (!ends) return tl::make_unexpected(ends.error());
  const AffineInt8 x = (*ends)[0], y = (*ends)[1];
  if (y.scale != 1.0f / 256.0f || y.zero_point != -128) {
    return Fail("tensor '{}': an int8 softmax output needs scale 1/256 and zero point -128, found "
                "{} and {}",
                output.name, y.scale, y.zero_point);
  }
  constexpr int kIntegerBits = 5;
  constexpr int kFractionBits = 31 - kIntegerBits;
  const double real = static_cast<double>(beta) * static_cast<double>(x.scale) *
                      static_cast<double>(int64_t{1} << kFractionBits);
  if (!(real > 1.0)) {
    return Fail("tensor '{}': softmax needs beta * scale above 2^-{}, found beta {} and scale {}",
                input.name, kFractionBits, beta, x.scale);
  }
  SoftmaxParams params;
  params.depth = input.shape.empty() ? 1 : input.shape.back();
  if (params.depth > kLargestSoftmaxDepth) {
    return Fail("tensor '{}': softmax over {} elements; the fixed point sum allows at most {}",
                input.name, params.depth, kLargestSoftmaxDepth);
  }
  params.multiplier = QuantizeMultiplier(std::min(real, 2147483647.0));
  const double radius = ((1 << kIntegerBits) - 1) * static_cast<double>(1 << kFractionBits) /
                        static_cast<double>(int64_t{1} << params.multiplier.shift);
  params.difference_minimum = -static_cast<int32_t>(std::floor(radius));
  return params;
}

}  // namespace weft::reference
