// SPDX-License-Identifier: Apache-2.0
//
// The first things one does with a new chip: registers, the interrupt, jobs that do nothing, jobs
// that are wrong, and going on after them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "tb/unit/verilated/board.h"

namespace weft::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class BringUp : public OnConfig {};
INSTANTIATE_TEST_SUITE_P(All, BringUp, ::testing::ValuesIn(VerilatedConfigs()), ConfigName);

TEST_P(BringUp, IdentityRegisters) {
  Board board(config());
  EXPECT_EQ(board.Get(WEFT_REG_ID), WEFT_ID_VALUE);
  EXPECT_EQ(board.Get(WEFT_REG_CONFIG_HASH), config().hash);
  EXPECT_EQ(board.Get(WEFT_REG_COMMAND_VERSION), WEFT_COMMAND_VERSION_VALUE);
  EXPECT_EQ(board.Get(WEFT_REG_FEATURES), 0u);
  EXPECT_EQ(board.Get(WEFT_REG_SIZES),
            static_cast<uint32_t>(config().k | config().n << 8 | config().post_lanes << 16 |
                                  config().axi_bytes << 24));
  EXPECT_EQ(board.Get(WEFT_REG_SCRATCHPAD_BYTES), static_cast<uint32_t>(config().scratchpad));
  EXPECT_EQ(board.Get(WEFT_REG_WEIGHT_BYTES), static_cast<uint32_t>(config().weight_ring));
  EXPECT_EQ(board.Get(WEFT_REG_STATUS), 0u);
  EXPECT_THAT(board->Violations(), IsEmpty());
}

TEST_P(BringUp, RegistersHoldWhatTheyCan) {
  Board board(config());
  const std::vector<std::pair<uint32_t, uint32_t>> masks = {
      {WEFT_REG_IRQ_MASK, 3},
      {WEFT_REG_RING_BASE_LO, ~63u},
      {WEFT_REG_RING_BASE_HI, 0xff},
      {WEFT_REG_WATCHDOG, ~0u},
      {WEFT_REG_AXI_ATTR,
       WEFT_AXI_ATTR_ARCACHE | WEFT_AXI_ATTR_ARPROT | WEFT_AXI_ATTR_AWCACHE | WEFT_AXI_ATTR_AWPROT},
      {WEFT_REG_REGION_BASE_LO(0), ~63u},
      {WEFT_REG_REGION_BASE_HI(0), 0xff},
      {WEFT_REG_REGION_BASE_LO(7), ~63u},
      {WEFT_REG_REGION_BASE_HI(7), 0xff},
      {WEFT_REG_ID, 0},  // read-only
      {WEFT_REG_ERROR_CODE, 0},
      {0x3fc, 0},  // nothing there
  };
  for (const auto& [offset, mask] : masks) {
    const uint32_t fixed = offset == WEFT_REG_ID ? WEFT_ID_VALUE : 0;
    for (const uint32_t value : {0xffffffffu, 0u, 0xa5a5a5a5u}) {
      board.Set(offset, value);
      EXPECT_EQ(board.Get(offset), (value & mask) | fixed) << "register " << offset;
    }
  }
  board.Set(WEFT_REG_RING_LOG2, 15);  // the ring has at most 2^12 entries
  EXPECT_EQ(board.Get(WEFT_REG_RING_LOG2), 12u);
  EXPECT_THAT(board->Violations(), IsEmpty());
}

TEST_P(BringUp, InterruptTestRegister) {
  Board board(config());
  board.Set(WEFT_REG_IRQ_MASK, WEFT_IRQ_STATUS_ERROR);
  EXPECT_FALSE(board->WaitForInterrupt(100));
  board.Set(WEFT_REG_IRQ_TEST, WEFT_IRQ_STATUS_JOB_DONE);
  EXPECT_EQ(board.Get(WEFT_REG_IRQ_STATUS), WEFT_IRQ_STATUS_JOB_DONE);
  EXPECT_FALSE(board->WaitForInterrupt(100)) << "masked";
  board.Set(WEFT_REG_IRQ_TEST, WEFT_IRQ_STATUS_ERROR);
  EXPECT_TRUE(board->WaitForInterrupt(100));
  board.Set(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_ERROR);
  EXPECT_FALSE(board->WaitForInterrupt(100));
  EXPECT_EQ(board.Get(WEFT_REG_IRQ_STATUS), WEFT_IRQ_STATUS_JOB_DONE);
}

