// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/rescale.h"

namespace weft::reference {

void Rescale(const RescaleParams& params, std::span<const int8_t> input, std::span<int8_t> output) {
  for (size_t i = 0; i < output.size(); ++i) {
    const int32_t centered = input[i] - params.input_zero_point;
    output[i] = params.output.Store(Requantize(centered, params.multiplier, params.rounding));
  }
}

}  // namespace weft::reference
