// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/layer_tester.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "sim/reference/reference.h"
#include "sw/report/compare.h"
#include "tb/lib/seed.h"
#include "weft/compile.h"

namespace weft::testing {
namespace {

using Bytes = std::vector<uint8_t>;

template <typename T>
Bytes ToBytes(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

const char* ActivationText(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "Activation::kNone";
    case Activation::kRelu:
      return "Activation::kRelu";
    case Activation::kRelu6:
      return "Activation::kRelu6";
    case Activation::kReluN1To1:
      break;
  }
  return "Activation::kReluN1To1";
}

// An argument of a call as it is written in C++; of long lists the beginning.
template <typename T>
std::string ArgumentText(const T& value) {
  constexpr size_t kShown = 8;
  if constexpr (std::is_same_v<T, Activation>) {
    return ActivationText(value);
  } else if constexpr (std::is_convertible_v<T, std::string>) {
    return fmt::format("\"{}\"", value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return fmt::format("{}f", value);
  } else if constexpr (std::is_arithmetic_v<T>) {
    return fmt::format("{}", value);
  } else {
    const T shown(value.begin(),
                  value.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, value.size())));
    return fmt::format("{{{}{}}}", fmt::join(shown, ", "), value.size() > kShown ? ", ..." : "");
  }
}

int64_t Product(const std::vector<int32_t>& shape) {
  int64_t product = 1;
  for (int32_t dimension : shape) product *= dimension;
  return product;
}

}  // namespace

// ---- the calls ----

template <typename... Args>
LayerTester& LayerTester::Note(const char* method, const Args&... args) {
  const std::vector<std::string> texts = {ArgumentText(args)...};
  description_ += fmt::format(".{}({})", method, fmt::join(texts, ", "));
  return *this;
}

LayerTester& LayerTester::Begin(OpKind kind) {
  steps_.emplace_back();
  steps_.back().kind = kind;
  return *this;
}

LayerTester::Step& LayerTester::Last() {
  assert(!steps_.empty());
  return steps_.back();
}

LayerTester& LayerTester::Input(int height, int width, int channels) {
  input_shape_ = {height, width, channels};
  return Note("Input", height, width, channels);
}

LayerTester& LayerTester::InputRows(int rows, int size) {
  input_shape_ = {rows, size};
  return Note("InputRows", rows, size);
}

LayerTester& LayerTester::Batch(int images) {
  batch_ = images;
  return Note("Batch", images);
}

LayerTester& LayerTester::InputQuant(float scale, int zero_point) {
  has_input_quant_ = true;
  input_scale_ = scale;
  input_zero_point_ = zero_point;
  return Note("InputQuant", scale, zero_point);
}

LayerTester& LayerTester::InputValues(std::vector<int8_t> values) {
  input_values_ = std::move(values);
  return Note("InputValues", input_values_);
}

LayerTester& LayerTester::FloatInput() {
  float_input_ = true;
  return Note("FloatInput");
}

LayerTester& LayerTester::FloatOutput() {
  float_output_ = true;
  return Note("FloatOutput");
}

LayerTester& LayerTester::Conv(int kernel_h, int kernel_w) {
  Begin(OpKind::kConv2D);
  Last().kernel_h = kernel_h;
  Last().kernel_w = kernel_w;
  return Note("Conv", kernel_h, kernel_w);
}

LayerTester& LayerTester::Depthwise(int kernel_h, int kernel_w) {
  Begin(OpKind::kDepthwiseConv2D);
  Last().kernel_h = kernel_h;
  Last().kernel_w = kernel_w;
  return Note("Depthwise", kernel_h, kernel_w);
}

LayerTester& LayerTester::FullyConnected() {
  return Begin(OpKind::kFullyConnected).Note("FullyConnected");
}

LayerTester& LayerTester::AveragePool(int filter_h, int filter_w) {
  Begin(OpKind::kAveragePool2D);
  Last().kernel_h = filter_h;
  Last().kernel_w = filter_w;
  return Note("AveragePool", filter_h, filter_w);
}

