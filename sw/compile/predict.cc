// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/predict.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "sw/compile/estimate.h"
#include "sw/compile/pieces.h"
#include "sw/compile/read_port.h"
#include "sw/compile/task.h"
#include "sw/compile/weight_ring.h"

namespace weft::compile {
namespace {

constexpr Time kUnknown = std::numeric_limits<Time>::infinity();
constexpr double kNearly = 1e-9;  // of a share
// Cycles beside the memory's latency, as the RTL has them.
constexpr Time kFirstCommand = 12;  // from the doorbell to the first command, with two reads
constexpr Time kWritePath = 19;     // from a word to its answer, a burst collected on the way
constexpr Time kPostPath = 14;      // from an accumulator row to a byte in the scratchpad
constexpr Time kFeedPath = 14;      // from the end of a wait to the first operand
constexpr Time kMark = 7;           // a MARK's beats
constexpr Time kJobEnd = 10;        // from the last answer to the interrupt

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

class Predictor {
 public:
  Predictor(const Network& network, const Allocation& allocation, const MemoryTiming& memory,
            const HardwareConfig& config)
      : network_(network),
        allocation_(allocation),
        memory_(memory),
        config_(config),
        start_(kFirstCommand + 2 * memory.latency),
        port_(memory, config, start_),
        made_(network.values.size()),
        stored_(network.values.size()),
        loaded_(network.values.size()),
        array_free_(start_),
        write_free_(start_) {}

  Estimate Run() {
    Plan();
    Estimate estimate;
    Time done = 0;
    for (UnitPlan& unit : units_) {
      const Time end = std::max(done, RunUnit(unit));
      LayerEstimate layer;
      layer.cycles = static_cast<int64_t>(end) - static_cast<int64_t>(done);
      layer.read_bytes = unit.read_beats * config_.axi_bytes;
      layer.write_bytes = unit.write_beats * config_.axi_bytes;
      estimate.layers.push_back(std::move(layer));
      done = end;
    }
    if (!estimate.layers.empty()) {
      const bool on_chip = SeenOnChip(network_, allocation_, units_.size() - 1);
      const Time mark = on_chip ? 0 : memory_.latency + kMark;
      estimate.layers.back().cycles += static_cast<int64_t>(mark + kJobEnd);
    }
    for (const LayerEstimate& layer : estimate.layers) {
      estimate.cycles += layer.cycles;
      estimate.read_bytes += layer.read_bytes;
      estimate.write_bytes += layer.write_bytes;
    }
    return estimate;
  }

 private:
  // A task, what it costs and its commands on the array.
  struct Job {
    Task task;
    TileCost cost;
    std::vector<RunPart> runs;
    size_t load = 0;  // mark of its operands in the port
    bool asked = false;
  };
  struct UnitPlan {
    size_t number = 0;
    std::vector<LayerWork> works;
    std::vector<Job> jobs;
    Ramp ramp;  // of its last layer
    int64_t read_beats = 0, write_beats = 0;
  };
  // A stretch of the scratchpad and when it may be overwritten.
  struct Use {
    int64_t begin, end;
    Time free;
    bool store;  // read by a STORE
  };
  // Up to which share of its pixels a value is made, when the first and the last block of it are.
  struct Made {
    double share;
    Time first_block, last_block;
  };

  const Value& ValueAt(int value) const { return network_.values[static_cast<size_t>(value)]; }
  const Home& HomeOf(int value) const { return allocation_.homes[static_cast<size_t>(value)]; }

  template <typename F>
  static void ForEachOperand(const Layer& layer, F f) {
    f(layer.in);
    if (layer.residual.value >= 0) f(layer.residual);
  }

  // ---- what there is to do ----

