// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/pool2d.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <vector>

namespace weft::reference {
namespace {

// Calls reduce(elements) with the inputs under each output element that lie inside the image.
template <typename Reduce>
void ForEachWindow(const Pool2DParams& params, std::span<const int8_t> input,
                   std::span<int8_t> output, Reduce reduce) {
  const Window& window = params.window;
  std::vector<int8_t> inside;
  inside.reserve(static_cast<size_t>(window.kernel_h) * window.kernel_w);
  for (int n = 0; n < params.output.batch; ++n) {
    for (int y = 0; y < params.output.height; ++y) {
      for (int x = 0; x < params.output.width; ++x) {
        for (int c = 0; c < params.output.channels; ++c) {
          inside.clear();
          for (int ky = 0; ky < window.kernel_h; ++ky) {
            for (int kx = 0; kx < window.kernel_w; ++kx) {
              const int in_y = window.InputRow(y, ky);
              const int in_x = window.InputColumn(x, kx);
              if (!params.input.Contains(in_y, in_x)) continue;
              inside.push_back(input[params.input.Offset(n, in_y, in_x) + c]);
            }
          }
          assert(!inside.empty());
          const int32_t value = reduce(inside);
          output[params.output.Offset(n, y, x) + c] =
              static_cast<int8_t>(std::clamp(value, params.range.lo, params.range.hi));
        }
      }
    }
  }
}

}  // namespace

void AveragePool2D(const Pool2DParams& params, std::span<const int8_t> input,
                   std::span<int8_t> output) {
  ForEachWindow(params, input, output, [](const std::vector<int8_t>& elements) {
    const int32_t count = static_cast<int32_t>(elements.size());
    int32_t sum = 0;
    for (int8_t element : elements) sum += element;
    return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
  });
}

void MaxPool2D(const Pool2DParams& params, std::span<const int8_t> input,
               std::span<int8_t> output) {
  ForEachWindow(params, input, output, [](const std::vector<int8_t>& elements) {
    return int32_t{*std::max_element(elements.begin(), elements.end())};
  });
}

}  // namespace weft::reference
