// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/stream_damage.h"

#include <array>
#include <type_traits>

#include "sw/command/codec.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {
namespace {

constexpr uint64_t kAddressMask = (uint64_t{1} << 40) - 1;

// One field out of its range; the code it must give.
uint32_t Break(const StreamCase& streams, Rng& rng, Command& command) {
  const HardwareConfig& config = *streams.config;
  const int64_t misaligned = rng.Int(1, config.word() - 1);
  const int64_t which = rng.Int(0, 5);
  constexpr int64_t kFar = int64_t{1} << 39;
  const auto far = [&](auto& cmd) {
    const uint64_t base = streams.region_base[static_cast<size_t>(cmd.region)];
    cmd.offset = static_cast<int64_t>((kFar - base) & kAddressMask);
  };
  return std::visit(
      [&](auto& cmd) -> uint32_t {
        using Cmd = std::decay_t<decltype(cmd)>;
        if constexpr (std::is_same_v<Cmd, LoadCmd> || std::is_same_v<Cmd, StoreCmd>) {
          if (which == 0) return cmd.rows = 0, WEFT_ERROR_BAD_FIELD;
          if (which == 1) return cmd.row_bytes = 0, WEFT_ERROR_BAD_FIELD;
          if (which == 2) return cmd.spad_addr += misaligned, WEFT_ERROR_BAD_ADDRESS;
          if (which == 3) return cmd.mem_pitch += misaligned, WEFT_ERROR_BAD_ADDRESS;
          if (which == 4) return cmd.spad_pitch += misaligned, WEFT_ERROR_BAD_ADDRESS;
          far(cmd);
          return std::is_same_v<Cmd, LoadCmd> ? WEFT_ERROR_READ_ERROR : WEFT_ERROR_WRITE_ERROR;
        } else if constexpr (std::is_same_v<Cmd, MarkCmd>) {
          if (which < 3) return cmd.offset += rng.Int(1, 63), WEFT_ERROR_BAD_ADDRESS;
          return far(cmd), WEFT_ERROR_WRITE_ERROR;
        } else if constexpr (std::is_same_v<Cmd, LoadWeightsCmd>) {
          if (which < 2) return cmd.words = 0, WEFT_ERROR_BAD_FIELD;
          if (which < 4) return cmd.words = config.ring_words() + 1, WEFT_ERROR_BAD_ADDRESS;
          return far(cmd), WEFT_ERROR_READ_ERROR;
        } else if constexpr (std::is_same_v<Cmd, SetupInputCmd>) {
          if (which < 2) return cmd.mode = rng.Int(4, 7), WEFT_ERROR_BAD_FIELD;
          if (which < 4) return cmd.kernel_rows = 0, WEFT_ERROR_BAD_FIELD;
          return cmd.kernel_span = 0, WEFT_ERROR_BAD_FIELD;
        } else if constexpr (std::is_same_v<Cmd, SetupOutputCmd>) {
          if (which == 0) return cmd.rounding = 3, WEFT_ERROR_BAD_FIELD;
          if (which == 1) return cmd.has_params = cmd.per_tensor = 0, WEFT_ERROR_BAD_FIELD;
          if (which == 2) return cmd.clamp_low = 5, cmd.clamp_high = 4, WEFT_ERROR_BAD_FIELD;
          return cmd.shift = rng.Chance(0.5) ? 32 : -32, WEFT_ERROR_BAD_FIELD;
        } else if constexpr (std::is_same_v<Cmd, SetupAddCmd>) {
          if (which == 0) return cmd.a_shift = -32, WEFT_ERROR_BAD_FIELD;
          if (which == 1) return cmd.b_shift = -32, WEFT_ERROR_BAD_FIELD;
          if (which == 2) return cmd.sum_shift = -32, WEFT_ERROR_BAD_FIELD;
          return cmd.sum_clamp_low = -3, cmd.sum_clamp_high = -4, WEFT_ERROR_BAD_FIELD;
        } else if constexpr (std::is_same_v<Cmd, RunCmd> || std::is_same_v<Cmd, EltwiseCmd>) {
          if (which == 0) return cmd.pixels = 0, WEFT_ERROR_BAD_FIELD;
          if (which == 1) return cmd.pixels = config.stripe + 1, WEFT_ERROR_BAD_FIELD;
          if (which == 2) return cmd.tile_x = cmd.tile_width, WEFT_ERROR_BAD_FIELD;
          if (which == 3) return cmd.tile_width = cmd.tile_x = 0, WEFT_ERROR_BAD_FIELD;
          if constexpr (std::is_same_v<Cmd, RunCmd>) {
            if (which == 4) return cmd.beats = 0, WEFT_ERROR_BAD_FIELD;
            // None is open, or one is: wrong either way.
            if (which == 5) return cmd.acc_first ^= 1, WEFT_ERROR_BAD_FIELD;
          }
          return cmd.channels = 0, WEFT_ERROR_BAD_FIELD;
        } else if constexpr (std::is_same_v<Cmd, SoftmaxCmd>) {
          return cmd.length = 0, WEFT_ERROR_BAD_FIELD;
        } else {
          return WEFT_ERROR_NONE;
        }
      },
      command);
}

}  // namespace

void DamageJob(const StreamCase& streams, Rng& rng, StreamJob& job) {
  const auto commands = static_cast<int64_t>(job.commands.size());
  job.trailing = 0;
  const int64_t kind = rng.Int(0, 19);
  if (kind == 0) {
    job.error_code = WEFT_ERROR_CONFIG_MISMATCH;
    job.wrong_hash = rng.Chance(0.5);
    if (job.wrong_hash) return;
    job.error_code = WEFT_ERROR_BAD_FIELD;
    job.reserved_word = static_cast<size_t>(rng.Int(WEFT_JOB_STREAM_COMMANDS + 1, 15));
    return;
  }
  if (kind <= 2) {
    job.error_code = WEFT_ERROR_BAD_STREAM;
    job.commands.pop_back();  // the END
    job.error_command = static_cast<uint32_t>(commands - 1);
    if (commands > 1) return;
    job.commands.push_back(EndCmd{});
  }
  for (;;) {
    const auto index = static_cast<size_t>(rng.Int(0, commands - 1));
    Command command = job.commands[index];
    const CommandInfo& info = InfoOf(command);
    std::array<uint8_t, kCommandBytes> bytes;
    job.error_code = WEFT_ERROR_BAD_FIELD;
    if (rng.Chance(0.6)) {
      job.error_code = Break(streams, rng, command);
      if (job.error_code == WEFT_ERROR_NONE) continue;
      Encode(command, bytes);
    } else {
      Encode(command, bytes);
      if (rng.Chance(0.5)) {
        do {
          bytes[0] = static_cast<uint8_t>(rng.Bits());
        } while (FindCommandInfo(bytes[0]) != nullptr);
        job.error_code = WEFT_ERROR_BAD_OPCODE;
      } else {
        const int bit = static_cast<int>(rng.Int(info.used_bits, 8 * kCommandBytes - 1));
        bytes[static_cast<size_t>(bit / 8)] |= static_cast<uint8_t>(1 << (bit % 8));
      }
    }
    job.error_command = static_cast<uint32_t>(index);
    job.damaged.assign(bytes.begin(), bytes.end());
    return;
  }
}

}  // namespace weft::testing
