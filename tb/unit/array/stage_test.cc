// SPDX-License-Identifier: Apache-2.0
//
// The whole array stage against the model of array_model.h: random RUN sequences with a scratchpad
// that refuses reads, a ring that fills late, and a slow post; and the cycles shapes may take.
#include <array>
#include <cstring>
#include <deque>
#include <vector>

#include "Vweft_array_stage_weft1024.h"
#include "Vweft_array_stage_weft256.h"
#include "Vweft_array_stage_weft64.h"
#include "tb/lib/bench.h"
#include "tb/unit/array/stage_job.h"

namespace weft {
namespace {

using testing::Bench;
using testing::Job;
using testing::JobBuilder;
using testing::Rng;

template <typename M, int kIndex>
struct Stage : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

/// How much everything around the stage stalls, as probabilities; 0 everywhere is full speed.
struct Stalls {
  double read = 0;  // a scratchpad port's request
  double command = 0;
  double weight = 0;  // a cycle without another word in the ring
  double params = 0;
  double post = 0;    // a cycle without a row read
  double retire = 0;  // a cycle without a retired block; also loads and stores
};

/// What a run of a job took.
struct Measured {
  int64_t cycles = 0;  // from the first to the last operand the array accepted, both included
  int64_t stall_operand = 0, stall_weights = 0, stall_accumulator = 0, stall_dependency = 0;
};

template <typename Port>
void PutBytes(Port& port, const void* bytes, size_t count) {
  std::memcpy(static_cast<void*>(&port), bytes, count);
}

template <typename Port>
void TakeBytes(const Port& port, void* bytes, size_t count) {
  std::memcpy(bytes, static_cast<const void*>(&port), count);
}

/// Plays a job on the stage and checks everything that comes out of it.
template <typename Model>
class Player {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;
  static constexpr int kN = kConfig.n;
  static constexpr int kWord = kConfig.word();
  static constexpr int kWeightWord = kConfig.weight_word;

  Player(Bench<Model>& bench, const Job& job, Rng& rng, const Stalls& stalls)
      : bench_(bench),
        job_(job),
        rng_(rng),
        stalls_(stalls),
        scratchpad_(job.scratchpad),
        ring_(kConfig.weight_ring),
        feed_(rng, stalls.command),
        loader_(rng, stalls.command) {
    for (const auto& command : job.commands) {
      feed_.Push(command);
      loader_.Push(command);
    }
    for (const auto& late : job.late) scratchpad_[late.address] = ~late.value;
    pending_.assign(job.late.begin(), job.late.end());
    loads_ = stores_ = 0;
  }

  Measured Play() {
    bench_->load_count_i = bench_->exec_count_i = bench_->store_count_i = 0;
    bench_->rd_gnt_i = 0;
    bench_->ring_written_i = 0;
    bench_->prm_ready_i = 0;
    bench_->acc_release_i = 0;
    bench_->acc_rd_en_i = bench_->acc_wr_en_i = bench_->acc_drain_valid_i = 0;
    bench_->feed_cmd_valid_i = bench_->wl_cmd_valid_i = 0;
    bench_.Reset();
    while (!Done() && !::testing::Test::HasFatalFailure()) Cycle();
    EXPECT_EQ(parameter_, job_.parameters.size());
    EXPECT_EQ(bench_->ring_released_o, job_.released & 0xffff);
    EXPECT_EQ(busy_, job_.operands);
    EXPECT_EQ(bench_->acc_full_o, 0);
    EXPECT_EQ(bench_->err_o, 0);
    measured_.cycles = last_busy_ - first_busy_ + 1;
    return measured_;
  }

 private:
  bool Done() {
    return feed_.empty() && loader_.empty() && retired_ == static_cast<int>(job_.blocks.size()) &&
           parameter_ == job_.parameters.size() && bench_->idle_o;
  }