LayerTester& LayerTester::MaxPool(int filter_h, int filter_w) {
  Begin(OpKind::kMaxPool2D);
  Last().kernel_h = filter_h;
  Last().kernel_w = filter_w;
  return Note("MaxPool", filter_h, filter_w);
}

LayerTester& LayerTester::AddInput() {
  Begin(OpKind::kAdd);
  Last().other = Step::Other::kInput;
  return Note("AddInput");
}

LayerTester& LayerTester::AddConstant() {
  Begin(OpKind::kAdd);
  Last().other = Step::Other::kConstant;
  return Note("AddConstant");
}

LayerTester& LayerTester::AddStep(int step) {
  Begin(OpKind::kAdd);
  Last().other = Step::Other::kStep;
  Last().other_step = step;
  return Note("AddStep", step);
}

LayerTester& LayerTester::Pad(int top, int bottom, int left, int right) {
  Begin(OpKind::kPad);
  Last().before = {top, left, 0};
  Last().after = {bottom, right, 0};
  return Note("Pad", top, bottom, left, right);
}

LayerTester& LayerTester::PadChannels(int before, int after) {
  Begin(OpKind::kPad);
  Last().before = {0, 0, before};
  Last().after = {0, 0, after};
  return Note("PadChannels", before, after);
}

LayerTester& LayerTester::Softmax() { return Begin(OpKind::kSoftmax).Note("Softmax"); }

LayerTester& LayerTester::StandAlone(Activation activation) {
  Begin(OpKind::kRelu);
  Last().activation = activation;
  return Note("StandAlone", activation);
}

LayerTester& LayerTester::Quantize() { return Begin(OpKind::kQuantize).Note("Quantize"); }

LayerTester& LayerTester::Reshape(std::vector<int> shape) {
  Begin(OpKind::kReshape);
  Last().shape = std::move(shape);
  return Note("Reshape", Last().shape);
}

LayerTester& LayerTester::Squeeze(std::vector<int> shape) {
  Begin(OpKind::kSqueeze);
  Last().shape = std::move(shape);
  return Note("Squeeze", Last().shape);
}

LayerTester& LayerTester::ExpandDims(std::vector<int> shape) {
  Begin(OpKind::kExpandDims);
  Last().shape = std::move(shape);
  return Note("ExpandDims", Last().shape);
}

LayerTester& LayerTester::Stride(int height, int width) {
  Last().stride_h = height;
  Last().stride_w = width;
  return Note("Stride", height, width);
}

LayerTester& LayerTester::Dilation(int height, int width) {
  Last().dilation_h = height;
  Last().dilation_w = width;
  return Note("Dilation", height, width);
}

LayerTester& LayerTester::Padding(int top, int bottom, int left, int right) {
  Last().padding = {top, bottom, left, right};
  return Note("Padding", top, bottom, left, right);
}

LayerTester& LayerTester::Same() {
  Last().same = true;
  return Note("Same");
}

LayerTester& LayerTester::Channels(int channels) {
  Last().channels = channels;
  return Note("Channels", channels);
}

LayerTester& LayerTester::Multiplier(int multiplier) {
  Last().multiplier = multiplier;
  return Note("Multiplier", multiplier);
}

LayerTester& LayerTester::Fused(Activation activation) {
  Last().activation = activation;
  return Note("Fused", activation);
}

LayerTester& LayerTester::PerTensor() {
  Last().per_tensor = true;
  return Note("PerTensor");
}

LayerTester& LayerTester::NoBias() {
  Last().has_bias = false;
  return Note("NoBias");
}

LayerTester& LayerTester::Swapped() {
  Last().swapped = true;
  return Note("Swapped");
}

LayerTester& LayerTester::PadValue(int value) {
  Last().has_pad_value = true;
  Last().pad_value = value;
  return Note("PadValue", value);
}

LayerTester& LayerTester::Beta(float beta) {
  Last().beta = beta;
  return Note("Beta", beta);
}

LayerTester& LayerTester::From(int step) {
  Last().from = step;
  return Note("From", step);
}

