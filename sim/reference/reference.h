// SPDX-License-Identifier: Apache-2.0
//
// The golden reference: executes an imported graph as it stands, node by node, with kernels
// written from docs/numerics.md alone. It shares no arithmetic with the compiler, the functional
// model or the RTL, so that their agreement with it is evidence.
//
//   Result<ReferenceResult> golden = RunReference(graph, {image_bytes}, Rounding::kDouble);
//   const std::vector<uint8_t>& y = golden->tensors[graph.outputs[0]];
//
// Speed: dense products run through Eigen, several GMAC a second on one core of a recent CPU.
// Safe to call from several threads at once.
#pragma once

#include <cstdint>
#include <vector>

#include "weft/graph.h"
#include "weft/result.h"

namespace weft {

/// What every tensor of the graph held after the run.
struct ReferenceResult {
  /// Raw little-endian bytes by tensor index, as in Graph::tensors; constants are empty.
  std::vector<std::vector<uint8_t>> tensors;
};

/// Runs `graph` on `inputs`: one byte buffer per graph input, in the order of Graph::inputs, each
/// of that tensor's ByteCount(). Any batch. `rounding` is the rule of every requantisation.
/// Fails on a graph ValidateGraph rejects, on a wrong number or size of inputs, on an unsupported
/// operator and on a reduction too deep for the int32 accumulator (the operator is named).
Result<ReferenceResult> RunReference(const Graph& graph,
                                     const std::vector<std::vector<uint8_t>>& inputs,
                                     Rounding rounding);

}  // namespace weft