TEST_P(BringUp, WaitingTakesTheCyclesItSays) {
  Board board(config());
  const uint64_t before = board->Now();
  EXPECT_FALSE(board->WaitForInterrupt(12345));
  EXPECT_EQ(board->Now(), before + 12345);
  EXPECT_EQ(board->speed().cycles, 12345u);
  EXPECT_GT(board->speed().khz(), 0);
}

TEST_P(BringUp, JobsThatDoNothing) {
  Board board(config());
  for (const std::vector<Command>& commands :
       {std::vector<Command>{EndCmd{}}, std::vector<Command>{NopCmd{}, EndCmd{}},
        std::vector<Command>(100, NopCmd{})}) {
    std::vector<Command> stream = commands;
    stream.push_back(EndCmd{});
    const uint32_t id = board.Queue(stream);
    EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
    EXPECT_EQ(board.Get(WEFT_REG_JOB_DONE_ID), id);
    EXPECT_EQ(board.Get(WEFT_REG_RING_HEAD), id - kFirstJob + 1);
    EXPECT_EQ(board.Get(WEFT_REG_STATUS), 0u);
  }
  EXPECT_THAT(board->Violations(), IsEmpty());
}

// Two reads after each other, entry and stream: the memory's latency is seen twice.
TEST_P(BringUp, LatencyOfMemoryIsSeen) {
  std::vector<uint64_t> cycles;
  for (const int latency : {32, 132}) {
    VerilatedOptions options;
    options.memory.read_latency = latency;
    Board board(config(), options);
    board.Queue({EndCmd{}});
    const uint64_t before = board->Now();
    EXPECT_TRUE(board->WaitForInterrupt(1000));
    cycles.push_back(board->Now() - before);
  }
  EXPECT_EQ(cycles[1], cycles[0] + 200);
}

TEST_P(BringUp, MarksAreObservedAndWritten) {
  Board board(config());
  std::vector<std::pair<uint32_t, uint64_t>> seen;  // layer, cycle
  board->SetMarkObserver([&](uint32_t layer) { seen.emplace_back(layer, board->Now()); });
  board.Queue({MarkCmd{.region = 4, .offset = 64, .layer = 3}, NopCmd{},
               MarkCmd{.region = 4, .offset = 128, .layer = 65535}, EndCmd{}});
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].first, 3u);
  EXPECT_EQ(seen[1].first, 65535u);
  const uint64_t mark = 4 * kRegionBytes + 64;
  EXPECT_EQ(board.Word(mark + 4 * WEFT_COUNTER_LAYER), 3u);
  EXPECT_EQ(board.Word(mark + 64 + 4 * WEFT_COUNTER_LAYER), 65535u);
  const uint32_t first = board.Word(mark), second = board.Word(mark + 64);
  EXPECT_GT(first, 64u);  // two reads came before
  EXPECT_EQ(second - first, seen[1].second - seen[0].second);
  EXPECT_GT(board.Word(mark + 4 * WEFT_COUNTER_COMMAND_BEATS), 0u);
  EXPECT_EQ(board.Get(WEFT_REG_COUNTER(WEFT_COUNTER_WRITE_BEATS)),
            static_cast<uint32_t>(128 / config().axi_bytes));
  EXPECT_THAT(board->Violations(), IsEmpty());
}

TEST_P(BringUp, MarkBehindStores) {
  Board board(config());
  const std::vector<uint8_t> bytes(256, 0x5a);
  board->WriteMemory(kRegionBytes, bytes);
  std::vector<uint8_t> stored_at_mark;
  board->SetMarkObserver([&](uint32_t) { stored_at_mark = board.Memory(2 * kRegionBytes, 256); });
  board.Queue({LoadCmd{.region = 1, .rows = 1, .row_bytes = 256},
               StoreCmd{.region = 2, .rows = 1, .row_bytes = 256, .wait_mask = 1, .wait_load = 1},
               MarkCmd{.store_engine = 1, .region = 4, .offset = 0, .layer = 9}, EndCmd{}});
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  EXPECT_EQ(stored_at_mark, bytes);
  EXPECT_EQ(board.Word(4 * kRegionBytes + 4), 9u);
  EXPECT_THAT(board->Violations(), IsEmpty());
}

