// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/stream_runner.h"

#if WEFT_WITH_RTL

#include <algorithm>
#include <utility>

#include "sw/command/codec.h"
#include "tb/lib/devices.h"
#include "tb/lib/seed.h"
#include "tb/lib/stream_session.h"

namespace weft::testing {
namespace {

constexpr int kMaxShrinkRuns = 300;

// Empty: both devices agree. `illegal`: the functional device does not accept a legal job. Clocks
// of blocks that keep still are stopped on even seeds; every fourth case runs with all clocks
// again, for the same cycles.
std::string RunCase(const StreamCase& streams, const AxiMemoryOptions& memory,
                    const std::string& wave_file, bool& illegal, StreamFigures& figures) {
  StreamSession session(streams, memory);
  std::string failure = session.Open(streams.seed % 2 == 0, wave_file);
  if (failure.empty()) failure = session.RunJobs(0, streams.jobs.size(), illegal);
  figures.cycles += session.cycles();
  figures.mark_checks += session.mark_checks();
  figures.retirements += session.retirements().units();
  figures.retired_bytes += session.retirements().bytes();
  if (!failure.empty() || streams.seed % 4 != 0) return failure;
  StreamSession running(streams, memory);
  failure = running.Open(false, {});
  if (failure.empty()) failure = running.RunJobs(0, streams.jobs.size(), illegal);
  if (failure.empty() && running.cycles() != session.cycles()) {
    failure = fmt::format("{} cycles with stopped clocks, {} with all of them", session.cycles(),
                          running.cycles());
  }
  return failure;
}

// Whether the first job, and each after an illegal one, begins by filling the window.
bool StartsKnown(const StreamCase& streams) {
  const auto window = static_cast<int64_t>(streams.window.end - streams.window.begin);
  for (size_t j = 0; j < streams.jobs.size(); ++j) {
    if (streams.jobs[j].commands.empty()) return false;
    if (j > 0 && streams.jobs[j - 1].error_code == 0) continue;
    const auto* fill = std::get_if<LoadCmd>(&streams.jobs[j].commands.front());
    if (fill == nullptr || fill->row_bytes != window) return false;
  }
  return true;
}

// Drops what can be dropped.
StreamCase Shrink(StreamCase streams, const AxiMemoryOptions& memory, std::string& failure) {
  int runs = 0;
  const auto fails = [&](const StreamCase& candidate) {
    if (!StartsKnown(candidate) || ++runs > kMaxShrinkRuns) return false;
    bool illegal = false;
    StreamFigures none;
    const std::string text = RunCase(candidate, memory, {}, illegal, none);
    if (illegal || text.empty()) return false;
    failure = text;
    return true;
  };
  for (size_t j = streams.jobs.size(); streams.jobs.size() > 1 && j-- > 0;) {
    StreamCase fewer = streams;
    fewer.jobs.erase(fewer.jobs.begin() + static_cast<ptrdiff_t>(j));
    if (fails(fewer)) streams = std::move(fewer);
  }
  for (size_t j = 0; j < streams.jobs.size(); ++j) {
    if (streams.jobs[j].error_code != 0) continue;  // its command index would move
    for (size_t count = std::max<size_t>(1, streams.jobs[j].commands.size() / 2); count > 0;
         count /= 2) {
      for (size_t first = streams.jobs[j].commands.size() - 1; first > 0;) {
        const size_t from = first > count ? first - count : 0;
        StreamCase fewer = streams;
        fewer.jobs[j] = WithoutCommands(streams, streams.jobs[j], from, first - from);
        if (fails(fewer)) streams = std::move(fewer);
        first = from;
      }
    }
  }
  return streams;
}

}  // namespace

AxiMemoryOptions RandomMemory(uint64_t seed) {
  Rng rng = Rng::Fixed(seed * 2);
  AxiMemoryOptions memory;
  const auto latency = [&] {
    return static_cast<int>(rng.Chance(0.5) ? rng.Int(1, 20) : rng.Int(1, 200));
  };
  memory.read_latency = latency();
  memory.write_latency = latency();
  memory.read_bandwidth = rng.Chance(0.5) ? 1 : 0.1 + 0.9 * rng.Real();
  memory.write_bandwidth = rng.Chance(0.5) ? 1 : 0.1 + 0.9 * rng.Real();
  const int64_t most = rng.Pick(std::vector<int64_t>{0, 30, 60, 95});
  for (int* stall :
       {&memory.ar_stall, &memory.r_stall, &memory.aw_stall, &memory.w_stall, &memory.b_stall}) {
    *stall = static_cast<int>(rng.Chance(0.1) ? most : rng.Int(0, most));
  }
  memory.reorder = rng.Chance(0.6);
  memory.write_at_answer = rng.Chance(0.5);
  return memory;
}

std::set<uint64_t> RunJobs(const StreamCase& streams, Device& device) {
  return StreamSession(streams, {}).RunAlone(device);
}

std::optional<std::string> RunStreams(std::string_view config, uint64_t seed,
                                      const StreamRunOptions& options, StreamFigures& figures) {
  const StreamCase streams = GenerateStreams(ConfigNamed(config), seed, options.streams);
  const AxiMemoryOptions memory = RandomMemory(seed);
  ++figures.cases;
  figures.jobs += streams.jobs.size();
  for (const StreamJob& job : streams.jobs) figures.commands += job.commands.size();
  CountStreams(streams, figures.histogram);
  for (const auto& [name, stall] : {std::pair{"AR", memory.ar_stall},
                                    {"R", memory.r_stall},
                                    {"AW", memory.aw_stall},
                                    {"W", memory.w_stall},
                                    {"B", memory.b_stall}}) {
    ++figures.histogram[fmt::format("stall {}: {} %", name,
                                    stall == 0   ? "0"
                                    : stall < 30 ? "1..29"
                                    : stall < 60 ? "30..59"
                                    : stall < 90 ? "60..89"
                                                 : "90..95")];
  }
  ++figures.histogram[memory.reorder ? "answers: reordered" : "answers: in order"];
  ++figures.histogram[memory.write_at_answer ? "writes: at the answer" : "writes: at once"];

  bool illegal = false;
  std::string failure = RunCase(streams, memory, options.wave_file, illegal, figures);
  if (failure.empty()) return std::nullopt;
  std::string text = fmt::format("{} seed {}: {}\n", config, seed, failure);
  text += fmt::format(
      "repeat with a wave: make regress CONFIG={} SEED={}{}{} SEEDS=1 WAVE=stream.fst\n", config,
      seed, options.streams.illegal ? " ILLEGAL=1" : "", options.streams.huge ? " HUGE=1" : "");
  if (options.shrink && !illegal) {
    const StreamCase shrunk = Shrink(streams, memory, failure);
    text += fmt::format("shrunk: {}\n", failure);
    for (const StreamJob& job : shrunk.jobs) {
      text += fmt::format("  job of {} commands\n", job.commands.size());
      for (size_t i = 0; i < job.commands.size(); ++i) {
        text += fmt::format("    {:3} {}\n", i, Format(job.commands[i]));
      }
    }
  } else if (illegal) {
    for (const StreamJob& job : streams.jobs) {
      text += fmt::format("  job of {} commands\n", job.commands.size());
      for (size_t i = 0; i < job.commands.size(); ++i) {
        text += fmt::format("    {:3} {}\n", i, Format(job.commands[i]));
      }
    }
  }
  return text;
}

}  // namespace weft::testing

#endif  // WEFT_WITH_RTL
