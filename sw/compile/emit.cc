// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/emit.h"

#include <algorithm>
#include <cassert>
#include <optional>

#include "sw/command/codec.h"
#include "sw/compile/tile.h"
#include "sw/compile/wait_steps.h"

namespace weft::compile {
namespace {

constexpr int64_t kLargestBlockStep = 255;  // RUN.wait_step_block
constexpr int64_t kLargestBeatStep = 15;    // RUN.wait_step_beat
constexpr int64_t kOldestSteppedWait =
    8192;                                 // counts; older waits are surely over: no steps needed
constexpr int64_t kSmallestPiece = 1024;  // bytes of the first of several LOADs or STOREs

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Part of a tensor in the scratchpad: its rows row0.., of each the bytes byte0.., of each pixel the
// channels channel0...
struct Surface {
  int64_t address = 0, pitch = 0;
  int row0 = 0, rows = 0;
  int row_step = 1;  // rows of the tensor from one row here to the next
  int64_t byte0 = 0, row_bytes = 0;
  int64_t pixel = 0;  // bytes between pixels
  int channel0 = 0;
  int64_t At(int64_t row, int64_t x, int64_t channel) const {
    return address + (row - row0) / row_step * pitch + x * pixel - byte0 + channel - channel0;
  }
  // The pixels x0..x1-1 of a row, all their channels.
  int64_t At(int64_t row, int64_t x0) const { return At(row, x0, channel0); }
  int64_t Bytes(int64_t x0, int64_t x1) const { return (x1 - x0) * pixel; }
};

// How a layer's weights pass through the ring.
enum class WeightMode {
  kResident,  // asked for once, used by all stripes, released by the last
  kGroups,    // some blocks at a time, used by all stripes of the tile
  kStreamed,  // block by block and in parts, again for every stripe
};

// One RUN's share of the work on a stripe.
struct RunPart {
  int first_block = 0, blocks = 0;
  int first_beat = 0, beats = 0;
  bool acc_first = true, acc_last = true;
  bool stream = false, release = false;
  int64_t position = 0;  // ring words
  int64_t words = 0;     // from there on that it reads
};

class Emitter {
 public:
  Emitter(const Network& network, const Allocation& allocation, const MemoryMap& memory,
          const HardwareConfig& config)
      : network_(network),
        allocation_(allocation),
        memory_(memory),
        config_(config),
        tracker_(config),
        loaded_(network.values.size(), false),
        stored_(network.values.size()) {}

  Result<Queues> Run() {
    for (index_ = 0; index_ < static_cast<int>(network_.layers.size()); ++index_) {
      EmitLayer();
      if (!status_) return tl::unexpected(status_.error());
    }
    return std::move(queues_);
  }

 private:
  // A STOREd part of a value in memory.
  struct StoredRows {
    int row0, row1;
    uint32_t count;
  };

  const Value& ValueAt(int index) const { return network_.values[static_cast<size_t>(index)]; }
  const Home& HomeOf(int index) const { return allocation_.homes[static_cast<size_t>(index)]; }
  const TensorPlace& PlaceOf(int index) const { return memory_.values[static_cast<size_t>(index)]; }

  // ---- a layer ----

  void EmitLayer() {
    const auto i = static_cast<size_t>(index_);
    layer_ = &network_.layers[i];
    out_ = OutputOf(network_, *layer_);
    area_ = &allocation_.areas[i];
    spills_ = SpillsOf(*layer_, allocation_.homes);
    shape_ = memory_.shapes[i];
    input_arrives_ = false;
    const uint32_t first_block = blocks_ + 1;
    LoadWholeOperand(layer_->in);
    if (layer_->residual.value >= 0) LoadWholeOperand(layer_->residual);

    const std::vector<Tile> tiles = TilesOf(out_, area_->plan);
    ChooseWeightMode(tiles);
    const int slots = area_->plan.slots;
    for (size_t t = 0; t < tiles.size(); ++t) {
      if (slots == 1 || t == 0) LoadTile(tiles[t], t);
      if (slots == 2 && t + 1 < tiles.size()) LoadTile(tiles[t + 1], t + 1);
      last_tile_ = t + 1 == tiles.size();
      RunTile(tiles[t], t);
      StoreTile(tiles[t], t);
      if (!status_) return;
    }
    KeepWhole(layer_->in, first_block);
    if (layer_->residual.value >= 0) KeepWhole(layer_->residual, first_block);
    const bool stored = PlaceOf(layer_->out).where == TensorPlace::Where::kMemory;
    if (stored && HomeOf(layer_->out).resident) StoreWhole();
    const MarkCmd mark{.store_engine = stored,
                       .region = kRegionMarks,
                       .offset = int64_t{index_} * kMarkBytes,
                       .layer = index_};
    PushPlain(stored ? queues_.store : queues_.exec, mark);
  }

  // A resident operand is whole when the MARK of its layer retires, which the first block of this
  // layer follows: also the bytes that strides skip, which no read protects from a LOAD.
  void KeepWhole(const Operand& operand, uint32_t first_block) {
    const Home& home = HomeOf(operand.value);
    if (!home.resident) return;
    const Extent& extent = ValueAt(operand.value).extent;
    tracker_.ExecKeeps(home.address, (extent.h - 1) * home.pitch + extent.row_bytes(), first_block);
  }

