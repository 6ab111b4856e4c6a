// SPDX-License-Identifier: Apache-2.0
//
// The requantiser's lanes against plain arithmetic: one row a cycle, with and without stalls.
#include <deque>
#include <set>

#include "Vweft_requantise_weft1024.h"
#include "Vweft_requantise_weft256.h"
#include "Vweft_requantise_weft64.h"
#include "tb/lib/bench.h"
#include "tb/unit/post/ports.h"
#include "tb/unit/post/post_model.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::Put;
using testing::Rng;
using testing::Take;

template <typename M, int kIndex>
struct Lanes : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

// One channel's value and how it is treated.
struct Channel {
  int32_t x;
  int32_t multiplier;
  int shift;
  int32_t bias;
};

struct Row {
  bool to_acc;  // all 32 bits, back to the accumulators; otherwise zero point, clamp, a result
  int rounding;
  bool per_channel;
  int32_t zero, low, high;
  std::vector<Channel> channels;  // N of them
};

// Sends rows as blocks of one row: each brings its own parameters.
template <typename Model>
class Requantiser {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;
  static constexpr int kN = kConfig.n;
  static constexpr int kLanes = kConfig.post_lanes;

  explicit Requantiser(Rng& rng) : rng_(rng), bench_(200000000) {
    bench_->valid_i = 0;
    bench_->src_operand_i = bench_->add_acc_i = 0;
    bench_->use_bias_i = 1;
    bench_->left_i = 0;
    bench_->offset_i = 0;
    bench_->res_ready_i = 1;
    bench_->mul_valid_i = 0;
  }

  // A product for softmax, whether results are taken or not; only while nothing else is at work.
  void CheckProduct(int32_t a, int32_t b, bool next) {
    if (!next) {
      bench_->valid_i = 0;
      bench_->res_ready_i = 1;
      while (!bench_->empty_o) bench_.Tick();
    }
    bench_->mul_valid_i = 1;
    bench_->mul_a_i = a;
    bench_->mul_b_i = b;
    bench_->res_ready_i = rng_.Chance(0.5);
    bench_.Tick();
    bench_->mul_valid_i = 0;
    bench_->mul_a_i = static_cast<int32_t>(rng_.Bits());
    bench_->mul_b_i = static_cast<int32_t>(rng_.Bits());
    for (int i = 0; i < 2; ++i) {
      bench_->res_ready_i = rng_.Chance(0.5);
      bench_.Tick();
    }
    const int64_t want = (int64_t{a} * b + (int64_t{1} << 30)) >> 31;
    ASSERT_EQ(bench_->mul_o, static_cast<uint64_t>(want) & 0x1ffffffff) << a << " * " << b;
    ASSERT_TRUE(bench_->empty_o);
  }

