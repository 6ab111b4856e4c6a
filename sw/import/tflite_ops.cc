// SPDX-License-Identifier: Apache-2.0
#include "sw/import/tflite_ops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "sw/import/tflite_schema.h"

namespace weft::tflite {
namespace {

constexpr size_t kMaxRank = 4;
constexpr const char* kAdvice = "convert the model with full-integer int8 quantisation";

// Where a windowed operator keeps the options that all of them have.
struct WindowFields {
  int padding;
  int stride_w;
  int stride_h;
  int activation;
};

// Lowers one operator. Steps return false when there is nothing left to do, because the operator
// is unsupported (Reject) or contradicts itself (Contradiction).
class Lowering {
 public:
  Lowering(const Graph& graph, const std::vector<TensorFacts>& facts, const OperatorSource& source,
           Node* node)
      : graph_(graph), facts_(facts), source_(source), node_(node) {}

  Status Run() {
    switch (source_.code) {
      case kConv2D:
        Conv2D();
        break;
      case kDepthwiseConv2D:
        DepthwiseConv2D();
        break;
      case kFullyConnected:
        FullyConnected();
        break;
      case kAdd:
        Add();
        break;
      case kAveragePool2D:
        Pool2D(OpKind::kAveragePool2D);
        break;
      case kMaxPool2D:
        Pool2D(OpKind::kMaxPool2D);
        break;
      case kPad:
      case kPadV2:
        Pad();
        break;
      case kReshape:
        View(OpKind::kReshape);
        break;
      case kSqueeze:
        View(OpKind::kSqueeze);
        break;
      case kExpandDims:
        View(OpKind::kExpandDims);
        break;
      case kSoftmax:
        Softmax();
        break;
      case kRelu:
        Relu(Activation::kRelu);
        break;
      case kRelu6:
        Relu(Activation::kRelu6);
        break;
      case kReluN1To1:
        Relu(Activation::kReluN1To1);
        break;
      case kQuantize:
        Quantize();
        break;
      case kDequantize:
        Dequantize();
        break;
      default:
        Reject("Weft does not have this operator");
    }
    return status_;
  }

 private:
  const Tensor& In(size_t i) const { return At(node_->inputs[i]); }
  const Tensor& Out() const { return At(node_->outputs[0]); }
  const Tensor& At(int index) const { return graph_.tensors[static_cast<size_t>(index)]; }
  const TensorFacts& Facts(int index) const { return facts_[static_cast<size_t>(index)]; }
  bool HasInput(size_t i) const { return i < node_->inputs.size() && node_->inputs[i] >= 0; }
  std::string Label(int index) const {
    return fmt::format("tensor {} '{}'", index, At(index).name);
  }
  std::string Type(int index) const { return TypeName(Facts(index).type_code); }

  bool Reject(std::string why) {
    node_->kind = OpKind::kUnsupported;
    node_->unsupported_why = std::move(why);
    return false;
  }

  template <typename... Args>
  bool Contradiction(fmt::format_string<Args...> format, Args&&... args) {
    status_ = Fail("operator {} ({}): {}", node_->index, node_->source_op,
                   fmt::format(format, std::forward<Args>(args)...));
    return false;
  }

  template <typename Attrs>
  void Accept(OpKind kind, Attrs attrs, size_t inputs) {
    node_->kind = kind;
    node_->attrs = std::move(attrs);
    node_->inputs.resize(inputs, -1);
  }

  bool CheckArity(size_t at_least, size_t at_most) {
    const size_t count = node_->inputs.size();
    if (count < at_least || count > at_most) {
      return Contradiction("has {} inputs, {} to {} are possible", count, at_least, at_most);
    }
    for (size_t i = 0; i < at_least; ++i) {
      if (!HasInput(i)) return Contradiction("input {} is left out", i);
    }
    if (node_->outputs.size() != 1) {
      return Contradiction("has {} outputs, 1 is possible", node_->outputs.size());
    }
    return true;
  }

  bool CheckOptions(OptionsType type) {
    if (source_.options_type == type || source_.options_type == kNoOptions) return true;
    return Contradiction("has options of kind {}, kind {} belongs to it", source_.options_type,
                         static_cast<int>(type));
  }

