// SPDX-License-Identifier: Apache-2.0
//
// The fast paths of convolution, depthwise convolution and fully connected layers against loops
// that follow the defining sums one product at a time, on random shapes, in both rounding modes.
#include <gtest/gtest.h>

#include "sim/reference/conv2d.h"
#include "sim/reference/depthwise_conv2d.h"
#include "sim/reference/exact_matmul.h"
#include "sim/reference/fully_connected.h"
#include "tb/lib/seed.h"

namespace weft::reference {
namespace {

int Pick(testing::Rng& rng, int low, int high) { return static_cast<int>(rng.Int(low, high)); }

// A stage whose outputs spread over int8 for sums of `depth` products.
OutputStage RandomStage(testing::Rng& rng, int channels, int depth) {
  OutputStage stage;
  const int spread = depth < 64 ? -8 : -11;
  for (int c = 0; c < channels; ++c) {
    stage.multipliers.push_back(
        {static_cast<int32_t>(rng.Int(1 << 30, INT32_MAX)), spread + Pick(rng, -2, 2)});
  }
  stage.output = {Pick(rng, -128, 127), {Pick(rng, -128, -60), Pick(rng, 60, 127)}};
  stage.rounding = rng.Chance(0.5) ? Rounding::kDouble : Rounding::kSingle;
  return stage;
}

std::vector<int32_t> RandomBias(testing::Rng& rng, int channels) {
  return rng.Chance(0.2) ? std::vector<int32_t>{}
                         : rng.Vector<int32_t>(static_cast<size_t>(channels), -20000, 20000);
}

// A window and the output extent it gives on an input of `in`, in one direction.
struct Extent {
  int kernel, stride, dilation, pad, in, out;
};

Extent RandomExtent(testing::Rng& rng) {
  Extent e;
  e.kernel = Pick(rng, 1, 5);
  e.stride = Pick(rng, 1, 3);
  e.dilation = Pick(rng, 1, 2);
  const int reach = (e.kernel - 1) * e.dilation;
  e.pad = Pick(rng, 0, reach);
  const int pad_after = Pick(rng, 0, reach);
  e.in = Pick(rng, 1, 12) + std::max(0, reach - e.pad - pad_after);
  e.out = (e.in + e.pad + pad_after - reach - 1) / e.stride + 1;
  return e;
}

Window ToWindow(const Extent& h, const Extent& w) {
  return {h.kernel, w.kernel, h.stride, w.stride, h.dilation, w.dilation, h.pad, w.pad};
}

TEST(ExactMatmul, WorstCaseOperandsStayExact) {
  // One element more than two slices, at the largest magnitudes, both signs.
  const int depth = 2 * kExactDepth + 1;
  FloatMatrix rows = FloatMatrix::Constant(2, depth, 255.0f);
  rows.row(1).setConstant(-255.0f);
  FloatMatrix columns = FloatMatrix::Constant(1, depth, 255.0f);
  columns(0, depth - 1) = 1.0f;
  const Int32Matrix product = ExactMatmul(rows, columns);
  const int32_t expected = (depth - 1) * 255 * 255 + 255;
  EXPECT_EQ(product(0, 0), expected);
  EXPECT_EQ(product(1, 0), -expected);
}

TEST(Conv2D, RandomShapesAgainstTheDefiningSum) {
  testing::Rng rng;
  for (int round = 0; round < 150; ++round) {
    const Extent h = RandomExtent(rng), w = RandomExtent(rng);
    const int batch = Pick(rng, 1, 3), in_channels = Pick(rng, 1, 40);
    const int out_channels = Pick(rng, 1, 40);
    Conv2DParams p;
    p.input = {batch, h.in, w.in, in_channels};
    p.output = {batch, h.out, w.out, out_channels};
    p.window = ToWindow(h, w);
    p.input_zero_point = Pick(rng, -128, 127);
    p.stage = RandomStage(rng, out_channels, h.kernel * w.kernel * in_channels);
    const auto input = rng.Vector<int8_t>(p.input.Count());
    const auto weights =
        rng.Vector<int8_t>(static_cast<size_t>(out_channels) * h.kernel * w.kernel * in_channels);
    const auto bias = RandomBias(rng, out_channels);
    std::vector<int8_t> output(p.output.Count()), expected(p.output.Count());
    Conv2D(p, input, weights, bias, output);

    size_t next = 0;
    for (int n = 0; n < batch; ++n) {
      for (int y = 0; y < h.out; ++y) {
        for (int x = 0; x < w.out; ++x) {
          for (int o = 0; o < out_channels; ++o) {
            int32_t sum = bias.empty() ? 0 : bias[o];
            for (int ky = 0; ky < h.kernel; ++ky) {
              for (int kx = 0; kx < w.kernel; ++kx) {
                const int iy = y * h.stride + ky * h.dilation - h.pad;
                const int ix = x * w.stride + kx * w.dilation - w.pad;
                if (iy < 0 || iy >= h.in || ix < 0 || ix >= w.in) continue;
                for (int c = 0; c < in_channels; ++c) {
                  const int value = input[((n * h.in + iy) * w.in + ix) * in_channels + c];
                  sum += (value - p.input_zero_point) *
                         weights[((o * h.kernel + ky) * w.kernel + kx) * in_channels + c];
                }
              }
            }
            expected[next++] = p.stage.Apply(sum, o);
          }
        }
      }
    }
    ASSERT_EQ(output, expected) << "round " << round;
  }
}

TEST(DepthwiseConv2D, RandomShapesAgainstTheDefiningSum) {
  testing::Rng rng;
  for (int round = 0; round < 150; ++round) {
    const Extent h = RandomExtent(rng), w = RandomExtent(rng);
    const int batch = Pick(rng, 1, 3), in_channels = Pick(rng, 1, 20);
    const int multiplier = rng.Chance(0.4) ? 1 : Pick(rng, 2, 8);
    const int out_channels = in_channels * multiplier;
    DepthwiseConv2DParams p;
    p.input = {batch, h.in, w.in, in_channels};
    p.output = {batch, h.out, w.out, out_channels};
    p.window = ToWindow(h, w);
    p.multiplier = multiplier;
    p.input_zero_point = Pick(rng, -128, 127);
    p.stage = RandomStage(rng, out_channels, h.kernel * w.kernel);
    const auto input = rng.Vector<int8_t>(p.input.Count());
    const auto weights =
        rng.Vector<int8_t>(static_cast<size_t>(out_channels) * h.kernel * w.kernel);
    const auto bias = RandomBias(rng, out_channels);
    std::vector<int8_t> output(p.output.Count()), expected(p.output.Count());
    DepthwiseConv2D(p, input, weights, bias, output);

    size_t next = 0;
    for (int n = 0; n < batch; ++n) {
      for (int y = 0; y < h.out; ++y) {
        for (int x = 0; x < w.out; ++x) {
          for (int o = 0; o < out_channels; ++o) {
            int32_t sum = bias.empty() ? 0 : bias[o];
            for (int ky = 0; ky < h.kernel; ++ky) {
              for (int kx = 0; kx < w.kernel; ++kx) {
                const int iy = y * h.stride + ky * h.dilation - h.pad;
                const int ix = x * w.stride + kx * w.dilation - w.pad;
                if (iy < 0 || iy >= h.in || ix < 0 || ix >= w.in) continue;
                const int value =
                    input[((n * h.in + iy) * w.in + ix) * in_channels + o / multiplier];
                sum +=
                    (value - p.input_zero_point) * weights[(ky * w.kernel + kx) * out_channels + o];
              }
            }
            expected[next++] = p.stage.Apply(sum, o);
          }
        }
      }
    }
    ASSERT_EQ(output, expected) << "round " << round;
  }
}

TEST(FullyConnected, RandomShapesAgainstTheDefiningSum) {
  testing::Rng rng;
  for (int round = 0; round < 100; ++round) {
    FullyConnectedParams p;
    p.batch = Pick(rng, 1, 5);
    p.depth = Pick(rng, 1, 1500);
    p.outputs = Pick(rng, 1, 30);
    p.input_zero_point = Pick(rng, -128, 127);
    p.weight_zero_point = rng.Chance(0.5) ? 0 : Pick(rng, -128, 127);
    p.stage = RandomStage(rng, rng.Chance(0.5) ? 1 : p.outputs, p.depth);
    const auto input = rng.Vector<int8_t>(static_cast<size_t>(p.batch) * p.depth);
    const auto weights = rng.Vector<int8_t>(static_cast<size_t>(p.outputs) * p.depth);
    const auto bias = RandomBias(rng, p.outputs);
    std::vector<int8_t> output(static_cast<size_t>(p.batch) * p.outputs);
    FullyConnected(p, input, weights, bias, output);
    for (int b = 0; b < p.batch; ++b) {
      for (int o = 0; o < p.outputs; ++o) {
        int32_t sum = bias.empty() ? 0 : bias[o];
        for (int i = 0; i < p.depth; ++i) {
          sum += (input[b * p.depth + i] - p.input_zero_point) *
                 (weights[o * p.depth + i] - p.weight_zero_point);
        }
        ASSERT_EQ(output[b * p.outputs + o], p.stage.Apply(sum, o)) << "round " << round;
      }
    }
  }
}

}  // namespace
}  // namespace weft::reference
