// SPDX-License-Identifier: Apache-2.0
//
// The whole of post-processing between models of its neighbours: dispatcher, weight loader,
// accumulators, scratchpad, result writer and marker, each stalling at random.
#include <array>
#include <deque>
#include <sstream>
#include <stdexcept>
#include <string>

#include "Vweft_post_stage_weft1024.h"
#include "Vweft_post_stage_weft256.h"
#include "Vweft_post_stage_weft64.h"
#include "sw/command/codec.h"
#include "tb/lib/bench.h"
#include "tb/unit/post/ports.h"
#include "tb/unit/post/post_model.h"
#include "weft/hw/configs.h"

namespace weft {
namespace {

using testing::Put;
using testing::PutBytes;
using testing::Rng;
using testing::Take;

template <typename M, int kIndex>
struct Stage : M {
  using M::M;
  static constexpr const HardwareConfig& kConfig = kHardwareConfigs[kIndex];
};

// What leaves the stage, in order: result bytes, ends of blocks, marks.
struct Item {
  enum Kind { kByte, kBlockEnd, kMark } kind;
  int64_t addr = 0;    // byte address; for a mark the memory address
  int64_t value = 0;   // the byte; for a mark the layer
  size_t command = 0;  // which command it is of
  bool operator==(const Item& other) const {
    return kind == other.kind && addr == other.addr && value == other.value;
  }
};

std::ostream& operator<<(std::ostream& out, const Item& item) {
  static constexpr const char* kNames[] = {"byte", "block end", "mark"};
  return out << kNames[item.kind] << " " << item.addr << " = " << item.value;
}

// How often each neighbour stalls.
struct Stalls {
  double command = 0, params = 0, fill = 0, grant = 0, result = 0, writer = 0, mark = 0;

  static Stalls Random(Rng& rng) {
    const auto draw = [&rng] { return rng.Pick<double>({0, 0, 0.1, 0.5, 0.9}); };
    return {draw(), draw(), draw(), draw(), draw(), draw(), draw()};
  }
};

template <typename Model>
class Post {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;
  static constexpr int kN = kConfig.n;
  static constexpr int kLanes = kConfig.post_lanes;
  static constexpr int kWord = kConfig.word();
  static constexpr int kAddrBits = std::bit_width(unsigned{kConfig.scratchpad / kWord - 1});
  using Rows = std::vector<std::vector<int32_t>>;

  explicit Post(Rng& rng) : rng_(rng), bench_(20000000) {
    scratchpad_ = rng.Vector<int8_t>(kConfig.scratchpad);
    Forget();
  }

  testing::Bench<Model>& bench() { return bench_; }
  std::vector<int8_t>& scratchpad() { return scratchpad_; }
  int pending() const { return static_cast<int>(expected_.size() + blocks_.size()); }
  const std::vector<uint64_t>& releases() const { return releases_; }
  void set_stalls(const Stalls& stalls) { stalls_ = stalls; }

  // ---- what comes in; each call also notes what must come out

  void Add(const Command& command, int64_t addr = 0) {
    Offer offer;
    Encode(command, offer.bytes);
    offer.addr = addr;
    offer.index = next_index_++;
    commands_.push_back(offer);
    log_.push_back(Format(command));
    if (const auto* setup = std::get_if<SetupOutputCmd>(&command)) output_ = *setup;
    if (const auto* setup = std::get_if<SetupAddCmd>(&command)) add_ = *setup;
    if (const auto* mark = std::get_if<MarkCmd>(&command)) Push({Item::kMark, addr, mark->layer});
    if (const auto* run = std::get_if<RunCmd>(&command); run != nullptr && run->acc_last)
      AddRun(*run);
    if (const auto* eltwise = std::get_if<EltwiseCmd>(&command)) AddEltwise(*eltwise);
  }

