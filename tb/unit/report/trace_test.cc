// SPDX-License-Identifier: Apache-2.0
//
// Slices of a trace, from made-up activity.
#include "sw/report/trace.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "sw/command/codec.h"

namespace weft {
namespace {

const HardwareConfig& Weft256() { return kHardwareConfigs[1]; }

// One layer: two LOADs (0 and 1), RUNs of 6 and 2 operands (2 and 3), a MARK.
Program MakeProgram() {
  const std::vector<Command> stream = {
      LoadCmd{},
      LoadCmd{},
      RunCmd{.wait_mask = 1, .wait_load = 2, .pixels = 3, .channels = 16, .beats = 2},
      RunCmd{.pixels = 1, .channels = 32, .beats = 1},
      MarkCmd{},
      EndCmd{}};
  Program program;
  program.stream_commands = static_cast<uint32_t>(stream.size());
  program.layers.resize(1);
  program.layers[0].name = "only";
  for (const Command& command : stream) {
    std::array<uint8_t, kCommandBytes> bytes;
    Encode(command, bytes);
    program.memory.insert(program.memory.end(), bytes.begin(), bytes.end());
  }
  return program;
}

class TraceTest : public ::testing::Test {
 protected:
  // One cycle in which these counters count.
  void Cycle(std::initializer_list<uint32_t> counters, uint32_t load_command = 0) {
    Activity activity;
    activity.cycle = cycle_++;
    for (const uint32_t counter : counters) activity.events |= 1u << counter;
    activity.load_command = load_command;
    trace_->Cycle(activity);
  }
  const std::vector<Trace::Slice>& Of(Trace::Track track) const { return trace_->slices()[track]; }

  Result<Trace> trace_ = Trace::Make(MakeProgram(), Weft256());
  uint64_t cycle_ = 100;
};

TEST_F(TraceTest, TheArraysCommandsFollowFromTheirOperands) {
  Cycle({WEFT_COUNTER_ARRAY_IDLE});
  for (int operand = 0; operand < 5; ++operand) Cycle({WEFT_COUNTER_ARRAY_BUSY});
  Cycle({WEFT_COUNTER_STALL_WEIGHTS});
  Cycle({WEFT_COUNTER_ARRAY_BUSY});
  Cycle({WEFT_COUNTER_STALL_OPERAND});
  Cycle({WEFT_COUNTER_ARRAY_BUSY});
  Cycle({WEFT_COUNTER_ARRAY_BUSY});
  ASSERT_EQ(Of(Trace::kArray).size(), 2u);
  const Trace::Slice& first = Of(Trace::kArray)[0];
  EXPECT_EQ(first.command, 2u);
  EXPECT_EQ(first.begin, 101u);
  EXPECT_EQ(first.end, 108u);
  EXPECT_EQ(first.work, 6u);
  EXPECT_EQ(first.waits[WEFT_COUNTER_STALL_WEIGHTS], 1u);
  const Trace::Slice& second = Of(Trace::kArray)[1];
  EXPECT_EQ(second.command, 3u);
  EXPECT_EQ(second.begin, 109u) << "what lies between is no part of either";
  EXPECT_EQ(second.end, 111u);
  EXPECT_EQ(Of(Trace::kArrayWaits).size(), 3u);
}

TEST_F(TraceTest, ALoadIsNamedByItsFirstBeat) {
  Cycle({WEFT_COUNTER_LOAD_BUSY}, 7);  // left over from before
  Cycle({WEFT_COUNTER_LOAD_BUSY}, 0);
  Cycle({WEFT_COUNTER_LOAD_BUSY, WEFT_COUNTER_READ_BEATS}, 0);
  Cycle({WEFT_COUNTER_LOAD_BUSY, WEFT_COUNTER_READ_BEATS, WEFT_COUNTER_WEIGHT_BEATS}, 0);
  Cycle({WEFT_COUNTER_LOAD_BUSY, WEFT_COUNTER_READ_BEATS}, 1);
  Cycle({}, 1);
  ASSERT_EQ(Of(Trace::kLoad).size(), 2u);
  EXPECT_EQ(Of(Trace::kLoad)[0].command, 0u);
  EXPECT_EQ(Of(Trace::kLoad)[0].begin, 100u);
  EXPECT_EQ(Of(Trace::kLoad)[0].end, 104u);
  EXPECT_EQ(Of(Trace::kLoad)[0].work, 1u) << "beats of weights are not its own";
  EXPECT_EQ(Of(Trace::kLoad)[1].command, 1u);
  EXPECT_EQ(Of(Trace::kLoad)[1].end, 105u);
}

TEST_F(TraceTest, JsonNamesTracksAndSlices) {
  for (int operand = 0; operand < 6; ++operand) Cycle({WEFT_COUNTER_ARRAY_BUSY});
  for (int wait = 0; wait < 7; ++wait) Cycle({WEFT_COUNTER_ARRAY_IDLE});
  for (int wait = 0; wait < 8; ++wait) Cycle({WEFT_COUNTER_STALL_OPERAND});
  Cycle({});
  int waits = 0, runs = 0;
  const nlohmann::json trace = trace_->ToJson();
  for (const nlohmann::json& event : trace["traceEvents"]) {
    if (event["ph"] != "X") continue;
    if (event["cat"] == "array waits") {
      ++waits;
      EXPECT_EQ(event["name"], "stall_operand") << "seven cycles are too short to show";
      EXPECT_EQ(event["dur"], 8);
    } else {
      ++runs;
      EXPECT_EQ(event["name"], "only");
      EXPECT_EQ(event["args"]["kind"], "RUN");
    }
  }
  EXPECT_EQ(waits, 1);
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace weft
