// SPDX-License-Identifier: Apache-2.0
//
// The TFLite importer on small files that the test itself writes: what each operator becomes, what
// is unsupported and why, and which contradictions are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "sw/import/tflite_schema.h"
#include "tb/unit/import/tflite_builder.h"
#include "weft/import.h"

namespace weft {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::weft::testing::ModelBuilder;
using ::weft::testing::Table;

constexpr int8_t kSamePadding = 0;
constexpr int8_t kValidPadding = 1;

Result<Graph> Import(const ModelBuilder& model) {
  return ImportTfliteBuffer(model.Build(), "test.tflite");
}

Graph MustImport(const ModelBuilder& model) {
  Result<Graph> graph = Import(model);
  EXPECT_TRUE(graph.has_value()) << (graph ? "" : graph.error().message);
  return graph ? *std::move(graph) : Graph{};
}

// The importer's message, or "" when it accepts the file.
std::string ImportError(const ModelBuilder& model) {
  const Result<Graph> graph = Import(model);
  return graph ? "" : graph.error().message;
}

// The reason why operator `index` of an importable model is unsupported, or "".
std::string Why(const ModelBuilder& model, size_t index = 0) {
  const Graph graph = MustImport(model);
  if (index >= graph.nodes.size()) return "no such node";
  const Node& node = graph.nodes[index];
  EXPECT_EQ(node.kind == OpKind::kUnsupported, !node.unsupported_why.empty());
  return node.unsupported_why;
}

Table ConvOptions(int8_t padding, int stride_w, int stride_h, int8_t activation = 0) {
  return Table().I8(0, padding).I32(1, stride_w).I32(2, stride_h).I8(3, activation);
}

// CONV_2D of a 1x9x10x8 image with 5 kernels of 3x2, strides 2 and 3 (h, w), SAME, RELU6.
ModelBuilder ConvModel() {
  ModelBuilder model;
  const int x = model.Input("x", {1, 9, 10, 8});
  const int w = model.Weights("w", {5, 3, 2, 8});
  const int b = model.Int32s("b", {5}, {1, -2, 3, -4, 5});
  const int y = model.Activation("y", {1, 5, 4, 5});
  model.Operator(3, {x, w, b}, {y}, 1, ConvOptions(kSamePadding, 3, 2, 3));
  model.Output(y);
  return model;
}

TEST(TfliteImport, Conv2D) {
  const Graph graph = MustImport(ConvModel());
  EXPECT_EQ(graph.name, "test.tflite");
  ASSERT_EQ(graph.nodes.size(), 1u);
  const Node& node = graph.nodes[0];
  EXPECT_EQ(node.kind, OpKind::kConv2D);
  EXPECT_EQ(node.source_op, "CONV_2D");
  EXPECT_EQ(node.inputs, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(node.outputs, (std::vector<int>{3}));
  const auto& attrs = std::get<Conv2DAttrs>(node.attrs);
  EXPECT_EQ(attrs.stride_h, 2);
  EXPECT_EQ(attrs.stride_w, 3);
  // Height: 5 outputs need (5-1)*2+3 = 11 rows of 9: 1 and 1. Width: (4-1)*3+2 = 11 of 10: 0, 1.
  EXPECT_EQ(attrs.padding.top, 1);
  EXPECT_EQ(attrs.padding.bottom, 1);
  EXPECT_EQ(attrs.padding.left, 0);
  EXPECT_EQ(attrs.padding.right, 1);
  EXPECT_EQ(attrs.activation, Activation::kRelu6);
  EXPECT_EQ(NodeMacs(graph, node), 5 * 4 * 5 * 3 * 2 * 8);
  const Tensor& weights = graph.tensors[1];
  EXPECT_TRUE(weights.is_constant);
  EXPECT_EQ(weights.data.size(), 240u);
  EXPECT_EQ(static_cast<int8_t>(weights.data[127]), -128);
  EXPECT_TRUE(weights.quant.per_channel());
  const Tensor& input = graph.tensors[0];
  EXPECT_FALSE(input.is_constant);
  EXPECT_EQ(input.quant.scales, std::vector<float>{0.5f});
  EXPECT_EQ(input.quant.zero_points, std::vector<int64_t>{-3});
  EXPECT_TRUE(RequireSupported(graph).has_value());
}

TEST(TfliteImport, ConvWithoutBiasHasThreeInputs) {
  for (const bool listed : {false, true}) {
    ModelBuilder model = ConvModel();
    model.operators[0].Vector<int32_t>(
        1, listed ? std::vector<int32_t>{0, 1, -1} : std::vector<int32_t>{0, 1});
    const Graph graph = MustImport(model);
    ASSERT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.nodes[0].kind, OpKind::kConv2D);
    EXPECT_EQ(graph.nodes[0].inputs, (std::vector<int>{0, 1, -1}));
  }
}

TEST(TfliteImport, ValidPaddingIsZero) {
  ModelBuilder model = ConvModel();
  model.tensors[3].Vector<int32_t>(0, {1, 4, 3, 5});
  model.operators[0].Child(4, ConvOptions(kValidPadding, 3, 2));
  const Graph graph = MustImport(model);
  ASSERT_EQ(graph.nodes.size(), 1u);
  const Padding2D& padding = std::get<Conv2DAttrs>(graph.nodes[0].attrs).padding;
  EXPECT_EQ(padding.top + padding.bottom + padding.left + padding.right, 0);
}

TEST(TfliteImport, DilationOfAKernelOfOneIsNone) {
  ModelBuilder model = ConvModel();
  model.operators[0].At(4).I32(4, 2);  // dilation_w on a kernel 2 wide
  EXPECT_THAT(Why(model), HasSubstr("dilation 1x2"));
  ModelBuilder pointwise;
  const int x = pointwise.Input("x", {1, 4, 4, 8});
  const int w = pointwise.Weights("w", {3, 1, 1, 8});
  const int y = pointwise.Activation("y", {1, 4, 4, 3});
  pointwise.Operator(3, {x, w}, {y}, 1, ConvOptions(kSamePadding, 1, 1).I32(4, 2).I32(5, 2));
  pointwise.Output(y);
  EXPECT_EQ(Why(pointwise), "");
}

// DEPTHWISE_CONV_2D of 3 channels with multiplier 4 and kernel 4x1, stride 2, SAME.
ModelBuilder DepthwiseModel(int32_t multiplier_attribute) {
  ModelBuilder model;
  const int x = model.Input("x", {2, 7, 5, 3});
  const int w = model.Weights("w", {1, 4, 1, 12}, 3);
  const int y = model.Activation("y", {2, 4, 3, 12});
  model.Operator(4, {x, w}, {y}, 2,
                 Table()
                     .I8(0, kSamePadding)
                     .I32(1, 2)
                     .I32(2, 2)
                     .I32(3, multiplier_attribute)
                     .I8(4, 2)
                     .I32(5, 1)
                     .I32(6, 1));
  model.Output(y);
  return model;
}

TEST(TfliteImport, DepthwiseMultiplierComesFromTheShapes) {
  for (const int attribute : {0, 1, 4, 99}) {
    const Graph graph = MustImport(DepthwiseModel(attribute));
    ASSERT_EQ(graph.nodes.size(), 1u);
    ASSERT_EQ(graph.nodes[0].kind, OpKind::kDepthwiseConv2D);
    const auto& attrs = std::get<DepthwiseConv2DAttrs>(graph.nodes[0].attrs);
    EXPECT_EQ(attrs.multiplier, 4);
    EXPECT_EQ(attrs.activation, Activation::kReluN1To1);
    // (4-1)*2+4 = 10 rows of 7: 1 before, 2 after.
    EXPECT_EQ(attrs.padding.top, 1);
    EXPECT_EQ(attrs.padding.bottom, 2);
    EXPECT_EQ(attrs.padding.left, 0);
    EXPECT_EQ(attrs.padding.right, 0);
    EXPECT_EQ(NodeMacs(graph, graph.nodes[0]), 2 * 4 * 3 * 12 * 4);
  }
}

// FULLY_CONNECTED of a 3x2x4 input flattened to 3 rows of 8.
ModelBuilder FullyConnectedModel(const std::vector<int32_t>& output_shape) {
  ModelBuilder model;
  const int x = model.Input("x", {3, 2, 4});
  const int w = model.Weights("w", {10, 8});
  const int y = model.Activation("y", output_shape);
  model.Operator(9, {x, w, -1}, {y}, 8, Table().I8(0, 1));
  model.Output(y);
  return model;
}

TEST(TfliteImport, FullyConnectedFlattens) {
  const Graph graph = MustImport(FullyConnectedModel({3, 10}));
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].kind, OpKind::kFullyConnected);
  EXPECT_EQ(std::get<FullyConnectedAttrs>(graph.nodes[0].attrs).activation, Activation::kRelu);
  EXPECT_EQ(NodeMacs(graph, graph.nodes[0]), 3 * 8 * 10);
}

