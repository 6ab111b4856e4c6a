// SPDX-License-Identifier: Apache-2.0
//
// A FIFO for small things (registers or LUT RAM); data from the cycle after it was taken
// (first-word fall-through). Any Depth; Depth 2 is a full-rate register slice: no output depends on
// an input of the same cycle.
`default_nettype none
`include "common/weft_assert.svh"
module weft_fifo #(
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
  output      logic [Width-1:0] data_o
);

  localparam int unsigned PtrWidth = (Depth > 1) ? $clog2(Depth) : 1;
  localparam int unsigned CountWidth = $clog2(Depth + 1);
  localparam logic [PtrWidth-1:0] Last = PtrWidth'(Depth - 1);

  logic [Width-1:0] mem [Depth];
  logic [PtrWidth-1:0] wr_ptr_q, rd_ptr_q;
  logic [CountWidth-1:0] count_q;
  logic push, pop;

  assign ready_o = count_q != CountWidth'(Depth);
  assign valid_o = count_q != '0;
  assign data_o = mem[rd_ptr_q];
  assign push = valid_i && ready_o;
  assign pop = valid_o && ready_i;

  always_ff @(posedge clk_i) begin
    if (push) mem[wr_ptr_q] <= data_i;
    if (!rst_ni) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      count_q <= '0;
    end else begin
      if (push) wr_ptr_q <= (wr_ptr_q == Last) ? '0 : wr_ptr_q + 1'b1;
      if (pop) rd_ptr_q <= (rd_ptr_q == Last) ? '0 : rd_ptr_q + 1'b1;
      if (push && !pop) count_q <= count_q + 1'b1;
      if (pop && !push) count_q <= count_q - 1'b1;
    end
  end

  // What was offered and not taken is still offered.
`ifndef SYNTHESIS
  logic waiting_q;
  logic [Width-1:0] waiting_data_q;
  always_ff @(posedge clk_i) begin
    waiting_q <= rst_ni && valid_i && !ready_o;
    if (valid_i && !ready_o) waiting_data_q <= data_i;
    if (rst_ni) begin
      `WEFT_ASSERT(a_count_fits_pointers, (wr_ptr_q == rd_ptr_q) == (!valid_o || !ready_o))
      if (waiting_q) begin
        `WEFT_ASSERT(a_input_held, valid_i && data_i == waiting_data_q)
      end
    end
  end
`endif

endmodule
`default_nettype wire
