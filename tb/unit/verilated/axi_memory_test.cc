// SPDX-License-Identifier: Apache-2.0
//
// The AXI memory against a scripted master: timing, contents, faults, and that each broken rule is
// reported.
#include "sim/verilated/axi_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "tb/lib/seed.h"

namespace weft::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint32_t kBeat = 16;

// The ports of a model with a bus of 16 bytes; the outputs' order makes designated
// initialisers of a command read well.
struct Ports {
  bool m_axi_arvalid_o = false;
  uint8_t m_axi_arid_o = 0;
  uint64_t m_axi_araddr_o = 0;
  uint8_t m_axi_arlen_o = 0, m_axi_arsize_o = 4, m_axi_arburst_o = 1;
  bool m_axi_rready_o = false;
  bool m_axi_awvalid_o = false;
  uint8_t m_axi_awid_o = 0;
  uint64_t m_axi_awaddr_o = 0;
  uint8_t m_axi_awlen_o = 0, m_axi_awsize_o = 4, m_axi_awburst_o = 1;
  bool m_axi_wvalid_o = false;
  std::array<uint8_t, kBeat> m_axi_wdata_o = {};
  uint16_t m_axi_wstrb_o = 0xffff;
  bool m_axi_wlast_o = false;
  bool m_axi_bready_o = false;

  bool m_axi_arready_i = false, m_axi_rvalid_i = false, m_axi_rlast_i = false;
  uint8_t m_axi_rid_i = 0, m_axi_rresp_i = 0;
  std::array<uint8_t, kBeat> m_axi_rdata_i = {};
  bool m_axi_awready_i = false, m_axi_wready_i = false, m_axi_bvalid_i = false;
  uint8_t m_axi_bid_i = 0, m_axi_bresp_i = 0;
};

struct Read {
  uint8_t id;
  uint64_t address;
  uint8_t len;
};
struct WriteBeat {
  std::array<uint8_t, kBeat> data;
  uint16_t strobes;
  bool last;
};
struct Beat {
  uint64_t cycle;
  uint8_t id, response;
  bool last;
  std::array<uint8_t, kBeat> data;
};
struct Answer {
  uint64_t cycle;
  uint8_t id, response;
};

// Sends what is queued, as early as its stalls allow, and notes what comes back.
class Master {
 public:
  Master(std::vector<uint8_t>& bytes, const AxiMemoryOptions& options, Rng* rng = nullptr,
         double stall = 0)
      : memory(bytes, kBeat, options), rng_(rng), stall_(stall) {}

  void Write(uint8_t id, uint64_t address, const std::vector<WriteBeat>& beats) {
    writes.push_back({id, address, static_cast<uint8_t>(beats.size() - 1)});
    write_beats.insert(write_beats.end(), beats.begin(), beats.end());
  }

  // One cycle.
  void Step() {
    Ports& p = ports;
    memory.Drive(p);
    if (!p.m_axi_arvalid_o && !reads.empty() && Moves()) {
      p.m_axi_arvalid_o = true;
      p.m_axi_arid_o = reads.front().id;
      p.m_axi_araddr_o = reads.front().address;
      p.m_axi_arlen_o = reads.front().len;
    }
    if (!p.m_axi_awvalid_o && !writes.empty() && Moves()) {
      p.m_axi_awvalid_o = true;
      p.m_axi_awid_o = writes.front().id;
      p.m_axi_awaddr_o = writes.front().address;
      p.m_axi_awlen_o = writes.front().len;
    }
    if (!p.m_axi_wvalid_o && !write_beats.empty() && Moves()) {
      p.m_axi_wvalid_o = true;
      p.m_axi_wdata_o = write_beats.front().data;
      p.m_axi_wstrb_o = write_beats.front().strobes;
      p.m_axi_wlast_o = write_beats.front().last;
    }
    p.m_axi_rready_o = Moves();
    p.m_axi_bready_o = Moves();
    memory.Observe(p);
    if (p.m_axi_arvalid_o && p.m_axi_arready_i) {
      p.m_axi_arvalid_o = false;
      read_cycles.push_back(cycle);
      reads.pop_front();
    }
    if (p.m_axi_awvalid_o && p.m_axi_awready_i) {
      p.m_axi_awvalid_o = false;
      writes.pop_front();
    }
    if (p.m_axi_wvalid_o && p.m_axi_wready_i) {
      p.m_axi_wvalid_o = false;
      write_beat_cycles.push_back(cycle);
      write_beats.pop_front();
    }
    if (p.m_axi_rvalid_i && p.m_axi_rready_o) {
      beats.push_back({cycle, p.m_axi_rid_i, p.m_axi_rresp_i, p.m_axi_rlast_i, p.m_axi_rdata_i});
    }
    if (p.m_axi_bvalid_i && p.m_axi_bready_o) {
      answers.push_back({cycle, p.m_axi_bid_i, p.m_axi_bresp_i});
    }
    ++cycle;
  }

