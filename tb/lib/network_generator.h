// SPDX-License-Identifier: Apache-2.0
//
// Random networks: chains with branches and residual additions of every operator the compiler
// supports, with shapes around what the configuration is made of (K, N, stripe, scratchpad) and
// numbers at the ends of their ranges. Legal by construction, and a matter of the seed alone.
//
//   LayerTester::Network network = RandomNetwork(ConfigNamed("odd_deep"), /*seed=*/7).Build();
#pragma once

#include <cstdint>

#include "tb/lib/layer_tester.h"
#include "weft/hw/configs.h"

namespace weft::testing {

LayerTester RandomNetwork(const HardwareConfig& config, uint64_t seed);

}  // namespace weft::testing
