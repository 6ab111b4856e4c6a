// SPDX-License-Identifier: Apache-2.0
//
// The verilated configurations, each compiled in the file of its name. Options were checked.
#pragma once

#include <memory>

#include "sim/verilated/mapped_bytes.h"
#include "sim/verilated/verilated_device.h"

namespace weft {

Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedWeft64(const HardwareConfig& config,
                                                             const VerilatedOptions& options,
                                                             MappedBytes bytes);
Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedWeft256(const HardwareConfig& config,
                                                              const VerilatedOptions& options,
                                                              MappedBytes bytes);
Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedWeft1024(const HardwareConfig& config,
                                                               const VerilatedOptions& options,
                                                               MappedBytes bytes);

}  // namespace weft
