// SPDX-License-Identifier: Apache-2.0
//
// Do several engines (RTL, functional model, golden reference) agree on every tensor of a run?
//
//   Comparison c = CompareEngines(program, graph, {{"rtl", ...}, {"functional", ...}, reference});
//   if (c.difference) fmt::print("{}\n", FormatDifference(*c.difference));
//
// Tensors that are fused away never exist as a whole and cannot be compared; they are listed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weft/graph.h"
#include "weft/program.h"

namespace weft {

/// What one engine computed: dense bytes of the whole batch.
struct EngineTensors {
  std::string engine;
  std::vector<std::vector<uint8_t>> layers;   ///< by program layer; empty: not materialised
  std::vector<std::vector<uint8_t>> outputs;  ///< by graph output, in the host's type
};

struct Difference {
  int layer = -1;  ///< -1: a graph output after the host's conversion
  std::string tensor;
  std::vector<int32_t> coordinate;  ///< of the first element that differs, in `shape`
  std::vector<int32_t> shape;
  std::vector<std::pair<std::string, std::string>> values;  ///< engine, value there
};

struct Comparison {
  size_t tensors = 0;                    ///< materialised tensors that were compared
  size_t outputs = 0;                    ///< graph outputs that were compared
  std::vector<std::string> fused;        ///< names of tensors that never materialise
  std::optional<Difference> difference;  ///< the first in program order, if any
};

/// The reference's tensors (by graph tensor, as ReferenceResult holds them) as one more engine.
EngineTensors FromReference(const Program& program, const Graph& graph,
                            const std::vector<std::vector<uint8_t>>& tensors);

/// `graph` is the one the program was compiled from. At least two engines; all must have captured
/// their tensors.
Comparison CompareEngines(const Program& program, const Graph& graph,
                          const std::vector<EngineTensors>& engines);

/// One line: tensor, coordinate, and the value of each engine.
std::string FormatDifference(const Difference& difference);

}  // namespace weft
