// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "Vweft_axi_write_weft1024.h"
#include "Vweft_axi_write_weft256.h"
#include "Vweft_axi_write_weft64.h"
#include "tb/lib/bench.h"
#include "tb/unit/dma/axi_memory.h"
#include "tb/unit/dma/windows.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::AxiWriteMemory;
using testing::Bench;
using testing::RandomWindows;
using testing::Rng;
using testing::Source;
using testing::Windows;

template <typename M, int kIndex>
struct Write : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

struct Beat {
  uint64_t address;
  std::vector<uint8_t> data;
  uint64_t strobes;
  bool last;
  bool cmd_last;
};

template <typename Model>
class Harness {
 public:
  static constexpr int kBeat = Model::kConfig.axi_bytes;

  Harness(Rng& rng, double stall) : memory(rng, kBeat), rng_(rng), stall_(stall) {
    Forget();
    bench->drain_i = 0;
    bench->wr_valid_i = 0;
    windows.Drive(bench.model());
    bench->cache_i = 3;
    bench->prot_i = 1;
  }

  // The clients, with nothing to send.
  void Forget() {
    for (auto& client : clients_) client.emplace(rng_, stall_);
    burst_.clear();
    refused_.reset();
  }

  Source<Beat>& client(int c) { return *clients_[c]; }

  void Cycle() {
    memory.Drive(bench.model());
    for (int c = 0; c < 2; ++c) {
      const bool valid = client(c).valid();
      testing::SetBits(bench->wr_valid_i, c, 1, valid);
      if (!valid) continue;
      const Beat& beat = client(c).data();
      testing::SetBits(bench->wr_addr_i, c * 40, 40, beat.address);
      std::memcpy(testing::PortBytes(bench->wr_data_i) + c * kBeat, beat.data.data(), kBeat);
      testing::SetBits(bench->wr_strb_i, c * kBeat, kBeat, beat.strobes);
      testing::SetBits(bench->wr_last_i, c, 1, beat.last);
      testing::SetBits(bench->wr_cmd_last_i, c, 1, beat.cmd_last);
    }
    bench.Settle();
    memory.Step(bench.model());
    if (bench->axi_awvalid_o) {
      ASSERT_TRUE(windows.Allow(bench->axi_awaddr_o / 256)) << "sent through the windows";
    }
    if (bench->error_denied_o) {
      const int c = bench->error_client_o;
      EXPECT_TRUE(bench->error_o);
      ASSERT_TRUE(refused_.has_value());
      EXPECT_EQ(bench->error_addr_o, *refused_);
      EXPECT_EQ(c, static_cast<int>(*refused_ >> 39));
      EXPECT_EQ(bench->wr_ready_o, 0);
      EXPECT_TRUE(memory.idle());
      denied = true;
    }
    if (bench->axi_awvalid_o) {
      EXPECT_EQ(bench->axi_awcache_o, 3);
      EXPECT_EQ(bench->axi_awprot_o, 1);
    }
    for (int c = 0; c < 2; ++c) {
      done[c] += bench->done_o >> c & 1;
      const bool taken_now = client(c).valid() && (bench->wr_ready_o >> c & 1);
      if (taken_now) Take(client(c).data());
      client(c).Step(bench->wr_ready_o >> c & 1);
    }
    if (bench->error_o && !bench->error_denied_o) {
      ++errors;
      EXPECT_TRUE(memory.bad_blocks.contains(bench->error_addr_o / 256));
      EXPECT_EQ(bench->error_client_o, bench->error_addr_o >> 39);
      EXPECT_EQ(bench->done_o, 0);
    }
    bench.Tick();
  }

