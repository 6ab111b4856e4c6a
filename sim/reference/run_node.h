// SPDX-License-Identifier: Apache-2.0
//
// One node of the graph: reads its operands from the store, calls its kernel, writes its output.
#pragma once

#include "sim/reference/tensor_store.h"
#include "weft/graph.h"
#include "weft/result.h"

namespace weft::reference {

/// The node belongs to a graph ValidateGraph accepts and its inputs are in the store. Errors do
/// not name the node; the caller does.
Status RunNode(const Node& node, Rounding rounding, TensorStore& store);

}  // namespace weft::reference
