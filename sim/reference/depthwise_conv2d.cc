// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/depthwise_conv2d.h"

#include <algorithm>
#include <vector>

namespace weft::reference {
namespace {

// Adds one tap of every channel to the running sums.
void AccumulateTap(const DepthwiseConv2DParams& params, const int8_t* pixel, const int8_t* taps,
                   int32_t* sums) {
  const int32_t zero = params.input_zero_point;
  if (params.multiplier == 1) {
    for (int c = 0; c < params.output.channels; ++c) sums[c] += (pixel[c] - zero) * taps[c];
    return;
  }
  for (int ic = 0; ic < params.input.channels; ++ic) {
    for (int m = 0; m < params.multiplier; ++m) {
      const int oc = ic * params.multiplier + m;
      sums[oc] += (pixel[ic] - zero) * taps[oc];
    }
  }
}

}  // namespace

void DepthwiseConv2D(const DepthwiseConv2DParams& params, std::span<const int8_t> input,
                     std::span<const int8_t> weights, std::span<const int32_t> bias,
                     std::span<int8_t> output) {
  const Window& window = params.window;
  const int channels = params.output.channels;
  std::vector<int32_t> sums(channels);
  for (int n = 0; n < params.output.batch; ++n) {
    for (int y = 0; y < params.output.height; ++y) {
      for (int x = 0; x < params.output.width; ++x) {
        std::fill(sums.begin(), sums.end(), 0);
        for (int ky = 0; ky < window.kernel_h; ++ky) {
          for (int kx = 0; kx < window.kernel_w; ++kx) {
            const int in_y = window.InputRow(y, ky);
            const int in_x = window.InputColumn(x, kx);
            if (!params.input.Contains(in_y, in_x)) continue;
            const size_t tap = static_cast<size_t>(ky * window.kernel_w + kx) * channels;
            AccumulateTap(params, &input[params.input.Offset(n, in_y, in_x)], &weights[tap],
                          sums.data());
          }
        }
        int8_t* pixel = &output[params.output.Offset(n, y, x)];
        for (int oc = 0; oc < channels; ++oc) {
          pixel[oc] = params.stage.Apply(AddBias(sums[oc], bias.empty() ? 0 : bias[oc]), oc);
        }
      }
    }
  }
}

}  // namespace weft::reference
