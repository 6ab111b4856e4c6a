// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/tile.h"

#include <algorithm>
#include <numeric>

#include "sw/compile/estimate.h"

namespace weft::compile {
namespace {

constexpr int kShortestBeat = 8;  // cycles: a weight block takes as long to load
constexpr int kFirstStripe = 24;  // pixels: small, but most weights of a block come meanwhile
constexpr int kLastStripe = 10;   // pixels: a block's parameters too are loaded meanwhile

template <typename T>
T CeilDiv(T a, T b) {
  return (a + b - 1) / b;
}

// Input rows under `rows` output rows.
int64_t InputRows(const Layer& layer, int rows) {
  return std::min<int64_t>(layer.in.extent.h, int64_t{rows - 1} * layer.stride_h + layer.kernel_h);
}

TilePlan PlanOf(const Layer& layer, const Extent& out, const Spills& spills, int rows, int cols,
                int slots, const HardwareConfig& config) {
  TilePlan plan{.rows = rows,
                .cols = cols,
                .channels = out.c,
                .slots = slots,
                .in = {},
                .residual = {},
                .out = {}};
  const bool narrow = cols < out.w;
  if (spills.in) {
    const Extent& in = layer.in.extent;
    const int64_t in_cols =
        narrow
            ? std::min<int64_t>(in.w, int64_t{cols - 1} * layer.stride_w + layer.window_columns())
            : in.w;
    const int64_t in_rows = CeilDiv<int64_t>(InputRows(layer, rows), RowStep(layer));
    plan.in = BufferOf(in_rows, in_cols * in.c, narrow, config);
  }
  const int64_t row_bytes = int64_t{cols} * out.c;
  if (spills.residual) plan.residual = BufferOf(rows, row_bytes, narrow, config);
  if (spills.out) plan.out = BufferOf(rows, row_bytes, false, config);
  return plan;
}

// Whole rows, but only some channels; the buffers have no gaps.
TilePlan ChannelPlanOf(const Layer& layer, const Extent& out, const Spills& spills, int rows,
                       int channels, int slots) {
  TilePlan plan{.rows = rows,
                .cols = out.w,
                .channels = channels,
                .slots = slots,
                .in = {},
                .residual = {},
                .out = {}};
  if (spills.in) {
    plan.in.pitch = int64_t{layer.in.extent.w} * channels;
    plan.in.bytes = InputRows(layer, rows) * plan.in.pitch;
  }
  if (spills.out) {
    plan.out.pitch = int64_t{out.w} * channels;
    plan.out.bytes = rows * plan.out.pitch;
  }
  return plan;
}

}  // namespace

int64_t SpreadPitch(int64_t row_bytes, const HardwareConfig& config) {
  const int64_t words = CeilDiv<int64_t>(row_bytes, config.word());
  const int64_t beyond = (3 - words) % config.banks;
  return (words + (beyond < 0 ? beyond + config.banks : beyond)) * config.word();
}

TileBuffer BufferOf(int64_t rows, int64_t row_bytes, bool shifted, const HardwareConfig& config) {
  TileBuffer buffer;
  buffer.pitch = SpreadPitch(row_bytes + (shifted ? config.word() - 1 : 0), config);
  buffer.bytes = rows * buffer.pitch;
  return buffer;
}

int RowStep(const Layer& layer) {
  return layer.kernel_h == 1 && layer.pad_top == 0 ? layer.stride_h : 1;
}

Rect InputRect(const Layer& layer, const Rect& out) {
  const auto range = [](int first, int last, int stride, int kernel, int pad, int size) {
    const int begin = std::clamp(first * stride - pad, 0, size - 1);
    const int end = std::clamp((last - 1) * stride - pad + kernel, begin + 1, size);
    return std::pair{begin, end};
  };
  const Extent& in = layer.in.extent;
  const auto [y0, y1] = range(out.y0, out.y1, layer.stride_h, layer.kernel_h, layer.pad_top, in.h);
  const auto [x0, x1] =
      range(out.x0, out.x1, layer.stride_w, layer.window_columns(), layer.pad_left, in.w);
  return {y0, y1, x0, x1};
}

std::optional<TilePlan> ChooseTiles(const Layer& layer, const Extent& out, const Spills& spills,
                                    int64_t available, const HardwareConfig& config) {
  std::optional<TilePlan> best;
  int64_t best_cycles = 0;
  // Takes the plan if it fits and is the best so far; says whether it fits.
  const auto consider = [&](const TilePlan& plan) {
    if (plan.bytes() > available) return false;
    const int64_t cycles = LayerCycles(layer, out, plan, config);
    if (!best || cycles < best_cycles) {
      best = plan;
      best_cycles = cycles;
    }
    return true;
  };
  // Columns of a stored tile must start at a word of memory.
  const int step = spills.out ? config.word() / std::gcd(config.word(), out.c) : 1;
  int last_cols = 0;
  for (int parts = 1; parts <= out.w; ++parts) {
    int cols = CeilDiv(out.w, parts);
    if (parts > 1) cols = std::min(out.w, CeilDiv(cols, step) * step);
    if (cols == last_cols || cols > kLargestTileWidth) continue;
    last_cols = cols;
    bool two_slots_fit = false;
    for (int slots = 2; slots >= 1; --slots) {
      for (int rows = 1; rows <= out.h; ++rows) {
        if (!consider(PlanOf(layer, out, spills, rows, cols, slots, config))) break;
        two_slots_fit = two_slots_fit || slots == 2;
      }
    }
    // Narrower tiles only add halos once two buffers of whole rows fit.
    if (two_slots_fit) break;
  }
  const bool separate = layer.kind == LayerKind::kDepthwise || layer.kind == LayerKind::kMaximum;
  if (best || !separate || layer.has_add || out.c % config.word() != 0 ||
      out.w > kLargestTileWidth) {
    return best;
  }
  for (int channels = out.c - config.word(); channels > 0; channels -= config.word()) {
    for (int slots = 2; slots >= 1; --slots) {
      for (int rows = 1; rows <= out.h; ++rows) {
        if (!consider(ChannelPlanOf(layer, out, spills, rows, channels, slots))) break;
      }
    }
  }
  return best;
}

std::vector<Tile> TilesOf(const Extent& out, const TilePlan& plan) {
  std::vector<Tile> tiles;
  for (int c = 0; c < out.c; c += plan.channels) {
    for (int y = 0; y < out.h; y += plan.rows) {
      for (int x = 0; x < out.w; x += plan.cols) {
        tiles.push_back({{y, std::min(out.h, y + plan.rows), x, std::min(out.w, x + plan.cols)},
                         c,
                         std::min(out.c, c + plan.channels)});
      }
    }
  }
  return tiles;
}

std::vector<int> StripesOf(int64_t pixels, const Ramp& ramp, const HardwareConfig& config) {
  std::vector<int> stripes;
  const auto take = [&](int64_t size) {
    stripes.push_back(static_cast<int>(size));
    pixels -= size;
  };
  const int64_t all = pixels;
  const bool last = ramp.down && pixels >= 4 * kLastStripe;
  if (last) pixels -= kLastStripe;
  if (ramp.up && all > 2 * config.stripe) {
    for (int64_t size = kFirstStripe; size < config.stripe && pixels > 2 * config.stripe;
         size *= 2) {
      take(size);
    }
  } else if (ramp.up && all >= 2 * kFirstStripe) {
    // All of it takes hardly longer than its weights: more pixels for the first of them.
    take(all / 3);
    take(all / 5);
  }
  int64_t count = CeilDiv<int64_t>(pixels, config.stripe);
  if (count == 1 && stripes.empty() && !last && pixels >= 2 * kShortestBeat) count = 2;
  for (int64_t i = 0; i < count; ++i) {
    stripes.push_back(static_cast<int>(pixels * (i + 1) / count - pixels * i / count));
  }
  if (last) stripes.push_back(kLastStripe);
  return stripes;
}

}  // namespace weft::compile
