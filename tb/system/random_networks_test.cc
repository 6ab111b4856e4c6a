// SPDX-License-Identifier: Apache-2.0
//
// Random networks through the compiler on the functional device and on the RTL of every
// configuration, tensor by tensor against the golden reference: the quick part of
// `make regress NETWORKS=1`. WEFT_SEED moves the range of seeds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "tb/lib/seed.h"
#if WEFT_WITH_RTL
#include "tb/lib/network_runner.h"

namespace weft::testing {
namespace {

class RandomNetworks : public ::testing::TestWithParam<HardwareConfig> {
 protected:
  NetworkFigures Check(bool rtl, uint64_t networks) {
    const uint64_t first = BaseSeed() * 1'000'000;
    std::cout << "seeds " << first << " to " << first + networks - 1
              << ", repeat with: " << RepeatCommand() << "\n";
    NetworkFigures figures;
    for (uint64_t i = 0; i < networks; ++i) {
      const auto failure = RunNetwork(GetParam(), first + i, {.rtl = rtl}, figures);
      EXPECT_FALSE(failure) << *failure;
      if (failure) break;
    }
    std::cout << figures.networks << " networks, " << figures.layers << " layers, "
              << figures.tensors << " tensors compared, " << figures.cycles << " cycles\n";
    // Networks that are refused, or of which nothing is whole, would agree too.
    EXPECT_LE(10 * figures.refused, figures.networks);
    EXPECT_GE(figures.tensors, 2 * networks);
    EXPECT_GT(figures.depthwise, 0u);
    return figures;
  }
};

TEST_P(RandomNetworks, FunctionalDevice) { Check(false, 60); }

TEST_P(RandomNetworks, Rtl) { EXPECT_GT(Check(true, 10).cycles, 1000u); }

INSTANTIATE_TEST_SUITE_P(Configurations, RandomNetworks, ::testing::ValuesIn(kHardwareConfigs),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace weft::testing
#endif  // WEFT_WITH_RTL
