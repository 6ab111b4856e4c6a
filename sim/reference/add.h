// SPDX-License-Identifier: Apache-2.0
//
// int8 element-wise addition with explicit quantised parameters.
#pragma once

#include <cstdint>
#include <span>

#include "sim/reference/output_stage.h"

namespace weft::reference {

/// One operand: (x - zero_point) * 2^left_shift * multiplier, in the common scale.
struct AddOperand {
  int32_t zero_point = 0;
  QuantizedMultiplier multiplier;
};

struct AddParams {
  int left_shift = 20;
  AddOperand first, second;
  QuantizedMultiplier output_multiplier;
  OutputRange output;
  Rounding rounding = Rounding::kDouble;
};

/// All three spans have one length.
void Add(const AddParams& params, std::span<const int8_t> first, std::span<const int8_t> second,
         std::span<int8_t> output);

}  // namespace weft::reference
