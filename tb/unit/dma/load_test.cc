// SPDX-License-Identifier: Apache-2.0
//
// LOAD and LOAD_WEIGHTS through the AXI read half: what arrives where, when, and how fast.
#include <cstring>
#include <deque>
#include <vector>

#include "Vweft_dma_harness_weft1024.h"
#include "Vweft_dma_harness_weft256.h"
#include "Vweft_dma_harness_weft64.h"
#include "tb/lib/bench.h"
#include "tb/unit/dma/axi_memory.h"
#include "tb/unit/dma/command_bits.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::AxiReadMemory;
using testing::Bench;
using testing::PutCommand;
using testing::Rng;

template <typename M, int kIndex>
struct Dma : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

struct Load {
  uint64_t address;
  LoadCmd command;
};

struct LoadWeights {
  uint64_t address;
  LoadWeightsCmd command;
};

template <typename Model>
class Harness {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;
  static constexpr int kWord = kConfig.word();

  explicit Harness(Rng& rng) : memory(rng, kConfig.axi_bytes), rng_(rng) {
    spad.resize(kConfig.scratchpad);
    expected_spad.resize(kConfig.scratchpad);
    for (int i = 0; i < kConfig.scratchpad; ++i)
      spad[i] = expected_spad[i] = static_cast<uint8_t>(rng.Bits());
    bench->drain_i = 0;
    bench->ring_rd_en_i = 0;
  }

  void Cycle() {
    memory.Drive(bench.model());
    bench->load_count_i = load_count;
    bench->exec_count_i = exec_count;
    bench->store_count_i = store_count;
    bench->ld_cmd_valid_i = !loads.empty();
    if (!loads.empty()) {
      PutCommand(loads.front().command, bench->ld_cmd_i);
      bench->ld_cmd_addr_i = loads.front().address;
      bench->ld_cmd_index_i = loads_started;
    }
    bench->lw_cmd_valid_i = !weights.empty();
    if (!weights.empty()) {
      PutCommand(weights.front().command, bench->lw_cmd_i);
      bench->lw_cmd_addr_i = weights.front().address;
      bench->lw_cmd_index_i = weights_started;
    }
    bench->ld_gnt_i = 0;
    bench->ring_released_i = released;
    // Read the words that are there, in order; release them some time after.
    const bool read = !hold_weights &&
                      static_cast<uint16_t>(bench->ring_written_o - next_read_) != 0 &&
                      !rng_.Chance(weights_stall);
    bench->ring_rd_en_i = read;
    bench->ring_rd_pos_i = next_read_;
    bench.Settle();
    if (bench->ld_req_o) {
      bench->ld_gnt_i = !rng_.Chance(grant_stall);
      bench.Settle();
    }
    memory.Step(bench.model());
    load_error_index = bench->error_o && bench->error_client_o == 2
                           ? static_cast<int64_t>(bench->ld_access_index_o)
                           : -1;
    weights_error_index = bench->error_o && bench->error_client_o == 1
                              ? static_cast<int64_t>(bench->lw_access_index_o)
                              : -1;

    if (bench->ld_req_o && bench->ld_gnt_i) {
      ASSERT_LT(bench->ld_addr_o, static_cast<unsigned>(kConfig.scratchpad / kWord));
      for (int b = 0; b < kWord; ++b) {
        if (bench->ld_mask_o >> b & 1)
          spad[bench->ld_addr_o * kWord + b] = testing::PortBytes(bench->ld_data_o)[b];
      }
    }
    bool retired = bench->ld_retired_o;
    if (bench->ld_cmd_valid_i && bench->ld_cmd_ready_o) {
      const LoadCmd& load = loads.front().command;
      const int64_t past[] = {load_count - load.wait_load, exec_count - load.wait_exec,
                              store_count - load.wait_store};
      for (int i = 0; i < 3; ++i) {
        if (load.wait_mask >> i & 1) {
          ASSERT_GE(static_cast<int16_t>(past[i]), 0) << "did not wait";
        }
      }
      running.push_back(loads.front());
      loads.pop_front();
      ++loads_started;
    }
    if (bench->lw_cmd_valid_i && bench->lw_cmd_ready_o) {
      for (int i = 0; i < weights.front().command.words * kConfig.weight_word; ++i)
        stream.push_back(testing::MemoryByte(weights.front().address + i));
      weights.pop_front();
      ++weights_started;
    }
    bench.Tick();

    if (retired) {
      ++load_count;
      ASSERT_FALSE(running.empty());
      const auto [address, load] = running.front();
      running.pop_front();
      for (int r = 0; r < load.rows; ++r) {
        const int64_t first = load.spad_addr + r * load.spad_pitch;
        for (int i = 0; i < load.row_bytes; ++i)
          expected_spad[first + i] = testing::MemoryByte(address + r * load.mem_pitch + i);
        // Everything of the command is in place by now.
        ASSERT_EQ(std::memcmp(&spad[first], &expected_spad[first], load.row_bytes), 0);
      }
    }
    if (read) {
      for (int i = 0; i < kConfig.weight_word; ++i) {
        ASSERT_FALSE(stream.empty());
        ASSERT_EQ(testing::PortBytes(bench->ring_rd_data_o)[i], stream.front());
        stream.pop_front();
      }
      ++next_read_;
    }
    if (released != next_read_ && !rng_.Chance(weights_stall)) {
      released += rng_.Chance(0.5) ? 1 : static_cast<uint16_t>(next_read_ - released);
    }
  }

