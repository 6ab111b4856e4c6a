// SPDX-License-Identifier: Apache-2.0
//
// The command stream of a program, and which layer each command works for.
#pragma once

#include <vector>

#include "weft/hw/commands.h"
#include "weft/program.h"
#include "weft/result.h"

namespace weft {

/// The commands in stream order. Fails on one that cannot be decoded, with its place.
Result<std::vector<Command>> DecodeStream(const Program& program);

/// By command the layer it works for. A LOAD or LOAD_WEIGHTS comes ahead of its layer: it belongs
/// to the first one that waits for it, or that reads its first word. The stream is the compiler's.
std::vector<int> LayersOf(const std::vector<Command>& stream);

}  // namespace weft
