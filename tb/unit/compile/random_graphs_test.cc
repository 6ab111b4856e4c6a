// SPDX-License-Identifier: Apache-2.0
//
// Random graphs of every supported operator, with shapes that are multiples of nothing: each
// compiles for each configuration and is exact on the functional device.
#include <gtest/gtest.h>

#include "sw/command/stream.h"
#include "tb/unit/compile/graph_maker.h"
#include "tb/unit/compile/run_program.h"
#include "weft/compile.h"
#include "weft/estimate.h"

namespace weft {
namespace {

using testing::ExpectExact;
using testing::GraphMaker;
using testing::RandomInputs;
using testing::Rng;
using testing::WindowSpec;

Activation RandomActivation(Rng& rng) {
  constexpr Activation kAll[] = {Activation::kNone, Activation::kRelu, Activation::kRelu6,
                                 Activation::kReluN1To1};
  return kAll[rng.Int(0, 3)];
}

// A window that fits an image of h x w.
WindowSpec RandomWindow(Rng& rng, int h, int w, int largest) {
  WindowSpec spec;
  spec.kernel_h = static_cast<int>(rng.Int(1, std::min(largest, h)));
  spec.kernel_w = static_cast<int>(rng.Int(1, std::min(largest, w)));
  spec.stride_h = static_cast<int>(rng.Int(1, 3));
  spec.stride_w = static_cast<int>(rng.Int(1, 3));
  spec.same = rng.Chance(0.6);
  spec.activation = RandomActivation(rng);
  spec.bias = rng.Chance(0.8);
  spec.per_channel = rng.Chance(0.7);
  return spec;
}

// Adds one random operator on a rank-4 tensor.
int RandomOperator(GraphMaker& net, Rng& rng, int x, std::vector<int>& earlier) {
  const int h = net.Shape(x)[1], w = net.Shape(x)[2], c = net.Shape(x)[3];
  switch (rng.Int(0, 10)) {
    case 0:
    case 1: {
      WindowSpec spec = RandomWindow(rng, h, w, 5);
      if (rng.Chance(0.2) && (spec.kernel_h - 1) * 2 < h && (spec.kernel_w - 1) * 2 < w) {
        spec.dilation_h = spec.dilation_w = 2;
        spec.stride_h = spec.stride_w = 1;
      }
      return net.Conv(x, static_cast<int>(rng.Int(1, 70)), spec);
    }
    case 2:
      return net.Conv(x, static_cast<int>(rng.Int(1, 90)),
                      {.activation = RandomActivation(rng), .per_channel = rng.Chance(0.5)});
    case 3:
    case 4:
      return net.Depthwise(x, 1, RandomWindow(rng, h, w, 7));
    case 5:
      return net.Depthwise(x, c > 24 ? 1 : static_cast<int>(rng.Int(2, 4)),
                           RandomWindow(rng, h, w, 3));
    case 6: {
      WindowSpec spec = RandomWindow(rng, h, w, 9);
      spec.activation = rng.Chance(0.5) ? Activation::kNone : Activation::kRelu6;
      return net.Pool(rng.Chance(0.5) ? OpKind::kAveragePool2D : OpKind::kMaxPool2D, x, spec);
    }
    case 7: {
      std::vector<int> before(4, 0), after(4, 0);
      for (size_t d = 1; d < 4; ++d) {
        if (d == 3 && rng.Chance(0.7)) continue;
        before[d] = static_cast<int>(rng.Int(0, 3));
        after[d] = static_cast<int>(rng.Int(0, 3));
      }
      const int value = rng.Chance(0.7) ? net.ZeroOf(x) : static_cast<int>(rng.Int(-128, 127));
      return net.Pad(x, before, after, value);
    }
    case 8:
      return net.Relu(x, rng.Chance(0.5) ? Activation::kRelu : Activation::kReluN1To1);
    case 9:
      return rng.Chance(0.5) ? net.Softmax(x, 0.5f) : net.Quantize(x);
    default: {
      // A residual: some operator of the same shape beside it, then the sum.
      const int y = net.Conv(x, c, {.kernel_h = std::min(3, h), .kernel_w = 1, .same = true});
      for (int other : earlier) {
        if (net.Shape(other) == net.Shape(y)) {
          return net.AddTensors(y, other, RandomActivation(rng));
        }
      }
      if (rng.Chance(0.3)) return net.AddTensors(y, net.Constant(net.Shape(y)));
      return rng.Chance(0.5) ? net.AddTensors(x, y) : net.AddTensors(y, y);
    }
  }
}

Graph RandomGraph(Rng& rng, int largest_image, int largest_channels) {
  GraphMaker net(rng);
  const int images = rng.Chance(0.8) ? 1 : 2;
  const bool from_float = rng.Chance(0.2);
  int x = net.Input({images, static_cast<int32_t>(rng.Int(1, largest_image)),
                     static_cast<int32_t>(rng.Int(1, largest_image)),
                     static_cast<int32_t>(rng.Int(1, largest_channels))},
                    from_float ? DType::kFloat32 : DType::kInt8);
  if (from_float) x = net.Quantize(x);
  std::vector<int> tensors = {x};
  const auto operators = rng.Int(1, 8);
  for (int64_t i = 0; i < operators; ++i) {
    x = RandomOperator(net, rng, x, tensors);
    tensors.push_back(x);
  }
  std::vector<int> outputs = {x};
  if (rng.Chance(0.3)) {  // another output, from the middle
    const int other = rng.Pick(tensors);
    if (other != x && other != tensors[0]) outputs.push_back(other);
  }
  const std::vector<int32_t> shape = net.Shape(x);
  constexpr int kDeepest = 33000;  // products the int32 accumulator is sure to hold
  if (rng.Chance(0.5) && shape[1] * shape[2] * shape[3] <= kDeepest) {
    int y = net.Reshape(x, {shape[0], shape[1] * shape[2] * shape[3]});
    y = net.FullyConnected(y, static_cast<int>(rng.Int(1, 40)),
                           {.activation = RandomActivation(rng), .per_channel = rng.Chance(0.3)});
    if (rng.Chance(0.5)) y = net.Softmax(y);
    outputs[0] = rng.Chance(0.3) ? net.Dequantize(y) : y;
  }
  return net.Finish(outputs);
}

// The estimate has the program's layers and moves the bytes that its commands move.
void ExpectEstimated(const Graph& graph, const HardwareConfig& config) {
  const Result<Program> program = Compile(graph, config, {});
  const Result<Estimate> estimate = EstimateNetwork(graph, config, {}, {});
  ASSERT_TRUE(program && estimate);
  const Result<std::vector<Command>> stream = DecodeStream(*program);
  ASSERT_TRUE(stream) << stream.error().message;
  int64_t read = 0, written = 0;
  const auto bytes = [&](int64_t rows, int64_t row_bytes) {
    return rows * ((row_bytes + config.axi_bytes - 1) / config.axi_bytes) * config.axi_bytes;
  };
  for (const Command& command : *stream) {
    if (const auto* load = std::get_if<LoadCmd>(&command)) {
      read += bytes(load->rows, load->row_bytes);
    } else if (const auto* weights = std::get_if<LoadWeightsCmd>(&command)) {
      read += weights->words * config.weight_word;
    } else if (const auto* store = std::get_if<StoreCmd>(&command)) {
      written += bytes(store->rows, store->row_bytes);
    }
  }
  EXPECT_EQ(estimate->read_bytes, read) << config.name;
  EXPECT_EQ(estimate->write_bytes, written) << config.name;
  EXPECT_EQ(estimate->layers.size(), program->layers.size());
  EXPECT_GE(estimate->cycles, std::max(read, written) / config.axi_bytes) << config.name;
}

class RandomGraphs : public ::testing::TestWithParam<int> {};

TEST_P(RandomGraphs, AreExact) {
  Rng rng(static_cast<uint64_t>(GetParam()));
  const Graph graph = RandomGraph(rng, 20, 40);
  const Status valid = ValidateGraph(graph);
  if (!valid) GTEST_FAIL() << valid.error().message;
  const auto inputs = RandomInputs(graph, rng);
  for (const HardwareConfig& config : kHardwareConfigs) {
    ExpectExact(graph, config, rng.Chance(0.5) ? Rounding::kDouble : Rounding::kSingle, inputs);
    ExpectEstimated(graph, config);
  }
}

INSTANTIATE_TEST_SUITE_P(Small, RandomGraphs, ::testing::Range(0, 150));

class LargeGraphs : public ::testing::TestWithParam<int> {};

// Tensors beyond the scratchpad of weft64, some beyond that of weft256.
TEST_P(LargeGraphs, AreExact) {
  Rng rng(static_cast<uint64_t>(GetParam()));
  const Graph graph = RandomGraph(rng, 150, 40);
  const Status valid = ValidateGraph(graph);
  if (!valid) GTEST_FAIL() << valid.error().message;
  const auto inputs = RandomInputs(graph, rng);
  ExpectExact(graph, kHardwareConfigs[0], Rounding::kDouble, inputs);
  ExpectExact(graph, kHardwareConfigs[1], Rounding::kSingle, inputs);
  for (const size_t config : {0, 1}) ExpectEstimated(graph, kHardwareConfigs[config]);
}

INSTANTIATE_TEST_SUITE_P(Beyond, LargeGraphs, ::testing::Range(0, 25));

// Windows over more bytes than weft64 has: only some channels at a time fit, of the input and, in
// the first layer, of the output.
TEST(ManyChannels, WindowsBeyondTheScratchpadAreExact) {
  Rng rng;
  for (OpKind kind : {OpKind::kAveragePool2D, OpKind::kMaxPool2D}) {
    GraphMaker net(rng);
    int x = net.Input({1, 13, 13, 1048});
    x = net.Depthwise(x, 1, {.kernel_h = 9, .kernel_w = 9, .same = true});
    x = net.Pool(kind, x, {.kernel_h = 13, .kernel_w = 13});
    const Graph graph = net.Finish({x});
    ExpectExact(graph, kHardwareConfigs[0], Rounding::kDouble, RandomInputs(graph, rng));
  }
}

}  // namespace
}  // namespace weft