  bool Done() {
    return loads.empty() && running.empty() && weights.empty() && stream.empty() &&
           bench->ld_idle_o && bench->lw_idle_o;
  }

  Load RandomLoad() {
    const bool long_rows = rng_.Chance(0.2);
    const int64_t rows = rng_.Int(1, long_rows ? 4 : 20);
    const int64_t row_bytes = rng_.Int(1, long_rows ? 2000 : 5 * kWord);
    const int64_t words = (row_bytes + kWord - 1) / kWord;
    Load load = {static_cast<uint64_t>(rng_.Int(0, int64_t{1} << 30)) * kWord, {}};
    load.command.rows = rows;
    load.command.row_bytes = row_bytes;
    load.command.mem_pitch = (words + rng_.Int(0, 20)) * kWord;
    load.command.spad_pitch = (words + rng_.Int(0, 3)) * kWord;
    const int64_t span = (rows - 1) * load.command.spad_pitch / kWord + words;
    load.command.spad_addr =
        (rng_.Chance(0.1) ? kConfig.scratchpad / kWord - span  // up to the last word
                          : rng_.Int(0, kConfig.scratchpad / kWord - span)) *
        kWord;
    return load;
  }

  Bench<Model> bench;
  AxiReadMemory memory;
  std::deque<Load> loads, running;
  std::deque<LoadWeights> weights;
  std::vector<uint8_t> spad, expected_spad;
  std::deque<uint8_t> stream;
  uint16_t load_count = 0, exec_count = 0, store_count = 0, released = 0;
  uint32_t loads_started = 0, weights_started = 0;
  double grant_stall = 0, weights_stall = 0;
  bool hold_weights = false;
  // The command blamed for an error in this cycle, or -1.
  int64_t load_error_index = -1, weights_error_index = -1;

 private:
  Rng& rng_;
  uint16_t next_read_ = 0;
};

template <typename T>
class LoadTest : public ::testing::Test {};
using Dmas = ::testing::Types<Dma<Vweft_dma_harness_weft64, 0>, Dma<Vweft_dma_harness_weft256, 1>,
                              Dma<Vweft_dma_harness_weft1024, 2>>;
TYPED_TEST_SUITE(LoadTest, Dmas);

TYPED_TEST(LoadTest, RandomLoadsAndWeights) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  Harness<TypeParam> harness(rng);
  for (int round = 0; round < 5; ++round) {
    harness.memory.latency_high = static_cast<int>(rng.Int(1, 60));
    harness.memory.address_stall = rng.Real() * 0.6;
    harness.memory.data_stall = rng.Real() * 0.6;
    harness.grant_stall = rng.Real() * 0.6;
    harness.weights_stall = rng.Real() * 0.9;
    for (int i = 0; i < 60; ++i) harness.loads.push_back(harness.RandomLoad());
    for (int i = 0; i < 60; ++i) {
      harness.weights.push_back(
          {static_cast<uint64_t>(rng.Int(0, int64_t{1} << 30)) * config.word(), {}});
      harness.weights.back().command.words = rng.Int(1, rng.Chance(0.1) ? config.ring_words() : 40);
    }
    while (!harness.Done()) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
  }
  EXPECT_EQ(harness.spad, harness.expected_spad);
  EXPECT_EQ(harness.bench->idle_o, 1);
}

// Commands start when their counts are reached, not before, and without anything else to wake them.
TYPED_TEST(LoadTest, WaitsForCounts) {
  Rng rng;
  Harness<TypeParam> harness(rng);
  harness.exec_count = 0xfff0;  // around the modulus, around the sign
  harness.store_count = 0x7ff0;
  for (int i = 0; i < 200; ++i) {
    Load load = harness.RandomLoad();
    load.command.wait_mask = rng.Int(0, 7);
    load.command.wait_load = rng.Int(std::max(0, i - 3), i);
    load.command.wait_exec = (0xfff0 + i / 2 + rng.Int(-5, 5)) & 0xffff;
    load.command.wait_store = (0x7ff0 + i / 2 + rng.Int(-5, 5)) & 0xffff;
    harness.loads.push_back(load);
  }
  while (!harness.Done()) {
    if (rng.Chance(0.02)) ++harness.exec_count;
    if (rng.Chance(0.02)) ++harness.store_count;
    harness.Cycle();
    if (this->HasFatalFailure()) return;
  }
  EXPECT_EQ(harness.spad, harness.expected_spad);
}

