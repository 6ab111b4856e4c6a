// SPDX-License-Identifier: Apache-2.0
//
// Whole layers on the functional device, as hand-made streams, against loops over NHWC tensors that
// are written here from the definition of the operators.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "tb/lib/configs.h"
#include "tb/lib/seed.h"
#include "tb/unit/functional/exact.h"
#include "tb/unit/functional/job.h"

namespace weft::testing {
namespace {

constexpr int kDense = 0, kDepthwise = 1, kMaximum = 2;

int Clamp(int value, int low, int high) { return std::clamp(value, low, high); }

// A random layer of one of the array's modes, its stream, and its expected output.
class Layer {
 public:
  Layer(const HardwareConfig& config, Rng& rng, int mode)
      : config_(config), rng_(rng), mode_(mode) {
    h_ = Int(1, 9), w_ = Int(1, 12), c_ = Int(1, mode == kDense ? 24 : 2 * config.n + 3);
    kh_ = Int(1, 5), kw_ = Int(1, 5), stride_h_ = Int(1, 3), stride_w_ = Int(1, 3);
    top_ = Int(0, kh_ - 1), left_ = Int(0, kw_ - 1);
    oh_ = std::max(1, (h_ + top_ + Int(0, kh_ - 1) - kh_) / stride_h_ + 1);
    ow_ = std::max(1, (w_ + left_ + Int(0, kw_ - 1) - kw_) / stride_w_ + 1);
    oc_ = mode == kDense ? Int(1, 2 * config.n + 5) : c_;
    pad_ = mode == kMaximum ? -128 : Int(-128, 127);
    shared_ = mode == kDepthwise && rng.Chance(0.2);
    partial_ = !shared_ && rng.Chance(0.4);
    rounding_ = Int(0, 2);
    has_params_ = !shared_ && rng.Chance(0.8);
    per_tensor_ = !has_params_ || rng.Chance(0.3);
    add_ = rng.Chance(0.3);
    zero_point_ = Int(-128, 127);
    low_ = Int(-128, 0), high_ = Int(low_, 127);
    input_ = rng.Vector<int8_t>(static_cast<size_t>(h_ * w_ * c_));
    weights_ =
        rng.Vector<int8_t>(static_cast<size_t>(kh_ * kw_ * (mode == kDense ? c_ * oc_ : oc_)));
    if (shared_) std::fill(weights_.begin(), weights_.end(), int8_t{1});
    residual_ = rng.Vector<int8_t>(static_cast<size_t>(oh_ * ow_ * oc_));
    for (int o = 0; o < oc_; ++o) {
      bias_.push_back(has_params_ ? Int(-20000, 20000) : 0);
      multiplier_.push_back(per_tensor_ && o > 0 ? multiplier_[0] : Int(1 << 30, INT32_MAX));
      shift_.push_back(per_tensor_ && o > 0 ? shift_[0] : Int(-12, 1));
    }
    sum_ = {.a_pitch = 0,
            .b_pitch = ow_ * oc_ + Int(0, 3),
            .left_shift = 20,
            .a_zero_point = Int(-128, 127),
            .a_multiplier = Int(1 << 30, INT32_MAX),
            .a_shift = Int(-3, 0),
            .b_zero_point = Int(-128, 127),
            .b_multiplier = Int(1 << 30, INT32_MAX),
            .b_shift = Int(-3, 0),
            .sum_multiplier = Int(1 << 30, INT32_MAX),
            .sum_shift = Int(-20, -17),
            .sum_zero_point = Int(-128, 127),
            .sum_clamp_low = Int(-128, -100),
            .sum_clamp_high = Int(100, 127)};
  }

  std::vector<int8_t> Expected() const {
    std::vector<int8_t> out;
    for (int y = 0; y < oh_; ++y) {
      for (int x = 0; x < ow_; ++x) {
        for (int o = 0; o < oc_; ++o) {
          const int index = (y * ow_ + x) * oc_ + o;
          int q =
              ExactRequantise(Accumulate(y, x, o) + bias_[o], multiplier_[o], shift_[o], rounding_);
          q = Clamp(q + zero_point_, low_, high_);
          if (add_) q = Sum(q, residual_[index]);
          out.push_back(static_cast<int8_t>(q));
        }
      }
    }
    return out;
  }

