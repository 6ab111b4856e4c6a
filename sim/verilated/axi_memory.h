// SPDX-License-Identifier: Apache-2.0
//
// Memory behind the AXI4 master of a verilated model: latency, bandwidth, stalls, reordering and
// errors on demand, and a watch over the rules of the bus, the master's and its own.
//
//   AxiMemory memory(bytes, config.axi_bytes, options);     // bytes: the contents, not owned
//   loop, once a clock:
//     model.eval();                                         // outputs follow the inputs
//     memory.Observe(model);                                // what this clock edge will move
//     clock edge
//     memory.Drive(model);                                  // inputs of the next cycle
//   EXPECT_EQ(memory.violations(), "");
//
// A model is anything with members m_axi_*_o and m_axi_*_i named and sized as the ports of
// weft_top. All outputs come from registers: none depends on an input of the same cycle. One beat
// a cycle and direction at most. Reads are answered in order unless `reorder` is set; a burst that
// reaches outside the memory is answered DECERR. Nothing is allocated while it runs (but room for
// data with `write_at_answer`), and a cycle in which nothing happens costs a few instructions. Not
// thread safe.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weft/result.h"

namespace weft {

/// RRESP and BRESP.
enum class AxiResponse : uint8_t { kOkay = 0, kSlaveError = 2, kDecodeError = 3 };

/// Bursts of one direction that fail: those that touch [begin, end), and the `nth` one since
/// construction (from 1; 0: none). Failed writes do not change memory; failed reads give zeros.
struct AxiFault {
  enum class Kind : uint8_t { kRead, kWrite };
  Kind kind = Kind::kRead;
  AxiResponse response = AxiResponse::kSlaveError;
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t nth = 0;
};

/// The five channels.
enum class AxiChannel : uint8_t { kReadAddress, kReadData, kWriteAddress, kWriteData, kAnswer };
inline constexpr int kAxiChannels = 5;

/// A burst as the memory has taken it, for those who watch.
struct AxiBurst {
  bool write = false;
  uint32_t id = 0;
  uint64_t address = 0;
  uint64_t bytes = 0;
  AxiResponse response = AxiResponse::kOkay;  ///< that it will get
};

struct AxiMemoryOptions {
  /// Cycles from the one in which an address is taken to that of the first beat, at least 1.
  int read_latency = 32;
  /// Cycles from the one in which a burst's address and last beat are taken to that of its answer.
  int write_latency = 32;
  /// Beats a cycle on average, above 0 and up to 1.
  double read_bandwidth = 1;
  double write_bandwidth = 1;
  /// Percent of the cycles, 0..95, in which a channel does not move for no reason at all.
  int ar_stall = 0;
  int r_stall = 0;
  int aw_stall = 0;
  int w_stall = 0;
  int b_stall = 0;
  /// What a burst writes is in the memory when its answer is taken, and not earlier, as a master
  /// must expect; otherwise each beat is as soon as it is taken.
  bool write_at_answer = false;
  /// Answers of different IDs come in any order, read beats of different IDs interleaved.
  bool reorder = false;
  /// A burst that crosses a multiple of this many bytes breaks the rules. AXI4 asks for 4096.
  uint64_t burst_boundary = 4096;
  std::vector<AxiFault> faults = {};
  uint64_t seed = 1;
};

/// An error that names the option out of range.
Status CheckAxiMemoryOptions(const AxiMemoryOptions& options);

class AxiMemory {
 public:
  /// `beat_bytes`: bytes of the data bus, a power of two of at most 32.
  AxiMemory(std::span<uint8_t> bytes, int beat_bytes, const AxiMemoryOptions& options);

