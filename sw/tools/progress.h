// SPDX-License-Identifier: Apache-2.0
//
// Progress of a long run on stderr: layer, simulated kHz, time left. Silent for the first second.
#pragma once

#include <string>
#include <vector>

#include "weft/hw/configs.h"
#include "weft/program.h"
#include "weft/runtime.h"

namespace weft::tools {

class Progress {
 public:
  /// `has_clock`: ticks are cycles, and kHz are worth showing.
  Progress(const Program& program, const HardwareConfig& config, std::string device,
           bool has_clock);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Update(const RunProgress& progress);

 private:
  const Program& program_;
  std::string device_;
  bool has_clock_;
  bool terminal_;
  std::vector<double> work_before_;  // share of an image's work before each layer; 1 at the end
  double done_ = 0;                  // share of all images' work at the last mark seen
  double done_at_ = 0;               // seconds at that mark
  double next_print_ = 1.0;
  bool line_open_ = false;
};

}  // namespace weft::tools
