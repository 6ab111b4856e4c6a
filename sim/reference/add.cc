// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/add.h"

namespace weft::reference {

void Add(const AddParams& params, std::span<const int8_t> first, std::span<const int8_t> second,
         std::span<int8_t> output) {
  const auto scaled = [&params](int8_t x, const AddOperand& operand) {
    const int32_t raised = (x - operand.zero_point) * (int32_t{1} << params.left_shift);
    return Requantize(raised, operand.multiplier, params.rounding);
  };
  for (size_t i = 0; i < output.size(); ++i) {
    const int32_t sum = scaled(first[i], params.first) + scaled(second[i], params.second);
    output[i] = params.output.Store(Requantize(sum, params.output_multiplier, params.rounding));
  }
}

}  // namespace weft::reference
