// SPDX-License-Identifier: Apache-2.0
//
// The energy model: which events a layer counts as, and what they cost.
#include "sw/report/energy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

const HardwareConfig& Weft64() { return kHardwareConfigs[0]; }

int64_t Count(const EventCounts& counts, EnergyEvent event) {
  return counts[static_cast<size_t>(event)];
}

TEST(Energy, EveryEventFollowsItsDefinition) {
  LayerWork work;
  work.counters[WEFT_COUNTER_CYCLES] = 1000;
  work.counters[WEFT_COUNTER_ARRAY_BUSY] = 700;
  work.counters[WEFT_COUNTER_POST_BUSY] = 50;
  work.counters[WEFT_COUNTER_READ_BEATS] = 100;
  work.counters[WEFT_COUNTER_WRITE_BEATS] = 20;
  work.counters[WEFT_COUNTER_WEIGHT_BEATS] = 60;
  work.counters[WEFT_COUNTER_COMMAND_BEATS] = 8;
  work.macs = 100 * 72;  // 72 weights, 100 pixels: two stripes of 64
  work.pixels = 100;
  work.output_bytes = 800;
  const EventCounts counts = CountEvents(work, Weft64());
  EXPECT_EQ(Count(counts, EnergyEvent::kClock), 1000 * FlipFlops("weft64"));
  EXPECT_EQ(Count(counts, EnergyEvent::kMac), 7200);
  EXPECT_EQ(Count(counts, EnergyEvent::kWeightByte), 2 * 72);
  EXPECT_EQ(Count(counts, EnergyEvent::kPostLane), 50 * 4);
  EXPECT_EQ(Count(counts, EnergyEvent::kDmaByte), 120 * 8);
  // operands, LOADs (what is neither weights nor commands), STOREs, results
  EXPECT_EQ(Count(counts, EnergyEvent::kScratchpadByte), 700 * 8 + 32 * 8 + 20 * 8 + 800);
  EXPECT_EQ(Count(counts, EnergyEvent::kRingByte), 60 * 8 + 144);
  // a sum of four bytes for each of 8 channels read and written back, and read by post
  EXPECT_EQ(Count(counts, EnergyEvent::kAccumulatorByte), (2 * 700 * 8 + 200) * 4);
  EXPECT_EQ(Count(counts, EnergyEvent::kMemoryByte), 120 * 8);
}

TEST(Energy, AFullyConnectedLayerUsesEachWeightOnce) {
  LayerWork work;
  work.macs = 640;
  work.pixels = 1;
  EXPECT_EQ(Count(CountEvents(work, Weft64()), EnergyEvent::kWeightByte), 640);
}

TEST(Energy, NothingDoneCostsNothing) {
  const Energy energy = EnergyOf(CountEvents({}, Weft64()));
  EXPECT_EQ(energy.chip_nj, 0);
  EXPECT_EQ(energy.memory_nj, 0);
}

TEST(Energy, ChipAndMemoryAreApart) {
  EventCounts counts = {};
  counts[static_cast<size_t>(EnergyEvent::kMac)] = 1000;
  counts[static_cast<size_t>(EnergyEvent::kMemoryByte)] = 2000;
  const Energy energy = EnergyOf(counts);
  EXPECT_DOUBLE_EQ(energy.chip_nj,
                   kEnergyEvents[static_cast<size_t>(EnergyEvent::kMac)].picojoules);
  EXPECT_DOUBLE_EQ(energy.memory_nj,
                   2 * kEnergyEvents[static_cast<size_t>(EnergyEvent::kMemoryByte)].picojoules);
}

TEST(Energy, TheTotalIsTheSumOfTheLayers) {
  EventCounts counts = {};
  counts.fill(7);
  const Energy one = EnergyOf(counts);
  const Energy two = TotalEnergy({one, one});
  EXPECT_DOUBLE_EQ(two.chip_nj, 2 * one.chip_nj);
  EXPECT_DOUBLE_EQ(two.memory_nj, 2 * one.memory_nj);
  EXPECT_EQ(two.counts[0], 14);
}

TEST(Energy, EveryShippedConfigurationHasItsFlipFlops) {
  for (const HardwareConfig& config : kHardwareConfigs) {
    EXPECT_EQ(FlipFlops(config.name) > 0, config.shipped) << config.name;
  }
}

}  // namespace
}  // namespace weft
