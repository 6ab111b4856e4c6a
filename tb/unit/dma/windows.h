// SPDX-License-Identifier: Apache-2.0
//
// Memory windows for unit tests: drawn around given blocks, put on a model's ports, and asked.
//
//   Windows windows = RandomWindows(rng, block, 12);   // about blocks block .. block + 11
//   windows.Drive(bench.model());
//   EXPECT_TRUE(windows.Allow(bench->axi_araddr_o / 256));
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "tb/lib/bench.h"

namespace weft::testing {

struct Windows {
  struct Window {
    uint32_t first = 0;
    uint32_t last = 0;
    bool enable = false;
    bool permit = false;
  };
  std::array<Window, 8> windows;

  bool Allow(uint64_t block) const {
    bool any = false, allowed = false;
    for (const Window& w : windows) {
      if (!w.enable) continue;
      any = true;
      if (w.permit && w.first <= block && block <= w.last) allowed = true;
    }
    return !any || allowed;
  }

  // `count` blocks from `block` on, of 32-bit numbers that wrap around.
  bool AllowAll(uint64_t block, uint64_t count) const {
    for (uint64_t i = 0; i < count; ++i) {
      if (!Allow((block + i) & 0xffffffff)) return false;
    }
    return true;
  }

  template <typename Model>
  void Drive(Model& model) const {
    for (int i = 0; i < 8; ++i) {
      SetBits(model.window_first_i, 32 * i, 32, windows[i].first);
      SetBits(model.window_last_i, 32 * i, 32, windows[i].last);
      SetBits(model.window_enable_i, i, 1, windows[i].enable);
      SetBits(model.window_permit_i, i, 1, windows[i].permit);
    }
  }
};

// Some windows with their ends among `count` blocks from `block` on, some that hold much, some
// empty or without the permission.
inline Windows RandomWindows(Rng& rng, uint64_t block, int64_t count) {
  Windows result;
  const double enabled = rng.Pick<double>({0, 0.2, 0.5, 1});
  for (Windows::Window& w : result.windows) {
    const auto end = [&] { return static_cast<uint32_t>(block + rng.Int(0, count - 1)); };
    w.first = rng.Chance(0.2) ? 0 : end();
    w.last = rng.Chance(0.2) ? 0xffffffff : rng.Chance(0.2) ? w.first : end();
    w.enable = rng.Chance(enabled);
    w.permit = rng.Chance(0.7);
  }
  return result;
}

}  // namespace weft::testing
