// SPDX-License-Identifier: Apache-2.0
//
// The clock of blocks that keep still. awake_i says that one of them takes something in, has something
// under way or gives something out; Tail cycles after it was high last none of their registers changes
// that anyone looks at, so whether they get further edges makes no difference. Here they do: a process
// with clock gates puts its cell here. With WEFT_STOP_CLOCKS the simulation makes clk_o itself
// (sim/verilated/simulation.h) and is spared what hangs on it.
`default_nettype none
module weft_clock_gate #(
  parameter int unsigned Tail = 4
) (
  input  wire logic clk_i,
  input  wire logic awake_i,
  output      logic clk_o
);

  /* verilator lint_off UNUSEDSIGNAL */  // without a cell
  logic awake;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [Tail-1:0] late_q;
  always_ff @(posedge clk_i) late_q <= {late_q[Tail-2:0], awake_i};
  assign awake = awake_i || late_q != '0;

`ifdef WEFT_STOP_CLOCKS
  logic clk;  // the simulation reads `awake` and writes this
  assign clk_o = clk;
`else
  assign clk_o = clk_i;
`endif

endmodule
`default_nettype wire
