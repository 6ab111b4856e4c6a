// SPDX-License-Identifier: Apache-2.0
//
// The pixels of one RUN or ELTWISE: a run of them in a rectangle of the output, row by row.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>

namespace weft::functional {

class Stripe {
 public:
  /// `pixels` pixels of a rectangle `tile_width` wide, from column `tile_x` of its first row on.
  Stripe(int64_t pixels, int64_t tile_width, int64_t tile_x)
      : pixels_(pixels), tile_width_(tile_width) {
    assert(pixels <= kMaxPixels && tile_x < tile_width);
    int row = 0, column = static_cast<int>(tile_x);
    for (int64_t p = 0; p < pixels; ++p) {
      row_[p] = row;
      column_[p] = column;
      if (++column == tile_width) {
        column = 0;
        ++row;
      }
    }
  }

  int64_t pixels() const { return pixels_; }
  int64_t tile_width() const { return tile_width_; }

  /// Row, counted from that of the first pixel, and column of a pixel in the rectangle.
  int64_t Row(int64_t pixel) const { return row_[pixel]; }
  int64_t Column(int64_t pixel) const { return column_[pixel]; }

 private:
  static constexpr int64_t kMaxPixels = 255;
  int64_t pixels_;
  int64_t tile_width_;
  std::array<int32_t, kMaxPixels> row_, column_;
};

/// Where a tensor's bytes of a stripe lie: pixels `pixel` apart, rows `pitch` apart.
struct Place {
  int64_t address = 0;
  int64_t pitch = 0;
  int64_t pixel = 0;

  int64_t At(const Stripe& stripe, int64_t p) const {
    return address + stripe.Row(p) * pitch + stripe.Column(p) * pixel;
  }
};

}  // namespace weft::functional