  void AddSoftmax(const SoftmaxCmd& command, const std::vector<int32_t>& table) {
    Add(command);
    for (int i = 0; i < 256; i += kConfig.weight_word / 4) {
      Word word{std::vector<uint8_t>(kConfig.weight_word), true,
                i + kConfig.weight_word / 4 == 256};
      std::memcpy(word.data.data(), &table[i], kConfig.weight_word);
      params_.push_back(word);
    }
    const std::vector<int8_t> row(scratchpad_.begin() + command.in_addr,
                                  scratchpad_.begin() + command.in_addr + command.length);
    const std::vector<int8_t> result = post_model::Softmax(row, table);
    for (int i = 0; i < command.length; ++i) Push({Item::kByte, command.out_addr + i, result[i]});
    Push({Item::kBlockEnd});
    blocks_.push_back({});
  }

  // Bytes from column 0 of a rectangle's first row to pixel p.
  template <typename Cmd>
  int64_t Place(const Cmd& cmd, int p, int64_t pitch) const {
    const int64_t x = cmd.tile_x + p;
    return x / cmd.tile_width * pitch + x % cmd.tile_width * output_.out_pixel;
  }

  // ---- simulation

  void Drain() {
    while (!expected_.empty() || !blocks_.empty() || !commands_.empty()) Cycle();
    for (int i = 0; i < 100; ++i) Cycle();  // nothing more may come
    EXPECT_TRUE(params_.empty());
    EXPECT_TRUE(bench_->idle_o);
    EXPECT_EQ(full_, 0);
  }

  // The engines' reset: everything in flight is gone on all sides.
  void Reset() {
    bench_->rst_ni = 0;
    for (int64_t i = rng_.Int(1, 3); i > 0; --i) {
      Drive();
      bench_.Tick();
    }
    bench_->rst_ni = 1;
    Forget();
  }

  void Cycle() {
    Drive();
    bench_.Settle();
    Require(!bench_->err_o, "err_o");

    // commands, parameters
    if (command_valid_ && bench_->cmd_ready_o) {
      commands_.pop_front();
      command_valid_ = false;
    }
    if (param_valid_ && bench_->prm_ready_o) {
      params_.pop_front();
      param_valid_ = false;
    }
    LookAtAccumulators();
    LookAtOperands();
    LookAtResults();
    bench_.Tick();
    FinishAccumulators();
    FinishOperands();
  }

  bool Busy() const { return !expected_.empty(); }

 private:
  struct Offer {
    std::array<uint8_t, kCommandBytes> bytes;
    int64_t addr;
    uint32_t index;
  };
  struct Word {
    std::vector<uint8_t> data;
    bool table;
    bool last;
  };

  void Forget() {
    commands_.clear();
    params_.clear();
    blocks_.clear();
    expected_.clear();
    command_valid_ = param_valid_ = false;
    writer_busy_ = held_ = false;
    full_ = 0;
    fill_buffer_ = 0;
    releases_.clear();
    bench_->acc_full_i = 0;
    Drive();
  }

  int8_t AddOne(int32_t a, int8_t b) const {
    const auto operand = [this](int32_t value, int64_t zero, int64_t multiplier, int64_t shift) {
      return post_model::Requantise(
          post_model::Wrap(post_model::Wide{value - zero} << add_.left_shift),
          static_cast<int32_t>(multiplier), static_cast<int>(shift),
          static_cast<int>(output_.rounding));
    };
    const int32_t sum = post_model::Wrap(
        post_model::Wide{operand(a, add_.a_zero_point, add_.a_multiplier, add_.a_shift)} +
        operand(b, add_.b_zero_point, add_.b_multiplier, add_.b_shift));
    return Finish(post_model::Requantise(sum, static_cast<int32_t>(add_.sum_multiplier),
                                         static_cast<int>(add_.sum_shift),
                                         static_cast<int>(output_.rounding)),
                  add_.sum_zero_point, add_.sum_clamp_low, add_.sum_clamp_high);
  }

  static int8_t Finish(int32_t value, int64_t zero, int64_t low, int64_t high) {
    return static_cast<int8_t>(post_model::Clamp(post_model::Wrap(post_model::Wide{value} + zero),
                                                 static_cast<int32_t>(low),
                                                 static_cast<int32_t>(high)));
  }

  int32_t RandomInt32() {
    switch (rng_.Int(0, 3)) {
      case 0:
        return static_cast<int32_t>(rng_.Bits());
      case 1:
        return static_cast<int32_t>(rng_.Int(-100000, 100000));
      case 2:
        return static_cast<int32_t>(rng_.Int(-300, 300));
      default:
        return rng_.Pick<int32_t>(
            {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX, 1 << 30, -(1 << 30)});
    }
  }

