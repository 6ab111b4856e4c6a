// SPDX-License-Identifier: Apache-2.0
//
// int8 to int8 with another scale and zero point: QUANTIZE of an int8 tensor and, with a narrower
// range, the stand-alone RELU family.
#pragma once

#include <cstdint>
#include <span>

#include "sim/reference/output_stage.h"

namespace weft::reference {

struct RescaleParams {
  int32_t input_zero_point = 0;
  QuantizedMultiplier multiplier;
  OutputRange output;
  Rounding rounding = Rounding::kDouble;
};

/// Both spans have one length.
void Rescale(const RescaleParams& params, std::span<const int8_t> input, std::span<int8_t> output);

}  // namespace weft::reference