TEST(TfliteImport, FullyConnectedKeepsDimensions) {
  ModelBuilder model;
  const int x = model.Input("x", {1, 3, 8});
  const int w = model.Weights("w", {10, 8});
  const int y = model.Activation("y", {1, 3, 10});
  model.Operator(9, {x, w}, {y}, 8, Table().Scalar<uint8_t>(2, 1));
  model.Output(y);
  EXPECT_EQ(Why(model), "");
  model.operators[0].At(4).I8(1, 1);
  EXPECT_THAT(Why(model), HasSubstr("weights in format 1"));
}

TEST(TfliteImport, FullyConnectedOutputMustFit) {
  EXPECT_THAT(ImportError(FullyConnectedModel({10, 3})), HasSubstr("3 rows of 10"));
  EXPECT_THAT(ImportError(FullyConnectedModel({4, 10})), HasSubstr("3 rows of 10"));
}

ModelBuilder AddModel(const std::vector<int32_t>& second_shape) {
  ModelBuilder model;
  const int a = model.Input("a", {1, 2, 3, 4});
  const int b = model.Input("b", second_shape, 0.125f, 7);
  const int y = model.Activation("y", {1, 2, 3, 4});
  model.Operator(0, {a, b}, {y}, 11, Table().I8(0, 1));
  model.Output(y);
  return model;
}

TEST(TfliteImport, Add) {
  const Graph graph = MustImport(AddModel({1, 2, 3, 4}));
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].kind, OpKind::kAdd);
  EXPECT_EQ(std::get<AddAttrs>(graph.nodes[0].attrs).activation, Activation::kRelu);
  EXPECT_EQ(NodeMacs(graph, graph.nodes[0]), 0);
  EXPECT_THAT(Why(AddModel({4})), HasSubstr("broadcasting 4 over 1x2x3x4"));
}

