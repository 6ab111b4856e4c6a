// SPDX-License-Identifier: Apache-2.0
//
// The bytes of every tensor of a graph while it runs.
//
// Activations are buffers of the store, zeroed at construction; constants are read from the graph
// and have empty buffers. Indices must be valid. The graph must outlive the store.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "weft/graph.h"

namespace weft::reference {

class TensorStore {
 public:
  explicit TensorStore(const Graph& graph);

  const Tensor& Info(int index) const { return graph_.tensors[static_cast<size_t>(index)]; }
  std::span<const uint8_t> Bytes(int index) const;
  std::span<const int8_t> Int8(int index) const;
  std::vector<int32_t> Int32(int index) const;  ///< index -1: empty
  std::vector<float> Float32(int index) const;

  std::span<uint8_t> MutableBytes(int index);  ///< not for constants
  std::span<int8_t> MutableInt8(int index);

  /// Hands the buffers over, by tensor index.
  std::vector<std::vector<uint8_t>> Release() && { return std::move(buffers_); }

 private:
  const Graph& graph_;
  std::vector<std::vector<uint8_t>> buffers_;
};

}  // namespace weft::reference
