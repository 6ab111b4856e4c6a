// SPDX-License-Identifier: Apache-2.0
#include "sw/compile/emission.h"

#include <utility>

#include "sw/command/codec.h"

namespace weft::compile {

void Emission::Push(std::vector<Issue>& queue, Issue issue, const Layer& layer) {
  // Waits are reduced modulo 2^16 when the stream is put together.
  Command checked = issue.command;
  std::visit(
      [](auto& c) {
        if constexpr (requires { c.wait_mask; }) {
          c.wait_load &= 0xffff;
          c.wait_exec &= 0xffff;
          c.wait_store &= 0xffff;
        }
      },
      checked);
  if (const Status fits = CheckFields(checked); !fits && status) {
    status = Fail(
        "operator {} ({}), tensor '{}': its shape is beyond what the device's commands "
        "can express: {}",
        layer.source_ops.empty() ? -1 : layer.source_ops.front(), OpKindName(layer.op), layer.name,
        fits.error().message);
  }
  queue.push_back(std::move(issue));
}

void Emission::Push(std::vector<Issue>& queue, const Command& command, const Layer& layer) {
  Issue issue;
  issue.command = command;
  Push(queue, std::move(issue), layer);
}

}  // namespace weft::compile