ModelBuilder PoolModel(int32_t code) {
  ModelBuilder model;
  const int x = model.Input("x", {1, 7, 6, 3});
  const int y = model.Activation("y", {1, 4, 2, 3});
  model.Operator(code, {x}, {y}, 5,
                 Table().I8(0, kSamePadding).I32(1, 3).I32(2, 2).I32(3, 4).I32(4, 3).I8(5, 3));
  model.Output(y);
  return model;
}

TEST(TfliteImport, Pools) {
  for (const auto& [code, kind] :
       {std::pair{1, OpKind::kAveragePool2D}, std::pair{17, OpKind::kMaxPool2D}}) {
    const Graph graph = MustImport(PoolModel(code));
    ASSERT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.nodes[0].kind, kind);
    const auto& attrs = std::get<Pool2DAttrs>(graph.nodes[0].attrs);
    EXPECT_EQ(attrs.filter_h, 3);
    EXPECT_EQ(attrs.filter_w, 4);
    EXPECT_EQ(attrs.stride_h, 2);
    EXPECT_EQ(attrs.stride_w, 3);
    EXPECT_EQ(attrs.padding.top, 1);
    EXPECT_EQ(attrs.padding.bottom, 1);
    EXPECT_EQ(attrs.padding.left, 0);
    EXPECT_EQ(attrs.padding.right, 1);
    EXPECT_EQ(attrs.activation, Activation::kRelu6);
  }
}

TEST(TfliteImport, PoolThatRescalesIsUnsupported) {
  ModelBuilder model = PoolModel(1);
  model.tensors[1].Child(4, ModelBuilder::Quantization({0.25f}, {-3}));
  EXPECT_THAT(Why(model), HasSubstr("different quantisation"));
}

ModelBuilder PadModel(bool with_value) {
  ModelBuilder model;
  const int x = model.Input("x", {1, 4, 5, 2});
  const int p = model.Int32s("p", {4, 2}, {0, 0, 1, 2, 3, 0, 0, 1});
  const int y = model.Activation("y", {1, 7, 8, 3});
  std::vector<int32_t> inputs = {x, p};
  if (with_value) {
    inputs.push_back(model.Tensor("v", {1}, ModelBuilder::kInt8, {static_cast<uint8_t>(-100)}));
    model.tensors.back().Child(4, ModelBuilder::Quantization({0.5f}, {-3}));
  }
  model.Operator(with_value ? 60 : 34, inputs, {y});
  model.Output(y);
  return model;
}

TEST(TfliteImport, PadResolvesItsPaddings) {
  for (const bool with_value : {false, true}) {
    const Graph graph = MustImport(PadModel(with_value));
    ASSERT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.nodes[0].kind, OpKind::kPad);
    EXPECT_EQ(graph.nodes[0].inputs, std::vector<int>{0});
    const auto& attrs = std::get<PadAttrs>(graph.nodes[0].attrs);
    EXPECT_EQ(attrs.before, (std::vector<int>{0, 1, 3, 0}));
    EXPECT_EQ(attrs.after, (std::vector<int>{0, 2, 0, 1}));
    EXPECT_EQ(attrs.value, with_value ? -100 : -3);
  }
}

TEST(TfliteImport, PadWithInt64Paddings) {
  ModelBuilder model = PadModel(false);
  std::vector<uint8_t> data(64);
  const std::vector<int64_t> paddings = {0, 0, 1, 2, 3, 0, 0, 1};
  std::memcpy(data.data(), paddings.data(), data.size());
  model.buffers[1].Vector<uint8_t>(0, data);
  model.tensors[1].I8(1, ModelBuilder::kInt64);
  EXPECT_EQ(Why(model), "");
}

TEST(TfliteImport, PadRefusesNegativeAndTooFew) {
  ModelBuilder model = PadModel(false);
  std::vector<uint8_t> data(32, 0);
  data[3] = 0x80;  // INT32_MIN
  model.buffers[1].Vector<uint8_t>(0, data);
  EXPECT_THAT(ImportError(model), HasSubstr("padding -2147483648"));
  ModelBuilder few = PadModel(false);
  few.tensors[1].Vector<int32_t>(0, {3, 2});
  few.buffers[1].Vector<uint8_t>(0, std::vector<uint8_t>(24, 0));
  EXPECT_THAT(ImportError(few), HasSubstr("6 paddings for an input of rank 4"));
}

TEST(TfliteImport, Views) {
  for (const auto& [code, kind] : {std::pair{22, OpKind::kReshape}, std::pair{43, OpKind::kSqueeze},
                                   std::pair{70, OpKind::kExpandDims}}) {
    ModelBuilder model;
    const int x = model.Input("x", {1, 1, 6, 4});
    const int y = model.Activation("y", {6, 4});
    const int shape = model.Int32s("shape", {2}, {-1, 4});
    std::vector<int32_t> inputs = {x};
    if (code != 43) inputs.push_back(shape);
    model.Operator(code, inputs, {y});
    model.Output(y);
    const Graph graph = MustImport(model);
    ASSERT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.nodes[0].kind, kind);
    EXPECT_EQ(graph.nodes[0].inputs, std::vector<int>{0});
  }
}

