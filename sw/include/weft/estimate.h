// SPDX-License-Identifier: Apache-2.0
//
// What a network will take on a configuration, from the compiler's plan, without running it.
//
//   Result<Estimate> estimate = EstimateNetwork(graph, *FindConfig("weft256"), {}, {.latency =
//   100}); estimate->cycles / 200e6                  // seconds at 200 MHz
//
// How far it is from the hardware: docs/performance.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weft/compile.h"
#include "weft/graph.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft {

/// The memory behind the AXI port.
struct MemoryTiming {
  int latency = 32;      ///< cycles from an address to its first beat, or to a write's answer
  double bandwidth = 1;  ///< beats a cycle each way
};

/// Cycles of a layer count from the end of the layer before it to its own, as in a report.
struct LayerEstimate {
  std::string name;                   ///< of the output tensor
  std::string op;                     ///< main operator, TFLite spelling
  std::vector<int> source_ops;        ///< indices of the file's operators it covers
  std::vector<int32_t> output_shape;  ///< of one image, NHWC
  int64_t macs = 0;                   ///< of one image
  int64_t cycles = 0;
  int64_t read_bytes = 0;  ///< operands and weights; not commands
  int64_t write_bytes = 0;
};

/// Of one image.
struct Estimate {
  std::vector<LayerEstimate> layers;
  int64_t macs = 0;
  int64_t cycles = 0;  ///< from the doorbell to the interrupt
  int64_t read_bytes = 0;
  int64_t write_bytes = 0;
  int images = 1;  ///< of the model's batch: the device takes one after the other
};

/// Fails where Compile does.
Result<Estimate> EstimateNetwork(const Graph& graph, const HardwareConfig& config,
                                 const CompileOptions& options, const MemoryTiming& memory);

}  // namespace weft
