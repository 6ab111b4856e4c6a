// SPDX-License-Identifier: Apache-2.0
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
  bool runs = true;                  // gets as far as its stream
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
    PlaceRegions();
    host_.Write(WEFT_REG_WATCHDOG, 2000);
    host_.Write(WEFT_REG_IRQ_MASK, 3);
  }

  void PlaceRegions() {
    for (uint32_t i = 0; i < 8; ++i) {
      region_[i] = uint64_t(rng_.Int(0, 255)) << 32 | (i + 1) << 28 | (rng_.Bits() & 0x00ffffc0);
      host_.Write(WEFT_REG_REGION_BASE_LO(i), static_cast<uint32_t>(region_[i]));
      host_.Write(WEFT_REG_REGION_BASE_HI(i), static_cast<uint32_t>(region_[i] >> 32));
    }
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
        // With nothing to wait for, the job ends while the fetch asks for what follows.
        job.stream.push_back(
            Word(testing::kEnd, rng_.Chance(0.5) ? 0 : static_cast<uint32_t>(rng_.Int(0, 50))));
        // Often commands follow the END, which are fetched ahead.
        count += 1 + (rng_.Chance(0.5) ? static_cast<uint32_t>(rng_.Int(0, 60)) : 0);
        break;
      case WEFT_ERROR_BAD_STREAM:
        job.command = count;
        break;
      case WEFT_ERROR_TIMEOUT:
        job.stream.push_back(Word(testing::kHang, 0));
        job.command = ++count;
        break;
      case WEFT_ERROR_CONFIG_MISMATCH:
        entry[WEFT_JOB_CONFIG_HASH] ^= 1u << rng_.Int(0, 31);
        break;
      case WEFT_ERROR_READ_ERROR:
        // The first block of the stream, so that how much was decoded before is known.
        host_.FailAt(address);
        job.address = address;
        job.command = host_.fault_command;
        break;
      default:
        job.stream.push_back(Word(testing::kRefuse, error));
        job.command = count;
        count += 20;
    }
    for (size_t i = 0; i < job.stream.size(); ++i) host_.Put(address + 32 * i, job.stream[i]);
    entry[WEFT_JOB_STREAM_COMMANDS] = count;
    if (error == WEFT_ERROR_READ_ERROR) job.stream.clear();
    if (error == WEFT_ERROR_CONFIG_MISMATCH) job.runs = false;
    host_.PutEntry(ring_ + 64 * slot, entry);
    ++queued_;
    return job;
  }

  // An entry that is refused.
  Job QueueBadEntry() {
    Job job = Queue(WEFT_ERROR_NONE);
    std::array<uint32_t, 16> entry = {job.id, kConfig.hash, 3, 0x40, 5};
    job.runs = false;
    job.error = WEFT_ERROR_BAD_STREAM;
    // Reserved words go before the stream, and the hash before both.
    if (rng_.Chance(0.5)) {
      entry[static_cast<size_t>(rng_.Int(WEFT_JOB_STREAM_COMMANDS + 1, 15))] = 1u
                                                                               << rng_.Int(0, 31);
      job.error = WEFT_ERROR_BAD_FIELD;
    }
    if (rng_.Chance(0.2)) {
      entry[WEFT_JOB_CONFIG_HASH] ^= 1u << rng_.Int(0, 31);
      job.error = WEFT_ERROR_CONFIG_MISMATCH;
    }
    switch (rng_.Int(0, job.error == WEFT_ERROR_BAD_STREAM ? 2 : 3)) {
      case 0:
        entry[WEFT_JOB_STREAM_REGION] =
            static_cast<uint32_t>(rng_.Chance(0.5) ? 8 : rng_.Bits() | 8);
        break;
      case 1:
        entry[WEFT_JOB_STREAM_OFFSET] += static_cast<uint32_t>(rng_.Int(1, 63));
        break;
      case 2:
        entry[WEFT_JOB_STREAM_COMMANDS] = 0;
        break;
      default:
        break;
    }
    host_.PutEntry(ring_ + 64 * ((queued_ - 1) & ((1u << log2_) - 1)), entry);
    return job;
  }

  void Ring() { host_.Write(WEFT_REG_RING_TAIL, queued_); }

  // Waits for one job's end and checks all that can be seen of it.
  void Expect(const Job& job) {
    SCOPED_TRACE("error " + std::to_string(job.error));
    ++ended_;
    while (host_.Read(WEFT_REG_RING_HEAD) - ended_ >= 0x80000000u) host_.Wait(rng_.Int(0, 20));
    const bool failed = job.error != WEFT_ERROR_NONE;
    const uint32_t status = host_.Read(WEFT_REG_STATUS);
    if (job.runs) {
      const std::vector<Record> stream = host_.TakeStream();
      ASSERT_EQ(stream, job.stream);
    }
    if (!failed) return;
    ASSERT_EQ(status & WEFT_STATUS_HALTED, WEFT_STATUS_HALTED);
    EXPECT_EQ(status & WEFT_STATUS_BUSY, 0u);
    EXPECT_EQ(host_.Read(WEFT_REG_RING_HEAD), ended_);
    EXPECT_EQ(host_.Read(WEFT_REG_JOB_DONE_ID), job.id);
    EXPECT_TRUE(host_->irq_o);
    EXPECT_EQ(host_.Read(WEFT_REG_IRQ_STATUS) & WEFT_IRQ_STATUS_ERROR, WEFT_IRQ_STATUS_ERROR);
    ExpectError(job.error, job.id, job.command, job.address);
    // Queued jobs wait.
    host_.Wait(rng_.Int(0, 100));
    EXPECT_EQ(host_.Read(WEFT_REG_RING_HEAD), ended_);
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
    EXPECT_EQ(host_.streams(), 0u);
  }

  void CountEnded() { ++ended_; }
  void AfterReset() { queued_ = ended_ = 0; }
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
  for (int round = 0; round < 60 && !this->HasFailure(); ++round) {
    driver.host().stall = rng.Pick<double>({0, 0.1, 0.5, 0.8});
    std::vector<Job> jobs;
    for (int64_t i = rng.Int(1, driver.room()); i > 0; --i) {
      jobs.push_back(driver.Queue(WEFT_ERROR_NONE));
      if (rng.Chance(0.3)) driver.Ring();
    }
    driver.Ring();
    driver.host().Await(WEFT_REG_STATUS, WEFT_STATUS_BUSY, 0);  // not low in between
    EXPECT_EQ(driver.host().Read(WEFT_REG_RING_HEAD), driver.queued());
    for (const Job& job : jobs) driver.Expect(job);
    EXPECT_EQ(driver.host().Read(WEFT_REG_JOB_DONE_ID), jobs.back().id);
    EXPECT_EQ(driver.host().Read(WEFT_REG_IRQ_STATUS), WEFT_IRQ_STATUS_JOB_DONE);
    EXPECT_TRUE(driver.host()->irq_o);
    driver.host().Write(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE);
    driver.ExpectQuiet();
  }
}

