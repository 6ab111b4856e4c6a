// SPDX-License-Identifier: Apache-2.0
//
// weft run: a model or program on one device, with a per-layer table.
#include <fmt/format.h>

#include <chrono>
#include <cstring>

#include "sim/reference/reference.h"
#include "sw/tools/session.h"

namespace weft::tools {
namespace {

constexpr size_t kMaxPrinted = 16;

std::string FormatOutput(const OutputReport& output, const std::vector<uint8_t>& bytes) {
  std::string text = fmt::format("output '{}' {}[{}]", output.name, DTypeName(output.dtype),
                                 fmt::join(output.shape, ", "));
  const size_t size = DTypeSize(output.dtype);
  const size_t count = size == 0 ? 0 : bytes.size() / size;
  if (count > 0 && count <= kMaxPrinted) {
    text += ":";
    for (size_t i = 0; i < count; ++i) {
      float value = static_cast<int8_t>(bytes[i * size]);
      if (output.dtype == DType::kFloat32) std::memcpy(&value, &bytes[i * size], sizeof(value));
      text += fmt::format(" {:g}", value);
    }
  }
  if (!output.file.empty()) text += " -> " + output.file;
  return text + "\n";
}

Result<ReferenceResult> Golden(const Options& options, const Graph& graph, Rounding rounding,
                               const std::vector<std::vector<uint8_t>>& inputs) {
  Result<ReferenceResult> golden = RunReference(graph, inputs, rounding);
  if (!golden) return Fail("{}: {}", options.model, golden.error().message);
  return golden;
}

std::vector<std::vector<uint8_t>> GoldenOutputs(const Graph& graph, const ReferenceResult& golden) {
  std::vector<std::vector<uint8_t>> outputs;
  for (const int output : graph.outputs) {
    outputs.push_back(golden.tensors[static_cast<size_t>(output)]);
  }
  return outputs;
}

void Print(const Options& options, const Report& report,
           const std::vector<std::vector<uint8_t>>& outputs) {
  fmt::print("{}", FormatTable(report));
  if (options.losses) fmt::print("{}", FormatLosses(report));
  for (size_t i = 0; i < outputs.size(); ++i) {
    fmt::print("{}", FormatOutput(report.outputs[i], outputs[i]));
  }
  fmt::print("{}", FormatSpeed(report));
}

Status RunOnReference(const Options& options, const HardwareConfig& config) {
  const Result<Graph> graph = LoadGraph(options.model);
  if (!graph) return tl::unexpected(graph.error());
  const auto inputs = ReadInputs(options, InputSpecs(*graph));
  if (!inputs) return tl::unexpected(inputs.error());
  const auto start = std::chrono::steady_clock::now();
  const Rounding rounding = options.RoundingOrDefault();
  const Result<ReferenceResult> golden = Golden(options, *graph, rounding, *inputs);
  if (!golden) return tl::unexpected(golden.error());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  Report report = MakeReport(*graph, config, rounding, seconds.count());
  report.exact = true;  // the reference is what exact means
  const auto outputs = GoldenOutputs(*graph, *golden);
  if (Status written = WriteResults(options, outputs, report); !written) return written;
  Print(options, report, outputs);
  return {};
}

}  // namespace

Status Run(const Options& options) {
  const HardwareConfig& config = *FindShippedConfig(options.config);
  if (!options.wave.empty() && options.device != "rtl") {
    return Fail("--wave needs --device rtl: the {} device has no signals", options.device);
  }
  if (!options.trace.empty() && options.device != "rtl") {
    return Fail("--trace needs --device rtl: the {} device has no cycles", options.device);
  }
  if (options.losses && options.device != "rtl") {
    return Fail("--losses needs --device rtl: the {} device has no cycles", options.device);
  }
  if (Status places = CheckOutputPlaces(options); !places) return places;
  if (options.device == "reference") return RunOnReference(options, config);

  const Result<Model> model = LoadModel(options, config);
  if (!model) return tl::unexpected(model.error());
  const auto inputs = ReadInputs(options, InputSpecs(model->program));
  if (!inputs) return tl::unexpected(inputs.error());
  const Result<RunResult> result =
      RunOnDevice(options.device, options, config, model->program, *inputs, /*capture=*/false);
  if (!result) return tl::unexpected(result.error());

  Report report = MakeReport(model->program, config, *result, options.device,
                             /*has_clock=*/options.device == "rtl");
  // A program file has no graph to compare with.
  if (model->graph) {
    const auto golden = Golden(options, *model->graph, model->program.rounding, *inputs);
    if (!golden) return tl::unexpected(golden.error());
    report.exact = GoldenOutputs(*model->graph, *golden) == result->outputs;
  }
  if (Status written = WriteResults(options, result->outputs, report); !written) return written;
  Print(options, report, result->outputs);
  if (!report.exact) return {};
  if (!*report.exact) {
    return Fail("{}: the outputs differ from the golden reference: `weft verify` finds where",
                options.model);
  }
  fmt::print("exact: the outputs equal the golden reference\n");
  return {};
}

}  // namespace weft::tools
