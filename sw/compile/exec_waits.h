// SPDX-License-Identifier: Apache-2.0
//
// What a stripe of exec work has to wait for, and the record of what it uses: LOADs and blocks that
// wrote its operands, LOADs and STOREs that used the bytes it overwrites.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sw/compile/emission.h"
#include "sw/compile/patch.h"
#include "sw/compile/wait_steps.h"
#include "sw/compile/weight_ring.h"

namespace weft::compile {

class ExecWaits {
 public:
  explicit ExecWaits(Emission& emission) : e_(emission) {}

  /// Sets the waits of a command that does `part` of a patch; returns what it needs.
  template <typename T>
  Counts Set(T& command, const Patch& patch, const RunPart& part) {
    const Needs needs = NeedsOf(patch, part);
    Counts counts = needs.flat;
    SetWaits(command, counts, knows_);
    counts.exec = SetStepped(command, needs, static_cast<size_t>(part.blocks),
                             static_cast<size_t>(part.beats));
    return counts;
  }
  /// Sets the waits of a command that is a single block.
  template <typename T>
  void SetPlain(T& command, const Counts& need) {
    SetWaits(command, need, knows_);
  }

  /// Records what `part` of a patch uses. Its block j is over at count Emission::blocks + j + 1.
  void Use(const Patch& patch, const RunPart& part);

 private:
  struct Needs {
    Counts flat;  // load and store counts; exec: 0
    WaitLine by_block, by_beat;
  };

  Needs NeedsOf(const Patch& patch, const RunPart& part);
  template <typename F>
  void ForEachInputRow(const Patch& patch, const RunPart& part, F f);
  void RaiseByChunk(const Surface& surface, int64_t row, int64_t x0, int64_t x1, int channels,
                    int64_t channel, int chunk, std::vector<uint32_t>& needs) const;

  // Sets wait_exec and its steps; returns the highest count the command waits for.
  template <typename T>
  uint32_t SetStepped(T& command, const Needs& needs, size_t blocks, size_t beats) {
    WaitLine block = needs.by_block, beat = needs.by_beat;
    int64_t wait = std::max(block.first, beat.first);
    int64_t last = wait + block.last(blocks) - block.first + beat.last(beats) - beat.first;
    const int64_t flat = std::max(block.last(blocks), beat.last(beats));
    if (last > e_.blocks || wait + kOldestSteppedWait < e_.blocks) {
      wait = last = flat;
      block.step = beat.step = 0;
    }
    if (last <= knows_.exec) return 0;
    command.wait_mask |= 2;
    command.wait_exec = wait;
    command.wait_step_block = block.step;
    if constexpr (requires { command.wait_step_beat; }) command.wait_step_beat = beat.step;
    knows_.exec = static_cast<uint32_t>(last);
    return knows_.exec;
  }

  static constexpr int64_t kOldestSteppedWait = 8192;  // counts; older ones are surely over

  Emission& e_;
  Counts knows_;  // what exec has already waited for
  std::vector<std::pair<int, int>> input_rows_;
};

}  // namespace weft::compile
