// SPDX-License-Identifier: Apache-2.0
//
// In which pieces a value that stays in the scratchpad comes from memory before its first use, or
// goes there after its last row is made: small ones at the end at which work waits, so that it
// starts with the first rows and the job ends soon after the last. They end where stripes do: no
// RUN waits for a row it does not read, no STORE for one it does not copy.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/layer.h"
#include "sw/compile/tile.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// What one LOAD or STORE moves: `moves` rows of `bytes`, of which the first is row `row` of the
/// value. A value without gaps moves as single rows of many of its own.
struct Piece {
  int64_t row = 0, rows = 0;
  int64_t moves = 0, bytes = 0;
};

/// Pieces that grow, for LOADs, from the first row on, of an operand of `layer`, which computes
/// `out` in one go. `value`: its extent in memory; `pitch`: in the scratchpad; `ramp`: of the
/// layer's stripes.
std::vector<Piece> GrowingPieces(const Layer& layer, const Operand& operand, const Extent& value,
                                 int64_t pitch, const Extent& out, const Ramp& ramp,
                                 const HardwareConfig& config);

/// Pieces that shrink, for STOREs of the result of `layer`, which computes it as `out`.
std::vector<Piece> ShrinkingPieces(const Layer& layer, const Extent& value, int64_t pitch,
                                   const Extent& out, const Ramp& ramp,
                                   const HardwareConfig& config);

}  // namespace weft::compile
