// SPDX-License-Identifier: Apache-2.0
//
// Runs random command streams (tb/lib/stream_generator.h) on the functional device and writes what
// the host did and saw, for a bench that has no C++ (tb/xprop/xprop.sv):
//
//   memory.hex    the memory at the start, for $readmemh
//   expected.hex  the memory at the end; `xx`: not known (a snapshot's counters)
//   host.txt      what the host did, in order, a line each: kind address value, in hexadecimal
//                   0 writes a register, 1 reads one and must see the value,
//                   2 waits for the interrupt, 3 writes 32 bits of memory
#include <fmt/format.h>
#include <fmt/os.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "sim/functional/functional_device.h"
#include "tb/lib/devices.h"
#include "tb/lib/stream_runner.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {
namespace {

enum Kind { kWriteRegister, kReadRegister, kWaitForInterrupt, kWriteMemory };

// The functional device, with every access written down.
class RecordingDevice final : public Device {
 public:
  RecordingDevice(const HardwareConfig& config, const std::string& folder, uint64_t memory_bytes)
      : device_(MakeFunctionalDevice(config, memory_bytes)),
        folder_(folder),
        host_(fmt::output_file(folder + "/host.txt")) {}

  const HardwareConfig& config() const override { return device_->config(); }
  uint64_t memory_bytes() const override { return device_->memory_bytes(); }
  uint64_t Now() const override { return device_->Now(); }
  std::string Violations() const override { return device_->Violations(); }
  void SetMarkObserver(std::function<void(uint32_t)>) override {}

  uint32_t ReadRegister(uint32_t offset) override {
    const uint32_t value = device_->ReadRegister(offset);
    Note(kReadRegister, offset, value);
    return value;
  }

  void WriteRegister(uint32_t offset, uint32_t value) override {
    Note(kWriteRegister, offset, value);
    device_->WriteRegister(offset, value);
  }

  bool WaitForInterrupt(uint64_t max_cycles) override {
    Note(kWaitForInterrupt, 0, 0);
    return device_->WaitForInterrupt(max_cycles);
  }

  void ReadMemory(uint64_t address, std::span<uint8_t> out) override {
    device_->ReadMemory(address, out);
  }

  // The first write of the whole memory is its contents at the start.
  void WriteMemory(uint64_t address, std::span<const uint8_t> data) override {
    device_->WriteMemory(address, data);
    if (data.size() == memory_bytes()) {
      WriteMemoryFile("memory.hex", {});
      return;
    }
    for (size_t i = 0; i < data.size(); i += sizeof(uint32_t)) {
      uint32_t word = 0;
      std::memcpy(&word, &data[i], sizeof(word));
      Note(kWriteMemory, static_cast<uint32_t>(address + i), word);
    }
  }

  void PeekScratchpad(uint32_t address, std::span<uint8_t> out) override {
    device_->PeekScratchpad(address, out);
  }

  // Bytes of `unknown`, sorted, are written as xx.
  void WriteMemoryFile(const std::string& name, const std::vector<uint64_t>& unknown) {
    std::vector<uint8_t> bytes(memory_bytes());
    device_->ReadMemory(0, bytes);
    auto file = fmt::output_file(folder_ + "/" + name);
    for (uint64_t i = 0; i < bytes.size(); ++i) {
      if (std::ranges::binary_search(unknown, i)) {
        file.print("xx\n");
      } else {
        file.print("{:02x}\n", bytes[i]);
      }
    }
  }

 private:
  void Note(Kind kind, uint32_t address, uint32_t value) {
    host_.print("{:x} {:x} {:x}\n", static_cast<int>(kind), address, value);
  }

  std::unique_ptr<Device> device_;
  const std::string folder_;
  fmt::ostream host_;
};

int Record(const std::string& config, uint64_t seed, const std::string& folder) {
  const StreamCase streams = GenerateStreams(ConfigNamed(config), seed, {});
  RecordingDevice device(*streams.config, folder, streams.memory.size());
  std::vector<uint64_t> unknown;
  for (const uint64_t snapshot : RunJobs(streams, device)) {
    for (uint64_t i = 0; i < WEFT_JOB_ENTRY_BYTES; ++i) {
      if (i / sizeof(uint32_t) != WEFT_COUNTER_LAYER) unknown.push_back(snapshot + i);
    }
  }
  if (const std::string text = device.Violations(); !text.empty()) {
    fmt::print(stderr, "the functional device does not accept the streams: {}\n", text);
    return 1;
  }
  std::ranges::sort(unknown);
  device.WriteMemoryFile("expected.hex", unknown);
  size_t commands = 0;
  for (const StreamJob& job : streams.jobs) commands += job.commands.size();
  fmt::print("{} seed {}: {} jobs, {} commands:", config, seed, streams.jobs.size(), commands);
  std::map<std::string, uint64_t> histogram;
  CountStreams(streams, histogram);
  for (const auto& [name, count] : histogram) fmt::print(" {} {}", count, name);
  fmt::print("\n");
  return 0;
}

}  // namespace
}  // namespace weft::testing

int main(int argc, char** argv) {
  std::string config = "weft64", folder;
  uint64_t seed = 1;
  CLI::App app("Records random command streams for the four-state bench");
  app.add_option("--config", config, "configuration");
  app.add_option("--seed", seed, "seed of the case");
  app.add_option("folder", folder, "where the files go")->required()->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);
  return weft::testing::Record(config, seed, folder);
}
