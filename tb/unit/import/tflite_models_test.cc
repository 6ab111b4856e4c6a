// SPDX-License-Identifier: Apache-2.0
//
// The importer on real models (shared data), and on damaged ones: truncated at every length, and
// with random bytes changed. WEFT_FUZZ_RUNS sets the number of random files (default 300).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tb/lib/data.h"
#include "tb/lib/seed.h"
#include "tb/unit/import/tflite_builder.h"
#include "weft/import.h"
#include "weft/io.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

Graph MustImport(const fs::path& path) {
  Result<Graph> graph = ImportTflite(path.string());
  EXPECT_TRUE(graph.has_value()) << (graph ? "" : graph.error().message);
  return graph ? *std::move(graph) : Graph{};
}

int64_t TotalMacs(const Graph& graph) {
  int64_t total = 0;
  for (const Node& node : graph.nodes) total += NodeMacs(graph, node);
  return total;
}

std::map<std::string, int> CountOps(const Graph& graph) {
  std::map<std::string, int> counts;
  for (const Node& node : graph.nodes) ++counts[OpKindName(node.kind)];
  return counts;
}

TEST(TfliteModels, SupportedNetworks) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  struct Network {
    const char* path;
    int64_t macs;
    std::vector<int32_t> input;
    std::vector<int32_t> output;
    std::map<std::string, int> ops;
  };
  const std::vector<Network> networks = {
      {"mlperf_tiny/ic/model_int8.tflite",
       12501632,
       {1, 32, 32, 3},
       {1, 10},
       {{"CONV_2D", 9},
        {"ADD", 3},
        {"AVERAGE_POOL_2D", 1},
        {"RESHAPE", 1},
        {"FULLY_CONNECTED", 1},
        {"SOFTMAX", 1}}},
      {"mlperf_tiny/kws/model_int8.tflite",
       2656768,
       {1, 49, 10, 1},
       {1, 12},
       {{"CONV_2D", 5},
        {"DEPTHWISE_CONV_2D", 4},
        {"AVERAGE_POOL_2D", 1},
        {"RESHAPE", 1},
        {"FULLY_CONNECTED", 1},
        {"SOFTMAX", 1}}},
      {"mlperf_tiny/vww/model_int8.tflite",
       7489664,
       {1, 96, 96, 3},
       {1, 2},
       {{"CONV_2D", 14},
        {"DEPTHWISE_CONV_2D", 13},
        {"AVERAGE_POOL_2D", 1},
        {"RESHAPE", 1},
        {"FULLY_CONNECTED", 1},
        {"SOFTMAX", 1}}},
      {"mlperf_tiny/ad/model_int8.tflite", 264192, {1, 640}, {1, 640}, {{"FULLY_CONNECTED", 10}}},
      {"tflite_micro/hello_world_int8.tflite", 288, {1, 1}, {1, 1}, {{"FULLY_CONNECTED", 3}}},
      {"tflite_micro/simple_add_model.tflite", 0, {1, 128, 128, 1}, {1, 128, 128, 1}, {{"ADD", 1}}},
      {"tflite_micro/micro_speech_quantized.tflite",
       336000,
       {1, 1960},
       {1, 4},
       {{"RESHAPE", 1}, {"DEPTHWISE_CONV_2D", 1}, {"FULLY_CONNECTED", 1}, {"SOFTMAX", 1}}}};
  for (const Network& network : networks) {
    SCOPED_TRACE(network.path);
    const Graph graph = MustImport(data / "models" / network.path);
    const Status supported = RequireSupported(graph);
    EXPECT_TRUE(supported.has_value()) << supported.error().message;
    EXPECT_EQ(TotalMacs(graph), network.macs);
    EXPECT_EQ(CountOps(graph), network.ops);
    ASSERT_FALSE(graph.inputs.empty());
    ASSERT_FALSE(graph.outputs.empty());
    EXPECT_EQ(graph.tensors[static_cast<size_t>(graph.inputs[0])].shape, network.input);
    EXPECT_EQ(graph.tensors[static_cast<size_t>(graph.outputs[0])].shape, network.output);
  }
}

