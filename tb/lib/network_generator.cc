// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/network_generator.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "tb/lib/seed.h"
#include "weft/graph.h"

namespace weft::testing {
namespace {

// Products of one layer: what keeps a network within some milliseconds of every engine.
constexpr int64_t kMostProducts = 3'000'000;
constexpr int64_t kMostWeights = 60'000;
// Commands hold rows in 16 signed bits.
constexpr int kMostRows = 30'000;

struct Shape {
  int h = 1, w = 1, c = 1;
  int64_t bytes() const { return int64_t{h} * w * c; }
  bool operator==(const Shape&) const = default;
};

class Generator {
 public:
  Generator(const HardwareConfig& config, uint64_t seed)
      : config_(config), rng_(Rng::Fixed(seed)), seed_(seed) {}

  LayerTester Generate() {
    const bool large = rng_.Chance(ChanceOfLarge());
    Settings();
    if (rng_.Chance(0.06)) {
      Rows(large);
    } else {
      Images(large);
    }
    if (rng_.Chance(0.15)) tester_.FloatOutput();
    return std::move(tester_);
  }

 private:
  int Int(int64_t low, int64_t high) { return static_cast<int>(rng_.Int(low, high)); }

  // Networks around the size of the scratchpad; rare where that takes long.
  double ChanceOfLarge() const {
    if (config_.scratchpad <= 32 << 10) return 0.8;
    if (config_.scratchpad <= 128 << 10) return 0.65;
    return config_.scratchpad <= 256 << 10 ? 0.4 : 0.08;
  }

  void Settings() {
    tester_.Config(std::string(config_.name)).Seed(seed_);
    if (rng_.Chance(0.5)) tester_.Rounding(Rounding::kSingle);
    if (rng_.Chance(0.4)) tester_.Extreme();
    if (rng_.Chance(0.25)) tester_.Ties();
    if (rng_.Chance(0.12)) tester_.FloatInput();
  }

  // Around multiples of K and N, mostly.
  int Channels(int limit) {
    int c = 1;
    const double kind = rng_.Real();
    if (kind < 0.5) {
      c = rng_.Pick<int>({config_.k, config_.n}) * Int(1, 3) + Int(-1, 1);
    } else if (kind < 0.85) {
      c = Int(1, 40);
    } else {
      c = Int(1, 300);
    }
    return std::clamp(c, 1, std::max(1, limit));
  }

  int Side(int limit) {
    const double kind = rng_.Real();
    if (kind < 0.1) return 1;
    if (kind < 0.2) return std::clamp(config_.stripe + Int(-1, 1), 1, limit);
    return Int(1, std::max(1, limit));
  }

  Activation RandomActivation() {
    return rng_.Pick<Activation>({Activation::kNone, Activation::kNone, Activation::kRelu,
                                  Activation::kRelu6, Activation::kReluN1To1});
  }

  // ---- rank 2 ----

  void Rows(bool large) {
    int rows = rng_.Chance(0.4) ? 1 : Int(2, 20);
    int size = rng_.Chance(0.2) ? Int(300, 1500) : Channels(300);
    if (large) {
      rows = std::clamp(static_cast<int>(config_.scratchpad * rng_.Real() / size), 1, kMostRows);
    }
    tester_.InputRows(rows, size);
    for (int i = Int(1, 4); i > 0; --i) {
      switch (Int(0, 4)) {
        case 0:
        case 1:
          size = FullyConnected(rows, size);
          break;
        case 2:
          Requantise();
          break;
        case 3:
          tester_.AddInput().Fused(RandomActivation());
          break;
        default:
          tester_.Softmax();
          break;
      }
    }
  }

  int FullyConnected(int rows, int64_t depth) {
    const int64_t limit = std::min(kMostWeights / depth, kMostProducts / (depth * rows));
    const int outs = std::max(1, std::min(Channels(300), static_cast<int>(limit)));
    tester_.FullyConnected().Channels(outs).Fused(RandomActivation());
    if (rng_.Chance(0.6)) tester_.PerTensor();
    if (rng_.Chance(0.2)) tester_.NoBias();
    return outs;
  }

