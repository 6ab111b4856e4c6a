// SPDX-License-Identifier: Apache-2.0
//
// Every rule of order: a stream that breaks it is refused with the reason, and the same stream with
// the one wait (or address) put right runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tb/lib/configs.h"
#include "tb/unit/functional/job.h"

namespace weft::testing {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kPixels = 4;

// A stream of simple parts. Places in the scratchpad are numbered; each holds kPixels pixels of
// three blocks of channels, and nothing overlaps unless an address says so.
class Stream : public Job {
 public:
  explicit Stream(const HardwareConfig& config) : Job(config), n(config.n) {}

  int64_t At(int place) const { return place * 4 * kPixels * 3 * n; }
  int64_t PlaceBytes() const { return kPixels * 3 * n; }

  // The setups for the parts below: results are copies.
  void Setups(int64_t input, int64_t mode = 2, int64_t add = 0) {
    Add(SetupInputCmd{.mode = mode,
                      .in_addr = input,
                      .in_pitch = PlaceBytes(),
                      .in_rows = 1,
                      .in_row_bytes = PlaceBytes(),
                      .pixel_bytes = 3 * n,
                      .step_bytes = 3 * n,
                      .stride_rows = 1,
                      .kernel_rows = 1,
                      .kernel_span = mode == 0 ? 3 * n : 1,
                      .pad_value = 0});
    Add(SetupOutputCmd{.out_pitch = PlaceBytes(),
                       .out_pixel = 3 * n,
                       .per_tensor = 1,
                       .add = add,
                       .multiplier = 1 << 30,
                       .shift = 1,
                       .clamp_low = -128,
                       .clamp_high = 127});
    Add(SetupAddCmd{.a_pitch = PlaceBytes(),
                    .b_pitch = PlaceBytes(),
                    .left_shift = 20,
                    .a_multiplier = 1 << 30,
                    .a_shift = 1,
                    .b_multiplier = 1 << 30,
                    .b_shift = 1,
                    .sum_multiplier = 1 << 30,
                    .sum_shift = -19,
                    .sum_clamp_low = -128,
                    .sum_clamp_high = 127});
  }

  LoadCmd Load(int64_t address, int64_t offset = 0) const {
    return {.region = kRegionInput,
            .offset = offset,
            .spad_addr = address,
            .rows = 1,
            .row_bytes = PlaceBytes()};
  }
  StoreCmd Store(int64_t address, int64_t offset = 0) const {
    return {.region = kRegionOutput,
            .offset = offset,
            .spad_addr = address,
            .rows = 1,
            .row_bytes = PlaceBytes()};
  }
  // One RUN over the setup's input; three blocks.
  RunCmd Run3(int64_t out) const {
    return {.acc_first = 1,
            .acc_last = 1,
            .pixels = kPixels,
            .tile_width = kPixels,
            .out_addr = out,
            .channels = 3 * n,
            .beats = 1};
  }
  EltwiseCmd Eltwise3(int64_t a, int64_t out) const {
    return {
        .pixels = kPixels, .tile_width = kPixels, .a_addr = a, .out_addr = out, .channels = 3 * n};
  }

