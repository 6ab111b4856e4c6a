// SPDX-License-Identifier: Apache-2.0
//
// A sequence of exec commands for the array stage, with everything around it: scratchpad, weight
// stream, what post must receive, and which bytes of the scratchpad come late.
//
//   JobBuilder builder(config, rng);
//   builder.RandomRun();                  // or Run(setup, output, run) with commands of your own
//   const Job& job = builder.job();
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "sw/command/codec.h"
#include "tb/lib/seed.h"
#include "tb/unit/array/array_model.h"

namespace weft::testing {

/// What post finds in an accumulator buffer: nothing (null), or pixels x N values, of which
/// `channels` in a row count. `record`: a parameter record belongs to it.
struct ExpectedBlock {
  bool null = true;
  bool record = false;
  int64_t pixels = 0;
  int channels = 0;
  std::vector<int32_t> acc;
};

struct ParameterWord {
  bool table = false;
  bool last = false;  // of a record or table
  std::vector<uint8_t> bytes;
};

/// A byte that holds something else until all three counts have reached these.
struct LateByte {
  int64_t address;
  uint8_t value;
  int loads, blocks, stores;
};

struct Job {
  std::vector<std::array<uint8_t, kCommandBytes>> commands;
  std::vector<uint8_t> scratchpad;
  std::vector<uint8_t> weights;  // the ring's stream, whole words
  std::vector<ExpectedBlock> blocks;
  std::vector<ParameterWord> parameters;
  std::vector<LateByte> late;
  int loads = 0, stores = 0;  // counts that are reached in the end
  int64_t operands = 0;       // pixels x beats of all RUNs
  int64_t released = 0;       // words of the ring given back in the end
};

class JobBuilder {
 public:
  JobBuilder(const HardwareConfig& config, Rng& rng)
      : config_(config), rng_(rng), model_(config), late_area_(config.scratchpad / 2) {
    job_.scratchpad = rng.Vector<uint8_t>(config.scratchpad);
  }

  const Job& job() const { return job_; }
  int64_t weight_words() const {
    return static_cast<int64_t>(job_.weights.size()) / config_.weight_word;
  }

  void Add(const Command& command) { Encode(command, job_.commands.emplace_back()); }

  /// Adds the three commands, fresh weights, and what is expected. weights_pos is filled in. The
  /// geometry must stay within the scratchpad.
  void Run(const SetupInputCmd& setup, const SetupOutputCmd& output, RunCmd run) {
    run.weights_pos = weight_words() & 0xffff;
    const int64_t first_word = weight_words();
    const int64_t blocks = (run.channels + config_.n - 1) / config_.n;
    const bool tail = output.has_params && run.acc_last;
    for (int64_t j = 0; j < blocks; ++j) {
      const int64_t loaded = setup.mode == 2       ? 0
                             : !run.weights_shared ? run.beats
                             : (j == 0)            ? 1
                                                   : 0;
      AppendRandom(loaded * config_.block_words());
      if (tail) {
        const int64_t from = weight_words();
        AppendRandom(config_.param_words(output.per_tensor));
        for (int64_t w = from; w < weight_words(); ++w) Parameter(false, w);
        job_.parameters.back().last = true;
      }
    }
    Add(setup);
    Add(output);
    Execute(setup, output, run, first_word);
  }

  /// The RUN again on weights that have not been released, from word `first_word` of the stream on.
  void Execute(const SetupInputCmd& setup, const SetupOutputCmd& output, const RunCmd& run,
               int64_t first_word) {
    Add(run);
    if ((run.weights_release || run.weights_stream) && weight_words() > first_word)
      job_.released = weight_words();
    const int64_t blocks = (run.channels + config_.n - 1) / config_.n;
    const bool tail = output.has_params && run.acc_last;
    const int blocks_before = static_cast<int>(job_.blocks.size());
    int64_t word = first_word;
    // The least count of blocks after which a byte is read, for a RUN with waits.
    std::vector<int> needed(run.wait_mask != 0 ? job_.scratchpad.size() : 0, -1);
    for (int64_t j = 0; j < blocks; ++j) {
      if (run.acc_first) model_.Start(setup.mode);
      for (int64_t b = 0; b < run.beats; ++b) {
        std::function<void(int64_t)> touch;
        if (run.wait_mask != 0) {
          const bool exec = run.wait_mask & 2;
          const int64_t count =
              exec ? run.wait_exec + j * run.wait_step_block + b * run.wait_step_beat : 0;
          EXPECT_LE(count, blocks_before) << "the test's own stream would deadlock";
          touch = [&needed, count](int64_t address) {
            int& least = needed[address];
            if (least < 0 || count < least) least = static_cast<int>(count);
          };
        }
        const uint8_t* weights =
            setup.mode == 2 ? nullptr : &job_.weights[word * config_.weight_word];
        model_.Beat(setup, run, j, job_.scratchpad, weights, touch);
        if (setup.mode != 2 && !run.weights_shared) word += config_.block_words();
        job_.operands += run.pixels;
      }
      if (tail) word += config_.param_words(output.per_tensor);
      if (!run.acc_last) continue;
      ExpectedBlock& block = job_.blocks.emplace_back();
      block.null = false;
      block.record = output.has_params;
      block.pixels = run.pixels;
      block.channels = static_cast<int>(std::min<int64_t>(config_.n, run.channels - j * config_.n));
      for (int64_t p = 0; p < run.pixels; ++p)
        for (int n = 0; n < config_.n; ++n) block.acc.push_back(model_.acc(p, n));
    }
    for (size_t address = 0; address < needed.size(); ++address) {
      if (needed[address] < 0) continue;
      job_.late.push_back({static_cast<int64_t>(address), job_.scratchpad[address],
                           run.wait_mask & 1 ? static_cast<int>(run.wait_load) : 0, needed[address],
                           run.wait_mask & 4 ? static_cast<int>(run.wait_store) : 0});
    }
    if (run.wait_mask & 1) job_.loads = std::max(job_.loads, static_cast<int>(run.wait_load));
    if (run.wait_mask & 4) job_.stores = std::max(job_.stores, static_cast<int>(run.wait_store));
  }

