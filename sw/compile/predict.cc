// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/predict.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <utility>

#include "sw/compile/estimate.h"
#include "sw/compile/pieces.h"
#include "sw/compile/tile.h"
#include "sw/compile/weights.h"

namespace weft::compile {
namespace {

using Time = double;  // cycles since the doorbell

constexpr Time kUnknown = std::numeric_limits<Time>::infinity();
// Cycles beside the memory's latency, as the RTL has them.
constexpr Time kFirstCommand = 12;  // from the doorbell to the first command, with two reads
constexpr Time kReadPath = 10;      // from an address to a word in the scratchpad or the ring
constexpr Time kWritePath = 19;     // from a word to its beat, a burst collected on the way
constexpr Time kPostPath = 14;      // from an accumulator row to a byte in the scratchpad
constexpr Time kFeedPath = 14;      // from the end of a wait to the first operand
constexpr Time kJobEnd = 17;        // from the last answer to the interrupt
constexpr int64_t kBurst = 256;       // bytes
constexpr size_t kBurstsAhead = 8;    // under way at once: what covers the latency
constexpr Time kAskAgain = 13;        // from a burst's end to the address of another
constexpr int kLoadsBeforeWeights = 3;  // bursts in a row that pass waiting weights

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The read side of the port: bursts of operands and bursts of weights, each in order. A burst of
// weights needs room in the ring, which Release gives.
class ReadPort {
 public:
  ReadPort(const MemoryTiming& memory, const HardwareConfig& config)
      : beat_time_(1 / memory.bandwidth),
        path_(memory.latency + kReadPath),
        again_(memory.latency + kAskAgain),
        ring_beats_(config.weight_ring / config.axi_bytes),
        burst_beats_(std::max<int64_t>(1, kBurst / config.axi_bytes)) {
    ends_.fill(-again_);
  }

  // Weights in ring order; returns the first and the number of their bursts.
  std::pair<size_t, size_t> AddWeights(int64_t beats) {
    const size_t first = weights_.size();
    for (int64_t left = beats; left > 0; left -= burst_beats_) {
      weight_beats_ += std::min(left, burst_beats_);
      weights_.push_back({std::min(left, burst_beats_), weight_beats_});
    }
    return {first, weights_.size() - first};
  }
  // Operands that may be asked for from `eligible` on; returns what Loaded() takes.
  size_t AddLoad(int64_t beats, Time eligible) {
    for (int64_t left = beats; left > 0; left -= burst_beats_) {
      loads_.push_back({std::min(left, burst_beats_), eligible});
    }
    return loads_.size();
  }
  // When the operands before this mark are in the scratchpad.
  Time Loaded(size_t mark) {
    while (next_load_ < mark) Step();
    return mark == 0 ? 0 : loads_[mark - 1].arrival;
  }
  // When this burst of weights is in the ring.
  Time Arrived(size_t burst) {
    while (next_weight_ <= burst) Step();
    return weights_[burst].arrival;
  }
  // The ring words of all bursts up to this one are free.
  void Release(size_t burst, Time time) {
    for (; released_ <= burst; ++released_) weights_[released_].release = time;
  }
  void Start(Time time) { free_ = time; }

 private:
  struct Weights {
    int64_t beats;
    int64_t end;  // beats up to its end
    Time arrival = kUnknown, release = kUnknown;
  };
  struct Load {
    int64_t beats;
    Time eligible;
    Time arrival = kUnknown;
  };

  // From when on the ring has room for the next burst; unknown when that is still to come.
  Time Room() {
    if (next_weight_ == weights_.size()) return kUnknown;
    const int64_t over = weights_[next_weight_].end - ring_beats_;
    if (over <= 0) return 0;
    while (weights_[room_].end < over) ++room_;
    return weights_[room_].release;
  }

  // Moves a burst's beats: not before `asked`, nor before a burst under way has made place.
  Time Move(Time asked, int64_t beats) {
    Time& oldest = ends_[bursts_++ % kBurstsAhead];
    free_ = std::max({free_, asked, oldest + again_}) + static_cast<Time>(beats) * beat_time_;
    oldest = free_;
    return free_ + path_;
  }

  void Step() {
    const Time load = next_load_ < loads_.size() ? std::max(free_, loads_[next_load_].eligible)
                                                 : kUnknown;
    const Time weight = std::max(free_, Room());
    const bool turn = loads_in_row_ < kLoadsBeforeWeights;
    if (load < weight || (load == weight && turn && load != kUnknown)) {
      Load& burst = loads_[next_load_++];
      burst.arrival = Move(load, burst.beats);
      loads_in_row_ = weight <= load ? loads_in_row_ + 1 : 0;
      return;
    }
    // A ring that is never released enough is a plan the emitter would not make.
    assert(weight != kUnknown);
    Weights& burst = weights_[next_weight_++];
    burst.arrival = Move(weight, burst.beats);
    loads_in_row_ = 0;
  }

