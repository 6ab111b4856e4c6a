// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/pad.h"

#include <algorithm>

namespace weft::reference {

void Pad(const PadParams& params, std::span<const int8_t> input, std::span<int8_t> output) {
  std::array<size_t, 4> out;
  for (size_t d = 0; d < 4; ++d) {
    out[d] = static_cast<size_t>(params.before[d] + params.input[d] + params.after[d]);
  }
  std::fill(output.begin(), output.end(), params.value);
  size_t next = 0;
  for (int a = 0; a < params.input[0]; ++a) {
    for (int b = 0; b < params.input[1]; ++b) {
      for (int c = 0; c < params.input[2]; ++c) {
        for (int d = 0; d < params.input[3]; ++d) {
          const size_t row = ((a + params.before[0]) * out[1] + b + params.before[1]) * out[2] + c +
                             params.before[2];
          output[row * out[3] + d + params.before[3]] = input[next++];
        }
      }
    }
  }
}

}  // namespace weft::reference
