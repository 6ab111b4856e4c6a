// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/network_runner.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/functional/functional_device.h"
#include "sim/reference/reference.h"
#include "sim/verilated/verilated_device.h"
#include "sw/report/compare.h"
#include "tb/lib/devices.h"
#include "tb/lib/layer_tester.h"
#include "tb/lib/network_generator.h"
#include "tb/lib/stream_runner.h"
#include "weft/compile.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {
namespace {

using Histogram = std::map<std::string, uint64_t>;
using Network = LayerTester::Network;

// What the compiler may refuse, by part of its message: limits that docs/compiler.md lists.
struct Refusal {
  std::string_view part;
  std::string_view name;
};
constexpr auto kRefusals = std::to_array<Refusal>({
    {"the inputs of not even one output pixel fit", "one pixel's inputs exceed the scratchpad"},
    {"are read as a view", "a view of a spilled tensor whose rows are no words"},
    {"the tile buffers of the layers do not fit", "tile buffers exceed the scratchpad"},
});

struct Outcome {
  std::string failure;  // empty: all agree
  std::string_view refused;
  std::optional<Program> program;
  std::vector<std::vector<uint8_t>> tensors;  // of the reference
  Comparison comparison;
  std::vector<CounterValues> layers;  // on RTL
  uint64_t cycles = 0;
};

Outcome RunOnce(const Network& network, const HardwareConfig& config, uint64_t seed, bool rtl,
                const std::string& wave_file) {
  Outcome outcome;
  const auto fail = [&](std::string text) {
    outcome.failure = std::move(text);
    return std::move(outcome);
  };
  if (Status valid = ValidateGraph(network.graph); !valid) {
    return fail("generator: " + valid.error().message);
  }
  auto program = Compile(network.graph, config, {.rounding = network.rounding});
  if (!program) {
    for (const Refusal& refusal : kRefusals) {
      if (program.error().message.find(refusal.part) != std::string::npos) {
        outcome.refused = refusal.name;
      }
    }
    if (outcome.refused.empty()) return fail("compiler: " + program.error().message);
    return outcome;
  }
  outcome.program = std::move(*program);
  auto golden = RunReference(network.graph, network.inputs, network.rounding);
  if (!golden) return fail("reference: " + golden.error().message);
  outcome.tensors = std::move(golden->tensors);

  std::vector<EngineTensors> engines;
  const auto run = [&](Device& device, const char* name) -> std::string {
    auto result = RunProgram(device, *outcome.program, network.inputs);
    if (!result) return fmt::format("{}: {}", name, result.error().message);
    engines.push_back({name, std::move(result->tensors), std::move(result->outputs)});
    outcome.layers = std::move(result->layers);
    return {};
  };
  const uint64_t memory_bytes = Runtime::MemoryBytes(*outcome.program);
  if (rtl) {
    const auto device = MakeVerilatedDevice(config, {.memory_bytes = memory_bytes,
                                                     .memory = RandomMemory(seed),
                                                     .wave_file = wave_file,
                                                     .seed = seed});
    if (!device) return fail(device.error().message);
    if (std::string text = run(**device, "rtl"); !text.empty()) return fail(std::move(text));
    outcome.cycles = (*device)->Now();
  }
  std::vector<CounterValues> layers = std::move(outcome.layers);
  const auto functional = MakeFunctionalDevice(config, memory_bytes);
  if (std::string text = run(*functional, "functional"); !text.empty()) {
    return fail(std::move(text));
  }
  outcome.layers = std::move(layers);
  engines.push_back(FromReference(*outcome.program, network.graph, outcome.tensors));
  outcome.comparison = CompareEngines(*outcome.program, network.graph, engines);
  if (outcome.comparison.difference) {
    outcome.failure = FormatDifference(*outcome.comparison.difference);
  }
  return outcome;
}

// ---- shrinking ----

// `network` with the operators `kept` only; what the others made becomes inputs.
Network WithOnly(const Network& network, const std::vector<std::vector<uint8_t>>& tensors,
                 const std::vector<bool>& kept) {
  Network part = network;
  part.graph.nodes.clear();
  std::set<int> made, read;
  for (size_t i = 0; i < kept.size(); ++i) {
    const Node& node = network.graph.nodes[i];
    if (!kept[i]) continue;
    part.graph.nodes.push_back(node);
    made.insert(node.outputs[0]);
    for (int t : node.inputs) {
      if (t >= 0 && !network.graph.tensors[static_cast<size_t>(t)].is_constant) read.insert(t);
    }
  }
  part.graph.inputs.clear();
  part.graph.outputs.clear();
  part.inputs.clear();
  for (int t : read) {
    if (made.contains(t)) continue;
    part.graph.inputs.push_back(t);
    part.inputs.push_back(tensors[static_cast<size_t>(t)]);
  }
  for (int t : made) {
    if (!read.contains(t)) part.graph.outputs.push_back(t);
  }
  return part;
}

// Drops operators, one at a time, while the rest fails in some way.
template <typename Fails>
Network Shrink(const Network& network, const std::vector<std::vector<uint8_t>>& tensors,
               Fails fails) {
  std::vector<bool> kept(network.graph.nodes.size(), true);
  Network smallest = network;
  for (bool dropped = true; dropped;) {
    dropped = false;
    for (size_t i = 0; i < kept.size(); ++i) {
      if (!kept[i] || std::ranges::count(kept, true) == 1) continue;
      kept[i] = false;
      Network part = WithOnly(network, tensors, kept);
      if (fails(part)) {
        smallest = std::move(part);
        dropped = true;
      } else {
        kept[i] = true;
      }
    }
  }
  return smallest;
}

std::string Describe(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) {
    const auto tensor = [&](int index) -> std::string {
      if (index < 0) return "none";
      const Tensor& t = graph.tensors[static_cast<size_t>(index)];
      return fmt::format(
          "{} {} {}{}", t.name, DTypeName(t.type), t.shape,
          t.quant.zero_points.size() == 1 ? fmt::format(" zero {}", t.quant.zero_points[0]) : "");
    };
    text += fmt::format("  {}:", OpKindName(node.kind));
    for (int input : node.inputs) text += " " + tensor(input) + ",";
    text += " -> " + tensor(node.outputs[0]) + "\n";
    std::visit(
        [&](const auto& attrs) {
          if constexpr (requires { attrs.stride_h; }) {
            text += fmt::format("    stride {}x{}, padding {} {} {} {}", attrs.stride_h,
                                attrs.stride_w, attrs.padding.top, attrs.padding.bottom,
                                attrs.padding.left, attrs.padding.right);
            if constexpr (requires { attrs.dilation_h; }) {
              text += fmt::format(", dilation {}x{}", attrs.dilation_h, attrs.dilation_w);
            }
            if constexpr (requires { attrs.filter_h; }) {
              text += fmt::format(", filter {}x{}", attrs.filter_h, attrs.filter_w);
            }
            text += "\n";
          }
        },
        node.attrs);
  }
  return text;
}

