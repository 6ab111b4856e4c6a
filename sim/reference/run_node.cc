// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/run_node.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "sim/reference/conv2d.h"
#include "sim/reference/depthwise_conv2d.h"
#include "sim/reference/exact_matmul.h"
#include "sim/reference/fully_connected.h"
#include "sim/reference/pad.h"
#include "sim/reference/pool2d.h"
#include "sim/reference/quantized_parameters.h"

namespace weft::reference {
namespace {

// The operands of a node, by role.
int DataInput(const Node& node) { return node.inputs[0]; }
int SecondInput(const Node& node) { return node.inputs[1]; }
int BiasInput(const Node& node) { return node.inputs.size() > 2 ? node.inputs[2] : -1; }
int Output(const Node& node) { return node.outputs[0]; }

ImageShape ToImage(const Tensor& tensor) {
  return {tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3]};
}

template <typename Attrs>
Window ConvolutionWindow(const Attrs& attrs, const Tensor& weights) {
  return {weights.shape[1], weights.shape[2], attrs.stride_h,    attrs.stride_w,
          attrs.dilation_h, attrs.dilation_w, attrs.padding.top, attrs.padding.left};
}

Status CheckDepth(int64_t depth, const Tensor& weights) {
  if (depth <= kLargestDepth) return {};
  return Fail("tensor '{}': {} products for one output could overflow int32; the limit is {}",
              weights.name, depth, kLargestDepth);
}

Status RunConv2D(const Node& node, Rounding rounding, TensorStore& store) {
  const auto& attrs = std::get<Conv2DAttrs>(node.attrs);
  const Tensor& input = store.Info(DataInput(node));
  const Tensor& weights = store.Info(SecondInput(node));
  const Tensor& output = store.Info(Output(node));
  const int64_t depth = weights.ElementCount() / weights.shape[0];
  if (Status ok = CheckDepth(depth, weights); !ok) return ok;
  Conv2DParams params;
  params.input = ToImage(input);
  params.output = ToImage(output);
  params.window = ConvolutionWindow(attrs, weights);
  params.input_zero_point = Int8Quantization(input).zero_point;
  params.stage = ConvolutionStage(input, weights, output, attrs.activation, rounding);
  Conv2D(params, store.Int8(DataInput(node)), store.Int8(SecondInput(node)),
         store.Int32(BiasInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunDepthwiseConv2D(const Node& node, Rounding rounding, TensorStore& store) {
  const auto& attrs = std::get<DepthwiseConv2DAttrs>(node.attrs);
  const Tensor& input = store.Info(DataInput(node));
  const Tensor& weights = store.Info(SecondInput(node));
  const Tensor& output = store.Info(Output(node));
  const int64_t depth = int64_t{weights.shape[1]} * weights.shape[2];
  if (Status ok = CheckDepth(depth, weights); !ok) return ok;
  DepthwiseConv2DParams params;
  params.input = ToImage(input);
  params.output = ToImage(output);
  params.window = ConvolutionWindow(attrs, weights);
  params.multiplier = attrs.multiplier;
  params.input_zero_point = Int8Quantization(input).zero_point;
  params.stage = ConvolutionStage(input, weights, output, attrs.activation, rounding);
  DepthwiseConv2D(params, store.Int8(DataInput(node)), store.Int8(SecondInput(node)),
                  store.Int32(BiasInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunFullyConnected(const Node& node, Rounding rounding, TensorStore& store) {
  const auto& attrs = std::get<FullyConnectedAttrs>(node.attrs);
  const Tensor& input = store.Info(DataInput(node));
  const Tensor& weights = store.Info(SecondInput(node));
  const Tensor& output = store.Info(Output(node));
  if (Status ok = CheckDepth(weights.shape[1], weights); !ok) return ok;
  FullyConnectedParams params;
  params.outputs = weights.shape[0];
  params.depth = weights.shape[1];
  params.batch = static_cast<int>(input.ElementCount() / params.depth);
  params.input_zero_point = Int8Quantization(input).zero_point;
  params.weight_zero_point = Int8Quantization(weights).zero_point;
  params.stage = FullyConnectedStage(input, weights, output, attrs.activation, rounding);
  FullyConnected(params, store.Int8(DataInput(node)), store.Int8(SecondInput(node)),
                 store.Int32(BiasInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunAdd(const Node& node, Rounding rounding, TensorStore& store) {
  const int first = DataInput(node), second = SecondInput(node), output = Output(node);
  const AddParams params = AddParameters(store.Info(first), store.Info(second), store.Info(output),
                                         std::get<AddAttrs>(node.attrs).activation, rounding);
  Add(params, store.Int8(first), store.Int8(second), store.MutableInt8(output));
  return {};
}

Status RunPool2D(const Node& node, TensorStore& store) {
  const auto& attrs = std::get<Pool2DAttrs>(node.attrs);
  const Tensor& output = store.Info(Output(node));
  Pool2DParams params;
  params.input = ToImage(store.Info(DataInput(node)));
  params.output = ToImage(output);
  params.window = {.kernel_h = attrs.filter_h,
                   .kernel_w = attrs.filter_w,
                   .stride_h = attrs.stride_h,
                   .stride_w = attrs.stride_w,
                   .pad_top = attrs.padding.top,
                   .pad_left = attrs.padding.left};
  params.range = RangeOf(attrs.activation, Int8Quantization(output));
  const auto kernel = node.kind == OpKind::kAveragePool2D ? AveragePool2D : MaxPool2D;
  kernel(params, store.Int8(DataInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunPad(const Node& node, TensorStore& store) {
  const auto& attrs = std::get<PadAttrs>(node.attrs);
  const std::vector<int32_t>& shape = store.Info(DataInput(node)).shape;
  PadParams params;
  params.value = static_cast<int8_t>(attrs.value);
  std::copy_backward(shape.begin(), shape.end(), params.input.end());
  std::copy_backward(attrs.before.begin(), attrs.before.end(), params.before.end());
  std::copy_backward(attrs.after.begin(), attrs.after.end(), params.after.end());
  Pad(params, store.Int8(DataInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunView(const Node& node, TensorStore& store) {
  std::ranges::copy(store.Bytes(DataInput(node)), store.MutableBytes(Output(node)).begin());
  return {};
}

Status RunSoftmax(const Node& node, TensorStore& store) {
  const Tensor& input = store.Info(DataInput(node));
  if (input.shape.back() > kLargestSoftmaxDepth) {
    return Fail("tensor '{}': softmax over {} elements, its fixed point sum holds at most {}",
                input.name, input.shape.back(), kLargestSoftmaxDepth);
  }
  Softmax(SoftmaxParameters(input, std::get<SoftmaxAttrs>(node.attrs).beta),
          store.Int8(DataInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunRescale(const Node& node, Activation activation, Rounding rounding, TensorStore& store) {
  const int input = DataInput(node), output = Output(node);
  Rescale(RescaleParameters(store.Info(input), store.Info(output), activation, rounding),
          store.Int8(input), store.MutableInt8(output));
  return {};
}

Status RunQuantize(const Node& node, Rounding rounding, TensorStore& store) {
  const int input = DataInput(node), output = Output(node);
  if (store.Info(input).type != DType::kFloat32) {
    return RunRescale(node, Activation::kNone, rounding, store);
  }
  QuantizeFloat(Int8Quantization(store.Info(output)), store.Float32(input),
                store.MutableInt8(output));
  return {};
}

Status RunDequantize(const Node& node, TensorStore& store) {
  const int input = DataInput(node), output = Output(node);
  const std::span<uint8_t> bytes = store.MutableBytes(output);
  std::vector<float> values(bytes.size() / sizeof(float));
  DequantizeToFloat(Int8Quantization(store.Info(input)), store.Int8(input), values);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return {};
}

}  // namespace

Status RunNode(const Node& node, Rounding rounding, TensorStore& store) {
  switch (node.kind) {
    case OpKind::kConv2D:
      return RunConv2D(node, rounding, store);
    case OpKind::kDepthwiseConv2D:
      return RunDepthwiseConv2D(node, rounding, store);
    case OpKind::kFullyConnected:
      return RunFullyConnected(node, rounding, store);
    case OpKind::kAdd:
      return RunAdd(node, rounding, store);
    case OpKind::kAveragePool2D:
    case OpKind::kMaxPool2D:
      return RunPool2D(node, store);
    case OpKind::kPad:
      return RunPad(node, store);
    case OpKind::kReshape:
    case OpKind::kSqueeze:
    case OpKind::kExpandDims:
      return RunView(node, store);
    case OpKind::kSoftmax:
      return RunSoftmax(node, store);
    case OpKind::kRelu:
      return RunRescale(node, std::get<ActivationAttrs>(node.attrs).activation, rounding, store);
    case OpKind::kQuantize:
      return RunQuantize(node, rounding, store);
    case OpKind::kDequantize:
      return RunDequantize(node, store);
    case OpKind::kUnsupported:
      break;
  }
  return Fail("not supported: {}", node.unsupported_why);
}

}  // namespace weft::reference