  // What keeps any tensor from being used, or an empty string.
  std::string StorageProblem(int index) const {
    const TensorFacts& facts = Facts(index);
    const Tensor& tensor = At(index);
    if (facts.variable) return Label(index) + " is a variable, kept from one run to the next";
    if (facts.sparse) return Label(index) + " is stored sparse";
    if (facts.special_quantization) {
      return Label(index) + " is quantised by other means than scale and zero point";
    }
    if (tensor.ElementCount() == 0) return Label(index) + " has an empty or unknown shape";
    if (tensor.shape.size() > kMaxRank) {
      return fmt::format("{} has rank {}, at most {} is supported", Label(index),
                         tensor.shape.size(), kMaxRank);
    }
    return "";
  }

  // What keeps a tensor from being an int8 activation, or an empty string.
  std::string ActivationProblem(int index) const {
    if (std::string problem = StorageProblem(index); !problem.empty()) return problem;
    const Tensor& tensor = At(index);
    switch (tensor.type) {
      case DType::kInt8:
        break;
      case DType::kFloat32:
        return fmt::format("float32 activations ({}): the model is not quantised; {}", Label(index),
                           kAdvice);
      case DType::kUint8:
        return fmt::format("uint8 activations ({}), the older quantised format; {}", Label(index),
                           kAdvice);
      default:
        return fmt::format("{} activations ({}); {}", Type(index), Label(index), kAdvice);
    }
    if (tensor.quant.scales.empty()) return Label(index) + " has no scale and zero point";
    if (tensor.quant.per_channel()) {
      return Label(index) + " is an activation with a scale for each channel";
    }
    return "";
  }

  bool CheckActivation(int index) {
    std::string problem = ActivationProblem(index);
    return problem.empty() || Reject(std::move(problem));
  }

  // The data input must be computed, not constant.
  bool CheckData() {
    if (In(0).is_constant) return Reject(Label(node_->inputs[0]) + ", its data input, is constant");
    return true;
  }

  bool CheckInOut() {
    return CheckActivation(node_->inputs[0]) && CheckData() && CheckActivation(node_->outputs[0]);
  }

  bool CheckRank(int index, size_t rank) {
    const size_t found = At(index).shape.size();
    if (found == rank) return true;
    return Reject(fmt::format("{} has rank {}, rank {} is supported", Label(index), found, rank));
  }

  // Data, weights, bias and output of the operators that multiply.
  bool CheckProductOperands() {
    const int data = node_->inputs[0];
    const int weights = node_->inputs[1];
    const DType weight_type = At(weights).type;
    if (At(data).type == DType::kFloat32 && weight_type != DType::kFloat32) {
      return Reject(fmt::format("hybrid: float32 activations ({}) with {} weights ({}); {}",
                                Label(data), Type(weights), Label(weights), kAdvice));
    }
    if (!CheckInOut()) return false;
    if (std::string problem = StorageProblem(weights); !problem.empty()) return Reject(problem);
    if (weight_type != DType::kInt8) {
      return Reject(
          fmt::format("{} weights ({}); only int8 is supported", Type(weights), Label(weights)));
    }
    if (!At(weights).is_constant) {
      return Reject(fmt::format("weights ({}) computed at run time", Label(weights)));
    }
    const Quantization& quant = At(weights).quant;
    if (quant.scales.empty()) return Reject(Label(weights) + " has no scale");
    for (int64_t zero_point : quant.zero_points) {
      if (zero_point != 0) {
        return Reject(fmt::format("weights ({}) with zero point {}; only 0 is supported",
                                  Label(weights), zero_point));
      }
    }
    if (!HasInput(2)) return true;
    const int bias = node_->inputs[2];
    if (std::string problem = StorageProblem(bias); !problem.empty()) return Reject(problem);
    if (At(bias).type != DType::kInt32) {
      return Reject(fmt::format("{} bias ({}); only int32 is supported", Type(bias), Label(bias)));
    }
    if (!At(bias).is_constant) {
      return Reject(fmt::format("bias ({}) computed at run time", Label(bias)));
    }
    return true;
  }

  bool ReadActivation(int field, Activation* activation) {
    const int8_t code = source_.options.Scalar<int8_t>(field, 0);
    const std::string name = ActivationName(code);
    if (name.empty()) return Contradiction("fused activation {} is not defined", code);
    if (name == "NONE") {
      *activation = Activation::kNone;
    } else if (name == "RELU") {
      *activation = Activation::kRelu;
    } else if (name == "RELU6") {
      *activation = Activation::kRelu6;
    } else if (name == "RELU_N1_TO_1") {
      *activation = Activation::kReluN1To1;
    } else {
      return Reject("fused activation " + name);
    }
    return true;
  }

