// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/task.h"

namespace weft::compile {

std::vector<LayerWork> WorksOf(const Network& network, const Allocation& allocation,
                               const Unit& unit, const HardwareConfig& config) {
  std::vector<LayerWork> works;
  int64_t address = unit.address;
  for (int i = unit.first; i <= unit.last; ++i) {
    LayerWork work;
    work.index = i;
    work.layer = &network.layers[static_cast<size_t>(i)];
    work.out = OutputOf(network, *work.layer);
    work.spills = SpillsOf(*work.layer, allocation.homes);
    work.shape = ShapeOfWeights(*work.layer, work.out.c, config);
    work.plan = unit.plan.tiles[works.size()];
    work.address = address;
    address += work.plan.bytes();
    works.push_back(work);
  }
  for (size_t i = 0; i < unit.plan.between.size(); ++i) {
    const TileBuffer& buffer = unit.plan.between[i];
    works[i].after = works[i + 1].before = {address, buffer};
    address += buffer.bytes;
  }
  return works;
}

std::vector<Task> TasksOf(const Unit& unit, const std::vector<LayerWork>& works) {
  std::vector<Task> tasks;
  std::vector<size_t> count(works.size(), 0), latest(works.size(), 0);
  const auto add = [&](size_t i, Task task) {
    task.work = &works[i];
    task.number = count[i]++;
    latest[i] = tasks.size();
    tasks.push_back(task);
  };
  if (unit.single()) {
    for (const Tile& tile : TilesOf(works[0].out, works[0].plan)) add(0, {.tile = tile});
  }
  for (const Band& band : unit.plan.bands) {
    for (size_t i = 0; i < works.size(); ++i) {
      const Share& share = band[i];
      const Extent& out = works[i].out;
      if (share.empty()) continue;
      add(i, {.tile = {{share.y0, share.y1, 0, out.w}, 0, out.c},
              .rows_before = i > 0 ? band[i - 1].first_row : 0,
              .rows_after = share.first_row});
    }
  }
  for (const size_t last : latest) tasks[last].last = true;
  return tasks;
}

}  // namespace weft::compile