LayerTester& LayerTester::Output() {
  Last().is_output = true;
  return Note("Output");
}

LayerTester& LayerTester::Weights(std::vector<int8_t> values) {
  Last().weights = std::move(values);
  return Note("Weights", Last().weights);
}

LayerTester& LayerTester::Biases(std::vector<int32_t> values) {
  Last().biases = std::move(values);
  return Note("Biases", Last().biases);
}

LayerTester& LayerTester::WeightScales(std::vector<float> scales) {
  Last().weight_scales = std::move(scales);
  return Note("WeightScales", Last().weight_scales);
}

LayerTester& LayerTester::OutputQuant(float scale, int zero_point) {
  Last().has_quant = true;
  Last().scale = scale;
  Last().zero_point = zero_point;
  return Note("OutputQuant", scale, zero_point);
}

LayerTester& LayerTester::Extreme() {
  extreme_ = true;
  return Note("Extreme");
}

LayerTester& LayerTester::Ties() {
  ties_ = true;
  return Note("Ties");
}

LayerTester& LayerTester::Rounding(weft::Rounding rounding) {
  rounding_ = rounding;
  description_ += rounding == weft::Rounding::kSingle ? ".Rounding(Rounding::kSingle)"
                                                      : ".Rounding(Rounding::kDouble)";
  return *this;
}

LayerTester& LayerTester::Config(const std::string& name) {
  config_ = name;
  return Note("Config", name);
}

LayerTester& LayerTester::Seed(uint64_t seed) {
  seed_ = seed;
  return Note("Seed", seed);
}

// ---- the graph ----

class LayerTester::Builder {
 public:
  explicit Builder(const LayerTester& tester) : tester_(tester), rng_(Rng::Fixed(tester.seed_)) {}

  void Build() {
    graph_.name = "layer";
    std::vector<int32_t> shape(tester_.input_shape_.begin(), tester_.input_shape_.end());
    assert(!shape.empty());
    if (shape.size() == 3) shape.insert(shape.begin(), tester_.batch_);
    const int input = Activations("input", shape);
    if (tester_.has_input_quant_) {
      SetQuant(input, tester_.input_scale_, tester_.input_zero_point_);
    } else {
      SetQuant(input, RandomScale(-8, 0), RandomZeroPoint(Activation::kNone));
    }
    if (tester_.float_input_) {
      AddFloatInput(input);
    } else {
      AddGraphInput(input, tester_.input_values_);
    }
    results_ = {input};
    for (const Step& step : tester_.steps_) {
      step_ = &step;
      in_ = results_[step.from >= 0 ? static_cast<size_t>(step.from) : results_.size() - 1];
      results_.push_back(BuildStep());
      if (step.is_output || &step == &tester_.steps_.back()) {
        graph_.outputs.push_back(results_.back());
      }
    }
    if (tester_.float_output_) AddFloatOutput();
  }

  Network Take() {
    return {std::move(graph_), std::move(inputs_), results_.back(), tester_.rounding_};
  }

 private:
  // How a channel's numbers are chosen.
  enum class Channel : uint8_t { kOrdinary, kDead, kTiny, kLeftShift, kLimit, kSaturated };

  Tensor& At(int index) { return graph_.tensors[static_cast<size_t>(index)]; }
  const std::vector<int32_t>& InShape() { return At(in_).shape; }
  float InScale() { return At(in_).quant.scales[0]; }
  int InZeroPoint() { return static_cast<int>(At(in_).quant.zero_points[0]); }

  float RandomScale(double log2_low, double log2_high) {
    return static_cast<float>(Snap(std::exp2(log2_low + (log2_high - log2_low) * rng_.Real())));
  }

  // A power of two if ties are wanted.
  double Snap(double value) const {
    return tester_.ties_ ? std::exp2(std::floor(std::log2(value))) : value;
  }

