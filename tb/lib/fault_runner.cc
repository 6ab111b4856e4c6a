// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/fault_runner.h"

#if WEFT_WITH_RTL

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tb/lib/bus_accesses.h"
#include "tb/lib/devices.h"
#include "tb/lib/seed.h"
#include "tb/lib/stream_generator.h"
#include "tb/lib/stream_runner.h"
#include "tb/lib/stream_session.h"
#include "weft/hw/weft_hw.h"
#include "weft/program.h"

namespace weft::testing {
namespace {

enum class Event {
  kAbort,
  kReset,
  kHardReset,
  kReadError,
  kWriteError,
  kFreeze,
  kWindow,
  kFullRing,
  kDamage
};
constexpr std::array<const char*, 9> kEventNames = {
    "ABORT",         "RESET",         "hard reset", "read error",    "write error",
    "frozen memory", "window denied", "full ring",  "damaged stream"};

constexpr std::array<const char*, 6> kKindNames = {"ring entry", "command fetch", "weights",
                                                   "LOAD",       "STORE",         "MARK"};

// Cycles from the last thing the device waits for (the event, or the last answer of the bus) to
// the report, register accesses of the bench included.
constexpr uint64_t kReportCycles = 16;
// Bursts that may still be taken after the event: a read address on offer; eight writes that are
// complete in the buffer, one that is being checked, and one completed while the error is on its
// way.
constexpr uint64_t kLateReads = 1, kLateWrites = 10;
constexpr uint64_t kLateCycles = 8;       // until the event is known everywhere
constexpr uint64_t kWindowCycles = 1000;  // beyond twice the time the job takes undisturbed
constexpr uint64_t kRecoveryCycles = 2'000'000;

Event DrawEvent(Rng& rng) {
  static const std::vector<Event> events = {
      Event::kAbort,     Event::kAbort,     Event::kReset,      Event::kHardReset,
      Event::kReadError, Event::kReadError, Event::kFreeze,     Event::kFreeze,
      Event::kFreeze,    Event::kWindow,    Event::kWindow,     Event::kWindow,
      Event::kFullRing,  Event::kDamage,    Event::kWriteError, Event::kWriteError};
  return rng.Pick(events);
}

class FaultRun {
 public:
  FaultRun(const StreamCase& streams, uint64_t seed, Event event, Rng& rng, FaultFigures& figures)
      : session_(streams, RandomMemory(seed)), event_(event), rng_(rng), figures_(figures) {}

  std::string Run(const std::string& wave_file) {
    if (std::string text = session_.Open(session_.streams().seed % 2 == 0, wave_file);
        !text.empty())
      return text;
    bool illegal = false;
    if (event_ != Event::kDamage) {
      // Once undisturbed: how long it takes, and how many bursts.
      const uint64_t start = rtl().Now();
      const uint64_t reads = memory().read_bursts(), writes = memory().write_bursts();
      if (std::string text = session_.RunJobs(0, 1, illegal); !text.empty()) return text;
      job_cycles_ = rtl().Now() - start;
      job_reads_ = memory().read_bursts() - reads;
      job_writes_ = memory().write_bursts() - writes;
      session_.RestoreMemory();
      // Nothing in the job stands still for longer than the job takes.
      watchdog_ = static_cast<uint32_t>(rng_.Int(2000, 8000)) + static_cast<uint32_t>(job_cycles_);
      SetWatchdog();
      if (std::string text = Disturb(); !text.empty()) return text;
      if (std::string text = CheckMemory(); !text.empty()) return text;
      if (std::string text = session_.CheckOutside(); !text.empty()) return text;
      if (!monitor_.text().empty()) return monitor_.text();
      if (std::string text = rtl().Violations(); !text.empty()) return "rule broken: " + text;
      memory().SetFaults({});
      memory().SetObserver({});
      SetWindows(rtl(), {});
      session_.Prepare();  // the watchdog as it was
      rtl().WriteRegister(WEFT_REG_IRQ_STATUS, 3);
      session_.RestoreMemory();
    }
    const std::string text = session_.RunJobs(0, session_.streams().jobs.size(), illegal);
    if (event_ == Event::kDamage) ++figures_.histogram["damaged stream: reported"];
    return text.empty() ? text : "afterwards: " + text;
  }

