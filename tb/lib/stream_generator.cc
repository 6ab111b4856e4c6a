// SPDX-License-Identifier: Apache-2.0
#include "tb/lib/stream_generator.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>

#include "sw/command/codec.h"
#include "tb/lib/seed.h"
#include "tb/lib/stream_access.h"
#include "tb/lib/stream_damage.h"
#include "tb/lib/stream_waits.h"
#include "weft/hw/weft_hw.h"

namespace weft::testing {
namespace {

constexpr uint64_t kAddressMask = (uint64_t{1} << 40) - 1;
constexpr int64_t kTableBytes = 1024;
int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

class Generator {
 public:
  Generator(const HardwareConfig& config, uint64_t seed, const StreamOptions& options)
      : config_(config), options_(options), rng_(Rng::Fixed(seed * 2 + 1)), waits_(case_, rng_) {
    case_.config = &config;
    case_.seed = seed;
  }

  StreamCase Generate() {
    Layout();
    const int jobs = options_.illegal ? 2 * rng_.Small(1, 2) : rng_.Small(1, 5);
    bool fill = true;
    for (int j = 0; j < jobs; ++j) {
      job_ = {};
      BeginJob();
      if (fill || rng_.Chance(0.2)) Fill();
      const int64_t commands = options_.huge ? rng_.Int(50, 300) : rng_.Small(1, 40);
      // A command that finds no place is tried again as another one.
      for (int64_t i = 0, tries = 0; i < commands && tries < 4 * commands; ++tries) i += One();
      while (chain_ && Run() != 0) {
      }
      // An accumulation that finds no end has not begun: what comes before it is a stream, too.
      if (chain_) job_.commands.resize(chain_begin_);
      Add(EndCmd{});
      PlaceStream();
      fill = options_.illegal && j % 2 == 0;
      if (fill) DamageJob(case_, rng_, job_);
      case_.jobs.push_back(std::move(job_));
    }
    return std::move(case_);
  }

 private:
  // --- numbers ---

  // At or around a multiple of `unit`.
  int64_t Around(int64_t unit, int64_t most) {
    int64_t value = unit * rng_.Int(1, std::max<int64_t>(1, most / unit)) + rng_.Int(-1, 1);
    if (rng_.Chance(0.4)) value = rng_.Int(1, most);
    return std::clamp<int64_t>(value, 1, most);
  }

  int64_t Int8() {
    return rng_.Chance(0.3) ? rng_.Pick(std::vector<int64_t>{-128, 127, 0, -1, 1})
                            : rng_.Int(-128, 127);
  }

  int64_t Multiplier() {
    switch (rng_.Int(0, 5)) {
      case 0:
        return rng_.Pick(std::vector<int64_t>{INT32_MIN, INT32_MAX, 0, 1, -1, 1 << 30});
      case 1:
        return rng_.Int(INT32_MIN, INT32_MAX);
      default:
        return rng_.Int(1 << 30, INT32_MAX);
    }
  }

  int64_t Shift() {
    if (rng_.Chance(0.15)) return rng_.Pick(std::vector<int64_t>{-31, 31, 30, -30, 1, 0});
    return rng_.Chance(0.15) ? rng_.Int(-31, 31) : rng_.Int(-12, 0);
  }

  int64_t Word() const { return config_.word(); }

  // --- layout of memory ---

  void Layout() {
    const int64_t scratchpad = config_.scratchpad;
    int64_t bytes = options_.huge ? scratchpad : 1024 << rng_.Int(0, 4);
    bytes = std::min(bytes, scratchpad);
    int64_t begin = rng_.Int(0, (scratchpad - bytes) / Word()) * Word();
    if (rng_.Chance(0.2)) begin = 0;
    if (rng_.Chance(0.2)) begin = scratchpad - bytes;
    case_.window = {static_cast<uint64_t>(begin), static_cast<uint64_t>(begin + bytes)};

    const uint64_t data_bytes = static_cast<uint64_t>(bytes) + (options_.huge ? 65536 : 16384);
    const uint64_t weight_bytes = static_cast<uint64_t>(config_.weight_ring) * 2 + 262144;
    const uint64_t stream_bytes = options_.huge ? 1 << 20 : 1 << 17;
    std::vector<std::pair<uint64_t, Extent*>> areas = {{4096, &ring_area_},
                                                       {stream_bytes, &stream_area_},
                                                       {65536, &mark_area_},
                                                       {weight_bytes, &weight_area_},
                                                       {data_bytes, &data_area_}};
    for (size_t i = areas.size() - 1; i > 0; --i) {
      std::swap(areas[i], areas[static_cast<size_t>(rng_.Int(0, static_cast<int64_t>(i)))]);
    }
    uint64_t at = 0;
    for (auto& [size, area] : areas) {
      *area = {at, at + size};
      at += size;
    }
    case_.memory.resize(at);
    for (size_t i = 0; i + 8 <= at; i += 8) {
      const uint64_t bits = rng_.Bits();
      std::memcpy(&case_.memory[i], &bits, 8);
    }
    case_.ring = ring_area_.begin + 64 * static_cast<uint64_t>(rng_.Int(0, 15));
    case_.ring_log2 = static_cast<uint32_t>(rng_.Int(0, 5));
    for (uint64_t& base : case_.region_base) {
      base = rng_.Chance(0.3)
                 ? rng_.Bits() & kAddressMask & ~uint64_t{63}
                 : static_cast<uint64_t>(rng_.Int(0, static_cast<int64_t>(at / 64))) * 64;
    }
    case_.stream_region = static_cast<int>(rng_.Int(0, 7));
    case_.region_base[static_cast<size_t>(case_.stream_region)] =
        stream_area_.begin - (rng_.Chance(0.5) ? 0 : std::min<uint64_t>(stream_area_.begin, 4096));
    next_stream_ = stream_area_.begin;
    next_mark_ = mark_area_.begin;
    next_weight_ = weight_area_.begin;
  }

