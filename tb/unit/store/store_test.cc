// SPDX-License-Identifier: Apache-2.0
//
// STORE and MARK through the AXI write half: what memory gets, in which order, and how fast.
#include <cstring>
#include <deque>
#include <map>
#include <variant>
#include <vector>

#include "Vweft_store_harness_weft1024.h"
#include "Vweft_store_harness_weft256.h"
#include "Vweft_store_harness_weft64.h"
#include "tb/lib/bench.h"
#include "tb/unit/dma/axi_memory.h"
#include "tb/unit/dma/command_bits.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::AxiWriteMemory;
using testing::Bench;
using testing::PutCommand;
using testing::Rng;

template <typename M, int kIndex>
struct Store : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

struct Queued {
  uint64_t address;
  std::variant<StoreCmd, MarkCmd> command;
};

struct Mark {
  uint64_t address;
  uint16_t layer;
};

template <typename Model>
class Harness {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;
  static constexpr int kWord = kConfig.word();

  explicit Harness(Rng& rng) : memory(rng, kConfig.axi_bytes), rng_(rng) {
    spad = rng.Vector<uint8_t>(kConfig.scratchpad);
    bench->drain_i = 0;
  }

  void Cycle() {
    memory.Drive(bench.model());
    bench->load_count_i = load_count;
    bench->exec_count_i = exec_count;
    bench->store_count_i = store_count;
    bench->cmd_valid_i = !queue.empty();
    if (!queue.empty()) {
      std::visit([&](const auto& c) { PutCommand(c, bench->cmd_i); }, queue.front().command);
      bench->cmd_addr_i = queue.front().address;
      bench->cmd_index_i = started;
    }
    bench->mark_valid_i = !marks.empty() && (mark_offered_ || !rng_.Chance(0.9));
    mark_offered_ = bench->mark_valid_i;
    if (!marks.empty()) {
      bench->mark_addr_i = marks.front().address;
      bench->mark_layer_i = marks.front().layer;
      bench->mark_index_i = 1000 + marks.front().layer;
    }
    uint32_t counters[16];
    for (int i = 0; i < 16; ++i)
      bench->counters_i[i] = counters[i] = static_cast<uint32_t>(rng_.Bits());
    bench->st_gnt_i = 0;
    bench.Settle();
    if (bench->st_req_o) {
      bench->st_gnt_i = !rng_.Chance(grant_stall);
      bench.Settle();
    }
    memory.Step(bench.model());

    if (bench->error_o) {
      errors.push_back(
          {bench->error_client_o, bench->error_addr_o,
           bench->error_client_o ? bench->mark_access_index_o : bench->access_index_o});
    }
    const bool read = bench->st_gnt_i;
    const uint32_t word = bench->st_addr_o;
    if (bench->retired_o) Retire();
    if (bench->cmd_valid_i && bench->cmd_ready_o) {
      const auto [address, command] = queue.front();
      if (const StoreCmd* store = std::get_if<StoreCmd>(&command)) {
        const int64_t past[] = {load_count - store->wait_load, exec_count - store->wait_exec,
                                store_count - store->wait_store};
        for (int i = 0; i < 3; ++i) {
          if (store->wait_mask >> i & 1) {
            ASSERT_GE(static_cast<int16_t>(past[i]), 0) << "did not wait";
          }
        }
        running.push_back({address, *store});
      } else {
        ASSERT_TRUE(running.empty()) << "MARK before an earlier STORE retired";
        Capture({address, static_cast<uint16_t>(std::get<MarkCmd>(command).layer)}, counters);
      }
      queue.pop_front();
      ++started;
    }
    if (bench->mark_valid_i && bench->mark_ready_o) {
      Capture(marks.front(), counters);
      marks.pop_front();
      mark_offered_ = false;
    }
    bench.Tick();
    // Data only in the cycle after its grant.
    for (int b = 0; b < kWord; ++b)
      testing::PortBytes(bench->st_data_i)[b] =
          read ? spad[word * kWord + b] : static_cast<uint8_t>(rng_.Bits());
    if (bench->mark_done_o) {
      ASSERT_FALSE(captured.empty());
      EXPECT_EQ(bench->mark_layer_o, captured.front());
      captured.pop_front();
    }
  }

  bool Done() {
    return queue.empty() && marks.empty() && bench->idle_o && bench->mark_idle_o &&
           captured.empty();
  }

