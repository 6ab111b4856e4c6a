// SPDX-License-Identifier: Apache-2.0
//
// Which layer each command of a stream works for.
#include "sw/command/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "sw/command/codec.h"

namespace weft {
namespace {

using ::testing::ElementsAre;

RunCmd RunAfter(int64_t loads, int64_t position) {
  return {.wait_mask = loads > 0 ? 1 : 0, .wait_load = loads, .weights_pos = position};
}

TEST(LayersOf, LoadsBelongToWhoWaitsForThem) {
  const std::vector<Command> stream = {
      LoadCmd{}, LoadCmd{},      LoadCmd{},  SetupInputCmd{.mode = 2}, RunAfter(1, 0),
      MarkCmd{}, RunAfter(3, 0), StoreCmd{}, MarkCmd{.layer = 1},      EndCmd{}};
  EXPECT_THAT(LayersOf(stream), ElementsAre(0, 1, 1, 0, 0, 0, 1, 1, 1, 2));
}

TEST(LayersOf, WeightsBelongToWhoReadsTheirFirstWord) {
  const std::vector<Command> stream = {LoadWeightsCmd{.words = 10},
                                       RunAfter(0, 0),
                                       LoadWeightsCmd{.words = 4},
                                       RunAfter(0, 8),
                                       MarkCmd{},
                                       RunAfter(0, 12),
                                       LoadWeightsCmd{.words = 9},
                                       MarkCmd{.layer = 1},
                                       SoftmaxCmd{.weights_pos = 14},
                                       MarkCmd{.layer = 2},
                                       EndCmd{}};
  EXPECT_THAT(LayersOf(stream), ElementsAre(0, 0, 0, 0, 0, 1, 2, 1, 2, 2, 3));
}

// Counts and ring positions are modulo 2^16.
TEST(LayersOf, CountsWrap) {
  std::vector<Command> stream(70000, LoadCmd{});
  stream.push_back(RunAfter(65535, 0));
  stream.push_back(MarkCmd{});
  stream.push_back(RunAfter(70000 - 65536, 0));
  const std::vector<int> layers = LayersOf(stream);
  EXPECT_EQ(layers[65534], 0);
  EXPECT_EQ(layers[65535], 1);
  EXPECT_EQ(layers[69999], 1);
}

TEST(DecodeStream, NamesTheCommandItCannotDecode) {
  Program program;
  program.memory.resize(2 * kCommandBytes, 0xff);
  std::array<uint8_t, kCommandBytes> end;
  Encode(EndCmd{}, end);
  std::copy(end.begin(), end.end(), program.memory.begin());
  program.stream_commands = 1;
  EXPECT_EQ(DecodeStream(program)->size(), 1u);
  program.stream_commands = 2;
  const Result<std::vector<Command>> stream = DecodeStream(program);
  ASSERT_FALSE(stream);
  EXPECT_THAT(stream.error().message, ::testing::HasSubstr("command 1"));
}

}  // namespace
}  // namespace weft