  void Cycle() {
    DriveCommands();
    DriveCounts();
    DriveRing();
    DrivePost();
    // Post holds one record, from its last word until the block is done; tables it takes at once.
    bench_.Settle();
    bench_->prm_ready_i = (bench_->prm_table_o || !record_held_) && !rng_.Chance(stalls_.params);
    bench_->rd_gnt_i = 0;
    bench_.Settle();

    // Requests do not depend on grants; the scratchpad answers in the same cycle.
    const unsigned requests = bench_->rd_req_o;
    unsigned grants = 0;
    for (int i = 0; i < 4; ++i)
      if ((requests >> i & 1) && !rng_.Chance(stalls_.read)) grants |= 1u << i;
    bench_->rd_gnt_i = grants;
    bench_.Settle();
    ASSERT_EQ(bench_->rd_req_o, requests);
    uint8_t next_data[4 * kWord];
    for (auto& byte : next_data) byte = static_cast<uint8_t>(rng_.Bits());
    const uint64_t addresses = bench_->rd_addr_o;
    constexpr int kAddressBits = std::bit_width(unsigned{kConfig.scratchpad / kWord - 1});
    for (int i = 0; i < 4; ++i) {
      if (!(grants >> i & 1)) continue;
      const uint64_t address =
          (addresses >> (i * kAddressBits) & ((1u << kAddressBits) - 1)) * kWord;
      ASSERT_LE(address + kWord, scratchpad_.size());
      std::memcpy(&next_data[i * kWord], &scratchpad_[address], kWord);
    }
    uint8_t next_ring[kWeightWord];
    for (auto& byte : next_ring) byte = static_cast<uint8_t>(rng_.Bits());
    if (bench_->ring_rd_en_o)
      std::memcpy(next_ring, &ring_[bench_->ring_rd_addr_o * kWeightWord], kWeightWord);

    CheckParameters();
    CheckEvents();
    feed_.Step(bench_->feed_cmd_ready_o);
    loader_.Step(bench_->wl_cmd_ready_o);
    const bool reading = bench_->acc_rd_en_i;
    bench_.Tick();
    ++cycle_;
    PutBytes(bench_->rd_data_i, next_data, sizeof next_data);
    PutBytes(bench_->ring_rd_data_i, next_ring, sizeof next_ring);
    if (reading) CheckRow();
  }

  void DriveCommands() {
    bench_->feed_cmd_valid_i = feed_.valid();
    if (feed_.valid()) PutBytes(bench_->feed_cmd_i, feed_.data().data(), kCommandBytes);
    bench_->wl_cmd_valid_i = loader_.valid();
    if (loader_.valid()) PutBytes(bench_->wl_cmd_i, loader_.data().data(), kCommandBytes);
  }

  void DriveCounts() {
    if (loads_ < job_.loads && !rng_.Chance(stalls_.retire)) ++loads_;
    if (stores_ < job_.stores && !rng_.Chance(stalls_.retire)) ++stores_;
    if (retired_ < finished_ && !rng_.Chance(stalls_.retire)) ++retired_;
    bench_->load_count_i = loads_;
    bench_->store_count_i = stores_;
    bench_->exec_count_i = retired_;
    std::erase_if(pending_, [this](const testing::LateByte& late) {
      if (loads_ < late.loads || stores_ < late.stores || retired_ < late.blocks) return false;
      scratchpad_[late.address] = late.value;
      return true;
    });
  }

  void DriveRing() {
    const int released = static_cast<uint16_t>(bench_->ring_released_o - released_) + released_;
    ASSERT_LE(released, written_);
    // Nothing that may be overwritten is kept: a read of it later must show.
    for (; released_ < released; ++released_)
      std::memset(&ring_[released_ % kConfig.ring_words() * kWeightWord], 0x5a, kWeightWord);
    const int total = static_cast<int>(job_.weights.size()) / kWeightWord;
    for (int i = 0; i < 2; ++i) {
      if (written_ == total || written_ - released_ == kConfig.ring_words()) break;
      if (rng_.Chance(stalls_.weight)) break;
      std::memcpy(&ring_[written_ % kConfig.ring_words() * kWeightWord],
                  &job_.weights[written_ * kWeightWord], kWeightWord);
      ++written_;
    }
    bench_->ring_written_i = written_ & 0xffff;
  }