TYPED_TEST(LoadTest, RowOutsideTheScratchpadIsRefused) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  Harness<TypeParam> harness(rng);
  Load good = harness.RandomLoad();
  Load bad = good;
  bad.command.rows = 3;
  bad.command.row_bytes = 2 * config.word() + 1;
  bad.command.spad_pitch = 4 * config.word();
  bad.command.spad_addr = config.scratchpad - 10 * config.word();  // the last row: one byte too far
  harness.loads = {good, bad};
  for (int i = 0; i < 2000; ++i) {
    harness.Cycle();
    if (this->HasFatalFailure()) return;
  }
  EXPECT_EQ(harness.bench->ld_err_o, 1);
  EXPECT_EQ(harness.bench->ld_err_index_o, 1u);
  EXPECT_EQ(harness.load_count, 1);
  harness.bench.Reset();
  EXPECT_EQ(harness.bench->ld_err_o, 0);
  EXPECT_EQ(harness.bench->ld_idle_o, 1);
}

TYPED_TEST(LoadTest, ReadErrorsNameTheCommand) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  Harness<TypeParam> harness(rng);
  harness.memory.latency_low = harness.memory.latency_high = 30;
  harness.memory.bad_blocks = {16 * 5, 16 * 9};
  for (int i = 0; i < 8; ++i) {  // 4 KiB each: block 16 * i starts command i
    Load load = {4096u * i, {}};
    load.command.rows = 1;
    load.command.row_bytes = 256;
    harness.loads.push_back(load);
    LoadWeights weights = {4096u * (8 + i), {}};
    weights.command.words = 256 / config.weight_word;
    harness.weights.push_back(weights);
  }
  int load_errors = 0, weight_errors = 0;
  while (!harness.Done()) {
    harness.Cycle();
    if (this->HasFatalFailure()) return;
    load_errors += harness.load_error_index == 5;
    weight_errors += harness.weights_error_index == 1;
  }
  EXPECT_EQ(load_errors, 256 / config.axi_bytes);
  EXPECT_EQ(weight_errors, 256 / config.axi_bytes);
}

TYPED_TEST(LoadTest, RingIsFilledAndNotOverrun) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  Harness<TypeParam> harness(rng);
  harness.hold_weights = true;
  for (int i = 0; i < 3; ++i) {
    harness.weights.push_back({4096u + config.word(), {}});
    harness.weights.back().command.words = config.ring_words() / 2 + 7;
  }
  for (int i = 0; i < 2 * config.weight_ring / config.axi_bytes; ++i) harness.Cycle();
  // Whole 256-byte blocks are asked for, so at most one block stays free.
  EXPECT_LE(harness.bench->ring_written_o, config.ring_words());
  EXPECT_GT(harness.bench->ring_written_o, config.ring_words() - 2 * 256 / config.weight_word);
  EXPECT_EQ(harness.bench->idle_o, 1);
  harness.hold_weights = false;
  while (!harness.Done()) {
    harness.Cycle();
    if (this->HasFatalFailure()) return;
  }
}

// Latency 32, 8 bursts: better than 97 % of a beat a cycle, whoever asks.
TYPED_TEST(LoadTest, SustainsABeatACycle) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  for (int what = 0; what < 4; ++what) {
    Harness<TypeParam> harness(rng);
    harness.memory.latency_low = harness.memory.latency_high = 32;
    harness.memory.keep_order = true;
    if (what == 0 || what == 3) {  // one dense row
      harness.loads.push_back({4096, {}});
      harness.loads.back().command.rows = 1;
      harness.loads.back().command.row_bytes = config.scratchpad;
    }
    if (what == 1) {  // rows, and several commands
      for (int i = 0; i < 8; ++i) {
        harness.loads.push_back({uint64_t{65536} * i, {}});
        harness.loads.back().command.rows = 12;
        harness.loads.back().command.row_bytes = 768;
        harness.loads.back().command.mem_pitch = 1024;
        harness.loads.back().command.spad_pitch = 768;
      }
    }
    if (what >= 2) {  // weights in many commands
      for (int i = 0; i < 16; ++i) {
        harness.weights.push_back({uint64_t{1} << 30, {}});
        harness.weights.back().command.words = config.ring_words() / 4;
      }
    }
    int cycles = 0;
    for (; !harness.Done(); ++cycles) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
    EXPECT_GT(static_cast<double>(harness.memory.beats) / cycles, 0.97) << "case " << what;
  }
}

}  // namespace
}  // namespace weft