  // With a rectifier: one that leaves a good part of the range alive.
  int RandomZeroPoint(Activation activation) {
    const int high = activation == Activation::kNone ? 127 : 0;
    if (tester_.extreme_ && rng_.Chance(0.7)) return rng_.Chance(0.5) ? -128 : high;
    return static_cast<int>(rng_.Int(-128, high));
  }

  std::vector<int8_t> RandomActivations(int64_t count) {
    std::vector<int8_t> values = rng_.Vector<int8_t>(static_cast<size_t>(count));
    if (tester_.extreme_) {
      const bool dull = rng_.Chance(0.3);
      for (int8_t& value : values) {
        if (dull || rng_.Chance(0.2)) value = rng_.Chance(0.5) ? -128 : 127;
      }
    }
    return values;
  }

  int Append(const std::string& name, DType type, std::vector<int32_t> shape) {
    Tensor tensor;
    tensor.name = name;
    tensor.type = type;
    tensor.shape = std::move(shape);
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<int>(graph_.tensors.size()) - 1;
  }

  int Activations(const std::string& name, std::vector<int32_t> shape) {
    return Append(name, DType::kInt8, std::move(shape));
  }

  int Constant(const std::string& name, DType type, std::vector<int32_t> shape, Bytes data) {
    const int index = Append(name, type, std::move(shape));
    At(index).is_constant = true;
    At(index).data = std::move(data);
    return index;
  }

  void SetQuant(int index, float scale, int zero_point) {
    At(index).quant = {{scale}, {zero_point}, 0};
  }

  void AddGraphInput(int index, const std::vector<int8_t>& values) {
    graph_.inputs.push_back(index);
    const int64_t count = At(index).ElementCount();
    const std::vector<int8_t> bytes = values.empty() ? RandomActivations(count) : values;
    assert(static_cast<int64_t>(bytes.size()) == count);
    inputs_.push_back(ToBytes(bytes));
  }

  // Floats that QUANTIZE turns into `quantised`.
  void AddFloatInput(int quantised) {
    const Quantization quant = At(quantised).quant;
    std::vector<float> values(static_cast<size_t>(At(quantised).ElementCount()));
    for (float& value : values) {
      double steps = static_cast<double>(rng_.Int(-140, 140));
      if (rng_.Chance(0.3)) steps += 0.5;
      if (rng_.Chance(0.3)) steps += rng_.Real() - 0.5;
      value = static_cast<float>(steps * double{quant.scales[0]});
      if (rng_.Chance(0.02)) {
        value = rng_.Pick<float>({std::nanf(""), INFINITY, -INFINITY, -0.0f, 3e38f, 1e-40f});
      }
    }
    const int input = Append("host", DType::kFloat32, At(quantised).shape);
    graph_.inputs.push_back(input);
    inputs_.push_back(ToBytes(values));
    AddNode(OpKind::kQuantize, {input}, QuantizeAttrs{}, quantised);
  }

  void AddFloatOutput() {
    const int output = Append("floats", DType::kFloat32, At(results_.back()).shape);
    AddNode(OpKind::kDequantize, {results_.back()}, QuantizeAttrs{}, output);
    graph_.outputs.back() = output;
  }

  template <typename Attrs>
  int Finish(std::vector<int> inputs, Attrs attrs, int output) {
    return AddNode(step_->kind, std::move(inputs), std::move(attrs), output);
  }

  template <typename Attrs>
  int AddNode(OpKind kind, std::vector<int> inputs, Attrs attrs, int output) {
    Node node;
    node.kind = kind;
    node.index = static_cast<int>(graph_.nodes.size());
    node.source_op = OpKindName(kind);
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.attrs = std::move(attrs);
    graph_.nodes.push_back(std::move(node));
    return output;
  }

  // Below it a fused activation's limits leave int32 (ValidateGraph refuses the graph).
  static constexpr float kSmallestScale = 1e-8f;

  // The step's result, named after its place; quantised as given or by (scale, zero point).
  int Result(std::vector<int32_t> shape, float scale, int zero_point) {
    const int index = Activations(fmt::format("step{}", results_.size()), std::move(shape));
    if (step_->has_quant) {
      SetQuant(index, step_->scale, step_->zero_point);
    } else {
      SetQuant(index, std::max(scale, kSmallestScale), zero_point);
    }
    return index;
  }

