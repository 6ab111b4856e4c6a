// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/emit.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sw/compile/emission.h"
#include "sw/compile/exec_waits.h"
#include "sw/compile/patch.h"
#include "sw/compile/setups.h"
#include "sw/compile/surface.h"
#include "sw/compile/task.h"
#include "sw/compile/transfers.h"
#include "sw/compile/weight_ring.h"

namespace weft::compile {
namespace {

class Emitter {
 public:
  Emitter(const Network& network, const Allocation& allocation, const MemoryMap& memory,
          const HardwareConfig& config)
      : e_(network, allocation, memory, config),
        surfaces_(network, allocation, config),
        transfers_(e_, surfaces_),
        ring_(memory.weights, config, e_.queues.weights),
        waits_(e_),
        setups_(e_) {}

  Result<Queues> Run() {
    for (size_t u = 0; u < e_.allocation.units.size(); ++u) {
      EmitUnit(e_.allocation.units[u], static_cast<int>(u));
      if (!e_.status) return tl::unexpected(e_.status.error());
    }
    return std::move(e_.queues);
  }

 private:
  // ---- a unit ----

  void EmitUnit(const Unit& unit, int number) {
    const std::vector<LayerWork> works = WorksOf(e_.network, e_.allocation, unit, e_.config);
    const std::vector<Task> tasks = TasksOf(unit, works);
    const uint32_t first_block = e_.blocks + 1;
    input_arrives_ = false;
    for (const LayerWork& work : works) {
      ForEachOperand(*work.layer, [&](const Operand& operand) {
        if (transfers_.LoadWhole(operand, *work.layer)) input_arrives_ = true;
      });
    }
    ring_.StartUnit(works, tasks);
    for (size_t t = 0; t < tasks.size(); ++t) {
      LoadTiles(tasks, t);
      RunTask(tasks[t]);
      transfers_.StoreTile(tasks[t]);
      if (!e_.status) return;
    }
    for (const LayerWork& work : works) {
      ForEachOperand(*work.layer, [&](const Operand& operand) { KeepWhole(operand, first_block); });
    }
    EndUnit(*works.back().layer, number);
  }

  template <typename F>
  static void ForEachOperand(const Layer& layer, F f) {
    f(layer.in);
    if (layer.residual.value >= 0) f(layer.residual);
  }

  // A layer with two slots of tile buffers gets its next tile while it works on this one.
  void LoadTiles(const std::vector<Task>& tasks, size_t t) {
    const Task& task = tasks[t];
    const int slots = task.work->plan.slots;
    if (slots == 1 || task.number == 0) transfers_.LoadTile(task);
    if (slots == 1 || task.last) return;
    const auto next = std::find_if(tasks.begin() + static_cast<std::ptrdiff_t>(t) + 1, tasks.end(),
                                   [&](const Task& other) { return other.work == task.work; });
    transfers_.LoadTile(*next);
  }

  // A resident operand is whole when the MARK of its layer retires, which the first block of this
  // unit follows: also the bytes that strides skip, which no read protects from a LOAD.
  void KeepWhole(const Operand& operand, uint32_t first_block) {
    const Home& home = e_.HomeOf(operand.value);
    if (!home.resident()) return;
    const Extent& extent = e_.ValueAt(operand.value).extent;
    e_.tracker.ExecKeeps(home.address, (extent.h - 1) * home.pitch + extent.row_bytes(),
                         first_block);
  }

  void EndUnit(const Layer& layer, int number) {
    if (LeavesWhole(e_.network, e_.allocation, layer)) transfers_.StoreWhole(layer, RampOf(layer));
    const bool on_chip = SeenOnChip(e_.network, e_.allocation, static_cast<size_t>(number));
    const MarkCmd mark{.store_engine = !on_chip,
                       .region = kRegionMarks,
                       .offset = int64_t{number} * kMarkBytes,
                       .layer = number};
    e_.Push(on_chip ? e_.queues.exec : e_.queues.store, Command(mark), layer);
  }

  Ramp RampOf(const Layer& layer) const {
    return {input_arrives_, LeavesWhole(e_.network, e_.allocation, layer)};
  }

  // ---- a task ----

  void RunTask(const Task& task) {
    const Layer& layer = *task.work->layer;
    Patch patch;
    patch.task = &task;
    patch.in = surfaces_.Input(task);
    if (layer.residual.value >= 0) patch.residual = surfaces_.Residual(task);
    patch.result = surfaces_.Output(task);
    const Rect& whole = task.tile.rect;
    if (layer.regions.empty()) {
      patch.rect = whole;
      patch.ends_task = true;
      RunPatch(patch, layer.multipliers.front());
      return;
    }
    for (const OutputRegion& region : layer.regions) {
      patch.rect = {std::max(whole.y0, region.y0), std::min(whole.y1, region.y1),
                    std::max(whole.x0, region.x0), std::min(whole.x1, region.x1)};
      if (patch.rect.height() <= 0 || patch.rect.width() <= 0) continue;
      // The last region holds the tile's last pixel.
      patch.ends_task = patch.rect.y1 == whole.y1 && patch.rect.x1 == whole.x1;
      RunPatch(patch, region.multiplier);
    }
  }

