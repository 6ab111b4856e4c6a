// SPDX-License-Identifier: Apache-2.0
//
// One configuration is synthesised: stands in for the verilated devices of the others.
#include "sim/verilated/configurations.h"

namespace weft {
namespace {

Result<std::unique_ptr<VerilatedDevice>> NotSynthesised(const HardwareConfig& config) {
  return Fail("configuration {}: this program holds the synthesised netlist of weft64 only",
              config.name);
}

}  // namespace

Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedWeft256(const HardwareConfig& config,
                                                              const VerilatedOptions&,
                                                              MappedBytes) {
  return NotSynthesised(config);
}

Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedWeft1024(const HardwareConfig& config,
                                                               const VerilatedOptions&,
                                                               MappedBytes) {
  return NotSynthesised(config);
}

}  // namespace weft