  // Post takes the buffers in turn: reads every row, now and then writes lanes of one back and
  // reads it again, and gives the buffer back with its last access. Once it says that it drains the
  // buffer it only reads, each row once.
  void DrivePost() {
    bench_->acc_release_i = 0;
    bench_->acc_rd_en_i = bench_->acc_wr_en_i = 0;
    const int buffer = static_cast<int>(finished_ & 1);
    bench_->acc_drain_valid_i = draining_;
    bench_->acc_drain_buf_i = buffer;
    bench_->acc_drain_rows_i = read_row_;
    if (!(bench_->acc_full_o >> buffer & 1) || rng_.Chance(stalls_.post)) return;
    ASSERT_LT(finished_, static_cast<int>(job_.blocks.size())) << "a block too many";
    const testing::ExpectedBlock& block = job_.blocks[finished_];
    if (block.null) {
      bench_->acc_release_i = 1 << buffer;
      ++finished_;
      return;
    }
    if (block.record && !record_held_) return;
    if (row_acc_.empty()) row_acc_ = block.acc;
    if (read_row_ == 0 && rng_.Chance(0.7)) draining_ = true;
    // Write back a row, read it again.
    if (stalls_.post > 0 && read_row_ > 0 && !draining_ && rng_.Chance(0.1)) {
      const int64_t row = rng_.Int(0, block.pixels - 1);
      std::vector<int32_t> data(kN);
      const uint32_t lanes = static_cast<uint32_t>(rng_.Bits());
      for (int n = 0; n < kN; ++n) {
        data[n] = static_cast<int32_t>(rng_.Bits());
        if (lanes >> n & 1) row_acc_[row * kN + n] = data[n];
      }
      bench_->acc_wr_en_i = 1;
      bench_->acc_wr_buf_i = buffer;
      bench_->acc_wr_row_i = row;
      bench_->acc_wr_lanes_i = kN == 32 ? lanes : lanes & ((1u << (kN & 31)) - 1);
      PutBytes(bench_->acc_wr_data_i, data.data(), 4 * kN);
      read_row_ = std::min<int64_t>(read_row_, row);
      return;
    }
    bench_->acc_rd_en_i = 1;
    bench_->acc_rd_buf_i = buffer;
    bench_->acc_rd_row_i = read_row_;
    checked_row_ = read_row_++;
    checked_acc_ = row_acc_;
    checked_channels_ = block.channels;
    if (read_row_ == block.pixels) {
      bench_->acc_release_i = 1 << buffer;
      draining_ = false;
      read_row_ = 0;
      if (block.record) record_held_ = false;
      row_acc_.clear();
      ++finished_;
    }
  }

  void CheckRow() {
    std::vector<int32_t> row(kN);
    TakeBytes(bench_->acc_rd_data_o, row.data(), 4 * kN);
    for (int n = 0; n < checked_channels_; ++n)
      ASSERT_EQ(row[n], checked_acc_[checked_row_ * kN + n])
          << "block " << finished_ << " row " << checked_row_ << " channel " << n << " cycle "
          << cycle_;
  }

  void CheckParameters() {
    if (!bench_->prm_valid_o || !bench_->prm_ready_i) return;
    ASSERT_LT(parameter_, job_.parameters.size()) << "a parameter word too many";
    const testing::ParameterWord& expected = job_.parameters[parameter_++];
    std::vector<uint8_t> word(kWeightWord);
    TakeBytes(bench_->prm_data_o, word.data(), kWeightWord);
    ASSERT_EQ(word, expected.bytes);
    ASSERT_EQ(bench_->prm_table_o, expected.table);
    ASSERT_EQ(bench_->prm_last_o, expected.last);
    if (!expected.table && expected.last) record_held_ = true;
  }

