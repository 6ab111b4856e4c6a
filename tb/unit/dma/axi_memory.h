// SPDX-License-Identifier: Apache-2.0
//
// Memory behind one AXI4 port of a verilated model, for unit tests: random delays, answers of
// different IDs in any order and interleaved, errors on demand. Checks the rules of the channels.
//
//   AxiReadMemory memory(rng, config.axi_bytes);
//   memory.latency_low = memory.latency_high = 32;
//   loop: memory.Drive(bench.model()); bench.Settle(); memory.Step(bench.model()); bench.Tick();
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "tb/lib/seed.h"

namespace weft::testing {

// What memory holds before anything is written: a byte of its own for every address.
inline uint8_t MemoryByte(uint64_t address) {
  uint64_t x = address * 0x9e3779b97f4a7c15u;
  x ^= x >> 29;
  return static_cast<uint8_t>((x * 0xbf58476d1ce4e5b9u) >> 56);
}

// The bytes of a port, lowest first, whatever type Verilator chose for it.
template <typename Port>
uint8_t* PortBytes(Port& port) {
  return reinterpret_cast<uint8_t*>(&port);
}

// What a bad 256-byte block answers: SLVERR or DECERR.
inline int ErrorResponse(uint64_t block) { return block % 2 == 0 ? 2 : 3; }

class AxiReadMemory {
 public:
  AxiReadMemory(Rng& rng, int beat_bytes) : rng_(rng), beat_bytes_(beat_bytes) {}

  int latency_low = 1;  // cycles from the acceptance of an address to its first beat
  int latency_high = 1;
  double address_stall = 0;
  double data_stall = 0;
  bool keep_order = false;        // bursts answered in order, no interleaving
  std::set<uint64_t> bad_blocks;  // 256-byte blocks (address / 256) that answer ErrorResponse
  std::vector<int> order;         // ID of each burst accepted
  int most_bursts = 0;            // accepted and not yet answered, at most
  int64_t beats = 0;

  template <typename Model>
  void Drive(Model& model) {
    ready_ = !rng_.Chance(address_stall);
    model.axi_arready_i = ready_;
    if (!offering_ && !rng_.Chance(data_stall)) Choose();
    model.axi_rvalid_i = offering_;
    if (offering_) {
      const Burst& burst = bursts_.at(offered_);
      const uint64_t address = burst.address + static_cast<uint64_t>(burst.next) * beat_bytes_;
      model.axi_rid_i = burst.id;
      for (int i = 0; i < beat_bytes_; ++i)
        PortBytes(model.axi_rdata_i)[i] = MemoryByte(address + i);
      const uint64_t block = burst.address / 256;
      model.axi_rresp_i = bad_blocks.contains(block) ? ErrorResponse(block) : 0;
      model.axi_rlast_i = burst.next == burst.len;
    }
  }

  template <typename Model>
  void Step(Model& model) {
    ++cycle_;
    const Burst asked = {static_cast<int>(model.axi_arid_o), model.axi_araddr_o,
                         static_cast<int>(model.axi_arlen_o), 0, 0};
    if (waiting_) {
      EXPECT_EQ(model.axi_arvalid_o, 1) << "ARVALID fell before ARREADY";
      EXPECT_EQ(asked.id, waiting_burst_.id);
      EXPECT_EQ(asked.address, waiting_burst_.address);
      EXPECT_EQ(asked.len, waiting_burst_.len);
    }
    waiting_ = model.axi_arvalid_o && !ready_;
    waiting_burst_ = asked;
    if (model.axi_arvalid_o && ready_) {
      EXPECT_EQ(model.axi_arburst_o, 1);
      EXPECT_EQ(1 << model.axi_arsize_o, beat_bytes_);
      EXPECT_EQ(asked.address % beat_bytes_, 0u);
      EXPECT_LE(asked.address % 256 + (asked.len + 1) * beat_bytes_, 256u) << "crosses 256 bytes";
      bursts_.push_back(asked);
      bursts_.back().due = cycle_ - 1 + rng_.Int(latency_low, latency_high);
      order.push_back(asked.id);
      most_bursts = std::max(most_bursts, static_cast<int>(bursts_.size()));
    }
    if (offering_ && model.axi_rready_o) {
      ++beats;
      offering_ = false;
      if (bursts_[offered_].next++ == bursts_[offered_].len) {
        bursts_.erase(bursts_.begin() + static_cast<int64_t>(offered_));
      }
    }
  }

  bool idle() const { return bursts_.empty(); }

 private:
  struct Burst {
    int id;
    uint64_t address;
    int len;   // beats - 1
    int next;  // beat
    int64_t due;
  };

  // The next beat: of any burst that is the oldest of its ID and due.
  void Choose() {
    std::vector<size_t> candidates;
    std::set<int> seen;
    for (size_t i = 0; i < bursts_.size(); ++i) {
      if (!seen.insert(bursts_[i].id).second) continue;
      if (bursts_[i].due <= cycle_) candidates.push_back(i);
      if (keep_order) break;
    }
    if (candidates.empty()) return;
    offered_ = rng_.Pick(candidates);
    offering_ = true;
  }