  void Requantise() {
    if (rng_.Chance(0.4)) {
      tester_.Quantize();
    } else {
      tester_.StandAlone(
          rng_.Pick<Activation>({Activation::kRelu, Activation::kRelu6, Activation::kReluN1To1}));
    }
  }

  // ---- rank 4 ----

  void Images(bool large) {
    Shape shape;
    shape.c = Channels(300);
    int expansion = 1;  // of the channels by the first layer of a bottleneck
    if (large) {
      const double bytes = config_.scratchpad * (0.4 + 1.4 * rng_.Real());
      if (rng_.Chance(0.3)) {
        shape.c = Int(1, std::max<int64_t>(1, std::min<int64_t>(12, kMostProducts / bytes)));
        expansion = Int(2, 8);
      }
      const int pixels = std::max(1, static_cast<int>(bytes / (shape.c * expansion)));
      shape.w = std::min(pixels, rng_.Chance(0.1) ? pixels : Int(1, 90));
      shape.h = std::clamp(pixels / shape.w, 1, kMostRows);
    } else {
      shape.h = Side(22);
      shape.w = Side(26);
      shape.c = std::min(shape.c, std::max(1, 12000 / (shape.h * shape.w)));
    }
    images_ = rng_.Chance(0.1) ? Int(2, 3) : 1;
    tester_.Input(shape.h, shape.w, shape.c);
    if (images_ > 1) tester_.Batch(images_);
    shapes_ = {shape};
    if (expansion > 1) Bottleneck(expansion);
    const int layers = large ? Int(1, 5) : Int(1, 9);
    for (int i = 0; i < layers; ++i) {
      if (rng_.Chance(0.1)) {
        Residual();
      } else {
        Operator();
      }
      if (i + 1 < layers && rng_.Chance(0.08)) tester_.Output();
    }
    shape = shapes_.back();
    if (shape.bytes() <= 4000 && rng_.Chance(0.3)) {
      FullyConnected(images_, shape.bytes());
      if (rng_.Chance(0.4)) tester_.Softmax();
    }
  }

  // A convolution that keeps the shape, and the addition that joins it.
  void Residual() {
    const int from = static_cast<int>(shapes_.size()) - 1;
    shape_ = shapes_.back();
    const int64_t products = 9 * shape_.bytes() * shape_.c * images_;
    const int side = products > kMostProducts || 9 * shape_.c * shape_.c > kMostWeights ? 1 : 3;
    if (side * side * shape_.bytes() * shape_.c * images_ > kMostProducts || rng_.Chance(0.4)) {
      tester_.Depthwise(3, 3);
    } else {
      tester_.Conv(side, side).Channels(shape_.c);
    }
    tester_.Same().Fused(RandomActivation());
    shapes_.push_back(shape_);
    switch (Int(0, 3)) {
      case 0:
        tester_.AddInput();
        break;
      case 1:
        tester_.AddConstant();
        break;
      default:
        tester_.AddStep(from);
        break;
    }
    if (rng_.Chance(0.5)) tester_.Swapped();
    tester_.Fused(RandomActivation());
    shapes_.push_back(shape_);
  }

  // An inverted bottleneck, of which the middle is as large as the scratchpad: expand, filter each
  // channel, project.
  void Bottleneck(int expansion) {
    shape_ = shapes_.back();
    shape_.c *= expansion;
    tester_.Conv(1, 1).Channels(shape_.c).Fused(RandomActivation());
    shapes_.push_back(shape_);
    Depthwise();
    shapes_.push_back(shape_);
    if (rng_.Chance(0.2)) return;
    shape_.c = rng_.Chance(0.5) ? shapes_[shapes_.size() - 3].c : Int(1, 12);
    tester_.Conv(1, 1).Channels(shape_.c).Fused(RandomActivation());
    shapes_.push_back(shape_);
  }