  std::vector<int8_t> Execute() {
    Job job(config_);
    // Input rows with gaps, from an odd byte on; the residual and the output behind.
    const int in_pitch = w_ * c_ + Int(0, 5), in_addr = Int(0, 3);
    const int out_pitch = ow_ * oc_ + Int(0, 5);
    const int b_addr = (in_addr + h_ * in_pitch + 127) / 128 * 128;
    const int out_addr =
        (b_addr + oh_ * static_cast<int>(sum_.b_pitch) + 127) / 128 * 128 + Int(0, 3);
    job.LoadBytes(Rows(input_, h_, w_ * c_, in_pitch, in_addr), 0);
    if (add_)
      job.LoadBytes(Rows(residual_, oh_, ow_ * oc_, static_cast<int>(sum_.b_pitch), 0), b_addr);
    Pack();
    const int64_t position = ring_.empty() ? 0 : job.LoadWeights(ring_);

    job.Add(SetupInputCmd{.mode = mode_,
                          .in_addr = in_addr,
                          .in_pitch = in_pitch,
                          .in_rows = h_,
                          .in_row_bytes = w_ * c_,
                          .pixel_bytes = c_,
                          .step_bytes = stride_w_ * c_,
                          .stride_rows = stride_h_,
                          .kernel_rows = kh_,
                          .kernel_span = mode_ == kDense ? kw_ * c_ : kw_,
                          .pad_value = pad_});
    job.Add(SetupOutputCmd{.out_pitch = out_pitch,
                           .out_pixel = oc_,
                           .rounding = rounding_,
                           .per_tensor = per_tensor_,
                           .has_params = has_params_,
                           .add = add_,
                           .multiplier = multiplier_[0],
                           .shift = shift_[0],
                           .zero_point = zero_point_,
                           .clamp_low = low_,
                           .clamp_high = high_});
    if (add_) job.Add(sum_);
    const int pixels = oh_ * ow_;
    for (int done = 0; done < pixels;) {
      const int count = std::min(pixels - done, Int(1, config_.stripe));
      const int y = done / ow_, x = done % ow_;
      RunCmd run{.acc_first = 1,
                 .acc_last = 1,
                 .weights_shared = shared_,
                 .wait_mask = 1,
                 .wait_load = job.loads(),
                 .weights_pos = position,
                 .pixels = count,
                 .tile_width = ow_,
                 .tile_x = x,
                 .in_y = y * stride_h_ - top_,
                 .in_x = -left_ * c_,
                 .out_addr = out_addr + y * out_pitch,
                 .b_addr = b_addr + y * sum_.b_pitch,
                 .channels = oc_,
                 .beats = beats_};
      done += count;
      const bool last = done == pixels;
      if (!partial_ || mode_ != kDense) {
        run.weights_release = last;
        job.Add(run);
        continue;
      }
      // A chain of RUNs for each block of channels.
      for (int j = 0; j * config_.n < oc_; ++j) {
        int64_t at = position + j * BlockWords();
        for (int b = 0; b < beats_;) {
          RunCmd part = run;
          part.beats = Int(1, beats_ - b);
          part.acc_first = b == 0;
          b += static_cast<int>(part.beats);
          part.acc_last = b == beats_;
          part.weights_pos = at % 65536;
          part.channels = std::min(config_.n, oc_ - j * config_.n);
          part.out_addr += j * config_.n;
          part.b_addr += j * config_.n;
          part.weights_stream = last;
          at += part.beats * config_.block_words();
          job.Add(part);
        }
      }
    }
    EXPECT_EQ(job.Run(), WEFT_ERROR_NONE) << job.violations() << " command " << job.error_command();
    std::vector<int8_t> out;
    for (int y = 0; y < oh_; ++y) {
      const auto row = job.Scratchpad(out_addr + y * out_pitch, static_cast<size_t>(ow_ * oc_));
      out.insert(out.end(), row.begin(), row.end());
    }
    return out;
  }

 private:
  int Int(int64_t low, int64_t high) { return static_cast<int>(rng_.Int(low, high)); }

  int Accumulate(int y, int x, int o) const {
    int sum = mode_ == kMaximum ? -128 : 0;
    for (int ky = 0; ky < kh_; ++ky) {
      for (int kx = 0; kx < kw_; ++kx) {
        const int iy = y * stride_h_ - top_ + ky, ix = x * stride_w_ - left_ + kx;
        const bool inside = iy >= 0 && iy < h_ && ix >= 0 && ix < w_;
        const auto value = [&](int c) { return inside ? input_[(iy * w_ + ix) * c_ + c] : pad_; };
        const int tap = ky * kw_ + kx;
        if (mode_ == kMaximum) {
          sum = std::max(sum, static_cast<int>(value(o)));
        } else if (mode_ == kDepthwise) {
          sum += value(o) * weights_[tap * oc_ + o];
        } else {
          for (int c = 0; c < c_; ++c) sum += value(c) * weights_[(tap * c_ + c) * oc_ + o];
        }
      }
    }
    return sum;
  }

  int Sum(int a, int b) const {
    const auto scale = [&](int value, int64_t multiplier, int64_t shift) {
      return ExactRequantise(value, static_cast<int32_t>(multiplier), static_cast<int>(shift),
                             rounding_);
    };
    const int left = 1 << sum_.left_shift;
    const int scaled_a =
        scale((a - static_cast<int>(sum_.a_zero_point)) * left, sum_.a_multiplier, sum_.a_shift);
    const int scaled_b =
        scale((b - static_cast<int>(sum_.b_zero_point)) * left, sum_.b_multiplier, sum_.b_shift);
    const int result = scale(scaled_a + scaled_b, sum_.sum_multiplier, sum_.sum_shift);
    return Clamp(result + static_cast<int>(sum_.sum_zero_point),
                 static_cast<int>(sum_.sum_clamp_low), static_cast<int>(sum_.sum_clamp_high));
  }