  // All stripes of the layer, whichever tile they are in.
  static int64_t CountStripes(const std::vector<Tile>& tiles, const HardwareConfig& config) {
    int64_t count = 0;
    for (const Tile& tile : tiles) count += CeilDiv(tile.rect.pixels(), config.stripe);
    return count;
  }

  void ChooseWeightMode(const std::vector<Tile>& tiles) {
    layer_position_ = -1;
    const int64_t ring = config_.ring_words();
    piece_words_ = ring / 4;
    if (shape_.words() <= ring * 3 / 4 &&
        (CountStripes(tiles, config_) > 1 || shape_.words() <= piece_words_)) {
      mode_ = WeightMode::kResident;
    } else if (shape_.block_words() <= ring / 2) {
      mode_ = WeightMode::kGroups;
    } else {
      mode_ = WeightMode::kStreamed;
    }
  }

  // ---- loads and stores ----

  // Bytes between the rows of a value as this reader sees it.
  int64_t PitchFor(const Operand& operand, int64_t pitch) const {
    return ValueAt(operand.value).dense ? operand.extent.row_bytes() : pitch;
  }

  Surface WholeOperand(const Operand& operand) const {
    const Home& home = HomeOf(operand.value);
    return {.address = home.address,
            .pitch = PitchFor(operand, home.pitch),
            .row0 = 0,
            .rows = operand.extent.h,
            .byte0 = 0,
            .row_bytes = operand.extent.row_bytes(),
            .pixel = operand.extent.c};
  }

  // Brings a resident graph input or constant on chip before its first use, in growing pieces, so
  // that work starts on the first rows.
  void LoadWholeOperand(const Operand& operand) {
    const Value& value = ValueAt(operand.value);
    const auto v = static_cast<size_t>(operand.value);
    if (value.source == Value::Source::kLayer || !HomeOf(operand.value).resident || loaded_[v]) {
      return;
    }
    loaded_[v] = true;
    input_arrives_ = true;
    ForEachPiece(operand.value, [&](int64_t rows0, int64_t rows, int64_t bytes) {
      const Home& home = HomeOf(operand.value);
      const TensorPlace& place = PlaceOf(operand.value);
      PutLoad(place, static_cast<int64_t>(place.offset) + rows0 * place.pitch,
              home.address + rows0 * home.pitch, rows, bytes, place.pitch, home.pitch, 0);
    });
  }

  // Cuts a resident value into pieces of whole rows, small ones first; one that is dense in memory
  // and in the scratchpad moves as single rows of many, which start at words.
  template <typename F>
  void ForEachPiece(int v, F f) {
    const Home& home = HomeOf(v);
    const Extent& extent = ValueAt(v).extent;
    const bool one_row = home.pitch == extent.row_bytes() && PlaceOf(v).pitch == home.pitch;
    // Rows after which a piece may end.
    int64_t unit = 1;
    while (one_row && unit < extent.h && unit * home.pitch % config_.word() != 0) ++unit;
    int64_t size = kSmallestPiece;
    for (int64_t row = 0; row < extent.h;) {
      int64_t rows = std::max(unit, size / std::max<int64_t>(1, home.pitch) / unit * unit);
      if (row + 2 * rows > extent.h) rows = extent.h - row;
      rows = std::min(rows, extent.h - row);
      f(row, one_row ? 1 : rows, one_row ? rows * home.pitch : extent.row_bytes());
      row += rows;
      size += size / 2;
    }
  }

  TileBuffer const& InBuffer() const { return area_->plan.in; }

  int64_t SlotAddress(size_t tile) const {
    const TilePlan& plan = area_->plan;
    const int64_t slot = static_cast<int64_t>(tile) % plan.slots;
    return area_->address + slot * (plan.in.bytes + plan.residual.bytes + plan.out.bytes);
  }

  // Where the tile's part of the input, the residual and the output are.
  Surface InSurface(const Tile& tile, size_t t) const {
    if (!spills_.in) return WholeOperand(layer_->in);
    Surface surface = TileSurface(layer_->in, InputRect(*layer_, tile.rect), tile, SlotAddress(t),
                                  area_->plan.in);
    surface.row_step = SomeChannels() ? 1 : RowStep(*layer_);
    surface.rows = static_cast<int>(CeilDiv(surface.rows, surface.row_step));
    return surface;
  }
  Surface ResidualSurface(const Tile& tile, size_t t) const {
    if (!spills_.residual) return WholeOperand(layer_->residual);
    return TileSurface(layer_->residual, tile.rect, tile, SlotAddress(t) + area_->plan.in.bytes,
                       area_->plan.residual);
  }
  Surface OutSurface(const Tile& tile, size_t t) const {
    const Operand operand{layer_->out, out_};
    if (layer_->transposed) {  // rows and columns change places on the way out
      const Home& home = HomeOf(layer_->out);
      return {.address = home.address,
              .pitch = out_.c,
              .row0 = 0,
              .rows = out_.h,
              .byte0 = 0,
              .row_bytes = out_.w * home.pitch,
              .pixel = home.pitch};
    }
    if (!spills_.out) return WholeOperand(operand);
    const TilePlan& plan = area_->plan;
    return TileSurface(operand, tile.rect, tile,
                       SlotAddress(t) + plan.in.bytes + plan.residual.bytes, plan.out);
  }

