// SPDX-License-Identifier: Apache-2.0
//
// Who lives where: which values stay in the scratchpad from the layer that makes them to the last
// that reads them, at which address, and which pass through memory in tiles; which layers are
// computed together in bands; and the buffers of tiles and bands.
//
// Every layer starts as a unit by itself. Two neighbours join where the value between them would
// live in memory and the estimate of the whole network falls.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/bands.h"
#include "sw/compile/layer.h"
#include "sw/compile/tile.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::compile {

/// Where a value lives while layers work on it.
struct Home {
  enum class Where : uint8_t {
    kNowhere,     ///< no layer reads or writes it (fusion leaves values behind)
    kScratchpad,  ///< as a whole
    kMemory,
    kBands,  ///< never as a whole: rows of it in a rolling buffer
  };
  Where where = Where::kNowhere;
  int64_t address = 0;  ///< in the scratchpad, as a whole
  int64_t pitch = 0;    ///< bytes between its rows there
  bool resident() const { return where == Where::kScratchpad; }
};

/// Layers first..last, one in tiles or several in bands, and the scratchpad address of the buffers:
/// those of each layer's tiles, then those between layers.
struct Unit {
  int first = 0, last = 0;
  BandPlan plan;  ///< of a single layer: one element of `tiles`, and no bands
  int64_t address = 0;
  bool single() const { return first == last; }
};

struct Allocation {
  std::vector<Home> homes;  ///< by value
  std::vector<Unit> units;  ///< in execution order; they cover all layers
};

/// Estimated cycles of all units.
int64_t CyclesOf(const Allocation& allocation);

/// Whether the result of unit `number` is seen in the scratchpad when its MARK retires, else in
/// memory: it stays there, and no STORE takes it away. After the last unit nothing overwrites it,
/// so there the MARK does not wait for the STOREs either.
bool SeenOnChip(const Network& network, const Allocation& allocation, size_t number);

/// Whether a layer's result goes to memory as a whole, from where it stays in the scratchpad.
bool LeavesWhole(const Network& network, const Allocation& allocation, const Layer& layer);

/// Which of a layer's operands pass through memory.
Spills SpillsOf(const Layer& layer, const std::vector<Home>& homes);

Result<Allocation> Allocate(const Network& network, const HardwareConfig& config);

}  // namespace weft::compile
