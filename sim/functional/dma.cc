// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/dma.h"

#include <algorithm>

namespace weft::functional {
namespace {

uint64_t BytesToBlockEnd(uint64_t address) {
  return kWindowBlockBytes - address % kWindowBlockBytes;
}

}  // namespace

uint64_t Memory::Beats(uint64_t address, uint64_t bytes) const {
  const uint64_t width = static_cast<uint64_t>(axi_bytes_);
  return (address + bytes + width - 1) / width - address / width;
}

Outcome Memory::Check(uint64_t address, uint64_t bytes, uint32_t access, uint32_t bus_error) const {
  if (!windows_.Permit(address / kWindowBlockBytes, access)) {
    return Stop(WEFT_ERROR_WINDOW, address);
  }
  if (address > size() || bytes > size() - address)
    return Stop(bus_error, std::max(address, size()));
  return {};
}

Outcome Memory::Read(uint64_t address, std::span<uint8_t> out) {
  while (!out.empty()) {
    address &= kAddressMask;
    const size_t count = std::min<size_t>(out.size(), BytesToBlockEnd(address));
    if (Outcome ok = Check(address, count, WEFT_WINDOW_CONTROL_READ, WEFT_ERROR_READ_ERROR); !ok) {
      return ok;
    }
    std::copy_n(bytes_.begin() + static_cast<int64_t>(address), count, out.begin());
    traffic_.read_beats += Beats(address, count);
    address += count;
    out = out.subspan(count);
  }
  return {};
}

Outcome Memory::Write(uint64_t address, std::span<const uint8_t> data) {
  while (!data.empty()) {
    address &= kAddressMask;
    const size_t count = std::min<size_t>(data.size(), BytesToBlockEnd(address));
    if (Outcome ok = Check(address, count, WEFT_WINDOW_CONTROL_WRITE, WEFT_ERROR_WRITE_ERROR);
        !ok) {
      return ok;
    }
    std::copy_n(data.begin(), count, bytes_.begin() + static_cast<int64_t>(address));
    traffic_.write_beats += Beats(address, count);
    address += count;
    data = data.subspan(count);
  }
  return {};
}

Outcome ExecuteLoad(const LoadCmd& load, uint64_t address, Memory& memory, Scratchpad& scratchpad,
                    Hazards& hazards, Retirements& retirements) {
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
    retirements.Wrote(Space::kScratchpad, range->begin, scratchpad.Bytes(*range));
  }
  hazards.Retire(Lane::kLoad);
  retirements.Retire(Engine::kLoad);
  return {};
}

Outcome ExecuteLoadWeights(const LoadWeightsCmd& load, uint64_t address,
                           const HardwareConfig& config, Memory& memory, WeightRing& ring,
                           Hazards& hazards, Retirements& retirements) {
  if (Status ok = ring.CheckSpace(load.words); !ok) return ToOutcome(ok);
  const uint64_t word_bytes = static_cast<uint64_t>(config.weight_word);
  std::vector<uint8_t> bytes(static_cast<uint64_t>(load.words) * word_bytes);
  if (Outcome ok = memory.Read(address, bytes); !ok) return ok;
  if (Status ok = hazards.ReadsMemoryUnordered(address, bytes.size()); !ok) return ToOutcome(ok);
  retirements.Wrote(Space::kWeights, ring.written() * word_bytes, bytes);
  ring.Append(bytes);
  retirements.Retire(Engine::kWeights);
  return {};
}

}  // namespace weft::functional
