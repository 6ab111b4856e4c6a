// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/retirement_check.h"

#if WEFT_WITH_RTL

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace weft::testing {
namespace {

constexpr std::array<const char*, 4> kUnitNames = {"LOAD", "LOAD_WEIGHTS", "execution block",
                                                   "STORE"};
constexpr std::array<const char*, 3> kSpaceNames = {"scratchpad", "weight ring", "memory"};

void Peek(VerilatedDevice& rtl, Space space, uint64_t address, std::span<uint8_t> out) {
  switch (space) {
    case Space::kScratchpad:
      return rtl.PeekScratchpad(static_cast<uint32_t>(address), out);
    case Space::kMemory:
      return rtl.ReadMemory(address, out);
    case Space::kWeights: {
      const auto ring = static_cast<uint64_t>(rtl.config().weight_ring);
      const uint64_t at = address % ring;
      const size_t first = std::min<size_t>(out.size(), ring - at);
      rtl.PeekWeights(static_cast<uint32_t>(at), out.first(first));
      rtl.PeekWeights(0, out.subspan(first));
    }
  }
}

}  // namespace

void RetirementCheck::Expect(size_t job, const Retirement& done) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  Job& known = found->second;
  std::vector<Unit>& units = known.lanes[static_cast<size_t>(done.engine)].units;
  Unit unit = {done.command, std::nullopt, {}};
  if (done.engine == Engine::kExec) {
    const bool goes_on = !units.empty() && units.back().command == done.command;
    unit.block = goes_on ? *units.back().block + 1 : 0;
  }
  unit.pieces.reserve(done.writes.size());
  for (const Written& write : done.writes) {
    unit.pieces.push_back({write.space, write.address, known.data.size(), write.bytes.size()});
    known.data.insert(known.data.end(), write.bytes.begin(), write.bytes.end());
  }
  units.push_back(std::move(unit));
}

std::optional<RetirementCheck::Difference> RetirementCheck::Retired(size_t job, Engine engine,
                                                                    VerilatedDevice& rtl) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return std::nullopt;
  Lane& lane = found->second.lanes[static_cast<size_t>(engine)];
  if (lane.retired == lane.units.size()) {
    const uint32_t command = lane.units.empty() ? 0 : lane.units.back().command;
    return Difference{command, fmt::format("one {} more than the {} of the functional device",
                                           kUnitNames[static_cast<size_t>(engine)], lane.retired)};
  }
  const Unit& unit = lane.units[lane.retired];
  if (engine == Engine::kWeights) {
    lane.weights += static_cast<uint64_t>(rtl.config().weight_word);
    if (lane.weights < unit.pieces.back().address + unit.pieces.back().count) return std::nullopt;
  }
  ++lane.retired;
  return Compare(found->second, unit, rtl);
}

std::optional<RetirementCheck::Difference> RetirementCheck::Compare(const Job& job,
                                                                    const Unit& unit,
                                                                    VerilatedDevice& rtl) {
  ++units_;
  for (const Piece& piece : unit.pieces) {
    actual_.resize(piece.count);
    Peek(rtl, piece.space, piece.address, actual_);
    bytes_ += piece.count;
    const auto expected = job.data.begin() + static_cast<ptrdiff_t>(piece.first);
    auto from = actual_.begin();
    for (;;) {
      const auto [actual, wanted] =
          std::mismatch(from, actual_.end(), expected + (from - actual_.begin()));
      if (actual == actual_.end()) break;
      const uint64_t address = piece.address + static_cast<uint64_t>(actual - actual_.begin());
      if (piece.space != Space::kMemory || !LaterStoreWrote(job, address, *actual)) {
        return Difference{
            unit.command,
            fmt::format("{}{} byte {:#x} is {}, functional has {}",
                        unit.block ? fmt::format("block {}: ", *unit.block) : "",
                        kSpaceNames[static_cast<size_t>(piece.space)], address, *actual, *wanted)};
      }
      from = actual + 1;
    }
  }
  return std::nullopt;
}

bool RetirementCheck::LaterStoreWrote(const Job& job, uint64_t address, uint8_t value) const {
  if (!stores_run_ahead_) return false;
  const Lane& stores = job.lanes[static_cast<size_t>(Engine::kStore)];
  for (size_t i = stores.retired; i < stores.units.size(); ++i) {
    int rows = 0;  // of this STORE that write the byte; what all but the last wrote is not known
    for (const Piece& piece : stores.units[i].pieces) {
      if (address < piece.address || address - piece.address >= piece.count) continue;
      if (++rows > 1) return true;
      if (job.data[piece.first + static_cast<size_t>(address - piece.address)] == value) {
        return true;
      }
    }
  }
  return false;
}

std::string RetirementCheck::Missing(size_t job) const {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return {};
  for (size_t i = 0; i < kUnitNames.size(); ++i) {
    const Lane& lane = found->second.lanes[i];
    if (lane.retired == lane.units.size()) continue;
    return fmt::format("{} of {} {}s retired", lane.retired, lane.units.size(), kUnitNames[i]);
  }
  return {};
}

}  // namespace weft::testing

#endif  // WEFT_WITH_RTL