  const Time beat_time_, path_, again_;
  const int64_t ring_beats_, burst_beats_;
  std::vector<Weights> weights_;
  std::vector<Load> loads_;
  size_t next_weight_ = 0, next_load_ = 0, released_ = 0, room_ = 0;
  int64_t weight_beats_ = 0;
  int loads_in_row_ = 0;
  std::array<Time, kBurstsAhead> ends_;
  size_t bursts_ = 0;
  Time free_ = 0;
};

class Predictor {
 public:
  Predictor(const Network& network, const Allocation& allocation, const MemoryTiming& memory,
            const HardwareConfig& config)
      : network_(network),
        allocation_(allocation),
        memory_(memory),
        config_(config),
        port_(memory, config),
        made_(network.values.size()),
        stored_(network.values.size()),
        loaded_(network.values.size()) {}

  Estimate Run() {
    Plan();
    const Time first = kFirstCommand + 2 * memory_.latency;
    port_.Start(first);
    array_free_ = write_free_ = first;
    Time done = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Time end = std::max(done, RunLayer(i));
      LayerEstimate layer;
      layer.cycles = static_cast<int64_t>(end) - static_cast<int64_t>(done);
      layer.read_bytes = layers_[i].read_beats * config_.axi_bytes;
      layer.write_bytes = layers_[i].write_beats * config_.axi_bytes;
      estimate_.layers.push_back(std::move(layer));
      done = end;
    }
    const auto tail = static_cast<int64_t>(memory_.latency + kJobEnd);
    if (!estimate_.layers.empty()) estimate_.layers.back().cycles += tail;
    for (const LayerEstimate& layer : estimate_.layers) {
      estimate_.cycles += layer.cycles;
      estimate_.read_bytes += layer.read_bytes;
      estimate_.write_bytes += layer.write_bytes;
    }
    return std::move(estimate_);
  }

 private:
  // Blocks that pass through the ring together, and the bursts of their weights.
  struct Group {
    size_t first_burst = 0, bursts = 0;
    double share = 1;  // of the tile's work
    bool release = true;
  };
  struct TilePart {
    Tile tile;
    TileCost cost;
    std::vector<Group> groups;
    bool each_stripe = false;  // groups pass again for every stripe, else all stripes use one
    size_t load = 0;           // mark of its operands in the port
    bool asked = false;
  };
  struct LayerPlan {
    std::vector<TilePart> tiles;
    int64_t read_beats = 0, write_beats = 0;
  };
  // A stretch of the scratchpad and when it may be overwritten.
  struct Use {
    int64_t begin, end;
    Time free;
    bool store;  // read by a STORE
  };
  // What is done of a value, as a share of its pixels, when its first and its last block are.
  struct Made {
    double share;
    Time first_block, last_block;
  };

  const Layer& LayerAt(size_t i) const { return network_.layers[i]; }
  const Home& HomeOf(int value) const { return allocation_.homes[static_cast<size_t>(value)]; }

  std::vector<int> Stripes(const Layer& layer, const Tile& tile, bool ramp) const {
    if (layer.kind == LayerKind::kSoftmax) {
      return std::vector<int>(static_cast<size_t>(tile.rect.pixels()), 1);
    }
    return StripesOf(tile.rect.pixels(), ramp, config_);
  }

  // ---- what there is to do ----

  void Plan() {
    for (size_t i = 0; i < network_.layers.size(); ++i) {
      const Layer& layer = LayerAt(i);
      const Extent out = OutputOf(network_, layer);
      const TilePlan& plan = allocation_.areas[i].plan;
      LayerPlan made;
      int64_t stripes = 0;
      for (const Tile& tile : TilesOf(out, plan)) {
        TilePart part;
        part.tile = tile;
        part.cost = CostOfTile(layer, out, plan, tile, config_);
        made.read_beats += part.cost.load;
        made.write_beats += part.cost.store;
        stripes += CeilDiv(tile.rect.pixels(), config_.stripe);
        made.tiles.push_back(std::move(part));
      }
      PlanWeights(layer, out, stripes, made);
      layers_.push_back(std::move(made));
    }
  }