  void Steps(int count) {
    for (int i = 0; i < count; ++i) Step();
  }

  // Until everything queued was sent and answered.
  void Run() {
    for (int i = 0; i < 100000; ++i) {
      Step();
      if (reads.empty() && writes.empty() && write_beats.empty() && memory.idle()) return;
    }
    FAIL() << "no end";
  }

  AxiMemory memory;
  Ports ports;
  std::deque<Read> reads, writes;
  std::deque<WriteBeat> write_beats;
  std::vector<uint64_t> read_cycles, write_beat_cycles;  // of the handshakes
  std::vector<Beat> beats;
  std::vector<Answer> answers;
  uint64_t cycle = 0;

 private:
  bool Moves() { return rng_ == nullptr || !rng_->Chance(stall_); }

  Rng* rng_;
  double stall_;
};

std::vector<WriteBeat> Beats(Rng& rng, int count, bool random_strobes = false) {
  std::vector<WriteBeat> beats(static_cast<size_t>(count));
  for (WriteBeat& beat : beats) {
    for (uint8_t& byte : beat.data) byte = static_cast<uint8_t>(rng.Bits());
    beat.strobes = random_strobes ? static_cast<uint16_t>(rng.Bits()) : 0xffff;
    beat.last = &beat == &beats.back();
  }
  return beats;
}

TEST(AxiMemory, FirstBeatAfterTheLatencyThenOneEveryCycle) {
  std::vector<uint8_t> bytes(4096);
  for (const int latency : {1, 7, 32}) {
    Master master(bytes, {.read_latency = latency});
    for (uint64_t i = 0; i < 4; ++i) master.reads.push_back({0, i * 256, 15});
    master.Run();
    ASSERT_EQ(master.beats.size(), 64u);
    EXPECT_EQ(master.read_cycles[3], master.read_cycles[0] + 3);
    for (uint64_t i = 0; i < 64; ++i) {
      EXPECT_EQ(master.beats[i].cycle, master.read_cycles[0] + static_cast<uint64_t>(latency) + i);
      EXPECT_EQ(master.beats[i].last, i % 16 == 15);
    }
    EXPECT_THAT(master.memory.violations(), IsEmpty());
  }
}

TEST(AxiMemory, WriteIsAnsweredAfterTheLatency) {
  Rng rng;
  std::vector<uint8_t> bytes(4096);
  for (const int latency : {1, 32}) {
    Master master(bytes, {.write_latency = latency});
    for (uint64_t i = 0; i < 3; ++i) master.Write(0, i * 256, Beats(rng, 16));
    master.Run();
    ASSERT_EQ(master.write_beat_cycles.size(), 48u);
    EXPECT_EQ(master.write_beat_cycles[47], master.write_beat_cycles[0] + 47);
    ASSERT_EQ(master.answers.size(), 3u);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(master.answers[i].cycle,
                master.write_beat_cycles[16 * i + 15] + static_cast<uint64_t>(latency));
    }
    EXPECT_THAT(master.memory.violations(), IsEmpty());
  }
}

TEST(AxiMemory, BandwidthBelowOneBeatACycle) {
  Rng rng;
  std::vector<uint8_t> bytes(1 << 16);
  for (const double bandwidth : {0.5, 0.75, 0.1}) {
    Master master(bytes, {.read_bandwidth = bandwidth, .write_bandwidth = bandwidth});
    for (uint64_t i = 0; i < 20; ++i) {
      master.reads.push_back({0, i * 256, 15});
      master.Write(0, i * 256, Beats(rng, 16));
    }
    master.Run();
    const auto expected = static_cast<int64_t>(319 / bandwidth);
    const auto reads = static_cast<int64_t>(master.beats.back().cycle - master.beats[0].cycle);
    const auto writes =
        static_cast<int64_t>(master.write_beat_cycles.back() - master.write_beat_cycles[0]);
    EXPECT_NEAR(reads, expected, 2) << bandwidth;
    EXPECT_NEAR(writes, expected, 2) << bandwidth;
  }
}

