// SPDX-License-Identifier: Apache-2.0
//
// Finds the shared test data (models, golden cases, operator vectors, MNIST).
//
// The folder is taken from the environment variable WEFT_DATA, else it is `../shared` beside the
// repository. The project must work without it, so a test that needs it says so in its first line:
//
//   TEST(Ic, GoldenCases) {
//     WEFT_REQUIRE_DATA_OR_SKIP(data);  // data is a std::filesystem::path from here on
//     auto model = ReadFile(data / "models/mlperf_tiny/ic/model_int8.tflite");
//
// Without the folder that test is skipped; with WEFT_REQUIRE_DATA=1 it fails instead, so that a CI
// machine which should have the data cannot turn green by losing it.
//
// Parameterised tests whose parameters are files use DataDir() directly, and stay non-empty: give
// them one parameter that reaches WEFT_REQUIRE_DATA_OR_SKIP when the folder is absent.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace weft::testing {

// The repository's root: compiled in by CMake, else derived from where this header was found.
inline std::filesystem::path SourceDir() {
#ifdef WEFT_SOURCE_DIR
  return WEFT_SOURCE_DIR;
#else
  return std::filesystem::absolute(__FILE__).parent_path().parent_path().parent_path();
#endif
}

// The folder with the shared data, or nothing when this machine has none. A WEFT_DATA that names
// no folder counts as none: a mistyped path must not silently fall back to other data.
inline std::optional<std::filesystem::path> DataDir() {
  const char* from_environment = std::getenv("WEFT_DATA");
  const std::filesystem::path dir = (from_environment != nullptr && *from_environment != '\0')
                                        ? std::filesystem::path(from_environment)
                                        : SourceDir() / ".." / "shared";
  std::error_code error;
  if (!std::filesystem::is_directory(dir, error)) return std::nullopt;
  return std::filesystem::weakly_canonical(dir, error);
}

// True when the absence of shared data is to be a failure (WEFT_REQUIRE_DATA=1).
inline bool DataRequired() {
  const char* value = std::getenv("WEFT_REQUIRE_DATA");
  return value != nullptr && std::string_view(value) != "" && std::string_view(value) != "0";
}

}  // namespace weft::testing

// Declares `var` (std::filesystem::path, the data folder); when there is none, leaves the test as
// skipped, or as failed with WEFT_REQUIRE_DATA=1. Only inside a function that returns void.
#define WEFT_REQUIRE_DATA_OR_SKIP(var)                                                        \
  const std::optional<std::filesystem::path> var##_dir = ::weft::testing::DataDir();          \
  if (!var##_dir.has_value()) {                                                               \
    if (::weft::testing::DataRequired()) {                                                    \
      FAIL() << "missing data: WEFT_REQUIRE_DATA is set, but neither WEFT_DATA nor ../shared" \
                " names a folder";                                                            \
    }                                                                                         \
    GTEST_SKIP() << "missing data: set WEFT_DATA or provide ../shared";                       \
  }                                                                                           \
  const std::filesystem::path var = *var##_dir
