// SPDX-License-Identifier: Apache-2.0
//
// Stage command: fetches a stream, refuses illegal commands, and hands each to its engine, one
// after the other in stream order. Where that could give another result than the hardware's
// overlapping engines, the stream is refused (hazards.h).
//
//   CommandProcessor processor(config, memory, {});
//   processor.BeginJob();
//   processor.Start({.stream = address, .commands = 17, .region_base = bases});
//   do ended = processor.Step(); while (ended && !*ended);      // ended.error(): why it stopped
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <tl/expected.hpp>

#include "sim/functional/dma.h"
#include "sim/functional/exec.h"
#include "sim/functional/fault.h"
#include "sim/functional/hazards.h"
#include "sim/functional/legality.h"
#include "sim/functional/retirement.h"
#include "sim/functional/scratchpad.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"
#include "weft/hw/weft_hw.h"

namespace weft::functional {

using Counters = std::array<uint32_t, WEFT_NUM_COUNTERS>;
using RegionBases = std::array<uint64_t, WEFT_REG_REGION_BASE_LO_COUNT>;

/// What starts a job.
struct StreamStart {
  uint64_t stream = 0;  ///< memory address of the first command
  uint32_t commands = 0;
  RegionBases region_base = {};
};

class CommandProcessor {
 public:
  CommandProcessor(const HardwareConfig& config, Memory& memory, RetireObserver observer);

  /// Engines idle, counts, ring and counters at zero.
  void BeginJob();
  /// The stream that Step() executes.
  void Start(const StreamStart& start) { start_ = start; }

  /// Executes the next command. True when it was END.
  tl::expected<bool, Fault> Step();

  /// Index of the command in work, or of the one that failed.
  uint32_t index() const { return index_; }

  /// The performance counters that have a meaning without time; `cycles` counts commands.
  Counters counters() const;

  void SetMarkObserver(std::function<void(uint32_t layer)> observer) {
    mark_observer_ = std::move(observer);
  }
  Scratchpad& scratchpad() { return scratchpad_; }

 private:
  tl::expected<Command, Fault> Fetch();
  uint64_t Address(int64_t region, int64_t offset) const;

  // One for every engine's commands; END never gets here.
  Outcome Execute(const NopCmd&) { return {}; }
  Outcome Execute(const EndCmd&) { return {}; }
  Outcome Execute(const MarkCmd& mark);
  Outcome Execute(const LoadCmd& load);
  Outcome Execute(const LoadWeightsCmd& load);
  Outcome Execute(const StoreCmd& store);
  Outcome Execute(const SetupInputCmd& setup);
  Outcome Execute(const SetupOutputCmd& setup);
  Outcome Execute(const SetupAddCmd& setup);
  Outcome Execute(const RunCmd& run) { return exec_.Run(run); }
  Outcome Execute(const EltwiseCmd& eltwise) { return exec_.Eltwise(eltwise); }
  Outcome Execute(const SoftmaxCmd& softmax) { return exec_.Softmax(softmax); }

  const HardwareConfig& config_;
  Memory& memory_;
  Scratchpad scratchpad_;
  WeightRing ring_;
  Hazards hazards_;
  Retirements retirements_;
  ExecEngine exec_;
  SetupState setups_;
  StreamStart start_;
  uint32_t index_ = 0;
  uint64_t weight_words_ = 0;
  std::function<void(uint32_t)> mark_observer_;
};

}  // namespace weft::functional
