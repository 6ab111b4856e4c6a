// SPDX-License-Identifier: Apache-2.0
//
// The scratchpad: Banks banks of words, each with one read and one write port, and the arbitration
// between all who use it. It knows word addresses only: alignment, ranges and the order of accesses
// are the requesters' business. Grants come in the cycle of the request, read data in the cycle
// after (only then). Fixed priority: reads operand > store > feed 0..3, writes result 0, 1 > load; a
// feed port that asks for the word of an earlier feed port shares its read.
`default_nettype none
`include "common/weft_assert.svh"
module weft_scratchpad #(
  parameter int unsigned AddrWidth = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes),
  parameter int unsigned Width = 8 * weft_pkg::WordBytes
) (
  input  wire logic                   clk_i,
  // feed: four words
  input  wire logic [3:0]             feed_req_i,
  input  wire logic [4*AddrWidth-1:0] feed_addr_i,
  output      logic [3:0]             feed_gnt_o,
  output      logic [4*Width-1:0]     feed_data_o,
  // post: low and high word of an unaligned operand
  input  wire logic [1:0]             opd_req_i,
  input  wire logic [2*AddrWidth-1:0] opd_addr_i,
  output      logic [1:0]             opd_gnt_o,
  output      logic [2*Width-1:0]     opd_data_o,
  // store
  input  wire logic                   st_req_i,
  input  wire logic [AddrWidth-1:0]   st_addr_i,
  output      logic                   st_gnt_o,
  output      logic [Width-1:0]       st_data_o,
  // result writer: two words with byte enables
  input  wire logic [1:0]             res_req_i,
  input  wire logic [2*AddrWidth-1:0] res_addr_i,
  input  wire logic [2*Width-1:0]     res_data_i,
  input  wire logic [2*Width/8-1:0]   res_mask_i,
  output      logic [1:0]             res_gnt_o,
  // load
  input  wire logic                   ld_req_i,
  input  wire logic [AddrWidth-1:0]   ld_addr_i,
  input  wire logic [Width-1:0]       ld_data_i,
  input  wire logic [Width/8-1:0]     ld_mask_i,
  output      logic                   ld_gnt_o
);

  localparam int unsigned Banks = weft_pkg::Banks;
  localparam int unsigned BankBits = $clog2(Banks);
  localparam int unsigned Words = weft_pkg::Scratchpad / weft_pkg::WordBytes;
  localparam int unsigned Rows = (Words + Banks - 1) / Banks;
  localparam int unsigned RowBits = AddrWidth - BankBits;
  localparam int unsigned Readers = 7;
  localparam int unsigned Feed = 3;    // the first feed port among the readers
  localparam int unsigned Writers = 3;

  // Word w lies in bank w mod Banks; the compiler's row pitches keep the rows of a window apart.

  // Reads. Readers in order of priority.
  logic [Readers-1:0] rd_req, rd_gnt, rd_own;  // rd_own: granted a read that is not shared
  logic [Readers*AddrWidth-1:0] rd_addr;
  logic [BankBits-1:0] rd_bank [Readers];
  logic [BankBits-1:0] rd_bank_q [Readers];
  logic [Banks-1:0] rd_en;
  logic [RowBits-1:0] rd_row [Banks];
  logic [Width-1:0] rd_data [Banks];

  assign rd_req = {feed_req_i, st_req_i, opd_req_i};
  assign rd_addr = {feed_addr_i, st_addr_i, opd_addr_i};
  assign {feed_gnt_o, st_gnt_o, opd_gnt_o} = rd_gnt;

  always_comb begin
    for (int unsigned p = 0; p < Readers; p++) rd_bank[p] = rd_addr[p*AddrWidth+:BankBits];
    rd_own = rd_req;
    rd_gnt = rd_req;