TEST(TfliteImport, ReshapeMustAgreeWithItsOutput) {
  ModelBuilder model;
  const int x = model.Input("x", {1, 24});
  const int shape = model.Int32s("shape", {2}, {-1, 3});
  const int y = model.Activation("y", {6, 4});
  model.Operator(22, {x, shape}, {y});
  model.Output(y);
  EXPECT_THAT(ImportError(model), HasSubstr("asks for the shape -1x3"));
  model.operators[0].Vector<int32_t>(1, {x});
  EXPECT_EQ(ImportError(model), "");
  model.tensors[2].Vector<int32_t>(0, {6, 5});
  EXPECT_THAT(ImportError(model), HasSubstr("keeps the number of elements"));
}

ModelBuilder SoftmaxModel(float scale, int64_t zero_point, float beta) {
  ModelBuilder model;
  const int x = model.Input("x", {1, 10});
  const int y = model.Activation("y", {1, 10}, scale, zero_point);
  model.Operator(25, {x}, {y}, 9, Table().F32(0, beta));
  model.Output(y);
  return model;
}

TEST(TfliteImport, Softmax) {
  const Graph graph = MustImport(SoftmaxModel(1.0f / 256, -128, 1.5f));
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].kind, OpKind::kSoftmax);
  EXPECT_EQ(std::get<SoftmaxAttrs>(graph.nodes[0].attrs).beta, 1.5f);
  EXPECT_THAT(Why(SoftmaxModel(1.0f / 128, -128, 1)), HasSubstr("1/256"));
  EXPECT_THAT(Why(SoftmaxModel(1.0f / 256, 0, 1)), HasSubstr("1/256"));
  EXPECT_THAT(ImportError(SoftmaxModel(1.0f / 256, -128, 0)), HasSubstr("beta 0"));
}

TEST(TfliteImport, StandAloneActivations) {
  for (const auto& [code, activation] :
       {std::pair{19, Activation::kRelu}, std::pair{20, Activation::kReluN1To1},
        std::pair{21, Activation::kRelu6}}) {
    ModelBuilder model;
    const int x = model.Input("x", {3, 5});
    const int y = model.Activation("y", {3, 5}, 0.125f, -128);
    model.Operator(code, {x}, {y});
    model.Output(y);
    const Graph graph = MustImport(model);
    ASSERT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.nodes[0].kind, OpKind::kRelu);
    EXPECT_EQ(std::get<ActivationAttrs>(graph.nodes[0].attrs).activation, activation);
  }
}

// float32 -> QUANTIZE -> int8 -> DEQUANTIZE -> float32.
ModelBuilder QuantizeModel() {
  ModelBuilder model;
  const int x = model.Tensor("x", {4}, ModelBuilder::kFloat32);
  const int q = model.Activation("q", {4});
  const int y = model.Tensor("y", {4}, ModelBuilder::kFloat32);
  model.inputs = {x};
  model.Operator(114, {x}, {q});
  model.Operator(6, {q}, {y});
  model.Output(y);
  return model;
}

TEST(TfliteImport, QuantizeAndDequantizeAtTheEdge) {
  const Graph graph = MustImport(QuantizeModel());
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[0].kind, OpKind::kQuantize);
  EXPECT_EQ(graph.nodes[1].kind, OpKind::kDequantize);
  EXPECT_EQ(graph.tensors[0].type, DType::kFloat32);
}

TEST(TfliteImport, FloatInsideTheGraphIsUnsupported) {
  ModelBuilder model = QuantizeModel();
  const int z = model.Activation("z", {4});
  model.Operator(114, {2}, {z});
  model.outputs = {z};
  EXPECT_EQ(Why(model, 0), "");
  EXPECT_THAT(Why(model, 1), HasSubstr("float32 inside the graph: tensor 2 'y'"));
  EXPECT_THAT(Why(model, 2), HasSubstr("float32 inside the graph: tensor 2 'y'"));
}

TEST(TfliteImport, RequantizeKeepsInt8) {
  ModelBuilder model = QuantizeModel();
  model.tensors[0].I8(1, ModelBuilder::kInt8);
  model.tensors[0].Child(4, ModelBuilder::Quantization({0.1f}, {5}));
  EXPECT_EQ(Why(model, 0), "");
  model.tensors[0].I8(1, ModelBuilder::kUint8);
  EXPECT_THAT(Why(model, 0), HasSubstr("uint8 activations"));
}

// What makes CONV_2D unsupported. Each case is a change to ConvModel() and a part of the reason.
struct UnsupportedCase {
  const char* name;
  std::function<void(ModelBuilder*)> change;
  const char* why;
};

class TfliteUnsupported : public ::testing::TestWithParam<UnsupportedCase> {};

