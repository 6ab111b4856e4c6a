// SPDX-License-Identifier: Apache-2.0
#include "weft/runtime.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "sw/command/codec.h"
#include "sw/runtime/conversion.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kRingLog2 = 2;
constexpr uint64_t kRingBytes = uint64_t{WEFT_JOB_ENTRY_BYTES} << kRingLog2;
constexpr uint64_t kRegionAlignment = 4096;
constexpr uint64_t kWindowBytes = 256;  // what a memory window begins and ends at multiples of
static_assert(kRingBytes % kWindowBytes == 0 && kRegionAlignment % kWindowBytes == 0);
// The host looks at the progress after so many ticks: well below a second on a simulation.
constexpr uint64_t kProgressTicks = 1 << 17;
// Resets and aborts wait for started bursts only.
constexpr uint64_t kControlTicks = 1 << 22;

struct Layout {
  std::array<uint64_t, kNumRegions> base = {};
  uint64_t end = 0;
};

// The job ring at address 0, then the regions in their order.
Layout PlaceRegions(const Program& program) {
  Layout layout;
  layout.end = kRingBytes;
  for (int i = 0; i < kNumRegions; ++i) {
    layout.end = (layout.end + kRegionAlignment - 1) / kRegionAlignment * kRegionAlignment;
    layout.base[i] = layout.end;
    layout.end += program.region_bytes[i];
  }
  return layout;
}

std::string_view ConfigNameOf(uint32_t hash) {
  for (const HardwareConfig& config : kHardwareConfigs) {
    if (config.hash == hash) return config.name;
  }
  return "an unknown configuration";
}