// A LOAD, two words of weights, a STORE and the end of the job; what each wrote is there.
TEST_P(BringUp, RetirementsAreObserved) {
  VerilatedOptions options;
  options.memory.write_at_answer = true;
  Board board(config(), options);
  const auto word = static_cast<size_t>(config().weight_word);
  std::vector<uint8_t> bytes(256 + 2 * word);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 5 + 1);
  board->WriteMemory(kRegionBytes, bytes);
  const std::vector<uint8_t> row(bytes.begin(), bytes.begin() + 256);
  std::vector<Engine> seen;
  size_t words = 0;
  board->SetRetireObserver([&](Engine engine, uint32_t jobs) {
    EXPECT_EQ(jobs, engine == Engine::kControl ? 1u : 0u);
    if (engine == Engine::kWeights) {
      std::vector<uint8_t> got(word);
      board->PeekWeights(static_cast<uint32_t>(words * word), got);
      const auto wanted = bytes.begin() + static_cast<ptrdiff_t>(256 + words * word);
      EXPECT_TRUE(std::equal(got.begin(), got.end(), wanted)) << words;
      ++words;
      return;  // at any time
    }
    seen.push_back(engine);
    std::vector<uint8_t> got(256);
    if (engine == Engine::kLoad) board->PeekScratchpad(0, got);
    if (engine == Engine::kStore) board->ReadMemory(2 * kRegionBytes, got);
    if (engine == Engine::kControl) return;
    EXPECT_EQ(got, row);
  });
  board.Queue({LoadCmd{.region = 1, .rows = 1, .row_bytes = 256},
               LoadWeightsCmd{.region = 1, .offset = 256, .words = 2},
               StoreCmd{.region = 2, .rows = 1, .row_bytes = 256, .wait_mask = 1, .wait_load = 1},
               EndCmd{}});
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  EXPECT_EQ(seen, (std::vector<Engine>{Engine::kLoad, Engine::kStore, Engine::kControl}));
  EXPECT_EQ(words, 2u);
  EXPECT_THAT(board->Violations(), IsEmpty());
}

TEST_P(BringUp, JobsWaitInTheRing) {
  Board board(config());
  board.Setup(1);  // two entries
  for (int round = 0; round < 3; ++round) {
    board.Set(WEFT_REG_IRQ_MASK, 0);
    board.Queue({NopCmd{}, EndCmd{}});
    const uint32_t last = board.Queue({EndCmd{}});
    board->WaitForInterrupt(1000);  // both, unseen
    EXPECT_EQ(board.Get(WEFT_REG_JOB_DONE_ID), last);
    EXPECT_EQ(board.Get(WEFT_REG_RING_HEAD), 2u * static_cast<uint32_t>(round) + 2);
  }
  EXPECT_THAT(board->Violations(), IsEmpty());
}

// A job that ends in an error, then one that does not.
struct Failure {
  uint32_t code;
  uint32_t command;
  uint64_t address;
};

void ExpectFailure(Board& board, uint32_t job, const Failure& expected) {
  EXPECT_EQ(board.Finish(), expected.code);
  EXPECT_EQ(board.Get(WEFT_REG_STATUS), WEFT_STATUS_HALTED);
  EXPECT_EQ(board.Get(WEFT_REG_ERROR_JOB), job);
  EXPECT_EQ(board.Get(WEFT_REG_ERROR_COMMAND), expected.command);
  EXPECT_EQ(board.Get(WEFT_REG_ERROR_ADDR_LO) | uint64_t{board.Get(WEFT_REG_ERROR_ADDR_HI)} << 32,
            expected.address);
  EXPECT_EQ(board.Get(WEFT_REG_RING_HEAD), job - kFirstJob + 1);

  // The next job waits until the host resumes.
  const uint32_t next = board.Queue({NopCmd{}, EndCmd{}});
  EXPECT_FALSE(board->WaitForInterrupt(500));
  board.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  EXPECT_EQ(board.Get(WEFT_REG_JOB_DONE_ID), next);
  EXPECT_EQ(board.Get(WEFT_REG_STATUS), 0u);
  EXPECT_THAT(board->Violations(), IsEmpty());
}

TEST_P(BringUp, IllegalOpcode) {
  Board board(config());
  std::vector<uint8_t> stream(3 * kCommandBytes);
  stream[kCommandBytes] = 0xee;
  stream[2 * kCommandBytes] = 1;
  const uint32_t job = board.QueueBytes(stream, 3, config().hash);
  ExpectFailure(board, job, {WEFT_ERROR_BAD_OPCODE, 1, 0});
}