  void Plan() {
    const std::vector<uint64_t> offsets(network_.layers.size(), 0);  // places do not matter here
    std::vector<WeightSegment> segments;
    WeightRing ring(offsets, config_, segments);
    std::vector<bool> loaded(network_.values.size(), false);
    int64_t ring_words = 0;
    for (const Unit& unit : allocation_.units) {
      UnitPlan plan;
      plan.number = units_.size();
      plan.works = WorksOf(network_, allocation_, unit, config_);
      const std::vector<Task> tasks = TasksOf(unit, plan.works);
      bool arrives = false;  // the first stripes are small
      for (const LayerWork& work : plan.works) {
        ForEachOperand(*work.layer, [&](const Operand& operand) {
          const auto v = static_cast<size_t>(operand.value);
          const bool comes = ComesWhole(operand.value) && !loaded[v];
          arrives = arrives || comes;
          loaded[v] = loaded[v] || comes;
        });
      }
      plan.ramp = {arrives, LeavesWhole(network_, allocation_, *plan.works.back().layer)};
      ring.StartUnit(plan.works, tasks);
      int64_t end = ring_words;
      for (const Task& task : tasks) {
        Job job;
        job.task = task;
        const LayerWork& work = *task.work;
        job.cost = CostOfTile(*work.layer, work.out, work.plan, task.tile, config_);
        const Ramp ramp{arrives, LeavesWhole(network_, allocation_, *work.layer)};
        job.runs = RunsOf(task, ramp, ring);
        plan.read_beats += job.cost.load;
        plan.write_beats += job.cost.store;
        for (const RunPart& run : job.runs) end = std::max(end, run.position + run.words);
        plan.jobs.push_back(std::move(job));
      }
      plan.read_beats += WeightBeats(end - ring_words, config_);
      ring_words = end;
      units_.push_back(std::move(plan));
    }
    port_.AddWeights(ring_words);
  }

  std::vector<RunPart> RunsOf(const Task& task, const Ramp& ramp, WeightRing& ring) const {
    const Layer& layer = *task.work->layer;
    const int64_t pixels = task.tile.rect.pixels();
    if (layer.IsRun()) return ring.Runs(task, pixels, ramp, true);
    std::vector<RunPart> runs;
    RunPart part{.blocks = 1, .beats = 1};
    if (layer.kind == LayerKind::kSoftmax) {
      part.position = ring.PositionOf(task);
      part.words = task.work->shape.words();
      part.pixels = 1;
      runs.assign(static_cast<size_t>(pixels), part);
      runs.back().release = task.last;
    } else {
      part.blocks = static_cast<int>(CeilDiv(task.work->out.c, config_.n));
      for (const int stripe : StripesOf(pixels, ramp, config_)) {
        part.pixels = stripe;
        runs.push_back(part);
      }
    }
    int64_t first = 0;
    for (RunPart& run : runs) {
      run.first_pixel = first;
      first += run.pixels;
    }
    return runs;
  }

  // ---- a unit ----

  // Returns when its MARK retires.
  Time RunUnit(UnitPlan& unit) {
    std::vector<size_t> residents;  // their uses
    for (const LayerWork& work : unit.works) {
      ForEachOperand(*work.layer, [&](const Operand& operand) {
        LoadWhole(unit, operand, work);
        const Home& home = HomeOf(operand.value);
        if (!home.resident()) return;
        residents.push_back(uses_.size());
        const int64_t end = home.address + ValueAt(operand.value).extent.h * home.pitch;
        uses_.push_back({home.address, end, kUnknown, false});
      });
    }
    Time end = 0;
    for (size_t t = 0; t < unit.jobs.size(); ++t) end = std::max(end, RunJob(unit, t));
    for (const size_t use : residents) uses_[use].free = array_free_;
    const Layer& last = *unit.works.back().layer;
    if (LeavesWhole(network_, allocation_, last)) {
      end = std::max(end, StoreWhole(unit, last.out));
    }
    return end;
  }

  // Whether a value that stays in the scratchpad comes from memory.
  bool ComesWhole(int value) const {
    return ValueAt(value).source != Value::Source::kLayer && HomeOf(value).resident();
  }

