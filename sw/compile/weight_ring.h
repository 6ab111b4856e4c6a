// SPDX-License-Identifier: Apache-2.0
//
// The order in which weights pass through the ring, and which RUNs that makes of a task.
//
//   resident   asked for once; all stripes use them, the last one releases them
//   by task    the same for each task of a chain whose weights do not stay in the ring together
//   groups     some blocks at a time: all stripes of a task use them, the next task asks again
//   streamed   block by block and in parts, again for every stripe; accumulators are kept between
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/queues.h"
#include "sw/compile/task.h"
#include "weft/hw/configs.h"

namespace weft::compile {

/// One RUN's share of the work on a stripe.
struct RunPart {
  int64_t first_pixel = 0;
  int pixels = 0;
  int first_block = 0, blocks = 0;
  int first_beat = 0, beats = 0;
  bool acc_first = true, acc_last = true;
  bool stream = false, release = false;
  int64_t position = 0;  ///< ring words
  int64_t words = 0;     ///< from there on that it reads
};

class WeightRing {
 public:
  /// `offsets`: of each layer's weights in the program's region. Appends to `segments`.
  WeightRing(const std::vector<uint64_t>& offsets, const HardwareConfig& config,
             std::vector<WeightSegment>& segments)
      : offsets_(offsets), config_(config), segments_(segments) {}

  /// Chooses the way of each layer of a unit.
  void StartUnit(const std::vector<LayerWork>& works, const std::vector<Task>& tasks);

  /// The RUNs for `pixels` pixels of a task, in order. `ramp`: small stripes first; `last`: it has
  /// no more pixels than these.
  std::vector<RunPart> Runs(const Task& task, int64_t pixels, const Ramp& ramp, bool last);

  /// The ring position of weights that all the task's work shares.
  int64_t PositionOf(const Task& task);

 private:
  enum class Way { kResident, kByTask, kGroups, kStreamed };
  struct LayerState {
    Way way = Way::kResident;
    int64_t position = -1;  // -1: not yet asked for
    size_t task = 0;        // that asked
  };

  Way ChooseWay(const LayerWork& work, bool stay, bool chained) const;
  LayerState& StateOf(const Task& task) {
    return states_[static_cast<size_t>(task.work->index - first_layer_)];
  }
  int64_t Append(const LayerWork& work, int64_t first_word, int64_t words);

  const std::vector<uint64_t>& offsets_;
  const HardwareConfig& config_;
  std::vector<WeightSegment>& segments_;
  int64_t end_ = 0;  // ring words given to layers
  int first_layer_ = 0;
  std::vector<LayerState> states_;  // by layer of the unit
};

}  // namespace weft::compile
