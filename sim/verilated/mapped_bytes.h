// SPDX-License-Identifier: Apache-2.0
//
// Bytes from the system: zero, and taking no space until they are touched.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace weft {

struct Unmap {
  size_t size = 0;
  void operator()(uint8_t* bytes) const { munmap(bytes, size); }
};

/// Its size: get_deleter().size.
using MappedBytes = std::unique_ptr<uint8_t[], Unmap>;

/// Null when the system has no such amount.
inline MappedBytes MapBytes(size_t size) {
  void* bytes = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bytes == MAP_FAILED) return nullptr;
  return MappedBytes(static_cast<uint8_t*>(bytes), Unmap{size});
}

}  // namespace weft