  void PlanWeights(const Layer& layer, const Extent& out, int64_t stripes, LayerPlan& made) {
    const WeightShape shape = ShapeOfWeights(layer, out.c, config_);
    const auto add = [&](int64_t words) {
      const int64_t beats = WeightBeats(words, config_);
      made.read_beats += beats;
      return port_.AddWeights(beats);
    };
    const WeightMode mode = WeightModeOf(shape, stripes, config_);
    if (mode == WeightMode::kResident) {
      const auto [first, bursts] = add(shape.words());
      for (TilePart& part : made.tiles) {
        part.groups = {{first, bursts, 1.0, &part == &made.tiles.back()}};
      }
      return;
    }
    const int64_t piece = WeightPieceWords(config_);
    for (TilePart& part : made.tiles) {
      const auto blocks = CeilDiv(part.tile.c1 - part.tile.c0, config_.n);
      part.each_stripe = mode == WeightMode::kStreamed;
      const int64_t group =
          part.each_stripe ? 1 : std::max<int64_t>(1, piece / shape.block_words());
      const int64_t passes =
          part.each_stripe ? static_cast<int64_t>(Stripes(layer, part.tile, false).size()) : 1;
      for (int64_t pass = 0; pass < passes; ++pass) {
        for (int64_t block = 0; block < blocks; block += group) {
          const int64_t count = std::min(group, blocks - block);
          const auto [first, bursts] = add(count * shape.block_words());
          part.groups.push_back(
              {first, bursts, static_cast<double>(count) / static_cast<double>(blocks), true});
        }
      }
    }
  }

  // ---- a layer ----

  // Returns when its MARK retires.
  Time RunLayer(size_t i) {
    LayerPlan& plan = layers_[i];
    const Layer& layer = LayerAt(i);
    arrives_ = false;
    LoadWhole(i, layer.in.value);
    if (layer.residual.value >= 0) LoadWhole(i, layer.residual.value);
    // Operands that live here are used until the layer ends.
    std::vector<size_t> residents;
    for (int value : {layer.in.value, layer.residual.value}) {
      if (value < 0 || !HomeOf(value).resident) continue;
      const Home& home = HomeOf(value);
      const Extent& extent = network_.values[static_cast<size_t>(value)].extent;
      residents.push_back(uses_.size());
      uses_.push_back({home.address, home.address + extent.h * home.pitch, kUnknown, false});
    }
    Time end = 0;
    for (size_t t = 0; t < plan.tiles.size(); ++t) {
      AskFor(i, t, false);
      end = RunTile(i, t);
    }
    for (size_t use : residents) uses_[use].free = array_free_;
    const Value& out = network_.values[static_cast<size_t>(layer.out)];
    if (out.is_output && HomeOf(layer.out).resident) end = std::max(end, StoreWhole(i));
    return end;
  }

  // A graph input or constant that stays here comes before its first use.
  void LoadWhole(size_t i, int value) {
    const Value& v = network_.values[static_cast<size_t>(value)];
    auto& marks = loaded_[static_cast<size_t>(value)];
    if (v.source == Value::Source::kLayer || !HomeOf(value).resident || !marks.empty()) return;
    arrives_ = true;
    const Home& home = HomeOf(value);
    const Time eligible = FreeFrom(home.address, home.address + v.extent.h * home.pitch);
    for (const Piece& piece : GrowingPieces(v.extent, home.pitch, config_)) {
      const int64_t beats = piece.moves * CeilDiv(piece.bytes, config_.axi_bytes);
      layers_[i].read_beats += beats;
      marks.emplace_back(static_cast<double>(piece.row + piece.rows) / v.extent.h,
                         port_.AddLoad(beats, eligible == kUnknown ? array_free_ : eligible));
    }
  }

  // When all known uses of a stretch are over; unknown if one is under way.
  Time FreeFrom(int64_t begin, int64_t end) const {
    Time time = 0;
    for (const Use& use : uses_) {
      if (use.begin < end && begin < use.end) time = std::max(time, use.free);
    }
    return time;
  }
  Time StoresOver(int64_t begin, int64_t end) const {
    Time time = 0;
    for (const Use& use : uses_) {
      if (use.store && use.begin < end && begin < use.end && use.free != kUnknown) {
        time = std::max(time, use.free);
      }
    }
    return time;
  }

  int64_t SlotAddress(size_t i, size_t t) const {
    const WorkArea& area = allocation_.areas[i];
    return area.address + static_cast<int64_t>(t) % area.plan.slots *
                              (area.plan.bytes() / area.plan.slots);
  }

