// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/run_node.h"

#include <algorithm>
#include <cmath>
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
  std::array<int, 4> dims = {1, 1, 1, 1};
  std::copy_backward(tensor.shape.begin(), tensor.shape.end(), dims.end());
  return {dims[0], dims[1], dims[2], dims[3]};
}

template <typename Attrs>
Window ConvolutionWindow(const Attrs& attrs, const Tensor& weights) {
  return {weights.shape[1], weights.shape[2], attrs.stride_h,    attrs.stride_w,
          attrs.dilation_h, attrs.dilation_w, attrs.padding.top, attrs.padding.left};
}

Status CheckBias(const Node& node, const TensorStore& store) {
  const int bias = BiasInput(node);
  if (bias < 0 || store.Info(bias).type == DType::kInt32) return {};
  return Fail("tensor '{}': the reference needs an int32 bias, this one is {}",
              store.Info(bias).name, DTypeName(store.Info(bias).type));
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
  auto stage = ConvolutionStage(input, weights, output, attrs.activation, rounding);
  if (!stage) return tl::make_unexpected(stage.error());
  if (Status ok = CheckBias(node, store); !ok) return ok;
  const int64_t depth = weights.ElementCount() / weights.shape[0];
  if (Status ok = CheckDepth(depth, weights); !ok) return ok;

  const Conv2DParams params = {ToImage(input), ToImage(output), ConvolutionWindow(attrs, weights),
                               static_cast<int32_t>(input.quant.zero_points[0]),
                               *std::move(stage)};
  Conv2D(params, store.Int8(DataInput(node)), store.Int8(SecondInput(node)),
         store.Int32(BiasInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunDepthwiseConv2D(const Node& node, Rounding rounding, TensorStore& store) {
  const auto& attrs = std::get<DepthwiseConv2DAttrs>(node.attrs);
  const Tensor& input = store.Info(DataInput(node));
  const Tensor& weights = store.Info(SecondInput(node));
  const Tensor& output = store.Info(Output(node));
  auto stage = ConvolutionStage(input, weights, output, attrs.activation, rounding);
  if (!stage) return tl::make_unexpected(stage.error());
  if (Status ok = CheckBias(node, store); !ok) return ok;
  const int64_t depth = static_cast<int64_t>(weights.shape[1]) * weights.shape[2];
  if (Status ok = CheckDepth(depth, weights); !ok) return ok;

  const DepthwiseConv2DParams params = {ToImage(input),
                                        ToImage(output),
                                        ConvolutionWindow(attrs, weights),
                                        attrs.multiplier,
                                        static_cast<int32_t>(input.quant.zero_points[0]),
                                        *std::move(stage)};
  DepthwiseConv2D(params, store.Int8(DataInput(node)), store.Int8(SecondInput(node)),
                  store.Int32(BiasInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunFullyConnected(const Node& node, Rounding rounding, TensorStore& store) {
  const auto& attrs = std::get<FullyConnectedAttrs>(node.attrs);
  const Tensor& input = store.Info(DataInput(node));
  const Tensor& weights = store.Info(SecondInput(node));
  const Tensor& output = store.Info(Output(node));
  auto stage = FullyConnectedStage(input, weights, output, attrs.activation, rounding);
  if (!stage) return tl::make_unexpected(stage.error());
  if (Status ok = CheckBias(node, store); !ok) return ok;
  if (Status ok = CheckDepth(weights.shape[1], weights); !ok) return ok;
  const std::vector<int64_t>& zero_points = weights.quant.zero_points;
  const bool one_zero_point =
      std::all_of(zero_points.begin(), zero_points.end(),
                  [&](int64_t z) { return z == zero_points[0] && z >= -128 && z <= 127; });
  if (!one_zero_point) {
    return Fail("tensor '{}': fully connected weights need one int8 zero point for all channels",
                weights.name);
  }

  FullyConnectedParams params;
  params.depth = weights.shape[1];
  params.outputs = weights.shape[0];
  params.batch = static_cast<int>(input.ElementCount() / params.depth);
  params.input_zero_point = static_cast<int32_t>(input.quant.zero_points[0]);
  params.weight_zero_point = zero_points.empty() ? 0 : static_cast<int32_t>(zero_points[0]);
  params.stage = *std::move(stage);
  FullyConnected(params, store.Int8(DataInput(node)), store.Int8(SecondInput(node)),
                 store.Int32(BiasInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunAdd(const Node& node, Rounding rounding, TensorStore& store) {
  const int first = DataInput(node), second = SecondInput(node), output = Output(node);
  if (store.Info(first).shape != store.Info(second).shape) {
    return Fail("tensors '{}' and '{}': ADD needs equal shapes", store.Info(first).name,
                store.Info(second).name);
  }
  const auto params =
      AddParameters(store.Info(first), store.Info(second), store.Info(output),
                    std::get<AddAttrs>(node.attrs).activation, rounding);
  if (!params) return tl::make_unexpected(params.error());
  Add(*params, store.Int8(first), store.Int8(second), store.MutableInt8(output));
  return {};
}

// Every window holds at least one element of the image along one direction.
bool WindowsTouchImage(int in, int out, int filter, int stride, int pad_before) {
  return pad_before < filter && (out - 1) * stride - pad_before < in;
}

Status RunPool2D(const Node& node, TensorStore& store) {
  const auto& attrs = std::get<Pool2DAttrs>(node.attrs);
  const Tensor& input = store.Info(DataInput(node));
  const Tensor& output = store.Info(Output(node));
  const auto in = Int8Quantization(input);
  if (!in) return tl::make_unexpected(in.error());
  const auto out = Int8Quantization(output);
  if (!out) return tl::make_unexpected(out.error());
  if (in->zero_point != out->zero_point || std::abs(in->scale - out->scale) > 1e-6f * in->scale) {
    return Fail("tensors '{}' and '{}': pooling needs one quantisation for input and output",
                input.name, output.name);
  }
  Pool2DParams params;
  params.input = ToImage(input);
  params.output = ToImage(output);
  params.window = {.kernel_h = attrs.filter_h,
                   .kernel_w = attrs.filter_w,
                   .stride_h = attrs.stride_h,
                   .stride_w = attrs.stride_w,
                   .pad_top = attrs.padding.top,
                   .pad_left = attrs.padding.left};
  params.range = RangeOf(attrs.activation, *out);
  if (!WindowsTouchImage(params.input.height, params.output.height, attrs.filter_h,
                         attrs.stride_h, attrs.padding.top) ||
      !WindowsTouchImage(params.input.width, params.output.width, attrs.filter_w, attrs.stride_w,
                         attrs.padding.left)) {
    return Fail("tensor '{}': a pooling window lies entirely in the padding", output.name);
  }
  const auto kernel = node.kind == OpKind::kAveragePool2D ? AveragePool2D : MaxPool2D;
  kernel(params, store.Int8(DataInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunPad(const Node& node, TensorStore& store) {
  const auto& attrs = std::get<PadAttrs>(node.attrs);
  const Tensor& input = store.Info(DataInput(node));
  if (input.type != DType::kInt8 || attrs.value < -128 || attrs.value > 127) {
    return Fail("tensor '{}': the reference pads int8 with an int8 value, this is {} with {}",
                input.name, DTypeName(input.type), attrs.value);
  }
  PadParams params;
  params.value = static_cast<int8_t>(attrs.value);
  std::copy_backward(input.shape.begin(), input.shape.end(), params.input.end());
  std::copy_backward(attrs.before.begin(), attrs.before.end(), params.before.end());
  std::copy_backward(attrs.after.begin(), attrs.after.end(), params.after.end());
  Pad(params, store.Int8(DataInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunView(const Node& node, TensorStore& store) {
  const std::span<const uint8_t> input = store.Bytes(DataInput(node));
  std::copy(input.begin(), input.end(), store.MutableBytes(Output(node)).begin());
  return {};
}

Status RunSoftmax(const Node& node, TensorStore& store) {
  const auto params = SoftmaxParameters(store.Info(DataInput(node)), store.Info(Output(node)),
                                        std::get<SoftmaxAttrs>(node.attrs).beta);
  if (!params) return tl::make_unexpected(params.error());
  Softmax(*params, store.Int8(DataInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunRescale(const Node& node, Activation activation, Rounding rounding, TensorStore& store) {
  const auto params = RescaleParameters(store.Info(DataInput(node)), store.Info(Output(node)),
                                        activation, rounding);
  if (!params) return tl::make_unexpected(params.error());
  Rescale(*params, store.Int8(DataInput(node)), store.MutableInt8(Output(node)));
  return {};
}

Status RunQuantize(const Node& node, Rounding rounding, TensorStore& store) {
  const int input = DataInput(node), output = Output(node);
  if (store.Info(input).type != DType::kFloat32) {
    return RunRescale(node, Activation::kNone, rounding, store);
  }
  const auto to = Int8Quantization(store.Info(output));
  if (!to) return tl::make_unexpected(to.error());
  QuantizeFloat(*to, store.Float32(input), store.MutableInt8(output));
  return {};
}

Status RunDequantize(const Node& node, TensorStore& store) {
  const int input = DataInput(node), output = Output(node);
  if (store.Info(output).type != DType::kFloat32) {
    return Fail("tensor '{}': DEQUANTIZE gives float32, this one is {}", store.Info(output).name,
                DTypeName(store.Info(output).type));
  }
  const auto from = Int8Quantization(store.Info(input));
  if (!from) return tl::make_unexpected(from.error());
  std::vector<float> values(static_cast<size_t>(store.Info(output).ElementCount()));
  DequantizeToFloat(*from, store.Int8(input), values);
  std::memcpy(store.MutableBytes(output).data(), values.data(), values.size() * sizeof(float));
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
  return Fail("the operator is not supported: {}", node.unsupported_why);
}

}  // namespace weft::reference
