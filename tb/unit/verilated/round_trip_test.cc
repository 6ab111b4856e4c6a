// SPDX-License-Identifier: Apache-2.0
//
// Bytes through LOAD, the scratchpad and STORE, as the whole device does it, on a calm and on a
// troublesome memory, and the same to the cycle with the same seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tb/lib/seed.h"
#include "tb/unit/verilated/board.h"

namespace weft::testing {
namespace {

using ::testing::IsEmpty;

class RoundTrip : public OnConfig {};
INSTANTIATE_TEST_SUITE_P(All, RoundTrip, ::testing::ValuesIn(VerilatedConfigs()), ConfigName);

struct Block {
  int64_t rows, row_bytes, in_pitch, out_pitch, spad_pitch;
};

// Copies `blocks` in and out, one behind the other in the scratchpad; cycles it took.
uint64_t Copy(const HardwareConfig& config, const VerilatedOptions& options,
              const std::vector<Block>& blocks, Rng& rng) {
  Board board(config, options);
  const std::vector<uint8_t> in = rng.Vector<uint8_t>(kRegionBytes, 0, 255);
  const std::vector<uint8_t> background = rng.Vector<uint8_t>(kRegionBytes, 0, 255);
  board->WriteMemory(kRegionBytes, in);
  board->WriteMemory(2 * kRegionBytes, background);
  std::vector<uint8_t> out = background;

  std::vector<Command> commands;
  int64_t in_at = 0, out_at = 0, spad_at = 0, number = 0;
  for (const Block& b : blocks) {
    commands.push_back(LoadCmd{.region = 1,
                               .offset = in_at,
                               .spad_addr = spad_at,
                               .rows = b.rows,
                               .row_bytes = b.row_bytes,
                               .mem_pitch = b.in_pitch,
                               .spad_pitch = b.spad_pitch});
    commands.push_back(StoreCmd{.region = 2,
                                .offset = out_at,
                                .spad_addr = spad_at,
                                .rows = b.rows,
                                .row_bytes = b.row_bytes,
                                .mem_pitch = b.out_pitch,
                                .spad_pitch = b.spad_pitch,
                                .wait_mask = 1,
                                .wait_load = ++number});
    for (int64_t r = 0; r < b.rows; ++r) {
      std::copy_n(in.begin() + in_at + r * b.in_pitch, b.row_bytes,
                  out.begin() + out_at + r * b.out_pitch);
    }
    in_at += b.rows * b.in_pitch;
    out_at += b.rows * b.out_pitch;
    spad_at += b.rows * b.spad_pitch;
  }
  commands.push_back(EndCmd{});
  EXPECT_LE(spad_at, config.scratchpad);

  board.Queue(commands);
  const uint64_t start = board->Now();
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  const uint64_t cycles = board->Now() - start;
  EXPECT_TRUE(board.Memory(2 * kRegionBytes, kRegionBytes) == out) << "memory differs";

  in_at = spad_at = 0;
  for (const Block& b : blocks) {
    for (int64_t r = 0; r < b.rows; ++r) {
      const auto from = in.begin() + in_at + r * b.in_pitch;
      EXPECT_EQ(board.Scratchpad(static_cast<uint32_t>(spad_at + r * b.spad_pitch),
                                 static_cast<size_t>(b.row_bytes)),
                std::vector<uint8_t>(from, from + b.row_bytes));
    }
    in_at += b.rows * b.in_pitch;
    spad_at += b.rows * b.spad_pitch;
  }
  EXPECT_THAT(board->Violations(), IsEmpty());
  return cycles;
}

std::vector<Block> RandomBlocks(const HardwareConfig& config, Rng& rng) {
  const int64_t word = config.word();
  std::vector<Block> blocks;
  for (int64_t left = config.scratchpad / word; blocks.size() < 12;) {
    Block b;
    b.rows = rng.Int(1, 6);
    b.row_bytes = rng.Int(1, 12 * word);
    const int64_t words = (b.row_bytes + word - 1) / word;
    b.in_pitch = word * (words + rng.Int(0, 3));
    b.out_pitch = word * (words + rng.Int(0, 3));
    b.spad_pitch = word * (words + rng.Int(0, 3));
    left -= b.rows * b.spad_pitch / word;
    if (left < 0) break;
    blocks.push_back(b);
  }
  return blocks;
}

TEST_P(RoundTrip, TheWholeScratchpad) {
  Rng rng;
  const int64_t size = config().scratchpad;
  const uint64_t cycles = Copy(config(), {}, {{1, size, size, size, size}}, rng);
  // One beat a cycle each way, one after the other, and little else.
  const auto beats = static_cast<uint64_t>(size / config().axi_bytes);
  EXPECT_GE(cycles, 2 * beats);
  EXPECT_LE(cycles, 2 * beats + beats / 8 + 400);
}

TEST_P(RoundTrip, RandomBlocks) {
  Rng rng;
  for (int i = 0; i < 5; ++i) Copy(config(), {}, RandomBlocks(config(), rng), rng);
}

TEST_P(RoundTrip, RandomBlocksOnATroublesomeMemory) {
  Rng rng;
  for (int i = 0; i < 5; ++i) {
    VerilatedOptions options;
    options.seed = rng.Bits();
    options.memory = {.read_latency = static_cast<int>(rng.Int(1, 80)),
                      .write_latency = static_cast<int>(rng.Int(1, 80)),
                      .read_bandwidth = 0.8,
                      .ar_stall = static_cast<int>(rng.Int(0, 60)),
                      .r_stall = static_cast<int>(rng.Int(0, 60)),
                      .aw_stall = static_cast<int>(rng.Int(0, 60)),
                      .w_stall = static_cast<int>(rng.Int(0, 60)),
                      .b_stall = static_cast<int>(rng.Int(0, 60)),
                      .reorder = rng.Chance(0.5)};
    Copy(config(), options, RandomBlocks(config(), rng), rng);
  }
}

// The seed draws what reset leaves alone and the memory's moods; nothing else does.
TEST_P(RoundTrip, SameSeedSameCycles) {
  Rng rng;
  const std::vector<Block> blocks = RandomBlocks(config(), rng);
  std::vector<uint64_t> cycles;
  for (const uint64_t seed : {5, 5, 6, 7}) {
    VerilatedOptions options;
    options.seed = seed;
    options.memory.r_stall = 30;
    cycles.push_back(Copy(config(), options, blocks, rng));
  }
  EXPECT_EQ(cycles[0], cycles[1]);
  // One may take as long by chance.
  EXPECT_FALSE(cycles[0] == cycles[2] && cycles[0] == cycles[3]);
  // On a calm memory the seed does not matter.
  VerilatedOptions calm;
  const uint64_t once = Copy(config(), calm, blocks, rng);
  calm.seed = 99;
  EXPECT_EQ(Copy(config(), calm, blocks, rng), once);
}

}  // namespace
}  // namespace weft::testing
