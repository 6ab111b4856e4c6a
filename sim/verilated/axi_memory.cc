// SPDX-License-Identifier: Apache-2.0
#include "sim/verilated/axi_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace weft {
namespace {

constexpr int kMaxViolations = 20;
constexpr int kMaxStall = 95;
constexpr uint32_t kBurstIncr = 1;
alignas(32) constexpr std::array<uint8_t, 32> kZeros = {};

uint64_t Interval(double bandwidth) {
  return static_cast<uint64_t>(std::llround(65536.0 / bandwidth));
}

// Whether a beat may move in `cycle`, and the slot after one that does.
bool SlotOpen(uint64_t slot, uint64_t cycle) { return slot < (cycle + 1) << 16; }
uint64_t NextSlot(uint64_t slot, uint64_t cycle, uint64_t interval) {
  return std::max(slot, cycle << 16) + interval;
}

}  // namespace

Status CheckAxiMemoryOptions(const AxiMemoryOptions& options) {
  for (const auto& [name, latency] : {std::pair("read_latency", options.read_latency),
                                      std::pair("write_latency", options.write_latency)}) {
    if (latency < 1) return Fail("memory {} is {} cycles: it must be at least 1", name, latency);
  }
  for (const auto& [name, bandwidth] : {std::pair("read_bandwidth", options.read_bandwidth),
                                        std::pair("write_bandwidth", options.write_bandwidth)}) {
    if (!(bandwidth >= 0.001 && bandwidth <= 1)) {
      return Fail("memory {} is {} beats a cycle: it must be 0.001 to 1", name, bandwidth);
    }
  }
  for (const int stall :
       {options.ar_stall, options.r_stall, options.aw_stall, options.w_stall, options.b_stall}) {
    if (stall < 0 || stall > kMaxStall) {
      return Fail("a memory stall is {} percent: it must be 0 to {}", stall, kMaxStall);
    }
  }
  if (!std::has_single_bit(options.burst_boundary)) {
    return Fail("memory burst_boundary is {}: it must be a power of two", options.burst_boundary);
  }
  return {};
}

AxiMemory::AxiMemory(std::span<uint8_t> bytes, int beat_bytes, const AxiMemoryOptions& options)
    : bytes_(bytes),
      beat_bytes_(static_cast<uint32_t>(beat_bytes)),
      options_(options),
      faults_(options.faults),
      random_ready_(options.ar_stall > 0 || options.aw_stall > 0 || options.w_stall > 0),
      read_interval_(Interval(options.read_bandwidth)),
      write_interval_(Interval(options.write_bandwidth)),
      // SplitMix64 of the seed: any seed gives a good start, never zero.
      random_((options.seed + 1) * 0x9e3779b97f4a7c15u | 1) {
  assert(CheckAxiMemoryOptions(options).has_value());
  assert(std::has_single_bit(beat_bytes_) && beat_bytes_ <= kMaxBeatBytes);
}

void AxiMemory::Violation(const std::string& text) {
  if (violation_count_++ >= kMaxViolations) return;
  violations_ += fmt::format("AXI memory, cycle {}: {}\n", cycle_, text);
}

bool AxiMemory::Stalls(int percent) {
  if (percent == 0) return false;
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return (random_ >> 32) % 100 < static_cast<uint64_t>(percent);
}

void AxiMemory::CheckBurst(const char* channel, const Address& address) {
  if (address.burst != kBurstIncr) {
    Violation(fmt::format("{}: burst type {} at {:#x}, only INCR is allowed", channel,
                          address.burst, address.address));
  }
  if (1u << address.size != beat_bytes_) {
    Violation(fmt::format("{}: beats of {} bytes at {:#x} on a bus of {}", channel,
                          1u << address.size, address.address, beat_bytes_));
  }
  if (address.address % beat_bytes_ != 0) {
    Violation(fmt::format("{}: address {:#x} is not a multiple of a beat, {} bytes", channel,
                          address.address, beat_bytes_));
  }
  const uint64_t last = address.address + uint64_t{address.len} * beat_bytes_;
  if ((address.address ^ last) >= options_.burst_boundary) {
    Violation(fmt::format("{}: {} beats at {:#x} cross a boundary of {} bytes", channel,
                          address.len + 1, address.address, options_.burst_boundary));
  }
}

AxiResponse AxiMemory::ResponseOf(AxiFault::Kind kind, const Address& address,
                                  uint64_t number) const {
  const uint64_t begin = address.address / beat_bytes_ * beat_bytes_;
  const uint64_t end = begin + uint64_t{address.len + 1} * beat_bytes_;
  for (const AxiFault& fault : faults_) {
    if (fault.kind != kind) continue;
    if (fault.nth == number || (begin < fault.end && fault.begin < end)) return fault.response;
  }
  return end > bytes_.size() ? AxiResponse::kDecodeError : AxiResponse::kOkay;
}