  /// An ELTWISE or SOFTMAX with nothing to wait for but earlier blocks.
  void Null() {
    const int before = static_cast<int>(job_.blocks.size());
    if (rng_.Chance(0.5)) {
      EltwiseCmd command;
      command.channels = rng_.Int(1, 3 * config_.n);
      command.pixels = 1;
      command.tile_width = 1;
      command.wait_mask = 2;
      const int64_t blocks = (command.channels + config_.n - 1) / config_.n;
      command.wait_step_block = rng_.Int(0, before / blocks);
      command.wait_exec = before - command.wait_step_block * (blocks - 1);
      Add(command);
      job_.blocks.resize(job_.blocks.size() + blocks);
    } else {
      SoftmaxCmd command;
      command.weights_pos = weight_words() & 0xffff;
      command.weights_release = 1;
      command.length = 1;
      const int64_t words = 1024 / config_.weight_word;
      AppendRandom(words);
      for (int64_t w = weight_words() - words; w < weight_words(); ++w) Parameter(true, w);
      job_.parameters.back().last = true;
      Add(command);
      job_.released = weight_words();
      job_.blocks.emplace_back();
    }
  }

  bool PairsFit() const { return config_.word() == config_.n && config_.window_cols >= 3; }

  /// Mode 3, of which most fields are given.
  void MakePairs(SetupInputCmd& s, RunCmd& run) {
    s.mode = 3;
    run.channels = s.step_bytes = config_.n;
    s.pixel_bytes = config_.n / 2;
    s.kernel_rows = rng_.Int(1, config_.window_rows);
    s.kernel_span = 3;
    s.in_row_bytes = rng_.Int(1, 9) * config_.n;
    s.in_pitch = s.in_row_bytes + rng_.Int(0, 3) * config_.n;
  }

