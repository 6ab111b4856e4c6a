// SPDX-License-Identifier: Apache-2.0
//
// The device without time: executes command streams bit-exactly, one command after the other, and
// refuses streams whose conflicting accesses are not ordered. What the RTL does with a legal
// stream, this does too.
//
//   std::unique_ptr<Device> device = MakeFunctionalDevice(*config, 64 << 20);
//   ... memory, registers, doorbell, as with any Device; then
//   device->WaitForInterrupt(UINT64_MAX);
//   if (!device->Violations().empty()) ...   // the stream is wrong, whatever it computed
//
// Time is counted in commands: each takes one, a job's ring entry another, and so does every access
// to a register. A job ends with BAD_STREAM when its stream breaks a rule of ordering; Violations()
// then says which command did what. Counters that have no meaning without time read zero.
#pragma once

#include <cstdint>
#include <memory>

#include "sim/functional/retirement.h"
#include "weft/device.h"
#include "weft/hw/configs.h"

namespace weft {

/// A device of this configuration with `memory_bytes` bytes of memory, all zero. `observer` is told
/// what every unit of work wrote, in stream order.
std::unique_ptr<Device> MakeFunctionalDevice(const HardwareConfig& config, uint64_t memory_bytes,
                                             RetireObserver observer = {});

}  // namespace weft
