// SPDX-License-Identifier: Apache-2.0
//
// The program before its commands are put into one stream: what each engine does, in order, with
// the counts of the others it waits for. As every conflict between engines is covered by a wait,
// any interleaving of the queues in which waits refer to earlier commands computes the same.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/tracker.h"
#include "weft/hw/commands.h"

namespace weft::compile {

/// One command and what the order of the stream has to respect.
struct Issue {
  Command command;
  Counts need;                   ///< counts that earlier commands must reach (steps included)
  uint32_t blocks = 0;           ///< exec: blocks it retires
  int64_t weights_end = 0;       ///< ring words that must have been asked for before it
  int64_t weights_released = 0;  ///< ring words free again after it; 0: no more than before
};

/// Consecutive ring words that lie consecutively in the program's region.
struct WeightSegment {
  uint64_t offset = 0;
  int64_t words = 0;
};

struct Queues {
  std::vector<Issue> load, exec, store;
  std::vector<WeightSegment> weights;  ///< in ring order
};

}  // namespace weft::compile