// The keyword network's first layer: an even, non-square kernel whose SAME padding is asymmetric.
TEST(TfliteModels, AsymmetricPadding) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  const Graph graph = MustImport(data / "models/mlperf_tiny/kws/model_int8.tflite");
  ASSERT_FALSE(graph.nodes.empty());
  const auto& attrs = std::get<Conv2DAttrs>(graph.nodes[0].attrs);
  // Height (25-1)*2+10 = 58 of 49: 4 and 5. Width (5-1)*2+4 = 12 of 10: 1 and 1.
  EXPECT_EQ(attrs.padding.top, 4);
  EXPECT_EQ(attrs.padding.bottom, 5);
  EXPECT_EQ(attrs.padding.left, 1);
  EXPECT_EQ(attrs.padding.right, 1);
}

TEST(TfliteModels, DepthwiseMultiplierOfEight) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  const Graph graph = MustImport(data / "models/tflite_micro/micro_speech_quantized.tflite");
  ASSERT_EQ(graph.nodes.size(), 4u);
  EXPECT_EQ(std::get<DepthwiseConv2DAttrs>(graph.nodes[1].attrs).multiplier, 8);
}

TEST(TfliteModels, UnsupportedNetworksSayWhy) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  struct Network {
    const char* path;
    size_t unsupported;
    const char* first;
    const char* why;
  };
  const std::vector<Network> networks = {
      {"mlperf_tiny/ic/model_float.tflite", 16, "operator 0 (CONV_2D)", "float32 activations"},
      {"mlperf_tiny/vww/model_float.tflite", 31, "operator 0 (CONV_2D)", "not quantised"},
      {"mlperf_tiny/ad/model_float.tflite", 10, "operator 0 (FULLY_CONNECTED)", "not quantised"},
      {"mlperf_tiny/kws/model_hybrid.tflite", 13, "operator 0 (CONV_2D)",
       "hybrid: float32 activations (tensor 0 'input_1') with int8 weights"},
      {"android_uint8/mobilenet_v1_0.25_128_quant.tflite", 31, "operator 0 (CONV_2D)",
       "uint8 activations (tensor 88 'input')"},
      {"android_uint8/mobilenet_v2_1.0_224_quant.tflite", 65, "operator 0 (CONV_2D)",
       "uint8 activations"},
      {"keyword_transformer/kwt1_float.tflite", 612, "operator 0 (STRIDED_SLICE)",
       "does not have this operator"},
      {"tflite_micro/keyword_scrambled_8bit.tflite", 10, "operator 0 (QUANTIZE)",
       "int16 activations"},
      {"tflite_micro/trained_lstm_int8.tflite", 1, "operator 0 (UNIDIRECTIONAL_SEQUENCE_LSTM)",
       "does not have this operator"}};
  for (const Network& network : networks) {
    SCOPED_TRACE(network.path);
    const Graph graph = MustImport(data / "models" / network.path);
    EXPECT_EQ(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                            [](const Node& n) { return n.kind == OpKind::kUnsupported; }),
              static_cast<ptrdiff_t>(network.unsupported));
    const Status status = RequireSupported(graph);
    ASSERT_FALSE(status.has_value());
    EXPECT_THAT(status.error().message, HasSubstr(network.first));
    EXPECT_THAT(status.error().message, HasSubstr(network.why));
    if (network.unsupported > 1) {
      EXPECT_THAT(status.error().message,
                  HasSubstr(fmt::format("and {} more", network.unsupported - 1)));
    }
  }
}

