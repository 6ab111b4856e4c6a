// SPDX-License-Identifier: Apache-2.0
//
// Where everything lies in the memory regions: ports in theirs, spilled values in the arena,
// constants and weights in the program's region in the order of their first use.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/allocate.h"
#include "sw/compile/layer.h"
#include "sw/compile/weights.h"
#include "weft/hw/configs.h"
#include "weft/program.h"

namespace weft::compile {

struct MemoryMap {
  std::vector<TensorPlace> values;         ///< of image 0; kNowhere: only in the scratchpad
  std::vector<WeightShape> shapes;         ///< by layer
  std::vector<uint64_t> weights;           ///< by layer: offset in the program's region
  std::vector<uint8_t> program;            ///< weights and constants; the stream follows
  uint64_t image_bytes[kNumRegions] = {};  ///< of one image, a multiple of 64
};

MemoryMap MapMemory(const Graph& graph, const Network& network, const Allocation& allocation,
                    const HardwareConfig& config);

}  // namespace weft::compile
