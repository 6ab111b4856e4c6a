// SPDX-License-Identifier: Apache-2.0
//
// Which commands the device's decoder refuses: what can be told from a command, its configuration
// and the setups before it. Addresses that arise while a command runs are checked where they arise,
// order is hazards.h's.
#pragma once

#include <cstdint>

#include "weft/hw/commands.h"
#include "weft/hw/configs.h"

namespace weft::functional {

/// What the decoder remembers of a job's earlier commands.
struct SetupState {
  bool input = false;   ///< a SETUP_INPUT came
  bool output = false;  ///< a SETUP_OUTPUT came
  bool add = false;     ///< a SETUP_ADD came
  SetupInputCmd last_input;
  SetupOutputCmd last_output;
  bool accumulates = false;          ///< a RUN has left its accumulators to the next one
  int64_t pixels = 0, channels = 0;  ///< of the RUN that began the accumulation
};

/// ERROR_CODE of a decoded command: NONE, BAD_FIELD or, with nothing else wrong, BAD_ADDRESS.
uint32_t CheckCommand(const Command& command, const SetupState& setups,
                      const HardwareConfig& config);

/// Takes note of a legal command.
void RememberSetup(const Command& command, SetupState& setups);

}  // namespace weft::functional