  // Region and offset that mean this address.
  template <typename Cmd>
  void SetAddress(Cmd& cmd, uint64_t address) {
    cmd.region = rng_.Int(0, 7);
    cmd.offset = static_cast<int64_t>(
        (address - case_.region_base[static_cast<size_t>(cmd.region)]) & kAddressMask);
  }

  void PlaceStream() {
    job_.trailing = rng_.Chance(0.1) ? static_cast<uint32_t>(rng_.Int(1, 6)) : 0;
    job_.stream = next_stream_;
    for (size_t i = 0; i < job_.commands.size(); ++i) {
      Encode(job_.commands[i], std::span<uint8_t, kCommandBytes>(
                                   &case_.memory[next_stream_ + i * kCommandBytes], kCommandBytes));
    }
    next_stream_ += (job_.commands.size() + job_.trailing + 8) * kCommandBytes / 64 * 64;
    assert(next_stream_ < stream_area_.end);
  }

  void BeginJob() {
    waits_.BeginJob();
    written_ = released_ = allocated_ = 0;
    word_address_.clear();
    reusable_ = {};
    chain_ = false;
    input_ = output_ = add_ = false;
    // Weights of an earlier job may be loaded again, but each job starts with room for its own.
  }

  void Add(const Command& command) {
    assert(CheckFields(command));
    job_.commands.push_back(command);
  }

  // --- one more command; 0 if it found no place ---

  int One() {
    // Few jobs use everything: some copy, some compute, most mix.
    const int64_t kind = rng_.Int(0, 99);
    if (job_.commands.size() > 3500) return 1;
    if (kind < 3) return Add(NopCmd{}), 1;
    if (kind < 13) return Mark();
    if (kind < 28) return Load();
    if (kind < 43) return Store();
    if (kind < 45) return MoreWeights(rng_.Int(1, RoomInRing()));
    if (kind < 48) return Setups();
    if (chain_ || kind < 80) return Run();
    if (kind < 95) return Eltwise();
    return Softmax();
  }

  int Mark() {
    if (next_mark_ + 64 > mark_area_.end) return 0;
    MarkCmd mark;
    mark.store_engine = rng_.Int(0, 1);
    mark.layer = next_layer_++ & 0xffff;
    SetAddress(mark, next_mark_);
    next_mark_ += 64;
    Add(mark);
    return 1;
  }

  void Fill() {
    LoadCmd load;
    const uint64_t bytes = case_.window.end - case_.window.begin;
    SetAddress(load, data_area_.begin + DataOffset(data_area_.end - data_area_.begin - bytes));
    load.spad_addr = static_cast<int64_t>(case_.window.begin);
    load.rows = 1;
    load.row_bytes = static_cast<int64_t>(bytes);
    FinishLoad(load);
  }

  uint64_t DataOffset(uint64_t most) {
    const auto word = static_cast<uint64_t>(Word());
    return static_cast<uint64_t>(rng_.Int(0, static_cast<int64_t>(most / word))) * word;
  }

