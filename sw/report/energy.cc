// SPDX-License-Identifier: Apache-2.0
#include "sw/report/energy.h"

#include <algorithm>

namespace weft {

EventCounts CountEvents(const LayerWork& work, const HardwareConfig& config) {
  const auto counter = [&](uint32_t index) { return static_cast<int64_t>(work.counters[index]); };
  const int64_t operands = counter(WEFT_COUNTER_ARRAY_BUSY);
  const int64_t lanes = counter(WEFT_COUNTER_POST_BUSY) * config.post_lanes;
  const int64_t read = counter(WEFT_COUNTER_READ_BEATS) * config.axi_bytes;
  const int64_t written = counter(WEFT_COUNTER_WRITE_BEATS) * config.axi_bytes;
  const int64_t weights = counter(WEFT_COUNTER_WEIGHT_BEATS) * config.axi_bytes;
  const int64_t commands = counter(WEFT_COUNTER_COMMAND_BEATS) * config.axi_bytes;
  const int64_t loaded = std::max<int64_t>(read - weights - commands, 0);
  const int64_t pixels = std::max<int64_t>(work.pixels, 1);
  const int64_t stripes = (pixels + config.stripe - 1) / config.stripe;
  const int64_t weights_used = work.macs / pixels * stripes;
  constexpr int64_t kSumBytes = 4;

  EventCounts counts = {};
  const auto set = [&](EnergyEvent event, int64_t count) {
    counts[static_cast<size_t>(event)] = count;
  };
  set(EnergyEvent::kClock, counter(WEFT_COUNTER_CYCLES) * FlipFlops(config.name));
  set(EnergyEvent::kMac, work.macs);
  set(EnergyEvent::kWeightByte, weights_used);
  set(EnergyEvent::kPostLane, lanes);
  set(EnergyEvent::kDmaByte, read + written);
  set(EnergyEvent::kScratchpadByte, operands * config.k + loaded + written + work.output_bytes);
  set(EnergyEvent::kRingByte, weights + weights_used);
  set(EnergyEvent::kAccumulatorByte, (2 * operands * config.n + lanes) * kSumBytes);
  set(EnergyEvent::kMemoryByte, read + written);
  return counts;
}

double EventEnergy(EnergyEvent event, int64_t count) {
  return kEnergyEvents[static_cast<size_t>(event)].picojoules * static_cast<double>(count) / 1000;
}

Energy EnergyOf(const EventCounts& counts) {
  Energy energy;
  energy.counts = counts;
  for (size_t i = 0; i < counts.size(); ++i) {
    double& place = kEnergyEvents[i].on_chip ? energy.chip_nj : energy.memory_nj;
    place += EventEnergy(static_cast<EnergyEvent>(i), counts[i]);
  }
  return energy;
}

Energy TotalEnergy(const std::vector<Energy>& layers) {
  EventCounts counts = {};
  for (const Energy& layer : layers) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += layer.counts[i];
  }
  return EnergyOf(counts);
}

}  // namespace weft