  // Adds a step; it works on the result before or, at times, on an earlier one: a branch.
  void Operator() {
    int from = static_cast<int>(shapes_.size()) - 1;
    if (from > 0 && rng_.Chance(0.12)) from = Int(0, from - 1);
    shape_ = shapes_[static_cast<size_t>(from)];
    const double kind = rng_.Real();
    if (kind < 0.34) {
      Depthwise();
    } else if (kind < 0.60) {
      Convolution();
    } else if (kind < 0.72) {
      Pool();
    } else if (kind < 0.83) {
      Addition(from);
    } else if (kind < 0.89) {
      Pad();
    } else if (kind < 0.95) {
      Requantise();
    } else if (kind < 0.97) {
      tester_.Softmax();
    } else {
      View();
    }
    if (from + 1 < static_cast<int>(shapes_.size())) tester_.From(from);
    shapes_.push_back(shape_);
  }

  struct Window {
    int kernel_h = 1, kernel_w = 1, dilation_h = 1, dilation_w = 1;
    int rows() const { return (kernel_h - 1) * dilation_h + 1; }
    int columns() const { return (kernel_w - 1) * dilation_w + 1; }
  };

  Window RandomWindow(double dilated) {
    Window window;
    const double kind = rng_.Real();
    if (kind < 0.4) {
      window.kernel_h = window.kernel_w = 3;
    } else if (kind < 0.8) {
      window.kernel_h = Int(1, 7);
      window.kernel_w = Int(1, 7);
    }
    if (rng_.Chance(dilated)) {
      window.dilation_h = Int(1, 3);
      window.dilation_w = Int(1, 3);
    }
    return window;
  }

  // Stride and padding of the last step; moves shape_ to the output's height and width.
  void PlaceWindow(const Window& window) {
    const auto stride = [&] { return rng_.Chance(0.65) ? 1 : Int(1, 4); };
    const int stride_h = stride(), stride_w = rng_.Chance(0.7) ? stride_h : stride();
    tester_.Stride(stride_h, stride_w);
    if (window.dilation_h > 1 || window.dilation_w > 1) {
      tester_.Dilation(window.dilation_h, window.dilation_w);
    }
    const bool fits = window.rows() <= shape_.h && window.columns() <= shape_.w;
    if (rng_.Chance(0.4)) {
      tester_.Same();
      shape_.h = (shape_.h + stride_h - 1) / stride_h;
      shape_.w = (shape_.w + stride_w - 1) / stride_w;
      return;
    }
    Padding2D pads;
    if (!fits || rng_.Chance(0.6)) {
      RandomPads(window.rows(), shape_.h, pads.top, pads.bottom);
      RandomPads(window.columns(), shape_.w, pads.left, pads.right);
      tester_.Padding(pads.top, pads.bottom, pads.left, pads.right);
    }
    shape_.h = (shape_.h + pads.top + pads.bottom - window.rows()) / stride_h + 1;
    shape_.w = (shape_.w + pads.left + pads.right - window.columns()) / stride_w + 1;
  }

  // Less than the window each, and enough that the window fits. A window larger than that allows
  // does not occur: size + 2 * (window - 1) >= window.
  void RandomPads(int window, int size, int& before, int& after) {
    before = Int(0, window - 1);
    after = Int(std::max(0, window - size - before), window - 1);
    if (rng_.Chance(0.5)) std::swap(before, after);
  }

  void Convolution() {
    Window window = rng_.Chance(0.3) ? Window{} : RandomWindow(0.08);
    if (Cost(window, shape_.c) > kMostWeights) window = {};
    const int64_t depth = Cost(window, shape_.c);
    const int64_t pixels = int64_t{shape_.h} * shape_.w * images_;
    const int64_t limit =
        std::min(kMostWeights / depth, std::max<int64_t>(1, kMostProducts / (depth * pixels)));
    const int outs = Channels(static_cast<int>(std::max<int64_t>(1, limit)));
    tester_.Conv(window.kernel_h, window.kernel_w).Channels(outs).Fused(RandomActivation());
    PlaceWindow(window);
    shape_.c = outs;
    if (rng_.Chance(0.2)) tester_.PerTensor();
    if (rng_.Chance(0.15)) tester_.NoBias();
  }
  static int64_t Cost(const Window& window, int64_t channels) {
    return window.kernel_h * window.kernel_w * channels;
  }

