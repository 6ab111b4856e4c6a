// SPDX-License-Identifier: Apache-2.0
//
// The C driver against a scripted device: a register file and a clock of its own that ends each job
// as the script says. The real devices run under the same driver in tb/unit/runtime and tb/system.
#include "weft/driver.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace weft {
namespace {

constexpr uint32_t kHash = 0x12345678;
constexpr uint64_t kRingAddress = 0x1'0000'0040;
constexpr uint64_t kSoon = 10000;

// How a job ends: `code` after `ticks`; kNever: not by itself.
struct Ending {
  uint32_t code = WEFT_ERROR_NONE;
  uint64_t ticks = 10;
  uint32_t command = 0;
  uint64_t address = 0;
};
constexpr uint64_t kNever = ~uint64_t{0};

class FakeDevice {
 public:
  FakeDevice() {
    registers_[WEFT_REG_ID] = WEFT_ID_VALUE;
    registers_[WEFT_REG_VERSION] = 0x0001'0002;
    registers_[WEFT_REG_CONFIG_HASH] = kHash;
    registers_[WEFT_REG_COMMAND_VERSION] = WEFT_COMMAND_VERSION_VALUE;
    registers_[WEFT_REG_SIZES] = 16 | 8 << 8 | 4 << 16 | 32u << 24;
    registers_[WEFT_REG_SCRATCHPAD_BYTES] = 262144;
    registers_[WEFT_REG_WEIGHT_BYTES] = 65536;
    for (uint32_t i = 0; i < WEFT_NUM_COUNTERS; ++i) registers_[WEFT_REG_COUNTER(i)] = 100 + i;
  }

  // The platform the driver is given. `clock_stands`: now() never moves.
  weft_platform Platform() {
    weft_platform platform = {};
    platform.context = this;
    platform.read_register = [](void* self, uint32_t offset) {
      return static_cast<FakeDevice*>(self)->Read(offset);
    };
    platform.write_register = [](void* self, uint32_t offset, uint32_t value) {
      static_cast<FakeDevice*>(self)->Write(offset, value);
    };
    platform.to_device = [](void* self, uint64_t address, const void* memory, size_t bytes) {
      const auto* from = static_cast<const uint8_t*>(memory);
      static_cast<FakeDevice*>(self)->memory[address].assign(from, from + bytes);
    };
    platform.from_device = [](void*, uint64_t, void*, size_t) { ADD_FAILURE() << "not needed"; };
    platform.wait_interrupt = [](void* self, uint64_t ticks) {
      return static_cast<FakeDevice*>(self)->Wait(ticks);
    };
    platform.now = [](void* self) {
      auto* device = static_cast<FakeDevice*>(self);
      return device->clock_stands ? 0 : device->now;
    };
    return platform;
  }

  uint32_t Read(uint32_t offset) {
    Advance(1);
    switch (offset) {
      case WEFT_REG_STATUS:
        return (halted ? WEFT_STATUS_HALTED : 0) |
               (!halted && head != registers_[WEFT_REG_RING_TAIL] ? WEFT_STATUS_BUSY : 0);
      case WEFT_REG_RING_HEAD:
        return head;
      default:
        return registers_[offset];
    }
  }

  void Write(uint32_t offset, uint32_t value) {
    Advance(1);
    switch (offset) {
      case WEFT_REG_CONTROL:
        if (stuck) return;
        if ((value & WEFT_CONTROL_ABORT) != 0 && Running()) End({WEFT_ERROR_ABORTED, 0, 5, 0});
        if ((value & WEFT_CONTROL_RESUME) != 0) {
          halted = false;
          registers_[WEFT_REG_ERROR_CODE] = 0;
        }
        if ((value & WEFT_CONTROL_RESET) != 0) {
          ++resets;
          halted = false;
          head = 0;
          registers_[WEFT_REG_RING_TAIL] = 0;
          registers_[WEFT_REG_IRQ_STATUS] = 0;
        }
        break;
      case WEFT_REG_IRQ_STATUS:
        registers_[offset] &= ~value;
        break;
      case WEFT_REG_RING_TAIL:
        if (!Running()) job_start_ = now;
        registers_[offset] = value;
        break;
      default:
        registers_[offset] = value;
    }
  }

