// SPDX-License-Identifier: Apache-2.0
//
// The array stage as docs/architecture.md and docs/commands.md define it, one byte at a time:
// beats, operands, accumulators. Written from the text, without regard to how the hardware does it.
//
//   ArrayModel model(config);
//   model.StartWindow();                                   // acc_first
//   model.Beat(setup, run, block, scratchpad, weights);    // acc() has changed
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "weft/hw/commands.h"
#include "weft/hw/configs.h"

namespace weft::testing {

class ArrayModel {
 public:
  explicit ArrayModel(const HardwareConfig& config)
      : config_(config), acc_(static_cast<size_t>(config.stripe) * config.n) {}

  /// Accumulators to their start value and the window to its start.
  void Start(int64_t mode) {
    std::fill(acc_.begin(), acc_.end(), mode == 2 ? -128 : 0);
    row_ = offset_ = group_ = 0;
  }

  /// Number of beats of a whole window.
  static int64_t WindowBeats(const HardwareConfig& config, const SetupInputCmd& s) {
    if (s.mode != 0) {
      return ((s.kernel_rows + config.window_rows - 1) / config.window_rows) *
             ((s.kernel_span + config.window_cols - 1) / config.window_cols);
    }
    ArrayModel walk(config);
    int64_t beats = 0;
    for (walk.Start(0); walk.row_ < s.kernel_rows; ++beats) walk.NextDense(s);
    return beats;
  }

  /// One beat of block `block`, K x N weights k-major (ignored in mode 2). `touch` hears of every
  /// scratchpad address that is read.
  void Beat(const SetupInputCmd& s, const RunCmd& run, int64_t block,
            const std::vector<uint8_t>& scratchpad, const uint8_t* weights,
            const std::function<void(int64_t)>& touch) {
    const std::vector<Lane> lanes = s.mode == 0 ? NextDense(s) : NextGroup(s);
    const int n_lanes = config_.n;
    for (int64_t p = 0; p < run.pixels; ++p) {
      const int64_t x = run.tile_x + p;
      const int64_t row = run.in_y + (x / run.tile_width) * s.stride_rows;
      const int64_t col = run.in_x + (x % run.tile_width) * s.step_bytes;
      for (int n = 0; n < n_lanes; ++n) {
        const int64_t channel = block * config_.n + n;
        if (s.mode != 0 && channel >= run.channels) continue;
        // Mode 3: the second half of the channels is the pixel a column further on.
        const int64_t pixel = s.mode == 3 ? n / (n_lanes / 2) : 0;
        const int64_t within = s.mode == 0 ? 0 : channel - pixel * (n_lanes / 2);
        int32_t& acc = acc_[p * config_.n + n];
        for (size_t k = 0; k < lanes.size(); ++k) {
          int32_t value = s.mode == 2 ? -128 : 0;
          if (lanes[k].used) {
            const int64_t r = row + lanes[k].row;
            const int64_t b = col + lanes[k].byte + pixel * s.pixel_bytes;
            const bool exists = r >= 0 && r < s.in_rows && b >= 0 && b < s.in_row_bytes;
            const int64_t address = s.in_addr + r * s.in_pitch + b + within;
            value = exists ? static_cast<int8_t>(scratchpad.at(address))
                           : static_cast<int32_t>(s.pad_value);
            if (exists && touch) touch(address);
          }
          if (s.mode == 2) {
            acc = std::max(acc, value);
          } else {
            acc += value * static_cast<int8_t>(weights[k * config_.n + n]);
          }
        }
      }
    }
  }

  int32_t acc(int64_t pixel, int n) const { return acc_[pixel * config_.n + n]; }

 private:
  struct Lane {
    bool used = false;
    int64_t row = 0;   // of the window
    int64_t byte = 0;  // from the window's column 0
  };

  std::vector<Lane> NextDense(const SetupInputCmd& s) {
    std::vector<Lane> lanes(config_.k);
    const int64_t n0 = std::min<int64_t>(config_.k, s.kernel_span - offset_);
    for (int64_t i = 0; i < n0; ++i) lanes[i] = {true, row_, offset_ + i};
    offset_ += n0;
    if (offset_ == s.kernel_span) {
      ++row_;
      offset_ = 0;
    }
    if (n0 < config_.k && row_ < s.kernel_rows) {
      const int64_t n1 = std::min<int64_t>(config_.k - n0, s.kernel_span);
      for (int64_t i = 0; i < n1; ++i) lanes[n0 + i] = {true, row_, i};
      offset_ = n1;
      if (offset_ == s.kernel_span) {
        ++row_;
        offset_ = 0;
      }
    }
    return lanes;
  }

  std::vector<Lane> NextGroup(const SetupInputCmd& s) {
    std::vector<Lane> lanes(config_.k);
    const int rows = config_.window_rows, cols = config_.window_cols;
    const int64_t across = (s.kernel_span + cols - 1) / cols;
    for (int k = 0; k < rows * cols; ++k) {
      const int64_t row = (group_ / across) * rows + k / cols;
      const int64_t col = (group_ % across) * cols + k % cols;
      if (row < s.kernel_rows && col < s.kernel_span) lanes[k] = {true, row, col * s.pixel_bytes};
    }
    ++group_;
    return lanes;
  }

  const HardwareConfig& config_;
  std::vector<int32_t> acc_;
  int64_t row_ = 0, offset_ = 0, group_ = 0;
};

}  // namespace weft::testing