  // Dense rows with `pitch` bytes from one to the next, `before` bytes in front; gaps are random.
  std::vector<int8_t> Rows(const std::vector<int8_t>& dense, int rows, int row_bytes, int pitch,
                           int before) {
    auto out = rng_.Vector<int8_t>(static_cast<size_t>(before + rows * pitch));
    for (int y = 0; y < rows; ++y) {
      std::copy_n(dense.begin() + y * row_bytes, row_bytes, out.begin() + before + y * pitch);
    }
    return out;
  }

  // For every beat, the window element (row, byte or column) of each of the K lanes; -1: unused.
  std::vector<std::vector<std::pair<int, int>>> Lanes() const {
    std::vector<std::vector<std::pair<int, int>>> beats;
    const std::pair<int, int> unused = {-1, -1};
    if (mode_ == kDense) {
      const int span = kw_ * c_;
      int row = 0, byte = 0;
      while (row < kh_) {
        std::vector<std::pair<int, int>> lanes;
        const int first_row = row;
        while (row < kh_ && row <= first_row + 1 && static_cast<int>(lanes.size()) < config_.k) {
          lanes.push_back({row, byte});
          if (++byte == span) byte = 0, ++row;
        }
        lanes.resize(static_cast<size_t>(config_.k), unused);
        beats.push_back(lanes);
      }
      return beats;
    }
    for (int y = 0; y < kh_; y += config_.window_rows) {
      for (int x = 0; x < kw_; x += config_.window_cols) {
        std::vector<std::pair<int, int>> lanes(static_cast<size_t>(config_.k), unused);
        for (int r = 0; r < config_.window_rows && y + r < kh_; ++r) {
          for (int c = 0; c < config_.window_cols && x + c < kw_; ++c) {
            lanes[static_cast<size_t>(r * config_.window_cols + c)] = {y + r, x + c};
          }
        }
        beats.push_back(lanes);
      }
    }
    return beats;
  }

  int64_t BlockWords() const {
    return beats_ * config_.block_words() + (has_params_ ? config_.param_words(per_tensor_) : 0);
  }

  void PutWord(int32_t value) {
    for (int i = 0; i < 4; ++i) ring_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
  void Align() {
    while (ring_.size() % static_cast<size_t>(config_.weight_word) != 0) ring_.push_back(0xEE);
  }

  void Pack() {
    const auto beats = Lanes();
    beats_ = static_cast<int>(beats.size());
    const int blocks = shared_ ? 1 : (oc_ + config_.n - 1) / config_.n;
    for (int j = 0; j < blocks; ++j) {
      const auto channel = [&](int n) { return j * config_.n + n; };
      for (int b = 0; mode_ != kMaximum && b < (shared_ ? 1 : beats_); ++b) {
        for (const auto& [row, at] : beats[b]) {
          for (int n = 0; n < config_.n; ++n) {
            int weight = Int(-128, 127);  // lanes outside the window read 0, whatever the weight
            if (shared_) {
              weight = 1;
            } else if (row >= 0) {
              const int o = std::min(channel(n), oc_ - 1);
              weight = mode_ == kDense ? weights_[(row * kw_ * c_ + at) * oc_ + o]
                                       : weights_[(row * kw_ + at) * oc_ + o];
            }
            ring_.push_back(static_cast<uint8_t>(weight));
          }
        }
      }
      if (!has_params_) continue;
      const auto each = [&](const std::vector<int>& values, const std::function<void(int)>& put) {
        for (int n = 0; n < config_.n; ++n) put(channel(n) < oc_ ? values[channel(n)] : 0);
        Align();
      };
      each(bias_, [&](int v) { PutWord(v); });
      if (per_tensor_) continue;
      each(multiplier_, [&](int v) { PutWord(v); });
      each(shift_, [&](int v) { ring_.push_back(static_cast<uint8_t>(v)); });
    }
  }

  const HardwareConfig& config_;
  Rng& rng_;
  int mode_, h_, w_, c_, kh_, kw_, stride_h_, stride_w_, top_, left_, oh_, ow_, oc_, pad_;
  bool shared_, partial_, has_params_, per_tensor_, add_;
  int rounding_, zero_point_, low_, high_, beats_ = 0;
  std::vector<int8_t> input_, weights_, residual_;
  std::vector<int> bias_, multiplier_, shift_;
  SetupAddCmd sum_;
  std::vector<uint8_t> ring_;
};

class Layers : public ::testing::TestWithParam<HardwareConfig> {
 protected:
  void Check(int mode) {
    Rng rng;
    for (int trial = 0; trial < 150; ++trial) {
      Layer layer(GetParam(), rng, mode);
      ASSERT_EQ(layer.Execute(), layer.Expected()) << "trial " << trial;
    }
  }
};

TEST_P(Layers, Dense) { Check(kDense); }
TEST_P(Layers, Depthwise) { Check(kDepthwise); }
TEST_P(Layers, Maximum) { Check(kMaximum); }

INSTANTIATE_TEST_SUITE_P(Configs, Layers, ::testing::ValuesIn(ShippedConfigs()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace weft::testing
