// SPDX-License-Identifier: Apache-2.0
//
// Whole models: every tensor of the compiled program, on the functional device, equals the golden
// reference's, on every configuration.
#include <gtest/gtest.h>

#include "tb/lib/data.h"
#include "tb/lib/seed.h"
#include "tb/unit/compile/run_program.h"
#include "weft/import.h"

namespace weft {
namespace {

using testing::ExpectExact;
using testing::RandomInputs;
using testing::Rng;

void ExpectModelExact(const std::string& path) {
  Rng rng;
  const Result<Graph> graph = ImportTflite(path);
  ASSERT_TRUE(graph) << graph.error().message;
  const auto inputs = RandomInputs(*graph, rng);
  for (const HardwareConfig& config : kHardwareConfigs) {
    for (Rounding rounding : {Rounding::kDouble, Rounding::kSingle}) {
      ExpectExact(*graph, config, rounding, inputs);
    }
  }
}

class MlperfTiny : public ::testing::TestWithParam<const char*> {};

TEST_P(MlperfTiny, IsExact) {
  WEFT_REQUIRE_DATA_OR_SKIP(data);
  ExpectModelExact((data / "models/mlperf_tiny" / GetParam() / "model_int8.tflite").string());
}

INSTANTIATE_TEST_SUITE_P(Networks, MlperfTiny, ::testing::Values("ic", "kws", "vww", "ad"));

TEST(Networks, ShippedModelIsExact) {
  ExpectModelExact(std::string(WEFT_SOURCE_DIR) + "/models/mnist_cnn/mnist_cnn_int8.tflite");
}

}  // namespace
}  // namespace weft