  uint32_t Word(uint64_t address, uint32_t index) {
    const std::vector<uint8_t>& entry = memory.at(address);
    uint32_t value;
    std::memcpy(&value, &entry.at(4 * index), sizeof(value));
    return value;
  }

  void SetJobCounts(uint32_t count) {
    head = count;
    registers_[WEFT_REG_RING_TAIL] = count;
  }

  std::deque<Ending> script;  // one a job; the default Ending when it runs out
  std::map<uint64_t, std::vector<uint8_t>> memory;
  uint32_t head = 0;
  bool halted = false;
  bool stuck = false;  // ignores CONTROL
  bool clock_stands = false;
  bool interrupts_work = true;
  int resets = 0;
  int waits = 0;
  uint64_t now = 0;

 private:
  bool Running() { return !halted && head != registers_[WEFT_REG_RING_TAIL]; }

  void End(const Ending& ending) {
    ++head;
    job_start_ = now;
    registers_[WEFT_REG_IRQ_STATUS] |= WEFT_IRQ_STATUS_JOB_DONE;
    if (ending.code == WEFT_ERROR_NONE) return;
    halted = true;
    registers_[WEFT_REG_IRQ_STATUS] |= WEFT_IRQ_STATUS_ERROR;
    registers_[WEFT_REG_ERROR_CODE] = ending.code;
    registers_[WEFT_REG_ERROR_JOB] = 999;  // stale, as when the ring could not be read
    registers_[WEFT_REG_ERROR_COMMAND] = ending.command;
    registers_[WEFT_REG_ERROR_ADDR_LO] = static_cast<uint32_t>(ending.address);
    registers_[WEFT_REG_ERROR_ADDR_HI] = static_cast<uint32_t>(ending.address >> 32);
  }

  void Advance(uint64_t ticks) {
    for (; ticks > 0; --ticks) {
      ++now;
      if (!Running()) continue;
      const Ending ending = script.empty() ? Ending{} : script.front();
      if (ending.ticks == kNever || now - job_start_ < ending.ticks) continue;
      if (!script.empty()) script.pop_front();
      End(ending);
    }
  }

  bool Wait(uint64_t ticks) {
    ++waits;
    for (; ticks > 0; --ticks) {
      const uint32_t raised = registers_[WEFT_REG_IRQ_STATUS] & registers_[WEFT_REG_IRQ_MASK];
      if (interrupts_work && raised != 0) return true;
      Advance(1);
    }
    return false;
  }

  std::map<uint32_t, uint32_t> registers_;
  uint64_t job_start_ = 0;
};

class Driver : public ::testing::Test {
 protected:
  void SetUp() override {
    const weft_platform platform = fake_.Platform();
    ASSERT_EQ(weft_open(&device_, &platform), WEFT_OK);
    ASSERT_EQ(weft_start_ring(&device_, ring_.data(), kRingAddress, 2, kSoon), WEFT_OK);
  }

  uint32_t Submit() {
    const weft_job job = {kHash, 0, 64, 7};
    uint32_t number = ~0u;
    EXPECT_EQ(weft_submit(&device_, &job, &number), WEFT_OK);
    return number;
  }

