// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/allocate.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "sw/compile/estimate.h"

namespace weft::compile {
namespace {

constexpr int kSmallPart = 16;  // of the scratchpad: what is small

// Something that needs one stretch of the scratchpad during layers first..last.
struct Item {
  int64_t bytes = 0;
  int first = 0, last = 0;
  int64_t address = 0;
  int value = -1;  // a resident; -1: the tile buffers of layer `first`
  bool Overlaps(const Item& other) const { return first <= other.last && other.first <= last; }
};

class Allocator {
 public:
  Allocator(const Network& network, const HardwareConfig& config)
      : network_(network), config_(config) {}

  Result<Allocation> Run() {
    FindLifetimes();
    result_.homes.resize(network_.values.size());
    result_.areas.resize(network_.layers.size());
    for (size_t v = 0; v < network_.values.size(); ++v) {
      Home& home = result_.homes[v];
      home.pitch = PitchOf(v);
      home.used = lifetimes_[v].last >= 0;
      home.resident = home.used && BytesOf(v) <= config_.scratchpad;
    }
    if (Status status = Fit(); !status) return tl::unexpected(status.error());
    Improve();
    return std::move(result_);
  }

 private:
  struct Lifetime {
    int first = 0, last = -1;
    bool windowed = false;  // read through a window of several rows
  };

  // Spills until residents and tile buffers can be placed, then takes the better of two ways to
  // place them.
  Status Fit() {
    while (true) {
      if (Status status = ChooseMinimalTiles(); !status) return status;
      if (Place(First::kLargest) || Place(First::kResidents)) break;
      const int victim = FindVictim();
      if (victim < 0) {
        return Fail("the tile buffers of the layers do not fit the {} bytes of scratchpad",
                    config_.scratchpad);
      }
      result_.homes[static_cast<size_t>(victim)].resident = false;
    }
    std::optional<Allocation> best;
    int64_t best_cycles = 0;
    for (First first : {First::kLargest, First::kResidents}) {
      if (!Place(first)) continue;
      GrowTiles();
      const int64_t cycles = TotalCycles();
      if (best && cycles >= best_cycles) continue;
      best = result_;
      best_cycles = cycles;
    }
    result_ = std::move(*best);
    return {};
  }

  // Spills one more resident at a time while the estimate of the whole network falls.
  void Improve() {
    int64_t best = TotalCycles();
    for (size_t v = 0; v < network_.values.size(); ++v) {
      if (!result_.homes[v].resident || !SharesWithTiles(v)) continue;
      const Allocation before = result_;
      result_.homes[v].resident = false;
      const bool fits = Fit().has_value();
      const int64_t cycles = fits ? TotalCycles() : best;
      if (cycles < best) {
        best = cycles;
      } else {
        result_ = before;
      }
    }
  }

  bool SharesWithTiles(size_t v) const {
    for (int i = lifetimes_[v].first; i <= lifetimes_[v].last; ++i) {
      if (result_.areas[static_cast<size_t>(i)].plan.bytes() > 0) return true;
    }
    return false;
  }

  int64_t TotalCycles() const {
    int64_t total = 0;
    for (size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      total += LayerCycles(layer, OutputOf(network_, layer), result_.areas[i].plan, config_);
    }
    return total;
  }

  void FindLifetimes() {
    lifetimes_.assign(network_.values.size(), {});
    for (size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      for (int value : {layer.in.value, layer.residual.value, layer.out}) {
        if (value < 0) continue;
        Lifetime& life = lifetimes_[static_cast<size_t>(value)];
        if (life.last < 0) life.first = static_cast<int>(i);
        life.last = static_cast<int>(i);
        if (value == layer.in.value && layer.kernel_h > 1) life.windowed = true;
      }
    }
  }

  // Dense where readers need it, where no window spans rows of one pixel, and for small ports with
  // odd rows, which then travel as one row.
  int64_t PitchOf(size_t v) const {
    const Value& value = network_.values[v];
    const int64_t row_bytes = value.extent.row_bytes();
    const bool port = value.is_output || value.source != Value::Source::kLayer;
    const bool small = value.extent.bytes() <= config_.scratchpad / kSmallPart;
    const bool one_row = port && small && row_bytes % config_.word() != 0;
    const bool pixels = value.extent.w == 1 && !lifetimes_[v].windowed;
    if (value.dense || value.extent.h == 1 || one_row || pixels) return row_bytes;
    return SpreadPitch(row_bytes, config_);
  }

