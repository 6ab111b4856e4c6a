// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "Vweft_weight_ring_weft1024.h"
#include "Vweft_weight_ring_weft256.h"
#include "Vweft_weight_ring_weft64.h"
#include "tb/lib/bench.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

template <typename M, int kIndex>
struct Ring : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

template <typename T>
class WeightRingTest : public ::testing::Test {};
using Rings =
    ::testing::Types<Ring<Vweft_weight_ring_weft64, 0>, Ring<Vweft_weight_ring_weft256, 1>,
                     Ring<Vweft_weight_ring_weft1024, 2>>;
TYPED_TEST_SUITE(WeightRingTest, Rings);

// Beats in, words out, more than once around; words are read at random among those that are there.
TYPED_TEST(WeightRingTest, WordsInOrderOfBeats) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  constexpr int kWord = config.weight_word;
  constexpr int kBeat = config.axi_bytes;
  testing::Rng rng;
  testing::Bench<TypeParam> bench;
  const int words = 2 * config.ring_words() + 100;
  const std::vector<uint8_t> stream = rng.Vector<uint8_t>(words * kWord);

  int bytes = 0;
  int64_t reading = -1;
  bench->wr_valid_i = bench->rd_en_i = 0;
  while (bytes < words * kWord) {
    const int written = bytes / kWord;
    ASSERT_EQ(bench->written_o, written & 0xffff);
    bench->wr_valid_i = rng.Chance(0.8);
    if (bench->wr_valid_i) std::memcpy(&bench->wr_data_i, &stream[bytes], kBeat);
    bench->rd_en_i = written > 0 && rng.Chance(0.8);
    if (bench->rd_en_i) {
      // The oldest word of a full ring is about to be overwritten.
      reading = rng.Chance(0.3)
                    ? written - 1
                    : rng.Int(std::max(0, written - config.ring_words() + 1), written - 1);
      bench->rd_addr_i = reading % config.ring_words();
    }
    bytes += bench->wr_valid_i ? kBeat : 0;
    bench.Tick();
    if (reading >= 0) {
      ASSERT_EQ(std::memcmp(&bench->rd_data_o, &stream[reading * kWord], kWord), 0) << reading;
    }
  }
  bench->wr_valid_i = 0;
  bench.Reset();
  EXPECT_EQ(bench->written_o, 0);
}

}  // namespace
}  // namespace weft
