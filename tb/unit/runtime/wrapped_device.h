// SPDX-License-Identifier: Apache-2.0
//
// A functional device that a test can make lie: it forwards everything, and the test overrides what
// it wants to go wrong.
#pragma once

#include <memory>
#include <string>

#include "sim/functional/functional_device.h"

namespace weft::testing {

class WrappedDevice : public Device {
 public:
  WrappedDevice(const HardwareConfig& config, uint64_t memory_bytes)
      : inner_(MakeFunctionalDevice(config, memory_bytes)) {}

  const HardwareConfig& config() const override { return inner_->config(); }
  uint32_t ReadRegister(uint32_t offset) override { return inner_->ReadRegister(offset); }
  void WriteRegister(uint32_t offset, uint32_t value) override {
    inner_->WriteRegister(offset, value);
  }
  uint64_t memory_bytes() const override { return inner_->memory_bytes(); }
  void ReadMemory(uint64_t address, std::span<uint8_t> out) override {
    inner_->ReadMemory(address, out);
  }
  void WriteMemory(uint64_t address, std::span<const uint8_t> data) override {
    inner_->WriteMemory(address, data);
  }
  bool WaitForInterrupt(uint64_t max_cycles) override {
    return inner_->WaitForInterrupt(max_cycles);
  }
  uint64_t Now() const override { return inner_->Now(); }
  void SetMarkObserver(std::function<void(uint32_t)> observer) override {
    inner_->SetMarkObserver(std::move(observer));
  }
  void PeekScratchpad(uint32_t address, std::span<uint8_t> out) override {
    inner_->PeekScratchpad(address, out);
  }
  std::string Violations() const override { return inner_->Violations(); }

 private:
  std::unique_ptr<Device> inner_;
};

}  // namespace weft::testing