// ---- figures ----

std::string Bucket(int64_t value, std::initializer_list<int64_t> ends) {
  int64_t low = 0;
  for (const int64_t end : ends) {
    if (value <= end) {
      return low + 1 >= end ? fmt::format("{:>6}", end) : fmt::format("{:>6}..{}", low + 1, end);
    }
    low = end;
  }
  return fmt::format("{:>6}..", low + 1);
}

void CountWindow(int kernel_h, int kernel_w, int stride_h, int stride_w, const Padding2D& padding,
                 Histogram& histogram) {
  const auto count = [&](const std::string& name) { ++histogram[name]; };
  count("window: " + (kernel_h == kernel_w && kernel_h <= 3
                          ? fmt::format("{0} x {0}", kernel_h)
                          : fmt::format("other, up to {}", Bucket(std::max(kernel_h, kernel_w),
                                                                  {3, 5, 7, 10, 20, 40}))));
  count(fmt::format("stride: {}{}", std::max(stride_h, stride_w),
                    stride_h == stride_w ? "" : ", other in the other direction"));
  const bool none = padding.top + padding.bottom + padding.left + padding.right == 0;
  const bool even = padding.top == padding.bottom && padding.left == padding.right;
  count(none ? "padding: none" : even ? "padding: symmetric" : "padding: asymmetric");
}

