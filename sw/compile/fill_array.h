// SPDX-License-Identifier: Apache-2.0
//
// Rewrites convolutions that would leave much of the array idle, so that they need fewer beats for
// the same result.
//
// Few output channels (dense, at most N/2): 2 or 4 neighbouring pixels of a row become one wide
// pixel of as many times the channels. Its window covers those of all of them, with weights of zero
// outside each pixel's own. Bytes in memory stay where they are: pixels of a row are neighbours
// anyway.
//
// Depthwise with N/2 channels, 3 columns and stride 1: two neighbouring pixels at a time, as RUN
// mode 3 computes them.
//
// Window rows much shorter than K, on a graph input that nothing else reads: the host hands over
// the image column by column, the layer computes column by column with the window turned likewise,
// and writes its pixels to their usual places.
#pragma once

#include "sw/compile/layer.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// Rewrites the layers of `network` that get faster. Transposed layers must neither
/// read nor write tiles: whoever allocates falls back to the network as it was.
void FillArray(Network& network, const HardwareConfig& config);

}  // namespace weft::compile