  void RunPatch(const Patch& patch, const Multiplier& multiplier) {
    setups_.Put(patch, multiplier);
    const Layer& layer = patch.layer();
    if (layer.kind == LayerKind::kSoftmax) {
      PutSoftmaxes(patch);
    } else if (!layer.IsRun()) {
      PutEltwises(patch);
    } else {
      for (const RunPart& part :
           ring_.Runs(*patch.task, patch.rect.pixels(), RampOf(layer), patch.ends_task)) {
        PutRun(patch, part);
      }
    }
  }

  // ---- commands ----

  // Counts the command's blocks and puts it into the queue.
  void Put(Issue issue, uint32_t blocks, const Layer& layer) {
    issue.blocks = blocks;
    e_.blocks += blocks;
    e_.Push(e_.queues.exec, std::move(issue), layer);
  }

  void PutRun(const Patch& patch, const RunPart& part) {
    const Layer& layer = patch.layer();
    const Surface& in = patch.in;
    const Rect& rect = patch.rect;
    const int64_t y = patch.RowOf(part.first_pixel);
    const int64_t channel = int64_t{part.first_block} * e_.config.n;
    RunCmd run{.acc_first = part.acc_first,
               .acc_last = part.acc_last,
               .weights_stream = part.stream,
               .weights_release = part.release,
               .weights_shared = layer.shared_weights(),
               .weights_pos = part.position & 0xffff,
               .pixels = part.pixels,
               .tile_width = rect.width(),
               .tile_x = patch.ColumnOf(part.first_pixel),
               .in_y = (y * layer.stride_h - layer.pad_top - in.row0) / in.row_step,
               .in_x = (int64_t{rect.x0} * layer.stride_w - layer.pad_left) * in.pixel - in.byte0,
               .out_addr = patch.result.At(y, rect.x0, channel),
               .channels = std::min<int64_t>(int64_t{part.blocks} * e_.config.n,
                                             patch.task->tile.c1 - channel),
               .beats = part.beats};
    // Channel by channel the blocks of the input move along with those of the output.
    if (layer.kind != LayerKind::kDense) run.in_x += channel - in.channel0;
    if (layer.has_add) run.b_addr = patch.residual.At(y, rect.x0, channel);
    Issue issue;
    issue.need = waits_.Set(run, patch, part);
    waits_.Use(patch, part);
    if (part.words > 0) issue.weights_end = part.position + part.words;
    if (part.stream || part.release) issue.weights_released = issue.weights_end;
    issue.command = run;
    Put(std::move(issue), part.acc_last ? static_cast<uint32_t>(part.blocks) : 0, layer);
  }

  void PutEltwises(const Patch& patch) {
    const Layer& layer = patch.layer();
    const Rect& rect = patch.rect;
    const int channels = patch.work().out.c;
    RunPart part;
    part.blocks = (channels + e_.config.n - 1) / e_.config.n;
    part.beats = 1;
    for (const int pixels : StripesOf(rect.pixels(), RampOf(layer), e_.config)) {
      part.pixels = pixels;
      const int64_t y = patch.RowOf(part.first_pixel);
      EltwiseCmd eltwise{.add = layer.has_add,
                         .pixels = pixels,
                         .tile_width = rect.width(),
                         .tile_x = patch.ColumnOf(part.first_pixel),
                         .a_addr = patch.in.At(y, rect.x0),
                         .out_addr = patch.result.At(y, rect.x0),
                         .channels = channels};
      if (layer.has_add) eltwise.b_addr = patch.residual.At(y, rect.x0);
      Issue issue;
      issue.need = waits_.Set(eltwise, patch, part);
      waits_.Use(patch, part);
      issue.command = eltwise;
      Put(std::move(issue), static_cast<uint32_t>(part.blocks), layer);
      part.first_pixel += pixels;
    }
  }

  void PutSoftmaxes(const Patch& patch) {
    const int64_t position = ring_.PositionOf(*patch.task);
    const Rect& rect = patch.rect;
    const int length = patch.work().out.c;
    for (int y = rect.y0; y < rect.y1; ++y) {
      for (int x = rect.x0; x < rect.x1; ++x) {
        const bool last = patch.task->last && y + 1 == rect.y1 && x + 1 == rect.x1;
        SoftmaxCmd softmax{.weights_release = last,
                           .weights_pos = position & 0xffff,
                           .in_addr = patch.in.At(y, x),
                           .out_addr = patch.result.At(y, x),
                           .length = length};
        Issue issue;
        issue.need = e_.tracker.ForRead(softmax.in_addr, length);
        issue.need.Raise(e_.tracker.ForExecWrite(softmax.out_addr, length));
        waits_.SetPlain(softmax, issue.need);
        e_.tracker.ExecReads(softmax.in_addr, length, e_.blocks + 1);
        e_.tracker.ExecWrites(softmax.out_addr, length, e_.blocks + 1);
        issue.weights_end = position + patch.work().shape.words();
        if (last) issue.weights_released = issue.weights_end;
        issue.command = softmax;
        Put(std::move(issue), 1, patch.layer());
      }
    }
  }

  Emission e_;
  const Surfaces surfaces_;
  Transfers transfers_;
  WeightRing ring_;
  ExecWaits waits_;
  Setups setups_;
  bool input_arrives_ = false;  // the unit's input is being loaded as it starts
};

}  // namespace

Result<Queues> Emit(const Network& network, const Allocation& allocation, const MemoryMap& memory,
                    const HardwareConfig& config) {
  return Emitter(network, allocation, memory, config).Run();
}

}  // namespace weft::compile