  bool SomeChannels() const { return area_->plan.channels < out_.c; }

  // The tile's columns from the word in memory they begin in; or some channels of whole rows.
  Surface TileSurface(const Operand& operand, const Rect& rect, const Tile& tile, int64_t address,
                      const TileBuffer& buffer) const {
    const bool some = SomeChannels();
    // The buffer's pixels lie as the plan's tiles need them, also in a last tile of fewer channels.
    const int64_t pixel = some ? area_->plan.channels : operand.extent.c;
    const int64_t begin = some ? 0 : rect.x0 * pixel / config_.word() * config_.word();
    return {.address = address,
            .pitch = buffer.pitch,
            .row0 = rect.y0,
            .rows = rect.height(),
            .byte0 = begin,
            .row_bytes = (some ? operand.extent.w : rect.x1) * pixel - begin,
            .pixel = pixel,
            .channel0 = some ? tile.c0 : 0};
  }

  void LoadTile(const Tile& tile, size_t t) {
    if (spills_.in) LoadSurface(layer_->in, tile, InSurface(tile, t));
    if (spills_.residual) LoadSurface(layer_->residual, tile, ResidualSurface(tile, t));
  }

  void LoadSurface(const Operand& operand, const Tile& tile, const Surface& surface) {
    const TensorPlace& place = PlaceOf(operand.value);
    const int64_t pitch = PitchFor(operand, place.pitch);
    const int64_t last_row = surface.row0 + int64_t{surface.rows} * surface.row_step;
    uint32_t written = 0;  // STOREs that made these rows
    const Value& value = ValueAt(operand.value);
    for (const StoredRows& rows : stored_[static_cast<size_t>(operand.value)]) {
      const int64_t begin = int64_t{rows.row0} * place.pitch;
      const int64_t end = int64_t{rows.row1} * place.pitch;
      const bool same_rows = value.extent.h == operand.extent.h;
      if (same_rows ? rows.row0 < last_row && surface.row0 < rows.row1
                    : begin < last_row * pitch && surface.row0 * pitch < end) {
        written = std::max(written, rows.count);
      }
    }
    CheckRowsMovable(operand.value, surface.rows, pitch);
    if (SomeChannels()) {  // pixel by pixel; rows follow each other without gaps on both sides
      const int64_t channels = operand.extent.c;
      PutLoad(place, static_cast<int64_t>(place.offset) + surface.row0 * pitch + tile.c0,
              surface.address, int64_t{surface.rows} * operand.extent.w, tile.c1 - tile.c0,
              channels, surface.pixel, written);
      return;
    }
    PutLoad(place, static_cast<int64_t>(place.offset) + surface.row0 * pitch + surface.byte0,
            surface.address, surface.rows, surface.row_bytes, pitch * surface.row_step,
            surface.pitch, written);
  }

  // Rows move one by one only if they start at words.
  void CheckRowsMovable(int value, int64_t rows, int64_t pitch) {
    if (pitch % config_.word() == 0 || (rows == 1 && ValueAt(value).extent.h == 1)) return;
    status_ = Fail(
        "operator {} ({}), tensor '{}': its rows of {} bytes are read as a view, so they "
        "cannot be padded to words, and it does not fit the {} bytes of scratchpad of {}",
        layer_->source_ops.empty() ? -1 : layer_->source_ops.front(), OpKindName(layer_->op),
        layer_->name, pitch, config_.scratchpad, config_.name);
  }

  void PutLoad(const TensorPlace& place, int64_t offset, int64_t address, int64_t rows,
               int64_t row_bytes, int64_t mem_pitch, int64_t pitch, uint32_t after_stores) {
    // A single row has no pitch to speak of; whole words keep the field legal.
    const int64_t word = config_.word();
    LoadCmd load{.region = place.region,
                 .offset = offset,
                 .spad_addr = address,
                 .rows = rows,
                 .row_bytes = row_bytes,
                 .mem_pitch = CeilDiv(mem_pitch, word) * word,
                 .spad_pitch = CeilDiv(pitch, word) * word};
    Counts need{.store = after_stores};
    const auto count = static_cast<uint32_t>(++loads_);
    for (int64_t r = 0; r < rows; ++r) {
      need.Raise(tracker_.ForLoad(address + r * pitch, row_bytes));
      tracker_.LoadWrites(address + r * pitch, row_bytes, count);
    }
    need.load = 0;  // its own engine
    SetWaits(load, need, load_knows_);
    Issue issue;
    issue.command = load;
    issue.need = need;
    Push(queues_.load, std::move(issue));
  }

