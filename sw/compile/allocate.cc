// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/allocate.h"

#include <numeric>
#include <utility>

#include "sw/compile/place_values.h"

namespace weft::compile {
namespace {

// How often each value is read by layers.
std::vector<int> CountReaders(const Network& network) {
  std::vector<int> readers(network.values.size(), 0);
  for (const Layer& layer : network.layers) {
    ++readers[static_cast<size_t>(layer.in.value)];
    if (layer.residual.value >= 0) ++readers[static_cast<size_t>(layer.residual.value)];
  }
  return readers;
}

// Whether unit u and the next may become one chain that saves a value's way through memory.
bool MayJoin(const Network& network, const Allocation& allocation, size_t u,
             const std::vector<int>& readers) {
  if (u + 1 == allocation.units.size()) return false;
  const auto at = [&](int layer) -> const Layer& {
    return network.layers[static_cast<size_t>(layer)];
  };
  const Layer& layer = at(allocation.units[u].last);
  const auto between = static_cast<size_t>(layer.out);
  return allocation.homes[between].where == Home::Where::kMemory &&
         CanChain(network, layer, at(allocation.units[u + 1].first), readers[between]);
}

}  // namespace

bool SeenOnChip(const Network& network, const Allocation& allocation, size_t number) {
  const Unit& unit = allocation.units[number];
  const auto out = static_cast<size_t>(network.layers[static_cast<size_t>(unit.last)].out);
  const bool last = number + 1 == allocation.units.size();
  return allocation.homes[out].resident() && (!network.values[out].is_output || last);
}

bool LeavesWhole(const Network& network, const Allocation& allocation, const Layer& layer) {
  const auto out = static_cast<size_t>(layer.out);
  return network.values[out].is_output && allocation.homes[out].resident();
}

Spills SpillsOf(const Layer& layer, const std::vector<Home>& homes) {
  const auto spilled = [&](int value) {
    return value >= 0 && homes[static_cast<size_t>(value)].where == Home::Where::kMemory;
  };
  return {.in = spilled(layer.in.value),
          .residual = spilled(layer.residual.value),
          .out = spilled(layer.out)};
}

int64_t CyclesOf(const Allocation& allocation) {
  int64_t total = 0;
  for (const Unit& unit : allocation.units) total += unit.plan.cycles;
  return total;
}

// Joins two neighbouring units at a time: those that save the most, until no two save any more.
Result<Allocation> Allocate(const Network& network, const HardwareConfig& config) {
  ValuePlacer placer(network, config);
  UnitEnds ends(network.layers.size());
  std::iota(ends.begin(), ends.end(), 0);
  Result<Allocation> best = placer.Place(ends);
  const std::vector<int> readers = CountReaders(network);
  for (bool joined = best.has_value(); joined;) {
    joined = false;
    const Allocation before = *best;
    const UnitEnds ends_before = ends;
    for (size_t u = 0; u < before.units.size(); ++u) {
      if (!MayJoin(network, before, u, readers)) continue;
      UnitEnds trial = ends_before;
      trial[static_cast<size_t>(before.units[u].first)] = before.units[u + 1].last;
      Result<Allocation> allocation = placer.Place(trial);
      if (!allocation || CyclesOf(*allocation) >= CyclesOf(*best)) continue;
      best = std::move(allocation);
      ends = std::move(trial);
      joined = true;
    }
  }
  return best;
}

}  // namespace weft::compile
