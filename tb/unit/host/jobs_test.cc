// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "tb/unit/host/host_bench.h"

namespace weft {
namespace {

using testing::HostBench;
using testing::Record;
using testing::Rng;

// A job as the host queues it, and how it must end.
struct Job {
  uint32_t id;
  std::vector<Record> stream;        // what the decoder must have taken, in order
  uint32_t error = WEFT_ERROR_NONE;  // ERROR_CODE, or NONE: it completes
  uint32_t command = 0;              // ERROR_COMMAND
  uint64_t address = 0;              // ERROR_ADDR
  std::optional<uint64_t> bad;       // reading here fails
};

template <typename Model>
class Driver {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;

  explicit Driver(Rng& rng) : rng_(rng), host_(rng) { Configure(); }

  HostBench<Model>& host() { return host_; }
  uint32_t queued() const { return queued_; }

  // Ring and regions somewhere in 40 bits, far from each other.
  void Configure() {
    log2_ = static_cast<int>(rng_.Int(0, 5));
    ring_ = uint64_t(rng_.Int(0, 255)) << 32 | (rng_.Bits() & 0x00ffffc0);
    host_.Write(WEFT_REG_RING_BASE_LO, static_cast<uint32_t>(ring_));
    host_.Write(WEFT_REG_RING_BASE_HI, static_cast<uint32_t>(ring_ >> 32));
    host_.Write(WEFT_REG_RING_LOG2, log2_);
    for (uint32_t i = 0; i < 8; ++i) {
      region_[i] = uint64_t(rng_.Int(0, 255)) << 32 | (i + 1) << 28 | (rng_.Bits() & 0x00ffffc0);
      host_.Write(WEFT_REG_REGION_BASE_LO(i), static_cast<uint32_t>(region_[i]));
      host_.Write(WEFT_REG_REGION_BASE_HI(i), static_cast<uint32_t>(region_[i] >> 32));
    }
    host_.Write(WEFT_REG_WATCHDOG, 2000);
    host_.Write(WEFT_REG_IRQ_MASK, 3);
  }

  int room() const { return 1 << log2_; }

  // Writes stream and entry; the doorbell comes later.
  Job Queue(uint32_t error) {
    Job job;
    job.id = static_cast<uint32_t>(rng_.Bits());
    job.error = error;
    const int commands = static_cast<int>(rng_.Chance(0.5) ? rng_.Int(1, 6) : rng_.Int(1, 60));
    for (int i = 0; i < commands; ++i) job.stream.push_back(Word(testing::kWork, 0));
    uint32_t count = commands;
    const uint32_t region = static_cast<uint32_t>(rng_.Int(0, 7));
    const uint32_t offset = static_cast<uint32_t>(next_offset_);
    next_offset_ += 0x4000;
    const uint64_t address = region_[region] + offset;
    const uint32_t slot = queued_ & ((1u << log2_) - 1);
    std::array<uint32_t, 16> entry = {};
    entry[WEFT_JOB_JOB_ID] = job.id;
    entry[WEFT_JOB_CONFIG_HASH] = kConfig.hash;
    entry[WEFT_JOB_STREAM_REGION] = region;
    entry[WEFT_JOB_STREAM_OFFSET] = offset;

    switch (error) {
      case WEFT_ERROR_NONE:
        job.stream.push_back(Word(testing::kEnd, static_cast<uint32_t>(rng_.Int(0, 50))));
        // Often commands follow the END, which are fetched ahead.
        count += 1 + (rng_.Chance(0.5) ? static_cast<uint32_t>(rng_.Int(0, 60)) : 0);
        break;
      case WEFT_ERROR_BAD_STREAM:
        job.command = count;
        break;
      case WEFT_ERROR_TIMEOUT:
        job.stream.push_back(Word(testing::kHang, 0));
        job.command = 0;  // the stand-in for the engines does not tell
        ++count;
        break;
      case WEFT_ERROR_CONFIG_MISMATCH:
        entry[WEFT_JOB_CONFIG_HASH] ^= 1u << rng_.Int(0, 31);
        break;
      case WEFT_ERROR_READ_ERROR:
        // The first block of the stream, so that how much was decoded before is known.
        job.bad = address;
        job.address = address;
        break;
      default:
        job.stream.push_back(Word(testing::kRefuse, error));
        job.command = count;
        count += 20;
    }
    for (size_t i = 0; i < job.stream.size(); ++i) host_.Put(address + 32 * i, job.stream[i]);
    entry[WEFT_JOB_STREAM_COMMANDS] = count;
    if (error == WEFT_ERROR_CONFIG_MISMATCH) job.stream.clear();
    host_.PutEntry(ring_ + 64 * slot, entry);
    ++queued_;
    return job;
  }

