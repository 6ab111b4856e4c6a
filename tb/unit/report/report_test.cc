// SPDX-License-Identifier: Apache-2.0
//
// The figures of a report, and what a comparison of engines finds, on made-up runs.
#include "sw/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "sw/report/compare.h"

namespace weft {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const HardwareConfig& Weft256() { return kHardwareConfigs[1]; }

Tensor MakeTensor(const std::string& name, std::vector<int32_t> shape, DType type = DType::kInt8) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = std::move(shape);
  tensor.type = type;
  return tensor;
}

// Tensor 0 is fused away, 1 is layer 0, 2 is layer 1 and 3 the float output; layer 2 never whole.
struct MadeUp {
  MadeUp() {
    graph.name = "made_up.tflite";
    graph.tensors = {MakeTensor("fused", {1, 2, 3, 4}), MakeTensor("first", {1, 2, 3, 4}),
                     MakeTensor("second", {1, 5}), MakeTensor("out", {1, 5}, DType::kFloat32),
                     MakeTensor("never", {1, 5})};
    graph.outputs = {3};
    program.model_name = graph.name;
    program.config_name = "weft256";
    program.layers.resize(3);
    program.layers[0] = {"first", "CONV_2D", {0, 2}, {1, 2, 3, 4}, 25600, 1, {}, {0}};
    program.layers[1] = {"second", "FULLY_CONNECTED", {3}, {1, 1, 1, 5}, 0, 2, {}, {}};
    program.layers[2] = {"never", "SOFTMAX", {4}, {1, 1, 1, 5}, 0, 4, {}, {}};
    program.layers[0].output.where = TensorPlace::Where::kScratchpad;
    program.layers[1].output.where = TensorPlace::Where::kMemory;
    TensorBinding out;
    out.name = "out";
    out.type = DType::kFloat32;
    out.shape = {1, 5};
    program.outputs = {out};
    result.layers.resize(3);
    result.layers[0][WEFT_COUNTER_CYCLES] = 200;
    result.layers[0][WEFT_COUNTER_ARRAY_BUSY] = 100;
    result.layers[0][WEFT_COUNTER_READ_BEATS] = 150;
    result.layers[1][WEFT_COUNTER_CYCLES] = 50;
    result.layers[1][WEFT_COUNTER_WRITE_BEATS] = 3;
    result.total[WEFT_COUNTER_CYCLES] = 250;
    result.seconds = 0.001;
  }
  EngineTensors Engine(const std::string& name) const {
    EngineTensors engine;
    engine.engine = name;
    engine.layers = {std::vector<uint8_t>(24, 7), std::vector<uint8_t>(5, 9), {}};
    engine.outputs = {std::vector<uint8_t>(20, 0)};
    return engine;
  }
  Graph graph;
  Program program;
  RunResult result;
};

TEST(Report, UtilizationAndBytesFollowTheDefinition) {
  CounterValues counters = {};
  counters[WEFT_COUNTER_CYCLES] = 1000;
  counters[WEFT_COUNTER_READ_BEATS] = 10;
  counters[WEFT_COUNTER_WRITE_BEATS] = 3;
  const Figures figures = MakeFigures(counters, 128000, Weft256());
  EXPECT_DOUBLE_EQ(figures.utilization, 0.5);  // 128000 / (16 * 16 * 1000)
  EXPECT_EQ(figures.read_bytes, 160u);
  EXPECT_EQ(figures.write_bytes, 48u);
  EXPECT_EQ(MakeFigures({}, 5, Weft256()).utilization, 0.0) << "no cycles, no division";
}

TEST(Report, LossesSumToTheGap) {
  CounterValues counters = {};
  counters[WEFT_COUNTER_ARRAY_BUSY] = 700;
  counters[WEFT_COUNTER_STALL_DEPENDENCY] = 90;
  counters[WEFT_COUNTER_STALL_OPERAND] = 80;
  counters[WEFT_COUNTER_STALL_WEIGHTS] = 70;
  counters[WEFT_COUNTER_STALL_ACCUMULATOR] = 40;
  counters[WEFT_COUNTER_ARRAY_IDLE] = 20;
  counters[WEFT_COUNTER_CYCLES] = 1000;  // each cycle is one of these
  const Figures figures = MakeFigures(counters, 127999, Weft256());
  EXPECT_EQ(figures.ideal_cycles, 500u);
  const Losses& l = figures.losses;
  EXPECT_EQ(l.unfilled, 200);
  EXPECT_EQ(l.unfilled + l.dependency + l.operand + l.weights + l.accumulator + l.idle, 500);
}

