// SPDX-License-Identifier: Apache-2.0
//
// Units -> commands: for every tile its LOADs, set-up, RUNs stripe by stripe, and STOREs, each with
// the least it has to wait for; a MARK behind every unit.
#pragma once

#include "sw/compile/allocate.h"
#include "sw/compile/layer.h"
#include "sw/compile/memory_map.h"
#include "sw/compile/queues.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::compile {

/// Errors name the operator whose shape a command field cannot hold.
Result<Queues> Emit(const Network& network, const Allocation& allocation, const MemoryMap& memory,
                    const HardwareConfig& config);

}  // namespace weft::compile
