// SPDX-License-Identifier: Apache-2.0
//
// A FIFO for wide things, kept in a memory (weft_ram) whose output register offers the oldest.
// An item a cycle; an item is offered two cycles after it was taken, one later than by weft_fifo.
// Depth is a power of two; the item on offer is not in it. ready_o waits for nobody.
`default_nettype none
module weft_ram_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 16
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

  localparam int unsigned PtrBits = $clog2(Depth);

  // One bit more than an address, so that full differs from empty.
  logic [PtrBits:0] wr_ptr_q, rd_ptr_q;
  logic push, fetch, valid_q;

  assign ready_o = wr_ptr_q != (rd_ptr_q ^ (PtrBits+1)'(Depth));
  assign push = valid_i && ready_o;
  assign fetch = wr_ptr_q != rd_ptr_q && (!valid_q || ready_i);
  assign valid_o = valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      valid_q <= 1'b0;
    end else begin
      wr_ptr_q <= wr_ptr_q + (PtrBits+1)'(push);
      rd_ptr_q <= rd_ptr_q + (PtrBits+1)'(fetch);
      valid_q <= fetch || (valid_q && !ready_i);
    end
  end

  weft_ram #(
    .Width(Width),
    .Depth(Depth)
  ) u_ram (
    .clk_i,
    .rd_en_i(fetch),
    .rd_addr_i(rd_ptr_q[PtrBits-1:0]),
    .rd_data_o(data_o),
    .wr_en_i(push),
    .wr_addr_i(wr_ptr_q[PtrBits-1:0]),
    .wr_data_i(data_i),
    .wr_mask_i(1'b1)
  );

endmodule
`default_nettype wire