TEST_P(BringUp, ReservedBit) {
  Board board(config());
  std::vector<uint8_t> stream(2 * kCommandBytes);
  stream[31] = 0x80;
  stream[kCommandBytes] = 1;
  const uint32_t job = board.QueueBytes(stream, 2, config().hash);
  ExpectFailure(board, job, {WEFT_ERROR_BAD_FIELD, 0, 0});
}

TEST_P(BringUp, StreamWithoutEnd) {
  Board board(config());
  const uint32_t job = board.Queue({NopCmd{}, NopCmd{}});
  ExpectFailure(board, job, {WEFT_ERROR_BAD_STREAM, 2, 0});
}

TEST_P(BringUp, StreamForAnotherConfiguration) {
  Board board(config());
  std::vector<uint8_t> stream(kCommandBytes);
  stream[0] = 1;
  const uint32_t job = board.QueueBytes(stream, 1, config().hash ^ 1);
  EXPECT_EQ(board.Finish(), WEFT_ERROR_CONFIG_MISMATCH);
  EXPECT_EQ(board.Get(WEFT_REG_ERROR_JOB), job);
  board.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  board.Queue({EndCmd{}});
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
}

TEST_P(BringUp, LoadFromOutsideTheMemory) {
  Board board(config());
  const int64_t outside = static_cast<int64_t>(kMemoryBytes - kRegionBytes);  // from region 1
  const uint32_t job = board.Queue(
      {NopCmd{}, LoadCmd{.region = 1, .offset = 0, .rows = 1, .row_bytes = 64},
       LoadCmd{
           .region = 1, .offset = outside - 256, .spad_addr = 4096, .rows = 1, .row_bytes = 512},
       NopCmd{}, EndCmd{}});
  ExpectFailure(board, job, {WEFT_ERROR_READ_ERROR, 2, kMemoryBytes});
}

TEST_P(BringUp, StoreToOutsideTheMemory) {
  Board board(config());
  const int64_t outside = static_cast<int64_t>(kMemoryBytes - 2 * kRegionBytes);  // from region 2
  const uint32_t job =
      board.Queue({NopCmd{}, StoreCmd{.region = 2, .rows = 1, .row_bytes = 64},
                   StoreCmd{.region = 2, .offset = outside, .rows = 1, .row_bytes = 64}, EndCmd{}});
  ExpectFailure(board, job, {WEFT_ERROR_WRITE_ERROR, 2, kMemoryBytes});
}

TEST_P(BringUp, LoadBeyondTheScratchpad) {
  Board board(config());
  const uint32_t job = board.Queue({LoadCmd{.region = 1,
                                            .spad_addr = config().scratchpad - config().word(),
                                            .rows = 1,
                                            .row_bytes = config().word() + 1},
                                    EndCmd{}});
  ExpectFailure(board, job, {WEFT_ERROR_BAD_ADDRESS, 0, 0});
}

TEST_P(BringUp, SlaveErrorOnTheStream) {
  VerilatedOptions options;
  options.memory.faults = {{.kind = AxiFault::Kind::kRead, .nth = 2}};  // after the ring entry
  Board board(config(), options);
  const uint32_t job = board.Queue({NopCmd{}, EndCmd{}});
  ExpectFailure(board, job, {WEFT_ERROR_READ_ERROR, 0, 0});
}

// Waits for a LOAD that never comes: the functional model would refuse it, the hardware waits.
std::vector<Command> Hangs() {
  return {StoreCmd{.region = 2, .rows = 1, .row_bytes = 8, .wait_mask = 1, .wait_load = 1},
          EndCmd{}};
}

TEST_P(BringUp, AbortEndsAJobThatHangs) {
  Board board(config());
  const uint32_t job = board.Queue(Hangs());
  EXPECT_FALSE(board->WaitForInterrupt(5000));
  EXPECT_EQ(board.Get(WEFT_REG_STATUS), WEFT_STATUS_BUSY);
  board.Set(WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);
  EXPECT_EQ(board.Finish(), WEFT_ERROR_ABORTED);
  EXPECT_EQ(board.Get(WEFT_REG_ERROR_JOB), job);
  board.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  board.Queue({EndCmd{}});
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  EXPECT_THAT(board->Violations(), IsEmpty());
}

