// SPDX-License-Identifier: Apache-2.0
//
// int8 fully connected layer with explicit quantised parameters.
#pragma once

#include <cstdint>
#include <span>

#include "sim/reference/output_stage.h"

namespace weft::reference {

struct FullyConnectedParams {
  int batch = 1, depth = 1, outputs = 1;
  int32_t input_zero_point = 0;
  int32_t weight_zero_point = 0;
  OutputStage stage;
};

/// input [batch, depth], weights [outputs, depth], bias [outputs] or empty, output [batch,
/// outputs].
void FullyConnected(const FullyConnectedParams& params, std::span<const int8_t> input,
                    std::span<const int8_t> weights, std::span<const int32_t> bias,
                    std::span<int8_t> output);

}  // namespace weft::reference
