// SPDX-License-Identifier: Apache-2.0
//
// Registers, job ring, interrupt and errors of the functional device.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "tb/unit/functional/job.h"

namespace weft::testing {
namespace {

constexpr const HardwareConfig& kConfig = kHardwareConfigs[1];

TEST(Registers, IdentifyTheDevice) {
  for (const HardwareConfig& config : kHardwareConfigs) {
    Job job(config);
    EXPECT_EQ(job.Get(WEFT_REG_ID), 0x57454654u);
    EXPECT_EQ(job.Get(WEFT_REG_CONFIG_HASH), config.hash);
    EXPECT_EQ(job.Get(WEFT_REG_COMMAND_VERSION), static_cast<uint32_t>(kCommandVersion));
    EXPECT_EQ(job.Get(WEFT_REG_FEATURES), 0u);
    const uint32_t sizes = job.Get(WEFT_REG_SIZES);
    EXPECT_EQ(static_cast<int>(sizes & 0xFF), config.k);
    EXPECT_EQ(static_cast<int>(sizes >> 8 & 0xFF), config.n);
    EXPECT_EQ(static_cast<int>(sizes >> 16 & 0xFF), config.post_lanes);
    EXPECT_EQ(static_cast<int>(sizes >> 24), config.axi_bytes);
    EXPECT_EQ(static_cast<int>(job.Get(WEFT_REG_SCRATCHPAD_BYTES)), config.scratchpad);
    EXPECT_EQ(static_cast<int>(job.Get(WEFT_REG_WEIGHT_BYTES)), config.weight_ring);
    EXPECT_EQ(job.Get(0xFFC), 0u);
    EXPECT_EQ(job.device().memory_bytes(), kMemoryBytes);
    EXPECT_EQ(job.device().config().name, config.name);
  }
}

TEST(Registers, ResetValues) {
  const auto device = MakeFunctionalDevice(kConfig, 4096);
  for (const uint32_t offset :
       {WEFT_REG_STATUS, WEFT_REG_IRQ_STATUS, WEFT_REG_IRQ_MASK, WEFT_REG_RING_BASE_LO,
        WEFT_REG_RING_BASE_HI, WEFT_REG_RING_LOG2, WEFT_REG_RING_TAIL, WEFT_REG_RING_HEAD,
        WEFT_REG_ERROR_CODE, WEFT_REG_AXI_ATTR, WEFT_REG_REGION_BASE_LO(7)}) {
    EXPECT_EQ(device->ReadRegister(offset), 0u) << offset;
  }
  EXPECT_EQ(device->ReadRegister(WEFT_REG_WATCHDOG), 0x100000u);
}

TEST(Registers, HoldWhatTheirBitsCan) {
  const auto device = MakeFunctionalDevice(kConfig, 4096);
  struct Case {
    uint32_t offset, kept;
  };
  std::vector<Case> cases = {{WEFT_REG_IRQ_MASK, 3},          {WEFT_REG_RING_BASE_LO, 0xFFFFFFC0},
                             {WEFT_REG_RING_BASE_HI, 0xFF},   {WEFT_REG_RING_LOG2, 12},  // limited
                             {WEFT_REG_WATCHDOG, 0xFFFFFFFF}, {WEFT_REG_AXI_ATTR, 0x7F7F},
                             {WEFT_REG_ID, 0x57454654},       {WEFT_REG_RING_HEAD, 0}};
  for (uint32_t i = 0; i < 8; ++i) {
    cases.push_back({WEFT_REG_REGION_BASE_LO(i), 0xFFFFFFC0});
    cases.push_back({WEFT_REG_REGION_BASE_HI(i), 0xFF});
  }
  for (const Case& c : cases) {
    device->WriteRegister(c.offset, 0xFFFFFFFF);
    EXPECT_EQ(device->ReadRegister(c.offset), c.kept) << c.offset;
  }
  // A low word does not disturb its high word, nor one region another.
  device->WriteRegister(WEFT_REG_REGION_BASE_LO(3), 0x1240);
  EXPECT_EQ(device->ReadRegister(WEFT_REG_REGION_BASE_LO(3)), 0x1240u);
  EXPECT_EQ(device->ReadRegister(WEFT_REG_REGION_BASE_HI(3)), 0xFFu);
  EXPECT_EQ(device->ReadRegister(WEFT_REG_REGION_BASE_LO(4)), 0xFFFFFFC0u);
}

TEST(Interrupt, IsMaskedTestedAndCleared) {
  const auto device = MakeFunctionalDevice(kConfig, 4096);
  device->WriteRegister(WEFT_REG_IRQ_TEST, 3);
  EXPECT_EQ(device->ReadRegister(WEFT_REG_IRQ_STATUS), 3u);
  EXPECT_FALSE(device->WaitForInterrupt(10));
  device->WriteRegister(WEFT_REG_IRQ_MASK, WEFT_IRQ_STATUS_ERROR);
  EXPECT_TRUE(device->WaitForInterrupt(10));
  device->WriteRegister(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_ERROR);
  EXPECT_EQ(device->ReadRegister(WEFT_REG_IRQ_STATUS), WEFT_IRQ_STATUS_JOB_DONE);
  EXPECT_FALSE(device->WaitForInterrupt(10));
}

TEST(Interrupt, WaitingWithNothingToDoLetsTimePass) {
  const auto device = MakeFunctionalDevice(kConfig, 4096);
  const uint64_t before = device->Now();
  EXPECT_FALSE(device->WaitForInterrupt(1000));
  EXPECT_EQ(device->Now(), before + 1000);
  EXPECT_FALSE(device->WaitForInterrupt(UINT64_MAX));  // for ever, and it returns
}

TEST(Jobs, RunInOrderWithTheirIds) {
  Job job(kConfig);
  for (int i = 0; i < 3; ++i) {
    for (int nop = 0; nop < 30; ++nop) job.Add(NopCmd{});  // register accesses take time, too
    job.Queue();
  }
  std::vector<uint32_t> done;
  for (uint32_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(job.device().WaitForInterrupt(100));
    EXPECT_EQ(job.Get(WEFT_REG_RING_HEAD), i + 1);
    EXPECT_EQ(job.Get(WEFT_REG_JOB_DONE_ID), kJobId + i);
    job.Set(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE);
  }
  EXPECT_EQ(job.Get(WEFT_REG_STATUS), 0u);
  EXPECT_EQ(job.Get(WEFT_REG_RING_TAIL), 3u);
}

TEST(Jobs, UseTheRingRoundAndRound) {
  Job job(kConfig);  // 16 entries
  for (uint32_t i = 0; i < 40; ++i) {
    ASSERT_EQ(job.Run(), WEFT_ERROR_NONE);
    ASSERT_EQ(job.Get(WEFT_REG_JOB_DONE_ID), kJobId + i);
    job.Set(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE);
  }
}

TEST(Jobs, StartWithCountsRingAndSetupsAtZero) {
  Job job(kConfig);
  for (int i = 0; i < 2; ++i) {
    job.Add(LoadCmd{.region = kRegionInput, .rows = 1, .row_bytes = 16});
    job.Add(LoadWeightsCmd{.region = kRegionProgram, .words = kConfig.ring_words()});
    job.Add(StoreCmd{
        .region = kRegionOutput, .rows = 1, .row_bytes = 16, .wait_mask = 1, .wait_load = 1});
    ASSERT_EQ(job.Run(), WEFT_ERROR_NONE) << job.violations();
    job.Set(WEFT_REG_IRQ_STATUS, 3);
  }
  // The first job's setups are forgotten.
  job.Add(SetupOutputCmd{.per_tensor = 1});
  job.Add(SetupAddCmd{});
  EXPECT_EQ(job.Run(), WEFT_ERROR_NONE);
  job.Set(WEFT_REG_IRQ_STATUS, 3);
  job.Add(EltwiseCmd{.pixels = 1, .tile_width = 1, .channels = 1});
  EXPECT_EQ(job.Run(), WEFT_ERROR_BAD_FIELD);
}

TEST(Jobs, ANewJobMayBeQueuedWhileOneRuns) {
  Job job(kConfig);
  for (int i = 0; i < 10; ++i) job.Add(NopCmd{});
  job.Queue();
  EXPECT_FALSE(job.device().WaitForInterrupt(3));
  EXPECT_EQ(job.Get(WEFT_REG_STATUS), WEFT_STATUS_BUSY);
  for (int i = 0; i < 30; ++i) job.Add(NopCmd{});
  EXPECT_EQ(job.Run(), WEFT_ERROR_NONE);
  EXPECT_EQ(job.Get(WEFT_REG_JOB_DONE_ID), kJobId);
  EXPECT_TRUE(job.Get(WEFT_REG_STATUS) & WEFT_STATUS_BUSY);
  job.Set(WEFT_REG_IRQ_STATUS, 3);
  EXPECT_TRUE(job.device().WaitForInterrupt(100));
  EXPECT_EQ(job.Get(WEFT_REG_JOB_DONE_ID), kJobId + 1);
}

TEST(Jobs, RegionBasesAreTakenWhenAJobStarts) {
  Job job(kConfig);
  for (int i = 0; i < 10; ++i) job.Add(NopCmd{});
  job.Add(MarkCmd{.region = kRegionMarks, .layer = 9});
  job.Queue();
  EXPECT_FALSE(job.device().WaitForInterrupt(3));
  job.Set(WEFT_REG_REGION_BASE_LO(kRegionMarks), 0);
  EXPECT_EQ(job.Finish(), WEFT_ERROR_NONE);
  EXPECT_EQ(job.Memory(kRegionMarks, 4, 1)[0], 9);
}

TEST(Jobs, CountersRunWhileTheJobRunsAndStayAfterwards) {
  Job job(kConfig);
  for (int i = 0; i < 20; ++i) job.Add(NopCmd{});
  job.Queue();
  EXPECT_FALSE(job.device().WaitForInterrupt(5));
  const uint32_t running = job.Get(WEFT_REG_COUNTER(0));
  EXPECT_GT(running, 0u);
  EXPECT_LT(running, 20u);
  EXPECT_EQ(job.Finish(), WEFT_ERROR_NONE);
  EXPECT_EQ(job.Get(WEFT_REG_COUNTER(0)), 21u);
  EXPECT_EQ(job.Get(WEFT_REG_COUNTER(0)), 21u);
}

// --- errors ---

class Errors : public ::testing::Test {
 protected:
  // A job with this fault failed; after RESUME the next one runs exactly.
  void ExpectFailureThenRecovery(uint32_t code, uint32_t command) {
    EXPECT_TRUE(job.device().WaitForInterrupt(1000));
    EXPECT_EQ(job.Get(WEFT_REG_IRQ_STATUS), WEFT_IRQ_STATUS_ERROR);
    EXPECT_EQ(job.Get(WEFT_REG_STATUS), WEFT_STATUS_HALTED);
    EXPECT_EQ(job.error(), code);
    EXPECT_EQ(job.error_command(), command);
    EXPECT_EQ(job.Get(WEFT_REG_RING_HEAD), 1u);
    EXPECT_EQ(job.violations(), "");
    job.Set(WEFT_REG_IRQ_STATUS, 3);
    job.Add(MarkCmd{.region = kRegionMarks, .layer = 77});
    job.Queue();
    EXPECT_FALSE(job.device().WaitForInterrupt(100));  // halted: queued jobs wait
    EXPECT_EQ(job.Get(WEFT_REG_STATUS), WEFT_STATUS_HALTED);
    job.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
    EXPECT_TRUE(job.device().WaitForInterrupt(100));
    EXPECT_EQ(job.Get(WEFT_REG_IRQ_STATUS), WEFT_IRQ_STATUS_JOB_DONE);
    for (const uint32_t offset : {WEFT_REG_ERROR_CODE, WEFT_REG_ERROR_JOB, WEFT_REG_ERROR_COMMAND,
                                  WEFT_REG_ERROR_ADDR_LO, WEFT_REG_ERROR_ADDR_HI}) {
      EXPECT_EQ(job.Get(offset), 0u);
    }
    EXPECT_EQ(job.Get(WEFT_REG_RING_HEAD), 2u);
    EXPECT_EQ(job.Memory(kRegionMarks, 4, 1)[0], 77);
  }

