// SPDX-License-Identifier: Apache-2.0
//
// A patch: a rectangle of a task's tile with one set of parameters, and where its operands are. Its
// pixels are worked on row by row in stripes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sw/compile/surface.h"
#include "sw/compile/task.h"
#include "sw/compile/tile.h"

namespace weft::compile {

struct Patch {
  const Task* task = nullptr;
  Rect rect;
  bool ends_task = false;
  Surface in, residual, result;

  const LayerWork& work() const { return *task->work; }
  const Layer& layer() const { return *task->work->layer; }
  /// Row of the output that a pixel is in, and its column in the rectangle.
  int64_t RowOf(int64_t pixel) const { return rect.y0 + pixel / rect.width(); }
  int64_t ColumnOf(int64_t pixel) const { return pixel % rect.width(); }

  /// Calls f(row, x0, x1) for pixels of the output, row by row.
  template <typename F>
  void ForEachSegment(int64_t first, int pixels, F f) const {
    for (int64_t p = first; p < first + pixels;) {
      const int64_t x = ColumnOf(p);
      const int64_t count = std::min(rect.width() - x, first + pixels - p);
      f(RowOf(p), rect.x0 + x, rect.x0 + x + count);
      p += count;
    }
  }
};

}  // namespace weft::compile
