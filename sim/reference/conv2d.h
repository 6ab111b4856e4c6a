// SPDX-License-Identifier: Apache-2.0
//
// int8 convolution with explicit quantised parameters.
#pragma once

#include <cstdint>
#include <span>

#include "sim/reference/output_stage.h"
#include "sim/reference/window.h"

namespace weft::reference {

struct Conv2DParams {
  ImageShape input, output;  ///< equal batch
  Window window;
  int32_t input_zero_point = 0;
  OutputStage stage;
};

/// input [N,H,W,C], weights [O,kh,kw,C] with zero point 0, bias [O] or empty, output [N,OH,OW,O].
/// Taps outside the image contribute nothing.
void Conv2D(const Conv2DParams& params, std::span<const int8_t> input,
            std::span<const int8_t> weights, std::span<const int32_t> bias,
            std::span<int8_t> output);

}  // namespace weft::reference