  // The parameter record of one block: biases, multipliers, shifts, each from a new word on.
  struct Record {
    std::vector<int32_t> bias, multiplier;
    std::vector<int8_t> shift;
  };

  Record AddRecord() {
    Record record;
    for (int n = 0; n < kN; ++n) {
      record.bias.push_back(RandomInt32());
      record.multiplier.push_back(RandomInt32());
      record.shift.push_back(
          static_cast<int8_t>(rng_.Chance(0.5) ? rng_.Int(-12, 1) : rng_.Int(-31, 31)));
    }
    std::vector<Word> words;
    const auto append = [&](const void* data, size_t bytes) {
      for (size_t at = 0; at < bytes; at += kConfig.weight_word) {
        Word word{rng_.Vector<uint8_t>(kConfig.weight_word), false, false};
        const size_t part = std::min<size_t>(kConfig.weight_word, bytes - at);
        std::memcpy(word.data.data(), static_cast<const uint8_t*>(data) + at, part);
        words.push_back(word);
      }
    };
    append(record.bias.data(), 4 * kN);
    if (!output_.per_tensor) {
      append(record.multiplier.data(), 4 * kN);
      append(record.shift.data(), kN);
    }
    words.back().last = true;
    params_.insert(params_.end(), words.begin(), words.end());
    if (output_.per_tensor) {
      record.multiplier.assign(kN, static_cast<int32_t>(output_.multiplier));
      record.shift.assign(kN, static_cast<int8_t>(output_.shift));
    }
    return record;
  }

  void AddRun(const RunCmd& run) {
    for (int64_t block = 0; block * kN < run.channels; ++block) {
      Rows rows(kConfig.stripe, std::vector<int32_t>(kN));
      for (auto& row : rows) {
        for (int32_t& value : row) value = RandomInt32();
      }
      Record record{std::vector<int32_t>(kN, 0),
                    std::vector<int32_t>(kN, static_cast<int32_t>(output_.multiplier)),
                    std::vector<int8_t>(kN, static_cast<int8_t>(output_.shift))};
      if (output_.has_params) record = AddRecord();
      for (int p = 0; p < run.pixels; ++p) {
        for (int n = 0; n < kN && block * kN + n < run.channels; ++n) {
          const int32_t x = post_model::Wrap(post_model::Wide{rows[p][n]} + record.bias[n]);
          int8_t q = Finish(post_model::Requantise(x, record.multiplier[n], record.shift[n],
                                                   static_cast<int>(output_.rounding)),
                            output_.zero_point, output_.clamp_low, output_.clamp_high);
          if (output_.add)
            q = AddOne(q, scratchpad_[run.b_addr + Place(run, p, add_.b_pitch) + block * kN + n]);
          Push({Item::kByte, run.out_addr + Place(run, p, output_.out_pitch) + block * kN + n, q});
        }
      }
      Push({Item::kBlockEnd});
      blocks_.push_back(rows);
    }
  }

  void AddEltwise(const EltwiseCmd& cmd) {
    for (int64_t block = 0; block * kN < cmd.channels; ++block) {
      for (int p = 0; p < cmd.pixels; ++p) {
        for (int n = 0; n < kN && block * kN + n < cmd.channels; ++n) {
          const int64_t channel = block * kN + n;
          const int8_t a = scratchpad_[cmd.a_addr + Place(cmd, p, add_.a_pitch) + channel];
          const int8_t q =
              cmd.add ? AddOne(a, scratchpad_[cmd.b_addr + Place(cmd, p, add_.b_pitch) + channel])
                      : Finish(post_model::Requantise(static_cast<int32_t>(a - add_.a_zero_point),
                                                      static_cast<int32_t>(output_.multiplier),
                                                      static_cast<int>(output_.shift),
                                                      static_cast<int>(output_.rounding)),
                               output_.zero_point, output_.clamp_low, output_.clamp_high);
          Push({Item::kByte, cmd.out_addr + Place(cmd, p, output_.out_pitch) + channel, q});
        }
      }
      Push({Item::kBlockEnd});
      blocks_.push_back({});
    }
  }