// Region bases are taken when a job begins: the host may then write those of the next one.
TYPED_TEST(JobsTest, RegionsAreTakenWhenAJobBegins) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  auto& host = driver.host();
  for (int round = 0; round < 10 && !this->HasFailure(); ++round) {
    const Job job = driver.Queue(WEFT_ERROR_NONE);
    host.mute = true;
    driver.Ring();
    host.Wait(rng.Int(20, 60));  // its entry is being read
    driver.PlaceRegions();
    host.mute = false;
    driver.Expect(job);
    driver.ExpectQuiet();
  }
}

// Every kind of error: reported, halted, resumed, and the jobs around it are whole.
TYPED_TEST(JobsTest, Errors) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  for (int round = 0; round < 60 && !this->HasFailure(); ++round) {
    driver.host().stall = rng.Pick<double>({0, 0.1, 0.5});
    std::vector<Job> jobs;
    for (int64_t i = rng.Int(1, driver.room()); i > 0; --i) {
      jobs.push_back(rng.Chance(0.15)  ? driver.QueueBadEntry()
                     : rng.Chance(0.4) ? driver.Queue(static_cast<uint32_t>(rng.Int(1, 8)))
                                       : driver.Queue(WEFT_ERROR_NONE));
    }
    driver.Ring();
    for (const Job& job : jobs) {
      driver.Expect(job);
      if (this->HasFailure()) return;
    }
    driver.ExpectQuiet();
  }
}

// The ring itself cannot be read.
TYPED_TEST(JobsTest, EntryCannotBeRead) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  auto& host = driver.host();
  host.FailAt(driver.ring());
  Job job = driver.Queue(WEFT_ERROR_NONE);
  driver.Ring();
  host.Await(WEFT_REG_STATUS, WEFT_STATUS_HALTED, WEFT_STATUS_HALTED);
  EXPECT_EQ(host.Read(WEFT_REG_RING_HEAD), 1u);
  EXPECT_EQ(host.streams(), 0u);
  driver.ExpectError(WEFT_ERROR_READ_ERROR, 0, 0, driver.ring());
}

