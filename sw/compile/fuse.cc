// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/fuse.h"

#include <algorithm>
#include <utility>

namespace weft::compile {
namespace {

// How often each value is read, graph outputs included.
std::vector<int> CountReaders(const Network& network) {
  std::vector<int> readers(network.values.size(), 0);
  for (const Layer& layer : network.layers) {
    ++readers[static_cast<size_t>(layer.in.value)];
    if (layer.residual.value >= 0) ++readers[static_cast<size_t>(layer.residual.value)];
  }
  for (const Port& port : network.outputs) ++readers[static_cast<size_t>(port.value)];
  return readers;
}

int64_t ReductionOf(const Layer& layer) {
  const int64_t window = int64_t{layer.kernel_h} * layer.kernel_w;
  return layer.kind == LayerKind::kDense ? window * layer.in.extent.c : window;
}

bool CanTakeAddition(const Network& network, const Layer& producer, const Operand& operand) {
  return (producer.kind == LayerKind::kDense || producer.kind == LayerKind::kDepthwise) &&
         !producer.weights.empty() && !producer.has_add &&
         network.values[static_cast<size_t>(operand.value)].extent == operand.extent;
}

// Stable order in which every layer follows the layers it reads.
void Order(Network& network) {
  std::vector<bool> ready(network.values.size(), true);
  for (const Layer& layer : network.layers) ready[static_cast<size_t>(layer.out)] = false;
  std::vector<Layer> ordered;
  std::vector<Layer> pending = std::move(network.layers);
  while (!pending.empty()) {
    const auto next = std::find_if(pending.begin(), pending.end(), [&](const Layer& layer) {
      return ready[static_cast<size_t>(layer.in.value)] &&
             (layer.residual.value < 0 || ready[static_cast<size_t>(layer.residual.value)]);
    });
    ready[static_cast<size_t>(next->out)] = true;
    ordered.push_back(std::move(*next));
    pending.erase(next);
  }
  network.layers = std::move(ordered);
}

// Whether the value `target` is computed from `source` (then a layer cannot wait for `target`
// before it makes `source`).
bool DependsOn(const Network& network, int target, int source) {
  if (target == source) return true;
  std::vector<bool> reached(network.values.size(), false);
  reached[static_cast<size_t>(source)] = true;
  for (const Layer& layer : network.layers) {  // in execution order
    if (reached[static_cast<size_t>(layer.in.value)] ||
        (layer.residual.value >= 0 && reached[static_cast<size_t>(layer.residual.value)])) {
      reached[static_cast<size_t>(layer.out)] = true;
    }
  }
  return reached[static_cast<size_t>(target)];
}

}  // namespace

void FuseAdditions(Network& network) {
  for (size_t i = 0; i < network.layers.size(); ++i) {
    if (network.layers[i].kind != LayerKind::kAdd) continue;
    const std::vector<int> readers = CountReaders(network);
    const Layer& add = network.layers[i];
    size_t best = network.layers.size();
    for (size_t p = 0; p < network.layers.size(); ++p) {
      const Layer& producer = network.layers[p];
      const bool is_first = producer.out == add.in.value;
      if (!is_first && producer.out != add.residual.value) continue;
      const Operand& own = is_first ? add.in : add.residual;
      const Operand& other = is_first ? add.residual : add.in;
      if (readers[static_cast<size_t>(own.value)] != 1) continue;
      if (!CanTakeAddition(network, producer, own)) continue;
      if (DependsOn(network, other.value, own.value)) continue;
      if (best == network.layers.size() ||
          ReductionOf(producer) >= ReductionOf(network.layers[best])) {
        best = p;
      }
    }
    if (best == network.layers.size()) continue;

    Layer taken = network.layers[i];
    Layer& producer = network.layers[best];
    const bool is_first = producer.out == taken.in.value;
    producer.has_add = true;
    producer.add = taken.add;
    if (!is_first) {  // operand a is the convolution's own result
      std::swap(producer.add.a, producer.add.b);
      std::swap(producer.add.a_zero_point, producer.add.b_zero_point);
    }
    producer.residual = is_first ? taken.residual : taken.in;
    producer.fused_tensors.push_back(network.values[static_cast<size_t>(producer.out)].tensor);
    producer.source_ops.insert(producer.source_ops.end(), taken.source_ops.begin(),
                               taken.source_ops.end());
    producer.name = taken.name;
    producer.out = taken.out;
    network.layers.erase(network.layers.begin() + static_cast<std::ptrdiff_t>(i));
    Order(network);
    i = static_cast<size_t>(-1);  // the order changed: look from the start again
  }
}

}  // namespace weft::compile