  // Asks for the operands of a tile; ahead of its turn only if it is known when what they wait for
  // is over.
  void AskFor(size_t i, size_t t, bool ahead) {
    TilePart& part = layers_[i].tiles[t];
    if (part.asked) return;
    const Layer& layer = LayerAt(i);
    const TilePlan& plan = allocation_.areas[i].plan;
    const int64_t address = SlotAddress(i, t);
    Time eligible = 0;
    if (part.cost.load > 0) {
      eligible = FreeFrom(address, address + plan.in.bytes + plan.residual.bytes);
      if (plan.in.bytes > 0) {
        eligible = std::max(eligible, StoredBy(layer.in.value, InputRect(layer, part.tile.rect).y1));
      }
      if (plan.residual.bytes > 0) {
        eligible = std::max(eligible, StoredBy(layer.residual.value, part.tile.rect.y1));
      }
    }
    if (eligible == kUnknown && ahead) return;
    part.asked = true;
    part.load = port_.AddLoad(part.cost.load, eligible == kUnknown ? array_free_ : eligible);
  }

  // When rows up to `row` of a value are in memory.
  Time StoredBy(int value, int row) const {
    const Value& v = network_.values[static_cast<size_t>(value)];
    if (v.source != Value::Source::kLayer) return 0;
    for (const auto& [until, time] : stored_[static_cast<size_t>(value)]) {
      if (until >= row) return time;
    }
    return kUnknown;
  }

  // When the operand of a RUN that ends with this pixel of the layer's output is here.
  Time OperandReady(size_t i, const TilePart& part, int y, int x, double block_time) {
    const Layer& layer = LayerAt(i);
    if (allocation_.areas[i].plan.in.bytes > 0) return port_.Loaded(part.load);
    const Rect in = InputRect(layer, {0, y + 1, 0, x + 1});
    const Extent& extent = layer.in.extent;
    const double share = (static_cast<double>(in.y1 - 1) * extent.w + in.x1) /
                         (static_cast<double>(extent.h) * extent.w);
    const auto value = static_cast<size_t>(layer.in.value);
    Time ready = 0;
    for (const auto& [until, mark] : loaded_[value]) {
      ready = port_.Loaded(mark);
      if (until >= share) break;
    }
    for (const Made& made : made_[value]) {
      const bool whole = layer.kind == LayerKind::kDense && layer.kernel_h * layer.kernel_w > 1;
      // Block by block, this layer follows the one before.
      const double blocks = static_cast<double>(CeilDiv(extent.c, config_.n));
      ready = whole ? made.last_block
                    : std::max(made.first_block, made.last_block - (blocks - 1) * block_time);
      if (made.share + 1e-9 >= share) break;
    }
    return ready;
  }

  Time RunTile(size_t i, size_t t) {
    const Layer& layer = LayerAt(i);
    LayerPlan& layer_plan = layers_[i];
    TilePart& part = layer_plan.tiles[t];
    const TilePlan& plan = allocation_.areas[i].plan;
    const Extent out = OutputOf(network_, layer);
    const int64_t address = SlotAddress(i, t);
    const int64_t operands = plan.in.bytes + plan.residual.bytes;
    const size_t use = uses_.size();
    uses_.push_back({address, address + operands, kUnknown, false});
    uses_.push_back({address + operands, address + operands + plan.out.bytes, kUnknown, true});
    // The next tile's operands come meanwhile, if nothing of this tile is in their way.
    if (t + 1 < layer_plan.tiles.size()) {
      if (plan.slots > 1) AskFor(i, t + 1, true);
    } else if (i + 1 < layers_.size()) {
      AskFor(i + 1, 0, true);
    }
    if (plan.residual.bytes > 0) array_free_ = std::max(array_free_, port_.Loaded(part.load));
    if (plan.out.bytes > 0) {
      array_free_ = std::max(array_free_, StoresOver(address + operands,
                                                     address + operands + plan.out.bytes));
    }
    const Time retired = RunStripes(i, part, Stripes(layer, part.tile, arrives_));
    uses_[use].free = array_free_;
    uses_[use + 1].free = retired;
    if (plan.out.bytes == 0) return retired;
    const Time stored = Store(part.cost.store, retired);
    uses_[use + 1].free = stored;
    if (part.tile.rect.x1 == out.w && part.tile.c1 == out.c) {
      stored_[static_cast<size_t>(layer.out)].emplace_back(part.tile.rect.y1, stored);
    }
    return stored;
  }