  // SAME: ceil(size / stride) outputs, the odd element of padding at the end. VALID: none.
  static std::pair<int, int> ResolvePadding(bool same, int64_t size, int64_t kernel,
                                            int64_t stride) {
    if (!same) return {0, 0};
    const int64_t outputs = (size + stride - 1) / stride;
    const int64_t total = std::max<int64_t>((outputs - 1) * stride + kernel - size, 0);
    return {static_cast<int>(total / 2), static_cast<int>(total - total / 2)};
  }

  // Strides, padding and activation, for a kernel over the data input (rank 4).
  template <typename Attrs>
  bool ReadWindow(const WindowFields& fields, int kernel_h, int kernel_w, Attrs* attrs) {
    const FlatTable& options = source_.options;
    attrs->stride_h = options.Scalar<int32_t>(fields.stride_h, 0);
    attrs->stride_w = options.Scalar<int32_t>(fields.stride_w, 0);
    if (attrs->stride_h < 1 || attrs->stride_w < 1) {
      return Contradiction("strides {} and {} must be at least 1", attrs->stride_h,
                           attrs->stride_w);
    }
    const int8_t padding = options.Scalar<int8_t>(fields.padding, kSame);
    if (padding != kSame && padding != kValid) {
      return Contradiction("padding {} is not defined", padding);
    }
    std::tie(attrs->padding.top, attrs->padding.bottom) =
        ResolvePadding(padding == kSame, In(0).shape[1], kernel_h, attrs->stride_h);
    std::tie(attrs->padding.left, attrs->padding.right) =
        ResolvePadding(padding == kSame, In(0).shape[2], kernel_w, attrs->stride_w);
    return ReadActivation(fields.activation, &attrs->activation);
  }

  // Dilation counts only where the kernel has more than one element.
  bool CheckDilation(int field_h, int field_w, int kernel_h, int kernel_w) {
    const int dilation_h = source_.options.Scalar<int32_t>(field_h, 1);
    const int dilation_w = source_.options.Scalar<int32_t>(field_w, 1);
    if (dilation_h < 1 || dilation_w < 1) {
      return Contradiction("dilations {} and {} must be at least 1", dilation_h, dilation_w);
    }
    if ((dilation_h == 1 || kernel_h == 1) && (dilation_w == 1 || kernel_w == 1)) return true;
    return Reject(fmt::format("dilation {}x{}; only 1 is supported", dilation_h, dilation_w));
  }

  void Conv2D() {
    if (!CheckArity(2, 3) || !CheckOptions(kConv2DOptions) || !CheckProductOperands()) return;
    if (!CheckRank(node_->inputs[0], 4) || !CheckRank(node_->inputs[1], 4)) return;
    const std::vector<int32_t>& weights = In(1).shape;
    const int channels = In(0).shape[3];
    if (channels != weights[3] && channels % weights[3] == 0) {
      Reject(fmt::format("grouped convolution ({} groups)", channels / weights[3]));
      return;
    }
    if (!CheckDilation(conv::kDilationH, conv::kDilationW, weights[1], weights[2])) return;
    Conv2DAttrs attrs;
    const WindowFields fields{conv::kPadding, conv::kStrideW, conv::kStrideH, conv::kActivation};
    if (!ReadWindow(fields, weights[1], weights[2], &attrs)) return;
    Accept(OpKind::kConv2D, attrs, 3);
  }

  void DepthwiseConv2D() {
    if (!CheckArity(2, 3) || !CheckOptions(kDepthwiseConv2DOptions) || !CheckProductOperands()) {
      return;
    }
    if (!CheckRank(node_->inputs[0], 4) || !CheckRank(node_->inputs[1], 4)) return;
    const std::vector<int32_t>& weights = In(1).shape;
    const int channels = In(0).shape[3];
    if (!CheckDilation(depthwise::kDilationH, depthwise::kDilationW, weights[1], weights[2])) {
      return;
    }
    DepthwiseConv2DAttrs attrs;
    attrs.multiplier = weights[3] / channels;  // the attribute in the file is often wrong
    const WindowFields fields{depthwise::kPadding, depthwise::kStrideW, depthwise::kStrideH,
                              depthwise::kActivation};
    if (!ReadWindow(fields, weights[1], weights[2], &attrs)) return;
    Accept(OpKind::kDepthwiseConv2D, attrs, 3);
  }

