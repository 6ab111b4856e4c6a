// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstring>

#include "Vweft_ram.h"
#include "tb/lib/bench.h"

namespace weft {
namespace {

constexpr int kDepth = 24;
constexpr int kBytes = 16;
using Word = std::array<uint8_t, kBytes>;

// The memory has no reset; the bench wants one.
struct Ram : Vweft_ram {
  using Vweft_ram::Vweft_ram;
  uint8_t rst_ni = 0;
};

TEST(Ram, ReadsWhatWasWrittenByteByByte) {
  testing::Rng rng;
  testing::Bench<Ram> bench;
  std::array<Word, kDepth> model = {};
  bench->rd_en_i = 0;
  for (int a = 0; a < kDepth; ++a) {
    bench->wr_en_i = 1;
    bench->wr_addr_i = a;
    bench->wr_mask_i = 0xffff;
    std::memset(&bench->wr_data_i, 0, kBytes);
    bench.Tick();
  }
  Word read = {};
  bool known = false;
  for (int i = 0; i < 20000; ++i) {
    const Word data = [&] {
      Word w;
      for (uint8_t& b : w) b = static_cast<uint8_t>(rng.Bits());
      return w;
    }();
    bench->rd_en_i = rng.Chance(0.7);
    bench->rd_addr_i = rng.Int(0, kDepth - 1);
    bench->wr_en_i = rng.Chance(0.7);
    bench->wr_addr_i = rng.Chance(0.3) ? bench->rd_addr_i : rng.Int(0, kDepth - 1);
    bench->wr_mask_i = rng.Bits() & 0xffff;
    std::memcpy(&bench->wr_data_i, data.data(), kBytes);
    // The old word is read when the same address is written; without a read the output holds.
    if (bench->rd_en_i) {
      read = model[bench->rd_addr_i];
      known = true;
    }
    if (bench->wr_en_i) {
      for (int b = 0; b < kBytes; ++b) {
        if (bench->wr_mask_i >> b & 1) model[bench->wr_addr_i][b] = data[b];
      }
    }
    bench.Tick();
    if (known) {
      ASSERT_EQ(std::memcmp(&bench->rd_data_o, read.data(), kBytes), 0) << "step " << i;
    }
  }
}

}  // namespace
}  // namespace weft
