// SPDX-License-Identifier: Apache-2.0
//
// Every engine over time, in the format of Chrome's trace viewer and of Perfetto.
//
//   Result<Trace> trace = Trace::Make(program, config);
//   options.activity = [&](const Activity& a) { trace->Cycle(a); };     // of the simulated device
//   ... run ...
//   WriteFileAtomic(path, trace->ToJson().dump())
//
// One track an engine; slices of a track do not overlap. A slice is a command at work, named after
// its layer; one microsecond of the viewer is one cycle. docs/programmers_guide.md lists the
// tracks.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "weft/activity.h"
#include "weft/hw/configs.h"
#include "weft/hw/weft_hw.h"
#include "weft/program.h"
#include "weft/result.h"

namespace weft {

class Trace {
 public:
  enum Track : uint8_t { kLayers, kLoad, kWeights, kArray, kArrayWaits, kPost, kStore };
  static constexpr int kTracks = 7;
  static constexpr std::array<const char*, kTracks> kTrackNames = {
      "layers", "load", "weights", "array", "array waits", "post", "store"};

  struct Slice {
    uint64_t begin = 0, end = 0;  ///< cycles; the end is not part of it
    uint32_t command = 0;         ///< place in the stream; kLayers: layer; kArrayWaits: counter
    uint64_t work = 0;            ///< cycles in which it moved: beats, operands, vectors
    /// kArray: cycles inside the slice without an operand, by cause as the counters have them.
    std::array<uint32_t, WEFT_NUM_COUNTERS> waits = {};
  };

  /// Fails on a program whose stream cannot be decoded.
  static Result<Trace> Make(const Program& program, const HardwareConfig& config);

  /// Every cycle of the runs, in order.
  void Cycle(const Activity& activity);

  /// What was seen so far, by track, in order of time.
  const std::array<std::vector<Slice>, kTracks>& slices() const { return slices_; }
  nlohmann::json ToJson() const;

 private:
  // The command a track is at.
  struct Open {
    bool open = false;
    uint64_t last = 0;  // cycle in which it was last active
    Slice slice;
  };
  // A command of the array and the operands it takes.
  struct ArrayCommand {
    uint32_t command;
    uint64_t operands;
  };

  void Follow(Track track, uint64_t cycle, bool active, uint32_t command, bool moved,
              uint64_t shortest_gap);
  void FollowArray(const Activity& activity);
  void Close(Track track, uint64_t end);

  std::string model_, config_;
  std::vector<std::string> layer_names_;
  std::vector<std::string> command_names_;
  std::vector<int> layers_;  // by command
  std::vector<ArrayCommand> array_;
  size_t next_ = 0;  // in array_
  uint64_t layer_begin_ = 0;
  bool started_ = false;
  std::array<Open, kTracks> open_;
  std::array<std::vector<Slice>, kTracks> slices_;
};

}  // namespace weft
