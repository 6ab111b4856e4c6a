// SPDX-License-Identifier: Apache-2.0
//
// int8 depthwise convolution, any channel multiplier, with explicit quantised parameters.
#pragma once

#include <cstdint>
#include <span>

#include "sim/reference/output_stage.h"
#include "sim/reference/window.h"

namespace weft::reference {

/// output.channels = input.channels * multiplier; output channel = input channel * multiplier + m.
struct DepthwiseConv2DParams {
  ImageShape input, output;
  Window window;
  int multiplier = 1;
  int32_t input_zero_point = 0;
  OutputStage stage;
};

/// weights [1,kh,kw,C*multiplier] with zero point 0, bias [C*multiplier] or empty.
void DepthwiseConv2D(const DepthwiseConv2DParams& params, std::span<const int8_t> input,
                     std::span<const int8_t> weights, std::span<const int32_t> bias,
                     std::span<int8_t> output);

}  // namespace weft::reference
