// SPDX-License-Identifier: Apache-2.0
//
// Stage dma: the device's memory, and the two engines that read it. STORE and the result writer are
// in store.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/functional/fault.h"
#include "sim/functional/hazards.h"
#include "sim/functional/retirement.h"
#include "sim/functional/scratchpad.h"
#include "sim/functional/windows.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"

namespace weft::functional {

/// Bytes the AXI port has moved, in beats of axi_bytes.
struct Traffic {
  uint64_t read_beats = 0;
  uint64_t write_beats = 0;
};

/// Memory from address 0. What lies beyond answers with an error, at the first byte that does not
/// exist. Addresses have 40 bits and wrap around. An access is made block by block of 256 bytes, as
/// the hardware's bursts are: what comes before the block that fails has been read or written.
class Memory {
 public:
  Memory(uint64_t bytes, int axi_bytes) : bytes_(bytes), axi_bytes_(axi_bytes) {}

  uint64_t size() const { return bytes_.size(); }
  std::span<uint8_t> bytes() { return bytes_; }

  /// WINDOW where the windows do not permit it, READ_ERROR or WRITE_ERROR beyond the memory.
  Outcome Read(uint64_t address, std::span<uint8_t> out);
  Outcome Write(uint64_t address, std::span<const uint8_t> data);

  Windows& windows() { return windows_; }

  const Traffic& traffic() const { return traffic_; }
  void ClearTraffic() { traffic_ = {}; }

 private:
  uint64_t Beats(uint64_t address, uint64_t bytes) const;
  Outcome Check(uint64_t address, uint64_t bytes, uint32_t access, uint32_t bus_error) const;

  Windows windows_;
  std::vector<uint8_t> bytes_;
  int axi_bytes_;
  Traffic traffic_;
};

/// LOAD after its waits: memory to scratchpad, row by row.
Outcome ExecuteLoad(const LoadCmd& load, uint64_t address, Memory& memory, Scratchpad& scratchpad,
                    Hazards& hazards, Retirements& retirements);

/// LOAD_WEIGHTS: memory to the weight ring.
Outcome ExecuteLoadWeights(const LoadWeightsCmd& load, uint64_t address,
                           const HardwareConfig& config, Memory& memory, WeightRing& ring,
                           Hazards& hazards, Retirements& retirements);

}  // namespace weft::functional
