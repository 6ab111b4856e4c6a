// SPDX-License-Identifier: Apache-2.0
//
// The model as imported: tensors and nodes in file order, before any legalisation or fusion.
// Importers produce it, the reference executes it as it stands, the compiler lowers a copy of it.
//
// Conventions
//   - Activations are NHWC, dense, C fastest. Rank 1..4 occur; rank < 4 is right-aligned by users.
//   - Convolution weights are OHWI; depthwise weights are 1HWC (C = output channels,
//     output channel = input channel * multiplier + m); fully connected weights are [out, in].
//   - Constant data is raw little-endian in Tensor::data. Activations have empty data.
//   - Padding is resolved by the importer to explicit counts; SAME/VALID never reach users.
//   - A batch of -1 in the file is resolved to the static shape (1 for TFLite).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "weft/result.h"

namespace weft {

enum class DType : uint8_t { kInt8, kUint8, kInt16, kInt32, kInt64, kFloat32, kBool, kOther };

/// Bytes of one element; 0 for kOther.
size_t DTypeSize(DType type);
/// Lower-case name, as in NumPy: "int8", "float32".
const char* DTypeName(DType type);

/// real = scale * (stored - zero_point). One scale: per tensor; several: per channel along `axis`.
struct Quantization {
  std::vector<float> scales;         ///< empty: not quantised
  std::vector<int64_t> zero_points;  ///< as many as scales
  int axis = 0;
  bool per_channel() const { return scales.size() > 1; }
};

struct Tensor {
  std::string name;
  DType type = DType::kInt8;
  std::vector<int32_t> shape;  ///< every dimension >= 1; empty: scalar
  Quantization quant;
  bool is_constant = false;
  std::vector<uint8_t> data;     ///< ElementCount() * DTypeSize(type) bytes when constant
  int64_t ElementCount() const;  ///< product of the shape; INT64_MAX when it overflows
  size_t ByteCount() const { return static_cast<size_t>(ElementCount()) * DTypeSize(type); }
};

enum class Activation : uint8_t { kNone, kRelu, kRelu6, kReluN1To1 };

/// Zero rows and columns (at the zero point) around the image. VALID is all zero.
/// Each count is less than the (dilated) window, so every window holds part of the image.
struct Padding2D {
  int top = 0, bottom = 0, left = 0, right = 0;
};

/// CONV_2D. inputs: data [N,H,W,C], weights [O,kh,kw,C], bias int32 [O] or absent (-1).
struct Conv2DAttrs {
  int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  Padding2D padding;
  Activation activation = Activation::kNone;
};

/// DEPTHWISE_CONV_2D. inputs: data [N,H,W,C], weights [1,kh,kw,C*multiplier], bias or -1.
struct DepthwiseConv2DAttrs {
  int stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int multiplier = 1;
  Padding2D padding;
  Activation activation = Activation::kNone;
};

/// FULLY_CONNECTED. inputs: data (flattened to [batch, in]), weights [out,in], bias or -1.
struct FullyConnectedAttrs {
  Activation activation = Activation::kNone;
};

/// ADD of two tensors of equal shape.
struct AddAttrs {
  Activation activation = Activation::kNone;
};

/// AVERAGE_POOL_2D and MAX_POOL_2D.
struct Pool2DAttrs {
  int filter_h = 1, filter_w = 1, stride_h = 1, stride_w = 1;
  Padding2D padding;
  Activation activation = Activation::kNone;
};

/// PAD and PADV2: fills with `value`, a stored integer (for PAD the zero point). Per dimension.
/// inputs: data only; the file's paddings and value are resolved into these attributes.
struct PadAttrs {
  std::vector<int> before, after;
  int32_t value = 0;
};

/// RESHAPE, SQUEEZE, EXPAND_DIMS: same bytes, new shape (that of the output tensor).
/// inputs: data only.
struct ViewAttrs {};

/// SOFTMAX over the last dimension.
struct SoftmaxAttrs {
  float beta = 1.0f;
};

/// Stand-alone RELU, RELU6, RELU_N1_TO_1: requantises when input and output scales differ.
struct ActivationAttrs {
  Activation activation = Activation::kRelu;
};

/// QUANTIZE (float -> int8, or int8 -> int8: requantise) and DEQUANTIZE (int8 -> float).
struct QuantizeAttrs {};

enum class OpKind : uint8_t {
  kConv2D,
  kDepthwiseConv2D,
  kFullyConnected,
  kAdd,
  kAveragePool2D,
  kMaxPool2D,
  kPad,
  kReshape,
  kSqueeze,
  kExpandDims,
  kSoftmax,
  kRelu,
  kQuantize,
  kDequantize,
  kUnsupported,  ///< kept so that every unsupported operator can be listed; never executed
};

/// The TFLite spelling: "CONV_2D". For kUnsupported use Node::source_op.
const char* OpKindName(OpKind kind);

struct Node {
  OpKind kind = OpKind::kUnsupported;
  int index = 0;                ///< position in the source file's operator list
  std::string source_op;        ///< the file's own name of the operator, e.g. "HARD_SWISH"
  std::string unsupported_why;  ///< kUnsupported: what about it is not supported
  std::vector<int> inputs;      ///< indices into Graph::tensors; -1: optional input left out
  std::vector<int> outputs;
  std::variant<std::monostate, Conv2DAttrs, DepthwiseConv2DAttrs, FullyConnectedAttrs, AddAttrs,
               Pool2DAttrs, PadAttrs, ViewAttrs, SoftmaxAttrs, ActivationAttrs, QuantizeAttrs>
      attrs;
};

/// A directed acyclic graph; nodes are in a valid execution order.
struct Graph {
  std::string name;  ///< file name without folder
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;
  std::vector<int> inputs;  ///< graph inputs, in file order
  std::vector<int> outputs;
};

/// Which of the two rounding rules of requantisation applies; see docs/numerics.md.
enum class Rounding : uint8_t { kDouble, kSingle };

/// Multiply-accumulates of one node (0 for operators without products).
int64_t NodeMacs(const Graph& graph, const Node& node);

/// Checks what every later stage takes for granted: indices in range, topological order, one
/// producer per tensor, shapes and attributes that agree with each other and with the output,
/// quantisation present where arithmetic needs it, constant data of the right length.
/// The first fault is reported with the operator's name and index and the tensor's name.
Status ValidateGraph(const Graph& graph);

}  // namespace weft