// An abort ends a job that was queued, whenever it comes; the others are whole.
TYPED_TEST(JobsTest, AbortAtAnyTime) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  auto& host = driver.host();
  int aborted = 0;
  for (int round = 0; round < 150 && !this->HasFailure(); ++round) {
    host.stall = rng.Pick<double>({0, 0.1, 0.5});
    host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);  // nothing runs: no effect
    std::vector<Job> jobs;
    for (int64_t i = rng.Int(1, driver.room()); i > 0; --i)
      jobs.push_back(driver.Queue(WEFT_ERROR_NONE));
    driver.Ring();
    host.Wait(rng.Chance(0.5) ? rng.Int(0, 10) : rng.Int(0, 400));
    host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);
    host.Await(WEFT_REG_STATUS, WEFT_STATUS_BUSY, 0);
    const bool halted = (host.Read(WEFT_REG_STATUS) & WEFT_STATUS_HALTED) != 0;
    const uint32_t head = host.Read(WEFT_REG_RING_HEAD);
    if (!halted) {
      ASSERT_EQ(head, driver.queued()) << "the abort was lost";
    }
    const size_t ended = jobs.size() - (driver.queued() - head);
    for (size_t i = 0; i < jobs.size(); ++i) {
      if (halted && i + 1 == ended) {
        ++aborted;
        const Job& job = jobs[i];
        ASSERT_EQ(host.Read(WEFT_REG_ERROR_CODE), WEFT_ERROR_ABORTED);
        driver.CountEnded();
        if (host.streams() == 1) {
          const std::vector<Record> stream = host.TakeStream();
          ASSERT_LE(stream.size(), job.stream.size());
          ASSERT_TRUE(std::equal(stream.begin(), stream.end(), job.stream.begin()));
          ASSERT_EQ(host.Read(WEFT_REG_ERROR_JOB), job.id);
          // One more may have been taken in the cycle of the abort.
          ASSERT_LE(stream.size() - host.Read(WEFT_REG_ERROR_COMMAND), 1u);
        }
        host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
      } else {
        driver.Expect(jobs[i]);
      }
      if (this->HasFailure()) return;
    }
    host.Write(WEFT_REG_IRQ_STATUS, 3);
    driver.ExpectQuiet();
  }
  EXPECT_GT(aborted, 50);
}

// An abort in any cycle around a job's end stops that job or the one queued behind it.
TYPED_TEST(JobsTest, AbortAroundAJobsEnd) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  auto& host = driver.host();
  host.stall = 0;
  while (driver.room() < 2) driver.Configure();
  for (int delay = 0; delay < 100 && !this->HasFailure(); ++delay) {
    const Job job = driver.Queue(WEFT_ERROR_NONE);
    host.PutEnd(job.stream.back(), 20);
    const Job behind = driver.Queue(WEFT_ERROR_NONE);
    host.PutEnd(behind.stream.back(), 200);
    driver.Ring();
    while (!host.ending()) host.Wait(1);
    host.Wait(delay);
    host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);
    host.Await(WEFT_REG_STATUS, WEFT_STATUS_BUSY, 0);
    EXPECT_EQ(host.Read(WEFT_REG_STATUS), WEFT_STATUS_HALTED) << "delay " << delay;
    EXPECT_EQ(host.Read(WEFT_REG_ERROR_CODE), WEFT_ERROR_ABORTED);
    host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
    driver.AfterReset();
    while (host.streams() > 0) host.TakeStream();
  }
}

// A reset forgets everything, whenever it comes, and nothing of it shows in the next job.
TYPED_TEST(JobsTest, ResetAtAnyTime) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  auto& host = driver.host();
  for (int round = 0; round < 200 && !this->HasFailure(); ++round) {
    host.stall = rng.Pick<double>({0, 0.1, 0.5});
    for (int64_t i = rng.Int(0, driver.room()); i > 0; --i)
      driver.Queue(rng.Chance(0.3) ? static_cast<uint32_t>(rng.Int(1, 7)) : WEFT_ERROR_NONE);
    driver.Ring();
    host.Wait(rng.Chance(0.5) ? rng.Int(0, 10) : rng.Int(0, 400));
    if (rng.Chance(0.2)) host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME | WEFT_CONTROL_ABORT);
    host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
    driver.AfterReset();
    host.FailNowhere();
    if (rng.Chance(0.5)) {
      host.Await(WEFT_REG_STATUS, WEFT_STATUS_BUSY | WEFT_STATUS_HALTED, 0);
      EXPECT_EQ(host.Read(WEFT_REG_RING_HEAD), 0u);
      EXPECT_EQ(host.Read(WEFT_REG_RING_TAIL), 0u);
      EXPECT_EQ(host.Read(WEFT_REG_IRQ_STATUS), 0u);
      EXPECT_FALSE(host->irq_o);
      driver.ExpectError(0, 0, 0, 0);
      for (uint32_t i = 0; i < 16; ++i) EXPECT_EQ(host.Read(WEFT_REG_COUNTER(i)), 0u);
    }
    while (host.streams() > 0) host.TakeStream();
    // The next doorbell may come while the bus is not yet quiet.
    std::vector<Job> jobs;
    for (int64_t i = rng.Int(1, driver.room()); i > 0; --i)
      jobs.push_back(driver.Queue(WEFT_ERROR_NONE));
    driver.Ring();
    for (const Job& job : jobs) driver.Expect(job);
    EXPECT_EQ(host.Read(WEFT_REG_IRQ_STATUS), WEFT_IRQ_STATUS_JOB_DONE);
    driver.ExpectQuiet();
    host.Write(WEFT_REG_IRQ_STATUS, 3);
  }
}

