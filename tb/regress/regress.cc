// SPDX-License-Identifier: Apache-2.0
//
// Long campaigns of random cases: `make regress SEEDS=N`, with FAULTS=1 or WINDOWS=1 for the
// others.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tb/lib/fault_runner.h"
#include "tb/lib/stream_runner.h"
#include "tb/lib/window_fuzz.h"

namespace {

using weft::testing::FaultFigures;
using weft::testing::StreamFigures;
using weft::testing::WindowFigures;
using weft::testing::WindowFuzz;

struct Options {
  uint64_t seed = 1, seeds = 100;
  int most_failures = 5;
  std::vector<std::string> configs = {"weft64", "weft256", "weft1024"};
  std::string wave;
};

// A case of a campaign, and the campaign's figures in one line.
using RunCase = std::function<std::optional<std::string>(const std::string& config, uint64_t seed)>;
using Figures = std::function<std::string()>;

void PrintHistogram(const std::map<std::string, uint64_t>& histogram) {
  for (const auto& [name, count] : histogram) fmt::print("{:>10}  {}\n", count, name);
}

// Runs the cases, each on one of the configurations in turn; the number that failed.
int RunAll(const Options& options, const RunCase& run, const Figures& figures) {
  const auto start = std::chrono::steady_clock::now();
  double next_print = 10;
  int failures = 0;
  const auto print = [&](std::FILE* out, uint64_t done, double seconds) {
    fmt::print(out, "{} of {} cases, {}, {:.0f} s: {} failed\n", done, options.seeds, figures(),
               seconds, failures);
  };
  for (uint64_t i = 0; i < options.seeds && failures < options.most_failures; ++i) {
    const uint64_t seed = options.seed + i;
    if (const auto failure = run(options.configs[seed % options.configs.size()], seed)) {
      ++failures;
      fmt::print("{}\n", *failure);
      std::fflush(stdout);
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool last = i + 1 == options.seeds || failures == options.most_failures;
    if (last) {
      print(stdout, i + 1, seconds);
    } else if (seconds > next_print) {
      next_print = seconds + 10;
      print(stderr, i + 1, seconds);
    }
  }
  return failures;
}

int Streams(const Options& options, weft::testing::StreamRunOptions run_options) {
  StreamFigures figures;
  run_options.wave_file = options.wave;
  const int failures = RunAll(
      options,
      [&](const std::string& config, uint64_t seed) {
        auto failure = weft::testing::RunStreams(config, seed, run_options, figures);
        run_options.wave_file.clear();
        return failure;
      },
      [&] {
        return fmt::format(
            "{} streams, {} commands, {:.1f} M cycles, {} bytes of {} units compared at their "
            "retirement, {} at MARKs",
            figures.jobs, figures.commands, 1e-6 * static_cast<double>(figures.cycles),
            figures.retired_bytes, figures.retirements, figures.mark_checks);
      });
  PrintHistogram(figures.histogram);
  return failures;
}

int Faults(const Options& options) {
  FaultFigures figures;
  weft::testing::FaultOptions run_options{options.wave};
  const int failures = RunAll(
      options,
      [&](const std::string& config, uint64_t seed) {
        auto failure = weft::testing::RunFault(config, seed, run_options, figures);
        run_options.wave_file.clear();
        return failure;
      },
      [&] {
        return fmt::format("{:.1f} M cycles, at most {} cycles from the last answer to the report",
                           1e-6 * static_cast<double>(figures.cycles), figures.slowest_stop);
      });
  PrintHistogram(figures.histogram);
  return failures;
}

int Windows(const Options& options, bool with_rtl) {
  std::map<std::string, std::unique_ptr<WindowFuzz>> fuzzers;
  std::string wave = options.wave;
  const auto sum = [&](auto member) {
    uint64_t all = 0;
    for (const auto& [name, fuzz] : fuzzers) all += fuzz->figures().*member;
    return all;
  };
  const int failures = RunAll(
      options,
      [&](const std::string& config, uint64_t seed) {
        std::unique_ptr<WindowFuzz>& fuzz = fuzzers[config];
        if (fuzz == nullptr) {
          fuzz = std::make_unique<WindowFuzz>(config, with_rtl, wave);
          wave.clear();
        }
        return fuzz->Run(seed);
      },
      [&] {
        return fmt::format("{} commands, {} with one possible outcome, {} bursts watched",
                           sum(&WindowFigures::commands), sum(&WindowFigures::determined),
                           sum(&WindowFigures::bursts));
      });
  std::map<std::string, uint64_t> histogram;
  for (const auto& [name, fuzz] : fuzzers) {
    for (const auto& [what, count] : fuzz->figures().histogram) histogram[what] += count;
  }
  PrintHistogram(histogram);
  return failures;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  weft::testing::StreamRunOptions stream_options;
  bool no_shrink = false, faults = false, windows = false;
  std::string device = "rtl";

  CLI::App app("Random cases, functional device against RTL");
  app.add_option("--seeds", options.seeds, "cases to run, each on one of the configurations");
  app.add_option("--seed", options.seed, "seed of the first case");
  app.add_option("--config", options.configs, "configurations");
  app.add_option("--failures", options.most_failures, "stop after so many failing cases");
  app.add_option("--wave", options.wave, "FST waves of the first case");
  auto* faults_flag = app.add_flag("--faults", faults, "something goes wrong at a random moment");
  auto* windows_flag = app.add_flag("--windows", windows, "random memory windows");
  app.add_option("--device", device, "with --windows: rtl (both devices) or functional")
      ->check(CLI::IsMember({"rtl", "functional"}))
      ->needs(windows_flag);
  app.add_flag("--illegal", stream_options.streams.illegal, "every other job is damaged");
  app.add_flag("--huge", stream_options.streams.huge, "whole scratchpads and long streams");
  app.add_flag("--no-shrink", no_shrink, "report failing cases as they are");
  faults_flag->excludes(windows_flag);
  CLI11_PARSE(app, argc, argv);
  stream_options.shrink = !no_shrink;

  const int failures = faults    ? Faults(options)
                       : windows ? Windows(options, device == "rtl")
                                 : Streams(options, stream_options);
  return failures == 0 ? 0 : 1;
}
