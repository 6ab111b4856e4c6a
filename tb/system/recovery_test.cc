// SPDX-License-Identifier: Apache-2.0
//
// After any failure the next job runs exactly: damaged command streams, errors of the bus, a host
// that loses patience. Through the runtime and the driver, as a user would meet it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/functional/functional_device.h"
#include "sim/reference/reference.h"
#include "sw/command/codec.h"
#include "tb/lib/data.h"
#include "tb/lib/devices.h"
#include "tb/lib/seed.h"
#include "weft/compile.h"
#include "weft/import.h"
#include "weft/io.h"
#if WEFT_WITH_RTL
#include "sim/verilated/verilated_device.h"
#endif

namespace weft {
namespace {

using testing::ConfigNamed;
using testing::DeviceKind;
using testing::DeviceName;
using ::testing::HasSubstr;
using testing::Rng;
using Bytes = std::vector<uint8_t>;

class Recovery : public ::testing::TestWithParam<DeviceKind> {
 protected:
  void SetUp() override {
    const Result<Graph> graph =
        ImportTflite((testing::SourceDir() / "models/mnist_cnn/mnist_cnn_int8.tflite").string());
    ASSERT_TRUE(graph) << graph.error().message;
    Result<Program> program = Compile(*graph, config_, {});
    ASSERT_TRUE(program) << program.error().message;
    program_ = std::move(*program);
    input_ = Bytes(28 * 28);
    for (uint8_t& byte : input_) byte = static_cast<uint8_t>(rng_.Bits());
    const auto golden = RunReference(*graph, {input_}, Rounding::kDouble);
    ASSERT_TRUE(golden) << golden.error().message;
    golden_ = golden->tensors[static_cast<size_t>(graph->outputs[0])];
  }

  // Exactly the memory the program needs, so that addresses beyond it do not exist.
  std::unique_ptr<Device> MakeDevice(DeviceKind kind) const {
    const uint64_t bytes = Runtime::MemoryBytes(program_);
    if (kind == DeviceKind::kFunctional) return MakeFunctionalDevice(config_, bytes);
#if WEFT_WITH_RTL
    VerilatedOptions options;
    options.memory_bytes = bytes;
    auto device = MakeVerilatedDevice(config_, options);
    EXPECT_TRUE(device) << device.error().message;
    if (device) return std::move(*device);
#endif
    return nullptr;
  }

  // The message with which the program fails.
  std::string ErrorOf(Runtime& runtime, const Program& program, uint64_t timeout_ticks = 0) {
    const Status loaded = runtime.Load(program);
    EXPECT_TRUE(loaded) << loaded.error().message;
    RunOptions options;
    options.timeout_ticks = timeout_ticks;
    const Result<RunResult> result = runtime.Run({input_}, options);
    EXPECT_FALSE(result) << "it should have failed";
    return result ? "" : result.error().message;
  }

  void AccessBeyondTheMemory(bool windows);

  void ExpectExact(Runtime& runtime) {
    ASSERT_TRUE(runtime.Load(program_));
    const Result<RunResult> result = runtime.Run({input_}, {});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->outputs[0], golden_);
  }

  Bytes StreamCommand(uint32_t index) const {
    const auto at = program_.memory.begin() +
                    static_cast<ptrdiff_t>(program_.stream_offset + index * kCommandBytes);
    return Bytes(at, at + kCommandBytes);
  }
  Program WithCommand(uint32_t index, const Bytes& bytes) const {
    Program changed = program_;
    std::ranges::copy(bytes,
                      changed.memory.begin() +
                          static_cast<ptrdiff_t>(program_.stream_offset + index * kCommandBytes));
    return changed;
  }

