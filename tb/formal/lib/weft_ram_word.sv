// SPDX-License-Identifier: Apache-2.0
//
// weft_ram for proofs: keeps the word at one address, which the solver chooses, and answers anything
// at the others. What is proven with it holds for the real memory, which is one of the behaviours
// that this one has; the address stands for all.
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

  (* anyconst *) logic [AddrWidth-1:0] address;
  (* anyseq *) logic [Width-1:0] anything;
  logic [Width-1:0] word_q;

  always_ff @(posedge clk_i) begin
    if (rd_en_i) rd_data_o <= rd_addr_i == address ? word_q : anything;
    for (int unsigned g = 0; g < Width / Granule; g++) begin
      if (wr_en_i && wr_mask_i[g] && wr_addr_i == address) begin
        word_q[g*Granule+:Granule] <= wr_data_i[g*Granule+:Granule];
      end
    end
  end

endmodule
`default_nettype wire
