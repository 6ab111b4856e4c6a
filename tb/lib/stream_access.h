// SPDX-License-Identifier: Apache-2.0
//
// Which bytes of the scratchpad an execution command reads and writes, told from its fields and the
// setups alone, and whether such accesses get into each other's way.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tb/lib/stream_case.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"

namespace weft::testing {

/// Bytes that a block reads or writes, and the beat that reads them.
struct Access {
  int block = 0;
  int beat = 0;
  Extent bytes;
};

/// A part of a window's row, in bytes (mode 0) or in columns.
struct Piece {
  int64_t row, first, count;
};

/// The first `most` beats of a window, each the pieces it covers.
std::vector<std::vector<Piece>> BeatsOf(const HardwareConfig& config, const SetupInputCmd& in,
                                        int64_t most);

/// What the beats of a RUN read. All blocks of a dense RUN read the same: the last counts as
/// reader.
std::vector<Access> WindowReads(const HardwareConfig& config, const SetupInputCmd& in,
                                const RunCmd& run, std::span<const std::vector<Piece>> beats);

/// A place whose pixels lie `offsets` from `address`, by blocks of N channels.
std::vector<Access> BlocksOf(const HardwareConfig& config, int64_t address,
                             const std::vector<int64_t>& offsets, int64_t channels);

/// Whether later blocks read what earlier ones write: no wait could order that.
bool SelfConflict(const std::vector<Access>& reads, const std::vector<Access>& writes);
/// Whether no byte comes up twice.
bool Disjoint(const std::vector<Access>& accesses);
bool AnyOverlap(const std::vector<Access>& a, const std::vector<Access>& b);

}  // namespace weft::testing
