// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/fully_connected.h"

#include "sim/reference/exact_matmul.h"

namespace weft::reference {
namespace {

FloatMatrix Centered(std::span<const int8_t> values, int rows, int columns, int32_t zero_point) {
  FloatMatrix result(rows, columns);
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      result(r, c) = static_cast<float>(values[static_cast<size_t>(r) * columns + c] - zero_point);
    }
  }
  return result;
}

}  // namespace

void FullyConnected(const FullyConnectedParams& params, std::span<const int8_t> input,
                    std::span<const int8_t> weights, std::span<const int32_t> bias,
                    std::span<int8_t> output) {
  const FloatMatrix rows = Centered(input, params.batch, params.depth, params.input_zero_point);
  const FloatMatrix columns =
      Centered(weights, params.outputs, params.depth, params.weight_zero_point);
  const Int32Matrix sums = ExactMatmul(rows, columns);
  for (int b = 0; b < params.batch; ++b) {
    for (int o = 0; o < params.outputs; ++o) {
      output[static_cast<size_t>(b) * params.outputs + o] =
          params.stage.Apply(AddBias(sums(b, o), bias.empty() ? 0 : bias[o]), o);
    }
  }
}

}  // namespace weft::reference
