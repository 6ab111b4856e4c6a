// SPDX-License-Identifier: Apache-2.0
//
// The host stage with everything around it: a host on AXI4-Lite, memory, and a stand-in for the
// decoder and the engines that checks the stream it is given and ends jobs as the stream says.
//
// A record's first word is what the decoder does with it, the second an argument (RecordKind).
#pragma once

#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "Vweft_host_harness_weft1024.h"
#include "Vweft_host_harness_weft256.h"
#include "Vweft_host_harness_weft64.h"
#include "tb/lib/bench.h"
#include "weft/hw/configs.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {

template <typename M, int kIndex>
struct Host : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};
using Hosts =
    ::testing::Types<Host<Vweft_host_harness_weft64, 0>, Host<Vweft_host_harness_weft256, 1>,
                     Host<Vweft_host_harness_weft1024, 2>>;

using Record = std::array<uint32_t, 8>;
enum RecordKind : uint32_t {
  kWork = 0,
  kEnd = 1,     // the job ends after `argument` cycles of work
  kRefuse = 2,  // the decoder holds up error code `argument`
  kHang = 3,    // no progress any more
};

template <typename Model>
class HostBench {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;
  static constexpr int kBeat = kConfig.axi_bytes;

  explicit HostBench(Rng& rng, uint64_t max_cycles = 5000000) : rng_(rng), bench_(max_cycles) {
    bench_->s_axil_awvalid_i = bench_->s_axil_wvalid_i = bench_->s_axil_arvalid_i = 0;
    bench_->s_axil_bready_i = bench_->s_axil_rready_i = 0;
    bench_->rsp_valid_i = bench_->req_ready_i = bench_->cmd_ready_i = 0;
    bench_->end_i = bench_->error_i = bench_->progress_i = 0;
    bench_->event_i = 0;
    bench_->dma_idle_i = 1;
    bench_.Reset();
  }

  Model* operator->() { return bench_.operator->(); }
  Bench<Model>& bench() { return bench_; }

  // ---- the host

  void Write(uint32_t offset, uint32_t value, int strobes = 15) {
    bool address = true, data = true, answered = false;
    while (!answered) {
      // Address and data come in either order; a valid stays up.
      bench_->s_axil_awvalid_i = address && (bench_->s_axil_awvalid_i || !rng_.Chance(stall));
      bench_->s_axil_wvalid_i = data && (bench_->s_axil_wvalid_i || !rng_.Chance(stall));
      bench_->s_axil_awaddr_i = bench_->s_axil_awvalid_i ? offset : rng_.Bits() & 0xfff;
      bench_->s_axil_wdata_i = bench_->s_axil_wvalid_i ? value : static_cast<uint32_t>(rng_.Bits());
      bench_->s_axil_wstrb_i = strobes;
      bench_->s_axil_bready_i = !rng_.Chance(stall);
      Drive();
      if (bench_->s_axil_bvalid_o) {
        Require(!address && !data && bench_->s_axil_bresp_o == 0,
                "a response too early or not OKAY");
        answered = bench_->s_axil_bready_i;
      }
      if (bench_->s_axil_awvalid_i && bench_->s_axil_awready_o) address = false;
      if (bench_->s_axil_wvalid_i && bench_->s_axil_wready_o) data = false;
      Finish();
      if (!address) bench_->s_axil_awvalid_i = 0;
      if (!data) bench_->s_axil_wvalid_i = 0;
    }
    bench_->s_axil_bready_i = 0;
  }

  uint32_t Read(uint32_t offset) {
    bool address = true;
    for (;;) {
      bench_->s_axil_arvalid_i = address && (bench_->s_axil_arvalid_i || !rng_.Chance(stall));
      bench_->s_axil_araddr_i = bench_->s_axil_arvalid_i ? offset : rng_.Bits() & 0xfff;
      bench_->s_axil_rready_i = !rng_.Chance(stall);
      Drive();
      const bool answered = bench_->s_axil_rvalid_o && bench_->s_axil_rready_i;
      const uint32_t value = bench_->s_axil_rdata_o;
      if (answered) Require(!address && bench_->s_axil_rresp_o == 0, "answer not asked for");
      if (bench_->s_axil_arvalid_i && bench_->s_axil_arready_o) address = false;
      Finish();
      if (!address) bench_->s_axil_arvalid_i = 0;
      if (answered) {
        bench_->s_axil_rready_i = 0;
        return value;
      }
    }
  }

  void Wait(int64_t cycles) {
    for (; cycles > 0; --cycles) {
      Drive();
      Finish();
    }
  }

  // Waits until (register & mask) == value.
  void Await(uint32_t offset, uint32_t mask, uint32_t value) {
    while ((Read(offset) & mask) != value) Wait(rng_.Int(0, 20));
  }

  // ---- memory: records of 32 bytes; what was never written is noise

  void Put(uint64_t address, const Record& record) { memory_[address / 32] = record; }

  // Lets the stream with this END work for so many cycles.
  void PutEnd(const Record& end, uint32_t cycles) {
    for (auto& [address, record] : memory_) {
      if (record == end) record[1] = cycles;
    }
  }

  // A job ring entry.
  void PutEntry(uint64_t address, const std::array<uint32_t, WEFT_JOB_ENTRY_BYTES / 4>& words) {
    Record low, high;
    std::copy_n(words.begin(), 8, low.begin());
    std::copy_n(words.begin() + 8, 8, high.begin());
    Put(address, low);
    Put(address + 32, high);
  }

  // Reading the 256-byte block with this address in it fails.
  void FailAt(uint64_t address) { bad_blocks_.insert(address / 256); }
  void FailNowhere() { bad_blocks_.clear(); }