  // Same quantisation as the input.
  int Moved(std::vector<int32_t> shape) {
    return Result(std::move(shape), InScale(), InZeroPoint());
  }

  static int WindowOutput(int size, int window, int stride, int before, int after) {
    return (size + before + after - window) / stride + 1;
  }

  static void SamePadding(int size, int window, int stride, int& before, int& after) {
    const int out = (size + stride - 1) / stride;
    const int total = std::max(0, (out - 1) * stride + window - size);
    before = total / 2;
    after = total - before;
  }

  // Padding, and rows and columns of the output of a windowed operator.
  Padding2D ResolvePadding() {
    Padding2D padding = step_->padding;
    if (step_->same) {
      SamePadding(InShape()[1], WindowH(), step_->stride_h, padding.top, padding.bottom);
      SamePadding(InShape()[2], WindowW(), step_->stride_w, padding.left, padding.right);
    }
    return padding;
  }
  int WindowH() const { return (step_->kernel_h - 1) * step_->dilation_h + 1; }
  int WindowW() const { return (step_->kernel_w - 1) * step_->dilation_w + 1; }
  std::vector<int32_t> WindowShape(const Padding2D& padding, int channels) {
    const std::vector<int32_t>& in = InShape();
    return {in[0], WindowOutput(in[1], WindowH(), step_->stride_h, padding.top, padding.bottom),
            WindowOutput(in[2], WindowW(), step_->stride_w, padding.left, padding.right), channels};
  }

  int BuildStep() {
    switch (step_->kind) {
      case OpKind::kConv2D:
        return BuildConv();
      case OpKind::kDepthwiseConv2D:
        return BuildDepthwise();
      case OpKind::kFullyConnected:
        return BuildFullyConnected();
      case OpKind::kAdd:
        return BuildAdd();
      case OpKind::kAveragePool2D:
      case OpKind::kMaxPool2D:
        return BuildPool();
      case OpKind::kPad:
        return BuildPad();
      case OpKind::kSoftmax:
        return Finish({in_}, SoftmaxAttrs{step_->beta}, Result(InShape(), 1.0f / 256.0f, -128));
      case OpKind::kRelu:
        return BuildRequantize(ActivationAttrs{step_->activation});
      case OpKind::kQuantize:
        return BuildRequantize(QuantizeAttrs{});
      case OpKind::kReshape:
      case OpKind::kSqueeze:
      case OpKind::kExpandDims:
        return Finish({in_}, ViewAttrs{}, Moved({step_->shape.begin(), step_->shape.end()}));
      default:
        break;
    }
    assert(false);
    return -1;
  }

  // ---- operators with weights ----

  Channel RandomChannel() {
    if (!tester_.extreme_ || rng_.Chance(0.5)) return Channel::kOrdinary;
    return rng_.Pick<Channel>({Channel::kDead, Channel::kTiny, Channel::kLeftShift, Channel::kLimit,
                               Channel::kSaturated});
  }

  // The requantisation factor for a channel whose accumulators have this spread.
  double RandomFactor(Channel channel, double spread) { return Snap(AnyFactor(channel, spread)); }
  double AnyFactor(Channel channel, double spread) {
    switch (channel) {
      case Channel::kOrdinary:
        break;
      case Channel::kLimit:
        return std::exp2(-26 + 2 * rng_.Real());  // brings 2^31 back into int8
      case Channel::kSaturated:  // weights of one value: the sum of the inputs, times 128
        return 40 / (spread * spread / 74) * std::exp2(-1 + 8 * rng_.Real());
      case Channel::kDead:
        return std::exp2(-24 + 1.5 * rng_.Real());  // brings 2^30 back into int8
      case Channel::kTiny:
        return std::exp2(-36 + 10 * rng_.Real());  // down to shifts that flush to zero
      case Channel::kLeftShift:
        return std::exp2(0.99 * rng_.Real());
    }
    return 40 / spread * std::exp2(-1 + 2 * rng_.Real());
  }

