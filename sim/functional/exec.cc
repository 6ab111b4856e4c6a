// SPDX-License-Identifier: Apache-2.0
#include "sim/functional/exec.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "sim/functional/store.h"

namespace weft::functional {
namespace {

constexpr int kTableEntries = 256;

template <typename Cmd>
Waits WaitsOf(const Cmd& cmd) {
  return {cmd.wait_mask, {cmd.wait_load, cmd.wait_exec, cmd.wait_store}, 0};
}

template <typename Cmd>
Stripe StripeOf(const Cmd& cmd) {
  return Stripe(cmd.pixels, cmd.tile_width, cmd.tile_x);
}

Place Moved(const Place& place, int64_t bytes) {
  return {place.address + bytes, place.pitch, place.pixel};
}

// The lowest byte of a place, and the byte after its highest.
std::pair<int64_t, int64_t> Bounds(const Stripe& stripe, const Place& place, int64_t channels) {
  int64_t low = place.At(stripe, 0), high = low;
  for (int64_t p = 1; p < stripe.pixels(); ++p) {
    low = std::min(low, place.At(stripe, p));
    high = std::max(high, place.At(stripe, p));
  }
  return {low, high + channels};
}

// Whether writing `out` pixel by pixel could destroy bytes of `in` that a later pixel needs. In
// place it cannot if the pixels do not overlap: each then replaces itself.
bool DestroysOperand(const Stripe& stripe, const Place& in, const Place& out, int64_t channels) {
  const auto [in_low, in_high] = Bounds(stripe, in, channels);
  const auto [out_low, out_high] = Bounds(stripe, out, channels);
  if (in_high <= out_low || out_high <= in_low) return false;
  for (int64_t written = 0; written < stripe.pixels(); ++written) {
    const int64_t to = out.At(stripe, written);
    for (int64_t p = written + 1; p < stripe.pixels(); ++p) {
      const int64_t from = in.At(stripe, p);
      if (from < to + channels && to < from + channels) return true;
    }
  }
  return false;
}

}  // namespace

ExecEngine::ExecEngine(const HardwareConfig& config, Scratchpad& scratchpad, WeightRing& ring,
                       Hazards& hazards, Retirements& retirements)
    : config_(config),
      scratchpad_(scratchpad),
      ring_(ring),
      hazards_(hazards),
      retirements_(retirements),
      array_(config),
      post_(config) {}

void ExecEngine::BeginJob() {
  array_.BeginJob();
  post_.BeginJob();
  operands_ = blocks_ = 0;
}

void ExecEngine::Retire() {
  hazards_.Retire(Lane::kExec);
  retirements_.Retire(Engine::kExec);
  ++blocks_;
}

Outcome ExecEngine::Read(uint32_t unit, int64_t address, int64_t bytes) {
  const std::optional<ByteRange> range = scratchpad_.Range(address, bytes);
  if (!range) return Stop(WEFT_ERROR_BAD_ADDRESS);
  return ToOutcome(hazards_.ReadScratchpad(Lane::kExec, unit, range->begin, range->end));
}

Outcome ExecEngine::ReadPlace(const Place& place, const Stripe& stripe, int64_t channels) {
  for (int64_t p = 0; p < stripe.pixels(); ++p) {
    if (Outcome ok = Read(hazards_.Next(Lane::kExec), place.At(stripe, p), channels); !ok) {
      return ok;
    }
  }
  return {};
}

Outcome ExecEngine::WritePlace(const Place& place, const Stripe& stripe, int64_t channels) {
  const uint32_t unit = hazards_.Next(Lane::kExec);
  for (int64_t p = 0; p < stripe.pixels(); ++p) {
    const std::optional<ByteRange> range = scratchpad_.Range(place.At(stripe, p), channels);
    if (!range) return Stop(WEFT_ERROR_BAD_ADDRESS);
    if (Status ok = hazards_.WriteScratchpad(Lane::kExec, unit, range->begin, range->end); !ok) {
      return ToOutcome(ok);
    }
  }
  return {};
}

// --- RUN ---

Result<ExecEngine::Weights> ExecEngine::FindWeights(const RunCmd& run, int64_t blocks) const {
  const SetupOutputCmd& output = post_.output();
  Weights weights;
  weights.shared = run.weights_shared != 0;
  if (output.has_params != 0 && run.acc_last != 0) {
    weights.record_words = static_cast<uint64_t>(config_.param_words(output.per_tensor != 0));
  }
  const bool has_weights = static_cast<Mode>(array_.setup().mode) != Mode::kMaximum;
  const uint64_t one_block = has_weights ? static_cast<uint64_t>(config_.block_words()) : 0;
  const uint64_t beats = weights.shared ? 1 : static_cast<uint64_t>(run.beats);
  weights.block_words = beats * one_block + weights.record_words;
  weights.words = weights.block_words * (weights.shared ? 1 : static_cast<uint64_t>(blocks));
  if (weights.words == 0) return weights;
  const Result<uint64_t> position = ring_.Find(run.weights_pos, weights.words);
  if (!position) return tl::unexpected(position.error());
  weights.position = *position;
  return weights;
}

// The waits and reads of one block: operands of the array, and the residual operand, which counts
// as read when the block starts.
Outcome ExecEngine::TakeOperands(const RunCmd& run, const Feed& feed, std::span<const Beat> beats,
                                 int64_t block, int64_t blocks, const Place& residual) {
  const bool dense = feed.mode() == Mode::kDense;
  const int64_t channels = std::min<int64_t>(config_.n, run.channels - block * config_.n);
  Waits waits = WaitsOf(run);
  const auto wait = [&](size_t beat) {
    waits.exec_step = block * run.wait_step_block + static_cast<int64_t>(beat) * run.wait_step_beat;
    return ToOutcome(hazards_.Wait(Lane::kExec, waits));
  };
  if (Outcome ok = wait(0); !ok) return ok;
  if (run.acc_last != 0 && post_.output().add != 0) {
    if (Outcome ok = ReadPlace(residual, feed.stripe, channels); !ok) return ok;
  }
  // All blocks of a dense RUN read the same bytes: the first has waited for the least, and the last
  // is the one others wait for.
  const uint32_t first = hazards_.Next(Lane::kExec);
  const uint32_t unit = dense ? first + static_cast<uint32_t>(blocks - 1) : first;
  const auto read = [&](std::span<const Beat> some) {
    Outcome result;
    const Status done = ForEachRead(feed, some, block * config_.n, channels,
                                    [&](int64_t address, int64_t bytes) -> Status {
                                      result = Read(unit, address, bytes);
                                      if (!result) return Fail("stop");
                                      return {};
                                    });
    return result;
  };
  const bool reads = !dense || block == 0;
  if (run.wait_step_beat == 0) return reads ? read(beats) : Outcome();
  for (size_t b = 0; b < beats.size(); ++b) {
    if (Outcome ok = wait(b); !ok) return ok;
    if (!reads) continue;
    if (Outcome ok = read(beats.subspan(b, 1)); !ok) return ok;
  }
  return {};
}

Outcome ExecEngine::Run(const RunCmd& run) {
  const Feed feed{array_.setup(), StripeOf(run), run.in_y, run.in_x};
  const SetupOutputCmd& output = post_.output();
  const int64_t n = config_.n;
  const int64_t blocks = (run.channels + n - 1) / n;
  const Result<std::vector<Beat>> beats = array_.TakeBeats(run.beats, run.acc_first != 0);
  if (!beats) return StopForViolation(beats.error().message);
  const Result<Weights> weights = FindWeights(run, blocks);
  if (!weights) return StopForViolation(weights.error().message);
  const Place out{run.out_addr, output.out_pitch, output.out_pixel};
  const Place residual{run.b_addr, post_.add().b_pitch, output.out_pixel};

  weights_.resize(weights->block_words * static_cast<uint64_t>(config_.weight_word));
  const uint64_t record_bytes = weights->record_words * static_cast<uint64_t>(config_.weight_word);
  const std::span<const uint8_t> record = std::span(weights_).last(record_bytes);

  for (int64_t j = 0; j < blocks; ++j) {
    const int64_t first_channel = j * n;
    const int channels = static_cast<int>(std::min(n, run.channels - first_channel));
    const Place block_residual = Moved(residual, first_channel);
    if (Outcome ok = TakeOperands(run, feed, *beats, j, blocks, block_residual); !ok) return ok;
    if (j == 0 || !weights->shared) {
      ring_.Read(weights->position + static_cast<uint64_t>(j) * weights->block_words, weights_);
    }
    if (run.acc_first != 0) array_.Clear();
    if (feed.mode() == Mode::kDense) {
      if (j == 0) array_.GatherDense(feed, *beats, scratchpad_);
      array_.Dense(run.pixels, weights_, weights->shared);
    } else {
      array_.Grouped(feed, *beats, first_channel, channels, weights_, weights->shared, scratchpad_);
    }
    operands_ += static_cast<uint64_t>(run.pixels * run.beats);
    if (run.acc_last == 0) continue;

    const Place block_out = Moved(out, first_channel);
    if (output.add != 0 && DestroysOperand(feed.stripe, block_residual, block_out, channels)) {
      return StopForViolation("overwrites bytes of its residual operand before they are read");
    }
    if (Outcome ok = WritePlace(block_out, feed.stripe, channels); !ok) return ok;
    if (Status ok = post_.TakeRecord(record); !ok) return ToOutcome(ok);
    const BlockResult& result =
        post_.Run(array_, feed.stripe, channels, block_residual, scratchpad_);
    WriteResults(result, config_.n, feed.stripe, channels, block_out, scratchpad_, retirements_);
    Retire();
  }
  if (weights->words > 0 && (run.weights_stream != 0 || run.weights_release != 0)) {
    ring_.Release(weights->position + weights->words);
  }
  return {};
}

// --- ELTWISE and SOFTMAX ---

Outcome ExecEngine::Eltwise(const EltwiseCmd& eltwise) {
  const Stripe stripe = StripeOf(eltwise);
  const SetupOutputCmd& output = post_.output();
  const Place a{eltwise.a_addr, post_.add().a_pitch, output.out_pixel};
  const Place b{eltwise.b_addr, post_.add().b_pitch, output.out_pixel};
  const Place out{eltwise.out_addr, output.out_pitch, output.out_pixel};
  Waits waits = WaitsOf(eltwise);
  for (int64_t first = 0; first < eltwise.channels; first += config_.n) {
    const int channels = static_cast<int>(std::min<int64_t>(config_.n, eltwise.channels - first));
    const Place block_a = Moved(a, first), block_b = Moved(b, first), block_out = Moved(out, first);
    waits.exec_step = first / config_.n * eltwise.wait_step_block;
    if (Status ok = hazards_.Wait(Lane::kExec, waits); !ok) return ToOutcome(ok);
    if (Outcome ok = ReadPlace(block_a, stripe, channels); !ok) return ok;
    if (eltwise.add != 0) {
      if (Outcome ok = ReadPlace(block_b, stripe, channels); !ok) return ok;
    }
    if (DestroysOperand(stripe, block_a, block_out, channels) ||
        (eltwise.add != 0 && DestroysOperand(stripe, block_b, block_out, channels))) {
      return StopForViolation("overwrites bytes of its own operands before they are read");
    }
    if (Outcome ok = WritePlace(block_out, stripe, channels); !ok) return ok;
    const BlockResult& result =
        post_.Eltwise(eltwise.add != 0, stripe, channels, block_a, block_b, scratchpad_);
    WriteResults(result, config_.n, stripe, channels, block_out, scratchpad_, retirements_);
    Retire();
  }
  return {};
}

Outcome ExecEngine::Softmax(const SoftmaxCmd& softmax) {
  const uint64_t table_bytes = kTableEntries * sizeof(int32_t);
  const uint64_t table_words = table_bytes / static_cast<uint64_t>(config_.weight_word);
  const Result<uint64_t> position = ring_.Find(softmax.weights_pos, table_words);
  if (!position) return StopForViolation(position.error().message);
  if (Status ok = hazards_.Wait(Lane::kExec, WaitsOf(softmax)); !ok) return ToOutcome(ok);

  const Stripe row{1, 1, 0};
  const Place in{softmax.in_addr, 0, 0}, out{softmax.out_addr, 0, 0};
  if (Outcome ok = ReadPlace(in, row, softmax.length); !ok) return ok;
  if (std::abs(softmax.in_addr - softmax.out_addr) < softmax.length) {
    return StopForViolation("its result overlaps its operand");
  }
  if (Outcome ok = WritePlace(out, row, softmax.length); !ok) return ok;

  weights_.resize(table_bytes);
  ring_.Read(*position, weights_);
  std::array<int32_t, kTableEntries> table;
  for (size_t i = 0; i < table.size(); ++i) table[i] = LittleEndianWord(&weights_[4 * i]);
  const size_t length = static_cast<size_t>(softmax.length);
  functional::Softmax({scratchpad_.At(softmax.in_addr), length}, table,
                      {scratchpad_.At(softmax.out_addr), length});
  retirements_.Wrote(Space::kScratchpad, static_cast<uint64_t>(softmax.out_addr),
                     scratchpad_.Bytes(*scratchpad_.Range(softmax.out_addr, softmax.length)));
  if (softmax.weights_release != 0) ring_.Release(*position + table_words);
  Retire();
  return {};
}

}  // namespace weft::functional
