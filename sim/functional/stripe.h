// SPDX-License-Identifier: Apache-2.0
//
// The pixels of one RUN or ELTWISE: a run of `pixels` in a rectangle that is `tile_width` wide, row
// by row, from column `tile_x` of its first row on.
#pragma once

#include <cstdint>

namespace weft::functional {

struct Stripe {
  int64_t pixels = 0;
  int64_t tile_width = 0;
  int64_t tile_x = 0;

  int64_t Row(int64_t pixel) const { return (tile_x + pixel) / tile_width; }
  int64_t Column(int64_t pixel) const { return (tile_x + pixel) % tile_width; }
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
