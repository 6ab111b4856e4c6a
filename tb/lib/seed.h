// SPDX-License-Identifier: Apache-2.0
//
// Random numbers for tests, repeatable from what the test prints.
//
//   TEST(Requant, RandomShapes) {
//     weft::testing::Rng rng;              // prints the seed and the command that repeats the test
//     int channels = rng.Int(1, 70);
//     std::vector<int8_t> x = rng.Vector<int8_t>(n, -128, 127);
//     if (rng.Chance(0.3)) Stall();
//
// The seed is the environment variable WEFT_SEED, else a fixed default, so that a plain `make test`
// always does the same. Each test draws its own sequence (the test's name is mixed in): running one
// test alone repeats what it did within the whole program. The sequence is the same on every
// machine and library, because only the generator's raw output is used.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "tb/lib/data.h"

namespace weft::testing {

// WEFT_SEED when set (decimal, or hexadecimal with 0x), else 1.
inline uint64_t BaseSeed() {
  const char* value = std::getenv("WEFT_SEED");
  return value == nullptr || *value == '\0' ? 1 : std::strtoull(value, nullptr, 0);
}

// "Suite.Test" of the running test, or "" outside any.
inline std::string CurrentTestName() {
  const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
  if (info == nullptr) return "";
  return std::string(info->test_suite_name()) + "." + info->name();
}

// The shell command, run from the repository's root, that repeats the current test exactly.
inline std::string RepeatCommand() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path relative = program.lexically_relative(SourceDir());
  if (!relative.empty() && *relative.begin() != "..") program = relative;
  return "WEFT_SEED=" + std::to_string(BaseSeed()) + " " + program.string() +
         " --gtest_filter=" + CurrentTestName();
}

class Rng {
 public:
  // Seeds from BaseSeed() and the current test's name, and prints how to repeat. `salt` tells
  // several generators in one test apart.
  explicit Rng(uint64_t salt = 0) : engine_(Mix(BaseSeed(), CurrentTestName(), salt)) {
    if (salt == 0)
      std::cout << "seed " << BaseSeed() << ", repeat with: " << RepeatCommand() << std::endl;
  }

  // A generator that depends on `seed` alone; prints nothing.
  static Rng Fixed(uint64_t seed) {
    Rng rng(1);
    rng.engine_.seed(seed);
    return rng;
  }

  uint64_t Bits() { return engine_(); }

  // Uniform in [low, high], both included.
  int64_t Int(int64_t low, int64_t high) {
    const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    if (span == 0) return static_cast<int64_t>(engine_());
    // The modulo's bias is below 2^-32 for every span in use and does not matter to a test.
    return static_cast<int64_t>(static_cast<uint64_t>(low) + engine_() % span);
  }

  // Mostly near `low`, sometimes anywhere up to `high`.
  int64_t Small(int64_t low, int64_t high) {
    if (high <= low) return low;
    const int64_t span = high - low;
    if (Chance(0.15)) return Int(low, high);
    if (Chance(0.05)) return high;
    return low + Int(0, std::max<int64_t>(1, std::min(span, 1 + span / Int(2, 16))));
  }

  // Uniform in [0, 1).
  double Real() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

  bool Chance(double probability) { return Real() < probability; }

  template <typename T>
  const T& Pick(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(Int(0, static_cast<int64_t>(choices.size()) - 1))];
  }

  template <typename T>
  std::vector<T> Vector(size_t count, int64_t low = std::numeric_limits<T>::min(),
                        int64_t high = std::numeric_limits<T>::max()) {
    static_assert(std::is_integral_v<T>);
    std::vector<T> values(count);
    for (T& value : values) value = static_cast<T>(Int(low, high));
    return values;
  }

 private:
  // FNV-1a over all of it: a sequence that differs per test, and is the same on every machine.
  static uint64_t Mix(uint64_t seed, const std::string& name, uint64_t salt) {
    uint64_t hash = 0xcbf29ce484222325u;
    const auto add = [&hash](uint64_t byte) { hash = (hash ^ (byte & 0xff)) * 0x100000001b3u; };
    for (int shift = 0; shift < 64; shift += 8) add(seed >> shift);
    for (char c : name) add(static_cast<unsigned char>(c));
    for (int shift = 0; shift < 64; shift += 8) add(salt >> shift);
    return hash;
  }

  std::mt19937_64 engine_;
};

}  // namespace weft::testing
