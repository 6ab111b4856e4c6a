// SPDX-License-Identifier: Apache-2.0
//
// RunReference on small graphs: every operator kind once with worked values, batches, both
// rounding modes, and the errors.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "sim/reference/float_conversion.h"
#include "sim/reference/reference.h"
#include "tb/lib/seed.h"

namespace weft {
namespace {

using Bytes = std::vector<uint8_t>;
using testing::Rng;

template <typename T>
Bytes ToBytes(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

template <typename T>
std::vector<T> FromBytes(const Bytes& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// Appends tensors and nodes; the last node's output is the graph's.
class GraphBuilder {
 public:
  int Int8(std::vector<int32_t> shape, float scale, int zero_point) {
    return Append(DType::kInt8, std::move(shape), {{scale}, {zero_point}, 0});
  }
  int Float(std::vector<int32_t> shape) { return Append(DType::kFloat32, std::move(shape), {}); }

  int Weights(std::vector<int32_t> shape, std::vector<float> scales, int axis,
              const std::vector<int8_t>& values) {
    std::vector<int64_t> zero_points(scales.size(), 0);
    return Constant(Append(DType::kInt8, std::move(shape), {std::move(scales), zero_points, axis}),
                    ToBytes(values));
  }
  int Int8Constant(std::vector<int32_t> shape, float scale, int zero_point,
                   const std::vector<int8_t>& values) {
    return Constant(Int8(std::move(shape), scale, zero_point), ToBytes(values));
  }
  int Bias(const std::vector<int32_t>& values) {
    return Constant(Append(DType::kInt32, {static_cast<int32_t>(values.size())}, {}),
                    ToBytes(values));
  }

  template <typename Attrs>
  int Node(OpKind kind, std::vector<int> inputs, Attrs attrs, int output) {
    weft::Node node;
    node.kind = kind;
    node.index = static_cast<int>(graph_.nodes.size());
    node.source_op = OpKindName(kind);
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.attrs = attrs;
    graph_.nodes.push_back(std::move(node));
    graph_.outputs = {output};
    return output;
  }

  Graph Build(std::vector<int> inputs) {
    graph_.name = "test";
    graph_.inputs = std::move(inputs);
    return graph_;
  }

 private:
  int Append(DType type, std::vector<int32_t> shape, Quantization quant) {
    Tensor tensor;
    tensor.name = fmt::format("t{}", graph_.tensors.size());
    tensor.type = type;
    tensor.shape = std::move(shape);
    tensor.quant = std::move(quant);
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<int>(graph_.tensors.size()) - 1;
  }
  int Constant(int index, Bytes data) {
    graph_.tensors[static_cast<size_t>(index)].is_constant = true;
    graph_.tensors[static_cast<size_t>(index)].data = std::move(data);
    return index;
  }

  Graph graph_;
};

// The graph's one output.
Bytes OutputOf(const Graph& graph, const std::vector<Bytes>& inputs,
               Rounding rounding = Rounding::kDouble) {
  const auto result = RunReference(graph, inputs, rounding);
  EXPECT_TRUE(result) << result.error().message;
  return result ? result->tensors[static_cast<size_t>(graph.outputs[0])] : Bytes{};
}

std::vector<int8_t> RunInt8(const Graph& graph, const std::vector<int8_t>& input,
                            Rounding rounding = Rounding::kDouble) {
  return FromBytes<int8_t>(OutputOf(graph, {ToBytes(input)}, rounding));
}

TEST(RunReference, QuantizeRoundsHalfAwayAndClamps) {
  GraphBuilder b;
  const int x = b.Float({9}), y = b.Int8({9}, 0.5f, 10);
  b.Node(OpKind::kQuantize, {x}, QuantizeAttrs{}, y);
  const std::vector<float> input = {
      0.0f,         0.25f, -0.25f, 0.75f,
      -0.75f,       1e9f,  -1e9f,  std::numeric_limits<float>::infinity(),
      std::nanf("")};
  const std::vector<int8_t> expected = {10, 11, 9, 12, 8, 127, -128, 127, 10};
  EXPECT_EQ(FromBytes<int8_t>(OutputOf(b.Build({x}), {ToBytes(input)})), expected);
}

TEST(RunReference, DequantizeIsScaleTimesDifference) {
  GraphBuilder b;
  const int x = b.Int8({3}, 0.1f, -5), y = b.Float({3});
  b.Node(OpKind::kDequantize, {x}, QuantizeAttrs{}, y);
  const std::vector<float> expected = {0.1f * 132.0f, 0.0f, 0.1f * -123.0f};
  EXPECT_EQ(FromBytes<float>(OutputOf(b.Build({x}), {ToBytes<int8_t>({127, -5, -128})})), expected);
}

TEST(RunReference, QuantizeInt8FollowsTheRoundingMode) {
  GraphBuilder b;
  const int x = b.Int8({6}, 0.25f, 2), y = b.Int8({6}, 1.0f, -1);
  b.Node(OpKind::kQuantize, {x}, QuantizeAttrs{}, y);
  const Graph graph = b.Build({x});
  const std::vector<int8_t> input = {2, 4, 0, 3, 1, 8};  // differences 0, 2, -2, 1, -1, 6
  EXPECT_EQ(RunInt8(graph, input, Rounding::kDouble), (std::vector<int8_t>{-1, 0, -2, 0, -1, 1}));
  EXPECT_EQ(RunInt8(graph, input, Rounding::kSingle), (std::vector<int8_t>{-1, 0, -1, -1, -1, 1}));
}

TEST(RunReference, ReluFamilyRequantises) {
  const auto run = [](Activation activation) {
    GraphBuilder b;
    const int x = b.Int8({5}, 0.5f, 0), y = b.Int8({5}, 0.25f, -20);
    b.Node(OpKind::kRelu, {x}, ActivationAttrs{activation}, y);
    return RunInt8(b.Build({x}), {-4, -1, 0, 1, 40});
  };
  EXPECT_EQ(run(Activation::kRelu), (std::vector<int8_t>{-20, -20, -20, -18, 60}));
  EXPECT_EQ(run(Activation::kRelu6), (std::vector<int8_t>{-20, -20, -20, -18, 4}));
  EXPECT_EQ(run(Activation::kReluN1To1), (std::vector<int8_t>{-24, -22, -20, -18, -16}));
}

TEST(RunReference, AddOfAnActivationAndAConstant) {
  GraphBuilder b;
  const int x = b.Int8({4}, 0.5f, 1), y = b.Int8({4}, 1.0f, 0);
  const int constant = b.Int8Constant({4}, 0.25f, 0, {4, -4, 100, 2});
  b.Node(OpKind::kAdd, {x, constant}, AddAttrs{}, y);
  // 1 + 1, -1 - 1, 20 + 25, 0 + 0.5: the last is a tie in both roundings.
  EXPECT_EQ(RunInt8(b.Build({x}), {3, -1, 41, 1}), (std::vector<int8_t>{2, -2, 45, 1}));
}

TEST(RunReference, PoolsCountOnlyElementsInsideTheImage) {
  const auto run = [](OpKind kind) {
    GraphBuilder b;
    const int x = b.Int8({1, 2, 3, 1}, 0.1f, 0), y = b.Int8({1, 2, 2, 1}, 0.1f, 0);
    Pool2DAttrs attrs;
    attrs.filter_h = attrs.filter_w = attrs.stride_w = 2;
    attrs.padding = {.bottom = 1, .right = 1};
    b.Node(kind, {x}, attrs, y);
    return RunInt8(b.Build({x}), {1, 2, -7, 4, 5, -8});
  };
  // Sums 12/4, -15/2 (away from zero), 9/2, -8/1.
  EXPECT_EQ(run(OpKind::kAveragePool2D), (std::vector<int8_t>{3, -8, 5, -8}));
  EXPECT_EQ(run(OpKind::kMaxPool2D), (std::vector<int8_t>{5, -7, 5, -8}));
}

TEST(RunReference, PoolsClampToTheirActivation) {
  for (OpKind kind : {OpKind::kAveragePool2D, OpKind::kMaxPool2D}) {
    GraphBuilder b;
    const int x = b.Int8({1, 1, 3, 1}, 0.25f, 4), y = b.Int8({1, 1, 3, 1}, 0.25f, 4);
    Pool2DAttrs attrs;
    attrs.activation = Activation::kRelu6;
    b.Node(kind, {x}, attrs, y);
    EXPECT_EQ(RunInt8(b.Build({x}), {-9, 10, 100}), (std::vector<int8_t>{4, 10, 28}));
  }
}

TEST(RunReference, ConvolutionPaddingIsPerSideAndContributesNothing) {
  // Weights that pick one input element each, so that an output names the tap it came from.
  const auto run = [](Padding2D padding, std::vector<int32_t> out_shape, OpKind kind) {
    GraphBuilder b;
    const int x = b.Int8({1, 2, 2, 1}, 1.0f, 1), y = b.Int8(std::move(out_shape), 1.0f, 50);
    const int weights = b.Weights({1, 2, 2, 1}, {1.0f}, 0, {1, 10, 0, 0});
    if (kind == OpKind::kConv2D) {
      Conv2DAttrs attrs;
      attrs.padding = padding;
      b.Node(kind, {x, weights, -1}, attrs, y);
    } else {
      DepthwiseConv2DAttrs attrs;
      attrs.padding = padding;
      b.Node(kind, {x, weights, -1}, attrs, y);
    }
    return RunInt8(b.Build({x}), {2, 3, 4, 5});  // less the zero point: 1 2 / 3 4
  };
  for (OpKind kind : {OpKind::kConv2D, OpKind::kDepthwiseConv2D}) {
    EXPECT_EQ(run({}, {1, 1, 1, 1}, kind), (std::vector<int8_t>{71}));
    EXPECT_EQ(run({.top = 1}, {1, 2, 1, 1}, kind), (std::vector<int8_t>{50, 71}));
    EXPECT_EQ(run({.bottom = 1}, {1, 2, 1, 1}, kind), (std::vector<int8_t>{71, 93}));
    EXPECT_EQ(run({.left = 1}, {1, 1, 2, 1}, kind), (std::vector<int8_t>{60, 71}));
    EXPECT_EQ(run({.right = 1}, {1, 1, 2, 1}, kind), (std::vector<int8_t>{71, 52}));
  }
}

TEST(RunReference, PadKeepsItsDimensionsApart) {
  // Every dimension and side padded by another amount.
  const std::vector<int> in = {2, 3, 1, 2}, before = {1, 0, 2, 3}, after = {0, 2, 1, 1};
  GraphBuilder b;
  const int x = b.Int8({2, 3, 1, 2}, 0.1f, 0), y = b.Int8({3, 5, 4, 6}, 0.1f, 0);
  b.Node(OpKind::kPad, {x}, PadAttrs{before, after, -7}, y);
  std::vector<int8_t> expected;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 5; ++j) {
      for (int k = 0; k < 4; ++k) {
        for (int l = 0; l < 6; ++l) {
          const bool inside = i >= 1 && j < 3 && k == 2 && (l == 3 || l == 4);
          expected.push_back(
              static_cast<int8_t>(inside ? ((i - 1) * in[1] + j) * in[3] + l - 3 : -7));
        }
      }
    }
  }
  EXPECT_EQ(RunInt8(b.Build({x}), {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}), expected);
}

TEST(RunReference, PadAndViews) {
  GraphBuilder b;
  const int x = b.Int8({2, 2}, 0.1f, 3), padded = b.Int8({3, 4}, 0.1f, 3);
  const int y = b.Int8({2, 6}, 0.1f, 3);
  b.Node(OpKind::kPad, {x}, PadAttrs{{1, 2}, {0, 0}, 3}, padded);
  b.Node(OpKind::kReshape, {padded}, ViewAttrs{}, y);
  EXPECT_EQ(RunInt8(b.Build({x}), {1, 2, 4, 5}),
            (std::vector<int8_t>{3, 3, 3, 3, 3, 3, 1, 2, 3, 3, 4, 5}));
}

TEST(RunReference, SoftmaxSharesOutOneAndHandlesFarElements) {
  GraphBuilder b;
  const int x = b.Int8({3, 4}, 0.5f, 0), y = b.Int8({3, 4}, 1.0f / 256.0f, -128);
  b.Node(OpKind::kSoftmax, {x}, SoftmaxAttrs{}, y);
  // Equal; one far ahead; a difference below the minimum of -62.
  const auto out = RunInt8(b.Build({x}), {7, 7, 7, 7, 0, 0, 120, 0, 0, -63, -62, 0});
  EXPECT_EQ(std::vector<int8_t>(out.begin(), out.begin() + 8),
            (std::vector<int8_t>{-64, -64, -64, -64, -128, -128, 127, -128}));
  EXPECT_EQ(std::vector<int8_t>(out.begin() + 8, out.end()),
            (std::vector<int8_t>{0, -128, -128, 0}));
}

TEST(RunReference, SoftmaxOverManyEqualElements) {
  GraphBuilder b;
  const int x = b.Int8({1, 4095}, 0.1f, 0), y = b.Int8({1, 4095}, 1.0f / 256.0f, -128);
  b.Node(OpKind::kSoftmax, {x}, SoftmaxAttrs{}, y);
  EXPECT_EQ(RunInt8(b.Build({x}), std::vector<int8_t>(4095, 5)), std::vector<int8_t>(4095, -128));
}

// CONV -> DEPTHWISE -> ADD of both -> MAX_POOL -> RESHAPE -> FULLY_CONNECTED -> SOFTMAX.
Graph SmallNetwork(Rng& rng, int batch) {
  GraphBuilder b;
  const int x = b.Int8({batch, 6, 6, 3}, 0.02f, -3);
  const int conv = b.Int8({batch, 6, 6, 4}, 0.05f, 7);
  Conv2DAttrs conv_attrs;
  conv_attrs.padding = {1, 1, 1, 1};
  const std::vector<float> scales = {0.01f, 0.012f, 0.009f, 0.02f};
  b.Node(OpKind::kConv2D,
         {x, b.Weights({4, 3, 3, 3}, scales, 0, rng.Vector<int8_t>(108)),
          b.Bias(rng.Vector<int32_t>(4, -3000, 3000))},
         conv_attrs, conv);
  const int depthwise = b.Int8({batch, 6, 6, 4}, 0.06f, -2);
  DepthwiseConv2DAttrs depthwise_attrs;
  depthwise_attrs.padding = {1, 1, 1, 1};
  b.Node(OpKind::kDepthwiseConv2D,
         {conv, b.Weights({1, 3, 3, 4}, scales, 3, rng.Vector<int8_t>(36)), -1}, depthwise_attrs,
         depthwise);
  const int sum = b.Int8({batch, 6, 6, 4}, 0.08f, 0);
  b.Node(OpKind::kAdd, {conv, depthwise}, AddAttrs{Activation::kRelu}, sum);
  const int pooled = b.Int8({batch, 3, 3, 4}, 0.08f, 0);
  Pool2DAttrs pool_attrs;
  pool_attrs.filter_h = pool_attrs.filter_w = pool_attrs.stride_h = pool_attrs.stride_w = 2;
  b.Node(OpKind::kMaxPool2D, {sum}, pool_attrs, pooled);
  const int flat = b.Int8({batch, 36}, 0.08f, 0);
  b.Node(OpKind::kReshape, {pooled}, ViewAttrs{}, flat);
  const int logits = b.Int8({batch, 5}, 0.5f, 4);
  b.Node(OpKind::kFullyConnected,
         {flat, b.Weights({5, 36}, {0.005f}, 0, rng.Vector<int8_t>(180)),
          b.Bias(rng.Vector<int32_t>(5, -3000, 3000))},
         FullyConnectedAttrs{}, logits);
  const int y = b.Int8({batch, 5}, 1.0f / 256.0f, -128);
  b.Node(OpKind::kSoftmax, {logits}, SoftmaxAttrs{}, y);
  return b.Build({x});
}

TEST(RunReference, ABatchEqualsItsItemsOneByOne) {
  constexpr int kBatch = 3;
  constexpr size_t kItem = 6 * 6 * 3;
  // The same weights in both: each generator draws the same sequence.
  Rng one_rng, batch_rng(0), input_rng(1);
  const Graph one = SmallNetwork(one_rng, 1), batched = SmallNetwork(batch_rng, kBatch);
  const Bytes input = ToBytes(input_rng.Vector<int8_t>(kBatch * kItem));
  for (Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
    const auto all = RunReference(batched, {input}, rounding);
    ASSERT_TRUE(all) << all.error().message;
    std::vector<Bytes> joined(one.tensors.size());
    for (size_t item = 0; item < kBatch; ++item) {
      const auto begin = input.begin() + static_cast<ptrdiff_t>(item * kItem);
      const auto single = RunReference(one, {Bytes(begin, begin + kItem)}, rounding);
      ASSERT_TRUE(single) << single.error().message;
      for (size_t t = 0; t < joined.size(); ++t) {
        joined[t].insert(joined[t].end(), single->tensors[t].begin(), single->tensors[t].end());
      }
    }
    EXPECT_EQ(all->tensors, joined);
    for (size_t t = 0; t < batched.tensors.size(); ++t) {
      const Tensor& tensor = batched.tensors[t];
      EXPECT_EQ(all->tensors[t].size(), tensor.is_constant ? 0 : tensor.ByteCount()) << tensor.name;
    }
  }
}

TEST(RunReference, TheRoundingModeReachesTheConvolutions) {
  Rng network_rng, input_rng(1);
  const Graph graph = SmallNetwork(network_rng, 4);
  const Bytes input = ToBytes(input_rng.Vector<int8_t>(4 * 6 * 6 * 3));
  const auto twice = RunReference(graph, {input}, Rounding::kDouble);
  const auto once = RunReference(graph, {input}, Rounding::kSingle);
  ASSERT_TRUE(twice && once);
  const size_t conv = static_cast<size_t>(graph.nodes[0].outputs[0]);
  const auto a = FromBytes<int8_t>(twice->tensors[conv]);
  const auto b = FromBytes<int8_t>(once->tensors[conv]);
  int differences = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_LE(std::abs(a[i] - b[i]), 1);
    differences += a[i] != b[i];
  }
  EXPECT_GT(differences, 0);
  EXPECT_LT(differences, static_cast<int>(a.size() / 10));
}

// The message of a run that must fail.
std::string FailureOf(const Graph& graph, const std::vector<Bytes>& inputs) {
  const auto result = RunReference(graph, inputs, Rounding::kDouble);
  EXPECT_FALSE(result);
  return result ? "" : result.error().message;
}

TEST(RunReferenceErrors, InputsThatDoNotFit) {
  Rng rng;
  const Graph graph = SmallNetwork(rng, 1);
  EXPECT_EQ(FailureOf(graph, {}), "graph 'test' has 1 inputs, 0 were given");
  EXPECT_EQ(FailureOf(graph, {Bytes(7)}),
            "graph 'test', input 't0': 7 bytes were given, its shape and type need 108");
}

TEST(RunReferenceErrors, UnsupportedOperatorIsNamed) {
  GraphBuilder b;
  const int x = b.Int8({4}, 0.1f, 0), y = b.Int8({4}, 0.1f, 0);
  b.Node(OpKind::kUnsupported, {x}, std::monostate{}, y);
  Graph graph = b.Build({x});
  graph.nodes[0].source_op = "HARD_SWISH";
  graph.nodes[0].unsupported_why = "no table for it";
  EXPECT_EQ(FailureOf(graph, {Bytes(4)}), "op 0 (HARD_SWISH): not supported: no table for it");
}

TEST(RunReferenceErrors, SumsThatCouldOverflow) {
  GraphBuilder b;
  const int x = b.Int8({1, 40000}, 0.1f, 0), y = b.Int8({1, 1}, 0.1f, 0);
  const int w = b.Weights({1, 40000}, {0.1f}, 0, std::vector<int8_t>(40000));
  b.Node(OpKind::kFullyConnected, {x, w, -1}, FullyConnectedAttrs{}, y);
  EXPECT_NE(FailureOf(b.Build({x}), {Bytes(40000)}).find("op 0 (FULLY_CONNECTED)"),
            std::string::npos);
  GraphBuilder s;
  const int in = s.Int8({1, 4096}, 0.1f, 0), out = s.Int8({1, 4096}, 1.0f / 256.0f, -128);
  s.Node(OpKind::kSoftmax, {in}, SoftmaxAttrs{}, out);
  EXPECT_NE(FailureOf(s.Build({in}), {Bytes(4096)}).find("at most 4095"), std::string::npos);
}

}  // namespace
}  // namespace weft
