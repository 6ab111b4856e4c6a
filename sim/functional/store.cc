// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/store.h"

#include <algorithm>

namespace weft::functional {

void WriteResults(std::span<const int8_t> results, int n, const Stripe& stripe, int channels,
                  const Place& out, Scratchpad& scratchpad, Retirements& retirements) {
  for (int64_t p = 0; p < stripe.pixels(); ++p) {
    const int64_t to = out.At(stripe, p);
    std::copy_n(results.begin() + p * n, channels, scratchpad.At(to));
    retirements.Wrote(Space::kScratchpad, static_cast<uint64_t>(to),
                      scratchpad.Bytes(*scratchpad.Range(to, channels)));
  }
}

Outcome ExecuteStore(const StoreCmd& store, uint64_t address, Memory& memory,
                     Scratchpad& scratchpad, Hazards& hazards, Retirements& retirements) {
  const uint32_t unit = hazards.Next(Lane::kStore);
  for (int64_t row = 0; row < store.rows; ++row) {
    const uint64_t to = address + static_cast<uint64_t>(row * store.mem_pitch);
    const int64_t from = store.spad_addr + row * store.spad_pitch;
    const std::optional<ByteRange> range = scratchpad.Range(from, store.row_bytes);
    if (!range) return Stop(WEFT_ERROR_BAD_ADDRESS);
    Outcome ok = ToOutcome(hazards.ReadScratchpad(Lane::kStore, unit, range->begin, range->end));
    if (!ok) return ok;
    ok = memory.Write(to, scratchpad.Bytes(*range));
    if (!ok) return ok;
    ok = ToOutcome(hazards.StoreWritesMemory(to, range->size()));
    if (!ok) return ok;
    retirements.Wrote(Space::kMemory, to & kAddressMask,
                      memory.bytes().subspan(to & kAddressMask, range->size()));
  }
  hazards.Retire(Lane::kStore);
  retirements.Retire(Engine::kStore);
  return {};
}

}  // namespace weft::functional