  /// Before a clock edge: looks at the model's settled outputs.
  template <typename Ports>
  void Observe(const Ports& ports) {
    const bool ar = ports.m_axi_arvalid_o;
    const bool aw = ports.m_axi_awvalid_o;
    const bool w = ports.m_axi_wvalid_o;
    if (quiet_ && !(ar | aw | w)) {
      ++cycle_;
      return;
    }
    if (ar | ar_held_) {
      ObserveReadAddress(ar, {ports.m_axi_araddr_o, ports.m_axi_arid_o, ports.m_axi_arlen_o,
                              ports.m_axi_arsize_o, ports.m_axi_arburst_o});
    }
    if (r_valid_ && ports.m_axi_rready_o) FinishReadBeat();
    if (aw | aw_held_) {
      ObserveWriteAddress(aw, {ports.m_axi_awaddr_o, ports.m_axi_awid_o, ports.m_axi_awlen_o,
                               ports.m_axi_awsize_o, ports.m_axi_awburst_o});
    }
    if (w | w_held_) {
      ObserveWriteBeat(w, reinterpret_cast<const uint8_t*>(&ports.m_axi_wdata_o),
                       ports.m_axi_wstrb_o, ports.m_axi_wlast_o);
    }
    if (b_valid_ && ports.m_axi_bready_o) FinishAnswer();
    Advance();
  }

  /// After a clock edge: the inputs of the cycle that begins.
  template <typename Ports>
  void Drive(Ports& ports) {
    if (!changed_) return;
    changed_ = false;
    ports.m_axi_arready_i = ar_ready_;
    ports.m_axi_awready_i = aw_ready_;
    ports.m_axi_wready_i = w_ready_;
    ports.m_axi_rvalid_i = r_valid_;
    if (r_new_) {
      r_new_ = false;
      ports.m_axi_rid_i = r_id_;
      ports.m_axi_rresp_i = static_cast<uint8_t>(r_response_);
      ports.m_axi_rlast_i = r_last_;
      std::memcpy(&ports.m_axi_rdata_i, r_data_, sizeof(ports.m_axi_rdata_i));
    }
    ports.m_axi_bvalid_i = b_valid_;
    if (b_valid_) {
      ports.m_axi_bid_i = b_id_;
      ports.m_axi_bresp_i = static_cast<uint8_t>(b_response_);
    }
  }

  // --- what a test does to the memory while it runs ---

  /// A channel stops: no address or data is taken, no beat or answer is offered any more (one that
  /// is on offer stays there, as the rules ask). Or goes on.
  void Freeze(AxiChannel channel, bool frozen);
  /// Other faults from now on. `nth` counts bursts since construction, as read_bursts() does.
  void SetFaults(std::vector<AxiFault> faults) { faults_ = std::move(faults); }
  /// Called with every burst when its address is taken.
  void SetObserver(std::function<void(const AxiBurst&)> observer) {
    observer_ = std::move(observer);
  }
  /// The hard reset, which memory and master get together: forgets every burst. What was written
  /// stays.
  void Reset();

  /// A read beat is offered in the present cycle: RREADY matters.
  bool offers_read_beat() const { return r_valid_; }
  /// No burst is under way.
  bool idle() const { return reads_.count == 0 && writes_.count == 0 && answers_.count == 0; }
  /// Nor is anything on offer, or data ahead of its address.
  bool settled() const {
    return idle() && early_.count == 0 && !ar_held_ && !aw_held_ && !w_held_ && !r_valid_ &&
           !b_valid_;
  }
  /// The last cycle that began unsettled, and that in which the last error was answered.
  uint64_t last_unsettled() const { return last_unsettled_; }
  uint64_t last_error() const { return last_error_; }

  /// Cycles observed, bursts and beats moved so far.
  uint64_t cycle() const { return cycle_; }
  uint64_t read_bursts() const { return read_bursts_; }
  uint64_t write_bursts() const { return write_bursts_; }
  uint64_t read_beats() const { return read_beats_; }
  uint64_t write_beats() const { return write_beats_; }

  /// Broken rules, a line each with its cycle; the first 20. Empty: none.
  const std::string& violations() const { return violations_; }

 private:
  static constexpr uint32_t kBursts = 64;      // under way, each direction; a power of two
  static constexpr uint32_t kEarlyBeats = 64;  // of write data ahead of their address
  static constexpr uint32_t kMaxBeatBytes = 32;

  // The payload of AR or AW.
  struct Address {
    uint64_t address;
    uint32_t id;
    uint32_t len;  // beats - 1
    uint32_t size;
    uint32_t burst;
    bool operator==(const Address&) const = default;
  };
  struct Burst {
    uint64_t address;
    uint64_t taken;  // cycle of the address; of the last of address and data in an answer
    uint32_t id;
    uint32_t len;
    uint32_t next;  // beat
    AxiResponse response;
    uint64_t number = 0;  // of a write burst, counted from 1
  };
  struct WriteBeat {
    std::array<uint8_t, kMaxBeatBytes> data;
    uint32_t strobes;
    bool last;
  };