  void CheckEvents() {
    const int events = bench_->ev_busy_o + bench_->ev_stall_dependency_o +
                       bench_->ev_stall_operand_o + bench_->ev_stall_weights_o +
                       bench_->ev_stall_accumulator_o + bench_->ev_idle_o;
    ASSERT_EQ(events, 1) << "every cycle is one kind";
    if (bench_->ev_busy_o) {
      if (busy_++ == 0) first_busy_ = cycle_;
      last_busy_ = cycle_;
    }
    measured_.stall_operand += bench_->ev_stall_operand_o;
    measured_.stall_weights += bench_->ev_stall_weights_o;
    measured_.stall_accumulator += bench_->ev_stall_accumulator_o;
    measured_.stall_dependency += bench_->ev_stall_dependency_o;
  }

  Bench<Model>& bench_;
  const Job& job_;
  Rng& rng_;
  Stalls stalls_;
  std::vector<uint8_t> scratchpad_, ring_;
  testing::Source<std::array<uint8_t, kCommandBytes>> feed_, loader_;
  std::vector<testing::LateByte> pending_;
  int loads_, stores_;
  int released_ = 0, written_ = 0;  // words, since the job's start
  int finished_ = 0;                // blocks post is done with
  int retired_ = 0;
  int64_t read_row_ = 0, checked_row_ = 0;
  bool draining_ = false;
  int checked_channels_ = 0;
  std::vector<int32_t> row_acc_, checked_acc_;
  size_t parameter_ = 0;
  bool record_held_ = false;
  int64_t cycle_ = 0, busy_ = 0, first_busy_ = 0, last_busy_ = -1;
  Measured measured_;
};

template <typename T>
class ArrayStageTest : public ::testing::Test {
 protected:
  static constexpr const HardwareConfig& kConfig = T::kConfig;

