// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/command.h"

#include <algorithm>
#include <utility>

#include "sim/functional/store.h"
#include "sw/command/codec.h"
#include "weft/program.h"

namespace weft::functional {
namespace {

Waits WaitsOf(int64_t mask, int64_t load, int64_t exec, int64_t store) {
  return {mask, {load, exec, store}, 0};
}

}  // namespace

CommandProcessor::CommandProcessor(const HardwareConfig& config, Memory& memory,
                                   RetireObserver observer)
    : config_(config),
      memory_(memory),
      scratchpad_(static_cast<uint32_t>(config.scratchpad)),
      ring_(config),
      hazards_(static_cast<uint32_t>(config.scratchpad), static_cast<uint32_t>(config.word()),
               memory.size()),
      retirements_(std::move(observer)),
      exec_(config, scratchpad_, ring_, hazards_, retirements_) {}

void CommandProcessor::BeginJob() {
  start_ = {};
  index_ = 0;
  weight_words_ = 0;
  setups_ = {};
  ring_.BeginJob();
  hazards_.BeginJob();
  exec_.BeginJob();
}

uint64_t CommandProcessor::Address(int64_t region, int64_t offset) const {
  return (start_.region_base[static_cast<size_t>(region)] + static_cast<uint64_t>(offset)) &
         kAddressMask;
}

tl::expected<Command, Fault> CommandProcessor::Fetch() {
  if (index_ >= start_.commands) return Stop(WEFT_ERROR_BAD_STREAM);
  const uint64_t address = (start_.stream + uint64_t{index_} * kCommandBytes) & kAddressMask;
  std::array<uint8_t, kCommandBytes> bytes;
  if (Outcome ok = memory_.Read(address, bytes); !ok) return tl::unexpected(ok.error());
  if (Status ok = hazards_.ReadsMemoryUnordered(address, bytes.size()); !ok) {
    return StopForViolation(ok.error().message);
  }
  if (FindCommandInfo(bytes[0]) == nullptr) return Stop(WEFT_ERROR_BAD_OPCODE);
  Result<Command> command = Decode(bytes);
  if (!command) return Stop(WEFT_ERROR_BAD_FIELD);
  if (const uint32_t code = CheckCommand(*command, setups_, config_); code != WEFT_ERROR_NONE) {
    return Stop(code);
  }
  return *command;
}

tl::expected<bool, Fault> CommandProcessor::Step() {
  const tl::expected<Command, Fault> command = Fetch();
  if (!command) return tl::unexpected(command.error());
  RememberSetup(*command, setups_);
  hazards_.BeginCommand();
  retirements_.BeginCommand(index_);
  Outcome ok = std::visit([this](const auto& cmd) { return Execute(cmd); }, *command);
  if (!ok) {
    if (!ok.error().violation.empty()) {
      ok.error().violation =
          fmt::format("command {} ({}) {}", index_, Format(*command), ok.error().violation);
    }
    return tl::unexpected(ok.error());
  }
  ++index_;
  return std::holds_alternative<EndCmd>(*command);
}

Outcome CommandProcessor::Execute(const MarkCmd& mark) {
  Counters snapshot = counters();
  snapshot[WEFT_COUNTER_LAYER] = static_cast<uint32_t>(mark.layer);
  std::array<uint8_t, kMarkBytes> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(snapshot[i / 4] >> (8 * (i % 4)));
  }
  const uint64_t address = Address(mark.region, mark.offset);
  if (Outcome ok = memory_.Write(address, bytes); !ok) return ok;
  if (Status ok = hazards_.MarkWritesMemory(address, bytes.size()); !ok) return ToOutcome(ok);
  if (mark_observer_) mark_observer_(static_cast<uint32_t>(mark.layer));
  return {};
}

Outcome CommandProcessor::Execute(const LoadCmd& load) {
  const Waits waits = WaitsOf(load.wait_mask, load.wait_load, load.wait_exec, load.wait_store);
  if (Status ok = hazards_.Wait(Lane::kLoad, waits); !ok) return ToOutcome(ok);
  return ExecuteLoad(load, Address(load.region, load.offset), memory_, scratchpad_, hazards_,
                     retirements_);
}

Outcome CommandProcessor::Execute(const LoadWeightsCmd& load) {
  weight_words_ += static_cast<uint64_t>(load.words);
  return ExecuteLoadWeights(load, Address(load.region, load.offset), config_, memory_, ring_,
                            hazards_, retirements_);
}

Outcome CommandProcessor::Execute(const StoreCmd& store) {
  const Waits waits = WaitsOf(store.wait_mask, store.wait_load, store.wait_exec, store.wait_store);
  if (Status ok = hazards_.Wait(Lane::kStore, waits); !ok) return ToOutcome(ok);
  return ExecuteStore(store, Address(store.region, store.offset), memory_, scratchpad_, hazards_,
                      retirements_);
}

Outcome CommandProcessor::Execute(const SetupInputCmd& setup) {
  exec_.Setup(setup);
  return {};
}

Outcome CommandProcessor::Execute(const SetupOutputCmd& setup) {
  exec_.Setup(setup);
  return {};
}

Outcome CommandProcessor::Execute(const SetupAddCmd& setup) {
  exec_.Setup(setup);
  return {};
}

Counters CommandProcessor::counters() const {
  const uint64_t axi_bytes = static_cast<uint64_t>(config_.axi_bytes);
  Counters counters = {};
  const auto set = [&](size_t i, uint64_t value) { counters[i] = static_cast<uint32_t>(value); };
  set(WEFT_COUNTER_CYCLES, index_);
  set(WEFT_COUNTER_ARRAY_BUSY, exec_.operands());
  set(WEFT_COUNTER_READ_BEATS, memory_.traffic().read_beats);
  set(WEFT_COUNTER_WRITE_BEATS, memory_.traffic().write_beats);
  set(WEFT_COUNTER_COMMAND_BEATS, index_ * (kCommandBytes / axi_bytes));
  set(WEFT_COUNTER_WEIGHT_BEATS,
      weight_words_ * static_cast<uint64_t>(config_.weight_word) / axi_bytes);
  set(WEFT_COUNTER_BLOCKS, exec_.blocks());
  return counters;
}

}  // namespace weft::functional
