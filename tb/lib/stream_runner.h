// SPDX-License-Identifier: Apache-2.0
//
// Runs a case of random streams on the functional device and on the RTL, and compares what
// stream_session.h says: at every retirement, at every MARK, at the end.
//
//   StreamRunner runner("weft256", /*seed=*/7, {});
//   if (auto failure = runner.Run()) std::cerr << *failure;    // where, seed, how to repeat it
//
// A failing case is shrunk: jobs and commands are dropped while it still fails and the functional
// device still accepts it. Memory latency, stalls and reordering come from the seed too.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/verilated/axi_memory.h"
#include "tb/lib/stream_generator.h"
#include "weft/device.h"

namespace weft::testing {

struct StreamRunOptions {
  StreamOptions streams = {};
  bool shrink = true;
  std::string wave_file = {};  ///< FST waves of the first run; needs a program with waves
};

struct StreamFigures {
  uint64_t cases = 0;
  uint64_t jobs = 0;
  uint64_t commands = 0;
  uint64_t cycles = 0;
  uint64_t mark_checks = 0;    ///< bytes compared at MARKs
  uint64_t retirements = 0;    ///< units of work compared when they retired
  uint64_t retired_bytes = 0;  ///< their bytes
  std::map<std::string, uint64_t> histogram;
};

/// Memory timing drawn from the seed: latency 1..200 cycles, stalls 0..95 % on every channel.
AxiMemoryOptions RandomMemory(uint64_t seed);

/// Runs one case and adds to `figures`. A failure is a text that says everything; nothing if all
/// agreed.
std::optional<std::string> RunStreams(std::string_view config, uint64_t seed,
                                      const StreamRunOptions& options, StreamFigures& figures);

/// Runs the jobs of a case without illegal ones on `device`, one after the other, and compares
/// nothing. Returns the memory addresses of the MARKs' snapshots.
std::set<uint64_t> RunJobs(const StreamCase& streams, Device& device);

}  // namespace weft::testing