  uint64_t cycles() const { return session_.cycles(); }

 private:
  VerilatedDevice& rtl() { return session_.rtl(); }
  AxiMemory& memory() { return rtl().memory(); }
  uint32_t Get(uint32_t offset) { return rtl().ReadRegister(offset); }
  void Set(uint32_t offset, uint32_t value) { rtl().WriteRegister(offset, value); }
  const StreamJob& job() const { return session_.streams().jobs[0]; }
  void SetWatchdog() { Set(WEFT_REG_WATCHDOG, watchdog_); }
  void Count(const std::string& what) {
    ++figures_.histogram[fmt::format("{}: {}", kEventNames[static_cast<size_t>(event_)], what)];
  }

  // --- the job that is disturbed ---

  std::string Disturb() {
    switch (event_) {
      case Event::kAbort:
        return Abort();
      case Event::kReset:
        return Reset();
      case Event::kHardReset:
        return HardReset();
      case Event::kReadError:
      case Event::kWriteError:
        return BusError();
      case Event::kFreeze:
        return Freeze();
      case Event::kWindow:
        return DenyBlock();
      case Event::kFullRing:
        return FullRing();
      case Event::kDamage:
        break;
    }
    return {};
  }

  // Doorbell for the first job.
  void Start() {
    entry_ = session_.NextEntry();
    head_ = session_.queued();
    const uint32_t tail = session_.Queue(0);
    before_.resize(rtl().memory_bytes());
    rtl().ReadMemory(0, before_);
    memory().SetObserver([this](const AxiBurst& burst) { See(burst); });
    Set(WEFT_REG_RING_TAIL, tail);
  }

  // Runs to a random cycle of the job, or a little beyond it.
  void RunToEvent() {
    Start();
    rtl().WaitForInterrupt(static_cast<uint64_t>(
        rng_.Int(0, static_cast<int64_t>(job_cycles_ + job_cycles_ / 16 + 10))));
  }

  void See(const AxiBurst& burst) {
    monitor_.See(burst);
    if (burst.response != AxiResponse::kOkay && !failed_) {
      failed_ = true;
      failed_burst_ = burst;
    }
    const uint64_t stopped = std::min(
        event_cycle_, failed_ && memory().last_error() > 0 ? memory().last_error() : UINT64_MAX);
    if (stopped == UINT64_MAX || rtl().Now() <= stopped + kLateCycles) return;
    ++(burst.write ? late_writes_ : late_reads_);
  }

  std::string Abort() {
    RunToEvent();
    event_cycle_ = rtl().Now();
    Set(WEFT_REG_CONTROL, WEFT_CONTROL_ABORT);
    bool completed = false;
    std::string text = AwaitReport(kRecoveryCycles, completed);
    if (!text.empty()) return text;
    if (completed) return Count("the job completed first"), text;
    text = CheckStop(event_cycle_);
    if (text.empty()) text = CheckError(WEFT_ERROR_ABORTED);
    return text.empty() ? Resume() : text;
  }

  std::string Reset() {
    RunToEvent();
    event_cycle_ = rtl().Now();
    Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
    if (std::string text = AwaitForgotten(); !text.empty()) return text;
    Count("all forgotten");
    return CheckStop(event_cycle_);
  }

  // After CONTROL.RESET: no job, no error, no interrupt.
  std::string AwaitForgotten() {
    const uint64_t limit = rtl().Now() + kRecoveryCycles;
    while (Get(WEFT_REG_STATUS) != 0) {
      if (rtl().Now() > limit) return "still busy or halted long after CONTROL.RESET";
    }
    report_cycle_ = rtl().Now();
    session_.SetQueued(0);
    return CheckZero({WEFT_REG_RING_HEAD, WEFT_REG_RING_TAIL, WEFT_REG_IRQ_STATUS,
                      WEFT_REG_ERROR_CODE, WEFT_REG_ERROR_JOB, WEFT_REG_ERROR_COMMAND,
                      WEFT_REG_ERROR_ADDR_LO, WEFT_REG_ERROR_ADDR_HI});
  }

