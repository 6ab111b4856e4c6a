// SPDX-License-Identifier: Apache-2.0
//
// What each unit of work wrote, for those who watch: a LOAD, a LOAD_WEIGHTS, an execution block or
// a STORE, in stream order, in the moment in which it retires.
//
//   auto device = MakeFunctionalDevice(*config, bytes, [](const Retirement& done) {
//     for (const Written& write : done.writes) ...              // of command done.command
//   });
//
// Writes of the host and of MARK are not reported: a MARK retires nothing that others wait for.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "weft/hw/commands.h"

namespace weft {

enum class Space : uint8_t { kScratchpad, kWeights, kMemory };

/// Bytes that now lie at an address of the scratchpad or of memory. In the weight ring addresses
/// count from the job's start: byte a lies at a modulo the ring's size.
struct Written {
  Space space = Space::kScratchpad;
  uint64_t address = 0;
  std::span<const uint8_t> bytes;
};

/// One unit of work. Writes are in the order they were made; where two of them overlap, both show
/// the bytes as the unit leaves them. The spans are the device's, for the time of the call.
struct Retirement {
  Engine engine = Engine::kLoad;
  uint32_t command = 0;  ///< index in the stream
  std::span<const Written> writes;
};
using RetireObserver = std::function<void(const Retirement&)>;

namespace functional {

/// Collects the writes of the unit in work. Without an observer it does nothing.
class Retirements {
 public:
  explicit Retirements(RetireObserver observer) : observer_(std::move(observer)) {}

  /// The next command, by its index in the stream. What a failed one wrote is forgotten.
  void BeginCommand(uint32_t index) {
    command_ = index;
    writes_.clear();
  }

  /// `bytes` is where they were written: they are looked at when the unit retires.
  void Wrote(Space space, uint64_t address, std::span<const uint8_t> bytes) {
    if (observer_) writes_.push_back({space, address, bytes});
  }

  void Retire(Engine engine) {
    if (!observer_) return;
    observer_({engine, command_, writes_});
    writes_.clear();
  }

 private:
  RetireObserver observer_;
  uint32_t command_ = 0;
  std::vector<Written> writes_;
};

}  // namespace functional
}  // namespace weft