TEST_P(TfliteUnsupported, IsKeptWithItsReason) {
  ModelBuilder model = ConvModel();
  GetParam().change(&model);
  const Graph graph = MustImport(model);
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].kind, OpKind::kUnsupported);
  EXPECT_THAT(graph.nodes[0].unsupported_why, HasSubstr(GetParam().why));
  EXPECT_EQ(NodeMacs(graph, graph.nodes[0]), 0);
  const Status status = RequireSupported(graph);
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message,
              HasSubstr("test.tflite: operator 0 (CONV_2D), which computes tensor 3 'y', is not"
                        " supported: "));
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    Conv, TfliteUnsupported,
    ::testing::Values(
        UnsupportedCase{"Grouped",
                        [](ModelBuilder* m) {
                          m->tensors[0].Vector<int32_t>(0, {1, 9, 10, 24});
                        },
                        "grouped convolution (3 groups)"},
        UnsupportedCase{"Uint8",
                        [](ModelBuilder* m) {
                          for (int i : {0, 1, 3}) m->tensors[i].I8(1, ModelBuilder::kUint8);
                        },
                        "uint8 activations (tensor 0 'x')"},
        UnsupportedCase{"Int16",
                        [](ModelBuilder* m) {
                          for (int i : {0, 3}) m->tensors[i].I8(1, ModelBuilder::kInt16);
                        },
                        "int16 activations (tensor 0 'x')"},
        UnsupportedCase{"Float16", [](ModelBuilder* m) { m->tensors[0].I8(1, 1); },
                        "float16 activations (tensor 0 'x')"},
        UnsupportedCase{"Hybrid",
                        [](ModelBuilder* m) {
                          for (int i : {0, 3}) m->tensors[i].I8(1, ModelBuilder::kFloat32);
                        },
                        "hybrid: float32 activations (tensor 0 'x') with int8 weights"},
        UnsupportedCase{"Float",
                        [](ModelBuilder* m) {
                          for (int i : {0, 1, 3}) m->tensors[i].I8(1, ModelBuilder::kFloat32);
                          m->buffers[1].Vector<uint8_t>(0, std::vector<uint8_t>(960));
                        },
                        "the model is not quantised"},
        UnsupportedCase{"Int4Weights",
                        [](ModelBuilder* m) {
                          m->tensors[1].I8(1, ModelBuilder::kInt4);
                          m->buffers[1].Vector<uint8_t>(0, std::vector<uint8_t>(120));
                        },
                        "int4 weights"},
        UnsupportedCase{"WeightZeroPoint",
                        [](ModelBuilder* m) {
                          m->tensors[1].At(4).Vector<int64_t>(3, {0, 0, 9, 0, 0});
                        },
                        "zero point 9"},
        UnsupportedCase{"DynamicWeights",
                        [](ModelBuilder* m) {
                          m->tensors[1].Scalar<uint32_t>(2, 0);
                          m->inputs.push_back(1);
                        },
                        "weights (tensor 1 'w') computed at run time"},
        UnsupportedCase{"DynamicBias",
                        [](ModelBuilder* m) {
                          m->tensors[2].Scalar<uint32_t>(2, 0);
                          m->inputs.push_back(2);
                        },
                        "bias (tensor 2 'b') computed at run time"},
        UnsupportedCase{"Int64Bias",
                        [](ModelBuilder* m) {
                          m->tensors[2].I8(1, ModelBuilder::kInt64);
                          m->buffers[2].Vector<uint8_t>(0, std::vector<uint8_t>(40));
                        },
                        "int64 bias"},
        UnsupportedCase{"SparseWeights",
                        [](ModelBuilder* m) {
                          m->tensors[1].Child(6, Table());
                          m->buffers[1].Vector<uint8_t>(0, std::vector<uint8_t>(17));
                        },
                        "tensor 1 'w' is stored sparse"},
        UnsupportedCase{"Variable", [](ModelBuilder* m) { m->tensors[0].Scalar<uint8_t>(5, 1); },
                        "tensor 0 'x' is a variable"},
        UnsupportedCase{"BlockwiseQuantization",
                        [](ModelBuilder* m) { m->tensors[1].At(4).Scalar<uint8_t>(4, 2); },
                        "other means than scale and zero point"},
        UnsupportedCase{"PerChannelActivation",
                        [](ModelBuilder* m) {
                          m->tensors[0].Child(
                              4, ModelBuilder::Quantization(std::vector<float>(8, 1.0f), {0}, 3));
                        },
                        "scale for each channel"},
        UnsupportedCase{"NoQuantization", [](ModelBuilder* m) { m->tensors[3].Remove(4); },
                        "tensor 3 'y' has no scale"},
        UnsupportedCase{"NoWeightScale", [](ModelBuilder* m) { m->tensors[1].Remove(4); },
                        "tensor 1 'w' has no scale"},
        UnsupportedCase{"FusedTanh", [](ModelBuilder* m) { m->operators[0].At(4).I8(3, 4); },
                        "fused activation TANH"},
        UnsupportedCase{"FusedSign", [](ModelBuilder* m) { m->operators[0].At(4).I8(3, 5); },
                        "fused activation SIGN_BIT"},
        UnsupportedCase{"Rank3",
                        [](ModelBuilder* m) {
                          m->tensors[0].Vector<int32_t>(0, {9, 10, 8});
                        },
                        "has rank 3"},
        UnsupportedCase{"Rank5",
                        [](ModelBuilder* m) {
                          m->tensors[0].Vector<int32_t>(0, {1, 1, 9, 10, 8});
                        },
                        "has rank 5"},
        UnsupportedCase{"EmptyShape",
                        [](ModelBuilder* m) {
                          m->tensors[0].Vector<int32_t>(0, {1, 0, 10, 8});
                        },
                        "empty or unknown shape"},
        UnsupportedCase{"ConstantData",
                        [](ModelBuilder* m) {
                          m->buffers.push_back(
                              Table().Vector<uint8_t>(0, std::vector<uint8_t>(720)));
                          m->tensors[0].Scalar<uint32_t>(2, 3);
                          m->inputs = {m->Input("unused", {1})};
                        },
                        "its data input, is constant"}),
    [](const auto& info) { return std::string(info.param.name); });

