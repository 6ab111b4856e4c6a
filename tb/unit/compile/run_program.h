// SPDX-License-Identifier: Apache-2.0
//
// Compiles a graph, runs the program on the functional device and compares every tensor that is
// ever whole with the golden reference. Talks to the device directly: registers, memory, doorbell.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "sim/functional/functional_device.h"
#include "sim/reference/reference.h"
#include "sw/runtime/conversion.h"
#include "tb/lib/seed.h"
#include "weft/compile.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {

/// One image of a tensor, dense, from where the program says it is.
inline std::vector<uint8_t> ReadPlace(Device& device, const TensorPlace& place, uint64_t base) {
  std::vector<uint8_t> bytes(size_t{place.rows} * place.row_bytes);
  for (uint32_t row = 0; row < place.rows; ++row) {
    const std::span<uint8_t> out(bytes.data() + size_t{row} * place.row_bytes, place.row_bytes);
    const uint64_t address = place.offset + uint64_t{row} * place.pitch;
    if (place.where == TensorPlace::Where::kScratchpad) {
      device.PeekScratchpad(static_cast<uint32_t>(address), out);
    } else {
      device.ReadMemory(base + address, out);
    }
  }
  return bytes;
}

class ProgramRun {
 public:
  ProgramRun(const Graph& graph, const Program& program, const HardwareConfig& config)
      : graph_(graph), program_(program) {
    uint64_t address = 4096;
    for (int region = 0; region < kNumRegions; ++region) {
      bases_[static_cast<size_t>(region)] = address;
      address = (address + program.region_bytes[region] + 4095) / 4096 * 4096;
    }
    device_ = MakeFunctionalDevice(config, address);
    device_->WriteMemory(bases_[kRegionProgram], program.memory);
  }

  /// Runs all images on the reference's inputs; "" or what went wrong first.
  std::string CompareWith(const ReferenceResult& golden) {
    for (int image = 0; image < program_.images; ++image) {
      PutInputs(golden, image);
      std::string difference;
      device_->SetMarkObserver([&](uint32_t layer) {
        if (!difference.empty()) return;
        difference = CompareLayer(golden, layer, image);
      });
      const std::string failure = RunJob(image);
      if (!failure.empty()) return failure;
      if (!difference.empty()) return difference;
      for (const TensorBinding& output : program_.outputs) {
        difference = Compare(golden, output.tensor, output.place, image, "output " + output.name,
                             OffsetOf(output.place.region, image));
        if (!difference.empty()) return difference;
      }
    }
    return "";
  }

 private:
  // Bytes an image's input or output lies behind those of image 0.
  uint64_t OffsetOf(int region, int image) const {
    if (region != kRegionInput && region != kRegionOutput) return 0;
    return program_.region_bytes[region] / static_cast<uint64_t>(program_.images) *
           static_cast<uint64_t>(image);
  }

  void PutInputs(const ReferenceResult& golden, int image) {
    for (const TensorBinding& input : program_.inputs) {
      if (input.tensor < 0) continue;
      const std::vector<uint8_t>& whole = golden.tensors[static_cast<size_t>(input.tensor)];
      const size_t bytes = whole.size() / static_cast<size_t>(program_.images);
      EXPECT_EQ(bytes, size_t{input.place.rows} * input.place.row_bytes);
      const std::span<const uint8_t> dense =
          std::span(whole).subspan(static_cast<size_t>(image) * bytes, bytes);
      const std::vector<uint8_t> rows = InRowOrder(input.place, dense);
      for (uint32_t row = 0; row < input.place.rows; ++row) {
        device_->WriteMemory(
            bases_[kRegionInput] + static_cast<uint64_t>(image) * input.image_stride +
                input.place.offset + uint64_t{row} * input.place.pitch,
            std::span(rows).subspan(size_t{row} * input.place.row_bytes, input.place.row_bytes));
      }
    }
  }

  std::string CompareLayer(const ReferenceResult& golden, uint32_t index, int image) {
    const ProgramLayer& layer = program_.layers.at(index);
    if (layer.output.where == TensorPlace::Where::kNowhere) return "";
    return Compare(golden, layer.output_tensor, layer.output, image,
                   "layer " + std::to_string(index) + " " + layer.op + " " + layer.name,
                   OffsetOf(layer.output.region, image));
  }