std::vector<fs::path> AllModels(const fs::path& data) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(data / "models")) {
    if (entry.path().extension() == ".tflite") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST(TfliteModels, EveryModelIsImported) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  const std::vector<fs::path> models = AllModels(data);
  EXPECT_GE(models.size(), 16u);
  for (const fs::path& path : models) {
    const Graph graph = MustImport(path);
    EXPECT_FALSE(graph.nodes.empty()) << path;
    EXPECT_EQ(graph.name, path.filename());
  }
}

// A model of most operators, made here, so that the tests below run without shared data.
std::vector<uint8_t> SmallModel() {
  using weft::testing::ModelBuilder;
  using weft::testing::Table;
  ModelBuilder model;
  const int x = model.Input("x", {1, 8, 8, 3});
  const int paddings = model.Int32s("paddings", {4, 2}, {0, 0, 0, 1, 0, 1, 0, 0});
  const int padded = model.Activation("padded", {1, 9, 9, 3});
  model.Operator(34, {x, paddings}, {padded}, 22, Table());
  const int w = model.Weights("w", {4, 3, 3, 3});
  const int b = model.Int32s("b", {4}, {1, 2, 3, 4});
  const int conv = model.Activation("conv", {1, 4, 4, 4});
  model.Operator(3, {padded, w, b}, {conv}, 1, Table().I8(0, 1).I32(1, 2).I32(2, 2).I8(3, 1));
  const int dw = model.Weights("dw", {1, 3, 3, 4}, 3);
  const int depthwise = model.Activation("depthwise", {1, 4, 4, 4});
  model.Operator(4, {conv, dw}, {depthwise}, 2,
                 Table().I8(0, 0).I32(1, 1).I32(2, 1).I32(3, 1).I8(4, 3));
  const int sum = model.Activation("sum", {1, 4, 4, 4});
  model.Operator(0, {conv, depthwise}, {sum}, 11, Table().I8(0, 0));
  const int pooled = model.Activation("pooled", {1, 1, 1, 4});
  model.Operator(1, {sum}, {pooled}, 5, Table().I8(0, 1).I32(1, 4).I32(2, 4).I32(3, 4).I32(4, 4));
  const int shape = model.Int32s("shape", {2}, {-1, 4});
  const int flat = model.Activation("flat", {1, 4});
  model.Operator(22, {pooled, shape}, {flat}, 17, Table());
  const int fw = model.Weights("fw", {6, 4});
  const int logits = model.Activation("logits", {1, 6});
  model.Operator(9, {flat, fw, -1}, {logits}, 8, Table().I8(0, 0));
  const int y = model.Activation("y", {1, 6}, 1.0f / 256, -128);
  model.Operator(25, {logits}, {y}, 9, Table().F32(0, 1.0f));
  model.Output(y);
  return model.Build();
}

// Whatever the importer says about a damaged file, it is a valid graph or one line.
void ExpectGraphOrOneLine(std::span<const uint8_t> bytes, std::set<std::string>* messages) {
  const Result<Graph> graph = ImportTfliteBuffer(bytes, "damaged");
  std::string message;
  if (graph) {
    const Status valid = ValidateGraph(*graph);
    EXPECT_TRUE(valid.has_value()) << valid.error().message;
    const Status supported = RequireSupported(*graph);
    if (!supported) message = supported.error().message;
    for (const Node& node : graph->nodes) EXPECT_GE(NodeMacs(*graph, node), 0);
  } else {
    message = graph.error().message;
  }
  if (message.empty()) return;
  EXPECT_THAT(message, ::testing::StartsWith("damaged: "));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
  // Without digits, to count kinds of messages.
  message.erase(std::remove_if(message.begin(), message.end(),
                               [](unsigned char c) { return std::isdigit(c) != 0; }),
                message.end());
  messages->insert(message.substr(0, 60));
}

TEST(TfliteDamage, SmallModelIsWhole) {
  const Result<Graph> graph = ImportTfliteBuffer(SmallModel(), "small");
  ASSERT_TRUE(graph.has_value()) << graph.error().message;
  EXPECT_EQ(graph->nodes.size(), 8u);
  const Status supported = RequireSupported(*graph);
  EXPECT_TRUE(supported.has_value()) << supported.error().message;
}