// Files that contradict the format or themselves: refused, with a message that says where.
struct DamagedCase {
  const char* name;
  std::function<void(ModelBuilder*)> change;
  const char* message;
};

class TfliteDamaged : public ::testing::TestWithParam<DamagedCase> {};

TEST_P(TfliteDamaged, IsRefused) {
  ModelBuilder model = ConvModel();
  GetParam().change(&model);
  const std::string message = ImportError(model);
  EXPECT_THAT(message, HasSubstr("test.tflite: "));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    Conv, TfliteDamaged,
    ::testing::Values(
        DamagedCase{"Version", [](ModelBuilder* m) { m->version = 2; }, "format version 2"},
        DamagedCase{"NoOperators", [](ModelBuilder* m) { m->operators.clear(); }, "no operators"},
        DamagedCase{"NoInputs", [](ModelBuilder* m) { m->inputs.clear(); }, "no inputs"},
        DamagedCase{"NoOutputs", [](ModelBuilder* m) { m->outputs.clear(); }, "no outputs"},
        DamagedCase{"BufferIndex", [](ModelBuilder* m) { m->tensors[1].Scalar<uint32_t>(2, 77); },
                    "tensor 1 'w' uses buffer 77 of 3"},
        DamagedCase{"OpcodeIndex", [](ModelBuilder* m) { m->operators[0].Scalar<uint32_t>(0, 9); },
                    "operator 0 has operator code 9 of 1"},
        DamagedCase{"InputIndex",
                    [](ModelBuilder* m) {
                      m->operators[0].Vector<int32_t>(1, {0, 1, 4});
                    },
                    "operator inputs refer to tensor 4 of 4"},
        DamagedCase{"NegativeInputIndex",
                    [](ModelBuilder* m) {
                      m->operators[0].Vector<int32_t>(1, {0, 1, -2});
                    },
                    "operator inputs refer to tensor -2 of 4"},
        DamagedCase{"OutputLeftOut",
                    [](ModelBuilder* m) { m->operators[0].Vector<int32_t>(2, {-1}); },
                    "operator outputs refer to tensor -1 of 4"},
        DamagedCase{"GraphInputIndex", [](ModelBuilder* m) { m->inputs = {-1}; },
                    "graph inputs refer to tensor -1 of 4"},
        DamagedCase{"GraphOutputIndex", [](ModelBuilder* m) { m->outputs = {12}; },
                    "graph outputs refer to tensor 12 of 4"},
        DamagedCase{"DataLeftOut",
                    [](ModelBuilder* m) {
                      m->operators[0].Vector<int32_t>(1, {-1, 1, 2});
                    },
                    "input 0 is left out"},
        DamagedCase{"TooFewInputs",
                    [](ModelBuilder* m) { m->operators[0].Vector<int32_t>(1, {0}); },
                    "has 1 inputs, 2 to 3 are possible"},
        DamagedCase{"TwoOutputs",
                    [](ModelBuilder* m) {
                      m->operators[0].Vector<int32_t>(2, {3, 0});
                    },
                    "has 2 outputs"},
        DamagedCase{"OptionsOfAnotherKind",
                    [](ModelBuilder* m) { m->operators[0].Scalar<uint8_t>(3, 5); },
                    "options of kind 5"},
        DamagedCase{"NoOptions", [](ModelBuilder* m) { m->operators[0].Remove(3).Remove(4); },
                    "strides 0 and 0"},
        DamagedCase{"Padding", [](ModelBuilder* m) { m->operators[0].At(4).I8(0, 2); },
                    "padding 2 is not defined"},
        DamagedCase{"Activation", [](ModelBuilder* m) { m->operators[0].At(4).I8(3, 6); },
                    "fused activation 6 is not defined"},
        DamagedCase{"NegativeStride", [](ModelBuilder* m) { m->operators[0].At(4).I32(1, -3); },
                    "strides 2 and -3"},
        DamagedCase{"NegativeDilation", [](ModelBuilder* m) { m->operators[0].At(4).I32(4, -1); },
                    "dilations 1 and -1"},
        DamagedCase{"NegativeDimension",
                    [](ModelBuilder* m) {
                      m->tensors[0].Vector<int32_t>(0, {-1, 9, 10, 8});
                    },
                    "negative dimension"},
        DamagedCase{"HugeShape",
                    [](ModelBuilder* m) {
                      m->tensors[0].Vector<int32_t>(0, {65536, 65536, 65536, 65536});
                    },
                    "more than 2147483647 elements"},
        DamagedCase{
            "DataTooShort",
            [](ModelBuilder* m) { m->buffers[1].Vector<uint8_t>(0, std::vector<uint8_t>(239)); },
            "needs 240 bytes of data, 239 are there"},
        DamagedCase{"OutputShape",
                    [](ModelBuilder* m) {
                      m->tensors[3].Vector<int32_t>(0, {1, 5, 5, 5});
                    },
                    "tensor 3 'y' has shape 1x5x5x5, but 1x5x4x5 follows"},
        DamagedCase{"WeightChannels",
                    [](ModelBuilder* m) {
                      m->tensors[0].Vector<int32_t>(0, {1, 9, 10, 9});
                    },
                    "has 8 input channels"},
        DamagedCase{"BiasShape",
                    [](ModelBuilder* m) {
                      m->tensors[2].Vector<int32_t>(0, {1, 5});
                    },
                    "tensor 2 'b' has shape 1x5, but 5 follows"},
        DamagedCase{"ZeroPointCount",
                    [](ModelBuilder* m) {
                      m->tensors[1].At(4).Vector<int64_t>(3, {0, 0});
                    },
                    "5 scales but 2 zero points"},
        DamagedCase{"ScaleCount",
                    [](ModelBuilder* m) {
                      m->tensors[1].Child(4, ModelBuilder::Quantization({1, 1, 1}, {0}));
                    },
                    "has 3 scales, needs 1 or 5"},
        DamagedCase{"ScaleAxis", [](ModelBuilder* m) { m->tensors[1].At(4).I32(6, 3); },
                    "scales along axis 3, needs axis 0"},
        DamagedCase{"ZeroScale",
                    [](ModelBuilder* m) { m->tensors[0].At(4).Vector<float>(2, {0.0f}); },
                    "scale 0; scales must be finite and positive"},
        DamagedCase{"NanScale",
                    [](ModelBuilder* m) {
                      m->tensors[0].At(4).Vector<float>(2,
                                                        {std::numeric_limits<float>::quiet_NaN()});
                    },
                    "scales must be finite and positive"},
        DamagedCase{"ZeroPointRange",
                    [](ModelBuilder* m) { m->tensors[0].At(4).Vector<int64_t>(3, {128}); },
                    "zero point 128, outside int8"},
        DamagedCase{"HugeMultiplier",
                    [](ModelBuilder* m) { m->tensors[0].At(4).Vector<float>(2, {1e30f}); },
                    "requantisation factor"},
        DamagedCase{"OutputIsAnInput",
                    [](ModelBuilder* m) {
                      m->inputs = {0, 3};
                    },
                    "is an output, but also constant or a graph input"},
        DamagedCase{"InputNeverProduced",
                    [](ModelBuilder* m) { m->inputs = {m->Input("other", {1})}; },
                    "tensor 0 'x' is read before any operator has produced it"},
        DamagedCase{"OutputNeverProduced",
                    [](ModelBuilder* m) { m->outputs = {m->Activation("z", {1})}; },
                    "graph output tensor 4 'z' is produced by no operator"},
        DamagedCase{"ConstantInput",
                    [](ModelBuilder* m) {
                      m->inputs = {0, 1};
                    },
                    "graph input tensor 1 'w' is constant"},
        DamagedCase{"InputTwice", [](ModelBuilder* m) { m->inputs = {0, 0}; },
                    "graph input tensor 0 'x' is listed twice"},
        DamagedCase{
            "ProducedTwice",
            [](ModelBuilder*
                   m) { m->Operator(3, {0, 1, 2}, {3}, 1, ConvOptions(kSamePadding, 3, 2)); },
            "tensor 3 'y' is produced a second time"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TfliteImport, OtherOperatorsAreListedByName) {
  ModelBuilder model = ConvModel();
  const int z = model.Activation("z", {1, 5, 4, 5});
  const int u = model.Activation("u", {1, 5, 4, 5});
  model.Operator(117, {3}, {z});  // HARD_SWISH
  model.Operator(32, {z}, {u});   // CUSTOM
  model.codes.back().String(1, "Fancy\nOp");
  model.outputs = {u};
  const Graph graph = MustImport(model);
  ASSERT_EQ(graph.nodes.size(), 3u);
  EXPECT_EQ(graph.nodes[1].source_op, "HARD_SWISH");
  EXPECT_EQ(graph.nodes[2].source_op, "CUSTOM:Fancy?Op");
  const Status status = RequireSupported(graph);
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message,
              HasSubstr("operator 1 (HARD_SWISH), which computes tensor 4 'z', is not supported"));
  EXPECT_THAT(status.error().message, HasSubstr("and 1 more unsupported operators"));
}

TEST(TfliteImport, CodesAbove127ComeFromTheSecondField) {
  ModelBuilder model = ConvModel();
  const int z = model.Activation("z", {1, 5, 4, 5});
  model.Operator(150, {3}, {z});
  model.outputs = {z};
  const Graph graph = MustImport(model);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[1].source_op, "GELU");
  EXPECT_EQ(tflite::BuiltinName(1000), "BUILTIN_1000");
}

