// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/host.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <memory>
#include <utility>

#include "sim/functional/functional_device.h"

namespace weft::functional {
namespace {

constexpr uint32_t kHardwareVersion = 0x0000'0001;  // major << 16 | minor
constexpr uint32_t kWatchdogReset = 0x10'0000;
constexpr uint32_t kMaxRingLog2 = 12;
constexpr uint32_t kIrqBits = WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR;
constexpr uint32_t kAxiAttributes =
    WEFT_AXI_ATTR_ARCACHE | WEFT_AXI_ATTR_ARPROT | WEFT_AXI_ATTR_AWCACHE | WEFT_AXI_ATTR_AWPROT;
constexpr uint64_t kHighBits = 0xFF;  // of a 40-bit address above its low word
constexpr uint64_t kAlignment = 64;   // of the ring, the regions and the streams

void SetLow(uint64_t& address, uint32_t value) {
  address = (address >> 32 << 32) | (value & ~(kAlignment - 1));
}

void SetHigh(uint64_t& address, uint32_t value) {
  address = (address & 0xFFFF'FFFF) | (value & kHighBits) << 32;
}

uint32_t High(uint64_t address) { return static_cast<uint32_t>(address >> 32); }

// The index of a register in an array of them, or -1.
int ArrayIndex(uint32_t offset, uint32_t first, uint32_t stride, uint32_t count) {
  if (offset < first || (offset - first) % stride != 0 || (offset - first) / stride >= count) {
    return -1;
  }
  return static_cast<int>((offset - first) / stride);
}

int RegionLow(uint32_t offset) {
  return ArrayIndex(offset, WEFT_REG_REGION_BASE_LO(0), 8, WEFT_REG_REGION_BASE_LO_COUNT);
}

int RegionHigh(uint32_t offset) {
  return ArrayIndex(offset, WEFT_REG_REGION_BASE_HI(0), 8, WEFT_REG_REGION_BASE_HI_COUNT);
}

}  // namespace

FunctionalDevice::FunctionalDevice(const HardwareConfig& config, uint64_t memory_bytes,
                                   RetireObserver observer)
    : config_(config),
      memory_(memory_bytes, config.axi_bytes),
      processor_(config, memory_, std::move(observer)),
      watchdog_(kWatchdogReset) {}

// --- registers ---

uint32_t FunctionalDevice::Status() const {
  return (Busy() ? WEFT_STATUS_BUSY : 0) | (halted_ ? WEFT_STATUS_HALTED : 0);
}

uint32_t FunctionalDevice::ReadRegister(uint32_t offset) {
  Step();
  if (const int i = RegionLow(offset); i >= 0) return static_cast<uint32_t>(region_base_[i]);
  if (Windows::Holds(offset)) return memory_.windows().Read(offset);
  if (const int i = RegionHigh(offset); i >= 0) return High(region_base_[i]);
  const int counter = ArrayIndex(offset, WEFT_REG_COUNTER(0), 4, WEFT_REG_COUNTER_COUNT);
  if (counter >= 0) return running_ ? processor_.counters()[counter] : counters_[counter];
  switch (offset) {
    case WEFT_REG_ID:
      return WEFT_ID_VALUE;
    case WEFT_REG_VERSION:
      return kHardwareVersion;
    case WEFT_REG_CONFIG_HASH:
      return config_.hash;
    case WEFT_REG_COMMAND_VERSION:
      return kCommandVersion;
    case WEFT_REG_SIZES:
      return static_cast<uint32_t>(config_.k | config_.n << 8 | config_.post_lanes << 16 |
                                   config_.axi_bytes << 24);
    case WEFT_REG_SCRATCHPAD_BYTES:
      return static_cast<uint32_t>(config_.scratchpad);
    case WEFT_REG_WEIGHT_BYTES:
      return static_cast<uint32_t>(config_.weight_ring);
    case WEFT_REG_STATUS:
      return Status();
    case WEFT_REG_IRQ_STATUS:
      return irq_status_;
    case WEFT_REG_IRQ_MASK:
      return irq_mask_;
    case WEFT_REG_RING_BASE_LO:
      return static_cast<uint32_t>(ring_base_);
    case WEFT_REG_RING_BASE_HI:
      return High(ring_base_);
    case WEFT_REG_RING_LOG2:
      return ring_log2_;
    case WEFT_REG_RING_TAIL:
      return ring_tail_;
    case WEFT_REG_RING_HEAD:
      return ring_head_;
    case WEFT_REG_JOB_DONE_ID:
      return job_done_id_;
    case WEFT_REG_ERROR_CODE:
      return error_code_;
    case WEFT_REG_ERROR_JOB:
      return error_job_;
    case WEFT_REG_ERROR_COMMAND:
      return error_command_;
    case WEFT_REG_ERROR_ADDR_LO:
      return static_cast<uint32_t>(error_address_);
    case WEFT_REG_ERROR_ADDR_HI:
      return High(error_address_);
    case WEFT_REG_WATCHDOG:
      return watchdog_;
    case WEFT_REG_AXI_ATTR:
      return axi_attributes_;
    default:
      return 0;
  }
}

void FunctionalDevice::WriteRegister(uint32_t offset, uint32_t value) {
  Step();
  if (const int i = RegionLow(offset); i >= 0) return SetLow(region_base_[i], value);
  if (Windows::Holds(offset)) {
    if (!Busy()) memory_.windows().Write(offset, value);
    return;
  }
  if (const int i = RegionHigh(offset); i >= 0) return SetHigh(region_base_[i], value);
  switch (offset) {
    case WEFT_REG_CONTROL:
      return Control(value);
    case WEFT_REG_IRQ_STATUS:
      irq_status_ &= ~value;
      return;
    case WEFT_REG_IRQ_MASK:
      irq_mask_ = value & kIrqBits;
      return;
    case WEFT_REG_IRQ_TEST:
      irq_status_ |= value & kIrqBits;
      return;
    case WEFT_REG_RING_BASE_LO:
      return SetLow(ring_base_, value);
    case WEFT_REG_RING_BASE_HI:
      return SetHigh(ring_base_, value);
    case WEFT_REG_RING_LOG2:
      ring_log2_ = std::min(value, kMaxRingLog2);
      return;
    case WEFT_REG_RING_TAIL:
      ring_tail_ = value;
      return;
    case WEFT_REG_WATCHDOG:
      watchdog_ = value;
      return;
    case WEFT_REG_AXI_ATTR:
      axi_attributes_ = value & kAxiAttributes;
      return;
    default:
      return;
  }
}

void FunctionalDevice::Control(uint32_t actions) {
  const bool reset = (actions & WEFT_CONTROL_RESET) != 0;
  if (((actions & WEFT_CONTROL_ABORT) != 0 || reset) && Busy()) {
    if (!running_) BeginJob();
    if (running_) Fail({WEFT_ERROR_ABORTED, 0, {}});
  }
  if ((actions & WEFT_CONTROL_RESUME) != 0) Resume();
  if (reset) Reset();
}

void FunctionalDevice::Resume() {
  halted_ = false;
  error_code_ = error_job_ = error_command_ = 0;
  error_address_ = 0;
}

void FunctionalDevice::Reset() {
  Resume();
  ring_head_ = ring_tail_ = 0;
  irq_status_ = 0;
  counters_ = {};
}

// --- jobs ---

void FunctionalDevice::Step() {
  ++now_;
  if (!Busy()) return;
  if (!running_) return BeginJob();
  const tl::expected<bool, Fault> ended = processor_.Step();
  if (!ended) {
    Fail(ended.error());
  } else if (*ended) {
    EndJob(WEFT_IRQ_STATUS_JOB_DONE);
  }
}

// Takes the next entry of the ring. running_ stays false if the job fails right there.
void FunctionalDevice::BeginJob() {
  running_ = true;
  memory_.ClearTraffic();
  processor_.BeginJob();
  const uint32_t slot = ring_head_ & ((1u << ring_log2_) - 1);
  std::array<uint8_t, WEFT_JOB_ENTRY_BYTES> entry;
  if (Outcome ok = memory_.Read(ring_base_ + uint64_t{slot} * WEFT_JOB_ENTRY_BYTES, entry); !ok) {
    return Fail(ok.error());
  }
  const auto word = [&](size_t i) {
    return static_cast<uint32_t>(LittleEndianWord(&entry[4 * i]));
  };
  job_id_ = word(WEFT_JOB_JOB_ID);
  const uint32_t region = word(WEFT_JOB_STREAM_REGION);
  const uint32_t offset = word(WEFT_JOB_STREAM_OFFSET);
  const uint32_t commands = word(WEFT_JOB_STREAM_COMMANDS);
  if (word(WEFT_JOB_CONFIG_HASH) != config_.hash) return Fail({WEFT_ERROR_CONFIG_MISMATCH, 0, {}});
  for (size_t i = WEFT_JOB_STREAM_COMMANDS + 1; i < WEFT_JOB_ENTRY_BYTES / 4; ++i) {
    if (word(i) != 0) return Fail({WEFT_ERROR_BAD_FIELD, 0, {}});
  }
  if (region >= region_base_.size() || offset % kAlignment != 0 || commands == 0) {
    return Fail({WEFT_ERROR_BAD_STREAM, 0, {}});
  }
  processor_.Start({region_base_[region] + offset, commands, region_base_});
}

void FunctionalDevice::EndJob(uint32_t irq) {
  counters_ = processor_.counters();
  running_ = false;
  ++ring_head_;
  job_done_id_ = job_id_;
  irq_status_ |= irq;
}

void FunctionalDevice::Fail(const Fault& fault) {
  error_code_ = fault.code;
  error_job_ = job_id_;
  error_command_ = processor_.index();
  error_address_ = fault.address;
  if (!fault.violation.empty()) {
    violations_ += fmt::format("job {}: {}\n", job_id_, fault.violation);
  }
  halted_ = true;
  EndJob(WEFT_IRQ_STATUS_ERROR);
}

bool FunctionalDevice::WaitForInterrupt(uint64_t max_cycles) {
  const uint64_t deadline = max_cycles > UINT64_MAX - now_ ? UINT64_MAX : now_ + max_cycles;
  while (!Interrupt() && now_ < deadline) {
    if (!Busy()) {  // nothing will happen any more
      if (deadline != UINT64_MAX) now_ = deadline;
      break;
    }
    Step();
  }
  return Interrupt();
}

// --- memory ---

void FunctionalDevice::ReadMemory(uint64_t address, std::span<uint8_t> out) {
  assert(address <= memory_.size() && out.size() <= memory_.size() - address);
  const auto from = memory_.bytes().subspan(address, out.size());
  std::copy(from.begin(), from.end(), out.begin());
}

void FunctionalDevice::WriteMemory(uint64_t address, std::span<const uint8_t> data) {
  assert(address <= memory_.size() && data.size() <= memory_.size() - address);
  std::copy(data.begin(), data.end(), memory_.bytes().subspan(address).begin());
}

void FunctionalDevice::PeekScratchpad(uint32_t address, std::span<uint8_t> out) {
  const auto range = processor_.scratchpad().Range(address, static_cast<int64_t>(out.size()));
  assert(range);
  const auto from = processor_.scratchpad().Bytes(*range);
  std::copy(from.begin(), from.end(), out.begin());
}

}  // namespace weft::functional

namespace weft {

std::unique_ptr<Device> MakeFunctionalDevice(const HardwareConfig& config, uint64_t memory_bytes,
                                             RetireObserver observer) {
  return std::make_unique<functional::FunctionalDevice>(config, memory_bytes, std::move(observer));
}

}  // namespace weft