  // A beat of a write burst that is not answered yet.
  struct HeldBeat {
    uint64_t burst;  // its number
    uint64_t address;
    WriteBeat beat;
  };

  // A queue in an array; elements behind the first can be taken out too.
  template <typename T, uint32_t kSize>
  struct Queue {
    std::array<T, kSize> items;
    uint32_t first = 0;
    uint32_t count = 0;
    T& operator[](uint32_t i) { return items[(first + i) % kSize]; }
    bool full() const { return count == kSize; }
    void Push(const T& item) { items[(first + count++) % kSize] = item; }
    void Erase(uint32_t i) {
      for (; i > 0; --i) (*this)[i] = (*this)[i - 1];
      first = (first + 1) % kSize;
      --count;
    }
  };

  void ObserveReadAddress(bool valid, const Address& address);
  void FinishReadBeat();
  void ObserveWriteAddress(bool valid, const Address& address);
  void ObserveWriteBeat(bool valid, const uint8_t* data, uint32_t strobes, bool last);
  void FinishAnswer();
  void Advance();
  void OfferReadBeat();
  void OfferAnswer();
  void CheckBurst(const char* channel, const Address& address);
  AxiResponse ResponseOf(AxiFault::Kind kind, const Address& address, uint64_t number) const;
  void PlaceWriteBeat(const uint8_t* data, uint32_t strobes, bool last);
  void Write(uint64_t address, const uint8_t* data, uint32_t strobes);
  int ChooseDue(Queue<Burst, kBursts>& bursts, int latency);
  bool Stalls(int percent);
  void Violation(const std::string& text);
  bool Frozen(AxiChannel channel) const { return frozen_[static_cast<size_t>(channel)]; }
  void Notice(bool write, const Address& address, AxiResponse response) const;

  const std::span<uint8_t> bytes_;
  const uint32_t beat_bytes_;
  const AxiMemoryOptions options_;
  std::vector<AxiFault> faults_;
  std::array<bool, kAxiChannels> frozen_ = {};
  std::function<void(const AxiBurst&)> observer_;
  const bool random_ready_;       // some ready line is drawn anew every cycle
  const uint64_t read_interval_;  // 1/65536 cycles between beats
  const uint64_t write_interval_;
  uint64_t random_;

  uint64_t cycle_ = 0;
  bool quiet_ = false;   // nothing is under way or held, nothing changes by itself
  bool changed_ = true;  // Drive has something to do

  // What is driven.
  bool ar_ready_ = false, aw_ready_ = false, w_ready_ = false;
  bool r_valid_ = false, r_new_ = false, r_last_ = false;
  uint8_t r_id_ = 0;
  AxiResponse r_response_ = AxiResponse::kOkay;
  const uint8_t* r_data_ = nullptr;
  bool b_valid_ = false;
  uint8_t b_id_ = 0;
  AxiResponse b_response_ = AxiResponse::kOkay;

  // What was offered and not taken.
  bool ar_held_ = false, aw_held_ = false, w_held_ = false;
  Address ar_ = {}, aw_ = {};
  WriteBeat w_ = {};

  Queue<Burst, kBursts> reads_;
  Queue<Burst, kBursts> writes_;  // data not complete
  Queue<Burst, kBursts> answers_;
  Queue<WriteBeat, kEarlyBeats> early_;
  std::vector<HeldBeat> held_;
  uint32_t r_index_ = 0;  // of the burst on offer in reads_
  uint32_t b_index_ = 0;
  uint64_t read_slot_ = 0;  // 1/65536 cycles: when the next beat may move
  uint64_t write_slot_ = 0;
  uint64_t last_read_beat_ = UINT64_MAX;  // cycle
  uint64_t last_write_beat_ = UINT64_MAX;
  uint64_t last_unsettled_ = 0;
  uint64_t last_error_ = 0;

  uint64_t read_bursts_ = 0, write_bursts_ = 0, read_beats_ = 0, write_beats_ = 0;
  std::string violations_;
  int violation_count_ = 0;
};

}  // namespace weft
