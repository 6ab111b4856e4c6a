// SPDX-License-Identifier: Apache-2.0
//
// Graph -> Network: one layer for each operator that computes, in a form a device command has.
//
//   views                       vanish: the reader sees the same bytes with another extent
//   PAD                         joins the one convolution that reads it, if it pads with the zero
//                               point; otherwise a 1x1 window (space) or an identity matrix
//                               (channels)
//   DEPTHWISE_CONV_2D           with a multiplier, or of one channel: dense, zeros between
//   dilation                    zeros between the taps
//   AVERAGE_POOL_2D             depthwise sums with a block of ones, one region a divisor
//   RELU family, QUANTIZE int8  requantisation
//   QUANTIZE, DEQUANTIZE float  ports of the network; the host converts
//   batch                       one image: dimension 0 of rank-4 tensors
//
// Operators whose result nothing needs are left out.
#pragma once

#include "sw/compile/layer.h"
#include "weft/result.h"

namespace weft::compile {

/// `graph` must have passed ValidateGraph. Errors name the operator, its index and its tensor.
Result<Network> Legalise(const Graph& graph, Rounding rounding);

}  // namespace weft::compile