  std::string HardReset() {
    RunToEvent();
    Count(memory().settled() ? "with a quiet bus" : "with bursts under way");
    return PullReset();
  }

  std::string PullReset() {
    rtl().HardReset();
    session_.SetQueued(0);
    const std::string text =
        CheckZero({WEFT_REG_STATUS, WEFT_REG_RING_HEAD, WEFT_REG_RING_TAIL, WEFT_REG_IRQ_STATUS,
                   WEFT_REG_IRQ_MASK, WEFT_REG_ERROR_CODE, WEFT_REG_REGION_BASE_LO(3),
                   WEFT_REG_WINDOW_CONTROL(0), WEFT_REG_RING_BASE_LO});
    session_.Prepare();
    SetWatchdog();
    return text;
  }

  std::string BusError() {
    const bool write = event_ == Event::kWriteError && job_writes_ > 0;
    const uint64_t bursts = write ? job_writes_ : job_reads_;
    const uint64_t so_far = write ? memory().write_bursts() : memory().read_bursts();
    AxiFault fault;
    fault.kind = write ? AxiFault::Kind::kWrite : AxiFault::Kind::kRead;
    fault.response = rng_.Chance(0.5) ? AxiResponse::kSlaveError : AxiResponse::kDecodeError;
    // Now and then one of the first: the ring entry, and commands.
    const uint64_t latest =
        std::max<uint64_t>(1, rng_.Chance(0.25) ? std::min<uint64_t>(3, bursts) : bursts);
    fault.nth = so_far + static_cast<uint64_t>(rng_.Int(1, static_cast<int64_t>(latest)));
    memory().SetFaults({fault});

    Start();
    bool completed = false;
    std::string text = AwaitReport(kRecoveryCycles, completed);
    if (!text.empty()) return text;
    if (completed) {
      if (failed_ && !BeyondEnd(failed_burst_.address, failed_burst_)) {
        return fmt::format("the job completed although the burst at {:#x} got an error",
                           failed_burst_.address);
      }
      Count(failed_ ? "behind END: the job completed" : "no such burst: the job completed");
      return {};
    }
    text = CheckStop(memory().last_error());
    if (text.empty()) {
      text = CheckError(write ? WEFT_ERROR_WRITE_ERROR : WEFT_ERROR_READ_ERROR);
    }
    if (text.empty() && ErrorAddress() != failed_burst_.address) {
      text = fmt::format("ERROR_ADDR is {:#x}, the burst that failed {:#x}", ErrorAddress(),
                         failed_burst_.address);
    }
    if (text.empty()) text = CheckCommand(failed_burst_);
    if (text.empty()) Count(fmt::format("at a {}", KindOf(failed_burst_)));
    return text.empty() ? Resume() : text;
  }

  // A read of commands of which END is none.
  bool BeyondEnd(uint64_t address, const AxiBurst& burst) const {
    return !burst.write && burst.id == 0 &&
           address >= job().stream + job().commands.size() * kCommandBytes &&
           address < job().stream + (job().commands.size() + job().trailing) * kCommandBytes;
  }

