// SPDX-License-Identifier: Apache-2.0
#include "sw/command/codec.h"

#include <algorithm>
#include <cassert>

namespace weft {
namespace {

constexpr int kOpcodeBits = 8;

void PutBits(std::span<uint8_t, kCommandBytes> bytes, int lsb, int bits, uint64_t value) {
  for (int done = 0; done < bits;) {
    const int bit = lsb + done;
    const int count = std::min(8 - bit % 8, bits - done);
    const uint32_t part = static_cast<uint32_t>(value >> done) & ((1u << count) - 1);
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] | part << (bit % 8));
    done += count;
  }
}

uint64_t GetBits(std::span<const uint8_t, kCommandBytes> bytes, int lsb, int bits) {
  uint64_t value = 0;
  for (int done = 0; done < bits;) {
    const int bit = lsb + done;
    const int count = std::min(8 - bit % 8, bits - done);
    const uint64_t part = (bytes[bit / 8] >> (bit % 8)) & ((1u << count) - 1);
    value |= part << done;
    done += count;
  }
  return value;
}

int64_t FieldValue(const FieldInfo& field, uint64_t raw) {
  if (field.is_signed && (raw >> (field.bits - 1)) != 0) {
    return static_cast<int64_t>(raw) - (int64_t{1} << field.bits);
  }
  return static_cast<int64_t>(raw);
}

// Calls f(field, value) for every field of the command, in encoding order.
template <typename F>
void VisitFields(const Command& command, F&& f) {
  const CommandInfo& info = InfoOf(command);
  std::visit(
      [&](auto fields) {
        size_t i = 0;
        fields.ForEachField([&](int64_t value) { f(info.fields[i++], value); });
        assert(i == info.fields.size());
      },
      command);
}

// The alternative of Command that has this opcode, with all fields zero. The opcode is defined.
template <size_t kIndex = 0>
Command MakeCommand(Opcode opcode) {
  using Candidate = std::variant_alternative_t<kIndex, Command>;
  if (Candidate::kOpcode == opcode) return Candidate{};
  if constexpr (kIndex + 1 < std::variant_size_v<Command>) {
    return MakeCommand<kIndex + 1>(opcode);
  } else {
    assert(false);
    return Candidate{};
  }
}

}  // namespace

const CommandInfo* FindCommandInfo(uint8_t opcode) {
  for (const CommandInfo& info : kCommandTable) {
    if (static_cast<uint8_t>(info.opcode) == opcode) return &info;
  }
  return nullptr;
}

const CommandInfo& InfoOf(const Command& command) {
  const Opcode opcode = std::visit([](const auto& c) { return c.kOpcode; }, command);
  return *FindCommandInfo(static_cast<uint8_t>(opcode));
}

bool FieldFits(const FieldInfo& field, int64_t value) {
  const int64_t high = int64_t{1} << (field.is_signed ? field.bits - 1 : field.bits);
  return value >= (field.is_signed ? -high : 0) && value < high;
}

Status CheckFields(const Command& command) {
  Status status;
  VisitFields(command, [&](const FieldInfo& field, int64_t value) {
    if (status && !FieldFits(field, value)) {
      status = Fail("{}: {} = {} does not fit its {} {} bits", InfoOf(command).name, field.name,
                    value, field.bits, field.is_signed ? "signed" : "unsigned");
    }
  });
  return status;
}

void Encode(const Command& command, std::span<uint8_t, kCommandBytes> out) {
  std::fill(out.begin(), out.end(), uint8_t{0});
  out[0] = static_cast<uint8_t>(InfoOf(command).opcode);
  VisitFields(command, [&](const FieldInfo& field, int64_t value) {
    assert(FieldFits(field, value));
    PutBits(out, field.lsb, field.bits, static_cast<uint64_t>(value));
  });
}

int FindReservedBit(const CommandInfo& info, std::span<const uint8_t, kCommandBytes> bytes) {
  int expected = kOpcodeBits;  // fields are listed from low to high
  const auto first_set = [&](int from, int to) {
    for (int bit = from; bit < to; ++bit) {
      if ((bytes[bit / 8] >> (bit % 8)) & 1) return bit;
    }
    return -1;
  };
  for (const FieldInfo& field : info.fields) {
    if (const int bit = first_set(expected, field.lsb); bit >= 0) return bit;
    expected = field.lsb + field.bits;
  }
  return first_set(expected, kCommandBytes * 8);
}

Result<Command> Decode(std::span<const uint8_t, kCommandBytes> bytes) {
  const CommandInfo* info = FindCommandInfo(bytes[0]);
  if (info == nullptr) return Fail("opcode 0x{:02x} is not defined", bytes[0]);
  if (const int bit = FindReservedBit(*info, bytes); bit >= 0) {
    return Fail("{}: reserved bit {} is set", info->name, bit);
  }
  Command command = MakeCommand(info->opcode);
  std::visit(
      [&](auto& fields) {
        size_t i = 0;
        fields.ForEachField([&](int64_t& value) {
          const FieldInfo& field = info->fields[i++];
          value = FieldValue(field, GetBits(bytes, field.lsb, field.bits));
        });
      },
      command);
  return command;
}

std::string Format(const Command& command) {
  std::string text(InfoOf(command).name);
  VisitFields(command, [&](const FieldInfo& field, int64_t value) {
    text += fmt::format(" {}={}", field.name, value);
  });
  return text;
}

}  // namespace weft
