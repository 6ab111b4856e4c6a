// SPDX-License-Identifier: Apache-2.0
//
// From real scales to the integers in commands and parameter records; the rules are those of
// docs/numerics.md. Every product of scales is formed in exactly the type named there.
#pragma once

#include <array>
#include <cstdint>

#include "weft/graph.h"

namespace weft::compile {

/// value = m / 2^31 * 2^shift, 2^30 <= m < 2^31, or zero: {0, 0}.
struct Multiplier {
  int32_t m = 0;
  int shift = 0;
  bool operator==(const Multiplier&) const = default;
};

/// Leaves an int32 as it is, in every rounding mode.
inline constexpr Multiplier kIdentity = {1 << 30, 1};

/// Smallest and largest stored value an activation lets through.
struct Clamp {
  int low = -128;
  int high = 127;
};

/// What SETUP_ADD holds about arithmetic.
struct Addition {
  static constexpr int kLeftShift = 20;
  int a_zero_point = 0, b_zero_point = 0, sum_zero_point = 0;
  Multiplier a, b, sum;
  Clamp clamp;
};

/// The fixed-point form of a value >= 0; below 2^-32 it is zero.
Multiplier QuantizeMultiplier(double value);

/// Convolution and depthwise convolution, one channel: double(s_in) * s_w / s_out.
Multiplier ConvolutionMultiplier(float in, float weight, float out);

/// Fully connected with one weight scale: s_in * s_w in float32, then / double(s_out).
Multiplier FullyConnectedMultiplier(float in, float weight, float out);

/// int8 to int8: double(s_in) / s_out.
Multiplier RescaleMultiplier(float in, float out);

/// 1 / count for rounding mode 2: ceil(2^t / count) with t = 31 - shift. count >= 1.
Multiplier ReciprocalOfCount(int64_t count);

/// The clamp of an activation on an output of this quantisation.
Clamp ActivationClamp(Activation activation, float scale, int zero_point);

/// ADD of tensors quantised as `a` and `b` into `out`.
Addition AdditionOf(const Tensor& a, const Tensor& b, const Tensor& out, Activation activation);

/// Entry d: exp(-d steps of the input), Q0.31; zero where softmax gives the smallest value.
std::array<int32_t, 256> SoftmaxTable(float beta, float scale);

}  // namespace weft::compile
