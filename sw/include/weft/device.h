// SPDX-License-Identifier: Apache-2.0
//
// The one interface behind which a functional model, a verilated RTL or a board sits. The driver
// (sw/driver/) reaches it through a table of callbacks; nothing above can tell devices apart but by
// time. Not thread safe: one thread a device.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "weft/hw/configs.h"

namespace weft {

class Device {
 public:
  virtual ~Device() = default;
  virtual const HardwareConfig& config() const = 0;

  /// AXI4-Lite accesses, byte offset, 32 bits.
  virtual uint32_t ReadRegister(uint32_t offset) = 0;
  virtual void WriteRegister(uint32_t offset, uint32_t value) = 0;

  /// The device's memory, from address 0 to memory_bytes().
  virtual uint64_t memory_bytes() const = 0;
  virtual void ReadMemory(uint64_t address, std::span<uint8_t> out) = 0;
  virtual void WriteMemory(uint64_t address, std::span<const uint8_t> data) = 0;

  /// Runs until the interrupt line is high or `max_cycles` have passed; true if it is high.
  virtual bool WaitForInterrupt(uint64_t max_cycles) = 0;
  /// Cycles since construction (the functional model counts commands instead).
  virtual uint64_t Now() const = 0;

  // --- observation, for verification only: no effect on what runs ---

  /// Called when the MARK of a layer retires, with its layer number.
  virtual void SetMarkObserver(std::function<void(uint32_t layer)> observer) = 0;
  /// Scratchpad bytes as they are now.
  virtual void PeekScratchpad(uint32_t address, std::span<uint8_t> out) = 0;
  /// Rules of the device or the bus that were broken (empty: none). Any text is a failure.
  virtual std::string Violations() const { return {}; }
};

}  // namespace weft