TEST(AxiMemory, KeepsContentsUnderStallsAndReordering) {
  Rng rng;
  for (const bool reorder : {false, true}) {
    std::vector<uint8_t> bytes(64 << 10);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng.Bits());
    std::vector<uint8_t> expected = bytes;
    Master master(bytes,
                  {.read_latency = 5,
                   .write_latency = 3,
                   .ar_stall = 30,
                   .r_stall = 30,
                   .aw_stall = 30,
                   .w_stall = 30,
                   .b_stall = 30,
                   .write_at_answer = rng.Chance(0.5),
                   .reorder = reorder,
                   .seed = rng.Bits()},
                  &rng, 0.3);
    for (int i = 0; i < 200; ++i) {
      const uint64_t address = static_cast<uint64_t>(rng.Int(0, 255)) * 256;
      const std::vector<WriteBeat> beats = Beats(rng, static_cast<int>(rng.Int(1, 16)), true);
      for (size_t b = 0; b < beats.size(); ++b) {
        for (size_t k = 0; k < kBeat; ++k) {
          if (beats[b].strobes >> k & 1) expected[address + b * kBeat + k] = beats[b].data[k];
        }
      }
      master.Write(static_cast<uint8_t>(rng.Int(0, 3)), address, beats);
    }
    master.Run();
    EXPECT_EQ(bytes, expected);
    EXPECT_EQ(master.answers.size(), 200u);

    std::array<std::deque<std::array<uint8_t, kBeat>>, 4> wanted;  // by ID, in order
    std::vector<uint8_t> asked;
    for (int i = 0; i < 200; ++i) {
      const Read read = {static_cast<uint8_t>(rng.Int(0, 3)),
                         static_cast<uint64_t>(rng.Int(0, 255)) * 256,
                         static_cast<uint8_t>(rng.Int(0, 15))};
      for (uint64_t b = 0; b <= read.len; ++b) {
        std::copy_n(bytes.begin() + static_cast<int64_t>(read.address + b * kBeat), kBeat,
                    wanted[read.id].emplace_back().begin());
        asked.push_back(read.id);
      }
      master.reads.push_back(read);
    }
    master.Run();
    std::vector<uint8_t> came;
    for (const Beat& beat : master.beats) {
      came.push_back(beat.id);
      ASSERT_FALSE(wanted[beat.id].empty());
      EXPECT_EQ(beat.data, wanted[beat.id].front());
      wanted[beat.id].pop_front();
    }
    EXPECT_EQ(came.size(), asked.size());
    EXPECT_EQ(came == asked, !reorder) << "the order of IDs";
    EXPECT_THAT(master.memory.violations(), IsEmpty());
  }
}

// With write_at_answer the bytes are there from the cycle on that follows the answer; else from the
// one that follows the beat.
TEST(AxiMemory, WritesWhenTakenOrWhenAnswered) {
  Rng rng;
  for (const bool at_answer : {false, true}) {
    SCOPED_TRACE(at_answer);
    std::vector<uint8_t> bytes(4096);
    Master master(bytes, {.write_latency = 9, .write_at_answer = at_answer});
    std::vector<std::vector<WriteBeat>> bursts;
    for (uint64_t i = 0; i < 3; ++i) {
      bursts.push_back(Beats(rng, 4, true));
      for (WriteBeat& beat : bursts.back()) beat.data[0] |= 1, beat.strobes |= 1;
      master.Write(0, 16, bursts.back());  // all to the same place
    }
    while (master.answers.size() < 3) {
      master.Step();
      const size_t written =
          at_answer ? master.answers.size() : master.write_beat_cycles.size() / 4;
      if (!at_answer && master.write_beat_cycles.size() % 4 != 0) continue;
      std::vector<uint8_t> expected(4096);
      for (size_t w = 0; w < written; ++w) {
        for (size_t b = 0; b < 4; ++b) {
          for (size_t k = 0; k < kBeat; ++k) {
            const WriteBeat& beat = bursts[w][b];
            if (beat.strobes >> k & 1) expected[16 + b * kBeat + k] = beat.data[k];
          }
        }
      }
      ASSERT_EQ(bytes, expected) << "cycle " << master.cycle;
      ASSERT_LT(master.cycle, 100u);
    }
    EXPECT_THAT(master.memory.violations(), IsEmpty());
  }
}