  void Check(const std::vector<Row>& rows, double stall) {
    size_t sent = 0;
    std::deque<std::pair<const Row*, int>> flying;  // row, group
    std::vector<int32_t> acc(kN), bias(kN), multiplier(kN);
    std::vector<int8_t> shift(kN);
    int group = 0;
    bool owned = false;  // the record in prm_* is still in use
    while (sent < rows.size() || !flying.empty()) {
      const Row* row = sent < rows.size() ? &rows[sent] : nullptr;
      const bool send = row != nullptr && (group > 0 || !owned) && !rng_.Chance(stall);
      bench_->res_ready_i = !rng_.Chance(stall);
      bench_->valid_i = send;
      if (send && group == 0) {
        for (int n = 0; n < kN; ++n) {
          const Channel& channel = row->channels[n];
          acc[n] = channel.x;
          bias[n] = channel.bias;
          multiplier[n] = channel.multiplier;
          shift[n] = static_cast<int8_t>(channel.shift);
        }
        Put(bench_->prm_bias_i, bias);
        Put(bench_->prm_mult_i, multiplier);
        Put(bench_->prm_shift_i, shift);
      }
      if (send) {
        bench_->first_i = group == 0;
        bench_->to_acc_i = row->to_acc;
        bench_->final_i = !row->to_acc;
        bench_->per_channel_i = row->per_channel;
        bench_->rounding_i = row->rounding;
        bench_->mult_i = row->channels[0].multiplier;
        bench_->shift_i = row->channels[0].shift;
        bench_->zero_i = row->zero;
        bench_->low_i = row->low;
        bench_->high_i = row->high;
        bench_->group_i = group;
        bench_->last_i = group == kConfig.n / kLanes - 1;
      }
      bench_.Settle();
      const bool fire = send && bench_->ready_o;
      if (bench_->prm_free_o) owned = false;
      if (bench_->acc_wr_en_o || (bench_->res_valid_o && bench_->res_ready_i)) {
        ASSERT_FALSE(flying.empty());
        Compare(*flying.front().first, flying.front().second);
        if (::testing::Test::HasFailure()) return;
        flying.pop_front();
      }
      if (fire) {
        flying.push_back({row, group});
        owned = owned || group == 0;
      }
      bench_.Tick();
      if (fire) {
        Put(bench_->acc_data_i, acc);
        if (++group == kN / kLanes) {
          group = 0;
          ++sent;
        }
      }
    }
    ASSERT_TRUE(bench_->empty_o || bench_->res_valid_o);
  }

 private:
  void Compare(const Row& row, int group) {
    ASSERT_EQ(bench_->acc_wr_en_o, row.to_acc);
    const std::vector<int8_t> result = Take<int8_t>(bench_->res_data_o, kLanes);
    const std::vector<int32_t> written = Take<int32_t>(bench_->acc_wr_data_o, kN);
    if (row.to_acc) {
      const uint64_t lanes = (uint64_t{1} << kLanes) - 1;
      ASSERT_EQ(bench_->acc_wr_lanes_o, lanes << (group * kLanes));
    }
    for (int lane = 0; lane < kLanes; ++lane) {
      Channel channel = row.channels[group * kLanes + lane];
      if (!row.per_channel) {
        channel.multiplier = row.channels[0].multiplier;
        channel.shift = row.channels[0].shift;
      }
      const int32_t x = post_model::Wrap(post_model::Wide{channel.x} + channel.bias);
      const int32_t scaled =
          post_model::Requantise(x, channel.multiplier, channel.shift, row.rounding);
      const int32_t got = row.to_acc ? written[group * kLanes + lane] : result[lane];
      const int32_t want =
          row.to_acc ? scaled
                     : post_model::Clamp(post_model::Wrap(post_model::Wide{scaled} + row.zero),
                                         row.low, row.high);
      ASSERT_EQ(got, want) << "x " << x << ", multiplier " << channel.multiplier << ", shift "
                           << channel.shift << ", rounding " << row.rounding << ", zero "
                           << row.zero << ", clamp " << row.low << ".." << row.high;
    }
  }

  Rng& rng_;
  testing::Bench<Model> bench_;
};

template <typename T>
class RequantiseTest : public ::testing::Test {
 protected:
  static constexpr int kN = T::kConfig.n;
};
using Requantisers =
    ::testing::Types<Lanes<Vweft_requantise_weft64, 0>, Lanes<Vweft_requantise_weft256, 1>,
                     Lanes<Vweft_requantise_weft1024, 2>>;
TYPED_TEST_SUITE(RequantiseTest, Requantisers);

int32_t RandomValue(Rng& rng) {
  static const std::vector<int32_t> kSpecial = {INT32_MIN,
                                                INT32_MIN + 1,
                                                -(1 << 30) - 1,
                                                -(1 << 30),
                                                -65536,
                                                -65535,
                                                -2,
                                                -1,
                                                0,
                                                1,
                                                2,
                                                65535,
                                                65536,
                                                1 << 30,
                                                (1 << 30) + 1,
                                                INT32_MAX - 1,
                                                INT32_MAX};
  switch (rng.Int(0, 3)) {
    case 0:
      return static_cast<int32_t>(rng.Bits());
    case 1:
      return static_cast<int32_t>(rng.Int(-70000, 70000));
    case 2:
      return static_cast<int32_t>(static_cast<int32_t>(rng.Bits()) >> rng.Int(0, 31));
    default:
      return rng.Pick(kSpecial);
  }
}

