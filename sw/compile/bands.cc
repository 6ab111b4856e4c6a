// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/bands.h"

#include <algorithm>

#include "sw/compile/estimate.h"
#include "sw/compile/weights.h"

namespace weft::compile {
namespace {

// The layers of a chain and what they compute.
struct Chain {
  std::vector<const Layer*> layers;
  std::vector<Extent> outs;
  size_t size() const { return layers.size(); }
};

// Bands of `rows` rows of the last output, with rolling buffers of `capacity` rows behind the
// layers before it. Capacities may be too small for what a band needs at once: `needed` says how
// much that is.
std::vector<Band> CutBands(const Chain& chain, int rows, const std::vector<int>& capacity,
                           std::vector<int>& needed) {
  struct Rolling {
    int first = 0, end = 0;  // rows that are there
  };
  const size_t last = chain.size() - 1;
  std::vector<Rolling> rolling(last);
  std::vector<Band> bands;
  needed.assign(last, 0);
  for (int y = 0; y < chain.outs[last].h; y += rows) {
    Band band(chain.size());
    band[last] = {.y0 = y, .y1 = std::min(y + rows, chain.outs[last].h)};
    for (size_t i = last; i-- > 0;) {
      Rolling& buffer = rolling[i];
      const Share& reader = band[i + 1];
      band[i] = {.y0 = buffer.end, .y1 = buffer.end, .first_row = buffer.first};
      if (reader.y0 == reader.y1) continue;
      const Rect in = InputRect(*chain.layers[i + 1], {reader.y0, reader.y1, 0, 1});
      needed[i] = std::max(needed[i], in.height());
      if (in.y0 < buffer.first || in.y1 - buffer.first > capacity[i]) {
        buffer = {.first = in.y0, .end = in.y0};
      }
      const int begin = std::max(buffer.end, in.y0);
      buffer.end = std::max(buffer.end, in.y1);
      band[i] = {.y0 = begin, .y1 = std::max(begin, in.y1), .first_row = buffer.first};
    }
    bands.push_back(std::move(band));
  }
  return bands;
}

// Array and post, or the AXI port in either direction, whichever takes longest in each band.
int64_t BandCycles(const Chain& chain, const BandPlan& plan, const HardwareConfig& config) {
  int64_t weights = 0;  // cycles of the port
  for (size_t i = 0; i < chain.size(); ++i) {
    weights += ShapeOfWeights(*chain.layers[i], chain.outs[i].c, config).words();
  }
  const bool again = !StayInRing(weights, config) && plan.bands.size() > 1;
  weights = WeightBeats(weights, config);
  int64_t total = 0, first_load = 0, last_store = 0;
  for (const Band& band : plan.bands) {
    int64_t load = 0, store = 0, work = 0;
    for (size_t i = 0; i < chain.size(); ++i) {
      const Share& share = band[i];
      if (share.y0 == share.y1) continue;
      const Extent& out = chain.outs[i];
      const Tile tile = {{share.y0, share.y1, 0, out.w}, 0, out.c};
      const TileCost cost = CostOfTile(*chain.layers[i], out, plan.tiles[i], tile, config);
      load += cost.load;
      store += cost.store;
      work += cost.work + kTileOverhead;
    }
    if (total == 0) first_load = load;
    last_store = store;
    if (again) load += weights;
    total += plan.tiles[0].slots > 1 ? std::max({load, store, work}) : load + store + work;
  }
  total += first_load + last_store;
  return again ? total : std::max(total, weights);
}

// Buffers for bands of `rows` rows. Rolling buffers get the room that is left, all the same number
// of rows more than they need. None if the least does not fit.
std::optional<BandPlan> PlanOf(const Chain& chain, const std::vector<Spills>& spills, int rows,
                               int slots, int64_t available, const HardwareConfig& config) {
  BandPlan plan;
  std::vector<int> capacity(chain.size() - 1, 0);
  std::vector<int> needed;
  const std::vector<Band> narrow = CutBands(chain, rows, capacity, needed);
  capacity = needed;
  // Nothing is ever needed at once beyond what bands without any rows kept need.
  for (size_t i = 0; i < chain.size(); ++i) {
    const Layer& layer = *chain.layers[i];
    const Extent& out = chain.outs[i];
    TilePlan tile{.rows = 0,
                  .cols = out.w,
                  .channels = out.c,
                  .slots = slots,
                  .in = {},
                  .residual = {},
                  .out = {}};
    int in_rows = 0;
    for (const Band& band : narrow) {
      tile.rows = std::max(tile.rows, band[i].y1 - band[i].y0);
      if (band[i].y0 == band[i].y1) continue;
      const Rect read = InputRect(layer, {band[i].y0, band[i].y1, 0, 1});
      in_rows = std::max(in_rows, (read.height() + RowStep(layer) - 1) / RowStep(layer));
    }
    if (spills[i].in) tile.in = BufferOf(in_rows, layer.in.extent.row_bytes(), false, config);
    if (spills[i].residual) tile.residual = BufferOf(tile.rows, out.row_bytes(), false, config);
    if (spills[i].out) tile.out = BufferOf(tile.rows, out.row_bytes(), false, config);
    plan.tiles.push_back(tile);
    if (i + 1 == chain.size()) break;
    plan.between.push_back(BufferOf(capacity[i], out.row_bytes(), false, config));
  }
  if (plan.bytes() > available) return std::nullopt;
  for (bool grown = true; grown;) {
    grown = false;
    for (size_t i = 0; i + 1 < chain.size(); ++i) {
      const Layer& reader = *chain.layers[i + 1];
      const bool overlaps = reader.kernel_h > reader.stride_h;
      if (!overlaps || capacity[i] >= chain.outs[i].h) continue;
      if (plan.bytes() + plan.between[i].pitch > available) continue;
      plan.between[i].bytes += plan.between[i].pitch;
      ++capacity[i];
      grown = true;
    }
  }
  plan.bands = CutBands(chain, rows, capacity, needed);
  plan.cycles = BandCycles(chain, plan, config);
  return plan;
}

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
  Chain chain;
  for (int i = first; i <= last; ++i) {
    chain.layers.push_back(&network.layers[static_cast<size_t>(i)]);
    chain.outs.push_back(OutputOf(network, *chain.layers.back()));
  }
  std::optional<BandPlan> best;
  for (int slots = 2; slots >= 1; --slots) {
    for (int rows = 1; rows <= chain.outs.back().h; ++rows) {
      std::optional<BandPlan> plan = PlanOf(chain, spills, rows, slots, available, config);
      if (!plan) break;
      if (!best || plan->cycles < best->cycles) best = std::move(plan);
    }
  }
  return best;
}

}  // namespace weft::compile