  void Push(Item item) {
    item.command = log_.size() - 1;
    expected_.push_back(item);
  }

  // Ends the test at the first difference.
  void Require(bool ok, const std::string& what) const {
    if (ok) return;
    std::ostringstream text;
    text << what << ", cycle " << bench_.cycle();
    if (!expected_.empty()) {
      const size_t last = expected_.front().command;
      text << "; expected " << expected_.front() << " of the last of these commands:";
      for (size_t i = last < 6 ? 0 : last - 6; i <= last; ++i) text << "\n  " << log_[i];
    }
    throw std::runtime_error(text.str());
  }

  // Inputs of a cycle. What is not valid is noise.
  void Drive() {
    command_valid_ = command_valid_ || (!commands_.empty() && !rng_.Chance(stalls_.command));
    bench_->cmd_valid_i = command_valid_;
    if (command_valid_) {
      PutBytes(bench_->cmd_i, commands_.front().bytes.data(), kCommandBytes);
      bench_->cmd_addr_i = commands_.front().addr;
      bench_->cmd_index_i = commands_.front().index;
    } else {
      Put(bench_->cmd_i, rng_.Vector<uint8_t>(kCommandBytes));
    }
    param_valid_ = param_valid_ || (!params_.empty() && !rng_.Chance(stalls_.params));
    bench_->prm_valid_i = param_valid_;
    bench_->prm_table_i = param_valid_ ? params_.front().table : rng_.Chance(0.5);
    bench_->prm_last_i = param_valid_ ? params_.front().last : rng_.Chance(0.5);
    Put(bench_->prm_data_i,
        param_valid_ ? params_.front().data : rng_.Vector<uint8_t>(kConfig.weight_word));
    bench_->res_ready_i = !rng_.Chance(stalls_.result);
    if (writer_busy_ && !rng_.Chance(stalls_.writer)) writer_busy_ = false;
    bench_->res_idle_i = !writer_busy_;
    bench_->mark_ready_i = !rng_.Chance(stalls_.mark);
    bench_->opd_gnt_i = 0;  // depends on the requests
  }

  void LookAtAccumulators() {
    read_ = bench_->acc_rd_en_o;
    read_buffer_ = bench_->acc_rd_buf_o;
    read_row_ = bench_->acc_rd_row_o;
    if (read_) {
      Require(read_row_ < kConfig.stripe, "row beyond the stripe");
      Require(full_ >> read_buffer_ & 1, "read of a buffer that post does not own");
    }
    if (bench_->acc_wr_en_o) {
      const int buffer = bench_->acc_wr_buf_o;
      Require(full_ >> buffer & 1, "write to a buffer that post does not own");
      Require(bench_->acc_wr_row_o < kConfig.stripe, "row beyond the stripe");
      const std::vector<int32_t> data = Take<int32_t>(bench_->acc_wr_data_o, kN);
      write_row_ = accumulators_[buffer][bench_->acc_wr_row_o];
      for (int n = 0; n < kN; ++n) {
        if (bench_->acc_wr_lanes_o >> n & 1) write_row_[n] = data[n];
      }
      write_buffer_ = buffer;
      write_index_ = bench_->acc_wr_row_o;
    } else {
      write_buffer_ = -1;
    }
    release_ = bench_->acc_release_o;
    Require((release_ & ~full_) == 0, "released twice");
    Require(release_ != 3, "two released at once");
  }

  void FinishAccumulators() {
    if (read_) Put(bench_->acc_rd_data_i, accumulators_[read_buffer_][read_row_]);
    if (write_buffer_ >= 0) accumulators_[write_buffer_][write_index_] = write_row_;
    for (int buffer = 0; buffer < 2; ++buffer) {
      if (release_ >> buffer & 1) {
        full_ &= ~(1 << buffer);
        releases_.push_back(bench_.cycle());
        // The array may overwrite it at once; what was read last must have been taken.
        accumulators_[buffer] = Noise();
        if (!read_ && read_buffer_ == buffer) Put(bench_->acc_rd_data_i, accumulators_[buffer][0]);
      }
    }
    if (!blocks_.empty() && !(full_ >> fill_buffer_ & 1) && !rng_.Chance(stalls_.fill)) {
      accumulators_[fill_buffer_] = blocks_.front().empty() ? Noise() : blocks_.front();
      blocks_.pop_front();
      full_ |= 1 << fill_buffer_;
      fill_buffer_ ^= 1;
    }
    bench_->acc_full_i = full_;
  }

