// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/stream_session.h"

#if WEFT_WITH_RTL

#include <algorithm>
#include <array>
#include <cstring>

#include "sim/functional/functional_device.h"
#include "sw/command/codec.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {
namespace {

constexpr uint64_t kMaxCycles = 30'000'000;  // of a job; the watchdog ends one that hangs
constexpr uint32_t kWatchdogCycles = 50'000;

}  // namespace

std::string StreamSession::Open(bool stop_clocks, const std::string& wave_file) {
  PlaceCommands();
  FindMarks();
  functional_ = MakeFunctionalDevice(
      *case_.config, case_.memory.size(),
      [this](const Retirement& done) { retirements_.Expect(functional_job_, done); });
  VerilatedOptions options;
  options.memory_bytes = case_.memory.size();
  options.memory = memory_;
  options.seed = case_.seed + 1;
  options.stop_clocks = stop_clocks;
  options.wave_file = wave_file;
  auto rtl = MakeVerilatedDevice(*case_.config, options);
  if (!rtl) return rtl.error().message;
  rtl_ = std::move(*rtl);
  // The functional scratchpad begins with zeros: bytes outside the window must stay as they are.
  outside_ = Peek(*rtl_);
  RestoreMemory();
  Prepare(*functional_);
  Prepare(*rtl_);
  rtl_->SetMarkObserver([this](uint32_t layer) { AtMark(layer); });
  return {};
}

std::set<uint64_t> StreamSession::RunAlone(Device& device) {
  PlaceCommands();
  FindMarks();
  device.WriteMemory(0, case_.memory);
  Prepare(device);
  Ring ring;
  for (size_t j = 0; j < case_.jobs.size(); ++j) RunGroup(device, j, j + 1, ring);
  return snapshots_;
}

void StreamSession::RestoreMemory() {
  functional_->WriteMemory(0, case_.memory);
  rtl_->WriteMemory(0, case_.memory);
  functional_ring_.entries.clear();
  rtl_ring_.entries.clear();
}

