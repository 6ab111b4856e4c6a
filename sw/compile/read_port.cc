// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/read_port.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace weft::compile {
namespace {

constexpr Time kNever = std::numeric_limits<Time>::infinity();
constexpr int64_t kBurst = 256;  // bytes
// UrgentWords of weft_load_weights: of weights ahead of the array; with fewer they go first.
constexpr int64_t kUrgentWords = 96;
// Patience of weft_axi_read: bursts in a row that pass one that waits.
constexpr int kPassedOver = 7;
// Cycles beside the memory's latency, as the RTL has them.
constexpr Time kReadPath = 10;  // from a beat to a word that can be read
constexpr Time kAskAgain = 13;  // from a burst's end to the address of another

}  // namespace

ReadPort::ReadPort(const MemoryTiming& memory, const HardwareConfig& config, Time start)
    : beat_time_(1 / memory.bandwidth),
      path_(memory.latency + kReadPath),
      again_(memory.latency + kAskAgain),
      ring_words_(config.ring_words()),
      burst_words_(std::max<int64_t>(1, kBurst / config.weight_word)),
      word_beats_(config.weight_word / config.axi_bytes),
      burst_beats_(kBurst / config.axi_bytes),
      free_(start) {
  ends_.fill(-again_);
}

size_t ReadPort::AddLoad(int64_t beats, Time eligible) {
  for (int64_t left = beats; left > 0; left -= burst_beats_) {
    loads_.push_back({std::min(left, burst_beats_), eligible, 0});
  }
  if (first_loads_ == 0) first_loads_ = loads_.size();
  return loads_.size();
}

Time ReadPort::Loaded(size_t mark) {
  while (next_load_ < mark) Step();
  return mark == 0 ? 0 : loads_[mark - 1].arrival;
}

Time ReadPort::Arrived(int64_t word) {
  const auto burst = static_cast<size_t>(word / burst_words_);
  used_ = std::max(used_, word);
  while (arrivals_.size() <= burst) Step();
  return arrivals_[burst];
}

// From when on the ring has room for the next burst of weights; never, as far as is known.
Time ReadPort::Room() {
  const int64_t first = static_cast<int64_t>(arrivals_.size()) * burst_words_;
  if (first >= weight_words_) return kNever;
  const int64_t over = std::min(first + burst_words_, weight_words_) - ring_words_;
  if (over <= 0) return 0;
  while (release_ < releases_.size() && releases_[release_].first < over) ++release_;
  return release_ < releases_.size() ? releases_[release_].second : kNever;
}

// Moves a burst's beats: not before `asked`, nor before one under way has made place for it.
Time ReadPort::Move(Time asked, int64_t beats) {
  Time& oldest = ends_[bursts_++ % kBurstsAhead];
  free_ = std::max({free_, asked, oldest + again_}) + static_cast<Time>(beats) * beat_time_;
  oldest = free_;
  return free_ + path_;
}

void ReadPort::Step() {
  const Time load =
      next_load_ < loads_.size() ? std::max(free_, loads_[next_load_].eligible) : kNever;
  const Time weights = std::max(free_, Room());
  assert(load != kNever || weights != kNever);  // else the emitter's program would never end
  const int64_t ahead = static_cast<int64_t>(arrivals_.size()) * burst_words_ - used_;
  const bool urgent = ahead < kUrgentWords && next_load_ >= first_loads_;
  const bool turn = urgent ? weights_in_row_ >= kPassedOver : loads_in_row_ < kPassedOver;
  if (load < weights || (load == weights && turn)) {
    Load& burst = loads_[next_load_++];
    burst.arrival = Move(load, burst.beats);
    loads_in_row_ = weights <= load ? loads_in_row_ + 1 : 0;
    weights_in_row_ = 0;
    return;
  }
  const int64_t first = static_cast<int64_t>(arrivals_.size()) * burst_words_;
  arrivals_.push_back(Move(weights, std::min(burst_words_, weight_words_ - first) * word_beats_));
  weights_in_row_ = load <= weights ? weights_in_row_ + 1 : 0;
  loads_in_row_ = 0;
}

}  // namespace weft::compile