  // What the decoder has taken of the oldest stream that was not taken here before.
  std::vector<Record> TakeStream() {
    Require(!streams_.empty(), "no stream was decoded");
    std::vector<Record> stream = streams_.front();
    streams_.pop_front();
    return stream;
  }
  size_t streams() const { return streams_.size(); }
  bool hanging() const { return kind_ == kHang; }
  bool ending() const { return kind_ == kEnd; }
  bool busy_memory() const { return !flying_.empty(); }

  double stall = 0.3;  // of everything
  bool mute = false;   // memory does not answer
  uint32_t events = 0xffff;
  uint32_t fault_command = 0;

  void Require(bool ok, const std::string& what) const {
    if (!ok) throw std::runtime_error(what + ", cycle " + std::to_string(bench_.cycle()));
  }

 private:
  struct Burst {
    uint64_t address;
    uint64_t first;
    int bytes;
  };

  void Drive() {
    bench_->clk_i = 0;
    // Memory: one request after the other, each a burst.
    bench_->req_ready_i = 0;
    bench_->dma_idle_i = flying_.empty();
    response_ = response_ || (!flying_.empty() && !mute && !rng_.Chance(stall));
    bench_->rsp_valid_i = 0;
    Beat();
    // Decoder.
    bench_->cmd_ready_i = decoding_ && kind_ == kWork && !rng_.Chance(stall);
    bench_->end_i = 0;
    bench_->error_i = 0;
    bench_->error_command_i = taken_;
    bench_->error_addr_i = rng_.Bits() & 0xffffffffff;
    bench_->event_i = events;
    bench_->progress_i = 0;
    bench_.Settle();
    const bool live = bench_->engine_rst_no && bench_->running_o;
    if (live && kind_ == kEnd && left_ == 0 && flying_.empty()) bench_->end_i = 1;
    bench_->progress_i = kind_ == kEnd && left_ > 0;
    if (live && kind_ == kRefuse) Fault(argument_, taken_ - 1, 0);
    if (live && kind_ == kWork && bench_->exhausted_o) Fault(WEFT_ERROR_BAD_STREAM, taken_, 0);
    bench_->rsp_valid_i = response_ && !bench_->drain_o;
    if (response_) {
      bench_->progress_i = 1;
      const Burst& burst = flying_.front();
      if (bad_blocks_.count(burst.address / 256) != 0)
        Fault(WEFT_ERROR_READ_ERROR, fault_command, burst.first);
    }
    bench_->req_ready_i = !bench_->drain_o && queued_.size() < 1 && !rng_.Chance(stall);
    decoding_ = live;
    bench_.Settle();
  }

  void Fault(uint32_t code, uint32_t command, uint64_t address) {
    bench_->error_i = 1;
    bench_->error_code_i = code;
    bench_->error_command_i = command;
    bench_->error_addr_i = address;
  }

  void Beat() {
    std::array<uint8_t, kBeat> data;
    for (uint8_t& byte : data) byte = static_cast<uint8_t>(rng_.Bits());
    if (response_) {
      const Burst& burst = flying_.front();
      const auto it = memory_.find(burst.address / 32);
      if (it != memory_.end())
        std::memcpy(data.data(),
                    reinterpret_cast<const uint8_t*>(it->second.data()) + burst.address % 32,
                    kBeat);
    }
    std::memcpy(static_cast<void*>(&bench_->rsp_data_i), data.data(), kBeat);
  }

  void Finish() {
    const bool drain = bench_->drain_o, reset = !bench_->engine_rst_no, running = bench_->running_o;
    const bool request = bench_->req_valid_o && bench_->req_ready_i;
    const Burst asked{bench_->req_addr_o, bench_->req_addr_o,
                      static_cast<int>(bench_->req_bytes_o)};
    const bool beat = response_ && (drain || bench_->rsp_ready_o);
    const bool record = bench_->cmd_valid_o && bench_->cmd_ready_i && running && !reset;
    if (record) Decode();
    if (bench_->progress_i && kind_ == kEnd && left_ > 0) --left_;
    if (reset || !running) kind_ = kWork, taken_ = 0;
    if (running && !was_running_) streams_.emplace_back();
    was_running_ = running;
    if (record) streams_.back().push_back(taken_record_);
    bench_.Tick();
    if (request) {
      Require(
          asked.bytes > 0 && asked.bytes % 32 == 0 && asked.bytes <= 256 && asked.address % 32 == 0,
          "a strange request");
    }
    // A request leaves as a burst one or more cycles after it was taken; until then it can be
    // dropped.
    if (!queued_.empty() && !drain && !rng_.Chance(stall)) {
      flying_.push_back(queued_.front());
      queued_.pop_front();
    }
    if (drain) queued_.clear();
    if (request) queued_.push_back(asked);
    if (beat) {
      response_ = false;
      Burst& burst = flying_.front();
      burst.address += kBeat;
      burst.bytes -= kBeat;
      if (burst.bytes == 0) flying_.pop_front();
    }
  }

  void Decode() {
    std::memcpy(taken_record_.data(), static_cast<const void*>(&bench_->cmd_o), 32);
    Require(bench_->cmd_index_o == taken_, "index of a command");
    ++taken_;
    kind_ = static_cast<RecordKind>(taken_record_[0]);
    argument_ = left_ = taken_record_[1];
  }

  Rng& rng_;
  Bench<Model> bench_;
  std::map<uint64_t, Record> memory_;
  std::set<uint64_t> bad_blocks_;
  std::deque<Burst> queued_, flying_;
  bool response_ = false;
  bool decoding_ = false;
  RecordKind kind_ = kWork;
  uint32_t argument_ = 0, left_ = 0, taken_ = 0;
  Record taken_record_ = {};
  bool was_running_ = false;
  std::deque<std::vector<Record>> streams_;
};

}  // namespace weft::testing