  const int64_t n;
};

constexpr int64_t kWaitLoad = 1, kWaitExec = 2, kWaitStore = 4;

template <typename Cmd>
Cmd WithLoads(Cmd cmd, int64_t count) {
  cmd.wait_mask |= kWaitLoad;
  cmd.wait_load = count;
  return cmd;
}
template <typename Cmd>
Cmd WithBlocks(Cmd cmd, int64_t count) {
  cmd.wait_mask |= kWaitExec;
  cmd.wait_exec = count;
  return cmd;
}
template <typename Cmd>
Cmd WithStores(Cmd cmd, int64_t count) {
  cmd.wait_mask |= kWaitStore;
  cmd.wait_store = count;
  return cmd;
}

struct Rule {
  std::string name;
  std::string complaint;  // part of the violation's text
  std::function<void(Stream&, bool ordered)> build;
};

std::vector<uint8_t> Block(const HardwareConfig& config, int blocks) {
  return std::vector<uint8_t>(static_cast<size_t>(blocks) * config.k * config.n, 1);
}

void PrintTo(const Rule& rule, std::ostream* out) { *out << rule.name; }

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> rules = {
      {"RunReadsWhatLoadWrites", "reads scratchpad byte 0, which LOAD 1 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Load(s.At(0)));
         s.Add(ok ? WithLoads(s.Run3(s.At(1)), 1) : s.Run3(s.At(1)));
       }},
      {"AWaitForAnEarlierLoadIsNotEnough",
       "which LOAD 2 writes, and its waits only make sure of LOAD 1",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Load(s.At(2)));
         s.Add(s.Load(s.At(0)));
         s.Add(WithLoads(s.Run3(s.At(1)), ok ? 2 : 1));
       }},
      {"RunReadsTheLastByteOfALoad", "which LOAD 1 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         LoadCmd load = s.Load(s.At(0) + s.PlaceBytes() - s.n);
         load.row_bytes = s.n;
         s.Add(load);
         RunCmd run = s.Run3(s.At(1));
         run.pixels = ok ? kPixels - 1 : kPixels;
         s.Add(run);
       }},
      {"LoadOverwritesWhatRunReads", "overwrites scratchpad byte 0, which execution block 3 reads",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0), 0);
         const int64_t position = s.LoadWeights(Block(s.config(), 9 * 3));
         RunCmd run = s.Run3(s.At(1));
         run.beats = 3 * s.n / s.config().k;
         run.weights_pos = position;
         s.Add(run);
         s.Add(WithBlocks(s.Load(s.At(0)), ok ? 3 : 2));  // every block reads all of a dense input
       }},
      {"LoadOverwritesWhatRunWrites", "which execution block 3 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         s.Add(WithBlocks(s.Load(s.At(1)), ok ? 3 : 2));
       }},
      {"RunOverwritesWhatLoadWrites", "overwrites scratchpad byte",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Load(s.At(1)));
         s.Add(ok ? WithLoads(s.Run3(s.At(1)), 1) : s.Run3(s.At(1)));
       }},
      {"StoreReadsWhatRunWrites", "which execution block 3 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         s.Add(WithBlocks(s.Store(s.At(1)), ok ? 3 : 2));
       }},
      {"StoreReadsWhatLoadWrites", "which LOAD 1 writes",
       [](Stream& s, bool ok) {
         s.Add(s.Load(s.At(0)));
         s.Add(ok ? WithLoads(s.Store(s.At(0)), 1) : s.Store(s.At(0)));
       }},
      {"RunOverwritesWhatStoreReads", "which STORE 1 reads",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Store(s.At(1)));
         s.Add(ok ? WithStores(s.Run3(s.At(1)), 1) : s.Run3(s.At(1)));
       }},
      {"LoadOverwritesWhatStoreReads", "which STORE 1 reads",
       [](Stream& s, bool ok) {
         s.Add(s.Store(s.At(1)));
         s.Add(ok ? WithStores(s.Load(s.At(1)), 1) : s.Load(s.At(1)));
       }},
      {"RunReadsWhatAnEarlierRunWrites", "which execution block 3 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         s.Setups(s.At(1));
         s.Add(WithBlocks(s.Run3(s.At(2)), ok ? 3 : 2));
       }},
      {"ResidualOperandIsRead", "reads scratchpad byte",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         s.Setups(s.At(0), 2, 1);
         RunCmd run = s.Run3(s.At(2));
         run.b_addr = s.At(1);
         s.Add(ok ? WithBlocks(run, 3) : run);
       }},
      {"ResidualOperandIsReadWhenItsBlockStarts", "which execution block 1 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         s.Setups(s.At(0), 2, 1);
         RunCmd run = WithBlocks(s.Run3(s.At(2)), 1);
         run.b_addr = s.At(1);
         run.wait_step_block = 1;
         if (!ok) run.wait_exec = 0;
         s.Add(run);
       }},
      {"EltwiseReadsBothOperands", "which LOAD 2 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Load(s.At(0)));
         s.Add(s.Load(s.At(1)));
         EltwiseCmd eltwise = WithLoads(s.Eltwise3(s.At(0), s.At(2)), ok ? 2 : 1);
         eltwise.add = 1;
         eltwise.b_addr = s.At(1);
         s.Add(eltwise);
       }},
      {"EltwiseWithoutAddReadsOneOperand", "which LOAD 1 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Load(s.At(1)));
         EltwiseCmd eltwise = s.Eltwise3(s.At(ok ? 0 : 1), s.At(2));
         eltwise.b_addr = s.At(1);
         s.Add(eltwise);
       }},
      {"StepPerBlock", "which execution block 2 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         s.Setups(s.At(1));  // block j reads the channels of the producer's block j
         RunCmd run = WithBlocks(s.Run3(s.At(2)), 1);
         run.wait_step_block = ok ? 1 : 0;
         s.Add(run);
       }},
      {"StepPerBlockOfEltwise", "which execution block 2 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         EltwiseCmd eltwise = WithBlocks(s.Eltwise3(s.At(1), s.At(2)), 1);
         eltwise.wait_step_block = ok ? 1 : 0;
         s.Add(eltwise);
       }},
      {"StepPerBeat", "which execution block 2 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         s.Setups(s.At(1), 0);  // K = N: beat b reads the channels of the producer's block b
         const int64_t position = s.LoadWeights(Block(s.config(), 3));
         RunCmd run = WithBlocks(s.Run3(s.At(2)), 1);
         run.beats = 3;
         run.channels = s.n;
         run.weights_pos = position;
         run.wait_step_beat = ok ? 1 : 0;
         s.Add(run);
       }},
      {"StepsMayNotLeadIntoTheFuture", "waits for execution block 4, but only 3 come earlier",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Run3(s.At(1)));
         RunCmd run = WithBlocks(s.Run3(s.At(2)), 2);
         run.wait_step_block = 1;
         run.channels = ok ? 2 * s.n : 3 * s.n;
         s.Add(run);
       }},
      {"WaitForALaterLoad", "waits for LOAD 2, but only 1 come earlier",
       [](Stream& s, bool ok) {
         s.Add(s.Load(s.At(0)));
         s.Add(WithLoads(s.Store(s.At(0)), ok ? 1 : 2));
         s.Add(s.Load(s.At(1)));
       }},
      {"WaitForALaterStore", "waits for STORE 1, but only 0 come earlier",
       [](Stream& s, bool ok) { s.Add(WithStores(s.Load(s.At(0)), ok ? 0 : 1)); }},
      {"KnowledgeIsPassedOn", "which STORE 1 reads",
       [](Stream& s, bool ok) {  // LOAD knows of the STORE through the block that waited for it
         s.Setups(s.At(0));
         s.Add(s.Store(s.At(2)));
         s.Add(ok ? WithStores(s.Run3(s.At(1)), 1) : s.Run3(s.At(1)));
         s.Add(WithBlocks(s.Load(s.At(2)), 1));
       }},
      {"KnowledgeOfTheCommandBeforeInTheEngine", "which LOAD 1 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(s.Load(s.At(0)));
         s.Add(ok ? WithLoads(s.Run3(s.At(1)), 1) : WithLoads(s.Run3(s.At(1)), 0));
         s.Add(s.Run3(s.At(2)));
       }},
      {"LoadReadsWhatStoreWrites", "which STORE 1 writes",
       [](Stream& s, bool ok) {
         s.Add(s.Store(s.At(0)));
         LoadCmd load = s.Load(s.At(1));
         load.region = kRegionOutput;
         s.Add(ok ? WithStores(load, 1) : load);
       }},
      {"StoreOverwritesWhatLoadReads", "which LOAD 1 reads",
       [](Stream& s, bool ok) {
         s.Add(s.Load(s.At(0)));
         StoreCmd store = s.Store(s.At(1));
         store.region = kRegionInput;
         s.Add(ok ? WithLoads(store, 1) : store);
       }},
      {"StoreOverwritesWeights", "overwrites commands or weights",
       [](Stream& s, bool ok) {
         s.LoadWeights(Block(s.config(), 1));
         StoreCmd store = s.Store(s.At(0));
         if (!ok) store.region = kRegionProgram;
         s.Add(store);
       }},
      {"WeightsAreNeverStored", "nothing orders the two",
       [](Stream& s, bool ok) {
         s.Add(s.Store(s.At(0)));
         s.Add(LoadWeightsCmd{.region = ok ? kRegionInput : kRegionOutput, .words = 1});
       }},
      {"StoreOverwritesLaterCommands", "nothing orders the two",
       [](Stream& s, bool ok) {
         StoreCmd store = s.Store(s.At(0), kStreamOffset + 128);
         store.row_bytes = 64;
         if (!ok) store.region = kRegionProgram;
         s.Add(NopCmd{});
         s.Add(NopCmd{});
         s.Add(store);
         s.Add(NopCmd{});
         s.Add(NopCmd{});
       }},
      {"MarkOverwritesStoredData", "nothing orders the two",
       [](Stream& s, bool ok) {
         s.Add(s.Store(s.At(0)));
         s.Add(MarkCmd{.region = ok ? kRegionMarks : kRegionOutput});
       }},
      {"StoreOverwritesAMark", "overwrites a MARK",
       [](Stream& s, bool ok) {
         s.Add(MarkCmd{.region = ok ? kRegionMarks : kRegionOutput});
         s.Add(s.Store(s.At(0)));
       }},
      {"LoadReadsAMark", "which a MARK of the same job writes",
       [](Stream& s, bool ok) {
         s.Add(MarkCmd{.region = ok ? kRegionMarks : kRegionInput});
         s.Add(s.Load(s.At(0)));
       }},
      {"RunOverwritesItsOwnInput", "which the command's block 2 reads",
       [](Stream& s, bool ok) {  // two blocks: the second reads what the first has written
         s.Setups(s.At(0), 0);
         const int64_t position = s.LoadWeights(Block(s.config(), 9));
         RunCmd run = s.Run3(ok ? s.At(1) : s.At(0));
         run.beats = 3;
         run.channels = 2 * s.n;
         run.weights_pos = position;
         s.Add(run);
       }},
      {"DepthwiseRunReadsItsOwnOutput", "reads scratchpad byte",
       [](Stream& s, bool ok) {  // block 1 reads where block 0 has written
         s.Setups(s.At(0));
         RunCmd run = s.Run3(ok ? s.At(0) : s.At(0) + s.n);
         run.channels = 2 * s.n;
         s.Add(run);
       }},
      {"EltwiseOverwritesItsOwnOperand", "overwrites bytes of its own operands",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         EltwiseCmd eltwise = s.Eltwise3(s.At(0), s.At(0) + (ok ? 0 : 3 * s.n));
         eltwise.channels = s.n;
         s.Add(eltwise);
       }},
      {"RunOverwritesItsOwnResidual", "overwrites bytes of its residual operand",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0), 2, 1);
         RunCmd run = s.Run3(s.At(1) + (ok ? 0 : 1));
         run.b_addr = s.At(1);
         run.channels = s.n;
         run.out_addr += ok ? 0 : 3 * s.n - 1;
         s.Add(run);
       }},
      {"SoftmaxOverlapsItself", "its result overlaps its operand",
       [](Stream& s, bool ok) {
         const int64_t position = s.LoadWeights(std::vector<uint8_t>(1024, 1));
         s.Add(SoftmaxCmd{
             .weights_pos = position, .in_addr = 100, .out_addr = ok ? 110 : 109, .length = 10});
       }},
      {"RingIsFull", "leave room for 0",
       [](Stream& s, bool ok) {
         const int64_t words = s.config().ring_words();
         const int64_t offset =
             s.Place(kRegionProgram, std::vector<uint8_t>(s.config().weight_ring));
         s.Setups(s.At(0), 0);
         s.Add(LoadWeightsCmd{.region = kRegionProgram, .offset = offset, .words = words});
         RunCmd run = s.Run3(s.At(1));
         run.channels = s.n;
         run.beats = 3;
         run.weights_release = ok;
         s.Add(run);
         s.Add(LoadWeightsCmd{
             .region = kRegionProgram, .offset = offset, .words = 3 * s.config().block_words()});
       }},
      {"RingReadBeforeWritten", "and the ring holds",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0), 0);
         const int64_t position = s.LoadWeights(Block(s.config(), 9));
         RunCmd run = s.Run3(s.At(1));
         run.beats = 3;
         run.weights_pos = position + (ok ? 0 : 1);
         s.Add(run);
       }},
      {"RingReadAfterRelease", "and the ring holds",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0), 0);
         RunCmd run = s.Run3(s.At(1));
         run.beats = 3;
         run.weights_pos = s.LoadWeights(Block(s.config(), 9));
         run.weights_stream = !ok;
         s.Add(run);
         s.Add(run);
       }},
      {"SoftmaxTableIsReleased", "and the ring holds",
       [](Stream& s, bool ok) {
         SoftmaxCmd softmax{.weights_release = !ok, .in_addr = 0, .out_addr = 100, .length = 10};
         softmax.weights_pos = s.LoadWeights(std::vector<uint8_t>(1024, 1));
         s.Add(softmax);
         softmax.out_addr = 200;
         s.Add(softmax);
       }},
      {"InPlaceWithPixelsThatOverlap", "before they are read",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         EltwiseCmd eltwise = s.Eltwise3(s.At(1), s.At(1));
         s.Add(SetupOutputCmd{.out_pitch = kPixels * s.n,
                              .out_pixel = s.n - (ok ? 0 : 1),
                              .per_tensor = 1,
                              .multiplier = 1 << 30,
                              .shift = 1});
         eltwise.channels = s.n;
         s.Add(eltwise);
       }},
      {"MoreBeatsThanTheWindow", "the window ends after 3",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0), 0);
         RunCmd run = s.Run3(s.At(1));
         run.weights_pos = s.LoadWeights(Block(s.config(), 12));
         run.beats = ok ? 3 : 4;
         s.Add(run);
       }},
      {"ShiftInAParameterRecord", "shift 0 is 32",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         s.Add(SetupOutputCmd{.out_pixel = s.n, .has_params = 1});
         std::vector<uint8_t> record(static_cast<size_t>(s.config().param_words(false)) *
                                     s.config().weight_word);
         // Biases and multipliers fill whole words in all configurations.
         record[static_cast<size_t>(8 * s.n)] = ok ? 31 : 32;
         RunCmd run = s.Run3(s.At(1));
         run.channels = s.n;
         run.weights_pos = s.LoadWeights(record);
         s.Add(run);
       }},
      {"CountsBeyond16Bits", "which execution block 69632 writes",
       [](Stream& s, bool ok) {
         s.Setups(s.At(0));
         EltwiseCmd eltwise{.pixels = 1, .tile_width = 1, .a_addr = 0, .out_addr = 0};
         eltwise.channels = 1024 * s.n;  // 1024 blocks in place
         for (int i = 0; i < 68; ++i)
           s.Add(i == 0 ? eltwise : WithBlocks(eltwise, i * 1024 % 65536));
         StoreCmd store = s.Store(0);
         store.row_bytes = 1024 * s.n;
         s.Add(WithBlocks(store, (69632 - (ok ? 0 : 1)) % 65536));
       }},
  };
  return rules;
}

