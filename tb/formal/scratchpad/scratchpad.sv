// SPDX-License-Identifier: Apache-2.0
//
// weft_scratchpad: who is granted, and that every granted access gets or leaves its own data. One
// byte of one word, any, is watched: what the granted writes leave in it is kept here, and every
// granted read of it must return that in the next cycle. The memories are small (proof.toml): their
// depth and width only repeat rows and bytes.
`default_nettype none
module scratchpad #(
  parameter int unsigned AddrWidth = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes),
  parameter int unsigned Width = 8 * weft_pkg::WordBytes
) (
  input wire logic                   clk_i,
  input wire logic [3:0]             feed_req_i,
  input wire logic [4*AddrWidth-1:0] feed_addr_i,
  input wire logic [1:0]             opd_req_i,
  input wire logic [2*AddrWidth-1:0] opd_addr_i,
  input wire logic                   st_req_i,
  input wire logic [AddrWidth-1:0]   st_addr_i,
  input wire logic [1:0]             res_req_i,
  input wire logic [2*AddrWidth-1:0] res_addr_i,
  input wire logic [2*Width-1:0]     res_data_i,
  input wire logic [2*Width/8-1:0]   res_mask_i,
  input wire logic                   ld_req_i,
  input wire logic [AddrWidth-1:0]   ld_addr_i,
  input wire logic [Width-1:0]       ld_data_i,
  input wire logic [Width/8-1:0]     ld_mask_i
);
  localparam int unsigned BankBits = $clog2(weft_pkg::Banks);
  localparam int unsigned Readers = 7;   // in order of priority: operand 0 1, store, feed 0 1 2 3
  localparam int unsigned Writers = 3;   // result 0 1, load

  logic [3:0] feed_gnt;
  logic [1:0] opd_gnt, res_gnt;
  logic st_gnt, ld_gnt;
  logic [4*Width-1:0] feed_data;
  logic [2*Width-1:0] opd_data;
  logic [Width-1:0] st_data;
  weft_scratchpad u_scratchpad (
    .clk_i,
    .feed_req_i, .feed_addr_i, .feed_gnt_o(feed_gnt), .feed_data_o(feed_data),
    .opd_req_i, .opd_addr_i, .opd_gnt_o(opd_gnt), .opd_data_o(opd_data),
    .st_req_i, .st_addr_i, .st_gnt_o(st_gnt), .st_data_o(st_data),
    .res_req_i, .res_addr_i, .res_data_i, .res_mask_i, .res_gnt_o(res_gnt),
    .ld_req_i, .ld_addr_i, .ld_data_i, .ld_mask_i, .ld_gnt_o(ld_gnt)
  );

  logic [Readers-1:0] rd_req, rd_gnt;
  logic [Readers*AddrWidth-1:0] rd_addr;
  logic [Readers*Width-1:0] rd_data;
  assign rd_req = {feed_req_i, st_req_i, opd_req_i};
  assign rd_gnt = {feed_gnt, st_gnt, opd_gnt};
  assign rd_addr = {feed_addr_i, st_addr_i, opd_addr_i};
  assign rd_data = {feed_data, st_data, opd_data};

  logic [Writers-1:0] wr_req, wr_gnt;
  logic [Writers*AddrWidth-1:0] wr_addr;
  logic [Writers*Width-1:0] wr_data;
  logic [Writers*Width/8-1:0] wr_mask;
  assign wr_req = {ld_req_i, res_req_i};
  assign wr_gnt = {ld_gnt, res_gnt};
  assign wr_addr = {ld_addr_i, res_addr_i};
  assign wr_data = {ld_data_i, res_data_i};
  assign wr_mask = {ld_mask_i, res_mask_i};

  // The documented priorities. A bank's reader is the first that asks for the bank; a feed port
  // shares the read of an earlier feed port that asks for the same word.
  logic [Readers-1:0] rd_first, rd_shares, rd_due;
  logic [Writers-1:0] wr_first;
  logic rd_clash, wr_clash;            // two different words, or two writes, granted in one bank
  always_comb begin
    rd_clash = 1'b0;
    wr_clash = 1'b0;
    for (int p = 0; p < Readers; p++) begin
      rd_first[p] = rd_req[p];
      rd_shares[p] = 1'b0;
      for (int q = 0; q < p; q++) begin
        if (rd_req[q] && rd_addr[q*AddrWidth +: BankBits] == rd_addr[p*AddrWidth +: BankBits]) begin
          rd_first[p] = 1'b0;
          if (rd_gnt[p] && rd_gnt[q] && rd_addr[q*AddrWidth +: AddrWidth]
              != rd_addr[p*AddrWidth +: AddrWidth]) rd_clash = 1'b1;
        end
      end
      for (int q = 3; q < p; q++) begin
        if (rd_first[q] && rd_req[p] && rd_addr[q*AddrWidth +: AddrWidth]
            == rd_addr[p*AddrWidth +: AddrWidth]) rd_shares[p] = 1'b1;
      end
    end
    for (int p = 0; p < Writers; p++) begin
      wr_first[p] = wr_req[p];
      for (int q = 0; q < p; q++) begin
        if (wr_req[q] && wr_addr[q*AddrWidth +: BankBits] == wr_addr[p*AddrWidth +: BankBits]) begin
          wr_first[p] = 1'b0;
          if (wr_gnt[p] && wr_gnt[q]) wr_clash = 1'b1;
        end
      end
    end
    rd_due = rd_first | rd_shares;
  end

  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  // The watched byte, and what was last written to it.
  (* anyconst *) logic [AddrWidth-1:0] word;
  (* anyconst *) logic [$clog2(Width/8)-1:0] lane;
  logic written_q = 1'b0;
  logic [7:0] value_q;
  logic write;
  logic [7:0] write_value;
  always_comb begin
    write = 1'b0;
    write_value = 8'd0;
    for (int p = 0; p < Writers; p++) begin
      if (wr_gnt[p] && wr_req[p] && wr_addr[p*AddrWidth +: AddrWidth] == word
          && wr_mask[p*Width/8 + lane]) begin
        write = 1'b1;
        write_value = wr_data[p*Width + 8*lane +: 8];
      end
    end
  end

  // Reads of the cycle before, and what they must bring.
  logic [Readers-1:0] due_q = '0, wrong;
  logic [7:0] due_value_q;
  always_ff @(posedge clk_i) begin
    written_q <= written_q || write;
    if (write) value_q <= write_value;
    due_value_q <= value_q;
    for (int p = 0; p < Readers; p++) begin
      due_q[p] <= written_q && rd_gnt[p] && rd_addr[p*AddrWidth +: AddrWidth] == word;
    end
  end
  for (genvar p = 0; p < Readers; p++) begin : gen_wrong
    assign wrong[p] = due_q[p] && rd_data[p*Width + 8*lane +: 8] != due_value_q;
  end

  // Nothing here depends on the time; a first cycle without claims gives the solver a register.
  always_comb if (started_q) begin
    a_read_granted_in_order: assert (rd_gnt == rd_due);
    a_write_granted_in_order: assert (wr_gnt == wr_first);
    a_one_word_a_bank: assert (!rd_clash);
    a_one_write_a_bank: assert (!wr_clash);
    a_some_read_goes: assert (rd_req == '0 || (rd_gnt & rd_req) != '0);
    a_some_write_goes: assert (wr_req == '0 || (wr_gnt & wr_req) != '0);
    a_own_data: assert (wrong == '0);

    c_all_read: cover (rd_gnt == '1);
    c_all_write: cover (wr_gnt == '1);
    c_shared: cover (feed_gnt == '1 && due_q[6:3] == '1);
    c_load_read_back: cover (due_q[2] && st_data[7:0] == 8'ha5);
    c_low_priority_waits: cover (feed_req_i[3] && !feed_gnt[3] && ld_req_i && !ld_gnt);
  end
endmodule
`default_nettype wire
