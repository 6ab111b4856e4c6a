// SPDX-License-Identifier: Apache-2.0
//
// Whole layers through the compiler on every device and configuration, bit for bit against the
// golden reference: random shapes that are multiples of nothing, corners, rounding ties, tensors
// larger than the scratchpad, long chains.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tb/lib/layer_tester.h"
#include "tb/lib/seed.h"

namespace weft::testing {
namespace {

using ::testing::HasSubstr;

struct Case {
  DeviceKind device;
  std::string config;
  int index;
};

std::string CaseName(const ::testing::TestParamInfo<Case>& info) {
  return fmt::format("{}_{}", info.param.config, info.param.index);
}

// `count` cases on each configuration.
std::vector<Case> Cases(DeviceKind device, int weft64, int weft256, int weft1024) {
  std::vector<Case> cases;
  for (const auto& [config, count] : {std::pair{"weft64", weft64}, std::pair{"weft256", weft256},
                                      std::pair{"weft1024", weft1024}}) {
    for (int i = 0; i < count; ++i) cases.push_back({device, config, i});
  }
  return cases;
}

class LayerTest : public ::testing::TestWithParam<Case> {
 protected:
  // Settings that every random layer draws: configuration, rounding, numbers, seed.
  LayerTester& Finish(LayerTester& tester) {
    if (rng_.Chance(0.4)) tester.Extreme();
    if (rng_.Chance(0.4)) tester.Rounding(Rounding::kSingle);
    return tester.Config(GetParam().config).Seed(rng_.Bits() % 1000000);
  }
  void FinishAndRun(LayerTester& tester) { Finish(tester).Run(GetParam().device); }
  // A layer whose numbers are all given.
  std::vector<int8_t> RunAsGiven(LayerTester tester) {
    return tester.Config(GetParam().config).Run(GetParam().device);
  }

  int Int(int low, int high) { return static_cast<int>(rng_.Int(low, high)); }

  Activation RandomActivation() {
    return rng_.Pick<Activation>({Activation::kNone, Activation::kNone, Activation::kRelu,
                                  Activation::kRelu6, Activation::kReluN1To1});
  }

  // A window of the last step that fits `h` x `w`; padding SAME, VALID or any.
  struct Window {
    int kernel_h, kernel_w, dilation_h, dilation_w;
  };
  void PlaceWindow(LayerTester& tester, const Window& window, int h, int w, int max_stride = 4) {
    tester.Stride(Int(1, max_stride), Int(1, max_stride));
    const int rows = (window.kernel_h - 1) * window.dilation_h + 1;
    const int columns = (window.kernel_w - 1) * window.dilation_w + 1;
    const bool fits = rows <= h && columns <= w;
    const double kind = rng_.Real();
    if (kind < 0.3) {
      tester.Same();
    } else if (kind < 0.55 && fits) {
      return;  // VALID
    } else {
      const auto pads = [&](int window_size, int size) {
        std::pair<int, int> pad = {Int(0, window_size - 1), Int(0, window_size - 1)};
        while (size + pad.first + pad.second < window_size) {
          pad = {Int(0, window_size - 1), Int(0, window_size - 1)};
        }
        return pad;
      };
      const auto [top, bottom] = pads(rows, h);
      const auto [left, right] = pads(columns, w);
      tester.Padding(top, bottom, left, right);
    }
  }

  // Height or width of an image that works with a window of this size and SAME or padding.
  int RandomSize(int window, int limit) { return Int((window + 1) / 2, std::max(window, limit)); }

