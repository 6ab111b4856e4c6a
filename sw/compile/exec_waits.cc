// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/exec_waits.h"

#include <algorithm>

namespace weft::compile {
namespace {

constexpr int64_t kLargestBlockStep = 255;  // RUN.wait_step_block
constexpr int64_t kLargestBeatStep = 15;    // RUN.wait_step_beat

// Whether the results of a row's pixels follow each other without gaps.
bool PixelsTouch(const Layer& layer) { return !layer.transposed; }

}  // namespace

// Calls f(input row, x0, x1) for the input columns a stripe reads, each row once.
template <typename F>
void ExecWaits::ForEachInputRow(const Patch& patch, const RunPart& part, F f) {
  input_rows_.clear();
  int64_t base = -1;
  patch.ForEachSegment(part.first_pixel, part.pixels, [&](int64_t row, int64_t x0, int64_t x1) {
    const Rect in = InputRect(patch.layer(), {static_cast<int>(row), static_cast<int>(row + 1),
                                              static_cast<int>(x0), static_cast<int>(x1)});
    if (base < 0) base = in.y0;
    for (int y = in.y0; y < in.y1; ++y) {
      const auto slot = static_cast<size_t>(y - base);
      if (input_rows_.size() <= slot) input_rows_.resize(slot + 1, {INT32_MAX, 0});
      input_rows_[slot].first = std::min(input_rows_[slot].first, in.x0);
      input_rows_[slot].second = std::max(input_rows_[slot].second, in.x1);
    }
  });
  for (size_t i = 0; i < input_rows_.size(); ++i) {
    const auto [x0, x1] = input_rows_[i];
    if (x0 < x1) f(base + static_cast<int64_t>(i), x0, x1);
  }
}

// For each of `needs` chunks of `chunk` channels from `channel` on: the newest block written to the
// chunk's bytes in the pixels of a row.
void ExecWaits::RaiseByChunk(const Surface& surface, int64_t row, int64_t x0, int64_t x1,
                             int channels, int64_t channel, int chunk,
                             std::vector<uint32_t>& needs) const {
  for (int64_t x = x0; x < x1; ++x) {
    for (size_t i = 0; i < needs.size(); ++i) {
      const int64_t from = channel + static_cast<int64_t>(i) * chunk;
      const int64_t bytes = std::min<int64_t>(chunk, channels - from);
      const Counts need = e_.tracker.ForRead(surface.At(row, x, from), bytes);
      needs[i] = std::max(needs[i], need.exec);
    }
  }
}

ExecWaits::Needs ExecWaits::NeedsOf(const Patch& patch, const RunPart& part) {
  Needs needs;
  const Layer& layer = patch.layer();
  const Surface& in = patch.in;
  const Surface& residual = patch.residual;
  const int in_channels = layer.in.extent.c, out_channels = patch.work().out.c;
  Counts operand;
  ForEachInputRow(patch, part, [&](int64_t row, int64_t x0, int64_t x1) {
    operand.Raise(e_.tracker.ForRead(in.At(row, x0), in.Bytes(x0, x1)));
  });
  const int64_t channel = int64_t{part.first_block} * e_.config.n;
  std::vector<uint32_t> by_block(static_cast<size_t>(part.blocks), 0);
  if (operand.exec > knows_.exec) {
    const bool pointwise =
        layer.kind == LayerKind::kDense && layer.kernel_h == 1 && layer.kernel_w == 1;
    if (layer.kind == LayerKind::kDense && !pointwise) {
      needs.by_beat.first = operand.exec;
    } else if (pointwise) {
      std::vector<uint32_t> by_beat(static_cast<size_t>(part.beats), 0);
      ForEachInputRow(patch, part, [&](int64_t row, int64_t x0, int64_t x1) {
        RaiseByChunk(in, row, x0, x1, in_channels, int64_t{part.first_beat} * e_.config.k,
                     e_.config.k, by_beat);
      });
      needs.by_beat = FitWaits(by_beat, kLargestBeatStep, e_.blocks);
    } else {
      ForEachInputRow(patch, part, [&](int64_t row, int64_t x0, int64_t x1) {
        RaiseByChunk(in, row, x0, x1, in_channels, channel, e_.config.n, by_block);
      });
    }
  }
  needs.flat.Raise({.load = operand.load});
  if (layer.has_add) {
    Counts added;
    patch.ForEachSegment(part.first_pixel, part.pixels, [&](int64_t row, int64_t x0, int64_t x1) {
      added.Raise(e_.tracker.ForRead(residual.At(row, x0), residual.Bytes(x0, x1)));
    });
    needs.flat.Raise({.load = added.load});
    if (added.exec > knows_.exec) {
      patch.ForEachSegment(part.first_pixel, part.pixels, [&](int64_t row, int64_t x0, int64_t x1) {
        RaiseByChunk(residual, row, x0, x1, out_channels, channel, e_.config.n, by_block);
      });
    }
  }
  needs.by_block = FitWaits(by_block, kLargestBlockStep, e_.blocks);
  const Surface& result = patch.result;
  patch.ForEachSegment(part.first_pixel, part.pixels, [&](int64_t row, int64_t x0, int64_t x1) {
    if (PixelsTouch(layer)) {
      needs.flat.Raise(e_.tracker.ForExecWrite(result.At(row, x0), result.Bytes(x0, x1)));
      return;
    }
    for (int64_t x = x0; x < x1; ++x) {
      needs.flat.Raise(e_.tracker.ForExecWrite(result.At(row, x), out_channels));
    }
  });
  return needs;
}

void ExecWaits::Use(const Patch& patch, const RunPart& part) {
  const Layer& layer = patch.layer();
  const Surface& result = patch.result;
  const int out_channels = patch.work().out.c, n = e_.config.n;
  const uint32_t over = e_.blocks + static_cast<uint32_t>(part.blocks);
  ForEachInputRow(patch, part, [&](int64_t row, int64_t x0, int64_t x1) {
    e_.tracker.ExecReads(patch.in.At(row, x0), patch.in.Bytes(x0, x1), over);
  });
  if (!part.acc_last) return;
  patch.ForEachSegment(part.first_pixel, part.pixels, [&](int64_t row, int64_t x0, int64_t x1) {
    if (layer.has_add) {
      e_.tracker.ExecReads(patch.residual.At(row, x0), patch.residual.Bytes(x0, x1), over);
    }
    if (out_channels <= n && PixelsTouch(layer)) {
      e_.tracker.ExecWrites(result.At(row, x0), result.Bytes(x0, x1), over);
      return;
    }
    for (int64_t x = x0; x < x1; ++x) {
      for (int j = 0; j < part.blocks; ++j) {
        const int64_t channel = int64_t{part.first_block + j} * n;
        const int64_t bytes = std::min<int64_t>(n, out_channels - channel);
        e_.tracker.ExecWrites(result.At(row, x, channel), bytes,
                              e_.blocks + static_cast<uint32_t>(j) + 1);
      }
    }
  });
}

}  // namespace weft::compile