  int8_t RandomWeight() {
    if (tester_.extreme_ && rng_.Chance(0.3)) return rng_.Chance(0.5) ? -128 : 127;
    return static_cast<int8_t>(rng_.Int(-128, 127));
  }

  // `weights` of one channel, reached through `at(i)`, and its bias.
  template <typename At>
  int32_t RandomChannelNumbers(Channel channel, int64_t depth, double spread, At at) {
    const int8_t end = rng_.Chance(0.5) ? -128 : 127;
    for (int64_t i = 0; i < depth; ++i) {
      if (channel == Channel::kSaturated || channel == Channel::kLimit) {
        at(i) = channel == Channel::kSaturated ? end : static_cast<int8_t>(rng_.Int(-1, 1));
        continue;
      }
      at(i) =
          channel == Channel::kOrdinary || channel == Channel::kTiny ? RandomWeight() : int8_t{0};
    }
    const int sign = rng_.Chance(0.5) ? 1 : -1;
    const auto near_limit = static_cast<int32_t>((1 << 30) - rng_.Int(0, 1 << 20));
    switch (channel) {
      case Channel::kOrdinary:
      case Channel::kSaturated:
        break;
      case Channel::kLimit:  // the ends of int32: with the zero point or the products they wrap
        return sign > 0 ? INT32_MAX : INT32_MIN;
      case Channel::kDead:
        return sign * near_limit;
      case Channel::kTiny:
        // Near the ends of int32 too: what a factor just above 2^-32 makes of it is not zero.
        return rng_.Pick<int32_t>({0, sign * near_limit, sign * (near_limit + ((1 << 30) - 1))});
      case Channel::kLeftShift:  // one weight: the accumulator stays as small as the input
        at(rng_.Int(0, depth - 1)) = static_cast<int8_t>(sign);
        return static_cast<int32_t>(rng_.Int(-60, 60));
    }
    const auto reach = static_cast<int64_t>(spread);
    return static_cast<int32_t>(rng_.Int(-reach, reach));
  }

  // Weights, bias and output of a step. `place(o, i)` is the index of weight i of output o.
  template <typename Attrs, typename Place>
  int FinishWeighted(std::vector<int32_t> weight_shape, int axis, int outs, Attrs attrs,
                     std::vector<int32_t> out_shape, Place place) {
    const int64_t count = Product(weight_shape);
    const int64_t depth = count / outs;
    const double spread =
        std::sqrt(static_cast<double>(depth)) * 74 * (74 + 0.6 * std::abs(InZeroPoint()));
    const int output =
        Result(std::move(out_shape), RandomScale(-6, -2), RandomZeroPoint(step_->activation));

    std::vector<int8_t> weights(static_cast<size_t>(count));
    std::vector<int32_t> biases;
    std::vector<float> scales;
    const Channel only = RandomChannel();
    const double only_factor = RandomFactor(only, spread);
    for (int o = 0; o < outs; ++o) {
      const Channel channel = step_->per_tensor ? only : RandomChannel();
      const double factor = step_->per_tensor ? only_factor : RandomFactor(channel, spread);
      biases.push_back(RandomChannelNumbers(channel, depth, spread, [&](int64_t i) -> int8_t& {
        return weights[static_cast<size_t>(place(o, i))];
      }));
      if (o == 0 || !step_->per_tensor) {
        scales.push_back(
            static_cast<float>(factor * double{At(output).quant.scales[0]} / double{InScale()}));
      }
    }
    if (!step_->weights.empty()) weights = step_->weights;
    if (!step_->biases.empty()) biases = step_->biases;
    if (!step_->weight_scales.empty()) scales = step_->weight_scales;
    const std::string name = fmt::format("step{}", results_.size());
    const int weight_tensor =
        Constant(name + ".weights", DType::kInt8, std::move(weight_shape), ToBytes(weights));
    const std::vector<int64_t> zero_points(scales.size(), 0);
    At(weight_tensor).quant = {std::move(scales), zero_points, axis};
    const int bias_tensor =
        step_->has_bias ? Constant(name + ".bias", DType::kInt32, {outs}, ToBytes(biases)) : -1;
    return Finish({in_, weight_tensor, bias_tensor}, attrs, output);
  }

