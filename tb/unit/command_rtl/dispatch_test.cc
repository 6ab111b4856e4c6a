// SPDX-License-Identifier: Apache-2.0
//
// Decoding and dispatch: what is legal goes to the right queues in order, what is not is refused
// with the code of docs/commands.md and nothing after it gets through.
#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "Vweft_dispatch_weft1024.h"
#include "Vweft_dispatch_weft256.h"
#include "Vweft_dispatch_weft64.h"
#include "sw/command/codec.h"
#include "tb/lib/bench.h"
#include "weft/hw/configs.h"
#include "weft/hw/weft_hw.h"

namespace weft {
namespace {

using testing::Rng;
using Bytes = std::array<uint8_t, kCommandBytes>;

template <typename M, int kIndex>
struct Dispatch : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

Bytes Encoded(const Command& command) {
  Bytes bytes;
  Encode(command, bytes);
  return bytes;
}

enum Queue { kLoad, kWeights, kStore, kFeed, kLoader, kPost, kQueues };

// The queues a legal command goes to.
std::vector<Queue> QueuesOf(const Command& command) {
  const auto* mark = std::get_if<MarkCmd>(&command);
  if (mark != nullptr && mark->store_engine) return {kStore};
  switch (InfoOf(command).engine) {
    case Engine::kLoad:
      return {kLoad};
    case Engine::kWeights:
      return {kWeights};
    case Engine::kStore:
      return {kStore};
    case Engine::kExec:
      return {kFeed, kLoader, kPost};
    default:
      return {};
  }
}

struct Entry {
  Bytes bytes;
  uint32_t index;
  std::optional<uint64_t> address;  // where the queue has one and the command too
};

template <typename Model>
class DispatchBench {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;

  explicit DispatchBench(Rng& rng) : rng_(rng), bench_(50000000) { Restart(); }

  Model* operator->() { return bench_.operator->(); }

  // A new job with new region bases.
  void Restart() {
    bench_->cmd_valid_i = bench_->running_i = bench_->engines_idle_i = 0;
    bench_->load_retired_i = bench_->block_retired_i = bench_->store_retired_i = 0;
    SetReady(0);
    bench_.Reset();
    for (uint64_t& base : region_) base = (rng_.Bits() & 0xffffffffff) / 64 * 64;
    for (int i = 0; i < 8; ++i) testing::SetBits(bench_->region_base_i, 40 * i, 40, region_[i]);
    stream_.clear();
    for (auto& queue : expected_) queue.clear();
    at_ = 0;
    ended_ = was_idle_ = false;
    last_feed_.reset();
    bench_->running_i = 1;
  }

  // Appends a command that must get through.
  void Legal(const Command& command) {
    Entry entry{Encoded(command), static_cast<uint32_t>(stream_.size()), Address(command)};
    for (Queue queue : QueuesOf(command)) {
      Entry copy = entry;
      if (queue == kFeed || queue == kLoader) copy.address.reset();
      expected_[queue].push_back(copy);
    }
    stream_.push_back(entry.bytes);
  }

  void Raw(const Bytes& bytes) { stream_.push_back(bytes); }

  // Until everything legal has left the queues.
  void Drain() {
    while (!Empty()) Cycle();
    for (int i = 0; i < 10; ++i) Cycle();
  }

  // The stream's last legal commands have left and the next one is refused for good.
  void ExpectRefused(uint32_t code, uint32_t index) {
    Drain();
    for (int i = 0; i < 10; ++i) {
      Cycle();
      ASSERT_EQ(bench_->error_o, code);
      ASSERT_EQ(bench_->error_index_o, index);
      ASSERT_FALSE(ended_);
    }
  }

  void RunToEnd() {
    while (!ended_) Cycle();
    Require(Empty(), "END before the queues were empty");
  }

  bool Empty() const {
    for (const auto& queue : expected_) {
      if (!queue.empty()) return false;
    }
    return true;
  }

  size_t taken() const { return at_; }
  void set_idle_chance(double chance) { idle_chance_ = chance; }

  double stall = 0.3;  // of the stream and of the queues' readers
  bool readers_stop = false;

