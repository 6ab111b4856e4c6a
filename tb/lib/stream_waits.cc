// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/stream_waits.h"

#include <algorithm>
#include <array>
#include <type_traits>

namespace weft::testing {

template <typename F>
void StreamWaits::ForEachByteOf(const Extent& extent, F&& f) {
  for (uint64_t at = extent.begin; at < extent.end; ++at) f(record_.At(at));
}

template <typename Cmd, typename F>
void StreamWaits::ForEachMemoryWord(const Cmd& cmd, F&& f) {
  const uint64_t address = AddressOf(case_, cmd.region, cmd.offset);
  const auto word = static_cast<uint64_t>(case_.config->word());
  for (int64_t r = 0; r < cmd.rows; ++r) {
    const uint64_t begin = address + static_cast<uint64_t>(r * cmd.mem_pitch);
    const uint64_t end = begin + static_cast<uint64_t>(cmd.row_bytes);
    for (uint64_t w = begin / word; w < (end + word - 1) / word; ++w) f(record_.Word(w));
  }
}

template <typename Cmd, typename F>
void StreamWaits::ForEachRowByte(const Cmd& cmd, F&& f) {
  for (int64_t r = 0; r < cmd.rows; ++r) {
    const auto begin = static_cast<uint64_t>(cmd.spad_addr + r * cmd.spad_pitch);
    ForEachByteOf({begin, begin + static_cast<uint64_t>(cmd.row_bytes)}, f);
  }
}

// Waits that make sure of `need`: minimal ones, stronger ones, needless ones.
template <typename Cmd>
void StreamWaits::SetWaits(Cmd& cmd, int lane, const Need& need, bool exec_is_set) {
  const std::array<int64_t*, kLanes> counts = {&cmd.wait_load, &cmd.wait_exec, &cmd.wait_store};
  for (int other = 0; other < kLanes; ++other) {
    if (other == kExec && exec_is_set) continue;
    int64_t count = need[other];
    bool waits = count > 0;
    if (waits && rng_.Chance(0.25)) count = rng_.Int(count, record_.issued(other));
    if (!waits && rng_.Chance(0.08)) {
      waits = true;
      count =
          rng_.Int(std::max<int64_t>(-20, record_.issued(other) - 30000), record_.issued(other));
    }
    if (!waits) {
      if (rng_.Chance(0.3)) *counts[other] = rng_.Int(0, 65535);  // no bit in the mask: ignored
      continue;
    }
    cmd.wait_mask |= 1 << other;
    *counts[other] = count & 0xffff;
    record_.Join(lane, other, count);
  }
}

bool StreamWaits::Order(LoadCmd& load) {
  Need need = {};
  ForEachMemoryWord(load, [&](WordRecord& w) { record_.Raise(kLoad, need, kStore, w.stored); });
  ForEachRowByte(load, [&](ByteRecord& b) {
    record_.Raise(kLoad, need, kStore, b.stored);
    record_.Raise(kLoad, need, kExec, std::max(b.read, b.computed));
  });
  if (need[kExec] > record_.issued(kExec)) return false;
  SetWaits(load, kLoad, need);
  record_.Retire(kLoad);
  ForEachMemoryWord(load, [&](WordRecord& w) { w.loaded = record_.issued(kLoad); });
  ForEachRowByte(load, [&](ByteRecord& b) { b.loaded = record_.issued(kLoad); });
  return true;
}

void StreamWaits::Order(StoreCmd& store) {
  Need need = {};
  ForEachMemoryWord(store, [&](WordRecord& w) { record_.Raise(kStore, need, kLoad, w.loaded); });
  ForEachRowByte(store, [&](ByteRecord& b) {
    record_.Raise(kStore, need, kLoad, b.loaded);
    record_.Raise(kStore, need, kExec, b.computed);
  });
  SetWaits(store, kStore, need);
  record_.Retire(kStore);
  ForEachMemoryWord(store, [&](WordRecord& w) { w.stored = record_.issued(kStore); });
  ForEachRowByte(store,
                 [&](ByteRecord& b) { b.stored = std::max(b.stored, record_.issued(kStore)); });
}

// Waits of an exec command, then its record. Reads carry the block that counts as the reader; the
// waits that come before them are that block's, or the first one's.
template <typename Cmd>
void StreamWaits::OrderExec(Cmd& cmd, const ExecWork& work) {
  Need need = {};
  struct At {
    int block, beat;
    int64_t unit;
  };
  std::vector<At> needs;
  for (const Access& r : work.reads) {
    int64_t unit = 0;
    ForEachByteOf(r.bytes, [&](ByteRecord& b) {
      record_.Raise(kExec, need, kLoad, b.loaded);
      unit = std::max(unit, b.computed);
    });
    if (unit > record_.known(kExec, kExec)) {
      needs.push_back({work.reads_wait_at_first_block ? 0 : r.block, r.beat, unit});
    }
  }
  for (const Access& w : work.writes) {
    ForEachByteOf(w.bytes, [&](ByteRecord& b) {
      record_.Raise(kExec, need, kLoad, b.loaded);
      record_.Raise(kExec, need, kStore, b.stored);
    });
  }
  int64_t base = 0, step_block = 0, step_beat = 0;
  for (const At& n : needs) base = std::max(base, n.unit);
  bool stepped = false;
  if constexpr (!std::is_same_v<Cmd, SoftmaxCmd>) {
    if (!needs.empty() && (work.blocks > 1 || work.beats > 1) && rng_.Chance(0.6)) {
      const bool is_run = std::is_same_v<Cmd, RunCmd>;
      for (int tries = 0; tries < 6 && !stepped; ++tries) {
        step_block = work.blocks > 1 && rng_.Chance(0.7) ? rng_.Small(0, 255) : 0;
        step_beat = is_run && work.beats > 1 && rng_.Chance(0.7) ? rng_.Small(0, 15) : 0;
        int64_t lowest = INT64_MIN;
        for (const At& n : needs) {
          // A command without steps per beat waits once a block.
          lowest = std::max(lowest, n.unit - n.block * step_block - n.beat * step_beat);
        }
        const int64_t last = lowest + (work.blocks - 1) * step_block + (work.beats - 1) * step_beat;
        if ((step_block > 0 || step_beat > 0) && last <= record_.issued(kExec)) {
          base = lowest;
          stepped = true;
        }
      }
      if (!stepped) step_block = step_beat = 0;
    }
  }
  if (stepped) {
    cmd.wait_mask |= 1 << kExec;
    cmd.wait_exec = base & 0xffff;
    if constexpr (!std::is_same_v<Cmd, SoftmaxCmd>) cmd.wait_step_block = step_block;
    if constexpr (std::is_same_v<Cmd, RunCmd>) cmd.wait_step_beat = step_beat;
    need[kExec] = 0;
  } else {
    need[kExec] = base;
  }
  SetWaits(cmd, kExec, need, stepped);
  if (!work.retires) {
    if (stepped) record_.Join(kExec, kExec, base + (work.beats - 1) * step_beat);
    for (const Access& r : work.reads) {
      ForEachByteOf(r.bytes,
                    [&](ByteRecord& b) { b.read = std::max(b.read, record_.issued(kExec) + 1); });
    }
    return;
  }
  const int64_t first = record_.issued(kExec) + 1;
  for (int j = 0; j < work.blocks; ++j) {
    if (stepped) {
      for (int b = 0; b < work.beats; ++b) {
        record_.Join(kExec, kExec, base + j * step_block + b * step_beat);
      }
    }
    record_.Retire(kExec);
  }
  for (const Access& r : work.reads) {
    ForEachByteOf(r.bytes, [&](ByteRecord& b) { b.read = std::max(b.read, first + r.block); });
  }
  for (const Access& w : work.writes) {
    ForEachByteOf(w.bytes, [&](ByteRecord& b) { b.computed = first + w.block; });
  }
}

template void StreamWaits::OrderExec(RunCmd&, const ExecWork&);
template void StreamWaits::OrderExec(EltwiseCmd&, const ExecWork&);
template void StreamWaits::OrderExec(SoftmaxCmd&, const ExecWork&);

}  // namespace weft::testing
