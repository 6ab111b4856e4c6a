// SPDX-License-Identifier: Apache-2.0
//
// Residual additions join one of the two convolutions they add: post-processing reads the other
// operand while the array works on, so the sum costs no trip through the scratchpad.
//
// The convolution with the longest reduction is taken (its array time hides the extra passes),
// and it moves behind whatever computes the other operand. It must be read by nothing else.
#pragma once

#include "sw/compile/layer.h"

namespace weft::compile {

/// Rewrites `network` in place; layers stay in a valid execution order.
void FuseAdditions(Network& network);

}  // namespace weft::compile
