// SPDX-License-Identifier: Apache-2.0
//
// Who lives where: which values stay in the scratchpad from the layer that makes them to the last
// that reads them, at which address, and which pass through memory in tiles; and each layer's tile
// buffers.
//
// All values start as residents. While they do not fit together with the smallest useful tile
// buffers, the largest one alive at the tightest layer moves to memory. What space is left over at
// each layer then goes to its tile buffers. Last, each resident that shares a layer with tile
// buffers moves to memory, too, if the larger buffers save more time than its traffic costs.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/layer.h"
#include "sw/compile/tile.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::compile {

/// Where a value lives while layers work on it.
struct Home {
  bool used = false;  ///< a layer reads or writes it (fusion leaves values behind)
  bool resident = false;
  int64_t address = 0;  ///< in the scratchpad, of a resident
  int64_t pitch = 0;    ///< bytes between its rows there
};

/// A layer's tiles and the scratchpad address of its buffers.
struct WorkArea {
  TilePlan plan;
  int64_t address = 0;
};

struct Allocation {
  std::vector<Home> homes;      ///< by value
  std::vector<WorkArea> areas;  ///< by layer
};

/// Which of a layer's operands pass through memory.
Spills SpillsOf(const Layer& layer, const std::vector<Home>& homes);

Result<Allocation> Allocate(const Network& network, const HardwareConfig& config);

}  // namespace weft::compile
