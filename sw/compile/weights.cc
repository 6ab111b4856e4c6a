// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/weights.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace weft::compile {
namespace {

int CeilDiv(int a, int b) { return (a + b - 1) / b; }

// The taps lane k of a beat multiplies, as indices into the window; -1: none.
using Lanes = std::vector<int>;

// Dense: a beat joins what is left of one window row and the head of the next, so the lanes walk
// the window's bytes in order, but a beat never touches three rows.
std::vector<Lanes> DenseBeats(int rows, int span, int k) {
  std::vector<Lanes> beats;
  const int end = rows * span;
  for (int tap = 0; tap < end;) {
    const int two_rows = (tap / span + 2) * span;
    const int stop = std::min({tap + k, two_rows, end});
    Lanes lanes(static_cast<size_t>(k), -1);
    for (int i = tap; i < stop; ++i) lanes[static_cast<size_t>(i - tap)] = i;
    beats.push_back(std::move(lanes));
    tap = stop;
  }
  return beats;
}

// Depthwise: groups of window_rows by window_cols taps.
std::vector<Lanes> WindowBeats(int rows, int cols, const HardwareConfig& config) {
  std::vector<Lanes> beats;
  for (int y = 0; y < rows; y += config.window_rows) {
    for (int x = 0; x < cols; x += config.window_cols) {
      Lanes lanes(static_cast<size_t>(config.k), -1);
      for (int r = 0; r < config.window_rows && y + r < rows; ++r) {
        for (int c = 0; c < config.window_cols && x + c < cols; ++c) {
          lanes[static_cast<size_t>(r * config.window_cols + c)] = (y + r) * cols + x + c;
        }
      }
      beats.push_back(std::move(lanes));
    }
  }
  return beats;
}

std::vector<Lanes> BeatsOf(const Layer& layer, const HardwareConfig& config) {
  if (layer.kind == LayerKind::kDense) {
    return DenseBeats(layer.kernel_h, layer.kernel_w * layer.in.extent.c, config.k);
  }
  return WindowBeats(layer.kernel_h, layer.kernel_w, config);
}

// As many as BeatsOf lists.
int CountBeats(const Layer& layer, const HardwareConfig& config) {
  if (layer.kind != LayerKind::kDense) {
    return CeilDiv(layer.kernel_h, config.window_rows) *
           CeilDiv(layer.kernel_w, config.window_cols);
  }
  const int span = layer.kernel_w * layer.in.extent.c;
  const int end = layer.kernel_h * span;
  if (span >= config.k) return CeilDiv(end, config.k);
  int beats = 0;
  for (int tap = 0; tap < end; ++beats) tap = std::min(tap + config.k, (tap / span + 2) * span);
  return beats;
}

void PutInt32(uint8_t* out, int32_t value) {
  for (int b = 0; b < 4; ++b) out[b] = static_cast<uint8_t>(static_cast<uint32_t>(value) >> 8 * b);
}

}  // namespace

WeightShape ShapeOfWeights(const Layer& layer, int channels, const HardwareConfig& config) {
  WeightShape shape;
  if (layer.kind == LayerKind::kSoftmax) {
    shape.shared_words = CeilDiv(4 * static_cast<int>(layer.table.size()), config.weight_word);
  }
  if (!layer.IsRun()) return shape;
  shape.blocks = CeilDiv(channels, config.n);
  shape.beats = CountBeats(layer, config);
  if (layer.kind == LayerKind::kMaximum) return shape;
  if (layer.shared_weights()) {
    shape.shared_words = config.block_words();
    return shape;
  }
  shape.beat_words = config.block_words();
  if (layer.has_params()) shape.param_words = config.param_words(layer.per_tensor());
  return shape;
}

std::vector<uint8_t> PackWeights(const Layer& layer, int channels, const HardwareConfig& config) {
  const WeightShape shape = ShapeOfWeights(layer, channels, config);
  std::vector<uint8_t> bytes(static_cast<size_t>(shape.words() * config.weight_word), 0);
  if (layer.kind == LayerKind::kSoftmax) {
    for (size_t d = 0; d < layer.table.size(); ++d) PutInt32(&bytes[4 * d], layer.table[d]);
  }
  if (shape.shared_words > 0 && layer.IsRun()) std::fill(bytes.begin(), bytes.end(), uint8_t{1});
  if (shape.beat_words == 0) return bytes;

  const std::vector<Lanes> beats = BeatsOf(layer, config);
  assert(static_cast<int>(beats.size()) == shape.beats);
  const size_t taps = static_cast<size_t>(layer.kernel_h) * static_cast<size_t>(layer.kernel_w) *
                      (layer.kind == LayerKind::kDense ? layer.in.extent.c : 1);
  const auto n = static_cast<size_t>(config.n);
  const auto outs = static_cast<size_t>(channels);
  uint8_t* block = bytes.data();
  for (size_t first = 0; first < outs; first += n) {
    const size_t count = std::min(n, outs - first);
    uint8_t* at = block;
    for (const Lanes& lanes : beats) {
      for (size_t k = 0; k < lanes.size(); ++k) {
        if (lanes[k] < 0) continue;
        const auto tap = static_cast<size_t>(lanes[k]);
        for (size_t i = 0; i < count; ++i) {
          const size_t from =
              layer.kind == LayerKind::kDense ? (first + i) * taps + tap : tap * outs + first + i;
          at[k * n + i] = static_cast<uint8_t>(layer.weights[from]);
        }
      }
      at += lanes.size() * n;
    }
    if (shape.param_words > 0) {
      const size_t part =
          static_cast<size_t>(config.param_words(true)) * static_cast<size_t>(config.weight_word);
      for (size_t i = 0; i < count; ++i) {
        if (!layer.bias.empty()) PutInt32(at + 4 * i, layer.bias[first + i]);
        if (layer.per_tensor()) continue;
        PutInt32(at + part + 4 * i, layer.multipliers[first + i].m);
        at[2 * part + i] = static_cast<uint8_t>(layer.multipliers[first + i].shift);
      }
    }
    block += shape.block_words() * config.weight_word;
  }
  return bytes;
}

}  // namespace weft::compile
