// SPDX-License-Identifier: Apache-2.0
//
// ValidateGraph: one pass over the tensors, one over the nodes in order, then the outputs.
// Each operator kind has one function that states what its tensors and attributes must satisfy.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "weft/graph.h"

namespace weft {
namespace {

// Larger tensors fit no device: its addresses are 32 bits wide.
constexpr int64_t kMaxElements = std::numeric_limits<int32_t>::max();
constexpr size_t kMaxRank = 4;
// A requantisation's left shift; beyond it every product leaves the 32-bit range.
constexpr int kMaxMultiplierExponent = 30;
// Pooling copies values, so scales must agree; TFLite's own tolerance.
constexpr double kSameScaleTolerance = 1e-6;
// Elements of a pooling window whose sum is sure to stay within int32.
constexpr int64_t kMaxPoolWindow = int64_t{1} << 23;
constexpr float kSoftmaxOutputScale = 1.0f / 256.0f;
constexpr double kSoftmaxInputScaling = 1 << 26;  // softmax differences are held in Q5.26

std::string ShapeText(const std::vector<int32_t>& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

// The checks of one graph. Messages of node checks are prefixed with the operator.
class Validator {
 public:
  explicit Validator(const Graph& graph) : graph_(graph) {}

  Status Run() {
    if (graph_.nodes.empty()) return Fail("the model has no operators");
    if (graph_.inputs.empty()) return Fail("the model has no inputs");
    if (graph_.outputs.empty()) return Fail("the model has no outputs");
    available_.assign(graph_.tensors.size(), false);
    for (size_t i = 0; i < graph_.tensors.size(); ++i) {
      if (Status status = CheckTensor(static_cast<int>(i)); !status) return status;
      available_[i] = graph_.tensors[i].is_constant;
    }
    if (Status status = CheckGraphInputs(); !status) return status;
    produced_.assign(graph_.tensors.size(), false);
    for (const Node& node : graph_.nodes) {
      node_ = &node;
      if (Status status = CheckNode(); !status) return status;
    }
    return CheckGraphOutputs();
  }

 private:
  bool InRange(int index) const {
    return index >= 0 && static_cast<size_t>(index) < graph_.tensors.size();
  }
  const Tensor& At(int index) const { return graph_.tensors[static_cast<size_t>(index)]; }
  const Tensor& In(size_t i) const { return At(node_->inputs[i]); }
  const Tensor& Out() const { return At(node_->outputs[0]); }
  bool HasInput(size_t i) const { return i < node_->inputs.size() && node_->inputs[i] >= 0; }
  std::string Label(int index) const {
    return fmt::format("tensor {} '{}'", index, At(index).name);
  }

  // An error about the current node.
  template <typename... Args>
  tl::unexpected<Error> NodeFail(fmt::format_string<Args...> format, Args&&... args) const {
    return Fail("operator {} ({}): {}", node_->index,
                node_->source_op.empty() ? OpKindName(node_->kind) : node_->source_op.c_str(),
                fmt::format(format, std::forward<Args>(args)...));
  }

  // ---- tensors ----

  Status CheckTensor(int index) const {
    const Tensor& tensor = At(index);
    for (int32_t dimension : tensor.shape) {
      if (dimension < 0) {
        return Fail("{}: shape {} has a negative dimension", Label(index), ShapeText(tensor.shape));
      }
    }
    if (tensor.ElementCount() > kMaxElements) {
      return Fail("{}: shape {} has more than {} elements", Label(index), ShapeText(tensor.shape),
                  kMaxElements);
    }
    if (!tensor.is_constant && !tensor.data.empty()) {
      return Fail("{}: not constant, yet it has data", Label(index));
    }
    if (tensor.is_constant && tensor.type != DType::kOther &&
        tensor.data.size() != tensor.ByteCount()) {
      return Fail("{}: shape {} of {} needs {} bytes of data, {} are there", Label(index),
                  ShapeText(tensor.shape), DTypeName(tensor.type), tensor.ByteCount(),
                  tensor.data.size());
    }
    if (tensor.quant.zero_points.size() != tensor.quant.scales.size()) {
      return Fail("{}: {} scales but {} zero points", Label(index), tensor.quant.scales.size(),
                  tensor.quant.zero_points.size());
    }
    return {};
  }

  Status CheckGraphInputs() {
    for (int index : graph_.inputs) {
      if (!InRange(index)) return Fail("graph input {} is not a tensor of the model", index);
      if (At(index).is_constant) return Fail("graph input {} is constant", Label(index));
      const size_t slot = static_cast<size_t>(index);
      if (available_[slot]) return Fail("graph input {} is listed twice", Label(index));
      available_[slot] = true;
    }
    return {};
  }

  Status CheckGraphOutputs() const {
    for (int index : graph_.outputs) {
      if (!InRange(index)) return Fail("graph output {} is not a tensor of the model", index);
      if (!produced_[static_cast<size_t>(index)]) {
        return Fail("graph output {} is produced by no operator", Label(index));
      }
    }
    return {};
  }

  // ---- nodes ----

  Status CheckNode() {
    const bool supported = node_->kind != OpKind::kUnsupported;
    for (int index : node_->inputs) {
      if (index == -1) continue;
      if (!InRange(index)) return NodeFail("input {} is not a tensor of the model", index);
      // An unsupported operator may read state that nothing in the graph writes.
      if (supported && !available_[static_cast<size_t>(index)]) {
        return NodeFail("{} is read before any operator has produced it", Label(index));
      }
    }
    for (int index : node_->outputs) {
      if (!InRange(index)) return NodeFail("output {} is not a tensor of the model", index);
      const size_t slot = static_cast<size_t>(index);
      if (produced_[slot]) return NodeFail("{} is produced a second time", Label(index));
      if (available_[slot]) {
        return NodeFail("{} is an output, but also constant or a graph input", Label(index));
      }
      produced_[slot] = true;
      available_[slot] = true;
    }
    if (!supported) {
      if (node_->unsupported_why.empty()) return NodeFail("unsupported without a reason");
      return {};
    }
    if (Status status = CheckArity(); !status) return status;
    return CheckKind();
  }

  // Number and presence of inputs and outputs, and what every supported tensor has in common.
  Status CheckArity() const {
    size_t required = 1;
    size_t at_most = 1;
    if (node_->kind == OpKind::kConv2D || node_->kind == OpKind::kDepthwiseConv2D ||
        node_->kind == OpKind::kFullyConnected) {
      required = 2;
      at_most = 3;
    } else if (node_->kind == OpKind::kAdd) {
      required = at_most = 2;
    }
    const size_t count = node_->inputs.size();
    if (count < required || count > at_most) {
      return NodeFail("has {} inputs, needs {}", count,
                      required == at_most ? fmt::format("{}", required)
                                          : fmt::format("{} to {}", required, at_most));
    }
    if (node_->outputs.size() != 1) {
      return NodeFail("has {} outputs, needs 1", node_->outputs.size());
    }
    for (size_t i = 0; i < required; ++i) {
      if (!HasInput(i)) return NodeFail("input {} is missing", i);
    }
    for (const auto* indices : {&node_->inputs, &node_->outputs}) {
      for (int index : *indices) {
        if (index < 0) continue;
        const Tensor& tensor = At(index);
        if (tensor.shape.size() > kMaxRank) {
          return NodeFail("{} has rank {}, at most {} is possible", Label(index),
                          tensor.shape.size(), kMaxRank);
        }
        if (tensor.ElementCount() == 0) return NodeFail("{} is empty", Label(index));
      }
    }
    // ADD may add a constant; any other operator on a constant has no reason to be in a graph.
    if (node_->kind == OpKind::kAdd ? In(0).is_constant && In(1).is_constant : In(0).is_constant) {
      return NodeFail("{} is constant, so there is nothing to compute", Label(node_->inputs[0]));
    }
    return {};
  }

  Status CheckKind() const {
    switch (node_->kind) {
      case OpKind::kConv2D:
        return Conv2D();
      case OpKind::kDepthwiseConv2D:
        return DepthwiseConv2D();
      case OpKind::kFullyConnected:
        return FullyConnected();
      case OpKind::kAdd:
        return Add();
      case OpKind::kAveragePool2D:
      case OpKind::kMaxPool2D:
        return Pool2D();
      case OpKind::kPad:
        return Pad();
      case OpKind::kReshape:
      case OpKind::kSqueeze:
      case OpKind::kExpandDims:
        return View();
      case OpKind::kSoftmax:
        return Softmax();
      case OpKind::kRelu:
        return Relu();
      case OpKind::kQuantize:
        return Quantize();
      case OpKind::kDequantize:
        return Dequantize();
      case OpKind::kUnsupported:
        break;
    }
    return NodeFail("unknown operator kind");
  }

  template <typename Attrs>
  Result<const Attrs*> GetAttrs() const {
    const Attrs* attrs = std::get_if<Attrs>(&node_->attrs);
    if (attrs == nullptr) return NodeFail("attributes of another operator kind");
    return attrs;
  }

  // ---- properties shared by operators ----

  Status CheckRank(int index, size_t rank) const {
    if (At(index).shape.size() == rank) return {};
    return NodeFail("{} has shape {}, rank {} is needed", Label(index), ShapeText(At(index).shape),
                    rank);
  }

  Status CheckShape(int index, const std::vector<int64_t>& expected) const {
    const std::vector<int32_t>& shape = At(index).shape;
    if (std::equal(shape.begin(), shape.end(), expected.begin(), expected.end())) return {};
    return NodeFail("{} has shape {}, but {} follows from the inputs and attributes", Label(index),
                    ShapeText(shape), fmt::join(expected, "x"));
  }

  Status CheckType(int index, DType type) const {
    if (At(index).type == type) return {};
    return NodeFail("{} is {}, {} is needed", Label(index), DTypeName(At(index).type),
                    DTypeName(type));
  }

  Status CheckScales(int index) const {
    for (float scale : At(index).quant.scales) {
      if (!std::isfinite(scale) || scale <= 0) {
        return NodeFail("{} has scale {}; scales must be finite and positive", Label(index), scale);
      }
    }
    return {};
  }

  // An int8 activation: one scale, one zero point in range.
  Status CheckActivation(int index) const {
    if (Status status = CheckType(index, DType::kInt8); !status) return status;
    const Quantization& quant = At(index).quant;
    if (quant.scales.size() != 1) {
      return NodeFail("{} has {} scales, exactly 1 is needed", Label(index), quant.scales.size());
    }
    if (quant.zero_points[0] < -128 || quant.zero_points[0] > 127) {
      return NodeFail("{} has zero point {}, outside int8", Label(index), quant.zero_points[0]);
    }
    return CheckScales(index);
  }

  Status CheckInt8InOut() const {
    if (Status status = CheckActivation(node_->inputs[0]); !status) return status;
    return CheckActivation(node_->outputs[0]);
  }

  // Constant symmetric int8 weights with one scale, or one for each output channel along `axis`.
  Status CheckWeights(int axis) const {
    const int index = node_->inputs[1];
    if (Status status = CheckType(index, DType::kInt8); !status) return status;
    const Tensor& weights = At(index);
    if (!weights.is_constant) return NodeFail("{}: weights must be constant", Label(index));
    const Quantization& quant = weights.quant;
    const size_t channels = static_cast<size_t>(weights.shape[static_cast<size_t>(axis)]);
    if (quant.scales.size() != 1 && quant.scales.size() != channels) {
      return NodeFail("{} has {} scales, needs 1 or {} (output channels)", Label(index),
                      quant.scales.size(), channels);
    }
    if (quant.per_channel() && quant.axis != axis) {
      return NodeFail("{} has scales along axis {}, needs axis {}", Label(index), quant.axis, axis);
    }
    for (int64_t zero_point : quant.zero_points) {
      if (zero_point != 0) {
        return NodeFail("{} has weight zero point {}, needs 0", Label(index), zero_point);
      }
    }
    return CheckScales(index);
  }

  Status CheckBias(int64_t channels) const {
    if (!HasInput(2)) return {};
    const int index = node_->inputs[2];
    if (Status status = CheckType(index, DType::kInt32); !status) return status;
    if (!At(index).is_constant) return NodeFail("{}: bias must be constant", Label(index));
    return CheckShape(index, {channels});
  }

  // The factor of a requantisation must be one that a 32-bit multiplier and a shift can express.
  Status CheckMultiplier(double multiplier) const {
    if (std::isfinite(multiplier) && std::ilogb(multiplier) < kMaxMultiplierExponent) return {};
    return NodeFail("requantisation factor {:g} is out of range (less than 2^{})", multiplier,
                    kMaxMultiplierExponent);
  }

  Status CheckProductMultipliers() const {
    for (float weight_scale : In(1).quant.scales) {
      const double product = double{In(0).quant.scales[0]} * double{weight_scale};
      // Fully connected layers form this product in float32, where it can become infinite.
      const double factor = product > double{std::numeric_limits<float>::max()}
                                ? std::numeric_limits<double>::infinity()
                                : product / double{Out().quant.scales[0]};
      if (Status status = CheckMultiplier(factor); !status) {
        return status;
      }
    }
    return {};
  }

  // The clamp limits of RELU6 and RELU_N1_TO_1 in steps of the output's scale must fit int32.
  Status CheckFusedActivation(Activation activation) const {
    const bool scaled = activation == Activation::kRelu6 || activation == Activation::kReluN1To1;
    if (!scaled) return {};
    if (6.0 / double{Out().quant.scales[0]} < (1 << 30)) return {};
    return NodeFail("output scale {} is too small for the activation's limits",
                    Out().quant.scales[0]);
  }

  // One spatial direction of a convolution or pooling window; returns the output's extent.
  Result<int64_t> WindowOutput(int64_t size, int64_t kernel, int64_t stride, int64_t dilation,
                               int64_t before, int64_t after) const {
    if (kernel < 1 || stride < 1 || dilation < 1) {
      return NodeFail("kernel {}, stride {} and dilation {} must be at least 1", kernel, stride,
                      dilation);
    }
    const int64_t window = (kernel - 1) * dilation + 1;
    // So that every window holds at least one element of the image.
    if (before < 0 || after < 0 || before >= window || after >= window) {
      return NodeFail("padding {} and {} does not fit a window of {}", before, after, window);
    }
    const int64_t room = size + before + after - window;
    if (room < 0) {
      return NodeFail("window of {} does not fit an input of {} padded by {} and {}", window, size,
                      before, after);
    }
    return room / stride + 1;
  }

  // Checks the output of a windowed operator with `channels` output channels.
  template <typename Attrs>
  Status CheckWindowed(const Attrs& attrs, int64_t kernel_h, int64_t kernel_w, int64_t dilation_h,
                       int64_t dilation_w, int64_t channels) const {
    const std::vector<int32_t>& shape = In(0).shape;
    const Result<int64_t> height = WindowOutput(shape[1], kernel_h, attrs.stride_h, dilation_h,
                                                attrs.padding.top, attrs.padding.bottom);
    if (!height) return tl::unexpected(height.error());
    const Result<int64_t> width = WindowOutput(shape[2], kernel_w, attrs.stride_w, dilation_w,
                                               attrs.padding.left, attrs.padding.right);
    if (!width) return tl::unexpected(width.error());
    if (Status status = CheckShape(node_->outputs[0], {shape[0], *height, *width, channels});
        !status) {
      return status;
    }
    return CheckFusedActivation(attrs.activation);
  }

  // Operators that move values without scaling them.
  Status CheckSameQuantization() const {
    const Quantization& in = In(0).quant;
    const Quantization& out = Out().quant;
    const double difference = double{in.scales[0]} - double{out.scales[0]};
    if (in.zero_points[0] == out.zero_points[0] && std::abs(difference) <= kSameScaleTolerance) {
      return {};
    }
    return NodeFail("input and output differ in quantisation ({} @ {} and {} @ {})", in.scales[0],
                    in.zero_points[0], out.scales[0], out.zero_points[0]);
  }

  Status CheckSameShape(int a, int b) const {
    if (At(a).shape == At(b).shape) return {};
    return NodeFail("{} has shape {}, {} has shape {}; they must be equal", Label(a),
                    ShapeText(At(a).shape), Label(b), ShapeText(At(b).shape));
  }

  // ---- one function for each operator kind ----

  Status Conv2D() const {
    const auto attrs = GetAttrs<Conv2DAttrs>();
    if (!attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckInt8InOut(); !status) return status;
    for (int index : {node_->inputs[0], node_->inputs[1], node_->outputs[0]}) {
      if (Status status = CheckRank(index, 4); !status) return status;
    }
    if (Status status = CheckWeights(0); !status) return status;
    const std::vector<int32_t>& weights = In(1).shape;
    if (weights[3] != In(0).shape[3]) {
      return NodeFail("{} has {} input channels, {} has {}", Label(node_->inputs[1]), weights[3],
                      Label(node_->inputs[0]), In(0).shape[3]);
    }
    if (Status status = CheckBias(weights[0]); !status) return status;
    if (Status status = CheckProductMultipliers(); !status) return status;
    return CheckWindowed(**attrs, weights[1], weights[2], (*attrs)->dilation_h,
                         (*attrs)->dilation_w, weights[0]);
  }

  Status DepthwiseConv2D() const {
    const auto attrs = GetAttrs<DepthwiseConv2DAttrs>();
    if (!attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckInt8InOut(); !status) return status;
    for (int index : {node_->inputs[0], node_->inputs[1], node_->outputs[0]}) {
      if (Status status = CheckRank(index, 4); !status) return status;
    }
    if (Status status = CheckWeights(3); !status) return status;
    const std::vector<int32_t>& weights = In(1).shape;
    const int64_t channels = In(0).shape[3];
    if (weights[0] != 1 || (*attrs)->multiplier < 1 ||
        channels * (*attrs)->multiplier != weights[3]) {
      return NodeFail("{} has shape {}, needs 1 x height x width x ({} channels * multiplier {})",
                      Label(node_->inputs[1]), ShapeText(weights), channels, (*attrs)->multiplier);
    }
    if (Status status = CheckBias(weights[3]); !status) return status;
    if (Status status = CheckProductMultipliers(); !status) return status;
    return CheckWindowed(**attrs, weights[1], weights[2], (*attrs)->dilation_h,
                         (*attrs)->dilation_w, weights[3]);
  }

  Status FullyConnected() const {
    const auto attrs = GetAttrs<FullyConnectedAttrs>();
    if (!attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckInt8InOut(); !status) return status;
    if (Status status = CheckRank(node_->inputs[1], 2); !status) return status;
    if (Status status = CheckWeights(0); !status) return status;
    const int64_t outputs = In(1).shape[0];
    const int64_t inputs = In(1).shape[1];
    const int64_t elements = In(0).ElementCount();
    if (elements % inputs != 0) {
      return NodeFail("{} has {} elements, not a multiple of the {} inputs of {}",
                      Label(node_->inputs[0]), elements, inputs, Label(node_->inputs[1]));
    }
    if (Status status = CheckBias(outputs); !status) return status;
    if (Status status = CheckProductMultipliers(); !status) return status;
    const Tensor& out = Out();
    if (out.shape.empty() || out.shape.back() != outputs ||
        out.ElementCount() != elements / inputs * outputs) {
      return NodeFail("{} has shape {}, but {} rows of {} follow from the inputs",
                      Label(node_->outputs[0]), ShapeText(out.shape), elements / inputs, outputs);
    }
    return CheckFusedActivation((*attrs)->activation);
  }

  Status Add() const {
    const auto attrs = GetAttrs<AddAttrs>();
    if (!attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckInt8InOut(); !status) return status;
    if (Status status = CheckActivation(node_->inputs[1]); !status) return status;
    for (int index : {node_->inputs[1], node_->outputs[0]}) {
      if (Status status = CheckSameShape(node_->inputs[0], index); !status) return status;
    }
    const double larger = std::max(In(0).quant.scales[0], In(1).quant.scales[0]);
    const double multiplier = 2 * larger / ((1 << 20) * double{Out().quant.scales[0]});
    if (Status status = CheckMultiplier(multiplier); !status) return status;
    return CheckFusedActivation((*attrs)->activation);
  }

  Status Pool2D() const {
    const auto attrs = GetAttrs<Pool2DAttrs>();
    if (!attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckInt8InOut(); !status) return status;
    for (int index : {node_->inputs[0], node_->outputs[0]}) {
      if (Status status = CheckRank(index, 4); !status) return status;
    }
    if (Status status = CheckSameQuantization(); !status) return status;
    if (int64_t{(*attrs)->filter_h} * (*attrs)->filter_w > kMaxPoolWindow) {
      return NodeFail("window {}x{} is too large for a 32-bit sum", (*attrs)->filter_h,
                      (*attrs)->filter_w);
    }
    return CheckWindowed(**attrs, (*attrs)->filter_h, (*attrs)->filter_w, 1, 1, In(0).shape[3]);
  }

  Status Pad() const {
    const auto attrs = GetAttrs<PadAttrs>();
    if (!attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckInt8InOut(); !status) return status;
    if (Status status = CheckSameQuantization(); !status) return status;
    const std::vector<int32_t>& shape = In(0).shape;
    const PadAttrs& pad = **attrs;
    if (pad.before.size() != shape.size() || pad.after.size() != shape.size()) {
      return NodeFail("paddings for {} and {} dimensions, the input has {}", pad.before.size(),
                      pad.after.size(), shape.size());
    }
    if (pad.value < -128 || pad.value > 127) {
      return NodeFail("padding value {} is outside int8", pad.value);
    }
    std::vector<int64_t> expected;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (pad.before[i] < 0 || pad.after[i] < 0) {
        return NodeFail("negative padding {} and {} in dimension {}", pad.before[i], pad.after[i],
                        i);
      }
      expected.push_back(int64_t{shape[i]} + pad.before[i] + pad.after[i]);
    }
    return CheckShape(node_->outputs[0], expected);
  }

  Status View() const {
    if (const auto attrs = GetAttrs<ViewAttrs>(); !attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckType(node_->outputs[0], In(0).type); !status) return status;
    if (In(0).ElementCount() != Out().ElementCount()) {
      return NodeFail("{} has shape {}, {} has shape {}: a view keeps the number of elements",
                      Label(node_->inputs[0]), ShapeText(In(0).shape), Label(node_->outputs[0]),
                      ShapeText(Out().shape));
    }
    return {};
  }

  Status Softmax() const {
    const auto attrs = GetAttrs<SoftmaxAttrs>();
    if (!attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckInt8InOut(); !status) return status;
    if (In(0).shape.empty()) return NodeFail("{} is a scalar", Label(node_->inputs[0]));
    if (Status status = CheckSameShape(node_->inputs[0], node_->outputs[0]); !status) {
      return status;
    }
    const Quantization& out = Out().quant;
    if (out.scales[0] != kSoftmaxOutputScale || out.zero_points[0] != -128) {
      return NodeFail("output quantisation {} @ {}, needs 1/256 @ -128", out.scales[0],
                      out.zero_points[0]);
    }
    const double beta = (*attrs)->beta;
    if (!std::isfinite(beta) || beta * double{In(0).quant.scales[0]} * kSoftmaxInputScaling <= 1) {
      return NodeFail("beta {} with input scale {} is out of range", beta, In(0).quant.scales[0]);
    }
    return {};
  }

  Status Relu() const {
    const auto attrs = GetAttrs<ActivationAttrs>();
    if (!attrs) return tl::unexpected(attrs.error());
    if ((*attrs)->activation == Activation::kNone) return NodeFail("no activation given");
    if (Status status = CheckRequantize(); !status) return status;
    return CheckFusedActivation((*attrs)->activation);
  }

  Status CheckRequantize() const {
    if (Status status = CheckInt8InOut(); !status) return status;
    if (Status status = CheckSameShape(node_->inputs[0], node_->outputs[0]); !status) {
      return status;
    }
    return CheckMultiplier(double{In(0).quant.scales[0]} / double{Out().quant.scales[0]});
  }

  Status Quantize() const {
    if (const auto attrs = GetAttrs<QuantizeAttrs>(); !attrs) return tl::unexpected(attrs.error());
    if (In(0).type != DType::kFloat32) return CheckRequantize();
    if (Status status = CheckActivation(node_->outputs[0]); !status) return status;
    return CheckSameShape(node_->inputs[0], node_->outputs[0]);
  }

  Status Dequantize() const {
    if (const auto attrs = GetAttrs<QuantizeAttrs>(); !attrs) return tl::unexpected(attrs.error());
    if (Status status = CheckActivation(node_->inputs[0]); !status) return status;
    if (Status status = CheckType(node_->outputs[0], DType::kFloat32); !status) return status;
    return CheckSameShape(node_->inputs[0], node_->outputs[0]);
  }

  const Graph& graph_;
  const Node* node_ = nullptr;
  std::vector<bool> available_;  // constant, graph input, or produced by a node seen so far
  std::vector<bool> produced_;   // produced by a node seen so far
};

}  // namespace

Status ValidateGraph(const Graph& graph) { return Validator(graph).Run(); }

}  // namespace weft
