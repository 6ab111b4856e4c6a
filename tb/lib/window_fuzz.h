// SPDX-License-Identifier: Apache-2.0
//
// Random memory windows against random streams of memory commands, legal and not: on the functional
// device and, if wanted, on the RTL, whose every burst a monitor checks.
//
//   WindowFuzz fuzz("weft256", /*with_rtl=*/true);
//   if (auto failure = fuzz.Run(/*seed=*/7)) std::cerr << *failure;
//
// What each device must report comes from arithmetic of the bench's own (bus_accesses.h): the
// functional device the first failure in stream order; the RTL, whose engines run side by side, the
// first one of any of them. The devices are made once and reset for every stream.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tb/lib/bus_accesses.h"
#include "weft/device.h"
#include "weft/hw/configs.h"

namespace weft {
class VerilatedDevice;
}

namespace weft::testing {

struct WindowFigures {
  uint64_t streams = 0;
  uint64_t commands = 0;
  uint64_t determined = 0;  ///< streams with one possible outcome, on which all must agree
  uint64_t bursts = 0;      ///< that the monitor has seen
  std::map<std::string, uint64_t> histogram;
};

class WindowFuzz {
 public:
  /// The RTL writes waves to `wave_file`, if there is one.
  WindowFuzz(std::string_view config, bool with_rtl, const std::string& wave_file = {});
  ~WindowFuzz();

  /// One stream. A failure is a text that says everything; nothing if all agreed.
  std::optional<std::string> Run(uint64_t seed);

  const WindowFigures& figures() const { return figures_; }

 private:
  struct Case;
  struct Failure;
  struct Report;

  Case Draw(uint64_t seed) const;
  std::vector<Failure> FailuresOf(const Case& c, const std::vector<BusAccess>& accesses) const;
  std::string RunOn(Device& device, const Case& c, Report& report);
  std::string CheckWrites(const Case& c, const std::vector<BusAccess>& accesses) const;
  std::string Check(const Case& c);

  const HardwareConfig& config_;
  std::unique_ptr<Device> functional_;
  std::unique_ptr<VerilatedDevice> rtl_;
  std::string error_;  // of making the RTL
  std::vector<uint8_t> memory_, after_;
  WindowFigures figures_;
};

}  // namespace weft::testing
