// SPDX-License-Identifier: Apache-2.0
//
// How long a whole network takes, from its tile plans, without running it: the estimate of a layer
// (estimate.h) where layers share the device. RUNs follow each other on the array, operands and
// weights come through the read side of the port, weights as far ahead as the ring has room,
// results leave through the write side; each waits for what it needs of the others.
//
// Not modelled: bank conflicts, the fetching of commands, the depth of the engines' queues.
#pragma once

#include "sw/compile/allocate.h"
#include "sw/compile/layer.h"
#include "weft/estimate.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// Cycles and bytes of one image, by layer and in total; names and MACs are left to the caller.
Estimate Predict(const Network& network, const Allocation& allocation, const MemoryTiming& memory,
                 const HardwareConfig& config);

}  // namespace weft::compile
