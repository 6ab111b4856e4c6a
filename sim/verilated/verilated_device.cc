// SPDX-License-Identifier: Apache-2.0
#include "sim/verilated/verilated_device.h"

#include <verilated.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>

#include "sim/verilated/mapped_bytes.h"
#include "sim/verilated/models.h"

namespace weft {
namespace {

constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 40;  // the address bus

struct Model {
  std::string_view config;
  Result<std::unique_ptr<VerilatedDevice>> (*make)(const HardwareConfig&, const VerilatedOptions&,
                                                   MappedBytes);
};
#define WEFT_MODEL(config) Model{#config, models::config::Make},
constexpr auto kModels = std::to_array<Model>({WEFT_MODELS});
#undef WEFT_MODEL

// Null: no model of this configuration here.
const Model* FindModel(const HardwareConfig& config) {
  const auto found = std::ranges::find(kModels, config.name, &Model::config);
  return found == kModels.end() ? nullptr : &*found;
}

}  // namespace

std::vector<HardwareConfig> VerilatedConfigs() {
  std::vector<HardwareConfig> configs;
  std::ranges::copy_if(kHardwareConfigs, std::back_inserter(configs), FindModel);
  return configs;
}

Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedDevice(const HardwareConfig& config,
                                                             const VerilatedOptions& options) {
  if (Status checked = CheckAxiMemoryOptions(options.memory); !checked) {
    return tl::unexpected(checked.error());
  }
  if (!options.wave_file.empty() && !VM_TRACE) {
    return Fail(
        "{}: this program was built without waves; use the one built with them (`make trace`)",
        options.wave_file);
  }
  if (options.memory_bytes == 0 || options.memory_bytes > kMaxMemoryBytes) {
    return Fail("a device with {} bytes of memory: it must be 1 to {}", options.memory_bytes,
                kMaxMemoryBytes);
  }
  MappedBytes bytes = MapBytes(options.memory_bytes);
  if (bytes == nullptr) {
    return Fail("cannot get {} bytes for the device's memory", options.memory_bytes);
  }
  if (const Model* model = FindModel(config)) return model->make(config, options, std::move(bytes));
  return Fail("configuration {}: this program holds no RTL model of it", config.name);
}

}  // namespace weft
