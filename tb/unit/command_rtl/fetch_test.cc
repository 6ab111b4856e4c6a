// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>
#include <deque>

#include "Vweft_fetch_weft1024.h"
#include "Vweft_fetch_weft256.h"
#include "Vweft_fetch_weft64.h"
#include "tb/lib/bench.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::Rng;

template <typename M, int kIndex>
struct Fetch : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

template <typename T>
class FetchTest : public ::testing::Test {};
using Fetches = ::testing::Types<Fetch<Vweft_fetch_weft64, 0>, Fetch<Vweft_fetch_weft256, 1>,
                                 Fetch<Vweft_fetch_weft1024, 2>>;
TYPED_TEST_SUITE(FetchTest, Fetches);

// Byte `address` of the memory.
uint8_t Content(uint64_t address) {
  return static_cast<uint8_t>((address * 0x9e3779b97f4a7c15u) >> 56);
}

// Every record once, in order, with its index; nothing is asked for without a place for it.
TYPED_TEST(FetchTest, RecordsInOrder) {
  constexpr int kBeat = TypeParam::kConfig.axi_bytes;
  constexpr uint32_t kPlaces = 16;
  Rng rng;
  testing::Bench<TypeParam> bench(10000000);
  for (int round = 0; round < 400; ++round) {
    const double stall_request = rng.Pick<double>({0, 0.3, 0.9});
    const double stall_answer = rng.Pick<double>({0, 0.3, 0.9});
    const double stall_command = rng.Pick<double>({0, 0.3, 0.9});
    const uint32_t count =
        static_cast<uint32_t>(rng.Chance(0.5) ? rng.Int(1, 20) : rng.Int(1, 200));
    const uint64_t start = (rng.Bits() & 0xffffffffff) / 64 * 64;
    // Sometimes a reset ends it early.
    const uint32_t stop = rng.Chance(0.2) ? static_cast<uint32_t>(rng.Int(0, count - 1)) : count;
    bench->start_i = 1;
    bench->addr_i = start;
    bench->count_i = count;
    bench->req_ready_i = bench->rsp_valid_i = bench->cmd_ready_i = 0;
    bench.Tick();
    bench->start_i = 0;
    bench->addr_i = rng.Bits() & 0xffffffffff;
    bench->count_i = static_cast<uint32_t>(rng.Bits());
    uint64_t asked = start, answered = start;
    uint32_t handed = 0;
    while (handed < stop) {
      bench->req_ready_i = !rng.Chance(stall_request);
      bench->cmd_ready_i = !rng.Chance(stall_command);
      bench->rsp_valid_i = answered < asked && (bench->rsp_valid_i || !rng.Chance(stall_answer));
      std::array<uint8_t, kBeat> beat;
      for (int i = 0; i < kBeat; ++i) beat[i] = Content(answered + i);
      std::memcpy(static_cast<void*>(&bench->rsp_data_i), beat.data(), kBeat);
      bench.Settle();
      ASSERT_FALSE(bench->exhausted_o);
      if (bench->req_valid_o && bench->req_ready_i) {
        ASSERT_EQ(bench->req_addr_o, asked & 0xffffffffff);
        ASSERT_GT(bench->req_bytes_o, 0u);
        ASSERT_EQ(bench->req_bytes_o % 32, 0u);
        ASSERT_LE(bench->req_bytes_o, 256u);
        asked += bench->req_bytes_o;
        ASSERT_LE(asked - start, uint64_t{32} * count);
        ASSERT_LE((asked - start) / 32 - handed, kPlaces);
      }
      if (bench->rsp_valid_i) {
        ASSERT_TRUE(bench->rsp_ready_o);
        answered += kBeat;
      }
      if (bench->cmd_valid_o && bench->cmd_ready_i) {
        ASSERT_EQ(bench->cmd_index_o, handed);
        std::array<uint8_t, 32> record;
        std::memcpy(record.data(), static_cast<const void*>(&bench->cmd_o), 32);
        for (int i = 0; i < 32; ++i)
          ASSERT_EQ(record[i], Content(start + uint64_t{32} * handed + i)) << handed;
        ++handed;
      }
      const bool taken = bench->rsp_valid_i;
      bench.Tick();
      if (taken) bench->rsp_valid_i = 0;
    }
    bench->rsp_valid_i = bench->cmd_ready_i = 0;
    if (stop < count) {
      bench.Reset();
    } else {
      bench.Settle();
      ASSERT_EQ(asked, start + uint64_t{32} * count);
    }
    bench.Settle();
    ASSERT_TRUE(bench->exhausted_o);
    ASSERT_FALSE(bench->cmd_valid_o);
    ASSERT_FALSE(bench->req_valid_o);
  }
}

}  // namespace
}  // namespace weft