  // Rows of a LOAD or a STORE; false if they do not fit.
  template <typename Cmd>
  bool Rows(Cmd& cmd, const Extent& memory, uint64_t& address) {
    const auto spad = static_cast<int64_t>(case_.window.end - case_.window.begin);
    const auto most = static_cast<int64_t>(memory.end - memory.begin);
    const int64_t budget = options_.huge ? 65536 : 4096;
    switch (rng_.Int(0, 4)) {
      case 0:
        cmd.row_bytes = rng_.Int(1, 3 * Word());
        break;
      case 1:
        cmd.row_bytes = Around(Word(), 16 * Word());
        break;
      case 2:
        cmd.row_bytes = Around(256, 1024);
        break;
      default:
        cmd.row_bytes = rng_.Small(1, std::min(spad, budget));
    }
    cmd.row_bytes = std::min(cmd.row_bytes, spad);
    cmd.rows =
        rng_.Chance(0.3) ? 1 : rng_.Small(1, std::max<int64_t>(1, budget / cmd.row_bytes / 4));
    const auto pitch = [&](int64_t bytes) {
      const int64_t dense = CeilDiv(cmd.row_bytes, Word()) * Word();
      if (cmd.rows == 1) {  // means nothing
        return rng_.Chance(0.1) ? (int64_t{1} << 20) / Word() * Word() : dense;
      }
      const int64_t widest = (bytes - cmd.row_bytes) / (cmd.rows - 1) / Word() * Word();
      if (rng_.Chance(0.05)) return int64_t{0};
      if (rng_.Chance(0.05)) return rng_.Int(0, widest / Word()) * Word();
      return std::min(widest, dense + rng_.Int(0, 5) * rng_.Int(0, 1) * Word());
    };
    cmd.spad_pitch = pitch(spad);
    cmd.mem_pitch = pitch(most);
    const int64_t spad_extent = (cmd.rows - 1) * cmd.spad_pitch + cmd.row_bytes;
    const int64_t mem_extent = (cmd.rows - 1) * cmd.mem_pitch + cmd.row_bytes;
    if (spad_extent > spad || mem_extent > most) return false;
    cmd.spad_addr = static_cast<int64_t>(case_.window.begin) +
                    rng_.Int(0, (spad - spad_extent) / Word()) * Word();
    address = memory.begin + DataOffset(static_cast<uint64_t>(most - mem_extent));
    SetAddress(cmd, address);
    return true;
  }

  int Load() {
    LoadCmd load;
    uint64_t address = 0;
    if (!Rows(load, rng_.Chance(0.2) ? weight_area_ : data_area_, address)) return 0;
    return FinishLoad(load);
  }

  int FinishLoad(LoadCmd load) {
    if (!waits_.Order(load)) return 0;
    Add(load);
    return 1;
  }

  int Store() {
    StoreCmd store;
    uint64_t address = 0;
    if (!Rows(store, data_area_, address)) return 0;
    waits_.Order(store);
    Add(store);
    return 1;
  }

  // --- weights ---

  int64_t RoomInRing() const { return config_.ring_words() - (written_ - released_); }

  int MoreWeights(int64_t words) {
    const auto bytes = static_cast<uint64_t>(words * config_.weight_word);
    if (words < 1 || words > RoomInRing() || next_weight_ + bytes > weight_area_.end) return 0;
    LoadWeightsCmd load;
    load.words = words;
    SetAddress(load, next_weight_);
    for (int64_t i = 0; i < words; ++i) {
      word_address_.push_back(next_weight_ + static_cast<uint64_t>(i * config_.weight_word));
    }
    // Not every stretch begins where the last one ended.
    next_weight_ += CeilDiv(static_cast<int64_t>(bytes), Word()) * Word() +
                    static_cast<uint64_t>(rng_.Int(0, 3) * rng_.Int(0, 1) * Word());
    written_ += words;
    Add(load);
    return 1;
  }

  // Positions of `words` words that are in the ring, loading what is missing.
  std::optional<int64_t> FindWeights(int64_t words, bool may_reuse) {
    if (may_reuse && reusable_.begin >= static_cast<uint64_t>(released_) &&
        reusable_.end - reusable_.begin >= static_cast<uint64_t>(words) && rng_.Chance(0.5)) {
      return static_cast<int64_t>(reusable_.begin);
    }
    const int64_t skip = rng_.Chance(0.1) ? rng_.Int(1, 2 * config_.block_words()) : 0;
    const int64_t position = std::max(allocated_, released_) + skip;
    const int64_t end = position + words;
    if (end - released_ > config_.ring_words()) return std::nullopt;
    while (written_ < end) {
      const int64_t missing = end - written_;
      int64_t some = rng_.Chance(0.6) ? missing : rng_.Int(1, missing);
      if (rng_.Chance(0.25)) some = std::min(RoomInRing(), missing + rng_.Small(0, missing));
      if (rng_.Chance(0.02)) some = RoomInRing();
      if (MoreWeights(some) == 0 && MoreWeights(missing) == 0) return std::nullopt;
    }
    allocated_ = end;
    return position;
  }

  uint8_t* WeightWord(int64_t position) {
    return &case_.memory[word_address_[static_cast<size_t>(position)]];
  }

  // Writes bytes that start at the word `position`, word by word.
  void Patch(int64_t position, std::span<const uint8_t> bytes) {
    const auto word = static_cast<size_t>(config_.weight_word);
    for (size_t i = 0; i < bytes.size(); ++i) {
      WeightWord(position + static_cast<int64_t>(i / word))[i % word] = bytes[i];
    }
  }