Row EmptyRow(Rng& rng, int rounding) {
  Row row{.to_acc = rng.Chance(0.3),
          .rounding = rounding,
          .per_channel = true,
          .zero = 0,
          .low = -128,
          .high = 127,
          .channels = {}};
  if (rng.Chance(0.5)) row.zero = static_cast<int32_t>(rng.Int(-128, 127));
  if (rng.Chance(0.2)) {
    row.low = static_cast<int32_t>(rng.Int(-128, 127));
    row.high = static_cast<int32_t>(rng.Int(row.low, 127));
  }
  return row;
}

std::vector<Row> InRows(std::vector<Channel> channels, int n, int rounding, bool to_acc) {
  while (channels.size() % n != 0) channels.push_back({0, 0, 0, 0});
  std::vector<Row> rows;
  for (auto it = channels.begin(); it != channels.end(); it += n)
    rows.push_back({to_acc, rounding, true, 0, -128, 127, {it, it + n}});
  return rows;
}

// Any value, multiplier, shift and bias; most of the results are saturated.
TYPED_TEST(RequantiseTest, AnyValues) {
  Rng rng;
  Requantiser<TypeParam> requantiser(rng);
  for (const double stall : {0.0, 0.3}) {
    std::vector<Row> rows;
    for (int i = 0; i < 400000 / this->kN; ++i) {
      Row row = EmptyRow(rng, static_cast<int>(rng.Int(0, 2)));
      row.per_channel = rng.Chance(0.7);
      for (int n = 0; n < this->kN; ++n)
        row.channels.push_back({RandomValue(rng), RandomValue(rng),
                                static_cast<int>(rng.Int(-31, 31)), RandomValue(rng)});
      rows.push_back(row);
    }
    requantiser.Check(rows, stall);
    if (this->HasFailure()) return;
  }
}

// The multiplier, which the proof in tb/formal/requantise leaves out: every pair of numbers next to
// a power of two, of both signs. Shift 31 shows the low word of the product, shift -1 the high one.
TYPED_TEST(RequantiseTest, ProductCorners) {
  std::set<int32_t> corners = {0};
  for (int bit = 0; bit < 32; ++bit)
    for (const int64_t near : {-1, 0, 1})
      for (const int64_t sign : {-1, 1})
        corners.insert(static_cast<int32_t>(sign * ((int64_t{1} << bit) + near)));
  std::vector<Channel> channels;
  for (const int32_t x : corners)
    for (const int32_t multiplier : corners)
      for (const int shift : {31, -1}) channels.push_back({x, multiplier, shift, 0});
  Rng rng;
  Requantiser<TypeParam> requantiser(rng);
  requantiser.Check(InRows(channels, this->kN, 1, true), 0.0);
}

// Softmax's products, between rows.
TYPED_TEST(RequantiseTest, ProductsForSoftmax) {
  Rng rng;
  Requantiser<TypeParam> requantiser(rng);
  for (int i = 0; i < 2000; ++i) {
    Row row = EmptyRow(rng, static_cast<int>(rng.Int(0, 2)));
    for (int n = 0; n < this->kN; ++n)
      row.channels.push_back({RandomValue(rng), RandomValue(rng),
                              static_cast<int>(rng.Int(-31, 31)), RandomValue(rng)});
    requantiser.Check({row}, 0.3);
    for (int k = 0; k < 10; ++k)
      requantiser.CheckProduct(RandomValue(rng), RandomValue(rng), k > 0);
    if (this->HasFailure()) return;
  }
}

