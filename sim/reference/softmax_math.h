// SPDX-License-Identifier: Apache-2.0
//
// The two transcendental pieces of the fixed point softmax: exp(x) for x <= 0 and 1 / (1 + x).
// Qm.n is a signed 32-bit number with n fraction bits. Pure functions.
#pragma once

#include <cstdint>

namespace weft::reference {

/// exp(x). `x` <= 0 in Q5.26 (-32 < x), the result in Q0.31, at most INT32_MAX ("one").
int32_t ExpOnNegativeValues(int32_t x);

/// 1 / (1 + x). `x` in Q0.31, 0 <= x < 1; the result in Q0.31, in [1/2, 1].
int32_t OneOverOnePlusX(int32_t x);

}  // namespace weft::reference