  // Rows of different commands do not meet in memory.
  Queued RandomStore() {
    const bool long_rows = rng_.Chance(0.2);
    StoreCmd store;
    store.rows = rng_.Int(1, long_rows ? 4 : 20);
    store.row_bytes = rng_.Int(1, long_rows ? 2000 : 5 * kWord);
    const int64_t words = (store.row_bytes + kWord - 1) / kWord;
    store.mem_pitch = (words + rng_.Int(0, 20)) * kWord;
    store.spad_pitch = (words + rng_.Int(0, 3)) * kWord;
    const int64_t span = (store.rows - 1) * store.spad_pitch / kWord + words;
    const int64_t last = kConfig.scratchpad / kWord - span;
    store.spad_addr = (rng_.Chance(0.1) ? last : rng_.Int(0, last)) * kWord;
    const uint64_t address = next_;
    next_ += static_cast<uint64_t>(store.rows * store.mem_pitch);
    return {address, store};
  }

  Mark RandomMark() {
    next_ = (next_ + 63) / 64 * 64;
    const Mark mark = {next_, static_cast<uint16_t>(rng_.Bits())};
    next_ += 64;
    return mark;
  }

  struct Error {
    int client;
    uint64_t address;
    uint32_t index;  // of the command that is blamed
  };

  Bench<Model> bench;
  AxiWriteMemory memory;
  std::deque<Queued> queue;
  std::deque<Mark> marks;
  std::deque<std::pair<uint64_t, StoreCmd>> running;
  std::deque<uint16_t> captured;
  std::vector<Error> errors;
  std::vector<uint8_t> spad;
  std::map<uint64_t, uint8_t> expected;
  uint16_t load_count = 0, exec_count = 0, store_count = 0;
  uint32_t started = 0;
  double grant_stall = 0;

 private:
  void Retire() {
    ++store_count;
    ASSERT_FALSE(running.empty());
    const auto [address, store] = running.front();
    running.pop_front();
    for (int64_t r = 0; r < store.rows; ++r) {
      for (int64_t i = 0; i < store.row_bytes; ++i) {
        const uint64_t at = address + static_cast<uint64_t>(r * store.mem_pitch + i);
        expected[at] = spad[store.spad_addr + r * store.spad_pitch + i];
        // Memory has answered for all of it.
        ASSERT_TRUE(memory.written.contains(at));
        ASSERT_EQ(memory.written[at], expected[at]);
      }
    }
  }

  void Capture(const Mark& mark, const uint32_t (&counters)[16]) {
    for (int i = 0; i < 16; ++i) {
      const uint32_t value = i == 1 ? mark.layer : counters[i];
      for (int b = 0; b < 4; ++b)
        expected[mark.address + 4 * i + b] = static_cast<uint8_t>(value >> (8 * b));
    }
    captured.push_back(mark.layer);
  }

  Rng& rng_;
  bool mark_offered_ = false;
  uint64_t next_ = 1 << 20;
};

template <typename T>
class StoreTest : public ::testing::Test {};
using Stores =
    ::testing::Types<Store<Vweft_store_harness_weft64, 0>, Store<Vweft_store_harness_weft256, 1>,
                     Store<Vweft_store_harness_weft1024, 2>>;
TYPED_TEST_SUITE(StoreTest, Stores);

TYPED_TEST(StoreTest, RandomStoresAndMarks) {
  Rng rng;
  for (int round = 0; round < 5; ++round) {
    Harness<TypeParam> harness(rng);
    harness.memory.latency_high = static_cast<int>(rng.Int(1, 60));
    harness.memory.address_stall = rng.Real() * 0.6;
    harness.memory.data_stall = rng.Real() * 0.6;
    harness.grant_stall = rng.Real() * 0.6;
    for (int i = 0; i < 80; ++i) {
      harness.queue.push_back(harness.RandomStore());
      if (rng.Chance(0.2)) {
        const Mark mark = harness.RandomMark();
        MarkCmd command;
        command.store_engine = 1;
        command.layer = mark.layer;
        harness.queue.push_back({mark.address, command});
      }
      if (rng.Chance(0.3)) harness.marks.push_back(harness.RandomMark());
    }
    while (!harness.Done()) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
    EXPECT_EQ(harness.store_count, 80);
    EXPECT_EQ(harness.memory.written, harness.expected);  // not a byte more
    EXPECT_EQ(harness.bench->write_idle_o, 1);
  }
}