void AxiMemory::Notice(bool write, const Address& address, AxiResponse response) const {
  if (!observer_) return;
  observer_(
      {write, address.id, address.address, uint64_t{address.len + 1} * beat_bytes_, response});
}

void AxiMemory::Freeze(AxiChannel channel, bool frozen) {
  frozen_[static_cast<size_t>(channel)] = frozen;
  quiet_ = false;  // the ready lines change
}

void AxiMemory::Reset() {
  reads_.count = writes_.count = answers_.count = early_.count = 0;
  held_.clear();
  ar_ready_ = aw_ready_ = w_ready_ = false;
  r_valid_ = r_new_ = b_valid_ = false;
  ar_held_ = aw_held_ = w_held_ = false;
  quiet_ = false;
  changed_ = true;
}

void AxiMemory::ObserveReadAddress(bool valid, const Address& address) {
  if (ar_held_ && (!valid || address != ar_)) {
    Violation(fmt::format("ARVALID or its payload changed before ARREADY: address {:#x} to {:#x}",
                          ar_.address, address.address));
  }
  ar_held_ = valid && !ar_ready_;
  ar_ = address;
  if (!valid || !ar_ready_) return;
  CheckBurst("AR", address);
  ++read_bursts_;
  const AxiResponse response = ResponseOf(AxiFault::Kind::kRead, address, read_bursts_);
  Notice(false, address, response);
  reads_.Push(
      {address.address / beat_bytes_ * beat_bytes_, cycle_, address.id, address.len, 0, response});
}

void AxiMemory::FinishReadBeat() {
  Burst& burst = reads_[r_index_];
  if (last_read_beat_ == cycle_) Violation("two read beats in one cycle");
  if (cycle_ < burst.taken + static_cast<uint64_t>(options_.read_latency)) {
    Violation(fmt::format("a read beat came {} cycles after its address, the latency is {}",
                          cycle_ - burst.taken, options_.read_latency));
  }
  last_read_beat_ = cycle_;
  ++read_beats_;
  if (burst.response != AxiResponse::kOkay) last_error_ = cycle_;
  r_valid_ = false;
  if (burst.next++ == burst.len) reads_.Erase(r_index_);
}

void AxiMemory::ObserveWriteAddress(bool valid, const Address& address) {
  if (aw_held_ && (!valid || address != aw_)) {
    Violation(fmt::format("AWVALID or its payload changed before AWREADY: address {:#x} to {:#x}",
                          aw_.address, address.address));
  }
  aw_held_ = valid && !aw_ready_;
  aw_ = address;
  if (!valid || !aw_ready_) return;
  CheckBurst("AW", address);
  ++write_bursts_;
  const AxiResponse response = ResponseOf(AxiFault::Kind::kWrite, address, write_bursts_);
  Notice(true, address, response);
  writes_.Push({address.address / beat_bytes_ * beat_bytes_, cycle_, address.id, address.len, 0,
                response, write_bursts_});
  while (early_.count > 0 && writes_.count > 0) {
    const WriteBeat beat = early_[0];
    early_.Erase(0);
    PlaceWriteBeat(beat.data.data(), beat.strobes, beat.last);
  }
}

void AxiMemory::ObserveWriteBeat(bool valid, const uint8_t* data, uint32_t strobes, bool last) {
  if (w_held_ && (!valid || strobes != w_.strobes || last != w_.last ||
                  std::memcmp(data, w_.data.data(), beat_bytes_) != 0)) {
    Violation("WVALID or its payload changed before WREADY");
  }
  w_held_ = valid && !w_ready_;
  if (!valid) return;
  if (w_held_) {
    w_.strobes = strobes;
    w_.last = last;
    std::memcpy(w_.data.data(), data, beat_bytes_);
    return;
  }
  if (last_write_beat_ == cycle_) Violation("two write beats in one cycle");
  last_write_beat_ = cycle_;
  ++write_beats_;
  write_slot_ = NextSlot(write_slot_, cycle_, write_interval_);
  if (writes_.count > 0) {
    PlaceWriteBeat(data, strobes, last);
    return;
  }
  WriteBeat beat = {.data = {}, .strobes = strobes, .last = last};
  std::memcpy(beat.data.data(), data, beat_bytes_);
  early_.Push(beat);
}

void AxiMemory::PlaceWriteBeat(const uint8_t* data, uint32_t strobes, bool last) {
  Burst& burst = writes_[0];
  if (last != (burst.next == burst.len)) {
    Violation(fmt::format("WLAST is {} on beat {} of {} at {:#x}", last ? 1 : 0, burst.next + 1,
                          burst.len + 1, burst.address));
  }
  if (burst.response == AxiResponse::kOkay) {
    const uint64_t address = burst.address + uint64_t{burst.next} * beat_bytes_;
    if (options_.write_at_answer) {
      held_.push_back({burst.number, address, {.data = {}, .strobes = strobes, .last = last}});
      std::memcpy(held_.back().beat.data.data(), data, beat_bytes_);
    } else {
      Write(address, data, strobes);
    }
  }
  if (burst.next++ != burst.len) return;
  burst.taken = cycle_;
  answers_.Push(burst);
  writes_.Erase(0);
}