  void PatchRecord(int64_t position, bool per_tensor) {
    const int64_t wide = CeilDiv(4 * config_.n, config_.weight_word);
    const auto n = static_cast<size_t>(config_.n);
    std::vector<uint8_t> wide_bytes(4 * n);
    const auto words = [&](auto draw) {
      for (size_t i = 0; i < n; ++i) {
        const auto value = static_cast<uint32_t>(draw());
        std::memcpy(&wide_bytes[4 * i], &value, 4);
      }
    };
    const int64_t reach = rng_.Chance(0.8) ? 20000 : INT32_MAX;
    words([&] { return rng_.Int(-reach, reach); });
    Patch(position, wide_bytes);
    if (per_tensor) return;
    words([&] { return Multiplier(); });
    Patch(position + wide, wide_bytes);
    std::vector<uint8_t> shifts(n);
    for (uint8_t& shift : shifts) shift = static_cast<uint8_t>(Shift());
    Patch(position + 2 * wide, shifts);
  }

  // --- execution ---

  SetupOutputCmd NewOutput() {
    SetupOutputCmd out;
    out.out_pitch = 0;  // by Outputs()
    out.rounding = rng_.Int(0, 2);
    out.has_params = rng_.Int(0, 1);
    out.per_tensor = out.has_params != 0 ? rng_.Int(0, 1) : 1;
    out.add = rng_.Chance(0.35) ? 1 : 0;
    out.multiplier = Multiplier();
    out.shift = Shift();
    out.zero_point = Int8();
    out.clamp_low = rng_.Chance(0.5) ? -128 : Int8();
    out.clamp_high = rng_.Chance(0.5) ? 127 : Int8();
    if (out.clamp_low > out.clamp_high) std::swap(out.clamp_low, out.clamp_high);
    return out;
  }

  SetupAddCmd NewAdd() {
    SetupAddCmd add;
    add.left_shift = rng_.Chance(0.7) ? 20 : rng_.Int(0, 31);
    add.a_zero_point = Int8();
    add.a_multiplier = Multiplier();
    add.a_shift = Shift();
    add.b_zero_point = Int8();
    add.b_multiplier = Multiplier();
    add.b_shift = Shift();
    add.sum_multiplier = Multiplier();
    add.sum_shift = rng_.Chance(0.7) ? -19 : Shift();
    add.sum_zero_point = Int8();
    add.sum_clamp_low = rng_.Chance(0.6) ? -128 : Int8();
    add.sum_clamp_high = rng_.Chance(0.6) ? 127 : Int8();
    if (add.sum_clamp_low > add.sum_clamp_high) std::swap(add.sum_clamp_low, add.sum_clamp_high);
    return add;
  }

  // Setups for nobody: only the last of each counts. Illegal within a chain.
  int Setups() {
    if (chain_) return 0;
    if (rng_.Chance(0.5)) {
      last_output_ = NewOutput();
      last_output_.out_pixel = rng_.Int(0, 65535);
      last_output_.out_pitch = rng_.Int(0, (1 << 21) - 1);
      output_ = true;
      Add(last_output_);
    } else {
      last_add_ = NewAdd();
      last_add_.a_pitch = rng_.Int(0, (1 << 21) - 1);
      last_add_.b_pitch = rng_.Int(0, (1 << 21) - 1);
      add_ = true;
      Add(last_add_);
    }
    return 1;
  }

  template <typename Cmd>
  void Stripe(Cmd& cmd) {
    cmd.pixels = rng_.Chance(0.15) ? config_.stripe : rng_.Small(1, config_.stripe);
    cmd.tile_width = rng_.Chance(0.1) ? rng_.Int(1, 4095) : rng_.Small(1, 40);
    if (rng_.Chance(0.03)) cmd.tile_width = 4095;
    cmd.tile_x = rng_.Chance(0.5) ? 0 : rng_.Int(0, cmd.tile_width - 1);
  }

  // An address at which all of a place lies inside the window.
  std::optional<int64_t> Place(const std::vector<int64_t>& offsets, int64_t channels) {
    const auto [low, high] = std::minmax_element(offsets.begin(), offsets.end());
    const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(case_.window.begin) - *low);
    const int64_t last = static_cast<int64_t>(case_.window.end) - *high - channels;
    if (last < first) return std::nullopt;
    int64_t address = rng_.Int(first, last);
    if (rng_.Chance(0.5)) address = std::max(first, address / Word() * Word());
    if (rng_.Chance(0.05)) address = last;
    return address;
  }

  int64_t PixelBytes(int64_t channels) {
    if (rng_.Chance(0.03)) return rng_.Int(0, channels);
    if (rng_.Chance(0.4)) return channels;
    if (rng_.Chance(0.5)) return CeilDiv(channels, config_.n) * config_.n;
    return channels + rng_.Small(0, 40);
  }

  template <typename Cmd>
  int64_t Pitch(const Cmd& cmd, int64_t pixel) {
    const int64_t most = (1 << 21) - 1;
    if (rng_.Chance(0.03)) return rng_.Int(0, 64);
    const int64_t columns = std::min(cmd.tile_width, cmd.tile_x + cmd.pixels);
    const int64_t dense = columns * pixel;
    if (rng_.Chance(0.4)) return std::min(most, dense);
    return std::min(most, CeilDiv(dense, Word()) * Word() + rng_.Int(0, 11) * Word());
  }

