// SPDX-License-Identifier: Apache-2.0
//
// Writes post's results into the scratchpad: a vector of PostLanes bytes with a lane mask at any
// byte address becomes writes of at most two words (low, high), both in one cycle when the banks
// allow it. A vector a cycle; a vector is written in the cycle after it was taken at the earliest.
// res_ready_o comes from a register: post stands as a whole when it is low, and must not wait for
// the banks in the same cycle.
// block_retired_o pulses with the last write of a block's last vector. A vector outside the
// scratchpad is not written and raises err_o until reset.
`default_nettype none
module weft_result_writer #(
  parameter int unsigned AddrWidth = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes)
) (
  input  wire logic                               clk_i,
  input  wire logic                               rst_ni,
  input  wire logic                               res_valid_i,
  output      logic                               res_ready_o,
  input  wire logic [20:0]                        res_addr_i,      // byte address of lane 0
  input  wire logic [8*weft_pkg::PostLanes-1:0]   res_data_i,
  input  wire logic [weft_pkg::PostLanes-1:0]     res_mask_i,
  input  wire logic                               res_blk_last_i,
  // scratchpad write ports: 0 low word, 1 high word
  output      logic [1:0]                         spad_req_o,
  output      logic [2*AddrWidth-1:0]             spad_addr_o,
  output      logic [2*8*weft_pkg::WordBytes-1:0] spad_data_o,
  output      logic [2*weft_pkg::WordBytes-1:0]   spad_mask_o,
  input  wire logic [1:0]                         spad_gnt_i,
  // state
  output      logic                               block_retired_o,
  output      logic                               idle_o,
  output      logic                               err_o
);

  localparam int unsigned WordBytes = weft_pkg::WordBytes;
  localparam int unsigned WordBits = $clog2(WordBytes);
  localparam int unsigned Words = weft_pkg::Scratchpad / WordBytes;
  localparam int unsigned Lanes = weft_pkg::PostLanes;

  logic [WordBits-1:0] offset;
  logic [20-WordBits:0] word;                 // may lie outside the scratchpad
  logic [2*WordBytes-1:0] mask;
  logic [8*WordBytes-1:0] padded, rotated;

  logic in_valid, in_ready, in_blk_last;
  logic [20:0] in_addr;
  logic [8*Lanes-1:0] in_data;
  logic [Lanes-1:0] in_mask;
  weft_skid #(.Width(22 + 9 * Lanes)) u_in (
    .clk_i, .rst_ni,
    .valid_i(res_valid_i), .ready_o(res_ready_o),
    .data_i({res_blk_last_i, res_addr_i, res_mask_i, res_data_i}),
    .valid_o(in_valid), .ready_i(in_ready), .data_o({in_blk_last, in_addr, in_mask, in_data})
  );

  assign offset = in_addr[WordBits-1:0];
  assign word = in_addr[20:WordBits];
  assign mask = (2*WordBytes)'(in_mask) << offset;
  assign padded = (8*WordBytes)'(in_data);

  // Both words get the same rotated bytes; the masks choose.
  always_comb begin
    rotated = padded;
    for (int unsigned i = 1; i < WordBytes; i++) begin
      if (offset == WordBits'(i)) begin
        rotated = (padded << (8 * i)) | (padded >> (8 * (WordBytes - i)));
      end
    end
  end

  logic busy_q, blk_last_q, take, finished;
  logic [1:0] left_q;                         // words still to write
  logic [1:0] outside_q;                      // words that the scratchpad does not have
  logic bad;
  logic [AddrWidth-1:0] word_q;
  logic [8*WordBytes-1:0] data_q;
  logic [2*WordBytes-1:0] mask_q;

  assign bad = (left_q & outside_q) != '0;
  assign finished = (left_q & ~spad_gnt_i) == '0;
  assign in_ready = (!busy_q || finished) && !err_o;
  assign take = in_valid && in_ready;

  always_ff @(posedge clk_i) begin
    if (take) begin
      word_q <= AddrWidth'(word);
      data_q <= rotated;
      mask_q <= mask;
      blk_last_q <= in_blk_last;
      outside_q <= {32'(word) + 1 >= Words, 32'(word) >= Words};
    end
    if (!rst_ni) begin
      busy_q <= 1'b0;
      left_q <= '0;
      err_o <= 1'b0;
    end else begin
      if (bad) begin
        busy_q <= 1'b0;
        left_q <= '0;
        err_o <= 1'b1;
      end else if (take) begin
        busy_q <= 1'b1;
        left_q <= {mask[WordBytes+:WordBytes] != '0, mask[0+:WordBytes] != '0};
      end else begin
        busy_q <= busy_q && !finished;
        left_q <= left_q & ~spad_gnt_i;
      end
    end
  end

  assign spad_req_o = bad ? 2'b00 : left_q;
  assign spad_addr_o = {word_q + AddrWidth'(1), word_q};
  assign spad_data_o = {2{data_q}};
  assign spad_mask_o = mask_q;
  assign block_retired_o = busy_q && finished && blk_last_q;
  assign idle_o = !busy_q && !in_valid;

endmodule
`default_nettype wire
