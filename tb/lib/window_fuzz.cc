// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/window_fuzz.h"

#if WEFT_WITH_RTL

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "sim/functional/functional_device.h"
#include "sim/verilated/verilated_device.h"
#include "sw/command/codec.h"
#include "tb/lib/devices.h"
#include "tb/lib/seed.h"

namespace weft::testing {
namespace {

constexpr uint64_t kSpace = uint64_t{1} << 40;
// Memory: [ring entry | commands | snapshots | weights | data], and nothing beyond.
constexpr uint64_t kRing = 0, kStream = 0x400, kMarks = 0x800, kWeights = 0x1000, kData = 0x2000,
                   kMemory = 0x8000;
constexpr uint64_t kMaxCycles = 200'000;
constexpr uint32_t kJobId = 77;

bool Overlaps(uint64_t begin, uint64_t bytes, uint64_t low, uint64_t high) {
  return begin < high && low < begin + bytes;
}

}  // namespace

struct WindowFuzz::Case {
  uint64_t seed = 0;
  WindowSettings windows = {};
  BusJob job;
  uint32_t stream_region = 0;
  std::vector<uint8_t> bytes;  // of the stream
  uint32_t bad_code = 0;       // the decoder's complaint, if it gets that far
  uint32_t bad_command = UINT32_MAX;
};

// How a job can end, other than well.
struct WindowFuzz::Failure {
  uint32_t code = 0;
  BusAccess access;
  uint64_t burst = 0;  // address of the burst that fails
  uint64_t byte = 0;   // first byte that fails
};

struct WindowFuzz::Report {
  uint32_t code = 0, command = 0;
  uint64_t address = 0;
};

WindowFuzz::WindowFuzz(std::string_view config, bool with_rtl, const std::string& wave_file)
    : config_(ConfigNamed(config)), memory_(kMemory), after_(kMemory) {
  functional_ = MakeFunctionalDevice(config_, kMemory);
  Rng rng = Rng::Fixed(1);
  for (uint8_t& byte : memory_) byte = static_cast<uint8_t>(rng.Bits());
  if (!with_rtl) return;
  VerilatedOptions options;
  options.memory_bytes = kMemory;
  options.memory.read_latency = 5;
  options.memory.write_latency = 9;
  options.memory.ar_stall = options.memory.aw_stall = options.memory.w_stall = 20;
  options.memory.reorder = true;
  options.wave_file = wave_file;
  auto rtl = MakeVerilatedDevice(config_, options);
  if (rtl) {
    rtl_ = std::move(*rtl);
  } else {
    error_ = rtl.error().message;
  }
}

WindowFuzz::~WindowFuzz() = default;

// --- the case ---

WindowFuzz::Case WindowFuzz::Draw(uint64_t seed) const {
  Rng rng = Rng::Fixed(seed);
  Case c;
  c.seed = seed;
  const int64_t word = config_.word();

  // Windows: those that everything needs, or any; then some changed.
  constexpr uint32_t kRead = WEFT_WINDOW_CONTROL_READ, kWrite = WEFT_WINDOW_CONTROL_WRITE,
                     kOn = WEFT_WINDOW_CONTROL_ENABLE;
  const auto block = [&]() -> uint32_t {
    switch (rng.Int(0, 3)) {
      case 0:
        return static_cast<uint32_t>(kMaxBlock) - static_cast<uint32_t>(rng.Int(0, 3));
      case 1:
        return static_cast<uint32_t>(rng.Bits());
      default:
        return static_cast<uint32_t>(rng.Int(0, kMemory / kBlockBytes + 2));
    }
  };
  const auto any = [&](uint32_t neighbour) {
    WindowSetting w;
    w.first = rng.Chance(0.3) ? neighbour + static_cast<uint32_t>(rng.Int(0, 1)) : block();
    w.last = w.first + static_cast<uint32_t>(rng.Int(0, 8));
    if (w.last < w.first) w.last = static_cast<uint32_t>(kMaxBlock);
    if (rng.Chance(0.2)) w.last = w.first;
    if (rng.Chance(0.1)) w.last = static_cast<uint32_t>(kMaxBlock);
    if (rng.Chance(0.1)) w.last = w.first - 1;  // empty, or at 0 everything
    w.control = static_cast<uint32_t>(rng.Int(0, 7));
    if (rng.Chance(0.7)) w.control |= kOn;
    return w;
  };
  const double strangeness = rng.Pick(std::vector<double>{0, 0.1, 0.3, 1});
  const auto area = [](uint64_t begin, uint64_t end, uint32_t control) {
    return WindowSetting{static_cast<uint32_t>(begin / kBlockBytes),
                         static_cast<uint32_t>(end / kBlockBytes - 1), kOn | control};
  };
  c.windows = {area(kRing, kStream, kRead),
               area(kStream, kMarks, kRead),
               area(kMarks, kWeights, kWrite),
               area(kWeights, kData, kRead),
               area(kData, 0x5000, kRead | kWrite),
               area(0x5000, kMemory, kRead | kWrite),
               area(kMemory, kMemory + 1024, kRead),
               area(kSpace - 512, kSpace, rng.Chance(0.5) ? kRead : kWrite)};
  for (size_t i = 0; i < c.windows.size(); ++i) {
    if (rng.Chance(strangeness)) c.windows[i] = any(i > 0 ? c.windows[i - 1].last : 0);
  }
  if (rng.Chance(0.02)) c.windows = {};

  for (uint64_t& base : c.job.region_base) {
    base = rng.Chance(0.4)   ? 0
           : rng.Chance(0.5) ? kSpace - 64 * static_cast<uint64_t>(rng.Int(1, 20))
                             : rng.Bits() % kSpace / 64 * 64;
  }
  c.job.config = &config_;
  c.job.entry = kRing;
  c.job.stream = kStream + 64 * static_cast<uint64_t>(rng.Int(0, 7));
  c.stream_region = static_cast<uint32_t>(rng.Int(0, 7));
  // The stream's offset in its region has 32 bits.
  uint64_t& stream_base = c.job.region_base[c.stream_region];
  if ((c.job.stream - stream_base) % kSpace >> 32 != 0) stream_base = kStream;

  // Commands. LOADs and STOREs wait for all before them, so that their order is known.
  int64_t loads = 0, stores = 0, words = 0, marks = 0;
  const auto place = [&](auto& cmd, uint64_t address) {
    cmd.region = rng.Int(0, 7);
    cmd.offset = static_cast<int64_t>(
        (address - c.job.region_base[static_cast<size_t>(cmd.region)]) % kSpace);
    // A region whose base is no multiple of a word does not reach every word.
    cmd.offset = cmd.offset / word * word;
  };
  const auto far = [&](uint64_t low, uint64_t high) -> uint64_t {
    const auto near = static_cast<uint64_t>(rng.Int(0, 20)) * 64;
    if (rng.Chance(0.1)) return kSpace - near - 64;
    if (rng.Chance(0.05)) return kMemory + near;
    if (rng.Chance(0.02)) return rng.Bits() % kSpace / 64 * 64;
    return static_cast<uint64_t>(
               rng.Int(static_cast<int64_t>(low / 64), static_cast<int64_t>(high / 64) - 1)) *
           64;
  };
  const auto copy = [&](auto& cmd, bool store) {
    cmd.rows = rng.Chance(0.5) ? 1 : rng.Int(1, 4);
    cmd.row_bytes = rng.Chance(0.5) ? rng.Int(1, 80) : rng.Int(1, 600);
    cmd.mem_pitch = rng.Int(0, 1024 / word) * word;
    cmd.spad_pitch = rng.Int(0, 1024 / word) * word;
    cmd.spad_addr = rng.Int(0, 4096 / word) * word;
    cmd.wait_mask = 5;
    cmd.wait_load = loads;
    cmd.wait_store = stores;
    place(cmd, store ? far(kData, kMemory) : far(0, kMemory));
  };
  // STOREs stay away from what others read at times nobody can tell, LOADs from snapshots.
  const auto harmless = [&](const Command& command, uint64_t low, uint64_t high) {
    BusJob one = c.job;
    one.commands = {command};
    for (const BusAccess& a : AccessesOf(one)) {
      if (a.kind != BusAccess::Kind::kLoad && a.kind != BusAccess::Kind::kStore &&
          a.kind != BusAccess::Kind::kMark && a.kind != BusAccess::Kind::kWeights) {
        continue;
      }
      if (Overlaps(a.address, a.bytes + 256, low, high) ||
          Overlaps(a.address, a.bytes + 256, low + kSpace, high + kSpace)) {
        return false;
      }
    }
    return true;
  };
  const int64_t count = rng.Int(0, 6);
  while (static_cast<int64_t>(c.job.commands.size()) < count) {
    switch (rng.Int(0, 9)) {
      case 0:
        c.job.commands.push_back(NopCmd{});
        break;
      case 1: {
        MarkCmd mark;
        mark.store_engine = rng.Int(0, 1);
        mark.layer = marks++;
        place(mark, far(kMarks, kWeights));
        mark.offset = mark.offset / 64 * 64;
        if (harmless(mark, 0, kMarks) && harmless(mark, kWeights, kMemory)) {
          c.job.commands.push_back(mark);
        }
        break;
      }
      case 2:
      case 3: {
        LoadWeightsCmd load;
        load.words = rng.Chance(0.5) ? 1 : rng.Int(1, 40);
        place(load, far(kWeights, kData - 1024));
        if (words + load.words > config_.ring_words() || !harmless(load, kData, kMemory) ||
            !harmless(load, kMarks, kWeights)) {
          break;
        }
        words += load.words;
        c.job.commands.push_back(load);
        break;
      }
      case 4:
      case 5:
      case 6: {
        LoadCmd load;
        copy(load, false);
        if (!harmless(load, kMarks, kWeights)) break;
        ++loads;
        c.job.commands.push_back(load);
        break;
      }
      default: {
        StoreCmd store;
        copy(store, true);
        if (!harmless(store, 0, kData)) break;
        ++stores;
        c.job.commands.push_back(store);
      }
    }
  }
  c.job.commands.push_back(EndCmd{});
  c.job.trailing = rng.Chance(0.1) ? static_cast<uint32_t>(rng.Int(1, 5)) : 0;

  // Damage.
  if (rng.Chance(0.05)) {
    c.job.commands.pop_back();
    c.job.trailing = 0;
    c.bad_code = WEFT_ERROR_BAD_STREAM;
    c.bad_command = static_cast<uint32_t>(c.job.commands.size());
    if (c.job.commands.empty()) c.bad_command = 0;
  }
  c.bytes.resize(c.job.commands.size() * kCommandBytes);
  for (size_t i = 0; i < c.job.commands.size(); ++i) {
    Encode(c.job.commands[i],
           std::span<uint8_t, kCommandBytes>(&c.bytes[i * kCommandBytes], kCommandBytes));
  }
  if (c.bad_code == 0 && rng.Chance(0.1)) {
    c.bad_command =
        static_cast<uint32_t>(rng.Int(0, static_cast<int64_t>(c.job.commands.size()) - 1));
    uint8_t* bytes = &c.bytes[c.bad_command * kCommandBytes];
    c.bad_code = rng.Chance(0.5) ? WEFT_ERROR_BAD_OPCODE : WEFT_ERROR_BAD_FIELD;
    if (c.bad_code == WEFT_ERROR_BAD_OPCODE) {
      bytes[0] = 0x7f;
    } else {
      bytes[kCommandBytes - 1] |= 0x80;  // no command uses its last bit
    }
  }
  return c;
}

// --- what must happen ---

// Accesses that would fail if they were made, in stream order; of each its first byte that does.
std::vector<WindowFuzz::Failure> WindowFuzz::FailuresOf(
    const Case& c, const std::vector<BusAccess>& accesses) const {
  std::vector<Failure> failures;
  for (const BusAccess& access : accesses) {
    for (uint64_t done = 0; done < access.bytes;) {
      const uint64_t at = (access.address + done) % kSpace;
      const uint64_t count = std::min(access.bytes - done, kBlockBytes - at % kBlockBytes);
      uint32_t code = 0;
      uint64_t byte = at;
      if (!Permitted(c.windows, access.write(), at)) {
        code = WEFT_ERROR_WINDOW;
      } else if (at + count > kMemory) {
        code = access.write() ? WEFT_ERROR_WRITE_ERROR : WEFT_ERROR_READ_ERROR;
        byte = std::max(at, kMemory);
      }
      if (code != 0) {
        failures.push_back({code, access, at, byte});
        break;
      }
      done += count;
    }
  }
  return failures;
}

std::string WindowFuzz::RunOn(Device& device, const Case& c, Report& report) {
  device.WriteMemory(0, memory_);
  device.WriteMemory(c.job.stream, c.bytes);
  std::array<uint32_t, WEFT_JOB_ENTRY_BYTES / 4> entry = {};
  entry[WEFT_JOB_JOB_ID] = kJobId;
  entry[WEFT_JOB_CONFIG_HASH] = config_.hash;
  entry[WEFT_JOB_STREAM_REGION] = c.stream_region;
  entry[WEFT_JOB_STREAM_OFFSET] =
      static_cast<uint32_t>((c.job.stream - c.job.region_base[c.stream_region]) % kSpace);
  entry[WEFT_JOB_STREAM_COMMANDS] = static_cast<uint32_t>(c.job.commands.size()) + c.job.trailing;
  std::array<uint8_t, WEFT_JOB_ENTRY_BYTES> bytes;
  std::memcpy(bytes.data(), entry.data(), bytes.size());
  device.WriteMemory(kRing, bytes);
  for (uint32_t r = 0; r < c.job.region_base.size(); ++r) {
    device.WriteRegister(WEFT_REG_REGION_BASE_LO(r), static_cast<uint32_t>(c.job.region_base[r]));
    device.WriteRegister(WEFT_REG_REGION_BASE_HI(r),
                         static_cast<uint32_t>(c.job.region_base[r] >> 32));
  }
  device.WriteRegister(WEFT_REG_IRQ_MASK, 3);
  SetWindows(device, c.windows);
  device.WriteRegister(WEFT_REG_RING_TAIL, 1);
  if (!device.WaitForInterrupt(kMaxCycles)) return "the job did not end";
  report.code = device.ReadRegister(WEFT_REG_ERROR_CODE);
  report.command = device.ReadRegister(WEFT_REG_ERROR_COMMAND);
  report.address = uint64_t{device.ReadRegister(WEFT_REG_ERROR_ADDR_HI)} << 32 |
                   device.ReadRegister(WEFT_REG_ERROR_ADDR_LO);
  const uint32_t irq = device.ReadRegister(WEFT_REG_IRQ_STATUS);
  device.ReadMemory(0, after_);
  device.WriteRegister(WEFT_REG_CONTROL, WEFT_CONTROL_RESET);
  for (int i = 0; device.ReadRegister(WEFT_REG_STATUS) != 0; ++i) {
    if (i == 10000) return "busy for ever after CONTROL.RESET";
  }
  if (irq != (report.code == 0 ? WEFT_IRQ_STATUS_JOB_DONE : WEFT_IRQ_STATUS_ERROR)) {
    return fmt::format("IRQ_STATUS is {} with error code {}", irq, report.code);
  }
  if (!device.Violations().empty()) return device.Violations();
  return {};
}

// What has changed in memory is what STOREs and MARKs may write through the windows.
std::string WindowFuzz::CheckWrites(const Case& c, const std::vector<BusAccess>& accesses) const {
  // Ring entry and stream are the host's.
  for (uint64_t at = kMarks; at < kMemory; ++at) {
    if (std::memcmp(&memory_[at & ~uint64_t{63}], &after_[at & ~uint64_t{63}], 64) == 0) {
      at |= 63;
      continue;
    }
    if (memory_[at] == after_[at]) continue;
    const bool asked = std::ranges::any_of(accesses, [&](const BusAccess& a) {
      return a.write() && (at - a.address) % kSpace < a.bytes;
    });
    if (!asked) return fmt::format("memory byte {:#x} was written by no command", at);
    if (!Permitted(c.windows, true, at)) {
      return fmt::format("memory byte {:#x} was written although no window permits it", at);
    }
  }
  return {};
}

std::string WindowFuzz::Check(const Case& c) {
  using Kind = BusAccess::Kind;
  const std::vector<BusAccess> accesses = AccessesOf(c.job);
  const std::vector<Failure> failures = FailuresOf(c, accesses);
  const auto commands = static_cast<uint32_t>(c.job.commands.size());

  // In stream order: entry; then for each command fetch, decode, accesses.
  Report expected;
  uint64_t best = UINT64_MAX;
  const auto order = [](uint32_t command, int step) { return uint64_t{command} * 3 + step + 1; };
  const auto consider = [&](uint64_t when, Report report) {
    if (when >= best) return;
    best = when;
    expected = report;
  };
  if (c.bad_code != 0) consider(order(c.bad_command, 1), {c.bad_code, c.bad_command, 0});
  for (const Failure& f : failures) {
    const Kind kind = f.access.kind;
    if (kind == Kind::kCommand && f.access.command >= commands) continue;  // behind END
    const uint64_t when = kind == Kind::kEntry     ? 0
                          : kind == Kind::kCommand ? order(f.access.command, 0)
                                                   : order(f.access.command, 2);
    consider(when, {f.code, f.access.command, f.byte});
  }
  Report report;
  if (std::string text = RunOn(*functional_, c, report); !text.empty()) {
    return "functional: " + text;
  }
  if (report.code != expected.code || report.command != expected.command ||
      report.address != expected.address) {
    return fmt::format(
        "functional: error {} at command {}, address {:#x}; should be {} at {}, {:#x}", report.code,
        report.command, report.address, expected.code, expected.command, expected.address);
  }
  if (std::string text = CheckWrites(c, accesses); !text.empty()) {
    return "functional: " + text;
  }
  ++figures_.histogram[report.code == 0 ? "completed" : std::string(ErrorText(report.code))];

  // Side by side: of each engine the first failure, as far as the stream can be read.
  std::vector<Failure> possible;
  uint32_t reach = c.bad_code != 0 ? c.bad_command : commands;
  for (const Failure& f : failures) {
    if (f.access.kind == Kind::kCommand) reach = std::min(reach, f.access.command);
  }
  bool must_fail = c.bad_code != 0;
  // MARKs of the STOREs and of the execution do not wait for each other.
  const auto engine_of = [&](const BusAccess& access) {
    const auto* mark = std::get_if<MarkCmd>(&c.job.commands[access.command]);
    const bool of_stores = access.kind == Kind::kMark && mark->store_engine != 0;
    return static_cast<size_t>(access.kind) + (of_stores ? 1 : 0);
  };
  std::array<bool, 7> seen = {};
  for (const Failure& f : failures) {
    const Kind kind = f.access.kind;
    const bool fetch = kind == Kind::kEntry || kind == Kind::kCommand;
    const size_t engine = fetch ? static_cast<size_t>(kind) : engine_of(f.access);
    if (seen[engine] || (!fetch && f.access.command >= reach)) continue;
    seen[engine] = true;
    possible.push_back(f);
    must_fail = must_fail || kind != Kind::kCommand || f.access.command < commands;
    if (kind == Kind::kEntry) break;
  }
  const bool entry_fails = !possible.empty() && possible[0].access.kind == Kind::kEntry;
  const size_t outcomes =
      possible.size() + (c.bad_code != 0 && !entry_fails ? 1 : 0) + (must_fail ? 0 : 1);
  figures_.determined += outcomes == 1 ? 1 : 0;
  if (rtl_ == nullptr) return {};

  WindowMonitor monitor(c.windows);
  rtl_->memory().SetObserver([&](const AxiBurst& burst) {
    monitor.See(burst);
    ++figures_.bursts;
  });
  const std::string ran = RunOn(*rtl_, c, report);
  rtl_->memory().SetObserver({});
  if (!ran.empty()) return "rtl: " + ran;
  if (!monitor.text().empty()) return "rtl: " + monitor.text();
  if (std::string text = CheckWrites(c, accesses); !text.empty()) {
    return "rtl: " + text;
  }
  const bool right =
      (report.code == 0 && !must_fail) ||
      (report.code != 0 && !entry_fails && report.code == c.bad_code &&
       report.command == c.bad_command && report.address == 0) ||
      std::ranges::any_of(possible, [&](const Failure& f) {
        if (report.code != f.code) return false;
        if (f.access.kind == Kind::kCommand) {
          // Fetched ahead: the command that was next is named, and the burst of several.
          return report.command <= f.access.command &&
                 report.address / kBlockBytes == f.burst / kBlockBytes;
        }
        const uint64_t beat = static_cast<uint64_t>(config_.axi_bytes);
        return report.command == f.access.command && report.address == f.burst / beat * beat;
      });
  if (right) return {};
  std::string text = fmt::format(
      "rtl: error {} at command {}, address {:#x}; functional has {} at {}; possible:", report.code,
      report.command, report.address, expected.code, expected.command);
  for (const Failure& f : possible) {
    text += fmt::format(" {} at {}, {:#x};", f.code, f.access.command, f.burst);
  }
  if (c.bad_code != 0) text += fmt::format(" {} at {}", c.bad_code, c.bad_command);
  return text;
}

std::optional<std::string> WindowFuzz::Run(uint64_t seed) {
  if (!error_.empty()) return error_;
  const Case c = Draw(seed);
  ++figures_.streams;
  figures_.commands += c.job.commands.size();
  const std::string failure = Check(c);
  if (failure.empty()) return std::nullopt;
  std::string text = fmt::format("{} seed {}: {}\n", config_.name, seed, failure);
  text += fmt::format(
      "repeat with a wave: make regress WINDOWS=1 CONFIG={} SEED={} SEEDS=1 WAVE=windows.fst\n",
      config_.name, seed);
  for (const WindowSetting& w : c.windows) {
    text += fmt::format("  window {:#x}..{:#x} control {}\n", w.first, w.last, w.control);
  }
  for (size_t i = 0; i < c.job.region_base.size(); ++i) {
    text += fmt::format("  region {} at {:#x}\n", i, c.job.region_base[i]);
  }
  for (size_t i = 0; i < c.job.commands.size(); ++i) {
    text += fmt::format("  {:3} {}\n", i, Format(c.job.commands[i]));
  }
  return text;
}

}  // namespace weft::testing

#endif  // WEFT_WITH_RTL
