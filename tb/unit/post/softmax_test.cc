// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "Vweft_softmax_harness_weft1024.h"
#include "Vweft_softmax_harness_weft256.h"
#include "Vweft_softmax_harness_weft64.h"
#include "tb/lib/bench.h"
#include "tb/unit/post/ports.h"
#include "tb/unit/post/post_model.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::Put;
using testing::PutBytes;
using testing::Rng;

template <typename M, int kIndex>
struct Unit : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

// Runs one row; the table's words, the memory and the results stall.
template <typename Model>
class Softmax {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;

  explicit Softmax(Rng& rng) : rng_(rng), bench_(100000000) {
    scratchpad_.resize(kConfig.scratchpad);
    bench_->start_i = bench_->table_valid_i = bench_->gnt_i = bench_->res_ready_i = 0;
  }

  // Cycles from start to the last result.
  uint64_t Check(const std::vector<int8_t>& row, const std::vector<int32_t>& table, double stall) {
    const int in = static_cast<int>(rng_.Int(0, kConfig.scratchpad - static_cast<int>(row.size())));
    const int out =
        static_cast<int>(rng_.Int(0, kConfig.scratchpad - static_cast<int>(row.size())));
    for (int8_t& byte : scratchpad_)
      byte = static_cast<int8_t>(byte * 5 + 3);  // not what was before
    std::copy(row.begin(), row.end(), scratchpad_.begin() + in);
    SendTable(table, stall);
    const std::vector<int8_t> want = post_model::Softmax(row, table);
    size_t results = 0;
    bench_->start_i = 1;
    bench_->in_addr_i = in;
    bench_->out_addr_i = out;
    bench_->length_i = row.size();
    const uint64_t begin = bench_.cycle();
    int word = -1;
    do {
      bench_->res_ready_i = !rng_.Chance(stall);
      bench_.Settle();
      EXPECT_FALSE(bench_->err_o);
      bench_->gnt_i = bench_->req_o && !rng_.Chance(stall);
      if (bench_->gnt_i) word = bench_->addr_o;
      if (bench_->res_valid_o && bench_->res_ready_i) {
        EXPECT_LT(results, row.size());
        EXPECT_EQ(bench_->res_addr_o, out + results);
        EXPECT_EQ(static_cast<int8_t>(bench_->res_data_o), want[results])
            << "element " << results << " of " << row.size() << ", value " << int{row[results]};
        ++results;
        EXPECT_EQ(bench_->res_last_o, results == row.size());
      }
      bench_.Tick();
      bench_->start_i = 0;
      if (word >= 0) {
        PutBytes(bench_->data_i, &scratchpad_[word * kConfig.word()], kConfig.word());
      } else {
        Put(bench_->data_i, rng_.Vector<int8_t>(kConfig.word()));
      }
      word = -1;
      bench_->gnt_i = 0;
      if (::testing::Test::HasFailure()) break;
    } while (bench_->busy_o);
    EXPECT_EQ(results, row.size());
    EXPECT_FALSE(bench_->table_full_o);
    return bench_.cycle() - begin;
  }

 private:
  void SendTable(const std::vector<int32_t>& table, double stall) {
    const int entries = kConfig.weight_word / 4;
    for (int i = 0; i < 256;) {
      bench_->table_valid_i = !rng_.Chance(stall);
      bench_->table_last_i = i + entries == 256;
      if (bench_->table_valid_i) {
        PutBytes(bench_->table_data_i, &table[i], kConfig.weight_word);
        EXPECT_TRUE(bench_->table_ready_o);
        i += entries;
      }
      EXPECT_FALSE(bench_->table_full_o);
      bench_.Tick();
    }
    EXPECT_TRUE(bench_->table_full_o);
    EXPECT_FALSE(bench_->table_ready_o);
    bench_->table_valid_i = 0;
  }

  Rng& rng_;
  testing::Bench<Model> bench_;
  std::vector<int8_t> scratchpad_;
};

// exp(-d * step), zero beyond the last of `entries`.
std::vector<int32_t> Exponentials(double step, int entries) {
  std::vector<int32_t> table(256, 0);
  for (int d = 0; d < entries; ++d)
    table[d] = static_cast<int32_t>(std::min(std::exp(-d * step) * 2147483648.0, 2147483647.0));
  return table;
}

