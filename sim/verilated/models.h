// SPDX-License-Identifier: Apache-2.0
//
// The verilated configurations this library holds. Each is compiled in a file of its own, made from
// model.cc.in, because each is large; WEFT_MODELS, from CMakeLists.txt, says which there are:
// WEFT_MODEL(weft64) WEFT_MODEL(weft256) and so on.
#pragma once

#include <memory>

#include "sim/verilated/mapped_bytes.h"
#include "sim/verilated/verilated_device.h"

// Make: a device of this configuration. Options were checked.
#define WEFT_MODEL(config)                                                       \
  namespace weft::models::config {                                               \
  Result<std::unique_ptr<VerilatedDevice>> Make(const HardwareConfig& hardware,  \
                                                const VerilatedOptions& options, \
                                                MappedBytes bytes);              \
  }
WEFT_MODELS
#undef WEFT_MODEL
