// SPDX-License-Identifier: Apache-2.0
//
// In which pieces a value that stays in the scratchpad comes from memory before its first use, or
// goes there after its last row is made: small ones at the end at which work waits, so that it
// starts with the first rows and the job ends soon after the last.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/layer.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// What one LOAD or STORE moves: `moves` rows of `bytes`, of which the first is row `row` of the
/// value. A value without gaps moves as single rows of many of its own.
struct Piece {
  int64_t row = 0, rows = 0;
  int64_t moves = 0, bytes = 0;
};

/// Pieces that grow, for LOADs, from the first row on. `pitch`: of the value in the scratchpad.
std::vector<Piece> GrowingPieces(const Extent& extent, int64_t pitch, const HardwareConfig& config);

/// Pieces that shrink, for STOREs.
std::vector<Piece> ShrinkingPieces(const Extent& extent, int64_t pitch,
                                   const HardwareConfig& config);

}  // namespace weft::compile
