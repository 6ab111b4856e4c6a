// SPDX-License-Identifier: Apache-2.0
//
// The quick part of `make regress FAULTS=1` and `make regress WINDOWS=1`: something goes wrong at a
// random moment of a random stream, and random memory windows. WEFT_SEED moves the range of seeds.
#include <gtest/gtest.h>

#include <string>

#include "tb/lib/seed.h"
#if WEFT_WITH_RTL
#include "tb/lib/fault_runner.h"
#include "tb/lib/window_fuzz.h"

namespace weft {
namespace {

constexpr uint64_t kFaults = 120, kWindowStreams = 300, kFunctionalStreams = 20'000;

class Faults : public ::testing::TestWithParam<std::string> {
 protected:
  // The first of a range of seeds, which it prints.
  uint64_t FirstSeed(uint64_t count) const {
    const uint64_t first = testing::BaseSeed() * 1'000'000;
    std::cout << "seeds " << first << " to " << first + count - 1
              << ", repeat with: " << testing::RepeatCommand() << "\n";
    return first;
  }

  void CheckWindows(bool with_rtl, uint64_t count) const {
    testing::WindowFuzz fuzz(GetParam(), with_rtl);
    const uint64_t first = FirstSeed(count);
    for (uint64_t i = 0; i < count; ++i) {
      const auto failure = fuzz.Run(first + i);
      ASSERT_FALSE(failure) << *failure;
    }
    // Windows that deny everything, or nothing, would agree too.
    auto histogram = fuzz.figures().histogram;
    EXPECT_GT(histogram["completed"], count / 8);
    EXPECT_GT(histogram[std::string(ErrorText(WEFT_ERROR_WINDOW))], count / 8);
    EXPECT_GT(histogram[std::string(ErrorText(WEFT_ERROR_READ_ERROR))], 0u);
    EXPECT_GE(fuzz.figures().bursts, with_rtl ? count : 0);
  }
};

TEST_P(Faults, TheDeviceStopsReportsAndGoesOnExactly) {
  testing::FaultFigures figures;
  const uint64_t first = FirstSeed(kFaults);
  for (uint64_t i = 0; i < kFaults; ++i) {
    const auto failure = testing::RunFault(GetParam(), first + i, {}, figures);
    ASSERT_FALSE(failure) << *failure;
  }
  for (const char* what : {"ABORT: ABORTED", "RESET", "hard reset", "read error: READ_ERROR",
                           "write error: WRITE_ERROR", "frozen memory: TIMEOUT",
                           "window denied: WINDOW", "full ring", "damaged stream"}) {
    EXPECT_GT(figures.histogram[what], 0u) << what;
  }
}

TEST_P(Faults, WindowsHoldOnTheRtl) { CheckWindows(true, kWindowStreams); }

TEST_P(Faults, WindowsHoldOnTheFunctionalDevice) { CheckWindows(false, kFunctionalStreams); }

INSTANTIATE_TEST_SUITE_P(Configurations, Faults, ::testing::Values("weft64", "weft256", "weft1024"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace weft
#endif  // WEFT_WITH_RTL
