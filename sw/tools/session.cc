// SPDX-License-Identifier: Apache-2.0
#include "sw/tools/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <utility>

#include "sim/functional/functional_device.h"
#include "sw/report/trace.h"
#include "sw/tools/progress.h"
#include "weft/compile.h"
#include "weft/import.h"
#include "weft/io.h"
#if WEFT_WITH_RTL
#include "sim/verilated/verilated_device.h"
#endif

namespace weft::tools {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMemoryStep = uint64_t{1} << 20;

bool IsProgramFile(const std::vector<uint8_t>& bytes) {
  return bytes.size() >= 4 && std::memcmp(bytes.data(), "WEFT", 4) == 0;
}

// The int8 tensor behind a graph input: itself, or what the QUANTIZE that reads it makes.
const Tensor& QuantizedInput(const Graph& graph, int input) {
  for (const Node& node : graph.nodes) {
    if (node.kind == OpKind::kQuantize && node.inputs[0] == input) {
      return graph.tensors[static_cast<size_t>(node.outputs[0])];
    }
  }
  return graph.tensors[static_cast<size_t>(input)];
}

std::vector<uint8_t> RandomInput(const InputSpec& spec, std::mt19937_64& random) {
  const auto count = static_cast<size_t>(spec.tensor.ElementCount());
  std::vector<uint8_t> bytes(count * DTypeSize(spec.tensor.type));
  if (spec.tensor.type != DType::kFloat32) {
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() >> 56);
    return bytes;
  }
  for (size_t i = 0; i < count; ++i) {
    const int stored = static_cast<int8_t>(random() >> 56);
    const float value = spec.scale * static_cast<float>(stored - spec.zero_point);
    std::memcpy(&bytes[i * sizeof(float)], &value, sizeof(float));
  }
  return bytes;
}

// A tensor's name where it can be a file's name, else its index.
std::string OutputFileName(const std::string& name, size_t index, std::set<std::string>& taken) {
  const bool plain =
      !name.empty() && name.size() <= 100 && name[0] != '.' && name[0] != '-' &&
      std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return (c < 0x80 && std::isalnum(c) != 0) || std::strchr("._-:;+=@", c) != nullptr;
      });
  if (plain && taken.insert(name).second) return name + ".bin";
  return std::to_string(index) + ".bin";
}