TEST(TfliteImport, UnsupportedOperatorsMayReadStateAndEmptyTensors) {
  ModelBuilder model = ConvModel();
  const int state = model.Activation("state", {1, 20});
  model.tensors.back().Scalar<uint8_t>(5, 1);
  const int empty = model.Tensor("empty", {0}, ModelBuilder::kFloat32);
  const int z = model.Activation("z", {1, 20});
  model.Operator(16, {3, state, empty, -1}, {z});  // LSTM
  model.outputs = {z};
  const Graph graph = MustImport(model);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[1].source_op, "LSTM");
}

TEST(TfliteImport, FurtherGraphsAreUnsupported) {
  ModelBuilder model = ConvModel();
  model.further_graphs.push_back(Table().String(4, "loop_body"));
  const Graph graph = MustImport(model);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[0].kind, OpKind::kConv2D);
  EXPECT_EQ(graph.nodes[1].source_op, "SUBGRAPH 1");
  EXPECT_THAT(graph.nodes[1].unsupported_why, HasSubstr("'loop_body' (the file holds 2)"));
  EXPECT_FALSE(RequireSupported(graph).has_value());
}

TEST(TfliteImport, OneZeroPointServesAllScales) {
  ModelBuilder model = ConvModel();
  model.tensors[1].At(4).Vector<int64_t>(3, {0});
  EXPECT_EQ(MustImport(model).tensors[1].quant.zero_points, std::vector<int64_t>(5, 0));
  model.tensors[1].At(4).Remove(3);
  EXPECT_EQ(MustImport(model).tensors[1].quant.zero_points, std::vector<int64_t>(5, 0));
}