  Rows Noise() {
    const std::vector<int32_t> row = rng_.Vector<int32_t>(kN);
    return Rows(kConfig.stripe, row);
  }

  void LookAtOperands() {
    granted_ = 0;
    for (int port = 0; port < 2; ++port) {
      if ((bench_->opd_req_o >> port & 1) && !rng_.Chance(stalls_.grant)) granted_ |= 1 << port;
      operand_word_[port] =
          static_cast<int>(bench_->opd_addr_o >> (port * kAddrBits)) & ((1 << kAddrBits) - 1);
    }
    // Two words of one bank take two cycles.
    const auto bank = [](int word) { return (word ^ word >> 3 ^ word >> 6) & 7; };
    if (granted_ == 3 && bank(operand_word_[0]) == bank(operand_word_[1])) granted_ = 1;
    bench_->opd_gnt_i = granted_;
    bench_.Settle();
  }

  void FinishOperands() {
    std::vector<int8_t> data = rng_.Vector<int8_t>(2 * kWord);
    for (int port = 0; port < 2; ++port) {
      if (!(granted_ >> port & 1)) continue;
      Require((operand_word_[port] + 1) * kWord <= kConfig.scratchpad,
              "operand outside the memory");
      std::copy_n(scratchpad_.begin() + operand_word_[port] * kWord, kWord,
                  data.begin() + port * kWord);
    }
    Put(bench_->opd_data_i, data);
  }

  void LookAtResults() {
    const std::vector<int8_t> data = Take<int8_t>(bench_->res_data_o, kLanes);
    const uint32_t mask = bench_->res_mask_o;
    if (held_) {
      Require(bench_->res_valid_o && data == held_data_, "result not held");
    }
    held_ = bench_->res_valid_o && !bench_->res_ready_i;
    held_data_ = data;
    if (bench_->res_valid_o && bench_->res_ready_i) {
      for (int lane = 0; lane < kLanes; ++lane) {
        if (mask >> lane & 1) Expect({Item::kByte, bench_->res_addr_o + lane, data[lane]});
      }
      if (bench_->res_blk_last_o) Expect({Item::kBlockEnd});
      writer_busy_ = true;
    }
    if (bench_->mark_valid_o && bench_->mark_ready_i) {
      Require(!writer_busy_, "a mark before the results were written");
      Expect({Item::kMark, static_cast<int64_t>(bench_->mark_addr_o), bench_->mark_layer_o});
    }
  }

  void Expect(const Item& item) {
    std::ostringstream text;
    text << "came " << item;
    Require(!expected_.empty() && item == expected_.front(), text.str());
    expected_.pop_front();
  }

  Rng& rng_;
  testing::Bench<Model> bench_;
  Stalls stalls_;
  std::vector<int8_t> scratchpad_;
  SetupOutputCmd output_;
  SetupAddCmd add_;
  uint32_t next_index_ = 0;
  std::vector<std::string> log_;

  std::deque<Offer> commands_;
  std::deque<Word> params_;
  bool command_valid_ = false, param_valid_ = false;
  std::deque<Rows> blocks_;  // accumulators to come; empty: a buffer without content
  std::deque<Item> expected_;

  std::array<Rows, 2> accumulators_ = {Rows(kConfig.stripe, std::vector<int32_t>(kN)),
                                       Rows(kConfig.stripe, std::vector<int32_t>(kN))};
  int full_ = 0, fill_buffer_ = 0, release_ = 0;
  bool read_ = false;
  int read_buffer_ = 0, read_row_ = 0;
  int write_buffer_ = -1, write_index_ = 0;
  std::vector<int32_t> write_row_;
  std::vector<uint64_t> releases_;

