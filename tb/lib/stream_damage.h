// SPDX-License-Identifier: Apache-2.0
//
// Makes a legal job of random commands illegal in one way, and says what a device must report.
#pragma once

#include "tb/lib/seed.h"
#include "tb/lib/stream_case.h"

namespace weft::testing {

/// Breaks a field, an opcode or a reserved bit of one command, the END, the hash, or an address,
/// and sets the job's error_code and error_command.
void DamageJob(const StreamCase& streams, Rng& rng, StreamJob& job);

}  // namespace weft::testing
