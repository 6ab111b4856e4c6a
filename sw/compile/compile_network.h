// SPDX-License-Identifier: Apache-2.0
//
// The compiler behind Legalise: fuses, allocates, cuts into tiles, emits and encodes.
//
//   Result<Network> network = Legalise(graph, rounding);
//   ... a test may change multipliers and clamps, which a graph's scales cannot always express ...
//   Result<Program> program = CompileNetwork(graph, std::move(*network), config, rounding);
#pragma once

#include "sw/compile/allocate.h"
#include "sw/compile/layer.h"
#include "weft/hw/configs.h"
#include "weft/program.h"
#include "weft/result.h"

namespace weft::compile {

/// A network as it will run, and where its values and tiles lie.
struct NetworkPlan {
  Network network;
  Allocation allocation;
};

/// Everything that is decided before commands are made. `network` comes from Legalise.
Result<NetworkPlan> PlanNetwork(Network network, const HardwareConfig& config);

/// A unit is one layer of the program; within a chain, only the last output is ever whole. Where
/// that lies is left open.
ProgramLayer DescribeUnit(const Network& network, const Unit& unit);

/// `network` comes from Legalise(graph, rounding). Errors name the tensor of the layer.
Result<Program> CompileNetwork(const Graph& graph, Network network, const HardwareConfig& config,
                               Rounding rounding);

}  // namespace weft::compile
