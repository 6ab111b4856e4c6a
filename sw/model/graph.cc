// SPDX-License-Identifier: Apache-2.0
#include "weft/graph.h"

#include <limits>

namespace weft {

size_t DTypeSize(DType type) {
  switch (type) {
    case DType::kInt8:
    case DType::kUint8:
    case DType::kBool:
      return 1;
    case DType::kInt16:
      return 2;
    case DType::kInt32:
    case DType::kFloat32:
      return 4;
    case DType::kInt64:
      return 8;
    case DType::kOther:
      return 0;
  }
  return 0;
}

const char* DTypeName(DType type) {
  switch (type) {
    case DType::kInt8:
      return "int8";
    case DType::kUint8:
      return "uint8";
    case DType::kInt16:
      return "int16";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kFloat32:
      return "float32";
    case DType::kBool:
      return "bool";
    case DType::kOther:
      return "other";
  }
  return "other";
}

const char* OpKindName(OpKind kind) {
  switch (kind) {
    case OpKind::kConv2D:
      return "CONV_2D";
    case OpKind::kDepthwiseConv2D:
      return "DEPTHWISE_CONV_2D";
    case OpKind::kFullyConnected:
      return "FULLY_CONNECTED";
    case OpKind::kAdd:
      return "ADD";
    case OpKind::kAveragePool2D:
      return "AVERAGE_POOL_2D";
    case OpKind::kMaxPool2D:
      return "MAX_POOL_2D";
    case OpKind::kPad:
      return "PAD";
    case OpKind::kReshape:
      return "RESHAPE";
    case OpKind::kSqueeze:
      return "SQUEEZE";
    case OpKind::kExpandDims:
      return "EXPAND_DIMS";
    case OpKind::kSoftmax:
      return "SOFTMAX";
    case OpKind::kRelu:
      return "RELU";
    case OpKind::kQuantize:
      return "QUANTIZE";
    case OpKind::kDequantize:
      return "DEQUANTIZE";
    case OpKind::kUnsupported:
      return "UNSUPPORTED";
  }
  return "UNSUPPORTED";
}

int64_t Tensor::ElementCount() const {
  int64_t count = 1;
  for (int32_t dimension : shape) {
    if (dimension <= 0) return 0;
    if (count > std::numeric_limits<int64_t>::max() / dimension) {
      return std::numeric_limits<int64_t>::max();
    }
    count *= dimension;
  }
  return count;
}

int64_t NodeMacs(const Graph& graph, const Node& node) {
  const auto tensor = [&graph](const std::vector<int>& indices, size_t i) -> const Tensor& {
    return graph.tensors[static_cast<size_t>(indices[i])];
  };
  switch (node.kind) {
    case OpKind::kConv2D: {
      const Tensor& weights = tensor(node.inputs, 1);
      return tensor(node.outputs, 0).ElementCount() * (weights.ElementCount() / weights.shape[0]);
    }
    case OpKind::kDepthwiseConv2D: {
      const Tensor& weights = tensor(node.inputs, 1);
      return tensor(node.outputs, 0).ElementCount() * weights.shape[1] * weights.shape[2];
    }
    case OpKind::kFullyConnected:
      return tensor(node.inputs, 0).ElementCount() * tensor(node.inputs, 1).shape[0];
    default:
      return 0;
  }
}

}  // namespace weft
