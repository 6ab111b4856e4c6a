// SPDX-License-Identifier: Apache-2.0
//
// Whole layers in one line: says what to build, builds it with random numbers, runs it through the
// compiler on a device, and compares every tensor that exists with the golden reference.
//
//   LayerTester().Input(13, 17, 5).Conv(3, 3).Stride(2, 2).Padding(1, 0, 1, 1).Channels(24).Relu6()
//       .Config("weft256").Seed(7).Run(DeviceKind::kFunctional);
//
// An operator works on the result of the one before (the first on the graph's input); what follows
// it up to the next operator describes it. Steps are counted from 1; step 0 is the graph's input.
// Weights, biases, scales, zero points and input bytes come from the seed unless they are given.
// A difference fails the test with the tensor, coordinate and values, this description, and the
// command that repeats it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tb/lib/devices.h"
#include "weft/graph.h"

namespace weft::testing {

class LayerTester {
 public:
  // ---- the graph's input ----

  LayerTester& Input(int height, int width, int channels);
  /// Rank 2: rows of `size` elements.
  LayerTester& InputRows(int rows, int size);
  /// Dimension 0 of a rank-4 input. Default 1.
  LayerTester& Batch(int images);
  LayerTester& InputQuant(float scale, int zero_point);
  LayerTester& InputValues(std::vector<int8_t> values);
  /// The host hands over floats, the first operator is QUANTIZE. Some lie on ties, beyond the ends
  /// of int8, or are no numbers.
  LayerTester& FloatInput();
  /// The last result is handed back as floats by DEQUANTIZE.
  LayerTester& FloatOutput();

  // ---- operators ----

  LayerTester& Conv(int kernel_h, int kernel_w);
  LayerTester& Depthwise(int kernel_h, int kernel_w);
  LayerTester& FullyConnected();
  LayerTester& AveragePool(int filter_h, int filter_w);
  LayerTester& MaxPool(int filter_h, int filter_w);
  /// ADD with another graph input, with a constant, or with the result of an earlier step.
  LayerTester& AddInput();
  LayerTester& AddConstant();
  LayerTester& AddStep(int step);
  /// PAD of rows and columns.
  LayerTester& Pad(int top, int bottom, int left, int right);
  LayerTester& PadChannels(int before, int after);
  LayerTester& Softmax();
  /// Stand-alone RELU, RELU6 or RELU_N1_TO_1.
  LayerTester& StandAlone(Activation activation);
  /// int8 to int8.
  LayerTester& Quantize();
  LayerTester& Reshape(std::vector<int> shape);
  /// Two more names for the same.
  LayerTester& Squeeze(std::vector<int> shape);
  LayerTester& ExpandDims(std::vector<int> shape);

  // ---- more about the last operator ----

  LayerTester& Stride(int height, int width);
  LayerTester& Dilation(int height, int width);
  LayerTester& Padding(int top, int bottom, int left, int right);
  LayerTester& Same();
  /// Output channels. Default 1.
  LayerTester& Channels(int channels);
  LayerTester& Multiplier(int multiplier);
  LayerTester& Fused(Activation activation);
  LayerTester& Relu() { return Fused(Activation::kRelu); }
  LayerTester& Relu6() { return Fused(Activation::kRelu6); }
  LayerTester& ReluN1To1() { return Fused(Activation::kReluN1To1); }
  /// One weight scale instead of one a channel.
  LayerTester& PerTensor();
  LayerTester& NoBias();
  /// The result of the step before becomes the second operand of the ADD.
  LayerTester& Swapped();
  /// What PAD writes, instead of the zero point.
  LayerTester& PadValue(int value);
  LayerTester& Beta(float beta);
  /// The operator works on the result of this step instead of the one before.
  LayerTester& From(int step);
  /// The result is also a graph output (the last one always is).
  LayerTester& Output();
  LayerTester& Weights(std::vector<int8_t> values);
  LayerTester& Biases(std::vector<int32_t> values);
  LayerTester& WeightScales(std::vector<float> scales);
  LayerTester& OutputQuant(float scale, int zero_point);

  // ---- how to run it ----

  /// Numbers at the edges of their ranges: zero points -128 and 127, weights of -128, biases up to
  /// the ends of int32, requantisation shifts from +1 to -31 and below (multiplier zero).
  LayerTester& Extreme();
  /// Scales are powers of two, so that many results fall on halves.
  LayerTester& Ties();
  LayerTester& Rounding(weft::Rounding rounding);
  LayerTester& Config(const std::string& name);
  LayerTester& Seed(uint64_t seed);

  /// Compiles, runs, compares. Returns the bytes of the last step's result as the reference has
  /// them, nothing if something failed (the test has failed then).
  std::vector<int8_t> Run(DeviceKind device) const;

  /// What the calls describe.
  struct Network {
    Graph graph;
    std::vector<std::vector<uint8_t>> inputs;  ///< by graph input
    int result = -1;                           ///< tensor of the last step
    weft::Rounding rounding = weft::Rounding::kDouble;
  };
  Network Build() const;

  /// The compiler's message about a graph it refuses, "" (and a failed test) if it takes it.
  std::string Refusal() const;

  /// The calls that made this tester.
  const std::string& Description() const { return description_; }

 private:
  struct Step {
    OpKind kind = OpKind::kConv2D;
    int kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
    Padding2D padding;
    bool same = false;
    int channels = 1, multiplier = 1;
    Activation activation = Activation::kNone;
    bool per_tensor = false, has_bias = true;
    enum class Other : uint8_t { kInput, kConstant, kStep } other = Other::kInput;
    int other_step = 0;
    bool swapped = false;
    std::vector<int> before, after;  // PAD: of height, width, channels
    bool has_pad_value = false;
    int pad_value = 0;
    float beta = 1;
    std::vector<int> shape;
    int from = -1;
    bool is_output = false;
    std::vector<int8_t> weights;
    std::vector<int32_t> biases;
    std::vector<float> weight_scales;
    bool has_quant = false;
    float scale = 0;
    int zero_point = 0;
  };
  class Builder;

  LayerTester& Begin(OpKind kind);
  Step& Last();
  template <typename... Args>
  LayerTester& Note(const char* method, const Args&... args);

  std::vector<int> input_shape_;  // without the batch
  int batch_ = 1;
  bool has_input_quant_ = false;
  float input_scale_ = 0;
  int input_zero_point_ = 0;
  std::vector<int8_t> input_values_;
  std::vector<Step> steps_;
  bool extreme_ = false, ties_ = false, float_input_ = false, float_output_ = false;
  weft::Rounding rounding_ = weft::Rounding::kDouble;
  std::string config_ = "weft256";
  uint64_t seed_ = 1;
  std::string description_ = "LayerTester()";
};

}  // namespace weft::testing
