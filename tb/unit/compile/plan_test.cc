// SPDX-License-Identifier: Apache-2.0
//
// The parts that plan, each on its own: stripes, tiles, weights, waits, scratchpad places.
#include <gtest/gtest.h>

#include <numeric>

#include "sw/compile/allocate.h"
#include "sw/compile/fuse.h"
#include "sw/compile/legalise.h"
#include "sw/compile/pieces.h"
#include "sw/compile/tile.h"
#include "sw/compile/wait_steps.h"
#include "sw/compile/weights.h"
#include "tb/unit/compile/graph_maker.h"

namespace weft::compile {
namespace {

using weft::testing::GraphMaker;
using weft::testing::Rng;

const HardwareConfig& kWeft256 = kHardwareConfigs[1];

TEST(Stripes, AreEqualAndFitTheAccumulators) {
  EXPECT_EQ(StripesOf(196, {}, kWeft256), (std::vector<int>{49, 49, 49, 49}));
  EXPECT_EQ(StripesOf(15, {}, kWeft256), std::vector<int>{15});
  EXPECT_EQ(StripesOf(16, {}, kWeft256), (std::vector<int>{8, 8}));
  EXPECT_EQ(StripesOf(64, {.up = true, .down = true}, kWeft256),
            (std::vector<int>{21, 12, 21, 10}));
  EXPECT_EQ(StripesOf(256, {.up = true, .down = false}, kWeft256),
            (std::vector<int>{24, 48, 61, 61, 62}));
  EXPECT_EQ(StripesOf(100, {.up = false, .down = true}, kWeft256), (std::vector<int>{45, 45, 10}));
  for (int64_t pixels = 1; pixels < 1000; ++pixels) {
    for (const Ramp ramp : {Ramp{}, Ramp{.up = true, .down = false},
                            Ramp{.up = false, .down = true}, Ramp{.up = true, .down = true}}) {
      const std::vector<int> stripes = StripesOf(pixels, ramp, kWeft256);
      EXPECT_EQ(std::accumulate(stripes.begin(), stripes.end(), int64_t{0}), pixels);
      for (int stripe : stripes) {
        EXPECT_GE(stripe, 1);
        EXPECT_LE(stripe, kWeft256.stripe);
      }
      if (ramp.up || ramp.down) continue;
      const auto [low, high] = std::minmax_element(stripes.begin(), stripes.end());
      EXPECT_LE(*high - *low, 1);
    }
  }
}

// Pieces cover a value once, in order; the first of what is loaded holds the rows of the first
// stripe and no more, the last of what is stored those of the last.
TEST(Pieces, CoverTheRowsOnceAndEndWithStripes) {
  Rng rng;
  for (int round = 0; round < 500; ++round) {
    const HardwareConfig& config = kHardwareConfigs[static_cast<size_t>(rng.Int(0, 2))];
    Layer layer;
    layer.kernel_h = static_cast<int>(rng.Int(1, 5));
    layer.stride_h = static_cast<int>(rng.Int(1, 3));
    layer.in = {0,
                {static_cast<int>(rng.Int(5, 120)), static_cast<int>(rng.Int(1, 40)),
                 static_cast<int>(rng.Int(1, 100))}};
    const Extent& in = layer.in.extent;
    const Extent out = {(in.h - layer.kernel_h) / layer.stride_h + 1, in.w, config.n};
    const Ramp ramp{true, true};
    const std::vector<int> stripes = StripesOf(int64_t{out.h} * out.w, ramp, config);
    const bool dense = rng.Chance(0.5);
    const auto check = [&](const std::vector<Piece>& pieces, const Extent& value) {
      int64_t row = 0;
      for (const Piece& piece : pieces) {
        EXPECT_EQ(piece.row, row);
        EXPECT_GT(piece.rows, 0);
        EXPECT_EQ(piece.moves * piece.bytes, piece.rows * value.row_bytes());
        row += piece.rows;
      }
      EXPECT_EQ(row, value.h);
    };
    const int64_t in_pitch = dense ? in.row_bytes() : SpreadPitch(in.row_bytes(), config);
    const std::vector<Piece> loads =
        GrowingPieces(layer, layer.in, in, in_pitch, out, ramp, config);
    check(loads, in);
    const int last_row = (stripes.front() - 1) / out.w;
    const int64_t read = InputRect(layer, {0, last_row + 1, 0, out.w}).y1;
    if (!dense && loads.size() > 1) {
      EXPECT_EQ(loads.front().rows, read);
    }
    const std::vector<Piece> stores =
        ShrinkingPieces(layer, out, SpreadPitch(out.row_bytes(), config), out, ramp, config);
    check(stores, out);
    const int64_t before = int64_t{out.h} * out.w - stripes.back();
    if (stores.size() > 1) {
      EXPECT_EQ(stores.back().row, before / out.w);
    }
  }
}

// A random layer with spilled operands: its tiles cover the output once and fit.
TEST(Tiles, CoverTheOutputOnceAndFit) {
  Rng rng;
  for (int round = 0; round < 300; ++round) {
    const HardwareConfig& config = kHardwareConfigs[static_cast<size_t>(rng.Int(0, 2))];
    Layer layer;
    layer.kernel_h = static_cast<int>(rng.Int(1, 5));
    layer.kernel_w = static_cast<int>(rng.Int(1, 5));
    layer.stride_h = static_cast<int>(rng.Int(1, 3));
    layer.stride_w = static_cast<int>(rng.Int(1, 3));
    layer.multipliers = {kIdentity};
    layer.in.extent = {static_cast<int>(rng.Int(8, 120)), static_cast<int>(rng.Int(8, 120)),
                       static_cast<int>(rng.Int(1, 100))};
    const Extent out = {(layer.in.extent.h - layer.kernel_h) / layer.stride_h + 1,
                        (layer.in.extent.w - layer.kernel_w) / layer.stride_w + 1,
                        static_cast<int>(rng.Int(1, 100))};
    layer.weights.assign(1, 0);
    const Spills spills{rng.Chance(0.7), rng.Chance(0.3), rng.Chance(0.7)};
    const int64_t available = rng.Int(2000, config.scratchpad);
    const auto plan = ChooseTiles(layer, out, spills, available, config);
    if (!plan) continue;
    EXPECT_LE(plan->bytes(), available);
    std::vector<int> covered(static_cast<size_t>(out.h * out.w), 0);
    for (const auto& [tile, c0, c1] : TilesOf(out, *plan)) {
      EXPECT_EQ(c1 - c0, out.c);
      for (int y = tile.y0; y < tile.y1; ++y) {
        for (int x = tile.x0; x < tile.x1; ++x) ++covered[static_cast<size_t>(y * out.w + x)];
      }
      if (spills.out) {
        EXPECT_EQ(tile.x0 * out.c % config.word(), 0);
      }
      const Rect in = InputRect(layer, tile);
      EXPECT_LE(in.y0, tile.y0 * layer.stride_h);
      EXPECT_GE(in.y1, (tile.y1 - 1) * layer.stride_h + layer.kernel_h);
      if (spills.in) {
        const int64_t begin = int64_t{in.x0} * layer.in.extent.c / config.word() * config.word();
        EXPECT_LE(int64_t{in.x1} * layer.in.extent.c - begin, plan->in.pitch);
        const int rows = (in.height() + RowStep(layer) - 1) / RowStep(layer);
        EXPECT_LE(rows * plan->in.pitch, plan->in.bytes);
      }
    }
    for (int count : covered) ASSERT_EQ(count, 1);
  }
}

TEST(Weights, BeatsJoinTheEndsOfAtMostTwoRows) {
  const auto beats = [](int rows, int cols, int channels) {
    Layer layer;
    layer.kernel_h = rows;
    layer.kernel_w = cols;
    layer.in.extent.c = channels;
    layer.multipliers = {kIdentity};
    layer.weights.assign(1, 0);
    return ShapeOfWeights(layer, 16, kWeft256).beats;
  };
  EXPECT_EQ(beats(1, 1, 16), 1);
  EXPECT_EQ(beats(1, 1, 17), 2);
  EXPECT_EQ(beats(3, 3, 3), 2);   // 9 + 7 bytes, 2 + 9 bytes
  EXPECT_EQ(beats(10, 4, 1), 5);  // two rows of four a beat
  EXPECT_EQ(beats(3, 3, 16), 9);
  EXPECT_EQ(beats(3, 3, 24), 14);  // 216 bytes
}

// Reads weights back as the array would and compares with the kernel they came from.
TEST(Weights, LieInTheOrderOfTheBeatWalk) {
  Rng rng;
  for (int round = 0; round < 60; ++round) {
    const HardwareConfig& config = kHardwareConfigs[static_cast<size_t>(rng.Int(0, 2))];
    Layer layer;
    layer.kernel_h = static_cast<int>(rng.Int(1, 5));
    layer.kernel_w = static_cast<int>(rng.Int(1, 5));
    layer.in.extent.c = static_cast<int>(rng.Int(1, 20));
    const auto outs = static_cast<int>(rng.Int(1, 40));
    const int span = layer.kernel_w * layer.in.extent.c, taps = layer.kernel_h * span;
    layer.weights = rng.Vector<int8_t>(static_cast<size_t>(outs * taps));
    layer.multipliers = {kIdentity};
    const WeightShape shape = ShapeOfWeights(layer, outs, config);
    const std::vector<uint8_t> bytes = PackWeights(layer, outs, config);
    ASSERT_EQ(bytes.size(), static_cast<size_t>(shape.words() * config.weight_word));
    for (int o = 0; o < outs; ++o) {
      // The walk as docs/architecture.md states it.
      int row = 0, offset = 0, beat = 0;
      const auto weight = [&](int lane) {
        const int64_t block = o / config.n * shape.block_words() * config.weight_word;
        return static_cast<int8_t>(bytes[static_cast<size_t>(
            block + (int64_t{beat} * config.k + lane) * config.n + o % config.n)]);
      };
      for (; row < layer.kernel_h; ++beat) {
        const int n0 = std::min(config.k, span - offset);
        for (int i = 0; i < n0; ++i) {
          ASSERT_EQ(weight(i),
                    layer.weights[static_cast<size_t>(o * taps + row * span + offset + i)]);
        }
        offset += n0;
        if (offset == span) ++row, offset = 0;
        int n1 = 0;
        if (n0 < config.k && row < layer.kernel_h) {
          n1 = std::min(config.k - n0, span);
          for (int i = 0; i < n1; ++i) {
            ASSERT_EQ(weight(n0 + i),
                      layer.weights[static_cast<size_t>(o * taps + row * span + i)]);
          }
          offset = n1;
          if (offset == span) ++row, offset = 0;
        }
        for (int i = n0 + n1; i < config.k; ++i) ASSERT_EQ(weight(i), 0);
      }
      ASSERT_EQ(beat, shape.beats);
    }
  }
}

TEST(Waits, LineCoversEveryNeedAndAsksForNothingLater) {
  EXPECT_EQ(FitWaits({5, 6, 7, 8}, 15, 8).first, 5);
  EXPECT_EQ(FitWaits({5, 6, 7, 8}, 15, 8).step, 1);
  EXPECT_EQ(FitWaits({0, 0, 0}, 15, 8).first, 0);
  Rng rng;
  for (int round = 0; round < 2000; ++round) {
    const auto issued = static_cast<uint32_t>(rng.Int(0, 60));
    std::vector<uint32_t> needs(static_cast<size_t>(rng.Int(1, 12)));
    for (uint32_t& need : needs) need = static_cast<uint32_t>(rng.Int(0, issued));
    if (rng.Chance(0.5)) std::sort(needs.begin(), needs.end());
    const WaitLine line = FitWaits(needs, 15, issued);
    for (size_t i = 0; i < needs.size(); ++i) {
      EXPECT_GE(line.first + static_cast<int64_t>(i) * line.step, needs[i]);
    }
    EXPECT_LE(line.last(needs.size()), issued);
    EXPECT_LE(line.step, 15);
  }
}

// A chain with branches that live long.
Graph Branches(Rng& rng) {
  GraphMaker net(rng);
  int x = net.Input({1, 40, 40, 8});
  std::vector<int> old;
  for (int i = 0; i < 10; ++i) {
    old.push_back(x);
    x = net.Conv(x, 8, {.kernel_h = 3, .kernel_w = 3, .same = true});
    if (i % 3 == 2) x = net.AddTensors(x, old[static_cast<size_t>(rng.Int(0, i))]);
  }
  return net.Finish({x});
}

TEST(Allocation, KeepsLivingTensorsApart) {
  Rng rng;
  for (int round = 0; round < 20; ++round) {
    const Graph graph = Branches(rng);
    for (const HardwareConfig& config : kHardwareConfigs) {
      Result<Network> network = Legalise(graph, Rounding::kDouble);
      ASSERT_TRUE(network);
      FuseAdditions(*network);
      const Result<Allocation> allocation = Allocate(*network, config);
      ASSERT_TRUE(allocation) << allocation.error().message;
      // Stretches used at each unit: residents from first to last use, and buffers.
      const auto uses = [&](const Unit& unit, int value) {
        for (int l = unit.first; l <= unit.last; ++l) {
          const Layer& layer = network->layers[static_cast<size_t>(l)];
          if (value == layer.in.value || value == layer.residual.value || value == layer.out) {
            return true;
          }
        }
        return false;
      };
      for (size_t i = 0; i < allocation->units.size(); ++i) {
        std::vector<std::pair<int64_t, int64_t>> used;
        for (size_t v = 0; v < network->values.size(); ++v) {
          const Home& home = allocation->homes[v];
          if (!home.resident()) continue;
          int first = -1, last = -1;
          for (size_t u = 0; u < allocation->units.size(); ++u) {
            if (!uses(allocation->units[u], static_cast<int>(v))) continue;
            if (first < 0) first = static_cast<int>(u);
            last = static_cast<int>(u);
          }
          if (first > static_cast<int>(i) || last < static_cast<int>(i)) continue;
          const Extent& extent = network->values[v].extent;
          used.push_back({home.address, (extent.h - 1) * home.pitch + extent.row_bytes()});
          EXPECT_EQ(home.address % config.word(), 0);
        }
        const Unit& unit = allocation->units[i];
        if (unit.plan.bytes() > 0) used.push_back({unit.address, unit.plan.bytes()});
        std::sort(used.begin(), used.end());
        int64_t end = 0;
        for (const auto& [address, bytes] : used) {
          EXPECT_GE(address, end) << "unit " << i;
          end = address + bytes;
        }
        EXPECT_LE(end, config.scratchpad);
      }
    }
  }
}

// Bottlenecks of ResNet-50: the convolution that adds the spilled shortcut needs tiles of two rows,
// or its weights pass 14 times. That takes tile buffers in one stretch beside the resident input.
TEST(Allocation, LeavesTilesOneStretchToGrowIn) {
  Network network;
  const auto add_value = [&](int channels) {
    Value value;
    value.extent = {14, 14, channels};
    network.values.push_back(value);
    return static_cast<int>(network.values.size()) - 1;
  };
  const auto add_pointwise = [&](int in, int to) {
    const Extent extent = network.values[static_cast<size_t>(in)].extent;
    Layer layer;
    layer.in = {in, extent};
    layer.out = add_value(to);
    layer.weights.assign(static_cast<size_t>(extent.c) * static_cast<size_t>(to), 1);
    layer.multipliers = {kIdentity};
    network.layers.push_back(layer);
    return layer.out;
  };
  int shortcut = add_pointwise(add_value(256), 1024);
  network.values[0].source = Value::Source::kInput;
  for (int bottleneck = 0; bottleneck < 3; ++bottleneck) {
    const int out = add_pointwise(add_pointwise(add_pointwise(shortcut, 256), 256), 1024);
    network.layers.back().has_add = true;
    network.layers.back().residual = {shortcut, {14, 14, 1024}};
    shortcut = out;
  }
  network.values[static_cast<size_t>(shortcut)].is_output = true;

  const Result<Allocation> allocation = Allocate(network, kWeft256);
  ASSERT_TRUE(allocation) << allocation.error().message;
  ASSERT_EQ(allocation->units.size(), network.layers.size());
  for (size_t i = 3; i < network.layers.size(); i += 3) {
    EXPECT_GE(allocation->units[i].plan.tiles[0].rows, 2) << "layer " << i;
  }
}

TEST(Legalise, ViewsVanishAndPadsFold) {
  Rng rng;
  GraphMaker net(rng);
  int x = net.Input({1, 8, 8, 4});
  const int padded = net.PadImage(x, 1, 0, 2, 1);
  x = net.Conv(padded, 6, {.kernel_h = 3, .kernel_w = 3});
  x = net.Reshape(x, {1, net.Shape(x)[1] * net.Shape(x)[2] * 6});
  x = net.FullyConnected(x, 5);
  const Graph graph = net.Finish({x});
  const Result<Network> network = Legalise(graph, Rounding::kDouble);
  ASSERT_TRUE(network);
  ASSERT_EQ(network->layers.size(), 2u);
  EXPECT_EQ(network->layers[0].pad_top, 1);
  EXPECT_EQ(network->layers[0].pad_left, 2);
  EXPECT_EQ(network->layers[0].fused_tensors, std::vector<int>{padded});
  EXPECT_EQ(network->layers[0].source_ops, (std::vector<int>{0, 1, 2}));
  EXPECT_TRUE(network->values[static_cast<size_t>(network->layers[0].out)].dense);
}

TEST(Legalise, PadWithAnotherValueOrReaderStays) {
  Rng rng;
  GraphMaker net(rng);
  int x = net.Input({1, 8, 8, 4});
  const int value = net.ZeroOf(x) == 127 ? 126 : net.ZeroOf(x) + 1;
  x = net.Pad(x, {0, 1, 1, 0}, {0, 1, 1, 0}, value);
  x = net.Conv(x, 6, {.kernel_h = 3, .kernel_w = 3});
  x = net.PadImage(x, 1, 1, 1, 1);
  x = net.Pool(OpKind::kAveragePool2D, x, {.kernel_h = 2, .kernel_w = 2});
  const Graph graph = net.Finish({x});
  const Result<Network> network = Legalise(graph, Rounding::kDouble);
  ASSERT_TRUE(network);
  EXPECT_EQ(network->layers.size(), 4u);
}

TEST(Legalise, BatchBecomesImagesAndUnusedOperatorsVanish) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({3, 6, 6, 4});
  const int y = net.Conv(x, 5, {});
  net.Conv(x, 7, {});  // nobody reads it
  const Graph graph = net.Finish({y});
  const Result<Network> network = Legalise(graph, Rounding::kDouble);
  ASSERT_TRUE(network);
  EXPECT_EQ(network->images, 3);
  ASSERT_EQ(network->layers.size(), 1u);
  EXPECT_EQ(network->layers[0].macs, 6 * 6 * 4 * 5);
}

TEST(Fuse, LongestReductionTakesTheAddition) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 8, 8, 4});
  const int deep = net.Conv(x, 4, {.kernel_h = 3, .kernel_w = 3, .same = true});
  const int shallow = net.Conv(x, 4, {});
  const int sum = net.AddTensors(deep, shallow);
  const Graph graph = net.Finish({sum});
  Result<Network> network = Legalise(graph, Rounding::kDouble);
  ASSERT_TRUE(network);
  FuseAdditions(*network);
  ASSERT_EQ(network->layers.size(), 2u);
  EXPECT_EQ(network->layers[0].source_ops, std::vector<int>{1});
  EXPECT_EQ(network->layers[1].source_ops, (std::vector<int>{0, 2}));
  EXPECT_TRUE(network->layers[1].has_add);
  EXPECT_EQ(network->layers[1].fused_tensors, std::vector<int>{deep});
}

TEST(Fuse, TensorWithAnotherReaderStays) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 8, 8, 4});
  const int y = net.Conv(x, 4, {});
  const int sum = net.AddTensors(x, y);
  const Graph graph = net.Finish({sum, y});
  Result<Network> network = Legalise(graph, Rounding::kDouble);
  ASSERT_TRUE(network);
  FuseAdditions(*network);
  EXPECT_EQ(network->layers.size(), 2u);
  EXPECT_EQ(network->layers[1].kind, LayerKind::kAdd);
}

}  // namespace
}  // namespace weft::compile