  std::string Freeze() {
    static constexpr std::array<const char*, kAxiChannels> kNames = {"AR", "R", "AW", "W", "B"};
    // The last three are those of writes.
    const auto channel = static_cast<size_t>(rng_.Int(0, job_writes_ > 0 ? kAxiChannels - 1 : 1));
    RunToEvent();
    const uint64_t frozen_at = rtl().Now();
    memory().Freeze(AxiChannel{static_cast<uint8_t>(channel)}, true);
    const auto thaw = [&] { memory().Freeze(AxiChannel{static_cast<uint8_t>(channel)}, false); };
    bool completed = false;
    const uint64_t bound = 2 * job_cycles_ + 2 * uint64_t{watchdog_} + kReportCycles;
    std::string text = AwaitReport(bound, completed);
    if (!text.empty()) {
      return fmt::format("{} frozen at cycle {}, bound {}: {}", kNames[channel], frozen_at, bound,
                         text);
    }
    if (completed) {
      thaw();
      Count(fmt::format("{}: the job completed without it", kNames[channel]));
      return {};
    }
    text = CheckError(WEFT_ERROR_TIMEOUT);
    if (!text.empty()) return text;
    if (ErrorAddress() != 0) return "TIMEOUT with an address";
    if (Get(WEFT_REG_ERROR_COMMAND) > job().commands.size() + job().trailing) {
      return "TIMEOUT at a command that does not exist";
    }
    const bool quiet = memory().settled();
    if (((Get(WEFT_REG_STATUS) & WEFT_STATUS_BUSY) == 0) != quiet) {
      return fmt::format("STATUS.BUSY is {} with {} bus", quiet ? 1 : 0,
                         quiet ? "a quiet" : "an open");
    }
    Count(fmt::format("{}: TIMEOUT, the bus {}", kNames[channel], quiet ? "quiet" : "open"));
    switch (rng_.Int(0, 3)) {
      case 0:  // the memory comes back, then the host goes on
        thaw();
        return Resume();
      case 1:  // the host goes on before the memory does
        Set(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_ERROR);
        Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
        rtl().WaitForInterrupt(static_cast<uint64_t>(rng_.Int(0, 300)));
        thaw();
        return AwaitResumed();
      case 2:
        Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
        rtl().WaitForInterrupt(static_cast<uint64_t>(rng_.Int(0, 300)));
        thaw();
        return AwaitForgotten();
      default:
        thaw();
        return PullReset();
    }
  }

  std::string DenyBlock() {
    entry_ = session_.NextEntry();
    const std::vector<BusAccess> all = Accesses();
    const BusAccess one = OneOf(all);
    const uint64_t first = one.address / kBlockBytes;
    const uint64_t last = (one.address + one.bytes - 1) / kBlockBytes;
    const uint64_t block =
        static_cast<uint64_t>(rng_.Int(static_cast<int64_t>(first), static_cast<int64_t>(last)));
    constexpr uint32_t kOn = WEFT_WINDOW_CONTROL_ENABLE;
    constexpr uint32_t kBoth = WEFT_WINDOW_CONTROL_READ | WEFT_WINDOW_CONTROL_WRITE;
    WindowSettings windows = {};
    const auto number = static_cast<uint32_t>(block);
    if (block > 0) windows[1] = {0, number - 1, kOn | kBoth};
    if (block < kMaxBlock) windows[6] = {number + 1, kMaxBlock, kOn | kBoth};
    // The wrong permission is as good as none.
    if (rng_.Chance(0.5)) {
      windows[3] = {number, number,
                    kOn | (one.write() ? WEFT_WINDOW_CONTROL_READ : WEFT_WINDOW_CONTROL_WRITE)};
    }
    SetWindows(rtl(), windows);
    monitor_ = WindowMonitor(windows);
    std::vector<BusAccess> denied;
    bool must_fail = false;
    for (const BusAccess& access : all) {
      const uint64_t begin = std::max(access.address, block * kBlockBytes);
      const uint64_t end = std::min(access.address + access.bytes, (block + 1) * kBlockBytes);
      if (begin >= end || Permitted(windows, access.write(), begin)) continue;
      denied.push_back(access);
      must_fail = must_fail || access.kind != BusAccess::Kind::kCommand ||
                  access.command < job().commands.size();
    }
    Start();
    bool completed = false;
    std::string text = AwaitReport(2 * job_cycles_ + kWindowCycles, completed);
    if (!text.empty()) return text;
    if (completed) {
      if (must_fail) return fmt::format("the job completed without block {:#x}", block);
      return Count("behind END: the job completed"), std::string();
    }
    text = CheckStop(report_cycle_);  // when the denied access comes up the bus does not show
    if (text.empty()) text = CheckError(WEFT_ERROR_WINDOW);
    if (!text.empty()) return text;
    if (ErrorAddress() / kBlockBytes != block) {
      return fmt::format("ERROR_ADDR is {:#x}, the denied block {:#x}", ErrorAddress(),
                         block * kBlockBytes);
    }
    const uint32_t command = Get(WEFT_REG_ERROR_COMMAND);
    if (std::ranges::none_of(denied, [&](const BusAccess& a) { return Names(a, command); })) {
      return fmt::format("ERROR_COMMAND is {}, which does not touch block {:#x} ({} others do)",
                         command, block, denied.size());
    }
    Count(fmt::format("to a {}", kKindNames[static_cast<size_t>(one.kind)]));
    return Resume();
  }