  // An entry that is refused.
  Job QueueBadEntry() {
    Job job = Queue(WEFT_ERROR_NONE);
    std::array<uint32_t, 16> entry = {job.id, kConfig.hash, 3, 0x40, 5};
    switch (rng_.Int(0, 2)) {
      case 0: entry[WEFT_JOB_STREAM_REGION] = static_cast<uint32_t>(rng_.Chance(0.5) ? 8 : rng_.Bits() | 8); break;
      case 1: entry[WEFT_JOB_STREAM_OFFSET] += static_cast<uint32_t>(rng_.Int(1, 63)); break;
      default: entry[WEFT_JOB_STREAM_COMMANDS] = 0;
    }
    host_.PutEntry(ring_ + 64 * ((queued_ - 1) & ((1u << log2_) - 1)), entry);
    job.stream.clear();
    job.error = WEFT_ERROR_BAD_STREAM;
    return job;
  }

  void Ring() { host_.Write(WEFT_REG_RING_TAIL, queued_); }

  // Waits for one job's end and checks all that can be seen of it.
  void Expect(const Job& job) {
    SCOPED_TRACE("error " + std::to_string(job.error));
    if (job.bad) host_.FailAt(*job.bad);
    ++ended_;
    while (host_.Read(WEFT_REG_RING_HEAD) - ended_ >= 0x80000000u) host_.Wait(rng_.Int(0, 20));
    const bool failed = job.error != WEFT_ERROR_NONE;
    const uint32_t status = host_.Read(WEFT_REG_STATUS);
    ASSERT_EQ(status & WEFT_STATUS_HALTED, failed ? WEFT_STATUS_HALTED : 0);
    if (!failed) return;
    EXPECT_EQ(status & WEFT_STATUS_BUSY, 0u);
    EXPECT_EQ(host_.Read(WEFT_REG_RING_HEAD), ended_);
    EXPECT_EQ(host_.Read(WEFT_REG_JOB_DONE_ID), job.id);
    EXPECT_TRUE(host_->irq_o);
    EXPECT_EQ(host_.Read(WEFT_REG_IRQ_STATUS) & WEFT_IRQ_STATUS_ERROR, WEFT_IRQ_STATUS_ERROR);
    ExpectError(job.error, job.id, job.command, job.address);
    CheckLog({job});
    // Queued jobs wait.
    host_.Wait(rng_.Int(0, 100));
    EXPECT_EQ(host_.Read(WEFT_REG_RING_HEAD), ended_);
    host_.FailNowhere();
    host_.Write(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_ERROR | WEFT_IRQ_STATUS_JOB_DONE);
    EXPECT_FALSE(host_->irq_o);
    host_.Write(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  }

  void ExpectError(uint32_t code, uint32_t job, uint32_t command, uint64_t address) {
    EXPECT_EQ(host_.Read(WEFT_REG_ERROR_CODE), code);
    EXPECT_EQ(host_.Read(WEFT_REG_ERROR_JOB), job);
    EXPECT_EQ(host_.Read(WEFT_REG_ERROR_COMMAND), command);
    EXPECT_EQ(host_.Read(WEFT_REG_ERROR_ADDR_LO), static_cast<uint32_t>(address));
    EXPECT_EQ(host_.Read(WEFT_REG_ERROR_ADDR_HI), static_cast<uint32_t>(address >> 32));
  }

  void ExpectQuiet() {
    host_.Await(WEFT_REG_STATUS, WEFT_STATUS_BUSY | WEFT_STATUS_HALTED, 0);
    EXPECT_EQ(host_.Read(WEFT_REG_RING_HEAD), queued_);
    ExpectError(0, 0, 0, 0);
  }

  // The decoder's view of these jobs, which ran one after the other: complete streams.
  void CheckLog(const std::vector<Job>& jobs) {
    const std::vector<Record> log = host_.TakeLog();
    size_t at = 0;
    for (const Job& job : jobs) {
      // A job whose memory fails may have been decoded up to there, and what came was garbage or not.
      if (job.bad) continue;
      for (const Record& record : job.stream) {
        ASSERT_LT(at, log.size());
        ASSERT_EQ(log[at++], record);
      }
    }
    if (jobs.empty() || !jobs.back().bad) ASSERT_EQ(at, log.size());
  }

  void AfterReset() { queued_ = ended_ = 0; }
  uint32_t ended() const { return ended_; }
  uint64_t ring() const { return ring_; }

 private:
  Record Word(uint32_t kind, uint32_t argument) {
    Record record = {kind, argument};
    for (size_t i = 2; i < record.size(); ++i) record[i] = static_cast<uint32_t>(rng_.Bits());
    return record;
  }

  Rng& rng_;
  HostBench<Model> host_;
  int log2_ = 0;
  uint64_t ring_ = 0;
  std::array<uint64_t, 8> region_ = {};
  uint64_t next_offset_ = 0;
  uint32_t queued_ = 0, ended_ = 0;
};

template <typename T>
class JobsTest : public ::testing::Test {};
TYPED_TEST_SUITE(JobsTest, testing::Hosts);

// Several jobs at once, around the ring, each stream exactly once and in order.
TYPED_TEST(JobsTest, QueuedJobsRunInOrder) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  for (int round = 0; round < 30 && !this->HasFailure(); ++round) {
    driver.host().stall = rng.Pick<double>({0, 0.1, 0.5});
    std::vector<Job> jobs;
    for (int64_t i = rng.Int(1, driver.room()); i > 0; --i) {
      jobs.push_back(driver.Queue(WEFT_ERROR_NONE));
      if (rng.Chance(0.3)) driver.Ring();
    }
    driver.Ring();
    driver.host().Await(WEFT_REG_STATUS, WEFT_STATUS_BUSY, 0);  // not low in between
    for (const Job& job : jobs) driver.Expect(job);
    EXPECT_EQ(driver.host().Read(WEFT_REG_JOB_DONE_ID), jobs.back().id);
    EXPECT_EQ(driver.host().Read(WEFT_REG_IRQ_STATUS), WEFT_IRQ_STATUS_JOB_DONE);
    EXPECT_TRUE(driver.host()->irq_o);
    driver.host().Write(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE);
    driver.CheckLog(jobs);
    driver.ExpectQuiet();
  }
}

// Every kind of error: reported, halted, resumed, and the jobs after it are not touched.
TYPED_TEST(JobsTest, Errors) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  for (int round = 0; round < 60 && !this->HasFailure(); ++round) {
    driver.host().stall = rng.Pick<double>({0, 0.1, 0.5});
    driver.host().fault_command = 0;
    std::vector<Job> jobs;
    for (int64_t i = rng.Int(1, driver.room()); i > 0; --i) {
      if (rng.Chance(0.15)) {
        jobs.push_back(driver.QueueBadEntry());
        continue;
      }
      jobs.push_back(driver.Queue(rng.Chance(0.4) ? static_cast<uint32_t>(rng.Int(1, 8)) : WEFT_ERROR_NONE));
    }
    driver.Ring();
    std::vector<Job> complete;
    for (const Job& job : jobs) {
      if (job.error == WEFT_ERROR_NONE) {
        complete.push_back(job);
        continue;
      }
      // The streams of those before it and its own must have come.
      for (const Job& before : complete) driver.Expect(before);
      complete.clear();
      driver.host().TakeLog();
      driver.Expect(job);
    }
    for (const Job& job : complete) driver.Expect(job);
    driver.host().TakeLog();
    driver.ExpectQuiet();
  }
}

}  // namespace
}  // namespace weft
