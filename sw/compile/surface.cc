// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/surface.h"

#include <algorithm>

namespace weft::compile {
namespace {

// The buffers of a task's tile: input, residual, output, one behind the other.
int64_t SlotAddress(const Task& task) {
  const TilePlan& plan = task.work->plan;
  const int64_t slot = static_cast<int64_t>(task.number) % plan.slots;
  return task.work->address + slot * (plan.in.bytes + plan.residual.bytes + plan.out.bytes);
}

// The rows of a rolling buffer that starts with `first_row` of a tensor.
Surface InRolling(const Rolling& rolling, const Extent& extent, int first_row) {
  const TileBuffer& buffer = rolling.buffer;
  return {.address = rolling.address,
          .pitch = buffer.pitch,
          .row0 = first_row,
          .rows = std::min(static_cast<int>(buffer.bytes / buffer.pitch), extent.h - first_row),
          .byte0 = 0,
          .row_bytes = extent.row_bytes(),
          .pixel = extent.c};
}

}  // namespace

int64_t Surfaces::PitchFor(const Operand& operand, int64_t pitch) const {
  const Value& value = network_.values[static_cast<size_t>(operand.value)];
  return value.dense ? operand.extent.row_bytes() : pitch;
}

Surface Surfaces::Whole(const Operand& operand) const {
  const Home& home = HomeOf(operand.value);
  return {.address = home.address,
          .pitch = PitchFor(operand, home.pitch),
          .row0 = 0,
          .rows = operand.extent.h,
          .byte0 = 0,
          .row_bytes = operand.extent.row_bytes(),
          .pixel = operand.extent.c};
}

Surface Surfaces::Input(const Task& task) const {
  const LayerWork& work = *task.work;
  const Operand& in = work.layer->in;
  if (work.before.buffer.bytes > 0) return InRolling(work.before, in.extent, task.rows_before);
  if (!work.spills.in) return Whole(in);
  Surface surface =
      InTile(in, InputRect(*work.layer, task.tile.rect), task, SlotAddress(task), work.plan.in);
  surface.row_step = work.SomeChannels() ? 1 : RowStep(*work.layer);
  surface.rows = (surface.rows + surface.row_step - 1) / surface.row_step;
  return surface;
}

Surface Surfaces::Residual(const Task& task) const {
  const LayerWork& work = *task.work;
  if (!work.spills.residual) return Whole(work.layer->residual);
  return InTile(work.layer->residual, task.tile.rect, task, SlotAddress(task) + work.plan.in.bytes,
                work.plan.residual);
}

Surface Surfaces::Output(const Task& task) const {
  const LayerWork& work = *task.work;
  const Extent& out = work.out;
  if (work.layer->transposed) {  // rows and columns change places on the way out
    const Home& home = HomeOf(work.layer->out);
    return {.address = home.address,
            .pitch = out.c,
            .row0 = 0,
            .rows = out.h,
            .byte0 = 0,
            .row_bytes = out.w * home.pitch,
            .pixel = home.pitch};
  }
  if (work.after.buffer.bytes > 0) return InRolling(work.after, out, task.rows_after);
  const Operand operand{work.layer->out, out};
  if (!work.spills.out) return Whole(operand);
  return InTile(operand, task.tile.rect, task,
                SlotAddress(task) + work.plan.in.bytes + work.plan.residual.bytes, work.plan.out);
}

// The tile's columns from the word in memory they begin in; or some channels of whole rows.
Surface Surfaces::InTile(const Operand& operand, const Rect& rect, const Task& task,
                         int64_t address, const TileBuffer& buffer) const {
  const bool some = task.work->SomeChannels();
  // The buffer's pixels lie as the plan's tiles need them, also in a last tile of fewer channels.
  const int64_t pixel = some ? task.work->plan.channels : operand.extent.c;
  const int64_t begin = some ? 0 : rect.x0 * pixel / config_.word() * config_.word();
  return {.address = address,
          .pitch = buffer.pitch,
          .row0 = rect.y0,
          .rows = rect.height(),
          .byte0 = begin,
          .row_bytes = (some ? operand.extent.w : rect.x1) * pixel - begin,
          .pixel = pixel,
          .channel0 = some ? task.tile.c0 : 0};
}

}  // namespace weft::compile
