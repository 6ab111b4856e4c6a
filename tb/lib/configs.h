// SPDX-License-Identifier: Apache-2.0
//
// The shipped configurations: for tests whose streams or sizes are made by hand and presuppose
// K = N or a large scratchpad. Everything else runs on all of kHardwareConfigs.
#pragma once

#include <algorithm>
#include <iterator>
#include <vector>

#include "weft/hw/configs.h"

namespace weft::testing {

inline std::vector<HardwareConfig> ShippedConfigs() {
  std::vector<HardwareConfig> configs;
  std::ranges::copy_if(kHardwareConfigs, std::back_inserter(configs), &HardwareConfig::shipped);
  return configs;
}

}  // namespace weft::testing
