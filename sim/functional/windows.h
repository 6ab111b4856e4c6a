// SPDX-License-Identifier: Apache-2.0
//
// Memory windows: the 256-byte blocks of memory that the device may read and write. As long as no
// window is enabled everything is permitted. Knows nothing of BUSY: that is for the host stage to
// ask.
//
//   Windows windows;
//   windows.Write(WEFT_REG_WINDOW_FIRST(0), 0x10);         // ... LAST, CONTROL
//   if (!windows.Permit(address / kWindowBlockBytes, WEFT_WINDOW_CONTROL_READ)) ...
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "weft/hw/weft_hw.h"

namespace weft::functional {

/// Addresses of memory have 40 bits.
inline constexpr uint64_t kAddressMask = (uint64_t{1} << 40) - 1;
inline constexpr uint64_t kWindowBlockBytes = 256;

class Windows {
 public:
  /// Whether `offset` is that of a window's register.
  static bool Holds(uint32_t offset) {
    return offset >= WEFT_REG_WINDOW_FIRST(0) &&
           offset < WEFT_REG_WINDOW_FIRST(WEFT_REG_WINDOW_FIRST_COUNT);
  }

  uint32_t Read(uint32_t offset) const {
    const Window& window = windows_[Index(offset)];
    const uint32_t first = WEFT_REG_WINDOW_FIRST(Index(offset));
    if (offset == first) return window.first;
    if (offset == first + kLast) return window.last;
    return offset == first + kControl ? window.control : 0;
  }

  /// Ignored by a locked window.
  void Write(uint32_t offset, uint32_t value) {
    Window& window = windows_[Index(offset)];
    if ((window.control & WEFT_WINDOW_CONTROL_LOCK) != 0) return;
    const uint32_t first = WEFT_REG_WINDOW_FIRST(Index(offset));
    if (offset == first) window.first = value;
    if (offset == first + kLast) window.last = value;
    if (offset == first + kControl) window.control = value & kControlBits;
    enabled_ = std::ranges::any_of(windows_, Enabled);
  }

  /// Whether `access`, WEFT_WINDOW_CONTROL_READ or WRITE, may touch a block (its address / 256).
  bool Permit(uint64_t block, uint32_t access) const {
    if (!enabled_) return true;
    return std::ranges::any_of(windows_, [&](const Window& window) {
      return Enabled(window) && (window.control & access) != 0 && block >= window.first &&
             block <= window.last;
    });
  }

 private:
  struct Window {
    uint32_t first = 0, last = 0, control = 0;
  };
  static constexpr uint32_t kLast = WEFT_REG_WINDOW_LAST(0) - WEFT_REG_WINDOW_FIRST(0);
  static constexpr uint32_t kControl = WEFT_REG_WINDOW_CONTROL(0) - WEFT_REG_WINDOW_FIRST(0);
  static constexpr uint32_t kControlBits = WEFT_WINDOW_CONTROL_ENABLE | WEFT_WINDOW_CONTROL_READ |
                                           WEFT_WINDOW_CONTROL_WRITE | WEFT_WINDOW_CONTROL_LOCK;

  static uint32_t Index(uint32_t offset) {
    constexpr uint32_t kStride = WEFT_REG_WINDOW_FIRST(1) - WEFT_REG_WINDOW_FIRST(0);
    return (offset - WEFT_REG_WINDOW_FIRST(0)) / kStride;
  }
  static bool Enabled(const Window& window) {
    return (window.control & WEFT_WINDOW_CONTROL_ENABLE) != 0;
  }

  std::array<Window, WEFT_REG_WINDOW_FIRST_COUNT> windows_ = {};
  bool enabled_ = false;  ///< some window is
};

}  // namespace weft::functional
