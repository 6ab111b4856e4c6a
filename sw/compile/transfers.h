// SPDX-License-Identifier: Apache-2.0
//
// LOADs and STOREs: values that arrive or leave as a whole, and the parts of tiles, each waiting
// for who used the scratchpad words it overwrites or wrote those it reads, and for the STOREs that
// wrote what it reads in memory.
#pragma once

#include <cstdint>
#include <vector>

#include "sw/compile/emission.h"
#include "sw/compile/surface.h"
#include "sw/compile/task.h"
#include "weft/program.h"

namespace weft::compile {

class Transfers {
 public:
  Transfers(Emission& emission, const Surfaces& surfaces)
      : e_(emission),
        surfaces_(surfaces),
        loaded_(emission.network.values.size(), false),
        stored_(emission.network.values.size()) {}

  /// Brings a resident graph input or constant on chip before its first use, in growing pieces, so
  /// that work starts on the first rows. Says whether that was now.
  bool LoadWhole(const Operand& operand, const Layer& layer);

  /// The tile's parts of operands that live in memory.
  void LoadTile(const Task& task);
  /// The tile's result, if it lives in memory.
  void StoreTile(const Task& task);
  /// A resident result that is an output of the graph, in shrinking pieces.
  void StoreWhole(const Layer& layer, const Ramp& ramp);

 private:
  // A STOREd part of a value in memory.
  struct StoredRows {
    int row0, row1;
    uint32_t count;
  };

  void LoadSurface(const Operand& operand, const Task& task, const Surface& surface);
  void CheckRowsMovable(int value, int64_t rows, int64_t pitch, const Layer& layer);
  void PutLoad(const TensorPlace& place, int64_t offset, int64_t address, int64_t rows,
               int64_t row_bytes, int64_t mem_pitch, int64_t pitch, uint32_t after_stores,
               const Layer& layer);
  void PutStore(const TensorPlace& place, int64_t offset, int64_t address, int64_t rows,
                int64_t row_bytes, int64_t mem_pitch, int64_t pitch, const Layer& layer);

  Emission& e_;
  const Surfaces& surfaces_;
  // By value.
  std::vector<bool> loaded_;  // residents from memory that are on chip
  std::vector<std::vector<StoredRows>> stored_;
  // Commands so far, and what the engines have already waited for.
  int64_t loads_ = 0, stores_ = 0;
  Counts load_knows_, store_knows_;
};

}  // namespace weft::compile
