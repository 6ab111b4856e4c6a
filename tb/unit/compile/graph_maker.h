// SPDX-License-Identifier: Apache-2.0
//
// Builds graphs for compiler tests, operator by operator, with random weights and plausible scales.
//
//   GraphMaker net(rng);
//   int x = net.Input({1, 8, 8, 3});
//   x = net.Conv(x, 16, {.kernel_h = 3, .kernel_w = 3, .same = true});
//   Graph graph = net.Finish({x});
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "tb/lib/seed.h"
#include "weft/graph.h"

namespace weft::testing {

/// A convolution or pooling window. `same`: padded so that out = ceil(in / stride).
struct WindowSpec {
  int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  bool same = false;
  Activation activation = Activation::kNone;
  bool bias = true;
  bool per_channel = true;
};

class GraphMaker {
 public:
  explicit GraphMaker(Rng& rng) : rng_(rng) { graph_.name = "made"; }

  const std::vector<int32_t>& Shape(int tensor) const { return At(tensor).shape; }

  int Input(std::vector<int32_t> shape, DType type = DType::kInt8) {
    const int tensor = type == DType::kInt8 ? Activations(std::move(shape)) : Float(shape);
    graph_.inputs.push_back(tensor);
    return tensor;
  }

  int Conv(int x, int channels, const WindowSpec& w) {
    Conv2DAttrs attrs;
    const auto [h, wd] = Window(x, w, attrs);
    attrs.dilation_h = w.dilation_h;
    attrs.dilation_w = w.dilation_w;
    attrs.activation = w.activation;
    const int depth = w.kernel_h * w.kernel_w * Shape(x)[3];
    const int weights = Weights({channels, w.kernel_h, w.kernel_w, Shape(x)[3]}, 0, w.per_channel);
    const int y = Activations({Shape(x)[0], h, wd, channels}, ScaleOfSums(x, depth));
    Add(OpKind::kConv2D, {x, weights, w.bias ? Bias(channels) : -1}, y, attrs);
    return y;
  }

  int Depthwise(int x, int multiplier, const WindowSpec& w) {
    DepthwiseConv2DAttrs attrs;
    const auto [h, wd] = Window(x, w, attrs);
    attrs.dilation_h = w.dilation_h;
    attrs.dilation_w = w.dilation_w;
    attrs.activation = w.activation;
    attrs.multiplier = multiplier;
    const int channels = Shape(x)[3] * multiplier;
    const int weights = Weights({1, w.kernel_h, w.kernel_w, channels}, 3, w.per_channel);
    const int y =
        Activations({Shape(x)[0], h, wd, channels}, ScaleOfSums(x, w.kernel_h * w.kernel_w));
    Add(OpKind::kDepthwiseConv2D, {x, weights, w.bias ? Bias(channels) : -1}, y, attrs);
    return y;
  }

  int FullyConnected(int x, int outputs, const WindowSpec& w = {.per_channel = false}) {
    const int inputs = Shape(x).size() == 4 ? static_cast<int>(At(x).ElementCount() / Shape(x)[0])
                                            : Shape(x).back();
    const int weights = Weights({outputs, inputs}, 0, w.per_channel);
    std::vector<int32_t> shape = {static_cast<int32_t>(At(x).ElementCount() / inputs), outputs};
    const int y = Activations(shape, ScaleOfSums(x, inputs));
    Add(OpKind::kFullyConnected, {x, weights, w.bias ? Bias(outputs) : -1}, y,
        FullyConnectedAttrs{w.activation});
    return y;
  }

  int AddTensors(int a, int b, Activation activation = Activation::kNone) {
    const int y = Activations(Shape(a), 1.4f * std::max(ScaleOf(a), ScaleOf(b)));
    Add(OpKind::kAdd, {a, b}, y, AddAttrs{activation});
    return y;
  }

  int Pool(OpKind kind, int x, const WindowSpec& w) {
    Pool2DAttrs attrs;
    const auto [h, wd] = Window(x, w, attrs);
    attrs.filter_h = w.kernel_h;
    attrs.filter_w = w.kernel_w;
    attrs.activation = w.activation;
    const int y = Activations({Shape(x)[0], h, wd, Shape(x)[3]}, ScaleOf(x), ZeroOf(x));
    Add(kind, {x}, y, attrs);
    return y;
  }

  int Pad(int x, std::vector<int> before, std::vector<int> after, int value) {
    std::vector<int32_t> shape = Shape(x);
    for (size_t i = 0; i < shape.size(); ++i) shape[i] += before[i] + after[i];
    const int y = Activations(shape, ScaleOf(x), ZeroOf(x));
    Add(OpKind::kPad, {x}, y, PadAttrs{std::move(before), std::move(after), value});
    return y;
  }
  /// Rows and columns, with the zero point.
  int PadImage(int x, int top, int bottom, int left, int right) {
    return Pad(x, {0, top, left, 0}, {0, bottom, right, 0}, ZeroOf(x));
  }

  int Reshape(int x, std::vector<int32_t> shape) {
    const int y = At(x).type == DType::kFloat32
                      ? Float(std::move(shape))
                      : Activations(std::move(shape), ScaleOf(x), ZeroOf(x));
    Add(OpKind::kReshape, {x}, y, ViewAttrs{});
    return y;
  }

  int Softmax(int x, float beta = 1.0f) {
    const int y = Activations(Shape(x), 1.0f / 256, -128);
    Add(OpKind::kSoftmax, {x}, y, SoftmaxAttrs{beta});
    return y;
  }