  Measured Play(const Job& job, Rng& rng, const Stalls& stalls) {
    Bench<T> bench(20'000'000);
    return Player<T>(bench, job, rng, stalls).Play();
  }
};
using Stages =
    ::testing::Types<Stage<Vweft_array_stage_weft64, 0>, Stage<Vweft_array_stage_weft256, 1>,
                     Stage<Vweft_array_stage_weft1024, 2>>;
TYPED_TEST_SUITE(ArrayStageTest, Stages);

TYPED_TEST(ArrayStageTest, RandomRuns) {
  Rng rng;
  Bench<TypeParam> bench(20'000'000);
  for (int i = 0; i < 60; ++i) {
    JobBuilder builder(TypeParam::kConfig, rng);
    const int runs = static_cast<int>(rng.Int(1, 12));
    for (int r = 0; r < runs; ++r) builder.RandomRun();
    const double most = rng.Pick<double>({0, 0.2, 0.7});
    const auto stall = [&] { return rng.Real() * most; };
    const Stalls stalls = {stall(), stall(), stall(), stall(), stall(), rng.Real()};
    SCOPED_TRACE("job " + std::to_string(i));
    Player<TypeParam>(bench, builder.job(), rng, stalls).Play();
    if (this->HasFailure()) return;
  }
}

// A layer of whole stripes with everything at hand.
struct Layer {
  SetupInputCmd setup;
  SetupOutputCmd output;
  RunCmd run;
};

Layer DenseLayer(const HardwareConfig& config, int64_t pixels, int64_t beats) {
  Layer layer;
  layer.setup.pixel_bytes = layer.setup.step_bytes = layer.setup.kernel_span = beats * config.k;
  layer.setup.kernel_rows = layer.setup.stride_rows = 1;
  layer.setup.in_rows = 1;
  layer.setup.in_row_bytes = layer.setup.in_pitch = 64 * beats * config.k;
  layer.output.has_params = 1;
  layer.run.acc_first = layer.run.acc_last = layer.run.weights_stream = 1;
  layer.run.pixels = pixels;
  layer.run.tile_width = pixels;
  layer.run.channels = config.n;
  layer.run.beats = beats;
  return layer;
}

TYPED_TEST(ArrayStageTest, DenseStripesTakeOneCycleAPixel) {
  Rng rng;
  JobBuilder builder(TypeParam::kConfig, rng);
  const Layer layer = DenseLayer(TypeParam::kConfig, 64, 9);
  constexpr int kRuns = 10;
  for (int i = 0; i < kRuns; ++i) builder.Run(layer.setup, layer.output, layer.run);
  const Measured m = this->Play(builder.job(), rng, {});
  EXPECT_LE(m.cycles, kRuns * 9 * 64 * 1.02 + 20);
}

TYPED_TEST(ArrayStageTest, ShortBeatsTakeTheirPixelsButAtLeastEightCycles) {
  for (const int pixels : {1, 7, 8, 9, 12}) {
    SCOPED_TRACE(pixels);
    Rng rng(pixels);
    JobBuilder builder(TypeParam::kConfig, rng);
    const Layer layer = DenseLayer(TypeParam::kConfig, pixels, 40);
    constexpr int kRuns = 5;
    for (int i = 0; i < kRuns; ++i) builder.Run(layer.setup, layer.output, layer.run);
    const Measured m = this->Play(builder.job(), rng, {});
    // A parameter record comes through the same port of the ring as the weights.
    const int record = TypeParam::kConfig.param_words(false);
    EXPECT_LE(m.cycles, kRuns * (40 * std::max(pixels, 8) + record) + 20);
  }
}

// Window layers: `width` wide input of `channels` channels (at most N are computed), SAME padding,
// rows at a multiple of a word plus `skew` bytes; cycles a pixel.
template <typename T>
double CyclesAPixel(int64_t mode, int64_t kernel, int64_t stride, int64_t width, int64_t channels,
                    int64_t skew, Rng& rng) {
  constexpr const HardwareConfig& config = T::kConfig;
  JobBuilder builder(config, rng);
  SetupInputCmd s;
  s.mode = mode;
  s.pixel_bytes = channels;
  s.kernel_rows = s.kernel_span = kernel;
  s.stride_rows = stride;
  s.step_bytes = stride * s.pixel_bytes;
  s.in_rows = 200;
  s.in_row_bytes = width * s.pixel_bytes;
  s.in_pitch = (s.in_row_bytes + config.word() - 1) / config.word() * config.word() + skew;
  RunCmd run;
  run.acc_first = run.acc_last = run.weights_stream = 1;
  run.channels = std::min<int64_t>(channels, config.n);
  run.tile_width = (width + stride - 1) / stride;
  run.pixels = config.stripe;
  run.beats = testing::ArrayModel::WindowBeats(config, s);
  run.in_x = -(kernel - 1) / 2 * s.pixel_bytes;
  constexpr int kRuns = 10;
  for (int i = 0; i < kRuns; ++i) {
    run.tile_x = i * run.pixels % run.tile_width;
    run.in_y = (i * run.pixels / run.tile_width) * stride - (kernel - 1) / 2;
    run.in_y %= s.in_rows;
    builder.Run(s, {}, run);
  }
  Bench<T> bench(1'000'000);
  const Measured m = Player<T>(bench, builder.job(), rng, {}).Play();
  return static_cast<double>(m.cycles - 10) / static_cast<double>(builder.job().operands);
}

TYPED_TEST(ArrayStageTest, DepthwiseTakesOneCycleAPixel) {
  Rng rng;
  constexpr int kN = TypeParam::kConfig.n;
  for (const int64_t width : {5, 7, 14, 28, 56}) {
    SCOPED_TRACE(width);
    EXPECT_LE(CyclesAPixel<TypeParam>(1, 3, 1, width, kN, 0, rng), 1.05);
    EXPECT_LE(CyclesAPixel<TypeParam>(1, 3, 2, 2 * width, kN, 0, rng), 2.05);
    EXPECT_LE(CyclesAPixel<TypeParam>(2, 2, 2, 2 * width, kN, 0, rng), 2.05);
  }
}

// The rectangle's column 0 lies far left of the image, up to 2^21 columns, the RUN's pixels on it:
// exact, and prepared in about fifty cycles.
TYPED_TEST(ArrayStageTest, WindowsThatBeginFarLeft) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  constexpr int64_t kFar = 1 << 21;
  constexpr int kRuns = 60;
  Rng rng;
  JobBuilder builder(config, rng);
  int64_t work = 0;
  for (int i = 0; i < kRuns; ++i) {
    SetupInputCmd s;
    RunCmd run;
    s.mode = rng.Int(1, 2);
    run.channels = rng.Chance(0.5) ? 1 : rng.Int(1, config.n);
    s.pixel_bytes = run.channels;
    s.kernel_rows = rng.Int(1, 3);
    s.kernel_span = rng.Int(1, 3);
    s.stride_rows = 1;
    const int64_t stride = rng.Int(1, 255);
    s.step_bytes = stride * s.pixel_bytes;
    s.in_rows = 4;
    s.in_row_bytes = rng.Int(1, 20) * s.pixel_bytes;
    s.in_pitch = s.in_row_bytes + 3;
    s.pad_value = rng.Int(-128, 127);
    run.acc_first = run.acc_last = run.weights_stream = 1;
    run.pixels = rng.Int(1, 4);
    run.tile_width = 4095;
    run.beats = testing::ArrayModel::WindowBeats(config, s);
    run.tile_x = rng.Int(0, std::min<int64_t>(4095 - run.pixels, (kFar - 2000) / s.step_bytes));
    // A pixel of the RUN begins just left of the image or within; or all of them stay far from it.
    const int64_t near = rng.Int(-4, 4) - rng.Int(0, run.pixels - 1) * stride;
    run.in_x = std::max(-kFar, near * s.pixel_bytes - run.tile_x * s.step_bytes);
    if (rng.Chance(0.2)) run.in_x = rng.Chance(0.5) ? -kFar : -rng.Int(1, kFar);
    run.in_y = rng.Int(-2, 2);
    builder.Run(s, {}, run);
    work += run.beats * std::max<int64_t>(8, run.pixels * (stride + 4));
  }
  const Measured m = this->Play(builder.job(), rng, {});
  EXPECT_LE(m.cycles, work + kRuns * 100);
}

// A stride larger than the window: the columns between are not read. Here they are the whole image,
// which lies beyond the scratchpad; the windows see its padding only.
TYPED_TEST(ArrayStageTest, ColumnsBetweenWindows) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  JobBuilder builder(config, rng);
  for (int i = 0; i < 40; ++i) {
    SetupInputCmd s;
    RunCmd run;
    const int64_t between = rng.Int(1, 4);
    s.mode = rng.Int(1, 2);
    run.channels = rng.Int(1, config.n);
    s.pixel_bytes = config.word();
    s.kernel_rows = rng.Int(1, 3);
    s.kernel_span = rng.Int(1, 3);
    s.stride_rows = 1;
    s.step_bytes = (s.kernel_span + between) * s.pixel_bytes;
    s.in_addr = config.scratchpad;
    s.in_rows = s.kernel_rows;
    s.in_row_bytes = between * s.pixel_bytes;
    s.in_pitch = s.in_row_bytes;
    s.pad_value = rng.Int(-128, 127);
    // The image lies behind the window of pixel `before`.
    const int64_t before = rng.Int(0, 3);
    run.in_x = -(before * s.step_bytes + s.kernel_span * s.pixel_bytes);
    run.pixels = rng.Int(1, 8);
    run.tile_width = rng.Int(1, run.pixels);
    run.acc_first = run.acc_last = run.weights_stream = 1;
    run.beats = testing::ArrayModel::WindowBeats(config, s);
    builder.Run(s, {}, run);
  }
  this->Play(builder.job(), rng, {});
}

