// SPDX-License-Identifier: Apache-2.0
//
// Commands to bytes and back, at the limits of every field of every command.
#include "sw/command/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "tb/lib/seed.h"

namespace weft {
namespace {

using ::testing::HasSubstr;
using Bytes = std::array<uint8_t, kCommandBytes>;

bool Bit(const Bytes& bytes, int bit) { return (bytes[bit / 8] >> (bit % 8)) & 1; }

int64_t Low(const FieldInfo& field) {
  return field.is_signed ? -(int64_t{1} << (field.bits - 1)) : 0;
}
int64_t High(const FieldInfo& field) {
  return (int64_t{1} << (field.is_signed ? field.bits - 1 : field.bits)) - 1;
}

// A command with the given opcode and zero fields, by decoding.
Command Empty(const CommandInfo& info) {
  Bytes bytes = {};
  bytes[0] = static_cast<uint8_t>(info.opcode);
  const Result<Command> command = Decode(bytes);
  EXPECT_TRUE(command);
  return *command;
}

void SetField(Command& command, size_t index, int64_t value) {
  std::visit(
      [&](auto& fields) {
        size_t i = 0;
        fields.ForEachField([&](int64_t& field) {
          if (i++ == index) field = value;
        });
      },
      command);
}

TEST(Codec, EveryFieldOfEveryCommandAtItsLimits) {
  for (const CommandInfo& info : kCommandTable) {
    for (size_t i = 0; i < info.fields.size(); ++i) {
      const FieldInfo& field = info.fields[i];
      for (const int64_t value : {Low(field), High(field), int64_t{0}, int64_t{1} & High(field)}) {
        Command command = Empty(info);
        SetField(command, i, value);
        EXPECT_TRUE(CheckFields(command));
        Bytes bytes;
        bytes.fill(0xA5);
        Encode(command, bytes);
        // Only this field's bits and the opcode's, placed where the table says.
        for (int bit = 8; bit < kCommandBytes * 8; ++bit) {
          const bool inside = bit >= field.lsb && bit < field.lsb + field.bits;
          const bool expected = inside && ((value >> (bit - field.lsb)) & 1);
          ASSERT_EQ(Bit(bytes, bit), expected) << info.name << "." << field.name << " bit " << bit;
        }
        EXPECT_EQ(bytes[0], static_cast<uint8_t>(info.opcode));
        const Result<Command> back = Decode(bytes);
        ASSERT_TRUE(back) << back.error().message;
        EXPECT_EQ(*back, command) << info.name << "." << field.name << " = " << value;
      }
      EXPECT_FALSE(FieldFits(field, Low(field) - 1)) << field.name;
      EXPECT_FALSE(FieldFits(field, High(field) + 1)) << field.name;
      Command command = Empty(info);
      SetField(command, i, High(field) + 1);
      const Status status = CheckFields(command);
      ASSERT_FALSE(status);
      EXPECT_THAT(status.error().message, HasSubstr(std::string(field.name)));
    }
  }
}

TEST(Codec, RandomCommandsRoundTrip) {
  testing::Rng rng;
  for (int trial = 0; trial < 20000; ++trial) {
    const CommandInfo& info = kCommandTable[rng.Int(0, std::size(kCommandTable) - 1)];
    Command command = Empty(info);
    for (size_t i = 0; i < info.fields.size(); ++i) {
      SetField(command, i, rng.Int(Low(info.fields[i]), High(info.fields[i])));
    }
    Bytes bytes;
    Encode(command, bytes);
    const Result<Command> back = Decode(bytes);
    ASSERT_TRUE(back);
    ASSERT_EQ(*back, command) << Format(command);
  }
}

TEST(Codec, EveryReservedBitIsRefused) {
  for (const CommandInfo& info : kCommandTable) {
    int reserved = 0;
    for (int bit = 8; bit < kCommandBytes * 8; ++bit) {
      bool used = false;
      for (const FieldInfo& field : info.fields) {
        used |= bit >= field.lsb && bit < field.lsb + field.bits;
      }
      Bytes bytes = {};
      bytes[0] = static_cast<uint8_t>(info.opcode);
      bytes[bit / 8] = static_cast<uint8_t>(1 << (bit % 8));
      const Result<Command> command = Decode(bytes);
      ASSERT_EQ(command.has_value(), used) << info.name << " bit " << bit;
      if (used) continue;
      ++reserved;
      EXPECT_EQ(FindReservedBit(info, bytes), bit);
      EXPECT_THAT(command.error().message, HasSubstr(std::to_string(bit)));
      EXPECT_THAT(command.error().message, HasSubstr(std::string(info.name)));
    }
    EXPECT_EQ(reserved, kCommandBytes * 8 - info.used_bits);
  }
}

TEST(Codec, EveryOtherOpcodeIsRefused) {
  std::set<int> defined;
  for (const CommandInfo& info : kCommandTable) defined.insert(static_cast<int>(info.opcode));
  for (int opcode = 0; opcode < 256; ++opcode) {
    Bytes bytes = {};
    bytes[0] = static_cast<uint8_t>(opcode);
    const Result<Command> command = Decode(bytes);
    EXPECT_EQ(command.has_value(), defined.count(opcode) == 1) << opcode;
    if (!command) {
      EXPECT_THAT(command.error().message, HasSubstr("is not defined"));
    }
  }
}

TEST(Codec, WorkedExample) {
  Bytes bytes;
  Encode(LoadWeightsCmd{.region = 5, .offset = 0x12345, .words = 3}, bytes);
  // 0x11 | 5 << 8 | 0x12345 << 11 | 3 << 51
  const uint64_t low = 0x11 | uint64_t{5} << 8 | uint64_t{0x12345} << 11 | uint64_t{3} << 51;
  for (int i = 0; i < kCommandBytes; ++i) {
    EXPECT_EQ(bytes[i], i < 8 ? static_cast<uint8_t>(low >> (8 * i)) : 0) << i;
  }
}

TEST(Codec, FormatNamesEveryField) {
  EXPECT_EQ(Format(LoadWeightsCmd{.region = 5, .offset = 4096, .words = 3}),
            "LOAD_WEIGHTS region=5 offset=4096 words=3");
  EXPECT_EQ(Format(EndCmd{}), "END");
  SetupInputCmd setup;
  setup.pad_value = -7;
  EXPECT_THAT(Format(setup), HasSubstr(" pad_value=-7"));
}

}  // namespace
}  // namespace weft
