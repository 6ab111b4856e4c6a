// SPDX-License-Identifier: Apache-2.0
//
// The runtime on the functional device, and on one that is made to fail in every way a device can.
#include "weft/runtime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "sim/reference/reference.h"
#include "tb/lib/data.h"
#include "tb/lib/seed.h"
#include "tb/unit/import/tflite_builder.h"
#include "tb/unit/runtime/wrapped_device.h"
#include "weft/compile.h"
#include "weft/hw/commands.h"
#include "weft/import.h"
#include "weft/io.h"

namespace weft {
namespace {

using ::testing::HasSubstr;
using testing::ModelBuilder;
using testing::Rng;
using testing::WrappedDevice;
using Bytes = std::vector<uint8_t>;

constexpr uint64_t kMemory = uint64_t{16} << 20;
constexpr int32_t kDequantize = 6, kRelu = 19, kQuantize = 114;

const HardwareConfig& Config(std::string_view name) {
  for (const HardwareConfig& config : kHardwareConfigs) {
    if (config.name == name) return config;
  }
  ADD_FAILURE() << name;
  return kHardwareConfigs[0];
}

struct Compiled {
  Graph graph;
  Program program;
};

Compiled CompileGraph(Graph graph, std::string_view config = "weft256") {
  Result<Program> program = Compile(graph, Config(config), {});
  EXPECT_TRUE(program) << program.error().message;
  return {std::move(graph), program.value_or(Program{})};
}

Compiled Mnist(std::string_view config = "weft256") {
  const Result<Graph> graph =
      ImportTflite((testing::SourceDir() / "models/mnist_cnn/mnist_cnn_int8.tflite").string());
  EXPECT_TRUE(graph) << graph.error().message;
  return CompileGraph(graph.value_or(Graph{}), config);
}

Compiled FromBuilder(const ModelBuilder& model, std::string_view config = "weft256") {
  const Result<Graph> graph = ImportTfliteBuffer(model.Build(), "test model");
  EXPECT_TRUE(graph) << graph.error().message;
  return CompileGraph(graph.value_or(Graph{}), config);
}

Bytes RandomBytes(Rng& rng, size_t count) { return rng.Vector<uint8_t>(count); }

std::vector<Bytes> GoldenOutputs(const Graph& graph, const std::vector<Bytes>& inputs) {
  const Result<ReferenceResult> golden = RunReference(graph, inputs, Rounding::kDouble);
  EXPECT_TRUE(golden) << golden.error().message;
  std::vector<Bytes> outputs;
  for (const int output : graph.outputs) {
    outputs.push_back(golden ? golden->tensors[static_cast<size_t>(output)] : Bytes{});
  }
  return outputs;
}

std::unique_ptr<Runtime> OpenAndLoad(Device& device, const Program& program) {
  Result<std::unique_ptr<Runtime>> runtime = Runtime::Open(device);
  EXPECT_TRUE(runtime) << runtime.error().message;
  const Status loaded = (*runtime)->Load(program);
  EXPECT_TRUE(loaded) << loaded.error().message;
  return std::move(*runtime);
}

TEST(Runtime, RunsTheShippedModelOnEveryConfiguration) {
  Rng rng;
  for (const HardwareConfig& config : kHardwareConfigs) {
    SCOPED_TRACE(config.name);
    const Compiled model = Mnist(config.name);
    const auto device = MakeFunctionalDevice(config, kMemory);
    const auto runtime = OpenAndLoad(*device, model.program);
    for (int run = 0; run < 3; ++run) {
      const std::vector<Bytes> inputs = {RandomBytes(rng, 28 * 28)};
      const Result<RunResult> result = runtime->Run(inputs, {});
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(result->outputs, GoldenOutputs(model.graph, inputs));
      EXPECT_TRUE(result->tensors.empty());
    }
  }
}

TEST(Runtime, CapturesEveryTensorThatIsWhole) {
  Rng rng;
  const Compiled model = Mnist();
  const std::vector<Bytes> inputs = {RandomBytes(rng, 28 * 28)};
  const auto device = MakeFunctionalDevice(Config("weft256"), kMemory);
  RunOptions options;
  options.capture_tensors = true;
  const auto result = OpenAndLoad(*device, model.program)->Run(inputs, options);
  ASSERT_TRUE(result) << result.error().message;
  const auto golden = RunReference(model.graph, inputs, Rounding::kDouble);
  ASSERT_TRUE(golden);
  ASSERT_EQ(result->tensors.size(), model.program.layers.size());
  for (size_t i = 0; i < result->tensors.size(); ++i) {
    const ProgramLayer& layer = model.program.layers[i];
    ASSERT_NE(layer.output.where, TensorPlace::Where::kNowhere) << layer.name;
    EXPECT_EQ(result->tensors[i], golden->tensors[static_cast<size_t>(layer.output_tensor)])
        << layer.name;
  }
}

TEST(Runtime, RunsABatchImageByImage) {
  Rng rng;
  ModelBuilder model;
  const int x = model.Input("x", {5, 3, 7, 11}, 0.5f, -3);
  const int y = model.Activation("y", {5, 3, 7, 11}, 0.25f, 4);
  model.Operator(kRelu, {x}, {y});
  model.Output(y);
  for (const HardwareConfig& config : kHardwareConfigs) {
    SCOPED_TRACE(config.name);
    const Compiled compiled = FromBuilder(model, config.name);
    ASSERT_EQ(compiled.program.images, 5);
    const std::vector<Bytes> inputs = {RandomBytes(rng, 5 * 3 * 7 * 11)};
    const auto device = MakeFunctionalDevice(config, kMemory);
    RunOptions options;
    options.capture_tensors = true;
    int last_image = -1;
    options.progress = [&](const RunProgress& progress) { last_image = progress.image; };
    const auto result = OpenAndLoad(*device, compiled.program)->Run(inputs, options);
    ASSERT_TRUE(result) << result.error().message;
    const std::vector<Bytes> golden = GoldenOutputs(compiled.graph, inputs);
    EXPECT_EQ(result->outputs, golden);
    EXPECT_EQ(result->tensors, golden) << "the one layer is the output";
    EXPECT_EQ(last_image, 4);
  }
}

// What feeds only operators that no output needs is handed over like any other and not used.
TEST(Runtime, TakesAnInputThatNothingReads) {
  Rng rng;
  ModelBuilder model;
  const int x = model.Input("x", {2, 3, 7, 11}, 0.5f, -3);
  const int spare = model.Input("spare", {2, 4, 4, 3}, 0.5f, 0);
  const int dead = model.Activation("dead", {2, 4, 4, 3}, 0.25f, 4);
  model.Operator(kRelu, {spare}, {dead});
  const int y = model.Activation("y", {2, 3, 7, 11}, 0.25f, 4);
  model.Operator(kRelu, {x}, {y});
  model.Output(y);
  const Compiled compiled = FromBuilder(model);
  const std::string path = ::testing::TempDir() + "weft_runtime_test_spare.weft";
  const Status saved = SaveProgram(compiled.program, path);
  ASSERT_TRUE(saved) << saved.error().message;
  const Result<Program> program = LoadProgram(path);
  std::remove(path.c_str());
  ASSERT_TRUE(program) << program.error().message;
  const std::vector<Bytes> inputs = {RandomBytes(rng, 2 * 3 * 7 * 11), RandomBytes(rng, 96)};
  const auto device = MakeFunctionalDevice(Config("weft256"), kMemory);
  const auto runtime = OpenAndLoad(*device, *program);
  const auto result = runtime->Run(inputs, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->outputs, GoldenOutputs(compiled.graph, inputs));
  EXPECT_FALSE(runtime->Run({inputs[0], Bytes(95)}, {}));
}

// One window each for the ring and the five regions; what the device may do there.
constexpr std::array<uint32_t, 8> kWindowPermissions = {
    WEFT_WINDOW_CONTROL_READ,
    WEFT_WINDOW_CONTROL_READ,
    WEFT_WINDOW_CONTROL_READ,
    WEFT_WINDOW_CONTROL_READ | WEFT_WINDOW_CONTROL_WRITE,
    WEFT_WINDOW_CONTROL_READ | WEFT_WINDOW_CONTROL_WRITE,
    WEFT_WINDOW_CONTROL_WRITE,
    0,
    0};

TEST(Runtime, OpensWindowsForWhatTheProgramUses) {
  Rng rng;
  const Compiled model = Mnist();
  const auto device = MakeFunctionalDevice(Config("weft256"), kMemory);
  const auto runtime = OpenAndLoad(*device, model.program);
  uint32_t next = 0;  // block
  for (uint32_t i = 0; i < kWindowPermissions.size(); ++i) {
    const bool used = i == 0 || (i <= kNumRegions && model.program.region_bytes[i - 1] > 0);
    const uint32_t control = device->ReadRegister(WEFT_REG_WINDOW_CONTROL(i));
    EXPECT_EQ(control, used ? kWindowPermissions[i] | WEFT_WINDOW_CONTROL_ENABLE : 0) << i;
    if (!used) continue;
    const uint32_t first = device->ReadRegister(WEFT_REG_WINDOW_FIRST(i));
    const uint32_t last = device->ReadRegister(WEFT_REG_WINDOW_LAST(i));
    EXPECT_GE(first, next);
    next = last + 1;
    const uint64_t bytes = i == 0 ? 256 : model.program.region_bytes[i - 1];
    EXPECT_EQ(next - first, (bytes + 255) / 256) << "not a block too many";
  }
  // Each of them is needed.
  const std::vector<Bytes> inputs = {RandomBytes(rng, 28 * 28)};
  for (uint32_t i = 0; i < kWindowPermissions.size(); ++i) {
    const uint32_t control = device->ReadRegister(WEFT_REG_WINDOW_CONTROL(i));
    if (control == 0) continue;
    SCOPED_TRACE(i);
    device->WriteRegister(WEFT_REG_WINDOW_CONTROL(i), WEFT_WINDOW_CONTROL_ENABLE);
    const auto stopped = runtime->Run(inputs, {});
    ASSERT_FALSE(stopped);
    EXPECT_THAT(stopped.error().message, HasSubstr("WINDOW"));
    EXPECT_THAT(stopped.error().message, HasSubstr("address 0x"));
    device->WriteRegister(WEFT_REG_WINDOW_CONTROL(i), control);
    const auto result = runtime->Run(inputs, {});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->outputs, GoldenOutputs(model.graph, inputs));
  }
}

TEST(Runtime, LeavesWindowsOpenAndLockedOnesAlone) {
  const Compiled model = Mnist();
  const auto device = MakeFunctionalDevice(Config("weft256"), kMemory);
  device->WriteRegister(WEFT_REG_WINDOW_LAST(2), 0xffffffff);
  const uint32_t locked = WEFT_WINDOW_CONTROL_ENABLE | WEFT_WINDOW_CONTROL_READ |
                          WEFT_WINDOW_CONTROL_WRITE | WEFT_WINDOW_CONTROL_LOCK;
  device->WriteRegister(WEFT_REG_WINDOW_CONTROL(2), locked);
  for (const bool windows : {true, false}) {
    const auto runtime = Runtime::Open(*device, {.windows = windows});
    ASSERT_TRUE(runtime);
    ASSERT_TRUE((*runtime)->Load(model.program));
    EXPECT_EQ(device->ReadRegister(WEFT_REG_WINDOW_CONTROL(2)), locked);
    EXPECT_EQ(device->ReadRegister(WEFT_REG_WINDOW_CONTROL(0)) != 0, windows);
    EXPECT_TRUE((*runtime)->Run({Bytes(28 * 28)}, {}));
  }
}

TEST(Runtime, ConvertsFloatInputsAndOutputs) {
  Rng rng;
  ModelBuilder model;
  const int x = model.Tensor("x", {2, 4, 5, 3}, ModelBuilder::kFloat32);
  model.inputs.push_back(x);
  const int q = model.Activation("q", {2, 4, 5, 3}, 0.037f, 9);
  const int r = model.Activation("r", {2, 4, 5, 3}, 0.02f, -128);
  const int y = model.Tensor("y", {2, 4, 5, 3}, ModelBuilder::kFloat32);
  model.Operator(kQuantize, {x}, {q});
  model.Operator(kRelu, {q}, {r});
  model.Operator(kDequantize, {r}, {y});
  model.Output(y);
  const Compiled compiled = FromBuilder(model);
  std::vector<float> values(2 * 4 * 5 * 3);
  for (float& value : values) value = static_cast<float>(rng.Real() * 12 - 6);
  Bytes input(values.size() * sizeof(float));
  std::memcpy(input.data(), values.data(), input.size());
  const auto device = MakeFunctionalDevice(Config("weft256"), kMemory);
  const auto result = OpenAndLoad(*device, compiled.program)->Run({input}, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->outputs, GoldenOutputs(compiled.graph, {input}));
}

TEST(Runtime, RefusesAProgramForAnotherConfiguration) {
  const auto device = MakeFunctionalDevice(Config("weft256"), kMemory);
  auto runtime = Runtime::Open(*device);
  ASSERT_TRUE(runtime);
  const Status loaded = (*runtime)->Load(Mnist("weft64").program);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("compiled for weft64"));
  EXPECT_THAT(loaded.error().message, HasSubstr("the device is weft256"));
  const Result<RunResult> result = (*runtime)->Run({Bytes(784)}, {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("no program is loaded"));
}

TEST(Runtime, RefusesAModelLargerThanTheMemory) {
  const Program program = Mnist().program;
  const uint64_t needed = Runtime::MemoryBytes(program);
  const auto exact = MakeFunctionalDevice(Config("weft256"), needed);
  EXPECT_TRUE((*Runtime::Open(*exact))->Load(program));
  const auto small = MakeFunctionalDevice(Config("weft256"), needed - 1);
  const Status loaded = (*Runtime::Open(*small))->Load(program);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("too large"));
  const auto none = MakeFunctionalDevice(Config("weft256"), 0);
  EXPECT_FALSE(Runtime::Open(*none));
}

