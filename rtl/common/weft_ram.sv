// SPDX-License-Identifier: Apache-2.0
//
// The memory wrapper: every memory of the design is one of these, so that block RAM, ASIC macros or
// a memory with check bits replace this file only. One read and one write port; contents are not
// reset. A read takes one cycle; rd_data_o holds until the next read. Reading the address that is
// written in the same cycle gives the old word. wr_mask_i has a bit for each Granule bits of the
// word: a granule is also the unit that check bits would be kept for.
`default_nettype none
module weft_ram #(
  parameter int unsigned Width = 32,
  parameter int unsigned Depth = 16,
  parameter int unsigned Granule = Width,
  parameter int unsigned AddrWidth = (Depth > 1) ? $clog2(Depth) : 1
) (
  input  wire logic                         clk_i,
  input  wire logic                         rd_en_i,
  input  wire logic [AddrWidth-1:0]         rd_addr_i,
  output      logic [Width-1:0]             rd_data_o,
  input  wire logic                         wr_en_i,
  input  wire logic [AddrWidth-1:0]         wr_addr_i,
  input  wire logic [Width-1:0]             wr_data_i,
  input  wire logic [(Width/Granule)-1:0]   wr_mask_i
);

  logic [Width-1:0] mem [Depth];

  // In Verilator the write is a blocking one after the read: the same behaviour, because nothing
  // outside this block sees the array, without a delayed copy of every granule.
`ifdef VERILATOR
  /* verilator lint_off BLKSEQ */
`define WEFT_RAM_WRITE =
`else
`define WEFT_RAM_WRITE <=
`endif
  always_ff @(posedge clk_i) begin
    if (rd_en_i) rd_data_o <= mem[rd_addr_i];
    if (wr_en_i) begin
      for (int unsigned g = 0; g < Width / Granule; g++) begin
        if (wr_mask_i[g]) begin
          mem[wr_addr_i][g*Granule+:Granule] `WEFT_RAM_WRITE wr_data_i[g*Granule+:Granule];
        end
      end
    end
  end
`undef WEFT_RAM_WRITE
`ifdef VERILATOR
  /* verilator lint_on BLKSEQ */
`endif

endmodule
`default_nettype wire
