// SPDX-License-Identifier: Apache-2.0
//
// The commands other than RUN: copies, marks, element-wise work, softmax; and which are refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "tb/lib/configs.h"
#include "tb/lib/seed.h"
#include "tb/unit/functional/exact.h"
#include "tb/unit/functional/job.h"

namespace weft::testing {
namespace {

using ::testing::ElementsAre;

class Commands : public ::testing::TestWithParam<HardwareConfig> {
 protected:
  const HardwareConfig& config() { return GetParam(); }
  int64_t word() { return GetParam().word(); }
};

TEST_P(Commands, LoadAndStoreCopyRowsAndLeaveTheRest) {
  Rng rng;
  for (int trial = 0; trial < 20; ++trial) {
    Job job(config());
    const int64_t rows = rng.Int(1, 9), row_bytes = rng.Int(1, 5 * word());
    const int64_t whole = (row_bytes + word() - 1) / word() * word();
    const auto pitch = [&] { return whole + rng.Int(0, 2) * word(); };
    const int64_t mem_pitch = pitch(), spad_pitch = pitch(), out_pitch = pitch();
    const int64_t spad = rng.Int(0, 9) * word(), offset = rng.Int(0, 9) * word();
    const auto source = rng.Vector<int8_t>(static_cast<size_t>(offset + rows * mem_pitch));
    const auto before = rng.Vector<int8_t>(static_cast<size_t>(spad + rows * spad_pitch));
    const auto target = rng.Vector<int8_t>(static_cast<size_t>(rows * out_pitch));
    job.Place(kRegionOutput, target);
    job.LoadBytes(before, 0);
    const int64_t at = job.Place(kRegionArena, source) + offset;
    job.Add(LoadCmd{.region = kRegionArena,
                    .offset = at,
                    .spad_addr = spad,
                    .rows = rows,
                    .row_bytes = row_bytes,
                    .mem_pitch = mem_pitch,
                    .spad_pitch = spad_pitch});
    job.Add(StoreCmd{.region = kRegionOutput,
                     .offset = 0,
                     .spad_addr = spad,
                     .rows = rows,
                     .row_bytes = row_bytes,
                     .mem_pitch = out_pitch,
                     .spad_pitch = spad_pitch,
                     .wait_mask = 1,
                     .wait_load = 2});
    ASSERT_EQ(job.Run(), WEFT_ERROR_NONE) << job.violations();
    auto scratchpad = before;
    auto memory = target;
    for (int64_t r = 0; r < rows; ++r) {
      std::copy_n(source.begin() + offset + r * mem_pitch, row_bytes,
                  scratchpad.begin() + spad + r * spad_pitch);
      std::copy_n(source.begin() + offset + r * mem_pitch, row_bytes,
                  memory.begin() + r * out_pitch);
    }
    EXPECT_EQ(job.Scratchpad(0, scratchpad.size()), scratchpad);
    EXPECT_EQ(job.Memory(kRegionOutput, 0, memory.size()), memory);
  }
}

TEST_P(Commands, EltwiseAddsAndRequantises) {
  Rng rng;
  for (int trial = 0; trial < 60; ++trial) {
    Job job(config());
    const bool add = rng.Chance(0.5), in_place = rng.Chance(0.3);
    const int64_t rows = rng.Int(1, 4), width = rng.Int(1, 9),
                  channels = rng.Int(1, 2 * config().n + 3);
    const int64_t row = width * channels;
    const int64_t a_pitch = row + rng.Int(0, 3), b_pitch = row + rng.Int(0, 3);
    const int64_t out_pitch = in_place ? a_pitch : row + rng.Int(0, 3);
    const auto a = rng.Vector<int8_t>(static_cast<size_t>(rows * a_pitch));
    const auto b = rng.Vector<int8_t>(static_cast<size_t>(rows * b_pitch));
    const int64_t b_addr = 16384 / 4, out_addr = in_place ? 0 : 8192 + rng.Int(0, 3);
    job.LoadBytes(a, 0);
    job.LoadBytes(b, b_addr);
    const int rounding = static_cast<int>(rng.Int(0, 2));
    const auto multiplier = [&] { return rng.Int(1 << 30, INT32_MAX); };
    const auto zero_point = [&] { return rng.Int(-128, 127); };
    const SetupOutputCmd output{.out_pitch = out_pitch,
                                .out_pixel = channels,
                                .rounding = rounding,
                                .per_tensor = 1,
                                .multiplier = multiplier(),
                                .shift = rng.Int(-3, 2),
                                .zero_point = zero_point(),
                                .clamp_low = -120,
                                .clamp_high = 100};
    const SetupAddCmd sum{.a_pitch = a_pitch,
                          .b_pitch = b_pitch,
                          .left_shift = rng.Int(10, 20),
                          .a_zero_point = zero_point(),
                          .a_multiplier = multiplier(),
                          .a_shift = rng.Int(-3, 0),
                          .b_zero_point = zero_point(),
                          .b_multiplier = multiplier(),
                          .b_shift = rng.Int(-3, 0),
                          .sum_multiplier = multiplier(),
                          .sum_shift = rng.Int(-20, -12),
                          .sum_zero_point = zero_point(),
                          .sum_clamp_low = -100,
                          .sum_clamp_high = 120};
    job.Add(output);
    job.Add(sum);
    const int64_t pixels = rows * width;
    for (int64_t done = 0; done < pixels;) {
      const int64_t count = std::min<int64_t>(pixels - done, rng.Int(1, 20));
      const int64_t y = done / width;
      job.Add(EltwiseCmd{.add = add,
                         .wait_mask = 1,
                         .wait_load = 2,
                         .pixels = count,
                         .tile_width = width,
                         .tile_x = done % width,
                         .a_addr = y * a_pitch,
                         .b_addr = b_addr + y * b_pitch,
                         .out_addr = out_addr + y * out_pitch,
                         .channels = channels});
      done += count;
    }
    ASSERT_EQ(job.Run(), WEFT_ERROR_NONE) << job.violations();
    const auto scale = [&](int64_t value, int64_t m, int64_t shift) {
      return ExactRequantise(static_cast<int32_t>(value), static_cast<int32_t>(m),
                             static_cast<int>(shift), rounding);
    };
    for (int64_t y = 0; y < rows; ++y) {
      const auto got = job.Scratchpad(out_addr + y * out_pitch, static_cast<size_t>(row));
      for (int64_t i = 0; i < row; ++i) {
        const int64_t from_a = a[y * a_pitch + i] - sum.a_zero_point;
        const int64_t from_b = b[y * b_pitch + i] - sum.b_zero_point;
        int64_t expected;
        if (add) {
          const int64_t left = int64_t{1} << sum.left_shift;
          const int64_t total = int64_t{scale(from_a * left, sum.a_multiplier, sum.a_shift)} +
                                scale(from_b * left, sum.b_multiplier, sum.b_shift);
          expected = std::clamp<int64_t>(
              scale(total, sum.sum_multiplier, sum.sum_shift) + sum.sum_zero_point, -100, 120);
        } else {
          expected = std::clamp<int64_t>(
              scale(from_a, output.multiplier, output.shift) + output.zero_point, -120, 100);
        }
        ASSERT_EQ(got[static_cast<size_t>(i)], expected)
            << "trial " << trial << " row " << y << " byte " << i;
      }
    }
  }
}

TEST_P(Commands, SoftmaxTakesItsTableFromTheRing) {
  Job job(config());
  std::vector<int32_t> table(256);
  for (int d = 0; d < 256; ++d) {
    table[d] = static_cast<int32_t>(std::min(std::exp(-d * 0.1) * 0x1.0p31, 0x1.0p31 - 1));
  }
  std::vector<uint8_t> bytes;
  for (const int32_t entry : table) {
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(entry >> (8 * i)));
  }
  job.LoadWeights(std::vector<uint8_t>(config().weight_word, 0xAA));  // the table is not first
  const int64_t position = job.LoadWeights(bytes);
  const std::vector<int8_t> row = {10, 30, 127, 120, 100, -128, 127};
  job.LoadBytes(row, 0);
  job.Add(SoftmaxCmd{.wait_mask = 1,
                     .wait_load = 1,
                     .weights_pos = position,
                     .in_addr = 0,
                     .out_addr = 1001,
                     .length = static_cast<int64_t>(row.size())});
  ASSERT_EQ(job.Run(), WEFT_ERROR_NONE) << job.violations();
  double sum = 0;
  for (const int8_t x : row) sum += std::exp((x - 127) * 0.1);
  const auto result = job.Scratchpad(1001, row.size());
  for (size_t i = 0; i < row.size(); ++i) {
    EXPECT_EQ(result[i], std::lround(std::exp((row[i] - 127) * 0.1) / sum * 256 - 128)) << i;
  }
}

// Every unit of work in stream order, with its command and the bytes it leaves. A command that
// fails is not told, nor what it wrote before.
TEST_P(Commands, RetirementsAreTold) {
  struct Seen {
    Engine engine;
    uint32_t command;
    std::vector<std::tuple<Space, uint64_t, std::vector<uint8_t>>> writes;
    bool operator==(const Seen&) const = default;
  };
  std::vector<Seen> seen;
  Job job(config(), [&](const Retirement& done) {
    seen.push_back({done.engine, done.command, {}});
    for (const Written& w : done.writes) {
      seen.back().writes.emplace_back(w.space, w.address,
                                      std::vector<uint8_t>(w.bytes.begin(), w.bytes.end()));
    }
  });
  const auto n = static_cast<size_t>(config().n);
  const auto ring_word = static_cast<size_t>(config().weight_word);
  const int64_t channels = config().n + 1, pixel = config().n;  // pixels overlap by one channel
  std::vector<int8_t> row(4096);
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<int8_t>(i * 7);
  const std::vector<uint8_t> bytes(reinterpret_cast<uint8_t*>(row.data()),
                                   reinterpret_cast<uint8_t*>(row.data()) + row.size());
  const auto part = [&](size_t first, size_t count) {
    return std::vector<uint8_t>(bytes.begin() + static_cast<ptrdiff_t>(first),
                                bytes.begin() + static_cast<ptrdiff_t>(first + count));
  };
  job.LoadWeights(part(0, ring_word));          // 0
  job.LoadWeights(part(ring_word, ring_word));  // 1
  job.LoadBytes(row, 0);                        // 2
  job.Add(SetupOutputCmd{.out_pixel = pixel,    // 3: an identity
                         .rounding = 1,
                         .per_tensor = 1,
                         .multiplier = 1 << 30,
                         .shift = 1,
                         .clamp_low = -128,
                         .clamp_high = 127});
  job.Add(SetupAddCmd{});             // 4
  job.Add(EltwiseCmd{.wait_mask = 1,  // 5: two blocks, the second of one channel
                     .wait_load = 1,
                     .pixels = 2,
                     .tile_width = 2,
                     .a_addr = 0,
                     .out_addr = 8192,
                     .channels = channels});
  job.Add(StoreCmd{.region = kRegionOutput,  // 6
                   .spad_addr = 8192,
                   .rows = 2,
                   .row_bytes = 1,
                   .mem_pitch = 2 * word(),
                   .wait_mask = 2,
                   .wait_exec = 2});
  job.Add(LoadCmd{.region = kRegionInput,  // 7: its second row leaves the scratchpad
                  .spad_addr = 0,
                  .rows = 2,
                  .row_bytes = 1,
                  .spad_pitch = (1 << 21) - word(),
                  .wait_mask = 6,
                  .wait_exec = 2,
                  .wait_store = 1});
  EXPECT_EQ(job.Run(), WEFT_ERROR_BAD_ADDRESS) << job.violations();
  EXPECT_EQ(job.error_command(), 7u);
  const uint64_t out = kRegionOutput * kRegionBytes;
  const std::vector<Seen> expected = {
      {Engine::kWeights, 0, {{Space::kWeights, 0, part(0, ring_word)}}},
      {Engine::kWeights, 1, {{Space::kWeights, ring_word, part(ring_word, ring_word)}}},
      {Engine::kLoad, 2, {{Space::kScratchpad, 0, bytes}}},
      {Engine::kExec,
       5,
       {{Space::kScratchpad, 8192, part(0, n)}, {Space::kScratchpad, 8192 + n, part(n, n)}}},
      {Engine::kExec,
       5,
       {{Space::kScratchpad, 8192 + n, part(n, 1)},
        {Space::kScratchpad, 8192 + 2 * n, part(2 * n, 1)}}},
      {Engine::kStore,
       6,
       {{Space::kMemory, out, part(0, 1)},
        {Space::kMemory, out + static_cast<uint64_t>(2 * word()), part(0, 1)}}}};
  EXPECT_EQ(seen.size(), expected.size());
  EXPECT_TRUE(seen == expected);
}

TEST_P(Commands, MarksWriteSnapshotsAndTellTheObserver) {
  Job job(config());
  std::vector<uint32_t> seen;
  job.device().SetMarkObserver([&](uint32_t layer) { seen.push_back(layer); });
  job.LoadBytes(std::vector<int8_t>(4096, 1), 0);
  job.Add(MarkCmd{.region = kRegionMarks, .offset = 64, .layer = 513});
  job.Add(StoreCmd{
      .region = kRegionOutput, .rows = 1, .row_bytes = 4096, .wait_mask = 1, .wait_load = 1});
  job.Add(MarkCmd{.store_engine = 1, .region = kRegionMarks, .offset = 0, .layer = 7});
  ASSERT_EQ(job.Run(), WEFT_ERROR_NONE) << job.violations();
  EXPECT_THAT(seen, ElementsAre(513, 7));
  const auto word = [&](int64_t mark, int counter) {
    const auto b = job.Memory(kRegionMarks, mark * 64 + counter * 4, 4);
    return uint32_t(uint8_t(b[0])) | uint32_t(uint8_t(b[1])) << 8 | uint32_t(uint8_t(b[2])) << 16 |
           uint32_t(uint8_t(b[3])) << 24;
  };
  const uint32_t axi = static_cast<uint32_t>(config().axi_bytes);
  EXPECT_EQ(word(1, WEFT_COUNTER_LAYER), 513u);
  EXPECT_EQ(word(1, WEFT_COUNTER_CYCLES), 1u);  // commands before it
  EXPECT_EQ(word(1, WEFT_COUNTER_WRITE_BEATS), 0u);
  EXPECT_EQ(word(0, WEFT_COUNTER_LAYER), 7u);
  EXPECT_EQ(word(0, WEFT_COUNTER_CYCLES), 3u);
  EXPECT_EQ(word(0, WEFT_COUNTER_WRITE_BEATS), (4096 + 64) / axi);
  // After the job: ring entry, five commands and the LOAD were read.
  EXPECT_EQ(job.Get(WEFT_REG_COUNTER(WEFT_COUNTER_READ_BEATS)), (64 + 5 * 32 + 4096) / axi);
  EXPECT_EQ(job.Get(WEFT_REG_COUNTER(WEFT_COUNTER_COMMAND_BEATS)), 5 * 32 / axi);
  EXPECT_EQ(job.Get(WEFT_REG_COUNTER(WEFT_COUNTER_LAYER)), 0u);
}

INSTANTIATE_TEST_SUITE_P(Configs, Commands, ::testing::ValuesIn(kHardwareConfigs),
                         [](const auto& info) { return std::string(info.param.name); });

// --- refused commands ---

struct Refusal {
  std::string name;
  uint32_t code;
  std::function<void(Job&)> build;  // the last command is the one at fault
};

SetupInputCmd Input(const Job& job) {
  const int64_t n = job.config().n;
  return {.mode = 2,
          .in_pitch = 4 * n,
          .in_rows = 1,
          .in_row_bytes = 4 * n,
          .pixel_bytes = n,
          .step_bytes = n,
          .stride_rows = 1,
          .kernel_rows = 1,
          .kernel_span = 1};
}
SetupOutputCmd Output(const Job& job) {
  return {.out_pitch = 4 * job.config().n,
          .out_pixel = job.config().n,
          .per_tensor = 1,
          .multiplier = 1 << 30,
          .shift = 1,
          .clamp_low = -128,
          .clamp_high = 127};
}
RunCmd LegalRun(const Job& job) {
  return {.acc_first = 1,
          .acc_last = 1,
          .pixels = 4,
          .tile_width = 4,
          .out_addr = 4096,
          .channels = job.config().n,
          .beats = 1};
}
EltwiseCmd Eltwise(const Job& job) {
  return {.pixels = 4, .tile_width = 4, .out_addr = 4096, .channels = job.config().n};
}
LoadCmd Load() { return {.region = kRegionInput, .rows = 1, .row_bytes = 32}; }
StoreCmd Store() { return {.region = kRegionOutput, .rows = 1, .row_bytes = 32}; }

// A legal command but for one field.
template <typename Cmd>
Cmd With(Cmd cmd, int64_t Cmd::*field, int64_t value) {
  cmd.*field = value;
  return cmd;
}

const std::vector<Refusal>& Refusals() {
  constexpr uint32_t kField = WEFT_ERROR_BAD_FIELD, kAddress = WEFT_ERROR_BAD_ADDRESS;
  const auto one = [](std::string name, uint32_t code, Command command) {
    return Refusal{std::move(name), code, [command](Job& job) { job.Add(command); }};
  };
  const auto run = [](std::string name, uint32_t code,
                      std::function<void(Job&, SetupInputCmd&, SetupOutputCmd&, RunCmd&)> change) {
    return Refusal{std::move(name), code, [change](Job& job) {
                     SetupInputCmd input = Input(job);
                     SetupOutputCmd output = Output(job);
                     RunCmd cmd = LegalRun(job);
                     change(job, input, output, cmd);
                     job.Add(input);
                     job.Add(output);
                     job.Add(cmd);
                   }};
  };
  const auto eltwise = [](std::string name, uint32_t code,
                          std::function<void(Job&, SetupOutputCmd&, EltwiseCmd&)> change) {
    return Refusal{std::move(name), code, [change](Job& job) {
                     SetupOutputCmd output = Output(job);
                     EltwiseCmd cmd = Eltwise(job);
                     change(job, output, cmd);
                     job.Add(output);
                     job.Add(SetupAddCmd{.a_pitch = 4 * job.config().n});
                     job.Add(cmd);
                   }};
  };
  // Legal up to a RUN of one of two beats; `end` adds what may not follow. `last` would be legal.
  const auto accumulation = [](std::string name, std::function<void(Job&, RunCmd & last)> end) {
    return Refusal{std::move(name), kField, [end](Job& job) {
                     SetupInputCmd input = Input(job);
                     input.kernel_rows = 2 * job.config().window_rows;
                     RunCmd cmd = LegalRun(job);
                     cmd.acc_last = 0;
                     job.Add(SetupAddCmd{});
                     job.Add(input);
                     job.Add(Output(job));
                     job.Add(cmd);
                     cmd.acc_first = 0;
                     cmd.acc_last = 1;
                     end(job, cmd);
                   }};
  };
  const SetupInputCmd input{.mode = 2, .kernel_rows = 1, .kernel_span = 1};
  const SetupOutputCmd output{.per_tensor = 1};
  const SetupAddCmd add{};
  static const std::vector<Refusal> refusals = {
      one("MarkOffset", kAddress, MarkCmd{.region = kRegionMarks, .offset = 32}),
      one("LoadNoRows", kField, With(Load(), &LoadCmd::rows, 0)),
      one("LoadNoBytes", kField, With(Load(), &LoadCmd::row_bytes, 0)),
      one("LoadOffset", kAddress, With(Load(), &LoadCmd::offset, 4)),
      one("LoadScratchpadAddress", kAddress, With(Load(), &LoadCmd::spad_addr, 4)),
      one("LoadMemoryPitch", kAddress, With(Load(), &LoadCmd::mem_pitch, 4)),
      one("LoadScratchpadPitch", kAddress, With(Load(), &LoadCmd::spad_pitch, 4)),
      one("LoadBeyondTheScratchpad", kAddress, With(Load(), &LoadCmd::spad_addr, (1 << 21) - 32)),
      one("StoreNoRows", kField, With(Store(), &StoreCmd::rows, 0)),
      one("StoreNoBytes", kField, With(Store(), &StoreCmd::row_bytes, 0)),
      one("StoreOffset", kAddress, With(Store(), &StoreCmd::offset, 4)),
      one("StoreScratchpadAddress", kAddress, With(Store(), &StoreCmd::spad_addr, 4)),
      one("StoreMemoryPitch", kAddress, With(Store(), &StoreCmd::mem_pitch, 4)),
      one("StoreScratchpadPitch", kAddress, With(Store(), &StoreCmd::spad_pitch, 4)),
      one("StoreBeyondTheScratchpad", kAddress, With(Store(), &StoreCmd::spad_addr, (1 << 21) - 32)),
      one("WeightsNone", kField, LoadWeightsCmd{.region = 0, .words = 0}),
      one("WeightsOffset", kAddress, LoadWeightsCmd{.region = 0, .offset = 4, .words = 1}),
      one("WeightsMoreThanTheRing", kAddress, LoadWeightsCmd{.region = 0, .words = 2049}),
      one("InputMode", kField, With(input, &SetupInputCmd::mode, 3)),
      one("InputNoRows", kField, With(input, &SetupInputCmd::kernel_rows, 0)),
      one("InputNoSpan", kField, With(input, &SetupInputCmd::kernel_span, 0)),
      one("OutputRounding", kField, With(output, &SetupOutputCmd::rounding, 3)),
      one("OutputNeitherPerTensorNorParams", kField, With(output, &SetupOutputCmd::per_tensor, 0)),
      one("OutputShiftLow", kField, With(output, &SetupOutputCmd::shift, -32)),
      one("OutputShiftHigh", kField, With(output, &SetupOutputCmd::shift, 32)),
      one("OutputClamp", kField, With(output, &SetupOutputCmd::clamp_low, 1)),
      one("AddShiftA", kField, With(add, &SetupAddCmd::a_shift, -32)),
      one("AddShiftB", kField, With(add, &SetupAddCmd::b_shift, -32)),
      one("AddShiftSum", kField, With(add, &SetupAddCmd::sum_shift, -32)),
      one("AddClamp", kField, With(add, &SetupAddCmd::sum_clamp_low, 1)),
      one("SoftmaxEmpty", kField, SoftmaxCmd{.length = 0}),
      {"RunWithoutInput", kField, [](Job& job) { job.Add(Output(job)); job.Add(LegalRun(job)); }},
      {"RunWithoutOutput", kField, [](Job& job) { job.Add(Input(job)); job.Add(LegalRun(job)); }},
      run("RunNoPixels", kField, [](Job&, auto&, auto&, RunCmd& r) { r.pixels = 0; }),
      run("RunMorePixelsThanAStripe", kField, [](Job&, auto&, auto&, RunCmd& r) { r.pixels = 65; }),
      run("RunTileX", kField, [](Job&, auto&, auto&, RunCmd& r) { r.tile_x = 4; }),
      run("RunNoChannels", kField, [](Job&, auto&, auto&, RunCmd& r) { r.channels = 0; }),
      run("RunNoBeats", kField, [](Job&, auto&, auto&, RunCmd& r) { r.beats = 0; }),
      run("RunPartialOfTwoBlocks", kField, [](Job& j, auto&, auto&, RunCmd& r) { r.acc_last = 0; r.channels = j.config().n + 1; }),
      run("RunContinuesNothing", kField, [](Job&, auto&, auto&, RunCmd& r) { r.acc_first = 0; }),
      accumulation("AccumulationBegunTwice", [](Job& job, RunCmd& last) { last.acc_first = 1; job.Add(last); }),
      accumulation("AccumulationOfOtherPixels", [](Job& job, RunCmd& last) { last.pixels = 3; job.Add(last); }),
      accumulation("AccumulationOfOtherChannels", [](Job& job, RunCmd& last) { last.channels -= 1; job.Add(last); }),
      accumulation("AccumulationWithSetupInput", [](Job& job, RunCmd&) { job.Add(Input(job)); }),
      accumulation("AccumulationWithSetupOutput", [](Job& job, RunCmd&) { job.Add(Output(job)); }),
      accumulation("AccumulationWithSetupAdd", [](Job& job, RunCmd&) { job.Add(SetupAddCmd{}); }),
      accumulation("AccumulationWithEltwise", [](Job& job, RunCmd&) { job.Add(Eltwise(job)); }),
      accumulation("AccumulationWithSoftmax", [](Job& job, RunCmd&) { job.Add(SoftmaxCmd{.length = 1}); }),
      accumulation("AccumulationWithEnd", [](Job& job, RunCmd&) { job.Add(EndCmd{}); }),
      run("RunContinuedOfTwoBlocks", kField, [](Job& j, auto&, auto&, RunCmd& r) { r.acc_first = 0; r.channels = j.config().n + 1; }),
      run("RunSharedWithParams", kField, [](Job&, auto&, SetupOutputCmd& o, RunCmd& r) { o.has_params = 1; r.weights_shared = 1; }),
      run("RunAddWithoutSetup", kField, [](Job&, auto&, SetupOutputCmd& o, RunCmd&) { o.add = 1; }),
      run("RunReadsBeyondTheScratchpad", kAddress, [](Job& j, SetupInputCmd& i, auto&, RunCmd&) { i.in_addr = j.config().scratchpad - 4 * j.config().n + 1; }),
      run("RunWritesBeyondTheScratchpad", kAddress, [](Job& j, auto&, auto&, RunCmd& r) { r.out_addr = j.config().scratchpad - 4 * j.config().n + 1; }),
      {"EltwiseWithoutAddSetup", kField, [](Job& job) { job.Add(Output(job)); job.Add(Eltwise(job)); }},
      {"EltwiseWithoutOutput", kField, [](Job& job) { job.Add(SetupAddCmd{}); job.Add(Eltwise(job)); }},
      eltwise("EltwiseParams", kField, [](Job&, SetupOutputCmd& o, auto&) { o.has_params = 1; }),
      eltwise("EltwisePixels", kField, [](Job&, auto&, EltwiseCmd& e) { e.pixels = 65; }),
      eltwise("EltwiseTileX", kField, [](Job&, auto&, EltwiseCmd& e) { e.tile_x = 4; }),
      eltwise("EltwiseReadsBeyond", kAddress, [](Job& j, auto&, EltwiseCmd& e) { e.a_addr = j.config().scratchpad - 1; }),
      eltwise("EltwiseSecondOperandBeyond", kAddress, [](Job& j, auto&, EltwiseCmd& e) { e.add = 1; e.b_addr = j.config().scratchpad - 1; }),
      eltwise("EltwiseWritesBeyond", kAddress, [](Job& j, auto&, EltwiseCmd& e) { e.out_addr = j.config().scratchpad - 1; }),
      {"SoftmaxReadsBeyond", kAddress, [](Job& job) { const int64_t p = job.LoadWeights(std::vector<uint8_t>(1024)); job.Add(SoftmaxCmd{.weights_pos = p, .in_addr = job.config().scratchpad - 9, .length = 10}); }},
      {"SoftmaxWritesBeyond", kAddress, [](Job& job) { const int64_t p = job.LoadWeights(std::vector<uint8_t>(1024)); job.Add(SoftmaxCmd{.weights_pos = p, .out_addr = job.config().scratchpad - 9, .length = 10}); }},
  };
  return refusals;
}

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class Refused : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithCodeAndIndex) {
  for (const HardwareConfig& config : ShippedConfigs()) {
    Job job(config);
    job.Add(NopCmd{});
    GetParam().build(job);
    const size_t at = job.StreamBytes().size() / kCommandBytes - 1;
    EXPECT_EQ(job.Run(), GetParam().code) << config.name;
    EXPECT_EQ(job.error_command(), at) << config.name;
    EXPECT_EQ(job.violations(), "") << config.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Commands, Refused, ::testing::ValuesIn(Refusals()),
                         [](const auto& info) { return info.param.name; });

TEST(Refused, TheLegalOnesAreNot) {
  for (const HardwareConfig& config : kHardwareConfigs) {
    Job job(config);
    job.Add(Input(job));
    job.Add(Output(job));
    job.Add(SetupAddCmd{.a_pitch = 4 * config.n, .b_pitch = 4 * config.n});
    job.Add(LegalRun(job));
    job.Add(Eltwise(job));
    LoadCmd load = Load();  // over what the two blocks before have read
    load.wait_mask = 2;
    load.wait_exec = 2;
    job.Add(load);
    StoreCmd store = Store();
    store.wait_mask = 1;
    store.wait_load = 1;
    job.Add(store);
    job.Add(LoadWeightsCmd{.region = 0, .words = config.ring_words()});
    job.Add(MarkCmd{.region = kRegionMarks});
    RunCmd last = LegalRun(job);  // up to the very last byte of the scratchpad
    last.out_addr = config.scratchpad - 4 * config.n;
    last.wait_mask = 1;
    last.wait_load = 1;
    job.Add(last);
    EXPECT_EQ(job.Run(), WEFT_ERROR_NONE) << config.name << " " << job.violations();
  }
}

}  // namespace
}  // namespace weft::testing
