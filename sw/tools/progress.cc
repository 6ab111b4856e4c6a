// SPDX-License-Identifier: Apache-2.0
#include "sw/tools/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace weft::tools {

Progress::Progress(const Program& program, const HardwareConfig& config, std::string device,
                   bool has_clock)
    : program_(program),
      device_(std::move(device)),
      has_clock_(has_clock),
      terminal_(isatty(STDERR_FILENO) == 1) {
  // A layer's work: its products, or its output when that takes longer.
  double sum = 0;
  work_before_.push_back(0);
  for (const ProgramLayer& layer : program.layers) {
    double elements = 1;
    for (const int32_t dimension : layer.output_shape) elements *= dimension;
    sum += std::max(static_cast<double>(layer.macs) / (config.k * config.n),
                    elements / config.post_lanes);
    work_before_.push_back(sum);
  }
  for (double& work : work_before_) work /= sum > 0 ? sum : 1;
}

Progress::~Progress() {
  if (line_open_) fmt::print(stderr, "\r\033[K");
}

void Progress::Update(const RunProgress& progress) {
  const double done = (progress.image + work_before_[progress.layer]) / program_.images;
  if (done > done_) {
    done_ = done;
    done_at_ = progress.seconds;
  }
  if (progress.seconds < next_print_) return;
  next_print_ = progress.seconds + (terminal_ ? 0.5 : 10.0);
  std::string line = fmt::format("{}: ", device_);
  if (program_.images > 1)
    line += fmt::format("image {}/{}, ", progress.image + 1, program_.images);
  line += fmt::format("layer {}/{}", progress.layer, program_.layers.size());
  if (progress.layer < program_.layers.size()) line += " " + program_.layers[progress.layer].op;
  if (has_clock_) {
    line +=
        fmt::format(", {:.0f} kHz", static_cast<double>(progress.ticks) / progress.seconds / 1000);
  }
  if (done_ > 0) {
    const double left = done_at_ / done_ - progress.seconds;
    line += fmt::format(", {:.0f} s left", std::max(left, 0.0));
  }
  if (terminal_) {
    fmt::print(stderr, "\r\033[K{}", line);
    line_open_ = true;
  } else {
    fmt::print(stderr, "{}\n", line);
  }
  std::fflush(stderr);
}

}  // namespace weft::tools