std::string Mebibytes(uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

uint32_t LittleEndian32(const uint8_t* bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

}  // namespace

class Runtime::Impl {
 public:
  Impl(Device& device, const RuntimeOptions& options)
      : device_(device), runtime_options_(options) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status Open();
  Status Load(const Program& program);
  Result<RunResult> Run(const std::vector<std::vector<uint8_t>>& inputs, const RunOptions& options);

 private:
  Result<RunResult> RunImages(const std::vector<std::vector<uint8_t>>& device_inputs);
  Status SetWindows();
  Status RunJob();
  Status ReadCounters(RunResult& result);
  void Capture(uint32_t layer);
  void Report();
  bool WaitForInterrupt(uint64_t ticks);
  uint64_t TimeoutTicks() const;
  Error JobError(const weft_job_error& error) const;
  Status CheckInputs(const std::vector<std::vector<uint8_t>>& inputs) const;

  // The address of image `image_` of a place in memory.
  uint64_t Address(const TensorPlace& place) const { return base_[place.region] + place.offset; }
  void WriteRows(const TensorPlace& place, std::span<const uint8_t> dense);
  std::vector<uint8_t> ReadRows(const TensorPlace& place);

  Device& device_;
  const RuntimeOptions runtime_options_;
  weft_device driver_ = {};
  alignas(8) std::array<uint8_t, kRingBytes> ring_ = {};
  Program program_;
  bool loaded_ = false;
  Layout layout_;
  std::array<uint64_t, kNumRegions> image_stride_ = {};

  // State of a run.
  RunOptions options_;
  RunProgress progress_;
  Clock::time_point start_;
  uint64_t start_ticks_ = 0;
  std::array<uint64_t, kNumRegions> base_ = {};           // of the running image
  std::vector<std::vector<uint8_t>>* tensors_ = nullptr;  // what Capture fills
};

Status Runtime::Impl::Open() {
  weft_platform platform = {};
  platform.context = this;
  platform.read_register = [](void* self, uint32_t offset) {
    return static_cast<Impl*>(self)->device_.ReadRegister(offset);
  };
  platform.write_register = [](void* self, uint32_t offset, uint32_t value) {
    static_cast<Impl*>(self)->device_.WriteRegister(offset, value);
  };
  // A simulated device has a memory of its own: making bytes visible is copying them.
  platform.to_device = [](void* self, uint64_t address, const void* memory, size_t bytes) {
    static_cast<Impl*>(self)->device_.WriteMemory(address,
                                                  {static_cast<const uint8_t*>(memory), bytes});
  };
  platform.from_device = [](void* self, uint64_t address, void* memory, size_t bytes) {
    static_cast<Impl*>(self)->device_.ReadMemory(address, {static_cast<uint8_t*>(memory), bytes});
  };
  platform.wait_interrupt = [](void* self, uint64_t ticks) {
    return static_cast<Impl*>(self)->WaitForInterrupt(ticks);
  };
  platform.now = [](void* self) { return static_cast<Impl*>(self)->device_.Now(); };
  if (const weft_result opened = weft_open(&driver_, &platform); opened != WEFT_OK) {
    return Fail("cannot use the device: {}", weft_result_text(opened));
  }
  if (device_.memory_bytes() < kRingBytes) {
    return Fail("the device's memory of {} bytes does not hold a job ring", device_.memory_bytes());
  }
  if (const weft_result ring = weft_start_ring(&driver_, ring_.data(), 0, kRingLog2, kControlTicks);
      ring != WEFT_OK) {
    return Fail("cannot start the job ring: {}", weft_result_text(ring));
  }
  return {};
}

Status Runtime::Impl::Load(const Program& program) {
  loaded_ = false;
  if (Status fits = CheckFits(program, driver_.identity.config_hash, device_.memory_bytes());
      !fits) {
    return fits;
  }
  const Layout layout = PlaceRegions(program);
  if (program.region_bytes[kRegionMarks] < program.layers.size() * kMarkBytes) {
    return Fail("the program has room for {} layer marks but {} layers",
                program.region_bytes[kRegionMarks] / kMarkBytes, program.layers.size());
  }
  // Image n is reached by moving a region's base, so all its bindings move by the same amount.
  std::array<uint64_t, kNumRegions> stride = {};
  for (const auto* bindings : {&program.inputs, &program.outputs}) {
    for (const TensorBinding& binding : *bindings) {
      if (binding.place.where == TensorPlace::Where::kNowhere) continue;  // nothing reads it
      uint64_t& of_region = stride[binding.place.region];
      if (of_region == 0) of_region = binding.image_stride;
      if (program.images > 1 && (of_region != binding.image_stride || of_region % 64 != 0)) {
        return Fail(
            "'{}' lies {} bytes from image to image, its region {}: not a program for {} "
            "images",
            binding.name, binding.image_stride, of_region, program.images);
      }
    }
  }
  program_ = program;
  layout_ = layout;
  image_stride_ = stride;
  if (Status set = SetWindows(); !set) return set;
  device_.WriteMemory(layout_.base[kRegionProgram], program_.memory);
  loaded_ = true;
  return {};
}

// The first window holds the ring, each of the next ones a region. Without windows, and for those
// that are not needed: all off.
Status Runtime::Impl::SetWindows() {
  constexpr uint32_t kRead = WEFT_WINDOW_CONTROL_READ, kWrite = WEFT_WINDOW_CONTROL_WRITE;
  // Outputs are read where a layer goes on from one that did not stay on chip.
  constexpr std::array<uint32_t, kNumRegions> kPermissions = {kRead, kRead, kRead | kWrite,
                                                              kRead | kWrite, kWrite};
  for (uint32_t i = 0; i < WEFT_REG_WINDOW_CONTROL_COUNT; ++i) {
    uint64_t begin = 0, bytes = i == 0 ? kRingBytes : 0;
    uint32_t permissions = kRead;
    if (i >= 1 && i <= kNumRegions) {
      begin = layout_.base[i - 1];
      bytes = program_.region_bytes[i - 1];
      permissions = kPermissions[i - 1];
    }
    if (!runtime_options_.windows || bytes == 0) permissions = 0;
    // Regions begin at multiples of more than a block: what is rounded up belongs to nobody.
    bytes = std::max<uint64_t>(bytes, 1);
    const uint64_t end = begin + (bytes + kWindowBytes - 1) / kWindowBytes * kWindowBytes;
    const weft_result set = weft_set_window(&driver_, i, begin, end - 1, permissions, false);
    if (set != WEFT_OK && set != WEFT_E_LOCKED) {
      return Fail("cannot set memory window {}: {}", i, weft_result_text(set));
    }
  }
  return {};
}

Status Runtime::Impl::CheckInputs(const std::vector<std::vector<uint8_t>>& inputs) const {
  if (inputs.size() != program_.inputs.size()) {
    return Fail("the model has {} inputs, {} were given", program_.inputs.size(), inputs.size());
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorBinding& binding = program_.inputs[i];
    const size_t expected = HostBytes(binding);
    if (inputs[i].size() != expected) {
      return Fail("input {} ('{}') takes {} bytes of {} [{}], {} were given", i, binding.name,
                  expected, DTypeName(binding.type), fmt::join(binding.shape, ", "),
                  inputs[i].size());
    }
  }
  return {};
}

void Runtime::Impl::WriteRows(const TensorPlace& place, std::span<const uint8_t> dense) {
  const std::vector<uint8_t> rows = InRowOrder(place, dense);
  for (uint32_t row = 0; row < place.rows; ++row) {
    device_.WriteMemory(Address(place) + uint64_t{row} * place.pitch,
                        std::span(rows).subspan(size_t{row} * place.row_bytes, place.row_bytes));
  }
}

std::vector<uint8_t> Runtime::Impl::ReadRows(const TensorPlace& place) {
  std::vector<uint8_t> dense(DeviceImageBytes(place));
  for (uint32_t row = 0; row < place.rows; ++row) {
    const auto out = std::span(dense).subspan(size_t{row} * place.row_bytes, place.row_bytes);
    const uint64_t step = uint64_t{row} * place.pitch;
    if (place.where == TensorPlace::Where::kScratchpad) {
      device_.PeekScratchpad(static_cast<uint32_t>(place.offset + step), out);
    } else {
      device_.ReadMemory(Address(place) + step, out);
    }
  }
  return dense;
}

void Runtime::Impl::Capture(uint32_t layer) {
  if (tensors_ == nullptr || layer >= tensors_->size()) return;
  const TensorPlace& place = program_.layers[layer].output;
  if (place.where == TensorPlace::Where::kNowhere) return;
  const std::vector<uint8_t> image = ReadRows(place);
  (*tensors_)[layer].insert((*tensors_)[layer].end(), image.begin(), image.end());
}

void Runtime::Impl::Report() {
  if (!options_.progress) return;
  progress_.ticks = device_.Now() - start_ticks_;
  progress_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  options_.progress(progress_);
}

bool Runtime::Impl::WaitForInterrupt(uint64_t ticks) {
  while (ticks > 0) {
    const uint64_t slice = std::min(ticks, kProgressTicks);
    if (device_.WaitForInterrupt(slice)) return true;
    ticks -= slice;
    Report();
  }
  return false;
}

// Far beyond what any job takes, and yet an end: 256 times the ideal, at least some millions.
uint64_t Runtime::Impl::TimeoutTicks() const {
  if (options_.timeout_ticks != 0) return options_.timeout_ticks;
  const weft_identity& id = driver_.identity;
  uint64_t ideal = uint64_t{program_.stream_commands} * 64 + layout_.end / id.axi_bytes;
  for (const ProgramLayer& layer : program_.layers) {
    ideal += static_cast<uint64_t>(layer.macs) / (uint64_t{id.k} * id.n);
  }
  return (uint64_t{1} << 22) + 256 * ideal;
}

// Words for a failed job: the device's error, the command it names, and the layer it belongs to.
Error Runtime::Impl::JobError(const weft_job_error& error) const {
  std::string where = fmt::format("command {}", error.command);
  size_t layer = 0;
  for (uint32_t i = 0; i <= error.command && i < program_.stream_commands; ++i) {
    const size_t at = program_.stream_offset + size_t{i} * kCommandBytes;
    const std::span<const uint8_t, kCommandBytes> bytes(&program_.memory[at], kCommandBytes);
    const Result<Command> command = Decode(bytes);
    if (!command) continue;
    if (i == error.command) where += fmt::format(" ({})", InfoOf(*command).name);
    if (i < error.command && std::holds_alternative<MarkCmd>(*command)) ++layer;
  }
  if (layer < program_.layers.size()) where += " in layer '" + program_.layers[layer].name + "'";
  if (error.code == WEFT_ERROR_READ_ERROR || error.code == WEFT_ERROR_WRITE_ERROR ||
      error.code == WEFT_ERROR_WINDOW) {
    where += fmt::format(", address 0x{:x}", error.address);
  }
  return Error{fmt::format("the device stopped at {}: {}", where, weft_error_text(error.code))};
}

Status Runtime::Impl::RunJob() {
  for (uint32_t i = 0; i < kNumRegions; ++i) {
    if (const weft_result set = weft_set_region(&driver_, i, base_[i]); set != WEFT_OK) {
      return Fail("cannot place region {} at 0x{:x}: {}", i, base_[i], weft_result_text(set));
    }
  }
  weft_job job = {};
  job.config_hash = program_.config_hash;
  job.stream_region = kRegionProgram;
  job.stream_offset = static_cast<uint32_t>(program_.stream_offset);
  job.stream_commands = program_.stream_commands;
  uint32_t number = 0;
  if (const weft_result submitted = weft_submit(&driver_, &job, &number); submitted != WEFT_OK) {
    return Fail("cannot submit the job: {}", weft_result_text(submitted));
  }
  const uint64_t ticks = TimeoutTicks();
  switch (const weft_result ended = weft_wait(&driver_, number, ticks); ended) {
    case WEFT_OK:
      return {};
    case WEFT_E_JOB: {
      const weft_job_error error = driver_.last_error;
      if (weft_resume(&driver_, kControlTicks) != WEFT_OK) weft_reset(&driver_, kControlTicks);
      return tl::unexpected(JobError(error));
    }
    case WEFT_E_TIMEOUT:
      if (weft_abort(&driver_, kControlTicks) == WEFT_OK) weft_resume(&driver_, kControlTicks);
      return Fail("the device did not finish within {} ticks", ticks);
    default:
      return Fail("waiting for the job failed: {}", weft_result_text(ended));
  }
}

// Differences of the MARK snapshots, and of the counters at the job's end, added to the layers. A
// mark that retired before its predecessor (they may sit in different engines) adds nothing.
Status Runtime::Impl::ReadCounters(RunResult& result) {
  std::array<uint32_t, WEFT_NUM_COUNTERS> last = {}, now = {};
  const auto add_to = [&](CounterValues& sums) {
    if (now[WEFT_COUNTER_CYCLES] < last[WEFT_COUNTER_CYCLES]) return;
    for (uint32_t i = 0; i < WEFT_NUM_COUNTERS; ++i) {
      if (i != WEFT_COUNTER_LAYER) sums[i] += now[i] - last[i];
    }
    last = now;
  };
  for (size_t layer = 0; layer < program_.layers.size(); ++layer) {
    std::array<uint8_t, kMarkBytes> snapshot;
    device_.ReadMemory(base_[kRegionMarks] + layer * kMarkBytes, snapshot);
    for (uint32_t i = 0; i < WEFT_NUM_COUNTERS; ++i) now[i] = LittleEndian32(&snapshot[4 * i]);
    if (now[WEFT_COUNTER_LAYER] != layer) {
      return Fail("the mark of layer {} ('{}') was not written", layer,
                  program_.layers[layer].name);
    }
    add_to(result.layers[layer]);
  }
  for (uint32_t i = 0; i < WEFT_NUM_COUNTERS; ++i) now[i] = weft_read_counter(&driver_, i);
  if (!result.layers.empty()) add_to(result.layers.back());
  for (uint32_t i = 0; i < WEFT_NUM_COUNTERS; ++i) {
    if (i != WEFT_COUNTER_LAYER) result.total[i] += now[i];
  }
  return {};
}

Result<RunResult> Runtime::Impl::RunImages(const std::vector<std::vector<uint8_t>>& device_inputs) {
  RunResult result;
  result.layers.resize(program_.layers.size());
  result.outputs.resize(program_.outputs.size());
  if (options_.capture_tensors) {
    result.tensors.resize(program_.layers.size());
    tensors_ = &result.tensors;
  }
  const std::vector<uint8_t> no_marks(program_.layers.size() * kMarkBytes, 0xff);
  for (int image = 0; image < program_.images; ++image) {
    progress_.image = image;
    progress_.layer = 0;
    for (int i = 0; i < kNumRegions; ++i) {
      base_[i] = layout_.base[i] + static_cast<uint64_t>(image) * image_stride_[i];
    }
    for (size_t i = 0; i < device_inputs.size(); ++i) {
      const TensorPlace& place = program_.inputs[i].place;
      const size_t bytes = DeviceImageBytes(place);
      WriteRows(place,
                std::span(device_inputs[i]).subspan(static_cast<size_t>(image) * bytes, bytes));
    }
    device_.WriteMemory(base_[kRegionMarks], no_marks);
    const Clock::time_point job_start = Clock::now();
    if (Status ran = RunJob(); !ran) return tl::unexpected(ran.error());
    result.seconds += std::chrono::duration<double>(Clock::now() - job_start).count();
    if (Status read = ReadCounters(result); !read) return tl::unexpected(read.error());
    for (size_t i = 0; i < program_.outputs.size(); ++i) {
      const TensorBinding& binding = program_.outputs[i];
      const std::vector<uint8_t> host = ToHost(binding, ReadRows(binding.place));
      result.outputs[i].insert(result.outputs[i].end(), host.begin(), host.end());
    }
  }
  for (size_t layer = 0; layer < result.tensors.size(); ++layer) {
    const TensorPlace& place = program_.layers[layer].output;
    if (place.where == TensorPlace::Where::kNowhere) continue;
    const size_t expected = DeviceImageBytes(place) * static_cast<size_t>(program_.images);
    if (result.tensors[layer].size() != expected) {
      return Fail("the mark of layer {} ('{}') was seen {} times instead of {}", layer,
                  program_.layers[layer].name,
                  result.tensors[layer].size() / DeviceImageBytes(place), program_.images);
    }
  }
  return result;
}

Result<RunResult> Runtime::Impl::Run(const std::vector<std::vector<uint8_t>>& inputs,
                                     const RunOptions& options) {
  if (!loaded_) return Fail("no program is loaded");
  if (Status ok = CheckInputs(inputs); !ok) return tl::unexpected(ok.error());
  std::vector<std::vector<uint8_t>> device_inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorBinding& binding = program_.inputs[i];
    const bool read = binding.place.where != TensorPlace::Where::kNowhere;
    device_inputs.push_back(read ? ToDevice(binding, inputs[i]) : std::vector<uint8_t>{});
  }
  options_ = options;
  progress_ = {};
  start_ = Clock::now();
  start_ticks_ = device_.Now();
  device_.SetMarkObserver([this](uint32_t layer) {
    Capture(layer);
    progress_.layer = size_t{layer} + 1;
    Report();
  });
  Result<RunResult> result = RunImages(device_inputs);
  device_.SetMarkObserver({});
  tensors_ = nullptr;
  options_ = {};
  if (const std::string broken = device_.Violations(); !broken.empty()) {
    return Fail("{}{}the device broke its rules: {}", result ? "" : result.error().message,
                result ? "" : "; ", broken);
  }
  return result;
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

Result<std::unique_ptr<Runtime>> Runtime::Open(Device& device, const RuntimeOptions& options) {
  auto impl = std::make_unique<Impl>(device, options);
  if (Status opened = impl->Open(); !opened) return tl::unexpected(opened.error());
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

Status Runtime::CheckFits(const Program& program, uint32_t device_hash, uint64_t memory_bytes) {
  if (program.config_hash != device_hash) {
    return Fail(
        "the program was compiled for {} (hash {:08x}), the device is {} (hash {:08x}): compile "
        "the "
        "model for this device",
        program.config_name, program.config_hash, ConfigNameOf(device_hash), device_hash);
  }
  if (const uint64_t needed = MemoryBytes(program); needed > memory_bytes) {
    return Fail("the model is too large: it needs {} of device memory, the device has {}",
                Mebibytes(needed), Mebibytes(memory_bytes));
  }
  return {};
}

uint64_t Runtime::MemoryBytes(const Program& program) { return PlaceRegions(program).end; }

Status Runtime::Load(const Program& program) { return impl_->Load(program); }

Result<RunResult> Runtime::Run(const std::vector<std::vector<uint8_t>>& inputs,
                               const RunOptions& options) {
  return impl_->Run(inputs, options);
}

}  // namespace weft
