// SPDX-License-Identifier: Apache-2.0
#include "Vweft_top_weft64.h"
#include "Vweft_top_weft64___024root.h"
#include "sim/verilated/configurations.h"
#include "sim/verilated/simulation.h"

namespace weft {

Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedWeft64(const HardwareConfig& config,
                                                             const VerilatedOptions& options,
                                                             MappedBytes bytes) {
  return MakeSimulation<Vweft_top_weft64>(config, options, std::move(bytes));
}

}  // namespace weft