  template <typename Attrs>
  void SetWindow(Attrs& attrs) {
    attrs.stride_h = step_->stride_h;
    attrs.stride_w = step_->stride_w;
    attrs.padding = ResolvePadding();
    attrs.activation = step_->activation;
  }

  int BuildConv() {
    Conv2DAttrs attrs;
    SetWindow(attrs);
    attrs.dilation_h = step_->dilation_h;
    attrs.dilation_w = step_->dilation_w;
    const int channels = InShape()[3];
    const int64_t depth = int64_t{step_->kernel_h} * step_->kernel_w * channels;
    return FinishWeighted({step_->channels, step_->kernel_h, step_->kernel_w, channels}, 0,
                          step_->channels, attrs, WindowShape(attrs.padding, step_->channels),
                          [depth](int64_t o, int64_t i) { return o * depth + i; });
  }

  int BuildDepthwise() {
    DepthwiseConv2DAttrs attrs;
    SetWindow(attrs);
    attrs.dilation_h = step_->dilation_h;
    attrs.dilation_w = step_->dilation_w;
    attrs.multiplier = step_->multiplier;
    const int outs = InShape()[3] * step_->multiplier;
    return FinishWeighted({1, step_->kernel_h, step_->kernel_w, outs}, 3, outs, attrs,
                          WindowShape(attrs.padding, outs),
                          [outs](int64_t o, int64_t i) { return i * outs + o; });
  }

  int BuildFullyConnected() {
    // Of a rank-4 input every image is one row.
    const std::vector<int32_t> in = InShape();
    const auto rows = in.size() == 1 ? 1 : in[0];
    const auto depth = static_cast<int32_t>(Product(in) / rows);
    return FinishWeighted({step_->channels, depth}, 0, step_->channels,
                          FullyConnectedAttrs{step_->activation}, {rows, step_->channels},
                          [depth](int64_t o, int64_t i) { return o * depth + i; });
  }

  // ---- the others ----

  int BuildAdd() {
    const std::vector<int32_t> shape = InShape();
    int other = -1;
    const std::string name = fmt::format("step{}.other", results_.size());
    const double reach = tester_.extreme_ ? 18 : 4;
    const auto scale =
        static_cast<float>(double{InScale()} * Snap(std::exp2(reach * (2 * rng_.Real() - 1))));
    switch (step_->other) {
      case Step::Other::kStep:
        other = results_[static_cast<size_t>(step_->other_step)];
        break;
      case Step::Other::kInput:
        other = Activations(name, shape);
        SetQuant(other, scale, RandomZeroPoint(Activation::kNone));
        AddGraphInput(other, {});
        break;
      case Step::Other::kConstant: {
        // The same for every image, as the device holds it once.
        const auto images = static_cast<size_t>(shape.size() == 4 ? shape[0] : 1);
        const Bytes image =
            ToBytes(RandomActivations(Product(shape) / static_cast<int64_t>(images)));
        Bytes all;
        for (size_t i = 0; i < images; ++i) all.insert(all.end(), image.begin(), image.end());
        other = Constant(name, DType::kInt8, shape, std::move(all));
        SetQuant(other, scale, RandomZeroPoint(Activation::kNone));
        break;
      }
    }
    const double larger = std::max(double{InScale()}, double{At(other).quant.scales[0]});
    const double out_scale = larger * Snap(std::exp2(tester_.extreme_ ? -12 + 24 * rng_.Real()
                                                                      : -0.5 + 2 * rng_.Real()));
    const int output =
        Result(shape, static_cast<float>(out_scale), RandomZeroPoint(step_->activation));
    std::vector<int> inputs = {in_, other};
    if (step_->swapped) std::swap(inputs[0], inputs[1]);
    return Finish(std::move(inputs), AddAttrs{step_->activation}, output);
  }

