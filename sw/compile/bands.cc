// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/bands.h"

#include <algorithm>
#include <utility>

#include "sw/compile/estimate.h"
#include "sw/compile/weights.h"

namespace weft::compile {
namespace {

class Planner {
 public:
  Planner(const Network& network, int first, int last, const std::vector<Spills>& spills,
          const HardwareConfig& config)
      : spills_(spills), config_(config) {
    for (int i = first; i <= last; ++i) {
      layers_.push_back(&network.layers[static_cast<size_t>(i)]);
      outs_.push_back(OutputOf(network, *layers_.back()));
    }
  }

  int rows() const { return outs_.back().h; }

  // Bands of `rows` rows. None if the least that they need does not fit.
  std::optional<BandPlan> PlanOf(int rows, int slots, int64_t available) const {
    BandPlan plan;
    const size_t count = layers_.size();
    // Without room for rows that are read again, shares and what they read are as large as ever.
    std::vector<int> capacity(count - 1, 0);
    const std::vector<Band> largest = CutBands(rows, capacity);
    for (size_t i = 0; i < count; ++i) {
      int made = 0, read = 0;  // rows
      for (const Band& band : largest) {
        if (band[i].empty()) continue;
        made = std::max(made, band[i].y1 - band[i].y0);
        read = std::max(read, InputRows(i, band[i]).height());
      }
      if (i > 0) {
        capacity[i - 1] = read;
        plan.between.push_back(BufferOf(read, outs_[i - 1].row_bytes(), false, config_));
      }
      plan.tiles.push_back(BuffersOf(i, made, read, slots));
    }
    if (plan.bytes() > available) return std::nullopt;
    Grow(plan, capacity, available);
    plan.bands = CutBands(rows, capacity);
    plan.cycles = CyclesOf(plan);
    return plan;
  }

 private:
  // Input rows that a share of layer i reads.
  Rect InputRows(size_t i, const Share& share) const {
    return InputRect(*layers_[i], {share.y0, share.y1, 0, outs_[i].w});
  }

  // Bands of `rows` rows of the last output, with rolling buffers of `capacity` rows. One that is
  // too small for what is read at once starts anew every time.
  std::vector<Band> CutBands(int rows, const std::vector<int>& capacity) const {
    struct Rolling {
      int first = 0, end = 0;  // rows that are there
    };
    const size_t last = layers_.size() - 1;
    std::vector<Rolling> rolling(last);
    std::vector<Band> bands;
    for (int y = 0; y < outs_[last].h; y += rows) {
      Band band(layers_.size());
      band[last] = {.y0 = y, .y1 = std::min(y + rows, outs_[last].h)};
      for (size_t i = last; i-- > 0;) {
        Rolling& buffer = rolling[i];
        if (!band[i + 1].empty()) {
          const Rect read = InputRows(i + 1, band[i + 1]);
          if (read.y0 < buffer.first || read.y1 - buffer.first > capacity[i]) {
            buffer = {.first = read.y0, .end = read.y0};
          }
          // Rows between two windows are left out.
          band[i] = {.y0 = std::max(buffer.end, read.y0), .y1 = read.y1};
          buffer.end = std::max(buffer.end, read.y1);
        }
        band[i].first_row = buffer.first;
      }
      bands.push_back(std::move(band));
    }
    return bands;
  }

  // Tile buffers of layer i for shares of so many rows.
  TilePlan BuffersOf(size_t i, int made, int read, int slots) const {
    const Layer& layer = *layers_[i];
    const Extent& out = outs_[i];
    TilePlan tile{.rows = made,
                  .cols = out.w,
                  .channels = out.c,
                  .slots = slots,
                  .in = {},
                  .residual = {},
                  .out = {}};
    const int loaded = (read + RowStep(layer) - 1) / RowStep(layer);
    if (spills_[i].in) tile.in = BufferOf(loaded, layer.in.extent.row_bytes(), false, config_);
    if (spills_[i].residual) tile.residual = BufferOf(made, out.row_bytes(), false, config_);
    if (spills_[i].out) tile.out = BufferOf(made, out.row_bytes(), false, config_);
    return tile;
  }

  // Gives the rolling buffers before overlapping windows the room that is left, row by row in turn.
  void Grow(BandPlan& plan, std::vector<int>& capacity, int64_t available) const {
    int64_t left = available - plan.bytes();
    for (bool grown = true; grown;) {
      grown = false;
      for (size_t i = 0; i < capacity.size(); ++i) {
        const Layer& reader = *layers_[i + 1];
        TileBuffer& buffer = plan.between[i];
        if (reader.kernel_h <= reader.stride_h || capacity[i] >= outs_[i].h ||
            buffer.pitch > left) {
          continue;
        }
        buffer.bytes += buffer.pitch;
        left -= buffer.pitch;
        ++capacity[i];
        grown = true;
      }
    }
  }

  // Array and post, or the AXI port in either direction, whichever takes longest in each band.
  int64_t CyclesOf(const BandPlan& plan) const {
    int64_t words = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      words += ShapeOfWeights(*layers_[i], outs_[i].c, config_).words();
    }
    const int64_t weights = WeightBeats(words, config_);
    const bool again = !StayInRing(words, config_) && plan.bands.size() > 1;
    int64_t total = 0, load = 0, store = 0;
    for (const Band& band : plan.bands) {
      int64_t work = 0;
      load = store = 0;
      for (size_t i = 0; i < layers_.size(); ++i) {
        if (band[i].empty()) continue;
        const Tile tile = {{band[i].y0, band[i].y1, 0, outs_[i].w}, 0, outs_[i].c};
        const TileCost cost = CostOfTile(*layers_[i], outs_[i], plan.tiles[i], tile, config_);
        load += cost.load;
        store += cost.store;
        work += cost.work + kTileOverhead;
      }
      if (total == 0) total = load;  // nothing to do meanwhile
      if (again) load += weights;
      total += plan.tiles[0].slots > 1 ? std::max({load, store, work}) : load + store + work;
    }
    total += store;
    return again ? total : std::max(total, weights);
  }

  const std::vector<Spills>& spills_;
  const HardwareConfig& config_;
  std::vector<const Layer*> layers_;
  std::vector<Extent> outs_;
};

}  // namespace

int64_t BandPlan::bytes() const {
  int64_t bytes = 0;
  for (const TilePlan& tile : tiles) bytes += tile.bytes();
  for (const TileBuffer& buffer : between) bytes += buffer.bytes;
  return bytes;
}

bool CanChain(const Network& network, const Layer& layer, const Layer& next, int readers) {
  const Value& value = network.values[static_cast<size_t>(layer.out)];
  const auto by_rows = [&](const Layer& l) {
    return l.kind != LayerKind::kSoftmax && !l.transposed &&
           OutputOf(network, l).w <= kLargestTileWidth;
  };
  return next.in.value == layer.out && readers == 1 && !value.dense && !value.is_output &&
         next.in.extent == value.extent && by_rows(layer) && by_rows(next);
}

std::optional<BandPlan> ChooseBands(const Network& network, int first, int last,
                                    const std::vector<Spills>& spills, int64_t available,
                                    const HardwareConfig& config) {
  const Planner planner(network, first, last, spills, config);
  std::optional<BandPlan> best;
  for (int slots = 2; slots >= 1; --slots) {
    for (int rows = 1; rows <= planner.rows(); ++rows) {
      std::optional<BandPlan> plan = planner.PlanOf(rows, slots, available);
      if (!plan) break;
      if (!best || plan->cycles < best->cycles) best = std::move(plan);
    }
  }
  return best;
}

}  // namespace weft::compile