template <typename T>
class SoftmaxTest : public ::testing::Test {};
using Units =
    ::testing::Types<Unit<Vweft_softmax_harness_weft64, 0>, Unit<Vweft_softmax_harness_weft256, 1>,
                     Unit<Vweft_softmax_harness_weft1024, 2>>;
TYPED_TEST_SUITE(SoftmaxTest, Units);

TYPED_TEST(SoftmaxTest, RandomRows) {
  Rng rng;
  Softmax<TypeParam> softmax(rng);
  for (int i = 0; i < 400 && !this->HasFailure(); ++i) {
    const size_t length = rng.Chance(0.9) ? rng.Int(1, 40) : rng.Int(1, 1000);
    const int64_t low = rng.Chance(0.5) ? -128 : rng.Int(-128, 127);
    const std::vector<int8_t> row = rng.Vector<int8_t>(length, low, rng.Int(low, 127));
    softmax.Check(row, Exponentials(rng.Real() * 0.3, static_cast<int>(rng.Int(1, 256))),
                  rng.Pick<double>({0, 0.2, 0.7}));
  }
}

// All equal, one stands out, the whole range, and the longest rows: sums from one exponential up to
// where they nearly leave 32 bits.
TYPED_TEST(SoftmaxTest, Extremes) {
  Rng rng;
  Softmax<TypeParam> softmax(rng);
  const std::vector<int32_t> steep = Exponentials(20, 2), flat = Exponentials(0, 256),
                             usual = Exponentials(0.1, 200);
  for (const size_t length : {1, 2, 3, 10, 255, 256, 257, 1000, 4000}) {
    for (const auto& table : {steep, flat, usual}) {
      for (const int8_t value : {int8_t{-128}, int8_t{0}, int8_t{127}}) {
        std::vector<int8_t> row(length, value);
        softmax.Check(row, table, 0);
        row[length / 2] = 127;
        row[length - 1] = -128;
        softmax.Check(row, table, 0);
        if (this->HasFailure()) return;
      }
    }
  }
  std::vector<int8_t> all;
  for (int value = -128; value < 128; ++value) all.push_back(static_cast<int8_t>(value));
  softmax.Check(all, usual, 0.1);
}

// Sums that do not fit: beyond 32 bits, and 0, of exponentials that vanish or modulo 2^32.
TYPED_TEST(SoftmaxTest, SumsThatOverflow) {
  Rng rng;
  Softmax<TypeParam> softmax(rng);
  const std::vector<int32_t> flat(256, std::numeric_limits<int32_t>::max()), small(256, 2047);
  for (const size_t length : {8191, 8192, 8193, 16384, 20000}) {
    softmax.Check(std::vector<int8_t>(length, 5), flat, 0);
  }
  for (const size_t length : {1, 2, 100}) {
    softmax.Check(rng.Vector<int8_t>(length), small, 0);
    softmax.Check(rng.Vector<int8_t>(length), std::vector<int32_t>(256, 0), 0);
  }
}

// Tables that hold no exponentials: any bits, and corners.
TYPED_TEST(SoftmaxTest, AnyTable) {
  Rng rng;
  Softmax<TypeParam> softmax(rng);
  const std::vector<int32_t> corners = {0,
                                        1,
                                        2047,
                                        2048,
                                        -1,
                                        -2048,
                                        -2049,
                                        std::numeric_limits<int32_t>::max(),
                                        std::numeric_limits<int32_t>::min()};
  for (int i = 0; i < 400 && !this->HasFailure(); ++i) {
    std::vector<int32_t> table = rng.Vector<int32_t>(256);
    const double part = rng.Pick<double>({0, 0.5, 1});
    for (int32_t& entry : table) {
      if (rng.Chance(part)) entry = rng.Pick(corners);
    }
    softmax.Check(rng.Vector<int8_t>(static_cast<size_t>(rng.Int(1, 60))), table, 0);
  }
}

TYPED_TEST(SoftmaxTest, TenClassesTakeFewCycles) {
  Rng rng;
  Softmax<TypeParam> softmax(rng);
  for (int i = 0; i < 20; ++i)
    EXPECT_LE(softmax.Check(rng.Vector<int8_t>(10), Exponentials(0.1, 256), 0), 160u);
}

}  // namespace
}  // namespace weft
