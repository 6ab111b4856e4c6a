// SPDX-License-Identifier: Apache-2.0
//
// Convolutions rewritten for fewer beats: which ones are, and that they stay exact with every
// stride, padding and width, in tiles, with a residual, with several images.
#include "sw/compile/fill_array.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sw/compile/fuse.h"
#include "sw/compile/legalise.h"
#include "sw/compile/weights.h"
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
const HardwareConfig& k1024 = kHardwareConfigs[2];

Network Filled(const Graph& graph, const HardwareConfig& config) {
  Result<Network> network = Legalise(graph, Rounding::kDouble);
  EXPECT_TRUE(network) << network.error().message;
  FuseAdditions(*network);
  FillArray(*network, config);
  return std::move(*network);
}

Graph OneConvolution(Rng& rng, std::vector<int32_t> input, int channels, const WindowSpec& window) {
  GraphMaker net(rng);
  const int x = net.Input(std::move(input));
  return net.Finish({net.Conv(x, channels, window)});
}

int BeatsOfFirst(const Network& network, const HardwareConfig& config) {
  const Layer& layer = network.layers.front();
  return ShapeOfWeights(layer, OutputOf(network, layer).c, config).beats;
}

void ExpectExactEverywhere(const Graph& graph, Rng& rng) {
  const auto inputs = RandomInputs(graph, rng);
  for (const HardwareConfig& config : kHardwareConfigs) {
    ExpectExact(graph, config, rng.Chance(0.5) ? Rounding::kDouble : Rounding::kSingle, inputs);
  }
}

const WindowSpec kMobileNetFirst = {
    .kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 2, .same = true};
const WindowSpec kKeywordFirst = {
    .kernel_h = 10, .kernel_w = 4, .stride_h = 2, .stride_w = 2, .same = true};

TEST(WidePixels, FirstLayerOfMobileNetTakesThreeBeatsForTwoPixels) {
  Rng rng;
  const Graph graph = OneConvolution(rng, {1, 96, 96, 3}, 8, kMobileNetFirst);
  const Network network = Filled(graph, k256);
  EXPECT_EQ(network.layers[0].wide, 2);
  EXPECT_EQ(OutputOf(network, network.layers[0]), (Extent{48, 24, 16}));
  EXPECT_EQ(BeatsOfFirst(network, k256), 3);
  EXPECT_EQ(Filled(graph, k1024).layers[0].wide, 4);  // N 32: four pixels
  EXPECT_EQ(Filled(graph, k64).layers[0].wide, 1);    // N 8: no idle columns
}

TEST(PixelPairs, DepthwiseOfHalfTheArrayOnly) {
  Rng rng;
  const auto wide = [&](int width, int channels, WindowSpec window) {
    GraphMaker net(rng);
    const int x = net.Input({1, 20, width, channels});
    const Graph graph = net.Finish({net.Depthwise(x, 1, window)});
    const int pixels = Filled(graph, k256).layers[0].wide;
    ExpectExactEverywhere(graph, rng);
    return pixels;
  };
  const WindowSpec same = {.kernel_h = 3, .kernel_w = 3, .same = true};
  EXPECT_EQ(wide(48, 8, same), 2);
  EXPECT_EQ(wide(8, 8, {.kernel_h = 2, .kernel_w = 3}), 2);
  EXPECT_EQ(wide(47, 8, same), 1);
  EXPECT_EQ(wide(48, 16, same), 1);
  EXPECT_EQ(wide(48, 4, same), 1);
  EXPECT_EQ(wide(48, 8, {.kernel_h = 3, .kernel_w = 3, .stride_w = 2, .same = true}), 1);
  EXPECT_EQ(wide(48, 8, {.kernel_h = 5, .kernel_w = 5, .same = true}), 1);
}

TEST(WidePixels, NeedAWidthTheyDivideAndIdleColumns) {
  Rng rng;
  const auto wide = [&](int width, int channels) {
    const Graph graph = OneConvolution(rng, {1, 32, width, 3}, channels,
                                       {.kernel_h = 3, .kernel_w = 3, .same = true});
    return Filled(graph, k256).layers[0].wide;
  };
  EXPECT_EQ(wide(32, 4), 4);
  EXPECT_EQ(wide(30, 4), 2);
  EXPECT_EQ(wide(31, 4), 1);
  EXPECT_EQ(wide(32, 8), 2);
  EXPECT_EQ(wide(32, 9), 1);
}