  // Returns when the last block has retired.
  Time RunStripes(size_t i, TilePart& part, const std::vector<int>& stripes) {
    const Layer& layer = LayerAt(i);
    const Extent out = OutputOf(network_, layer);
    const auto blocks = static_cast<double>(CeilDiv(part.tile.c1 - part.tile.c0, config_.n));
    // Groups that pass again for every stripe lie one stripe after the other.
    const size_t groups = part.each_stripe ? part.groups.size() / stripes.size() : 1;
    const size_t rounds = part.each_stripe ? 1 : part.groups.size();
    Time retired = 0;
    std::vector<Made> made(stripes.size());
    for (size_t round = 0; round < rounds; ++round) {
      int64_t pixel = -1;  // the stripe's last
      for (size_t s = 0; s < stripes.size(); ++s) {
        pixel += stripes[s];
        const int y = part.tile.rect.y0 + static_cast<int>(pixel / part.tile.rect.width());
        const int x = part.tile.rect.x0 + static_cast<int>(pixel % part.tile.rect.width());
        const double work = static_cast<double>(part.cost.work) * stripes[s] /
                            static_cast<double>(part.tile.rect.pixels());
        const Time ready = OperandReady(i, part, y, x, work / blocks);
        if (ready > array_free_) array_free_ = ready + kFeedPath;
        const Time begin = array_free_;
        for (size_t g = 0; g < groups; ++g) {
          const Group& group = part.groups[part.each_stripe ? s * groups + g : round];
          Pass(group, work * group.share, part.each_stripe || s == 0,
               group.release && (part.each_stripe || s + 1 == stripes.size()));
        }
        // Post-processing ends a block after the array.
        const double passes = layer.has_add ? 4 : 1;
        const Time drain = std::min(work / blocks, stripes[s] * passes * config_.n /
                                                       config_.post_lanes) +
                           kPostPath;
        retired = array_free_ + drain;
        if (round == 0) {
          made[s].share = static_cast<double>(int64_t{y} * out.w + x + 1) /
                          (static_cast<double>(out.h) * out.w);
          made[s].first_block = begin + (array_free_ - begin) / blocks + drain;
        }
        made[s].last_block = retired;
      }
    }
    if (layer.transposed) {  // no row is whole before the last stripe
      for (Made& m : made) m = {1.0, made.back().first_block, retired};
    }
    std::vector<Made>& all = made_[static_cast<size_t>(layer.out)];
    all.insert(all.end(), made.begin(), made.end());
    return retired;
  }

  // The array works on a group for `work` cycles; in the first pass its weights arrive one after
  // the other, in the last they are released likewise.
  void Pass(const Group& group, double work, bool first, bool last) {
    if (group.bursts == 0) {
      array_free_ += work;
      return;
    }
    const double step = work / static_cast<double>(group.bursts);
    for (size_t b = group.first_burst; b < group.first_burst + group.bursts; ++b) {
      if (first) array_free_ = std::max(array_free_, port_.Arrived(b));
      array_free_ += step;
      if (last) port_.Release(b, array_free_);
    }
  }

  // A STORE; returns when its answers are in.
  Time Store(int64_t beats, Time ready) {
    write_free_ = std::max(write_free_, ready) + static_cast<Time>(beats) / memory_.bandwidth;
    return write_free_ + memory_.latency + kWritePath;
  }

  Time StoreWhole(size_t i) {
    const int value = LayerAt(i).out;
    const Extent& extent = network_.values[static_cast<size_t>(value)].extent;
    Time end = 0;
    for (const Piece& piece : ShrinkingPieces(extent, HomeOf(value).pitch, config_)) {
      Time ready = 0;
      for (const Made& made : made_[static_cast<size_t>(value)]) {
        ready = made.last_block;
        if (made.share + 1e-9 >= static_cast<double>(piece.row + piece.rows) / extent.h) break;
      }
      const int64_t beats = piece.moves * CeilDiv(piece.bytes, config_.axi_bytes);
      layers_[i].write_beats += beats;
      end = Store(beats, ready);
    }
    return end;
  }

  const Network& network_;
  const Allocation& allocation_;
  const MemoryTiming& memory_;
  const HardwareConfig& config_;
  ReadPort port_;
  std::vector<LayerPlan> layers_;
  std::vector<Use> uses_;
  // By value.
  std::vector<std::vector<Made>> made_;
  std::vector<std::vector<std::pair<int, Time>>> stored_;       // rows, and when they are in memory
  std::vector<std::vector<std::pair<double, size_t>>> loaded_;  // share, and its mark in the port
  bool arrives_ = false;  // operands of the layer at hand are being loaded as it starts
  Time array_free_ = 0, write_free_ = 0;
  Estimate estimate_;
};

}  // namespace

Estimate Predict(const Network& network, const Allocation& allocation, const MemoryTiming& memory,
                 const HardwareConfig& config) {
  return Predictor(network, allocation, memory, config).Run();
}

}  // namespace weft::compile
