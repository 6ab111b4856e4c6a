// SPDX-License-Identifier: Apache-2.0
//
// weft verify: RTL, functional model and golden reference on the same input, tensor by tensor.
#include <fmt/format.h>

#include "sim/reference/reference.h"
#include "sw/report/compare.h"
#include "sw/tools/session.h"

namespace weft::tools {
namespace {

std::string Quoted(const std::string& argument) {
  if (argument.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "_-./=:+,@%") == std::string::npos &&
      !argument.empty()) {
    return argument;
  }
  std::string quoted = "'";
  for (const char c : argument) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// The command that runs the same thing once more, with waves.
std::string RepeatCommand(const Options& options) {
  std::string command = "weft run " + Quoted(options.model);
  for (const std::string& input : options.inputs) command += " --input " + Quoted(input);
  command += fmt::format(
      " --seed {} --config {} --rounding {} --mem-latency {} --mem-bandwidth {} --wave weft.fst",
      options.seed, options.config, RoundingName(options.RoundingOrDefault()), options.mem_latency,
      options.mem_bandwidth);
  return command;
}

EngineTensors TakeTensors(const std::string& engine, RunResult& result) {
  return {engine, std::move(result.tensors), std::move(result.outputs)};
}

}  // namespace

Status Verify(const Options& options) {
  const HardwareConfig& config = *FindShippedConfig(options.config);
  if (Status places = CheckOutputPlaces(options); !places) return places;
  const Result<Model> model = LoadModel(options, config);
  if (!model) return tl::unexpected(model.error());
  if (!model->graph) {
    return Fail("{}: a program holds no graph to verify against: give the .tflite file",
                options.model);
  }
  const Program& program = model->program;
  const auto inputs = ReadInputs(options, InputSpecs(program));
  if (!inputs) return tl::unexpected(inputs.error());

  Result<ReferenceResult> golden = RunReference(*model->graph, *inputs, program.rounding);
  if (!golden) return Fail("{}: {}", options.model, golden.error().message);
  Result<RunResult> functional =
      RunOnDevice("functional", options, config, program, *inputs, /*capture=*/true);
  if (!functional) return tl::unexpected(functional.error());
  Result<RunResult> rtl = RunOnDevice("rtl", options, config, program, *inputs, /*capture=*/true);
  if (!rtl) {
    return Fail("{}; again with waves: {}", rtl.error().message, RepeatCommand(options));
  }

  Report report = MakeReport(program, config, *rtl, "rtl", /*has_clock=*/true);
  const std::vector<std::vector<uint8_t>> outputs = rtl->outputs;
  const Comparison comparison =
      CompareEngines(program, *model->graph,
                     {TakeTensors("rtl", *rtl), TakeTensors("functional", *functional),
                      FromReference(program, *model->graph, golden->tensors)});
  report.exact = !comparison.difference;
  if (Status written = WriteResults(options, outputs, report); !written) return written;

  fmt::print("{}{}", FormatTable(report), FormatSpeed(report));
  if (!comparison.fused.empty()) {
    fmt::print("fused, never whole in memory ({}): {}\n", comparison.fused.size(),
               fmt::join(comparison.fused, ", "));
  }
  if (comparison.difference) {
    return Fail("{}: {}; again with waves: {}", options.model,
                FormatDifference(*comparison.difference), RepeatCommand(options));
  }
  fmt::print("exact: {} tensors and {} outputs are equal on rtl, functional and reference\n",
             comparison.tensors, comparison.outputs);
  return {};
}

}  // namespace weft::tools