  void StoreTile(const Tile& tile, size_t t) {
    if (!spills_.out) return;
    const Surface surface = OutSurface(tile, t);
    const TensorPlace& place = PlaceOf(layer_->out);
    CheckRowsMovable(layer_->out, surface.rows, place.pitch);
    const int64_t offset = static_cast<int64_t>(place.offset) + int64_t{surface.row0} * place.pitch;
    if (SomeChannels()) {
      PutStore(place, offset + tile.c0, surface.address, int64_t{surface.rows} * out_.w,
               tile.c1 - tile.c0, out_.c, surface.pixel);
    } else {
      PutStore(place, offset + surface.byte0, surface.address, surface.rows, surface.row_bytes,
               place.pitch, surface.pitch);
    }
    stored_[static_cast<size_t>(layer_->out)].push_back(
        {tile.rect.y0, tile.rect.y1, static_cast<uint32_t>(stores_)});
  }

  void StoreWhole() {
    const Home& home = HomeOf(layer_->out);
    const TensorPlace& place = PlaceOf(layer_->out);
    ForEachPiece(layer_->out, [&](int64_t row, int64_t rows, int64_t bytes) {
      PutStore(place, static_cast<int64_t>(place.offset) + row * place.pitch,
               home.address + row * home.pitch, rows, bytes, place.pitch, home.pitch);
    });
  }

  void PutStore(const TensorPlace& place, int64_t offset, int64_t address, int64_t rows,
                int64_t row_bytes, int64_t mem_pitch, int64_t pitch) {
    const int64_t word = config_.word();
    StoreCmd store{.region = place.region,
                   .offset = offset,
                   .spad_addr = address,
                   .rows = rows,
                   .row_bytes = row_bytes,
                   .mem_pitch = CeilDiv(mem_pitch, word) * word,
                   .spad_pitch = CeilDiv(pitch, word) * word};
    Counts need;
    const auto count = static_cast<uint32_t>(++stores_);
    for (int64_t r = 0; r < rows; ++r) {
      need.Raise(tracker_.ForRead(address + r * pitch, row_bytes));
      tracker_.StoreReads(address + r * pitch, row_bytes, count);
    }
    SetWaits(store, need, store_knows_);
    Issue issue;
    issue.command = store;
    issue.need = need;
    Push(queues_.store, std::move(issue));
  }

  // Waits for what this engine does not know yet to have happened.
  template <typename T>
  static void SetWaits(T& command, const Counts& need, Counts& knows) {
    const auto set = [&command](int bit, int64_t& wait, uint32_t needed, uint32_t& known) {
      if (needed <= known) return;
      command.wait_mask |= 1 << bit;
      wait = needed;
      known = needed;
    };
    set(0, command.wait_load, need.load, knows.load);
    set(1, command.wait_exec, need.exec, knows.exec);
    set(2, command.wait_store, need.store, knows.store);
  }

  void Push(std::vector<Issue>& queue, Issue issue) {
    issue.layer = index_;
    // Waits are reduced modulo 2^16 when the stream is put together.
    Command checked = issue.command;
    std::visit(
        [](auto& c) {
          if constexpr (requires { c.wait_mask; }) {
            c.wait_load &= 0xffff;
            c.wait_exec &= 0xffff;
            c.wait_store &= 0xffff;
          }
        },
        checked);
    if (const Status fits = CheckFields(checked); !fits && status_) {
      status_ = Fail(
          "operator {} ({}), tensor '{}': its shape is beyond what the device's commands "
          "can express: {}",
          layer_->source_ops.empty() ? -1 : layer_->source_ops.front(), OpKindName(layer_->op),
          layer_->name, fits.error().message);
    }
    queue.push_back(std::move(issue));
  }

  void PushPlain(std::vector<Issue>& queue, const Command& command) {
    Issue issue;
    issue.command = command;
    Push(queue, std::move(issue));
  }

  // ---- a tile's work ----

  void RunTile(const Tile& tile, size_t t) {
    channel0_ = tile.c0;
    channel1_ = tile.c1;
    in_ = InSurface(tile, t);
    if (layer_->residual.value >= 0) residual_ = ResidualSurface(tile, t);
    result_ = OutSurface(tile, t);
    if (layer_->regions.empty()) {
      RunRect(tile.rect, layer_->multipliers.front(), true);
      return;
    }
    for (size_t r = 0; r < layer_->regions.size(); ++r) {
      const OutputRegion& region = layer_->regions[r];
      const Rect& whole = tile.rect;
      const Rect rect{std::max(whole.y0, region.y0), std::min(whole.y1, region.y1),
                      std::max(whole.x0, region.x0), std::min(whole.x1, region.x1)};
      if (rect.height() <= 0 || rect.width() <= 0) continue;
      // The last region holds the tile's last pixel.
      const bool last = rect.y1 == whole.y1 && rect.x1 == whole.x1;
      RunRect(rect, region.multiplier, last);
    }
  }

  // Work on a rectangle with one set of parameters; `last`: it ends the tile.
  void RunRect(const Rect& rect, const Multiplier& multiplier, bool last) {
    rect_ = rect;
    const bool ends_layer = last && last_tile_;
    SetupOutput(multiplier);
    if (layer_->has_add || layer_->kind == LayerKind::kRequantize) SetupAdd();
    if (layer_->kind == LayerKind::kSoftmax) {
      RunSoftmax(ends_layer);
    } else if (!layer_->IsRun()) {
      RunEltwise();
    } else {
      SetupInput();
      RunBlocks(ends_layer);
    }
  }