  int granted_ = 0;
  std::array<int, 2> operand_word_ = {};
  bool writer_busy_ = false, held_ = false;
  std::vector<int8_t> held_data_;
};

// ---- random commands

template <typename Model>
class Program {
 public:
  static constexpr const HardwareConfig& kConfig = Model::kConfig;

  Program(Rng& rng, Post<Model>& post) : rng_(rng), post_(post) {}

  void AddSetups() {
    output_ = {};
    output_.out_pixel = rng_.Chance(0.3) ? rng_.Int(1, 300) : rng_.Int(1, 80);
    output_.out_pitch = rng_.Chance(0.1) ? 0 : rng_.Int(1, 2000);
    output_.rounding = rng_.Int(0, 2);
    output_.has_params = rng_.Chance(0.6);
    output_.per_tensor = !output_.has_params || rng_.Chance(0.3);
    output_.add = rng_.Chance(0.4);
    output_.multiplier = Multiplier();
    output_.shift = rng_.Chance(0.8) ? rng_.Int(-12, 1) : rng_.Int(-31, 31);
    output_.zero_point = rng_.Int(-128, 127);
    Bounds(output_.clamp_low, output_.clamp_high);
    add_ = {};
    add_.a_pitch = rng_.Int(0, 2000);
    add_.b_pitch = rng_.Int(0, 2000);
    add_.left_shift = rng_.Chance(0.7) ? 20 : rng_.Int(0, 31);
    add_.a_zero_point = rng_.Int(-128, 127);
    add_.b_zero_point = rng_.Int(-128, 127);
    add_.sum_zero_point = rng_.Int(-128, 127);
    add_.a_multiplier = Multiplier();
    add_.b_multiplier = Multiplier();
    add_.sum_multiplier = Multiplier();
    add_.a_shift = rng_.Chance(0.8) ? rng_.Int(-3, 0) : rng_.Int(-31, 31);
    add_.b_shift = rng_.Chance(0.8) ? rng_.Int(-3, 0) : rng_.Int(-31, 31);
    add_.sum_shift = rng_.Chance(0.8) ? rng_.Int(-20, -10) : rng_.Int(-31, 31);
    Bounds(add_.sum_clamp_low, add_.sum_clamp_high);
    if (rng_.Chance(0.5))
      post_.Add(output_), post_.Add(add_);
    else
      post_.Add(add_), post_.Add(output_);
  }

  // One command of a kind that the setups allow.
  void AddWork() {
    switch (rng_.Int(0, 7)) {
      case 0:
        post_.Add(MarkCmd{.layer = rng_.Int(0, 65535)}, rng_.Int(0, (int64_t{1} << 40) - 1));
        break;
      case 1: {
        // The accumulators stay with the array: nothing to do here.
        RunCmd run{.acc_last = 0, .pixels = 5, .tile_width = 5, .channels = 3, .beats = 1};
        post_.Add(run);
        break;
      }
      case 2: {
        SetupInputCmd input{.in_addr = rng_.Int(0, 1000), .kernel_rows = 1, .kernel_span = 1};
        post_.Add(input);
        break;
      }
      case 3:
        AddSoftmax(rng_.Int(1, 60));
        break;
      case 4:
      case 5:
        // Element-wise commands need a setup without a record.
        if (!output_.has_params) {
          EltwiseCmd eltwise;
          eltwise.add = rng_.Chance(0.6);
          if (Geometry(eltwise)) post_.Add(eltwise);
          break;
        }
        [[fallthrough]];
      default: {
        RunCmd run{.acc_first = 1, .acc_last = 1, .beats = 1};
        if (Geometry(run)) post_.Add(run);
      }
    }
  }

  void AddSoftmax(int64_t length) {
    SoftmaxCmd command;
    command.length = length;
    command.in_addr = rng_.Int(0, kConfig.scratchpad - length);
    command.out_addr = rng_.Int(0, kConfig.scratchpad - length);
    std::vector<int32_t> table(256);
    double value = INT32_MAX;
    const double factor = 0.5 + 0.5 * rng_.Real();
    for (int32_t& entry : table) {
      entry = static_cast<int32_t>(value);
      value *= factor;
    }
    post_.AddSoftmax(command, table);
  }

 private:
  int64_t Multiplier() {
    if (rng_.Chance(0.8)) return rng_.Int(1 << 30, INT32_MAX);
    return rng_.Pick<int64_t>({0, 1, -1, INT32_MIN, INT32_MAX, rng_.Int(INT32_MIN, INT32_MAX)});
  }

  void Bounds(int64_t& low, int64_t& high) {
    low = rng_.Chance(0.6) ? -128 : rng_.Int(-128, 127);
    high = rng_.Chance(0.6) ? 127 : rng_.Int(low, 127);
  }

  // Pixels, rectangle, channels and addresses; false if the rectangle does not fit the scratchpad.
  template <typename Cmd>
  bool Geometry(Cmd& cmd) {
    cmd.pixels = rng_.Chance(0.3) ? 1 : rng_.Int(1, kConfig.stripe);
    cmd.tile_width = rng_.Chance(0.3) ? rng_.Int(1, 4) : rng_.Int(1, 100);
    cmd.tile_x = rng_.Int(0, cmd.tile_width - 1);
    cmd.channels = rng_.Chance(0.5) ? rng_.Int(1, 2 * kConfig.n) : rng_.Int(1, 5) * kConfig.n;
    const int64_t last = (cmd.tile_x + cmd.pixels - 1) / cmd.tile_width;
    const int64_t width = (cmd.tile_width - 1) * output_.out_pixel + cmd.channels;
    const int64_t pitch = std::max({output_.out_pitch, add_.a_pitch, add_.b_pitch});
    const int64_t room = kConfig.scratchpad - last * pitch - width;
    if (room < 0) return false;
    cmd.out_addr = rng_.Int(0, room);
    cmd.b_addr = rng_.Chance(0.1) ? room : rng_.Int(0, room);
    if constexpr (requires { cmd.a_addr; }) cmd.a_addr = rng_.Int(0, room);
    return true;
  }

  Rng& rng_;
  Post<Model>& post_;
  SetupOutputCmd output_;
  SetupAddCmd add_;
};

template <typename T>
class PostStageTest : public ::testing::Test {};
using Stages =
    ::testing::Types<Stage<Vweft_post_stage_weft64, 0>, Stage<Vweft_post_stage_weft256, 1>,
                     Stage<Vweft_post_stage_weft1024, 2>>;
TYPED_TEST_SUITE(PostStageTest, Stages);

// Every result byte, its address, the ends of blocks and the marks, in order.
TYPED_TEST(PostStageTest, RandomPrograms) {
  Rng rng;
  Post<TypeParam> post(rng);
  Program<TypeParam> program(rng, post);
  for (int i = 0; i < 120; ++i) {
    post.set_stalls(Stalls::Random(rng));
    for (int64_t setups = rng.Int(1, 3); setups > 0; --setups) {
      program.AddSetups();
      for (int64_t work = rng.Int(1, 6); work > 0; --work) program.AddWork();
    }
    post.Drain();
  }
}

// The engines' reset at any time leaves nothing behind.
TYPED_TEST(PostStageTest, ResetAtAnyTime) {
  Rng rng;
  Post<TypeParam> post(rng);
  Program<TypeParam> program(rng, post);
  for (int i = 0; i < 60; ++i) {
    post.set_stalls(Stalls::Random(rng));
    for (int setups = 0; setups < 2; ++setups) {
      program.AddSetups();
      for (int work = 0; work < 3; ++work) program.AddWork();
    }
    for (int64_t cycles = rng.Int(0, 600); cycles > 0; --cycles) post.Cycle();
    post.Reset();
    program.AddSetups();
    program.AddWork();
    post.Drain();
  }
}

// Cycles from one block to the next when nothing stalls.
TYPED_TEST(PostStageTest, Throughput) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  constexpr int kGroups = config.n / config.post_lanes;
  constexpr int kBlocks = 6;
  Rng rng;
  for (const int pixels : {1, 2, 3, 16, 37, 64}) {
    for (const int params : {0, 1}) {
      for (const int commands : {1, kBlocks}) {
        SCOPED_TRACE("pixels " + std::to_string(pixels) + ", params " + std::to_string(params) +
                     ", commands " + std::to_string(commands));
        Post<TypeParam> post(rng);
        post.Add(SetupOutputCmd{.out_pitch = 4096,
                                .out_pixel = 200,
                                .per_tensor = !params,
                                .has_params = params,
                                .multiplier = 1 << 30,
                                .clamp_low = -128,
                                .clamp_high = 127});
        for (int i = 0; i < commands; ++i)
          post.Add(RunCmd{.acc_first = 1,
                          .acc_last = 1,
                          .pixels = pixels,
                          .tile_width = 100,
                          .channels = kBlocks / commands * config.n,
                          .beats = 1});
        post.Drain();
        ASSERT_EQ(post.releases().size(), size_t{kBlocks});
        const int rows = pixels * kGroups;
        // A record is received after the one before is no longer needed.
        const int record = params ? config.param_words(false) + 8 : 0;
        const int gap = commands > 1 ? 2 : pixels * kGroups == 1 ? 1 : 0;
        for (int i = 2; i < kBlocks; ++i) {
          EXPECT_LE(post.releases()[i] - post.releases()[i - 1],
                    static_cast<uint64_t>(std::max(rows + gap, record)));
        }
      }
    }
  }
}

// Passes of a fused and of an element-wise addition: rows and the length of the pipeline each.
TYPED_TEST(PostStageTest, ThroughputOfAdditions) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  constexpr int kRows = 64 * config.n / config.post_lanes;
  constexpr int kLatency = 14;
  Rng rng;
  Post<TypeParam> post(rng);
  post.Add(SetupOutputCmd{.out_pitch = 4096,
                          .out_pixel = 2 * config.n,
                          .per_tensor = 1,
                          .add = 1,
                          .multiplier = 1 << 30,
                          .clamp_low = -128,
                          .clamp_high = 127});
  post.Add(SetupAddCmd{.a_pitch = 4096,
                       .b_pitch = 4096,
                       .left_shift = 20,
                       .a_multiplier = 1 << 30,
                       .b_multiplier = 1 << 30,
                       .sum_multiplier = 1 << 30,
                       .sum_shift = -19,
                       .sum_clamp_low = -128,
                       .sum_clamp_high = 127});
  post.Add(RunCmd{.acc_first = 1,
                  .acc_last = 1,
                  .pixels = 64,
                  .tile_width = 64,
                  .channels = 2 * config.n,
                  .beats = 1});
  post.Drain();
  ASSERT_EQ(post.releases().size(), 2u);
  EXPECT_LE(post.releases()[1] - post.releases()[0], uint64_t{4 * (kRows + kLatency)});
  post.Add(EltwiseCmd{.add = 1,
                      .pixels = 64,
                      .tile_width = 64,
                      .a_addr = 3,  // each vector crosses a word: two reads at once
                      .b_addr = config.word() - 1,
                      .channels = 2 * config.n});
  post.Drain();
  ASSERT_EQ(post.releases().size(), 4u);
  EXPECT_LE(post.releases()[3] - post.releases()[2], uint64_t{3 * (kRows + kLatency)});
}

// An operand that reaches beyond the scratchpad is reported; the last one inside is not.
TYPED_TEST(PostStageTest, OperandOutsideTheScratchpad) {
  constexpr const HardwareConfig& config = TypeParam::kConfig;
  Rng rng;
  for (const bool outside : {false, true}) {
    Post<TypeParam> post(rng);
    post.Add(SetupOutputCmd{.out_pitch = 64,
                            .out_pixel = 64,
                            .per_tensor = 1,
                            .multiplier = 1 << 30,
                            .clamp_low = -128,
                            .clamp_high = 127});
    post.Add(SetupAddCmd{.a_pitch = 64, .b_pitch = 64});
    post.Add(EltwiseCmd{.pixels = 1,
                        .tile_width = 1,
                        .a_addr = config.scratchpad - config.n + 1,
                        .channels = config.n - (outside ? 0 : 1)});
    if (outside) {
      EXPECT_THROW(post.Drain(), std::runtime_error);
      EXPECT_TRUE(post.bench()->err_o);
    } else {
      post.Drain();
    }
  }
}

}  // namespace
}  // namespace weft
