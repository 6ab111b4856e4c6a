// SPDX-License-Identifier: Apache-2.0
//
// Properties of whole streams that the device relies on, checked on the encoded bytes; and the
// errors of Compile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sw/command/codec.h"
#include "tb/unit/compile/graph_maker.h"
#include "weft/compile.h"

namespace weft {
namespace {

using ::testing::HasSubstr;

using testing::GraphMaker;
using testing::Rng;

std::vector<Command> Decoded(const Program& program) {
  std::vector<Command> stream;
  for (uint32_t i = 0; i < program.stream_commands; ++i) {
    const uint8_t* at = program.memory.data() + program.stream_offset + i * kCommandBytes;
    const Result<Command> command =
        Decode(std::span<const uint8_t, kCommandBytes>(at, kCommandBytes));
    EXPECT_TRUE(command) << command.error().message;
    stream.push_back(*command);
  }
  return stream;
}

// Difference of 16-bit counts, as the device compares them.
int Distance(uint64_t count, int64_t wait) {
  return static_cast<int16_t>(static_cast<uint16_t>(count) - static_cast<uint16_t>(wait));
}

struct StreamChecker {
  const HardwareConfig& config;
  uint64_t loads = 0, blocks = 0, stores = 0;  // of the commands so far
  int64_t written = 0, released = 0;           // ring words
  SetupOutputCmd output = {};

  template <typename T>
  void CheckWaits(const T& command, int64_t exec_steps) {
    const auto check = [&command](int bit, uint64_t count, int64_t wait, int64_t steps) {
      if ((command.wait_mask >> bit & 1) == 0) return;
      EXPECT_GE(Distance(count, wait + steps), 0) << "waits for a later command";
      EXPECT_LE(Distance(count, wait), 16384) << "too old a wait";
    };
    check(0, loads, command.wait_load, 0);
    check(1, blocks, command.wait_exec, exec_steps);
    check(2, stores, command.wait_store, 0);
  }

  // Ring position nearest below what has been asked for.
  int64_t Position(int64_t field) const { return written - ((written - field) & 0xffff); }

  void operator()(const LoadCmd& c) {
    CheckWaits(c, 0);
    EXPECT_LE(c.spad_addr + (c.rows - 1) * c.spad_pitch + c.row_bytes, config.scratchpad);
    ++loads;
  }
  void operator()(const StoreCmd& c) {
    CheckWaits(c, 0);
    ++stores;
  }
  void operator()(const LoadWeightsCmd& c) {
    written += c.words;
    EXPECT_LE(written - released, config.ring_words()) << "asks for space nobody has released";
  }
  void operator()(const SetupOutputCmd& c) { output = c; }
  void operator()(const RunCmd& c) {
    const int64_t count = (c.channels + config.n - 1) / config.n;
    CheckWaits(c, (count - 1) * c.wait_step_block + (c.beats - 1) * c.wait_step_beat);
    const bool streams = c.weights_stream || c.weights_release;
    if (streams) {
      const int64_t block =
          c.weights_shared
              ? 0
              : c.beats * config.block_words() +
                    (output.has_params && c.acc_last ? config.param_words(output.per_tensor) : 0);
      const int64_t words = c.weights_shared ? config.block_words() : count * block;
      const int64_t end = Position(c.weights_pos) + words;
      EXPECT_LE(end, written) << "reads weights nobody has asked for";
      released = std::max(released, end);
    }
    if (c.acc_last) blocks += static_cast<uint64_t>(count);
  }
  void operator()(const EltwiseCmd& c) {
    const int64_t count = (c.channels + config.n - 1) / config.n;
    CheckWaits(c, (count - 1) * c.wait_step_block);
    blocks += static_cast<uint64_t>(count);
  }
  void operator()(const SoftmaxCmd& c) {
    CheckWaits(c, 0);
    if (c.weights_release) released = Position(c.weights_pos) + 1024 / config.weight_word;
    ++blocks;
  }
  void operator()(const NopCmd&) {}
  void operator()(const EndCmd&) {}
  void operator()(const MarkCmd&) {}
  void operator()(const SetupInputCmd&) {}
  void operator()(const SetupAddCmd&) {}
};

void CheckStream(const Program& program, const HardwareConfig& config) {
  const std::vector<Command> stream = Decoded(program);
  ASSERT_FALSE(stream.empty());
  EXPECT_TRUE(std::holds_alternative<EndCmd>(stream.back()));
  StreamChecker checker{.config = config};
  std::vector<int> marks(program.layers.size(), 0);
  for (size_t i = 0; i < stream.size(); ++i) {
    SCOPED_TRACE(fmt::format("{}: command {}: {}", config.name, i, Format(stream[i])));
    std::visit(checker, stream[i]);
    if (const auto* mark = std::get_if<MarkCmd>(&stream[i])) {
      ++marks.at(static_cast<size_t>(mark->layer));
    }
    if (::testing::Test::HasFailure()) return;
  }
  for (int count : marks) EXPECT_EQ(count, 1);
}

// Layers whose weights exceed the ring in every way: many blocks, deep blocks, many stripes.
TEST(Stream, WeightsNeverExceedWhatEarlierCommandsRelease) {
  Rng rng;
  for (int round = 0; round < 25; ++round) {
    GraphMaker net(rng);
    const auto size = static_cast<int32_t>(rng.Int(1, 8));
    int x = net.Input({1, size, size, static_cast<int32_t>(rng.Int(1, 600))});
    for (int i = 0; i < 4; ++i) {
      const int kernel = static_cast<int>(rng.Int(1, std::min(3, size)));
      x = net.Conv(x, static_cast<int>(rng.Int(1, 600)),
                   {.kernel_h = kernel, .kernel_w = kernel, .same = true});
    }
    x = net.FullyConnected(x, 10);
    const Graph graph = net.Finish({net.Softmax(x)});
    for (const HardwareConfig& config : kHardwareConfigs) {
      const Result<Program> program = Compile(graph, config, {});
      // The odd ones have little scratchpad: not all flattened tensors fit.
      if (!program && !config.shipped) {
        EXPECT_THAT(program.error().message, HasSubstr("bytes of scratchpad"));
        continue;
      }
      ASSERT_TRUE(program) << program.error().message;
      CheckStream(*program, config);
    }
  }
}

// More than 2^16 blocks and LOADs: counts wrap, waits stay near.
TEST(Stream, CountsWrap) {
  Rng rng;
  GraphMaker net(rng);
  int x = net.Input({1, 224, 224, 8});
  for (int i = 0; i < 3; ++i) x = net.Conv(x, 80, {});
  x = net.Pool(OpKind::kMaxPool2D, x, {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2});
  x = net.Softmax(x);
  const Graph graph = net.Finish({x});
  for (const HardwareConfig& config : kHardwareConfigs) {
    const Result<Program> program = Compile(graph, config, {});
    ASSERT_TRUE(program) << program.error().message;
    CheckStream(*program, config);
  }
}

TEST(Stream, LayersAreMarkedOnceEach) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 9, 9, 5});
  const int y = net.Conv(x, 20, {.kernel_h = 3, .kernel_w = 3, .same = true});
  const int z = net.AddTensors(y, net.Conv(x, 20, {}));
  const Graph graph = net.Finish({net.Softmax(z), y});
  const Result<Program> program = Compile(graph, kHardwareConfigs[1], {});
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->region_bytes[kRegionMarks], program->layers.size() * kMarkBytes);
  CheckStream(*program, kHardwareConfigs[1]);
}