  void Depthwise() {
    Window window = RandomWindow(0.06);
    if (rng_.Chance(0.05)) window = {10, 4, 1, 1};
    if (Cost(window, shape_.bytes() * images_) > kMostProducts) window = {3, 3, 1, 1};
    tester_.Depthwise(window.kernel_h, window.kernel_w).Fused(RandomActivation());
    // A multiplier makes it a dense convolution over all input channels.
    const bool small = Cost(window, shape_.bytes() * shape_.c) < kMostProducts / 8;
    if (shape_.c <= 12 && small && rng_.Chance(0.12)) {
      const int multiplier = Int(2, 8);
      tester_.Multiplier(multiplier);
      shape_.c *= multiplier;
    }
    PlaceWindow(window);
    if (rng_.Chance(0.2)) tester_.PerTensor();
    if (rng_.Chance(0.15)) tester_.NoBias();
  }

  void Pool() {
    Window window = RandomWindow(0);
    if (shape_.h * shape_.w <= 400 && rng_.Chance(0.1)) window = {shape_.h, shape_.w, 1, 1};
    if (Cost(window, shape_.bytes() * images_) > kMostProducts) window = {2, 2, 1, 1};
    if (rng_.Chance(0.5)) {
      tester_.AveragePool(window.kernel_h, window.kernel_w);
    } else {
      tester_.MaxPool(window.kernel_h, window.kernel_w);
    }
    tester_.Fused(RandomActivation());
    PlaceWindow(window);
  }

  // With an earlier result of the shape, else with itself, another input, or a constant.
  void Addition(int from) {
    std::vector<int> same;
    for (size_t i = 0; i < shapes_.size(); ++i) {
      if (shapes_[i] == shape_ && static_cast<int>(i) != from) same.push_back(static_cast<int>(i));
    }
    if (!same.empty() && rng_.Chance(0.75)) {
      tester_.AddStep(rng_.Pick(same));
    } else if (rng_.Chance(0.3)) {
      tester_.AddStep(from);
    } else if (rng_.Chance(0.5)) {
      tester_.AddInput();
    } else {
      tester_.AddConstant();
    }
    if (rng_.Chance(0.5)) tester_.Swapped();
    tester_.Fused(RandomActivation());
  }

  void Pad() {
    if (rng_.Chance(0.2) && shape_.c < 280) {
      const int before = Int(0, 9), after = Int(before == 0 ? 1 : 0, 9);
      tester_.PadChannels(before, after);
      shape_.c += before + after;
    } else {
      const int top = Int(0, 3), bottom = Int(0, 3), left = Int(0, 3), right = Int(0, 3);
      tester_.Pad(top, bottom, left, right);
      shape_.h += top + bottom;
      shape_.w += left + right;
    }
    if (rng_.Chance(0.3)) tester_.PadValue(Int(-128, 127));
  }

  void View() {
    Shape next = shape_;
    switch (Int(0, 2)) {
      case 0:
        next = {1, shape_.h * shape_.w, shape_.c};
        break;
      case 1:
        if (shape_.h % 2 == 0) next = {shape_.h / 2, shape_.w * 2, shape_.c};
        break;
      default:
        if (shape_.w % 2 == 0 && shape_.c <= 150) next = {shape_.h, shape_.w / 2, shape_.c * 2};
        break;
    }
    const std::vector<int> shape = {images_, next.h, next.w, next.c};
    switch (Int(0, 2)) {
      case 0:
        tester_.Reshape(shape);
        break;
      case 1:
        tester_.Squeeze(shape);
        break;
      default:
        tester_.ExpandDims(shape);
        break;
    }
    shape_ = next;
  }

  const HardwareConfig& config_;
  Rng rng_;
  const uint64_t seed_;
  LayerTester tester_;
  int images_ = 1;
  std::vector<Shape> shapes_;  // by step; step 0 is the input
  Shape shape_;                // of the step being added: first its input, then its output
};

}  // namespace

LayerTester RandomNetwork(const HardwareConfig& config, uint64_t seed) {
  return Generator(config, seed).Generate();
}

}  // namespace weft::testing