TEST(Report, BoundIsTheResourceWithTheLeastSlack) {
  const auto bound = [](std::vector<std::pair<uint32_t, uint64_t>> values) {
    Figures figures;
    figures.cycles = 100;
    for (const auto& [counter, value] : values) figures.counters[counter] = value;
    return std::string(BoundOf(figures));
  };
  EXPECT_EQ(bound({{WEFT_COUNTER_ARRAY_BUSY, 90}, {WEFT_COUNTER_POST_BUSY, 80}}), "array");
  EXPECT_EQ(bound({{WEFT_COUNTER_ARRAY_BUSY, 50},
                   {WEFT_COUNTER_STALL_OPERAND, 40},
                   {WEFT_COUNTER_READ_BEATS, 80}}),
            "array");
  EXPECT_EQ(bound({{WEFT_COUNTER_ARRAY_BUSY, 60}, {WEFT_COUNTER_POST_BUSY, 80}}), "post");
  EXPECT_EQ(bound({{WEFT_COUNTER_STALL_WEIGHTS, 90}, {WEFT_COUNTER_READ_BEATS, 95}}), "memory-in");
  EXPECT_EQ(bound({{WEFT_COUNTER_WRITE_BEATS, 70}, {WEFT_COUNTER_READ_BEATS, 69}}), "memory-out");
  EXPECT_EQ(bound({{WEFT_COUNTER_STALL_DEPENDENCY, 40},
                   {WEFT_COUNTER_ARRAY_IDLE, 30},
                   {WEFT_COUNTER_READ_BEATS, 60}}),
            "dependency");
}

TEST(Report, JsonHasEveryFieldOfTheSchema) {
  const MadeUp made;
  Report report = MakeReport(made.program, Weft256(), made.result, "rtl", true);
  report.exact = true;
  report.outputs[0].file = "dir/out.bin";
  const nlohmann::json json = ToJson(report);
  EXPECT_EQ(json.at("schema_version"), 1);
  EXPECT_EQ(json.at("model"), "made_up.tflite");
  EXPECT_EQ(json.at("config"), "weft256");
  EXPECT_EQ(json.at("rounding"), "double");
  EXPECT_EQ(json.at("exact"), true);
  const nlohmann::json& total = json.at("total");
  EXPECT_EQ(total.at("cycles"), 250);
  EXPECT_EQ(total.at("macs"), 25600);
  EXPECT_DOUBLE_EQ(total.at("utilization"), 25600.0 / (256 * 250));
  EXPECT_EQ(total.at("read_bytes"), 0);
  EXPECT_EQ(total.at("write_bytes"), 0);
  EXPECT_EQ(total.at("sim_seconds"), 0.001);
  EXPECT_DOUBLE_EQ(total.at("sim_khz"), 250.0);
  ASSERT_EQ(json.at("layers").size(), 3u);
  const nlohmann::json& layer = json.at("layers")[0];
  EXPECT_EQ(layer.at("index"), 0);
  EXPECT_EQ(layer.at("source_ops"), (std::vector<int>{0, 2}));
  EXPECT_EQ(layer.at("name"), "first");
  EXPECT_EQ(layer.at("op"), "CONV_2D");
  EXPECT_EQ(layer.at("cycles"), 200);
  EXPECT_EQ(layer.at("macs"), 25600);
  EXPECT_DOUBLE_EQ(layer.at("utilization"), 0.5);
  EXPECT_EQ(layer.at("read_bytes"), 150 * 16);
  EXPECT_EQ(layer.at("write_bytes"), 0);
  EXPECT_EQ(layer.at("bound"), "memory-in");
  EXPECT_EQ(json.at("layers")[1].at("write_bytes"), 3 * 16);
  const nlohmann::json& energy = layer.at("energy");
  EXPECT_EQ(energy.at("events").at("mac").at("count"), 25600);
  EXPECT_DOUBLE_EQ(energy.at("events").at("mac").at("nj"), EventEnergy(EnergyEvent::kMac, 25600));
  EXPECT_EQ(energy.at("events").size(), kEnergyEvents.size());
  EXPECT_EQ(total.at("energy").at("technology"), kEnergyTechnology);
  EXPECT_DOUBLE_EQ(total.at("energy").at("chip_nj"),
                   json.at("layers")[0].at("energy").at("chip_nj").get<double>() +
                       json.at("layers")[1].at("energy").at("chip_nj").get<double>() +
                       json.at("layers")[2].at("energy").at("chip_nj").get<double>());
  const nlohmann::json& output = json.at("outputs").at(0);
  EXPECT_EQ(output.at("name"), "out");
  EXPECT_EQ(output.at("shape"), (std::vector<int>{1, 5}));
  EXPECT_EQ(output.at("dtype"), "float32");
  EXPECT_EQ(output.at("file"), "dir/out.bin");
}

