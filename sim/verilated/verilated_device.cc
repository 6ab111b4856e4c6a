// SPDX-License-Identifier: Apache-2.0
#include "sim/verilated/verilated_device.h"

#include <verilated.h>

#include <utility>

#include "sim/verilated/configurations.h"
#include "sim/verilated/mapped_bytes.h"

namespace weft {
namespace {

constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 40;  // the address bus

}  // namespace

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
  if (config.name == "weft64") return MakeVerilatedWeft64(config, options, std::move(bytes));
  if (config.name == "weft256") return MakeVerilatedWeft256(config, options, std::move(bytes));
  if (config.name == "weft1024") return MakeVerilatedWeft1024(config, options, std::move(bytes));
  return Fail("configuration {}: this program holds no RTL model of it", config.name);
}

}  // namespace weft