// Two or four pixels in a word: still a word of each row at once.
TYPED_TEST(ArrayStageTest, DepthwiseOfFewChannelsTakesOneCycleAPixel) {
  Rng rng;
  constexpr int kN = TypeParam::kConfig.n;
  for (const int64_t channels : {8, kN / 2, kN / 4}) {
    for (const int64_t width : {7, 48}) {
      SCOPED_TRACE(std::to_string(width) + " x " + std::to_string(channels));
      EXPECT_LE(CyclesAPixel<TypeParam>(1, 3, 1, width, channels, 0, rng), 1.06);
      EXPECT_LE(CyclesAPixel<TypeParam>(2, 2, 2, 2 * width, channels, 0, rng), 2.05);
    }
  }
}

TYPED_TEST(ArrayStageTest, UnalignedDepthwiseTakesACycleForTwoRows) {
  Rng rng;
  constexpr int kN = TypeParam::kConfig.n;
  const double rows = std::min(3, TypeParam::kConfig.window_rows);
  for (const int64_t width : {5, 14, 56}) {
    SCOPED_TRACE(width);
    EXPECT_LE(CyclesAPixel<TypeParam>(1, 3, 1, width, kN + 3, 1, rng), 1.06 * std::ceil(rows / 2));
  }
}

// Post needs as long for a block as the array, and a record for each: the array must not wait for
// weights that lie behind a record in the ring.
TYPED_TEST(ArrayStageTest, RecordsDoNotHoldUpWeights) {
  Rng rng;
  JobBuilder builder(TypeParam::kConfig, rng);
  const Layer layer = DenseLayer(TypeParam::kConfig, 64, 1);
  constexpr int kRuns = 20;
  for (int i = 0; i < kRuns; ++i) builder.Run(layer.setup, layer.output, layer.run);
  const Measured m = this->Play(builder.job(), rng, {});
  // Post itself takes the words of the record and the rows one after the other.
  EXPECT_LE(m.cycles, kRuns * (64 + TypeParam::kConfig.param_words(false) + 2) + 20);
  EXPECT_LE(m.stall_weights, 20);
}

