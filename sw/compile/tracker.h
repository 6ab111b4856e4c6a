// SPDX-License-Identifier: Apache-2.0
//
// What each scratchpad word was last used for, and so what a new use has to wait for.
//
// A use is a stretch of bytes and a count: the number of retired commands (blocks, for exec) of the
// using engine at which it is over. Uses are recorded in the order of the program; two uses of one
// engine need no wait against each other except that exec reads operands ahead of its own results.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "weft/hw/configs.h"

namespace weft::compile {

/// Retired commands of each engine to wait for; zero: nothing.
struct Counts {
  uint32_t load = 0, exec = 0, store = 0;
  void Raise(const Counts& other) {
    load = std::max(load, other.load);
    exec = std::max(exec, other.exec);
    store = std::max(store, other.store);
  }
};

class Tracker {
 public:
  explicit Tracker(const HardwareConfig& config)
      : word_(config.word()), words_(static_cast<size_t>(config.scratchpad / config.word())) {}

  /// Before reading: whoever wrote the bytes. The reader is exec or store.
  Counts ForRead(int64_t address, int64_t bytes) const {
    Counts need;
    Each(words_, address, bytes, [&](const Word& w) {
      need.load = std::max(need.load, w.load_write);
      need.exec = std::max(need.exec, w.exec_write);
    });
    return need;
  }

  /// Before a LOAD overwrites.
  Counts ForLoad(int64_t address, int64_t bytes) const {
    Counts need;
    Each(words_, address, bytes, [&](const Word& w) {
      need.exec = std::max({need.exec, w.exec_write, w.exec_read});
      need.store = std::max(need.store, w.store_read);
    });
    return need;
  }

  /// Before exec overwrites: its own earlier uses are over by then.
  Counts ForExecWrite(int64_t address, int64_t bytes) const {
    Counts need;
    Each(words_, address, bytes, [&](const Word& w) {
      need.load = std::max(need.load, w.load_write);
      need.store = std::max(need.store, w.store_read);
    });
    return need;
  }

  void LoadWrites(int64_t address, int64_t bytes, uint32_t count) {
    Each(words_, address, bytes, [&](Word& w) { w.load_write = count; });
  }
  // Blocks of one command may share a word: the last to retire counts.
  void ExecWrites(int64_t address, int64_t bytes, uint32_t count) {
    Each(words_, address, bytes, [&](Word& w) { w.exec_write = std::max(w.exec_write, count); });
  }
  void ExecReads(int64_t address, int64_t bytes, uint32_t count) {
    Each(words_, address, bytes, [&](Word& w) { w.exec_read = count; });
  }
  // They stay until this block, whether it reads them or not.
  void ExecKeeps(int64_t address, int64_t bytes, uint32_t count) {
    Each(words_, address, bytes, [&](Word& w) { w.exec_read = std::max(w.exec_read, count); });
  }
  void StoreReads(int64_t address, int64_t bytes, uint32_t count) {
    Each(words_, address, bytes, [&](Word& w) { w.store_read = count; });
  }

 private:
  struct Word {
    uint32_t load_write = 0, exec_write = 0, exec_read = 0, store_read = 0;
  };

  template <typename Words, typename F>
  void Each(Words& words, int64_t address, int64_t bytes, F f) const {
    if (bytes <= 0) return;
    const auto last = static_cast<size_t>((address + bytes - 1) / word_);
    for (auto w = static_cast<size_t>(address / word_); w <= last; ++w) f(words[w]);
  }

  int64_t word_;
  std::vector<Word> words_;
};

}  // namespace weft::compile
