// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "Vweft_faults_weft256.h"
#include "tb/lib/bench.h"
#include "weft/hw/weft_hw.h"

namespace weft {
namespace {

using testing::Rng;
using Bench = testing::Bench<Vweft_faults_weft256>;

// One thing that can fail, and what is then reported.
struct Source {
  const char* name;
  void (*raise)(Vweft_faults_weft256&);
  uint32_t code;
  uint32_t (*command)(const Vweft_faults_weft256&);
  uint64_t (*address)(const Vweft_faults_weft256&);
};

uint64_t NoAddress(const Vweft_faults_weft256&) { return 0; }
uint64_t ReadAddress(const Vweft_faults_weft256& m) { return m.read_addr_i; }
uint64_t WriteAddress(const Vweft_faults_weft256& m) { return m.write_addr_i; }

template <int kClient, bool kDenied>
void Read(Vweft_faults_weft256& m) {
  m.read_error_i = 1;
  m.read_client_i = kClient;
  m.read_denied_i = kDenied;
}

template <int kClient, bool kDenied>
void Write(Vweft_faults_weft256& m) {
  m.write_error_i = 1;
  m.write_client_i = kClient;
  m.write_denied_i = kDenied;
}

#define COMMAND(port) [](const Vweft_faults_weft256& m) -> uint32_t { return m.port; }
#define RAISE(port) [](Vweft_faults_weft256& m) { m.port = 1; }

// The first of those raised wins; the groups are the ports, of which each has one state.
std::vector<std::vector<Source>> Groups() {
  return {
      {{"command read", Read<0, false>, WEFT_ERROR_READ_ERROR, COMMAND(command_index_i),
        ReadAddress},
       {"weights read", Read<1, false>, WEFT_ERROR_READ_ERROR, COMMAND(weights_access_i),
        ReadAddress},
       {"load read", Read<2, false>, WEFT_ERROR_READ_ERROR, COMMAND(load_access_i), ReadAddress},
       {"command denied", Read<0, true>, WEFT_ERROR_WINDOW, COMMAND(command_index_i), ReadAddress},
       {"weights denied", Read<1, true>, WEFT_ERROR_WINDOW, COMMAND(weights_access_i), ReadAddress},
       {"load denied", Read<2, true>, WEFT_ERROR_WINDOW, COMMAND(load_access_i), ReadAddress}},
      {{"store write", Write<0, false>, WEFT_ERROR_WRITE_ERROR, COMMAND(store_access_i),
        WriteAddress},
       {"marker write", Write<1, false>, WEFT_ERROR_WRITE_ERROR, COMMAND(marker_access_i),
        WriteAddress},
       {"store denied", Write<0, true>, WEFT_ERROR_WINDOW, COMMAND(store_access_i), WriteAddress},
       {"marker denied", Write<1, true>, WEFT_ERROR_WINDOW, COMMAND(marker_access_i),
        WriteAddress}},
      {{"load range", RAISE(load_range_i), WEFT_ERROR_BAD_ADDRESS, COMMAND(load_index_i),
        NoAddress}},
      {{"store range", RAISE(store_range_i), WEFT_ERROR_BAD_ADDRESS, COMMAND(store_index_i),
        NoAddress}},
      {{"feed range", RAISE(feed_range_i), WEFT_ERROR_BAD_ADDRESS, COMMAND(feed_index_i),
        NoAddress}},
      {{"post range", RAISE(post_range_i), WEFT_ERROR_BAD_ADDRESS, COMMAND(post_index_i),
        NoAddress}},
      {{"decoder", [](Vweft_faults_weft256& m) { m.decode_error_i = WEFT_ERROR_BAD_FIELD; },
        WEFT_ERROR_BAD_FIELD, COMMAND(decode_index_i), NoAddress}},
  };
}

// Nothing fails; all that would be named with an error is noise.
void Calm(Vweft_faults_weft256& m, Rng& rng) {
  m.read_error_i = m.write_error_i = 0;
  m.load_range_i = m.store_range_i = m.feed_range_i = m.post_range_i = 0;
  m.decode_error_i = WEFT_ERROR_NONE;
  m.read_denied_i = rng.Int(0, 1);
  m.write_denied_i = rng.Int(0, 1);
  m.read_client_i = rng.Int(0, 2);
  m.write_client_i = rng.Int(0, 1);
  m.read_addr_i = rng.Bits() & 0xffffffffff;
  m.write_addr_i = rng.Bits() & 0xffffffffff;
  for (uint32_t* index : {&m.command_index_i, &m.weights_access_i, &m.load_access_i,
                          &m.store_access_i, &m.marker_access_i, &m.load_index_i, &m.store_index_i,
                          &m.feed_index_i, &m.post_index_i, &m.decode_index_i}) {
    *index = static_cast<uint32_t>(rng.Bits());
  }
}

// The error is there in the cycle after it was raised.
void Expect(Bench& bench, const Source& source) {
  const Vweft_faults_weft256& m = bench.model();
  bench.Tick();
  EXPECT_EQ(m.error_o, 1);
  EXPECT_EQ(m.code_o, source.code);
  EXPECT_EQ(m.command_o, source.command(m));
  EXPECT_EQ(m.addr_o, source.address(m));
}

TEST(Faults, NothingIsNothing) {
  Rng rng;
  Bench bench;
  Vweft_faults_weft256& m = bench.model();
  for (int i = 0; i < 100; ++i) {
    Calm(m, rng);
    bench.Tick();
    EXPECT_EQ(m.error_o, 0);
  }
}

// Engines in reset have not failed.
TEST(Faults, ResetForgets) {
  Rng rng;
  Bench bench;
  Vweft_faults_weft256& m = bench.model();
  for (const std::vector<Source>& group : Groups()) {
    for (const Source& source : group) {
      SCOPED_TRACE(source.name);
      Calm(m, rng);
      source.raise(m);
      m.rst_ni = 0;
      bench.Tick();
      EXPECT_EQ(m.error_o, 0);
      m.rst_ni = 1;
      Expect(bench, source);
    }
  }
}

TEST(Faults, EachSourceAlone) {
  Rng rng;
  Bench bench;
  Vweft_faults_weft256& m = bench.model();
  for (const std::vector<Source>& group : Groups()) {
    for (const Source& source : group) {
      SCOPED_TRACE(source.name);
      Calm(m, rng);
      source.raise(m);
      Expect(bench, source);
    }
  }
}

TEST(Faults, EveryDecodeError) {
  Rng rng;
  Bench bench;
  Vweft_faults_weft256& m = bench.model();
  for (const uint32_t code : {WEFT_ERROR_BAD_OPCODE, WEFT_ERROR_BAD_FIELD, WEFT_ERROR_BAD_ADDRESS,
                              WEFT_ERROR_BAD_STREAM}) {
    Calm(m, rng);
    m.decode_error_i = code;
    bench.Tick();
    EXPECT_EQ(m.error_o, 1);
    EXPECT_EQ(m.code_o, code);
    EXPECT_EQ(m.command_o, m.decode_index_i);
    EXPECT_EQ(m.addr_o, 0u);
  }
}

TEST(Faults, TheEarlierOfEveryPairWins) {
  Rng rng;
  Bench bench;
  Vweft_faults_weft256& m = bench.model();
  const std::vector<std::vector<Source>> groups = Groups();
  for (size_t first = 0; first < groups.size(); ++first) {
    for (size_t second = first + 1; second < groups.size(); ++second) {
      for (const Source& winner : groups[first]) {
        for (const Source& loser : groups[second]) {
          SCOPED_TRACE(std::string(winner.name) + ", " + loser.name);
          Calm(m, rng);
          winner.raise(m);
          loser.raise(m);
          Expect(bench, winner);
        }
      }
    }
  }
}

}  // namespace
}  // namespace weft
