// SPDX-License-Identifier: Apache-2.0
//
// Draws the waits of the commands of a job, in stream order, such that every two conflicting
// accesses are ordered: the fewest that suffice, stronger ones, needless ones, steps per block and
// per beat. What must be waited for comes from the record of who did what to which byte.
//
//   StreamWaits waits(streams, rng);
//   waits.BeginJob();
//   if (waits.Order(load)) ...      // its waits are set, and later commands know of it
#pragma once

#include <cstdint>
#include <vector>

#include "tb/lib/seed.h"
#include "tb/lib/stream_access.h"
#include "tb/lib/stream_case.h"
#include "tb/lib/stream_record.h"
#include "weft/hw/commands.h"

namespace weft::testing {

/// What an execution command does, as far as others must know.
struct ExecWork {
  std::vector<Access> reads, writes;
  int blocks = 1;
  int beats = 1;
  bool reads_wait_at_first_block = false;  ///< whichever block counts as the reader
  bool retires = true;                     ///< not if it keeps its accumulators
};

class StreamWaits {
 public:
  /// The case's configuration, regions and window are used, and numbers drawn from `rng`.
  StreamWaits(const StreamCase& streams, Rng& rng) : case_(streams), rng_(rng) {}

  void BeginJob() { record_.BeginJob(case_.window); }

  /// Sets the command's waits and remembers it. False, and nothing happens, if no wait could order
  /// it: what an open accumulation has read is not over before its last RUN.
  bool Order(LoadCmd& load);
  void Order(StoreCmd& store);
  void Order(RunCmd& run, const ExecWork& work) { OrderExec(run, work); }
  void Order(EltwiseCmd& eltwise, const ExecWork& work) { OrderExec(eltwise, work); }
  void Order(SoftmaxCmd& softmax, const ExecWork& work) { OrderExec(softmax, work); }

 private:
  template <typename Cmd>
  void SetWaits(Cmd& cmd, int lane, const Need& need, bool exec_is_set = false);
  template <typename Cmd>
  void OrderExec(Cmd& cmd, const ExecWork& work);
  template <typename F>
  void ForEachByteOf(const Extent& extent, F&& f);
  template <typename Cmd, typename F>
  void ForEachMemoryWord(const Cmd& cmd, F&& f);
  template <typename Cmd, typename F>
  void ForEachRowByte(const Cmd& cmd, F&& f);

  const StreamCase& case_;
  Rng& rng_;
  AccessRecord record_;
};

}  // namespace weft::testing
