// SPDX-License-Identifier: Apache-2.0
#include "sw/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace weft {
namespace {

std::string FormatShape(const std::vector<int32_t>& shape) {
  return fmt::format("{}", fmt::join(shape, "x"));
}

// The last `width` characters: the end of a tensor's name is what tells layers apart.
std::string Tail(const std::string& text, size_t width) {
  return text.size() <= width ? text : ".." + text.substr(text.size() - width + 2);
}

std::string Operators(const LayerReport& layer) {
  return fmt::format("{} {}", layer.op, fmt::join(layer.source_ops, ","));
}

// One line of the table. Figures that do not exist are dashes.
std::string Line(const std::string& index, const std::string& operators, const std::string& shape,
                 int64_t macs, const std::optional<Figures>& figures,
                 const std::optional<Energy>& energy, std::string_view bound,
                 const std::string& name, size_t operators_width) {
  const auto number = [&](uint64_t value) {
    return figures ? fmt::format("{}", value) : std::string("-");
  };
  const auto microjoules = [&](double Energy::*place) {
    return energy ? fmt::format("{:.3f}", *energy.*place / 1000) : std::string("-");
  };
  const Figures f = figures.value_or(Figures{});
  std::string line = fmt::format(
      "{:>5}  {:<{}}  {:<14} {:>11} {:>12} {:>7} {:>11} {:>11} {:>10} {:>10}  {:<10}  {}", index,
      operators, operators_width, shape, number(f.cycles), macs,
      figures ? fmt::format("{:.1f}%", 100 * f.utilization) : "-", number(f.read_bytes),
      number(f.write_bytes), microjoules(&Energy::chip_nj), microjoules(&Energy::memory_nj),
      figures ? bound : "-", name);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

void AddFigures(nlohmann::json& json, const std::optional<Figures>& figures) {
  if (!figures) {
    for (const char* key :
         {"cycles", "utilization", "ideal_cycles", "losses", "read_bytes", "write_bytes"}) {
      json[key] = nullptr;
    }
    return;
  }
  json["cycles"] = figures->cycles;
  json["utilization"] = figures->utilization;
  json["ideal_cycles"] = figures->ideal_cycles;
  const Losses& losses = figures->losses;
  json["losses"] = {{"unfilled", losses.unfilled},       {"dependency", losses.dependency},
                    {"operand", losses.operand},         {"weights", losses.weights},
                    {"accumulator", losses.accumulator}, {"idle", losses.idle}};
  json["read_bytes"] = figures->read_bytes;
  json["write_bytes"] = figures->write_bytes;
  nlohmann::json& counters = json["counters"];
  for (size_t i = 0; i < figures->counters.size(); ++i) {
    if (i == WEFT_COUNTER_LAYER) continue;
    counters[std::string(kCounterNames[i])] = figures->counters[i];
  }
}

nlohmann::json EnergyJson(const std::optional<Energy>& energy) {
  nlohmann::json json;
  if (!energy) return json;
  json["chip_nj"] = energy->chip_nj;
  json["memory_nj"] = energy->memory_nj;
  for (size_t i = 0; i < kEnergyEvents.size(); ++i) {
    json["events"][std::string(kEnergyEvents[i].name)] = {
        {"count", energy->counts[i]},
        {"nj", EventEnergy(static_cast<EnergyEvent>(i), energy->counts[i])}};
  }
  return json;
}

// The last dimension is channels, what is before it pixels of one image.
LayerWork WorkOf(const ProgramLayer& layer, const CounterValues& counters, int images) {
  LayerWork work;
  work.counters = counters;
  work.macs = layer.macs * images;
  work.pixels = 1;
  for (size_t i = 0; i + 1 < layer.output_shape.size(); ++i) work.pixels *= layer.output_shape[i];
  work.output_bytes = work.pixels * images;
  if (!layer.output_shape.empty()) work.output_bytes *= layer.output_shape.back();
  return work;
}

}  // namespace

const char* RoundingName(Rounding rounding) {
  return rounding == Rounding::kDouble ? "double" : "single";
}

std::string_view BoundOf(const Figures& figures) {
  const CounterValues& c = figures.counters;
  const std::array<std::pair<std::string_view, uint64_t>, 5> resources = {{
      {"array", c[WEFT_COUNTER_ARRAY_BUSY] + c[WEFT_COUNTER_STALL_OPERAND]},
      {"post", c[WEFT_COUNTER_POST_BUSY]},
      {"memory-in", c[WEFT_COUNTER_READ_BEATS]},
      {"memory-out", c[WEFT_COUNTER_WRITE_BEATS]},
      {"dependency", c[WEFT_COUNTER_STALL_DEPENDENCY] + c[WEFT_COUNTER_ARRAY_IDLE]},
  }};
  // The first of the busiest: all share the same cycles, so it has the least slack.
  return std::max_element(resources.begin(), resources.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

Figures MakeFigures(const CounterValues& counters, int64_t macs, const HardwareConfig& config) {
  Figures figures;
  figures.cycles = counters[WEFT_COUNTER_CYCLES];
  if (figures.cycles > 0) {
    figures.utilization = static_cast<double>(macs) / (static_cast<double>(config.k) * config.n *
                                                       static_cast<double>(figures.cycles));
  }
  const int64_t products = int64_t{config.k} * config.n;
  const auto of = [&](uint32_t counter) { return static_cast<int64_t>(counters[counter]); };
  figures.ideal_cycles = static_cast<uint64_t>((macs + products - 1) / products);
  figures.losses = {
      .unfilled = of(WEFT_COUNTER_ARRAY_BUSY) - static_cast<int64_t>(figures.ideal_cycles),
      .dependency = of(WEFT_COUNTER_STALL_DEPENDENCY),
      .operand = of(WEFT_COUNTER_STALL_OPERAND),
      .weights = of(WEFT_COUNTER_STALL_WEIGHTS),
      .accumulator = of(WEFT_COUNTER_STALL_ACCUMULATOR),
      .idle = of(WEFT_COUNTER_ARRAY_IDLE)};
  const auto beat = static_cast<uint64_t>(config.axi_bytes);
  figures.read_bytes = counters[WEFT_COUNTER_READ_BEATS] * beat;
  figures.write_bytes = counters[WEFT_COUNTER_WRITE_BEATS] * beat;
  figures.counters = counters;
  return figures;
}

Report MakeReport(const Program& program, const HardwareConfig& config, const RunResult& result,
                  std::string device, bool has_clock) {
  Report report;
  report.model = program.model_name;
  report.config = program.config_name;
  report.device = std::move(device);
  report.rounding = program.rounding;
  report.sim_seconds = result.seconds;
  std::vector<Energy> energies;
  for (size_t i = 0; i < program.layers.size(); ++i) {
    const ProgramLayer& from = program.layers[i];
    LayerReport layer;
    layer.name = from.name;
    layer.op = from.op;
    layer.source_ops = from.source_ops;
    layer.output_shape = from.output_shape;
    layer.macs = from.macs * program.images;
    report.macs += layer.macs;
    if (has_clock) {
      layer.figures = MakeFigures(result.layers[i], layer.macs, config);
      layer.bound = BoundOf(*layer.figures);
      layer.energy = EnergyOf(CountEvents(WorkOf(from, result.layers[i], program.images), config));
      energies.push_back(*layer.energy);
    }
    report.layers.push_back(std::move(layer));
  }
  if (has_clock) {
    report.figures = MakeFigures(result.total, report.macs, config);
    report.energy = TotalEnergy(energies);
  }
  for (const TensorBinding& output : program.outputs) {
    report.outputs.push_back({output.name, output.shape, output.type, {}});
  }
  return report;
}

Report MakeReport(const Graph& graph, const HardwareConfig& config, Rounding rounding,
                  double seconds) {
  Report report;
  report.model = graph.name;
  report.config = config.name;
  report.device = "reference";
  report.rounding = rounding;
  report.sim_seconds = seconds;
  for (const Node& node : graph.nodes) {
    const Tensor& output = graph.tensors[static_cast<size_t>(node.outputs[0])];
    LayerReport layer;
    layer.name = output.name;
    layer.op = OpKindName(node.kind);
    layer.source_ops = {node.index};
    layer.output_shape = output.shape;
    layer.macs = NodeMacs(graph, node);
    report.macs += layer.macs;
    report.layers.push_back(std::move(layer));
  }
  for (const int index : graph.outputs) {
    const Tensor& output = graph.tensors[static_cast<size_t>(index)];
    report.outputs.push_back({output.name, output.shape, output.type, {}});
  }
  return report;
}

std::string FormatTable(const Report& report) {
  size_t width = 9;
  for (const LayerReport& layer : report.layers) width = std::max(width, Operators(layer).size());
  std::string text = fmt::format("{} on {} ({}), rounding {}\n", report.model, report.config,
                                 report.device, RoundingName(report.rounding));
  text += fmt::format(
      "{:>5}  {:<{}}  {:<14} {:>11} {:>12} {:>7} {:>11} {:>11} {:>10} {:>10}  {:<10}  {}\n",
      "layer", "operators", width, "output", "cycles", "MACs", "util", "bytes in", "bytes out",
      "uJ chip", "uJ memory", "bound", "tensor");
  for (size_t i = 0; i < report.layers.size(); ++i) {
    const LayerReport& layer = report.layers[i];
    text += Line(std::to_string(i), Operators(layer), FormatShape(layer.output_shape), layer.macs,
                 layer.figures, layer.energy, layer.bound, Tail(layer.name, 36), width);
  }
  text += Line("total", "", "", report.macs, report.figures, report.energy, "", "", width);
  if (report.energy) {
    text +=
        fmt::format("energy is a model (docs/energy.md): chip as in {}; memory is external DRAM\n",
                    kEnergyTechnology);
  }
  return text;
}

std::string FormatLosses(const Report& report) {
  if (!report.figures) return {};
  size_t width = 9;
  for (const LayerReport& layer : report.layers) width = std::max(width, Operators(layer).size());
  const auto line = [&](const std::string& index, const std::string& operators,
                        const Figures& figures, std::string_view bound) {
    const Losses& l = figures.losses;
    std::string text =
        fmt::format("{:>5}  {:<{}}  {:>11} {:>11} {:>10} {:>10} {:>9} {:>9} {:>11} {:>9}  {}",
                    index, operators, width, figures.cycles, figures.ideal_cycles, l.unfilled,
                    l.dependency, l.operand, l.weights, l.accumulator, l.idle, bound);
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
  };
  std::string text =
      fmt::format("{:>5}  {:<{}}  {:>11} {:>11} {:>10} {:>10} {:>9} {:>9} {:>11} {:>9}  {}\n",
                  "layer", "operators", width, "cycles", "= ideal", "+ unfilled", "dependency",
                  "operand", "weights", "accumulator", "idle", "bound");
  for (size_t i = 0; i < report.layers.size(); ++i) {
    const LayerReport& layer = report.layers[i];
    text += line(std::to_string(i), Operators(layer), *layer.figures, layer.bound);
  }
  return text + line("total", "", *report.figures, "");
}

nlohmann::json ToJson(const Report& report) {
  nlohmann::json json;
  json["schema_version"] = kReportSchemaVersion;
  json["model"] = report.model;
  json["config"] = report.config;
  json["device"] = report.device;
  json["rounding"] = RoundingName(report.rounding);
  json["exact"] = report.exact ? nlohmann::json(*report.exact) : nlohmann::json();
  nlohmann::json& total = json["total"];
  AddFigures(total, report.figures);
  total["energy"] = EnergyJson(report.energy);
  if (report.energy) total["energy"]["technology"] = kEnergyTechnology;
  total["macs"] = report.macs;
  total["sim_seconds"] = report.sim_seconds;
  total["sim_khz"] = nullptr;
  if (report.figures && report.sim_seconds > 0) {
    total["sim_khz"] = static_cast<double>(report.figures->cycles) / report.sim_seconds / 1000;
  }
  json["layers"] = nlohmann::json::array();
  for (size_t i = 0; i < report.layers.size(); ++i) {
    const LayerReport& from = report.layers[i];
    nlohmann::json layer;
    layer["index"] = i;
    layer["source_ops"] = from.source_ops;
    layer["name"] = from.name;
    layer["op"] = from.op;
    layer["output_shape"] = from.output_shape;
    layer["macs"] = from.macs;
    AddFigures(layer, from.figures);
    layer["energy"] = EnergyJson(from.energy);
    layer["bound"] = from.figures ? nlohmann::json(from.bound) : nlohmann::json();
    json["layers"].push_back(std::move(layer));
  }
  json["outputs"] = nlohmann::json::array();
  for (const OutputReport& from : report.outputs) {
    nlohmann::json output;
    output["name"] = from.name;
    output["shape"] = from.shape;
    output["dtype"] = DTypeName(from.dtype);
    output["file"] = from.file.empty() ? nlohmann::json() : nlohmann::json(from.file);
    json["outputs"].push_back(std::move(output));
  }
  return json;
}

}  // namespace weft
