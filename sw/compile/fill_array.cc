// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/fill_array.h"

#include <algorithm>
#include <utility>

#include "sw/compile/estimate.h"
#include "sw/compile/weights.h"

namespace weft::compile {
namespace {

constexpr int kMostBeats = 4095;                // RUN.beats
constexpr int kMostWindowRows = 255;            // SETUP_INPUT.kernel_rows and stride_rows
constexpr int kMostColumns = 4095;              // RUN.tile_width
constexpr int64_t kLongestOutputRow = 1 << 15;  // with its gap still within SETUP_OUTPUT.out_pixel
constexpr int kTransposedPart = 4;              // of the scratchpad: input and output together
constexpr int kPairColumns = 3;                 // RUN mode 3: of the window
constexpr int kPairedRowsPart = 8;              // of the scratchpad: rows of one step, whole

// Cycles of a layer by itself.
int64_t Cycles(const Network& network, const Layer& layer, const HardwareConfig& config) {
  const Extent out = OutputOf(network, layer);
  const WeightShape weights = ShapeOfWeights(layer, out.c, config);
  return std::max(WorkOf(layer, out, config).cycles(), WeightBeats(weights.words(), config));
}

// The layer computing `pixels` neighbouring pixels at a time; weights and parameters are the old.
Layer WideWindow(const Layer& layer, int pixels) {
  Layer wide = layer;
  wide.wide = pixels;
  wide.kernel_w += (pixels - 1) * layer.stride_w;
  wide.stride_w *= pixels;
  if (wide.residual.value >= 0) {
    wide.residual.extent.w /= pixels;
    wide.residual.extent.c *= pixels;
  }
  return wide;
}

template <typename T>
void Repeat(std::vector<T>& items, int times) {
  const std::vector<T> once = items;
  for (int i = 1; i < times; ++i) items.insert(items.end(), once.begin(), once.end());
}

// Weights and parameters of `wide` from those of `layer`, which has `channels` of output.
void WidenWeights(const Layer& layer, int channels, Layer& wide) {
  const int64_t depth = layer.in.extent.c;
  const int64_t row = layer.kernel_w * depth, wide_row = wide.kernel_w * depth;
  wide.weights.assign(
      static_cast<size_t>(int64_t{wide.wide} * channels * layer.kernel_h * wide_row), 0);
  auto to = wide.weights.begin();
  for (int pixel = 0; pixel < wide.wide; ++pixel) {
    for (int64_t r = 0; r < int64_t{channels} * layer.kernel_h; ++r, to += wide_row) {
      std::copy_n(layer.weights.begin() + r * row, row, to + pixel * layer.stride_w * depth);
    }
  }
  Repeat(wide.bias, wide.wide);
  if (!layer.per_tensor()) Repeat(wide.multipliers, wide.wide);
}

void PackPixels(const Network& network, Layer& layer, const HardwareConfig& config) {
  const Extent out = OutputOf(network, layer);
  if (layer.kind != LayerKind::kDense || layer.transposed || out.c > config.n / 2) return;
  int64_t least = Cycles(network, layer, config);
  int best = 1;
  for (int pixels : {2, 4}) {
    if (out.w % pixels != 0 || out.c * pixels > config.n) continue;
    const Layer wide = WideWindow(layer, pixels);
    const int64_t cycles = Cycles(network, wide, config);
    if (cycles >= least || ShapeOfWeights(wide, out.c * pixels, config).beats > kMostBeats) {
      continue;
    }
    least = cycles;
    best = pixels;
  }
  if (best == 1) return;
  Layer wide = WideWindow(layer, best);
  WidenWeights(layer, out.c, wide);
  layer = std::move(wide);
}

// A depthwise layer of N/2 channels uses half the array: two pixels at a time as RUN mode 3 does.
void PairPixels(const Network& network, Layer& layer, const HardwareConfig& config) {
  const Extent out = OutputOf(network, layer);
  const Extent& in = layer.in.extent;
  const bool fits = config.word() == config.n && config.window_cols >= kPairColumns &&
                    layer.kernel_h <= config.window_rows && layer.kernel_w == kPairColumns &&
                    in.c == config.n / 2 && in.w % 2 == 0 && out.w % 2 == 0;
  // Tiles of whole rows only: others begin in the middle of a word.
  const bool whole_rows = (layer.kernel_h + 1) * in.row_bytes() + 2 * out.row_bytes() <=
                          config.scratchpad / kPairedRowsPart;
  if (layer.kind != LayerKind::kDepthwise || layer.shared_weights() || layer.has_add ||
      layer.stride_w != 1 || !fits || !whole_rows) {
    return;
  }
  layer.wide = 2;
  layer.stride_w = 2;
  const auto channels = static_cast<std::ptrdiff_t>(in.c);
  const std::vector<int8_t> once = layer.weights;
  layer.weights.clear();
  for (auto tap = once.begin(); tap != once.end(); tap += channels) {
    for (int pixel = 0; pixel < layer.wide; ++pixel) {
      layer.weights.insert(layer.weights.end(), tap, tap + channels);
    }
  }
  Repeat(layer.bias, layer.wide);
  if (!layer.per_tensor()) Repeat(layer.multipliers, layer.wide);
}

Layer Transposed(const Layer& layer, int channels) {
  Layer turned = layer;
  turned.transposed = true;
  std::swap(turned.in.extent.h, turned.in.extent.w);
  std::swap(turned.kernel_h, turned.kernel_w);
  std::swap(turned.stride_h, turned.stride_w);
  std::swap(turned.pad_top, turned.pad_left);
  const auto depth = static_cast<size_t>(layer.in.extent.c);
  auto to = turned.weights.begin();
  for (int o = 0; o < channels; ++o) {
    for (int x = 0; x < layer.kernel_w; ++x) {
      for (int y = 0; y < layer.kernel_h; ++y, to += static_cast<std::ptrdiff_t>(depth)) {
        const auto tap = static_cast<size_t>((o * layer.kernel_h + y) * layer.kernel_w + x);
        std::copy_n(&layer.weights[tap * depth], depth, to);
      }
    }
  }
  return turned;
}

bool CanTranspose(const Network& network, const Layer& layer, const HardwareConfig& config) {
  const Value& in = network.values[static_cast<size_t>(layer.in.value)];
  const Extent& out = network.values[static_cast<size_t>(layer.out)].extent;
  const auto readers =
      std::count_if(network.layers.begin(), network.layers.end(), [&](const Layer& other) {
        return other.in.value == layer.in.value || other.residual.value == layer.in.value;
      });
  return layer.kind == LayerKind::kDense && !layer.has_add && in.source == Value::Source::kInput &&
         readers == 1 && !in.dense && in.extent == layer.in.extent &&
         layer.kernel_w <= kMostWindowRows && layer.stride_w <= kMostWindowRows &&
         out.h <= kMostColumns && out.row_bytes() <= kLongestOutputRow &&
         in.extent.bytes() + out.bytes() <= config.scratchpad / kTransposedPart;
}

// Layers that follow start when the last column is done: that may cost a stripe.
void TransposeInput(Network& network, Layer& layer, const HardwareConfig& config) {
  if (!CanTranspose(network, layer, config)) return;
  Layer turned = Transposed(layer, network.values[static_cast<size_t>(layer.out)].extent.c);
  if (Cycles(network, turned, config) + 2 * config.stripe >= Cycles(network, layer, config)) {
    return;
  }
  Value& in = network.values[static_cast<size_t>(layer.in.value)];
  in.transposed = true;
  in.extent = turned.in.extent;
  layer = std::move(turned);
}

}  // namespace

void FillArray(Network& network, const HardwareConfig& config) {
  for (Layer& layer : network.layers) {
    PackPixels(network, layer, config);
    PairPixels(network, layer, config);
    if (layer.wide == 1) TransposeInput(network, layer, config);
  }
}

}  // namespace weft::compile
