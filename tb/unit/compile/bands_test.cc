// SPDX-License-Identifier: Apache-2.0
//
// Chains of layers computed in bands: that every row is in its rolling buffer when it is read,
// which layers are joined, and that results stay exact with every stride, padding and size, whether
// the chain's weights stay in the ring or not.
#include "sw/compile/bands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sw/compile/allocate.h"
#include "sw/compile/fuse.h"
#include "sw/compile/legalise.h"
#include "tb/unit/compile/graph_maker.h"
#include "tb/unit/compile/run_program.h"

namespace weft::compile {
namespace {

using testing::ExpectExact;
using testing::GraphMaker;
using testing::RandomInputs;
using testing::Rng;
using testing::WindowSpec;

const HardwareConfig& k64 = kHardwareConfigs[0];
const HardwareConfig& k256 = kHardwareConfigs[1];

int Int(Rng& rng, int64_t low, int64_t high) { return static_cast<int>(rng.Int(low, high)); }

WindowSpec RandomWindow(Rng& rng) {
  return {.kernel_h = Int(rng, 1, 5),
          .kernel_w = Int(rng, 1, 5),
          .stride_h = rng.Chance(0.6) ? 1 : Int(rng, 2, 3),
          .stride_w = rng.Chance(0.6) ? 1 : Int(rng, 2, 3),
          .same = rng.Chance(0.6),
          .bias = rng.Chance(0.8),
          .per_channel = rng.Chance(0.7)};
}

Network NetworkOf(const Graph& graph) {
  Result<Network> network = Legalise(graph, Rounding::kDouble);
  EXPECT_TRUE(network) << network.error().message;
  FuseAdditions(*network);
  return std::move(*network);
}

// ---- plans ----

class RandomBands : public ::testing::TestWithParam<int> {};

// Follows the rows through the rolling buffers: band by band, layer by layer.
void FollowRows(const Network& network, const BandPlan& plan) {
  const size_t count = network.layers.size();
  std::vector<std::map<int, int>> slots(count - 1);  // row of the tensor by row of the buffer
  int outputs = 0;
  for (const Band& band : plan.bands) {
    ASSERT_EQ(band.size(), count);
    for (size_t i = 0; i < count; ++i) {
      const Share& share = band[i];
      const Layer& layer = network.layers[i];
      const Extent out = OutputOf(network, layer);
      ASSERT_LE(share.y1, out.h);
      if (share.empty()) continue;
      for (int y = share.y0; i > 0 && y < share.y1; ++y) {  // rows between windows may be missing
        const Rect in = InputRect(layer, {y, y + 1, 0, out.w});
        for (int row = in.y0; row < in.y1; ++row) {
          const auto at = slots[i - 1].find(row - band[i - 1].first_row);
          ASSERT_NE(at, slots[i - 1].end()) << "layer " << i << " row " << row;
          ASSERT_EQ(at->second, row) << "layer " << i;
        }
      }
      EXPECT_LE(share.y1 - share.y0, plan.tiles[i].rows);
      if (i + 1 == count) {
        EXPECT_EQ(share.y0, outputs);
        outputs = share.y1;
        continue;
      }
      const auto capacity = static_cast<int>(plan.between[i].bytes / plan.between[i].pitch);
      for (int row = share.y0; row < share.y1; ++row) {
        ASSERT_GE(row, share.first_row);
        ASSERT_LT(row - share.first_row, capacity);
        slots[i][row - share.first_row] = row;
      }
    }
  }
  EXPECT_EQ(outputs, OutputOf(network, network.layers.back()).h);
}

TEST_P(RandomBands, EveryRowIsThereWhenItIsRead) {
  Rng rng(static_cast<uint64_t>(GetParam()));
  GraphMaker net(rng);
  int x = net.Input({1, Int(rng, 30, 90), Int(rng, 30, 60), Int(rng, 1, 20)});
  const int layers = Int(rng, 2, 4);
  for (int i = 0; i < layers; ++i) {
    const WindowSpec window = RandomWindow(rng);
    if (net.Shape(x)[1] < 8 || net.Shape(x)[2] < 8) break;
    x = rng.Chance(0.5) ? net.Depthwise(x, 1, window) : net.Conv(x, Int(rng, 1, 40), window);
  }
  const Network network = NetworkOf(net.Finish({x}));
  const auto count = static_cast<int>(network.layers.size());
  if (count < 2) return;
  std::vector<Spills> spills(static_cast<size_t>(count));
  spills.front().in = rng.Chance(0.7);
  spills.back().out = rng.Chance(0.7);
  for (const HardwareConfig& config : kHardwareConfigs) {
    int64_t longer = INT64_MAX;  // with less space
    for (int64_t available = 4096; available <= 1 << 20; available *= 2) {
      const auto plan = ChooseBands(network, 0, count - 1, spills, available, config);
      if (!plan) continue;
      EXPECT_LE(plan->bytes(), available);
      EXPECT_LE(plan->cycles, longer);
      longer = plan->cycles;
      FollowRows(network, *plan);
    }
    EXPECT_LT(longer, INT64_MAX) << config.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Bands, RandomBands, ::testing::Range(0, 60));

// ---- which layers are joined ----

// An inverted bottleneck of MobileNetV2: the expanded tensor of 1.2 MB never leaves the chip.
int Bottleneck(GraphMaker& net, int x, int expanded, int channels, int stride) {
  x = net.Conv(x, expanded, {});
  x = net.Depthwise(
      x, 1, {.kernel_h = 3, .kernel_w = 3, .stride_h = stride, .stride_w = stride, .same = true});
  return net.Conv(x, channels, {});
}

TEST(Chains, BottleneckStaysOnChip) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 112, 112, 16});
  const Graph graph = net.Finish({Bottleneck(net, x, 96, 24, 2)});
  const Result<Program> program = Compile(graph, k256, {});
  ASSERT_TRUE(program) << program.error().message;
  ASSERT_EQ(program->layers.size(), 1u);
  EXPECT_EQ(program->layers[0].op, "CONV_2D+DEPTHWISE_CONV_2D+CONV_2D");
  EXPECT_EQ(program->layers[0].source_ops, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(program->layers[0].fused_tensors.size(), 2u);
  EXPECT_EQ(program->region_bytes[kRegionArena], 0u);
  ExpectExact(graph, k256, Rounding::kDouble, RandomInputs(graph, rng));
}

TEST(Chains, WhatFitsIsNotJoined) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 14, 14, 64});
  const Graph graph = net.Finish({Bottleneck(net, x, 384, 64, 1)});
  EXPECT_EQ(Compile(graph, k256, {})->layers.size(), 3u);
}

