// SPDX-License-Identifier: Apache-2.0
//
// Random command streams on the RTL against the functional device: the quick part of
// `make regress`. WEFT_SEED moves the range of seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tb/lib/seed.h"
#if WEFT_WITH_RTL
#include "sim/verilated/verilated_device.h"
#include "tb/lib/stream_generator.h"
#include "tb/lib/stream_runner.h"

namespace weft {
namespace {

constexpr uint64_t kCases = 40;

class Streams : public ::testing::TestWithParam<std::string> {
 protected:
  void Check(const testing::StreamRunOptions& options, uint64_t cases) {
    const uint64_t first = testing::BaseSeed() * 100'000;
    std::cout << "seeds " << first << " to " << first + cases - 1
              << ", repeat with: " << testing::RepeatCommand() << "\n";
    testing::StreamFigures figures;
    for (uint64_t i = 0; i < cases; ++i) {
      const auto failure = testing::RunStreams(GetParam(), first + i, options, figures);
      ASSERT_FALSE(failure) << *failure;
    }
    std::cout << figures.jobs << " streams, " << figures.commands << " commands, " << figures.cycles
              << " cycles, " << figures.retired_bytes << " bytes of " << figures.retirements
              << " units compared at their retirement, " << figures.mark_checks << " at MARKs\n";
    // Streams that do nothing would agree too.
    EXPECT_GT(figures.histogram["command: RUN"], cases);
    EXPECT_GT(figures.histogram["command: STORE"], cases);
    EXPECT_GT(figures.mark_checks, 100 * cases);
    EXPECT_GT(figures.retirements, 10 * cases);
    EXPECT_GT(figures.retired_bytes, 1000 * cases);
  }
};

TEST_P(Streams, LegalOnesAgree) { Check({}, kCases); }

TEST_P(Streams, IllegalOnesAreReportedAndTheNextJobIsExact) {
  testing::StreamRunOptions options;
  options.streams.illegal = true;
  Check(options, kCases);
}

// Memory holds the counters of every MARK: they are the same to the cycle.
TEST_P(Streams, StoppedClocksMakeNoDifference) {
  const HardwareConfig& config =
      *std::ranges::find(kHardwareConfigs, GetParam(), &HardwareConfig::name);
  const uint64_t first = testing::BaseSeed() * 100'000;
  for (uint64_t seed = first; seed < first + kCases / 4; ++seed) {
    const testing::StreamCase streams = testing::GenerateStreams(config, seed, {});
    std::vector<std::vector<uint8_t>> memory;
    std::vector<uint64_t> cycles;
    for (const bool stop : {false, true}) {
      auto device = MakeVerilatedDevice(config, {.memory_bytes = streams.memory.size(),
                                                 .memory = testing::RandomMemory(seed),
                                                 .seed = seed,
                                                 .stop_clocks = stop});
      ASSERT_TRUE(device) << device.error().message;
      testing::RunJobs(streams, **device);
      EXPECT_EQ((*device)->Violations(), "");
      cycles.push_back((*device)->Now());
      memory.emplace_back(streams.memory.size());
      (*device)->ReadMemory(0, memory.back());
    }
    EXPECT_EQ(cycles[1], cycles[0]) << "seed " << seed;
    EXPECT_TRUE(memory[1] == memory[0]) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Configurations, Streams,
                         ::testing::Values("weft64", "weft256", "weft1024"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace weft
#endif  // WEFT_WITH_RTL
