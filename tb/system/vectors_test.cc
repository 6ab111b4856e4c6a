// SPDX-License-Identifier: Apache-2.0
//
// The operator vectors of CMSIS-NN (outputs of the TFLite reference, double rounding) through the
// compiler and every device.
//
// A vector states multipliers and shifts, which no float scales of a graph need give exactly, and
// clamps that are no activation's. So the graph has scales near them, and the compiler's own form
// of it gets the stated integers before the program is made.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sw/compile/compile_network.h"
#include "sw/compile/legalise.h"
#include "tb/lib/cmsis_case.h"
#include "tb/lib/data.h"
#include "tb/lib/devices.h"
#include "tb/lib/seed.h"

namespace weft::testing {
namespace {

using compile::Clamp;
using compile::Layer;
using compile::Multiplier;
using compile::Network;

using Bytes = std::vector<uint8_t>;

template <typename T>
Bytes ToBytes(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

float Near(const Multiplier& multiplier) {
  return std::ldexp(static_cast<float>(multiplier.m), multiplier.shift - 31);
}

// The one-operator graph of a vector.
class VectorGraph {
 public:
  explicit VectorGraph(const CmsisCase& c) : case_(c) {
    graph_.name = "vector";
    node_.source_op = c.Op();
    const std::string& op = c.Op();
    if (op == "conv2d") Conv2D();
    if (op == "depthwise_conv2d") Depthwise();
    if (op == "fully_connected") FullyConnected();
    if (op == "add") Add();
    if (op == "avgpool") Pool(OpKind::kAveragePool2D);
    if (op == "maxpool") Pool(OpKind::kMaxPool2D);
    if (op == "pad") Pad();
    if (op == "softmax") Softmax();
    graph_.nodes = {node_};
    graph_.outputs = node_.outputs;
  }

  const Graph& graph() const { return graph_; }
  const std::vector<Bytes>& inputs() const { return inputs_; }

  // The stated integers in place of those that follow from the graph's scales.
  void SetIntegers(Network& network) const {
    Layer& layer = network.layers.back();
    if (case_.Op() == "add") {
      const auto multiplier = [&](const std::string& name) {
        return Multiplier{case_.Quant(name + "_multiplier"), case_.Quant(name + "_shift")};
      };
      EXPECT_EQ(case_.Quant("left_shift"), compile::Addition::kLeftShift);
      layer.add.a = multiplier("input1");
      layer.add.b = multiplier("input2");
      layer.add.sum = multiplier("output");
      layer.add.clamp = StatedClamp();
      return;
    }
    if (!multipliers_.empty()) layer.multipliers = multipliers_;
    if (case_.Op() != "pad" && case_.Op() != "softmax") layer.clamp = StatedClamp();
  }

 private:
  Clamp StatedClamp() const {
    return {case_.Quant("activation_min"), case_.Quant("activation_max")};
  }

  int Append(const std::string& name, DType type, const std::vector<int>& shape) {
    Tensor tensor;
    tensor.name = name;
    tensor.type = type;
    tensor.shape.assign(shape.begin(), shape.end());
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<int>(graph_.tensors.size()) - 1;
  }
  Tensor& At(int index) { return graph_.tensors[static_cast<size_t>(index)]; }

  void Input(const std::string& name, float scale, int zero_point) {
    const int index = Append(name, DType::kInt8, case_.Shape(name));
    At(index).quant = {{scale}, {zero_point}, 0};
    node_.inputs.push_back(index);
    graph_.inputs.push_back(index);
    inputs_.push_back(ToBytes(case_.Values<int8_t>(name)));
  }

  void Output(OpKind kind, float scale, int zero_point) {
    const int index = Append("output", DType::kInt8, case_.Shape("output"));
    At(index).quant = {{scale}, {zero_point}, 0};
    node_.kind = kind;
    node_.outputs = {index};
  }

  // Weights with their multipliers as scales, so the graph's other scales are one; and the bias.
  void Weights(int axis) {
    if (case_.Has("multiplier")) {
      const auto values = case_.Values<int32_t>("multiplier");
      const auto shifts = case_.Values<int32_t>("shift");
      for (size_t i = 0; i < values.size(); ++i) multipliers_.push_back({values[i], shifts[i]});
    } else {
      multipliers_ = {{case_.Quant("multiplier"), case_.Quant("shift")}};
    }
    const int weights = Append("weights", DType::kInt8, case_.Shape("weights"));
    Quantization& quant = At(weights).quant;
    for (const Multiplier& multiplier : multipliers_) {
      quant.scales.push_back(Near(multiplier));
      quant.zero_points.push_back(0);
    }
    quant.axis = axis;
    At(weights).is_constant = true;
    At(weights).data = ToBytes(case_.Values<int8_t>("weights"));
    node_.inputs.push_back(weights);
    if (!case_.Has("bias")) {
      node_.inputs.push_back(-1);
      return;
    }
    const int bias = Append("bias", DType::kInt32, case_.Shape("bias"));
    At(bias).is_constant = true;
    At(bias).data = ToBytes(case_.Values<int32_t>("bias"));
    node_.inputs.push_back(bias);
  }

  // The padding behind the image is what the output's size needs.
  template <typename Attrs>
  Attrs Window(int window_h, int window_w) {
    Attrs attrs;
    attrs.stride_h = case_.Attr("stride_h");
    attrs.stride_w = case_.Attr("stride_w");
    attrs.padding.top = case_.Attr("pad_top");
    attrs.padding.left = case_.Attr("pad_left");
    const std::vector<int> in = case_.Shape("input"), out = case_.Shape("output");
    attrs.padding.bottom =
        std::max(0, (out[1] - 1) * attrs.stride_h + window_h - in[1] - attrs.padding.top);
    attrs.padding.right =
        std::max(0, (out[2] - 1) * attrs.stride_w + window_w - in[2] - attrs.padding.left);
    return attrs;
  }

  template <typename Attrs>
  Attrs Convolution() {
    const std::vector<int> weights = case_.Shape("weights");
    const int dilation_h = case_.Attr("dilation_h"), dilation_w = case_.Attr("dilation_w");
    auto attrs =
        Window<Attrs>((weights[1] - 1) * dilation_h + 1, (weights[2] - 1) * dilation_w + 1);
    attrs.dilation_h = dilation_h;
    attrs.dilation_w = dilation_w;
    Input("input", 1, case_.Quant("input_zero_point"));
    return attrs;
  }

  void Conv2D() {
    node_.attrs = Convolution<Conv2DAttrs>();
    Weights(0);
    Output(OpKind::kConv2D, 1, case_.Quant("output_zero_point"));
  }

  void Depthwise() {
    auto attrs = Convolution<DepthwiseConv2DAttrs>();
    attrs.multiplier = case_.Attr("depth_multiplier");
    node_.attrs = attrs;
    Weights(3);
    Output(OpKind::kDepthwiseConv2D, 1, case_.Quant("output_zero_point"));
  }

  void FullyConnected() {
    node_.attrs = FullyConnectedAttrs{};
    Input("input", 1, case_.Quant("input_zero_point"));
    Weights(0);
    Output(OpKind::kFullyConnected, 1, case_.Quant("output_zero_point"));
  }

  void Add() {
    node_.attrs = AddAttrs{};
    Input("input1", 1, case_.Quant("input1_zero_point"));
    Input("input2", 1, case_.Quant("input2_zero_point"));
    Output(OpKind::kAdd, 1, case_.Quant("output_zero_point"));
  }

  void Pool(OpKind kind) {
    auto attrs = Window<Pool2DAttrs>(case_.Attr("filter_h"), case_.Attr("filter_w"));
    attrs.filter_h = case_.Attr("filter_h");
    attrs.filter_w = case_.Attr("filter_w");
    node_.attrs = attrs;
    Input("input", 1, 0);
    Output(kind, 1, 0);
  }

  void Pad() {
    node_.attrs = PadAttrs{case_.AttrList("pre"), case_.AttrList("post"), case_.Attr("value")};
    Input("input", 1, 0);
    Output(OpKind::kPad, 1, 0);
  }

  // The table is made from the scale, so the scale must give the stated multiplier exactly.
  void Softmax() {
    const Multiplier stated = {case_.Quant("input_multiplier"), case_.Quant("input_left_shift")};
    const float scale = Near({stated.m, stated.shift - 26});
    EXPECT_EQ(compile::QuantizeMultiplier(std::ldexp(double{scale}, 26)), stated);
    node_.attrs = SoftmaxAttrs{};
    Input("input", scale, 0);
    Output(OpKind::kSoftmax, 1.0f / 256, -128);
  }

  const CmsisCase& case_;
  Graph graph_;
  Node node_;
  std::vector<Bytes> inputs_;
  std::vector<Multiplier> multipliers_;
};

// Why a vector does not fall under what the device does today; empty when it does.
std::string NotYet(const CmsisCase& c) {
  static const std::vector<std::string> operators = {
      "conv2d", "depthwise_conv2d", "fully_connected", "add", "avgpool", "maxpool",
      "pad",    "softmax"};
  if (std::ranges::find(operators, c.Op()) == operators.end()) return "operator " + c.Op();
  if (c.Type("output") != "int8") return c.Type("output") + " activations";
  if (c.Op() == "conv2d" && c.Attr("groups") != 1) return "grouped convolution";
  if (c.Op() == "fully_connected") {
    if (c.Quant("weight_zero_point") != 0) return "weight zero point";
    if (c.Quant("output_zero_point") > 127) return "output zero point that is not int8";
  }
  return "";
}

struct VectorRun {
  DeviceKind device;
  std::string config;
};

class CmsisNnVectors : public ::testing::TestWithParam<VectorRun> {
 protected:
  static void RunVector(const CmsisCase& c) {
    const VectorGraph vector(c);
    const HardwareConfig& config = ConfigNamed(GetParam().config);
    const Status valid = ValidateGraph(vector.graph());
    ASSERT_TRUE(valid) << valid.error().message;
    Result<Network> network = compile::Legalise(vector.graph(), Rounding::kDouble);
    ASSERT_TRUE(network) << network.error().message;
    vector.SetIntegers(*network);
    const Result<Program> program =
        compile::CompileNetwork(vector.graph(), std::move(*network), config, Rounding::kDouble);
    ASSERT_TRUE(program) << program.error().message;
    const Result<RunResult> run =
        RunOnDevice(GetParam().device, *program, vector.inputs(), BaseSeed());
    ASSERT_TRUE(run) << run.error().message;
    const std::vector<int8_t> expected = c.Values<int8_t>("output");
    ASSERT_FALSE(expected.empty());
    const Bytes& bytes = run->outputs.at(0);
    EXPECT_EQ(std::vector<int8_t>(bytes.begin(), bytes.end()), expected);
  }
};

TEST_P(CmsisNnVectors, Int8CasesOfTheSupportedOperators) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  std::map<std::string, int> run, not_yet;
  int run_total = 0, total = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data / "vectors/cmsis_nn")) {
    if (!entry.is_directory()) continue;
    ++total;
    const CmsisCase c(entry.path());
    if (const std::string why = NotYet(c); !why.empty()) {
      ++not_yet[why];
      continue;
    }
    SCOPED_TRACE(fmt::format("vector {}, {} on {}; repeat with: {}",
                             entry.path().filename().string(), DeviceName(GetParam().device),
                             GetParam().config, RepeatCommand()));
    RunVector(c);
    ++run[c.Op()];
    ++run_total;
  }
  std::cout << run_total << " of " << total << " vectors run:";
  for (const auto& [op, count] : run) std::cout << " " << op << " " << count;
  std::cout << "\n" << total - run_total << " not yet:";
  for (const auto& [why, count] : not_yet) std::cout << " " << why << " " << count << ",";
  std::cout << std::endl;
  EXPECT_EQ(run.size(), 8u) << "an operator without a vector";
}

std::string RunName(const ::testing::TestParamInfo<VectorRun>& info) { return info.param.config; }

std::vector<VectorRun> OnEveryConfig(DeviceKind device) {
  return {{device, "weft64"}, {device, "weft256"}, {device, "weft1024"}};
}

INSTANTIATE_TEST_SUITE_P(Functional, CmsisNnVectors,
                         ::testing::ValuesIn(OnEveryConfig(DeviceKind::kFunctional)), RunName);
#if WEFT_WITH_RTL
INSTANTIATE_TEST_SUITE_P(Rtl, CmsisNnVectors, ::testing::ValuesIn(OnEveryConfig(DeviceKind::kRtl)),
                         RunName);
#endif

}  // namespace
}  // namespace weft::testing