  std::string Compare(const ReferenceResult& golden, int tensor, const TensorPlace& place,
                      int image, const std::string& what, uint64_t image_offset) {
    const std::vector<uint8_t>& whole = golden.tensors[static_cast<size_t>(tensor)];
    const size_t bytes = whole.size() / static_cast<size_t>(program_.images);
    const uint64_t base =
        place.where == TensorPlace::Where::kMemory ? bases_[place.region] + image_offset : 0;
    const std::vector<uint8_t> seen = ReadPlace(*device_, place, base);
    if (seen.size() != bytes) return what + ": place of another size";
    ++compared_;
    const auto begin =
        whole.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(image) * bytes);
    const auto at = std::mismatch(seen.begin(), seen.end(), begin);
    if (at.first == seen.end()) return "";
    return fmt::format("{}: byte {} of {} is {}, reference {} ({} of {} bytes differ)", what,
                       at.first - seen.begin(), seen.size(), static_cast<int8_t>(*at.first),
                       static_cast<int8_t>(*at.second),
                       std::inner_product(seen.begin(), seen.end(), begin, 0, std::plus<>(),
                                          std::not_equal_to<>()),
                       seen.size());
  }

  std::string RunJob(int image) {
    const auto write = [this](uint32_t reg, uint64_t value) {
      device_->WriteRegister(reg, static_cast<uint32_t>(value));
    };
    for (int region = 0; region < kNumRegions; ++region) {
      uint64_t base = bases_[static_cast<size_t>(region)];
      base += OffsetOf(region, image);
      write(WEFT_REG_REGION_BASE_LO(region), base);
      write(WEFT_REG_REGION_BASE_HI(region), base >> 32);
    }
    std::array<uint32_t, WEFT_JOB_ENTRY_BYTES / 4> entry = {};
    entry[WEFT_JOB_JOB_ID] = static_cast<uint32_t>(image);
    entry[WEFT_JOB_CONFIG_HASH] = program_.config_hash;
    entry[WEFT_JOB_STREAM_REGION] = kRegionProgram;
    entry[WEFT_JOB_STREAM_OFFSET] = static_cast<uint32_t>(program_.stream_offset);
    entry[WEFT_JOB_STREAM_COMMANDS] = program_.stream_commands;
    std::vector<uint8_t> bytes(WEFT_JOB_ENTRY_BYTES);
    std::memcpy(bytes.data(), entry.data(), bytes.size());
    device_->WriteMemory(0, bytes);
    write(WEFT_REG_RING_BASE_LO, 0);
    write(WEFT_REG_RING_BASE_HI, 0);
    write(WEFT_REG_RING_LOG2, 0);
    write(WEFT_REG_IRQ_MASK, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
    write(WEFT_REG_RING_TAIL, static_cast<uint64_t>(image) + 1);
    const bool woken = device_->WaitForInterrupt(UINT64_MAX);
    if (!device_->Violations().empty()) return device_->Violations();
    const uint32_t error = device_->ReadRegister(WEFT_REG_ERROR_CODE);
    if (error != 0) {
      return fmt::format("job failed: {} at command {}", ErrorText(error),
                         device_->ReadRegister(WEFT_REG_ERROR_COMMAND));
    }
    if (!woken) return "no interrupt";
    write(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE);
    return "";
  }

 public:
  /// Tensors compared so far.
  int compared() const { return compared_; }

 private:
  const Graph& graph_;
  const Program& program_;
  std::array<uint64_t, kNumRegions> bases_ = {};
  std::unique_ptr<Device> device_;
  int compared_ = 0;
};

/// Random bytes for every graph input; floats are in [-4, 4].
inline std::vector<std::vector<uint8_t>> RandomInputs(const Graph& graph, Rng& rng) {
  std::vector<std::vector<uint8_t>> inputs;
  for (int index : graph.inputs) {
    const Tensor& tensor = graph.tensors[static_cast<size_t>(index)];
    if (tensor.type != DType::kFloat32) {
      inputs.push_back(rng.Vector<uint8_t>(tensor.ByteCount(), 0, 255));
      continue;
    }
    std::vector<float> values(static_cast<size_t>(tensor.ElementCount()));
    for (float& value : values) value = static_cast<float>(rng.Int(-4000, 4000)) / 1000.0f;
    inputs.emplace_back(tensor.ByteCount());
    std::memcpy(inputs.back().data(), values.data(), inputs.back().size());
  }
  return inputs;
}

/// Expects that the graph compiles and that device and reference agree on every tensor.
inline void ExpectExact(const Graph& graph, const HardwareConfig& config, Rounding rounding,
                        const std::vector<std::vector<uint8_t>>& inputs) {
  SCOPED_TRACE(
      fmt::format("{} {}", config.name, rounding == Rounding::kDouble ? "double" : "single"));
  const Result<Program> program = Compile(graph, config, {.rounding = rounding});
  ASSERT_TRUE(program) << program.error().message;
  const Result<ReferenceResult> golden = RunReference(graph, inputs, rounding);
  ASSERT_TRUE(golden) << golden.error().message;
  ProgramRun run(graph, *program, config);
  EXPECT_EQ(run.CompareWith(*golden), "");
  EXPECT_GE(run.compared(), static_cast<int>(program->layers.size()));
}

}  // namespace weft::testing
