// SPDX-License-Identifier: Apache-2.0
//
// Holds the RTL against the functional device at the retirement of each unit of work: a LOAD, a
// LOAD_WEIGHTS, an execution block, a STORE.
//
//   RetirementCheck check(memory_options);
//   check.BeginJob(0);
//   ... the functional device runs job 0 and tells what it did: check.Expect(0, retirement);
//   ... the RTL runs it, and at each of its retirements:
//   auto difference = check.Retired(0, engine, rtl);       // the first byte that differs, if any
//   std::string missing = check.Missing(0);                // what the RTL did not retire
//
// Why the bytes a unit wrote can be looked at in that moment: the RTL tells of a retirement after
// the clock edge that counts it. The unit's last byte came with that edge or before. What conflicts
// with it in another engine is ordered behind it, as the stream is legal, and sees the count only
// from then on. What comes behind it in its own engine writes at the next edge at the earliest:
// result writer and LOAD write one word after the other, the weights engine one beat, and memory
// answers one burst a cycle. Only STOREs are ahead of that: up to three behind the oldest may have
// sent their data. A memory with `write_at_answer` does not show it; otherwise such a byte may be
// as a STORE behind leaves it, or anything where rows of that STORE overlap.
#pragma once

#if WEFT_WITH_RTL

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/functional/retirement.h"
#include "sim/verilated/axi_memory.h"
#include "sim/verilated/verilated_device.h"

namespace weft::testing {

class RetirementCheck {
 public:
  struct Difference {
    uint32_t command = 0;
    std::string text;  ///< which block of the command, which byte, and the two values
  };

  explicit RetirementCheck(const AxiMemoryOptions& memory)
      : stores_run_ahead_(!memory.write_at_answer) {}

  /// From here on the job is checked; what was known of it is forgotten.
  void BeginJob(size_t job) { jobs_[job] = {}; }
  /// No job is.
  void Clear() { jobs_.clear(); }

  /// The functional device retired the next unit of `job`.
  void Expect(size_t job, const Retirement& done);

  /// The RTL retired the next unit of `engine` in `job`; of the weights engine, the next word.
  std::optional<Difference> Retired(size_t job, Engine engine, VerilatedDevice& rtl);

  /// Empty: the RTL has retired all of `job` that the functional device did. Else what is missing.
  std::string Missing(size_t job) const;

  uint64_t units() const { return units_; }  ///< compared
  uint64_t bytes() const { return bytes_; }  ///< compared

 private:
  // One write: `count` bytes of the job's data, from `first` on.
  struct Piece {
    Space space;
    uint64_t address;
    size_t first, count;
  };
  struct Unit {
    uint32_t command;
    std::optional<uint32_t> block;  // of an execution command
    std::vector<Piece> pieces;
  };
  struct Lane {
    std::vector<Unit> units;
    size_t retired = 0;
    uint64_t weights = 0;  // bytes that the RTL has counted
  };
  struct Job {
    std::array<Lane, 4> lanes;  // by Engine
    std::vector<uint8_t> data;
  };

  std::optional<Difference> Compare(const Job& job, const Unit& unit, VerilatedDevice& rtl);
  bool LaterStoreWrote(const Job& job, uint64_t address, uint8_t value) const;

  const bool stores_run_ahead_;
  std::map<size_t, Job> jobs_;
  std::vector<uint8_t> actual_;
  uint64_t units_ = 0, bytes_ = 0;
};

}  // namespace weft::testing

#endif  // WEFT_WITH_RTL