TEST(AxiMemory, StallsAboutAsOftenAsAsked) {
  std::vector<uint8_t> bytes(4096);
  Master master(bytes, {.ar_stall = 50, .aw_stall = 20, .w_stall = 80, .seed = 3});
  int ar = 0, aw = 0, w = 0;
  for (int i = 0; i < 10000; ++i) {
    master.Step();
    ar += master.ports.m_axi_arready_i;
    aw += master.ports.m_axi_awready_i;
    w += master.ports.m_axi_wready_i;
  }
  EXPECT_NEAR(ar, 5000, 300);
  EXPECT_NEAR(aw, 8000, 300);
  EXPECT_NEAR(w, 2000, 300);
}

TEST(AxiMemory, TakesDataAheadOfItsAddress) {
  Rng rng;
  std::vector<uint8_t> bytes(4096);
  Master master(bytes, {});
  const std::vector<WriteBeat> beats = Beats(rng, 4);
  master.write_beats.assign(beats.begin(), beats.end());
  master.Steps(10);
  EXPECT_EQ(master.write_beat_cycles.size(), 4u);
  master.writes.push_back({2, 512, 3});
  master.Run();
  ASSERT_EQ(master.answers.size(), 1u);
  EXPECT_EQ(master.answers[0].id, 2);
  for (size_t b = 0; b < 4; ++b) {
    for (size_t k = 0; k < kBeat; ++k) EXPECT_EQ(bytes[512 + b * kBeat + k], beats[b].data[k]);
  }
  EXPECT_THAT(master.memory.violations(), IsEmpty());
}

TEST(AxiMemory, AFrozenChannelStandsStillAndGoesOn) {
  Rng rng;
  for (int channel = 0; channel < kAxiChannels; ++channel) {
    SCOPED_TRACE(channel);
    const auto which = static_cast<AxiChannel>(channel);
    const bool of_reads = which == AxiChannel::kReadAddress || which == AxiChannel::kReadData;
    std::vector<uint8_t> bytes(4096);
    Master master(bytes, {.read_latency = 3, .write_latency = 3});
    master.memory.Freeze(which, true);
    for (uint64_t i = 0; i < 3; ++i) {
      master.reads.push_back({0, i * 256, 15});
      master.Write(0, i * 256, Beats(rng, 16));
    }
    master.Steps(500);
    // The other direction is done, this one has not got past the channel.
    EXPECT_EQ(master.beats.size(), of_reads ? 0u : 48u);
    EXPECT_EQ(master.answers.size(), of_reads ? 3u : 0u);
    EXPECT_EQ(master.reads.size(), which == AxiChannel::kReadAddress ? 3u : 0u);
    EXPECT_EQ(master.writes.size(), which == AxiChannel::kWriteAddress ? 3u : 0u);
    EXPECT_EQ(master.write_beats.size(), which == AxiChannel::kWriteData ? 48u : 0u);
    EXPECT_FALSE(master.memory.settled());
    EXPECT_EQ(master.memory.last_unsettled(), master.memory.cycle());
    master.memory.Freeze(which, false);
    master.Run();
    master.Steps(2);
    EXPECT_EQ(master.beats.size(), 48u);
    EXPECT_EQ(master.answers.size(), 3u);
    EXPECT_TRUE(master.memory.settled());
    EXPECT_THAT(master.memory.violations(), IsEmpty());
  }
}

TEST(AxiMemory, ResetForgetsBurstsAndKeepsContents) {
  Rng rng;
  std::vector<uint8_t> bytes(4096);
  Master master(bytes, {.read_latency = 50, .write_latency = 50});
  std::vector<AxiBurst> seen;
  master.memory.SetObserver([&](const AxiBurst& burst) { seen.push_back(burst); });
  master.reads.push_back({1, 512, 15});
  master.Write(0, 256, Beats(rng, 16));
  master.Steps(30);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].write ? seen[1].address : seen[0].address, 512u);
  EXPECT_EQ(seen[0].bytes, 256u);
  const std::vector<uint8_t> written = bytes;
  master.memory.Reset();
  EXPECT_TRUE(master.memory.settled());
  master.Steps(200);
  EXPECT_THAT(master.beats, IsEmpty());
  EXPECT_THAT(master.answers, IsEmpty());
  EXPECT_EQ(bytes, written);
  master.reads.push_back({0, 256, 0});
  master.Run();
  EXPECT_EQ(master.beats.size(), 1u);
  EXPECT_THAT(master.memory.violations(), IsEmpty());
}