// Results inside int8 and at its ends: every bit of the rounding shows.
TYPED_TEST(RequantiseTest, ResultsInRange) {
  Rng rng;
  Requantiser<TypeParam> requantiser(rng);
  for (int rounding = 0; rounding < 3; ++rounding) {
    std::vector<Row> rows;
    for (int i = 0; i < 700000 / this->kN; ++i) {
      Row row = EmptyRow(rng, rounding);
      for (int n = 0; n < this->kN; ++n) {
        const int shift = static_cast<int>(rng.Int(-31, 12));
        const int32_t multiplier = static_cast<int32_t>(rng.Int(1 << 30, INT32_MAX));
        // x with x * multiplier * 2^(shift - 31) near y / 2, where the ties are.
        const double y = static_cast<double>(rng.Int(-270, 270)) / 2;
        const double exact = std::ldexp(y, 31 - shift) / multiplier;
        const double x =
            std::clamp(exact + static_cast<double>(rng.Int(-1, 1)), -2147483648.0, 2147483647.0);
        const int32_t bias = RandomValue(rng);
        row.channels.push_back({post_model::Wrap(post_model::Wide{static_cast<int32_t>(x)} - bias),
                                multiplier, shift, bias});
      }
      rows.push_back(row);
    }
    requantiser.Check(rows, rounding == 1 ? 0.2 : 0.0);
    if (this->HasFailure()) return;
  }
}

// Exact ties of both signs and their neighbours, for every shift: the multiplier is a power of two,
// so x / 2^e has a tie wherever the rest is 2^(e-1); double rounding sees the tie in either step.
TYPED_TEST(RequantiseTest, Ties) {
  Rng rng;
  Requantiser<TypeParam> requantiser(rng);
  std::vector<Channel> channels;
  for (int shift = -31; shift <= 12; ++shift) {
    for (const int log2 : {30, 29, 16, 15}) {
      const int down = 31 - log2 - shift;  // the result is x / 2^down
      if (down < 1 || down > 31) continue;
      for (int y = -129; y <= 129; ++y) {
        for (int64_t near = -1; near <= 1; ++near) {
          const int64_t x = y * (int64_t{1} << down) + (int64_t{1} << (down - 1)) + near;
          if (x < INT32_MIN || x > INT32_MAX) continue;
          for (const int32_t sign : {1, -1})
            channels.push_back({static_cast<int32_t>(x), sign * (1 << log2), shift, 0});
        }
      }
    }
  }
  for (int rounding = 0; rounding < 3; ++rounding) {
    for (const bool to_acc : {false, true}) {
      requantiser.Check(InRows(channels, this->kN, rounding, to_acc), 0.0);
      if (this->HasFailure()) return;
    }
  }
}

// All pairs of extreme values, all shifts, all roundings, all 32 bits of the result.
TYPED_TEST(RequantiseTest, Corners) {
  Rng rng;
  Requantiser<TypeParam> requantiser(rng);
  std::vector<int32_t> values;
  for (const int64_t centre : {-(int64_t{1} << 31), -(int64_t{1} << 30), -(int64_t{1} << 16),
                               int64_t{0}, int64_t{1} << 15, int64_t{1} << 30, int64_t{1} << 31}) {
    for (int64_t value = centre - 2; value <= centre + 2; ++value) {
      if (value >= INT32_MIN && value <= INT32_MAX) values.push_back(static_cast<int32_t>(value));
    }
  }
  std::vector<Channel> channels;
  for (const int32_t x : values) {
    for (const int32_t multiplier : values) {
      for (int shift = -31; shift <= 31; ++shift) channels.push_back({x, multiplier, shift, 0});
    }
  }
  for (int rounding = 0; rounding < 3; ++rounding) {
    for (const bool to_acc : {false, true}) {
      requantiser.Check(InRows(channels, this->kN, rounding, to_acc), 0.0);
      if (this->HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace weft
