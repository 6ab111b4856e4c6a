// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/stream_case.h"

#include <algorithm>
#include <type_traits>

#include "sw/command/codec.h"

namespace weft::testing {
namespace {

constexpr uint64_t kAddressMask = (uint64_t{1} << 40) - 1;
constexpr int kLoad = 0, kExec = 1, kStore = 2, kLanes = 3;

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace

uint64_t AddressOf(const StreamCase& streams, int64_t region, int64_t offset) {
  return (streams.region_base[static_cast<size_t>(region)] + static_cast<uint64_t>(offset)) &
         kAddressMask;
}

std::vector<Writes> WritesOf(const StreamCase& streams, const StreamJob& job) {
  std::vector<Writes> all;
  SetupOutputCmd output;
  for (const Command& command : job.commands) {
    Writes writes;
    const auto add = [](std::vector<Extent>& to, uint64_t begin, int64_t bytes) {
      to.push_back({begin, begin + static_cast<uint64_t>(bytes)});
    };
    const auto stripe = [&](const auto& cmd) {
      for (const int64_t offset : Offsets(cmd, output.out_pitch, output.out_pixel)) {
        add(writes.scratchpad, static_cast<uint64_t>(cmd.out_addr + offset), cmd.channels);
      }
    };
    if (const auto* setup = std::get_if<SetupOutputCmd>(&command)) output = *setup;
    if (const auto* run = std::get_if<RunCmd>(&command); run != nullptr && run->acc_last != 0) {
      stripe(*run);
    }
    if (const auto* eltwise = std::get_if<EltwiseCmd>(&command)) stripe(*eltwise);
    if (const auto* softmax = std::get_if<SoftmaxCmd>(&command)) {
      add(writes.scratchpad, static_cast<uint64_t>(softmax->out_addr), softmax->length);
    }
    if (const auto* load = std::get_if<LoadCmd>(&command)) {
      for (int64_t r = 0; r < load->rows; ++r) {
        add(writes.scratchpad, static_cast<uint64_t>(load->spad_addr + r * load->spad_pitch),
            load->row_bytes);
      }
    }
    if (const auto* store = std::get_if<StoreCmd>(&command)) {
      for (int64_t r = 0; r < store->rows; ++r) {
        add(writes.memory,
            AddressOf(streams, store->region, store->offset) +
                static_cast<uint64_t>(r * store->mem_pitch),
            store->row_bytes);
      }
    }
    all.push_back(std::move(writes));
  }
  return all;
}

void CountStreams(const StreamCase& streams, std::map<std::string, uint64_t>& histogram) {
  for (const StreamJob& job : streams.jobs) {
    ++histogram[job.error_code == 0 ? "jobs: legal" : "jobs: illegal"];
    if (job.error_code != 0) ++histogram[fmt::format("error: {}", ErrorText(job.error_code))];
    int64_t mode = 0;
    for (const Command& command : job.commands) {
      ++histogram[fmt::format("command: {}", InfoOf(command).name)];
      if (const auto* setup = std::get_if<SetupInputCmd>(&command)) mode = setup->mode;
      if (const auto* run = std::get_if<RunCmd>(&command)) {
        ++histogram[fmt::format("RUN: mode {}", mode)];
        const int64_t blocks = CeilDiv(run->channels, streams.config->n);
        ++histogram[fmt::format("RUN: blocks {}", blocks < 3 ? std::to_string(blocks) : "3..")];
        ++histogram[fmt::format("RUN: pixels {}", run->pixels == 1    ? "1"
                                                  : run->pixels <= 8  ? "2..8"
                                                  : run->pixels <= 63 ? "9..63"
                                                                      : "64")];
        ++histogram[fmt::format("RUN: beats {}", run->beats == 1    ? "1"
                                                 : run->beats <= 9  ? "2..9"
                                                 : run->beats <= 64 ? "10..64"
                                                                    : "65..")];
        if (run->acc_last == 0) ++histogram["RUN: keeps accumulators"];
        if (run->weights_shared != 0) ++histogram["RUN: shared weights"];
        if (run->wait_step_block != 0) ++histogram["waits: step per block"];
        if (run->wait_step_beat != 0) ++histogram["waits: step per beat"];
        if (run->wait_mask != 0) ++histogram["waits: RUN"];
      }
      if (const auto* load = std::get_if<LoadCmd>(&command); load && load->wait_mask != 0) {
        ++histogram["waits: LOAD"];
      }
      if (const auto* store = std::get_if<StoreCmd>(&command); store && store->wait_mask != 0) {
        ++histogram["waits: STORE"];
      }
    }
  }
}

StreamJob WithoutCommands(const StreamCase& streams, const StreamJob& job, size_t first,
                          size_t count) {
  StreamJob result = job;
  result.commands.clear();
  std::array<int64_t, kLanes> before = {}, dropped = {};
  int64_t words_before = 0, words_dropped = 0;
  const auto adjust = [&](auto& cmd) {
    const std::array<int64_t*, kLanes> counts = {&cmd.wait_load, &cmd.wait_exec, &cmd.wait_store};
    for (int lane = 0; lane < kLanes; ++lane) {
      const auto wait = static_cast<int16_t>(*counts[lane]);
      const int64_t kept =
          wait <= before[lane] ? wait : std::max(before[lane], wait - dropped[lane]);
      *counts[lane] = kept & 0xffff;
    }
  };
  for (size_t i = 0; i < job.commands.size(); ++i) {
    Command command = job.commands[i];
    const bool drop = i >= first && i < first + count;
    std::array<int64_t, kLanes> units = {};
    int64_t words = 0;
    std::visit(
        [&](auto& cmd) {
          using Cmd = std::decay_t<decltype(cmd)>;
          if constexpr (std::is_same_v<Cmd, LoadCmd>) units[kLoad] = 1;
          if constexpr (std::is_same_v<Cmd, StoreCmd>) units[kStore] = 1;
          if constexpr (std::is_same_v<Cmd, SoftmaxCmd>) units[kExec] = 1;
          if constexpr (std::is_same_v<Cmd, RunCmd>) {
            units[kExec] = cmd.acc_last != 0 ? CeilDiv(cmd.channels, streams.config->n) : 0;
          }
          if constexpr (std::is_same_v<Cmd, EltwiseCmd>) {
            units[kExec] = CeilDiv(cmd.channels, streams.config->n);
          }
          if constexpr (std::is_same_v<Cmd, LoadWeightsCmd>) words = cmd.words;
          if constexpr (requires { cmd.wait_load; }) adjust(cmd);
          if constexpr (requires { cmd.weights_pos; }) {
            if (cmd.weights_pos >= words_before) {
              cmd.weights_pos = (cmd.weights_pos - words_dropped) & 0xffff;
            }
          }
        },
        command);
    if (!drop) result.commands.push_back(command);
    if (i < first) words_before += words;
    if (drop) words_dropped += words;
    for (int lane = 0; lane < kLanes; ++lane) {
      if (i < first) before[lane] += units[lane];
      if (drop) dropped[lane] += units[lane];
    }
  }
  return result;
}

}  // namespace weft::testing