TEST(Runtime, RefusesInputsOfWrongNumberOrSize) {
  const auto device = MakeFunctionalDevice(Config("weft256"), kMemory);
  const auto runtime = OpenAndLoad(*device, Mnist().program);
  for (const std::vector<Bytes>& inputs :
       {std::vector<Bytes>{}, {Bytes(783)}, {Bytes(785)}, {Bytes(784), Bytes(784)}}) {
    const Result<RunResult> result = runtime->Run(inputs, {});
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, ::testing::ContainsRegex("inputs,|784 bytes"));
  }
  EXPECT_TRUE(runtime->Run({Bytes(784)}, {}));
}

TEST(Runtime, NamesCommandAndLayerOfADeviceError) {
  const Compiled model = Mnist();
  // The command before the third MARK gets a reserved bit: the device refuses it.
  Program broken = model.program;
  uint32_t marks = 0, victim = 0;
  for (uint32_t i = 0; i < broken.stream_commands && marks < 3; ++i) {
    const uint8_t opcode = broken.memory[broken.stream_offset + i * kCommandBytes];
    if (opcode == static_cast<uint8_t>(Opcode::kMark) && ++marks == 3) victim = i;
  }
  ASSERT_EQ(marks, 3u);
  broken.memory[broken.stream_offset + victim * kCommandBytes + kCommandBytes - 1] |= 0x80;
  const auto device = MakeFunctionalDevice(Config("weft256"), kMemory);
  const auto runtime = OpenAndLoad(*device, broken);
  const Result<RunResult> result = runtime->Run({Bytes(784)}, {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr(fmt::format("command {}", victim)));
  EXPECT_THAT(result.error().message, HasSubstr("BAD_FIELD"));
  EXPECT_THAT(result.error().message, HasSubstr(model.program.layers[2].name));
  // The next job runs exactly.
  ASSERT_TRUE(runtime->Load(model.program));
  const Result<RunResult> good = runtime->Run({Bytes(784)}, {});
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->outputs, GoldenOutputs(model.graph, {Bytes(784)}));
}