TEST(TfliteDamage, TruncatedSmallModel) {
  const std::vector<uint8_t> bytes = SmallModel();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(ImportTfliteBuffer({bytes.data(), length}, "cut").has_value()) << length;
  }
}

TEST(TfliteDamage, TruncatedRealModels) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  for (const char* name : {"ic", "kws", "vww", "ad"}) {
    const fs::path path = data / "models/mlperf_tiny" / name / "model_int8.tflite";
    const Result<std::vector<uint8_t>> bytes = ReadFile(path.string());
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message;
    // Every length near both ends, where the structure is, and a sample between.
    for (size_t length = 0; length < bytes->size();) {
      EXPECT_FALSE(ImportTfliteBuffer({bytes->data(), length}, "cut").has_value())
          << name << " cut to " << length;
      length += length < 4096 || bytes->size() - length < 4096 ? 1 : 61;
    }
  }
}

// Changes a few bytes, mostly to values that offsets, counts and codes react to.
void Damage(weft::testing::Rng* rng, std::vector<uint8_t>* bytes) {
  const std::vector<uint8_t> telling = {0x00, 0x01, 0x04, 0x7f, 0x80, 0xfe, 0xff};
  for (int64_t n = rng->Int(1, 6); n > 0; --n) {
    const size_t at = static_cast<size_t>(rng->Int(0, static_cast<int64_t>(bytes->size()) - 1));
    const int64_t width = rng->Chance(0.3) ? 4 : 1;
    for (size_t i = at; i < std::min(at + static_cast<size_t>(width), bytes->size()); ++i) {
      (*bytes)[i] = rng->Chance(0.5) ? rng->Pick(telling) : static_cast<uint8_t>(rng->Int(0, 255));
    }
  }
  if (rng->Chance(0.1))
    bytes->resize(static_cast<size_t>(rng->Int(0, static_cast<int64_t>(bytes->size()))));
}

int FuzzRuns() {
  const char* value = std::getenv("WEFT_FUZZ_RUNS");
  return value == nullptr ? 300 : std::atoi(value);
}

TEST(TfliteDamage, RandomBytesInASmallModel) {
  weft::testing::Rng rng;
  const std::vector<uint8_t> good = SmallModel();
  std::set<std::string> messages;
  for (int run = 0; run < 10 * FuzzRuns() && !HasFailure(); ++run) {
    std::vector<uint8_t> bytes = good;
    Damage(&rng, &bytes);
    SCOPED_TRACE(fmt::format("run {}", run));
    ExpectGraphOrOneLine(bytes, &messages);
  }
  // The damage must reach many different checks, or this test shows little.
  EXPECT_GE(messages.size(), 30u);
}

TEST(TfliteDamage, RandomBytesInRealModels) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  weft::testing::Rng rng;
  std::vector<std::vector<uint8_t>> files;
  for (const fs::path& path : AllModels(data)) {
    if (fs::file_size(path) > 400000) continue;  // small files: the damage hits structure
    files.push_back(*ReadFile(path.string()));
  }
  ASSERT_FALSE(files.empty());
  std::set<std::string> messages;
  for (int run = 0; run < FuzzRuns() && !HasFailure(); ++run) {
    std::vector<uint8_t> bytes = rng.Pick(files);
    // Constant data is most of a file; damage there is not of interest, so damage more often.
    for (int64_t n = rng.Int(1, 20); n > 0 && !bytes.empty(); --n) Damage(&rng, &bytes);
    SCOPED_TRACE(fmt::format("run {}", run));
    ExpectGraphOrOneLine(bytes, &messages);
  }
  EXPECT_GE(messages.size(), 5u);
}

}  // namespace
}  // namespace weft