TEST(Chains, AValueThatOthersSeeIsWhole) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 112, 112, 16});
  const int expanded = net.Conv(x, 96, {});
  const int filtered = net.Depthwise(expanded, 1, {.kernel_h = 3, .kernel_w = 3, .same = true});
  const int projected = net.Conv(filtered, 24, {});
  const Graph graph = net.Finish({projected, expanded, net.Reshape(filtered, {112 * 112, 96})});
  const Result<Program> program = Compile(graph, k256, {});
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->layers.size(), 3u);
}

TEST(Chains, AValueOfTwoReadersIsWhole) {
  Rng rng;
  GraphMaker net(rng);
  const int expanded = net.Conv(net.Input({1, 112, 112, 16}), 96, {});
  const int filtered = net.Depthwise(expanded, 1, {.kernel_h = 3, .kernel_w = 3, .same = true});
  const Graph graph = net.Finish({net.Conv(filtered, 8, {}), net.Conv(expanded, 8, {})});
  const Result<Program> program = Compile(graph, k256, {});
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_TRUE(program->layers[0].fused_tensors.empty());
  ExpectExact(graph, k256, Rounding::kDouble, RandomInputs(graph, rng));
}

// ---- exactness ----

// Whether the compiler computes some layers in bands.
bool HasChain(const Graph& graph, const HardwareConfig& config) {
  const Result<Program> program = Compile(graph, config, {});
  return program && std::any_of(program->layers.begin(), program->layers.end(),
                                [](const auto& l) { return l.op.find('+') != std::string::npos; });
}

class RandomChain : public ::testing::TestWithParam<int> {};

// Bottlenecks around the size of the scratchpad, with residuals, on every configuration.
TEST_P(RandomChain, IsExact) {
  Rng rng(static_cast<uint64_t>(GetParam()));
  int chains = 0;
  for (const HardwareConfig& config : kHardwareConfigs) {
    GraphMaker net(rng);
    const int depth = Int(rng, 1, 2 * config.k);
    const int expanded = depth * Int(rng, 2, 6) + Int(rng, 0, 3);
    const int pixels =
        static_cast<int>(std::min<int64_t>(config.scratchpad, 200'000) * 3 / 2 / expanded);
    const int width = std::clamp(pixels / Int(rng, 8, 80), 6, 120);
    const int height = std::max(9, pixels / width);
    const int x = net.Input({Int(rng, 1, 2), height, width, depth});
    const WindowSpec window = RandomWindow(rng);
    int y = net.Conv(x, expanded, rng.Chance(0.7) ? WindowSpec{} : RandomWindow(rng));
    y = net.Depthwise(y, 1, window);
    if (rng.Chance(0.3)) y = net.Relu(y, Activation::kRelu);
    y = net.Conv(y, rng.Chance(0.5) ? depth : Int(rng, 1, 40), {});
    if (net.Shape(y) == net.Shape(x)) {
      y = net.AddTensors(y, x);
    } else if (net.Shape(x)[0] == 1 && rng.Chance(0.6)) {
      y = net.AddTensors(y, net.Constant(net.Shape(y)));
    }
    const Graph graph = net.Finish({y});
    chains += HasChain(graph, config) ? 1 : 0;
    ExpectExact(graph, config, rng.Chance(0.5) ? Rounding::kDouble : Rounding::kSingle,
                RandomInputs(graph, rng));
  }
  EXPECT_GE(chains, 2);
}

INSTANTIATE_TEST_SUITE_P(Chains, RandomChain, ::testing::Range(0, 40));

// The weights of the chain exceed the ring: they pass again in every band, in each of the ways.
TEST(Chains, WeightsThatPassAgainAreExact) {
  Rng rng;
  for (const HardwareConfig& config : kHardwareConfigs) {
    const int ring = config.ring_words() * config.weight_word;
    GraphMaker net(rng);
    const int depth = 4 * config.k;
    const int expanded = std::max(6 * config.n, ring / depth);
    const int side = static_cast<int>(std::sqrt(config.scratchpad * 3 / 2 / expanded)) + 3;
    const int x = net.Input({1, side, side, depth});
    const int y = Bottleneck(net, x, expanded, depth, 1);
    const Graph graph = net.Finish({net.AddTensors(y, x)});
    if (&config == &k64 || &config == &k256) {
      EXPECT_TRUE(HasChain(graph, config)) << config.name;
    }
    ExpectExact(graph, config, Rounding::kDouble, RandomInputs(graph, rng));
  }
}

}  // namespace
}  // namespace weft::compile