  Rng& rng_;
  int beat_bytes_;
  std::deque<Burst> bursts_;
  bool ready_ = false;
  bool waiting_ = false;
  Burst waiting_burst_ = {};
  bool offering_ = false;
  size_t offered_ = 0;
  int64_t cycle_ = 0;
};

class AxiWriteMemory {
 public:
  AxiWriteMemory(Rng& rng, int beat_bytes) : rng_(rng), beat_bytes_(beat_bytes) {}

  int latency_low = 1;  // cycles from the last beat of a burst to its answer
  int latency_high = 1;
  double address_stall = 0;
  double data_stall = 0;
  std::set<uint64_t> bad_blocks;        // 256-byte blocks that answer ErrorResponse
  std::map<uint64_t, uint8_t> written;  // every byte written
  int64_t beats = 0;
  int64_t bursts = 0;
  int most_bursts = 0;

  template <typename Model>
  void Drive(Model& model) {
    aw_ready_ = !rng_.Chance(address_stall);
    w_ready_ = !rng_.Chance(data_stall);
    model.axi_awready_i = aw_ready_;
    model.axi_wready_i = w_ready_;
    answering_ = !bursts_.empty() && bursts_.front().complete && bursts_.front().due <= cycle_;
    model.axi_bvalid_i = answering_;
    const uint64_t block = answering_ ? bursts_.front().address / 256 : 0;
    model.axi_bresp_i = answering_ && bad_blocks.contains(block) ? ErrorResponse(block) : 0;
  }

  template <typename Model>
  void Step(Model& model) {
    ++cycle_;
    if (aw_waiting_) {
      EXPECT_EQ(model.axi_awvalid_o, 1) << "AWVALID fell before AWREADY";
      EXPECT_EQ(model.axi_awaddr_o, aw_address_);
      EXPECT_EQ(model.axi_awlen_o, aw_len_);
    }
    aw_waiting_ = model.axi_awvalid_o && !aw_ready_;
    aw_address_ = model.axi_awaddr_o;
    aw_len_ = model.axi_awlen_o;
    if (model.axi_awvalid_o && !announced_) {  // data may come from here on
      EXPECT_EQ(model.axi_awburst_o, 1);
      EXPECT_EQ(1 << model.axi_awsize_o, beat_bytes_);
      EXPECT_EQ(model.axi_awaddr_o % beat_bytes_, 0u);
      EXPECT_LE(model.axi_awaddr_o % 256 + (model.axi_awlen_o + 1) * beat_bytes_, 256u);
      bursts_.push_back(
          {model.axi_awaddr_o, static_cast<int>(model.axi_awlen_o), 0, false, false, 0});
      ++bursts;
      most_bursts = std::max(most_bursts, static_cast<int>(bursts_.size()));
      announced_ = true;
    }
    if (model.axi_awvalid_o && aw_ready_) {
      bursts_.back().address_taken = true;
      announced_ = false;
    }

    const std::vector<uint8_t> data(PortBytes(model.axi_wdata_o),
                                    PortBytes(model.axi_wdata_o) + beat_bytes_);
    if (w_waiting_) {
      EXPECT_EQ(model.axi_wvalid_o, 1) << "WVALID fell before WREADY";
      EXPECT_EQ(data, w_data_);
      EXPECT_EQ(model.axi_wstrb_o, w_strb_);
      EXPECT_EQ(model.axi_wlast_o, w_last_);
    }
    w_waiting_ = model.axi_wvalid_o && !w_ready_;
    w_data_ = data;
    w_strb_ = model.axi_wstrb_o;
    w_last_ = model.axi_wlast_o;
    if (model.axi_wvalid_o && w_ready_) {
      ++beats;
      size_t i = 0;
      while (i < bursts_.size() && bursts_[i].next > bursts_[i].len) ++i;
      ASSERT_LT(i, bursts_.size()) << "a beat of a burst that was not announced";
      Burst& burst = bursts_[i];
      const uint64_t address = burst.address + static_cast<uint64_t>(burst.next) * beat_bytes_;
      for (int b = 0; b < beat_bytes_; ++b) {
        if (model.axi_wstrb_o >> b & 1) written[address + b] = data[b];
      }
      EXPECT_EQ(model.axi_wlast_o, burst.next == burst.len);
      ++burst.next;
    }
    if (answering_ && model.axi_bready_o) bursts_.pop_front();
    for (Burst& burst : bursts_) {
      if (!burst.complete && burst.address_taken && burst.next > burst.len) {
        burst.complete = true;
        burst.due = cycle_ - 1 + rng_.Int(latency_low, latency_high);
      }
    }
  }

  bool idle() const { return bursts_.empty(); }

 private:
  struct Burst {
    uint64_t address;
    int len;   // beats - 1
    int next;  // beat
    bool address_taken;
    bool complete;
    int64_t due;
  };

  Rng& rng_;
  int beat_bytes_;
  std::deque<Burst> bursts_;
  bool aw_ready_ = false, w_ready_ = false, answering_ = false, announced_ = false;
  bool aw_waiting_ = false, w_waiting_ = false;
  uint64_t aw_address_ = 0;
  int aw_len_ = 0;
  std::vector<uint8_t> w_data_;
  uint64_t w_strb_ = 0;
  int w_last_ = 0;
  int64_t cycle_ = 0;
};

}  // namespace weft::testing