  // Every kind of access that there is is as likely as any other.
  BusAccess OneOf(const std::vector<BusAccess>& all) {
    const auto any = [&] {
      return all[static_cast<size_t>(rng_.Int(0, static_cast<int64_t>(all.size()) - 1))];
    };
    const auto kind = static_cast<BusAccess::Kind>(rng_.Int(0, 5));
    for (size_t tries = 0; tries < 20 * all.size(); ++tries) {
      const BusAccess one = any();
      if (one.kind == kind) return one;
    }
    return any();
  }

  // A ring full of entries, one of them bad: the device stops there and goes on behind it.
  std::string FullRing() {
    const uint32_t entries = 1u << session_.streams().ring_log2;
    const auto bad = static_cast<uint32_t>(rng_.Int(0, entries - 1));
    entry_ = session_.NextEntry();
    head_ = session_.queued();
    uint32_t tail = head_;
    for (uint32_t i = 0; i < entries; ++i) {
      const uint64_t entry = session_.NextEntry();
      tail = session_.Queue(0);
      if (i != bad) continue;
      const std::array<uint8_t, 4> hash = {};
      rtl().WriteMemory(entry + 4 * WEFT_JOB_CONFIG_HASH, hash);
    }
    before_.resize(rtl().memory_bytes());
    rtl().ReadMemory(0, before_);
    Set(WEFT_REG_RING_TAIL, tail);
    const uint64_t limit = rtl().Now() + entries * (4 * job_cycles_ + 2000);
    while (Get(WEFT_REG_RING_HEAD) != tail) {
      if (!rtl().WaitForInterrupt(kRecoveryCycles) || rtl().Now() > limit) {
        return fmt::format("the ring stands at {} of {}", Get(WEFT_REG_RING_HEAD), tail);
      }
      Set(WEFT_REG_IRQ_STATUS, 3);
      if ((Get(WEFT_REG_STATUS) & WEFT_STATUS_HALTED) == 0) continue;
      head_ = head_ + bad;
      if (std::string text = CheckError(WEFT_ERROR_CONFIG_MISMATCH); !text.empty()) return text;
      if (Get(WEFT_REG_ERROR_COMMAND) != 0) return "CONFIG_MISMATCH at a command";
      Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
    }
    return {};
  }

  // --- what must hold ---

  // Until the interrupt comes: the job has completed, or failed.
  std::string AwaitReport(uint64_t bound, bool& completed) {
    if (!rtl().WaitForInterrupt(bound)) return "no interrupt in time";
    report_cycle_ = rtl().Now();
    const uint32_t status = Get(WEFT_REG_IRQ_STATUS);
    completed = status == WEFT_IRQ_STATUS_JOB_DONE;
    if (completed) {
      if (Get(WEFT_REG_ERROR_CODE) != 0) return "completed with an error code";
      if (Get(WEFT_REG_RING_HEAD) != head_ + 1)
        return "completed, and RING_HEAD has not moved by 1";
      return {};
    }
    if (status != WEFT_IRQ_STATUS_ERROR) return fmt::format("IRQ_STATUS is {}", status);
    return {};
  }

