// SPDX-License-Identifier: Apache-2.0
//
// The device that is the hardware: weft_top, verilated, clocked behind the Device interface, with
// an AXI memory whose latency, bandwidth, stalls and errors are options.
//
//   Result<std::unique_ptr<VerilatedDevice>> device = MakeVerilatedDevice(*config, {.seed = 7});
//   if (!device) { std::cerr << device.error().message << "\n"; return 1; }
//   ... memory, registers, doorbell, as with any Device; then
//   (*device)->WaitForInterrupt(1'000'000);
//   fmt::print("{:.0f} kHz\n", (*device)->speed().khz());
//
// Time passes only inside ReadRegister, WriteRegister (each an AXI4-Lite transaction) and
// WaitForInterrupt. ReadMemory and WriteMemory take none. Registers and memories without reset
// start with contents drawn from the seed: two runs with the same seed are the same to the cycle.
//
// Violations() reports what the AXI memory saw the design do wrong and assertions of the RTL that
// failed (their text is on standard output; models that leave them out see none); neither ends the
// run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/verilated/axi_memory.h"
#include "weft/activity.h"
#include "weft/device.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft {

struct VerilatedOptions {
  uint64_t memory_bytes = uint64_t{256} << 20;  ///< zero at first; untouched pages take no space
  AxiMemoryOptions memory = {};                 ///< its seed is ignored, `seed` is used
  std::string wave_file = {};                   ///< FST waves; empty: none
  uint64_t seed = 1;
  bool stop_clocks = true;         ///< of blocks that keep still: faster, and the same to the cycle
  ActivityObserver activity = {};  ///< called every cycle while WaitForInterrupt runs the clock
};

/// Wall-clock time of the loop that runs the clock.
struct SimulationSpeed {
  uint64_t cycles = 0;
  double seconds = 0;
  double khz() const { return seconds > 0 ? static_cast<double>(cycles) / seconds / 1000 : 0; }
};

class VerilatedDevice : public Device {
 public:
  /// Of WaitForInterrupt, since construction; register accesses are not counted.
  virtual SimulationSpeed speed() const = 0;
  /// For tests of the bus: what it moved, and what can be done to it.
  virtual AxiMemory& memory() = 0;
  /// Pulls rst_ni of the design and resets the memory's side of the bus, at any time, bursts under
  /// way or not. The memory's contents stay.
  virtual void HardReset() = 0;

  /// Called after the clock edge at which `engine` counts a LOAD, a weight word, an execution block
  /// or a STORE as retired: the last of what it wrote came with that edge, and nothing that waits
  /// for it has begun. With kControl: a job has ended. `jobs` is RING_HEAD: jobs that have ended.
  /// Empty: nobody is called.
  virtual void SetRetireObserver(std::function<void(Engine engine, uint32_t jobs)> observer) = 0;
  /// Bytes of the weight ring as they are now.
  virtual void PeekWeights(uint32_t address, std::span<uint8_t> out) = 0;
};

/// The configurations this program holds a model of: at least the shipped ones.
std::vector<HardwareConfig> VerilatedConfigs();

/// A device of one of VerilatedConfigs(), out of reset. Fails on another, on options out of range,
/// on memory that cannot be had, and on a wave file when this program was built without waves.
Result<std::unique_ptr<VerilatedDevice>> MakeVerilatedDevice(const HardwareConfig& config,
                                                             const VerilatedOptions& options);

}  // namespace weft
