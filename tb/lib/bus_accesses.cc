// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/bus_accesses.h"

#include <fmt/format.h>

#include <algorithm>

#include "weft/program.h"

namespace weft::testing {
namespace {

constexpr uint64_t kAddressSpace = uint64_t{1} << 40;

}  // namespace

std::vector<BusAccess> AccessesOf(const BusJob& job) {
  using Kind = BusAccess::Kind;
  std::vector<BusAccess> all = {{Kind::kEntry, 0, job.entry % kAddressSpace, WEFT_JOB_ENTRY_BYTES}};
  const auto count = static_cast<uint32_t>(job.commands.size());
  for (uint32_t i = 0; i < count + job.trailing; ++i) {
    all.push_back({Kind::kCommand, i, (job.stream + uint64_t{i} * kCommandBytes) % kAddressSpace,
                   kCommandBytes});
  }
  for (uint32_t i = 0; i < count; ++i) {
    const auto at = [&](const auto& cmd, int64_t offset) {
      return (job.region_base[static_cast<size_t>(cmd.region)] +
              static_cast<uint64_t>(cmd.offset + offset)) %
             kAddressSpace;
    };
    const auto rows = [&](Kind kind, const auto& cmd) {
      for (int64_t r = 0; r < cmd.rows; ++r) {
        all.push_back({kind, i, at(cmd, r * cmd.mem_pitch), static_cast<uint64_t>(cmd.row_bytes)});
      }
    };
    const Command& command = job.commands[i];
    if (const auto* load = std::get_if<LoadCmd>(&command)) rows(Kind::kLoad, *load);
    if (const auto* store = std::get_if<StoreCmd>(&command)) rows(Kind::kStore, *store);
    if (const auto* mark = std::get_if<MarkCmd>(&command)) {
      all.push_back({Kind::kMark, i, at(*mark, 0), static_cast<uint64_t>(kMarkBytes)});
    }
    if (const auto* weights = std::get_if<LoadWeightsCmd>(&command)) {
      all.push_back({Kind::kWeights, i, at(*weights, 0),
                     static_cast<uint64_t>(weights->words * job.config->weight_word)});
    }
  }
  return all;
}

void SetWindows(Device& device, const WindowSettings& windows) {
  for (uint32_t i = 0; i < windows.size(); ++i) {
    device.WriteRegister(WEFT_REG_WINDOW_FIRST(i), windows[i].first);
    device.WriteRegister(WEFT_REG_WINDOW_LAST(i), windows[i].last);
    device.WriteRegister(WEFT_REG_WINDOW_CONTROL(i), windows[i].control);
  }
}

bool Permitted(const WindowSettings& windows, bool write, uint64_t address) {
  bool closed = false;
  for (const WindowSetting& window : windows) {
    if ((window.control & WEFT_WINDOW_CONTROL_ENABLE) == 0) continue;
    closed = true;
    const uint32_t needed = write ? WEFT_WINDOW_CONTROL_WRITE : WEFT_WINDOW_CONTROL_READ;
    if ((window.control & needed) == 0) continue;
    const uint64_t begin = window.first * kBlockBytes;
    const uint64_t end = (uint64_t{window.last} + 1) * kBlockBytes;
    if (address >= begin && address < end) return true;
  }
  return !closed;
}

void WindowMonitor::See(const AxiBurst& burst) {
  if (!text_.empty()) return;
  for (uint64_t byte = burst.address; byte < burst.address + burst.bytes; ++byte) {
    if (Permitted(windows_, burst.write, byte)) continue;
    text_ = fmt::format("a {} of {} bytes at {:#x} touches {:#x}, which no window permits",
                        burst.write ? "write" : "read", burst.bytes, burst.address, byte);
    return;
  }
}

}  // namespace weft::testing