  // A command of random rows; client 1 writes into the upper half of memory, so nobody meets.
  // Returns the blocks it touches.
  void PushCommand(int client, std::map<uint64_t, uint8_t>* expected) {
    const int64_t rows = rng_.Int(1, 4);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t beats = rng_.Int(1, rng_.Chance(0.3) ? 60 : 4);
      uint64_t address = next_[client] += kBeat * rng_.Int(0, 40);
      for (int64_t i = 0; i < beats; ++i, address += kBeat) {
        Beat beat = {address | static_cast<uint64_t>(client) << 39, rng_.Vector<uint8_t>(kBeat),
                     rng_.Bits() & (~uint64_t{0} >> (64 - kBeat)), i == beats - 1,
                     i == beats - 1 && r == rows - 1};
        Collect(beat, expected);
        clients_[client]->Push(std::move(beat));
      }
      next_[client] = address;
    }
  }

  // Bursts are sent until one is complete that the windows do not permit.
  void Take(const Beat& beat) {
    burst_.push_back(beat);
    if (!beat.last && !beat.cmd_last && (beat.address + kBeat) % 256 != 0) return;
    if (!windows.Allow(beat.address / 256) && !refused_) refused_ = burst_.front().address;
    if (!refused_) {
      for (const Beat& sent : burst_) Collect(sent, &taken);
    }
    burst_.clear();
  }

  static void Collect(const Beat& beat, std::map<uint64_t, uint8_t>* bytes) {
    for (int b = 0; b < kBeat; ++b)
      if (beat.strobes >> b & 1) (*bytes)[beat.address + b] = beat.data[b];
  }

  uint64_t next(int client) const { return next_[client] | static_cast<uint64_t>(client) << 39; }

  Bench<Model> bench;
  AxiWriteMemory memory;
  Windows windows;
  std::map<uint64_t, uint8_t> taken;  // bytes of the bursts that were taken and are permitted
  int done[2] = {};
  int errors = 0;
  bool denied = false;

 private:
  Rng& rng_;
  double stall_;
  std::optional<Source<Beat>> clients_[2];
  std::vector<Beat> burst_;          // the beats of the present one
  std::optional<uint64_t> refused_;  // where a burst began that is not permitted
  uint64_t next_[2] = {};
};

template <typename T>
class AxiWriteTest : public ::testing::Test {};
using Writes = ::testing::Types<Write<Vweft_axi_write_weft64, 0>, Write<Vweft_axi_write_weft256, 1>,
                                Write<Vweft_axi_write_weft1024, 2>>;
TYPED_TEST_SUITE(AxiWriteTest, Writes);

TYPED_TEST(AxiWriteTest, RandomRowsOfTwoClients) {
  Rng rng;
  for (int round = 0; round < 6; ++round) {
    Harness<TypeParam> harness(rng, rng.Real() * 0.8);
    harness.memory.latency_high = static_cast<int>(rng.Int(1, 60));
    harness.memory.address_stall = rng.Real() * 0.8;
    harness.memory.data_stall = rng.Real() * 0.8;
    std::map<uint64_t, uint8_t> expected;
    constexpr int kCommands = 60;
    for (int i = 0; i < kCommands; ++i)
      for (int c = 0; c < 2; ++c) harness.PushCommand(c, &expected);
    while (harness.done[0] < kCommands || harness.done[1] < kCommands) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
    EXPECT_EQ(harness.memory.written, expected);
    EXPECT_TRUE(harness.memory.idle());
    EXPECT_EQ(harness.bench->idle_o, 1);
    for (int i = 0; i < 50; ++i) harness.Cycle();
    EXPECT_EQ(harness.done[0], kCommands);
    EXPECT_EQ(harness.done[1], kCommands);
    EXPECT_LE(harness.memory.most_bursts, 8);
  }
}

TYPED_TEST(AxiWriteTest, OneBeatACycle) {
  constexpr int kBeat = TypeParam::kConfig.axi_bytes;
  Rng rng;
  Harness<TypeParam> harness(rng, 0.0);
  harness.memory.latency_low = harness.memory.latency_high = 32;
  constexpr int kBeats = 5000;
  for (int i = 0; i < kBeats; ++i) {
    harness.client(0).Push({static_cast<uint64_t>(i) * kBeat, std::vector<uint8_t>(kBeat), 1,
                            i == kBeats - 1, i == kBeats - 1});
  }
  int cycles = 0;
  for (; harness.done[0] == 0; ++cycles) {
    harness.Cycle();
    if (this->HasFatalFailure()) return;
  }
  EXPECT_GT(static_cast<double>(kBeats) / cycles, 0.97);
  EXPECT_EQ(harness.memory.bursts, (kBeats * kBeat + 255) / 256);
}

TYPED_TEST(AxiWriteTest, ErrorsNameClientAndAddress) {
  Rng rng;
  Harness<TypeParam> harness(rng, 0.3);
  std::map<uint64_t, uint8_t> expected;
  for (int client = 0; client < 2; ++client) {
    // Rows lie at most 40 beats (five blocks) apart, so some row meets these.
    harness.memory.bad_blocks.clear();
    for (int i = 1; i <= 8; ++i) harness.memory.bad_blocks.insert(harness.next(client) / 256 + i);
    harness.errors = 0;
    while (harness.next(client) / 256 <= *harness.memory.bad_blocks.rbegin())
      harness.PushCommand(client, &expected);
    for (int i = 0; i < 3000; ++i) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
    EXPECT_GT(harness.errors, 0);
  }
}