  Job job{kConfig};
};

TEST_F(Errors, BadOpcode) {
  std::vector<uint8_t> stream(64);
  stream[32] = 0x7F;
  job.QueueBytes(stream, 2);
  ExpectFailureThenRecovery(WEFT_ERROR_BAD_OPCODE, 1);
}

TEST_F(Errors, ReservedBit) {
  std::vector<uint8_t> stream(96);
  stream[64 + 31] = 0x80;
  job.QueueBytes(stream, 3);
  ExpectFailureThenRecovery(WEFT_ERROR_BAD_FIELD, 2);
}

TEST_F(Errors, StreamWithoutEnd) {
  job.QueueBytes(std::vector<uint8_t>(96), 3);
  ExpectFailureThenRecovery(WEFT_ERROR_BAD_STREAM, 3);
}

TEST_F(Errors, OtherConfiguration) {
  job.QueueEntry({kJobId, kConfig.hash ^ 1, kRegionProgram, 0, 1});
  ExpectFailureThenRecovery(WEFT_ERROR_CONFIG_MISMATCH, 0);
}

TEST_F(Errors, StreamRegion) {
  job.QueueEntry({kJobId, kConfig.hash, 8, 0, 1});
  ExpectFailureThenRecovery(WEFT_ERROR_BAD_STREAM, 0);
}

TEST_F(Errors, StreamOffset) {
  job.QueueEntry({kJobId, kConfig.hash, kRegionProgram, 32, 1});
  ExpectFailureThenRecovery(WEFT_ERROR_BAD_STREAM, 0);
}

TEST_F(Errors, EmptyStream) {
  job.QueueEntry({kJobId, kConfig.hash, kRegionProgram, 0, 0});
  ExpectFailureThenRecovery(WEFT_ERROR_BAD_STREAM, 0);
}

TEST_F(Errors, StreamBeyondMemory) {
  job.Set(WEFT_REG_REGION_BASE_LO(7), kMemoryBytes);
  job.QueueEntry({kJobId, kConfig.hash, 7, 0, 1});
  ExpectFailureThenRecovery(WEFT_ERROR_READ_ERROR, 0);
}

TEST_F(Errors, LoadBeyondMemory) {
  job.Set(WEFT_REG_REGION_BASE_LO(7), kMemoryBytes - 64);
  job.Add(LoadCmd{.region = 7, .offset = 0, .rows = 1, .row_bytes = 96});  // 64 exist
  job.Queue();
  ASSERT_TRUE(job.device().WaitForInterrupt(100));
  EXPECT_EQ(job.Get(WEFT_REG_ERROR_ADDR_LO), kMemoryBytes);
  EXPECT_EQ(job.Get(WEFT_REG_ERROR_JOB), kJobId);
  ExpectFailureThenRecovery(WEFT_ERROR_READ_ERROR, 0);
}

TEST_F(Errors, LoadWeightsBeyondMemory) {
  job.Set(WEFT_REG_REGION_BASE_HI(7), 0x80);
  job.Add(LoadWeightsCmd{.region = 7, .words = 1});
  job.Queue();
  ASSERT_TRUE(job.device().WaitForInterrupt(100));
  EXPECT_EQ(job.Get(WEFT_REG_ERROR_ADDR_HI), 0x80u);
  ExpectFailureThenRecovery(WEFT_ERROR_READ_ERROR, 0);
}

TEST_F(Errors, StoreBeyondMemory) {
  job.Add(NopCmd{});
  job.Add(StoreCmd{.region = 0, .offset = kMemoryBytes, .rows = 1, .row_bytes = 16});
  job.Queue();
  ASSERT_TRUE(job.device().WaitForInterrupt(100));
  EXPECT_EQ(job.Get(WEFT_REG_ERROR_ADDR_LO), kMemoryBytes);
  ExpectFailureThenRecovery(WEFT_ERROR_WRITE_ERROR, 1);
}

TEST_F(Errors, MarkBeyondMemory) {
  job.Add(MarkCmd{.region = 0, .offset = kMemoryBytes});
  job.Queue();
  ExpectFailureThenRecovery(WEFT_ERROR_WRITE_ERROR, 0);
}

TEST_F(Errors, AbortOfARunningJob) {
  for (int i = 0; i < 10; ++i) job.Add(NopCmd{});
  job.Queue();
  EXPECT_FALSE(job.device().WaitForInterrupt(4));
  job.Set(WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);
  ASSERT_EQ(job.error(), WEFT_ERROR_ABORTED);
  ExpectFailureThenRecovery(WEFT_ERROR_ABORTED, job.error_command());
}

TEST_F(Errors, AbortAndResumeWithNothingRunningDoNothing) {
  job.Set(WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);
  job.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  EXPECT_EQ(job.Get(WEFT_REG_STATUS), 0u);
  EXPECT_EQ(job.Get(WEFT_REG_IRQ_STATUS), 0u);
  EXPECT_EQ(job.Run(), WEFT_ERROR_NONE);
}

TEST_F(Errors, RingBeyondMemory) {
  job.Set(WEFT_REG_RING_BASE_HI, 1);
  job.QueueEntry({kJobId});
  ASSERT_TRUE(job.device().WaitForInterrupt(100));
  EXPECT_EQ(job.error(), WEFT_ERROR_READ_ERROR);
  EXPECT_EQ(job.Get(WEFT_REG_ERROR_ADDR_HI), 1u);
}

TEST_F(Errors, ReservedWordsOfTheEntry) {
  for (size_t i = 5; i < 16; ++i) {
    Job fresh(kConfig);
    std::array<uint32_t, 16> entry = {kJobId, kConfig.hash, 8, 0, 0};
    entry[i] = i;
    fresh.QueueEntry(entry);
    EXPECT_EQ(fresh.Finish(), WEFT_ERROR_BAD_FIELD) << i;
    entry[WEFT_JOB_CONFIG_HASH] ^= 1;
    Job other(kConfig);
    other.QueueEntry(entry);
    EXPECT_EQ(other.Finish(), WEFT_ERROR_CONFIG_MISMATCH) << i;
  }
}

// --- windows ---

constexpr uint32_t kReadOn = WEFT_WINDOW_CONTROL_ENABLE | WEFT_WINDOW_CONTROL_READ;
constexpr uint32_t kWriteOn = WEFT_WINDOW_CONTROL_ENABLE | WEFT_WINDOW_CONTROL_WRITE;

// A job that reads ring, program and input, and writes an output and a mark.
class WindowsTest : public ::testing::Test {
 protected:
  // [begin, end) of memory.
  void Set(uint32_t window, uint64_t begin, uint64_t end, uint32_t control) {
    job->Set(WEFT_REG_WINDOW_FIRST(window), begin / 256);
    job->Set(WEFT_REG_WINDOW_LAST(window), end / 256 - 1);
    job->Set(WEFT_REG_WINDOW_CONTROL(window), control);
  }
  void SetAll() {
    Set(0, kRingBase, kRingBase + 256, kReadOn);
    Set(1, 0, kRegionBytes, kReadOn);
    Set(2, kRegionInput * kRegionBytes + 256, kRegionInput * kRegionBytes + 1024, kReadOn);
    Set(3, kRegionOutput * kRegionBytes, kRegionOutput * kRegionBytes + 512, kWriteOn);
    Set(4, kRegionMarks * kRegionBytes, kRegionMarks * kRegionBytes + 256, kWriteOn);
  }
  uint32_t Run() {
    job->Add(LoadWeightsCmd{.region = kRegionProgram, .words = 4});
    job->Add(LoadCmd{.region = kRegionInput, .offset = 256, .rows = 1, .row_bytes = 768});
    job->Add(StoreCmd{.region = kRegionOutput,
                      .rows = 2,
                      .row_bytes = 200,
                      .mem_pitch = 256,
                      .wait_mask = 1,
                      .wait_load = 1});
    job->Add(MarkCmd{.region = kRegionMarks, .offset = 192});
    return job->Run();
  }
  uint64_t ErrorAddress() { return job->Get(WEFT_REG_ERROR_ADDR_LO); }