  SetupInputCmd NewInput(int64_t channels) {
    SetupInputCmd in;
    in.mode = rng_.Chance(0.5) ? 0 : rng_.Int(1, 2);
    const auto begin = static_cast<int64_t>(case_.window.begin);
    const auto end = static_cast<int64_t>(case_.window.end);
    in.in_addr = rng_.Int(begin, begin + (end - begin) / 2);
    if (rng_.Chance(0.5)) in.in_addr = in.in_addr / Word() * Word();
    in.in_addr = std::max(in.in_addr, begin);
    if (in.mode == 0) {
      in.kernel_rows = rng_.Chance(0.04) ? rng_.Int(1, 255) : rng_.Small(1, 7);
      in.kernel_span = rng_.Chance(0.5) ? Around(config_.k, 4 * config_.k) : rng_.Small(1, 300);
      if (in.kernel_rows > 20) in.kernel_span = rng_.Small(1, config_.k);
      if (rng_.Chance(0.02)) in.kernel_rows = 1, in.kernel_span = rng_.Int(1, 2000);
      in.pixel_bytes = rng_.Int(0, 65535);  // means nothing in this mode
      in.step_bytes = rng_.Chance(0.05) ? rng_.Int(0, 3) : rng_.Small(1, 100);
      if (rng_.Chance(0.3)) in.step_bytes = in.kernel_span;
    } else {
      in.kernel_rows = rng_.Chance(0.03) ? rng_.Int(1, 40) : rng_.Small(1, 8);
      in.kernel_span = rng_.Chance(0.03) ? rng_.Int(1, 40) : rng_.Small(1, 8);
      in.pixel_bytes = std::max<int64_t>(1, PixelBytes(channels));
      in.step_bytes = std::min<int64_t>((1 << 21) - 1, in.pixel_bytes * rng_.Small(1, 5));
      if (in.step_bytes % in.pixel_bytes != 0) in.step_bytes = in.pixel_bytes;
    }
    const int64_t room = end - in.in_addr - (in.mode == 0 ? 0 : channels - 1);
    if (room < 1) return in.kernel_span = 0, in;
    in.in_row_bytes = rng_.Chance(0.1) ? room : rng_.Small(1, std::min<int64_t>(room, 1500));
    if (in.mode != 0) {
      in.in_row_bytes = std::max<int64_t>(1, in.in_row_bytes / in.pixel_bytes) * in.pixel_bytes;
      if (in.in_row_bytes > room) in.in_row_bytes = room;
    }
    in.in_pitch = in.in_row_bytes + (rng_.Chance(0.5) ? rng_.Small(0, 8 * Word()) : 0);
    if (rng_.Chance(0.4)) in.in_pitch = CeilDiv(in.in_pitch, Word()) * Word();
    if (rng_.Chance(0.05)) in.in_pitch = rng_.Int(0, in.in_row_bytes);
    in.in_rows = in.in_pitch == 0
                     ? rng_.Int(1, 65535)
                     : std::min<int64_t>(65535, (room - in.in_row_bytes) / in.in_pitch + 1);
    if (rng_.Chance(0.5)) in.in_rows = rng_.Int(1, in.in_rows);
    if (rng_.Chance(0.02)) in.in_rows = 0;
    if (rng_.Chance(0.02)) in.in_row_bytes = 0;
    in.stride_rows = rng_.Chance(0.05) ? rng_.Int(0, 255) : rng_.Small(1, 4);
    in.pad_value = Int8();
    return in;
  }

  bool HasPairs() const { return config_.word() == config_.n && config_.window_cols >= 3; }

  // Mode 3, whose RUNs have N channels.
  SetupInputCmd NewPairs() {
    const int64_t n = config_.n;
    const auto begin = CeilDiv(static_cast<int64_t>(case_.window.begin), n);
    const auto end = static_cast<int64_t>(case_.window.end) / n;
    SetupInputCmd in;
    in.mode = 3;
    if (begin >= end) return in;  // without a place, as the span says
    in.in_addr = rng_.Int(begin, begin + (end - begin) / 2);
    const int64_t room = end - in.in_addr;
    in.in_addr *= n;
    in.in_row_bytes = rng_.Small(1, std::min<int64_t>(room, 40));
    in.in_pitch = in.in_row_bytes + (rng_.Chance(0.5) ? rng_.Small(0, 8) : 0);
    in.in_rows = rng_.Int(1, std::max<int64_t>(1, (room - in.in_row_bytes) / in.in_pitch + 1));
    in.in_row_bytes *= n;
    in.in_pitch *= n;
    if (rng_.Chance(0.02)) in.in_rows = 0;
    if (rng_.Chance(0.02)) in.in_row_bytes = 0;
    in.pixel_bytes = n / 2;
    in.step_bytes = n;
    in.stride_rows = rng_.Small(0, 4);
    in.kernel_rows = rng_.Int(1, config_.window_rows);
    in.kernel_span = 3;
    in.pad_value = Int8();
    return in;
  }

