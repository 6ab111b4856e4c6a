// SPDX-License-Identifier: Apache-2.0
//
// Between what the host holds (dense NHWC, int8 or float32) and what the device holds (int8 rows at
// a pitch): the conversions at the graph's edges. QUANTIZE and DEQUANTIZE there are the host's
// work.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "weft/program.h"

namespace weft {

/// Bytes of one image as the device stores it in `binding`'s place, gaps between rows left out.
size_t DeviceImageBytes(const TensorPlace& place);

/// Bytes of the whole batch as the host holds it, also of an input that nothing reads.
size_t HostBytes(const TensorBinding& binding);

/// int8 values of the host's values: a copy, or round(x / scale), half away from zero, plus the
/// zero point, clamped. A float that is not a number becomes the zero point.
std::vector<uint8_t> ToDevice(const TensorBinding& binding, std::span<const uint8_t> host);

/// One image of int8 values in the order in which the rows of `place` hold them.
std::vector<uint8_t> InRowOrder(const TensorPlace& place, std::span<const uint8_t> dense);

/// The host's values of int8 values: a copy, or scale * (q - zero point) in float32.
std::vector<uint8_t> ToHost(const TensorBinding& binding, std::span<const uint8_t> device);

}  // namespace weft
