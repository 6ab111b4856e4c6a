// SPDX-License-Identifier: Apache-2.0
//
// The integer matrix product behind convolution and fully connected layers.
//
// Operands are small integers held in float32, because that is what Eigen multiplies fastest. The
// product is still exact: the inner dimension is cut into slices of kExactDepth, and within a
// slice every partial sum, in whatever order it is formed, is an integer below 2^24 in magnitude,
// which float32 represents. Slices are added up in int32.
#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace weft::reference {

using FloatMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Int32Matrix = Eigen::Matrix<int32_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Operands are differences of two int8 numbers.
inline constexpr int kLargestOperand = 255;
/// 256 * 255 * 255 < 2^24.
inline constexpr int kExactDepth = 256;
static_assert(kExactDepth * kLargestOperand * kLargestOperand < (1 << 24));
/// The deepest reduction whose sum surely fits int32.
inline constexpr int kLargestDepth = INT32_MAX / (kLargestOperand * kLargestOperand);

/// rows [m, depth] times columns [n, depth] transposed: [m, n]. All elements are integers within
/// +-kLargestOperand and depth <= kLargestDepth.
Int32Matrix ExactMatmul(const Eigen::Ref<const FloatMatrix>& rows, const FloatMatrix& columns);

}  // namespace weft::reference
