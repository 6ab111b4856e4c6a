// SPDX-License-Identifier: Apache-2.0
//
// weft estimate: what a model will take, from the compiler's plan, without running it.
#include "weft/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "sw/tools/session.h"

namespace weft::tools {
namespace {

std::string Operators(const LayerEstimate& layer) {
  return fmt::format("{} {}", layer.op, fmt::join(layer.source_ops, ","));
}

double Utilization(int64_t macs, int64_t cycles, const HardwareConfig& config) {
  if (cycles == 0) return 0;
  return static_cast<double>(macs) / (static_cast<double>(cycles) * config.k * config.n);
}

double Milliseconds(int64_t cycles, const Options& options) {
  return static_cast<double>(cycles) / (options.clock_mhz * 1000);
}

std::string Line(const std::string& index, const std::string& operators, size_t width,
                 const std::string& shape, int64_t cycles, int64_t macs, int64_t read,
                 int64_t write, const Options& options, const HardwareConfig& config) {
  return fmt::format("{:>5}  {:<{}}  {:<14} {:>11} {:>10.4f} {:>12} {:>6.1f}% {:>11} {:>11}\n",
                     index, operators, width, shape, cycles, Milliseconds(cycles, options), macs,
                     100 * Utilization(macs, cycles, config), read, write);
}

std::string FormatEstimate(const std::string& model, const Estimate& estimate,
                           const Options& options, const HardwareConfig& config) {
  size_t width = 9;
  for (const LayerEstimate& layer : estimate.layers) {
    width = std::max(width, Operators(layer).size());
  }
  std::string text = fmt::format(
      "{} on {} at {:g} MHz, estimated{}\n", model, config.name, options.clock_mhz,
      estimate.images > 1 ? fmt::format(", one image of {}", estimate.images) : std::string());
  text += fmt::format("{:>5}  {:<{}}  {:<14} {:>11} {:>10} {:>12} {:>7} {:>11} {:>11}\n", "layer",
                      "operators", width, "output", "cycles", "ms", "MACs", "util", "bytes in",
                      "bytes out");
  for (size_t i = 0; i < estimate.layers.size(); ++i) {
    const LayerEstimate& layer = estimate.layers[i];
    text += Line(std::to_string(i), Operators(layer), width,
                 fmt::format("{}", fmt::join(layer.output_shape, "x")), layer.cycles, layer.macs,
                 layer.read_bytes, layer.write_bytes, options, config);
  }
  return text + Line("total", "", width, "", estimate.cycles, estimate.macs, estimate.read_bytes,
                     estimate.write_bytes, options, config);
}

template <typename T>
nlohmann::json Figures(const T& from, const Options& options, const HardwareConfig& config) {
  return {{"cycles", from.cycles},
          {"ms", Milliseconds(from.cycles, options)},
          {"macs", from.macs},
          {"utilization", Utilization(from.macs, from.cycles, config)},
          {"read_bytes", from.read_bytes},
          {"write_bytes", from.write_bytes}};
}

nlohmann::json ToJson(const std::string& model, const Estimate& estimate, const Options& options,
                      const HardwareConfig& config) {
  nlohmann::json json = {{"schema_version", 1},
                         {"model", model},
                         {"config", config.name},
                         {"clock_mhz", options.clock_mhz},
                         {"mem_latency", options.mem_latency},
                         {"mem_bandwidth", options.mem_bandwidth},
                         {"images", estimate.images},
                         {"total", Figures(estimate, options, config)},
                         {"layers", nlohmann::json::array()}};
  for (size_t i = 0; i < estimate.layers.size(); ++i) {
    const LayerEstimate& from = estimate.layers[i];
    nlohmann::json layer = Figures(from, options, config);
    layer["index"] = i;
    layer["name"] = from.name;
    layer["op"] = from.op;
    layer["source_ops"] = from.source_ops;
    layer["output_shape"] = from.output_shape;
    json["layers"].push_back(std::move(layer));
  }
  return json;
}

}  // namespace

Status EstimateModel(const Options& options) {
  const HardwareConfig& config = *FindShippedConfig(options.config);
  const Result<Graph> graph = LoadGraph(options.model);
  if (!graph) return tl::unexpected(graph.error());
  const Result<Estimate> estimate =
      EstimateNetwork(*graph, config, {.rounding = options.RoundingOrDefault()},
                      {.latency = options.mem_latency, .bandwidth = options.mem_bandwidth});
  if (!estimate) return Fail("{}: {}", options.model, estimate.error().message);
  if (options.json) {
    fmt::print("{}\n", ToJson(graph->name, *estimate, options, config)
                           .dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}", FormatEstimate(graph->name, *estimate, options, config));
  }
  return {};
}

}  // namespace weft::tools