class RandomWide : public ::testing::TestWithParam<int> {};

TEST_P(RandomWide, IsExact) {
  Rng rng(static_cast<uint64_t>(GetParam()));
  WindowSpec window = {.kernel_h = static_cast<int>(rng.Int(1, 4)),
                       .kernel_w = static_cast<int>(rng.Int(1, 5)),
                       .stride_h = static_cast<int>(rng.Int(1, 3)),
                       .stride_w = static_cast<int>(rng.Int(1, 3)),
                       .same = true,
                       .bias = rng.Chance(0.7),
                       .per_channel = rng.Chance(0.6)};
  const auto pixels = static_cast<int>(rng.Int(4, 9));
  const int cut = static_cast<int>(rng.Int(0, window.stride_w - 1));  // same output width
  GraphMaker net(rng);
  int x = net.Input({1, static_cast<int32_t>(rng.Int(20, 60)), 4 * pixels * window.stride_w - cut,
                     static_cast<int32_t>(rng.Int(1, 6))});
  if (rng.Chance(0.3)) {  // keeps the output width: the window slides over the padding as well
    x = net.PadImage(x, 1, 2, window.stride_w, window.stride_w);
    window.stride_w = 1;
  }
  x = net.Conv(x, static_cast<int>(rng.Int(1, 8)), window);
  if (rng.Chance(0.5)) x = net.Depthwise(x, 1, {.kernel_h = 3, .kernel_w = 3, .same = true});
  const Graph graph = net.Finish({x});
  ExpectExactEverywhere(graph, rng);
}

INSTANTIATE_TEST_SUITE_P(WidePixels, RandomWide, ::testing::Range(0, 40));

TEST(WidePixels, ResidualIsExact) {
  Rng rng;
  for (int channels : {3, 4, 8}) {
    GraphMaker net(rng);
    const int x = net.Input({2, 24, 24, channels});
    const int y = net.Conv(x, channels, {.kernel_h = 3, .kernel_w = 3, .same = true});
    const Graph graph = net.Finish({net.AddTensors(y, x)});
    const Network network = Filled(graph, k1024);
    ASSERT_EQ(network.layers.size(), 1u);
    EXPECT_EQ(network.layers[0].wide, 4);
    ExpectExactEverywhere(graph, rng);
  }
}

TEST(WidePixels, TilesAreExact) {
  Rng rng;
  GraphMaker net(rng);
  int x = net.Input({1, 200, 404, 4});  // beyond the scratchpads of weft64 and weft256
  x = net.Conv(x, 4, {.kernel_h = 3, .kernel_w = 3, .same = true});
  x = net.Conv(x, 2, {.kernel_h = 3, .kernel_w = 3, .stride_h = 2, .stride_w = 1, .same = true});
  const Graph graph = net.Finish({x});
  EXPECT_EQ(Filled(graph, k64).layers[0].wide, 2);
  EXPECT_EQ(Filled(graph, k256).layers[1].wide, 4);
  const auto inputs = RandomInputs(graph, rng);
  ExpectExact(graph, k64, Rounding::kDouble, inputs);
  ExpectExact(graph, k256, Rounding::kSingle, inputs);
}

TEST(TransposedInput, FirstLayerOfKeywordSpottingTakesThreeBeats) {
  Rng rng;
  const Graph graph = OneConvolution(rng, {1, 49, 10, 1}, 64, kKeywordFirst);
  const Network network = Filled(graph, k256);
  EXPECT_TRUE(network.layers[0].transposed);
  EXPECT_EQ(OutputOf(network, network.layers[0]), (Extent{5, 25, 64}));
  EXPECT_EQ(network.values[0].extent, (Extent{10, 49, 1}));
  EXPECT_EQ(BeatsOfFirst(network, k256), 3);
  const Result<Program> program = Compile(graph, k256, {});
  ASSERT_TRUE(program);
  EXPECT_EQ(program->inputs[0].place.rows, 10u);
  EXPECT_EQ(program->inputs[0].place.column_pixel, 1u);
  EXPECT_EQ(program->layers[0].output.column_pixel, 0u);
}