  void Cycle() {
    bench_->cmd_valid_i = at_ < stream_.size() && (bench_->cmd_valid_i || !rng_.Chance(stall));
    const Bytes noise = Noise();
    std::memcpy(static_cast<void*>(&bench_->cmd_i),
                bench_->cmd_valid_i ? stream_[at_].data() : noise.data(), kCommandBytes);
    bench_->cmd_index_i = static_cast<uint32_t>(at_);
    bench_->exhausted_i = at_ == stream_.size();
    ready_ = static_cast<int>(rng_.Bits() & 63);
    if (readers_stop || rng_.Chance(stall)) ready_ = 0;
    SetReady(ready_);
    bench_->engines_idle_i = rng_.Chance(idle_chance_);
    const std::array<bool, 3> retired = {rng_.Chance(0.3), rng_.Chance(0.3), rng_.Chance(0.3)};
    bench_->load_retired_i = retired[0];
    bench_->block_retired_i = retired[1];
    bench_->store_retired_i = retired[2];
    bench_.Settle();
    const bool taken = bench_->cmd_valid_i && bench_->cmd_ready_o;
    Look();
    if (bench_->end_o) {
      Require(was_idle_, "END while engines work");
      Require(!ended_, "END twice");
      ended_ = true;
      bench_->running_i =
          0;  // the job processor sees it at this edge; the engines' reset comes next
    }
    was_idle_ = bench_->engines_idle_i;
    bench_.Tick();
    if (taken) {
      ++at_;
      bench_->cmd_valid_i = 0;
    }
    if (last_feed_) Require(bench_->feed_index_o == *last_feed_, "index of the feed");
    counts_[0] += retired[0];
    counts_[1] += retired[1];
    counts_[2] += retired[2];
  }

  void ExpectCounts() {
    EXPECT_EQ(bench_->load_count_o, counts_[0]);
    EXPECT_EQ(bench_->exec_count_o, counts_[1]);
    EXPECT_EQ(bench_->store_count_o, counts_[2]);
  }
  void ClearCounts() { counts_ = {}; }

 private:
  Bytes Noise() {
    Bytes bytes;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng_.Bits());
    return bytes;
  }

  void SetReady(int mask) {
    bench_->load_ready_i = mask & 1;
    bench_->weights_ready_i = mask >> 1 & 1;
    bench_->store_ready_i = mask >> 2 & 1;
    bench_->feed_ready_i = mask >> 3 & 1;
    bench_->loader_ready_i = mask >> 4 & 1;
    bench_->post_ready_i = mask >> 5 & 1;
  }

  std::optional<uint64_t> Address(const Command& command) const {
    return std::visit(
        [this](const auto& cmd) -> std::optional<uint64_t> {
          if constexpr (requires { cmd.region; }) {
            return (region_[cmd.region] + cmd.offset) & 0xffffffffff;
          } else {
            return std::nullopt;
          }
        },
        command);
  }

  void Look() {
    Check(kLoad, bench_->load_valid_o, bench_->load_cmd_o, bench_->load_index_o,
          bench_->load_addr_o);
    Check(kWeights, bench_->weights_valid_o, bench_->weights_cmd_o, bench_->weights_index_o,
          bench_->weights_addr_o);
    Check(kStore, bench_->store_valid_o, bench_->store_cmd_o, bench_->store_index_o,
          bench_->store_addr_o);
    if (bench_->feed_valid_o && (ready_ >> kFeed & 1)) last_feed_ = expected_[kFeed].front().index;
    Check(kFeed, bench_->feed_valid_o, bench_->feed_cmd_o, std::nullopt, std::nullopt);
    Check(kLoader, bench_->loader_valid_o, bench_->loader_cmd_o, std::nullopt, std::nullopt);
    Check(kPost, bench_->post_valid_o, bench_->post_cmd_o, bench_->post_index_o,
          bench_->post_addr_o);
  }

  template <typename Port>
  void Check(Queue queue, bool valid, const Port& port, std::optional<uint32_t> index,
             std::optional<uint64_t> address) {
    if (!valid || !(ready_ >> queue & 1)) return;
    const std::string name = "queue " + std::to_string(queue) + ": ";
    Require(!expected_[queue].empty(), name + "a command too many");
    const Entry want = expected_[queue].front();
    expected_[queue].pop_front();
    Bytes bytes;
    std::memcpy(bytes.data(), static_cast<const void*>(&port), kCommandBytes);
    Require(bytes == want.bytes, name + "another command");
    Require(!index || *index == want.index, name + "index");
    Require(!address || !want.address || *address == *want.address, name + "address");
  }

  void Require(bool ok, const std::string& what) const {
    if (!ok) throw std::runtime_error(what + ", cycle " + std::to_string(bench_.cycle()));
  }

  Rng& rng_;
  testing::Bench<Model> bench_;
  std::array<uint64_t, 8> region_ = {};
  std::vector<Bytes> stream_;
  std::array<std::deque<Entry>, kQueues> expected_;
  size_t at_ = 0;
  int ready_ = 0;
  double idle_chance_ = 0.3;
  bool ended_ = false;
  bool was_idle_ = false;  // the engines, in the cycle before
  std::optional<uint32_t> last_feed_;
  std::array<uint16_t, 3> counts_ = {};
};

// ---- commands

// Every field at random, within its bits.
template <typename Cmd>
Cmd RandomFields(Rng& rng) {
  const CommandInfo& info = InfoOf(Command(Cmd{}));
  Cmd cmd;
  size_t i = 0;
  cmd.ForEachField([&](int64_t& field) {
    const FieldInfo& bits = info.fields[i++];
    const int64_t low = bits.is_signed ? -(int64_t{1} << (bits.bits - 1)) : 0;
    const int64_t high = (int64_t{1} << (bits.is_signed ? bits.bits - 1 : bits.bits)) - 1;
    field = rng.Chance(0.1) ? low : rng.Chance(0.1) ? high : rng.Int(low, high);
  });
  return cmd;
}

template <typename Cmd>
Cmd LegalCopy(Rng& rng, const HardwareConfig& config) {
  Cmd cmd = RandomFields<Cmd>(rng);
  const int64_t word = config.word();
  for (int64_t* field : {&cmd.offset, &cmd.spad_addr, &cmd.mem_pitch, &cmd.spad_pitch})
    *field = *field / word * word;
  cmd.rows = std::max<int64_t>(cmd.rows, 1);
  cmd.row_bytes = std::max<int64_t>(cmd.row_bytes, 1);
  return cmd;
}

MarkCmd LegalMark(Rng& rng) {
  MarkCmd cmd = RandomFields<MarkCmd>(rng);
  cmd.offset = cmd.offset / 64 * 64;
  return cmd;
}

LoadWeightsCmd LegalWeights(Rng& rng, const HardwareConfig& config) {
  LoadWeightsCmd cmd = RandomFields<LoadWeightsCmd>(rng);
  cmd.offset = cmd.offset / config.word() * config.word();
  cmd.words = rng.Chance(0.2) ? config.ring_words() : rng.Int(1, config.ring_words());
  return cmd;
}

SetupInputCmd LegalInput(Rng& rng) {
  SetupInputCmd cmd = RandomFields<SetupInputCmd>(rng);
  cmd.mode = rng.Int(0, 2);
  cmd.kernel_rows = std::max<int64_t>(cmd.kernel_rows, 1);
  cmd.kernel_span = std::max<int64_t>(cmd.kernel_span, 1);
  return cmd;
}

SetupOutputCmd LegalOutput(Rng& rng) {
  SetupOutputCmd cmd = RandomFields<SetupOutputCmd>(rng);
  cmd.rounding = rng.Int(0, 2);
  if (!cmd.has_params) cmd.per_tensor = 1;
  cmd.shift = rng.Chance(0.3) ? rng.Pick<int64_t>({-31, 31}) : rng.Int(-31, 31);
  if (cmd.clamp_low > cmd.clamp_high) std::swap(cmd.clamp_low, cmd.clamp_high);
  return cmd;
}

SetupAddCmd LegalAdd(Rng& rng) {
  SetupAddCmd cmd = RandomFields<SetupAddCmd>(rng);
  for (int64_t* shift : {&cmd.a_shift, &cmd.b_shift, &cmd.sum_shift})
    *shift = std::max<int64_t>(*shift, -31);
  if (cmd.sum_clamp_low > cmd.sum_clamp_high) std::swap(cmd.sum_clamp_low, cmd.sum_clamp_high);
  return cmd;
}

template <typename Cmd>
void MakeGeometryLegal(Rng& rng, const HardwareConfig& config, Cmd& cmd) {
  cmd.pixels = rng.Chance(0.2) ? config.stripe : rng.Int(1, config.stripe);
  cmd.tile_width = std::max<int64_t>(cmd.tile_width, 1);
  cmd.tile_x = rng.Chance(0.2) ? cmd.tile_width - 1 : rng.Int(0, cmd.tile_width - 1);
  cmd.channels = std::max<int64_t>(cmd.channels, 1);
}

// `output` is the SETUP_OUTPUT before it; no accumulation is open.
RunCmd LegalRun(Rng& rng, const HardwareConfig& config, const SetupOutputCmd& output) {
  RunCmd cmd = RandomFields<RunCmd>(rng);
  MakeGeometryLegal(rng, config, cmd);
  cmd.acc_first = 1;
  if (!cmd.acc_last) cmd.channels = rng.Chance(0.3) ? config.n : rng.Int(1, config.n);
  if (output.has_params) cmd.weights_shared = 0;
  cmd.beats = std::max<int64_t>(cmd.beats, 1);
  return cmd;
}

// Goes on with the accumulation that `first` opened.
RunCmd NextRun(Rng& rng, const HardwareConfig& config, const SetupOutputCmd& output,
               const RunCmd& first) {
  RunCmd cmd = LegalRun(rng, config, output);
  cmd.acc_first = 0;
  cmd.pixels = first.pixels;
  cmd.channels = first.channels;
  return cmd;
}

EltwiseCmd LegalEltwise(Rng& rng, const HardwareConfig& config) {
  EltwiseCmd cmd = RandomFields<EltwiseCmd>(rng);
  MakeGeometryLegal(rng, config, cmd);
  return cmd;
}

SoftmaxCmd LegalSoftmax(Rng& rng) {
  SoftmaxCmd cmd = RandomFields<SoftmaxCmd>(rng);
  cmd.length = std::max<int64_t>(cmd.length, 1);
  return cmd;
}

const SetupOutputCmd kPlainOutput{.per_tensor = 1, .clamp_low = -128, .clamp_high = 127};
const SetupInputCmd kPlainInput{.kernel_rows = 1, .kernel_span = 1};

// Mode 3, with the fewest rows, and what its RUN must say.
SetupInputCmd PairsInput(const HardwareConfig& config) {
  return {.mode = 3,
          .in_addr = 2 * config.n,
          .in_pitch = 5 * config.n,
          .in_row_bytes = 4 * config.n,
          .pixel_bytes = config.n / 2,
          .step_bytes = config.n,
          .kernel_rows = 1,
          .kernel_span = 3};
}

RunCmd PairsRun(const HardwareConfig& config) {
  return {.acc_first = 1,
          .acc_last = 1,
          .pixels = 1,
          .tile_width = 1,
          .in_x = -config.n / 2,
          .channels = config.n,
          .beats = 1};
}

bool HasPairs(const HardwareConfig& config) {
  return config.word() == config.n && config.window_cols >= 3;
}

template <typename T>
class DispatchTest : public ::testing::Test {
 protected:
  static constexpr const HardwareConfig& kConfig = T::kConfig;