  void FullyConnected() {
    if (!CheckArity(2, 3) || !CheckOptions(kFullyConnectedOptions) || !CheckProductOperands()) {
      return;
    }
    if (!CheckRank(node_->inputs[1], 2)) return;
    const int8_t format = source_.options.Scalar<int8_t>(fully_connected::kWeightsFormat, 0);
    if (format != 0) {
      Reject(fmt::format("weights in format {}; only the default is supported", format));
      return;
    }
    FullyConnectedAttrs attrs;
    if (!ReadActivation(fully_connected::kActivation, &attrs.activation)) return;
    Accept(OpKind::kFullyConnected, attrs, 3);
  }

  void Add() {
    if (!CheckArity(2, 2) || !CheckOptions(kAddOptions)) return;
    for (int index : {node_->inputs[0], node_->inputs[1], node_->outputs[0]}) {
      if (!CheckActivation(index)) return;
    }
    if (In(0).is_constant && In(1).is_constant) {
      Reject("both inputs are constant");
      return;
    }
    if (In(0).shape != In(1).shape) {
      Reject(fmt::format("broadcasting {} over {}; only equal shapes are supported",
                         fmt::join(In(1).shape, "x"), fmt::join(In(0).shape, "x")));
      return;
    }
    AddAttrs attrs;
    if (!ReadActivation(add::kActivation, &attrs.activation)) return;
    Accept(OpKind::kAdd, attrs, 2);
  }

  // For operators that move values and leave them as they are. The tolerance is TFLite's.
  bool CheckSameQuantization() {
    const Quantization& in = In(0).quant;
    const Quantization& out = Out().quant;
    const double difference = double{in.scales[0]} - double{out.scales[0]};
    if (in.zero_points[0] == out.zero_points[0] && std::abs(difference) <= 1e-6) return true;
    return Reject(fmt::format("input and output with different quantisation ({} @ {}, {} @ {})",
                              in.scales[0], in.zero_points[0], out.scales[0], out.zero_points[0]));
  }

  void Pool2D(OpKind kind) {
    if (!CheckArity(1, 1) || !CheckOptions(kPool2DOptions) || !CheckInOut()) return;
    if (!CheckRank(node_->inputs[0], 4) || !CheckSameQuantization()) return;
    Pool2DAttrs attrs;
    attrs.filter_h = source_.options.Scalar<int32_t>(pool::kFilterH, 0);
    attrs.filter_w = source_.options.Scalar<int32_t>(pool::kFilterW, 0);
    if (attrs.filter_h < 1 || attrs.filter_w < 1) {
      Contradiction("window {}x{} must be at least 1x1", attrs.filter_h, attrs.filter_w);
      return;
    }
    const WindowFields fields{pool::kPadding, pool::kStrideW, pool::kStrideH, pool::kActivation};
    if (!ReadWindow(fields, attrs.filter_h, attrs.filter_w, &attrs)) return;
    Accept(kind, attrs, 1);
  }

  // Elements of a constant int32 or int64 tensor; empty when it is of another type.
  static std::vector<int64_t> Integers(const Tensor& tensor) {
    std::vector<int64_t> values;
    const size_t size = DTypeSize(tensor.type);
    if (tensor.type != DType::kInt32 && tensor.type != DType::kInt64) return values;
    for (size_t at = 0; at + size <= tensor.data.size(); at += size) {
      int64_t wide = 0;
      int32_t narrow = 0;
      if (tensor.type == DType::kInt64) {
        std::memcpy(&wide, tensor.data.data() + at, sizeof(wide));
      } else {
        std::memcpy(&narrow, tensor.data.data() + at, sizeof(narrow));
        wide = narrow;
      }
      values.push_back(wide);
    }
    return values;
  }

