// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/array.h"

#include <cassert>
#include <cstring>

#include "sim/functional/arithmetic.h"

namespace weft::functional {
namespace {

constexpr int8_t kLowest = -128;
constexpr int kMaxN = 32;

// acc[p][j] += sum over i of operands[p][i] * weights[i][j]. Called with constant k and n, so that
// the loops have a fixed length and the sums stay in vector registers.
inline __attribute__((always_inline)) void MultiplyBeat(int k, int n, int64_t pixels,
                                                        const int8_t* operands,
                                                        const int16_t* weights, int32_t* acc) {
  for (int64_t p = 0; p < pixels; ++p, operands += k, acc += n) {
    uint32_t sums[kMaxN];  // unsigned: sums wrap around
    for (int j = 0; j < n; ++j) sums[j] = static_cast<uint32_t>(acc[j]);
    for (int i = 0; i < k; ++i) {
      const int16_t x = operands[i];
      for (int j = 0; j < n; ++j) sums[j] += static_cast<uint32_t>(x * weights[i * n + j]);
    }
    for (int j = 0; j < n; ++j) acc[j] = static_cast<int32_t>(sums[j]);
  }
}

void MultiplyBeatOf(int k, int n, int64_t pixels, const int8_t* operands, const int16_t* weights,
                    int32_t* acc) {
  if (k == 16 && n == 16) {
    MultiplyBeat(16, 16, pixels, operands, weights, acc);
  } else if (k == 32 && n == 32) {
    MultiplyBeat(32, 32, pixels, operands, weights, acc);
  } else {
    MultiplyBeat(k, n, pixels, operands, weights, acc);
  }
}

// acc[j] += values[j] * weights[j], for one tap of a depthwise window. `n` constant as above.
inline __attribute__((always_inline)) void MultiplyTap(int n, const int8_t* values,
                                                       const uint8_t* weights, int32_t* acc) {
  int32_t products[kMaxN];  // first all reads, then all writes: nothing can overlap
  for (int j = 0; j < n; ++j) products[j] = values[j] * static_cast<int8_t>(weights[j]);
  for (int j = 0; j < n; ++j) acc[j] = WrapAdd(acc[j], products[j]);
}

void MultiplyTapOf(int n, const int8_t* values, const uint8_t* weights, int32_t* acc) {
  if (n == 16) {
    MultiplyTap(16, values, weights, acc);
  } else if (n == 32) {
    MultiplyTap(32, values, weights, acc);
  } else {
    MultiplyTap(n, values, weights, acc);
  }
}

// acc[j] = max(acc[j], values[j]).
inline __attribute__((always_inline)) void MaximumTap(int n, const int8_t* values, int32_t* acc) {
  int32_t wide[kMaxN];
  for (int j = 0; j < n; ++j) wide[j] = values[j];
  for (int j = 0; j < n; ++j) acc[j] = std::max(acc[j], wide[j]);
}

void MaximumTapOf(int n, const int8_t* values, int32_t* acc) {
  if (n == 16) {
    MaximumTap(16, values, acc);
  } else if (n == 32) {
    MaximumTap(32, values, acc);
  } else {
    MaximumTap(n, values, acc);
  }
}

}  // namespace

Array::Array(const HardwareConfig& config)
    : k_(config.k),
      n_(config.n),
      window_rows_(config.window_rows),
      window_cols_(config.window_cols),
      wide_(static_cast<size_t>(config.k) * config.n),
      accumulators_(static_cast<size_t>(config.stripe) * config.n) {
  assert(config.n <= kMaxN);
  assert(config.window_rows <= static_cast<int>(Beat{}.fragments.size()));
}

void Array::BeginJob() { setup_ = {}; }

Beat Array::DenseBeat() {
  const int span = static_cast<int>(setup_.kernel_span);
  Beat beat;
  int room = k_;
  // At most two fragments: the rest of this row, and the head of the next.
  while (room > 0 && beat.num_fragments < 2 && row_ < setup_.kernel_rows) {
    const int count = std::min(room, span - offset_);
    beat.fragments[beat.num_fragments++] = {row_, offset_, count};
    room -= count;
    offset_ += count;
    if (offset_ == span) {
      ++row_;
      offset_ = 0;
    }
  }
  return beat;
}

Beat Array::GroupBeat() {
  const int rows = static_cast<int>(setup_.kernel_rows);
  const int columns = static_cast<int>(setup_.kernel_span);
  const int across = (columns + window_cols_ - 1) / window_cols_;
  const int first_row = group_ / across * window_rows_;
  const int first_column = group_ % across * window_cols_;
  Beat beat;
  for (int row = first_row; row < std::min(first_row + window_rows_, rows); ++row) {
    beat.fragments[beat.num_fragments++] = {row, first_column,
                                            std::min(window_cols_, columns - first_column)};
  }
  ++group_;
  return beat;
}

Result<std::vector<Beat>> Array::TakeBeats(int64_t count, bool first) {
  if (first) row_ = offset_ = group_ = 0;
  const bool dense = static_cast<Mode>(setup_.mode) == Mode::kDense;
  std::vector<Beat> beats;
  beats.reserve(static_cast<size_t>(count));
  for (int64_t b = 0; b < count; ++b) {
    beats.push_back(dense ? DenseBeat() : GroupBeat());
    if (beats.back().num_fragments == 0) {
      return Fail("has {} beats, and the window ends after {}", count, b);
    }
  }
  return beats;
}

void Array::Clear() {
  const bool maximum = static_cast<Mode>(setup_.mode) == Mode::kMaximum;
  std::fill(accumulators_.begin(), accumulators_.end(), maximum ? kLowest : 0);
}

void Array::GatherDense(const Feed& feed, std::span<const Beat> beats,
                        const Scratchpad& scratchpad) {
  const SetupInputCmd& setup = feed.setup;
  operands_.assign(beats.size() * static_cast<size_t>(feed.stripe.pixels() * k_), 0);
  int8_t* operand = operands_.data();
  for (const Beat& beat : beats) {
    for (int64_t p = 0; p < feed.stripe.pixels(); ++p, operand += k_) {
      int8_t* lane = operand;
      for (int i = 0; i < beat.num_fragments; ++i) {
        const Fragment& piece = beat.fragments[i];
        const int64_t row = feed.Row(p) + piece.row;
        const int64_t byte = feed.Byte(p) + piece.first;
        const bool row_exists = row >= 0 && row < setup.in_rows;
        if (row_exists && byte >= 0 && byte + piece.count <= setup.in_row_bytes) {
          std::memcpy(lane, scratchpad.At(feed.Address(row, byte)),
                      static_cast<size_t>(piece.count));
        } else {
          for (int x = 0; x < piece.count; ++x) {
            const bool exists = row_exists && byte + x >= 0 && byte + x < setup.in_row_bytes;
            lane[x] = exists ? *scratchpad.At(feed.Address(row, byte + x))
                             : static_cast<int8_t>(setup.pad_value);
          }
        }
        lane += piece.count;
      }
    }
  }
}

void Array::Dense(int64_t pixels, std::span<const uint8_t> weights, bool shared) {
  const size_t block = static_cast<size_t>(k_) * n_;
  const size_t stripe = static_cast<size_t>(pixels) * k_;
  const size_t beats = operands_.size() / stripe;
  for (size_t b = 0; b < beats; ++b) {
    if (b == 0 || !shared) {
      const uint8_t* from = weights.data() + (shared ? 0 : b * block);
      for (size_t i = 0; i < block; ++i) wide_[i] = static_cast<int8_t>(from[i]);
    }
    MultiplyBeatOf(k_, n_, pixels, operands_.data() + b * stripe, wide_.data(),
                   accumulators_.data());
  }
}

void Array::Grouped(const Feed& feed, std::span<const Beat> beats, int64_t channel, int channels,
                    std::span<const uint8_t> weights, bool shared, const Scratchpad& scratchpad) {
  const SetupInputCmd& setup = feed.setup;
  const bool maximum = feed.mode() == Mode::kMaximum;
  // Pairs: the second half of the channels is the pixel a column further on.
  const int parts = feed.mode() == Mode::kPixelPairs ? 2 : 1;
  const int lanes = channels / parts;
  std::array<int8_t, kMaxN> padding;
  padding.fill(static_cast<int8_t>(setup.pad_value));
  for (size_t b = 0; b < beats.size(); ++b) {
    const uint8_t* block = weights.data() + (shared ? 0 : b * static_cast<size_t>(k_) * n_);
    for (int64_t p = 0; p < feed.stripe.pixels(); ++p) {
      int32_t* acc = accumulators_.data() + p * n_;
      for (int i = 0; i < beats[b].num_fragments; ++i) {
        const Fragment& piece = beats[b].fragments[i];
        const int64_t row = feed.Row(p) + piece.row;
        const bool row_exists = row >= 0 && row < setup.in_rows;
        for (int c = 0; c < piece.count; ++c) {
          for (int part = 0; part < parts; ++part) {
            const int64_t byte = feed.Byte(p) + (piece.first + c + part) * setup.pixel_bytes;
            const bool exists = row_exists && byte >= 0 && byte < setup.in_row_bytes;
            const int8_t* values =
                exists ? scratchpad.At(feed.Address(row, byte + channel)) : padding.data();
            if (maximum) {
              MaximumTapOf(lanes, values, acc);
            } else {
              const int first = part * lanes;
              MultiplyTapOf(lanes, values, block + (i * window_cols_ + c) * n_ + first,
                            acc + first);
            }
          }
        }
      }
    }
  }
}

}  // namespace weft::functional