  int64_t BytesOf(size_t v) const {
    const Extent& extent = network_.values[v].extent;
    const int64_t bytes = (extent.h - 1) * result_.homes[v].pitch + extent.row_bytes();
    return (bytes + config_.word() - 1) / config_.word() * config_.word();
  }

  // For each layer with operands in memory the plan for a modest part of the scratchpad.
  Status ChooseMinimalTiles() {
    minimal_.assign(network_.layers.size(), 0);
    for (size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = network_.layers[i];
      const Spills spills = SpillsOf(layer, result_.homes);
      const Extent out = OutputOf(network_, layer);
      std::optional<TilePlan> plan;
      for (int part : {4, 2, 1}) {
        plan = ChooseTiles(layer, out, spills, config_.scratchpad / part, config_);
        if (plan) break;
      }
      if (!plan) {
        return Fail(
            "operator {} ({}), tensor '{}': the inputs of not even one output pixel fit the "
            "{} bytes of scratchpad of {}",
            layer.source_ops.empty() ? -1 : layer.source_ops.front(), OpKindName(layer.op),
            layer.name, config_.scratchpad, config_.name);
      }
      result_.areas[i].plan = *plan;
      minimal_[i] = plan->bytes();
    }
    return {};
  }

  // Who is placed before whom: the larger one, or residents before tile buffers, which leaves the
  // buffers one stretch to grow in.
  enum class First { kLargest, kResidents };

  // One after the other, each at the lowest address free during its whole life.
  bool Place(First first) {
    items_.clear();
    for (size_t v = 0; v < network_.values.size(); ++v) {
      if (!result_.homes[v].resident) continue;
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
  std::vector<const Item*> PlacedBeside(const Item& item, size_t count) const {
    std::vector<const Item*> beside;
    for (size_t i = 0; i < count; ++i) {
      if (items_[i].Overlaps(item)) beside.push_back(&items_[i]);
    }
    std::sort(beside.begin(), beside.end(),
              [](const Item* a, const Item* b) { return a->address < b->address; });
    return beside;
  }

  // The largest resident alive at the layer that needs the most.
  int FindVictim() const {
    size_t tightest = 0;
    int64_t most = -1;
    for (size_t i = 0; i < network_.layers.size(); ++i) {
      int64_t bytes = 0;
      bool has_resident = false;
      for (const Item& item : items_) {
        if (item.first > static_cast<int>(i) || item.last < static_cast<int>(i)) continue;
        bytes += item.bytes;
        has_resident = has_resident || item.value >= 0;
      }
      if (has_resident && bytes > most) {
        most = bytes;
        tightest = i;
      }
    }
    int victim = -1;
    int64_t largest = 0;
    for (const Item& item : items_) {
      if (item.value < 0 || item.first > static_cast<int>(tightest) ||
          item.last < static_cast<int>(tightest) || item.bytes <= largest) {
        continue;
      }
      victim = item.value;
      largest = item.bytes;
    }
    return victim;
  }

  // Gives each layer's tile buffers the largest stretch that no resident needs.
  void GrowTiles() {
    std::erase_if(items_, [](const Item& item) { return item.value < 0; });
    for (size_t i = 0; i < network_.layers.size(); ++i) {
      if (minimal_[i] == 0) continue;
      const Layer& layer = network_.layers[i];
      const Item life{.first = static_cast<int>(i), .last = static_cast<int>(i)};
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
      const auto plan = ChooseTiles(layer, OutputOf(network_, layer),
                                    SpillsOf(layer, result_.homes), largest, config_);
      result_.areas[i] = {*plan, begin};  // at least what Place() has found room for
    }
  }

  const Network& network_;
  const HardwareConfig& config_;
  Allocation result_;
  std::vector<Lifetime> lifetimes_;
  std::vector<int64_t> minimal_;  // bytes of tile buffers by layer
  std::vector<Item> items_;
};

}  // namespace

Spills SpillsOf(const Layer& layer, const std::vector<Home>& homes) {
  const auto spilled = [&](int value) {
    return value >= 0 && !homes[static_cast<size_t>(value)].resident;
  };
  return {.in = spilled(layer.in.value),
          .residual = spilled(layer.residual.value),
          .out = spilled(layer.out)};
}

Result<Allocation> Allocate(const Network& network, const HardwareConfig& config) {
  return Allocator(network, config).Run();
}

}  // namespace weft::compile
