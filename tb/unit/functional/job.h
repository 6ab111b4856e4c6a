// SPDX-License-Identifier: Apache-2.0
//
// Hand-made command streams for a functional device.
//
//   Job job(config);
//   uint64_t input = job.Place(kRegionInput, bytes);            // offset in the region
//   job.Add(LoadCmd{.region = kRegionInput, .offset = input, ...});
//   job.Run();                                                  // appends END
//   EXPECT_EQ(job.error(), WEFT_ERROR_NONE) << job.violations();
//   std::vector<int8_t> out = job.Scratchpad(address, count);
//
// Regions lie 512 KiB apart in 4 MiB of memory; the job ring is in the last 64 KiB.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "sim/functional/functional_device.h"
#include "sw/command/codec.h"
#include "weft/device.h"
#include "weft/hw/commands.h"
#include "weft/hw/configs.h"
#include "weft/hw/weft_hw.h"
#include "weft/program.h"

namespace weft {

// How GoogleTest shows a parameter.
inline void PrintTo(const HardwareConfig& config, std::ostream* out) { *out << config.name; }

}  // namespace weft

namespace weft::testing {

inline constexpr uint64_t kRegionBytes = 512 << 10;
inline constexpr uint64_t kMemoryBytes = 4 << 20;
inline constexpr uint64_t kRingBase = kMemoryBytes - (64 << 10);
inline constexpr uint64_t kStreamOffset = kRegionBytes / 8 * 7;  // of the first job's stream
inline constexpr uint32_t kJobId = 700;

class Job {
 public:
  explicit Job(const HardwareConfig& config, RetireObserver observer = {})
      : config_(config), device_(MakeFunctionalDevice(config, kMemoryBytes, std::move(observer))) {
    Set(WEFT_REG_RING_BASE_LO, kRingBase);
    Set(WEFT_REG_RING_LOG2, 4);
    Set(WEFT_REG_IRQ_MASK, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
    for (uint32_t i = 0; i < kNumRegions; ++i) {
      Set(WEFT_REG_REGION_BASE_LO(i), static_cast<uint32_t>(i * kRegionBytes));
    }
  }

  const HardwareConfig& config() const { return config_; }
  Device& device() { return *device_; }
  uint32_t Get(uint32_t offset) { return device_->ReadRegister(offset); }
  void Set(uint32_t offset, uint64_t value) {
    device_->WriteRegister(offset, static_cast<uint32_t>(value));
  }

  // Puts bytes at the next free 128-byte boundary of a region, and hands back their
  // offset. (Streams lie in the last
  // eighth of region 0.)
  template <typename T>
  int64_t Place(int region, const std::vector<T>& values) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(values.data());
    const uint64_t offset = used_[region];
    const uint64_t size = values.size() * sizeof(T);
    device_->WriteMemory(region * kRegionBytes + offset, {bytes, size});
    used_[region] = (offset + size + 127) / 128 * 128;
    return static_cast<int64_t>(offset);
  }

  void Add(const Command& command) { commands_.push_back(command); }

  // The stream's bytes; END is added unless there is one.
  std::vector<uint8_t> StreamBytes() const {
    std::vector<uint8_t> bytes;
    for (const Command& command : commands_) {
      std::array<uint8_t, kCommandBytes> one;
      Encode(command, one);
      bytes.insert(bytes.end(), one.begin(), one.end());
    }
    return bytes;
  }

  // Queues the commands added so far (and END) as one job; does not wait.
  void Queue() {
    commands_.push_back(EndCmd{});
    QueueBytes(StreamBytes(), static_cast<uint32_t>(commands_.size()));
    commands_.clear();
  }

  void QueueBytes(const std::vector<uint8_t>& stream, uint32_t commands) {
    device_->WriteMemory(stream_offset_, stream);
    QueueEntry({kJobId + tail_, config_.hash, kRegionProgram, static_cast<uint32_t>(stream_offset_),
                commands});
    stream_offset_ += (stream.size() + 63) / 64 * 64;
  }

  void QueueEntry(std::array<uint32_t, 16> words) {
    std::vector<uint8_t> entry;
    for (const uint32_t word : words) {
      for (int i = 0; i < 4; ++i) entry.push_back(static_cast<uint8_t>(word >> (8 * i)));
    }
    device_->WriteMemory(kRingBase + tail_ % 16 * WEFT_JOB_ENTRY_BYTES, entry);
    Set(WEFT_REG_RING_TAIL, ++tail_);
  }

  // Queues and runs to the interrupt; the error code.
  uint32_t Run() {
    Queue();
    return Finish();
  }

  uint32_t Finish() {
    EXPECT_TRUE(device_->WaitForInterrupt(1'000'000));
    return error();
  }

  uint32_t error() { return Get(WEFT_REG_ERROR_CODE); }
  uint32_t error_command() { return Get(WEFT_REG_ERROR_COMMAND); }
  std::string violations() const { return device_->Violations(); }
  uint32_t tail() const { return tail_; }

  std::vector<int8_t> Scratchpad(int64_t address, size_t count) {
    std::vector<int8_t> out(count);
    device_->PeekScratchpad(static_cast<uint32_t>(address),
                            {reinterpret_cast<uint8_t*>(out.data()), count});
    return out;
  }

  std::vector<int8_t> Memory(int region, int64_t offset, size_t count) {
    std::vector<int8_t> out(count);
    device_->ReadMemory(region * kRegionBytes + static_cast<uint64_t>(offset),
                        {reinterpret_cast<uint8_t*>(out.data()), count});
    return out;
  }

  // --- pieces of streams ---

  // Loads bytes into the scratchpad as one row; they are there once LOAD number `loads()` is over.
  void LoadBytes(const std::vector<int8_t>& bytes, int64_t address) {
    const int64_t offset = Place(kRegionInput, bytes);
    Add(LoadCmd{.region = kRegionInput,
                .offset = offset,
                .spad_addr = address,
                .rows = 1,
                .row_bytes = static_cast<int64_t>(bytes.size())});
    ++loads_;
  }
  int64_t loads() const { return loads_; }

  // Appends bytes (padded to weight words) to the ring; their position.
  int64_t LoadWeights(std::vector<uint8_t> bytes) {
    const size_t word = static_cast<size_t>(config_.weight_word);
    bytes.resize((bytes.size() + word - 1) / word * word);
    const int64_t words = static_cast<int64_t>(bytes.size() / word);
    const int64_t offset = Place(kRegionProgram, bytes);
    Add(LoadWeightsCmd{.region = kRegionProgram, .offset = offset, .words = words});
    const int64_t position = weight_words_ % 65536;
    weight_words_ += words;
    return position;
  }

 private:
  const HardwareConfig& config_;
  std::unique_ptr<Device> device_;
  std::vector<Command> commands_;
  std::array<uint64_t, kNumRegions> used_ = {};
  uint64_t stream_offset_ = kStreamOffset;
  uint32_t tail_ = 0;
  int64_t loads_ = 0;
  int64_t weight_words_ = 0;
};

}  // namespace weft::testing
