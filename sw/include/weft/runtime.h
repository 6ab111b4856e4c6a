// SPDX-License-Identifier: Apache-2.0
//
// Runs compiled programs on a device: identity check, memory layout, conversion of inputs and
// outputs, jobs, per-layer counters. Everything the device is told goes through the C driver
// (weft/driver.h), so what runs on the simulation is what runs on a board.
//
//   Result<std::unique_ptr<Runtime>> runtime = Runtime::Open(device);
//   Status loaded = (*runtime)->Load(program);
//   Result<RunResult> result = (*runtime)->Run({image_bytes}, {});
//   result->outputs[0]                             // bytes of the first graph output
//   result->layers[3][WEFT_COUNTER_CYCLES]         // cycles of layer 3
//
// Inputs and outputs are what the model's file declares: int8 or float32, dense, little-endian, the
// whole batch. A batch of N runs as N jobs. A Runtime is used by one thread; it keeps a reference
// to the device, and Load keeps a copy of what it needs of the program.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "weft/device.h"
#include "weft/driver.h"
#include "weft/program.h"
#include "weft/result.h"

namespace weft {

/// Values of the performance counters, indexed by WEFT_COUNTER_... (weft/hw/weft_hw.h).
using CounterValues = std::array<uint64_t, WEFT_NUM_COUNTERS>;

/// How far a run has come, for display.
struct RunProgress {
  int image = 0;       ///< images that are done
  size_t layer = 0;    ///< layers of this image that are done
  uint64_t ticks = 0;  ///< device ticks since Run began (cycles of an RTL device)
  double seconds = 0;  ///< wall clock since Run began
};

struct RunOptions {
  /// Keep every tensor that lies whole in the scratchpad or in memory at its layer's end.
  bool capture_tensors = false;
  /// Called from time to time while the device works.
  std::function<void(const RunProgress&)> progress;
  /// The host gives up on a job after so many ticks; 0: a generous bound from the program's size.
  uint64_t timeout_ticks = 0;
};

struct RunResult {
  std::vector<std::vector<uint8_t>> outputs;  ///< by graph output: bytes of the whole batch
  std::vector<CounterValues> layers;          ///< by layer, all images together; sums to `total`
  CounterValues total = {};                   ///< from the doorbells to the ends of the jobs
  /// By layer: bytes of the whole batch, dense; empty when not asked for or never whole.
  std::vector<std::vector<uint8_t>> tensors;
  double seconds = 0;  ///< wall clock while jobs ran
};

struct RuntimeOptions {
  /// Let the device touch nothing but what the program may: it reads the job ring, program and
  /// inputs, writes marks, and does both with outputs and in the arena. Costs no time. Windows that
  /// the host has locked stay as they are.
  bool windows = true;
};

class Runtime {
 public:
  /// Checks the device's identity and sets up the job ring.
  static Result<std::unique_ptr<Runtime>> Open(Device& device, const RuntimeOptions& options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Bytes of device memory the program needs, job ring included.
  static uint64_t MemoryBytes(const Program& program);

  /// Whether a device of configuration hash `device_hash` with so much memory can run the program:
  /// refuses a program for another configuration and one that is larger than the memory.
  static Status CheckFits(const Program& program, uint32_t device_hash, uint64_t memory_bytes);

  /// Places the program's regions in device memory and writes commands and weights there. Refuses
  /// what CheckFits refuses.
  Status Load(const Program& program);

  /// Runs the loaded program once on `inputs`: one buffer for each graph input, in order. Fails on
  /// inputs of a wrong size, on any error the device reports (named with the command and layer) and
  /// on broken rules of device or bus. After a failure the device can be used again.
  Result<RunResult> Run(const std::vector<std::vector<uint8_t>>& inputs, const RunOptions& options);

 private:
  class Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft
