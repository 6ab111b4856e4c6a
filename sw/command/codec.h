// SPDX-License-Identifier: Apache-2.0
//
// Commands to and from their 32 bytes, and to text. Encoder, decoder and disassembler work from one
// table, weft/hw/commands.h, which is generated from spec/commands.toml.
//
//   std::array<uint8_t, kCommandBytes> bytes;
//   Encode(LoadWeightsCmd{.region = kRegionProgram, .offset = 4096, .words = 8}, bytes);
//   Result<Command> command = Decode(bytes);
//   Format(*command);   // "LOAD_WEIGHTS region=0 offset=4096 words=8"
//
// The codec knows the format only: opcodes, widths, signs, reserved bits. Whether a value makes
// sense to a device (a mode that exists, an address inside the scratchpad) is the device's to say.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "weft/hw/commands.h"
#include "weft/result.h"

namespace weft {

/// The table's row of an opcode byte, or nullptr when no command has it.
const CommandInfo* FindCommandInfo(uint8_t opcode);

/// The table's row of a command.
const CommandInfo& InfoOf(const Command& command);

/// Whether `value` can be held by the field's bits.
bool FieldFits(const FieldInfo& field, int64_t value);

/// An error that names the first field whose value does not fit its bits.
Status CheckFields(const Command& command);

/// Writes the 32 bytes. Every field must fit (CheckFields): anything else is a bug of the caller.
void Encode(const Command& command, std::span<uint8_t, kCommandBytes> out);

/// Reads 32 bytes. Fails on an opcode that is not defined and on reserved bits that are set.
Result<Command> Decode(std::span<const uint8_t, kCommandBytes> bytes);

/// The lowest reserved bit that is set, or -1. `info` is the row of the command's opcode.
int FindReservedBit(const CommandInfo& info, std::span<const uint8_t, kCommandBytes> bytes);

/// Name and fields on one line, in encoding order.
std::string Format(const Command& command);

}  // namespace weft