std::string StreamSession::RunJobs(size_t first, size_t last, bool& illegal) {
  illegal = false;
  while (first < last) {
    const size_t end = EndOfGroup(first, last);
    // The functional device runs job by job, so that what each leaves is known at its MARKs.
    State expected;
    after_.assign(case_.jobs.size(), {});
    retirements_.Clear();
    for (size_t j = first; j < end; ++j) {
      functional_job_ = j;
      // What retires before an illegal command ends its job depends on time.
      if (case_.jobs[j].error_code == 0) retirements_.BeginJob(j);
      expected = RunGroup(*functional_, j, j + 1, functional_ring_);
      expected.head += static_cast<uint32_t>(j - first);
      after_[j] = expected;
      if (!functional_->Violations().empty()) {
        illegal = true;
        return "the functional device does not accept the stream: " + functional_->Violations();
      }
      const StreamJob& job = case_.jobs[j];
      if (job.error_code != expected.error_code ||
          (job.error_code != 0 && job.error_command != expected.error_command)) {
        illegal = job.error_code == 0;
        return fmt::format("job {}: functional device reports error {} at command {}, not {} at {}",
                           j, expected.error_code, expected.error_command, job.error_code,
                           job.error_command);
      }
    }
    checks_marks_ = true;
    const uint32_t head = rtl_ring_.queued;
    rtl_->SetRetireObserver([&](Engine engine, uint32_t jobs) {
      const size_t job = first + (jobs - head);
      if (engine != Engine::kControl) {
        AtRetirement(job, engine);
      } else if (job < end) {
        AtJobEnd(first, job - 1);  // that of the last is the group's
      }
    });
    const State actual = RunGroup(*rtl_, first, end, rtl_ring_);
    rtl_->SetRetireObserver({});
    checks_marks_ = false;
    if (!under_way_.empty()) return under_way_;
    if (std::string text = Compare(first, end - 1, expected, actual); !text.empty()) return text;
    for (size_t j = first; j < end; ++j) {
      if (std::string text = retirements_.Missing(j); !text.empty()) {
        return fmt::format("job {} ended with {}", j, text);
      }
    }
    if (std::string text = rtl_->Violations(); !text.empty()) return "rule broken: " + text;
    if (expected.error_code != 0) {
      // What an ended job left is not defined; start over from known memory.
      RestoreMemory();
      functional_->WriteRegister(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
      rtl_->WriteRegister(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
      for (uint32_t reg : {WEFT_REG_ERROR_CODE, WEFT_REG_ERROR_JOB, WEFT_REG_ERROR_COMMAND}) {
        if (rtl_->ReadRegister(reg) != 0) return fmt::format("register {:#x} after RESUME", reg);
      }
    }
    first = end;
  }
  return {};
}

// Legal jobs are queued together, an illegal one runs alone.
size_t StreamSession::EndOfGroup(size_t first, size_t last) const {
  if (case_.jobs[first].error_code != 0) return first + 1;
  const size_t slots = size_t{1} << case_.ring_log2;
  size_t end = first;
  while (end < last && case_.jobs[end].error_code == 0 && end - first < slots) ++end;
  return end;
}

void StreamSession::PlaceCommands() {
  for (const StreamJob& job : case_.jobs) {
    for (size_t i = 0; i < job.commands.size(); ++i) {
      std::span<uint8_t, kCommandBytes> at(&case_.memory[job.stream + i * kCommandBytes],
                                           kCommandBytes);
      Encode(job.commands[i], at);
      if (!job.damaged.empty() && i == job.error_command)
        std::ranges::copy(job.damaged, at.begin());
    }
  }
}

void StreamSession::FindMarks() {
  for (size_t j = 0; j < case_.jobs.size(); ++j) {
    const StreamJob& job = case_.jobs[j];
    if (job.error_code != 0) {
      // A MARK's snapshot lies in memory that is not compared.
      for (const Command& command : job.commands) NoteSnapshot(command);
      continue;
    }
    const std::vector<Writes> writes = WritesOf(case_, job);
    std::map<uint64_t, std::pair<size_t, bool>> scratchpad;  // byte: last writer, is it a LOAD
    std::map<uint64_t, size_t> memory;
    for (size_t i = 0; i < writes.size(); ++i) {
      const bool load = std::holds_alternative<LoadCmd>(job.commands[i]);
      for (const Extent& e : writes[i].scratchpad) {
        for (uint64_t at = e.begin; at < e.end; ++at) scratchpad[at] = {i, load};
      }
      for (const Extent& e : writes[i].memory) {
        for (uint64_t at = e.begin; at < e.end; ++at) memory[at] = i;
      }
    }
    std::array<std::map<size_t, MarkCheck*>, 2> marks;  // by command; of the execution, of STOREs
    for (size_t i = 0; i < job.commands.size(); ++i) {
      const auto* mark = std::get_if<MarkCmd>(&job.commands[i]);
      if (mark == nullptr) continue;
      NoteSnapshot(*mark);
      MarkCheck& check = marks_[static_cast<uint32_t>(mark->layer)];
      check.job = j;
      check.command = i;
      check.store = mark->store_engine != 0;
      marks[check.store ? 1 : 0][i] = &check;
    }
    const auto note = [&](int kind, uint64_t at, size_t writer) {
      const auto next = marks[static_cast<size_t>(kind)].lower_bound(writer);
      if (next != marks[static_cast<size_t>(kind)].end()) {
        next->second->bytes.emplace_back(at, writer);
      }
    };
    for (const auto& [at, writer] : scratchpad) {
      if (!writer.second) note(0, at, writer.first);
    }
    for (const auto& [at, writer] : memory) note(1, at, writer);
  }
}

void StreamSession::NoteSnapshot(const Command& command) {
  const auto* mark = std::get_if<MarkCmd>(&command);
  if (mark != nullptr) snapshots_.insert(AddressOf(case_, mark->region, mark->offset));
}

void StreamSession::Prepare(Device& device) const {
  for (uint32_t r = 0; r < case_.region_base.size(); ++r) {
    device.WriteRegister(WEFT_REG_REGION_BASE_LO(r), static_cast<uint32_t>(case_.region_base[r]));
    device.WriteRegister(WEFT_REG_REGION_BASE_HI(r),
                         static_cast<uint32_t>(case_.region_base[r] >> 32));
  }
  device.WriteRegister(WEFT_REG_RING_BASE_LO, static_cast<uint32_t>(case_.ring));
  device.WriteRegister(WEFT_REG_RING_BASE_HI, static_cast<uint32_t>(case_.ring >> 32));
  device.WriteRegister(WEFT_REG_RING_LOG2, case_.ring_log2);
  device.WriteRegister(WEFT_REG_WATCHDOG, kWatchdogCycles);
  device.WriteRegister(WEFT_REG_IRQ_MASK, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
}

uint64_t StreamSession::EntryAddress(uint32_t number) const {
  const uint32_t slot = number & ((1u << case_.ring_log2) - 1);
  return case_.ring + uint64_t{slot} * WEFT_JOB_ENTRY_BYTES;
}

uint32_t StreamSession::WriteEntry(Device& device, size_t index, Ring& ring) const {
  const StreamJob& job = case_.jobs[index];
  std::array<uint8_t, WEFT_JOB_ENTRY_BYTES> entry = {};
  const auto set = [&](size_t word, uint64_t value) {
    const auto narrow = static_cast<uint32_t>(value);
    std::memcpy(&entry[4 * word], &narrow, 4);
  };
  set(WEFT_JOB_JOB_ID, JobId(index));
  set(WEFT_JOB_CONFIG_HASH, case_.config->hash ^ (job.wrong_hash ? 1u : 0u));
  set(WEFT_JOB_STREAM_REGION, static_cast<uint64_t>(case_.stream_region));
  set(WEFT_JOB_STREAM_OFFSET,
      job.stream - case_.region_base[static_cast<size_t>(case_.stream_region)]);
  set(WEFT_JOB_STREAM_COMMANDS, job.commands.size() + job.trailing);
  if (job.reserved_word != 0) set(job.reserved_word, 1u << job.reserved_word);
  device.WriteMemory(EntryAddress(ring.queued), entry);
  ring.entries[EntryAddress(ring.queued)] = entry;
  return ++ring.queued;
}

StreamSession::State StreamSession::RunGroup(Device& device, size_t first, size_t last,
                                             Ring& ring) const {
  const uint32_t before = ring.queued;
  for (size_t j = first; j < last; ++j) WriteEntry(device, j, ring);
  device.WriteRegister(WEFT_REG_RING_TAIL, ring.queued);
  State state;
  for (;;) {
    if (!device.WaitForInterrupt(kMaxCycles)) break;
    device.WriteRegister(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
    state.head = device.ReadRegister(WEFT_REG_RING_HEAD);
    state.status = device.ReadRegister(WEFT_REG_STATUS);
    if (state.head == ring.queued || (state.status & WEFT_STATUS_HALTED) != 0) break;
  }
  state.head = device.ReadRegister(WEFT_REG_RING_HEAD) - before;
  state.error_code = device.ReadRegister(WEFT_REG_ERROR_CODE);
  state.error_job = device.ReadRegister(WEFT_REG_ERROR_JOB);
  state.error_command = device.ReadRegister(WEFT_REG_ERROR_COMMAND);
  state.done_id = device.ReadRegister(WEFT_REG_JOB_DONE_ID);
  state.status = device.ReadRegister(WEFT_REG_STATUS);
  ReadContents(device, ring, state);
  return state;
}

void StreamSession::ReadContents(Device& device, const Ring& ring, State& state) const {
  state.memory.resize(case_.memory.size());
  device.ReadMemory(0, state.memory);
  // Entries are as the host left them; they lie elsewhere in the other device's ring.
  for (const auto& [address, entry] : ring.entries) {
    const auto at = state.memory.begin() + static_cast<ptrdiff_t>(address);
    if (std::equal(entry.begin(), entry.end(), at)) {
      std::copy_n(case_.memory.begin() + static_cast<ptrdiff_t>(address), entry.size(), at);
    }
  }
  state.scratchpad.resize(static_cast<size_t>(case_.config->scratchpad));
  device.PeekScratchpad(0, state.scratchpad);
}

StreamSession::Bytes StreamSession::Peek(Device& device) const {
  Bytes bytes(static_cast<size_t>(case_.config->scratchpad));
  device.PeekScratchpad(0, bytes);
  return bytes;
}

std::string StreamSession::CommandText(size_t job, size_t command) const {
  return fmt::format("command {} of job {} ({})", command, job,
                     Format(case_.jobs[job].commands[command]));
}

// Who wrote a byte last, before the end of `job`, in words.
std::string StreamSession::LastWriter(size_t first, size_t last, bool in_memory,
                                      uint64_t at) const {
  for (size_t j = last + 1; j-- > first;) {
    const std::vector<Writes> writes = WritesOf(case_, case_.jobs[j]);
    for (size_t i = writes.size(); i-- > 0;) {
      for (const Extent& e : in_memory ? writes[i].memory : writes[i].scratchpad) {
        if (at >= e.begin && at < e.end) return "last written by " + CommandText(j, i);
      }
    }
  }
  return "written by no command of these jobs";
}

std::string StreamSession::Compare(size_t first, size_t last, const State& expected,
                                   const State& actual) const {
  const std::string where = fmt::format("after jobs {}..{}, cycle {}: ", first, last, rtl_->Now());
  const auto reg = [&](const char* name, uint32_t want, uint32_t got) {
    return want == got ? std::string()
                       : fmt::format(
                             "{}{} is {:#x}, functional has {:#x} (error code {}, job {}, "
                             "command {})",
                             where, name, got, want, actual.error_code, actual.error_job,
                             actual.error_command);
  };
  for (const std::string& text :
       {reg("ERROR_CODE", expected.error_code, actual.error_code),
        reg("ERROR_JOB", expected.error_job, actual.error_job),
        reg("ERROR_COMMAND", expected.error_command, actual.error_command),
        reg("RING_HEAD", expected.head, actual.head), reg("STATUS", expected.status, actual.status),
        reg("JOB_DONE_ID", expected.done_id, actual.done_id)}) {
    if (!text.empty()) return text;
  }
  if (expected.error_code != 0) return CompareAround(where, actual.scratchpad);
  return CompareContents(where, first, last, expected, actual);
}

std::string StreamSession::CompareContents(const std::string& where, size_t first, size_t last,
                                           const State& expected, const State& actual) const {
  for (auto at = actual.memory.begin();; ++at) {
    at = std::mismatch(at, actual.memory.end(),
                       expected.memory.begin() + (at - actual.memory.begin()))
             .first;
    if (at == actual.memory.end()) break;
    // Of a snapshot only the layer is known.
    const auto i = static_cast<uint64_t>(at - actual.memory.begin());
    if (snapshots_.contains(i & ~uint64_t{63}) && (i & 63) / 4 != WEFT_COUNTER_LAYER) continue;
    return fmt::format("{}memory byte {:#x} is {}, functional has {}; {}", where, i, *at,
                       expected.memory[i], LastWriter(first, last, true, i));
  }
  for (uint64_t i = case_.window.begin; i < case_.window.end; ++i) {
    if (expected.scratchpad[i] == actual.scratchpad[i]) continue;
    return fmt::format("{}scratchpad byte {} is {}, functional has {}; {}", where, i,
                       actual.scratchpad[i], expected.scratchpad[i],
                       LastWriter(first, last, false, i));
  }
  return CompareAround(where, actual.scratchpad);
}

std::string StreamSession::CompareAround(const std::string& where, const Bytes& scratchpad) const {
  for (uint64_t i = 0; i < outside_.size(); ++i) {
    if (i >= case_.window.begin && i < case_.window.end) continue;
    if (outside_[i] != scratchpad[i]) {
      return fmt::format("{}scratchpad byte {} outside the window changed", where, i);
    }
  }
  return {};
}

std::string StreamSession::CheckOutside() const { return CompareAround("", Peek(*rtl_)); }

void StreamSession::AtMark(uint32_t layer) {
  const auto found = marks_.find(layer);
  if (!checks_marks_ || found == marks_.end() || !under_way_.empty()) return;
  const MarkCheck& check = found->second;
  const State& expected = after_[check.job];
  for (const auto& [at, writer] : check.bytes) {
    uint8_t actual = 0, wanted = 0;
    if (check.store) {
      rtl_->ReadMemory(at, {&actual, 1});
      wanted = expected.memory[at];
    } else {
      rtl_->PeekScratchpad(static_cast<uint32_t>(at), {&actual, 1});
      wanted = expected.scratchpad[at];
    }
    ++mark_checks_;
    if (actual != wanted) {
      under_way_ = fmt::format(
          "at the MARK of {}, cycle {}: {} byte {} is {}, functional has {}; {}",
          CommandText(check.job, check.command), rtl_->Now(), check.store ? "memory" : "scratchpad",
          at, actual, wanted, "last written by " + CommandText(check.job, writer));
      return;
    }
  }
}

void StreamSession::AtRetirement(size_t job, Engine engine) {
  if (!under_way_.empty()) return;
  if (const auto difference = retirements_.Retired(job, engine, *rtl_)) {
    under_way_ = fmt::format("at the retirement of {}, cycle {}: {}",
                             CommandText(job, difference->command), rtl_->Now(), difference->text);
  }
}

void StreamSession::AtJobEnd(size_t first, size_t job) {
  if (!under_way_.empty()) return;
  ReadContents(*rtl_, rtl_ring_, at_job_end_);
  under_way_ = CompareContents(fmt::format("at the end of job {}, cycle {}: ", job, rtl_->Now()),
                               first, job, after_[job], at_job_end_);
}

}  // namespace weft::testing

#endif  // WEFT_WITH_RTL