  // The bus is quiet, and not long after it became so, or after `cause`, the report was there.
  std::string CheckStop(uint64_t cause) {
    if (!memory().settled()) return "reported while the bus is not quiet";
    const uint64_t from = std::max(cause, memory().last_unsettled());
    const uint64_t took = report_cycle_ > from ? report_cycle_ - from : 0;
    if (took > kReportCycles) {
      return fmt::format("reported {} cycles after cycle {}, the bound is {}", took, from,
                         kReportCycles);
    }
    figures_.slowest_stop = std::max(figures_.slowest_stop, took);
    if (late_reads_ > kLateReads || late_writes_ > kLateWrites) {
      return fmt::format("{} reads and {} writes began after the event", late_reads_, late_writes_);
    }
    return {};
  }

  std::string CheckError(uint32_t code) {
    const auto equals = [&](const char* name, uint32_t got, uint32_t want) {
      return got == want ? std::string() : fmt::format("{} is {}, not {}", name, got, want);
    };
    for (const std::string& text :
         {equals("ERROR_CODE", Get(WEFT_REG_ERROR_CODE), code),
          equals("RING_HEAD", Get(WEFT_REG_RING_HEAD), head_ + 1),
          equals("STATUS.HALTED", Get(WEFT_REG_STATUS) & WEFT_STATUS_HALTED, WEFT_STATUS_HALTED)}) {
      if (!text.empty()) return text;
    }
    // The job's number is known once its entry has been read and the stream is.
    const uint32_t entry_beats =
        WEFT_JOB_ENTRY_BYTES / static_cast<uint32_t>(session_.streams().config->axi_bytes);
    if (Get(WEFT_REG_COUNTER(WEFT_COUNTER_COMMAND_BEATS)) > entry_beats) {
      const uint32_t id = StreamSession::JobId(0);
      for (const std::string& text : {equals("ERROR_JOB", Get(WEFT_REG_ERROR_JOB), id),
                                      equals("JOB_DONE_ID", Get(WEFT_REG_JOB_DONE_ID), id)}) {
        if (!text.empty()) return text;
      }
    }
    Count(std::string(ErrorText(code).substr(0, ErrorText(code).find(':'))));
    return {};
  }

  // ERROR_COMMAND names a command that makes the access.
  std::string CheckCommand(const AxiBurst& burst) {
    const uint32_t command = Get(WEFT_REG_ERROR_COMMAND);
    for (const BusAccess& access : Accesses()) {
      const bool touches = access.write() == burst.write &&
                           access.address < burst.address + burst.bytes &&
                           burst.address < access.address + access.bytes;
      if (touches && Names(access, command)) return {};
    }
    return fmt::format("ERROR_COMMAND is {}, which does not make the {} at {:#x}", command,
                       burst.write ? "write" : "read", burst.address);
  }

  const char* KindOf(const AxiBurst& burst) const {
    if (!burst.write && burst.id == 0) {
      return burst.address == entry_ ? "ring entry" : "command fetch";
    }
    for (const BusAccess& access : Accesses()) {
      if (access.write() == burst.write && burst.address < access.address + access.bytes &&
          access.address < burst.address + burst.bytes &&
          access.kind >= BusAccess::Kind::kWeights) {
        return kKindNames[static_cast<size_t>(access.kind)];
      }
    }
    return "burst that nobody asked for";
  }

  // Commands are fetched ahead, by up to 16 and 8 at a time: of a fetch, the command that was next
  // is named.
  static bool Names(const BusAccess& access, uint32_t command) {
    if (access.kind != BusAccess::Kind::kCommand) return access.command == command;
    return command <= access.command && command + 16 > access.command;
  }

  uint64_t ErrorAddress() {
    return uint64_t{Get(WEFT_REG_ERROR_ADDR_HI)} << 32 | Get(WEFT_REG_ERROR_ADDR_LO);
  }

