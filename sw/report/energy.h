// SPDX-License-Identifier: Apache-2.0
//
// Energy of a run, from what the hardware counted: a number of events of each kind times the energy
// of one (spec/energy.toml). A model: docs/energy.md says what it leaves out and how far off it is.
//
//   Energy energy = EnergyOf(CountEvents(work, config));
//   energy.chip_nj + energy.memory_nj
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "weft/hw/configs.h"
#include "weft/hw/energy.h"
#include "weft/runtime.h"

namespace weft {

/// What a layer did, all images together.
struct LayerWork {
  CounterValues counters = {};
  int64_t macs = 0;
  int64_t pixels = 0;        ///< of one image's output: height * width
  int64_t output_bytes = 0;  ///< that it wrote to the scratchpad
};

/// How often each event happened, in the order of EnergyEvent.
using EventCounts = std::array<int64_t, kEnergyEvents.size()>;

struct Energy {
  EventCounts counts = {};
  double chip_nj = 0;    ///< of kEnergyTechnology
  double memory_nj = 0;  ///< of the external memory
};

/// Events of a layer. Counted by hardware: cycles, operands, post-processing, beats. Known from the
/// layer: MACs, bytes of the result. Estimated: weights enter the array once for each stripe of
/// output pixels; an operand reads k bytes of the scratchpad. Without a count of flip-flops for
/// `config` (only shipped ones have it) there are no clock events.
EventCounts CountEvents(const LayerWork& work, const HardwareConfig& config);

/// Energy of one event of a kind, nJ.
double EventEnergy(EnergyEvent event, int64_t count);

Energy EnergyOf(const EventCounts& counts);

/// Sum over layers.
Energy TotalEnergy(const std::vector<Energy>& layers);

}  // namespace weft
