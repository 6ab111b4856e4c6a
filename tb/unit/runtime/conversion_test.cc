// SPDX-License-Identifier: Apache-2.0
//
// The host's conversions at the graph's edges, on values worked out by hand.
#include "sw/runtime/conversion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace weft {
namespace {

TensorBinding Binding(DType type, float scale, int32_t zero_point) {
  TensorBinding binding;
  binding.type = type;
  binding.scale = scale;
  binding.zero_point = zero_point;
  binding.shape = {2, 3, 1, 5};
  binding.place.rows = 3;
  binding.place.row_bytes = 5;
  binding.place.pitch = 16;
  return binding;
}

std::vector<int> Quantised(const TensorBinding& binding, const std::vector<float>& values) {
  std::vector<uint8_t> host(values.size() * sizeof(float));
  std::memcpy(host.data(), values.data(), host.size());
  std::vector<int> result;
  for (const uint8_t byte : ToDevice(binding, host)) result.push_back(static_cast<int8_t>(byte));
  return result;
}

TEST(Conversion, SizesFollowTheTypeNotThePitch) {
  EXPECT_EQ(DeviceImageBytes(Binding(DType::kInt8, 1, 0).place), 15u);
  EXPECT_EQ(HostBytes(Binding(DType::kInt8, 1, 0)), 30u);
  EXPECT_EQ(HostBytes(Binding(DType::kFloat32, 1, 0)), 120u);
}

TEST(Conversion, Int8IsCopied) {
  const std::vector<uint8_t> bytes = {0, 1, 127, 128, 255};
  EXPECT_EQ(ToDevice(Binding(DType::kInt8, 0.5f, 3), bytes), bytes);
  EXPECT_EQ(ToHost(Binding(DType::kInt8, 0.5f, 3), bytes), bytes);
}

TEST(Conversion, RowsOfColumnsHoldPixelsFromTopToBottom) {
  TensorPlace place;
  place.rows = 3;  // an image of 2 rows, 3 columns, pixels of 2 bytes
  place.row_bytes = 4;
  const std::vector<uint8_t> dense = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  EXPECT_EQ(InRowOrder(place, dense), dense);
  place.column_pixel = 2;
  EXPECT_EQ(InRowOrder(place, dense),
            (std::vector<uint8_t>{1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12}));
}

TEST(Conversion, TiesGoAwayFromZero) {
  const TensorBinding binding = Binding(DType::kFloat32, 0.5f, 0);
  EXPECT_EQ(Quantised(binding, {0.25f, -0.25f, 0.75f, -0.75f, 0.2499f, -0.2499f}),
            (std::vector<int>{1, -1, 2, -2, 0, 0}));
}

TEST(Conversion, TheZeroPointIsAddedAfterRounding) {
  const TensorBinding binding = Binding(DType::kFloat32, 1.0f, -5);
  EXPECT_EQ(Quantised(binding, {0.5f, -0.5f, 5.0f}), (std::vector<int>{-4, -6, 0}));
}

TEST(Conversion, ValuesOutsideTheRangeSaturate) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const int zero_point : {-128, 0, 127}) {
    const TensorBinding binding = Binding(DType::kFloat32, 0.125f, zero_point);
    EXPECT_EQ(Quantised(binding, {1000, -1000, kInfinity, -kInfinity, 3e38f, -3e38f}),
              (std::vector<int>{127, -128, 127, -128, 127, -128}));
    EXPECT_EQ(Quantised(binding, {std::nanf("")}), std::vector<int>{zero_point});
  }
}

TEST(Conversion, Int8BecomesScaledFloat) {
  const std::vector<uint8_t> host = ToHost(Binding(DType::kFloat32, 0.25f, -4), {{128, 252, 127}});
  ASSERT_EQ(host.size(), 12u);
  float values[3];
  std::memcpy(values, host.data(), sizeof(values));
  EXPECT_EQ(values[0], -31.0f);
  EXPECT_EQ(values[1], 0.0f);
  EXPECT_EQ(values[2], 32.75f);
}

}  // namespace
}  // namespace weft
