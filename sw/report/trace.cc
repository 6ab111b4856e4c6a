// SPDX-License-Identifier: Apache-2.0
#include "sw/report/trace.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "sw/command/codec.h"
#include "sw/command/stream.h"

namespace weft {
namespace {

constexpr uint64_t kShortestWait = 8;  // cycles: shorter ones are only counted in their command
constexpr uint64_t kPostGap = 16;      // cycles: passes of one command this near are one slice

constexpr std::array<uint32_t, 5> kCauses = {
    WEFT_COUNTER_STALL_DEPENDENCY, WEFT_COUNTER_STALL_OPERAND, WEFT_COUNTER_STALL_WEIGHTS,
    WEFT_COUNTER_STALL_ACCUMULATOR, WEFT_COUNTER_ARRAY_IDLE};

bool Counts(const Activity& activity, uint32_t counter) {
  return (activity.events >> counter & 1) != 0;
}

nlohmann::json NameOf(const char* kind, int track, const std::string& name) {
  return {{"ph", "M"}, {"name", kind}, {"pid", 1}, {"tid", track}, {"args", {{"name", name}}}};
}

}  // namespace

Result<Trace> Trace::Make(const Program& program, const HardwareConfig& config) {
  const Result<std::vector<Command>> stream = DecodeStream(program);
  if (!stream) return tl::unexpected(stream.error());
  Trace trace;
  trace.model_ = program.model_name;
  trace.config_ = program.config_name;
  for (const ProgramLayer& layer : program.layers) trace.layer_names_.push_back(layer.name);
  trace.layers_ = LayersOf(*stream);
  for (size_t i = 0; i < stream->size(); ++i) {
    trace.command_names_.emplace_back(InfoOf((*stream)[i]).name);
    if (const auto* run = std::get_if<RunCmd>(&(*stream)[i])) {
      const int64_t blocks = (run->channels + config.n - 1) / config.n;
      trace.array_.push_back(
          {static_cast<uint32_t>(i), static_cast<uint64_t>(blocks * run->beats * run->pixels)});
    }
  }
  return trace;
}

void Trace::Close(Track track, uint64_t end) {
  Open& open = open_[track];
  open.open = false;
  open.slice.end = end;
  slices_[track].push_back(open.slice);
}

void Trace::Follow(Track track, uint64_t cycle, bool active, uint32_t command, bool moved,
                   uint64_t shortest_gap) {
  Open& open = open_[track];
  if (open.open && active && command != open.slice.command) {
    if (open.slice.work == 0) {
      open.slice.command = command;  // the engine had not said yet whose data it asked for
    } else {
      Close(track, open.last + 1);
    }
  }
  if (open.open && !active && cycle - open.last > shortest_gap) Close(track, open.last + 1);
  if (!active) return;
  if (!open.open) {
    open.open = true;
    open.slice = {.begin = cycle, .command = command};
  }
  open.last = cycle;
  open.slice.work += moved ? 1 : 0;
}

// The array takes the operands of its commands in order: counting them tells which it is at.
void Trace::FollowArray(const Activity& activity) {
  Open& open = open_[kArray];
  if (!Counts(activity, WEFT_COUNTER_ARRAY_BUSY)) {
    if (!open.open) return;
    for (const uint32_t cause : kCauses) open.slice.waits[cause] += Counts(activity, cause);
    return;
  }
  if (array_.empty()) return;
  if (!open.open) {
    open.open = true;
    open.slice = {.begin = activity.cycle, .command = array_[next_].command};
  }
  if (++open.slice.work < array_[next_].operands) return;
  Close(kArray, activity.cycle + 1);
  next_ = (next_ + 1) % array_.size();  // the next image starts over
}

void Trace::Cycle(const Activity& activity) {
  const uint64_t cycle = activity.cycle;
  if (!started_) layer_begin_ = cycle;
  started_ = true;
  const bool read = Counts(activity, WEFT_COUNTER_READ_BEATS);
  const bool weights = Counts(activity, WEFT_COUNTER_WEIGHT_BEATS);
  const bool loaded = read && !weights && !Counts(activity, WEFT_COUNTER_COMMAND_BEATS);
  Follow(kLoad, cycle, Counts(activity, WEFT_COUNTER_LOAD_BUSY), activity.load_command, loaded, 0);
  Follow(kWeights, cycle, activity.weights_busy, activity.weights_command, weights, 0);
  const bool post = Counts(activity, WEFT_COUNTER_POST_BUSY);
  Follow(kPost, cycle, post, activity.post_command, post, kPostGap);
  Follow(kStore, cycle, Counts(activity, WEFT_COUNTER_STORE_BUSY), activity.store_command,
         Counts(activity, WEFT_COUNTER_WRITE_BEATS), 0);
  FollowArray(activity);
  uint32_t cause = 0;
  for (const uint32_t c : kCauses) cause = Counts(activity, c) ? c : cause;
  Follow(kArrayWaits, cycle, cause != 0, cause, cause != 0, 0);
  if (activity.mark) {
    slices_[kLayers].push_back({.begin = layer_begin_, .end = cycle, .command = activity.layer});
    layer_begin_ = cycle;
  }
}

nlohmann::json Trace::ToJson() const {
  nlohmann::json events = nlohmann::json::array();
  events.push_back(NameOf("process_name", 0, model_ + " on " + config_));
  for (int track = 0; track < kTracks; ++track) {
    const std::string name = kTrackNames[static_cast<size_t>(track)];
    events.push_back(NameOf("thread_name", track, name));
    nlohmann::json order = NameOf("thread_sort_index", track, "");
    order["args"] = {{"sort_index", track}};
    events.push_back(std::move(order));
    for (const Slice& slice : slices_[static_cast<size_t>(track)]) {
      const uint64_t cycles = slice.end - slice.begin;
      if (track == kArrayWaits && cycles < kShortestWait) continue;
      nlohmann::json event = {{"ph", "X"},   {"pid", 1},          {"tid", track},
                              {"cat", name}, {"ts", slice.begin}, {"dur", cycles}};
      if (track == kArrayWaits) {
        event["name"] = kCounterNames[slice.command];
      } else if (track == kLayers) {
        event["name"] = layer_names_[slice.command];
        event["args"] = {{"layer", slice.command}};
      } else {
        const auto layer = static_cast<size_t>(layers_[slice.command]);
        event["name"] = layer < layer_names_.size() ? layer_names_[layer] : "";
        event["args"] = {{"command", slice.command},
                         {"kind", command_names_[slice.command]},
                         {"layer", layer},
                         {"busy", slice.work}};
        for (const uint32_t cause : kCauses) {
          if (slice.waits[cause] == 0) continue;
          event["args"][std::string(kCounterNames[cause])] = slice.waits[cause];
        }
      }
      events.push_back(std::move(event));
    }
  }
  return {{"displayTimeUnit", "ns"},
          {"otherData", {{"model", model_}, {"config", config_}, {"microsecond", "one cycle"}}},
          {"traceEvents", std::move(events)}};
}

}  // namespace weft
