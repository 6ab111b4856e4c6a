// SPDX-License-Identifier: Apache-2.0
//
// Which memory accesses the commands of a job ask for, and whether memory windows permit them:
// arithmetic of the bench's own, on bytes. And a monitor that holds every burst on the bus against
// the windows.
//
//   std::vector<BusAccess> all = AccessesOf(job, region_base);
//   const bool denied = !Permitted(windows, access.write, address_of_some_byte);
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/verilated/axi_memory.h"
#include "weft/device.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {

inline constexpr uint64_t kBlockBytes = 256;  // of a window, and the most of a burst
inline constexpr uint64_t kMaxBlock = 0xffffffff;

/// The job ring's entry, a command, or one row of what a command reads or writes.
struct BusAccess {
  enum class Kind : uint8_t { kEntry, kCommand, kWeights, kLoad, kStore, kMark };
  Kind kind = Kind::kEntry;
  uint32_t command = 0;  ///< index of the command fetched or executed
  uint64_t address = 0;
  uint64_t bytes = 0;

  bool write() const { return kind == Kind::kStore || kind == Kind::kMark; }
};

/// What a device needs to know of a job.
struct BusJob {
  const HardwareConfig* config = nullptr;
  std::array<uint64_t, 8> region_base = {};
  uint64_t entry = 0;   ///< address of its ring entry
  uint64_t stream = 0;  ///< address of its first command
  std::vector<Command> commands;
  uint32_t trailing = 0;  ///< words behind the last command that the entry counts
};

/// Every access: entry, commands (trailing ones too), then those that commands make.
std::vector<BusAccess> AccessesOf(const BusJob& job);

/// The registers of one window.
struct WindowSetting {
  uint32_t first = 0, last = 0, control = 0;
};
using WindowSettings = std::array<WindowSetting, WEFT_REG_WINDOW_FIRST_COUNT>;

void SetWindows(Device& device, const WindowSettings& windows);

/// Whether the byte at `address` may be read or written.
bool Permitted(const WindowSettings& windows, bool write, uint64_t address);

/// Watches a memory and notes every burst with a byte that the windows do not permit.
class WindowMonitor {
 public:
  explicit WindowMonitor(const WindowSettings& windows) : windows_(windows) {}
  void See(const AxiBurst& burst);
  /// Empty: none.
  const std::string& text() const { return text_; }

 private:
  WindowSettings windows_;
  std::string text_;
};

}  // namespace weft::testing