  int Run() {
    const bool closes = chain_;  // END may not come before the chain's end: try harder
    for (int tries = 0; tries < (closes ? 500 : 12); ++tries) {
      if (TryRun()) return 1;
    }
    return 0;
  }

  bool TryRun() {
    const int64_t n = config_.n;
    RunCmd run;
    run.acc_first = chain_ ? 0 : 1;
    run.channels = rng_.Chance(0.5) ? Around(n, 3 * n) : rng_.Small(1, 6 * n);
    SetupInputCmd in = last_input_;
    const bool new_input = !chain_ && (!input_ || rng_.Chance(0.7));
    // An accumulation's RUNs have the same channels and pixels, and no setup between them.
    if (chain_) run.channels = chain_channels_;
    if (new_input) in = HasPairs() && rng_.Chance(0.1) ? NewPairs() : NewInput(run.channels);
    if (in.mode == 3) run.channels = config_.n;
    if (in.kernel_span == 0) return false;
    Stripe(run);
    if (chain_) {
      // The first RUN's rectangle had a place under the setups, which stay.
      if (rng_.Chance(0.2)) run.tile_width = chain_tile_width_, run.tile_x = chain_tile_x_;
      run.pixels = chain_pixels_;
    }
    const std::vector<std::vector<Piece>> all = BeatsOf(config_, in, 4095);
    const size_t from = chain_ ? chain_beats_ : 0;
    const auto left = static_cast<int64_t>(all.size() - from);
    run.beats = rng_.Chance(0.8) ? left : rng_.Int(1, left);
    // A chain never uses up its window before it ends.
    run.acc_last = 1;
    if (left > 1 && run.channels <= n && rng_.Chance(chain_ ? 0.4 : 0.25)) {
      run.acc_last = 0;
      run.beats = rng_.Int(1, left - 1);
    }
    SetupOutputCmd out = last_output_;
    const bool new_output = !output_ || (!chain_ && rng_.Chance(0.6));
    SetupAddCmd add = last_add_;
    const bool new_add = !add_ || (!chain_ && rng_.Chance(0.6));
    if (new_output) out = NewOutput();
    if (new_add) add = NewAdd();
    run.weights_shared = out.has_params == 0 && rng_.Chance(0.3) ? 1 : 0;
    const int64_t blocks = CeilDiv(run.channels, n);
    if (blocks * run.pixels * run.beats > (options_.huge ? 40000 : 8000)) return false;

    // Outputs.
    if (new_output) {
      out.out_pixel = std::min<int64_t>(65535, PixelBytes(run.channels));
      out.out_pitch = Pitch(run, out.out_pixel);
    }
    std::vector<Access> writes, residual;
    if (run.acc_last != 0 || !chain_) {
      const std::vector<int64_t> offsets = Offsets(run, out.out_pitch, out.out_pixel);
      const std::optional<int64_t> address = Place(offsets, run.channels);
      if (!address || *address >= 1 << 21) return false;
      run.out_addr = *address;
      writes = BlocksOf(config_, *address, offsets, run.channels);
      if (out.add != 0) {
        if (new_add) {
          add.b_pitch = rng_.Chance(0.5) ? out.out_pitch : Pitch(run, out.out_pixel);
        }
        const std::vector<int64_t> b_offsets = Offsets(run, add.b_pitch, out.out_pixel);
        const bool in_place = add.b_pitch == out.out_pitch && rng_.Chance(0.3);
        const std::optional<int64_t> b = in_place ? address : Place(b_offsets, run.channels);
        if (!b || *b >= 1 << 21) return false;
        run.b_addr = *b;
        residual = BlocksOf(config_, *b, b_offsets, run.channels);
        if (in_place ? SelfConflict(residual, writes) || !Disjoint(writes)
                     : AnyOverlap(residual, writes)) {
          return false;
        }
      }
    }
    if (run.acc_last == 0) {  // the places are the last RUN's
      writes.clear();
      residual.clear();
      run.out_addr = rng_.Int(0, (1 << 21) - 1);
    }
    if (out.add == 0) run.b_addr = rng_.Int(0, (1 << 21) - 1);

    // Where the window starts: around the image.
    const int64_t rows_reach = std::min<int64_t>(in.in_rows, 200);
    run.in_y = rng_.Int(-in.kernel_rows, std::max<int64_t>(0, rows_reach));
    if (rng_.Chance(0.5)) run.in_y = rng_.Int(-1, 1);
    if (rng_.Chance(0.01)) run.in_y = rng_.Chance(0.5) ? -32768 : 32767;
    const int64_t unit = in.mode == 0 ? 1 : in.pixel_bytes;
    int64_t x = rng_.Int(-in.kernel_span, std::max<int64_t>(0, in.in_row_bytes / unit)) * unit;
    if (rng_.Chance(0.5)) x = rng_.Int(-1, 1) * unit;
    run.in_x = x - run.tile_x * in.step_bytes;
    if (rng_.Chance(0.01))
      run.in_x = rng_.Chance(0.5) ? -(1 << 21) / unit * unit : ((1 << 21) - 1) / unit * unit;
    if (run.in_x < -(1 << 21) || run.in_x >= 1 << 21) return false;

    // What it reads.
    std::vector<Access> reads =
        WindowReads(config_, in, run, std::span(all).subspan(from, static_cast<size_t>(run.beats)));
    for (const Access& r : reads) {
      if (r.bytes.begin < case_.window.begin || r.bytes.end > case_.window.end) return false;
    }
    if (SelfConflict(reads, writes)) return false;

    // Weights.
    const int64_t record =
        out.has_params != 0 && run.acc_last != 0 ? config_.param_words(out.per_tensor != 0) : 0;
    const int64_t weight_blocks = in.mode == 2 ? 0 : run.weights_shared != 0 ? 1 : run.beats;
    const int64_t block_words = weight_blocks * config_.block_words() + record;
    const int64_t words = block_words * (run.weights_shared != 0 ? 1 : blocks);
    if (words > config_.ring_words()) return false;
    const bool reuses = record == 0 || out.per_tensor != 0;
    if (words > 0) {
      const std::optional<int64_t> position = FindWeights(words, reuses);
      if (!position) return MakeRoom(), false;
      run.weights_pos = *position & 0xffff;
      if (record > 0 && *position + words == allocated_) {
        for (int64_t j = 0; j < blocks; ++j) {
          PatchRecord(*position + j * block_words + weight_blocks * config_.block_words(),
                      out.per_tensor != 0);
        }
      }
      const bool tight = *position + words - released_ > config_.ring_words() / 2;
      run.weights_stream = rng_.Chance(0.4) ? 1 : 0;
      // Within an accumulation nobody else makes room.
      run.weights_release = tight || run.acc_last == 0 || rng_.Chance(0.3) ? 1 : 0;
      if (run.weights_stream != 0 || run.weights_release != 0) {
        released_ = std::max(released_, *position + words);
      } else if (reuses) {
        reusable_ = {static_cast<uint64_t>(*position), static_cast<uint64_t>(*position + words)};
      }
    } else {
      run.weights_pos = rng_.Int(0, 65535);
    }

    if (new_input) Add(last_input_ = in), input_ = true;
    if (new_output) Add(last_output_ = out), output_ = true;
    if (new_add) Add(last_add_ = add), add_ = true;
    reads.insert(reads.end(), residual.begin(), residual.end());
    waits_.Order(run, {.reads = std::move(reads),
                       .writes = std::move(writes),
                       .blocks = static_cast<int>(blocks),
                       .beats = static_cast<int>(run.beats),
                       .reads_wait_at_first_block = in.mode == 0,
                       .retires = run.acc_last != 0});
    if (!chain_) chain_begin_ = job_.commands.size();
    Add(run);
    chain_ = run.acc_last == 0;
    chain_pixels_ = run.pixels;
    chain_tile_width_ = run.tile_width;
    chain_tile_x_ = run.tile_x;
    chain_channels_ = run.channels;
    chain_beats_ = from + static_cast<size_t>(run.beats);
    return true;
  }