TEST(Runtime, RefusesADeviceThatIsNoWeft) {
  struct Other : WrappedDevice {
    using WrappedDevice::WrappedDevice;
    uint32_t ReadRegister(uint32_t offset) override {
      return offset == WEFT_REG_ID ? 0xdeadbeef : WrappedDevice::ReadRegister(offset);
    }
  } device(Config("weft256"), kMemory);
  const auto runtime = Runtime::Open(device);
  ASSERT_FALSE(runtime);
  EXPECT_THAT(runtime.error().message, HasSubstr("no Weft device"));
}

TEST(Runtime, GivesUpOnADeviceThatDoesNotFinish) {
  struct Deaf : WrappedDevice {
    using WrappedDevice::WrappedDevice;
    void WriteRegister(uint32_t offset, uint32_t value) override {
      if (!deaf || offset != WEFT_REG_RING_TAIL) WrappedDevice::WriteRegister(offset, value);
    }
    bool deaf = true;
  } device(Config("weft256"), kMemory);
  const auto runtime = OpenAndLoad(device, Mnist().program);
  RunOptions options;
  options.timeout_ticks = 1000;
  const Result<RunResult> result = runtime->Run({Bytes(784)}, options);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("did not finish within 1000 ticks"));
}

TEST(Runtime, ABrokenRuleIsAFailure) {
  struct Rude : WrappedDevice {
    using WrappedDevice::WrappedDevice;
    std::string Violations() const override { return "AWVALID fell"; }
  } device(Config("weft256"), kMemory);
  const Result<RunResult> result = OpenAndLoad(device, Mnist().program)->Run({Bytes(784)}, {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("AWVALID fell"));
}

// Replaces what MARKs and counters say. `cycles[i]` is the clock at mark i, the last one at the
// end.
struct Clocked : WrappedDevice {
  using WrappedDevice::WrappedDevice;
  void ReadMemory(uint64_t address, std::span<uint8_t> out) override {
    WrappedDevice::ReadMemory(address, out);
    const uint64_t mark = (address - marks) / kMarkBytes;
    if (address < marks || mark + 1 >= cycles.size() || out.size() != kMarkBytes) return;
    uint32_t words[WEFT_NUM_COUNTERS];
    std::memcpy(words, out.data(), sizeof(words));
    words[WEFT_COUNTER_CYCLES] = cycles[mark];
    words[WEFT_COUNTER_READ_BEATS] = cycles[mark] / 10;
    if (mark == lost) words[WEFT_COUNTER_LAYER] = ~0u;
    std::memcpy(out.data(), words, sizeof(words));
  }
  uint32_t ReadRegister(uint32_t offset) override {
    if (offset == WEFT_REG_COUNTER(WEFT_COUNTER_CYCLES)) return cycles.back();
    if (offset == WEFT_REG_COUNTER(WEFT_COUNTER_READ_BEATS)) return cycles.back() / 10;
    return WrappedDevice::ReadRegister(offset);
  }
  void WriteMemory(uint64_t address, std::span<const uint8_t> data) override {
    // The runtime clears the marks before a job: that tells where they are.
    if (data.size() == (cycles.size() - 1) * kMarkBytes && data[0] == 0xff) marks = address;
    WrappedDevice::WriteMemory(address, data);
  }
  std::vector<uint32_t> cycles;
  uint64_t marks = ~uint64_t{0};
  uint64_t lost = ~uint64_t{0};
};

std::vector<uint64_t> CyclesOf(const RunResult& result) {
  std::vector<uint64_t> cycles;
  for (const CounterValues& layer : result.layers) cycles.push_back(layer[WEFT_COUNTER_CYCLES]);
  return cycles;
}

TEST(Runtime, LayerCyclesSumToTheTotal) {
  const Program program = Mnist().program;
  ASSERT_EQ(program.layers.size(), 7u);
  Clocked device(Config("weft256"), kMemory);
  device.cycles = {100, 250, 300, 400, 450, 700, 720, 1000};
  const auto result = OpenAndLoad(device, program)->Run({Bytes(784)}, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(CyclesOf(*result), (std::vector<uint64_t>{100, 150, 50, 100, 50, 250, 300}))
      << "the first takes the start, the last the tail";
  EXPECT_EQ(result->total[WEFT_COUNTER_CYCLES], 1000u);
  EXPECT_EQ(result->layers[5][WEFT_COUNTER_READ_BEATS], 25u);
  EXPECT_EQ(result->total[WEFT_COUNTER_READ_BEATS], 100u);
}

TEST(Runtime, AMarkThatOvertakesAddsNothing) {
  Clocked device(Config("weft256"), kMemory);
  device.cycles = {100, 300, 250, 400, 450, 700, 720, 1000};
  const auto result = OpenAndLoad(device, Mnist().program)->Run({Bytes(784)}, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(CyclesOf(*result), (std::vector<uint64_t>{100, 200, 0, 100, 50, 250, 300}));
}

TEST(Runtime, ALostMarkIsAnError) {
  Clocked device(Config("weft256"), kMemory);
  device.cycles = {100, 250, 300, 400, 450, 700, 720, 1000};
  device.lost = 4;
  const auto result = OpenAndLoad(device, Mnist().program)->Run({Bytes(784)}, {});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("mark of layer 4"));
}

}  // namespace
}  // namespace weft
