// SPDX-License-Identifier: Apache-2.0
//
// What the hardware did in one cycle, as the simulation tells those who watch (weft run --trace).
#pragma once

#include <cstdint>
#include <functional>

namespace weft {

struct Activity {
  uint64_t cycle = 0;         ///< since the device exists
  uint32_t events = 0;        ///< bit i: performance counter i (WEFT_COUNTER_...) counts this cycle
  bool weights_busy = false;  ///< LOAD_WEIGHTS is in progress
  /// Places in the stream of the commands whose data comes or goes; they mean something only while
  /// the engine is busy, those of LOAD and LOAD_WEIGHTS only from the first beat on.
  uint32_t load_command = 0, weights_command = 0, post_command = 0, store_command = 0;
  bool mark = false;  ///< the MARK of `layer` was taken in the cycle before
  uint32_t layer = 0;
};

using ActivityObserver = std::function<void(const Activity&)>;

}  // namespace weft
