// SPDX-License-Identifier: Apache-2.0
//
// Long campaigns of random command streams, functional device against RTL: `make regress SEEDS=N`.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "tb/lib/stream_runner.h"

int main(int argc, char** argv) {
  using weft::testing::StreamFigures;
  uint64_t seed = 1, seeds = 100;
  int most_failures = 5;
  std::vector<std::string> configs = {"weft64", "weft256", "weft1024"};
  weft::testing::StreamRunOptions options;
  bool no_shrink = false;

  CLI::App app("Random command streams: the functional device against the RTL");
  app.add_option("--seeds", seeds, "cases to run, each on one of the configurations in turn");
  app.add_option("--seed", seed, "seed of the first case");
  app.add_option("--config", configs, "configurations");
  app.add_flag("--illegal", options.streams.illegal, "every other job is damaged");
  app.add_flag("--huge", options.streams.huge, "whole scratchpads and long streams");
  app.add_flag("--no-shrink", no_shrink, "report failing cases as they are");
  app.add_option("--failures", most_failures, "stop after so many failing cases");
  app.add_option("--wave", options.wave_file, "FST waves of the first case");
  CLI11_PARSE(app, argc, argv);
  options.shrink = !no_shrink;

  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  StreamFigures figures;
  int failures = 0;
  for (uint64_t i = 0; i < seeds && failures < most_failures; ++i) {
    const std::string& config = configs[(seed + i) % configs.size()];
    if (const auto failure = weft::testing::RunStreams(config, seed + i, options, figures)) {
      ++failures;
      fmt::print("{}\n", *failure);
      std::fflush(stdout);
    }
    options.wave_file.clear();
    if ((i + 1) % 100 == 0) {
      fmt::print(stderr,
                 "{} of {} cases, {} streams, {} commands, {:.1f} M cycles, {:.0f} s, {} failed\n",
                 i + 1, seeds, figures.jobs, figures.commands,
                 1e-6 * static_cast<double>(figures.cycles), seconds(), failures);
    }
  }
  for (const auto& [name, count] : figures.histogram) fmt::print("{:>10}  {}\n", count, name);
  fmt::print(
      "{} cases, {} streams, {} commands, {:.1f} M cycles, {} bytes compared at MARKs, {:.0f} s: "
      "{} failed\n",
      figures.cases, figures.jobs, figures.commands, 1e-6 * static_cast<double>(figures.cycles),
      figures.mark_checks, seconds(), failures);
  return failures == 0 ? 0 : 1;
}
