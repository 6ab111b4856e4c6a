// SPDX-License-Identifier: Apache-2.0
//
// Whole networks: the golden cases of MLPerf Tiny and the shipped digits, bit for bit, on every
// device and configuration, with the memory and the program that `weft run` reports cycles for.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "sim/functional/functional_device.h"
#include "sim/reference/reference.h"
#include "sw/report/compare.h"
#include "tb/lib/data.h"
#include "tb/lib/devices.h"
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
using Bytes = std::vector<uint8_t>;

#if WEFT_WITH_RTL
const auto kDeviceKinds = ::testing::Values(DeviceKind::kFunctional, DeviceKind::kRtl);
#else
const auto kDeviceKinds = ::testing::Values(DeviceKind::kFunctional);
#endif

Bytes MustRead(const std::filesystem::path& path) {
  Result<Bytes> bytes = ReadFile(path.string());
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes.value_or(Bytes{});
}

// A model, compiled, on a device with the default memory, ready to run.
class Network {
 public:
  Status Open(const std::filesystem::path& model, std::string_view config_name, DeviceKind kind) {
    const HardwareConfig& config = ConfigNamed(config_name);
    Result<Graph> graph = ImportTflite(model.string());
    if (!graph) return tl::unexpected(graph.error());
    graph_ = std::move(*graph);
    Result<Program> program = Compile(graph_, config, {});
    if (!program) return tl::unexpected(program.error());
    program_ = std::move(*program);
    Result<std::unique_ptr<Device>> device = MakeDevice(kind, config);
    if (!device) return tl::unexpected(device.error());
    device_ = std::move(*device);
    Result<std::unique_ptr<Runtime>> runtime = Runtime::Open(*device_);
    if (!runtime) return tl::unexpected(runtime.error());
    if (Status loaded = (*runtime)->Load(program_); !loaded) return loaded;
    runtime_ = std::move(*runtime);
    return {};
  }

  // Runs one input and compares every tensor with the reference. The output's bytes, empty when
  // anything failed.
  Bytes RunAndCompare(const Bytes& input) {
    RunOptions options;
    options.capture_tensors = true;
    Result<RunResult> result = runtime_->Run({input}, options);
    EXPECT_TRUE(result) << result.error().message;
    const auto golden = RunReference(graph_, {input}, Rounding::kDouble);
    EXPECT_TRUE(golden) << golden.error().message;
    if (!result || !golden) return {};
    cycles_ = result->total[WEFT_COUNTER_CYCLES];
    const Comparison comparison =
        CompareEngines(program_, graph_,
                       {{"device", result->tensors, result->outputs},
                        FromReference(program_, graph_, golden->tensors)});
    EXPECT_FALSE(comparison.difference) << FormatDifference(*comparison.difference);
    EXPECT_GT(comparison.tensors, 0u);
    return result->outputs[0];
  }

  // Runs one input; the output's bytes.
  Bytes Infer(const Bytes& input) {
    const Result<RunResult> result = runtime_->Run({input}, {});
    EXPECT_TRUE(result) << result.error().message;
    return result ? result->outputs[0] : Bytes{};
  }

  uint64_t cycles() const { return cycles_; }

 private:
  Result<std::unique_ptr<Device>> MakeDevice(DeviceKind kind, const HardwareConfig& config) {
    const uint64_t bytes = Runtime::MemoryBytes(program_);
    if (kind == DeviceKind::kFunctional) return MakeFunctionalDevice(config, bytes);
#if WEFT_WITH_RTL
    VerilatedOptions options;
    options.memory_bytes = bytes;
    return MakeVerilatedDevice(config, options);
#else
    return Fail("built without the RTL");
#endif
  }

  Graph graph_;
  Program program_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Runtime> runtime_;
  uint64_t cycles_ = 0;
};

struct MlperfTiny {
  const char* name;
  size_t cases;
  uint64_t max_cycles;  // on weft256 with the default memory
};
std::ostream& operator<<(std::ostream& out, const MlperfTiny& network) {
  return out << network.name;
}

constexpr MlperfTiny kMlperfTiny[] = {
    {"ic", 10, 65000}, {"kws", 12, 20000}, {"vww", 4, 55000}, {"ad", 6, 19000}};

std::string CaseName(std::string_view network, std::string_view config, DeviceKind kind) {
  return std::string(network) + "_" + std::string(config) + "_" + DeviceName(kind);
}

class GoldenCases
    : public ::testing::TestWithParam<std::tuple<MlperfTiny, const char*, DeviceKind>> {};

