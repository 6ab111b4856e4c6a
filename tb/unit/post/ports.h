// SPDX-License-Identifier: Apache-2.0
//
// Bytes in and out of the ports of a verilated model, whatever type their width gives them.
#pragma once

#include <cstring>
#include <vector>

namespace weft::testing {

template <typename Port>
void PutBytes(Port& port, const void* bytes, size_t count) {
  std::memcpy(static_cast<void*>(&port), bytes, count);
}

template <typename Port, typename T>
void Put(Port& port, const std::vector<T>& values) {
  PutBytes(port, values.data(), values.size() * sizeof(T));
}

template <typename T, typename Port>
std::vector<T> Take(const Port& port, size_t count) {
  std::vector<T> values(count);
  std::memcpy(values.data(), static_cast<const void*>(&port), count * sizeof(T));
  return values;
}

}  // namespace weft::testing
