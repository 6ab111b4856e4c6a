// SPDX-License-Identifier: Apache-2.0
//
// Stage host: registers, interrupt, and the job ring. Steps the command processor.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "sim/functional/command.h"
#include "sim/functional/dma.h"
#include "sim/functional/fault.h"
#include "weft/device.h"
#include "weft/hw/configs.h"
#include "weft/hw/weft_hw.h"

namespace weft::functional {

class FunctionalDevice : public Device {
 public:
  FunctionalDevice(const HardwareConfig& config, uint64_t memory_bytes, RetireObserver observer);

  const HardwareConfig& config() const override { return config_; }
  uint32_t ReadRegister(uint32_t offset) override;
  void WriteRegister(uint32_t offset, uint32_t value) override;
  uint64_t memory_bytes() const override { return memory_.size(); }
  void ReadMemory(uint64_t address, std::span<uint8_t> out) override;
  void WriteMemory(uint64_t address, std::span<const uint8_t> data) override;
  bool WaitForInterrupt(uint64_t max_cycles) override;
  uint64_t Now() const override { return now_; }
  void SetMarkObserver(std::function<void(uint32_t layer)> observer) override {
    processor_.SetMarkObserver(std::move(observer));
  }
  void PeekScratchpad(uint32_t address, std::span<uint8_t> out) override;
  std::string Violations() const override { return violations_; }

 private:
  bool Interrupt() const { return (irq_status_ & irq_mask_) != 0; }
  bool Busy() const { return !halted_ && (running_ || ring_tail_ != ring_head_); }
  uint32_t Status() const;

  /// One unit of time: a ring entry or a command, if there is one.
  void Step();
  void BeginJob();
  void EndJob(uint32_t irq);
  void Fail(const Fault& fault);
  void Control(uint32_t actions);
  void Resume();
  void Reset();

  const HardwareConfig& config_;
  Memory memory_;
  CommandProcessor processor_;
  uint64_t now_ = 0;
  std::string violations_;

  // registers
  uint32_t irq_status_ = 0, irq_mask_ = 0;
  uint64_t ring_base_ = 0;
  uint32_t ring_log2_ = 0, ring_tail_ = 0, ring_head_ = 0;
  uint32_t job_done_id_ = 0;
  uint32_t error_code_ = 0, error_job_ = 0, error_command_ = 0;
  uint64_t error_address_ = 0;
  uint32_t watchdog_;
  uint32_t axi_attributes_ = 0;
  RegionBases region_base_ = {};
  Counters counters_ = {};  ///< of the last job, once it has ended

  // the job in work
  bool running_ = false;
  bool halted_ = false;
  uint32_t job_id_ = 0;
};

}  // namespace weft::functional
