// SPDX-License-Identifier: Apache-2.0
//
// The compiler: an imported graph and a configuration in, a program out.
//
//   Result<Program> program = Compile(graph, *FindConfig("weft256"), {.rounding =
//   Rounding::kDouble});
//
// Legalises (views vanish, PAD folds into convolutions, stand-alone activations become
// requantisations), fuses (activations, residual additions), places tensors in the scratchpad or in
// memory, cuts layers into tiles and stripes, orders loads, weights, work and stores, and encodes.
#pragma once

#include "weft/graph.h"
#include "weft/hw/configs.h"
#include "weft/program.h"
#include "weft/result.h"

namespace weft {

struct CompileOptions {
  Rounding rounding = Rounding::kDouble;
};

/// Errors name the operator, its index and its tensor: unsupported operators, shapes beyond what
/// command fields hold, tensors of which not even one stripe fits the scratchpad.
Result<Program> Compile(const Graph& graph, const HardwareConfig& config,
                        const CompileOptions& options);

}  // namespace weft
