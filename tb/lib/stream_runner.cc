// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/stream_runner.h"

#if WEFT_WITH_RTL

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

#include "sim/functional/functional_device.h"
#include "sim/verilated/verilated_device.h"
#include "sw/command/codec.h"
#include "tb/lib/devices.h"
#include "tb/lib/seed.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {
namespace {

constexpr uint64_t kMaxCycles = 30'000'000;  // of a job; the watchdog ends one that hangs
constexpr uint32_t kWatchdogCycles = 50'000;
constexpr int kMaxShrinkRuns = 300;

using Bytes = std::vector<uint8_t>;

// What is known of a device after a group of jobs.
struct State {
  Bytes memory, scratchpad;
  uint32_t error_code = 0, error_command = 0, error_job = 0, done_id = 0, head = 0, status = 0;
};

// What a MARK can be sure of: bytes that the work before it wrote and nothing overwrites later.
struct MarkCheck {
  size_t job = 0;
  size_t command = 0;
  bool store = false;
  std::vector<std::pair<uint64_t, size_t>> bytes;  // address, command that wrote it
};

uint32_t JobId(size_t job) { return 1000 + static_cast<uint32_t>(job) * 3; }

class CaseRun {
 public:
  CaseRun(const StreamCase& streams, const AxiMemoryOptions& memory, const std::string& wave_file)
      : case_(streams), memory_(memory), wave_file_(wave_file) {}

  // Empty: both devices agree. `illegal`: the functional device does not accept a legal job.
  std::string Run(bool& illegal) {
    illegal = false;
    PlaceCommands();
    FindMarks();
    functional_ = MakeFunctionalDevice(*case_.config, case_.memory.size());
    VerilatedOptions options;
    options.memory_bytes = case_.memory.size();
    options.memory = memory_;
    options.seed = case_.seed + 1;
    options.wave_file = wave_file_;
    auto rtl = MakeVerilatedDevice(*case_.config, options);
    if (!rtl) return rtl.error().message;
    rtl_ = std::move(*rtl);
    // The functional scratchpad begins with zeros: bytes outside the window must stay as they are.
    outside_ = Peek(*rtl_);
    Prepare(*functional_);
    Prepare(*rtl_);
    rtl_->SetMarkObserver([this](uint32_t layer) { AtMark(layer); });

    for (size_t first = 0; first < case_.jobs.size();) {
      const size_t last = EndOfGroup(first);
      // The functional device runs job by job, so that what each leaves is known at its MARKs.
      State expected;
      after_.assign(case_.jobs.size(), {});
      for (size_t j = first; j < last; ++j) {
        expected = RunGroup(*functional_, j, j + 1);
        after_[j] = expected;
        if (!functional_->Violations().empty()) {
          illegal = true;
          return "the functional device does not accept the stream: " + functional_->Violations();
        }
        const StreamJob& job = case_.jobs[j];
        if (job.error_code != expected.error_code ||
            (job.error_code != 0 && job.error_command != expected.error_command)) {
          illegal = job.error_code == 0;
          return fmt::format(
              "job {}: functional device reports error {} at command {}, not {} at {}", j,
              expected.error_code, expected.error_command, job.error_code, job.error_command);
        }
      }
      const State actual = RunGroup(*rtl_, first, last);
      if (!at_mark_.empty()) return at_mark_;
      if (std::string text = Compare(first, last - 1, expected, actual); !text.empty()) return text;
      if (std::string text = rtl_->Violations(); !text.empty()) return "rule broken: " + text;
      if (expected.error_code != 0) {
        // What an ended job left is not defined; start over from known memory.
        for (Device* device :
             {static_cast<Device*>(functional_.get()), static_cast<Device*>(rtl_.get())}) {
          device->WriteMemory(0, case_.memory);
          device->WriteRegister(WEFT_REG_CONTROL, WEFT_CONTROL_RESUME);
        }
        for (uint32_t reg : {WEFT_REG_ERROR_CODE, WEFT_REG_ERROR_JOB, WEFT_REG_ERROR_COMMAND}) {
          if (rtl_->ReadRegister(reg) != 0) return fmt::format("register {:#x} after RESUME", reg);
        }
      }
      first = last;
    }
    return {};
  }