// Memory that never answers: the job times out and is reported after another period, but the device
// goes on only when memory has answered after all.
TYPED_TEST(JobsTest, MemoryDoesNotAnswer) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  auto& host = driver.host();
  host.stall = 0;
  host.mute = true;
  driver.Queue(WEFT_ERROR_NONE);
  driver.Ring();
  host.Wait(3900);
  EXPECT_EQ(host.Read(WEFT_REG_STATUS), WEFT_STATUS_BUSY);
  host.Wait(200);
  EXPECT_EQ(host.Read(WEFT_REG_STATUS), WEFT_STATUS_HALTED | WEFT_STATUS_BUSY);
  EXPECT_EQ(host.Read(WEFT_REG_RING_HEAD), 1u);
  driver.ExpectError(WEFT_ERROR_TIMEOUT, 0, 0, 0);
  driver.CountEnded();
  host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  const Job job = driver.Queue(WEFT_ERROR_NONE);
  driver.Ring();
  host.Wait(5000);
  EXPECT_EQ(host.Read(WEFT_REG_STATUS), WEFT_STATUS_HALTED | WEFT_STATUS_BUSY);
  EXPECT_TRUE(host.busy_memory());
  host.mute = false;
  driver.Expect(job);
  driver.ExpectQuiet();
}

TYPED_TEST(JobsTest, Watchdog) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  auto& host = driver.host();
  host.stall = 0;
  // Off: a job that hangs stays.
  host.Write(WEFT_REG_WATCHDOG, 0);
  const Job hangs = driver.Queue(WEFT_ERROR_TIMEOUT);
  driver.Ring();
  host.Wait(10000);
  EXPECT_EQ(host.Read(WEFT_REG_STATUS), WEFT_STATUS_BUSY);
  host.Write(WEFT_REG_WATCHDOG, 500);
  driver.Expect(hangs);
  // A job that works on, longer than that, is left alone.
  Job works = driver.Queue(WEFT_ERROR_NONE);
  host.PutEnd(works.stream.back(), 2000);
  works.stream.back()[1] = 2000;
  driver.Ring();
  driver.Expect(works);
  // From the last progress to the halt.
  host.Write(WEFT_REG_IRQ_STATUS, 3);
  const Job again = driver.Queue(WEFT_ERROR_TIMEOUT);
  driver.Ring();
  while (!host.hanging() || host.busy_memory()) host.Wait(1);
  int cycles = 0;
  for (; !host->irq_o; ++cycles) host.Wait(1);
  EXPECT_GE(cycles, 495);
  EXPECT_LE(cycles, 510);
  driver.Expect(again);
  driver.ExpectQuiet();
}

// Counters count their events while a job is active, start at zero, and stay when it has ended.
TYPED_TEST(JobsTest, Counters) {
  Rng rng;
  Driver<TypeParam> driver(rng);
  auto& host = driver.host();
  for (int round = 0; round < 5; ++round) {
    host.events = 0;
    host.Write(WEFT_REG_WATCHDOG, 0);
    driver.Queue(WEFT_ERROR_TIMEOUT);
    driver.Ring();
    while (!host.hanging()) host.Wait(1);
    std::array<uint32_t, 16> want = {};
    for (int part = 0; part < 10; ++part) {
      host.events = rng.Int(0, 0xffff);
      const uint32_t cycles = static_cast<uint32_t>(rng.Int(0, 100));
      host.Wait(cycles);
      for (uint32_t i = 0; i < 16; ++i) want[i] += (host.events >> i & 1) * cycles;
    }
    host.events = 0;
    for (uint32_t i = 0; i < 16; ++i) EXPECT_EQ(host.Read(WEFT_REG_COUNTER(i)), want[i]) << i;
    host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);
    host.Await(WEFT_REG_STATUS, WEFT_STATUS_HALTED, WEFT_STATUS_HALTED);
    host.Wait(10);
    host.events = 0xffff;
    host.Wait(10);
    for (uint32_t i = 0; i < 16; ++i) EXPECT_EQ(host.Read(WEFT_REG_COUNTER(i)), want[i]) << i;
    host.Write(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
  }
}

}  // namespace
}  // namespace weft
