// SPDX-License-Identifier: Apache-2.0
//
// The subcommands of `weft` and the options they share. Each subcommand has a file of its own; it
// returns a Status, and main prints an error as the one line on stderr that goes with exit code 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weft/graph.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::tools {

struct Options {
  std::string model;                ///< .tflite or, where it says so, a program file
  std::vector<std::string> inputs;  ///< one file for each input of the model, or none: random
  uint64_t seed = 1;                ///< of random inputs and of the memory model
  std::string device = "rtl";
  std::string config = "weft256";
  std::optional<std::string> rounding;  ///< double unless the program says otherwise
  std::string output_dir;
  std::string report;
  std::string wave;
  std::string trace;
  int mem_latency = 32;
  double mem_bandwidth = 1;
  double clock_mhz = 100;   ///< of estimate
  bool json = false;        ///< of estimate: JSON instead of a table
  bool losses = false;      ///< of run: also print where the cycles went
  bool no_windows = false;  ///< the device may touch all memory
  std::string output_file;  ///< of compile
  bool all = false;         ///< of configs: also those for verification

  Rounding RoundingOrDefault() const {
    return rounding == "single" ? Rounding::kSingle : Rounding::kDouble;
  }
};

/// The configuration of that name, or nullptr.
const HardwareConfig* FindShippedConfig(const std::string& name);

Status Run(const Options& options);
Status Verify(const Options& options);
Status EstimateModel(const Options& options);
Status CompileToFile(const Options& options);
Status Disasm(const Options& options);
Status Info(const Options& options);
Status Configs(const Options& options);

}  // namespace weft::tools
