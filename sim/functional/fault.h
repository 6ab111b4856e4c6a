// SPDX-License-Identifier: Apache-2.0
//
// Why a job stops: what a stage hands back instead of going on.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "weft/hw/weft_hw.h"
#include "weft/result.h"

namespace weft::functional {

struct Fault {
  uint32_t code = WEFT_ERROR_NONE;  ///< as in the register ERROR_CODE
  uint64_t address = 0;             ///< memory address, for READ_ERROR and WRITE_ERROR
  std::string violation;            ///< a rule of ordering that was broken, in words
};

/// Success, or the reason to stop.
using Outcome = tl::expected<void, Fault>;

inline tl::unexpected<Fault> Stop(uint32_t code, uint64_t address = 0) {
  return tl::unexpected<Fault>(Fault{code, address, {}});
}

/// A broken rule of ordering. The device has no error code of its own for it: hardware cannot see
/// it, and the job would compute garbage.
inline tl::unexpected<Fault> StopForViolation(std::string text) {
  return tl::unexpected<Fault>(Fault{WEFT_ERROR_BAD_STREAM, 0, std::move(text)});
}

/// The same from a Status of the hazard checker.
inline Outcome ToOutcome(const Status& status) {
  if (status) return {};
  return StopForViolation(status.error().message);
}

}  // namespace weft::functional
