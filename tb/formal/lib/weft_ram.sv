// SPDX-License-Identifier: Apache-2.0
//
// weft_ram for proofs: keeps the top bit and the lowest eight of a word, and answers anything, held
// until the next read, in the others. What is proven with it holds for the real memory, which is
// one of the behaviours that this one has; data is seen in eight bits, which stand for all.
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

  (* anyseq *) logic [Width-10:0] anything;
  logic [8:0] mem [Depth];

  always_ff @(posedge clk_i) begin
    if (rd_en_i) begin
      {rd_data_o[Width-1], rd_data_o[7:0]} <= mem[rd_addr_i];
      rd_data_o[Width-2:8] <= anything;
    end
    if (wr_en_i && wr_mask_i[0]) mem[wr_addr_i] <= {wr_data_i[Width-1], wr_data_i[7:0]};
  end

endmodule
`default_nettype wire