// `indent` below zero: on one line. Names in a model file need not be UTF-8.
Status WriteJson(const std::string& path, const nlohmann::json& json, int indent) {
  const std::string text =
      json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return WriteFileAtomic(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

}  // namespace

const HardwareConfig* FindShippedConfig(const std::string& name) {
  for (const HardwareConfig& config : kHardwareConfigs) {
    if (config.shipped && config.name == name) return &config;
  }
  return nullptr;
}

Result<Graph> LoadGraph(const std::string& path) {
  Result<Graph> graph = ImportTflite(path);
  if (!graph) return graph;
  if (Status supported = RequireSupported(*graph); !supported) {
    return tl::unexpected(supported.error());
  }
  return graph;
}

Result<Model> LoadModel(const Options& options, const HardwareConfig& config) {
  Model model;
  const Result<std::vector<uint8_t>> bytes = ReadFile(options.model);
  if (!bytes) return tl::unexpected(bytes.error());
  if (IsProgramFile(*bytes)) {
    Result<Program> program = LoadProgram(options.model);
    if (!program) return tl::unexpected(program.error());
    if (options.rounding && options.RoundingOrDefault() != program->rounding) {
      return Fail("{}: the program was compiled with rounding {}, not {}", options.model,
                  RoundingName(program->rounding), *options.rounding);
    }
    model.program = std::move(*program);
  } else {
    Result<Graph> graph = LoadGraph(options.model);
    if (!graph) return tl::unexpected(graph.error());
    Result<Program> program = Compile(*graph, config, {.rounding = options.RoundingOrDefault()});
    if (!program) return Fail("{}: {}", options.model, program.error().message);
    model.graph = std::move(*graph);
    model.program = std::move(*program);
  }
  if (Status fits = Runtime::CheckFits(model.program, config.hash, kMaxDeviceMemory); !fits) {
    return Fail("{}: {}", options.model, fits.error().message);
  }
  return model;
}

std::vector<InputSpec> InputSpecs(const Graph& graph) {
  std::vector<InputSpec> specs;
  for (const int index : graph.inputs) {
    InputSpec spec;
    spec.tensor = graph.tensors[static_cast<size_t>(index)];
    const Quantization& quant = QuantizedInput(graph, index).quant;
    if (!quant.scales.empty()) {
      spec.scale = quant.scales[0];
      spec.zero_point = static_cast<int32_t>(quant.zero_points[0]);
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::vector<InputSpec> InputSpecs(const Program& program) {
  std::vector<InputSpec> specs;
  for (const TensorBinding& binding : program.inputs) {
    InputSpec spec;
    spec.tensor.name = binding.name;
    spec.tensor.type = binding.type;
    spec.tensor.shape = binding.shape;
    spec.scale = binding.scale;
    spec.zero_point = binding.zero_point;
    specs.push_back(std::move(spec));
  }
  return specs;
}

Result<std::vector<std::vector<uint8_t>>> ReadInputs(const Options& options,
                                                     const std::vector<InputSpec>& specs) {
  std::vector<std::vector<uint8_t>> inputs;
  if (options.inputs.empty()) {
    std::mt19937_64 random(options.seed);
    for (const InputSpec& spec : specs) inputs.push_back(RandomInput(spec, random));
    return inputs;
  }
  if (options.inputs.size() != specs.size()) {
    return Fail("{}: the model has {} inputs, --input gives {}: one file for each, in order",
                options.model, specs.size(), options.inputs.size());
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    Result<std::vector<uint8_t>> bytes = ReadTensorFile(options.inputs[i], specs[i].tensor);
    if (!bytes) return tl::unexpected(bytes.error());
    inputs.push_back(std::move(*bytes));
  }
  return inputs;
}

Status CheckOutputPlaces(const Options& options) {
  std::error_code error;
  if (!options.output_dir.empty()) {
    if (fs::exists(options.output_dir, error) && !fs::is_directory(options.output_dir, error)) {
      return Fail("{}: --output-dir is not a folder", options.output_dir);
    }
  }
  for (const std::string& file : {options.report, options.wave, options.trace}) {
    if (file.empty()) continue;
    const fs::path folder = fs::path(file).parent_path();
    if (!folder.empty() && !fs::is_directory(folder, error)) {
      return Fail("{}: there is no folder {}", file, folder.string());
    }
    if (fs::is_directory(file, error)) return Fail("{}: is a folder, not a file", file);
  }
  return {};
}

Result<std::unique_ptr<Device>> MakeDevice(const std::string& kind, const Options& options,
                                           const HardwareConfig& config, uint64_t memory_bytes,
                                           ActivityObserver activity) {
  if (kind == "functional") return MakeFunctionalDevice(config, memory_bytes);
#if WEFT_WITH_RTL
  VerilatedOptions verilated;
  verilated.memory_bytes = memory_bytes;
  verilated.memory.read_latency = options.mem_latency;
  verilated.memory.write_latency = options.mem_latency;
  verilated.memory.read_bandwidth = options.mem_bandwidth;
  verilated.memory.write_bandwidth = options.mem_bandwidth;
  verilated.wave_file = options.wave;
  verilated.seed = options.seed;
  verilated.activity = std::move(activity);
  return MakeVerilatedDevice(config, verilated);
#else
  static_cast<void>(options);
  static_cast<void>(activity);
  return Fail("this binary was built without the RTL: only --device functional and reference");
#endif
}

Result<RunResult> RunOnDevice(const std::string& kind, const Options& options,
                              const HardwareConfig& config, const Program& program,
                              const std::vector<std::vector<uint8_t>>& inputs, bool capture) {
  const uint64_t memory =
      (Runtime::MemoryBytes(program) + kMemoryStep - 1) / kMemoryStep * kMemoryStep;
  std::optional<Trace> trace;
  ActivityObserver activity;
  if (kind == "rtl" && !options.trace.empty()) {
    Result<Trace> made = Trace::Make(program, config);
    if (!made) return Fail("{}: {}", options.model, made.error().message);
    trace = std::move(*made);
    activity = [&trace](const Activity& a) { trace->Cycle(a); };
  }
  Result<std::unique_ptr<Device>> device =
      MakeDevice(kind, options, config, memory, std::move(activity));
  if (!device) return tl::unexpected(device.error());
  Result<std::unique_ptr<Runtime>> runtime =
      Runtime::Open(**device, {.windows = !options.no_windows});
  if (!runtime) return Fail("{}: {}", kind, runtime.error().message);
  if (Status loaded = (*runtime)->Load(program); !loaded) {
    return Fail("{}: {}", options.model, loaded.error().message);
  }
  Progress progress(program, config, kind, kind == "rtl");
  RunOptions run_options;
  run_options.capture_tensors = capture;
  run_options.progress = [&](const RunProgress& p) { progress.Update(p); };
  Result<RunResult> result = (*runtime)->Run(inputs, run_options);
  if (!result)
    return Fail("{} on {} ({}): {}", options.model, config.name, kind, result.error().message);
  if (trace) {
    if (Status written = WriteJson(options.trace, trace->ToJson(), -1); !written) {
      return tl::unexpected(written.error());
    }
  }
  return result;
}

Status WriteResults(const Options& options, const std::vector<std::vector<uint8_t>>& outputs,
                    Report& report) {
  if (!options.output_dir.empty()) {
    std::error_code error;
    fs::create_directories(options.output_dir, error);
    if (error) return Fail("{}: cannot make the folder: {}", options.output_dir, error.message());
    std::set<std::string> taken;
    for (size_t i = 0; i < outputs.size(); ++i) {
      const fs::path path =
          fs::path(options.output_dir) / OutputFileName(report.outputs[i].name, i, taken);
      if (Status written = WriteFileAtomic(path.string(), outputs[i]); !written) return written;
      report.outputs[i].file = path.string();
    }
  }
  return options.report.empty() ? Status() : WriteJson(options.report, ToJson(report), 2);
}

std::string FormatSpeed(const Report& report) {
  if (!report.figures) return fmt::format("{} took {:.3f} s\n", report.device, report.sim_seconds);
  const auto cycles = static_cast<double>(report.figures->cycles);
  return fmt::format("simulated {} cycles in {:.3f} s ({:.0f} kHz)\n", report.figures->cycles,
                     report.sim_seconds, cycles / std::max(report.sim_seconds, 1e-9) / 1000);
}

Status SwitchToWaves([[maybe_unused]] const Options& options, [[maybe_unused]] char** arguments) {
#if !WEFT_WITH_TRACE
  if (options.wave.empty() || options.device != "rtl") return {};
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path tracing = self.parent_path() / "weft_trace";
  if (!error && fs::exists(tracing, error)) execv(tracing.c_str(), arguments);
  return Fail("--wave needs the program weft_trace beside weft: `make trace` builds it");
#else
  return {};
#endif
}

}  // namespace weft::tools
