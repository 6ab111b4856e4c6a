// SPDX-License-Identifier: Apache-2.0
//
// g++ 12 takes the deliberately undefined registers inside its own AVX-512 intrinsics for faults
// once Eigen inlines them here (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include "sim/reference/exact_matmul.h"

#include <algorithm>
#include <cassert>

namespace weft::reference {

Int32Matrix ExactMatmul(const Eigen::Ref<const FloatMatrix>& rows, const FloatMatrix& columns) {
  assert(rows.cols() == columns.cols() && rows.cols() <= kLargestDepth);
  Int32Matrix sum = Int32Matrix::Zero(rows.rows(), columns.rows());
  FloatMatrix slice(rows.rows(), columns.rows());
  for (Eigen::Index start = 0; start < rows.cols(); start += kExactDepth) {
    const Eigen::Index depth = std::min<Eigen::Index>(kExactDepth, rows.cols() - start);
    slice.noalias() = rows.middleCols(start, depth) * columns.middleCols(start, depth).transpose();
    sum += slice.cast<int32_t>();
  }
  return sum;
}

}  // namespace weft::reference
