// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/reference.h"

#include <algorithm>

#include "sim/reference/run_node.h"
#include "sim/reference/tensor_store.h"

namespace weft {

Result<ReferenceResult> RunReference(const Graph& graph,
                                     const std::vector<std::vector<uint8_t>>& inputs,
                                     Rounding rounding) {
  if (Status ok = ValidateGraph(graph); !ok) return tl::make_unexpected(ok.error());
  if (inputs.size() != graph.inputs.size()) {
    return Fail("graph '{}' has {} inputs, {} were given", graph.name, graph.inputs.size(),
                inputs.size());
  }
  reference::TensorStore store(graph);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::span<uint8_t> buffer = store.MutableBytes(graph.inputs[i]);
    if (inputs[i].size() != buffer.size()) {
      return Fail("graph '{}', input '{}': {} bytes were given, its shape and type need {}",
                  graph.name, store.Info(graph.inputs[i]).name, inputs[i].size(), buffer.size());
    }
    std::copy(inputs[i].begin(), inputs[i].end(), buffer.begin());
  }
  for (const Node& node : graph.nodes) {
    if (Status ok = reference::RunNode(node, rounding, store); !ok) {
      const std::string op =
          node.kind == OpKind::kUnsupported ? node.source_op : OpKindName(node.kind);
      return Fail("op {} ({}): {}", node.index, op, ok.error().message);
    }
  }
  return ReferenceResult{std::move(store).Release()};
}

}  // namespace weft
