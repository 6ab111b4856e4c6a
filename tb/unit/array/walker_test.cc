// SPDX-License-Identifier: Apache-2.0
//
// The beats of random windows, one by one, against the walk written out in docs/architecture.md.
#include <algorithm>

#include "Vweft_beat_walker_weft1024.h"
#include "Vweft_beat_walker_weft256.h"
#include "Vweft_beat_walker_weft64.h"
#include "tb/lib/bench.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

template <typename M, int kIndex>
struct Walker : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

template <typename T>
class BeatWalkerTest : public ::testing::Test {
 protected:
  static constexpr const HardwareConfig& kConfig = T::kConfig;
  testing::Bench<T> bench_{10'000'000};

  // Moves on to the next beat, or with `restart` to the first again, with cycles of standing still
  // before it.
  void Advance(testing::Rng& rng, bool restart = false) {
    while (rng.Chance(0.3)) bench_.Tick();
    bench_->advance_i = 1;
    bench_->restart_i = restart;
    bench_.Tick();
    bench_->advance_i = bench_->restart_i = 0;
    for (int cycles = 1; cycles < 3; ++cycles) {
      ASSERT_FALSE(bench_->ready_o);
      bench_.Tick();
    }
    ASSERT_TRUE(bench_->ready_o);
  }

  void Start(bool dense, int rows, int span, int pitch, int pixel) {
    bench_->dense_i = dense;
    bench_->kernel_rows_i = rows;
    bench_->kernel_span_i = span;
    bench_->in_pitch_i = pitch;
    bench_->pixel_bytes_i = pixel;
    bench_->advance_i = 1;  // a start goes before a step
    bench_->start_i = 1;
    bench_.Tick();
    bench_->start_i = bench_->advance_i = 0;
    bench_.Settle();
    ASSERT_TRUE(bench_->ready_o);
  }
};
using Walkers =
    ::testing::Types<Walker<Vweft_beat_walker_weft64, 0>, Walker<Vweft_beat_walker_weft256, 1>,
                     Walker<Vweft_beat_walker_weft1024, 2>>;
TYPED_TEST_SUITE(BeatWalkerTest, Walkers);

TYPED_TEST(BeatWalkerTest, DenseFragments) {
  constexpr int kK = TypeParam::kConfig.k;
  testing::Rng rng;
  for (int i = 0; i < 300; ++i) {
    const int rows = static_cast<int>(rng.Int(1, rng.Chance(0.1) ? 255 : 7));
    const int span = static_cast<int>(rng.Int(1, rng.Chance(0.2) ? 3000 : 3 * kK));
    const int pitch = static_cast<int>(rng.Int(1, (1 << 21) - 1));
    SCOPED_TRACE(std::to_string(rows) + " rows of " + std::to_string(span));
    this->Start(true, rows, span, pitch, 0);
    for (int block = 0; block < 2; ++block) {
      for (int r = 0, o = 0; r < rows;) {
        const int n0 = std::min(kK, span - o);
        ASSERT_EQ(this->bench_->row_o, r);
        ASSERT_EQ(this->bench_->row_offset_o, r * int64_t{pitch});
        ASSERT_EQ(this->bench_->offset_o, o);
        ASSERT_EQ(this->bench_->offset_bytes_o, o);
        ASSERT_EQ(this->bench_->n0_o, n0);
        o += n0;
        if (o == span) ++r, o = 0;
        int n1 = 0;
        if (n0 < kK && r < rows) {
          n1 = std::min(kK - n0, span);
          o = n1;
          if (o == span) ++r, o = 0;
        }
        ASSERT_EQ(this->bench_->n1_o, n1);
        ASSERT_NO_FATAL_FAILURE(this->Advance(rng, r >= rows));
      }
    }
  }
}

TYPED_TEST(BeatWalkerTest, WindowGroups) {
  constexpr int kR = TypeParam::kConfig.window_rows, kC = TypeParam::kConfig.window_cols;
  testing::Rng rng;
  for (int i = 0; i < 300; ++i) {
    const int rows = static_cast<int>(rng.Int(1, 20)), cols = static_cast<int>(rng.Int(1, 20));
    const int pitch = static_cast<int>(rng.Int(1, (1 << 21) - 1));
    const int pixel = static_cast<int>(rng.Int(1, 65535));
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(cols));
    this->Start(false, rows, cols, pitch, pixel);
    for (int block = 0; block < 2; ++block) {
      for (int r = 0; r < rows; r += kR) {
        for (int c = 0; c < cols; c += kC) {
          ASSERT_EQ(this->bench_->row_o, r);
          ASSERT_EQ(this->bench_->row_offset_o, r * int64_t{pitch});
          ASSERT_EQ(this->bench_->offset_o, c);
          ASSERT_EQ(this->bench_->offset_bytes_o, c * int64_t{pixel});
          ASSERT_EQ(this->bench_->n0_o, std::min(kR, rows - r));
          ASSERT_EQ(this->bench_->n1_o, std::min(kC, cols - c));
          ASSERT_NO_FATAL_FAILURE(this->Advance(rng, r + kR >= rows && c + kC >= cols));
        }
      }
    }
  }
}

// A RUN without acc_first: the position stays, what is left there is that of the new sizes.
TYPED_TEST(BeatWalkerTest, NewSizesWithoutStart) {
  constexpr int kK = TypeParam::kConfig.k;
  testing::Rng rng;
  for (int i = 0; i < 100; ++i) {
    const int beats = static_cast<int>(rng.Int(1, 5)), rest = static_cast<int>(rng.Int(1, 2 * kK));
    this->Start(true, 1, 3000, 1, 0);
    for (int beat = 0; beat < beats; ++beat) ASSERT_NO_FATAL_FAILURE(this->Advance(rng));
    this->bench_->kernel_span_i = beats * kK + rest;
    this->bench_.Tick();
    this->bench_.Tick();
    ASSERT_EQ(this->bench_->offset_o, beats * kK);
    ASSERT_EQ(this->bench_->n0_o, std::min(kK, rest));
  }
}

}  // namespace
}  // namespace weft
