// SPDX-License-Identifier: Apache-2.0
//
// Per-layer figures of a run, as a table for people and as JSON for programs.
//
//   Report report = MakeReport(program, config, result, "rtl");
//   fmt::print("{}", FormatTable(report));
//   WriteFileAtomic(path, ToJson(report).dump(2))
//
// `cycles` of a layer: from the end of the layer before it to its own; they sum to the total, which
// runs from the doorbell to the interrupt. `utilization` = MACs / (K * N * cycles), 0 to 1. `bound`
// = the resource with the least slack; see BoundOf. `losses`: where the cycles beyond the ideal
// went. docs/programmers_guide.md defines every field.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sw/report/energy.h"
#include "weft/graph.h"
#include "weft/hw/configs.h"
#include "weft/program.h"
#include "weft/runtime.h"

namespace weft {

/// Where the cycles beyond the ideal went. They sum to cycles - ideal, of a layer as of the total;
/// one of a layer can be negative, since its cycles begin when the one before it has ended, not
/// begun.
struct Losses {
  int64_t unfilled = 0;  ///< operands beyond the ideal: lanes or channels without work
  int64_t dependency = 0, operand = 0, weights = 0, accumulator = 0, idle = 0;  ///< the counters
};

/// What the hardware did in a stretch of time. Only devices with a clock can tell.
struct Figures {
  uint64_t cycles = 0;
  double utilization = 0;
  uint64_t ideal_cycles = 0;  ///< MACs / (K * N), rounded up
  Losses losses;
  uint64_t read_bytes = 0;
  uint64_t write_bytes = 0;
  CounterValues counters = {};
};

struct LayerReport {
  std::string name;             ///< of the output tensor
  std::string op;               ///< main operator, TFLite spelling
  std::vector<int> source_ops;  ///< indices of the file's operators it covers
  std::vector<int32_t> output_shape;
  int64_t macs = 0;  ///< of all images
  std::optional<Figures> figures;
  std::string bound;             ///< empty without figures
  std::optional<Energy> energy;  ///< by the model of spec/energy.toml; of all images
};

struct OutputReport {
  std::string name;
  std::vector<int32_t> shape;
  DType dtype = DType::kInt8;
  std::string file;  ///< empty: not written
};

struct Report {
  std::string model, config, device;
  Rounding rounding = Rounding::kDouble;
  std::optional<bool> exact;  ///< agrees with the golden reference; nothing: not compared
  int64_t macs = 0;
  std::optional<Figures> figures;
  std::optional<Energy> energy;  ///< the sum of the layers'
  double sim_seconds = 0;        ///< wall clock while the device worked
  std::vector<LayerReport> layers;
  std::vector<OutputReport> outputs;
};

inline constexpr int kReportSchemaVersion = 1;

const char* RoundingName(Rounding rounding);

/// The resource with the least slack over `figures.cycles`: each resource's busy cycles are
///   array        cycles with an operand, and those in which the feed could not fetch one
///   post         cycles in which post-processing advanced
///   memory-in    AXI read beats (one a cycle at most)
///   memory-out   AXI write beats
///   dependency   cycles in which the array waited for another engine's work, or had none
/// Equal slack is decided in this order.
std::string_view BoundOf(const Figures& figures);

/// The figures of counter values, with `macs` products done meanwhile.
Figures MakeFigures(const CounterValues& counters, int64_t macs, const HardwareConfig& config);

/// Report of a program that ran on `device`. `has_clock`: its counters count hardware cycles.
Report MakeReport(const Program& program, const HardwareConfig& config, const RunResult& result,
                  std::string device, bool has_clock);

/// Report of a graph the reference executed: one layer a node, no figures.
Report MakeReport(const Graph& graph, const HardwareConfig& config, Rounding rounding,
                  double seconds);

/// Title, header, one line a layer, total; ends with a newline.
std::string FormatTable(const Report& report);

/// Ideal cycles and losses, likewise; empty without figures.
std::string FormatLosses(const Report& report);

nlohmann::json ToJson(const Report& report);

}  // namespace weft
