// SPDX-License-Identifier: Apache-2.0
//
// A command on a 256-bit port of a verilated model, by the generated table of fields.
#pragma once

#include <cstring>

#include "tb/lib/bench.h"
#include "weft/hw/commands.h"

namespace weft::testing {

template <typename Cmd, typename Port>
void PutCommand(Cmd command, Port& port) {
  std::memset(&port, 0, kCommandBytes);
  SetBits(port, 0, 8, static_cast<uint64_t>(Cmd::kOpcode));
  for (const CommandInfo& info : kCommandTable) {
    if (info.opcode != Cmd::kOpcode) continue;
    size_t i = 0;
    command.ForEachField([&](int64_t value) {
      const FieldInfo& field = info.fields[i++];
      SetBits(port, field.lsb, field.bits, static_cast<uint64_t>(value));
    });
  }
}

}  // namespace weft::testing