  void SetupInput() {
    const Extent& in = layer_->in.extent;
    const bool dense = layer_->kind == LayerKind::kDense;
    const SetupInputCmd setup{
        .mode = dense                                 ? 0
                : layer_->kind == LayerKind::kMaximum ? 2
                : layer_->pixel_pairs()               ? 3
                                                      : 1,
        .in_addr = in_.address,
        .in_pitch = in_.pitch,
        .in_rows = in_.rows,
        .in_row_bytes = in_.row_bytes,
        .pixel_bytes = in_.pixel,
        .step_bytes = layer_->stride_w * in_.pixel,
        .stride_rows = layer_->stride_h / in_.row_step,
        .kernel_rows = layer_->kernel_h,
        .kernel_span = dense ? int64_t{layer_->kernel_w} * in.c : layer_->kernel_w,
        .pad_value = layer_->pad_value};
    if (setup_input_ == setup) return;
    setup_input_ = setup;
    PushPlain(queues_.exec, setup);
  }

  void SetupOutput(const Multiplier& multiplier) {
    const bool per_tensor = layer_->per_tensor();
    const SetupOutputCmd setup{.out_pitch = result_.pitch,
                               .out_pixel = result_.pixel,
                               .rounding = layer_->rounding,
                               .per_tensor = per_tensor,
                               .has_params = layer_->has_params(),
                               .add = layer_->has_add && layer_->IsRun(),
                               .multiplier = per_tensor ? multiplier.m : 0,
                               .shift = per_tensor ? multiplier.shift : 0,
                               .zero_point = layer_->zero_point,
                               .clamp_low = layer_->clamp.low,
                               .clamp_high = layer_->clamp.high};
    if (layer_->kind == LayerKind::kSoftmax || setup_output_ == setup) return;
    setup_output_ = setup;
    PushPlain(queues_.exec, setup);
  }

  void SetupAdd() {
    SetupAddCmd setup;
    if (!layer_->IsRun()) setup.a_pitch = in_.pitch;
    if (layer_->has_add) {
      const Addition& add = layer_->add;
      setup.b_pitch = residual_.pitch;
      setup.left_shift = Addition::kLeftShift;
      setup.a_zero_point = add.a_zero_point;
      setup.a_multiplier = add.a.m;
      setup.a_shift = add.a.shift;
      setup.b_zero_point = add.b_zero_point;
      setup.b_multiplier = add.b.m;
      setup.b_shift = add.b.shift;
      setup.sum_multiplier = add.sum.m;
      setup.sum_shift = add.sum.shift;
      setup.sum_zero_point = add.sum_zero_point;
      setup.sum_clamp_low = add.clamp.low;
      setup.sum_clamp_high = add.clamp.high;
    } else {
      setup.a_zero_point = layer_->in_zero_point;
    }
    if (setup_add_ == setup) return;
    setup_add_ = setup;
    PushPlain(queues_.exec, setup);
  }

  // ---- weights ----

  // Appends words of the layer's weights to the ring; returns their position.
  int64_t AppendWeights(int64_t first_word, int64_t words) {
    const uint64_t offset = memory_.weights[static_cast<size_t>(index_)] +
                            static_cast<uint64_t>(first_word * config_.weight_word);
    std::vector<WeightSegment>& segments = queues_.weights;
    const int64_t position = ring_end_;
    ring_end_ += words;
    if (!segments.empty() && segments.back().offset + static_cast<uint64_t>(segments.back().words *
                                                                            config_.weight_word) ==
                                 offset) {
      segments.back().words += words;
    } else {
      segments.push_back({offset, words});
    }
    return position;
  }

  // The ring position of a layer's weights that all its stripes share.
  int64_t LayerWeights() {
    if (layer_position_ < 0) layer_position_ = AppendWeights(0, shape_.words());
    return layer_position_;
  }

