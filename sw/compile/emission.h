// SPDX-License-Identifier: Apache-2.0
//
// What all parts of the emitter share: what they read, the queues they fill, and the record of who
// used which scratchpad word.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/allocate.h"
#include "sw/compile/layer.h"
#include "sw/compile/memory_map.h"
#include "sw/compile/queues.h"
#include "sw/compile/tracker.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::compile {

struct Emission {
  Emission(const Network& of_network, const Allocation& with_allocation, const MemoryMap& in_memory,
           const HardwareConfig& for_config)
      : network(of_network),
        allocation(with_allocation),
        memory(in_memory),
        config(for_config),
        tracker(for_config) {}

  const Network& network;
  const Allocation& allocation;
  const MemoryMap& memory;
  const HardwareConfig& config;
  Tracker tracker;
  Queues queues;
  uint32_t blocks = 0;  ///< of the exec commands so far
  Status status;        ///< the first thing that went wrong

  const Value& ValueAt(int index) const { return network.values[static_cast<size_t>(index)]; }
  const Home& HomeOf(int index) const { return allocation.homes[static_cast<size_t>(index)]; }
  const TensorPlace& PlaceOf(int index) const { return memory.values[static_cast<size_t>(index)]; }

  /// Puts a command of `layer` into a queue. A field that cannot hold its value is an error.
  void Push(std::vector<Issue>& queue, Issue issue, const Layer& layer);
  void Push(std::vector<Issue>& queue, const Command& command, const Layer& layer);
};

/// Sets the command's waits for what this engine does not yet know to have happened, and notes that
/// it will.
template <typename T>
void SetWaits(T& command, const Counts& need, Counts& knows) {
  const auto set = [&command](int bit, int64_t& wait, uint32_t needed, uint32_t& known) {
    if (needed <= known) return;
    command.wait_mask |= 1 << bit;
    wait = needed;
    known = needed;
  };
  set(0, command.wait_load, need.load, knows.load);
  set(1, command.wait_exec, need.exec, knows.exec);
  set(2, command.wait_store, need.store, knows.store);
}

}  // namespace weft::compile
