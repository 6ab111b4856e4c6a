// SPDX-License-Identifier: Apache-2.0
//
// Long campaigns of random networks, RTL and functional device against the golden reference:
// `make regress NETWORKS=1 LAYERS=5000`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tb/lib/devices.h"
#include "tb/lib/network_runner.h"

int main(int argc, char** argv) {
  using weft::testing::ConfigNamed;
  uint64_t seed = 1, seeds = UINT64_MAX, layers = UINT64_MAX;
  int most_failures = 5;
  std::string device = "rtl";
  std::vector<std::string> configs;
  weft::testing::NetworkRunOptions options;
  bool no_shrink = false;
  for (const weft::HardwareConfig& config : weft::kHardwareConfigs) {
    configs.emplace_back(config.name);
  }
  const std::vector<std::string> names = configs;

  CLI::App app("Random networks: RTL and functional device against the golden reference");
  app.add_option("--seeds", seeds, "networks to run, each on one of the configurations in turn");
  app.add_option("--layers", layers, "stop when so many layers have been compared");
  app.add_option("--seed", seed, "seed of the first network");
  app.add_option("--config", configs, "configurations")->check(CLI::IsMember(names));
  app.add_option("--device", device, "rtl: three engines; functional: all but the RTL")
      ->check(CLI::IsMember({"rtl", "functional"}));
  app.add_flag("--no-shrink", no_shrink, "report failing networks as they are");
  app.add_option("--failures", most_failures, "stop after so many failing networks");
  app.add_option("--wave", options.wave_file, "FST waves of the first network");
  CLI11_PARSE(app, argc, argv);
  options.shrink = !no_shrink;
  options.rtl = device == "rtl";
  if (seeds == UINT64_MAX && layers == UINT64_MAX) seeds = 1000;

  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  weft::testing::NetworkFigures figures;
  const auto summary = [&] {
    return fmt::format(
        "{} networks ({} refused), {} layers ({:.1f} % depthwise, {:.1f} % beyond the "
        "scratchpad, {:.1f} % chains), {} tensors compared, {} fused away, {:.1f} M cycles, {:.0f} "
        "s",
        figures.networks, figures.refused, figures.layers,
        100.0 * static_cast<double>(figures.depthwise) /
            static_cast<double>(std::max<uint64_t>(1, figures.layers)),
        100.0 * static_cast<double>(figures.beyond) /
            static_cast<double>(std::max<uint64_t>(1, figures.layers)),
        100.0 * static_cast<double>(figures.chains) /
            static_cast<double>(std::max<uint64_t>(1, figures.layers)),
        figures.tensors, figures.fused, 1e-6 * static_cast<double>(figures.cycles), seconds());
  };
  int failures = 0;
  for (uint64_t i = 0; i < seeds && figures.layers < layers && failures < most_failures; ++i) {
    const weft::HardwareConfig& config = ConfigNamed(configs[(seed + i) % configs.size()]);
    if (const auto failure = weft::testing::RunNetwork(config, seed + i, options, figures)) {
      ++failures;
      fmt::print("{}\n", *failure);
      std::fflush(stdout);
    }
    options.wave_file.clear();
    if ((i + 1) % 200 == 0) fmt::print(stderr, "{}, {} failed\n", summary(), failures);
  }
  for (const auto& [name, count] : figures.histogram) fmt::print("{:>10}  {}\n", count, name);
  fmt::print("{}: {} failed\n", summary(), failures);
  // A short run need not have the mixture of a long one.
  if (figures.layers >= 2000 && configs.size() == names.size()) {
    if (const auto wrong = weft::testing::CheckMixture(figures)) {
      fmt::print("{}\n", *wrong);
      return 1;
    }
  }
  return failures == 0 ? 0 : 1;
}
