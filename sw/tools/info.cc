// SPDX-License-Identifier: Apache-2.0
//
// weft info: what is in a model, and whether Weft runs it. weft configs: the hardware there is.
#include <fmt/format.h>

#include <algorithm>

#include "sw/tools/session.h"
#include "weft/compile.h"
#include "weft/import.h"

namespace weft::tools {
namespace {

std::string FormatTensor(const Tensor& tensor) {
  std::string text = fmt::format("'{}' {}[{}]", tensor.name, DTypeName(tensor.type),
                                 fmt::join(tensor.shape, ", "));
  if (!tensor.quant.scales.empty()) {
    text += fmt::format(", scale {:g}, zero point {}", tensor.quant.scales[0],
                        tensor.quant.zero_points[0]);
  }
  return text;
}

std::string OperatorName(const Node& node) {
  return node.kind == OpKind::kUnsupported ? node.source_op : OpKindName(node.kind);
}

std::string Support(const Graph& graph, const Node& node) {
  if (node.kind == OpKind::kUnsupported) return "no: " + node.unsupported_why;
  const auto is_float = [&](const std::vector<int>& tensors) {
    return !tensors.empty() && tensors[0] >= 0 &&
           graph.tensors[static_cast<size_t>(tensors[0])].type == DType::kFloat32;
  };
  if (is_float(node.inputs) || is_float(node.outputs)) return "yes, by the host's conversion";
  return "yes";
}

}  // namespace

Status Info(const Options& options) {
  const Result<Graph> graph = ImportTflite(options.model);
  if (!graph) return tl::unexpected(graph.error());
  size_t width = 8;
  for (const Node& node : graph->nodes) width = std::max(width, OperatorName(node).size());
  fmt::print("{}\n{:>5}  {:<{}}  {:<16} {:>12}  supported\n", graph->name, "index", "operator",
             width, "output", "MACs");
  int64_t macs = 0;
  for (const Node& node : graph->nodes) {
    std::string shape;
    if (!node.outputs.empty() && node.outputs[0] >= 0) {
      shape = fmt::format(
          "{}", fmt::join(graph->tensors[static_cast<size_t>(node.outputs[0])].shape, "x"));
    }
    const int64_t of_node = NodeMacs(*graph, node);
    macs += of_node;
    fmt::print("{:>5}  {:<{}}  {:<16} {:>12}  {}\n", node.index, OperatorName(node), width, shape,
               of_node, Support(*graph, node));
  }
  fmt::print("{} operators, {} MACs\n", graph->nodes.size(), macs);
  for (const int index : graph->inputs) {
    fmt::print("input {}\n", FormatTensor(graph->tensors[static_cast<size_t>(index)]));
  }
  for (const int index : graph->outputs) {
    fmt::print("output {}\n", FormatTensor(graph->tensors[static_cast<size_t>(index)]));
  }
  if (const Status supported = RequireSupported(*graph); !supported) {
    fmt::print("not supported: {}\n", supported.error().message);
    return {};
  }
  const HardwareConfig& config = *FindShippedConfig(options.config);
  if (const Result<Program> program = Compile(*graph, config, {}); program) {
    fmt::print("supported; compiled for {}: {} layers, {} commands, {} bytes of device memory\n",
               config.name, program->layers.size(), program->stream_commands,
               Runtime::MemoryBytes(*program));
  } else {
    fmt::print("not supported on {}: {}\n", config.name, program.error().message);
  }
  return {};
}

Status Configs(const Options& options) {
  fmt::print("{:<10} {:>7} {:>9} {:>6} {:>7} {:>11} {:>13}  {:<10}\n", "name", "K x N", "AXI bytes",
             "lanes", "stripe", "scratchpad", "weight bytes", "hash");
  for (const HardwareConfig& config : kHardwareConfigs) {
    if (!config.shipped && !options.all) continue;
    fmt::print("{:<10} {:>7} {:>9} {:>6} {:>7} {:>11} {:>13}  0x{:08x}{}\n", config.name,
               fmt::format("{} x {}", config.k, config.n), config.axi_bytes, config.post_lanes,
               config.stripe, config.scratchpad, config.weight_ring, config.hash,
               config.is_default ? "  (default)"
               : config.shipped  ? ""
                                 : "  (for verification)");
  }
  return {};
}

}  // namespace weft::tools
