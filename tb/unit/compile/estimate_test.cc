// SPDX-License-Identifier: Apache-2.0
//
// The estimate on single layers whose cycles follow from their shape, and how it reacts to the
// memory. How near it is to the hardware is measured on whole networks by scripts/bench.py --check;
// that its bytes are those of the commands is part of the random graphs.
#include "weft/estimate.h"

#include <gtest/gtest.h>

#include "tb/unit/compile/graph_maker.h"

namespace weft {
namespace {

using testing::GraphMaker;
using testing::Rng;

const HardwareConfig& Weft256() { return kHardwareConfigs[1]; }

Estimate EstimateOf(const Graph& graph, const MemoryTiming& memory = {}) {
  const Result<Estimate> estimate = EstimateNetwork(graph, Weft256(), {}, memory);
  EXPECT_TRUE(estimate) << estimate.error().message;
  return estimate.value_or(Estimate{});
}

Graph ConvGraph(int size, int channels, int outputs, int kernel) {
  Rng rng;
  GraphMaker net(rng);
  int x = net.Input({1, size, size, channels});
  x = net.Conv(x, outputs, {.kernel_h = kernel, .kernel_w = kernel, .same = true});
  return net.Finish({x});
}

TEST(Estimate, ADenseLayerTakesItsBeats) {
  const Estimate estimate = EstimateOf(ConvGraph(32, 16, 16, 3));
  ASSERT_EQ(estimate.layers.size(), 1u);
  EXPECT_EQ(estimate.macs, 32 * 32 * 16 * 16 * 9);
  const int64_t beats = 32 * 32 * 9;  // K products of N channels a cycle
  EXPECT_GE(estimate.cycles, beats);
  EXPECT_LE(estimate.cycles, beats + 1000) << "start, first rows, weights, last rows";
  EXPECT_EQ(estimate.write_bytes, 32 * 32 * 16);
  EXPECT_EQ(estimate.cycles, estimate.layers[0].cycles);
}

TEST(Estimate, AFullyConnectedLayerTakesItsWeights) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.FullyConnected(net.Input({1, 640}), 640, {.per_channel = false});
  const Graph graph = net.Finish({x});
  const int64_t beats = 640 * 640 / 16;
  EXPECT_NEAR(EstimateOf(graph).cycles, beats, 0.03 * beats);
  EXPECT_NEAR(EstimateOf(graph, {.bandwidth = 0.25}).cycles, 4 * beats, 0.03 * 4 * beats);
}

TEST(Estimate, LatencyDelaysStartAndEnd) {
  const Graph graph = ConvGraph(32, 16, 16, 3);
  const int64_t fast = EstimateOf(graph, {.latency = 8}).cycles;
  const int64_t slow = EstimateOf(graph, {.latency = 108}).cycles;
  // Job, commands, operands, results; the MARK waits for no STORE.
  EXPECT_NEAR(slow - fast, 4 * 100, 60);
}

TEST(Estimate, BurstsUnderWayCoverTheLatencyUpToALimit) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.FullyConnected(net.Input({1, 640}), 640, {.per_channel = false});
  const Graph graph = net.Finish({x});
  const int64_t fast = EstimateOf(graph, {.latency = 100}).cycles;
  // Eight bursts of 16 beats each 413 cycles.
  EXPECT_NEAR(EstimateOf(graph, {.latency = 400}).cycles, fast * 429.0 / 128, 0.05 * fast);
}

TEST(Estimate, AnUnsupportedGraphIsAnError) {
  Graph graph = ConvGraph(8, 16, 16, 3);
  graph.nodes[0].kind = OpKind::kUnsupported;
  EXPECT_FALSE(EstimateNetwork(graph, Weft256(), {}, {}));
}

}  // namespace
}  // namespace weft
