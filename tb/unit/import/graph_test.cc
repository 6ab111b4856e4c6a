// SPDX-License-Identifier: Apache-2.0
//
// The graph itself: sizes, names, MACs, and ValidateGraph on graphs built in memory (what the
// compiler builds never passes the importer's own checks, so ValidateGraph must not rely on them).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "weft/graph.h"

namespace weft {
namespace {

using ::testing::HasSubstr;

Tensor Activation(const std::string& name, std::vector<int32_t> shape) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = std::move(shape);
  tensor.quant = {{0.5f}, {-3}, 0};
  return tensor;
}

Tensor Constant(const std::string& name, std::vector<int32_t> shape, DType type) {
  Tensor tensor = Activation(name, std::move(shape));
  tensor.type = type;
  tensor.quant = type == DType::kInt8 ? Quantization{{0.25f}, {0}, 0} : Quantization{};
  tensor.is_constant = true;
  tensor.data.resize(tensor.ByteCount());
  return tensor;
}

// One operator: tensors[0] in, tensors[1] out, further ones constant inputs.
Graph OneNode(OpKind kind, decltype(Node::attrs) attrs, std::vector<Tensor> tensors) {
  Graph graph;
  graph.name = "g";
  Node node;
  node.kind = kind;
  node.source_op = OpKindName(kind);
  node.attrs = std::move(attrs);
  node.inputs = {0};
  for (size_t i = 2; i < tensors.size(); ++i) node.inputs.push_back(static_cast<int>(i));
  node.outputs = {1};
  graph.nodes = {node};
  graph.tensors = std::move(tensors);
  graph.inputs = {0};
  graph.outputs = {1};
  return graph;
}

Graph ConvGraph() {
  Conv2DAttrs attrs;
  attrs.padding = {1, 1, 1, 1};
  return OneNode(OpKind::kConv2D, attrs,
                 {Activation("x", {1, 6, 5, 4}), Activation("y", {1, 6, 5, 2}),
                  Constant("w", {2, 3, 3, 4}, DType::kInt8), Constant("b", {2}, DType::kInt32)});
}

Graph DepthwiseGraph() {
  DepthwiseConv2DAttrs attrs;
  attrs.multiplier = 2;
  attrs.stride_h = 2;
  return OneNode(OpKind::kDepthwiseConv2D, attrs,
                 {Activation("x", {2, 7, 5, 3}), Activation("y", {2, 3, 5, 6}),
                  Constant("w", {1, 3, 1, 6}, DType::kInt8)});
}

Graph FullyConnectedGraph() {
  return OneNode(
      OpKind::kFullyConnected, FullyConnectedAttrs{},
      {Activation("x", {2, 3, 4}), Activation("y", {2, 7}), Constant("w", {7, 12}, DType::kInt8)});
}

Graph AddGraph() {
  return OneNode(
      OpKind::kAdd, AddAttrs{},
      {Activation("x", {2, 3}), Activation("y", {2, 3}), Constant("c", {2, 3}, DType::kInt8)});
}

Graph PoolGraph() {
  Pool2DAttrs attrs;
  attrs.filter_h = attrs.stride_h = 2;
  return OneNode(OpKind::kMaxPool2D, attrs,
                 {Activation("x", {1, 4, 3, 5}), Activation("y", {1, 2, 3, 5})});
}

Graph PadGraph() {
  return OneNode(OpKind::kPad, PadAttrs{{0, 1}, {2, 0}, -3},
                 {Activation("x", {4, 3}), Activation("y", {6, 4})});
}

Graph ViewGraph() {
  return OneNode(OpKind::kReshape, ViewAttrs{},
                 {Activation("x", {4, 3}), Activation("y", {1, 12})});
}

Graph SoftmaxGraph() {
  Graph graph = OneNode(OpKind::kSoftmax, SoftmaxAttrs{},
                        {Activation("x", {2, 10}), Activation("y", {2, 10})});
  graph.tensors[1].quant = {{1.0f / 256}, {-128}, 0};
  return graph;
}

Graph ReluGraph() {
  return OneNode(OpKind::kRelu, ActivationAttrs{Activation::kRelu6},
                 {Activation("x", {3}), Activation("y", {3})});
}

Graph QuantizeGraph() {
  Graph graph =
      OneNode(OpKind::kQuantize, QuantizeAttrs{}, {Activation("x", {3}), Activation("y", {3})});
  graph.tensors[0].type = DType::kFloat32;
  graph.tensors[0].quant = {};
  return graph;
}

Graph DequantizeGraph() {
  Graph graph =
      OneNode(OpKind::kDequantize, QuantizeAttrs{}, {Activation("x", {3}), Activation("y", {3})});
  graph.tensors[1].type = DType::kFloat32;
  graph.tensors[1].quant = {};
  return graph;
}

TEST(GraphSizes, ElementsAndBytes) {
  Tensor tensor = Activation("t", {2, 3, 4});
  EXPECT_EQ(tensor.ElementCount(), 24);
  tensor.type = DType::kInt32;
  EXPECT_EQ(tensor.ByteCount(), 96u);
  tensor.shape = {};
  EXPECT_EQ(tensor.ElementCount(), 1);
  tensor.shape = {5, 0};
  EXPECT_EQ(tensor.ElementCount(), 0);
  tensor.shape = {1 << 30, 1 << 30, 1 << 30};
  EXPECT_EQ(tensor.ElementCount(), std::numeric_limits<int64_t>::max());
}

TEST(GraphSizes, TypesAgreeWithNumPy) {
  const std::vector<std::pair<DType, std::pair<const char*, size_t>>> types = {
      {DType::kInt8, {"int8", 1}},   {DType::kUint8, {"uint8", 1}},
      {DType::kInt16, {"int16", 2}}, {DType::kInt32, {"int32", 4}},
      {DType::kInt64, {"int64", 8}}, {DType::kFloat32, {"float32", 4}},
      {DType::kBool, {"bool", 1}},   {DType::kOther, {"other", 0}}};
  for (const auto& [type, expected] : types) {
    EXPECT_STREQ(DTypeName(type), expected.first);
    EXPECT_EQ(DTypeSize(type), expected.second);
  }
}

TEST(GraphMacs, CountEveryProduct) {
  const auto macs = [](const Graph& graph) { return NodeMacs(graph, graph.nodes[0]); };
  EXPECT_EQ(macs(ConvGraph()), 6 * 5 * 2 * 3 * 3 * 4);
  EXPECT_EQ(macs(DepthwiseGraph()), 2 * 3 * 5 * 6 * 3);
  EXPECT_EQ(macs(FullyConnectedGraph()), 2 * 12 * 7);
  EXPECT_EQ(macs(PoolGraph()), 0);
  EXPECT_EQ(macs(AddGraph()), 0);
}

TEST(ValidateGraph, AcceptsOneOfEachKind) {
  for (const auto& make :
       {ConvGraph, DepthwiseGraph, FullyConnectedGraph, AddGraph, PoolGraph, PadGraph, ViewGraph,
        SoftmaxGraph, ReluGraph, QuantizeGraph, DequantizeGraph}) {
    const Graph graph = make();
    const Status status = ValidateGraph(graph);
    EXPECT_TRUE(status.has_value()) << status.error().message;
  }
}

struct Fault {
  const char* name;
  Graph (*make)();
  std::function<void(Graph*)> change;
  const char* message;
};

template <typename Attrs>
Attrs& AttrsOf(Graph* graph) {
  return std::get<Attrs>(graph->nodes[0].attrs);
}

class ValidateGraphFaults : public ::testing::TestWithParam<Fault> {};

TEST_P(ValidateGraphFaults, AreReported) {
  Graph graph = GetParam().make();
  ASSERT_TRUE(ValidateGraph(graph).has_value());
  GetParam().change(&graph);
  const Status status = ValidateGraph(graph);
  ASSERT_FALSE(status.has_value());
  EXPECT_THAT(status.error().message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, ValidateGraphFaults,
    ::testing::Values(
        Fault{"GraphInputRange", ConvGraph, [](Graph* g) { g->inputs = {9}; },
              "graph input 9 is not a tensor"},
        Fault{"GraphOutputRange", ConvGraph, [](Graph* g) { g->outputs = {-1}; },
              "graph output -1 is not a tensor"},
        Fault{"OutputIsAnInput", ConvGraph, [](Graph* g) { g->outputs = {0}; },
              "graph output tensor 0 'x' is produced by no operator"},
        Fault{"NodeInputRange", ConvGraph, [](Graph* g) { g->nodes[0].inputs[0] = 77; },
              "operator 0 (CONV_2D): input 77 is not a tensor"},
        Fault{"NodeInputBelowMinusOne", ConvGraph, [](Graph* g) { g->nodes[0].inputs[2] = -2; },
              "input -2 is not a tensor"},
        Fault{"NodeOutputRange", ConvGraph, [](Graph* g) { g->nodes[0].outputs[0] = -1; },
              "output -1 is not a tensor"},
        Fault{"Order", ViewGraph,
              [](Graph* g) {
                g->nodes.push_back(g->nodes[0]);
                g->tensors.push_back(g->tensors[1]);
                g->nodes[0].inputs = {2};
                g->nodes[1].outputs = {2};
              },
              "tensor 2 'y' is read before"},
        Fault{"MissingData", ConvGraph, [](Graph* g) { g->tensors[2].data.pop_back(); },
              "needs 72 bytes of data, 71 are there"},
        Fault{"UnexpectedData", ConvGraph, [](Graph* g) { g->tensors[1].data.resize(60); },
              "not constant, yet it has data"},
        Fault{"ZeroPointsMissing", ConvGraph,
              [](Graph* g) { g->tensors[0].quant.zero_points.clear(); },
              "1 scales but 0 zero points"},
        Fault{"NegativeDimension", ViewGraph, [](Graph* g) { g->tensors[0].shape = {-4, -3}; },
              "negative dimension"},
        Fault{"TooManyElements", ViewGraph,
              [](Graph* g) { g->tensors[0].shape = {1 << 16, 1 << 15}; }, "more than 2147483647"},
        Fault{"UnsupportedWithoutReason", ConvGraph,
              [](Graph* g) { g->nodes[0].kind = OpKind::kUnsupported; }, "without a reason"},
        Fault{"AttributesOfAnotherKind", ConvGraph,
              [](Graph* g) { g->nodes[0].attrs = AddAttrs{}; }, "attributes of another"},
        Fault{"NoAttributes", ViewGraph, [](Graph* g) { g->nodes[0].attrs = {}; },
              "attributes of another"},
        Fault{"TooManyInputs", ViewGraph, [](Graph* g) { g->nodes[0].inputs = {0, -1}; },
              "has 2 inputs, needs 1"},
        Fault{"TooFewInputs", ConvGraph, [](Graph* g) { g->nodes[0].inputs = {0}; },
              "has 1 inputs, needs 2 to 3"},
        Fault{"WeightsLeftOut", ConvGraph, [](Graph* g) { g->nodes[0].inputs = {0, -1}; },
              "input 1 is missing"},
        Fault{"NoOutput", ConvGraph, [](Graph* g) { g->nodes[0].outputs.clear(); },
              "has 0 outputs"},
        Fault{"Rank5", ViewGraph, [](Graph* g) { g->tensors[0].shape = {1, 1, 1, 4, 3}; },
              "rank 5, at most 4"},
        Fault{"Empty", ViewGraph, [](Graph* g) { g->tensors[0].shape = {0}; }, "is empty"},
        Fault{"ConvInputType", ConvGraph,
              [](Graph* g) { g->tensors[0].type = DType::kUint8; },
              "tensor 0 'x' is uint8, int8 is needed"},
        Fault{"ConvKernelLargerThanImage", ConvGraph,
              [](Graph* g) {
                g->tensors[0].shape = {1, 1, 1, 4};
                AttrsOf<Conv2DAttrs>(g).padding = {};
              },
              "window of 3 does not fit an input of 1"},
        Fault{"ConvPaddingOfAWindow", ConvGraph,
              [](Graph* g) { AttrsOf<Conv2DAttrs>(g).padding.left = 3; },
              "padding 3 and 1 does not fit a window of 3"},
        Fault{"ConvNegativePadding", ConvGraph,
              [](Graph* g) { AttrsOf<Conv2DAttrs>(g).padding.bottom = -1; },
              "padding 1 and -1"},
        Fault{"ConvStride", ConvGraph, [](Graph* g) { AttrsOf<Conv2DAttrs>(g).stride_w = 0; },
              "stride 0"},
        Fault{"ConvDilation", ConvGraph,
              [](Graph* g) { AttrsOf<Conv2DAttrs>(g).dilation_h = 2; },
              "tensor 1 'y' has shape 1x6x5x2, but 1x4x5x2 follows"},
        Fault{"ConvBiasType", ConvGraph,
              [](Graph* g) { g->tensors[3] = Constant("b", {2}, DType::kInt64); },
              "tensor 3 'b' is int64, int32 is needed"},
        Fault{"ConvBiasNotConstant", ConvGraph,
              [](Graph* g) {
                g->tensors[3].is_constant = false;
                g->tensors[3].data.clear();
                g->inputs = {0, 3};
              },
              "bias must be constant"},
        Fault{"ConvWeightsNotConstant", ConvGraph,
              [](Graph* g) {
                g->tensors[2].is_constant = false;
                g->tensors[2].data.clear();
                g->inputs = {0, 2};
              },
              "weights must be constant"},
        Fault{"ConvWeightZeroPoint", ConvGraph,
              [](Graph* g) { g->tensors[2].quant.zero_points = {1}; }, "weight zero point 1"},
        Fault{"ConvInfiniteScale", ConvGraph,
              [](Graph* g) {
                g->tensors[2].quant.scales = {std::numeric_limits<float>::infinity()};
              },
              "scales must be finite"},
        Fault{"ConvMultiplier", ConvGraph,
              [](Graph* g) { g->tensors[1].quant.scales = {1e-10f}; }, "requantisation factor"},
        Fault{"ConvFloat32Product", ConvGraph,
              [](Graph* g) {
                for (int i : {0, 2}) g->tensors[i].quant.scales = {1e20f};
                g->tensors[1].quant.scales = {3e38f};
              },
              "requantisation factor inf"},
        Fault{"ConvRelu6Scale", ConvGraph,
              [](Graph* g) {
                AttrsOf<Conv2DAttrs>(g).activation = Activation::kRelu6;
                for (int i : {0, 1}) g->tensors[i].quant.scales = {1e-9f};
              },
              "too small for the activation's limits"},
        Fault{"DepthwiseMultiplier", DepthwiseGraph,
              [](Graph* g) { AttrsOf<DepthwiseConv2DAttrs>(g).multiplier = 3; },
              "(3 channels * multiplier 3)"},
        Fault{"DepthwiseScaleAxis", DepthwiseGraph,
              [](Graph* g) {
                g->tensors[2].quant = {std::vector<float>(6, 1.0f), std::vector<int64_t>(6, 0), 0};
              },
              "scales along axis 0, needs axis 3"},
        Fault{"FullyConnectedWidth", FullyConnectedGraph,
              [](Graph* g) { g->tensors[0].shape = {2, 3, 5}; },
              "has 30 elements, not a multiple of the 12 inputs"},
        Fault{"FullyConnectedOutput", FullyConnectedGraph,
              [](Graph* g) { g->tensors[1].shape = {7, 2}; }, "2 rows of 7"},
        Fault{"AddShapes", AddGraph,
              [](Graph* g) {
                g->tensors[2] = Constant("c", {6}, DType::kInt8);
                g->tensors[2].quant = g->tensors[0].quant;
              },
              "they must be equal"},
        Fault{"AddOfConstants", AddGraph, [](Graph* g) { g->nodes[0].inputs = {2, 2}; },
              "nothing to compute"},
        Fault{"PoolQuantisation", PoolGraph,
              [](Graph* g) { g->tensors[1].quant.zero_points = {4}; }, "differ in quantisation"},
        Fault{"PoolChannels", PoolGraph, [](Graph* g) { g->tensors[1].shape[3] = 4; },
              "1x2x3x5 follows"},
        Fault{"PoolWindow", PoolGraph,
              [](Graph* g) {
                AttrsOf<Pool2DAttrs>(g).filter_h = 1 << 14;
                AttrsOf<Pool2DAttrs>(g).filter_w = 1 << 14;
              },
              "too large for a 32-bit sum"},
        Fault{"PadRank", PadGraph, [](Graph* g) { AttrsOf<PadAttrs>(g).after.pop_back(); },
              "paddings for 2 and 1 dimensions"},
        Fault{"PadNegative", PadGraph, [](Graph* g) { AttrsOf<PadAttrs>(g).after[1] = -1; },
              "negative padding 1 and -1 in dimension 1"},
        Fault{"PadValue", PadGraph, [](Graph* g) { AttrsOf<PadAttrs>(g).value = 200; },
              "padding value 200"},
        Fault{"PadOutput", PadGraph, [](Graph* g) { AttrsOf<PadAttrs>(g).before[0] = 9; },
              "but 15x4 follows"},
        Fault{"ViewType", ViewGraph, [](Graph* g) { g->tensors[1].type = DType::kUint8; },
              "tensor 1 'y' is uint8"},
        Fault{"ViewElements", ViewGraph, [](Graph* g) { g->tensors[1].shape = {13}; },
              "keeps the number of elements"},
        Fault{"SoftmaxShape", SoftmaxGraph, [](Graph* g) { g->tensors[1].shape = {20}; },
              "they must be equal"},
        Fault{"SoftmaxScalar", SoftmaxGraph,
              [](Graph* g) { g->tensors[0].shape = g->tensors[1].shape = {}; }, "is a scalar"},
        Fault{"SoftmaxOutputScale", SoftmaxGraph,
              [](Graph* g) { g->tensors[1].quant.scales = {0.5f}; }, "needs 1/256 @ -128"},
        Fault{"SoftmaxBeta", SoftmaxGraph,
              [](Graph* g) { AttrsOf<SoftmaxAttrs>(g).beta = -1; }, "beta -1"},
        Fault{"ReluNone", ReluGraph,
              [](Graph* g) { AttrsOf<ActivationAttrs>(g).activation = Activation::kNone; },
              "no activation given"},
        Fault{"QuantizeOutput", QuantizeGraph,
              [](Graph* g) { g->tensors[1].quant = {}; }, "has 0 scales"},
        Fault{"DequantizeOutput", DequantizeGraph,
              [](Graph* g) { g->tensors[1].type = DType::kInt32; },
              "is int32, float32 is needed"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace weft
