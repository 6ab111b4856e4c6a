// SPDX-License-Identifier: Apache-2.0
#include "sw/runtime/conversion.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

namespace weft {

size_t DeviceImageBytes(const TensorPlace& place) { return size_t{place.rows} * place.row_bytes; }

size_t HostBytes(const TensorBinding& binding) {
  size_t bytes = DTypeSize(binding.type);
  for (const int32_t dimension : binding.shape) bytes *= static_cast<size_t>(dimension);
  return bytes;
}

std::vector<uint8_t> ToDevice(const TensorBinding& binding, std::span<const uint8_t> host) {
  if (binding.type == DType::kInt8) return {host.begin(), host.end()};
  assert(binding.type == DType::kFloat32);
  std::vector<uint8_t> device(host.size() / sizeof(float));
  for (size_t i = 0; i < device.size(); ++i) {
    float value;
    std::memcpy(&value, &host[i * sizeof(float)], sizeof(float));
    // Rounded before it is clamped to what an int holds; 512 is outside int8 for any zero point.
    const float steps = std::isnan(value) ? 0.0f : std::round(value / binding.scale);
    const int stored = static_cast<int>(std::clamp(steps, -512.0f, 512.0f)) + binding.zero_point;
    device[i] = static_cast<uint8_t>(std::clamp(stored, -128, 127));
  }
  return device;
}

std::vector<uint8_t> InRowOrder(const TensorPlace& place, std::span<const uint8_t> dense) {
  std::vector<uint8_t> rows(dense.begin(), dense.end());
  if (place.column_pixel == 0) return rows;
  const size_t pixel = place.column_pixel, height = place.row_bytes / pixel;
  auto to = rows.begin();
  for (size_t x = 0; x < place.rows; ++x) {
    for (size_t y = 0; y < height; ++y) {
      to = std::copy_n(dense.begin() + static_cast<std::ptrdiff_t>((y * place.rows + x) * pixel),
                       pixel, to);
    }
  }
  return rows;
}

std::vector<uint8_t> ToHost(const TensorBinding& binding, std::span<const uint8_t> device) {
  if (binding.type == DType::kInt8) return {device.begin(), device.end()};
  assert(binding.type == DType::kFloat32);
  std::vector<uint8_t> host(device.size() * sizeof(float));
  for (size_t i = 0; i < device.size(); ++i) {
    const int stored = static_cast<int8_t>(device[i]);
    const float value = binding.scale * static_cast<float>(stored - binding.zero_point);
    std::memcpy(&host[i * sizeof(float)], &value, sizeof(float));
  }
  return host;
}

}  // namespace weft