TYPED_TEST(StoreTest, WaitsForCounts) {
  Rng rng;
  Harness<TypeParam> harness(rng);
  harness.exec_count = 0x7ff0;  // around the sign, around the modulus
  harness.load_count = 0xfff0;
  for (int i = 0; i < 200; ++i) {
    Queued queued = harness.RandomStore();
    StoreCmd& store = std::get<StoreCmd>(queued.command);
    store.wait_mask = rng.Int(0, 7);
    store.wait_store = rng.Int(std::max(0, i - 3), i);
    store.wait_exec = (0x7ff0 + i / 2 + rng.Int(-5, 5)) & 0xffff;
    store.wait_load = (0xfff0 + i / 2 + rng.Int(-5, 5)) & 0xffff;
    harness.queue.push_back(queued);
  }
  while (!harness.Done()) {
    if (rng.Chance(0.02)) ++harness.exec_count;
    if (rng.Chance(0.02)) ++harness.load_count;
    harness.Cycle();
    if (this->HasFatalFailure()) return;
  }
  EXPECT_EQ(harness.memory.written, harness.expected);
}

TYPED_TEST(StoreTest, RowOutsideTheScratchpadIsRefused) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  Harness<TypeParam> harness(rng);
  harness.queue.push_back(harness.RandomStore());
  Queued bad = harness.RandomStore();
  StoreCmd& store = std::get<StoreCmd>(bad.command);
  store.rows = 3;
  store.row_bytes = 2 * config.word() + 1;
  store.spad_pitch = 4 * config.word();
  store.spad_addr = config.scratchpad - 10 * config.word();  // the last row: one byte too far
  harness.queue.push_back(bad);
  for (int i = 0; i < 2000; ++i) {
    harness.Cycle();
    if (this->HasFatalFailure()) return;
  }
  EXPECT_EQ(harness.bench->err_o, 1);
  EXPECT_EQ(harness.bench->err_index_o, 1u);
  EXPECT_EQ(harness.store_count, 1);
  harness.bench.Reset();
  EXPECT_EQ(harness.bench->err_o, 0);
  EXPECT_EQ(harness.bench->idle_o, 1);
}

TYPED_TEST(StoreTest, WriteErrorsNameTheCommand) {
  Rng rng;
  Harness<TypeParam> harness(rng);
  harness.memory.latency_low = harness.memory.latency_high = 30;
  for (int i = 0; i < 6; ++i) {
    harness.queue.push_back(harness.RandomStore());
    harness.queue.back().address = uint64_t{65536} * i;
  }
  harness.memory.bad_blocks = {256 * 4};
  for (int i = 0; i < 20000 && harness.errors.empty(); ++i) harness.Cycle();
  ASSERT_EQ(harness.errors.size(), 1u);
  EXPECT_EQ(harness.errors[0].index, 4u);
  EXPECT_EQ(harness.errors[0].client, 0);
  EXPECT_EQ(harness.errors[0].address, uint64_t{65536} * 4);
}

TYPED_TEST(StoreTest, MarkErrorsNameTheMark) {
  Rng rng;
  Harness<TypeParam> harness(rng);
  harness.memory.bad_blocks = {0x777};
  harness.marks.push_back({0x77740, 321});
  for (int i = 0; i < 1000 && harness.errors.empty(); ++i) harness.Cycle();
  ASSERT_EQ(harness.errors.size(), 1u);
  EXPECT_EQ(harness.errors[0].client, 1);
  EXPECT_EQ(harness.errors[0].address, 0x77740u);
  EXPECT_EQ(harness.errors[0].index, 1321u);
}

TYPED_TEST(StoreTest, SustainsABeatACycle) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  for (int rows : {1, 16}) {
    Harness<TypeParam> harness(rng);
    harness.memory.latency_low = harness.memory.latency_high = 32;
    const int row_bytes = 2048 * config.axi_bytes / rows;
    for (int i = 0; i < 4; ++i) {
      StoreCmd store;
      store.rows = rows;
      store.row_bytes = row_bytes;
      store.mem_pitch = store.spad_pitch = row_bytes;
      harness.queue.push_back({uint64_t{1 << 20} * i, store});
    }
    int cycles = 0;
    for (; !harness.Done(); ++cycles) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
    EXPECT_GT(static_cast<double>(harness.memory.beats) / cycles, 0.97) << rows << " rows";
  }
}

}  // namespace
}  // namespace weft
