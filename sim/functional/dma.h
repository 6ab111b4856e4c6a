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
#include "sim/functional/scratchpad.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"

namespace weft::functional {

/// Bytes the AXI port has moved, in beats of axi_bytes.
struct Traffic {
  uint64_t read_beats = 0;
  uint64_t write_beats = 0;
};

/// Memory from address 0. What lies beyond answers with an error, at the first byte that does not
/// exist. Addresses have 40 bits.
class Memory {
 public:
  Memory(uint64_t bytes, int axi_bytes) : bytes_(bytes), axi_bytes_(axi_bytes) {}

  uint64_t size() const { return bytes_.size(); }
  std::span<uint8_t> bytes() { return bytes_; }

  Outcome Read(uint64_t address, std::span<uint8_t> out);
  Outcome Write(uint64_t address, std::span<const uint8_t> data);

  const Traffic& traffic() const { return traffic_; }
  void ClearTraffic() { traffic_ = {}; }

 private:
  uint64_t Beats(uint64_t address, uint64_t bytes) const;

  std::vector<uint8_t> bytes_;
  int axi_bytes_;
  Traffic traffic_;
};

/// LOAD after its waits: memory to scratchpad, row by row.
Outcome ExecuteLoad(const LoadCmd& load, uint64_t address, Memory& memory, Scratchpad& scratchpad,
                    Hazards& hazards);

/// LOAD_WEIGHTS: memory to the weight ring.
Outcome ExecuteLoadWeights(const LoadWeightsCmd& load, uint64_t address,
                           const HardwareConfig& config, Memory& memory, WeightRing& ring,
                           Hazards& hazards);

}  // namespace weft::functional