// More words than positions: the 16-bit position wraps around.
TYPED_TEST(ArrayStageTest, WeightPositionsWrap) {
  Rng rng;
  JobBuilder builder(TypeParam::kConfig, rng);
  const Layer layer = DenseLayer(TypeParam::kConfig, 3, 900 / TypeParam::kConfig.k);
  while (builder.weight_words() < 70'000) {
    for (int i = 0; i < 20; ++i) builder.Run(layer.setup, layer.output, layer.run);
    builder.RandomRun();
  }
  this->Play(builder.job(), rng, {.weight = 0.05});
}

// Beats of one pixel without new weights: the row comes back before its sum is written.
TYPED_TEST(ArrayStageTest, RowsStillOnTheirWay) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  for (const int64_t mode : {0, 1, 2}) {
    for (const int64_t pixels : {1, 2, 3}) {
      SCOPED_TRACE("mode " + std::to_string(mode) + ", pixels " + std::to_string(pixels));
      Rng rng(10 * mode + pixels);
      JobBuilder builder(config, rng);
      Layer layer = DenseLayer(config, pixels, 12);
      layer.output = {};
      layer.run.weights_shared = mode != 2;
      if (mode != 0) {
        layer.setup.mode = mode;
        layer.setup.pixel_bytes = layer.setup.step_bytes = config.n;
        layer.setup.kernel_rows = 4 * config.window_rows;
        layer.setup.kernel_span = 3 * config.window_cols;
        layer.setup.in_rows = 8 * config.window_rows;
        layer.setup.in_row_bytes = layer.setup.in_pitch = 4 * config.window_cols * config.n;
      }
      for (int i = 0; i < 5; ++i) builder.Run(layer.setup, layer.output, layer.run);
      this->Play(builder.job(), rng, {});
    }
  }
}

