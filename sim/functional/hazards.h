// SPDX-License-Identifier: Apache-2.0
//
// Checks that a command stream orders its conflicting accesses, while it is executed in stream
// order. Two accesses conflict when different engines make them, they touch the same byte and one
// writes it. The hardware's only promises are that engines retire their work in order and that
// waits hold; so the later command must, through its waits, know that the earlier access is over.
//
//   Hazards hazards(config.scratchpad, config.word(), memory_bytes);
//   hazards.BeginJob();
//   hazards.BeginCommand();
//   Status ok = hazards.Wait(Lane::kLoad, waits);              // LOAD: its waits ...
//   ok = hazards.WriteScratchpad(Lane::kLoad, hazards.Next(Lane::kLoad), begin, end);   // ...
//   access hazards.Retire(Lane::kLoad);                               // ... and what others wait
//   for
//
// What is known is a vector clock: how many LOADs, execution blocks and STOREs are over. A command
// knows what the commands before it in its engine knew when they started, and for every wait what
// the awaited unit of work knew when it retired. Within the execution engine the operand feed runs
// ahead of the result writer: reading what an earlier block wrote needs a wait too; overwriting
// what an earlier block read or wrote does not.
//
// Scratchpad accesses are kept per byte, memory accesses per word (rows in memory start at words,
// so this is exact). Does not check the weight ring; that is WeightRing's (scratchpad.h).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "weft/result.h"

namespace weft::functional {

/// The engines whose retired work can be waited for.
enum class Lane : uint8_t { kLoad, kExec, kStore };
inline constexpr int kNumLanes = 3;

/// The wait fields of a command. Bit i of `mask` belongs to lane i.
struct Waits {
  int64_t mask = 0;
  std::array<int64_t, kNumLanes> count = {};
  int64_t exec_step = 0;  ///< added to the awaited number of blocks (wait_step_*)
};

class Hazards {
 public:
  Hazards(uint32_t scratchpad_bytes, uint32_t word_bytes, uint64_t memory_bytes);

  /// Forgets everything: all engines are idle when a job starts.
  void BeginJob();

  /// A command comes: what it waits for must be work of the commands before it.
  void BeginCommand() { earlier_ = issued_; }

  /// The number, from 1, of the unit of work (LOAD, block, STORE) that comes next in the stream.
  uint32_t Next(Lane lane) const { return issued_[Index(lane)] + 1; }

  /// The next command of `lane` waits. An error if it waits for work that is not earlier in the
  /// stream, which would never end.
  Status Wait(Lane lane, const Waits& waits);

  /// Unit `unit` of `lane`, started by the waits so far, reads or writes scratchpad [begin, end).
  Status ReadScratchpad(Lane lane, uint32_t unit, uint32_t begin, uint32_t end);
  Status WriteScratchpad(Lane lane, uint32_t unit, uint32_t begin, uint32_t end);

  /// The next LOAD reads, or the next STORE writes, memory.
  Status LoadReadsMemory(uint64_t address, uint64_t bytes);
  Status StoreWritesMemory(uint64_t address, uint64_t bytes);

  /// Memory that is read (commands, weights) or written (marks) at no time a wait could name: no
  /// STORE or LOAD of the job may conflict with it.
  Status ReadsMemoryUnordered(uint64_t address, uint64_t bytes);
  Status MarkWritesMemory(uint64_t address, uint64_t bytes);

  /// The next unit of work of `lane` is over.
  void Retire(Lane lane);

 private:
  /// Units of each lane that are known to be over.
  struct Clock {
    std::array<uint32_t, kNumLanes> over = {};
    void Join(const Clock& other);
  };

  /// Last accesses of one byte of the scratchpad, or rather arrays of them: unit numbers, 0 = none.
  struct ScratchpadState {
    std::vector<uint32_t> loaded, computed;  ///< last LOAD and last block that wrote it
    std::vector<uint32_t> read, stored;      ///< last block and last STORE that read it
  };

  struct MemoryWord {
    uint32_t loaded = 0;  ///< last LOAD that read it
    uint32_t stored = 0;  ///< last STORE that wrote it
    bool read_unordered = false;
    bool marked = false;
  };
  static constexpr uint64_t kPageWords = 4096;
  using Page = std::array<MemoryWord, kPageWords>;

  static constexpr size_t Index(Lane lane) { return static_cast<size_t>(lane); }
  const Clock& Known(Lane lane) const { return known_[Index(lane)]; }
  Status Check(Lane lane, const char* verb, const std::vector<uint32_t>& units, const char* did,
               Lane by, uint32_t begin, uint32_t end) const;
  template <typename F>
  Status ForEachMemoryWord(uint64_t address, uint64_t bytes, F&& f);

  uint32_t word_bytes_;
  ScratchpadState spad_;
  std::vector<std::unique_ptr<Page>> pages_;  ///< made when first touched
  uint32_t touched_ = 0;  ///< bytes of the scratchpad from here on have not been used
  std::array<uint32_t, kNumLanes> issued_ = {};
  std::array<uint32_t, kNumLanes> earlier_ = {};    ///< issued by commands before the present one
  std::array<Clock, kNumLanes> known_;              ///< when the lane's last command started
  std::array<std::vector<Clock>, kNumLanes> over_;  ///< [unit]: known when it had retired
};

}  // namespace weft::functional