class Order : public ::testing::TestWithParam<std::tuple<HardwareConfig, Rule>> {};

TEST_P(Order, BrokenStreamIsRefused) {
  const auto& [config, rule] = GetParam();
  Stream stream(config);
  rule.build(stream, false);
  EXPECT_EQ(stream.Run(), WEFT_ERROR_BAD_STREAM);
  EXPECT_THAT(stream.violations(), HasSubstr(rule.complaint));
}

TEST_P(Order, OrderedStreamRuns) {
  const auto& [config, rule] = GetParam();
  Stream stream(config);
  rule.build(stream, true);
  EXPECT_EQ(stream.Run(), WEFT_ERROR_NONE) << "command " << stream.error_command();
  EXPECT_EQ(stream.violations(), "");
}

INSTANTIATE_TEST_SUITE_P(Rules, Order,
                         ::testing::Combine(::testing::ValuesIn(ShippedConfigs()),
                                            ::testing::ValuesIn(Rules())),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) + "_" +
                                  std::get<1>(info.param).name;
                         });

TEST(OrderReport, NamesJobCommandAndItsFields) {
  Stream stream(kHardwareConfigs[1]);
  stream.Add(stream.Load(0));
  stream.Add(stream.Store(0));
  EXPECT_EQ(stream.Run(), WEFT_ERROR_BAD_STREAM);
  EXPECT_EQ(stream.error_command(), 1u);
  EXPECT_THAT(stream.violations(), HasSubstr("job 700: command 1 (STORE region=2"));
}

}  // namespace
}  // namespace weft::testing
