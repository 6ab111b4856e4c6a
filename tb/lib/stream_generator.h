// SPDX-License-Identifier: Apache-2.0
//
// Random command streams that are legal: every pair of conflicting accesses is ordered by waits,
// derived here from the generator's own record of who read and wrote what. Fields are drawn at and
// around their limits; work overlaps, depends, and is tiny or huge.
//
//   StreamCase streams = GenerateStreams(config, seed, {.illegal = false});
//   ... load streams.memory, set the region bases, run every job; tb/lib/stream_runner.h does.
//
// A case is a memory image, eight region bases and jobs that run one after the other on one device.
// The first job begins with a LOAD of the whole scratchpad window that the case uses, and so does
// the one after an illegal job, so that everything compared is known. Depends on the seed alone.
#pragma once

#include <cstdint>

#include "tb/lib/stream_case.h"
#include "weft/hw/configs.h"

namespace weft::testing {

struct StreamOptions {
  bool illegal = false;  ///< every other job is damaged
  bool huge = false;     ///< the whole scratchpad as window, long copies, many commands
};

StreamCase GenerateStreams(const HardwareConfig& config, uint64_t seed,
                           const StreamOptions& options);

}  // namespace weft::testing
