// SPDX-License-Identifier: Apache-2.0
//
// weft_fifo for where its output is the start of a long path: the items move up, so the oldest is
// always in the same register and no pointer selects it. Costs a move of all items at every read:
// for few, narrow ones. Data from the cycle after it was taken; ready_o and valid_o are registers.
// next_o is what data_o will be once the present item has gone (or now, if there is none), as soon
// as it is offered or inside: for a reader that prepares for it.
`default_nettype none
`include "common/weft_assert.svh"
module weft_shift_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 2
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic             valid_i,
  output      logic             ready_o,
  input  wire logic [Width-1:0] data_i,
  output      logic             valid_o,
  input  wire logic             ready_i,
  output      logic [Width-1:0] data_o,
  output      logic [Width-1:0] next_o
);

  logic [Width-1:0] items [Depth];
  logic [Depth-1:0] held_q;  // which of them are there: the first ones
  logic push, pop;

  assign ready_o = !held_q[Depth-1];
  assign valid_o = held_q[0];
  assign data_o = items[0];
  assign next_o = held_q[1] ? items[1] : data_i;
  assign push = valid_i && ready_o;
  assign pop = valid_o && ready_i;

  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < Depth; i++) begin
      if (pop || !held_q[i]) begin
        items[i] <= (i + 1 < Depth && held_q[(i + 1) % Depth]) ? items[(i + 1) % Depth] : data_i;
      end
    end
    if (!rst_ni) held_q <= '0;
    else if (push && !pop) held_q <= {held_q[Depth-2:0], 1'b1};
    else if (pop && !push) held_q <= {1'b0, held_q[Depth-1:1]};
  end

  // What was offered and not taken is still offered.
`ifndef SYNTHESIS
  logic waiting_q;
  logic [Width-1:0] waiting_data_q;
  always_ff @(posedge clk_i) begin
    waiting_q <= rst_ni && valid_i && !ready_o;
    if (valid_i && !ready_o) waiting_data_q <= data_i;
    if (rst_ni) begin
      `WEFT_ASSERT(a_first_ones_held, ((held_q + 1'b1) & held_q) == '0)
      if (waiting_q) begin
        `WEFT_ASSERT(a_input_held, valid_i && data_i == waiting_data_q)
      end
    end
  end
`endif

endmodule
`default_nettype wire