TEST(AxiMemory, AnswersFaultsWithTheirResponse) {
  Rng rng;
  std::vector<uint8_t> bytes(0x1010, 7);
  using Kind = AxiFault::Kind;
  Master master(
      bytes, {.faults = {{.kind = Kind::kRead, .begin = 0x210, .end = 0x211},
                         {.kind = Kind::kWrite, .begin = 0x300, .end = 0x400},
                         {.kind = Kind::kRead, .response = AxiResponse::kDecodeError, .nth = 4}}});
  master.reads = {{0, 0x200, 0}, {0, 0x200, 1},  {0, 0x1010, 0}, {0, 0, 0},
                  {0, 0, 0},     {0, 0x1000, 0}, {0, 0x1000, 1}};
  master.Run();
  std::vector<int> responses;
  for (const Beat& beat : master.beats) {
    responses.push_back(beat.response);
    EXPECT_EQ(beat.data[0], beat.response == 0 ? 7 : 0);
  }
  EXPECT_THAT(responses, ElementsAre(0, 2, 2, 3, 3, 0, 0, 3, 3));
  master.Write(0, 0x2f0, Beats(rng, 1));
  master.Write(0, 0x2f0, Beats(rng, 2));
  master.Write(0, 0x300, Beats(rng, 1));
  master.Write(0, 0x1010, Beats(rng, 1));
  const std::vector<uint8_t> before(bytes.begin() + 0x300, bytes.begin() + 0x400);
  master.Run();
  responses.clear();
  for (const Answer& answer : master.answers) responses.push_back(answer.response);
  EXPECT_THAT(responses, ElementsAre(0, 2, 2, 3));
  EXPECT_EQ(before, std::vector<uint8_t>(bytes.begin() + 0x300, bytes.begin() + 0x400));
  EXPECT_THAT(master.memory.violations(), IsEmpty());
}

// --- rules of the master: one broken each, all reported ---

class AxiRules : public ::testing::Test {
 protected:
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(16384);
  Rng rng_;
};

TEST_F(AxiRules, BurstsAreOrdinary) {
  struct Case {
    const char* what;
    Ports ports;
  };
  const Case cases[] = {
      {"only INCR", {.m_axi_arvalid_o = true, .m_axi_arburst_o = 2}},
      {"beats of 8 bytes", {.m_axi_arvalid_o = true, .m_axi_arsize_o = 3}},
      {"not a multiple of a beat", {.m_axi_arvalid_o = true, .m_axi_araddr_o = 0x108}},
      {"cross a boundary of 4096",
       {.m_axi_arvalid_o = true, .m_axi_araddr_o = 0xff0, .m_axi_arlen_o = 1}},
      {"only INCR", {.m_axi_awvalid_o = true, .m_axi_awburst_o = 0}},
      {"beats of 8 bytes", {.m_axi_awvalid_o = true, .m_axi_awsize_o = 3}},
      {"not a multiple of a beat", {.m_axi_awvalid_o = true, .m_axi_awaddr_o = 0x104}},
      {"cross a boundary of 4096",
       {.m_axi_awvalid_o = true, .m_axi_awaddr_o = 0x1f00, .m_axi_awlen_o = 16}},
  };
  for (const Case& c : cases) {
    Master master(bytes_, {});
    master.Steps(3);
    const Ports idle = master.ports;
    master.ports = c.ports;
    master.ports.m_axi_arready_i = idle.m_axi_arready_i;
    master.ports.m_axi_awready_i = idle.m_axi_awready_i;
    EXPECT_THAT(master.memory.violations(), IsEmpty());
    master.memory.Observe(master.ports);
    EXPECT_THAT(master.memory.violations(), HasSubstr(c.what));
  }
  // The last legal bursts.
  Master master(bytes_, {});
  master.reads = {{0, 0xf00, 15}, {0, 0xff0, 0}, {0, 0x1000, 255}};
  master.Run();
  EXPECT_THAT(master.memory.violations(), IsEmpty());
}

