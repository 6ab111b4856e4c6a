// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/place_values.h"

#include <algorithm>
#include <utility>

#include "sw/compile/estimate.h"

namespace weft::compile {
namespace {

constexpr int kSmallPart = 16;  // of the scratchpad: what is small

}  // namespace

void ValuePlacer::MakeUnits(const UnitEnds& ends) {
  result_.units.clear();
  for (int i = 0; i < static_cast<int>(ends.size()); i = result_.units.back().last + 1) {
    result_.units.emplace_back();
    result_.units.back().first = i;
    result_.units.back().last = ends[static_cast<size_t>(i)];
  }
}

Result<Allocation> ValuePlacer::Place(const UnitEnds& ends) {
  result_ = {};
  MakeUnits(ends);
  FindLifetimes();
  result_.homes.resize(network_.values.size());
  for (size_t v = 0; v < network_.values.size(); ++v) {
    Home& home = result_.homes[v];
    home.pitch = PitchOf(v);
    if (lifetimes_[v].last < 0) continue;
    const bool fits = BytesOf(v) <= config_.scratchpad;
    home.where = fits ? Home::Where::kScratchpad : Home::Where::kMemory;
  }
  for (const Unit& unit : result_.units) {
    for (int i = unit.first; i < unit.last; ++i) {
      const int between = network_.layers[static_cast<size_t>(i)].out;
      result_.homes[static_cast<size_t>(between)].where = Home::Where::kBands;
    }
  }
  if (Status status = Fit(); !status) return tl::unexpected(status.error());
  Improve();
  return result_;
}

void ValuePlacer::FindLifetimes() {
  lifetimes_.assign(network_.values.size(), {});
  for (size_t u = 0; u < result_.units.size(); ++u) {
    for (int i = result_.units[u].first; i <= result_.units[u].last; ++i) {
      const Layer& layer = network_.layers[static_cast<size_t>(i)];
      for (int value : {layer.in.value, layer.residual.value, layer.out}) {
        if (value < 0) continue;
        Lifetime& life = lifetimes_[static_cast<size_t>(value)];
        if (life.last < 0) life.first = static_cast<int>(u);
        life.last = static_cast<int>(u);
        if (value == layer.in.value && layer.kernel_h > 1) life.windowed = true;
      }
    }
  }
}

// Dense where readers need it, where no window spans rows of one pixel, and for small ports with
// odd rows, which then travel as one row.
int64_t ValuePlacer::PitchOf(size_t v) const {
  const Value& value = network_.values[v];
  const int64_t row_bytes = value.extent.row_bytes();
  const bool port = value.is_output || value.source != Value::Source::kLayer;
  const bool small = value.extent.bytes() <= config_.scratchpad / kSmallPart;
  const bool one_row = port && small && row_bytes % config_.word() != 0;
  const bool pixels = value.extent.w == 1 && !lifetimes_[v].windowed;
  if (value.dense || value.extent.h == 1 || one_row || pixels) return row_bytes;
  return SpreadPitch(row_bytes, config_);
}

int64_t ValuePlacer::BytesOf(size_t v) const {
  const Extent& extent = network_.values[v].extent;
  const int64_t bytes = (extent.h - 1) * result_.homes[v].pitch + extent.row_bytes();
  return (bytes + config_.word() - 1) / config_.word() * config_.word();
}

std::vector<Spills> ValuePlacer::SpillsOfUnit(const Unit& unit) const {
  std::vector<Spills> spills;
  for (int i = unit.first; i <= unit.last; ++i) {
    spills.push_back(SpillsOf(network_.layers[static_cast<size_t>(i)], result_.homes));
  }
  return spills;
}

// The best plan of a unit's tiles or bands in so much space; asked for often.
const std::optional<BandPlan>& ValuePlacer::PlanOf(const Unit& unit, int64_t available) {
  const std::vector<Spills> spills = SpillsOfUnit(unit);
  const auto [at, is_new] = plans_.try_emplace({unit.first, unit.last, available, spills});
  std::optional<BandPlan>& plan = at->second;
  if (!is_new) return plan;
  if (!unit.single()) {
    plan = ChooseBands(network_, unit.first, unit.last, spills, available, config_);
    return plan;
  }
  const Layer& layer = network_.layers[static_cast<size_t>(unit.first)];
  const Extent out = OutputOf(network_, layer);
  if (const auto tiles = ChooseTiles(layer, out, spills[0], available, config_)) {
    plan = BandPlan{.tiles = {*tiles},
                    .between = {},
                    .bands = {},
                    .cycles = LayerCycles(layer, out, *tiles, config_)};
  }
  return plan;
}

// Spills until residents and tile buffers can be placed, then takes the better of two ways to
// place them.
Status ValuePlacer::Fit() {
  while (true) {
    if (Status status = ChooseMinimalPlans(); !status) return status;
    if (PlaceItems(First::kLargest) || PlaceItems(First::kResidents)) break;
    const int victim = FindVictim();
    if (victim < 0) {
      return Fail("the tile buffers of the layers do not fit the {} bytes of scratchpad",
                  config_.scratchpad);
    }
    result_.homes[static_cast<size_t>(victim)].where = Home::Where::kMemory;
  }
  std::optional<Allocation> best;
  int64_t best_cycles = 0;
  for (First first : {First::kLargest, First::kResidents}) {
    if (!PlaceItems(first)) continue;
    GrowBuffers();
    const int64_t cycles = CyclesOf(result_);
    if (best && cycles >= best_cycles) continue;
    best = result_;
    best_cycles = cycles;
  }
  result_ = std::move(*best);
  return {};
}

// Spills one more resident at a time while the estimate of the whole network falls.
void ValuePlacer::Improve() {
  int64_t best = CyclesOf(result_);
  for (size_t v = 0; v < network_.values.size(); ++v) {
    if (!result_.homes[v].resident() || !SharesWithBuffers(v)) continue;
    const Allocation before = result_;
    result_.homes[v].where = Home::Where::kMemory;
    const bool fits = Fit().has_value();
    const int64_t cycles = fits ? CyclesOf(result_) : best;
    if (cycles < best) {
      best = cycles;
    } else {
      result_ = before;
    }
  }
}

bool ValuePlacer::SharesWithBuffers(size_t v) const {
  for (int u = lifetimes_[v].first; u <= lifetimes_[v].last; ++u) {
    if (result_.units[static_cast<size_t>(u)].plan.bytes() > 0) return true;
  }
  return false;
}

// For each unit with operands in memory the plan for a modest part of the scratchpad.
Status ValuePlacer::ChooseMinimalPlans() {
  minimal_.assign(result_.units.size(), 0);
  for (size_t u = 0; u < result_.units.size(); ++u) {
    Unit& unit = result_.units[u];
    const std::optional<BandPlan>* plan = nullptr;
    for (int part : {4, 2, 1}) {
      plan = &PlanOf(unit, config_.scratchpad / part);
      if (*plan) break;
    }
    if (!*plan) {
      const Layer& layer = network_.layers[static_cast<size_t>(unit.first)];
      return Fail(
          "operator {} ({}), tensor '{}': the inputs of not even one output pixel fit the "
          "{} bytes of scratchpad of {}",
          layer.source_ops.empty() ? -1 : layer.source_ops.front(), OpKindName(layer.op),
          layer.name, config_.scratchpad, config_.name);
    }
    unit.plan = **plan;
    minimal_[u] = unit.plan.bytes();
  }
  return {};
}

// One after the other, each at the lowest address free during its whole life.
bool ValuePlacer::PlaceItems(First first) {
  items_.clear();
  for (size_t v = 0; v < network_.values.size(); ++v) {
    if (!result_.homes[v].resident()) continue;
    items_.push_back({.bytes = BytesOf(v),
                      .first = lifetimes_[v].first,
                      .last = lifetimes_[v].last,
                      .value = static_cast<int>(v)});
  }
  for (size_t i = 0; i < minimal_.size(); ++i) {
    if (minimal_[i] == 0) continue;
    items_.push_back(
        {.bytes = minimal_[i], .first = static_cast<int>(i), .last = static_cast<int>(i)});
  }
  std::stable_sort(items_.begin(), items_.end(), [first](const Item& a, const Item& b) {
    const bool a_resident = a.value >= 0, b_resident = b.value >= 0;
    if (first == First::kResidents && a_resident != b_resident) return a_resident;
    return a.bytes > b.bytes;
  });
  for (size_t i = 0; i < items_.size(); ++i) {
    int64_t address = 0;
    for (const Item* other : PlacedBeside(items_[i], i)) {
      if (other->address - address >= items_[i].bytes) break;
      address = std::max(address, other->address + other->bytes);
    }
    if (address + items_[i].bytes > config_.scratchpad) return false;
    items_[i].address = address;
  }
  for (const Item& item : items_) {
    if (item.value >= 0) result_.homes[static_cast<size_t>(item.value)].address = item.address;
  }
  return true;
}

// Of the first `count` items those alive with `item`, by address.
std::vector<const ValuePlacer::Item*> ValuePlacer::PlacedBeside(const Item& item,
                                                                size_t count) const {
  std::vector<const Item*> beside;
  for (size_t i = 0; i < count; ++i) {
    if (items_[i].Overlaps(item)) beside.push_back(&items_[i]);
  }
  std::sort(beside.begin(), beside.end(),
            [](const Item* a, const Item* b) { return a->address < b->address; });
  return beside;
}

// The largest resident alive at the unit that needs the most.
int ValuePlacer::FindVictim() const {
  int tightest = 0;
  int64_t most = -1;
  for (int u = 0; u < static_cast<int>(result_.units.size()); ++u) {
    int64_t bytes = 0;
    bool has_resident = false;
    for (const Item& item : items_) {
      if (item.first > u || item.last < u) continue;
      bytes += item.bytes;
      has_resident = has_resident || item.value >= 0;
    }
    if (has_resident && bytes > most) {
      most = bytes;
      tightest = u;
    }
  }
  int victim = -1;
  int64_t largest = 0;
  for (const Item& item : items_) {
    if (item.value < 0 || item.first > tightest || item.last < tightest || item.bytes <= largest) {
      continue;
    }
    victim = item.value;
    largest = item.bytes;
  }
  return victim;
}

// Gives each unit's buffers the largest stretch that no resident needs.
void ValuePlacer::GrowBuffers() {
  std::erase_if(items_, [](const Item& item) { return item.value < 0; });
  for (size_t u = 0; u < result_.units.size(); ++u) {
    if (minimal_[u] == 0) continue;
    Unit& unit = result_.units[u];
    const Item life{.first = static_cast<int>(u), .last = static_cast<int>(u)};
    int64_t begin = 0, largest = -1, free = 0;
    const auto look = [&](int64_t end) {
      if (end - free > largest) {
        largest = end - free;
        begin = free;
      }
    };
    for (const Item* resident : PlacedBeside(life, items_.size())) {
      look(resident->address);
      free = std::max(free, resident->address + resident->bytes);
    }
    look(config_.scratchpad);
    unit.plan = *PlanOf(unit, largest);  // at least what PlaceItems() has found room for
    unit.address = begin;
  }
}

}  // namespace weft::compile
