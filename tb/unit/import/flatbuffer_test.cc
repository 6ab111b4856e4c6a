// SPDX-License-Identifier: Apache-2.0
//
// The flatbuffer reader against bytes laid out by hand, and against each way such bytes can lie.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "sw/import/flatbuffer.h"

namespace weft {
namespace {

using ::testing::HasSubstr;

// Byte by byte:
//    0  root     u32 32, the root table's position
//    8  vtable   u16 size 16, u16 table size 24, u16 offsets of fields 0 to 5: 4 8 12 16 0 20
//   32  table    i32 24 back to its vtable; field 0: i32 at 36; field 1: u8 at 40;
//                field 2: offset at 44 to the vector; field 3: offset at 48 to the string;
//                field 4: left out; field 5: offset at 52 to the list of tables
//   56  vector   u32 count 3, u32 values 10 20 30
//   72  string   u32 length 5, "hello", terminator, padding
//   84  tables   u32 count 1, offset at 88 to the second table
//   96  table    i32 -8: its vtable lies behind it
//  104  vtable   u16 size 4, u16 table size 4: no fields
std::vector<uint8_t> Example() {
  std::vector<uint8_t> bytes(108, 0);
  const auto u16 = [&bytes](size_t at, uint16_t value) { std::memcpy(&bytes[at], &value, 2); };
  const auto u32 = [&bytes](size_t at, uint32_t value) { std::memcpy(&bytes[at], &value, 4); };
  u32(0, 32);
  size_t at = 8;
  for (const uint16_t value : {16, 24, 4, 8, 12, 16, 0, 20}) {
    u16(at, value);
    at += 2;
  }
  u32(32, 24);
  u32(36, static_cast<uint32_t>(-7));
  bytes[40] = 200;
  u32(44, 56 - 44);
  u32(48, 72 - 48);
  u32(52, 84 - 52);
  u32(56, 3);
  for (uint32_t i = 0; i < 3; ++i) u32(60 + 4 * i, 10 * (i + 1));
  u32(72, 5);
  std::memcpy(&bytes[76], "hello", 5);
  u32(84, 1);
  u32(88, 96 - 88);
  u32(96, static_cast<uint32_t>(-8));
  u16(104, 4);
  u16(106, 4);
  return bytes;
}

// Reads every field; returns the reader's status message, or "".
std::string ReadAll(const std::vector<uint8_t>& bytes) {
  FlatBuffer buffer(bytes);
  const FlatTable root = buffer.Root("root");
  root.Scalar<int32_t>(0, 0);
  root.Scalar<uint8_t>(1, 0);
  root.Vector<uint32_t>(2, "numbers");
  root.String(3, "text");
  root.Table(4, "absent");
  for (FlatTable table : root.Tables(5, "others")) table.Scalar<int32_t>(0, 0);
  return buffer.ok() ? "" : buffer.status().error().message;
}

TEST(FlatBuffer, ReadsEveryKindOfField) {
  const std::vector<uint8_t> bytes = Example();
  FlatBuffer buffer(bytes);
  const FlatTable root = buffer.Root("root");
  ASSERT_TRUE(root.present());
  EXPECT_EQ(root.Scalar<int32_t>(0, 1), -7);
  EXPECT_EQ(root.Scalar<uint8_t>(1, 1), 200);
  EXPECT_EQ(root.Vector<uint32_t>(2, "numbers").Copy(), (std::vector<uint32_t>{10, 20, 30}));
  EXPECT_EQ(root.String(3, "text"), "hello");
  EXPECT_FALSE(root.Table(4, "absent").present());
  const FlatTableVector others = root.Tables(5, "others");
  ASSERT_EQ(others.size(), 1u);
  EXPECT_TRUE(others[0].present());
  EXPECT_EQ(others[0].Scalar<int32_t>(0, 42), 42);
  EXPECT_TRUE(buffer.ok());
}

TEST(FlatBuffer, FieldsLeftOutHaveTheirDefaults) {
  const std::vector<uint8_t> bytes = Example();
  FlatBuffer buffer(bytes);
  const FlatTable root = buffer.Root("root");
  EXPECT_EQ(root.Scalar<int32_t>(4, 5), 5);
  EXPECT_EQ(root.Scalar<int32_t>(6, 6), 6);
  EXPECT_EQ(root.Scalar<int32_t>(100, 7), 7);
  EXPECT_EQ(root.Vector<int64_t>(4, "absent").size(), 0u);
  EXPECT_EQ(FlatTable().Scalar<int32_t>(0, 8), 8);
  EXPECT_TRUE(buffer.ok());
}

struct Lie {
  const char* name;
  size_t at;
  std::vector<uint8_t> bytes;
  const char* message;
};

class FlatBufferLies : public ::testing::TestWithParam<Lie> {};

TEST_P(FlatBufferLies, AreNoticed) {
  std::vector<uint8_t> bytes = Example();
  ASSERT_EQ(ReadAll(bytes), "");
  for (size_t i = 0; i < GetParam().bytes.size(); ++i)
    bytes[GetParam().at + i] = GetParam().bytes[i];
  EXPECT_THAT(ReadAll(bytes), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, FlatBufferLies,
    ::testing::Values(
        Lie{"RootZero", 0, {0}, "root at byte 0 of 108: offset 0 leads nowhere"},
        Lie{"RootOutside", 0, {0, 0, 1}, "root at byte 65536 of 108: 4 bytes needed"},
        Lie{"RootHuge", 0, {0xfc, 0xff, 0xff, 0xff}, "which run past the end"},
        Lie{"RootUnaligned", 0, {33}, "offset 33 leads nowhere"},
        Lie{"VtableBefore", 32, {36}, "field list lies outside"},
        Lie{"VtableBehind", 32, {0, 0, 0, 0x80}, "root at byte 2147483680 of 108"},
        Lie{"VtableUnaligned", 32, {23}, "field list lies outside"},
        Lie{"VtableSmall", 8, {2}, "impossible size"}, Lie{"VtableOdd", 8, {15}, "impossible size"},
        Lie{"VtableLong", 8, {102}, "root at byte 8 of 108: 102 bytes needed"},
        Lie{"TableSmall", 10, {3}, "impossible size"},
        Lie{"TableLong", 10, {77}, "root at byte 32 of 108: 77 bytes needed"},
        Lie{"FieldOutsideTable", 12, {21}, "field 0 lies outside its table"},
        Lie{"FieldInTheVtableOffset", 12, {3}, "field 0 lies outside its table"},
        Lie{"VectorZero", 44, {0}, "numbers at byte 44 of 108: offset 0"},
        Lie{"VectorOutside", 44, {64}, "numbers at byte 108 of 108: 4 bytes needed"},
        Lie{"VectorCount", 56, {13}, "numbers at byte 60 of 108: 52 bytes needed"},
        Lie{"VectorCountHuge", 56, {0xff, 0xff, 0xff, 0xff}, "17179869180 bytes needed"},
        Lie{"StringLength", 72, {33}, "text at byte 76 of 108: 33 bytes needed"},
        Lie{"TablesCount", 84, {6}, "others at byte 88 of 108: 24 bytes needed"},
        Lie{"TablesElement", 88, {0, 1}, "others at byte 344 of 108"},
        Lie{"TablesElementVtable", 96, {0, 0, 0, 0x40}, "field list lies outside"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(FlatBuffer, EveryTruncationIsNoticed) {
  const std::vector<uint8_t> bytes = Example();
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_NE(ReadAll({bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length)}), "")
        << length;
  }
}

TEST(FlatBuffer, TheFirstFaultIsKeptAndSilencesTheRest) {
  std::vector<uint8_t> bytes = Example();
  bytes[56] = 13;
  FlatBuffer buffer(bytes);
  const FlatTable root = buffer.Root("root");
  EXPECT_TRUE(root.Vector<uint32_t>(2, "numbers").empty());
  const std::string first = buffer.status().error().message;
  EXPECT_EQ(root.Scalar<int32_t>(0, 1), 1);
  EXPECT_EQ(root.String(3, "text"), "");
  EXPECT_EQ(root.Tables(5, "others").size(), 0u);
  buffer.Fault(0, "later", "another fault");
  EXPECT_EQ(buffer.status().error().message, first);
}

}  // namespace
}  // namespace weft