  std::unique_ptr<Job> job = std::make_unique<Job>(kConfig);
};

TEST_F(WindowsTest, ExactlyFittingOnesDoNotMatter) {
  SetAll();
  EXPECT_EQ(Run(), WEFT_ERROR_NONE);
}

TEST_F(WindowsTest, EveryKindOfAccessIsChecked) {
  struct Case {
    uint32_t window, command;
    uint64_t address;
  };
  for (const Case& c :
       {Case{0, 0, kRingBase}, Case{1, 0, kStreamOffset},
        Case{2, 1, kRegionInput * kRegionBytes + 256}, Case{3, 2, kRegionOutput * kRegionBytes},
        Case{4, 3, kRegionMarks * kRegionBytes + 192}}) {
    job = std::make_unique<Job>(kConfig);
    SetAll();
    // The other permission is not enough.
    const uint32_t control = job->Get(WEFT_REG_WINDOW_CONTROL(c.window));
    job->Set(WEFT_REG_WINDOW_CONTROL(c.window), control ^ (kReadOn ^ kWriteOn));
    EXPECT_EQ(Run(), WEFT_ERROR_WINDOW) << c.window;
    EXPECT_EQ(job->error_command(), c.command);
    EXPECT_EQ(ErrorAddress(), c.address);
  }
}

TEST_F(WindowsTest, AnAccessStopsAtTheFirstDeniedBlock) {
  SetAll();
  Set(2, kRegionInput * kRegionBytes + 256, kRegionInput * kRegionBytes + 768, kReadOn);
  EXPECT_EQ(Run(), WEFT_ERROR_WINDOW);
  EXPECT_EQ(job->error_command(), 1u);
  EXPECT_EQ(ErrorAddress(), kRegionInput * kRegionBytes + 768);
}

TEST_F(WindowsTest, NeighboursAndOverlapsJoin) {
  SetAll();
  const uint64_t input = kRegionInput * kRegionBytes;
  Set(2, input + 256, input + 512, kReadOn);
  Set(5, input + 512, input + 1024, kReadOn);
  EXPECT_EQ(Run(), WEFT_ERROR_NONE);
}

TEST_F(WindowsTest, AnEmptyOneDeniesAll) {
  Set(0, 512, 512, kReadOn | kWriteOn);
  EXPECT_EQ(Run(), WEFT_ERROR_WINDOW);
  EXPECT_EQ(ErrorAddress(), kRingBase);
}

TEST_F(WindowsTest, LocksAndBusyKeepThem) {
  Set(3, 256, 512, kWriteOn | WEFT_WINDOW_CONTROL_LOCK);
  Set(3, 0, 1024, 0);
  const auto expect = [&](uint32_t window, uint32_t first, uint32_t last, uint32_t control) {
    EXPECT_EQ(job->Get(WEFT_REG_WINDOW_FIRST(window)), first);
    EXPECT_EQ(job->Get(WEFT_REG_WINDOW_LAST(window)), last);
    EXPECT_EQ(job->Get(WEFT_REG_WINDOW_CONTROL(window)), control);
  };
  expect(3, 1, 1, kWriteOn | WEFT_WINDOW_CONTROL_LOCK);
  Set(4, 256, 512, kReadOn);
  job->Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
  expect(3, 1, 1, kWriteOn | WEFT_WINDOW_CONTROL_LOCK);
  expect(4, 1, 1, kReadOn);
  job->Set(WEFT_REG_WINDOW_CONTROL(4), 0xFFFFFFF6);
  expect(4, 1, 1, 6);  // what is not a bit reads as zero; FIRST and LAST are 32 bits
  job->Set(WEFT_REG_WINDOW_FIRST(4), 0xFFFFFFFF);
  expect(4, 0xFFFFFFFF, 1, 6);
  EXPECT_EQ(job->Get(WEFT_REG_WINDOW_CONTROL(4) + 4), 0u);

  Job busy(kConfig);
  for (int i = 0; i < 50; ++i) busy.Add(NopCmd{});
  busy.Queue();
  busy.Set(WEFT_REG_WINDOW_CONTROL(0), kReadOn);
  EXPECT_EQ(busy.Get(WEFT_REG_WINDOW_CONTROL(0)), 0u);
  EXPECT_EQ(busy.Finish(), WEFT_ERROR_NONE);
  busy.Set(WEFT_REG_WINDOW_CONTROL(0), kReadOn);
  EXPECT_EQ(busy.Get(WEFT_REG_WINDOW_CONTROL(0)), kReadOn);
}

TEST_F(WindowsTest, RowsWrapAroundTheAddressSpace) {
  job->Set(WEFT_REG_REGION_BASE_LO(7), 0xFFFFFF00);
  job->Set(WEFT_REG_REGION_BASE_HI(7), 0xFF);
  job->Set(WEFT_REG_WINDOW_LAST(0), 0xFFFFFFFE);
  job->Set(WEFT_REG_WINDOW_CONTROL(0), kReadOn | kWriteOn);
  job->Add(StoreCmd{.region = 7, .offset = 256, .rows = 1, .row_bytes = 32});  // at address 0
  job->Add(StoreCmd{.region = 7, .offset = 192, .rows = 1, .row_bytes = 128});
  EXPECT_EQ(job->Run(), WEFT_ERROR_WINDOW);
  EXPECT_EQ(job->error_command(), 1u);
  EXPECT_EQ(ErrorAddress(), 0xFFFFFFC0u);
}

TEST(Reset, ForgetsJobsErrorsAndCountersAndKeepsBases) {
  Job job(kConfig);
  for (int i = 0; i < 10; ++i) job.Add(NopCmd{});
  job.Queue();
  for (int i = 0; i < 10; ++i) job.Add(NopCmd{});
  job.Queue();
  EXPECT_FALSE(job.device().WaitForInterrupt(4));
  job.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
  for (const uint32_t offset :
       {WEFT_REG_STATUS, WEFT_REG_IRQ_STATUS, WEFT_REG_RING_HEAD, WEFT_REG_RING_TAIL,
        WEFT_REG_ERROR_CODE, WEFT_REG_ERROR_JOB, WEFT_REG_ERROR_COMMAND, WEFT_REG_COUNTER(0)}) {
    EXPECT_EQ(job.Get(offset), 0u) << offset;
  }
  EXPECT_EQ(job.Get(WEFT_REG_RING_BASE_LO), kRingBase);
  EXPECT_EQ(job.Get(WEFT_REG_REGION_BASE_LO(2)), 2 * kRegionBytes);
  EXPECT_FALSE(job.device().WaitForInterrupt(100));
  job.Set(WEFT_REG_RING_TAIL, 1);  // the first entry still lies in memory
  EXPECT_TRUE(job.device().WaitForInterrupt(100));
  EXPECT_EQ(job.Get(WEFT_REG_JOB_DONE_ID), kJobId);
  EXPECT_EQ(job.error(), WEFT_ERROR_NONE);
}

TEST(Reset, EndsTheHaltedState) {
  Job job(kConfig);
  job.QueueBytes(std::vector<uint8_t>(32), 1);
  EXPECT_EQ(job.Finish(), WEFT_ERROR_BAD_STREAM);
  job.Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
  EXPECT_EQ(job.Get(WEFT_REG_STATUS), 0u);
  EXPECT_EQ(job.error(), WEFT_ERROR_NONE);
}

}  // namespace
}  // namespace weft::testing