  Rng rng_;
  const HardwareConfig& config_ = ConfigNamed("weft256");
  Program program_;
  Bytes input_, golden_;
};

TEST_P(Recovery, AfterDamagedCommands) {
  const std::unique_ptr<Device> device = MakeDevice(GetParam());
  ASSERT_NE(device, nullptr);
  auto runtime = Runtime::Open(*device);
  ASSERT_TRUE(runtime);
  for (int round = 0; round < 20; ++round) {
    const auto index = static_cast<uint32_t>(rng_.Int(0, program_.stream_commands - 1));
    SCOPED_TRACE(index);
    Bytes command = StreamCommand(index);
    std::string expected = "BAD_FIELD";
    if (rng_.Chance(0.5)) {
      command[0] = static_cast<uint8_t>(rng_.Int(0x80, 0xff));
      expected = "BAD_OPCODE";
    } else {
      command[kCommandBytes - 1] |= 0x80;  // no command uses its last bit
    }
    const std::string error = ErrorOf(**runtime, WithCommand(index, command));
    EXPECT_THAT(error, HasSubstr(expected));
    EXPECT_THAT(error, HasSubstr(fmt::format("command {}", index)));
    ExpectExact(**runtime);
  }
}

TEST_P(Recovery, AfterAStreamWithoutEnd) {
  const std::unique_ptr<Device> device = MakeDevice(GetParam());
  ASSERT_NE(device, nullptr);
  auto runtime = Runtime::Open(*device);
  ASSERT_TRUE(runtime);
  Program program = program_;
  program.stream_commands -= 1;
  EXPECT_THAT(ErrorOf(**runtime, program), HasSubstr("BAD_STREAM"));
  ExpectExact(**runtime);
}

// Stopped by the memory windows, or without them by memory's answer.
void Recovery::AccessBeyondTheMemory(bool windows) {
  const std::unique_ptr<Device> device = MakeDevice(GetParam());
  ASSERT_NE(device, nullptr);
  auto runtime = Runtime::Open(*device, {.windows = windows});
  ASSERT_TRUE(runtime);
  int loads = 0, stores = 0;
  for (uint32_t i = 0; i < program_.stream_commands; ++i) {
    const Bytes bytes = StreamCommand(i);
    Result<Command> command = Decode(std::span<const uint8_t, kCommandBytes>(bytes));
    ASSERT_TRUE(command);
    constexpr int64_t kFar = int64_t{1} << 38;
    std::string expected;
    if (auto* weights = std::get_if<LoadWeightsCmd>(&*command)) {
      weights->offset = kFar;
      expected = "READ_ERROR";
    } else if (auto* load = std::get_if<LoadCmd>(&*command)) {
      load->offset = kFar;
      expected = "READ_ERROR";
    } else if (auto* store = std::get_if<StoreCmd>(&*command)) {
      store->offset = kFar;
      expected = "WRITE_ERROR";
    } else {
      continue;
    }
    if ((expected == "READ_ERROR" ? loads : stores)++ >= 3) continue;
    SCOPED_TRACE(i);
    Bytes changed(kCommandBytes);
    Encode(*command, std::span<uint8_t, kCommandBytes>(changed));
    if (windows) expected = "WINDOW";
    const std::string error = ErrorOf(**runtime, WithCommand(i, changed));
    EXPECT_THAT(error, HasSubstr(expected));
    EXPECT_THAT(error, HasSubstr(fmt::format("command {} ", i)));
    EXPECT_THAT(error, HasSubstr("address 0x4"));
    ExpectExact(**runtime);
  }
  EXPECT_GT(loads, 0);
  EXPECT_GT(stores, 0);
}

TEST_P(Recovery, AfterAccessesBeyondTheMemory) { AccessBeyondTheMemory(false); }
TEST_P(Recovery, AfterAccessesBeyondTheWindows) { AccessBeyondTheMemory(true); }

#if WEFT_WITH_RTL
TEST(RecoveryRtl, AfterTheHostLosesPatience) {
  Rng rng;
  const HardwareConfig& config = ConfigNamed("weft256");
  const Result<Graph> graph =
      ImportTflite((testing::SourceDir() / "models/mnist_cnn/mnist_cnn_int8.tflite").string());
  ASSERT_TRUE(graph);
  const Result<Program> program = Compile(*graph, config, {});
  ASSERT_TRUE(program);
  VerilatedOptions options;
  options.memory_bytes = Runtime::MemoryBytes(*program);
  const auto device = MakeVerilatedDevice(config, options);
  ASSERT_TRUE(device) << device.error().message;
  auto runtime = Runtime::Open(**device);
  ASSERT_TRUE(runtime);
  ASSERT_TRUE((*runtime)->Load(*program));
  const Bytes input = rng.Vector<uint8_t>(28 * 28);
  const auto golden = RunReference(*graph, {input}, Rounding::kDouble);
  ASSERT_TRUE(golden);
  for (int round = 0; round < 10; ++round) {
    RunOptions impatient;
    impatient.timeout_ticks = static_cast<uint64_t>(rng.Int(1, 15000));
    SCOPED_TRACE(impatient.timeout_ticks);
    const Result<RunResult> aborted = (*runtime)->Run({input}, impatient);
    ASSERT_FALSE(aborted);
    EXPECT_THAT(aborted.error().message, HasSubstr("did not finish"));
    const Result<RunResult> result = (*runtime)->Run({input}, {});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->outputs[0], golden->tensors[static_cast<size_t>(graph->outputs[0])]);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, Recovery,
                         ::testing::Values(DeviceKind::kFunctional, DeviceKind::kRtl),
                         [](const auto& info) { return DeviceName(info.param); });
#else
INSTANTIATE_TEST_SUITE_P(Devices, Recovery, ::testing::Values(DeviceKind::kFunctional),
                         [](const auto& info) { return DeviceName(info.param); });
#endif

}  // namespace
}  // namespace weft