  /// A legal RUN of random mode, shape and flags (or a chain of them), perhaps with others between.
  void RandomRun() {
    if (rng_.Chance(0.2)) Null();
    if (rng_.Chance(0.2)) Add(MarkCmd{});
    if (rng_.Chance(0.2)) Add(SetupAddCmd{});

    SetupInputCmd s;
    s.mode = rng_.Pick<int64_t>({0, 0, 1, 1, 2});
    const int word = config_.word();
    // Words, halves and quarters of a word matter for windows; one channel too many for them, too.
    const bool aligned = rng_.Chance(0.6);
    const int unit = aligned ? rng_.Pick<int>({word, word / 2, word / 4}) : 1;
    RunCmd run;
    const bool few = aligned && unit < word && rng_.Chance(0.8);
    run.channels = rng_.Int(1, few ? unit + 1 : 3 * config_.n);
    s.pixel_bytes = s.mode == 0 ? rng_.Int(1, 3 * config_.k) : run.channels + rng_.Int(0, 5);
    s.pixel_bytes = (s.pixel_bytes + unit - 1) / unit * unit;
    const int64_t width = rng_.Int(1, 9);
    s.in_rows = rng_.Int(1, 9);
    s.in_row_bytes = width * s.pixel_bytes;
    s.in_pitch = s.in_row_bytes + rng_.Int(0, 20);
    const int pitch_unit = aligned && rng_.Chance(0.9) ? word : unit;
    s.in_pitch = (s.in_pitch + pitch_unit - 1) / pitch_unit * pitch_unit;
    s.pad_value = rng_.Int(-128, 127);
    const int64_t kernel_cols = rng_.Int(1, rng_.Chance(0.2) ? 8 : 3);
    s.kernel_rows = rng_.Int(1, rng_.Chance(0.2) ? 8 : 3);
    s.kernel_span = s.mode == 0 ? kernel_cols * s.pixel_bytes : kernel_cols;
    s.stride_rows = rng_.Int(1, 3);
    s.step_bytes = rng_.Int(1, 3) * s.pixel_bytes;
    const bool pairs = PairsFit() && rng_.Chance(0.2);
    if (pairs) MakePairs(s, run);
    const int64_t total = ArrayModel::WindowBeats(config_, s);

    run.pixels = rng_.Chance(0.3) ? rng_.Int(1, 10) : rng_.Int(1, config_.stripe);
    run.tile_width = rng_.Chance(0.5) ? width : rng_.Int(1, 80);
    run.tile_x = rng_.Int(0, run.tile_width - 1);
    run.in_y = rng_.Int(-s.kernel_rows, s.in_rows);
    run.in_x = rng_.Int(-kernel_cols - 1, 2) * s.pixel_bytes;
    if (pairs)
      run.in_x = rng_.Int(-4, 3) * s.pixel_bytes;
    else if (rng_.Chance(0.1))
      run.in_x += rng_.Int(-3, 3);

    // A RUN with waits reads bytes of its own, which come late.
    const bool waits = !late_used_ && rng_.Chance(0.2);
    const int64_t bytes = s.in_rows * s.in_pitch + run.channels;
    const int64_t from = waits ? late_area_ : 0, space = config_.scratchpad / 2 - bytes;
    ASSERT_GT(space, 0);
    s.in_addr = from + rng_.Int(0, space);
    if (pairs || rng_.Chance(0.8)) s.in_addr = s.in_addr / unit * unit;
    if (pairs) s.in_addr = s.in_addr / word * word;

    SetupOutputCmd output;
    output.per_tensor = rng_.Int(0, 1);
    output.has_params = rng_.Int(0, 1);
    run.weights_shared = s.mode != 2 && !output.has_params && rng_.Chance(0.2);

    const bool chain = total > 1 && rng_.Chance(0.3);
    if (chain) run.channels = std::min<int64_t>(run.channels, config_.n);
    if (waits) {
      late_used_ = true;
      const int64_t blocks = (run.channels + config_.n - 1) / config_.n;
      const int64_t before = static_cast<int64_t>(job_.blocks.size());
      run.wait_mask = rng_.Int(1, 7);
      run.wait_load = rng_.Int(0, 5);
      run.wait_store = rng_.Int(0, 5);
      run.wait_step_block = rng_.Int(0, before / (blocks + 1));
      run.wait_step_beat =
          rng_.Int(0, std::min<int64_t>(15, (before - run.wait_step_block * (blocks - 1)) / total));
      run.wait_exec =
          before - run.wait_step_block * (blocks - 1) - run.wait_step_beat * (total - 1);
    }
    for (int64_t done = 0; done < total;) {
      run.beats = chain ? rng_.Int(1, total - done) : total;
      run.acc_first = done == 0;
      run.acc_last = done + run.beats == total;
      run.weights_stream = rng_.Chance(0.4);
      run.weights_release = !run.weights_stream && rng_.Chance(0.5);
      // More than stays in the ring comfortably has to be released on the way.
      const int64_t blocks = (run.channels + config_.n - 1) / config_.n;
      if (run.beats * blocks * config_.block_words() > config_.ring_words() / 4)
        run.weights_stream = 1;
      // What stays must leave room for the next RUN.
      if (weight_words() - released_ > config_.ring_words() / 4) run.weights_release = 1;
      const int64_t first_word = weight_words();
      Run(s, output, run);
      const bool reads = weight_words() > first_word;
      if (reads && (run.weights_stream || run.weights_release)) released_ = weight_words();
      // Weights that stay may be used again, by a RUN that releases them.
      if (reads && released_ <= first_word && run.acc_first && run.acc_last && rng_.Chance(0.5)) {
        RunCmd again = run;
        again.weights_pos = first_word & 0xffff;
        again.in_y += 1;
        again.weights_release = 1;
        again.wait_mask = 0;
        if (run.wait_mask == 0) {
          int64_t word = first_word;
          for (int64_t j = 0; output.has_params && j < blocks; ++j) {
            word += (s.mode == 2 ? 0 : run.beats) * config_.block_words();
            for (int i = 0; i < config_.param_words(output.per_tensor); ++i)
              Parameter(false, word++);
            job_.parameters.back().last = true;
          }
          Execute(s, output, again, first_word);
          released_ = weight_words();
        }
      }
      done += run.beats;
      run.wait_exec += run.wait_step_beat * run.beats;
    }
  }

 private:
  void AppendRandom(int64_t words) {
    for (int64_t i = 0; i < words * config_.weight_word; ++i)
      job_.weights.push_back(static_cast<uint8_t>(rng_.Bits()));
  }

  void Parameter(bool table, int64_t word) {
    const auto begin = job_.weights.begin() + word * config_.weight_word;
    job_.parameters.push_back({table, false, {begin, begin + config_.weight_word}});
  }

  const HardwareConfig& config_;
  Rng& rng_;
  ArrayModel model_;
  Job job_;
  int64_t late_area_;
  bool late_used_ = false;
  int64_t released_ = 0;  // words the commands so far have released
};

}  // namespace weft::testing