TEST_P(BringUp, WatchdogEndsAJobThatHangs) {
  Board board(config());
  board.Set(WEFT_REG_WATCHDOG, 1000);
  board.Queue(Hangs());
  EXPECT_FALSE(board->WaitForInterrupt(1000));
  EXPECT_EQ(board.Finish(2000), WEFT_ERROR_TIMEOUT);
  board.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  board.Queue({EndCmd{}});
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  EXPECT_THAT(board->Violations(), IsEmpty());
}

TEST_P(BringUp, ResetForgetsQueuedJobs) {
  Board board(config());
  board.Queue(Hangs());
  board.Queue({EndCmd{}});
  EXPECT_FALSE(board->WaitForInterrupt(2000));
  board.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
  board->WaitForInterrupt(200);
  EXPECT_EQ(board.Get(WEFT_REG_STATUS), 0u);
  EXPECT_EQ(board.Get(WEFT_REG_RING_TAIL), 0u);
  EXPECT_EQ(board.Get(WEFT_REG_RING_HEAD), 0u);
  EXPECT_EQ(board.Get(WEFT_REG_ERROR_CODE), WEFT_ERROR_NONE);
  EXPECT_EQ(board.Get(WEFT_REG_IRQ_STATUS), 0u);
  board.ForgetJobs();
  board.Queue({EndCmd{}});
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  EXPECT_THAT(board->Violations(), IsEmpty());
}

// --- the device itself ---

TEST_P(BringUp, BusViolationsAreReported) {
  VerilatedOptions options;
  options.memory.burst_boundary = 16;  // narrower than the design's bursts
  Board board(config(), options);
  board.Queue({EndCmd{}});
  EXPECT_EQ(board.Finish(), WEFT_ERROR_NONE);
  EXPECT_THAT(board->Violations(), HasSubstr("cross a boundary of 16 bytes"));
}

// Releasing weights before the first one makes a full ring look fuller than it is: no compiler does
// that, the functional model refuses it, and an assertion guards against it.
TEST_P(BringUp, FailedAssertionsAreReported) {
  Board board(config());
  RunCmd run = {.acc_first = 1,
                .acc_last = 1,
                .weights_pos = config().ring_words() - config().block_words(),
                .pixels = 1,
                .tile_width = 1,
                .out_addr = 4096,
                .channels = config().n,
                .beats = 1};
  RunCmd bad = run;
  bad.weights_pos = 65536 - 2 * config().block_words();
  bad.weights_release = 1;
  board.Queue({LoadWeightsCmd{.region = 0, .offset = 4096, .words = config().ring_words()},
               SetupInputCmd{.in_pitch = 64,
                             .in_rows = 1,
                             .in_row_bytes = 64,
                             .pixel_bytes = 8,
                             .step_bytes = 8,
                             .stride_rows = 1,
                             .kernel_rows = 1,
                             .kernel_span = 8},
               SetupOutputCmd{.out_pitch = 64,
                              .out_pixel = 64,
                              .per_tensor = 1,
                              .multiplier = 1 << 30,
                              .shift = 1,
                              .clamp_low = -128,
                              .clamp_high = 127},
               run, bad, EndCmd{}});
  board->WaitForInterrupt(50000);
  EXPECT_THAT(board->Violations(), HasSubstr("an assertion of the RTL failed"));
}

TEST(VerilatedDevice, RefusesWhatItCannotDo) {
  const auto message = [](const HardwareConfig& config, const VerilatedOptions& options) {
    const auto device = MakeVerilatedDevice(config, options);
    return device ? std::string() : device.error().message;
  };
  const HardwareConfig& config = kHardwareConfigs[0];
  EXPECT_THAT(message(config, {}), IsEmpty());
  HardwareConfig other = config;
  other.name = "weft7";
  EXPECT_THAT(message(other, {}), HasSubstr("weft7"));
  EXPECT_THAT(message(config, {.memory_bytes = 0}), HasSubstr("0 bytes of memory"));
  EXPECT_THAT(message(config, {.memory_bytes = uint64_t{1} << 41}), HasSubstr("bytes of memory"));
  EXPECT_THAT(message(config, {.memory = {.read_latency = 0}}), HasSubstr("read_latency"));
#if !VM_TRACE
  EXPECT_THAT(message(config, {.wave_file = "x.fst"}), HasSubstr("without waves"));
#endif
}

}  // namespace
}  // namespace weft::testing