  // The ring is full of what nobody releases: a RUN of maximum over padding cannot do it, so a
  // later command with weights must; let the next one begin at the end of what is there.
  void MakeRoom() { allocated_ = std::max(allocated_, written_ - config_.block_words()); }

  int Eltwise() {
    EltwiseCmd elt;
    Stripe(elt);
    elt.channels =
        rng_.Chance(0.5) ? Around(config_.n, 4 * config_.n) : rng_.Small(1, 10 * config_.n);
    elt.add = rng_.Int(0, 1);
    SetupOutputCmd out = NewOutput();
    out.has_params = 0;
    out.per_tensor = 1;
    out.out_pixel = std::min<int64_t>(65535, PixelBytes(elt.channels));
    out.out_pitch = Pitch(elt, out.out_pixel);
    SetupAddCmd add = NewAdd();
    add.a_pitch = rng_.Chance(0.5) ? out.out_pitch : Pitch(elt, out.out_pixel);
    add.b_pitch = rng_.Chance(0.5) ? out.out_pitch : Pitch(elt, out.out_pixel);
    const auto out_offsets = Offsets(elt, out.out_pitch, out.out_pixel);
    const auto a_offsets = Offsets(elt, add.a_pitch, out.out_pixel);
    const auto b_offsets = Offsets(elt, add.b_pitch, out.out_pixel);
    const auto to = Place(out_offsets, elt.channels);
    if (!to || *to >= 1 << 21) return 0;
    const bool a_in_place = add.a_pitch == out.out_pitch && rng_.Chance(0.3);
    const bool b_in_place = add.b_pitch == out.out_pitch && rng_.Chance(0.3);
    const auto a = a_in_place ? to : Place(a_offsets, elt.channels);
    const auto b = b_in_place ? to : Place(b_offsets, elt.channels);
    if (!a || !b || *a >= 1 << 21 || *b >= 1 << 21) return 0;
    elt.out_addr = *to;
    elt.a_addr = *a;
    elt.b_addr = *b;
    std::vector<Access> writes = BlocksOf(config_, *to, out_offsets, elt.channels);
    std::vector<Access> reads;
    const auto take = [&](int64_t address, const std::vector<int64_t>& offsets, bool in_place) {
      const std::vector<Access> some = BlocksOf(config_, address, offsets, elt.channels);
      if (in_place ? SelfConflict(some, writes) || !Disjoint(writes) : AnyOverlap(some, writes)) {
        return false;
      }
      reads.insert(reads.end(), some.begin(), some.end());
      return true;
    };
    if (!take(*a, a_offsets, a_in_place)) return 0;
    if (elt.add != 0 && !take(*b, b_offsets, b_in_place)) return 0;
    Add(last_output_ = out);
    Add(last_add_ = add);
    output_ = add_ = true;
    const auto blocks = static_cast<int>(CeilDiv(elt.channels, config_.n));
    waits_.Order(elt, {.reads = std::move(reads), .writes = std::move(writes), .blocks = blocks});
    Add(elt);
    return 1;
  }