TEST(TfliteImport, BuffersMayBeShared) {
  ModelBuilder model = ConvModel();
  const int v = model.Activation("v", {5, 3, 2, 8});
  model.tensors[static_cast<size_t>(v)].Scalar<uint32_t>(2, 1);
  const Graph graph = MustImport(model);
  ASSERT_EQ(graph.tensors.size(), 5u);
  EXPECT_EQ(graph.tensors[4].data, graph.tensors[1].data);
}

TEST(TfliteImport, DataMayLieBehindTheModel) {
  ModelBuilder model = ConvModel();
  const std::vector<uint8_t> weights = MustImport(model).tensors[1].data;
  const size_t inside = model.Build().size();
  // The offset is part of the file whose length it depends on; any value of it has the same size.
  const auto with_offset = [&model](uint64_t offset, uint64_t size) {
    model.buffers[1] = Table().Scalar<uint64_t>(1, offset).Scalar<uint64_t>(2, size);
    return model.Build();
  };
  const uint64_t offset = with_offset(inside, weights.size()).size();
  std::vector<uint8_t> file = with_offset(offset, weights.size());
  ASSERT_EQ(file.size(), offset);
  file.insert(file.end(), weights.begin(), weights.end());
  const Result<Graph> graph = ImportTfliteBuffer(file, "large.tflite");
  ASSERT_TRUE(graph.has_value()) << graph.error().message;
  EXPECT_EQ(graph->tensors[1].data, weights);

  file.pop_back();
  const Result<Graph> cut = ImportTfliteBuffer(file, "large.tflite");
  ASSERT_FALSE(cut.has_value());
  EXPECT_THAT(cut.error().message, HasSubstr("buffer data after the model"));
  const Result<Graph> wild =
      ImportTfliteBuffer(with_offset(~uint64_t{0} - 3, weights.size()), "large.tflite");
  EXPECT_FALSE(wild.has_value());
}

TEST(TfliteImport, SignatureOfMinusOneKeepsTheStaticShape) {
  ModelBuilder model = ConvModel();
  model.tensors[0].Vector<int32_t>(7, {-1, 9, 10, 8});
  EXPECT_EQ(MustImport(model).tensors[0].shape, (std::vector<int32_t>{1, 9, 10, 8}));
}

TEST(TfliteImport, NamesBecomePrintable) {
  const auto imported = [](const std::string& name) {
    ModelBuilder model = ConvModel();
    model.tensors[0].String(3, name);
    return MustImport(model).tensors[0].name;
  };
  EXPECT_EQ(imported("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(imported("a\nb\x7f\xff"), "a?b??");
  EXPECT_EQ(imported("\xc2\x85"), "??");            // a control character
  EXPECT_EQ(imported("\xed\xa0\x80"), "???");       // half of a surrogate pair
  EXPECT_EQ(imported("\xe0\x9f\xbf"), "???");       // longer than it need be
  EXPECT_EQ(imported("\xf4\x90\x80\x80"), "????");  // beyond Unicode
  EXPECT_EQ(imported("\xe2\x82"), "??");            // cut short
}

// Tensors may share a buffer, but a file in which hundreds share a large one must not expand.
TEST(TfliteImport, RefusesFilesThatExpand) {
  ModelBuilder model = ConvModel();
  const std::vector<uint8_t> data(200000);
  const int big = model.Tensor("big", {200000}, ModelBuilder::kInt8, data);
  std::vector<uint8_t> small = model.Build();
  ASSERT_TRUE(ImportTfliteBuffer(small, "a").has_value());
  for (int i = 0; i < 500; ++i) {
    model.tensors.push_back(model.tensors[static_cast<size_t>(big)]);
  }
  EXPECT_THAT(ImportError(model), HasSubstr("over and over"));
}

TEST(TfliteImport, OtherFilesAreRefused) {
  const auto error = [](std::vector<uint8_t> bytes) {
    const Result<Graph> graph = ImportTfliteBuffer(bytes, "m");
    return graph ? std::string() : graph.error().message;
  };
  EXPECT_EQ(error({}), "m: the file is empty");
  EXPECT_THAT(error({'T', 'F', 'L', '3'}), HasSubstr("not a TensorFlow Lite model"));
  EXPECT_THAT(error(std::vector<uint8_t>(100, 0x55)), HasSubstr("not a TensorFlow Lite model"));
  EXPECT_THAT(error({8, 0, 0, 0, 'T', 'F', 'L', '3'}), HasSubstr("model at byte 8 of 8"));
  const Result<Graph> missing = ImportTflite("no/such/model.tflite");
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, HasSubstr("no/such/model.tflite: cannot be opened"));
}

}  // namespace
}  // namespace weft
