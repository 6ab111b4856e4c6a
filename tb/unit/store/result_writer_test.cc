// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "Vweft_result_writer_weft1024.h"
#include "Vweft_result_writer_weft256.h"
#include "Vweft_result_writer_weft64.h"
#include "tb/lib/bench.h"
#include "tb/unit/dma/axi_memory.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::Bench;
using testing::PortBytes;
using testing::Rng;

template <typename M, int kIndex>
struct Writer : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

struct Result {
  int address;
  std::vector<uint8_t> data;
  uint64_t mask;
  bool last;
};

template <typename Model>
class Harness {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;
  static constexpr int kWord = kConfig.word();
  static constexpr int kLanes = kConfig.post_lanes;

  Harness(Rng& rng, double stall) : source(rng, stall), spad(kConfig.scratchpad), rng_(rng) {}

  void Push(const Result& result) { source.Push(result); }

  void Cycle() {
    bench->res_valid_i = source.valid();
    if (source.valid()) {
      const Result& result = source.data();
      bench->res_addr_i = result.address;
      std::memcpy(PortBytes(bench->res_data_i), result.data.data(), kLanes);
      bench->res_mask_i = result.mask;
      bench->res_blk_last_i = result.last;
    }
    bench->spad_gnt_i = bench->spad_req_o & Grants();
    // Both words in one bank: the low one goes first.
    if (one_bank && bench->spad_gnt_i == 3) bench->spad_gnt_i = 1;
    bench.Settle();
    for (int p = 0; p < 2; ++p) {
      if (!(bench->spad_gnt_i >> p & 1)) continue;
      ++writes;
      const auto word = testing::GetBits(bench->spad_addr_o, p * AddrWidth(), AddrWidth());
      ASSERT_LT(word, static_cast<uint64_t>(kConfig.scratchpad / kWord));
      for (int b = 0; b < kWord; ++b) {
        if (testing::GetBits(bench->spad_mask_o, p * kWord + b, 1))
          spad[word * kWord + b] = PortBytes(bench->spad_data_o)[p * kWord + b];
      }
    }
    blocks += bench->block_retired_o;
    if (bench->block_retired_o) spad_at_retirement = spad;
    source.Step(bench->res_ready_o);
    bench.Tick();
  }

  static int AddrWidth() {
    return std::bit_width(static_cast<unsigned>(kConfig.scratchpad / kWord - 1));
  }

  Bench<Model> bench;
  testing::Source<Result> source;
  std::vector<uint8_t> spad, spad_at_retirement;
  int blocks = 0;
  int writes = 0;
  double grant_stall = 0;
  bool one_bank = false;

 private:
  unsigned Grants() {
    return (rng_.Chance(grant_stall) ? 0 : 1) | (rng_.Chance(grant_stall) ? 0 : 2);
  }

  Rng& rng_;
};

template <typename T>
class ResultWriterTest : public ::testing::Test {};
using Writers =
    ::testing::Types<Writer<Vweft_result_writer_weft64, 0>, Writer<Vweft_result_writer_weft256, 1>,
                     Writer<Vweft_result_writer_weft1024, 2>>;
TYPED_TEST_SUITE(ResultWriterTest, Writers);

TYPED_TEST(ResultWriterTest, AnyAddressAnyMask) {
  constexpr int kLanes = TypeParam::kConfig.post_lanes;
  constexpr int kBytes = TypeParam::kConfig.scratchpad;
  Rng rng;
  for (double stall : {0.0, 0.3, 0.8}) {
    Harness<TypeParam> harness(rng, stall);
    harness.grant_stall = stall;
    for (int block = 0; block < 40; ++block) {
      std::vector<uint8_t> expected = harness.spad;
      const int64_t count = rng.Int(1, 60);
      for (int64_t i = 0; i < count; ++i) {
        Result result = {static_cast<int>(rng.Int(0, kBytes - kLanes)), rng.Vector<uint8_t>(kLanes),
                         rng.Bits() & (~uint64_t{0} >> (64 - kLanes)), i == count - 1};
        if (rng.Chance(0.5)) result.mask = ~uint64_t{0} >> (64 - kLanes);
        if (rng.Chance(0.1)) result.mask = 0;
        // At the very end only the lanes that fit.
        if (rng.Chance(0.1)) {
          result.address = kBytes - static_cast<int>(rng.Int(1, kLanes));
          result.mask = ~uint64_t{0} >> (64 - (kBytes - result.address));
        }
        for (int b = 0; b < kLanes; ++b)
          if (result.mask >> b & 1) expected[result.address + b] = result.data[b];
        harness.Push(result);
      }
      harness.one_bank = rng.Chance(0.3);
      for (int i = 0; harness.blocks == block; ++i) {
        ASSERT_LT(i, 10000);
        harness.Cycle();
        if (this->HasFatalFailure()) return;
      }
      ASSERT_EQ(harness.spad_at_retirement, expected);
      EXPECT_EQ(harness.bench->idle_o, 1);
    }
    for (int i = 0; i < 20; ++i) harness.Cycle();
    EXPECT_EQ(harness.blocks, 40);
    EXPECT_EQ(harness.bench->err_o, 0);
  }
}

TYPED_TEST(ResultWriterTest, AVectorACycle) {
  constexpr int kLanes = TypeParam::kConfig.post_lanes;
  Rng rng;
  Harness<TypeParam> harness(rng, 0.0);
  for (int i = 0; i < 1000; ++i)
    harness.Push(
        {3 + i * kLanes, std::vector<uint8_t>(kLanes), ~uint64_t{0} >> (64 - kLanes), i == 999});
  int cycles = 0;
  for (; harness.blocks == 0; ++cycles) harness.Cycle();
  EXPECT_LE(cycles, 1002);
}

TYPED_TEST(ResultWriterTest, OutsideTheScratchpadIsRefused) {
  constexpr int kLanes = TypeParam::kConfig.post_lanes;
  constexpr int kBytes = TypeParam::kConfig.scratchpad;
  Rng rng;
  for (int address : {kBytes - kLanes + 1, kBytes, kBytes + 5, (1 << 21) - 1}) {
    Harness<TypeParam> harness(rng, 0.0);
    harness.Push({address, std::vector<uint8_t>(kLanes), ~uint64_t{0} >> (64 - kLanes), true});
    for (int i = 0; i < 10; ++i) harness.Cycle();
    EXPECT_EQ(harness.bench->err_o, 1) << address;
    EXPECT_EQ(harness.writes, 0);
    EXPECT_EQ(harness.blocks, 0);
    harness.bench.Reset();
    EXPECT_EQ(harness.bench->err_o, 0);
  }
}

}  // namespace
}  // namespace weft
