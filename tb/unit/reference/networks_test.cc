// SPDX-License-Identifier: Apache-2.0
//
// The four MLPerf Tiny networks against their golden outputs (TFLite reference, double rounding),
// bit for bit, and the digits that ship with the project, which need no shared data.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "sim/reference/reference.h"
#include "tb/lib/data.h"
#include "weft/import.h"
#include "weft/io.h"

namespace weft {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes MustRead(const std::filesystem::path& path) {
  Result<Bytes> bytes = ReadFile(path.string());
  EXPECT_TRUE(bytes) << bytes.error().message;
  return bytes.value_or(Bytes{});
}

// Runs one input through a graph of one input and one output.
Bytes Infer(const Graph& graph, const Bytes& input) {
  const auto result = RunReference(graph, {input}, Rounding::kDouble);
  EXPECT_TRUE(result) << result.error().message;
  return result ? result->tensors[static_cast<size_t>(graph.outputs[0])] : Bytes{};
}

// Which of the int8 elements is the largest.
ptrdiff_t LargestElement(const Bytes& output) {
  return std::ranges::max_element(output, {},
                                  [](uint8_t byte) { return static_cast<int8_t>(byte); }) -
         output.begin();
}

void ExpectGoldenCases(const std::string& network, size_t expected_cases) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  const std::filesystem::path folder = data / "models/mlperf_tiny" / network;
  const Result<Graph> graph = ImportTflite((folder / "model_int8.tflite").string());
  ASSERT_TRUE(graph) << graph.error().message;
  nlohmann::json manifest;
  std::ifstream(folder / "cases/manifest.json") >> manifest;
  const std::vector<std::string> cases = manifest.at("cases");
  ASSERT_EQ(cases.size(), expected_cases);
  for (const std::string& name : cases) {
    SCOPED_TRACE(network + " " + name);
    const Bytes golden = MustRead(folder / "cases" / (name + ".out.bin"));
    ASSERT_FALSE(golden.empty());
    EXPECT_EQ(Infer(*graph, MustRead(folder / "cases" / (name + ".in.bin"))), golden);
  }
}

TEST(ReferenceNetworks, ImageClassification) { ExpectGoldenCases("ic", 10); }
TEST(ReferenceNetworks, KeywordSpotting) { ExpectGoldenCases("kws", 12); }
TEST(ReferenceNetworks, VisualWakeWords) { ExpectGoldenCases("vww", 4); }
TEST(ReferenceNetworks, AnomalyDetection) { ExpectGoldenCases("ad", 6); }

TEST(ReferenceNetworks, KeywordSpottingLabelledInputs) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  constexpr size_t kInputs = 500;
  const std::filesystem::path folder = data / "models/mlperf_tiny/kws";
  const Result<Graph> graph = ImportTflite((folder / "model_int8.tflite").string());
  ASSERT_TRUE(graph) << graph.error().message;
  const Bytes inputs = MustRead(folder / "labelled/inputs_500x49x10x1_int8.bin");
  const Bytes outputs = MustRead(folder / "labelled/outputs_500x12_int8.bin");
  const Bytes labels = MustRead(folder / "labelled/labels_500_uint8.bin");
  ASSERT_EQ(labels.size(), kInputs);
  const size_t in_size = inputs.size() / kInputs, out_size = outputs.size() / kInputs;
  size_t mismatches = 0, recognised = 0;
  for (size_t i = 0; i < kInputs; ++i) {
    const Bytes input(inputs.begin() + i * in_size, inputs.begin() + (i + 1) * in_size);
    const Bytes output = Infer(*graph, input);
    ASSERT_EQ(output.size(), out_size);
    if (!std::equal(output.begin(), output.end(), outputs.begin() + i * out_size)) ++mismatches;
    if (LargestElement(output) == labels[i]) ++recognised;
  }
  std::cout << recognised << " of " << kInputs << " labels recognised" << std::endl;
  EXPECT_EQ(mismatches, 0u);
}

TEST(ReferenceNetworks, ShippedDigits) {
  const std::filesystem::path folder = testing::SourceDir() / "models/mnist_cnn";
  const Result<Graph> graph = ImportTflite((folder / "mnist_cnn_int8.tflite").string());
  ASSERT_TRUE(graph) << graph.error().message;
  for (int digit = 0; digit < 10; ++digit) {
    SCOPED_TRACE(digit);
    const Bytes image = MustRead(folder / "digits" / fmt::format("digit_{}.bin", digit));
    EXPECT_EQ(LargestElement(Infer(*graph, image)), digit);
  }
}

}  // namespace
}  // namespace weft
