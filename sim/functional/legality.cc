// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/legality.h"

#include <type_traits>

#include "sim/functional/arithmetic.h"
#include "sim/functional/array.h"
#include "weft/hw/weft_hw.h"

namespace weft::functional {
namespace {

constexpr int64_t kMaxMode = static_cast<int64_t>(Mode::kPixelPairs);
constexpr int64_t kPairColumns = 3;
constexpr int64_t kMaxRounding = static_cast<int64_t>(RoundingMode::kHalfAway);
constexpr int64_t kMarkAlignment = 64;

uint32_t Code(bool fields_ok, bool addresses_ok = true) {
  if (!fields_ok) return WEFT_ERROR_BAD_FIELD;
  return addresses_ok ? WEFT_ERROR_NONE : WEFT_ERROR_BAD_ADDRESS;
}

bool ShiftOk(int64_t shift) { return shift >= -kMaxShift && shift <= kMaxShift; }

// The pixels of a RUN or an ELTWISE.
template <typename Cmd>
bool StripeOk(const Cmd& cmd, const HardwareConfig& config) {
  return cmd.pixels >= 1 && cmd.pixels <= config.stripe && cmd.tile_x < cmd.tile_width &&
         cmd.channels >= 1;
}

// LOAD and STORE.
template <typename Cmd>
uint32_t CheckCopy(const Cmd& cmd, const HardwareConfig& config) {
  const int64_t word = config.word();
  return Code(cmd.rows >= 1 && cmd.row_bytes >= 1,
              cmd.offset % word == 0 && cmd.spad_addr % word == 0 && cmd.mem_pitch % word == 0 &&
                  cmd.spad_pitch % word == 0);
}

bool IsPairs(const SetupInputCmd& input) {
  return static_cast<Mode>(input.mode) == Mode::kPixelPairs;
}

uint32_t Check(const SetupInputCmd& input, const HardwareConfig& config) {
  const bool pairs_ok = config.word() == config.n && config.window_cols >= kPairColumns &&
                        input.kernel_rows <= config.window_rows &&
                        input.kernel_span == kPairColumns && input.pixel_bytes == config.n / 2 &&
                        input.step_bytes == config.n && input.in_addr % config.n == 0 &&
                        input.in_pitch % config.n == 0 && input.in_row_bytes % config.n == 0;
  return Code(input.mode <= kMaxMode && input.kernel_rows >= 1 && input.kernel_span >= 1 &&
              (!IsPairs(input) || pairs_ok));
}

uint32_t Check(const RunCmd& run, const SetupState& setups, const HardwareConfig& config) {
  const SetupOutputCmd& output = setups.last_output;
  const bool partial = run.acc_first == 0 || run.acc_last == 0;
  const bool first_ok = run.acc_first == (setups.accumulates ? 0 : 1);
  const bool goes_on_alike =
      !setups.accumulates || (run.pixels == setups.pixels && run.channels == setups.channels);
  const bool pairs_ok =
      run.channels == config.n && run.beats == 1 && run.in_x % (config.n / 2) == 0;
  return Code(setups.input && setups.output && StripeOk(run, config) && run.beats >= 1 &&
              (!IsPairs(setups.last_input) || pairs_ok) && first_ok && goes_on_alike &&
              !(partial && run.channels > config.n) &&
              !(run.weights_shared != 0 && output.has_params != 0) &&
              !(run.acc_last != 0 && output.add != 0 && !setups.add));
}

// What may not stand between the RUNs of one accumulation.
bool BreaksAccumulation(const Command& command) {
  return std::holds_alternative<SetupInputCmd>(command) ||
         std::holds_alternative<SetupOutputCmd>(command) ||
         std::holds_alternative<SetupAddCmd>(command) ||
         std::holds_alternative<EltwiseCmd>(command) ||
         std::holds_alternative<SoftmaxCmd>(command) || std::holds_alternative<EndCmd>(command);
}

}  // namespace

uint32_t CheckCommand(const Command& command, const SetupState& setups,
                      const HardwareConfig& config) {
  if (setups.accumulates && BreaksAccumulation(command)) return WEFT_ERROR_BAD_FIELD;
  return std::visit(
      [&](const auto& cmd) -> uint32_t {
        using Cmd = std::decay_t<decltype(cmd)>;
        if constexpr (std::is_same_v<Cmd, MarkCmd>) {
          return Code(true, cmd.offset % kMarkAlignment == 0);
        } else if constexpr (std::is_same_v<Cmd, LoadCmd> || std::is_same_v<Cmd, StoreCmd>) {
          return CheckCopy(cmd, config);
        } else if constexpr (std::is_same_v<Cmd, LoadWeightsCmd>) {
          return Code(cmd.words >= 1,
                      cmd.offset % config.word() == 0 && cmd.words <= config.ring_words());
        } else if constexpr (std::is_same_v<Cmd, SetupInputCmd>) {
          return Check(cmd, config);
        } else if constexpr (std::is_same_v<Cmd, SetupOutputCmd>) {
          return Code(cmd.rounding <= kMaxRounding &&
                      (cmd.has_params != 0 || cmd.per_tensor != 0) && ShiftOk(cmd.shift) &&
                      cmd.clamp_low <= cmd.clamp_high);
        } else if constexpr (std::is_same_v<Cmd, SetupAddCmd>) {
          return Code(ShiftOk(cmd.a_shift) && ShiftOk(cmd.b_shift) && ShiftOk(cmd.sum_shift) &&
                      cmd.sum_clamp_low <= cmd.sum_clamp_high);
        } else if constexpr (std::is_same_v<Cmd, RunCmd>) {
          return Check(cmd, setups, config);
        } else if constexpr (std::is_same_v<Cmd, EltwiseCmd>) {
          const SetupOutputCmd& output = setups.last_output;
          return Code(setups.output && setups.add && output.has_params == 0 &&
                      output.per_tensor != 0 && StripeOk(cmd, config));
        } else if constexpr (std::is_same_v<Cmd, SoftmaxCmd>) {
          return Code(cmd.length >= 1);
        } else {
          static_assert(std::is_same_v<Cmd, NopCmd> || std::is_same_v<Cmd, EndCmd>);
          return WEFT_ERROR_NONE;
        }
      },
      command);
}

void RememberSetup(const Command& command, SetupState& setups) {
  if (const auto* input = std::get_if<SetupInputCmd>(&command)) {
    setups.input = true;
    setups.last_input = *input;
  }
  if (std::holds_alternative<SetupAddCmd>(command)) setups.add = true;
  if (const auto* output = std::get_if<SetupOutputCmd>(&command)) {
    setups.output = true;
    setups.last_output = *output;
  }
  if (const auto* run = std::get_if<RunCmd>(&command)) {
    setups.accumulates = run->acc_last == 0;
    setups.pixels = run->pixels;
    setups.channels = run->channels;
  }
}

}  // namespace weft::functional