  std::string Resume() {
    Set(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_ERROR);
    Set(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
    return AwaitResumed();
  }

  std::string AwaitResumed() {
    const uint64_t limit = rtl().Now() + kRecoveryCycles;
    while (Get(WEFT_REG_STATUS) != 0) {
      if (rtl().Now() > limit) return "still busy or halted long after RESUME";
    }
    if (!memory().settled()) return "resumed while the bus is not quiet";
    return CheckZero({WEFT_REG_ERROR_CODE, WEFT_REG_ERROR_JOB, WEFT_REG_ERROR_COMMAND,
                      WEFT_REG_ERROR_ADDR_LO, WEFT_REG_ERROR_ADDR_HI, WEFT_REG_IRQ_STATUS});
  }

  std::string CheckZero(std::initializer_list<uint32_t> registers) {
    for (const uint32_t offset : registers) {
      if (const uint32_t value = Get(offset); value != 0) {
        return fmt::format("register {:#x} is {:#x} afterwards", offset, value);
      }
    }
    return {};
  }

  // Of memory only what the job's STOREs and MARKs may write has changed.
  std::string CheckMemory() {
    std::vector<uint8_t> after(before_.size());
    rtl().ReadMemory(0, after);
    if (after == before_) return {};
    const std::vector<BusAccess> all = Accesses();
    for (uint64_t at = 0; at < after.size(); ++at) {
      if (after[at] == before_[at]) continue;
      const auto found = std::ranges::find_if(all, [&](const BusAccess& a) {
        return a.write() && at >= a.address && at < a.address + a.bytes;
      });
      if (found == all.end()) return fmt::format("memory byte {:#x} was written by nobody", at);
    }
    return {};
  }

  std::vector<BusAccess> Accesses() const {
    const StreamCase& streams = session_.streams();
    return AccessesOf({streams.config, streams.region_base, entry_, job().stream, job().commands,
                       job().trailing});
  }

  StreamSession session_;
  const Event event_;
  Rng& rng_;
  FaultFigures& figures_;
  uint32_t watchdog_ = 0;
  uint64_t job_cycles_ = 0, job_reads_ = 0, job_writes_ = 0;  // undisturbed

  uint64_t entry_ = 0;  // address of the disturbed job's ring entry
  uint32_t head_ = 0;   // RING_HEAD before it
  std::vector<uint8_t> before_;
  uint64_t event_cycle_ = UINT64_MAX, report_cycle_ = 0;
  bool failed_ = false;  // a burst got an error for an answer, or will
  AxiBurst failed_burst_;
  uint64_t late_reads_ = 0, late_writes_ = 0;
  WindowMonitor monitor_{WindowSettings{}};
};

}  // namespace

std::optional<std::string> RunFault(std::string_view config, uint64_t seed,
                                    const FaultOptions& options, FaultFigures& figures) {
  Rng rng = Rng::Fixed(seed * 2 + 0x5eed);
  const Event event = DrawEvent(rng);
  StreamCase streams =
      GenerateStreams(ConfigNamed(config), seed, {.illegal = event == Event::kDamage});
  if (event == Event::kFullRing) streams.ring_log2 = static_cast<uint32_t>(rng.Int(0, 3));
  ++figures.points;
  ++figures.histogram[fmt::format("{}", kEventNames[static_cast<size_t>(event)])];
  FaultRun run(streams, seed, event, rng, figures);
  const std::string failure = run.Run(options.wave_file);
  figures.cycles += run.cycles();
  if (failure.empty()) return std::nullopt;
  return fmt::format(
      "{} seed {}, {}: {}\nrepeat with a wave: make regress FAULTS=1 CONFIG={} SEED={} SEEDS=1 "
      "WAVE=fault.fst\n",
      config, seed, kEventNames[static_cast<size_t>(event)], failure, config, seed);
}

}  // namespace weft::testing

#endif  // WEFT_WITH_RTL