  // Falling from 1, how fast is random; or anything, as every table has a result.
  std::vector<uint8_t> SoftmaxTable() {
    std::vector<uint8_t> table(kTableBytes);
    const bool falls = rng_.Chance(0.5);
    const double factor = rng_.Chance(0.2) ? 1 : 0.2 + 0.8 * rng_.Real();
    const double corners = rng_.Pick(std::vector<double>{0, 0.1, 1});
    const std::vector<uint32_t> corner = {0, 1, 2047, 2048, INT32_MAX, 1u << 31, UINT32_MAX};
    double value = 0x1.fffffffcp30;
    for (size_t i = 0; i < 256; ++i, value *= factor) {
      auto entry = static_cast<uint32_t>(value);
      if (!falls)
        entry = rng_.Chance(corners) ? rng_.Pick(corner) : static_cast<uint32_t>(rng_.Bits());
      std::memcpy(&table[4 * i], &entry, 4);
    }
    return table;
  }

  int Softmax() {
    SoftmaxCmd softmax;
    const auto window = static_cast<int64_t>(case_.window.end - case_.window.begin);
    softmax.length = std::min<int64_t>({rng_.Small(1, 2000), window / 2, 4000});
    const auto in = Place({0}, softmax.length), out = Place({0}, softmax.length);
    if (!in || !out || std::abs(*in - *out) < softmax.length) return 0;
    const auto words = kTableBytes / config_.weight_word;
    const std::optional<int64_t> position = FindWeights(words, false);
    if (!position) return MakeRoom(), 0;
    Patch(*position, SoftmaxTable());
    softmax.weights_pos = *position & 0xffff;
    softmax.weights_release = rng_.Int(0, 1);
    if (softmax.weights_release != 0) released_ = std::max(released_, *position + words);
    softmax.in_addr = *in;
    softmax.out_addr = *out;
    const auto bytes = [&](int64_t at) {
      return std::vector<Access>{
          {0, 0, {static_cast<uint64_t>(at), static_cast<uint64_t>(at + softmax.length)}}};
    };
    waits_.Order(softmax, {.reads = bytes(*in), .writes = bytes(*out)});
    Add(softmax);
    return 1;
  }

  const HardwareConfig& config_;
  const StreamOptions options_;
  Rng rng_;
  StreamCase case_;
  StreamJob job_;
  Extent ring_area_, stream_area_, mark_area_, weight_area_, data_area_;
  uint64_t next_stream_ = 0, next_mark_ = 0, next_weight_ = 0;
  int64_t next_layer_ = 0;

  StreamWaits waits_;
  int64_t written_ = 0, released_ = 0, allocated_ = 0;
  std::vector<uint64_t> word_address_;  // of each weight word of the job
  Extent reusable_;                     // weights that can be used once more
  bool chain_ = false;                  // accumulators are kept for the next RUN
  size_t chain_begin_ = 0;              // its first command
  int64_t chain_pixels_ = 0, chain_channels_ = 0, chain_tile_width_ = 0, chain_tile_x_ = 0;
  size_t chain_beats_ = 0;
  bool input_ = false, output_ = false, add_ = false;
  SetupInputCmd last_input_;
  SetupOutputCmd last_output_;
  SetupAddCmd last_add_;
};

}  // namespace

StreamCase GenerateStreams(const HardwareConfig& config, uint64_t seed,
                           const StreamOptions& options) {
  return Generator(config, seed, options).Generate();
}

}  // namespace weft::testing
