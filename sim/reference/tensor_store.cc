// SPDX-License-Identifier: Apache-2.0
#include "sim/reference/tensor_store.h"

#include <cassert>
#include <cstring>

namespace weft::reference {
namespace {

template <typename T>
std::vector<T> CopyAs(std::span<const uint8_t> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

TensorStore::TensorStore(const Graph& graph) : graph_(graph) {
  for (const Tensor& tensor : graph.tensors) {
    buffers_.emplace_back(tensor.is_constant ? 0 : tensor.ByteCount());
  }
}

std::span<const uint8_t> TensorStore::Bytes(int index) const {
  const Tensor& tensor = Info(index);
  return tensor.is_constant ? tensor.data : buffers_[static_cast<size_t>(index)];
}

std::span<const int8_t> TensorStore::Int8(int index) const {
  const std::span<const uint8_t> bytes = Bytes(index);
  return {reinterpret_cast<const int8_t*>(bytes.data()), bytes.size()};
}

std::vector<int32_t> TensorStore::Int32(int index) const {
  if (index < 0) return {};
  return CopyAs<int32_t>(Bytes(index));
}

std::vector<float> TensorStore::Float32(int index) const { return CopyAs<float>(Bytes(index)); }

std::span<uint8_t> TensorStore::MutableBytes(int index) {
  assert(!Info(index).is_constant);
  return buffers_[static_cast<size_t>(index)];
}

std::span<int8_t> TensorStore::MutableInt8(int index) {
  const std::span<uint8_t> bytes = MutableBytes(index);
  return {reinterpret_cast<int8_t*>(bytes.data()), bytes.size()};
}

}  // namespace weft::reference