  std::set<uint64_t> RunAlone(Device& device) {
    PlaceCommands();
    FindMarks();
    Prepare(device);
    for (size_t j = 0; j < case_.jobs.size(); ++j) RunGroup(device, j, j + 1);
    return snapshots_;
  }

  uint64_t cycles() const { return rtl_ ? rtl_->Now() : 0; }
  uint64_t mark_checks() const { return mark_checks_; }

 private:
  // Legal jobs are queued together, an illegal one runs alone.
  size_t EndOfGroup(size_t first) const {
    if (case_.jobs[first].error_code != 0) return first + 1;
    const size_t slots = size_t{1} << case_.ring_log2;
    size_t last = first;
    while (last < case_.jobs.size() && case_.jobs[last].error_code == 0 && last - first < slots) {
      ++last;
    }
    return last;
  }

  void PlaceCommands() {
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

  void FindMarks() {
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

  void NoteSnapshot(const Command& command) {
    const auto* mark = std::get_if<MarkCmd>(&command);
    if (mark != nullptr) snapshots_.insert(AddressOf(case_, mark->region, mark->offset));
  }

  void Prepare(Device& device) {
    device.WriteMemory(0, case_.memory);
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

  void WriteEntry(Device& device, size_t index) {
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
    const uint64_t slot = index & ((uint64_t{1} << case_.ring_log2) - 1);
    device.WriteMemory(case_.ring + slot * WEFT_JOB_ENTRY_BYTES, entry);
  }

  State RunGroup(Device& device, size_t first, size_t last) {
    for (size_t j = first; j < last; ++j) WriteEntry(device, j);
    device.WriteRegister(WEFT_REG_RING_TAIL, static_cast<uint32_t>(last));
    State state;
    for (;;) {
      if (!device.WaitForInterrupt(kMaxCycles)) break;
      device.WriteRegister(WEFT_REG_IRQ_STATUS, WEFT_IRQ_STATUS_JOB_DONE | WEFT_IRQ_STATUS_ERROR);
      state.head = device.ReadRegister(WEFT_REG_RING_HEAD);
      state.status = device.ReadRegister(WEFT_REG_STATUS);
      if (state.head == last || (state.status & WEFT_STATUS_HALTED) != 0) break;
    }
    state.head = device.ReadRegister(WEFT_REG_RING_HEAD);
    state.error_code = device.ReadRegister(WEFT_REG_ERROR_CODE);
    state.error_job = device.ReadRegister(WEFT_REG_ERROR_JOB);
    state.error_command = device.ReadRegister(WEFT_REG_ERROR_COMMAND);
    state.done_id = device.ReadRegister(WEFT_REG_JOB_DONE_ID);
    state.status = device.ReadRegister(WEFT_REG_STATUS);
    state.memory.resize(case_.memory.size());
    device.ReadMemory(0, state.memory);
    state.scratchpad = Peek(device);
    return state;
  }

  Bytes Peek(Device& device) const {
    Bytes bytes(static_cast<size_t>(case_.config->scratchpad));
    device.PeekScratchpad(0, bytes);
    return bytes;
  }

  std::string CommandText(size_t job, size_t command) const {
    return fmt::format("command {} of job {} ({})", command, job,
                       Format(case_.jobs[job].commands[command]));
  }

  // Who wrote a byte last, before the end of `job`, in words.
  std::string LastWriter(size_t first, size_t last, bool in_memory, uint64_t at) const {
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

  std::string Compare(size_t first, size_t last, const State& expected, const State& actual) {
    const std::string where =
        fmt::format("after jobs {}..{}, cycle {}: ", first, last, rtl_->Now());
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
          reg("RING_HEAD", expected.head, actual.head),
          reg("STATUS", expected.status, actual.status),
          reg("JOB_DONE_ID", expected.done_id, actual.done_id)}) {
      if (!text.empty()) return text;
    }
    if (expected.error_code != 0) return CompareAround(where, actual);
    for (uint64_t i = 0; i < expected.memory.size(); ++i) {
      if (expected.memory[i] == actual.memory[i]) continue;
      // Of a snapshot only the layer is known.
      if (snapshots_.contains(i & ~uint64_t{63}) && (i & 63) / 4 != WEFT_COUNTER_LAYER) continue;
      return fmt::format("{}memory byte {:#x} is {}, functional has {}; {}", where, i,
                         actual.memory[i], expected.memory[i], LastWriter(first, last, true, i));
    }
    for (uint64_t i = case_.window.begin; i < case_.window.end; ++i) {
      if (expected.scratchpad[i] == actual.scratchpad[i]) continue;
      return fmt::format("{}scratchpad byte {} is {}, functional has {}; {}", where, i,
                         actual.scratchpad[i], expected.scratchpad[i],
                         LastWriter(first, last, false, i));
    }
    return CompareAround(where, actual);
  }

  std::string CompareAround(const std::string& where, const State& actual) const {
    for (uint64_t i = 0; i < outside_.size(); ++i) {
      if (i >= case_.window.begin && i < case_.window.end) continue;
      if (outside_[i] != actual.scratchpad[i]) {
        return fmt::format("{}scratchpad byte {} outside the window changed", where, i);
      }
    }
    return {};
  }

  void AtMark(uint32_t layer) {
    const auto found = marks_.find(layer);
    if (found == marks_.end() || !at_mark_.empty()) return;
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
        at_mark_ =
            fmt::format("at the MARK of {}, cycle {}: {} byte {} is {}, functional has {}; {}",
                        CommandText(check.job, check.command), rtl_->Now(),
                        check.store ? "memory" : "scratchpad", at, actual, wanted,
                        "last written by " + CommandText(check.job, writer));
        return;
      }
    }
  }

