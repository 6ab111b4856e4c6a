// SPDX-License-Identifier: Apache-2.0
//
// From the real scales of a graph's tensors to the integer parameters of the kernels.
//
// Every product of scales is formed in exactly the type docs/numerics.md names: a float32 where a
// double was meant moves a multiplier by one unit and, now and then, an output by one step.
// Errors name the tensor at fault.
#pragma once

#include "sim/reference/add.h"
#include "sim/reference/float_conversion.h"
#include "sim/reference/output_stage.h"
#include "sim/reference/rescale.h"
#include "sim/reference/softmax.h"
#include "weft/graph.h"
#include "weft/result.h"

namespace weft::reference {

/// The quantisation of an int8 activation. Fails on another type, on per-channel scales, on a
/// scale that is not positive and finite and on a zero point outside int8.
Result<AffineInt8> Int8Quantization(const Tensor& tensor);

/// The stored values an activation function leaves possible.
ActivationRange RangeOf(Activation activation, AffineInt8 quantization);

/// CONV_2D and DEPTHWISE_CONV_2D: double(s_in) * double(s_w[c]) / double(s_out).
Result<OutputStage> ConvolutionStage(const Tensor& input, const Tensor& weights,
                                     const Tensor& output, Activation activation,
                                     Rounding rounding);

/// FULLY_CONNECTED: per tensor s_in * s_w in float32, then / double(s_out); per channel as above.
Result<OutputStage> FullyConnectedStage(const Tensor& input, const Tensor& weights,
                                        const Tensor& output, Activation activation,
                                        Rounding rounding);

Result<AddParams> AddParameters(const Tensor& first, const Tensor& second, const Tensor& output,
                                Activation activation, Rounding rounding);

/// QUANTIZE of an int8 tensor (Activation::kNone) and the stand-alone RELU family.
Result<RescaleParams> RescaleParameters(const Tensor& input, const Tensor& output,
                                        Activation activation, Rounding rounding);

/// Fails unless the output's scale is 1/256 and its zero point -128, as the definition fixes them.
Result<SoftmaxParams> SoftmaxParameters(const Tensor& input, const Tensor& output, float beta);

}  // namespace weft::reference
