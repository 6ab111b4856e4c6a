// SPDX-License-Identifier: Apache-2.0
//
// Turns one operator of a TensorFlow Lite file into a graph node: kind, attributes and data
// inputs, or kUnsupported with the reason. Knows operators; knows nothing of the file around them.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/import/flatbuffer.h"
#include "weft/graph.h"

namespace weft::tflite {

/// What the file says about a tensor that the graph does not keep.
struct TensorFacts {
  int8_t type_code = 0;
  bool variable = false;              ///< keeps its value between runs
  bool sparse = false;                ///< data is stored compressed
  bool special_quantization = false;  ///< anything but scales and zero points
  bool graph_input = false;
  bool graph_output = false;
};

/// An operator as it stands in the file.
struct OperatorSource {
  int32_t code = 0;          ///< see tflite::Builtin
  uint8_t options_type = 0;  ///< see tflite::OptionsType
  FlatTable options;         ///< absent: every option has its default
};

/// Completes `node`, whose index, source_op, inputs and outputs are those of the file and in
/// range. `facts` has one entry for each tensor of `graph`. Fails when the operator contradicts
/// itself or its tensors; reading `source.options` may also leave a fault in its FlatBuffer.
Status LowerOperator(const Graph& graph, const std::vector<TensorFacts>& facts,
                     const OperatorSource& source, Node* node);

}  // namespace weft::tflite
