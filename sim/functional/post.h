// SPDX-License-Identifier: Apache-2.0
//
// Stage post: from accumulators or scratchpad operands to int8 results. The arithmetic itself is in
// arithmetic.h; here is which numbers go into it. Results are handed back, not stored.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/functional/arithmetic.h"
#include "sim/functional/array.h"
#include "sim/functional/scratchpad.h"
#include "sim/functional/stripe.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::functional {

/// Results of one block: N int8 a pixel, of which the block's channels count.
using BlockResult = std::vector<int8_t>;

class Post {
 public:
  explicit Post(const HardwareConfig& config);

  void BeginJob();
  void Setup(const SetupOutputCmd& setup) { output_ = setup; }
  void Setup(const SetupAddCmd& setup) { add_ = setup; }
  const SetupOutputCmd& output() const { return output_; }
  const SetupAddCmd& add() const { return add_; }

  /// The parameter record of the RUN's block that comes next; empty without has_params. An error
  /// if it holds a shift outside -31..31, which SETUP_OUTPUT would not be allowed to hold either.
  Status TakeRecord(std::span<const uint8_t> record);

  /// A RUN's block. `b` is where its residual operand lies, used with `add`.
  const BlockResult& Run(const Array& array, const Stripe& stripe, int channels, const Place& b,
                         const Scratchpad& scratchpad);

  /// An ELTWISE's block.
  const BlockResult& Eltwise(bool add, const Stripe& stripe, int channels, const Place& a,
                             const Place& b, const Scratchpad& scratchpad);

 private:
  int32_t Sum(int32_t a, int32_t b) const;

  const int n_;
  const int weight_word_;
  SetupOutputCmd output_;
  SetupAddCmd add_;
  std::vector<int32_t> bias_;  ///< [N]
  std::vector<Scale> scale_;   ///< [N]
  BlockResult result_;
};

}  // namespace weft::functional
