// SPDX-License-Identifier: Apache-2.0
//
// Stage array: the feed, which cuts a RUN's windows into beats and gathers operands, and the
// accumulators. Does not read the weight ring (the caller hands weights over), does not
// post-process, and leaves the checks of order to hazards.h: it only says what it reads.
//
//   Result<std::vector<Beat>> beats = array.TakeBeats(run.beats, run.acc_first);
//   array.GatherDense(feed, *beats, scratchpad);                     // mode 0, once a RUN
//   for each block j:
//     if (run.acc_first) array.Clear();
//     array.Dense(stripe.pixels(), weights, shared);                   // or Grouped()
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/functional/scratchpad.h"
#include "sim/functional/stripe.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::functional {

/// SETUP_INPUT's field `mode`.
enum class Mode : uint8_t { kDense = 0, kDepthwise = 1, kMaximum = 2, kPixelPairs = 3 };

/// A piece of one row of the window: `count` bytes (dense) or columns (otherwise) from `first` on.
struct Fragment {
  int row = 0;
  int first = 0;
  int count = 0;
};

/// What one beat takes from the window.
struct Beat {
  std::array<Fragment, 8> fragments;
  int num_fragments = 0;
};

/// Geometry of a RUN's input.
struct Feed {
  SetupInputCmd setup;
  Stripe stripe;
  int64_t in_y = 0;
  int64_t in_x = 0;

  Mode mode() const { return static_cast<Mode>(setup.mode); }

  /// Input row of window row 0, and input byte of window column 0, of a pixel.
  int64_t Row(int64_t pixel) const { return in_y + stripe.Row(pixel) * setup.stride_rows; }
  int64_t Byte(int64_t pixel) const { return in_x + stripe.Column(pixel) * setup.step_bytes; }
  /// Scratchpad address of a byte of an input row.
  int64_t Address(int64_t row, int64_t byte) const {
    return setup.in_addr + row * setup.in_pitch + byte;
  }
};

class Array {
 public:
  explicit Array(const HardwareConfig& config);

  void BeginJob();
  void Setup(const SetupInputCmd& setup) { setup_ = setup; }
  const SetupInputCmd& setup() const { return setup_; }

  /// The next `count` beats of the window, from its start if `first`. An error when it has fewer.
  Result<std::vector<Beat>> TakeBeats(int64_t count, bool first);

  /// Accumulators to zero, or to the lowest int8 in mode 2.
  void Clear();

  /// Mode 0: collects the operands of all beats. What is read was checked to be inside.
  void GatherDense(const Feed& feed, std::span<const Beat> beats, const Scratchpad& scratchpad);
  /// Mode 0: one block from the gathered operands. `weights` holds a K x N block for every beat, or
  /// one for all if `shared`.
  void Dense(int64_t pixels, std::span<const uint8_t> weights, bool shared);

  /// Modes 1, 2 and 3: one block; its channels lie from byte `channel` of a pixel on, and
  /// `channels` of them exist. Mode 2 takes no weights.
  void Grouped(const Feed& feed, std::span<const Beat> beats, int64_t channel, int channels,
               std::span<const uint8_t> weights, bool shared, const Scratchpad& scratchpad);

  /// Accumulators of a pixel: N of them.
  std::span<const int32_t> Row(int64_t pixel) const {
    return std::span(accumulators_).subspan(static_cast<size_t>(pixel * n_), n_);
  }

 private:
  Beat DenseBeat();
  Beat GroupBeat();

  const int k_, n_, window_rows_, window_cols_;
  SetupInputCmd setup_;
  int row_ = 0, offset_ = 0;           ///< mode 0: where the next beat begins in the window
  int group_ = 0;                      ///< other modes: the next group
  std::vector<int8_t> operands_;       ///< [beat][pixel][K]
  std::vector<int16_t> wide_;          ///< the weight block in use, [K][N]
  std::vector<int32_t> accumulators_;  ///< [pixel][N]
};

/// Calls f(address, count) -> Status for the scratchpad bytes that `beats` read, padding left out;
/// otherwise for a block whose channels begin at byte `channel`. Bytes may come up twice.
template <typename F>
Status ForEachRead(const Feed& feed, std::span<const Beat> beats, int64_t channel, int64_t channels,
                   F&& f) {
  const SetupInputCmd& setup = feed.setup;
  // What the beats cover of each row of the window; they move from left to right.
  std::array<Fragment, 256> cover = {};
  for (const Beat& beat : beats) {
    for (int i = 0; i < beat.num_fragments; ++i) {
      const Fragment& piece = beat.fragments[i];
      Fragment& row = cover[piece.row];
      if (row.count == 0) row.first = piece.first;
      row.count = piece.first + piece.count - row.first;
    }
  }
  const bool dense = feed.mode() == Mode::kDense;
  const bool pairs = feed.mode() == Mode::kPixelPairs;
  const Stripe& stripe = feed.stripe;
  for (int64_t begin = 0; begin < stripe.pixels();) {  // pixels of one row of the rectangle
    const int64_t in_row = stripe.tile_width() - stripe.Column(begin);
    const int64_t end = std::min(stripe.pixels(), begin + in_row);
    for (int64_t i = 0; i < setup.kernel_rows; ++i) {
      const int64_t row = feed.Row(begin) + i;
      // The second pixel of a pair has its window a column further on.
      const int64_t width = cover[static_cast<size_t>(i)].count + (pairs ? 1 : 0);
      if (cover[static_cast<size_t>(i)].count == 0 || row < 0 || row >= setup.in_rows) continue;
      const int64_t first = cover[static_cast<size_t>(i)].first;
      if (dense) {
        const bool joined = setup.step_bytes <= width;
        for (int64_t p = begin; p < end; p = joined ? end : p + 1) {
          const int64_t last = joined ? end - 1 : p;
          const int64_t from = std::max<int64_t>(feed.Byte(p) + first, 0);
          const int64_t to = std::min(feed.Byte(last) + first + width, setup.in_row_bytes);
          if (from >= to) continue;
          if (Status ok = f(feed.Address(row, from), to - from); !ok) return ok;
        }
        continue;
      }
      // Neighbouring windows share columns when the step is a whole number of them.
      const bool shared = setup.pixel_bytes > 0 && setup.step_bytes % setup.pixel_bytes == 0 &&
                          setup.step_bytes <= width * setup.pixel_bytes;
      const int64_t step = shared ? setup.step_bytes / setup.pixel_bytes : 0;
      for (int64_t p = begin; p < end; p = shared ? end : p + 1) {
        const int64_t columns = shared ? width + (end - 1 - p) * step : width;
        for (int64_t c = first; c < first + columns; ++c) {
          const int64_t byte = feed.Byte(p) + c * setup.pixel_bytes;
          if (byte < 0 || byte >= setup.in_row_bytes) continue;
          const int64_t count = pairs ? setup.pixel_bytes : channels;
          if (Status ok = f(feed.Address(row, byte + channel), count); !ok) return ok;
        }
      }
    }
    begin = end;
  }
  return {};
}

}  // namespace weft::functional