// A producer that retires its blocks slowly, and a RUN that waits for one more with every beat, or
// with every block: what it reads is there only just in time.
TYPED_TEST(ArrayStageTest, WaitsStepWithBeatsAndBlocks) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  for (const bool by_block : {false, true}) {
    SCOPED_TRACE(by_block ? "by block" : "by beat");
    Rng rng(by_block);
    JobBuilder builder(config, rng);
    Layer producer = DenseLayer(config, 4, 1);
    for (int i = 0; i < 12; ++i) builder.Run(producer.setup, producer.output, producer.run);
    Layer consumer = DenseLayer(config, 20, by_block ? 1 : 4);
    consumer.setup.in_addr = config.scratchpad / 2;
    consumer.run.wait_mask = 2;
    if (by_block) {
      consumer.setup.mode = 1;
      consumer.run.channels = consumer.setup.pixel_bytes = consumer.setup.step_bytes = 4 * config.n;
      consumer.setup.in_row_bytes = consumer.setup.in_pitch = 64 * consumer.setup.pixel_bytes;
      consumer.setup.kernel_span = 1;
      consumer.run.wait_step_block = 3;
    } else {
      consumer.run.wait_step_beat = 3;
    }
    consumer.run.wait_exec = 3;
    builder.Run(consumer.setup, consumer.output, consumer.run);
    const Measured m = this->Play(builder.job(), rng, {.retire = 0.98});
    EXPECT_GT(m.stall_dependency, 20);
  }
}

TYPED_TEST(ArrayStageTest, AddressOutsideTheScratchpadIsAnError) {
  Rng rng;
  // The pixel just before the scratchpad's end, and a little further: first with two blocks, the
  // last of fewer than N channels, then with channels of half a word, one word a row.
  constexpr int kN = TypeParam::kConfig.n;
  for (const auto& [mode, channels, past] :
       std::vector<std::array<int64_t, 3>>{{0, kN + 3, 1},
                                           {1, kN + 3, 1},
                                           {2, kN + 3, 1},
                                           {1, kN / 2, kN / 2},
                                           {2, kN / 2, kN / 2}}) {
    for (const bool outside : {false, true}) {
      SetupInputCmd s;
      s.mode = mode;
      s.pixel_bytes = s.step_bytes = channels;
      s.kernel_rows = s.stride_rows = 1;
      s.kernel_span = mode == 0 ? s.pixel_bytes : 1;
      s.in_rows = 1;
      s.in_row_bytes = s.pixel_bytes;
      s.in_pitch = 2 * kN;
      s.in_addr = TypeParam::kConfig.scratchpad - s.pixel_bytes + outside * past;
      RunCmd run;
      run.acc_first = run.acc_last = 1;
      run.pixels = run.tile_width = 1;
      run.beats = testing::ArrayModel::WindowBeats(TypeParam::kConfig, s);
      run.channels = s.pixel_bytes;
      Bench<TypeParam> bench;
      bench->exec_count_i = bench->load_count_i = bench->store_count_i = 0;
      bench->wl_cmd_valid_i = 0;
      bench->acc_release_i = bench->acc_rd_en_i = bench->acc_wr_en_i = 0;
      bench->acc_drain_valid_i = 0;
      bench->rd_gnt_i = 0xf;
      bench->feed_cmd_valid_i = 0;
      bench.Reset();
      for (const Command& command : {Command(s), Command(run)}) {
        std::array<uint8_t, kCommandBytes> bytes;
        Encode(command, bytes);
        PutBytes(bench->feed_cmd_i, bytes.data(), kCommandBytes);
        bench->feed_cmd_valid_i = 1;
        do {
          bench.Settle();
          const bool ready = bench->feed_cmd_ready_o;
          bench.Tick();
          if (ready) break;
        } while (true);
      }
      bench->feed_cmd_valid_i = 0;
      for (int i = 0; i < 30; ++i) bench.Tick();
      EXPECT_EQ(bench->err_o, outside) << "mode " << mode << ", channels " << channels;
    }
  }
}

}  // namespace
}  // namespace weft