  void RunBlocks(bool ends_layer) {
    std::vector<int> stripes = StripesOf(rect_.pixels(), input_arrives_, config_);
    if (mode_ == WeightMode::kStreamed && rect_.pixels() <= config_.stripe) {
      stripes = {static_cast<int>(rect_.pixels())};  // weights pass only once
    }
    const int first_block = channel0_ / config_.n;
    const auto end_block = static_cast<int>(CeilDiv(channel1_, config_.n));
    RunPart part;
    part.beats = shape_.beats;
    if (mode_ == WeightMode::kResident) {
      part.first_block = first_block;
      part.blocks = end_block - first_block;
      if (shape_.words() > 0) part.position = LayerWeights() + first_block * shape_.block_words();
      part.words = shape_.shared_words + part.blocks * shape_.block_words();
      ForEachStripe(stripes, [&](int64_t first, int pixels, bool last) {
        const bool done = last && ends_layer && shape_.words() > 0;
        part.release = done && layer_->shared_weights();
        part.stream = done && !layer_->shared_weights();
        RunStripe(first, pixels, part);
      });
    } else if (mode_ == WeightMode::kGroups) {
      const int64_t group = std::max<int64_t>(1, piece_words_ / shape_.block_words());
      for (int64_t block = first_block; block < end_block; block += group) {
        part.first_block = static_cast<int>(block);
        part.blocks = static_cast<int>(std::min(group, end_block - block));
        part.words = part.blocks * shape_.block_words();
        part.position = AppendWeights(block * shape_.block_words(), part.words);
        ForEachStripe(stripes, [&](int64_t first, int pixels, bool last) {
          part.stream = last;
          RunStripe(first, pixels, part);
        });
      }
    } else {
      part.blocks = 1;
      part.stream = true;
      const int64_t piece = std::max<int64_t>(1, piece_words_ / shape_.beat_words);
      ForEachStripe(stripes, [&](int64_t first, int pixels, bool) {
        for (int block = first_block; block < end_block; ++block) {
          part.first_block = block;
          for (int64_t beat = 0; beat < shape_.beats; beat += piece) {
            part.first_beat = static_cast<int>(beat);
            part.beats = static_cast<int>(std::min(piece, shape_.beats - beat));
            part.acc_first = beat == 0;
            part.acc_last = beat + part.beats == shape_.beats;
            part.words =
                int64_t{part.beats} * shape_.beat_words + (part.acc_last ? shape_.param_words : 0);
            part.position =
                AppendWeights(block * shape_.block_words() + beat * shape_.beat_words, part.words);
            RunStripe(first, pixels, part);
          }
        }
      });
    }
  }

  template <typename F>
  static void ForEachStripe(const std::vector<int>& stripes, F f) {
    int64_t first = 0;
    for (size_t s = 0; s < stripes.size(); ++s) {
      f(first, stripes[s], s + 1 == stripes.size());
      first += stripes[s];
    }
  }

  // ---- what a stripe reads and writes ----

  // Calls f(row, x0, x1) for the stripe's pixels, row by row of the output.
  template <typename F>
  void ForEachSegment(int64_t first, int pixels, F f) const {
    const int64_t width = rect_.width();
    for (int64_t p = first; p < first + pixels;) {
      const int64_t x = p % width;
      const int64_t count = std::min(width - x, first + pixels - p);
      f(rect_.y0 + p / width, rect_.x0 + x, rect_.x0 + x + count);
      p += count;
    }
  }

  // Calls f(input row, x0, x1) for the input columns a stripe reads, each row once.
  template <typename F>
  void ForEachInputRow(int64_t first, int pixels, F f) {
    input_rows_.clear();
    int64_t base = -1;
    ForEachSegment(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
      const Rect in = InputRect(*layer_, {static_cast<int>(row), static_cast<int>(row + 1),
                                          static_cast<int>(x0), static_cast<int>(x1)});
      if (base < 0) base = in.y0;
      for (int y = in.y0; y < in.y1; ++y) {
        const auto slot = static_cast<size_t>(y - base);
        if (input_rows_.size() <= slot) input_rows_.resize(slot + 1, {INT32_MAX, 0});
        input_rows_[slot].first = std::min(input_rows_[slot].first, in.x0);
        input_rows_[slot].second = std::max(input_rows_[slot].second, in.x1);
      }
    });
    for (size_t i = 0; i < input_rows_.size(); ++i) {
      const auto [x0, x1] = input_rows_[i];
      if (x0 < x1) f(base + static_cast<int64_t>(i), x0, x1);
    }
  }

  // For each of `count` chunks of `chunk` channels from `channel` on: the newest block written to
  // the chunk's bytes in the pixels of a row.
  void RaiseByChunk(const Surface& surface, int64_t row, int64_t x0, int64_t x1, int channels,
                    int64_t channel, int chunk, std::vector<uint32_t>& needs) const {
    for (int64_t x = x0; x < x1; ++x) {
      for (size_t i = 0; i < needs.size(); ++i) {
        const int64_t from = channel + static_cast<int64_t>(i) * chunk;
        const int64_t bytes = std::min<int64_t>(chunk, channels - from);
        const Counts need = tracker_.ForRead(surface.At(row, x, from), bytes);
        needs[i] = std::max(needs[i], need.exec);
      }
    }
  }

  // Whether the results of a row's pixels follow each other without gaps.
  bool PixelsTouch() const { return !layer_->transposed; }

  struct StripeWaits {
    Counts flat;  // load and store counts; exec: 0
    WaitLine by_block, by_beat;
  };