void CountNode(const Graph& graph, const Node& node, Histogram& histogram) {
  const auto at = [&](int t) -> const Tensor& { return graph.tensors[static_cast<size_t>(t)]; };
  ++histogram[fmt::format("operator: {}", OpKindName(node.kind))];
  const Tensor& in = at(node.inputs[0]);
  const Tensor& out = at(node.outputs[0]);
  if (in.shape.size() == 4) {
    ++histogram["height:" + Bucket(in.shape[1], {1, 4, 16, 64, 256})];
    ++histogram["width:" + Bucket(in.shape[2], {1, 4, 16, 64, 256})];
    ++histogram[fmt::format("batch: {}", in.shape[0])];
  }
  ++histogram["channels of the result:" + Bucket(out.shape.back(), {1, 7, 16, 33, 64, 128, 300})];
  if (!out.quant.zero_points.empty()) {
    const int64_t zero = out.quant.zero_points[0];
    ++histogram[zero == -128 || zero == 127 ? fmt::format("zero point: {}", zero)
                                            : "zero point: others"];
  }
  std::visit(
      [&](const auto& attrs) {
        if constexpr (requires { attrs.filter_h; }) {
          CountWindow(attrs.filter_h, attrs.filter_w, attrs.stride_h, attrs.stride_w, attrs.padding,
                      histogram);
        } else if constexpr (requires { attrs.dilation_h; }) {
          const std::vector<int32_t>& weights = at(node.inputs[1]).shape;
          CountWindow(weights[1], weights[2], attrs.stride_h, attrs.stride_w, attrs.padding,
                      histogram);
          if (attrs.dilation_h > 1 || attrs.dilation_w > 1) ++histogram["dilation"];
        }
        if constexpr (requires { attrs.multiplier; }) {
          if (attrs.multiplier > 1) ++histogram["depthwise multiplier above 1"];
        }
        if constexpr (requires { attrs.activation; }) {
          constexpr const char* kNames[] = {"none", "RELU", "RELU6", "RELU_N1_TO_1"};
          ++histogram[fmt::format("activation: {}", kNames[static_cast<int>(attrs.activation)])];
        }
      },
      node.attrs);
  if (node.inputs.size() == 3) {  // with weights and maybe a bias
    ++histogram[at(node.inputs[1]).quant.per_channel() ? "weights: per channel"
                                                       : "weights: per tensor"];
    if (node.inputs[2] < 0) ++histogram["weights: no bias"];
  }
}

// Whether operands and result of a layer, one image of each, exceed the scratchpad.
bool IsBeyond(const Graph& graph, const Program& program, const ProgramLayer& layer, int capacity) {
  std::set<int> read, made;
  for (const int op : layer.source_ops) {
    const auto node = std::ranges::find(graph.nodes, op, &Node::index);
    made.insert(node->outputs[0]);
    for (int t : node->inputs) {
      if (t >= 0 && !graph.tensors[static_cast<size_t>(t)].is_constant) read.insert(t);
    }
  }
  const auto bytes = [&](int t) {
    return graph.tensors[static_cast<size_t>(t)].ElementCount() / program.images;
  };
  int64_t sum = bytes(layer.output_tensor);
  for (int t : read) {
    if (!made.contains(t)) sum += bytes(t);
  }
  return sum > capacity;
}

void CountLayers(const Graph& graph, const Outcome& outcome, const HardwareConfig& config,
                 NetworkFigures& figures) {
  const Program& program = *outcome.program;
  for (size_t i = 0; i < program.layers.size(); ++i) {
    const ProgramLayer& layer = program.layers[i];
    ++figures.layers;
    ++figures.histogram[fmt::format("configuration: {}", config.name)];
    const bool depthwise = layer.op.find(OpKindName(OpKind::kDepthwiseConv2D)) != std::string::npos;
    const auto joins = std::ranges::count(layer.op, '+');
    figures.depthwise += depthwise ? 1 : 0;
    if (joins > 0) {
      ++figures.chains;
      ++figures.histogram[fmt::format("chains of {} layers, configuration: {}", joins + 1,
                                      config.name)];
      if (depthwise) ++figures.histogram["chains with a depthwise layer"];
    }
    if (IsBeyond(graph, program, layer, config.scratchpad)) {
      ++figures.beyond;
      ++figures.histogram[fmt::format("beyond the scratchpad: {}", config.name)];
    }
    if (layer.source_ops.size() > 1) ++figures.histogram["layers of several operators"];
    if (i >= outcome.layers.size()) continue;
    const CounterValues& counters = outcome.layers[i];
    const uint64_t cycles = std::max<uint64_t>(1, counters[WEFT_COUNTER_CYCLES]);
    for (const auto& [name, counter] :
         {std::pair{"array busy", WEFT_COUNTER_ARRAY_BUSY},
          {"waits for data of others", WEFT_COUNTER_STALL_DEPENDENCY},
          {"waits for operands", WEFT_COUNTER_STALL_OPERAND},
          {"waits for weights", WEFT_COUNTER_STALL_WEIGHTS},
          {"waits for post-processing", WEFT_COUNTER_STALL_ACCUMULATOR}}) {
      const auto percent = static_cast<int64_t>(100 * counters[counter] / cycles);
      ++figures.histogram[fmt::format("cycles of a layer, {}: {} %", name,
                                      Bucket(percent, {0, 10, 30, 60, 90, 100}))];
    }
  }
}