  Rng rng_;
};

// ---- random layers, a suite an operator ----

class Conv2DLayers : public LayerTest {};
TEST_P(Conv2DLayers, Random) {
  const int side = Int(1, 3);
  Window window = {side, side, 1, 1};
  if (rng_.Chance(0.5)) window = {Int(1, 11), Int(1, 11), 1, 1};
  if (rng_.Chance(0.1)) window.dilation_h = Int(1, 3), window.dilation_w = Int(1, 3);
  const int rows = (window.kernel_h - 1) * window.dilation_h + 1;
  const int columns = (window.kernel_w - 1) * window.dilation_w + 1;
  const int h = RandomSize(rows, 20), w = RandomSize(columns, 24);
  // Fewer channels for large windows: time goes into shapes, not into products.
  const int limit = window.kernel_h * window.kernel_w > 25 ? 20 : 70;
  LayerTester tester;
  tester.Input(h, w, Int(1, limit)).Conv(window.kernel_h, window.kernel_w).Channels(Int(1, 70));
  if (window.dilation_h > 1 || window.dilation_w > 1) {
    tester.Dilation(window.dilation_h, window.dilation_w);
  }
  PlaceWindow(tester, window, h, w);
  tester.Fused(RandomActivation());
  if (rng_.Chance(0.2)) tester.PerTensor();
  if (rng_.Chance(0.15)) tester.NoBias();
  if (rng_.Chance(0.15)) tester.Batch(Int(2, 3));
  FinishAndRun(tester);
}

class DepthwiseLayers : public LayerTest {};
TEST_P(DepthwiseLayers, Random) {
  Window window = {3, 3, 1, 1};
  if (rng_.Chance(0.5)) window = {Int(1, 7), Int(1, 7), 1, 1};
  if (rng_.Chance(0.15)) window = {10, 4, 1, 1};
  if (rng_.Chance(0.1)) window.dilation_h = window.dilation_w = 2;
  const int rows = (window.kernel_h - 1) * window.dilation_h + 1;
  const int columns = (window.kernel_w - 1) * window.dilation_w + 1;
  const int h = RandomSize(rows, 24), w = RandomSize(columns, 28);
  const int multiplier = rng_.Pick<int>({1, 1, 1, 2, 8});
  LayerTester tester;
  tester.Input(h, w, Int(1, multiplier == 1 ? 70 : 11)).Depthwise(window.kernel_h, window.kernel_w);
  if (multiplier > 1) tester.Multiplier(multiplier);
  if (window.dilation_h > 1) tester.Dilation(window.dilation_h, window.dilation_w);
  PlaceWindow(tester, window, h, w);
  tester.Fused(RandomActivation());
  if (rng_.Chance(0.2)) tester.PerTensor();
  if (rng_.Chance(0.15)) tester.NoBias();
  if (rng_.Chance(0.15)) tester.Batch(2);
  FinishAndRun(tester);
}

class FullyConnectedLayers : public LayerTest {};
TEST_P(FullyConnectedLayers, Random) {
  LayerTester tester;
  if (rng_.Chance(0.2)) {
    tester.Input(Int(1, 6), Int(1, 6), Int(1, 20)).Batch(Int(1, 2));
  } else {
    tester.InputRows(rng_.Chance(0.6) ? 1 : Int(2, 9), Int(1, 700));
  }
  tester.FullyConnected().Channels(Int(1, 150)).Fused(RandomActivation());
  if (rng_.Chance(0.6)) tester.PerTensor();
  if (rng_.Chance(0.2)) tester.NoBias();
  FinishAndRun(tester);
}

class PoolLayers : public LayerTest {};
TEST_P(PoolLayers, Random) {
  Window window = {Int(1, 4), Int(1, 4), 1, 1};
  if (rng_.Chance(0.2)) window = {Int(1, 9), Int(1, 9), 1, 1};
  const bool global = rng_.Chance(0.15);
  const int h = global ? Int(1, 14) : RandomSize(window.kernel_h, 20);
  const int w = global ? Int(1, 14) : RandomSize(window.kernel_w, 24);
  if (global) window = {h, w, 1, 1};
  LayerTester tester;
  tester.Input(h, w, Int(1, 70));
  if (rng_.Chance(0.55)) {
    tester.AveragePool(window.kernel_h, window.kernel_w);
  } else {
    tester.MaxPool(window.kernel_h, window.kernel_w);
  }
  if (!global) PlaceWindow(tester, window, h, w);
  tester.Fused(RandomActivation());
  if (rng_.Chance(0.15)) tester.Batch(2);
  FinishAndRun(tester);
}

class AddLayers : public LayerTest {};
TEST_P(AddLayers, Random) {
  const int h = Int(1, 14), w = Int(1, 14), c = Int(1, 70);
  LayerTester tester;
  tester.Input(h, w, c);
  if (rng_.Chance(0.15)) tester.Batch(2);
  switch (Int(0, 8)) {
    case 0:
      tester.AddInput();
      break;
    case 1:
      tester.AddConstant();
      break;
    case 2:  // fused after a convolution
      tester.Conv(3, 3).Same().Channels(c).Fused(RandomActivation()).AddStep(0);
      break;
    case 3:  // fused after a depthwise convolution
      tester.Depthwise(3, 3).Same().Fused(RandomActivation()).AddStep(0);
      break;
    case 4:  // two convolutions, one of which takes the addition
      tester.Conv(1, 1).Channels(c).Conv(3, 3).Same().Channels(c).From(0).AddStep(1);
      break;
    case 5:  // fused, with an operand that is in memory
      tester.Conv(3, 3).Same().Channels(c);
      if (rng_.Chance(0.5)) {
        tester.AddInput();
      } else {
        tester.AddConstant();
      }
      break;
    case 6:  // cannot be fused: the convolution's own result is wanted too
      tester.Conv(3, 3).Same().Channels(c).Output().AddStep(0);
      break;
    case 7:  // two additions in a row, on the same convolution
      tester.Conv(1, 1).Channels(c).AddStep(0).AddInput();
      break;
    default:  // a tensor with itself
      tester.AddStep(0);
      break;
  }
  if (rng_.Chance(0.5)) tester.Swapped();
  tester.Fused(RandomActivation());
  FinishAndRun(tester);
}

class PadLayers : public LayerTest {};
TEST_P(PadLayers, Random) {
  const int h = Int(1, 14), w = Int(1, 14), c = Int(1, 70);
  LayerTester tester;
  tester.Input(h, w, c);
  if (rng_.Chance(0.15)) tester.Batch(2);
  const auto pad = [&] { tester.Pad(Int(0, 4), Int(0, 4), Int(0, 4), Int(0, 4)); };
  switch (Int(0, 5)) {
    case 0:  // alone
      pad();
      break;
    case 1:  // with a value of its own
      pad();
      tester.PadValue(Int(-128, 127));
      break;
    case 2:
      tester.PadChannels(Int(0, 9), Int(1, 9));
      if (rng_.Chance(0.5)) tester.PadValue(Int(-128, 127));
      break;
    case 3:  // folds into the convolution
      tester.Pad(Int(1, 3), Int(1, 3), Int(1, 3), Int(1, 3))
          .Conv(3, 3)
          .Stride(Int(1, 2), Int(1, 2))
          .Channels(Int(1, 40));
      break;
    case 4:  // folds into the depthwise convolution
      tester.Pad(Int(1, 3), Int(1, 3), Int(1, 3), Int(1, 3)).Depthwise(3, 3).Stride(2, 2);
      break;
    default:  // two readers: cannot fold
      tester.Pad(1, 1, 1, 1).Conv(3, 3).Channels(Int(1, 30)).Output().MaxPool(3, 3).From(1);
      break;
  }
  FinishAndRun(tester);
}

class SoftmaxLayers : public LayerTest {};
TEST_P(SoftmaxLayers, Random) {
  LayerTester tester;
  const int classes = rng_.Chance(0.2) ? Int(500, 1001) : Int(1, 130);
  if (rng_.Chance(0.3)) {
    tester.Input(Int(1, 5), Int(1, 5), classes).Batch(Int(1, 2));
  } else {
    tester.InputRows(rng_.Chance(0.5) ? 1 : Int(2, 12), classes);
  }
  tester.Softmax();
  if (rng_.Chance(0.3)) tester.Beta(0.25f * static_cast<float>(Int(1, 20)));
  FinishAndRun(tester);
}

class RequantizeLayers : public LayerTest {};
TEST_P(RequantizeLayers, Random) {
  LayerTester tester;
  if (rng_.Chance(0.3)) {
    tester.InputRows(Int(1, 9), Int(1, 300));
  } else {
    tester.Input(Int(1, 16), Int(1, 16), Int(1, 70)).Batch(Int(1, 2));
  }
  if (rng_.Chance(0.4)) {
    tester.Quantize();
  } else {
    tester.StandAlone(
        rng_.Pick<Activation>({Activation::kRelu, Activation::kRelu6, Activation::kReluN1To1}));
  }
  FinishAndRun(tester);
}

// Views between operators, some of which change what a row is.
class ViewLayers : public LayerTest {};
TEST_P(ViewLayers, Random) {
  const int h = Int(1, 6) * 2, w = Int(1, 9), c = Int(1, 20), outs = Int(1, 30);
  LayerTester tester;
  tester.Input(h, w, c).Conv(1, 1).Channels(outs);
  switch (Int(0, 4)) {
    case 0:  // flatten
      tester.Reshape({1, h * w * outs}).FullyConnected().Channels(Int(1, 40)).PerTensor();
      break;
    case 1:  // pixels become rows
      tester.Reshape({h * w, outs}).Softmax();
      break;
    case 2:  // other rows
      tester.Reshape({1, h / 2, 2 * w, outs}).Conv(3, 3).Same().Channels(Int(1, 20));
      break;
    case 3:  // other channels
      tester.Reshape({1, h / 2, w, 2 * outs}).Depthwise(3, 3).Same();
      break;
    default:  // one after the other, read before and behind
      tester.Reshape({1, 1, h * w, outs}).Reshape({1, h, w, outs}).AddStep(1);
      break;
  }
  FinishAndRun(tester);
}

// Small layers that each wait for the one before; some results are read again much later.
class Chains : public LayerTest {};
TEST_P(Chains, Random) {
  const int length = Int(8, 30);
  int h = Int(3, 16), w = Int(3, 16);
  const int c = Int(1, 40);
  LayerTester tester;
  tester.Input(h, w, c);
  std::vector<int> same_shape = {0};  // steps of the shape h x w x c
  for (int step = 1; step <= length; ++step) {
    switch (Int(0, 7)) {
      case 0:
      case 1:
        tester.Conv(1, 1).Channels(c).Fused(RandomActivation());
        break;
      case 2:
        tester.Conv(3, 3).Same().Channels(c).Fused(RandomActivation());
        break;
      case 3:
        tester.Depthwise(3, 3).Same().Fused(RandomActivation());
        break;
      case 4:
        tester.AddStep(rng_.Pick(same_shape));
        if (rng_.Chance(0.5)) tester.Swapped();
        break;
      case 5:
        tester.StandAlone(Activation::kRelu6);
        break;
      case 6:
        tester.MaxPool(3, 3).Same();
        break;
      default:
        if (h > 4 && w > 4 && rng_.Chance(0.5)) {
          tester.AveragePool(2, 2).Stride(2, 2);
          h /= 2;
          w /= 2;
          same_shape.clear();
        } else {
          tester.AveragePool(3, 3).Same();
        }
        break;
    }
    same_shape.push_back(step);
  }
  FinishAndRun(tester);
}

// ---- corners ----

class Corners : public LayerTest {};

TEST_P(Corners, OnePixelOneChannel) {
  for (const int outs : {1, 8, 9, 33}) {
    RunAsGiven(LayerTester().Input(1, 1, 1).Conv(1, 1).Channels(outs).Seed(1));
  }
  RunAsGiven(LayerTester().Input(1, 1, 1).Depthwise(1, 1).Seed(2));
  RunAsGiven(LayerTester().Input(1, 1, 1).AddInput().Seed(3));
  RunAsGiven(LayerTester().Input(1, 1, 1).MaxPool(1, 1).Seed(4));
  RunAsGiven(LayerTester().InputRows(1, 1).FullyConnected().Seed(5));
  RunAsGiven(LayerTester().InputRows(1, 1).Softmax().Seed(6));
}

// Channel counts around the array's width and the scratchpad's word, on both sides.
TEST_P(Corners, ChannelsAroundTheArray) {
  const int n = ConfigNamed(GetParam().config).n;
  for (const int in : {n - 1, n, n + 1}) {
    for (const int out : {n - 1, n, n + 1, 2 * n}) {
      RunAsGiven(LayerTester().Input(5, 3, in).Conv(3, 3).Same().Channels(out).Seed(7));
    }
    RunAsGiven(LayerTester().Input(5, 3, in).Depthwise(3, 3).Same().Seed(8));
    RunAsGiven(LayerTester().Input(5, 3, in).MaxPool(2, 2).Seed(9));
    RunAsGiven(LayerTester().Input(5, 3, in).AddInput().Seed(10));
  }
}

// Depthwise layers that the compiler computes two pixels at a time, and ones beside them.
TEST_P(Corners, DepthwiseOfHalfTheArray) {
  const int half = ConfigNamed(GetParam().config).n / 2;
  int seed = 40;
  for (const int width : {2, 3, 4, 8, 22}) {
    for (const int rows : {1, 2, 3}) {
      RunAsGiven(LayerTester().Input(7, width, half).Depthwise(rows, 3).Same().Seed(++seed));
      RunAsGiven(
          LayerTester().Input(7, width + 2, half).Depthwise(rows, 3).Stride(2, 1).Seed(++seed));
    }
  }
  RunAsGiven(LayerTester().Input(1, 130, half).Depthwise(3, 3).Same().PerTensor().Seed(++seed));
  RunAsGiven(LayerTester().Input(9, 48, half).Depthwise(3, 3).Padding(2, 1, 2, 2).Seed(++seed));
}

// Images of one stripe, one pixel less and one more; of one row and of one column.
TEST_P(Corners, PixelsAroundTheStripe) {
  const int stripe = ConfigNamed(GetParam().config).stripe;
  for (const int pixels : {stripe - 1, stripe, stripe + 1, 2 * stripe + 1}) {
    RunAsGiven(LayerTester().Input(1, pixels, 9).Conv(1, 3).Same().Channels(10).Seed(11));
    RunAsGiven(LayerTester().Input(pixels, 1, 9).Conv(3, 1).Same().Channels(10).Seed(12));
    RunAsGiven(LayerTester().Input(1, pixels, 9).AddInput().Seed(13));
    RunAsGiven(LayerTester().Input(pixels, 1, 9).Depthwise(3, 3).Same().Seed(14));
    RunAsGiven(LayerTester().Input(1, pixels, 5).StandAlone(Activation::kRelu).Seed(15));
  }
}

TEST_P(Corners, WindowsLargerThanTheImage) {
  RunAsGiven(LayerTester().Input(2, 3, 5).Conv(7, 9).Same().Channels(6).Seed(16));
  RunAsGiven(LayerTester().Input(1, 1, 20).Conv(3, 3).Same().Channels(17).Seed(17));
  RunAsGiven(LayerTester().Input(2, 2, 19).Depthwise(7, 7).Same().Seed(18));
  RunAsGiven(LayerTester().Input(1, 3, 7).AveragePool(4, 5).Same().Seed(19));
  RunAsGiven(LayerTester().Input(3, 1, 7).MaxPool(5, 4).Padding(3, 2, 2, 1).Seed(20));
}

// A stride longer than the window leaves input unread; the last window ends at any place.
TEST_P(Corners, StridesLongerThanTheWindow) {
  RunAsGiven(LayerTester().Input(9, 10, 5).Conv(1, 1).Stride(4, 3).Channels(9).Seed(21));
  RunAsGiven(LayerTester().Input(9, 10, 5).Depthwise(2, 1).Stride(3, 4).Seed(22));
  RunAsGiven(LayerTester().Input(11, 9, 5).AveragePool(2, 2).Stride(3, 3).Seed(23));
}

// Half an accumulator range of products: 700 times 128 * 128 and more.
TEST_P(Corners, LargestProducts) {
  const std::vector<int8_t> low(4000, -128), high(4000, 127);
  for (const auto& [x, w] : {std::pair{low, low}, std::pair{high, low}, std::pair{low, high}}) {
    RunAsGiven(LayerTester()
                   .InputRows(1, 4000)
                   .InputQuant(0.5f, x[0] < 0 ? 127 : -128)
                   .InputValues(x)
                   .FullyConnected()
                   .PerTensor()
                   .Weights(w)
                   .Biases({1 << 29})
                   .WeightScales({1e-8f})
                   .OutputQuant(0.09f, 3));
  }
}

// The deepest reduction whose sums stay within int32; on weft64 it has more beats than a RUN holds.
TEST_P(Corners, LongestReductions) {
  RunAsGiven(LayerTester().InputRows(1, 33025).FullyConnected().Channels(5).Seed(27));
  RunAsGiven(LayerTester().Input(34, 35, 30).Conv(33, 33).Channels(3).Seed(28));
  RunAsGiven(LayerTester().Input(30, 33, 5).Depthwise(30, 31).Seed(29));
}

// Several graph outputs, one of which is also read by the next layer.
TEST_P(Corners, SeveralOutputs) {
  RunAsGiven(LayerTester()
                 .Input(6, 7, 5)
                 .Conv(3, 3)
                 .Same()
                 .Channels(11)
                 .Output()
                 .MaxPool(2, 2)
                 .Stride(2, 2)
                 .Output()
                 .Reshape({1, 99})
                 .FullyConnected()
                 .Channels(4)
                 .Seed(24));
}

// A graph output that is nothing but the input in another shape.
TEST_P(Corners, ViewOfTheInput) {
  RunAsGiven(LayerTester().Input(13, 9, 5).Reshape({1, 1, 117, 5}).Seed(48));
  RunAsGiven(LayerTester().Input(40, 9, 17).Batch(2).Reshape({2, 20, 18, 17}).Seed(49));
}

// More weight words than a ring position has values (16 bits), and several turns of the ring.
TEST_P(Corners, WeightsBeyondTheRingAndItsPositions) {
  const HardwareConfig& config = ConfigNamed(GetParam().config);
  const int outs = (70000 / 8 * config.weight_word + 7) * 8 / 4000;
  RunAsGiven(LayerTester().InputRows(1, 4000).FullyConnected().Channels(outs).PerTensor().Seed(25));
}

// More blocks than the 16-bit counts of waits hold, each waiting for one of the layer before.
TEST_P(Corners, BlocksBeyondTheirCounter) {
  const HardwareConfig& config = ConfigNamed(GetParam().config);
  const int channels = std::min(65000, config.scratchpad * 2 / 5);
  const int blocks = (channels + config.n - 1) / config.n;
  LayerTester tester;
  tester.Input(1, 1, channels).InputQuant(1, 0);
  for (int layer = 0; layer * blocks < 66000; ++layer) tester.Quantize().OutputQuant(1, layer % 3);
  RunAsGiven(tester.Seed(26));
}

// Rows that a stride skips stay until their layer's MARK, though nobody reads them: a constant for
// a later layer may lie there.
TEST_P(Corners, SkippedRowsStayUntilTheMark) {
  for (int seed = 49; seed < 59; ++seed) {
    RunAsGiven(LayerTester()
                   .Input(14, 8, 31)
                   .Depthwise(3, 3)
                   .Same()
                   .Conv(1, 1)
                   .Channels(10)
                   .Stride(4, 4)
                   .AddConstant()
                   .Conv(3, 3)
                   .Same()
                   .Channels(10)
                   .AddConstant()
                   .Seed(static_cast<uint64_t>(seed)));
  }
}

// ---- rounding ties ----

// What an exact value of x * multiplier / 2^bits is: a tie (of either sign) or not.
struct Ties {
  int positive = 0, negative = 0;
  void Count(int64_t product, int bits) {
    if (bits <= 0 || (product & ((int64_t{1} << bits) - 1)) != int64_t{1} << (bits - 1)) return;
    ++(product > 0 ? positive : negative);
  }
};

class RoundingTies : public LayerTest {
 protected:
  static void ExpectBoth(const Ties& ties) {
    EXPECT_GT(ties.positive, 0);
    EXPECT_GT(ties.negative, 0);
  }
};

// Every int8 value once.
std::vector<int8_t> AllValues() {
  std::vector<int8_t> values;
  for (int x = -128; x < 128; ++x) values.push_back(static_cast<int8_t>(x));
  return values;
}

// One input channel, weight one: the accumulators are x + bias. Scales are q * 2^-e with a small
// odd q, so that products fall on exact halves.
TEST_P(RoundingTies, OfConvolutionsInBothModes) {
  struct Scale {
    int q, exponent, q_bits;  // q in [2^(q_bits-1), 2^q_bits)
  };
  const std::vector<Scale> scales = {{1, 1, 1}, {1, 2, 1}, {1, 4, 1}, {3, 4, 2},
                                     {3, 5, 2}, {5, 6, 3}, {7, 7, 3}, {9, 7, 4}};
  const std::vector<int32_t> biases = {0, 1, -1, 2, 5, -7, 0, 3};
  std::vector<float> weight_scales;
  Ties exact, first_step, second_step;
  for (size_t o = 0; o < scales.size(); ++o) {
    const auto [q, exponent, q_bits] = scales[o];
    weight_scales.push_back(std::ldexp(static_cast<float>(q), -exponent));
    // numerics.md: factor = multiplier * 2^(shift - 31), the multiplier in [2^30, 2^31).
    const int64_t multiplier = int64_t{q} << (31 - q_bits);
    const int shift = q_bits - exponent;
    for (const int8_t x : AllValues()) {
      const int64_t product = (x + biases[o]) * multiplier;
      exact.Count(product, 31 - shift);
      first_step.Count(product << std::max(shift, 0), 31);
      const int64_t high = ((product << std::max(shift, 0)) + (int64_t{1} << 30)) >> 31;
      second_step.Count(high, -std::min(shift, 0));
    }
  }
  ExpectBoth(exact);
  ExpectBoth(first_step);
  ExpectBoth(second_step);

  std::vector<std::vector<int8_t>> conv, depthwise, rows;
  for (const Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
    conv.push_back(RunAsGiven(LayerTester()
                                  .Input(16, 16, 1)
                                  .InputQuant(1, 0)
                                  .InputValues(AllValues())
                                  .Conv(1, 1)
                                  .Channels(8)
                                  .Weights(std::vector<int8_t>(8, 1))
                                  .Biases(biases)
                                  .WeightScales(weight_scales)
                                  .OutputQuant(1, 0)
                                  .Rounding(rounding)));
    // The same numbers through the other two operators.
    std::vector<int8_t> repeated;
    for (const int8_t x : AllValues()) repeated.insert(repeated.end(), 8, x);
    depthwise.push_back(RunAsGiven(LayerTester()
                                       .Input(16, 16, 8)
                                       .InputQuant(1, 0)
                                       .InputValues(repeated)
                                       .Depthwise(1, 1)
                                       .Weights(std::vector<int8_t>(8, 1))
                                       .Biases(biases)
                                       .WeightScales(weight_scales)
                                       .OutputQuant(1, 0)
                                       .Rounding(rounding)));
    rows.push_back(RunAsGiven(LayerTester()
                                  .InputRows(256, 1)
                                  .InputQuant(1, 0)
                                  .InputValues(AllValues())
                                  .FullyConnected()
                                  .Channels(8)
                                  .Weights(std::vector<int8_t>(8, 1))
                                  .Biases(biases)
                                  .WeightScales(weight_scales)
                                  .OutputQuant(1, 0)
                                  .Rounding(rounding)));
  }
  EXPECT_NE(conv[0], conv[1]) << "the two modes are to differ here";
  EXPECT_EQ(conv, depthwise);
  EXPECT_EQ(conv, rows);
}

TEST_P(RoundingTies, OfStandAloneRequantisationInBothModes) {
  std::vector<std::vector<int8_t>> results;
  for (const Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
    for (const int exponent : {1, 2, 3}) {
      Ties ties;
      for (const int8_t x : AllValues()) ties.Count(x, exponent);
      ExpectBoth(ties);
      results.push_back(RunAsGiven(LayerTester()
                                       .Input(16, 16, 1)
                                       .InputQuant(1, 0)
                                       .InputValues(AllValues())
                                       .Quantize()
                                       .OutputQuant(std::ldexp(1.0f, exponent), 0)
                                       .Rounding(rounding)));
    }
  }
  EXPECT_EQ(results[0], results[3]) << "one half needs one rounding only";
  EXPECT_NE(results[1], results[4]);
  EXPECT_NE(results[2], results[5]);
}

// Equal scales: both operands are exact, and the sum divided by four meets ties.
TEST_P(RoundingTies, OfAdditionsInBothModes) {
  Ties ties;
  for (const int8_t x : AllValues()) ties.Count(2 * x, 2);
  ExpectBoth(ties);
  std::vector<std::vector<int8_t>> alone, fused;
  for (const Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
    alone.push_back(RunAsGiven(LayerTester()
                                   .Input(16, 16, 1)
                                   .InputQuant(1, 0)
                                   .InputValues(AllValues())
                                   .AddStep(0)
                                   .OutputQuant(4, 0)
                                   .Rounding(rounding)));
    fused.push_back(RunAsGiven(LayerTester()
                                   .Input(16, 16, 1)
                                   .InputQuant(1, 0)
                                   .InputValues(AllValues())
                                   .Conv(1, 1)
                                   .Weights({1})
                                   .Biases({0})
                                   .WeightScales({1})
                                   .OutputQuant(1, 0)
                                   .AddStep(0)
                                   .OutputQuant(4, 0)
                                   .Rounding(rounding)));
  }
  EXPECT_NE(alone[0], alone[1]) << "the two modes are to differ here";
  EXPECT_EQ(alone, fused);
}

// The product of the scales rounds to 1/16 in float32 (fully connected) and is a little less in
// double (convolution): only the former makes a tie of an accumulator of 8.
TEST_P(RoundingTies, DependOnTheTypeOfScaleProducts) {
  const float in = 1.0f + 0x1p-13f, weight = (1.0f - 0x1p-13f) / 16;
  ASSERT_EQ(in * weight, 1.0f / 16);
  ASSERT_LT(double{in} * double{weight}, 1.0 / 16);
  const auto numbers = [&](LayerTester tester) {
    return RunAsGiven(
        tester.Weights({1}).Biases({0}).WeightScales({weight}).OutputQuant(1, 0).Rounding(
            Rounding::kSingle));
  };
  const auto input = [&](LayerTester tester) { return tester.InputQuant(in, 0).InputValues({8}); };
  EXPECT_EQ(numbers(input(LayerTester().InputRows(1, 1)).FullyConnected()),
            (std::vector<int8_t>{1}));
  EXPECT_EQ(numbers(input(LayerTester().Input(1, 1, 1)).Conv(1, 1)), (std::vector<int8_t>{0}));
}

// Average pooling rounds halves away from zero, whatever the mode.
TEST_P(RoundingTies, OfAveragePooling) {
  for (const auto& [h, w] : {std::pair{1, 2}, std::pair{2, 2}, std::pair{2, 3}, std::pair{3, 4}}) {
    // A window a channel; its first element is the sum, the others add nothing.
    std::vector<int8_t> values;
    int positive = 0, negative = 0;
    for (int sum = -100; sum <= 100; ++sum) {
      values.push_back(static_cast<int8_t>(sum));
      const bool tie = 2 * sum % (h * w) == 0 && sum % (h * w) != 0;
      if (tie) ++(sum > 0 ? positive : negative);
    }
    EXPECT_GT(positive, 0);
    EXPECT_GT(negative, 0);
    const auto channels = static_cast<int>(values.size());
    values.resize(values.size() * static_cast<size_t>(h * w), 0);
    std::vector<std::vector<int8_t>> results;
    for (const Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
      results.push_back(RunAsGiven(LayerTester()
                                       .Input(h, w, channels)
                                       .InputValues(values)
                                       .AveragePool(h, w)
                                       .Rounding(rounding)));
    }
    EXPECT_EQ(results[0], results[1]);
  }
}

// ---- tensors larger than the scratchpad ----

// Every operator with input and output each larger than the scratchpad: they live in memory and
// go through in tiles, with the halo of the window.
class BeyondTheScratchpad : public LayerTest {
 protected:
  // Height of an image of this width and this many channels that does not fit.
  int Height(int w, int c) const { return ConfigNamed(GetParam().config).scratchpad / (w * c) + 3; }
  int c = ConfigNamed(GetParam().config).n + 3;
  int w = 61;
  int h = Height(w, c);
};

TEST_P(BeyondTheScratchpad, Convolution) {
  RunAsGiven(LayerTester().Input(h, w, c).Conv(3, 3).Same().Channels(c).Seed(31));
}
TEST_P(BeyondTheScratchpad, ConvolutionWithStride) {
  RunAsGiven(LayerTester().Input(h, w, c).Conv(5, 4).Stride(2, 3).Channels(2 * c).Seed(32));
}
TEST_P(BeyondTheScratchpad, WideRows) {
  RunAsGiven(LayerTester().Input(5, h * 13, c).Conv(3, 3).Same().Channels(c).Seed(33));
}
TEST_P(BeyondTheScratchpad, Depthwise) {
  RunAsGiven(LayerTester().Input(h, w, c).Depthwise(3, 3).Same().Seed(34));
}
TEST_P(BeyondTheScratchpad, DepthwiseWithStride) {
  RunAsGiven(
      LayerTester().Input(h, w, c).Depthwise(7, 5).Stride(2, 2).Padding(3, 1, 0, 4).Seed(35));
}
TEST_P(BeyondTheScratchpad, Pools) {
  RunAsGiven(LayerTester().Input(h, w, c).MaxPool(3, 3).Same().Seed(36));
  RunAsGiven(LayerTester().Input(h, w, c).AveragePool(3, 2).Same().Seed(37));
}
TEST_P(BeyondTheScratchpad, AdditionAlone) {
  RunAsGiven(LayerTester().Input(h, w, c).AddInput().Relu().Seed(39));
}
TEST_P(BeyondTheScratchpad, AdditionFused) {
  RunAsGiven(LayerTester().Input(h, w, c).Conv(1, 1).Channels(c).AddStep(0).Swapped().Seed(40));
}
TEST_P(BeyondTheScratchpad, PadAndRequantise) {
  RunAsGiven(LayerTester().Input(h, w, c).Pad(2, 1, 3, 0).Quantize().Seed(41));
}
TEST_P(BeyondTheScratchpad, RowsOfSoftmax) {
  RunAsGiven(LayerTester().InputRows(h * w / 16, c * 16).Softmax().Seed(42));
}
TEST_P(BeyondTheScratchpad, RowsOfFullyConnected) {
  RunAsGiven(LayerTester().InputRows(h * w / 8, c * 8).FullyConnected().Channels(c).Seed(43));
}
// A view with other rows needs rows of whole words in memory.
TEST_P(BeyondTheScratchpad, ViewOfOtherRows) {
  const int n = ConfigNamed(GetParam().config).n;
  const int rows = Height(w, n);
  RunAsGiven(LayerTester()
                 .Input(2 * rows, w, n)
                 .Depthwise(3, 3)
                 .Same()
                 .Reshape({1, rows, 2 * w, n})
                 .MaxPool(2, 2)
                 .Stride(2, 2)
                 .Seed(44));
}
// What does not go through in tiles is refused, with the operator and the reason.
TEST_P(BeyondTheScratchpad, WhatCannotBeCutIsRefused) {
  EXPECT_THAT(LayerTester().Input(h, w, c).AveragePool(h, w).Config(GetParam().config).Refusal(),
              HasSubstr("operator 0 (AVERAGE_POOL_2D), tensor 'step1': the inputs of not even one "
                        "output pixel fit"));
  EXPECT_THAT(LayerTester()
                  .Input(2 * h, w, c)
                  .Conv(1, 1)
                  .Channels(c)
                  .Reshape({1, h, 2 * w, c})
                  .MaxPool(2, 2)
                  .Config(GetParam().config)
                  .Refusal(),
              HasSubstr("operator 0 (CONV_2D), tensor 'step1': its rows of"));
  EXPECT_THAT(
      LayerTester().Input(h, w, c).Reshape({1, 1, h * w, c}).Config(GetParam().config).Refusal(),
      HasSubstr("its rows of"));
}
// Residual blocks: the skip is read long after it was made, and everything is in memory.
TEST_P(BeyondTheScratchpad, ResidualBlocks) {
  LayerTester tester;
  tester.Input(h, w, c);
  for (int block = 0; block < 3; ++block) {
    tester.Conv(1, 1).Channels(c).Relu6().Depthwise(3, 3).Same().Relu6().Conv(1, 1).Channels(c);
    tester.AddStep(4 * block);
  }
  RunAsGiven(tester.Seed(45));
}
// From a large image down to nothing: memory first, then the scratchpad.
TEST_P(BeyondTheScratchpad, Pyramid) {
  RunAsGiven(LayerTester()
                 .Input(h, w, c)
                 .Conv(3, 3)
                 .Stride(2, 2)
                 .Same()
                 .Channels(c)
                 .Relu()
                 .Depthwise(3, 3)
                 .Stride(2, 2)
                 .Same()
                 .Conv(1, 1)
                 .Channels(2 * c)
                 .MaxPool(2, 2)
                 .Stride(2, 2)
                 .Conv(3, 3)
                 .Stride(3, 3)
                 .Channels(7)
                 .Seed(46));
}

#define WEFT_INSTANTIATE(suite, functional, rtl)                                          \
  INSTANTIATE_TEST_SUITE_P(Functional, suite, ::testing::ValuesIn(functional), CaseName); \
  WEFT_INSTANTIATE_RTL(suite, rtl)
#if WEFT_WITH_RTL
#define WEFT_INSTANTIATE_RTL(suite, rtl) \
  INSTANTIATE_TEST_SUITE_P(Rtl, suite, ::testing::ValuesIn(rtl), CaseName)
#else
#define WEFT_INSTANTIATE_RTL(suite, rtl) static_assert(true)
#endif

constexpr DeviceKind kFunctional = DeviceKind::kFunctional;
[[maybe_unused]] constexpr DeviceKind kRtl = DeviceKind::kRtl;

WEFT_INSTANTIATE(Conv2DLayers, Cases(kFunctional, 80, 80, 40), Cases(kRtl, 25, 30, 10));
WEFT_INSTANTIATE(DepthwiseLayers, Cases(kFunctional, 60, 60, 30), Cases(kRtl, 20, 24, 8));
WEFT_INSTANTIATE(FullyConnectedLayers, Cases(kFunctional, 40, 40, 20), Cases(kRtl, 12, 16, 6));
WEFT_INSTANTIATE(PoolLayers, Cases(kFunctional, 50, 50, 25), Cases(kRtl, 15, 20, 8));
WEFT_INSTANTIATE(AddLayers, Cases(kFunctional, 50, 50, 25), Cases(kRtl, 15, 20, 8));
WEFT_INSTANTIATE(PadLayers, Cases(kFunctional, 40, 40, 20), Cases(kRtl, 12, 16, 6));
WEFT_INSTANTIATE(SoftmaxLayers, Cases(kFunctional, 30, 30, 15), Cases(kRtl, 8, 10, 4));
WEFT_INSTANTIATE(RequantizeLayers, Cases(kFunctional, 30, 30, 15), Cases(kRtl, 8, 10, 4));
WEFT_INSTANTIATE(ViewLayers, Cases(kFunctional, 30, 30, 15), Cases(kRtl, 8, 10, 4));
WEFT_INSTANTIATE(Chains, Cases(kFunctional, 30, 40, 20), Cases(kRtl, 10, 15, 4));
WEFT_INSTANTIATE(Corners, Cases(kFunctional, 1, 1, 1), Cases(kRtl, 1, 1, 1));
WEFT_INSTANTIATE(RoundingTies, Cases(kFunctional, 1, 1, 1), Cases(kRtl, 1, 1, 1));
WEFT_INSTANTIATE(BeyondTheScratchpad, Cases(kFunctional, 1, 1, 1), Cases(kRtl, 1, 0, 0));

}  // namespace
}  // namespace weft::testing
