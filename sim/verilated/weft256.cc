// SPDX-License-Identifier: Apache-2.0
#include "Vweft_top_weft256.h"
#include "Vweft_top_weft256___024root.h"
#include "sim/verilated/configurations.h"
#include "sim/verilated/simulation.h"

namespace weft {

Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedWeft256(const HardwareConfig& config,
                                                              const VerilatedOptions& options,
                                                              MappedBytes bytes) {
  return MakeSimulation<Vweft_top_weft256>(config, options, std::move(bytes));
}

}  // namespace weft
