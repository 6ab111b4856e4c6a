// SPDX-License-Identifier: Apache-2.0
//
// A verilated device with jobs made by hand, as a host without a driver would make them.
//
//   Board board(config, options);
//   board.Queue({LoadCmd{...}, EndCmd{}});
//   EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
//
// Memory: 8 regions of 1 MiB each, then the job ring.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "sim/verilated/verilated_device.h"
#include "sw/command/codec.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {

constexpr uint64_t kRegionBytes = 1 << 20;
constexpr uint64_t kRingBase = 8 * kRegionBytes;
constexpr uint64_t kMemoryBytes = kRingBase + (64 << 10);
constexpr uint32_t kFirstJob = 700;

class Board {
 public:
  explicit Board(const HardwareConfig& config, VerilatedOptions options = {}) : config_(config) {
    options.memory_bytes = kMemoryBytes;
    auto device = MakeVerilatedDevice(config, options);
    if (!device) throw std::runtime_error(device.error().message);
    device_ = std::move(*device);
    Setup();
  }

  void Setup(uint32_t ring_log2 = 2) {
    Set(WEFT_REG_RING_BASE_LO, static_cast<uint32_t>(kRingBase));
    Set(WEFT_REG_RING_LOG2, ring_log2);
    ring_entries_ = 1u << ring_log2;
    Set(WEFT_REG_IRQ_MASK, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
    for (uint32_t i = 0; i < 8; ++i) {
      Set(WEFT_REG_REGION_BASE_LO(i), static_cast<uint32_t>(i * kRegionBytes));
    }
  }

  VerilatedDevice& device() { return *device_; }
  VerilatedDevice* operator->() { return device_.get(); }
  uint32_t Get(uint32_t offset) { return device_->ReadRegister(offset); }
  void Set(uint32_t offset, uint32_t value) { device_->WriteRegister(offset, value); }

  // A job of these commands, in region 0, and the doorbell. Its number.
  uint32_t Queue(const std::vector<Command>& commands) {
    std::vector<uint8_t> stream(commands.size() * kCommandBytes);
    for (size_t i = 0; i < commands.size(); ++i) {
      Encode(commands[i],
             std::span<uint8_t, kCommandBytes>(&stream[i * kCommandBytes], size_t{kCommandBytes}));
    }
    return QueueBytes(stream, static_cast<uint32_t>(commands.size()), config_.hash);
  }

  uint32_t QueueBytes(const std::vector<uint8_t>& stream, uint32_t commands, uint32_t hash) {
    device_->WriteMemory(stream_at_, stream);
    const uint32_t id = kFirstJob + jobs_++;
    const std::array<uint32_t, 16> entry = {id, hash, 0, stream_at_, commands};
    stream_at_ += (static_cast<uint32_t>(stream.size()) + 63) / 64 * 64;
    device_->WriteMemory(kRingBase + (tail_ % ring_entries_) * WEFT_JOB_ENTRY_BYTES,
                         {reinterpret_cast<const uint8_t*>(entry.data()), sizeof(entry)});
    Set(WEFT_REG_RING_TAIL, ++tail_);
    return id;
  }

  // Waits for the interrupt and clears it; the error code.
  uint32_t Finish(uint64_t max_cycles = 200000) {
    EXPECT_TRUE(device_->WaitForInterrupt(max_cycles)) << "no interrupt";
    status_ = Get(WEFT_REG_IRQ_STATUS);
    Set(WEFT_REG_IRQ_STATUS, status_);
    const uint32_t code = Get(WEFT_REG_ERROR_CODE);
    EXPECT_EQ(status_, code == 0 ? WEFT_IRQ_STATUS_JOB_DONE : WEFT_IRQ_STATUS_ERROR);
    return code;
  }

  // After RESET: the ring starts over.
  void ForgetJobs() { tail_ = 0; }

  std::vector<uint8_t> Memory(uint64_t address, size_t count) {
    std::vector<uint8_t> out(count);
    device_->ReadMemory(address, out);
    return out;
  }
  std::vector<uint8_t> Scratchpad(uint32_t address, size_t count) {
    std::vector<uint8_t> out(count);
    device_->PeekScratchpad(address, out);
    return out;
  }
  uint32_t Word(uint64_t address) {
    uint32_t word = 0;
    device_->ReadMemory(address, {reinterpret_cast<uint8_t*>(&word), sizeof(word)});
    return word;
  }

 private:
  const HardwareConfig& config_;
  std::unique_ptr<VerilatedDevice> device_;
  uint32_t ring_entries_ = 1;
  uint32_t tail_ = 0;
  uint32_t jobs_ = 0;
  uint32_t stream_at_ = 0;
  uint32_t status_ = 0;
};

// Parameter: the configuration.
class OnConfig : public ::testing::TestWithParam<HardwareConfig> {
 protected:
  const HardwareConfig& config() const { return GetParam(); }
};

inline std::string ConfigName(const ::testing::TestParamInfo<HardwareConfig>& info) {
  return std::string(info.param.name);
}

}  // namespace weft::testing
