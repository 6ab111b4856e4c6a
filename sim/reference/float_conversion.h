// SPDX-License-Identifier: Apache-2.0
//
// Between float32 and int8: QUANTIZE of a float tensor and DEQUANTIZE.
#pragma once

#include <cstdint>
#include <span>

namespace weft::reference {

/// real = scale * (stored - zero_point), scale > 0.
struct AffineInt8 {
  float scale = 1.0f;
  int32_t zero_point = 0;
};

/// round(x / scale) + zero_point, half away from zero, clamped to int8. A NaN becomes the zero
/// point. Both spans have one length.
void QuantizeFloat(AffineInt8 to, std::span<const float> input, std::span<int8_t> output);

/// Both spans have one length.
void DequantizeToFloat(AffineInt8 from, std::span<const int8_t> input, std::span<float> output);

}  // namespace weft::reference
