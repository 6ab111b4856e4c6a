// SPDX-License-Identifier: Apache-2.0
//
// Cutting a layer into tiles (rectangles of output pixels whose operands fit the scratchpad
// together) and stripes (runs of pixels that fit an accumulator buffer).
//
// An operand that stays in the scratchpad as a whole costs a tile nothing. One that lives in memory
// needs a buffer for the tile's share of it, with halo; two buffers, where they fit, let the next
// tile arrive and the last one leave while the array works on the present one.
//
// Tiles are whole rows of all channels if at least one row fits, else narrower ones. Where not even
// one pixel's window fits and channels do not mix (pooling, depthwise), tiles take some channels of
// whole rows; their buffers hold those channels only, pixel after pixel.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "sw/compile/layer.h"
#include "weft/hw/configs.h"

namespace weft::compile {

inline constexpr int kLargestTileWidth = 4095;  ///< RUN.tile_width

/// Which operands of a layer live in memory and pass through tile buffers.
struct Spills {
  bool in = false, residual = false, out = false;
  bool any() const { return in || residual || out; }
  auto operator<=>(const Spills&) const = default;
};

/// A buffer for one operand's part of a tile; bytes 0: the operand needs none.
struct TileBuffer {
  int64_t pitch = 0;
  int64_t bytes = 0;
};

/// Small stripes at the ends of a layer's work: first ones where its input comes from memory as a
/// whole, a last one where its result goes there as a whole.
struct Ramp {
  bool up = false, down = false;
};

struct TilePlan {
  int rows = 0, cols = 0;  ///< of output pixels; the last tiles may be smaller
  int channels = 0;        ///< of a tile; fewer than all only where channels do not mix
  int slots = 1;           ///< copies of each buffer
  TileBuffer in, residual, out;
  int64_t bytes() const { return slots * (in.bytes + residual.bytes + out.bytes); }
};

/// Half-open rectangle of pixels.
struct Rect {
  int y0 = 0, y1 = 0, x0 = 0, x1 = 0;
  int height() const { return y1 - y0; }
  int width() const { return x1 - x0; }
  int64_t pixels() const { return int64_t{height()} * width(); }
};

/// A rectangle of output pixels and a range of channels.
struct Tile {
  Rect rect;
  int c0 = 0, c1 = 0;
};

/// Bytes between the rows of a tensor in the scratchpad: whole words, three more than a multiple of
/// the banks, so that up to as many rows of a window as there are banks lie in different banks,
/// together with the next word of each when two are read of it (rows 0, 3, 6, 1, 4, ... modulo 8).
int64_t SpreadPitch(int64_t row_bytes, const HardwareConfig& config);

/// A buffer of `rows` rows of `row_bytes`, which start anywhere in a word when `shifted`.
TileBuffer BufferOf(int64_t rows, int64_t row_bytes, bool shifted, const HardwareConfig& config);

/// Input rows from one that a tile needs to the next: rows that a 1x1 window with a stride skips
/// are not loaded into tile buffers.
int RowStep(const Layer& layer);

/// The input pixels a rectangle of output pixels reads, inside the image and never empty.
Rect InputRect(const Layer& layer, const Rect& out);

/// The plan of least estimated time whose buffers take at most `available` bytes; none if not even
/// the smallest tile fits. `out` is the extent of the layer's output.
std::optional<TilePlan> ChooseTiles(const Layer& layer, const Extent& out, const Spills& spills,
                                    int64_t available, const HardwareConfig& config);

/// The tiles in the order they are computed: range of channels by range, row by row.
std::vector<Tile> TilesOf(const Extent& out, const TilePlan& plan);

/// Sizes of the stripes of `pixels` pixels: as equal as possible, at least two when each still
/// keeps the array busy (a dependent layer can then start on the first), but for small ones at the
/// ends that `ramp` names.
std::vector<int> StripesOf(int64_t pixels, const Ramp& ramp, const HardwareConfig& config);

}  // namespace weft::compile
