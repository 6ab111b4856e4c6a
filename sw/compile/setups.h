// SPDX-License-Identifier: Apache-2.0
//
// SETUP_INPUT, SETUP_OUTPUT and SETUP_ADD: put out where a patch needs other fields than the last.
#pragma once

#include <optional>

#include "sw/compile/emission.h"
#include "sw/compile/patch.h"
#include "weft/hw/commands.h"

namespace weft::compile {

class Setups {
 public:
  explicit Setups(Emission& emission) : e_(emission) {}

  /// What the RUNs or ELTWISEs of the patch need. `multiplier`: where it is one for all channels.
  void Put(const Patch& patch, const Multiplier& multiplier);

 private:
  template <typename T>
  void PutChanged(const T& setup, std::optional<T>& last, const Layer& layer) {
    if (last == setup) return;
    last = setup;
    e_.Push(e_.queues.exec, Command(setup), layer);
  }

  Emission& e_;
  std::optional<SetupInputCmd> input_;
  std::optional<SetupOutputCmd> output_;
  std::optional<SetupAddCmd> add_;
};

}  // namespace weft::compile
