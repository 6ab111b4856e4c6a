// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/transfers.h"

#include <algorithm>
#include <utility>

#include "sw/compile/pieces.h"

namespace weft::compile {
namespace {

int64_t RoundUp(int64_t value, int64_t to) { return (value + to - 1) / to * to; }

}  // namespace

bool Transfers::LoadWhole(const Operand& operand, const Layer& layer) {
  const Home& home = e_.HomeOf(operand.value);
  const auto v = static_cast<size_t>(operand.value);
  if (e_.ValueAt(operand.value).source == Value::Source::kLayer || !home.resident() || loaded_[v]) {
    return false;
  }
  loaded_[v] = true;
  const TensorPlace& place = e_.PlaceOf(operand.value);
  const Ramp ramp{true, LeavesWhole(e_.network, e_.allocation, layer)};
  for (const Piece& piece :
       GrowingPieces(layer, operand, e_.ValueAt(operand.value).extent, home.pitch,
                     OutputOf(e_.network, layer), ramp, e_.config)) {
    PutLoad(place, static_cast<int64_t>(place.offset) + piece.row * place.pitch,
            home.address + piece.row * home.pitch, piece.moves, piece.bytes, place.pitch,
            home.pitch, 0, layer);
  }
  return true;
}

void Transfers::LoadTile(const Task& task) {
  const LayerWork& work = *task.work;
  if (work.spills.in) LoadSurface(work.layer->in, task, surfaces_.Input(task));
  if (work.spills.residual) LoadSurface(work.layer->residual, task, surfaces_.Residual(task));
}

void Transfers::LoadSurface(const Operand& operand, const Task& task, const Surface& surface) {
  const Layer& layer = *task.work->layer;
  const TensorPlace& place = e_.PlaceOf(operand.value);
  const int64_t pitch = surfaces_.PitchFor(operand, place.pitch);
  const int64_t last_row = surface.row0 + int64_t{surface.rows} * surface.row_step;
  uint32_t written = 0;  // STOREs that made these rows
  const Value& value = e_.ValueAt(operand.value);
  for (const StoredRows& rows : stored_[static_cast<size_t>(operand.value)]) {
    const int64_t begin = int64_t{rows.row0} * place.pitch;
    const int64_t end = int64_t{rows.row1} * place.pitch;
    const bool same_rows = value.extent.h == operand.extent.h;
    if (same_rows ? rows.row0 < last_row && surface.row0 < rows.row1
                  : begin < last_row * pitch && surface.row0 * pitch < end) {
      written = std::max(written, rows.count);
    }
  }
  CheckRowsMovable(operand.value, surface.rows, pitch, layer);
  const int64_t offset = static_cast<int64_t>(place.offset) + surface.row0 * pitch;
  if (task.work->SomeChannels()) {  // pixel by pixel; rows follow each other without gaps
    PutLoad(place, offset + task.tile.c0, surface.address, int64_t{surface.rows} * operand.extent.w,
            task.tile.c1 - task.tile.c0, operand.extent.c, surface.pixel, written, layer);
    return;
  }
  PutLoad(place, offset + surface.byte0, surface.address, surface.rows, surface.row_bytes,
          pitch * surface.row_step, surface.pitch, written, layer);
}

// Rows move one by one only if they start at words.
void Transfers::CheckRowsMovable(int value, int64_t rows, int64_t pitch, const Layer& layer) {
  if (pitch % e_.config.word() == 0 || (rows == 1 && e_.ValueAt(value).extent.h == 1)) return;
  e_.status = Fail(
      "operator {} ({}), tensor '{}': its rows of {} bytes are read as a view, so they "
      "cannot be padded to words, and it does not fit the {} bytes of scratchpad of {}",
      layer.source_ops.empty() ? -1 : layer.source_ops.front(), OpKindName(layer.op), layer.name,
      pitch, e_.config.scratchpad, e_.config.name);
}

void Transfers::PutLoad(const TensorPlace& place, int64_t offset, int64_t address, int64_t rows,
                        int64_t row_bytes, int64_t mem_pitch, int64_t pitch, uint32_t after_stores,
                        const Layer& layer) {
  // A single row has no pitch to speak of; whole words keep the field legal.
  const int64_t word = e_.config.word();
  LoadCmd load{.region = place.region,
               .offset = offset,
               .spad_addr = address,
               .rows = rows,
               .row_bytes = row_bytes,
               .mem_pitch = RoundUp(mem_pitch, word),
               .spad_pitch = RoundUp(pitch, word)};
  Counts need{.store = after_stores};
  const auto count = static_cast<uint32_t>(++loads_);
  for (int64_t r = 0; r < rows; ++r) {
    need.Raise(e_.tracker.ForLoad(address + r * pitch, row_bytes));
    e_.tracker.LoadWrites(address + r * pitch, row_bytes, count);
  }
  need.load = 0;  // its own engine
  SetWaits(load, need, load_knows_);
  Issue issue;
  issue.command = load;
  issue.need = need;
  e_.Push(e_.queues.load, std::move(issue), layer);
}

void Transfers::StoreTile(const Task& task) {
  const LayerWork& work = *task.work;
  if (!work.spills.out) return;
  const Layer& layer = *work.layer;
  const Surface surface = surfaces_.Output(task);
  const TensorPlace& place = e_.PlaceOf(layer.out);
  CheckRowsMovable(layer.out, surface.rows, place.pitch, layer);
  const int64_t offset = static_cast<int64_t>(place.offset) + int64_t{surface.row0} * place.pitch;
  if (work.SomeChannels()) {
    PutStore(place, offset + task.tile.c0, surface.address, int64_t{surface.rows} * work.out.w,
             task.tile.c1 - task.tile.c0, work.out.c, surface.pixel, layer);
  } else {
    PutStore(place, offset + surface.byte0, surface.address, surface.rows, surface.row_bytes,
             place.pitch, surface.pitch, layer);
  }
  stored_[static_cast<size_t>(layer.out)].push_back(
      {task.tile.rect.y0, task.tile.rect.y1, static_cast<uint32_t>(stores_)});
}

void Transfers::StoreWhole(const Layer& layer, const Ramp& ramp) {
  const Home& home = e_.HomeOf(layer.out);
  const TensorPlace& place = e_.PlaceOf(layer.out);
  for (const Piece& piece : ShrinkingPieces(layer, e_.ValueAt(layer.out).extent, home.pitch,
                                            OutputOf(e_.network, layer), ramp, e_.config)) {
    PutStore(place, static_cast<int64_t>(place.offset) + piece.row * place.pitch,
             home.address + piece.row * home.pitch, piece.moves, piece.bytes, place.pitch,
             home.pitch, layer);
  }
}

void Transfers::PutStore(const TensorPlace& place, int64_t offset, int64_t address, int64_t rows,
                         int64_t row_bytes, int64_t mem_pitch, int64_t pitch, const Layer& layer) {
  const int64_t word = e_.config.word();
  StoreCmd store{.region = place.region,
                 .offset = offset,
                 .spad_addr = address,
                 .rows = rows,
                 .row_bytes = row_bytes,
                 .mem_pitch = RoundUp(mem_pitch, word),
                 .spad_pitch = RoundUp(pitch, word)};
  Counts need;
  const auto count = static_cast<uint32_t>(++stores_);
  for (int64_t r = 0; r < rows; ++r) {
    need.Raise(e_.tracker.ForRead(address + r * pitch, row_bytes));
    e_.tracker.StoreReads(address + r * pitch, row_bytes, count);
  }
  SetWaits(store, need, store_knows_);
  Issue issue;
  issue.command = store;
  issue.need = need;
  e_.Push(e_.queues.store, std::move(issue), layer);
}

}  // namespace weft::compile
