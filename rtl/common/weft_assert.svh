// SPDX-License-Identifier: Apache-2.0
//
// `WEFT_ASSERT(name, expr) states that expr holds at every clock edge at which it is reached: it
// fires in simulation, is a proof obligation in formal runs, and is nothing in synthesis.
// Use inside always_ff @(posedge clk_i), under `if (rst_ni)`; no semicolon after it.
`ifndef WEFT_ASSERT
`ifdef SYNTHESIS
`define WEFT_ASSERT(name, expr)
`else
`define WEFT_ASSERT(name, expr) name: assert (expr);
`endif
`endif
