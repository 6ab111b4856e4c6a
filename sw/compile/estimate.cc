// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/estimate.h"

#include <algorithm>

#include "sw/compile/weights.h"

namespace weft::compile {
namespace {

constexpr int kBlockOverhead = 1;    // cycles of post-processing from a block to the next,
constexpr int kStripeOverhead = 1;   // and more from a RUN to the next
constexpr int kPassOverhead = 18;    // and until a pass may read what the one before wrote
constexpr int kSoftmaxStart = 15;    // cycles
constexpr int kSoftmaxElement = 21;  // cycles of two elements
constexpr int kColumnRows = 2;       // rows of a window column the feed reads in a cycle...
constexpr int kAlignedRows = 4;      // ... and where pixels begin at words

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t Stripes(int64_t pixels, const HardwareConfig& config) {
  return static_cast<int64_t>(StripesOf(pixels, {}, config).size());
}

// Cycles in which the feed reads the window columns of one block of all pixels of the part: those
// under the windows of a row, once each; a stripe that ends inside a row reads some again. Pairs of
// pixels are columns of their own.
int64_t ColumnCycles(const Layer& layer, const Extent& part, int64_t stripes,
                     const HardwareConfig& config) {
  const int pixels = layer.pixel_pairs() ? layer.wide : 1;  // of a column
  const int stride = layer.stride_w / pixels;
  const int width = layer.in.extent.w / pixels;
  const int channels = layer.in.extent.c * pixels;
  const bool aligned = channels % config.word() == 0 || config.word() % channels == 0;
  const int64_t rows_at_once = aligned ? kAlignedRows : kColumnRows;
  const bool cut = int64_t{part.h} * part.w % (stripes * part.w) != 0;
  const int64_t cuts = cut ? stripes - 1 : 0;
  int64_t cycles = 0;
  for (int row = 0; row < layer.kernel_h; row += config.window_rows) {
    const int64_t reads = CeilDiv(std::min(config.window_rows, layer.kernel_h - row), rows_at_once);
    for (int col = 0; col < layer.kernel_w; col += config.window_cols) {
      const int cols = std::min(config.window_cols, layer.kernel_w - col);
      const int64_t overlap = std::max(0, cols - stride);
      const int64_t of_row =
          std::min<int64_t>(width, int64_t{part.w} * std::min(cols, stride) + overlap);
      cycles += reads * (part.h * of_row + cuts * overlap);
    }
  }
  return cycles;
}

// Of the cycles in which a STORE reads the scratchpad, the share in which the feed waits: STORE
// goes first, both walk through the banks, and where their steps fit badly they meet again and
// again. The feed reads K bytes a pixel, or words in as many rows as a window has, each three banks
// on.
double MeetsStore(const Layer& layer, const HardwareConfig& config) {
  constexpr int kCycles = 96;
  const bool dense = layer.kind == LayerKind::kDense;
  const int word = config.word();
  const int rows = dense ? 1 : std::min(config.window_rows, layer.kernel_h);
  const int64_t step =
      int64_t{layer.in.extent.c} * (dense || layer.pixel_pairs() ? layer.stride_w : 1);
  int64_t at = 0;  // byte that the feed is at; the store is at word `cycle`
  int waits = 0;
  for (int cycle = 0; cycle < kCycles; ++cycle) {
    bool meets = false;
    for (int row = 0; row < rows; ++row) {
      const int64_t low = at / word + 3 * row;
      const int64_t high = dense ? (at + config.k - 1) / word : low;
      for (int64_t w = low; w <= high; ++w) meets = meets || (w - cycle) % config.banks == 0;
    }
    if (meets) {
      ++waits;
    } else {
      at += step;
    }
  }
  return static_cast<double>(waits) / kCycles;
}

}  // namespace

Work WorkOf(const Layer& layer, const Extent& part, const HardwareConfig& config) {
  const int64_t pixels = int64_t{part.h} * part.w;
  if (layer.kind == LayerKind::kSoftmax) {
    return {.array = 0, .post = pixels * (kSoftmaxStart + int64_t{part.c} * kSoftmaxElement / 2)};
  }
  const int64_t blocks = CeilDiv(part.c, config.n);
  const int64_t stripes = Stripes(pixels, config);
  const int64_t passes = !layer.has_add ? 1 : layer.IsRun() ? 4 : 3;
  Work work;
  work.post = blocks * (pixels * passes * (config.n / config.post_lanes) +
                        stripes * (kBlockOverhead + (passes - 1) * kPassOverhead)) +
              stripes * kStripeOverhead;
  if (!layer.IsRun()) return work;
  const WeightShape weights = ShapeOfWeights(layer, part.c, config);
  const int64_t shortest = weights.beat_words > 0 ? config.block_words() * stripes : 0;
  int64_t block = weights.beats * std::max(pixels, shortest);
  if (layer.kind != LayerKind::kDense) {
    block = std::max(block, ColumnCycles(layer, part, stripes, config));
  }
  work.array = blocks * block;
  return work;
}

TileCost CostOfTile(const Layer& layer, const Extent& out, const TilePlan& plan, const Tile& tile,
                    const HardwareConfig& config) {
  const Rect& rect = tile.rect;
  const bool some_channels = plan.channels < out.c;
  const int channels = tile.c1 - tile.c0;
  // The pixels x0..x1-1 of rows of `width`, from the word in memory they begin in; or some channels
  // of each pixel.
  const auto beats = [&](int64_t rows, int64_t x0, int64_t x1, int64_t width, int64_t pixel) {
    if (some_channels) return rows * width * CeilDiv(channels, config.axi_bytes);
    const int64_t begin = x0 * pixel / config.word() * config.word();
    return rows * CeilDiv(x1 * pixel - begin, config.axi_bytes);
  };
  TileCost cost;
  if (plan.in.bytes > 0) {
    const Rect in = InputRect(layer, rect);
    const int64_t rows = some_channels ? in.height() : CeilDiv(in.height(), RowStep(layer));
    cost.load += beats(rows, in.x0, in.x1, layer.in.extent.w, layer.in.extent.c);
  }
  if (plan.residual.bytes > 0) cost.load += beats(rect.height(), rect.x0, rect.x1, out.w, out.c);
  if (plan.out.bytes > 0) cost.store = beats(rect.height(), rect.x0, rect.x1, out.w, out.c);
  Work work = WorkOf(layer, {rect.height(), rect.width(), channels}, config);
  if (cost.store > 0 && layer.IsRun()) {
    work.array += static_cast<int64_t>(MeetsStore(layer, config) * static_cast<double>(cost.store));
  }
  cost.work = work.cycles();
  return cost;
}

int64_t WeightBeats(int64_t words, const HardwareConfig& config) {
  return words * config.weight_word / config.axi_bytes;
}

int64_t LayerCycles(const Layer& layer, const Extent& out, const TilePlan& plan,
                    const HardwareConfig& config) {
  const int64_t tiles =
      CeilDiv(out.h, plan.rows) * CeilDiv(out.w, plan.cols) * CeilDiv(out.c, plan.channels);
  // The second tile has the halo of all that are inside.
  const int row = plan.rows < out.h ? std::min(plan.rows, out.h - plan.rows) : 0;
  const int col = plan.cols < out.w ? std::min(plan.cols, out.w - plan.cols) : 0;
  const Tile inner = {{row, row + plan.rows, col, col + plan.cols}, 0, plan.channels};
  const TileCost cost = CostOfTile(layer, out, plan, inner, config);
  const WeightShape shape = ShapeOfWeights(layer, out.c, config);
  const int64_t weights = WeightBeats(shape.words(), config);
  // Weights that do not stay in the ring pass again for every tile.
  const bool again = !StayInRing(shape.words(), config) && tiles > 1;
  const int64_t load = cost.load + (again ? weights : 0);
  const int64_t tile =
      plan.slots > 1 ? std::max({load, cost.store, cost.work}) : load + cost.store + cost.work;
  const int64_t all = tiles * tile + load + cost.store;
  return tiles * kTileOverhead + (again ? all : std::max(all, weights));
}

}  // namespace weft::compile
