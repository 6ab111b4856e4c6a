// SPDX-License-Identifier: Apache-2.0
//
// One point of the fault campaign: a random legal stream on the RTL, something that goes wrong at a
// random moment, and then all the streams of the case again, which must be exact.
//
//   FaultFigures figures;
//   if (auto failure = RunFault("weft256", /*seed=*/7, {}, figures)) std::cerr << *failure;
//
// What goes wrong: CONTROL.ABORT, CONTROL.RESET, the hard reset, an error answer to the n-th read
// or write burst, a channel of the memory that stops, a window that denies one block the job uses,
// a full ring with a bad entry in it, a damaged stream or entry. Checked each time: the device
// stops in time (docs/verification.md has the bound), every burst it started has ended, code,
// command, address and job of the error, interrupt, no byte written that the job may not write, no
// burst outside the windows, no rule of the bus broken.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace weft::testing {

struct FaultOptions {
  std::string wave_file = {};  ///< FST waves; needs a program with waves
};

struct FaultFigures {
  uint64_t points = 0;
  uint64_t cycles = 0;
  uint64_t slowest_stop = 0;  ///< cycles from the last answer of the bus to the report
  std::map<std::string, uint64_t> histogram;
};

/// Runs one point and adds to `figures`. A failure is a text that says everything; nothing if all
/// was as it should be.
std::optional<std::string> RunFault(std::string_view config, uint64_t seed,
                                    const FaultOptions& options, FaultFigures& figures);

}  // namespace weft::testing
