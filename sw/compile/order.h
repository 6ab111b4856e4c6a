// SPDX-License-Identifier: Apache-2.0
//
// One stream out of the engines' queues. Dispatch is in order and an engine's queue holds eight
// commands, so a command goes as early as its waits allow, but LOADs not far ahead of their use.
//
//   - Waits only refer to earlier commands: that is what keeps the device free of deadlock.
//   - LOAD_WEIGHTS asks for as many ring words as earlier commands have released.
//   - No wait is older than 16384 counts, as counts are compared modulo 2^16.
#pragma once

#include <vector>

#include "sw/compile/queues.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// The whole stream, END included.
std::vector<Command> OrderStream(const Queues& queues, const HardwareConfig& config);

}  // namespace weft::compile
