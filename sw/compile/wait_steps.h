// SPDX-License-Identifier: Apache-2.0
//
// A RUN waits for the blocks it reads with one number and two steps. Given what each of its blocks,
// or beats, needs, this finds the lowest line above all of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weft::compile {

/// Item i waits for `first + i * step` retired blocks.
struct WaitLine {
  int64_t first = 0;
  int64_t step = 0;
  int64_t last(size_t items) const {
    return items == 0 ? first : first + static_cast<int64_t>(items - 1) * step;
  }
};

/// The line through or above `needs`; it never asks for more than `issued`, the blocks of all
/// earlier commands. needs[i] <= issued.
inline WaitLine FitWaits(const std::vector<uint32_t>& needs, int64_t largest_step, int64_t issued) {
  WaitLine flat;
  for (uint32_t need : needs) flat.first = std::max<int64_t>(flat.first, need);
  if (needs.size() < 2 || needs.back() <= needs.front()) return flat;
  WaitLine line;
  line.step = std::min(largest_step, (int64_t{needs.back()} - needs.front()) /
                                         static_cast<int64_t>(needs.size() - 1));
  for (size_t i = 0; i < needs.size(); ++i) {
    line.first = std::max(line.first, int64_t{needs[i]} - static_cast<int64_t>(i) * line.step);
  }
  return line.last(needs.size()) <= issued ? line : flat;
}

}  // namespace weft::compile
