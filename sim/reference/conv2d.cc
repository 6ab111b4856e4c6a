// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/conv2d.h"

#include <algorithm>

#include "sim/reference/exact_matmul.h"

namespace weft::reference {
namespace {

// Output pixels gathered and multiplied at once: a few MiB of patches for deep layers.
constexpr size_t kTilePixels = 128;

// Writes the kh*kw*C inputs under output pixel (n, y, x), less the zero point; padding as 0.
void GatherPatch(const Conv2DParams& params, std::span<const int8_t> input, int n, int y, int x,
                 float* patch) {
  const Window& window = params.window;
  const int channels = params.input.channels;
  for (int ky = 0; ky < window.kernel_h; ++ky) {
    for (int kx = 0; kx < window.kernel_w; ++kx, patch += channels) {
      const int in_y = window.InputRow(y, ky);
      const int in_x = window.InputColumn(x, kx);
      if (!params.input.Contains(in_y, in_x)) {
        std::fill_n(patch, channels, 0.0f);
        continue;
      }
      const int8_t* pixel = &input[params.input.Offset(n, in_y, in_x)];
      for (int c = 0; c < channels; ++c) {
        patch[c] = static_cast<float>(pixel[c] - params.input_zero_point);
      }
    }
  }
}

FloatMatrix ToFloat(std::span<const int8_t> values, int rows, int columns) {
  using Int8Matrix = Eigen::Matrix<int8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Int8Matrix>(values.data(), rows, columns).cast<float>();
}

}  // namespace

void Conv2D(const Conv2DParams& params, std::span<const int8_t> input,
            std::span<const int8_t> weights, std::span<const int32_t> bias,
            std::span<int8_t> output) {
  const int out_channels = params.output.channels;
  const int depth = params.window.kernel_h * params.window.kernel_w * params.input.channels;
  const FloatMatrix filters = ToFloat(weights, out_channels, depth);
  const size_t area = static_cast<size_t>(params.output.height) * params.output.width;
  const size_t pixels = params.output.batch * area;
  FloatMatrix patches(std::min(kTilePixels, pixels), depth);

  for (size_t first = 0; first < pixels; first += kTilePixels) {
    const size_t count = std::min(kTilePixels, pixels - first);
    for (size_t i = 0; i < count; ++i) {
      const int n = static_cast<int>((first + i) / area);
      const int in_image = static_cast<int>((first + i) % area);
      GatherPatch(params, input, n, in_image / params.output.width, in_image % params.output.width,
                  patches.row(i).data());
    }
    const Int32Matrix sums = ExactMatmul(patches.topRows(count), filters);
    for (size_t i = 0; i < count; ++i) {
      int8_t* pixel = &output[(first + i) * out_channels];
      for (int o = 0; o < out_channels; ++o) {
        pixel[o] = params.stage.Apply(AddBias(sums(i, o), bias.empty() ? 0 : bias[o]), o);
      }
    }
  }
}

}  // namespace weft::reference
