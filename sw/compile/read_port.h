// SPDX-License-Identifier: Apache-2.0
//
// The read side of the AXI port as the prediction sees it: bursts of operands and bursts of
// weights, each in order, both as early as they may. Operands go first, but after the first of them
// weights that few are ahead of; who waits is next after seven others. Weights need room in the
// ring; only so many bursts are under way at once.
//
//   port.AddWeights(words);                     // all of the job, in ring order
//   size_t mark = port.AddLoad(beats, 100);     // operands that may be asked for from cycle 100 on
//   array_free = port.Loaded(mark);             // when they are in the scratchpad
//   array_free = port.Arrived(word) ...         // when the ring holds this word
//   port.Release(words, array_free);            // words before this one may be overwritten
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weft/estimate.h"
#include "weft/hw/configs.h"

namespace weft::compile {

using Time = double;  ///< cycles since the doorbell

class ReadPort {
 public:
  /// Nothing is asked for before `start`.
  ReadPort(const MemoryTiming& memory, const HardwareConfig& config, Time start);

  void AddWeights(int64_t words) { weight_words_ += words; }
  size_t AddLoad(int64_t beats, Time eligible);

  Time Loaded(size_t mark);
  Time Arrived(int64_t word);
  /// Times never decrease, nor do words.
  void Release(int64_t words, Time time) { releases_.emplace_back(words, time); }

  int64_t burst_words() const { return burst_words_; }

 private:
  static constexpr size_t kBurstsAhead = 8;  // under way at once: what covers the latency

  struct Load {
    int64_t beats;
    Time eligible, arrival;
  };

  Time Room();
  Time Move(Time asked, int64_t beats);
  void Step();

  const Time beat_time_, path_, again_;
  const int64_t ring_words_, burst_words_, word_beats_, burst_beats_;
  int64_t weight_words_ = 0;
  std::vector<Load> loads_;
  std::vector<Time> arrivals_;                      // of bursts of weights
  std::vector<std::pair<int64_t, Time>> releases_;  // words, and when
  size_t next_load_ = 0, release_ = 0;
  size_t first_loads_ = 0;  // bursts that are asked for before any weights
  int64_t used_ = 0;        // weights that the array has asked for
  int loads_in_row_ = 0, weights_in_row_ = 0;
  std::array<Time, kBurstsAhead> ends_;
  size_t bursts_ = 0;
  Time free_;
};

}  // namespace weft::compile
