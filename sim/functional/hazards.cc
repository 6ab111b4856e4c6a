// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/hazards.h"

#include <algorithm>
#include <cassert>

#include "sim/functional/windows.h"

namespace weft::functional {
namespace {

constexpr const char* kUnitNames[kNumLanes] = {"LOAD", "execution block", "STORE"};

// Waits are compared modulo 2^16: the full number of the count that `wait` means when `issued`
// units come earlier in the stream. Above `issued` if it is in the future.
int64_t FullCount(uint32_t issued, int64_t wait) {
  return int64_t{issued} - static_cast<int16_t>(static_cast<uint16_t>(issued - wait));
}

}  // namespace

void Hazards::Clock::Join(const Clock& other) {
  for (int i = 0; i < kNumLanes; ++i) over[i] = std::max(over[i], other.over[i]);
}

Hazards::Hazards(uint32_t scratchpad_bytes, uint32_t word_bytes, uint64_t memory_bytes)
    : word_bytes_(word_bytes), pages_(memory_bytes / (word_bytes * kPageWords) + 1) {
  for (auto* units : {&spad_.loaded, &spad_.computed, &spad_.read, &spad_.stored}) {
    units->resize(scratchpad_bytes);
  }
  BeginJob();
}

void Hazards::BeginJob() {
  for (auto* units : {&spad_.loaded, &spad_.computed, &spad_.read, &spad_.stored}) {
    std::fill_n(units->begin(), touched_, 0);
  }
  touched_ = 0;
  for (auto& page : pages_) {
    if (page != nullptr) page->fill(MemoryWord{});
  }
  issued_ = {};
  earlier_ = {};
  known_ = {};
  for (auto& units : over_) units.assign(1, Clock{});
}

Status Hazards::Wait(Lane lane, const Waits& waits) {
  for (int i = 0; i < kNumLanes; ++i) {
    if (((waits.mask >> i) & 1) == 0) continue;
    int64_t count = FullCount(earlier_[i], waits.count[i]);
    if (i == static_cast<int>(Lane::kExec)) count += waits.exec_step;
    if (count > earlier_[i]) {
      return Fail("waits for {} {}, but only {} come earlier in the stream", kUnitNames[i], count,
                  earlier_[i]);
    }
    if (count > 0) known_[Index(lane)].Join(over_[i][static_cast<size_t>(count)]);
  }
  return {};
}

void Hazards::Retire(Lane lane) {
  const size_t i = Index(lane);
  Clock clock = over_[i].back();
  clock.Join(known_[i]);
  clock.over[i] = ++issued_[i];
  over_[i].push_back(clock);
}

Status Hazards::Check(Lane lane, const char* verb, const std::vector<uint32_t>& units,
                      const char* did, Lane by, uint32_t begin, uint32_t end) const {
  const uint32_t over = Known(lane).over[Index(by)];
  const auto first = units.begin() + begin;
  const auto last = units.begin() + end;
  uint32_t newest = 0;
  for (auto unit = first; unit != last; ++unit) newest = std::max(newest, *unit);
  if (newest <= over) return {};
  const auto at = std::find_if(first, last, [&](uint32_t unit) { return unit > over; });
  return Fail("{} scratchpad byte {}, which {} {} {}, and its waits only make sure of {} {}", verb,
              at - units.begin(), kUnitNames[Index(by)], *at, did, kUnitNames[Index(by)], over);
}

Status Hazards::ReadScratchpad(Lane lane, uint32_t unit, uint32_t begin, uint32_t end) {
  if (Status ok = Check(lane, "reads", spad_.loaded, "writes", Lane::kLoad, begin, end); !ok) {
    return ok;
  }
  if (Status ok = Check(lane, "reads", spad_.computed, "writes", Lane::kExec, begin, end); !ok) {
    return ok;
  }
  touched_ = std::max(touched_, end);
  auto& readers = lane == Lane::kStore ? spad_.stored : spad_.read;
  for (uint32_t i = begin; i < end; ++i) readers[i] = std::max(readers[i], unit);
  return {};
}

Status Hazards::WriteScratchpad(Lane lane, uint32_t unit, uint32_t begin, uint32_t end) {
  assert(lane != Lane::kStore);
  touched_ = std::max(touched_, end);
  if (Status ok = Check(lane, "overwrites", spad_.stored, "reads", Lane::kStore, begin, end); !ok) {
    return ok;
  }
  if (lane == Lane::kLoad) {
    if (Status ok = Check(lane, "overwrites", spad_.read, "reads", Lane::kExec, begin, end); !ok) {
      return ok;
    }
    if (Status ok = Check(lane, "overwrites", spad_.computed, "writes", Lane::kExec, begin, end);
        !ok) {
      return ok;
    }
    std::fill(spad_.loaded.begin() + begin, spad_.loaded.begin() + end, unit);
    return {};
  }
  if (Status ok = Check(lane, "overwrites", spad_.loaded, "writes", Lane::kLoad, begin, end); !ok) {
    return ok;
  }
  // A reader beyond this unit is a later block of the same command.
  uint32_t newest = 0;
  for (uint32_t i = begin; i < end; ++i) newest = std::max(newest, spad_.read[i]);
  if (newest > unit) {
    return Fail("block {} overwrites scratchpad bytes {}..{}, which the command's block {} reads",
                unit, begin, end - 1, newest);
  }
  std::fill(spad_.computed.begin() + begin, spad_.computed.begin() + end, unit);
  return {};
}

template <typename F>
Status Hazards::ForEachMemoryWord(uint64_t address, uint64_t bytes, F&& f) {
  const uint64_t end = (address + bytes + word_bytes_ - 1) / word_bytes_;
  for (uint64_t unwrapped = address / word_bytes_; unwrapped < end; ++unwrapped) {
    const uint64_t at = unwrapped * word_bytes_ & kAddressMask;
    const uint64_t word = at / word_bytes_;
    std::unique_ptr<Page>& page = pages_[word / kPageWords];
    if (page == nullptr) page = std::make_unique<Page>();
    if (Status ok = f((*page)[word % kPageWords], at); !ok) return ok;
  }
  return {};
}

Status Hazards::LoadReadsMemory(uint64_t address, uint64_t bytes) {
  const uint32_t over = Known(Lane::kLoad).over[Index(Lane::kStore)];
  const uint32_t unit = Next(Lane::kLoad);
  return ForEachMemoryWord(address, bytes, [&](MemoryWord& word, uint64_t at) -> Status {
    if (word.stored > over) {
      return Fail(
          "reads memory at {:#x}, which STORE {} writes, and its waits only make sure of "
          "STORE {}",
          at, word.stored, over);
    }
    if (word.marked) return Fail("reads memory at {:#x}, which a MARK of the same job writes", at);
    word.loaded = unit;
    return {};
  });
}

Status Hazards::StoreWritesMemory(uint64_t address, uint64_t bytes) {
  const uint32_t over = Known(Lane::kStore).over[Index(Lane::kLoad)];
  const uint32_t unit = Next(Lane::kStore);
  return ForEachMemoryWord(address, bytes, [&](MemoryWord& word, uint64_t at) -> Status {
    if (word.loaded > over) {
      return Fail(
          "overwrites memory at {:#x}, which LOAD {} reads, and its waits only make sure "
          "of LOAD {}",
          at, word.loaded, over);
    }
    if (word.read_unordered) {
      return Fail("overwrites commands or weights of the same job in memory at {:#x}", at);
    }
    if (word.marked) return Fail("overwrites a MARK of the same job in memory at {:#x}", at);
    word.stored = unit;
    return {};
  });
}

Status Hazards::ReadsMemoryUnordered(uint64_t address, uint64_t bytes) {
  return ForEachMemoryWord(address, bytes, [&](MemoryWord& word, uint64_t at) -> Status {
    if (word.stored != 0 || word.marked) {
      return Fail(
          "reads memory at {:#x}, which an earlier command of the job writes; nothing "
          "orders the two",
          at);
    }
    word.read_unordered = true;
    return {};
  });
}

Status Hazards::MarkWritesMemory(uint64_t address, uint64_t bytes) {
  return ForEachMemoryWord(address, bytes, [&](MemoryWord& word, uint64_t at) -> Status {
    if (word.stored != 0 || word.loaded != 0 || word.read_unordered) {
      return Fail(
          "writes memory at {:#x}, which another command of the job uses; nothing orders "
          "the two",
          at);
    }
    word.marked = true;
    return {};
  });
}

}  // namespace weft::functional