  FakeDevice fake_;
  std::array<uint64_t, 4 * WEFT_JOB_ENTRY_BYTES / 8> ring_ = {};
  weft_device device_ = {};
};

TEST_F(Driver, ReadsTheIdentity) {
  const weft_identity& id = device_.identity;
  EXPECT_EQ(id.version, 0x00010002u);
  EXPECT_EQ(id.config_hash, kHash);
  EXPECT_EQ(id.k, 16u);
  EXPECT_EQ(id.n, 8u);
  EXPECT_EQ(id.post_lanes, 4u);
  EXPECT_EQ(id.axi_bytes, 32u);
  EXPECT_EQ(id.scratchpad_bytes, 262144u);
  EXPECT_EQ(id.weight_bytes, 65536u);
  EXPECT_EQ(weft_check_config(&device_, kHash), WEFT_OK);
  EXPECT_EQ(weft_check_config(&device_, kHash + 1), WEFT_E_CONFIG);
}

TEST(DriverOpen, RefusesOtherDevices) {
  weft_device device;
  FakeDevice other;
  other.Write(WEFT_REG_ID, 0xffffffff);
  weft_platform platform = other.Platform();
  EXPECT_EQ(weft_open(&device, &platform), WEFT_E_NOT_WEFT);

  FakeDevice newer;
  newer.Write(WEFT_REG_COMMAND_VERSION, WEFT_COMMAND_VERSION_VALUE + 1);
  platform = newer.Platform();
  EXPECT_EQ(weft_open(&device, &platform), WEFT_E_COMMAND_VERSION);
}

TEST_F(Driver, SetsUpTheRing) {
  EXPECT_EQ(fake_.resets, 1);
  EXPECT_EQ(fake_.Read(WEFT_REG_RING_BASE_LO), 0x40u);
  EXPECT_EQ(fake_.Read(WEFT_REG_RING_BASE_HI), 1u);
  EXPECT_EQ(fake_.Read(WEFT_REG_RING_LOG2), 2u);
  EXPECT_EQ(fake_.Read(WEFT_REG_IRQ_MASK), 3u);
}

TEST_F(Driver, RefusesBadArguments) {
  EXPECT_EQ(weft_start_ring(&device_, ring_.data(), 32, 2, kSoon), WEFT_E_ARGUMENT);
  EXPECT_EQ(weft_start_ring(&device_, ring_.data(), uint64_t{1} << 40, 2, kSoon), WEFT_E_ARGUMENT);
  EXPECT_EQ(weft_start_ring(&device_, ring_.data(), 0, 13, kSoon), WEFT_E_ARGUMENT);
  EXPECT_EQ(weft_start_ring(&device_, nullptr, 0, 2, kSoon), WEFT_E_ARGUMENT);
  EXPECT_EQ(weft_set_region(&device_, 8, 0), WEFT_E_ARGUMENT);
  EXPECT_EQ(weft_set_region(&device_, 0, 32), WEFT_E_ARGUMENT);
  EXPECT_EQ(weft_set_region(&device_, 0, uint64_t{1} << 40), WEFT_E_ARGUMENT);
  uint32_t number;
  for (const weft_job job :
       {weft_job{kHash, 8, 64, 7}, weft_job{kHash, 0, 32, 7}, weft_job{kHash, 0, 64, 0}}) {
    EXPECT_EQ(weft_submit(&device_, &job, &number), WEFT_E_ARGUMENT);
  }
  EXPECT_EQ(weft_poll(&device_, 0), WEFT_E_ARGUMENT) << "no job 0 was submitted";
}

TEST_F(Driver, RefusesJobsBeforeTheRing) {
  weft_device fresh;
  const weft_platform platform = fake_.Platform();
  ASSERT_EQ(weft_open(&fresh, &platform), WEFT_OK);
  const weft_job job = {kHash, 0, 64, 7};
  uint32_t number;
  EXPECT_EQ(weft_submit(&fresh, &job, &number), WEFT_E_ARGUMENT);
}

TEST_F(Driver, SetsRegionsAndWatchdog) {
  ASSERT_EQ(weft_set_region(&device_, 3, 0xab'1234'5640), WEFT_OK);
  EXPECT_EQ(fake_.Read(WEFT_REG_REGION_BASE_LO(3)), 0x12345640u);
  EXPECT_EQ(fake_.Read(WEFT_REG_REGION_BASE_HI(3)), 0xabu);
  weft_set_watchdog(&device_, 77);
  EXPECT_EQ(fake_.Read(WEFT_REG_WATCHDOG), 77u);
}

TEST_F(Driver, SetsWindows) {
  constexpr uint32_t kRead = WEFT_WINDOW_CONTROL_READ, kWrite = WEFT_WINDOW_CONTROL_WRITE;
  const auto expect = [&](uint32_t i, uint32_t first, uint32_t last, uint32_t control) {
    EXPECT_EQ(fake_.Read(WEFT_REG_WINDOW_FIRST(i)), first);
    EXPECT_EQ(fake_.Read(WEFT_REG_WINDOW_LAST(i)), last);
    EXPECT_EQ(fake_.Read(WEFT_REG_WINDOW_CONTROL(i)), control);
  };
  ASSERT_EQ(weft_set_window(&device_, 0, 0x1200, 0x34ff, kRead, false), WEFT_OK);
  expect(0, 0x12, 0x34, WEFT_WINDOW_CONTROL_ENABLE | kRead);
  ASSERT_EQ(weft_set_window(&device_, 7, 0xff'ffff'ff00, 0xff'ffff'ffff, kRead | kWrite, false),
            WEFT_OK);
  expect(7, 0xffffffff, 0xffffffff, WEFT_WINDOW_CONTROL_ENABLE | kRead | kWrite);
  ASSERT_EQ(weft_set_window(&device_, 1, 0x500, 0x4ff, kWrite, false), WEFT_OK) << "empty";
  expect(1, 5, 4, WEFT_WINDOW_CONTROL_ENABLE | kWrite);
  ASSERT_EQ(weft_set_window(&device_, 0, 0, 0xff, 0, false), WEFT_OK);
  expect(0, 0, 0, 0);
  ASSERT_EQ(weft_set_window(&device_, 2, 0, 0xff, kRead, true), WEFT_OK);
  expect(2, 0, 0, WEFT_WINDOW_CONTROL_ENABLE | kRead | WEFT_WINDOW_CONTROL_LOCK);
  EXPECT_EQ(weft_set_window(&device_, 2, 0, 0xff, kRead, true), WEFT_E_LOCKED);
}

TEST_F(Driver, RefusesBadWindows) {
  struct Case {
    uint32_t window;
    uint64_t first, last;
    uint32_t permissions;
  };
  for (const Case& c :
       {Case{8, 0, 0xff, 2}, Case{0, 0x80, 0xff, 2}, Case{0, 0, 0xfe, 2}, Case{0, 0x300, 0x1ff, 2},
        Case{0, uint64_t{1} << 40, uint64_t{2} << 40, 2}, Case{0, 0, (uint64_t{1} << 40) + 0xff, 2},
        Case{0, 0, ~uint64_t{0}, 2}, Case{0, 0, 0xff, WEFT_WINDOW_CONTROL_LOCK}}) {
    EXPECT_EQ(weft_set_window(&device_, c.window, c.first, c.last, c.permissions, false),
              WEFT_E_ARGUMENT)
        << c.window << " " << c.first << " " << c.last;
  }
  fake_.script = {{WEFT_ERROR_NONE, 500}};
  const uint32_t job = Submit();
  EXPECT_EQ(weft_set_window(&device_, 0, 0, 0xff, 2, false), WEFT_E_BUSY);
  EXPECT_EQ(fake_.Read(WEFT_REG_WINDOW_CONTROL(0)), 0u);
  EXPECT_EQ(weft_wait(&device_, job, kSoon), WEFT_OK);
  EXPECT_EQ(weft_set_window(&device_, 0, 0, 0xff, 2, false), WEFT_OK);
}

TEST_F(Driver, CompletesJobsAndWritesTheirEntries) {
  for (uint32_t i = 0; i < 10; ++i) {
    const weft_job job = {kHash, 5, 64 * i, 100 + i};
    uint32_t number;
    ASSERT_EQ(weft_submit(&device_, &job, &number), WEFT_OK);
    EXPECT_EQ(number, i);
    const uint64_t slot = kRingAddress + (i % 4) * WEFT_JOB_ENTRY_BYTES;
    ASSERT_EQ(fake_.memory[slot].size(), WEFT_JOB_ENTRY_BYTES);
    EXPECT_EQ(fake_.Word(slot, WEFT_JOB_JOB_ID), i);
    EXPECT_EQ(fake_.Word(slot, WEFT_JOB_CONFIG_HASH), kHash);
    EXPECT_EQ(fake_.Word(slot, WEFT_JOB_STREAM_REGION), 5u);
    EXPECT_EQ(fake_.Word(slot, WEFT_JOB_STREAM_OFFSET), 64 * i);
    EXPECT_EQ(fake_.Word(slot, WEFT_JOB_STREAM_COMMANDS), 100 + i);
    for (uint32_t word = 5; word < 16; ++word) EXPECT_EQ(fake_.Word(slot, word), 0u);
    EXPECT_EQ(weft_wait(&device_, number, kSoon), WEFT_OK);
  }
}

TEST_F(Driver, RefusesMoreJobsThanTheRingHolds) {
  fake_.script = {{WEFT_ERROR_NONE, 500}};
  for (int i = 0; i < 4; ++i) Submit();
  const weft_job job = {kHash, 0, 64, 7};
  uint32_t number;
  EXPECT_EQ(weft_submit(&device_, &job, &number), WEFT_E_RING_FULL);
  EXPECT_EQ(weft_wait(&device_, 0, kSoon), WEFT_OK);
  EXPECT_EQ(weft_submit(&device_, &job, &number), WEFT_OK);
  EXPECT_EQ(number, 4u);
  EXPECT_EQ(weft_wait(&device_, 4, kSoon), WEFT_OK);
}

TEST_F(Driver, WaitsForTheRightOneOfSeveralJobs) {
  fake_.script = {{WEFT_ERROR_NONE, 200}, {WEFT_ERROR_NONE, 300}, {WEFT_ERROR_NONE, 400}};
  Submit();
  const uint32_t second = Submit(), third = Submit();
  EXPECT_EQ(weft_poll(&device_, second), WEFT_E_PENDING);
  EXPECT_EQ(weft_wait(&device_, second, kSoon), WEFT_OK);
  EXPECT_EQ(weft_poll(&device_, third), WEFT_E_PENDING);
  EXPECT_EQ(weft_wait(&device_, third, kSoon), WEFT_OK);
}

TEST_F(Driver, CountsJobsBeyond32Bits) {
  // As after 2^32 - 2 jobs: the counts wrap around in the middle of what follows.
  device_.submitted = 0xfffffffe;
  fake_.SetJobCounts(0xfffffffe);
  for (const uint32_t expected : {0xfffffffeu, 0xffffffffu, 0u, 1u}) {
    const uint32_t number = Submit();
    EXPECT_EQ(number, expected);
    EXPECT_EQ(weft_wait(&device_, number, kSoon), WEFT_OK);
  }
}

TEST_F(Driver, TimesOutAndThenAborts) {
  fake_.script = {{WEFT_ERROR_NONE, kNever}};
  const uint32_t number = Submit();
  const uint64_t start = fake_.now;
  EXPECT_EQ(weft_wait(&device_, number, 1000), WEFT_E_TIMEOUT);
  EXPECT_GE(fake_.now - start, 1000u);
  EXPECT_LT(fake_.now - start, 1100u);
  EXPECT_EQ(weft_poll(&device_, number), WEFT_E_PENDING) << "it still runs";

  EXPECT_EQ(weft_abort(&device_, kSoon), WEFT_OK);
  EXPECT_EQ(weft_poll(&device_, number), WEFT_E_JOB);
  EXPECT_EQ(device_.last_error.code, WEFT_ERROR_ABORTED);
  EXPECT_EQ(device_.last_error.job, number);
  fake_.script.clear();
  EXPECT_EQ(weft_resume(&device_, kSoon), WEFT_OK);
  EXPECT_EQ(weft_wait(&device_, Submit(), kSoon), WEFT_OK);
}

TEST_F(Driver, TimesOutWithoutInterruptsAndWithoutAClock) {
  fake_.interrupts_work = false;
  fake_.script = {{WEFT_ERROR_NONE, 100}, {WEFT_ERROR_NONE, kNever}};
  EXPECT_EQ(weft_wait(&device_, Submit(), 1000), WEFT_OK) << "its end is seen at the last look";
  fake_.clock_stands = true;
  const int waits = fake_.waits;
  EXPECT_EQ(weft_wait(&device_, Submit(), 1000), WEFT_E_TIMEOUT);
  EXPECT_EQ(fake_.waits, waits + 1);
  fake_.stuck = true;
  EXPECT_EQ(weft_abort(&device_, 1000), WEFT_E_TIMEOUT);
  EXPECT_EQ(weft_reset(&device_, 1000), WEFT_E_TIMEOUT);
}

TEST_F(Driver, DecodesErrors) {
  for (uint32_t code = 1; code <= 9; ++code) {
    fake_.script = {{code, 20, 100 + code, 0x12'3456'7800u + code}};
    const uint32_t number = Submit();
    ASSERT_EQ(weft_wait(&device_, number, kSoon), WEFT_E_JOB);
    EXPECT_EQ(device_.last_error.code, code);
    EXPECT_EQ(device_.last_error.job, number);
    EXPECT_EQ(device_.last_error.command, 100 + code);
    EXPECT_EQ(device_.last_error.address, 0x12'3456'7800u + code);
    EXPECT_EQ(weft_resume(&device_, kSoon), WEFT_OK);
    EXPECT_EQ(weft_poll(&device_, number), WEFT_E_JOB) << "still known after resuming";
    EXPECT_EQ(weft_wait(&device_, Submit(), kSoon), WEFT_OK) << "the next job runs";
  }
}

TEST_F(Driver, JobsBehindAnErrorWaitForResume) {
  fake_.script = {{WEFT_ERROR_NONE, 20}, {WEFT_ERROR_READ_ERROR, 20}, {WEFT_ERROR_NONE, 20}};
  const uint32_t good = Submit(), bad = Submit(), behind = Submit();
  EXPECT_EQ(weft_wait(&device_, behind, kSoon), WEFT_E_HALTED);
  EXPECT_EQ(device_.last_error.job, bad);
  EXPECT_EQ(weft_poll(&device_, good), WEFT_OK);
  EXPECT_EQ(weft_poll(&device_, bad), WEFT_E_JOB);
  EXPECT_EQ(weft_resume(&device_, kSoon), WEFT_OK);
  EXPECT_EQ(weft_wait(&device_, behind, kSoon), WEFT_OK);
}

TEST_F(Driver, ResumeEndsWhenTheNextJobFailsAtOnce) {
  fake_.script = {{WEFT_ERROR_READ_ERROR, 50}, {WEFT_ERROR_WRITE_ERROR, 1}};
  const uint32_t first = Submit(), second = Submit();
  EXPECT_EQ(weft_wait(&device_, first, kSoon), WEFT_E_JOB);
  EXPECT_EQ(weft_resume(&device_, kSoon), WEFT_OK);
  EXPECT_EQ(weft_wait(&device_, second, kSoon), WEFT_E_JOB);
  EXPECT_EQ(device_.last_error.code, WEFT_ERROR_WRITE_ERROR);
}

TEST_F(Driver, ResumeWithoutAnErrorDoesNothing) {
  EXPECT_EQ(weft_resume(&device_, kSoon), WEFT_OK);
  EXPECT_FALSE(device_.has_error);
}

TEST_F(Driver, ResetForgetsJobsAndErrors) {
  fake_.script = {{WEFT_ERROR_TIMEOUT, 20}};
  EXPECT_EQ(weft_wait(&device_, Submit(), kSoon), WEFT_E_JOB);
  Submit();
  EXPECT_EQ(weft_reset(&device_, kSoon), WEFT_OK);
  EXPECT_FALSE(device_.has_error);
  EXPECT_EQ(fake_.Read(WEFT_REG_IRQ_STATUS), 0u);
  const uint32_t number = Submit();
  EXPECT_EQ(number, 0u);
  EXPECT_EQ(weft_wait(&device_, number, kSoon), WEFT_OK);
}

TEST_F(Driver, ReadsCounters) {
  EXPECT_EQ(weft_read_counter(&device_, WEFT_COUNTER_CYCLES), 100u);
  EXPECT_EQ(weft_read_counter(&device_, WEFT_COUNTER_BLOCKS), 100 + WEFT_COUNTER_BLOCKS);
  EXPECT_EQ(weft_read_counter(&device_, WEFT_NUM_COUNTERS), 0u);
}

TEST(DriverText, EveryResultAndErrorHasAText) {
  std::map<std::string, int> texts;
  for (int result = WEFT_OK; result <= WEFT_E_BUSY; ++result) {
    ++texts[weft_result_text(static_cast<weft_result>(result))];
  }
  for (uint32_t code = 0; code <= WEFT_ERROR_UNAUTHORIZED; ++code) ++texts[weft_error_text(code)];
  for (const auto& [text, count] : texts) {
    EXPECT_EQ(count, 1) << text;
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.find("unknown"), std::string::npos);
  }
  EXPECT_STREQ(weft_error_text(8), "TIMEOUT: the watchdog saw no progress");
  EXPECT_STREQ(weft_error_text(1000), "unknown error code");
}

}  // namespace
}  // namespace weft