  // One legal command of each kind; the exec commands' setups must have come.
  static std::vector<Command> OneOfEach(Rng& rng) {
    return {NopCmd{},
            EndCmd{},
            LegalMark(rng),
            LegalCopy<LoadCmd>(rng, kConfig),
            LegalWeights(rng, kConfig),
            LegalCopy<StoreCmd>(rng, kConfig),
            LegalInput(rng),
            LegalOutput(rng),
            LegalAdd(rng),
            LegalRun(rng, kConfig, kPlainOutput),
            LegalEltwise(rng, kConfig),
            LegalSoftmax(rng)};
  }
};
using Dispatches =
    ::testing::Types<Dispatch<Vweft_dispatch_weft64, 0>, Dispatch<Vweft_dispatch_weft256, 1>,
                     Dispatch<Vweft_dispatch_weft1024, 2>>;
TYPED_TEST_SUITE(DispatchTest, Dispatches);

// Long legal streams: everything arrives where it belongs, in order, with index and address.
TYPED_TEST(DispatchTest, LegalStreams) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  DispatchBench<TypeParam> bench(rng);
  for (int round = 0; round < 60; ++round) {
    bench.Restart();
    bench.ClearCounts();
    bench.stall = rng.Pick<double>({0, 0.3, 0.8});
    bench.set_idle_chance(rng.Pick<double>({1, 0.1}));
    bool input = false, add = false;
    std::optional<SetupOutputCmd> output;
    bool open = false;  // an accumulation
    RunCmd first;       // that opened it
    for (int64_t i = rng.Int(0, 200); i > 0; --i) {
      switch (open ? rng.Pick<int64_t>({0, 1, 2, 3, 4, 8}) : rng.Int(0, 10)) {
        case 0:
          bench.Legal(NopCmd{});
          break;
        case 1:
          bench.Legal(LegalMark(rng));
          break;
        case 2:
          bench.Legal(LegalCopy<LoadCmd>(rng, config));
          break;
        case 3:
          bench.Legal(LegalWeights(rng, config));
          break;
        case 4:
          bench.Legal(LegalCopy<StoreCmd>(rng, config));
          break;
        case 5:
          bench.Legal(LegalInput(rng));
          input = true;
          break;
        case 6:
          output = LegalOutput(rng);
          bench.Legal(*output);
          break;
        case 7:
          bench.Legal(LegalAdd(rng));
          add = true;
          break;
        case 8:
          if (input && output && (add || !output->add)) {
            const RunCmd run =
                open ? NextRun(rng, config, *output, first) : LegalRun(rng, config, *output);
            bench.Legal(run);
            if (!open) first = run;
            open = !run.acc_last;
          }
          break;
        case 9:
          if (output && add && !output->has_params) bench.Legal(LegalEltwise(rng, config));
          break;
        default:
          bench.Legal(LegalSoftmax(rng));
      }
    }
    if (open) {
      RunCmd run = NextRun(rng, config, *output, first);
      run.acc_last = 1;
      bench.Legal(run);
    }
    bench.Legal(EndCmd{});
    bench.RunToEnd();
    bench.ExpectCounts();
    EXPECT_EQ(bench->error_o, 0);
  }
}

