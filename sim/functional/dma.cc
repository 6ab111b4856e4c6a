// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/dma.h"

#include <algorithm>

namespace weft::functional {

uint64_t Memory::Beats(uint64_t address, uint64_t bytes) const {
  const uint64_t width = static_cast<uint64_t>(axi_bytes_);
  return (address + bytes + width - 1) / width - address / width;
}

Outcome Memory::Read(uint64_t address, std::span<uint8_t> out) {
  if (address > size() || out.size() > size() - address) {
    return Stop(WEFT_ERROR_READ_ERROR, std::max(address, size()));
  }
  std::copy_n(bytes_.begin() + static_cast<int64_t>(address), out.size(), out.begin());
  traffic_.read_beats += Beats(address, out.size());
  return {};
}

Outcome Memory::Write(uint64_t address, std::span<const uint8_t> data) {
  if (address > size() || data.size() > size() - address) {
    return Stop(WEFT_ERROR_WRITE_ERROR, std::max(address, size()));
  }
  std::copy(data.begin(), data.end(), bytes_.begin() + static_cast<int64_t>(address));
  traffic_.write_beats += Beats(address, data.size());
  return {};
}

Outcome ExecuteLoad(const LoadCmd& load, uint64_t address, Memory& memory, Scratchpad& scratchpad,
                    Hazards& hazards) {
  const uint32_t unit = hazards.Next(Lane::kLoad);
  for (int64_t row = 0; row < load.rows; ++row) {
    const uint64_t from = address + static_cast<uint64_t>(row * load.mem_pitch);
    const int64_t to = load.spad_addr + row * load.spad_pitch;
    const std::optional<ByteRange> range = scratchpad.Range(to, load.row_bytes);
    if (!range) return Stop(WEFT_ERROR_BAD_ADDRESS);
    Outcome ok = memory.Read(from, scratchpad.Bytes(*range));
    if (!ok) return ok;
    ok = ToOutcome(hazards.LoadReadsMemory(from, range->size()));
    if (!ok) return ok;
    ok = ToOutcome(hazards.WriteScratchpad(Lane::kLoad, unit, range->begin, range->end));
    if (!ok) return ok;
  }
  hazards.Retire(Lane::kLoad);
  return {};
}

Outcome ExecuteLoadWeights(const LoadWeightsCmd& load, uint64_t address,
                           const HardwareConfig& config, Memory& memory, WeightRing& ring,
                           Hazards& hazards) {
  if (Status ok = ring.CheckSpace(load.words); !ok) return ToOutcome(ok);
  const uint64_t word_bytes = static_cast<uint64_t>(config.weight_word);
  std::vector<uint8_t> bytes(static_cast<uint64_t>(load.words) * word_bytes);
  if (Outcome ok = memory.Read(address, bytes); !ok) return ok;
  if (Status ok = hazards.ReadsMemoryUnordered(address, bytes.size()); !ok) return ToOutcome(ok);
  ring.Append(bytes);
  return {};
}

}  // namespace weft::functional