  StreamCase case_;
  const AxiMemoryOptions memory_;
  const std::string wave_file_;
  std::unique_ptr<Device> functional_;
  std::unique_ptr<VerilatedDevice> rtl_;
  std::map<uint32_t, MarkCheck> marks_;  // by layer number, which is unique in a case
  std::set<uint64_t> snapshots_;
  std::vector<State> after_;  // what the functional device had after each job
  Bytes outside_;
  std::string at_mark_;
  uint64_t mark_checks_ = 0;
};

// Whether the first job, and each after an illegal one, begins by filling the window.
bool StartsKnown(const StreamCase& streams) {
  const auto window = static_cast<int64_t>(streams.window.end - streams.window.begin);
  for (size_t j = 0; j < streams.jobs.size(); ++j) {
    if (streams.jobs[j].commands.empty()) return false;
    if (j > 0 && streams.jobs[j - 1].error_code == 0) continue;
    const auto* fill = std::get_if<LoadCmd>(&streams.jobs[j].commands.front());
    if (fill == nullptr || fill->row_bytes != window) return false;
  }
  return true;
}

// Drops what can be dropped.
StreamCase Shrink(StreamCase streams, const AxiMemoryOptions& memory, std::string& failure) {
  int runs = 0;
  const auto fails = [&](const StreamCase& candidate) {
    if (!StartsKnown(candidate) || ++runs > kMaxShrinkRuns) return false;
    bool illegal = false;
    const std::string text = CaseRun(candidate, memory, {}).Run(illegal);
    if (illegal || text.empty()) return false;
    failure = text;
    return true;
  };
  for (size_t j = streams.jobs.size(); streams.jobs.size() > 1 && j-- > 0;) {
    StreamCase fewer = streams;
    fewer.jobs.erase(fewer.jobs.begin() + static_cast<ptrdiff_t>(j));
    if (fails(fewer)) streams = std::move(fewer);
  }
  for (size_t j = 0; j < streams.jobs.size(); ++j) {
    if (streams.jobs[j].error_code != 0) continue;  // its command index would move
    for (size_t count = std::max<size_t>(1, streams.jobs[j].commands.size() / 2); count > 0;
         count /= 2) {
      for (size_t first = streams.jobs[j].commands.size() - 1; first > 0;) {
        const size_t from = first > count ? first - count : 0;
        StreamCase fewer = streams;
        fewer.jobs[j] = WithoutCommands(streams, streams.jobs[j], from, first - from);
        if (fails(fewer)) streams = std::move(fewer);
        first = from;
      }
    }
  }
  return streams;
}

}  // namespace