TEST_F(AxiRules, ANarrowerBoundaryCanBeAskedFor) {
  Master master(bytes_, {.burst_boundary = 256});
  master.reads = {{0, 0x100, 15}};
  master.Run();
  EXPECT_THAT(master.memory.violations(), IsEmpty());
  master.reads = {{0, 0x110, 15}};
  master.Run();
  EXPECT_THAT(master.memory.violations(), HasSubstr("cross a boundary of 256"));
}

TEST_F(AxiRules, ValidAndPayloadStayUntilReady) {
  struct Case {
    const char* what;
    void (*offer)(Ports&);
    void (*change)(Ports&);
  };
  const Case cases[] = {
      {"ARVALID", [](Ports& p) { p.m_axi_arvalid_o = true; },
       [](Ports& p) { p.m_axi_arvalid_o = false; }},
      {"ARVALID", [](Ports& p) { p.m_axi_arvalid_o = true; },
       [](Ports& p) { p.m_axi_araddr_o += kBeat; }},
      {"ARVALID", [](Ports& p) { p.m_axi_arvalid_o = true; },
       [](Ports& p) { p.m_axi_arid_o ^= 1; }},
      {"AWVALID", [](Ports& p) { p.m_axi_awvalid_o = true; },
       [](Ports& p) { p.m_axi_awvalid_o = false; }},
      {"AWVALID", [](Ports& p) { p.m_axi_awvalid_o = true; },
       [](Ports& p) { p.m_axi_awlen_o += 1; }},
      {"WVALID", [](Ports& p) { p.m_axi_wvalid_o = true; },
       [](Ports& p) { p.m_axi_wvalid_o = false; }},
      {"WVALID", [](Ports& p) { p.m_axi_wvalid_o = true; },
       [](Ports& p) { p.m_axi_wdata_o[kBeat - 1] ^= 1; }},
      {"WVALID", [](Ports& p) { p.m_axi_wvalid_o = true; }, [](Ports& p) { p.m_axi_wlast_o = 1; }},
  };
  for (const Case& c : cases) {
    AxiMemory memory(bytes_, kBeat, {});
    Ports ports;
    c.offer(ports);
    ports.m_axi_arready_i = ports.m_axi_awready_i = ports.m_axi_wready_i = false;
    memory.Observe(ports);  // in its first cycle the memory is not ready
    EXPECT_THAT(memory.violations(), IsEmpty());
    memory.Drive(ports);
    c.change(ports);
    memory.Observe(ports);
    EXPECT_THAT(memory.violations(), HasSubstr(c.what));
  }
}

TEST_F(AxiRules, LastIsOnTheLastBeat) {
  for (const bool early : {false, true}) {
    Master master(bytes_, {});
    std::vector<WriteBeat> beats = Beats(rng_, 4);
    beats[early ? 1 : 3].last ^= true;
    master.Write(0, 0, beats);
    master.Run();
    EXPECT_THAT(master.memory.violations(),
                HasSubstr(early ? "WLAST is 1 on beat 2 of 4" : "WLAST is 0 on beat 4 of 4"));
  }
}

TEST(AxiMemory, OptionsOutOfRangeAreRefused) {
  EXPECT_TRUE(CheckAxiMemoryOptions({}).has_value());
  const auto message = [](const AxiMemoryOptions& options) {
    const Status status = CheckAxiMemoryOptions(options);
    return status ? std::string() : status.error().message;
  };
  EXPECT_THAT(message({.read_latency = 0}), HasSubstr("read_latency is 0"));
  EXPECT_THAT(message({.write_latency = -1}), HasSubstr("write_latency is -1"));
  EXPECT_THAT(message({.read_bandwidth = 0}), HasSubstr("read_bandwidth"));
  EXPECT_THAT(message({.write_bandwidth = 1.5}), HasSubstr("write_bandwidth"));
  EXPECT_THAT(message({.w_stall = 100}), HasSubstr("stall is 100"));
  EXPECT_THAT(message({.burst_boundary = 100}), HasSubstr("burst_boundary is 100"));
}

}  // namespace
}  // namespace weft::testing