// RTL runs every case on weft256 and one on the other configurations.
TEST_P(GoldenCases, AreExact) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  const auto& [network, config, kind] = GetParam();
  const std::filesystem::path folder = data / "models/mlperf_tiny" / network.name;
  nlohmann::json manifest;
  std::ifstream(folder / "cases/manifest.json") >> manifest;
  std::vector<std::string> cases = manifest.at("cases");
  ASSERT_EQ(cases.size(), network.cases);
  const bool is_default = ConfigNamed(config).is_default;
  if (kind == DeviceKind::kRtl && !is_default) cases.resize(1);
  Network device;
  const Status opened = device.Open(folder / "model_int8.tflite", config, kind);
  ASSERT_TRUE(opened) << opened.error().message;
  for (const std::string& name : cases) {
    SCOPED_TRACE(name);
    const Bytes golden = MustRead(folder / "cases" / (name + ".out.bin"));
    ASSERT_FALSE(golden.empty());
    ASSERT_EQ(device.RunAndCompare(MustRead(folder / "cases" / (name + ".in.bin"))), golden);
    if (kind == DeviceKind::kRtl && is_default) {
      EXPECT_LE(device.cycles(), network.max_cycles);
    }
  }
  if (kind == DeviceKind::kRtl) {
    std::cout << network.name << " on " << config << ": " << device.cycles() << " cycles\n";
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, GoldenCases,
                         ::testing::Combine(::testing::ValuesIn(kMlperfTiny),
                                            ::testing::Values("weft64", "weft256", "weft1024"),
                                            kDeviceKinds),
                         [](const auto& info) {
                           return CaseName(std::get<0>(info.param).name, std::get<1>(info.param),
                                           std::get<2>(info.param));
                         });

class KeywordSpotting : public ::testing::TestWithParam<DeviceKind> {};

TEST_P(KeywordSpotting, LabelledInputs) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  constexpr size_t kInputs = 500;
  const size_t runs = GetParam() == DeviceKind::kRtl ? 50 : kInputs;
  const std::filesystem::path folder = data / "models/mlperf_tiny/kws";
  const Bytes inputs = MustRead(folder / "labelled/inputs_500x49x10x1_int8.bin");
  const Bytes outputs = MustRead(folder / "labelled/outputs_500x12_int8.bin");
  const size_t in_size = inputs.size() / kInputs, out_size = outputs.size() / kInputs;
  ASSERT_EQ(out_size, 12u);
  Network device;
  const Status opened = device.Open(folder / "model_int8.tflite", "weft256", GetParam());
  ASSERT_TRUE(opened) << opened.error().message;
  for (size_t i = 0; i < runs; ++i) {
    const Bytes input(inputs.begin() + static_cast<ptrdiff_t>(i * in_size),
                      inputs.begin() + static_cast<ptrdiff_t>((i + 1) * in_size));
    const Bytes golden(outputs.begin() + static_cast<ptrdiff_t>(i * out_size),
                       outputs.begin() + static_cast<ptrdiff_t>((i + 1) * out_size));
    ASSERT_EQ(device.Infer(input), golden) << "input " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, KeywordSpotting, kDeviceKinds,
                         [](const auto& info) { return DeviceName(info.param); });

class ShippedDigits : public ::testing::TestWithParam<std::tuple<const char*, DeviceKind>> {};

TEST_P(ShippedDigits, AreExactAndRecognised) {
  const auto& [config, kind] = GetParam();
  const std::filesystem::path folder = testing::SourceDir() / "models/mnist_cnn";
  Network device;
  const Status opened = device.Open(folder / "mnist_cnn_int8.tflite", config, kind);
  ASSERT_TRUE(opened) << opened.error().message;
  for (int digit = 0; digit < 10; ++digit) {
    SCOPED_TRACE(digit);
    const Bytes input = MustRead(folder / "digits" / ("digit_" + std::to_string(digit) + ".bin"));
    const Bytes output = device.RunAndCompare(input);
    ASSERT_EQ(output.size(), 10u);
    const auto largest = std::ranges::max_element(
        output, {}, [](uint8_t byte) { return static_cast<int8_t>(byte); });
    EXPECT_EQ(largest - output.begin(), digit);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ShippedDigits,
                         ::testing::Combine(::testing::Values("weft64", "weft256", "weft1024"),
                                            kDeviceKinds),
                         [](const auto& info) {
                           return CaseName("mnist", std::get<0>(info.param),
                                           std::get<1>(info.param));
                         });

}  // namespace
}  // namespace weft
