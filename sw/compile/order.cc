// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/order.h"

#include <algorithm>
#include <cassert>

#include "weft/program.h"

namespace weft::compile {
namespace {

constexpr uint32_t kLoadsAhead = 6;     // of the last LOAD exec waits for; the queue holds 8
constexpr size_t kCommandsAhead = 24;   // exec commands whose weights do not wait for LOADs
constexpr size_t kQueue = 8;            // exec commands dispatched ahead of their turn
constexpr int64_t kOldestWait = 16384;  // counts
constexpr int kSmallestPart = 16;       // of the ring: less is not worth a LOAD_WEIGHTS of its own

bool IsSetup(const Command& command) {
  return std::holds_alternative<SetupInputCmd>(command) ||
         std::holds_alternative<SetupOutputCmd>(command) ||
         std::holds_alternative<SetupAddCmd>(command);
}

class Orderer {
 public:
  Orderer(const Queues& queues, const HardwareConfig& config)
      : queues_(queues), ring_(config.ring_words()), word_bytes_(config.weight_word) {}

  std::vector<Command> Run() {
    // What the first work needs of the input, its setups, its weights, then what else may be asked
    // for. While the setups are handed out the first LOADs ask before weights, which are urgent.
    const auto first = std::find_if_not(queues_.exec.begin(), queues_.exec.end(),
                                        [](const Issue& issue) { return IsSetup(issue.command); });
    if (first != queues_.exec.end()) {
      while (counts_.load < first->need.load && NextIsLegal(queues_.load, loads_)) {
        Put(queues_.load[loads_++]);
      }
      while (queues_.exec.begin() + static_cast<std::ptrdiff_t>(execs_) != first) {
        Put(queues_.exec[execs_++]);
      }
      LoadWeights(first->weights_end);
    }
    Advance();
    for (; execs_ < queues_.exec.size(); ++execs_) {
      const Issue& issue = queues_.exec[execs_];
      while (counts_.load < issue.need.load) {
        assert(NextIsLegal(queues_.load, loads_));
        Put(queues_.load[loads_++]);
      }
      LoadWeights(issue.weights_end);
      assert(counts_.store >= issue.need.store && counts_.exec >= issue.need.exec);
      assert(written_ >= issue.weights_end);
      if (issue.need.load > loads_used_) {
        loads_used_ = issue.need.load;
        loads_used_by_ = execs_;
      }
      released_ = std::max(released_, issue.weights_released);
      Put(issue);
      Advance();
    }
    assert(loads_ == queues_.load.size() && stores_ == queues_.store.size());
    stream_.push_back(EndCmd{});
    return std::move(stream_);
  }

 private:
  bool NextIsLegal(const std::vector<Issue>& queue, size_t next) const {
    if (next == queue.size()) return false;
    const Counts& need = queue[next].need;
    return need.load <= counts_.load && need.exec <= counts_.exec && need.store <= counts_.store;
  }

  // Everything the other engines may be given now.
  void Advance() {
    bool moved = true;
    while (moved) {
      moved = false;
      while (NextIsLegal(queues_.store, stores_)) {
        Put(queues_.store[stores_++]);
        moved = true;
      }
      while (counts_.load < loads_used_ + kLoadsAhead && NextIsLegal(queues_.load, loads_)) {
        Put(queues_.load[loads_++]);
        moved = true;
      }
    }
    int64_t end = released_ + ring_;
    const bool loads_awaited = counts_.load > loads_used_ || execs_ < loads_used_by_ + kQueue;
    if (loads_awaited) end = std::min(end, WeightsOfNextCommands());
    int64_t left = 0;
    for (size_t s = segment_; s < queues_.weights.size() && written_ + left < end; ++s) {
      left += queues_.weights[s].words - (s == segment_ ? in_segment_ : 0);
    }
    if (end - written_ >= ring_ / kSmallestPart || written_ + left <= end) LoadWeights(end);
  }

  // Ring words the next commands read. While LOADs are under way, which work waits for, the port is
  // not to be shared with weights of a distant future.
  int64_t WeightsOfNextCommands() const {
    int64_t end = 0;
    const size_t last = std::min(queues_.exec.size(), execs_ + kCommandsAhead);
    for (size_t i = execs_; i < last; ++i) end = std::max(end, queues_.exec[i].weights_end);
    return end;
  }

  // Asks for weights up to ring word `end`, as far as earlier commands release the space.
  void LoadWeights(int64_t end) {
    end = std::min(end, released_ + ring_);
    while (written_ < end && segment_ < queues_.weights.size()) {
      const WeightSegment& segment = queues_.weights[segment_];
      const int64_t words = std::min(end - written_, segment.words - in_segment_);
      const int64_t offset = static_cast<int64_t>(segment.offset) + in_segment_ * word_bytes_;
      if (words > 0) {
        stream_.push_back(
            LoadWeightsCmd{.region = kRegionProgram, .offset = offset, .words = words});
      }
      written_ += words;
      in_segment_ += words;
      if (in_segment_ == segment.words) {
        ++segment_;
        in_segment_ = 0;
      }
    }
  }

  // A wait so old that it might be mistaken for one to come becomes a later, still earlier, count.
  template <typename T>
  void FinishWaits(T& command) const {
    if constexpr (requires { command.wait_mask; }) {
      const auto finish = [&](int bit, int64_t& wait, uint32_t issued) {
        if ((command.wait_mask >> bit & 1) == 0) return;
        wait = std::max(wait, int64_t{issued} - kOldestWait) & 0xffff;
      };
      finish(0, command.wait_load, counts_.load);
      finish(1, command.wait_exec, counts_.exec);
      finish(2, command.wait_store, counts_.store);
    }
  }

  void Put(const Issue& issue) {
    Command command = issue.command;
    std::visit([this](auto& c) { FinishWaits(c); }, command);
    if (std::holds_alternative<LoadCmd>(command)) ++counts_.load;
    if (std::holds_alternative<StoreCmd>(command)) ++counts_.store;
    counts_.exec += issue.blocks;
    stream_.push_back(command);
  }

  const Queues& queues_;
  const int64_t ring_, word_bytes_;
  std::vector<Command> stream_;
  Counts counts_;             // of the commands put into the stream so far
  uint32_t loads_used_ = 0;   // LOADs that exec commands in the stream wait for
  size_t loads_used_by_ = 0;  // the last exec command that waits for a LOAD
  size_t loads_ = 0, execs_ = 0, stores_ = 0, segment_ = 0;  // the next of each
  int64_t in_segment_ = 0;  // words of that segment already asked for
  int64_t written_ = 0, released_ = 0;
};

}  // namespace

std::vector<Command> OrderStream(const Queues& queues, const HardwareConfig& config) {
  return Orderer(queues, config).Run();
}

}  // namespace weft::compile
