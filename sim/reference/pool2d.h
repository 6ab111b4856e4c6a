// SPDX-License-Identifier: Apache-2.0
//
// int8 average and maximum pooling. Input and output share one quantisation.
#pragma once

#include <cstdint>
#include <span>

#include "sim/reference/output_stage.h"
#include "sim/reference/window.h"

namespace weft::reference {

/// Every window must touch the image. Dilation is not used.
struct Pool2DParams {
  ImageShape input, output;  ///< equal batch and channels
  Window window;
  ActivationRange range;
};

/// The mean of the elements inside the image, rounded half away from zero.
void AveragePool2D(const Pool2DParams& params, std::span<const int8_t> input,
                   std::span<int8_t> output);

/// The largest element inside the image.
void MaxPool2D(const Pool2DParams& params, std::span<const int8_t> input, std::span<int8_t> output);

}  // namespace weft::reference
