// SPDX-License-Identifier: Apache-2.0
//
// A case of random streams on the functional device and on the RTL side by side: runs its jobs on
// both and compares what each unit of work wrote when it retires, at every MARK the bytes that the
// work before it wrote for good, at the end of each job all memory and the whole scratchpad, and
// after every group of jobs the status registers, too.
//
//   StreamSession session(streams, memory_options);
//   if (std::string text = session.Open({}); !text.empty()) ...
//   bool illegal = false;
//   std::string failure = session.RunJobs(0, streams.jobs.size(), illegal);   // empty: all agreed
//
// In between a test may do to the RTL what it likes (fault_runner.h), as long as it then says how
// many jobs of the ring the RTL has taken (`SetQueued`) and restores the memory.
#pragma once

#if WEFT_WITH_RTL

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/verilated/verilated_device.h"
#include "tb/lib/retirement_check.h"
#include "tb/lib/stream_case.h"
#include "weft/device.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {

class StreamSession {
 public:
  using Bytes = std::vector<uint8_t>;

  /// What is known of a device after a group of jobs; `head` counted from the group's first job.
  struct State {
    Bytes memory, scratchpad;
    uint32_t error_code = 0, error_command = 0, error_job = 0, done_id = 0, head = 0, status = 0;
  };

  StreamSession(const StreamCase& streams, const AxiMemoryOptions& memory)
      : case_(streams), memory_(memory), retirements_(memory) {}

  /// Makes both devices and gives them memory and settings; `stop_clocks` as in VerilatedOptions.
  /// A text if that does not work.
  std::string Open(bool stop_clocks, const std::string& wave_file);

  /// Runs jobs [first, last) and compares. Empty: both devices agree. `illegal`: the functional
  /// device does not accept a legal job.
  std::string RunJobs(size_t first, size_t last, bool& illegal);

  /// Runs the jobs on `device`, one after the other, and compares nothing. Returns the memory
  /// addresses of the MARKs' snapshots.
  std::set<uint64_t> RunAlone(Device& device);

  // --- the RTL alone ---

  VerilatedDevice& rtl() { return *rtl_; }
  /// Jobs the RTL's ring counters have seen since its last reset.
  uint32_t queued() const { return rtl_ring_.queued; }
  void SetQueued(uint32_t jobs) { rtl_ring_.queued = jobs; }
  /// All settings anew, as after the hard reset.
  void Prepare() { Prepare(*rtl_); }
  /// Writes the ring entry of a job and says how far the ring is filled; no doorbell.
  uint32_t Queue(size_t job) { return WriteEntry(*rtl_, job, rtl_ring_); }
  /// The address of the entry that Queue writes next.
  uint64_t NextEntry() const { return EntryAddress(rtl_ring_.queued); }
  /// The memory as it was before the first job. The functional device's, too.
  void RestoreMemory();
  /// Whether all of the scratchpad outside the case's window is as it was; else a text.
  std::string CheckOutside() const;

  static uint32_t JobId(size_t job) { return 1000 + static_cast<uint32_t>(job) * 3; }

  const StreamCase& streams() const { return case_; }
  uint64_t cycles() const { return rtl_ ? rtl_->Now() : 0; }
  uint64_t mark_checks() const { return mark_checks_; }
  const RetirementCheck& retirements() const { return retirements_; }

 private:
  // What a MARK can be sure of: bytes that the work before it wrote and nothing overwrites later.
  struct MarkCheck {
    size_t job = 0;
    size_t command = 0;
    bool store = false;
    std::vector<std::pair<uint64_t, size_t>> bytes;  // address, command that wrote it
  };

  // A device's job ring: the two may stand at different entries.
  struct Ring {
    uint32_t queued = 0;                                                    // jobs so far
    std::map<uint64_t, std::array<uint8_t, WEFT_JOB_ENTRY_BYTES>> entries;  // by address
  };

  size_t EndOfGroup(size_t first, size_t last) const;
  void PlaceCommands();
  void FindMarks();
  void NoteSnapshot(const Command& command);
  void Prepare(Device& device) const;
  uint64_t EntryAddress(uint32_t number) const;
  uint32_t WriteEntry(Device& device, size_t job, Ring& ring) const;
  State RunGroup(Device& device, size_t first, size_t last, Ring& ring) const;
  void ReadContents(Device& device, const Ring& ring, State& state) const;
  Bytes Peek(Device& device) const;
  std::string CommandText(size_t job, size_t command) const;
  std::string LastWriter(size_t first, size_t last, bool in_memory, uint64_t at) const;
  std::string Compare(size_t first, size_t last, const State& expected, const State& actual) const;
  std::string CompareContents(const std::string& where, size_t first, size_t last,
                              const State& expected, const State& actual) const;
  std::string CompareAround(const std::string& where, const Bytes& scratchpad) const;
  void AtMark(uint32_t layer);
  void AtRetirement(size_t job, Engine engine);
  void AtJobEnd(size_t first, size_t job);

  StreamCase case_;
  const AxiMemoryOptions memory_;
  std::unique_ptr<Device> functional_;
  std::unique_ptr<VerilatedDevice> rtl_;
  Ring functional_ring_, rtl_ring_;
  std::map<uint32_t, MarkCheck> marks_;  // by layer number, which is unique in a case
  std::set<uint64_t> snapshots_;
  State at_job_end_;          // the RTL's contents; kept for its buffers
  std::vector<State> after_;  // what the functional device had after each job
  bool checks_marks_ = false;
  RetirementCheck retirements_;
  size_t functional_job_ = 0;  // that it runs
  Bytes outside_;
  std::string under_way_;  // the first difference before the group's end
  uint64_t mark_checks_ = 0;
};

}  // namespace weft::testing

#endif  // WEFT_WITH_RTL
