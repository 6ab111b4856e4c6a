// SPDX-License-Identifier: Apache-2.0
//
// The devices a system test can run on, and one call that runs a program on a fresh one.
//
//   Result<RunResult> result = RunOnDevice(DeviceKind::kFunctional, program, {image_bytes}, seed);
#pragma once

#include <cstdint>
#include <ostream>
#include <string_view>
#include <vector>

#include "weft/device.h"
#include "weft/hw/configs.h"
#include "weft/program.h"
#include "weft/result.h"
#include "weft/runtime.h"

namespace weft::testing {

enum class DeviceKind { kFunctional, kRtl };

/// "functional" or "rtl", as on the command line.
const char* DeviceName(DeviceKind kind);
std::ostream& operator<<(std::ostream& out, DeviceKind kind);

/// The configuration of this name, one of spec/configs.toml. Must exist.
const HardwareConfig& ConfigNamed(std::string_view name);

/// Runs `program` once on `device` and captures every tensor that exists as a whole.
Result<RunResult> RunProgram(Device& device, const Program& program,
                             const std::vector<std::vector<uint8_t>>& inputs);

/// Runs `program` once on a new device of its configuration, with just the memory it needs, and
/// captures every tensor that exists as a whole. On RTL `seed` fills registers and memories without
/// reset, and draws the memory's latency and stalls.
Result<RunResult> RunOnDevice(DeviceKind kind, const Program& program,
                              const std::vector<std::vector<uint8_t>>& inputs, uint64_t seed);

}  // namespace weft::testing
