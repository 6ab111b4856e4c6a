// SPDX-License-Identifier: Apache-2.0
//
// Places values and buffers for units that are given.
//
// All values start as residents. While they do not fit together with the smallest useful buffers of
// the units, the largest one alive at the tightest unit moves to memory. What space is left over at
// each unit then goes to its buffers. Last, each resident that shares a unit with buffers moves to
// memory, too, if the larger buffers save more time than its traffic costs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "sw/compile/allocate.h"
#include "sw/compile/bands.h"
#include "sw/compile/layer.h"
#include "sw/compile/tile.h"
#include "weft/hw/configs.h"
#include "weft/result.h"

namespace weft::compile {

/// By the first layer of each unit its last layer; what other elements say does not matter.
using UnitEnds = std::vector<int>;

/// Remembers plans, so that neighbouring choices of units cost little more than one.
class ValuePlacer {
 public:
  ValuePlacer(const Network& network, const HardwareConfig& config)
      : network_(network), config_(config) {}

  /// Fails where the buffers of a unit cannot be placed.
  Result<Allocation> Place(const UnitEnds& ends);

 private:
  struct Lifetime {
    int first = 0, last = -1;  // units
    bool windowed = false;     // read through a window of several rows
  };
  // Something that needs one stretch of the scratchpad during units first..last.
  struct Item {
    int64_t bytes = 0;
    int first = 0, last = 0;
    int64_t address = 0;
    int value = -1;  // a resident; -1: the buffers of unit `first`
    bool Overlaps(const Item& other) const { return first <= other.last && other.first <= last; }
  };
  // Who is placed before whom: the larger one, or residents before buffers, which leaves the
  // buffers one stretch to grow in.
  enum class First { kLargest, kResidents };
  using PlanKey = std::tuple<int, int, int64_t, std::vector<Spills>>;

  void MakeUnits(const UnitEnds& ends);
  void FindLifetimes();
  int64_t PitchOf(size_t v) const;
  int64_t BytesOf(size_t v) const;
  std::vector<Spills> SpillsOfUnit(const Unit& unit) const;
  const std::optional<BandPlan>& PlanOf(const Unit& unit, int64_t available);
  Status Fit();
  void Improve();
  bool SharesWithBuffers(size_t v) const;
  Status ChooseMinimalPlans();
  bool PlaceItems(First first);
  std::vector<const Item*> PlacedBeside(const Item& item, size_t count) const;
  int FindVictim() const;
  void GrowBuffers();

  const Network& network_;
  const HardwareConfig& config_;
  Allocation result_;
  std::vector<Lifetime> lifetimes_;
  std::vector<int64_t> minimal_;  // bytes of buffers by unit
  std::vector<Item> items_;
  std::map<PlanKey, std::optional<BandPlan>> plans_;
};

}  // namespace weft::compile
