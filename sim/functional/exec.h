// SPDX-License-Identifier: Apache-2.0
//
// The execution engine: RUN, ELTWISE and SOFTMAX block by block, through array, post and the result
// writer, with the checks of their accesses. Commands are legal ones (legality.h).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sim/functional/array.h"
#include "sim/functional/fault.h"
#include "sim/functional/hazards.h"
#include "sim/functional/post.h"
#include "sim/functional/retirement.h"
#include "sim/functional/scratchpad.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"

namespace weft::functional {

class ExecEngine {
 public:
  ExecEngine(const HardwareConfig& config, Scratchpad& scratchpad, WeightRing& ring,
             Hazards& hazards, Retirements& retirements);

  void BeginJob();

  void Setup(const SetupInputCmd& setup) { array_.Setup(setup); }
  void Setup(const SetupOutputCmd& setup) { post_.Setup(setup); }
  void Setup(const SetupAddCmd& setup) { post_.Setup(setup); }

  Outcome Run(const RunCmd& run);
  Outcome Eltwise(const EltwiseCmd& eltwise);
  Outcome Softmax(const SoftmaxCmd& softmax);

  /// Since the job began.
  uint64_t operands() const { return operands_; }  ///< vectors the array has taken
  uint64_t blocks() const { return blocks_; }      ///< blocks retired

 private:
  /// Where a RUN's or an ELTWISE's weights lie in the ring.
  struct Weights {
    uint64_t position = 0;
    uint64_t block_words = 0;   ///< weights and parameter record of one block
    uint64_t record_words = 0;  ///< of these, the record
    uint64_t words = 0;         ///< of the whole command
    bool shared = false;
  };

  Result<Weights> FindWeights(const RunCmd& run, int64_t blocks) const;
  Outcome TakeOperands(const RunCmd& run, const Feed& feed, std::span<const Beat> beats,
                       int64_t block, int64_t blocks, const Place& residual);
  Outcome Read(uint32_t unit, int64_t address, int64_t bytes);
  Outcome ReadPlace(const Place& place, const Stripe& stripe, int64_t channels);
  Outcome WritePlace(const Place& place, const Stripe& stripe, int64_t channels);
  void Retire();

  const HardwareConfig& config_;
  Scratchpad& scratchpad_;
  WeightRing& ring_;
  Hazards& hazards_;
  Retirements& retirements_;
  Array array_;
  Post post_;
  std::vector<uint8_t> weights_;  ///< of the block in work

  uint64_t operands_ = 0;
  uint64_t blocks_ = 0;
};

}  // namespace weft::functional
