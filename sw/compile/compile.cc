// SPDX-License-Identifier: Apache-2.0
#include "weft/compile.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sw/command/codec.h"
#include "sw/compile/allocate.h"
#include "sw/compile/compile_network.h"
#include "sw/compile/emit.h"
#include "sw/compile/fill_array.h"
#include "sw/compile/fuse.h"
#include "sw/compile/legalise.h"
#include "sw/compile/memory_map.h"
#include "sw/compile/order.h"

namespace weft {
namespace {

using compile::Allocation;
using compile::Home;
using compile::Layer;
using compile::MemoryMap;
using compile::Network;
using compile::Port;
using compile::Unit;
using compile::Value;

TensorBinding BindingOf(const Graph& graph, const Network& network, const MemoryMap& memory,
                        const Port& port, Region region) {
  TensorBinding binding;
  binding.name = port.name;
  binding.type = port.type;
  binding.shape = port.shape;
  binding.image_stride = memory.image_bytes[region];
  if (port.value < 0) return binding;  // an input that nothing reads
  binding.tensor = network.values[static_cast<size_t>(port.value)].tensor;
  const Quantization& quant = graph.tensors[static_cast<size_t>(binding.tensor)].quant;
  if (!quant.scales.empty()) {
    binding.scale = quant.scales[0];
    binding.zero_point = static_cast<int32_t>(quant.zero_points[0]);
  }
  binding.place = memory.values[static_cast<size_t>(port.value)];
  return binding;
}

// The stream starts with whole bursts.
size_t RoundUpToBurst(size_t bytes) {
  constexpr size_t kBurst = 256;
  return (bytes + kBurst - 1) / kBurst * kBurst;
}

// Where the layer's output can be seen when its MARK retires.
TensorPlace OutputPlace(const Value& value, const Home& home, const TensorPlace& memory,
                        bool on_chip) {
  if (!on_chip) return memory;
  return {.where = TensorPlace::Where::kScratchpad,
          .region = 0,
          .offset = static_cast<uint64_t>(home.address),
          .rows = static_cast<uint32_t>(value.extent.h),
          .row_bytes = static_cast<uint32_t>(value.extent.row_bytes()),
          .pitch = static_cast<uint32_t>(home.pitch)};
}

// Whether a transposed layer would have to work in tiles.
bool TilesTransposed(const Network& network, const Allocation& allocation) {
  return std::any_of(network.layers.begin(), network.layers.end(), [&](const Layer& layer) {
    return layer.transposed && SpillsOf(layer, allocation.homes).any();
  });
}

}  // namespace

namespace compile {

ProgramLayer DescribeUnit(const Network& network, const Unit& unit) {
  ProgramLayer described;
  for (int i = unit.first; i <= unit.last; ++i) {
    const Layer& layer = network.layers[static_cast<size_t>(i)];
    if (i > unit.first) described.op += '+';
    described.op += OpKindName(layer.op);
    described.source_ops.insert(described.source_ops.end(), layer.source_ops.begin(),
                                layer.source_ops.end());
    described.fused_tensors.insert(described.fused_tensors.end(), layer.fused_tensors.begin(),
                                   layer.fused_tensors.end());
    if (i < unit.last) {
      described.fused_tensors.push_back(network.values[static_cast<size_t>(layer.out)].tensor);
    }
    described.macs += layer.macs;
  }
  std::sort(described.source_ops.begin(), described.source_ops.end());
  const Layer& last = network.layers[static_cast<size_t>(unit.last)];
  const Value& value = network.values[static_cast<size_t>(last.out)];
  described.name = last.name;
  described.output_shape = {1, value.extent.h, value.extent.w, value.extent.c};
  described.output_tensor = value.tensor;
  return described;
}

Result<NetworkPlan> PlanNetwork(Network network, const HardwareConfig& config) {
  FuseAdditions(network);
  Network plain = network;
  FillArray(network, config);
  Result<Allocation> allocation = Allocate(network, config);
  if (!allocation || TilesTransposed(network, *allocation)) {
    network = std::move(plain);
    allocation = Allocate(network, config);
  }
  if (!allocation) return tl::unexpected(allocation.error());
  return NetworkPlan{std::move(network), std::move(*allocation)};
}

Result<Program> CompileNetwork(const Graph& graph, Network legalised, const HardwareConfig& config,
                               Rounding rounding) {
  const Result<NetworkPlan> plan = PlanNetwork(std::move(legalised), config);
  if (!plan) return tl::unexpected(plan.error());
  const auto& [network, allocation] = *plan;
  MemoryMap memory = MapMemory(graph, network, allocation, config);
  const Result<Queues> queues = Emit(network, allocation, memory, config);
  if (!queues) return tl::unexpected(queues.error());
  const std::vector<Command> stream = OrderStream(*queues, config);

  Program program;
  program.model_name = graph.name;
  program.config_name = std::string(config.name);
  program.config_hash = config.hash;
  program.rounding = rounding;
  program.images = network.images;
  for (const Port& port : network.inputs) {
    program.inputs.push_back(BindingOf(graph, network, memory, port, kRegionInput));
  }
  for (const Port& port : network.outputs) {
    program.outputs.push_back(BindingOf(graph, network, memory, port, kRegionOutput));
  }
  for (size_t u = 0; u < allocation.units.size(); ++u) {
    const Unit& unit = allocation.units[u];
    program.layers.push_back(DescribeUnit(network, unit));
    const auto v = static_cast<size_t>(network.layers[static_cast<size_t>(unit.last)].out);
    program.layers.back().output =
        OutputPlace(network.values[v], allocation.homes[v], memory.values[v],
                    SeenOnChip(network, allocation, u));
  }

  program.memory = std::move(memory.program);
  program.memory.resize(RoundUpToBurst(program.memory.size()));
  program.stream_offset = program.memory.size();
  program.stream_commands = static_cast<uint32_t>(stream.size());
  for (const Command& command : stream) {
    std::array<uint8_t, kCommandBytes> bytes;
    Encode(command, bytes);
    program.memory.insert(program.memory.end(), bytes.begin(), bytes.end());
  }
  const auto images = static_cast<uint64_t>(network.images);
  program.region_bytes[kRegionProgram] = program.memory.size();
  program.region_bytes[kRegionInput] = memory.image_bytes[kRegionInput] * images;
  program.region_bytes[kRegionOutput] = memory.image_bytes[kRegionOutput] * images;
  program.region_bytes[kRegionArena] = memory.image_bytes[kRegionArena];
  program.region_bytes[kRegionMarks] = program.layers.size() * kMarkBytes;
  return program;
}

}  // namespace compile

Result<Program> Compile(const Graph& graph, const HardwareConfig& config,
                        const CompileOptions& options) {
  if (Status status = ValidateGraph(graph); !status) return tl::unexpected(status.error());
  Result<Network> network = compile::Legalise(graph, options.rounding);
  if (!network) return tl::unexpected(network.error());
  return compile::CompileNetwork(graph, std::move(*network), config, options.rounding);
}

}  // namespace weft
