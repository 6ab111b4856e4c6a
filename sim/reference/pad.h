// SPDX-License-Identifier: Apache-2.0
//
// Constant padding of an int8 tensor of rank <= 4.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace weft::reference {

/// Shapes of lower rank are right-aligned: leading dimensions 1, without padding.
struct PadParams {
  std::array<int, 4> input = {1, 1, 1, 1};
  std::array<int, 4> before = {}, after = {};
  int8_t value = 0;
};

/// output has input[d] + before[d] + after[d] elements along dimension d.
void Pad(const PadParams& params, std::span<const int8_t> input, std::span<int8_t> output);

}  // namespace weft::reference
