// SPDX-License-Identifier: Apache-2.0
//
// weft compile and weft disasm: a model to a program file, a program file to text.
#include "weft/compile.h"

#include <fmt/format.h>

#include "sw/tools/session.h"

namespace weft::tools {

Status CompileToFile(const Options& options) {
  const HardwareConfig& config = *FindShippedConfig(options.config);
  const Result<Graph> graph = LoadGraph(options.model);
  if (!graph) return tl::unexpected(graph.error());
  const Result<Program> program =
      Compile(*graph, config, {.rounding = options.RoundingOrDefault()});
  if (!program) return Fail("{}: {}", options.model, program.error().message);
  if (Status saved = SaveProgram(*program, options.output_file); !saved) return saved;
  fmt::print("{}: {} for {}, {} layers, {} commands, {} bytes of device memory\n",
             options.output_file, graph->name, config.name, program->layers.size(),
             program->stream_commands, Runtime::MemoryBytes(*program));
  return {};
}

Status Disasm(const Options& options) {
  const Result<Program> program = LoadProgram(options.model);
  if (!program) return tl::unexpected(program.error());
  const Result<std::string> text = Disassemble(*program);
  if (!text) return Fail("{}: {}", options.model, text.error().message);
  fmt::print("{}", *text);
  return {};
}

}  // namespace weft::tools
