// SPDX-License-Identifier: Apache-2.0
//
// Runs a random network on the functional device and, if asked for, on the RTL, and compares every
// tensor that exists as a whole, tensor by tensor, with the golden reference.
//
//   NetworkFigures figures;
//   if (auto failure = RunNetwork(config, /*seed=*/7, {.rtl = true}, figures))
//   fmt::print(*failure);
//
// What the compiler refuses must be refused for one of the known reasons (Refusals in the .cc); it
// is counted. A failing network is shrunk: operators are dropped while it still fails, tensors they
// made become inputs with the bytes of the reference. Memory timing comes from the seed too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "weft/hw/configs.h"

namespace weft::testing {

struct NetworkRunOptions {
  bool rtl = false;
  bool shrink = true;
  std::string wave_file = {};  ///< FST waves of the run on RTL; needs a program with waves
};

struct NetworkFigures {
  uint64_t networks = 0;
  uint64_t refused = 0;    ///< by the compiler, for a known reason
  uint64_t layers = 0;     ///< of compiled networks, after fusion
  uint64_t depthwise = 0;  ///< of these layers, also as part of a chain
  uint64_t chains = 0;     ///< of these layers: several computed in bands
  uint64_t beyond = 0;     ///< layers whose operands and result do not fit the scratchpad together
  uint64_t tensors = 0;    ///< compared
  uint64_t fused = 0;      ///< tensors that never exist as a whole
  uint64_t cycles = 0;     ///< on RTL
  std::map<std::string, uint64_t> histogram;
};

/// Runs one network and adds to `figures`. A failure is a text that says everything.
std::optional<std::string> RunNetwork(const HardwareConfig& config, uint64_t seed,
                                      const NetworkRunOptions& options, NetworkFigures& figures);

/// What is wrong with the mixture of a campaign: nothing if at least a fifth of the layers are
/// depthwise, a fifth exceed the scratchpad, a fiftieth are chains, and at most a twentieth of the
/// networks are refused.
std::optional<std::string> CheckMixture(const NetworkFigures& figures);

}  // namespace weft::testing
