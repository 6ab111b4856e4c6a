// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>
#include <vector>

#include "Vweft_scratchpad_weft1024.h"
#include "Vweft_scratchpad_weft256.h"
#include "Vweft_scratchpad_weft64.h"
#include "tb/lib/bench.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::GetBits;
using testing::Rng;
using testing::SetBits;

// The scratchpad has no reset; the bench wants one.
template <typename M, int kIndex>
struct Pad : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
  uint8_t rst_ni = 0;
};

template <typename T>
class ScratchpadTest : public ::testing::Test {};
using Pads = ::testing::Types<Pad<Vweft_scratchpad_weft64, 0>, Pad<Vweft_scratchpad_weft256, 1>,
                              Pad<Vweft_scratchpad_weft1024, 2>>;
TYPED_TEST_SUITE(ScratchpadTest, Pads);

int BankOf(int word, int banks) { return word & (banks - 1); }

// Readers and writers in order of priority: operand 0, 1, store, feed 0..3; result 0, 1, load.
TYPED_TEST(ScratchpadTest, RandomTrafficAgainstModel) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  constexpr int kWord = config.word();
  constexpr int kWords = config.scratchpad / kWord;
  const int addr_width = std::bit_width(static_cast<unsigned>(kWords - 1));
  Rng rng;
  testing::Bench<TypeParam> bench;
  std::vector<uint8_t> model(config.scratchpad);

  // Fills it through the load port, which also shows that every word has a place of its own.
  bench->feed_req_i = bench->opd_req_i = bench->st_req_i = bench->res_req_i = 0;
  for (int w = 0; w < kWords; ++w) {
    for (int b = 0; b < kWord; ++b) model[w * kWord + b] = static_cast<uint8_t>(rng.Bits());
    bench->ld_req_i = 1;
    bench->ld_addr_i = w;
    SetBits(bench->ld_mask_i, 0, kWord, ~uint64_t{0});
    std::memcpy(&bench->ld_data_i, &model[w * kWord], kWord);
    bench.Settle();
    ASSERT_EQ(bench->ld_gnt_o, 1);
    bench.Tick();
  }

  constexpr int kReaders = 7;
  constexpr int kWriters = 3;
  for (int cycle = 0; cycle < 30000; ++cycle) {
    // Everywhere, or within a few words, so that readers meet writers.
    const int base = rng.Chance(0.5) ? -1 : static_cast<int>(rng.Int(0, kWords - 16));
    const auto word = [&] {
      return static_cast<int>(base < 0 ? rng.Int(0, kWords - 1) : base + rng.Int(0, 15));
    };
    const double load = rng.Chance(0.5) ? 0.9 : 0.3;

    bool rd_req[kReaders];
    int rd_word[kReaders];
    for (int p = 0; p < kReaders; ++p) {
      rd_req[p] = rng.Chance(load);
      rd_word[p] = p > 3 && rng.Chance(0.3) ? rd_word[3] : word();
    }
    bool wr_req[kWriters];
    int wr_word[kWriters];
    std::vector<uint8_t> wr_data[kWriters];
    uint64_t wr_mask[kWriters];
    for (int p = 0; p < kWriters; ++p) {
      wr_req[p] = rng.Chance(load);
      wr_word[p] = word();
      wr_data[p] = rng.Vector<uint8_t>(kWord);
      wr_mask[p] = rng.Bits() & (~uint64_t{0} >> (64 - kWord));
    }

    bench->opd_req_i = rd_req[0] | rd_req[1] << 1;
    bench->st_req_i = rd_req[2];
    bench->feed_req_i = rd_req[3] | rd_req[4] << 1 | rd_req[5] << 2 | rd_req[6] << 3;
    bench->st_addr_i = rd_word[2];
    for (int p = 0; p < 2; ++p) SetBits(bench->opd_addr_i, p * addr_width, addr_width, rd_word[p]);
    for (int p = 0; p < 4; ++p)
      SetBits(bench->feed_addr_i, p * addr_width, addr_width, rd_word[3 + p]);
    bench->res_req_i = wr_req[0] | wr_req[1] << 1;
    for (int p = 0; p < 2; ++p) {
      SetBits(bench->res_addr_i, p * addr_width, addr_width, wr_word[p]);
      SetBits(bench->res_mask_i, p * kWord, kWord, wr_mask[p]);
      std::memcpy(reinterpret_cast<uint8_t*>(&bench->res_data_i) + p * kWord, wr_data[p].data(),
                  kWord);
    }
    bench->ld_req_i = wr_req[2];
    bench->ld_addr_i = wr_word[2];
    bench->ld_mask_i = wr_mask[2];
    std::memcpy(&bench->ld_data_i, wr_data[2].data(), kWord);
    bench.Settle();

    // One grant a bank, to the first in order of priority.
    bool rd_gnt[kReaders];
    unsigned taken = 0;
    for (int p = 0; p < kReaders; ++p) {
      const unsigned bank = 1u << BankOf(rd_word[p], config.banks);
      rd_gnt[p] = rd_req[p] && !(taken & bank);
      if (rd_req[p]) taken |= bank;
    }
    // But feed ports that ask for the same word share one read.
    for (int p = 4; p < kReaders; ++p) {
      for (int q = 3; q < p; ++q) {
        rd_gnt[p] |= rd_req[p] && rd_gnt[q] && rd_word[p] == rd_word[q];
      }
    }
    ASSERT_EQ(bench->opd_gnt_o, rd_gnt[0] | rd_gnt[1] << 1);
    ASSERT_EQ(bench->st_gnt_o, rd_gnt[2]);
    ASSERT_EQ(bench->feed_gnt_o, rd_gnt[3] | rd_gnt[4] << 1 | rd_gnt[5] << 2 | rd_gnt[6] << 3);
    bool wr_gnt[kWriters];
    taken = 0;
    for (int p = 0; p < kWriters; ++p) {
      const unsigned bank = 1u << BankOf(wr_word[p], config.banks);
      wr_gnt[p] = wr_req[p] && !(taken & bank);
      if (wr_req[p]) taken |= bank;
    }
    ASSERT_EQ(bench->res_gnt_o, wr_gnt[0] | wr_gnt[1] << 1);
    ASSERT_EQ(bench->ld_gnt_o, wr_gnt[2]);

    std::vector<uint8_t> expected[kReaders];
    for (int p = 0; p < kReaders; ++p) {
      const auto first = model.begin() + rd_word[p] * kWord;
      expected[p].assign(first, first + kWord);
    }
    for (int p = 0; p < kWriters; ++p) {
      if (!wr_gnt[p]) continue;
      for (int b = 0; b < kWord; ++b) {
        if (wr_mask[p] >> b & 1) model[wr_word[p] * kWord + b] = wr_data[p][b];
      }
    }
    bench.Tick();
    const uint8_t* ports[] = {reinterpret_cast<uint8_t*>(&bench->opd_data_o),
                              reinterpret_cast<uint8_t*>(&bench->st_data_o),
                              reinterpret_cast<uint8_t*>(&bench->feed_data_o)};
    for (int p = 0; p < kReaders; ++p) {
      if (!rd_gnt[p]) continue;
      const uint8_t* data = p < 2   ? ports[0] + p * kWord
                            : p < 3 ? ports[1]
                                    : ports[2] + (p - 3) * kWord;
      ASSERT_EQ(std::memcmp(data, expected[p].data(), kWord), 0)
          << "cycle " << cycle << " reader " << p;
    }
  }
}

}  // namespace
}  // namespace weft