  void Pad() {
    const bool with_value = source_.code == kPadV2;
    const size_t inputs = with_value ? 3 : 2;
    if (!CheckArity(inputs, inputs) || !CheckInOut() || !CheckSameQuantization()) return;
    const int paddings = node_->inputs[1];
    if (!At(paddings).is_constant) {
      Reject(fmt::format("paddings ({}) computed at run time", Label(paddings)));
      return;
    }
    const std::vector<int64_t> counts = Integers(At(paddings));
    if (counts.size() != 2 * In(0).shape.size()) {
      Contradiction("{} holds {} paddings for an input of rank {}", Label(paddings), counts.size(),
                    In(0).shape.size());
      return;
    }
    PadAttrs attrs;
    attrs.value = static_cast<int32_t>(Out().quant.zero_points[0]);
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] < 0 || counts[i] > std::numeric_limits<int32_t>::max()) {
        Contradiction("{} holds the padding {}", Label(paddings), counts[i]);
        return;
      }
      (i % 2 == 0 ? attrs.before : attrs.after).push_back(static_cast<int>(counts[i]));
    }
    if (with_value) {
      const Tensor& value = In(2);
      if (value.type != DType::kInt8 || !value.is_constant || value.data.size() != 1) {
        Reject(fmt::format("padding value ({}) that is not one constant int8",
                           Label(node_->inputs[2])));
        return;
      }
      const Quantization& quant = value.quant;
      if (quant.scales.size() != 1 || quant.scales[0] != Out().quant.scales[0] ||
          quant.zero_points[0] != Out().quant.zero_points[0]) {
        Reject("a padding value quantised differently from the data");
        return;
      }
      attrs.value = static_cast<int8_t>(value.data[0]);
    }
    Accept(OpKind::kPad, std::move(attrs), 1);
  }

  void View(OpKind kind) {
    if (!CheckArity(1, kind == OpKind::kSqueeze ? 1 : 2) || !CheckInOut()) return;
    if (HasInput(1) && !In(1).is_constant && In(1).ElementCount() > 0) {
      Reject(fmt::format("a shape ({}) computed at run time", Label(node_->inputs[1])));
      return;
    }
    if (kind == OpKind::kReshape && HasInput(1) && !CheckNewShape(Integers(In(1)))) return;
    Accept(kind, ViewAttrs{}, 1);
  }

  // The shape asked for, in which one -1 stands for what is left, must be that of the output.
  bool CheckNewShape(const std::vector<int64_t>& wanted) {
    const std::vector<int32_t>& shape = Out().shape;
    const bool equal = std::equal(wanted.begin(), wanted.end(), shape.begin(), shape.end(),
                                  [](int64_t a, int32_t b) { return a == -1 || a == b; });
    if (equal) return true;
    return Contradiction("asks for the shape {}, but {} has {}", fmt::join(wanted, "x"),
                         Label(node_->outputs[0]), fmt::join(shape, "x"));
  }

  void Softmax() {
    if (!CheckArity(1, 1) || !CheckOptions(kSoftmaxOptions) || !CheckInOut()) return;
    const Quantization& out = Out().quant;
    if (out.scales[0] != 1.0f / 256.0f || out.zero_points[0] != -128) {
      Reject(fmt::format("output quantised {} @ {}; only 1/256 @ -128 is supported", out.scales[0],
                         out.zero_points[0]));
      return;
    }
    Accept(OpKind::kSoftmax, SoftmaxAttrs{source_.options.Scalar<float>(softmax::kBeta, 0)}, 1);
  }

  void Relu(Activation activation) {
    if (!CheckArity(1, 1) || !CheckInOut()) return;
    Accept(OpKind::kRelu, ActivationAttrs{activation}, 1);
  }

  void Quantize() {
    if (!CheckArity(1, 1)) return;
    const int input = node_->inputs[0];
    if (In(0).type == DType::kFloat32) {
      if (!CheckFloatEdge(input, Facts(input).graph_input, "an input")) return;
    } else if (!CheckActivation(input)) {
      return;
    }
    if (!CheckData() || !CheckActivation(node_->outputs[0])) return;
    Accept(OpKind::kQuantize, QuantizeAttrs{}, 1);
  }

  void Dequantize() {
    if (!CheckArity(1, 1) || !CheckActivation(node_->inputs[0]) || !CheckData()) return;
    const int output = node_->outputs[0];
    if (Out().type != DType::kFloat32) {
      Reject(
          fmt::format("{} ({}) as result; only float32 is supported", Type(output), Label(output)));
      return;
    }
    if (!CheckFloatEdge(output, Facts(output).graph_output, "an output")) return;
    Accept(OpKind::kDequantize, QuantizeAttrs{}, 1);
  }

  // Float tensors exist only at the edge of the graph, where the host converts.
  bool CheckFloatEdge(int index, bool at_edge, const char* edge) {
    if (std::string problem = StorageProblem(index); !problem.empty()) return Reject(problem);
    if (at_edge) return true;
    return Reject(
        fmt::format("float32 inside the graph: {} is not {} of the model", Label(index), edge));
  }

  const Graph& graph_;
  const std::vector<TensorFacts>& facts_;
  const OperatorSource& source_;
  Node* node_;
  Status status_;
};

}  // namespace

Status LowerOperator(const Graph& graph, const std::vector<TensorFacts>& facts,
                     const OperatorSource& source, Node* node) {
  return Lowering(graph, facts, source, node).Run();
}

}  // namespace weft::tflite
