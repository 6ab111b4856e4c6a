// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <deque>
#include <vector>

#include "Vweft_axi_read_weft1024.h"
#include "Vweft_axi_read_weft256.h"
#include "Vweft_axi_read_weft64.h"
#include "tb/lib/bench.h"
#include "tb/unit/dma/axi_memory.h"
#include "tb/unit/dma/windows.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::AxiReadMemory;
using testing::Bench;
using testing::RandomWindows;
using testing::Rng;
using testing::Windows;

template <typename M, int kIndex>
struct Read : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

constexpr int kClients = 3;

struct Request {
  uint64_t address;
  int bytes;
};

// The three clients and memory around the block; checks every beat against the requests.
template <typename Model>
class Harness {
 public:
  static constexpr int kBeat = Model::kConfig.axi_bytes;

  explicit Harness(Rng& rng) : memory(rng, kBeat), rng_(rng) {
    bench->drain_i = 0;
    bench->urgent_i = 0;
    bench->req_valid_i = 0;
    windows.Drive(bench.model());
    bench->cache_i = 5;
    bench->prot_i = 2;
  }

  // A client that has no more requests stays quiet; `request_stall` delays the others.
  void Cycle() {
    memory.Drive(bench.model());
    for (int c = 0; c < kClients; ++c) {
      if (!offered_[c]) offered_[c] = !requests[c].empty() && !rng_.Chance(request_stall);
      ready_[c] = !rng_.Chance(response_stall);
      testing::SetBits(bench->req_valid_i, c, 1, offered_[c]);
      testing::SetBits(bench->rsp_ready_i, c, 1, ready_[c]);
      if (offered_[c]) {
        testing::SetBits(bench->req_addr_i, c * 40, 40, requests[c].front().address);
        testing::SetBits(bench->req_bytes_i, c * 21, 21, requests[c].front().bytes);
      }
    }
    if (urgent_changes) bench->urgent_i = rng_.Chance(0.5);
    bench.Settle();
    memory.Step(bench.model());
    if (bench->axi_arvalid_o) {
      ASSERT_TRUE(windows.Allow(bench->axi_araddr_o / 256)) << "sent through the windows";
      EXPECT_EQ(bench->axi_arcache_o, 5);
      EXPECT_EQ(bench->axi_arprot_o, 2);
    }
    const bool failed = bench->error_o && !bench->error_denied_o;
    for (int c = 0; c < kClients; ++c) {
      if (offered_[c] && (bench->req_ready_o >> c & 1)) {
        const Request& request = requests[c].front();
        for (int b = 0; b < request.bytes; b += kBeat)
          expected[c].push_back({(request.address + b) & 0xffffffffff, b + kBeat >= request.bytes});
        requests[c].pop_front();
        offered_[c] = false;
      }
      const bool moved = ready_[c] && (bench->rsp_valid_o >> c & 1);
      EXPECT_TRUE(bench->drain_i || (bench->beat_o >> c & 1) == moved);
      if (!moved) continue;
      ASSERT_FALSE(expected[c].empty());
      const Beat beat = expected[c].front();
      expected[c].pop_front();
      for (int i = 0; i < kBeat; ++i)
        ASSERT_EQ(testing::PortBytes(bench->rsp_data_o)[i], testing::MemoryByte(beat.address + i));
      ASSERT_EQ(bench->rsp_last_o, beat.last);
      if (failed) {
        EXPECT_EQ(bench->error_client_o, c);
        EXPECT_EQ(bench->error_addr_o / 256, beat.address / 256);
        ++errors;
      }
      EXPECT_EQ(failed, memory.bad_blocks.contains(beat.address / 256));
    }
    if (bench->error_denied_o) {
      // What its client gets next, had it been sent.
      const auto& queue = expected[bench->error_client_o];
      EXPECT_TRUE(bench->error_o);
      ASSERT_FALSE(queue.empty());
      EXPECT_EQ(bench->error_addr_o, queue.front().address);
      EXPECT_FALSE(windows.Allow(queue.front().address / 256));
      denied = true;
    }
    bench.Tick();
  }

  bool Done() const {
    for (int c = 0; c < kClients; ++c)
      if (!requests[c].empty() || !expected[c].empty()) return false;
    return true;
  }

