// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/softmax.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <vector>

#include "sim/reference/softmax_math.h"

namespace weft::reference {
namespace {

constexpr int kSumIntegerBits = 12;
constexpr int kOutputBits = 8;
constexpr int32_t kOutputMin = -128;
constexpr int32_t kOutputMax = 127;

// exp(difference * beta * scale), Q0.31, for a difference not below the minimum.
int32_t Exponential(const SoftmaxParams& params, int32_t difference) {
  const int32_t raised = difference * (int32_t{1} << params.multiplier.shift);
  return ExpOnNegativeValues(
      SaturatingRoundingDoublingHighMul(raised, params.multiplier.multiplier));
}

void SoftmaxRow(const SoftmaxParams& params, std::span<const int8_t> input,
                std::span<int8_t> output) {
  const int32_t largest = *std::max_element(input.begin(), input.end());
  std::vector<int32_t> exponentials(input.size(), 0);
  uint32_t sum = 0;  // Q12.19
  for (size_t i = 0; i < input.size(); ++i) {
    const int32_t difference = input[i] - largest;
    if (difference < params.difference_minimum) continue;
    exponentials[i] = Exponential(params, difference);
    sum += static_cast<uint32_t>(RoundingDivideByPowerOfTwo(exponentials[i], kSumIntegerBits));
  }
  // sum = 2^(kSumIntegerBits - headroom) * (1 + fraction), fraction in Q0.31.
  const int headroom = std::countl_zero(sum);
  const int32_t fraction = static_cast<int32_t>((sum << headroom) - (uint32_t{1} << 31));
  const int32_t reciprocal = OneOverOnePlusX(fraction);
  const int exponent = kSumIntegerBits - headroom + 31 - kOutputBits;
  for (size_t i = 0; i < input.size(); ++i) {
    if (input[i] - largest < params.difference_minimum) {
      output[i] = kOutputMin;
      continue;
    }
    const int32_t share = SaturatingRoundingDoublingHighMul(reciprocal, exponentials[i]);
    const int64_t stored = RoundingDivideByPowerOfTwo(share, exponent) + kOutputMin;
    output[i] = static_cast<int8_t>(std::clamp<int64_t>(stored, kOutputMin, kOutputMax));
  }
}

}  // namespace

void Softmax(const SoftmaxParams& params, std::span<const int8_t> input, std::span<int8_t> output) {
  assert(params.depth <= kLargestSoftmaxDepth && params.multiplier.shift >= 0);
  const size_t depth = static_cast<size_t>(params.depth);
  for (size_t start = 0; start < input.size(); start += depth) {
    SoftmaxRow(params, input.subspan(start, depth), output.subspan(start, depth));
  }
}

}  // namespace weft::reference