  int Relu(int x, Activation activation) {
    const int y = Activations(Shape(x), ScaleOf(x) * 0.8f);
    Add(OpKind::kRelu, {x}, y, ActivationAttrs{activation});
    return y;
  }

  int Quantize(int x) {
    const int y = Activations(Shape(x));
    Add(OpKind::kQuantize, {x}, y, QuantizeAttrs{});
    return y;
  }

  int Dequantize(int x) {
    const int y = Float(Shape(x));
    Add(OpKind::kDequantize, {x}, y, QuantizeAttrs{});
    return y;
  }

  int Constant(std::vector<int32_t> shape) {
    const int t = Activations(std::move(shape));
    Tensor& tensor = graph_.tensors[static_cast<size_t>(t)];
    tensor.is_constant = true;
    tensor.data = rng_.Vector<uint8_t>(tensor.ByteCount(), 0, 255);
    return t;
  }

  int ZeroOf(int tensor) const { return static_cast<int>(At(tensor).quant.zero_points[0]); }
  float ScaleOf(int tensor) const { return At(tensor).quant.scales[0]; }

  Graph Finish(std::vector<int> outputs) {
    graph_.outputs = std::move(outputs);
    return std::move(graph_);
  }

 private:
  const Tensor& At(int tensor) const { return graph_.tensors[static_cast<size_t>(tensor)]; }

  int Put(Tensor tensor) {
    tensor.name = "t" + std::to_string(graph_.tensors.size());
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<int>(graph_.tensors.size()) - 1;
  }

  float RandomScale(double low, double high) {
    return static_cast<float>(low * std::pow(high / low, rng_.Int(0, 1000) / 1000.0));
  }

  int Activations(std::vector<int32_t> shape) {
    return Activations(std::move(shape), RandomScale(0.01, 0.3));
  }
  int Activations(std::vector<int32_t> shape, float scale) {
    const int zero = rng_.Chance(0.3) ? -128 : static_cast<int>(rng_.Int(-128, 127));
    return Activations(std::move(shape), scale, zero);
  }
  int Activations(std::vector<int32_t> shape, float scale, int zero) {
    Tensor tensor;
    tensor.shape = std::move(shape);
    tensor.quant = {{scale}, {zero}, 0};
    return Put(std::move(tensor));
  }

  int Float(std::vector<int32_t> shape) {
    Tensor tensor;
    tensor.type = DType::kFloat32;
    tensor.shape = std::move(shape);
    return Put(std::move(tensor));
  }

  static constexpr float kWeightScale = 0.01f;

  int Weights(std::vector<int32_t> shape, int axis, bool per_channel) {
    Tensor tensor;
    tensor.shape = std::move(shape);
    tensor.is_constant = true;
    tensor.data = rng_.Vector<uint8_t>(tensor.ByteCount(), 0, 255);
    const auto channels = static_cast<size_t>(tensor.shape[static_cast<size_t>(axis)]);
    tensor.quant.axis = axis;
    for (size_t c = 0; c < (per_channel ? channels : 1); ++c) {
      tensor.quant.scales.push_back(RandomScale(0.7 * kWeightScale, 1.4 * kWeightScale));
      tensor.quant.zero_points.push_back(0);
    }
    return Put(std::move(tensor));
  }

  int Bias(int channels) {
    Tensor tensor;
    tensor.type = DType::kInt32;
    tensor.shape = {channels};
    tensor.is_constant = true;
    for (int c = 0; c < channels; ++c) {
      const auto value = static_cast<uint32_t>(rng_.Int(-4000, 4000));
      for (int b = 0; b < 4; ++b) tensor.data.push_back(static_cast<uint8_t>(value >> 8 * b));
    }
    return Put(std::move(tensor));
  }

  // An output scale with which sums of `depth` random products mostly stay inside int8.
  float ScaleOfSums(int x, int depth) {
    return ScaleOf(x) * kWeightScale * 73 * 1.5f * std::sqrt(static_cast<float>(depth));
  }

  // Fills in stride and padding; returns the output's height and width.
  template <typename Attrs>
  std::pair<int, int> Window(int x, const WindowSpec& w, Attrs& attrs) {
    attrs.stride_h = w.stride_h;
    attrs.stride_w = w.stride_w;
    const auto one = [&](int size, int kernel, int stride, int dilation, int& before, int& after) {
      const int window = (kernel - 1) * dilation + 1;
      if (!w.same) return (size - window) / stride + 1;
      const int out = (size + stride - 1) / stride;
      const int total = std::max(0, (out - 1) * stride + window - size);
      before = total / 2;
      after = total - before;
      return out;
    };
    const int h = one(Shape(x)[1], w.kernel_h, w.stride_h, w.dilation_h, attrs.padding.top,
                      attrs.padding.bottom);
    const int wd = one(Shape(x)[2], w.kernel_w, w.stride_w, w.dilation_w, attrs.padding.left,
                       attrs.padding.right);
    return {h, wd};
  }

  template <typename Attrs>
  void Add(OpKind kind, std::vector<int> inputs, int output, Attrs attrs) {
    Node node;
    node.kind = kind;
    node.index = static_cast<int>(graph_.nodes.size());
    node.source_op = OpKindName(kind);
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.attrs = std::move(attrs);
    graph_.nodes.push_back(std::move(node));
  }

  Rng& rng_;
  Graph graph_;
};

}  // namespace weft::testing
