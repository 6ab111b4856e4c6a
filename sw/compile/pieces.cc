// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/pieces.h"

#include <algorithm>

namespace weft::compile {
namespace {

constexpr int64_t kSmallestPiece = 1024;  // bytes

// Rows after which a piece may end: where the next begins at a word.
int64_t Unit(const Extent& extent, int64_t pitch, const HardwareConfig& config) {
  int64_t unit = 1;
  while (pitch == extent.row_bytes() && unit < extent.h && unit * pitch % config.word() != 0) {
    ++unit;
  }
  return unit;
}

// The rows at which growing pieces end, multiples of the unit but for the last.
std::vector<int64_t> Ends(const Extent& extent, int64_t pitch, int64_t unit) {
  std::vector<int64_t> ends;
  int64_t size = kSmallestPiece;
  for (int64_t row = 0; row < extent.h;) {
    const int64_t rows = std::max(unit, size / std::max<int64_t>(1, pitch) / unit * unit);
    row = row + 2 * rows > extent.h ? extent.h : row + rows;
    ends.push_back(row);
    size += size / 2;
  }
  return ends;
}

std::vector<Piece> PiecesUpTo(const std::vector<int64_t>& ends, const Extent& extent,
                              int64_t pitch) {
  const bool one_row = pitch == extent.row_bytes();
  std::vector<Piece> pieces;
  int64_t row = 0;
  for (const int64_t end : ends) {
    const int64_t rows = end - row;
    if (rows == 0) continue;
    pieces.push_back({row, rows, one_row ? 1 : rows, one_row ? rows * pitch : extent.row_bytes()});
    row = end;
  }
  return pieces;
}

}  // namespace

std::vector<Piece> GrowingPieces(const Extent& extent, int64_t pitch,
                                 const HardwareConfig& config) {
  return PiecesUpTo(Ends(extent, pitch, Unit(extent, pitch, config)), extent, pitch);
}

std::vector<Piece> ShrinkingPieces(const Extent& extent, int64_t pitch,
                                   const HardwareConfig& config) {
  const int64_t unit = Unit(extent, pitch, config);
  std::vector<int64_t> ends = Ends(extent, pitch, unit);
  // The same sizes from the last row back.
  for (int64_t& end : ends) end = (extent.h - end) / unit * unit;
  std::reverse(ends.begin(), ends.end());
  ends.push_back(extent.h);
  return PiecesUpTo(ends, extent, pitch);
}

}  // namespace weft::compile