TEST(Program, PortsAndLayersAreDescribed) {
  Rng rng;
  GraphMaker net(rng);
  const int real = net.Input({2, 5, 7, 3}, DType::kFloat32);
  const int x = net.Quantize(real);
  const int y = net.Conv(x, 4, {});
  const float scale = net.ScaleOf(x);
  const Graph graph = net.Finish({net.Dequantize(y)});
  const Result<Program> program = Compile(graph, kHardwareConfigs[1], {});
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->images, 2);
  ASSERT_EQ(program->inputs.size(), 1u);
  EXPECT_EQ(program->inputs[0].type, DType::kFloat32);
  EXPECT_EQ(program->inputs[0].tensor, x);
  EXPECT_EQ(program->inputs[0].scale, scale);
  EXPECT_EQ(program->inputs[0].place.rows * program->inputs[0].place.row_bytes, 5u * 7 * 3);
  EXPECT_EQ(program->inputs[0].image_stride % 64, 0u);
  ASSERT_EQ(program->outputs.size(), 1u);
  EXPECT_EQ(program->outputs[0].tensor, y);
  EXPECT_EQ(program->layers.size(), 1u);
  EXPECT_EQ(program->layers[0].macs, 5 * 7 * 3 * 4);
}

void ExpectError(const Graph& graph, const HardwareConfig& config, const std::string& text) {
  const Result<Program> program = Compile(graph, config, {});
  ASSERT_FALSE(program);
  EXPECT_NE(program.error().message.find(text), std::string::npos) << program.error().message;
  EXPECT_EQ(program.error().message.find('\n'), std::string::npos);
}

TEST(Errors, UnsupportedOperatorIsNamed) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 4, 4, 4});
  const int y = net.Relu(x, Activation::kRelu);
  Graph graph = net.Finish({y});
  graph.nodes[0].kind = OpKind::kUnsupported;
  graph.nodes[0].source_op = "HARD_SWISH";
  graph.nodes[0].unsupported_why = "no device command";
  ExpectError(graph, kHardwareConfigs[1], "operator 0 (HARD_SWISH), tensor 't1'");
}

TEST(Errors, FieldTooSmallForTheShapeIsNamed) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 300, 4, 1});
  const int y = net.Pool(OpKind::kMaxPool2D, x, {.kernel_h = 300, .kernel_w = 4});
  ExpectError(net.Finish({y}), kHardwareConfigs[1], "kernel_rows");
}

TEST(Errors, OnePixelThatDoesNotFitIsNamed) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({1, 200, 200, 3});
  const int y = net.Pool(OpKind::kAveragePool2D, x, {.kernel_h = 200, .kernel_w = 200});
  ExpectError(net.Finish({y}), kHardwareConfigs[0], "fit the 81920 bytes of scratchpad of weft64");
}

TEST(Errors, ViewAcrossImagesIsNamed) {
  Rng rng;
  GraphMaker net(rng);
  const int x = net.Input({2, 4, 4, 4});
  const int y = net.Relu(net.Reshape(x, {1, 8, 4, 4}), Activation::kRelu);
  ExpectError(net.Finish({y}), kHardwareConfigs[1], "batch");
}

}  // namespace
}  // namespace weft