TEST(Report, FiguresThatDoNotExistAreNullAndDashes) {
  const MadeUp made;
  const Report report = MakeReport(made.program, Weft256(), made.result, "functional", false);
  const nlohmann::json json = ToJson(report);
  EXPECT_TRUE(json.at("exact").is_null());
  for (const char* key : {"cycles", "utilization", "read_bytes", "write_bytes", "sim_khz"}) {
    EXPECT_TRUE(json.at("total").at(key).is_null()) << key;
  }
  EXPECT_TRUE(json.at("total").at("energy").is_null());
  EXPECT_TRUE(json.at("layers")[0].at("energy").is_null());
  EXPECT_TRUE(json.at("layers")[0].at("cycles").is_null());
  EXPECT_TRUE(json.at("layers")[0].at("bound").is_null());
  EXPECT_THAT(FormatTable(report), HasSubstr("-"));
}

TEST(Report, TheTableHasALineForEachLayerAndATotal) {
  const MadeUp made;
  const std::string table =
      FormatTable(MakeReport(made.program, Weft256(), made.result, "rtl", true));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2 + 3 + 1 + 1);
  for (const char* text :
       {"CONV_2D 0,2", "1x2x3x4", "50.0%", "memory-in", "2400", "total", "250"}) {
    EXPECT_THAT(table, HasSubstr(text));
  }
}

TEST(Compare, EqualEnginesHaveNoDifference) {
  const MadeUp made;
  const Comparison comparison =
      CompareEngines(made.program, made.graph, {made.Engine("a"), made.Engine("b")});
  EXPECT_FALSE(comparison.difference);
  EXPECT_EQ(comparison.tensors, 2u);
  EXPECT_EQ(comparison.outputs, 1u);
  EXPECT_THAT(comparison.fused, ElementsAre("fused", "never"));
}

TEST(Compare, FindsTheFirstDifferenceOfAnyEngine) {
  const MadeUp made;
  EngineTensors a = made.Engine("rtl"), b = made.Engine("functional"), c = made.Engine("reference");
  b.layers[1][2] = 0x80;
  c.layers[1][1] = 0xff;
  c.outputs[0][3] = 0x40;
  const Comparison comparison = CompareEngines(made.program, made.graph, {a, b, c});
  ASSERT_TRUE(comparison.difference);
  EXPECT_EQ(comparison.difference->layer, 1);
  EXPECT_THAT(comparison.difference->coordinate, ElementsAre(0, 1));
  EXPECT_EQ(FormatDifference(*comparison.difference),
            "first difference: layer 1, tensor 'second' at (n, c) [0, 1] of [1, 5]: rtl 9, "
            "functional 9, reference -1");
  a.layers[0][23] = 8;
  const Comparison earlier = CompareEngines(made.program, made.graph, {a, b, c});
  ASSERT_TRUE(earlier.difference);
  EXPECT_THAT(FormatDifference(*earlier.difference),
              HasSubstr("tensor 'first' at (n, y, x, c) [0, 1, 2, 3] of [1, 2, 3, 4]: rtl 8"));
}

TEST(Compare, FindsDifferencesInOutputsAndSizes) {
  const MadeUp made;
  EngineTensors a = made.Engine("a"), b = made.Engine("b");
  const float value = 1.5f;
  std::memcpy(&b.outputs[0][16], &value, sizeof(value));
  Comparison comparison = CompareEngines(made.program, made.graph, {a, b});
  ASSERT_TRUE(comparison.difference);
  EXPECT_EQ(comparison.difference->layer, -1);
  EXPECT_THAT(FormatDifference(*comparison.difference), HasSubstr("[0, 4] of [1, 5]: a 0, b 1.5"));
  b = made.Engine("b");
  b.layers[0].resize(20);
  comparison = CompareEngines(made.program, made.graph, {a, b});
  ASSERT_TRUE(comparison.difference);
  EXPECT_THAT(FormatDifference(*comparison.difference), HasSubstr("a 7, b nothing"));
}

TEST(Compare, TakesTheReferenceByTensor) {
  const MadeUp made;
  std::vector<std::vector<uint8_t>> tensors(5);
  for (size_t i = 0; i < tensors.size(); ++i) tensors[i] = {static_cast<uint8_t>(i)};
  const EngineTensors engine = FromReference(made.program, made.graph, tensors);
  EXPECT_EQ(engine.engine, "reference");
  EXPECT_EQ(engine.layers, (std::vector<std::vector<uint8_t>>{{1}, {2}, {}}));
  EXPECT_EQ(engine.outputs, (std::vector<std::vector<uint8_t>>{{3}}));
}

}  // namespace
}  // namespace weft