  void LoadWhole(UnitPlan& unit, const Operand& operand, const LayerWork& work) {
    auto& marks = loaded_[static_cast<size_t>(operand.value)];
    if (!ComesWhole(operand.value) || !marks.empty()) return;
    const Home& home = HomeOf(operand.value);
    const Extent& extent = ValueAt(operand.value).extent;
    const Ramp ramp{true, LeavesWhole(network_, allocation_, *work.layer)};
    const Time eligible = KnownOr(FreeFrom(home.address, home.address + extent.h * home.pitch));
    for (const Piece& piece :
         GrowingPieces(*work.layer, operand, extent, home.pitch, work.out, ramp, config_)) {
      const int64_t beats = piece.moves * CeilDiv(piece.bytes, config_.axi_bytes);
      unit.read_beats += beats;
      marks.emplace_back(static_cast<double>(piece.row + piece.rows) / extent.h,
                         port_.AddLoad(beats, eligible));
    }
  }

  // What is not known yet is over when the array is free.
  Time KnownOr(Time time) const { return time == kUnknown ? array_free_ : time; }

  // When all uses of a stretch are over; unknown if one is under way.
  Time FreeFrom(int64_t begin, int64_t end) const {
    Time time = 0;
    for (const Use& use : uses_) {
      if (use.begin < end && begin < use.end) time = std::max(time, use.free);
    }
    return time;
  }
  // When the STOREs of a stretch are over, as far as is known.
  Time StoredFrom(int64_t begin, int64_t end) const {
    Time time = 0;
    for (const Use& use : uses_) {
      const bool overlaps = use.begin < end && begin < use.end;
      if (use.store && overlaps && use.free != kUnknown) time = std::max(time, use.free);
    }
    return time;
  }

  int64_t SlotAddress(const Task& task) const {
    const TilePlan& plan = task.work->plan;
    const auto slot = static_cast<int64_t>(task.number) % plan.slots;
    return task.work->address + slot * (plan.bytes() / plan.slots);
  }

  // Asks for the operands of a task; ahead of its turn only if it is known when what they wait for
  // is over.
  void AskFor(Job& job, bool ahead) {
    if (job.asked) return;
    const Layer& layer = *job.task.work->layer;
    const TilePlan& plan = job.task.work->plan;
    const Rect& rect = job.task.tile.rect;
    const int64_t address = SlotAddress(job.task);
    Time eligible = 0;
    if (job.cost.load > 0) {
      eligible = FreeFrom(address, address + plan.in.bytes + plan.residual.bytes);
      if (plan.in.bytes > 0) {
        eligible = std::max(eligible, InMemory(layer.in.value, InputRect(layer, rect).y1));
      }
      if (plan.residual.bytes > 0) {
        eligible = std::max(eligible, InMemory(layer.residual.value, rect.y1));
      }
    }
    if (eligible == kUnknown && ahead) return;
    job.asked = true;
    job.load = port_.AddLoad(job.cost.load, KnownOr(eligible));
  }

  // When rows up to `row` of a value are in memory.
  Time InMemory(int value, int row) const {
    if (ValueAt(value).source != Value::Source::kLayer) return 0;
    for (const auto& [until, time] : stored_[static_cast<size_t>(value)]) {
      if (until >= row) return time;
    }
    return kUnknown;
  }

  // Operands of the layer's next task, or of the next unit's first, come while this one is at work
  // if nothing of it is in their way.
  void AskAhead(const UnitPlan& unit, size_t t) {
    std::vector<Job>& jobs = units_[unit.number].jobs;
    const Task& task = jobs[t].task;
    if (t + 1 == jobs.size()) {
      if (unit.number + 1 < units_.size()) AskFor(units_[unit.number + 1].jobs.front(), true);
      return;
    }
    if (task.work->plan.slots == 1 || task.last) return;
    const auto next = std::find_if(jobs.begin() + static_cast<std::ptrdiff_t>(t) + 1, jobs.end(),
                                   [&](const Job& job) { return job.task.work == task.work; });
    AskFor(*next, true);
  }