`ifdef VERILATOR
    if ((rd_req & (rd_req - 1'b1)) != '0)  // simulation is spared comparing a reader with nobody
`endif
    begin
      for (int unsigned p = 0; p < Readers; p++) begin
        for (int unsigned q = 0; q < p; q++) begin
          if (rd_req[q] && rd_bank[q] == rd_bank[p]) rd_own[p] = 1'b0;
        end
      end
      // Fragments of neighbouring short rows lie in one word: a feed port shares an earlier one's read.
      rd_gnt = rd_own;
      for (int unsigned p = Feed + 1; p < Readers; p++) begin
        for (int unsigned q = Feed; q < p; q++) begin
          rd_gnt[p] |= rd_req[p] && rd_own[q] &&
                       rd_addr[p*AddrWidth+:AddrWidth] == rd_addr[q*AddrWidth+:AddrWidth];
        end
      end
    end
    rd_en = '0;
    for (int unsigned b = 0; b < Banks; b++) rd_row[b] = '0;
    for (int unsigned p = Readers; p > 0; p--) begin
      if (rd_req[p-1]) begin
        rd_row[rd_bank[p-1]] = rd_addr[(p-1)*AddrWidth+BankBits+:RowBits];
        rd_en[rd_bank[p-1]] = 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned p = 0; p < Readers; p++) rd_bank_q[p] <= rd_bank[p];
  end

  always_comb begin
    opd_data_o[0+:Width] = rd_data[rd_bank_q[0]];
    opd_data_o[Width+:Width] = rd_data[rd_bank_q[1]];
    st_data_o = rd_data[rd_bank_q[2]];
    for (int unsigned p = 0; p < 4; p++) feed_data_o[p*Width+:Width] = rd_data[rd_bank_q[3+p]];
  end

  // Writes.
  logic [Writers-1:0] wr_req, wr_gnt;
  logic [Writers*AddrWidth-1:0] wr_addr;
  logic [BankBits-1:0] wr_bank [Writers];
  logic [Banks-1:0] wr_en;
  logic [RowBits-1:0] wr_row [Banks];
  logic [Width-1:0] wr_data [Banks];
  logic [Width/8-1:0] wr_mask [Banks];

  assign wr_req = {ld_req_i, res_req_i};
  assign wr_addr = {ld_addr_i, res_addr_i};
  assign {ld_gnt_o, res_gnt_o} = wr_gnt;

  always_comb begin
    wr_en = '0;
    wr_gnt = '0;
    for (int unsigned p = 0; p < Writers; p++) begin
      wr_bank[p] = wr_addr[p*AddrWidth+:BankBits];
      wr_gnt[p] = wr_req[p] & ~wr_en[wr_bank[p]];
      if (wr_req[p]) wr_en[wr_bank[p]] = 1'b1;
    end
    for (int unsigned b = 0; b < Banks; b++) begin
      wr_row[b] = ld_addr_i[BankBits+:RowBits];
      wr_data[b] = ld_data_i;
      wr_mask[b] = ld_mask_i;
    end
    for (int unsigned p = 2; p > 0; p--) begin
      if (wr_req[p-1]) begin
        wr_row[wr_bank[p-1]] = wr_addr[(p-1)*AddrWidth+BankBits+:RowBits];
        wr_data[wr_bank[p-1]] = res_data_i[(p-1)*Width+:Width];
        wr_mask[wr_bank[p-1]] = res_mask_i[(p-1)*(Width/8)+:Width/8];
      end
    end
  end

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    weft_ram #(
      .Width(Width),
      .Depth(Rows),
      .Granule(8)
    ) u_ram (
      .clk_i,
      .rd_en_i(rd_en[b]),
      .rd_addr_i(rd_row[b]),
      .rd_data_o(rd_data[b]),
      .wr_en_i(wr_en[b]),
      .wr_addr_i(wr_row[b]),
      .wr_data_i(wr_data[b]),
      .wr_mask_i(wr_mask[b])
    );
  end

endmodule
`default_nettype wire
