// SPDX-License-Identifier: Apache-2.0
//
// The reference kernels on the CMSIS-NN operator vectors (outputs of the TFLite reference, double
// rounding). The cases state multipliers and shifts, so they enter below the graph's scales.
// int4 weights are stored unpacked as int8 and take the same path.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "sim/reference/add.h"
#include "sim/reference/conv2d.h"
#include "sim/reference/depthwise_conv2d.h"
#include "sim/reference/fully_connected.h"
#include "sim/reference/pad.h"
#include "sim/reference/pool2d.h"
#include "sim/reference/softmax.h"
#include "tb/lib/cmsis_case.h"
#include "tb/lib/data.h"

namespace weft::reference {
namespace {

using testing::CmsisCase;

ImageShape Image(const CmsisCase& c, const std::string& tensor) {
  const std::vector<int> shape = c.Shape(tensor);
  return {shape[0], shape[1], shape[2], shape[3]};
}

OutputStage Stage(const CmsisCase& c) {
  OutputStage stage;
  stage.output = {c.Quant("output_zero_point"),
                  {c.Quant("activation_min"), c.Quant("activation_max")}};
  if (!c.Has("multiplier")) {
    stage.multipliers = {{c.Quant("multiplier"), c.Quant("shift")}};
    return stage;
  }
  const auto multipliers = c.Values<int32_t>("multiplier");
  const auto shifts = c.Values<int32_t>("shift");
  for (size_t i = 0; i < multipliers.size(); ++i) {
    stage.multipliers.push_back({multipliers[i], shifts[i]});
  }
  return stage;
}

Window ConvolutionWindow(const CmsisCase& c) {
  const std::vector<int> weights = c.Shape("weights");
  return {weights[1],           weights[2],           c.Attr("stride_h"), c.Attr("stride_w"),
          c.Attr("dilation_h"), c.Attr("dilation_w"), c.Attr("pad_top"),  c.Attr("pad_left")};
}

using Kernel = std::vector<int8_t> (*)(const CmsisCase& c);

std::vector<int8_t> NewOutput(const CmsisCase& c) {
  return std::vector<int8_t>(c.Values<int8_t>("output").size());
}

std::vector<int8_t> RunConv2D(const CmsisCase& c) {
  const Conv2DParams params = {Image(c, "input"), Image(c, "output"), ConvolutionWindow(c),
                               c.Quant("input_zero_point"), Stage(c)};
  std::vector<int8_t> output = NewOutput(c);
  Conv2D(params, c.Values<int8_t>("input"), c.Values<int8_t>("weights"), c.Values<int32_t>("bias"),
         output);
  return output;
}

std::vector<int8_t> RunDepthwise(const CmsisCase& c) {
  const DepthwiseConv2DParams params = {Image(c, "input"),           Image(c, "output"),
                                        ConvolutionWindow(c),        c.Attr("depth_multiplier"),
                                        c.Quant("input_zero_point"), Stage(c)};
  std::vector<int8_t> output = NewOutput(c);
  DepthwiseConv2D(params, c.Values<int8_t>("input"), c.Values<int8_t>("weights"),
                  c.Values<int32_t>("bias"), output);
  return output;
}

std::vector<int8_t> RunFullyConnected(const CmsisCase& c) {
  const FullyConnectedParams params = {c.Shape("input")[0],          c.Shape("weights")[1],
                                       c.Shape("weights")[0],        c.Quant("input_zero_point"),
                                       c.Quant("weight_zero_point"), Stage(c)};
  std::vector<int8_t> output = NewOutput(c);
  FullyConnected(params, c.Values<int8_t>("input"), c.Values<int8_t>("weights"),
                 c.Values<int32_t>("bias"), output);
  return output;
}

std::vector<int8_t> RunAdd(const CmsisCase& c) {
  AddParams params;
  params.left_shift = c.Quant("left_shift");
  params.first = {c.Quant("input1_zero_point"),
                  {c.Quant("input1_multiplier"), c.Quant("input1_shift")}};
  params.second = {c.Quant("input2_zero_point"),
                   {c.Quant("input2_multiplier"), c.Quant("input2_shift")}};
  params.output_multiplier = {c.Quant("output_multiplier"), c.Quant("output_shift")};
  params.output = {c.Quant("output_zero_point"),
                   {c.Quant("activation_min"), c.Quant("activation_max")}};
  std::vector<int8_t> output = NewOutput(c);
  Add(params, c.Values<int8_t>("input1"), c.Values<int8_t>("input2"), output);
  return output;
}

Pool2DParams PoolParams(const CmsisCase& c) {
  Pool2DParams params;
  params.input = Image(c, "input");
  params.output = Image(c, "output");
  params.window = {.kernel_h = c.Attr("filter_h"),
                   .kernel_w = c.Attr("filter_w"),
                   .stride_h = c.Attr("stride_h"),
                   .stride_w = c.Attr("stride_w"),
                   .pad_top = c.Attr("pad_top"),
                   .pad_left = c.Attr("pad_left")};
  params.range = {c.Quant("activation_min"), c.Quant("activation_max")};
  return params;
}

std::vector<int8_t> RunAveragePool(const CmsisCase& c) {
  std::vector<int8_t> output = NewOutput(c);
  AveragePool2D(PoolParams(c), c.Values<int8_t>("input"), output);
  return output;
}

std::vector<int8_t> RunMaxPool(const CmsisCase& c) {
  std::vector<int8_t> output = NewOutput(c);
  MaxPool2D(PoolParams(c), c.Values<int8_t>("input"), output);
  return output;
}

std::vector<int8_t> RunPad(const CmsisCase& c) {
  PadParams params;
  std::ranges::copy(c.Shape("input"), params.input.begin());
  std::ranges::copy(c.AttrList("pre"), params.before.begin());
  std::ranges::copy(c.AttrList("post"), params.after.begin());
  params.value = static_cast<int8_t>(c.Attr("value"));
  std::vector<int8_t> output = NewOutput(c);
  Pad(params, c.Values<int8_t>("input"), output);
  return output;
}

std::vector<int8_t> RunSoftmax(const CmsisCase& c) {
  const SoftmaxParams params = {c.Shape("input").back(),
                                {c.Quant("input_multiplier"), c.Quant("input_left_shift")},
                                c.Quant("diff_min")};
  std::vector<int8_t> output = NewOutput(c);
  Softmax(params, c.Values<int8_t>("input"), output);
  return output;
}

const std::map<std::string, Kernel>& Kernels() {
  static const std::map<std::string, Kernel> kernels = {
      {"conv2d", RunConv2D},   {"depthwise_conv2d", RunDepthwise},
      {"add", RunAdd},         {"fully_connected", RunFullyConnected},
      {"pad", RunPad},         {"avgpool", RunAveragePool},
      {"softmax", RunSoftmax}, {"maxpool", RunMaxPool},
  };
  return kernels;
}

// Why the reference does not cover a case yet; empty when it does.
std::string NotYet(const CmsisCase& c) {
  if (!Kernels().contains(c.Op())) return "operator " + c.Op();
  if (c.Type("output") != "int8") return c.Type("output") + " activations";
  if (c.Op() == "conv2d" && c.Attr("groups") != 1) return "grouped convolution";
  return "";
}

TEST(CmsisNnVectors, Int8CasesOfTheCoveredOperators) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  std::map<std::string, int> run, not_yet;
  int run_total = 0, total = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data / "vectors/cmsis_nn")) {
    if (!entry.is_directory()) continue;
    ++total;
    const std::string name = entry.path().filename();
    SCOPED_TRACE(name);
    const CmsisCase c(entry.path());
    if (const std::string why = NotYet(c); !why.empty()) {
      ++not_yet[why];
      continue;
    }
    const std::vector<int8_t> expected = c.Values<int8_t>("output");
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(Kernels().at(c.Op())(c), expected);
    ++run[c.Op()];
    ++run_total;
  }
  std::cout << run_total << " of " << total << " vectors run:";
  for (const auto& [op, count] : run) std::cout << " " << op << " " << count;
  std::cout << "\n" << total - run_total << " not yet:";
  for (const auto& [why, count] : not_yet) std::cout << " " << why << " " << count << ",";
  std::cout << std::endl;
  for (const auto& [op, kernel] : Kernels()) EXPECT_GT(run[op], 0) << op << ": no vector found";
}

}  // namespace
}  // namespace weft::reference
