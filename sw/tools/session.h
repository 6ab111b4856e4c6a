// SPDX-License-Identifier: Apache-2.0
//
// What `run` and `verify` have in common: model, program, inputs, device, the run itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sw/report/report.h"
#include "sw/tools/options.h"
#include "weft/activity.h"
#include "weft/device.h"
#include "weft/graph.h"
#include "weft/program.h"
#include "weft/result.h"
#include "weft/runtime.h"

namespace weft::tools {

/// Memory of a simulated device. It is reserved as the program needs it, up to this.
inline constexpr uint64_t kMaxDeviceMemory = uint64_t{1} << 30;

/// Reads and checks a .tflite file. Unsupported operators are an error.
Result<Graph> LoadGraph(const std::string& path);

/// What a model file gives: a graph (unless it is a program file) and a program.
struct Model {
  std::optional<Graph> graph;
  Program program;
};

/// Reads a .tflite file and compiles it, or reads a program file.
Result<Model> LoadModel(const Options& options, const HardwareConfig& config);

/// Type, shape and range of a model's input.
struct InputSpec {
  Tensor tensor;       ///< name, type and shape
  float scale = 1.0f;  ///< of the int8 tensor behind it
  int32_t zero_point = 0;
};
std::vector<InputSpec> InputSpecs(const Graph& graph);
std::vector<InputSpec> InputSpecs(const Program& program);

/// The files given, checked against the specs, or random values from the seed: every int8 value is
/// equally likely, floats are the real values of such.
Result<std::vector<std::vector<uint8_t>>> ReadInputs(const Options& options,
                                                     const std::vector<InputSpec>& specs);

/// Checks, before a long run, that there is a place for what it will write.
Status CheckOutputPlaces(const Options& options);

/// A device of that kind ("rtl" or "functional") with `memory_bytes` of memory. `activity`, if not
/// empty, is called every cycle of the RTL.
Result<std::unique_ptr<Device>> MakeDevice(const std::string& kind, const Options& options,
                                           const HardwareConfig& config, uint64_t memory_bytes,
                                           ActivityObserver activity);

/// Runs the program on a new device of that kind, and writes the trace of an RTL run that was asked
/// for. Progress goes to stderr once a second has passed.
Result<RunResult> RunOnDevice(const std::string& kind, const Options& options,
                              const HardwareConfig& config, const Program& program,
                              const std::vector<std::vector<uint8_t>>& inputs, bool capture);

/// Writes outputs and report, as far as they were asked for, and puts the files' names in `report`.
Status WriteResults(const Options& options, const std::vector<std::vector<uint8_t>>& outputs,
                    Report& report);

/// "simulated ... cycles in ... s (... kHz)".
std::string FormatSpeed(const Report& report);

/// With --wave and a binary without waves: goes on as the program weft_trace beside this one. Only
/// returns when nothing has to be done or nothing can.
Status SwitchToWaves(const Options& options, char** arguments);

}  // namespace weft::tools