  // What a reset of the clients does.
  void Forget() {
    for (int c = 0; c < kClients; ++c) {
      requests[c].clear();
      expected[c].clear();
      offered_[c] = false;
    }
  }

  Request RandomRequest() {
    const uint64_t address = static_cast<uint64_t>(rng_.Int(0, (int64_t{1} << 40) / kBeat - 4096));
    return {address * kBeat, static_cast<int>(rng_.Int(1, rng_.Chance(0.2) ? 3000 : 4 * kBeat))};
  }

  struct Beat {
    uint64_t address;
    bool last;
  };

  Bench<Model> bench;
  AxiReadMemory memory;
  Windows windows;
  std::deque<Request> requests[kClients];
  std::deque<Beat> expected[kClients];
  double request_stall = 0;
  double response_stall = 0;
  bool urgent_changes = false;
  int errors = 0;
  bool denied = false;

 private:
  Rng& rng_;
  bool offered_[kClients] = {};
  bool ready_[kClients] = {};
};

template <typename T>
class AxiReadTest : public ::testing::Test {};
using Reads = ::testing::Types<Read<Vweft_axi_read_weft64, 0>, Read<Vweft_axi_read_weft256, 1>,
                               Read<Vweft_axi_read_weft1024, 2>>;
TYPED_TEST_SUITE(AxiReadTest, Reads);

TYPED_TEST(AxiReadTest, RandomRequestsReorderedAnswersErrors) {
  Rng rng;
  Harness<TypeParam> harness(rng);
  for (int round = 0; round < 6; ++round) {
    harness.memory.latency_low = 1;
    harness.memory.latency_high = static_cast<int>(rng.Int(1, 60));
    harness.memory.address_stall = rng.Real() * 0.8;
    harness.memory.data_stall = rng.Real() * 0.8;
    harness.request_stall = rng.Real() * 0.8;
    harness.response_stall = rng.Real() * 0.8;
    harness.urgent_changes = round % 2 == 1;
    for (auto& queue : harness.requests) {
      for (int i = 0; i < 150; ++i) {
        queue.push_back(harness.RandomRequest());
        if (rng.Chance(0.02)) harness.memory.bad_blocks.insert(queue.back().address / 256);
      }
    }
    while (!harness.Done()) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
  }
  EXPECT_GT(harness.errors, 0);
  EXPECT_LE(harness.memory.most_bursts, 8);
  EXPECT_EQ(harness.bench->idle_o, 1);
}

TYPED_TEST(AxiReadTest, OneClientFillsTheChannel) {
  Rng rng;
  Harness<TypeParam> harness(rng);
  harness.memory.latency_low = harness.memory.latency_high = 32;
  harness.memory.keep_order = true;
  harness.requests[2].push_back({4096, 200000});
  int cycles = 0;
  for (; !harness.Done(); ++cycles) {
    harness.Cycle();
    if (this->HasFatalFailure()) return;
  }
  EXPECT_GT(static_cast<double>(harness.memory.beats) / cycles, 0.97);
  EXPECT_LE(harness.memory.most_bursts, 8);
}

// Commands first, then LOADs, or weights while they are urgent; nobody waits for ever.
TYPED_TEST(AxiReadTest, CommandsFirstAndEveryClientGetsTurns) {
  for (const bool urgent : {false, true}) {
    Rng rng;
    Harness<TypeParam> harness(rng);
    harness.bench->urgent_i = urgent;
    harness.memory.latency_low = harness.memory.latency_high = 20;
    for (auto& queue : harness.requests) queue.push_back({1 << 16, 1 << 16});
    for (int i = 0; i < 2000; ++i) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
    const std::vector<int>& order = harness.memory.order;
    int count[kClients] = {};
    int since[kClients] = {};
    for (int id : order) {
      ++count[id];
      for (int c = 0; c < kClients; ++c) {
        since[c] = c == id ? 0 : since[c] + 1;
        ASSERT_LE(since[c], 9) << "client " << c << " had to wait too long";
      }
    }
    const auto size = static_cast<int>(order.size());
    EXPECT_GT(count[0], size * 2 / 3);
    EXPECT_LT(count[0], size);
  }
}

TYPED_TEST(AxiReadTest, UrgentWeightsGoBeforeLoads) {
  for (const bool urgent : {false, true}) {
    Rng rng;
    Harness<TypeParam> harness(rng);
    harness.bench->urgent_i = urgent;
    harness.memory.latency_low = harness.memory.latency_high = 20;
    for (const int c : {1, 2}) harness.requests[c].push_back({1 << 16, 1 << 16});
    for (int i = 0; i < 2000; ++i) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    }
    int count[kClients] = {};
    for (const int id : harness.memory.order) ++count[id];
    const int first = urgent ? 1 : 2;
    const int other = 3 - first;
    EXPECT_GE(count[first], 6 * count[other]);
    EXPECT_GE(8 * count[other], count[first]);
  }
}

TYPED_TEST(AxiReadTest, DrainSwallowsAndLeavesNothingBehind) {
  Rng rng;
  Harness<TypeParam> harness(rng);
  for (int round = 0; round < 40; ++round) {
    harness.memory.latency_high = static_cast<int>(rng.Int(1, 60));
    harness.memory.address_stall = rng.Real() * 0.8;
    harness.memory.data_stall = rng.Real() * 0.5;
    harness.request_stall = harness.response_stall = 0.3;
    for (auto& queue : harness.requests)
      for (int i = 0; i < 20; ++i) queue.push_back(harness.RandomRequest());
    const int64_t cycles = rng.Int(1, 200);
    for (int64_t i = 0; i < cycles; ++i) harness.Cycle();
    harness.bench->drain_i = 1;
    harness.Forget();
    const size_t before = harness.memory.order.size();
    harness.response_stall = 1.0;  // nobody listens any more
    int waited = 0;
    do {
      harness.Cycle();
      ASSERT_LT(++waited, 5000);
      if (this->HasFatalFailure()) return;
    } while (!harness.bench->idle_o);
    EXPECT_TRUE(harness.memory.idle());
    EXPECT_LE(harness.memory.order.size(), before + 1) << "a burst was started while draining";
    harness.bench->drain_i = 0;
  }
}

// A burst leaves if and only if the windows permit its block; the one that does not is named, after
// all that its client asked for before has come, and a drain clears the way.
TYPED_TEST(AxiReadTest, RandomWindows) {
  constexpr int kBlocks = 14;
  Rng rng;
  Harness<TypeParam> harness(rng);
  int rounds[2] = {};
  for (int round = 0; round < 400; ++round) {
    harness.memory.latency_high = static_cast<int>(rng.Int(1, 30));
    harness.memory.address_stall = harness.memory.data_stall = rng.Real() * 0.5;
    harness.request_stall = harness.response_stall = rng.Real() * 0.5;
    // Sometimes around 0, where addresses wrap.
    const uint64_t block = (rng.Chance(0.1) ? -uint64_t{5} : rng.Bits()) & 0xffffffff;
    harness.windows = RandomWindows(rng, block, kBlocks);
    harness.windows.Drive(harness.bench.model());
    bool allowed = true;
    for (auto& queue : harness.requests) {
      for (int64_t i = rng.Int(0, 4); i > 0; --i) {
        const uint64_t beat = static_cast<uint64_t>(rng.Int(0, 10 * 256 / harness.kBeat));
        const Request request = {block * 256 + beat * harness.kBeat,
                                 static_cast<int>(rng.Int(1, 600))};
        const uint64_t last = (request.address + request.bytes - 1) / 256;
        allowed = allowed &&
                  harness.windows.AllowAll(request.address / 256, last - request.address / 256 + 1);
        queue.push_back({request.address & 0xffffffffff, request.bytes});
      }
    }
    harness.denied = false;
    for (int waited = 0; !harness.Done() && !harness.denied; ++waited) {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
      ASSERT_LT(waited, 20000) << "neither done nor denied";
    }
    ASSERT_EQ(harness.denied, !allowed);
    ++rounds[allowed];
    harness.bench->drain_i = 1;
    harness.Forget();
    do {
      harness.Cycle();
      if (this->HasFatalFailure()) return;
    } while (!harness.bench->idle_o);
    harness.bench->drain_i = 0;
  }
  EXPECT_GT(rounds[0], 50);
  EXPECT_GT(rounds[1], 50);
}

}  // namespace
}  // namespace weft