void CountMemory(const AxiMemoryOptions& memory, Histogram& histogram) {
  for (const auto& [name, stall] : {std::pair{"AR", memory.ar_stall},
                                    {"R", memory.r_stall},
                                    {"AW", memory.aw_stall},
                                    {"W", memory.w_stall},
                                    {"B", memory.b_stall}}) {
    ++histogram[fmt::format("memory stalls {}: {} %", name, Bucket(stall, {0, 29, 59, 89, 95}))];
  }
  ++histogram["memory latency:" + Bucket(memory.read_latency, {1, 20, 100, 200})];
}

}  // namespace

std::optional<std::string> RunNetwork(const HardwareConfig& config, uint64_t seed,
                                      const NetworkRunOptions& options, NetworkFigures& figures) {
  const LayerTester tester = RandomNetwork(config, seed);
  const Network network = tester.Build();
  const Outcome outcome = RunOnce(network, config, seed, options.rtl, options.wave_file);
  ++figures.networks;
  figures.cycles += outcome.cycles;
  if (!outcome.refused.empty()) {
    ++figures.refused;
    ++figures.histogram[fmt::format("refused: {}", outcome.refused)];
    return std::nullopt;
  }
  if (outcome.failure.empty()) {
    figures.tensors += outcome.comparison.tensors;
    figures.fused += outcome.comparison.fused.size();
    for (const Node& node : network.graph.nodes) CountNode(network.graph, node, figures.histogram);
    CountLayers(network.graph, outcome, config, figures);
    ++figures.histogram[network.rounding == Rounding::kSingle ? "networks, rounding: single"
                                                              : "networks, rounding: double"];
    if (options.rtl) CountMemory(RandomMemory(seed), figures.histogram);
    return std::nullopt;
  }

  std::string text = fmt::format(
      "{} seed {}: {}\n{}\nrepeat with: make regress NETWORKS=1 CONFIG={} SEED={} SEEDS=1{}\n",
      config.name, seed, outcome.failure, tester.Description(), config.name, seed,
      options.rtl ? " WAVE=network.fst" : " DEVICE=functional");
  if (!options.shrink || outcome.tensors.empty()) return text;
  std::string last;
  const Network small = Shrink(network, outcome.tensors, [&](const Network& part) {
    std::string failure = RunOnce(part, config, seed, options.rtl, {}).failure;
    if (failure.empty()) return false;
    last = std::move(failure);
    return true;
  });
  if (!last.empty()) text += fmt::format("shrunk: {}\n{}", last, Describe(small.graph));
  return text;
}

std::optional<std::string> CheckMixture(const NetworkFigures& figures) {
  const auto percent = [](uint64_t part, uint64_t all) {
    return 100.0 * static_cast<double>(part) / static_cast<double>(std::max<uint64_t>(1, all));
  };
  const double depthwise = percent(figures.depthwise, figures.layers);
  const double beyond = percent(figures.beyond, figures.layers);
  const double chains = percent(figures.chains, figures.layers);
  const double refused = percent(figures.refused, figures.networks);
  if (depthwise >= 20 && beyond >= 20 && chains >= 2 && refused <= 5) return std::nullopt;
  return fmt::format(
      "{:.1f} % of the layers are depthwise and {:.1f} % exceed the scratchpad, of each 20 are "
      "wanted; {:.1f} % are chains, 2 are wanted; {:.1f} % of the networks are refused, 5 are "
      "allowed",
      depthwise, beyond, chains, refused);
}

}  // namespace weft::testing