// What RUNs of one accumulation must repeat and what may not come between them.
TYPED_TEST(DispatchTest, Accumulations) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  DispatchBench<TypeParam> bench(rng);
  bench.stall = 0;
  for (int i = 0; i < 30 && !this->HasFailure(); ++i) {
    RunCmd first = LegalRun(rng, config, kPlainOutput);
    first.acc_last = 0;
    first.channels = rng.Int(1, config.n);
    std::vector<Command> before = {kPlainInput, kPlainOutput, SetupAddCmd{}};
    const RunCmd lone = NextRun(rng, config, kPlainOutput, first);
    const auto refuse = [&](const std::string& what, const Command& command) {
      SCOPED_TRACE(what + ": " + Format(command));
      bench.Restart();
      for (const Command& setup : before) bench.Legal(setup);
      bench.Raw(Encoded(command));
      bench.Raw(Encoded(NopCmd{}));
      bench.ExpectRefused(WEFT_ERROR_BAD_FIELD, static_cast<uint32_t>(before.size()));
    };
    refuse("nothing to go on with", lone);

    before.push_back(first);
    for (int64_t more = rng.Int(0, 2); more > 0; --more) {
      RunCmd run = NextRun(rng, config, kPlainOutput, first);
      run.acc_last = 0;
      before.push_back(run);
      // These may come between.
      before.push_back(NopCmd{});
      before.push_back(LegalMark(rng));
      before.push_back(LegalCopy<LoadCmd>(rng, config));
      before.push_back(LegalWeights(rng, config));
      before.push_back(LegalCopy<StoreCmd>(rng, config));
    }
    const RunCmd next = NextRun(rng, config, kPlainOutput, first);
    RunCmd bad = next;
    bad.acc_first = 1;
    refuse("begins anew", bad);
    bad = next;
    bad.pixels = first.pixels == 1 ? 2 : first.pixels - rng.Int(1, first.pixels - 1);
    refuse("other pixels", bad);
    bad = next;
    bad.channels = first.channels == 1 ? 2 : first.channels - rng.Int(1, first.channels - 1);
    refuse("other channels", bad);
    refuse("within an accumulation", EndCmd{});
    refuse("within an accumulation", LegalInput(rng));
    refuse("within an accumulation", LegalOutput(rng));
    refuse("within an accumulation", LegalAdd(rng));
    refuse("within an accumulation", LegalEltwise(rng, config));
    refuse("within an accumulation", LegalSoftmax(rng));

    // Closed, nothing is left of it.
    RunCmd last = next;
    last.acc_last = 1;
    before.push_back(last);
    refuse("nothing to go on with", lone);
    for (const Command& setup : {Command{LegalInput(rng)}, Command{LegalAdd(rng)},
                                 Command{LegalEltwise(rng, config)}, Command{LegalSoftmax(rng)}}) {
      before.push_back(setup);
    }
    bench.Restart();
    for (const Command& command : before) bench.Legal(command);
    bench.Legal(EndCmd{});
    bench.RunToEnd();
    // Nor in the next job.
    bench.Restart();
    for (const Command& setup : {Command{kPlainInput}, Command{kPlainOutput}, Command{first}})
      bench.Legal(setup);
    bench.Drain();
    before = {kPlainInput, kPlainOutput, SetupAddCmd{}};
    refuse("nothing to go on with", lone);
  }
}

// Counts wrap at 2^16.
TYPED_TEST(DispatchTest, CountsWrap) {
  Rng rng;
  DispatchBench<TypeParam> bench(rng);
  bench.ClearCounts();
  for (int i = 0; i < 300000; ++i) bench.Cycle();
  bench.ExpectCounts();
}

