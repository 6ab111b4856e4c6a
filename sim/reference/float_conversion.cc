// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/float_conversion.h"

#include <algorithm>
#include <cmath>

namespace weft::reference {

void QuantizeFloat(AffineInt8 to, std::span<const float> input, std::span<int8_t> output) {
  // Far outside int8 for any zero point, and safely inside int32.
  constexpr float kBound = 1024.0f;
  for (size_t i = 0; i < output.size(); ++i) {
    const float steps = std::isnan(input[i]) ? 0.0f : input[i] / to.scale;
    const int32_t rounded = static_cast<int32_t>(std::round(std::clamp(steps, -kBound, kBound)));
    output[i] = static_cast<int8_t>(std::clamp(rounded + to.zero_point, -128, 127));
  }
}

void DequantizeToFloat(AffineInt8 from, std::span<const int8_t> input, std::span<float> output) {
  for (size_t i = 0; i < output.size(); ++i) {
    output[i] = from.scale * static_cast<float>(input[i] - from.zero_point);
  }
}

}  // namespace weft::reference