AxiMemoryOptions RandomMemory(uint64_t seed) {
  Rng rng = Rng::Fixed(seed * 2);
  AxiMemoryOptions memory;
  const auto latency = [&] {
    return static_cast<int>(rng.Chance(0.5) ? rng.Int(1, 20) : rng.Int(1, 200));
  };
  memory.read_latency = latency();
  memory.write_latency = latency();
  memory.read_bandwidth = rng.Chance(0.5) ? 1 : 0.1 + 0.9 * rng.Real();
  memory.write_bandwidth = rng.Chance(0.5) ? 1 : 0.1 + 0.9 * rng.Real();
  const int64_t most = rng.Pick(std::vector<int64_t>{0, 30, 60, 95});
  for (int* stall :
       {&memory.ar_stall, &memory.r_stall, &memory.aw_stall, &memory.w_stall, &memory.b_stall}) {
    *stall = static_cast<int>(rng.Chance(0.1) ? most : rng.Int(0, most));
  }
  memory.reorder = rng.Chance(0.6);
  return memory;
}

std::optional<std::string> RunStreams(std::string_view config, uint64_t seed,
                                      const StreamRunOptions& options, StreamFigures& figures) {
  const StreamCase streams = GenerateStreams(ConfigNamed(config), seed, options.streams);
  const AxiMemoryOptions memory = RandomMemory(seed);
  ++figures.cases;
  figures.jobs += streams.jobs.size();
  for (const StreamJob& job : streams.jobs) figures.commands += job.commands.size();
  CountStreams(streams, figures.histogram);
  for (const auto& [name, stall] : {std::pair{"AR", memory.ar_stall},
                                    {"R", memory.r_stall},
                                    {"AW", memory.aw_stall},
                                    {"W", memory.w_stall},
                                    {"B", memory.b_stall}}) {
    ++figures.histogram[fmt::format("stall {}: {} %", name,
                                    stall == 0   ? "0"
                                    : stall < 30 ? "1..29"
                                    : stall < 60 ? "30..59"
                                    : stall < 90 ? "60..89"
                                                 : "90..95")];
  }
  ++figures.histogram[memory.reorder ? "answers: reordered" : "answers: in order"];

  bool illegal = false;
  std::string failure;
  {
    CaseRun run(streams, memory, options.wave_file);
    failure = run.Run(illegal);
    figures.cycles += run.cycles();
    figures.mark_checks += run.mark_checks();
  }
  if (failure.empty()) return std::nullopt;
  std::string text = fmt::format("{} seed {}: {}\n", config, seed, failure);
  text += fmt::format(
      "repeat with a wave: make regress CONFIG={} SEED={}{}{} SEEDS=1 WAVE=stream.fst\n", config,
      seed, options.streams.illegal ? " ILLEGAL=1" : "", options.streams.huge ? " HUGE=1" : "");
  if (options.shrink && !illegal) {
    const StreamCase shrunk = Shrink(streams, memory, failure);
    text += fmt::format("shrunk: {}\n", failure);
    for (const StreamJob& job : shrunk.jobs) {
      text += fmt::format("  job of {} commands\n", job.commands.size());
      for (size_t i = 0; i < job.commands.size(); ++i) {
        text += fmt::format("    {:3} {}\n", i, Format(job.commands[i]));
      }
    }
  } else if (illegal) {
    for (const StreamJob& job : streams.jobs) {
      text += fmt::format("  job of {} commands\n", job.commands.size());
      for (size_t i = 0; i < job.commands.size(); ++i) {
        text += fmt::format("    {:3} {}\n", i, Format(job.commands[i]));
      }
    }
  }
  return text;
}

std::set<uint64_t> RunJobs(const StreamCase& streams, Device& device) {
  return CaseRun(streams, {}, {}).RunAlone(device);
}

}  // namespace weft::testing

#endif  // WEFT_WITH_RTL
