// SPDX-License-Identifier: Apache-2.0
//
// Stage store: the result writer, which puts a block's results into the scratchpad, and STORE,
// which copies scratchpad bytes to memory.
#pragma once

#include <cstdint>
#include <span>

#include "sim/functional/dma.h"
#include "sim/functional/fault.h"
#include "sim/functional/hazards.h"
#include "sim/functional/retirement.h"
#include "sim/functional/scratchpad.h"
#include "sim/functional/stripe.h"
#include "weft/hw/commands.h"

namespace weft::functional {

/// Writes the first `channels` of each pixel's `n` results. The place was checked to be inside.
void WriteResults(std::span<const int8_t> results, int n, const Stripe& stripe, int channels,
                  const Place& out, Scratchpad& scratchpad, Retirements& retirements);

/// STORE after its waits: scratchpad to memory, row by row.
Outcome ExecuteStore(const StoreCmd& store, uint64_t address, Memory& memory,
                     Scratchpad& scratchpad, Hazards& hazards, Retirements& retirements);

}  // namespace weft::functional
