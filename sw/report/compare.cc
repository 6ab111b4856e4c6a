// SPDX-License-Identifier: Apache-2.0
#include "sw/report/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstring>

namespace weft {
namespace {

std::string FormatElement(DType type, const std::vector<uint8_t>& bytes, size_t index) {
  const size_t size = DTypeSize(type);
  if ((index + 1) * size > bytes.size()) return "nothing";
  if (type == DType::kFloat32) {
    float value;
    std::memcpy(&value, &bytes[index * size], sizeof(value));
    return fmt::format("{}", value);
  }
  return fmt::format("{}", static_cast<int8_t>(bytes[index * size]));
}

// The first element in which any engine's bytes differ from the first engine's.
std::optional<Difference> FindDifference(int layer, const Tensor& tensor,
                                         const std::vector<EngineTensors>& engines,
                                         const std::vector<const std::vector<uint8_t>*>& bytes) {
  const size_t size = DTypeSize(tensor.type);
  std::optional<size_t> first;
  for (size_t e = 1; e < bytes.size(); ++e) {
    const auto [a, b] =
        std::mismatch(bytes[0]->begin(), bytes[0]->end(), bytes[e]->begin(), bytes[e]->end());
    if (a == bytes[0]->end() && b == bytes[e]->end()) continue;
    const size_t element = static_cast<size_t>(a - bytes[0]->begin()) / size;
    first = std::min(first.value_or(element), element);
  }
  if (!first) return std::nullopt;
  Difference difference;
  difference.layer = layer;
  difference.tensor = tensor.name;
  difference.shape = tensor.shape;
  difference.coordinate.resize(tensor.shape.size());
  size_t rest = *first;
  for (size_t d = tensor.shape.size(); d-- > 0;) {
    difference.coordinate[d] = static_cast<int32_t>(rest % static_cast<size_t>(tensor.shape[d]));
    rest /= static_cast<size_t>(tensor.shape[d]);
  }
  for (size_t e = 0; e < bytes.size(); ++e) {
    difference.values.emplace_back(engines[e].engine,
                                   FormatElement(tensor.type, *bytes[e], *first));
  }
  return difference;
}

const Tensor& TensorOf(const Graph& graph, int index) {
  return graph.tensors[static_cast<size_t>(index)];
}

}  // namespace

EngineTensors FromReference(const Program& program, const Graph& graph,
                            const std::vector<std::vector<uint8_t>>& tensors) {
  EngineTensors engine;
  engine.engine = "reference";
  for (const ProgramLayer& layer : program.layers) {
    const bool whole = layer.output.where != TensorPlace::Where::kNowhere;
    engine.layers.push_back(whole ? tensors[static_cast<size_t>(layer.output_tensor)]
                                  : std::vector<uint8_t>{});
  }
  for (const int output : graph.outputs) {
    engine.outputs.push_back(tensors[static_cast<size_t>(output)]);
  }
  return engine;
}

Comparison CompareEngines(const Program& program, const Graph& graph,
                          const std::vector<EngineTensors>& engines) {
  assert(engines.size() >= 2);
  Comparison comparison;
  const auto compare = [&](int layer, const Tensor& tensor, auto&& bytes_of) {
    std::vector<const std::vector<uint8_t>*> bytes;
    for (const EngineTensors& engine : engines) bytes.push_back(&bytes_of(engine));
    if (!comparison.difference) {
      comparison.difference = FindDifference(layer, tensor, engines, bytes);
    }
  };
  for (size_t i = 0; i < program.layers.size(); ++i) {
    const ProgramLayer& layer = program.layers[i];
    for (const int tensor : layer.fused_tensors) {
      comparison.fused.push_back(TensorOf(graph, tensor).name);
    }
    if (layer.output.where == TensorPlace::Where::kNowhere) {
      comparison.fused.push_back(layer.name);
      continue;
    }
    ++comparison.tensors;
    compare(
        static_cast<int>(i),
        TensorOf(graph, layer.output_tensor), [i](const EngineTensors& engine) -> const auto& {
          return engine.layers[i];
        });
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    ++comparison.outputs;
    compare(
        -1, TensorOf(graph, graph.outputs[i]), [i](const EngineTensors& engine) -> const auto& {
          return engine.outputs[i];
        });
  }
  return comparison;
}

std::string FormatDifference(const Difference& difference) {
  std::string axes;
  if (difference.shape.size() == 4) axes = "(n, y, x, c) ";
  if (difference.shape.size() == 2) axes = "(n, c) ";
  std::string values;
  for (const auto& [engine, value] : difference.values) {
    values += fmt::format("{}{} {}", values.empty() ? "" : ", ", engine, value);
  }
  const std::string where =
      difference.layer < 0 ? std::string("output") : fmt::format("layer {}", difference.layer);
  return fmt::format("first difference: {}, tensor '{}' at {}[{}] of [{}]: {}", where,
                     difference.tensor, axes, fmt::join(difference.coordinate, ", "),
                     fmt::join(difference.shape, ", "), values);
}

}  // namespace weft