  int BuildPool() {
    Pool2DAttrs attrs;
    SetWindow(attrs);
    attrs.filter_h = step_->kernel_h;
    attrs.filter_w = step_->kernel_w;
    return Finish({in_}, attrs, Moved(WindowShape(attrs.padding, InShape()[3])));
  }

  int BuildPad() {
    std::vector<int32_t> shape = InShape();
    PadAttrs attrs;
    attrs.before.assign(shape.size(), 0);
    attrs.after.assign(shape.size(), 0);
    for (size_t i = 0; i < 3; ++i) {  // height, width, channels: aligned to the last dimensions
      if (step_->before[i] == 0 && step_->after[i] == 0) continue;
      const size_t dimension = shape.size() - 3 + i;
      attrs.before[dimension] = step_->before[i];
      attrs.after[dimension] = step_->after[i];
      shape[dimension] += step_->before[i] + step_->after[i];
    }
    attrs.value = step_->has_pad_value ? step_->pad_value : InZeroPoint();
    return Finish({in_}, attrs, Moved(std::move(shape)));
  }

  template <typename Attrs>
  int BuildRequantize(Attrs attrs) {
    // The factor's exponent; beyond 2^-32 it is flushed to zero.
    const double exponent =
        tester_.extreme_ && rng_.Chance(0.7) ? -34 + 38 * rng_.Real() : -2 + 4 * rng_.Real();
    const auto scale = static_cast<float>(double{InScale()} / Snap(std::exp2(exponent)));
    return Finish({in_}, attrs, Result(InShape(), scale, RandomZeroPoint(step_->activation)));
  }

  const LayerTester& tester_;
  Rng rng_;
  Graph graph_;
  std::vector<Bytes> inputs_;
  std::vector<int> results_;  // by step: index of the tensor
  const Step* step_ = nullptr;
  int in_ = -1;
};

LayerTester::Network LayerTester::Build() const {
  Builder builder(*this);
  builder.Build();
  return builder.Take();
}

// ---- the run ----

std::vector<int8_t> LayerTester::Run(DeviceKind device) const {
  const std::string what =
      fmt::format("\n  {}.Run(DeviceKind::{})\n  repeat with: {}", description_,
                  device == DeviceKind::kRtl ? "kRtl" : "kFunctional", RepeatCommand());
  const Network network = Build();
  const Graph& graph = network.graph;
  const auto golden = RunReference(graph, network.inputs, rounding_);
  if (!golden) {
    ADD_FAILURE() << "reference: " << golden.error().message << what;
    return {};
  }
  const auto program = Compile(graph, ConfigNamed(config_), {.rounding = rounding_});
  if (!program) {
    ADD_FAILURE() << "compiler: " << program.error().message << what;
    return {};
  }
  auto run = RunOnDevice(device, *program, network.inputs, seed_);
  if (!run) {
    ADD_FAILURE() << DeviceName(device) << ": " << run.error().message << what;
    return {};
  }
  if (device == DeviceKind::kRtl && run->total[WEFT_COUNTER_CYCLES] == 0) {
    ADD_FAILURE() << "the counters saw no cycle" << what;
  }
  const Comparison comparison =
      CompareEngines(*program, graph,
                     {{DeviceName(device), std::move(run->tensors), std::move(run->outputs)},
                      FromReference(*program, graph, golden->tensors)});
  if (comparison.difference) {
    ADD_FAILURE() << FormatDifference(*comparison.difference) << what;
    return {};
  }
  const Bytes& bytes = golden->tensors[static_cast<size_t>(network.result)];
  return {bytes.begin(), bytes.end()};
}

std::string LayerTester::Refusal() const {
  const auto program = Compile(Build().graph, ConfigNamed(config_), {.rounding = rounding_});
  if (!program) return program.error().message;
  ADD_FAILURE() << "the compiler took what it should refuse\n  " << description_;
  return "";
}

}  // namespace weft::testing
