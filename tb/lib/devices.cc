// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/devices.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <utility>

#include "sim/functional/functional_device.h"
#include "tb/lib/seed.h"

#if WEFT_WITH_RTL
#include "sim/verilated/verilated_device.h"
#endif

namespace weft::testing {
namespace {

#if WEFT_WITH_RTL
// The default memory every other time, else one of another latency with random stalls.
VerilatedOptions RtlOptions(uint64_t memory_bytes, uint64_t seed) {
  VerilatedOptions options;
  options.memory_bytes = memory_bytes;
  options.seed = seed;
  Rng rng = Rng::Fixed(seed);
  if (rng.Chance(0.5)) return options;
  AxiMemoryOptions& memory = options.memory;
  memory.read_latency = static_cast<int>(rng.Int(1, 100));
  memory.write_latency = static_cast<int>(rng.Int(1, 100));
  memory.read_bandwidth = 0.2 + 0.8 * rng.Real();
  memory.write_bandwidth = 0.2 + 0.8 * rng.Real();
  for (int* stall :
       {&memory.ar_stall, &memory.r_stall, &memory.aw_stall, &memory.w_stall, &memory.b_stall}) {
    *stall = static_cast<int>(rng.Int(0, 60));
  }
  memory.reorder = rng.Chance(0.5);
  return options;
}
#endif

Result<std::unique_ptr<Device>> MakeDevice(DeviceKind kind, const HardwareConfig& config,
                                           uint64_t memory_bytes, [[maybe_unused]] uint64_t seed) {
  if (kind == DeviceKind::kFunctional) return MakeFunctionalDevice(config, memory_bytes);
#if WEFT_WITH_RTL
  return MakeVerilatedDevice(config, RtlOptions(memory_bytes, seed));
#else
  return Fail("the tests were built without the RTL");
#endif
}

}  // namespace

const char* DeviceName(DeviceKind kind) {
  return kind == DeviceKind::kFunctional ? "functional" : "rtl";
}

std::ostream& operator<<(std::ostream& out, DeviceKind kind) { return out << DeviceName(kind); }

const HardwareConfig& ConfigNamed(std::string_view name) {
  const auto found = std::ranges::find(kHardwareConfigs, name, &HardwareConfig::name);
  assert(found != kHardwareConfigs.end());
  return *found;
}

Result<RunResult> RunProgram(Device& device, const Program& program,
                             const std::vector<std::vector<uint8_t>>& inputs) {
  const Result<std::unique_ptr<Runtime>> runtime = Runtime::Open(device);
  if (!runtime) return tl::unexpected(runtime.error());
  if (Status loaded = (*runtime)->Load(program); !loaded) return tl::unexpected(loaded.error());
  RunOptions options;
  options.capture_tensors = true;
  return (*runtime)->Run(inputs, options);
}

Result<RunResult> RunOnDevice(DeviceKind kind, const Program& program,
                              const std::vector<std::vector<uint8_t>>& inputs, uint64_t seed) {
  const Result<std::unique_ptr<Device>> device =
      MakeDevice(kind, ConfigNamed(program.config_name), Runtime::MemoryBytes(program), seed);
  if (!device) return tl::unexpected(device.error());
  return RunProgram(**device, program, inputs);
}

}  // namespace weft::testing
