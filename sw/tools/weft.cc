// SPDX-License-Identifier: Apache-2.0
//
// The command line: weft run | verify | estimate | compile | disasm | info | configs. Exit code 0:
// done; 1: one line on stderr says what was wrong; 2: the command line itself was wrong, likewise.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>

#include "sw/tools/options.h"
#include "sw/tools/session.h"

namespace weft::tools {
namespace {

int PrintError(std::string message, int code) {
  std::replace(message.begin(), message.end(), '\n', ' ');
  fmt::print(stderr, "weft: {}\n", message);
  return code;
}

std::vector<std::string> ConfigNames() {
  std::vector<std::string> names;
  for (const HardwareConfig& config : kHardwareConfigs) {
    if (config.shipped) names.emplace_back(config.name);
  }
  return names;
}

void AddConfig(CLI::App* command, Options& options) {
  command->add_option("--config", options.config, "Hardware configuration")
      ->check(CLI::IsMember(ConfigNames()))
      ->capture_default_str();
}

void AddRounding(CLI::App* command, Options& options) {
  command->add_option("--rounding", options.rounding, "Requantisation rounds twice or once")
      ->check(CLI::IsMember({"double", "single"}))
      ->type_name("double|single");
}

void AddMemory(CLI::App* command, Options& options) {
  command
      ->add_option("--mem-latency", options.mem_latency,
                   "Cycles of latency of the memory at the AXI port")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_option("--mem-bandwidth", options.mem_bandwidth, "Its beats a cycle, each way")
      ->check(CLI::Range(0.001, 1.0))
      ->capture_default_str();
}

void AddRunOptions(CLI::App* command, Options& options) {
  command
      ->add_option("--input", options.inputs,
                   "Input, raw little-endian or .npy; once for each input, in order")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--seed", options.seed, "Of random inputs, without --input")
      ->capture_default_str();
  AddConfig(command, options);
  AddRounding(command, options);
  command->add_option("--output-dir", options.output_dir, "Write each output there, raw")
      ->type_name("DIR");
  command->add_option("--report", options.report, "Write the figures as JSON")
      ->type_name("FILE.json");
  command->add_option("--wave", options.wave, "Write waves of the RTL")->type_name("FILE.fst");
  command->add_flag("--no-windows", options.no_windows,
                    "Leave the memory windows open: the device may touch all memory");
  AddMemory(command, options);
}

int Main(int argc, char** argv) {
  CLI::App app("Weft: runs int8 neural networks, bit by bit as the hardware does");
  app.require_subcommand(1);
  Options options;
  std::function<Status()> action;
  const auto add_command = [&](const char* name, const char* help, auto&& function) {
    CLI::App* command = app.add_subcommand(name, help);
    command->callback([&action, function] { action = function; });
    return command;
  };
  const auto add_model = [&](CLI::App* command, const char* help) {
    command->add_option("MODEL", options.model, help)->required()->type_name("FILE");
  };
  const auto with_waves = [&options, argv](Status (*run)(const Options&)) {
    return [&options, argv, run]() -> Status {
      if (Status ready = SwitchToWaves(options, argv); !ready) return ready;
      return run(options);
    };
  };

  CLI::App* run =
      add_command("run", "Run a model and print a table of its layers", with_waves(Run));
  add_model(run, "A .tflite file, or a program of weft compile");
  run->add_option("--device", options.device, "What it runs on")
      ->check(CLI::IsMember({"rtl", "functional", "reference"}))
      ->capture_default_str();
  run->add_option("--trace", options.trace,
                  "Write every engine over time, for Perfetto or chrome://tracing")
      ->type_name("FILE.json");
  run->add_flag("--losses", options.losses, "Also print each layer's ideal cycles and its losses");
  AddRunOptions(run, options);

  CLI::App* verify =
      add_command("verify", "Compare RTL, functional model and reference, tensor by tensor",
                  with_waves(Verify));
  add_model(verify, "A .tflite file");
  AddRunOptions(verify, options);

  CLI::App* estimate =
      add_command("estimate", "Print cycles and time of a model's layers without running it",
                  [&options] { return EstimateModel(options); });
  add_model(estimate, "A .tflite file");
  AddConfig(estimate, options);
  AddRounding(estimate, options);
  AddMemory(estimate, options);
  estimate->add_option("--clock", options.clock_mhz, "Clock of the device in MHz")
      ->check(CLI::Range(0.001, 100000.0))
      ->capture_default_str();
  estimate->add_flag("--json", options.json, "JSON instead of a table");

  CLI::App* compile = add_command("compile", "Compile a model to a program file",
                                  [&options] { return CompileToFile(options); });
  add_model(compile, "A .tflite file");
  compile->add_option("-o,--output", options.output_file, "The program file")
      ->required()
      ->type_name("FILE");
  AddConfig(compile, options);
  AddRounding(compile, options);

  CLI::App* disasm = add_command("disasm", "Print the commands of a program",
                                 [&options] { return Disasm(options); });
  add_model(disasm, "A program of weft compile");

  CLI::App* info = add_command("info", "List a model's operators, and what is supported",
                               [&options] { return Info(options); });
  add_model(info, "A .tflite file");

  CLI::App* configs = add_command("configs", "List the hardware configurations",
                                  [&options] { return Configs(options); });
  configs->add_flag("--all", options.all, "Also those that exist for verification only");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return PrintError(std::string(error.what()) + " (weft --help lists the commands)", 2);
  }
  const Status done = action();
  return done ? 0 : PrintError(done.error().message, 1);
}

}  // namespace
}  // namespace weft::tools

int main(int argc, char** argv) { return weft::tools::Main(argc, argv); }