// Each reserved bit of each command, alone.
TYPED_TEST(DispatchTest, ReservedBits) {
  Rng rng;
  DispatchBench<TypeParam> bench(rng);
  bench.stall = 0;
  for (const Command& command : this->OneOfEach(rng)) {
    for (int bit = InfoOf(command).used_bits; bit < 8 * kCommandBytes; ++bit) {
      SCOPED_TRACE(std::string(InfoOf(command).name) + " bit " + std::to_string(bit));
      bench.Restart();
      bench.Legal(kPlainInput);
      bench.Legal(kPlainOutput);
      bench.Legal(LegalAdd(rng));
      Bytes bytes = Encoded(command);
      bytes[bit / 8] |= 1 << (bit % 8);
      bench.Raw(bytes);
      bench.Raw(Encoded(NopCmd{}));
      bench.ExpectRefused(WEFT_ERROR_BAD_FIELD, 3);
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST(DispatchTest, UndefinedOpcodes) {
  Rng rng;
  DispatchBench<TypeParam> bench(rng);
  for (int opcode = 0; opcode < 256; ++opcode) {
    if (FindCommandInfo(static_cast<uint8_t>(opcode)) != nullptr) continue;
    SCOPED_TRACE(opcode);
    for (const bool noise : {false, true}) {
      bench.Restart();
      bench.Legal(NopCmd{});
      Bytes bytes = {};
      if (noise) {
        for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng.Bits());
      }
      bytes[0] = static_cast<uint8_t>(opcode);
      bench.Raw(bytes);
      bench.Raw(Encoded(EndCmd{}));
      bench.ExpectRefused(WEFT_ERROR_BAD_OPCODE, 1);
      if (this->HasFatalFailure()) return;
    }
  }
}

// One field wrong in a command that is legal otherwise.
TYPED_TEST(DispatchTest, IllegalValues) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  DispatchBench<TypeParam> bench(rng);
  bench.stall = 0;

  // Setups are plain; `before` may send others.
  const auto refuse =
      [&](const std::string& what, const Command& command, uint32_t code,
          const std::vector<Command>& before = {kPlainInput, kPlainOutput, SetupAddCmd{}}) {
        SCOPED_TRACE(what + ": " + Format(command));
        bench.Restart();
        for (const Command& setup : before) bench.Legal(setup);
        bench.Raw(Encoded(command));
        bench.Raw(Encoded(NopCmd{}));
        bench.ExpectRefused(code, static_cast<uint32_t>(before.size()));
      };
  const auto with = [](auto command, auto change) {
    change(command);
    return command;
  };

  for (int i = 0; i < 20 && !this->HasFailure(); ++i) {
    for (const int64_t unaligned : {int64_t{1}, rng.Int(1, 63), int64_t{32}})
      refuse("offset", with(LegalMark(rng), [&](auto& c) { c.offset ^= unaligned; }),
             WEFT_ERROR_BAD_ADDRESS);

    const auto copies = [&](auto legal) {
      const int64_t unaligned = rng.Chance(0.5) ? config.word() / 2 : rng.Int(1, config.word() - 1);
      refuse("rows", with(legal, [](auto& c) { c.rows = 0; }), WEFT_ERROR_BAD_FIELD);
      refuse("row_bytes", with(legal, [](auto& c) { c.row_bytes = 0; }), WEFT_ERROR_BAD_FIELD);
      refuse("offset", with(legal, [&](auto& c) { c.offset ^= unaligned; }),
             WEFT_ERROR_BAD_ADDRESS);
      refuse("spad_addr", with(legal, [&](auto& c) { c.spad_addr ^= unaligned; }),
             WEFT_ERROR_BAD_ADDRESS);
      refuse("mem_pitch", with(legal, [&](auto& c) { c.mem_pitch ^= unaligned; }),
             WEFT_ERROR_BAD_ADDRESS);
      refuse("spad_pitch", with(legal, [&](auto& c) { c.spad_pitch ^= unaligned; }),
             WEFT_ERROR_BAD_ADDRESS);
      refuse("both", with(legal, [&](auto& c) { c.rows = 0, c.offset ^= 1; }),
             WEFT_ERROR_BAD_FIELD);
    };
    copies(LegalCopy<LoadCmd>(rng, config));
    copies(LegalCopy<StoreCmd>(rng, config));

    const LoadWeightsCmd weights = LegalWeights(rng, config);
    refuse("words", with(weights, [](auto& c) { c.words = 0; }), WEFT_ERROR_BAD_FIELD);
    refuse("words", with(weights, [&](auto& c) { c.words = config.ring_words() + 1; }),
           WEFT_ERROR_BAD_ADDRESS);
    refuse("words", with(weights, [&](auto& c) { c.words = 65535; }), WEFT_ERROR_BAD_ADDRESS);
    refuse("offset", with(weights, [&](auto& c) { c.offset ^= rng.Int(1, config.word() - 1); }),
           WEFT_ERROR_BAD_ADDRESS);

    const SetupInputCmd input = LegalInput(rng);
    for (const int64_t mode : {4, 5, 6, 7})
      refuse("mode", with(input, [&](auto& c) { c.mode = mode; }), WEFT_ERROR_BAD_FIELD);
    refuse("kernel_rows", with(input, [](auto& c) { c.kernel_rows = 0; }), WEFT_ERROR_BAD_FIELD);
    refuse("kernel_span", with(input, [](auto& c) { c.kernel_span = 0; }), WEFT_ERROR_BAD_FIELD);

    const SetupInputCmd pairs = PairsInput(config);
    const int64_t off = rng.Int(1, config.n - 1);
    for (const auto& [what, wrong] : std::vector<std::pair<std::string, SetupInputCmd>>{
             {"rows", with(pairs, [&](auto& c) { c.kernel_rows = config.window_rows + 1; })},
             {"span", with(pairs, [&](auto& c) { c.kernel_span = rng.Chance(0.5) ? 2 : 4; })},
             {"pixel_bytes", with(pairs, [&](auto& c) { c.pixel_bytes -= 1; })},
             {"step_bytes", with(pairs, [&](auto& c) { c.step_bytes = config.n / 2; })},
             {"in_addr", with(pairs, [&](auto& c) { c.in_addr += off; })},
             {"in_pitch", with(pairs, [&](auto& c) { c.in_pitch += off; })},
             {"in_row_bytes", with(pairs, [&](auto& c) { c.in_row_bytes += off; })}}) {
      refuse("pairs: " + what, wrong, WEFT_ERROR_BAD_FIELD);
    }
    const std::vector<Command> before = {pairs, kPlainOutput};
    const RunCmd pairs_run = PairsRun(config);
    const int64_t apart = rng.Int(1, config.n / 2 - 1);
    if (HasPairs(config)) {
      refuse("pairs: channels", with(pairs_run, [](auto& c) { --c.channels; }),
             WEFT_ERROR_BAD_FIELD, before);
      refuse("pairs: beats", with(pairs_run, [](auto& c) { c.beats = 2; }), WEFT_ERROR_BAD_FIELD,
             before);
      refuse("pairs: in_x", with(pairs_run, [&](auto& c) { c.in_x += apart; }),
             WEFT_ERROR_BAD_FIELD, before);
    } else {
      refuse("no pairs here", pairs, WEFT_ERROR_BAD_FIELD);
    }

    const SetupOutputCmd output = LegalOutput(rng);
    refuse("rounding", with(output, [](auto& c) { c.rounding = 3; }), WEFT_ERROR_BAD_FIELD);
    refuse("neither", with(output, [](auto& c) { c.has_params = c.per_tensor = 0; }),
           WEFT_ERROR_BAD_FIELD);
    for (const int64_t shift : {-128, -33, -32, 32, 33, 64, 127})
      refuse("shift", with(output, [&](auto& c) { c.shift = shift; }), WEFT_ERROR_BAD_FIELD);
    refuse("clamp", with(output, [](auto& c) { c.clamp_low = 1, c.clamp_high = 0; }),
           WEFT_ERROR_BAD_FIELD);
    refuse("clamp", with(output, [](auto& c) { c.clamp_low = 0, c.clamp_high = -1; }),
           WEFT_ERROR_BAD_FIELD);
    refuse("clamp", with(output, [](auto& c) { c.clamp_low = 127, c.clamp_high = -128; }),
           WEFT_ERROR_BAD_FIELD);

    const SetupAddCmd add = LegalAdd(rng);
    refuse("a_shift", with(add, [](auto& c) { c.a_shift = -32; }), WEFT_ERROR_BAD_FIELD);
    refuse("b_shift", with(add, [](auto& c) { c.b_shift = -32; }), WEFT_ERROR_BAD_FIELD);
    refuse("sum_shift", with(add, [](auto& c) { c.sum_shift = -32; }), WEFT_ERROR_BAD_FIELD);
    refuse("clamp", with(add, [](auto& c) { c.sum_clamp_low = -3, c.sum_clamp_high = -4; }),
           WEFT_ERROR_BAD_FIELD);
    refuse("clamp", with(add, [](auto& c) { c.sum_clamp_low = 127, c.sum_clamp_high = -128; }),
           WEFT_ERROR_BAD_FIELD);

    const auto stripes = [&](auto legal) {
      refuse("pixels", with(legal, [](auto& c) { c.pixels = 0; }), WEFT_ERROR_BAD_FIELD);
      refuse("pixels", with(legal, [&](auto& c) { c.pixels = config.stripe + 1; }),
             WEFT_ERROR_BAD_FIELD);
      refuse("pixels", with(legal, [](auto& c) { c.pixels = 255; }), WEFT_ERROR_BAD_FIELD);
      refuse("tile_x", with(legal, [](auto& c) { c.tile_x = c.tile_width; }), WEFT_ERROR_BAD_FIELD);
      refuse("tile_width", with(legal, [](auto& c) { c.tile_x = c.tile_width = 0; }),
             WEFT_ERROR_BAD_FIELD);
      refuse("tile_x", with(legal, [](auto& c) { c.tile_width = 1, c.tile_x = 4095; }),
             WEFT_ERROR_BAD_FIELD);
      refuse("channels", with(legal, [](auto& c) { c.channels = 0; }), WEFT_ERROR_BAD_FIELD);
    };
    RunCmd run = LegalRun(rng, config, kPlainOutput);
    run.tile_width = std::min<int64_t>(run.tile_width, 4095);
    run.tile_x = std::min(run.tile_x, run.tile_width - 1);
    stripes(run);
    refuse("beats", with(run, [](auto& c) { c.beats = 0; }), WEFT_ERROR_BAD_FIELD);
    refuse("partial", with(run, [&](auto& c) { c.acc_last = 0, c.channels = config.n + 1; }),
           WEFT_ERROR_BAD_FIELD);
    refuse("no input setup", run, WEFT_ERROR_BAD_FIELD, {kPlainOutput, SetupAddCmd{}});
    refuse("no output setup", run, WEFT_ERROR_BAD_FIELD, {kPlainInput, SetupAddCmd{}});
    SetupOutputCmd adds = kPlainOutput;
    adds.add = 1;
    refuse("no setup of the addition", with(run, [](auto& c) { c.acc_last = 1; }),
           WEFT_ERROR_BAD_FIELD, {kPlainInput, adds});
    SetupOutputCmd params = kPlainOutput;
    params.has_params = 1;
    refuse("shared weights with a record", with(run, [](auto& c) { c.weights_shared = 1; }),
           WEFT_ERROR_BAD_FIELD, {kPlainInput, kPlainOutput, params});

    const EltwiseCmd eltwise = LegalEltwise(rng, config);
    stripes(eltwise);
    refuse("no output setup", eltwise, WEFT_ERROR_BAD_FIELD, {SetupAddCmd{}});
    refuse("no setup of the addition", eltwise, WEFT_ERROR_BAD_FIELD, {kPlainOutput});
    refuse("a record", eltwise, WEFT_ERROR_BAD_FIELD, {SetupAddCmd{}, params});
    params.per_tensor = 0;
    refuse("a record", eltwise, WEFT_ERROR_BAD_FIELD, {SetupAddCmd{}, params});

    refuse("length", with(LegalSoftmax(rng), [](auto& c) { c.length = 0; }), WEFT_ERROR_BAD_FIELD);
  }
}

// A stream that runs out, at any length.
TYPED_TEST(DispatchTest, StreamWithoutEnd) {
  Rng rng;
  DispatchBench<TypeParam> bench(rng);
  for (int length = 1; length < 30; ++length) {
    bench.Restart();
    for (int i = 0; i < length; ++i) bench.Legal(LegalMark(rng));
    bench.ExpectRefused(WEFT_ERROR_BAD_STREAM, length);
  }
}

// Commands are taken ahead of the engines until a queue is full.
TYPED_TEST(DispatchTest, FullQueue) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  constexpr int kDepth = 8;
  Rng rng;
  DispatchBench<TypeParam> bench(rng);
  bench.stall = 0;
  bench.Restart();
  for (int i = 0; i < 30; ++i) {
    bench.Legal(LegalCopy<LoadCmd>(rng, config));
    bench.Legal(LegalSoftmax(rng));
  }
  bench.readers_stop = true;
  for (int i = 0; i < 100; ++i) bench.Cycle();
  EXPECT_GE(bench.taken(), size_t{2 * kDepth});
  EXPECT_LE(bench.taken(), size_t{2 * kDepth + 2});
  bench.readers_stop = false;
  bench.Legal(EndCmd{});
  bench.RunToEnd();
}

}  // namespace
}  // namespace weft
