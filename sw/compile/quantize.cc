// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/quantize.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

namespace weft::compile {
namespace {

constexpr double kTwoTo31 = 2147483648.0;
constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();

// floor((a * b + 2^30) / 2^31); both operands are never the smallest int32 here.
int32_t HighProduct(int32_t a, int32_t b) {
  return static_cast<int32_t>((int64_t{a} * b + (int64_t{1} << 30)) >> 31);
}

// x / 2^bits, to nearest, ties away from zero.
int32_t DividePowerOfTwo(int32_t x, int bits) {
  const int32_t mask = (1 << bits) - 1;
  return (x >> bits) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
}

// exp(z) for z <= 0 in Q5.26, result in Q0.31.
int32_t ExpNegative(int32_t z) {
  if (z == 0) return kLargest;
  constexpr int32_t kQuarter = 1 << 24;
  constexpr int32_t kExpOfMinusEighth = 1895147668;
  constexpr int32_t kThird = 715827883;
  constexpr std::array<int32_t, 7> kFactors = {1672461947, 1302514674, 790015084, 290630308,
                                               39332535,   720401,     242};
  const int32_t part = (z & (kQuarter - 1)) - kQuarter;  // [-1/4, 0)
  const int32_t x = part * 32 + (1 << 28);               // Q0.31, around -1/8
  const int32_t x2 = HighProduct(x, x);
  const int32_t x3 = HighProduct(x2, x);
  const int32_t x4 = HighProduct(x2, x2);
  const int32_t upper = HighProduct(DividePowerOfTwo(x4, 2) + x3, kThird) + x2;
  int32_t result =
      kExpOfMinusEighth + HighProduct(kExpOfMinusEighth, x + DividePowerOfTwo(upper, 1));
  const int32_t remainder = part - z;
  for (size_t i = 0; i < kFactors.size(); ++i) {
    if (remainder & (kQuarter << i)) result = HighProduct(result, kFactors[i]);
  }
  return result;
}

}  // namespace

Multiplier QuantizeMultiplier(double value) {
  assert(value >= 0 && std::isfinite(value));
  Multiplier result;
  int64_t fixed = std::llround(std::frexp(value, &result.shift) * kTwoTo31);
  if (fixed == int64_t{1} << 31) {
    fixed /= 2;
    ++result.shift;
  }
  if (result.shift < -31) return {};
  result.m = static_cast<int32_t>(fixed);
  return result;
}

Multiplier ConvolutionMultiplier(float in, float weight, float out) {
  return QuantizeMultiplier(double{in} * double{weight} / double{out});
}

Multiplier FullyConnectedMultiplier(float in, float weight, float out) {
  const float product = in * weight;
  return QuantizeMultiplier(double{product} / double{out});
}

Multiplier RescaleMultiplier(float in, float out) {
  return QuantizeMultiplier(double{in} / double{out});
}

Multiplier ReciprocalOfCount(int64_t count) {
  assert(count >= 1 && count < int64_t{1} << 31);
  const int log2_ceil = std::bit_width(static_cast<uint64_t>(count - 1));
  const int t = 30 + log2_ceil;
  const uint64_t power = uint64_t{1} << t;
  const uint64_t divisor = static_cast<uint64_t>(count);
  return {static_cast<int32_t>((power + divisor - 1) / divisor), 31 - t};
}

Clamp ActivationClamp(Activation activation, float scale, int zero_point) {
  const auto stored = [&](float real) {
    // Kept near int8, so that a tiny scale cannot leave int.
    return zero_point + static_cast<int>(std::clamp(std::round(real / scale), -1024.f, 1024.f));
  };
  Clamp clamp;
  if (activation == Activation::kRelu || activation == Activation::kRelu6) {
    clamp.low = std::max(clamp.low, zero_point);
  }
  if (activation == Activation::kRelu6) clamp.high = std::min(clamp.high, stored(6));
  if (activation == Activation::kReluN1To1) {
    clamp.low = std::max(clamp.low, stored(-1));
    clamp.high = std::min(clamp.high, stored(1));
  }
  return clamp;
}

Addition AdditionOf(const Tensor& a, const Tensor& b, const Tensor& out, Activation activation) {
  const double a_scale = a.quant.scales[0], b_scale = b.quant.scales[0];
  const double out_scale = out.quant.scales[0];
  const double common = 2 * std::max(a_scale, b_scale);
  Addition add;
  add.a_zero_point = static_cast<int>(a.quant.zero_points[0]);
  add.b_zero_point = static_cast<int>(b.quant.zero_points[0]);
  add.sum_zero_point = static_cast<int>(out.quant.zero_points[0]);
  add.a = QuantizeMultiplier(a_scale / common);
  add.b = QuantizeMultiplier(b_scale / common);
  add.sum = QuantizeMultiplier(common / ((1 << Addition::kLeftShift) * out_scale));
  add.clamp = ActivationClamp(activation, out.quant.scales[0], add.sum_zero_point);
  return add;
}

std::array<int32_t, 256> SoftmaxTable(float beta, float scale) {
  constexpr double kOne = 1 << 26;  // Q5.26
  const Multiplier step =
      QuantizeMultiplier(std::min(double{beta} * double{scale} * kOne, kTwoTo31 - 1));
  assert(step.shift >= 0);
  const double reach = std::floor(31 * kOne / std::ldexp(1.0, step.shift));
  std::array<int32_t, 256> table = {};
  for (int d = 0; d < 256 && d <= reach; ++d) {
    const int64_t raised = -(int64_t{d} << step.shift);
    table[static_cast<size_t>(d)] = ExpNegative(HighProduct(static_cast<int32_t>(raised), step.m));
  }
  return table;
}

}  // namespace weft::compile
