// SPDX-License-Identifier: Apache-2.0
//
// From the real scales of a graph's tensors to the integer parameters of the kernels.
//
// Every product of scales is formed in exactly the type docs/numerics.md names: a float32 where a
// double was meant moves a multiplier by one unit and, now and then, an output by one step.
// The tensors belong to a graph ValidateGraph accepts, so scales are present and usable.
#pragma once

#include "sim/reference/add.h"
#include "sim/reference/float_conversion.h"
#include "sim/reference/output_stage.h"
#include "sim/reference/rescale.h"
#include "sim/reference/softmax.h"
#include "weft/graph.h"

namespace weft::reference {

/// The quantisation of an int8 activation.
AffineInt8 Int8Quantization(const Tensor& tensor);

/// The stored values an activation function leaves possible.
ActivationRange RangeOf(Activation activation, AffineInt8 quantization);

/// CONV_2D and DEPTHWISE_CONV_2D: double(s_in) * double(s_w[c]) / double(s_out).
OutputStage ConvolutionStage(const Tensor& input, const Tensor& weights, const Tensor& output,
                             Activation activation, Rounding rounding);

/// FULLY_CONNECTED: per tensor s_in * s_w in float32, then / double(s_out); per channel as above.
OutputStage FullyConnectedStage(const Tensor& input, const Tensor& weights, const Tensor& output,
                                Activation activation, Rounding rounding);

/// Both operands are brought to twice the larger scale, 20 bits up; all in double.
AddParams AddParameters(const Tensor& first, const Tensor& second, const Tensor& output,
                        Activation activation, Rounding rounding);

/// QUANTIZE of an int8 tensor (Activation::kNone) and the stand-alone RELU family.
RescaleParams RescaleParameters(const Tensor& input, const Tensor& output, Activation activation,
                                Rounding rounding);

/// Over the last dimension.
SoftmaxParams SoftmaxParameters(const Tensor& input, float beta);

}  // namespace weft::reference