  // ---- a task ----

  // Returns when its result is made, or stored.
  Time RunJob(UnitPlan& unit, size_t t) {
    Job& job = unit.jobs[t];
    const LayerWork& work = *job.task.work;
    const TilePlan& plan = work.plan;
    const int64_t address = SlotAddress(job.task);
    const int64_t result = address + plan.in.bytes + plan.residual.bytes;
    AskFor(job, false);
    const size_t use = uses_.size();
    uses_.push_back({address, result, kUnknown, false});
    uses_.push_back({result, result + plan.out.bytes, kUnknown, true});
    AskAhead(unit, t);
    if (plan.residual.bytes > 0) array_free_ = std::max(array_free_, port_.Loaded(job.load));
    if (plan.out.bytes > 0) {
      array_free_ = std::max(array_free_, StoredFrom(result, result + plan.out.bytes));
    }
    const Time retired = RunParts(job);
    uses_[use].free = array_free_;
    uses_[use + 1].free = retired;
    if (plan.out.bytes == 0) return retired;
    const Time stored = Store(job.cost.store, retired);
    uses_[use + 1].free = stored;
    const Tile& tile = job.task.tile;
    if (tile.rect.x1 == work.out.w && tile.c1 == work.out.c) {
      stored_[static_cast<size_t>(work.layer->out)].emplace_back(tile.rect.y1, stored);
    }
    return stored;
  }

  // The pixel of a rectangle, as a share of the output, and the same of the input it needs.
  double ShareOf(const LayerWork& work, const Rect& rect, int64_t pixel, bool input) const {
    const int y = rect.y0 + static_cast<int>(pixel / rect.width());
    const int x = rect.x0 + static_cast<int>(pixel % rect.width());
    const Rect in = InputRect(*work.layer, {0, y + 1, 0, x + 1});
    const Extent& extent = input ? work.layer->in.extent : work.out;
    const double rows = input ? in.y1 - 1 : y, columns = input ? in.x1 : x + 1;
    return (rows * extent.w + columns) / (static_cast<double>(extent.h) * extent.w);
  }

  // When an operand is there up to this share. `block_time`: the array's from block to block, which
  // follow each other as those of the layer before did, unless all channels are summed at once.
  Time OperandReady(const Job& job, double share, double block_time) {
    const LayerWork& work = *job.task.work;
    const Layer& layer = *work.layer;
    if (work.plan.in.bytes > 0) return port_.Loaded(job.load);
    const auto value = static_cast<size_t>(layer.in.value);
    Time ready = 0;
    for (const auto& [until, mark] : loaded_[value]) {
      ready = port_.Loaded(mark);
      if (until >= share) break;
    }
    const bool whole = layer.kind == LayerKind::kDense && layer.kernel_h * layer.kernel_w > 1;
    const auto blocks = static_cast<double>(CeilDiv(layer.in.extent.c, config_.n));
    for (const Made& made : made_[value]) {
      ready = whole ? made.last_block
                    : std::max(made.first_block, made.last_block - (blocks - 1) * block_time);
      if (made.share + kNearly >= share) break;
    }
    return ready;
  }