// Drained at any moment, it finishes what was announced and takes nothing; then it works as before.
TYPED_TEST(AxiWriteTest, DrainFinishesBurstsAndDropsTheRest) {
  Rng rng;
  Harness<TypeParam> harness(rng, 0.2);
  for (int round = 0; round < 40; ++round) {
    harness.memory.latency_high = static_cast<int>(rng.Int(1, 60));
    harness.memory.address_stall = rng.Real() * 0.8;
    harness.memory.data_stall = rng.Real() * 0.8;
    std::map<uint64_t, uint8_t> expected;
    harness.memory.written.clear();
    for (int i = 0; i < 10; ++i)
      for (int c = 0; c < 2; ++c) harness.PushCommand(c, &expected);
    const int64_t cycles = rng.Int(1, 300);
    for (int64_t i = 0; i < cycles; ++i) harness.Cycle();
    harness.bench->drain_i = 1;
    const int64_t beats = harness.memory.beats;
    const int done_before = harness.done[0] + harness.done[1];
    int waited = 0;
    do {
      harness.Cycle();
      ASSERT_EQ(harness.bench->wr_ready_o, 0);
      ASSERT_EQ(harness.done[0] + harness.done[1], done_before);
      ASSERT_LT(++waited, 5000);
      if (this->HasFatalFailure()) return;
    } while (!harness.bench->idle_o);
    EXPECT_TRUE(harness.memory.idle());
    // Four bursts of beats and the one at the channel.
    EXPECT_LE(harness.memory.beats, beats + 4 * 256 / TypeParam::kConfig.axi_bytes + 1);
    for (const auto& [address, byte] : harness.memory.written) {
      ASSERT_TRUE(expected.contains(address));
      ASSERT_EQ(byte, expected.at(address));
    }
    harness.Forget();
    harness.bench->drain_i = 0;

    const int done[2] = {harness.done[0], harness.done[1]};
    expected.clear();
    harness.memory.written.clear();
    for (int c = 0; c < 2; ++c) harness.PushCommand(c, &expected);
    for (int i = 0; i < 100000 && (harness.done[0] == done[0] || harness.done[1] == done[1]); ++i) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
    EXPECT_EQ(harness.memory.written, expected);
  }
}

// A burst leaves if and only if the windows permit its block; before one that may not, everything
// taken is written and answered, and nothing of it is.
TYPED_TEST(AxiWriteTest, RandomWindows) {
  Rng rng;
  Harness<TypeParam> harness(rng, 0.2);
  int rounds[2] = {};
  for (int round = 0; round < 400; ++round) {
    harness.memory.latency_high = static_cast<int>(rng.Int(1, 30));
    harness.memory.address_stall = harness.memory.data_stall = rng.Real() * 0.5;
    harness.windows = RandomWindows(rng, harness.next(static_cast<int>(rng.Int(0, 1))) / 256, 14);
    harness.windows.Drive(harness.bench.model());
    std::map<uint64_t, uint8_t> expected;
    harness.memory.written.clear();
    harness.taken.clear();
    harness.denied = false;
    int commands[2];
    for (int c = 0; c < 2; ++c) {
      commands[c] = harness.done[c];
      for (int64_t i = rng.Int(0, 3); i > 0; --i) {
        harness.PushCommand(c, &expected);
        ++commands[c];
      }
    }
    for (int waited = 0;
         !harness.denied && (harness.done[0] < commands[0] || harness.done[1] < commands[1]);
         ++waited) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
      ASSERT_LT(waited, 20000) << "neither done nor denied";
    }
    EXPECT_EQ(harness.memory.written, harness.taken);
    EXPECT_EQ(harness.taken.size() == expected.size(), !harness.denied);
    ++rounds[!harness.denied];
    harness.bench->drain_i = 1;
    harness.Forget();
    do {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    } while (!harness.bench->idle_o);
    EXPECT_EQ(harness.memory.written, harness.taken) << "written after the error";
    harness.bench->drain_i = 0;
  }
  EXPECT_GT(rounds[0], 50);
  EXPECT_GT(rounds[1], 50);
}

}  // namespace
}  // namespace weft