  // What a stripe's operands and result have to wait for.
  StripeWaits WaitsOf(int64_t first, int pixels, const RunPart& part) {
    StripeWaits waits;
    const Extent& in = layer_->in.extent;
    Counts operand;
    ForEachInputRow(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
      operand.Raise(tracker_.ForRead(in_.At(row, x0), in_.Bytes(x0, x1)));
    });
    const auto blocks = static_cast<size_t>(part.blocks);
    const int64_t channel = int64_t{part.first_block} * config_.n;
    std::vector<uint32_t> by_block(blocks, 0);
    if (operand.exec > exec_knows_.exec) {
      const bool pointwise =
          layer_->kind == LayerKind::kDense && layer_->kernel_h == 1 && layer_->kernel_w == 1;
      if (layer_->kind == LayerKind::kDense && !pointwise) {
        waits.by_beat.first = operand.exec;
      } else if (pointwise) {
        std::vector<uint32_t> by_beat(static_cast<size_t>(part.beats), 0);
        ForEachInputRow(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
          RaiseByChunk(in_, row, x0, x1, in.c, int64_t{part.first_beat} * config_.k, config_.k,
                       by_beat);
        });
        waits.by_beat = FitWaits(by_beat, kLargestBeatStep, blocks_);
      } else {
        ForEachInputRow(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
          RaiseByChunk(in_, row, x0, x1, in.c, channel, config_.n, by_block);
        });
      }
    }
    waits.flat.Raise({.load = operand.load});
    if (layer_->has_add) {
      Counts added;
      ForEachSegment(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
        added.Raise(tracker_.ForRead(residual_.At(row, x0), residual_.Bytes(x0, x1)));
      });
      waits.flat.Raise({.load = added.load});
      if (added.exec > exec_knows_.exec) {
        ForEachSegment(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
          RaiseByChunk(residual_, row, x0, x1, out_.c, channel, config_.n, by_block);
        });
      }
    }
    waits.by_block = FitWaits(by_block, kLargestBlockStep, blocks_);
    ForEachSegment(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
      if (PixelsTouch()) {
        waits.flat.Raise(tracker_.ForExecWrite(result_.At(row, x0), result_.Bytes(x0, x1)));
        return;
      }
      for (int64_t x = x0; x < x1; ++x) {
        waits.flat.Raise(tracker_.ForExecWrite(result_.At(row, x), out_.c));
      }
    });
    return waits;
  }

  // Records a stripe's uses. Block j of the part is over at count blocks_ + j + 1.
  void Use(int64_t first, int pixels, const RunPart& part) {
    const uint32_t over = blocks_ + static_cast<uint32_t>(part.blocks);
    ForEachInputRow(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
      tracker_.ExecReads(in_.At(row, x0), in_.Bytes(x0, x1), over);
    });
    if (!part.acc_last) return;
    ForEachSegment(first, pixels, [&](int64_t row, int64_t x0, int64_t x1) {
      if (layer_->has_add) {
        tracker_.ExecReads(residual_.At(row, x0), residual_.Bytes(x0, x1), over);
      }
      if (out_.c <= config_.n && PixelsTouch()) {
        tracker_.ExecWrites(result_.At(row, x0), result_.Bytes(x0, x1), over);
        return;
      }
      for (int64_t x = x0; x < x1; ++x) {
        for (int j = 0; j < part.blocks; ++j) {
          const int64_t channel = int64_t{part.first_block + j} * config_.n;
          const int64_t bytes = std::min<int64_t>(config_.n, out_.c - channel);
          tracker_.ExecWrites(result_.At(row, x, channel), bytes,
                              blocks_ + static_cast<uint32_t>(j) + 1);
        }
      }
    });
  }

  // Sets wait_exec and its steps; returns the highest count the command waits for.
  template <typename T>
  uint32_t SetExecWait(T& command, const StripeWaits& waits, size_t blocks, size_t beats) {
    WaitLine block = waits.by_block, beat = waits.by_beat;
    int64_t wait = std::max(block.first, beat.first);
    int64_t last = wait + block.last(blocks) - block.first + beat.last(beats) - beat.first;
    const int64_t flat = std::max(block.last(blocks), beat.last(beats));
    if (last > blocks_ || wait + kOldestSteppedWait < blocks_) {
      wait = last = flat;
      block.step = beat.step = 0;
    }
    if (last <= exec_knows_.exec) return 0;
    command.wait_mask |= 2;
    command.wait_exec = wait;
    command.wait_step_block = block.step;
    if constexpr (requires { command.wait_step_beat; }) command.wait_step_beat = beat.step;
    exec_knows_.exec = static_cast<uint32_t>(last);
    return exec_knows_.exec;
  }

  // ---- commands ----

  void RunStripe(int64_t first, int pixels, const RunPart& part) {
    const int64_t y = rect_.y0 + first / rect_.width();
    const int64_t channel = int64_t{part.first_block} * config_.n;
    RunCmd run{
        .acc_first = part.acc_first,
        .acc_last = part.acc_last,
        .weights_stream = part.stream,
        .weights_release = part.release,
        .weights_shared = layer_->shared_weights(),
        .weights_pos = part.position & 0xffff,
        .pixels = pixels,
        .tile_width = rect_.width(),
        .tile_x = first % rect_.width(),
        .in_y = (y * layer_->stride_h - layer_->pad_top - in_.row0) / in_.row_step,
        .in_x = (int64_t{rect_.x0} * layer_->stride_w - layer_->pad_left) * in_.pixel - in_.byte0,
        .out_addr = result_.At(y, rect_.x0, channel),
        .channels = std::min<int64_t>(int64_t{part.blocks} * config_.n, channel1_ - channel),
        .beats = part.beats};
    // Channel by channel the blocks of the input move along with those of the output.
    if (layer_->kind != LayerKind::kDense) run.in_x += channel - in_.channel0;
    if (layer_->has_add) run.b_addr = residual_.At(y, rect_.x0, channel);
    const StripeWaits waits = WaitsOf(first, pixels, part);
    Issue issue;
    issue.need = waits.flat;
    SetWaits(run, waits.flat, exec_knows_);
    issue.need.exec =
        SetExecWait(run, waits, static_cast<size_t>(part.blocks), static_cast<size_t>(part.beats));
    Use(first, pixels, part);
    issue.blocks = part.acc_last ? static_cast<uint32_t>(part.blocks) : 0;
    if (part.words > 0) issue.weights_end = part.position + part.words;
    if (part.stream || part.release) issue.weights_released = issue.weights_end;
    blocks_ += issue.blocks;
    issue.command = run;
    Push(queues_.exec, std::move(issue));
  }

  void RunEltwise() {
    RunPart part;
    part.blocks = static_cast<int>(CeilDiv(out_.c, config_.n));
    ForEachStripe(
        StripesOf(rect_.pixels(), input_arrives_, config_), [&](int64_t first, int pixels, bool) {
          const int64_t y = rect_.y0 + first / rect_.width();
          EltwiseCmd eltwise{.add = layer_->has_add,
                             .pixels = pixels,
                             .tile_width = rect_.width(),
                             .tile_x = first % rect_.width(),
                             .a_addr = in_.At(y, rect_.x0),
                             .out_addr = result_.At(y, rect_.x0),
                             .channels = out_.c};
          if (layer_->has_add) eltwise.b_addr = residual_.At(y, rect_.x0);
          const StripeWaits waits = WaitsOf(first, pixels, part);
          Issue issue;
          issue.need = waits.flat;
          SetWaits(eltwise, waits.flat, exec_knows_);
          issue.need.exec = SetExecWait(eltwise, waits, static_cast<size_t>(part.blocks), 1);
          Use(first, pixels, part);
          issue.blocks = static_cast<uint32_t>(part.blocks);
          blocks_ += issue.blocks;
          issue.command = eltwise;
          Push(queues_.exec, std::move(issue));
        });
  }

  void RunSoftmax(bool ends_layer) {
    const int64_t position = LayerWeights();
    for (int y = rect_.y0; y < rect_.y1; ++y) {
      for (int x = rect_.x0; x < rect_.x1; ++x) {
        const bool last = ends_layer && y + 1 == rect_.y1 && x + 1 == rect_.x1;
        SoftmaxCmd softmax{.weights_release = last,
                           .weights_pos = position & 0xffff,
                           .in_addr = in_.At(y, x),
                           .out_addr = result_.At(y, x),
                           .length = out_.c};
        Issue issue;
        issue.need = tracker_.ForRead(softmax.in_addr, out_.c);
        issue.need.Raise(tracker_.ForExecWrite(softmax.out_addr, out_.c));
        SetWaits(softmax, issue.need, exec_knows_);
        ++blocks_;
        tracker_.ExecReads(softmax.in_addr, out_.c, blocks_);
        tracker_.ExecWrites(softmax.out_addr, out_.c, blocks_);
        issue.blocks = 1;
        issue.weights_end = position + shape_.words();
        if (last) issue.weights_released = issue.weights_end;
        issue.command = softmax;
        Push(queues_.exec, std::move(issue));
      }
    }
  }

  const Network& network_;
  const Allocation& allocation_;
  const MemoryMap& memory_;
  const HardwareConfig& config_;
  Tracker tracker_;
  Queues queues_;
  Status status_;

  // By value.
  std::vector<bool> loaded_;  // residents from memory that are on chip
  std::vector<std::vector<StoredRows>> stored_;

  // Commands so far, and what the engines have already waited for.
  int64_t loads_ = 0, stores_ = 0;
  uint32_t blocks_ = 0;
  Counts load_knows_, exec_knows_, store_knows_;
  int64_t ring_end_ = 0;  // ring words given to layers
  std::optional<SetupInputCmd> setup_input_;
  std::optional<SetupOutputCmd> setup_output_;
  std::optional<SetupAddCmd> setup_add_;

  // The layer at hand.
  int index_ = 0;
  const Layer* layer_ = nullptr;
  Extent out_;
  const WorkArea* area_ = nullptr;
  Spills spills_;
  WeightShape shape_;
  WeightMode mode_ = WeightMode::kResident;
  int64_t piece_words_ = 0;
  int64_t layer_position_ = -1;  // ring position of its weights; -1: not yet there
  bool input_arrives_ = false;   // its input is being loaded as it starts
  // The tile at hand.
  bool last_tile_ = false;
  int channel0_ = 0, channel1_ = 0;
  Surface in_, residual_, result_;
  Rect rect_;
  std::vector<std::pair<int, int>> input_rows_;
};

}  // namespace

Result<Queues> Emit(const Network& network, const Allocation& allocation, const MemoryMap& memory,
                    const HardwareConfig& config) {
  return Emitter(network, allocation, memory, config).Run();
}

}  // namespace weft::compile
