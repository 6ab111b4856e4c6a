// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/post.h"

#include <cstdlib>

namespace weft::functional {
namespace {

int32_t Narrow(int64_t field) { return static_cast<int32_t>(field); }

}  // namespace

Post::Post(const HardwareConfig& config)
    : n_(config.n),
      weight_word_(config.weight_word),
      bias_(static_cast<size_t>(config.n)),
      scale_(static_cast<size_t>(config.n)),
      result_(static_cast<size_t>(config.stripe) * config.n) {}

void Post::BeginJob() {
  output_ = {};
  add_ = {};
}

// Biases, then multipliers and shifts unless those are per tensor; each part begins at a word.
Status Post::TakeRecord(std::span<const uint8_t> record) {
  const auto words = [this](int bytes) { return (bytes + weight_word_ - 1) / weight_word_; };
  const size_t multipliers = static_cast<size_t>(words(4 * n_) * weight_word_);
  const size_t shifts = 2 * multipliers;
  for (size_t n = 0; n < bias_.size(); ++n) {
    bias_[n] = record.empty() ? 0 : LittleEndianWord(&record[4 * n]);
    scale_[n] = {Narrow(output_.multiplier), static_cast<int>(output_.shift)};
    if (output_.per_tensor == 0) {
      scale_[n] = {LittleEndianWord(&record[multipliers + 4 * n]),
                   static_cast<int8_t>(record[shifts + n])};
    }
    if (std::abs(scale_[n].shift) > kMaxShift) {
      return Fail("has a parameter record whose shift {} is {}", n, scale_[n].shift);
    }
  }
  return {};
}

// The sum of two int8 values as SETUP_ADD says.
int32_t Post::Sum(int32_t a, int32_t b) const {
  const auto mode = static_cast<RoundingMode>(output_.rounding);
  const int left_shift = static_cast<int>(add_.left_shift);
  const int32_t scaled_a =
      AddOperand(a, Narrow(add_.a_zero_point), left_shift,
                 {Narrow(add_.a_multiplier), static_cast<int>(add_.a_shift)}, mode);
  const int32_t scaled_b =
      AddOperand(b, Narrow(add_.b_zero_point), left_shift,
                 {Narrow(add_.b_multiplier), static_cast<int>(add_.b_shift)}, mode);
  const int32_t sum = Requantise(WrapAdd(scaled_a, scaled_b), Narrow(add_.sum_multiplier),
                                 static_cast<int>(add_.sum_shift), mode);
  return OffsetAndClamp(sum, Narrow(add_.sum_zero_point), Narrow(add_.sum_clamp_low),
                        Narrow(add_.sum_clamp_high));
}

const BlockResult& Post::Run(const Array& array, const Stripe& stripe, int channels, const Place& b,
                             const Scratchpad& scratchpad) {
  const auto mode = static_cast<RoundingMode>(output_.rounding);
  const int32_t zero_point = Narrow(output_.zero_point);
  const int32_t low = Narrow(output_.clamp_low), high = Narrow(output_.clamp_high);
  for (int64_t p = 0; p < stripe.pixels(); ++p) {
    const std::span<const int32_t> acc = array.Row(p);
    int8_t* result = result_.data() + p * n_;
    for (int n = 0; n < channels; ++n) {
      const Scale& scale = scale_[n];
      const int32_t scaled =
          Requantise(WrapAdd(acc[n], bias_[n]), scale.multiplier, scale.shift, mode);
      result[n] = static_cast<int8_t>(OffsetAndClamp(scaled, zero_point, low, high));
    }
    if (output_.add != 0) {
      const int8_t* residual = scratchpad.At(b.At(stripe, p));
      for (int n = 0; n < channels; ++n) {
        result[n] = static_cast<int8_t>(Sum(result[n], residual[n]));
      }
    }
  }
  return result_;
}

const BlockResult& Post::Eltwise(bool add, const Stripe& stripe, int channels, const Place& a,
                                 const Place& b, const Scratchpad& scratchpad) {
  const auto mode = static_cast<RoundingMode>(output_.rounding);
  const int32_t multiplier = Narrow(output_.multiplier);
  const int shift = static_cast<int>(output_.shift);
  for (int64_t p = 0; p < stripe.pixels(); ++p) {
    int8_t* result = result_.data() + p * n_;
    const int8_t* from_a = scratchpad.At(a.At(stripe, p));
    if (add) {
      const int8_t* from_b = scratchpad.At(b.At(stripe, p));
      for (int n = 0; n < channels; ++n) {
        result[n] = static_cast<int8_t>(Sum(from_a[n], from_b[n]));
      }
      continue;
    }
    for (int n = 0; n < channels; ++n) {
      const int32_t scaled =
          Requantise(WrapSub(from_a[n], Narrow(add_.a_zero_point)), multiplier, shift, mode);
      result[n] = static_cast<int8_t>(OffsetAndClamp(scaled, Narrow(output_.zero_point),
                                                     Narrow(output_.clamp_low),
                                                     Narrow(output_.clamp_high)));
    }
  }
  return result_;
}

}  // namespace weft::functional