TEST(TransposedInput, NeedsAnInputOfItsOwnAndNoResidual) {
  Rng rng;
  GraphMaker two(rng);
  int x = two.Input({1, 49, 10, 1});
  const Graph shared = two.Finish({two.Conv(x, 64, kKeywordFirst), two.Conv(x, 32, kKeywordFirst)});
  EXPECT_FALSE(Filled(shared, k256).layers[0].transposed);
  ExpectExactEverywhere(shared, rng);

  GraphMaker behind(rng);
  x = behind.Relu(behind.Input({1, 49, 10, 1}), Activation::kRelu);
  const Graph inner = behind.Finish({behind.Conv(x, 64, kKeywordFirst)});
  EXPECT_FALSE(Filled(inner, k256).layers[1].transposed);

  GraphMaker sum(rng);
  x = sum.Conv(sum.Input({1, 49, 10, 1}), 64, kKeywordFirst);
  const Graph added = sum.Finish({sum.AddTensors(x, sum.Constant(sum.Shape(x)))});
  EXPECT_FALSE(Filled(added, k256).layers[0].transposed);
}

TEST(TransposedInput, AnImageTooLargeForTheScratchpadStaysAsItIs) {
  Rng rng;
  const Graph graph = OneConvolution(rng, {1, 400, 200, 1}, 32, kKeywordFirst);
  EXPECT_FALSE(Filled(graph, k64).layers[0].transposed);
  ExpectExact(graph, k64, Rounding::kDouble, RandomInputs(graph, rng));
}

class RandomTransposed : public ::testing::TestWithParam<int> {};

TEST_P(RandomTransposed, IsExact) {
  Rng rng(static_cast<uint64_t>(GetParam()));
  const int depth = static_cast<int>(rng.Int(1, 3));
  WindowSpec window = {.kernel_h = static_cast<int>(rng.Int(8, 12)),
                       .kernel_w = static_cast<int>(rng.Int(1, 3)),
                       .stride_h = static_cast<int>(rng.Int(1, 3)),
                       .stride_w = static_cast<int>(rng.Int(1, 3)),
                       .same = rng.Chance(0.7),
                       .bias = rng.Chance(0.7),
                       .per_channel = rng.Chance(0.6)};
  GraphMaker net(rng);
  const bool from_float = rng.Chance(0.3);
  int x = net.Input({static_cast<int32_t>(rng.Int(1, 2)), static_cast<int32_t>(rng.Int(33, 49)),
                     static_cast<int32_t>(rng.Int(21, 29)), depth},
                    from_float ? DType::kFloat32 : DType::kInt8);
  if (from_float) x = net.Quantize(x);
  if (rng.Chance(0.3)) x = net.PadImage(x, 2, 1, 0, 3);
  // As many channels as a block or more: pixels cannot be packed instead.
  x = net.Conv(x, static_cast<int>(rng.Int(33, 40)), window);
  const int first = x;
  std::vector<int> outputs = {first};
  if (rng.Chance(0.7)) {
    outputs[0] = net.Depthwise(x, 1, {.kernel_h = 3, .kernel_w = 3, .same = true});
    if (rng.Chance(0.3)) outputs.push_back(first);
  }
  const Graph graph = net.Finish(outputs);
  const Network network = Filled(graph, k1024);
  EXPECT_TRUE(network.layers[0].transposed);
  ExpectExactEverywhere(graph, rng);
}

INSTANTIATE_TEST_SUITE_P(TransposedInput, RandomTransposed, ::testing::Range(0, 40));

// Fewer output channels than a block: a row's results would touch, column by column they do not.
TEST(TransposedInput, OneBlockOfChannelsIsExact) {
  Rng rng;
  GraphMaker net(rng);
  int x = net.Input({1, 49, 35, 1});
  x = net.Conv(x, 5, {.kernel_h = 12, .kernel_w = 2, .same = true});
  x = net.Depthwise(x, 1, {.kernel_h = 3, .kernel_w = 3, .same = true});
  const Graph graph = net.Finish({x});
  EXPECT_TRUE(Filled(graph, k64).layers[0].transposed);
  EXPECT_TRUE(Filled(graph, k256).layers[0].transposed);
  ExpectExactEverywhere(graph, rng);
}

}  // namespace
}  // namespace weft::compile
