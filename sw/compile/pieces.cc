// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/pieces.h"

#include <algorithm>

namespace weft::compile {
namespace {

constexpr int64_t kSmallestPiece = 1024;  // bytes
// Rows of the last piece that leave one by one: a burst waits until it has been collected, a short
// one not for long. About as many as memory has to answer at once.
constexpr int64_t kShortBursts = 10;

// Rows after which a piece may end: where the next begins at a word.
int64_t Unit(const Extent& extent, int64_t pitch, const HardwareConfig& config) {
  int64_t unit = 1;
  while (pitch == extent.row_bytes() && unit < extent.h && unit * pitch % config.word() != 0) {
    ++unit;
  }
  return unit;
}

// The rows at which growing pieces end, multiples of the unit but for the last: where work needs
// rows up to one of `needs`, which rise; the first piece ends at the first of them.
std::vector<int64_t> Ends(const Extent& extent, int64_t pitch, int64_t unit,
                          const std::vector<int64_t>& needs) {
  std::vector<int64_t> ends;
  int64_t size = kSmallestPiece;
  for (int64_t row = 0; row < extent.h;) {
    const int64_t rows = std::max(unit, size / std::max<int64_t>(1, pitch) / unit * unit);
    auto need = std::upper_bound(needs.begin(), needs.end(), row);
    while (row > 0 && needs.end() - need > 1 && need[1] <= row + rows) ++need;
    const int64_t end = need == needs.end() ? extent.h : (*need + unit - 1) / unit * unit;
    row = end + rows / 2 > extent.h ? extent.h : end;
    ends.push_back(row);
    size += size / 2;
  }
  return ends;
}

// Rows of an operand's value that have been read after each stripe.
std::vector<int64_t> RowsRead(const Layer& layer, const Operand& operand, const Extent& value,
                              const Extent& out, const std::vector<int>& stripes) {
  std::vector<int64_t> rows;
  int64_t pixels = 0;
  for (const int stripe : stripes) {
    pixels += stripe;
    const int y = static_cast<int>((pixels - 1) / out.w);
    const int x1 = y > 0 ? out.w : static_cast<int>(pixels);
    const bool input = operand.value == layer.in.value;
    const int64_t read = input ? InputRect(layer, {0, y + 1, 0, x1}).y1 : y + 1;
    const int64_t bytes = read * operand.extent.row_bytes();
    rows.push_back((bytes + value.row_bytes() - 1) / value.row_bytes());
  }
  return rows;
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

std::vector<Piece> GrowingPieces(const Layer& layer, const Operand& operand, const Extent& value,
                                 int64_t pitch, const Extent& out, const Ramp& ramp,
                                 const HardwareConfig& config) {
  const std::vector<int> stripes = StripesOf(int64_t{out.h} * out.w, ramp, config);
  const std::vector<int64_t> needs = RowsRead(layer, operand, value, out, stripes);
  return PiecesUpTo(Ends(value, pitch, Unit(value, pitch, config), needs), value, pitch);
}

std::vector<Piece> ShrinkingPieces(const Layer& layer, const Extent& value, int64_t pitch,
                                   const Extent& out, const Ramp& ramp,
                                   const HardwareConfig& config) {
  // Rows from the last one back that are not made before a stripe.
  std::vector<int64_t> needs;
  int64_t pixels = int64_t{out.h} * out.w;
  const std::vector<int> stripes = StripesOf(pixels, ramp, config);
  if (layer.transposed) pixels = 0;  // no row is whole before the last stripe
  for (auto stripe = stripes.rbegin(); stripe != stripes.rend() && pixels > 0; ++stripe) {
    pixels -= *stripe;
    needs.push_back(value.h - pixels / out.w);
  }
  const int64_t unit = Unit(value, pitch, config);
  std::vector<int64_t> ends = Ends(value, pitch, unit, needs);
  for (int64_t& end : ends) end = (value.h - end) / unit * unit;
  std::reverse(ends.begin(), ends.end());
  ends.push_back(value.h);
  std::vector<Piece> pieces = PiecesUpTo(ends, value, pitch);
  Piece& last = pieces.back();
  if (unit == 1 && last.rows <= kShortBursts) {
    last.moves = last.rows;
    last.bytes = value.row_bytes();
  }
  return pieces;
}

}  // namespace weft::compile
