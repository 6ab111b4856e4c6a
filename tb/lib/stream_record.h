// SPDX-License-Identifier: Apache-2.0
//
// The generator's record of who read and wrote which byte in one job, and of what each engine knows
// to be over: from it come the waits of the next command. Shares no code with the functional
// device's hazard checker, which judges the result.
//
//   Need need = {};
//   record.Raise(kLoad, need, kExec, record.At(address).read);   // a LOAD must wait for that
//   reader record.Join(kLoad, kExec, count);                            // it waits: what it knows
//   by that record.Retire(kLoad);                                        // and it is over
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "tb/lib/stream_case.h"

namespace weft::testing {

/// The engines whose work can be waited for.
inline constexpr int kLoad = 0, kExec = 1, kStore = 2, kLanes = 3;

/// Units of work of each engine, counted from 1.
using Need = std::array<int64_t, kLanes>;

/// The last unit of work that did this to a byte of the scratchpad; 0: none.
struct ByteRecord {
  int64_t loaded = 0, computed = 0, read = 0, stored = 0;
};
/// Likewise for a word of memory.
struct WordRecord {
  int64_t loaded = 0, stored = 0;
};

class AccessRecord {
 public:
  void BeginJob(const Extent& window) {
    begin_ = window.begin;
    bytes_.assign(window.end - window.begin, ByteRecord{});
    words_.clear();
    issued_ = {};
    known_ = {};
    for (auto& over : over_) over.assign(1, Need{});
  }

  ByteRecord& At(uint64_t address) { return bytes_[address - begin_]; }
  WordRecord& Word(uint64_t number) { return words_[number]; }

  /// Units of an engine in the stream so far, and those that its last command knew to be over.
  int64_t issued(int lane) const { return issued_[static_cast<size_t>(lane)]; }
  int64_t known(int lane, int other) const {
    return known_[static_cast<size_t>(lane)][static_cast<size_t>(other)];
  }

  /// The next command of `lane` comes after a unit of `other`: what it does not know anyway.
  void Raise(int lane, Need& need, int other, int64_t unit) const {
    int64_t& count = need[static_cast<size_t>(other)];
    if (unit > known(lane, other)) count = std::max(count, unit);
  }

  /// A command of `lane` waits for `count` units of `other`, and knows what they knew.
  void Join(int lane, int other, int64_t count) {
    if (count <= 0) return;
    const Need& over = over_[static_cast<size_t>(other)][static_cast<size_t>(count)];
    Need& known = known_[static_cast<size_t>(lane)];
    for (size_t i = 0; i < kLanes; ++i) known[i] = std::max(known[i], over[i]);
  }

  /// The next unit of `lane` is in the stream.
  void Retire(int lane) {
    const auto l = static_cast<size_t>(lane);
    Need clock = over_[l].back();
    for (size_t i = 0; i < kLanes; ++i) clock[i] = std::max(clock[i], known_[l][i]);
    clock[l] = ++issued_[l];
    over_[l].push_back(clock);
  }

 private:
  uint64_t begin_ = 0;
  std::vector<ByteRecord> bytes_;
  std::map<uint64_t, WordRecord> words_;
  Need issued_ = {};
  std::array<Need, kLanes> known_ = {};
  std::array<std::vector<Need>, kLanes> over_;  // [unit]: what was over when it had retired
};

}  // namespace weft::testing