void AxiMemory::Write(uint64_t address, const uint8_t* data, uint32_t strobes) {
  uint8_t* place = bytes_.data() + address;
  const uint32_t all = static_cast<uint32_t>((uint64_t{1} << beat_bytes_) - 1);
  if ((strobes & all) == all) {
    std::memcpy(place, data, beat_bytes_);
    return;
  }
  for (uint32_t i = 0; i < beat_bytes_; ++i) {
    if (strobes >> i & 1) place[i] = data[i];
  }
}

void AxiMemory::FinishAnswer() {
  const Burst& burst = answers_[b_index_];
  if (cycle_ < burst.taken + static_cast<uint64_t>(options_.write_latency)) {
    Violation(fmt::format("a write was answered {} cycles after its last beat, the latency is {}",
                          cycle_ - burst.taken, options_.write_latency));
  }
  b_valid_ = false;
  if (burst.response != AxiResponse::kOkay) last_error_ = cycle_;
  if (options_.write_at_answer) {
    std::erase_if(held_, [&](const HeldBeat& held) {
      if (held.burst != burst.number) return false;
      Write(held.address, held.beat.data.data(), held.beat.strobes);
      return true;
    });
  }
  answers_.Erase(b_index_);
}

// The index of a burst to answer next, -1 if none is due. Of one ID, only the oldest may be.
int AxiMemory::ChooseDue(Queue<Burst, kBursts>& bursts, int latency) {
  const auto due = [&](const Burst& burst) {
    return burst.taken + static_cast<uint64_t>(latency) <= cycle_;
  };
  if (bursts.count == 0) return -1;
  if (!options_.reorder) return due(bursts[0]) ? 0 : -1;
  std::array<int, kBursts> candidates;
  uint32_t found = 0;
  uint64_t seen = 0;
  for (uint32_t i = 0; i < bursts.count; ++i) {
    const uint64_t id = uint64_t{1} << (bursts[i].id % 64);
    if (!(seen & id) && due(bursts[i])) candidates[found++] = static_cast<int>(i);
    seen |= id;
  }
  if (found == 0) return -1;
  random_ = random_ * 0xd1342543de82ef95u + 1;
  return candidates[(random_ >> 33) % found];
}

void AxiMemory::OfferReadBeat() {
  if (Frozen(AxiChannel::kReadData)) return;
  if (!SlotOpen(read_slot_, cycle_) || Stalls(options_.r_stall)) return;
  const int index = ChooseDue(reads_, options_.read_latency);
  if (index < 0) return;
  r_index_ = static_cast<uint32_t>(index);
  const Burst& burst = reads_[r_index_];
  read_slot_ = NextSlot(read_slot_, cycle_, read_interval_);
  r_valid_ = true;
  r_new_ = true;
  r_id_ = static_cast<uint8_t>(burst.id);
  r_last_ = burst.next == burst.len;
  r_response_ = burst.response;
  r_data_ = burst.response == AxiResponse::kOkay
                ? bytes_.data() + burst.address + uint64_t{burst.next} * beat_bytes_
                : kZeros.data();
}

void AxiMemory::OfferAnswer() {
  if (Frozen(AxiChannel::kAnswer) || Stalls(options_.b_stall)) return;
  const int index = ChooseDue(answers_, options_.write_latency);
  if (index < 0) return;
  b_index_ = static_cast<uint32_t>(index);
  b_valid_ = true;
  b_id_ = static_cast<uint8_t>(answers_[b_index_].id);
  b_response_ = answers_[b_index_].response;
}

// To the next cycle: chooses what is driven in it.
void AxiMemory::Advance() {
  ++cycle_;
  changed_ = true;
  ar_ready_ = !reads_.full() && !Stalls(options_.ar_stall) && !Frozen(AxiChannel::kReadAddress);
  // A write may wait for data while others wait for their answer to be taken.
  aw_ready_ = writes_.count + answers_.count < kBursts && !Stalls(options_.aw_stall) &&
              !Frozen(AxiChannel::kWriteAddress);
  w_ready_ = early_.count < kEarlyBeats && SlotOpen(write_slot_, cycle_) &&
             !Stalls(options_.w_stall) && !Frozen(AxiChannel::kWriteData);
  if (!r_valid_ && reads_.count > 0) OfferReadBeat();
  if (!b_valid_ && answers_.count > 0) OfferAnswer();
  if (!settled()) last_unsettled_ = cycle_;
  quiet_ = !random_ready_ && idle() && early_.count == 0 && !ar_held_ && !aw_held_ && !w_held_ &&
           ar_ready_ && aw_ready_ && w_ready_ && !r_valid_ && !b_valid_;
}

}  // namespace weft