  // Returns when the last block has retired.
  Time RunParts(const Job& job) {
    const LayerWork& work = *job.task.work;
    const Layer& layer = *work.layer;
    const auto size = [](const RunPart& part) {
      return static_cast<double>(part.pixels) * part.blocks * part.beats;
    };
    double all = 0;
    for (const RunPart& part : job.runs) all += size(part);
    const double passes = (layer.has_add ? 4.0 : 1.0) * config_.n / config_.post_lanes;
    std::vector<Made> made;
    Time retired = 0;
    for (const RunPart& part : job.runs) {
      const Rect& rect = job.task.tile.rect;
      const int64_t last = part.first_pixel + part.pixels - 1;
      const double cycles = static_cast<double>(job.cost.work) * size(part) / all;
      const double block_time = cycles / part.blocks;
      const Time ready = OperandReady(job, ShareOf(work, rect, last, true), block_time);
      if (ready > array_free_) array_free_ = ready + kFeedPath;
      const Time begin = array_free_;
      Pass(part, cycles);
      if (!part.acc_last) continue;
      // Post-processing ends a block after the array.
      const Time drain = std::min(block_time, part.pixels * passes) + kPostPath;
      retired = array_free_ + drain;
      const double share = ShareOf(work, rect, last, false);
      const auto same =
          std::find_if(made.begin(), made.end(), [&](const Made& m) { return m.share == share; });
      if (same != made.end()) {
        same->last_block = retired;
      } else {
        made.push_back({share, begin + (array_free_ - begin) / part.blocks + drain, retired});
      }
    }
    if (layer.transposed) {  // no row is whole before the last stripe
      made = {{1.0, made.back().first_block, retired}};
    }
    std::vector<Made>& value = made_[static_cast<size_t>(layer.out)];
    // Of a rolling buffer, only the newest rows may still be under way.
    if (work.after.buffer.bytes > 0) value.clear();
    value.insert(value.end(), made.begin(), made.end());
    return retired;
  }

  // The array works for `cycles`, as weights arrive, and releases them.
  void Pass(const RunPart& part, double cycles) {
    const int64_t end = part.position + part.words;
    if (part.words == 0 || (!part.stream && port_.Arrived(end - 1) <= array_free_)) {
      array_free_ += cycles;
    } else {
      const int64_t burst = port_.burst_words();
      for (int64_t word = part.position; word < end;) {
        const int64_t next = std::min(end, (word / burst + 1) * burst);
        array_free_ = std::max(array_free_, port_.Arrived(word));
        array_free_ += cycles * static_cast<double>(next - word) / static_cast<double>(part.words);
        if (part.stream) port_.Release(next, array_free_);
        word = next;
      }
    }
    if (part.release) port_.Release(end, array_free_);
  }

  // ---- results ----

  // A STORE; returns when its answers are in.
  Time Store(int64_t beats, Time ready) {
    write_free_ = std::max(write_free_, ready) + static_cast<Time>(beats) / memory_.bandwidth;
    return write_free_ + memory_.latency + kWritePath;
  }

  Time StoreWhole(UnitPlan& unit, int value) {
    const LayerWork& work = unit.works.back();
    const Extent& extent = ValueAt(value).extent;
    Time end = 0;
    for (const Piece& piece :
         ShrinkingPieces(*work.layer, extent, HomeOf(value).pitch, work.out, unit.ramp, config_)) {
      const double share = static_cast<double>(piece.row + piece.rows) / extent.h;
      Time ready = 0;
      for (const Made& made : made_[static_cast<size_t>(value)]) {
        ready = made.last_block;
        if (made.share + kNearly >= share) break;
      }
      const int64_t beats = piece.moves * CeilDiv(piece.bytes, config_.axi_bytes);
      unit.write_beats += beats;
      end = Store(beats, ready);
    }
    return end;
  }

  const Network& network_;
  const Allocation& allocation_;
  const MemoryTiming& memory_;
  const HardwareConfig& config_;
  const Time start_;  // of the first command
  ReadPort port_;
  std::vector<UnitPlan> units_;
  std::vector<Use> uses_;
  // By value.
  std::vector<std::vector<Made>> made_;
  std::vector<std::vector<std::pair<int, Time>>> stored_;       // rows, and when they are in memory
  std::vector<std::vector<std::pair<double, size_t>>> loaded_;  // share, and its mark in the port
  Time array_free_, write_free_;
};

}  // namespace

Estimate Predict(const Network& network, const Allocation& allocation, const MemoryTiming& memory,
                 const HardwareConfig& config) {
  return Predictor(network, allocation, memory, config).Run();
}

}  // namespace weft::compile
