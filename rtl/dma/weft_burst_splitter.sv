// SPDX-License-Identifier: Apache-2.0
//
// Splits requests (beat-aligned address, bytes) into INCR bursts that stay within one 256-byte
// block, so that none crosses a 4 KiB border. A burst a cycle, the first one in the cycle after the
// request was taken, no gap between requests. check_block_o asks whether a burst's block may be
// accessed in the cycle before the burst comes, or in those in which the one before waits; the
// answer comes with the burst. One request is taken ahead, so that req_ready_o comes
// from a register. clear_i drops what has not left yet.
`default_nettype none
`include "common/weft_assert.svh"
module weft_burst_splitter #(
  parameter int unsigned BeatBytes = weft_pkg::AxiBytes
) (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        clear_i,
  input  wire logic        req_valid_i,
  output      logic        req_ready_o,
  input  wire logic [39:0] req_addr_i,
  input  wire logic [20:0] req_bytes_i,   // at least 1
  output      logic        burst_valid_o,
  input  wire logic        burst_ready_i,
  output      logic [39:0] burst_addr_o,
  output      logic [7:0]  burst_len_o,   // beats - 1
  output      logic        burst_last_o,  // last burst of the request
  output      logic        burst_allowed_o,
  output      logic [31:0] check_block_o,
  input  wire logic        check_allowed_i
);

  localparam int unsigned BeatBits = $clog2(BeatBytes);
  localparam int unsigned IndexBits = 8 - BeatBits;    // beat within a block
  localparam int unsigned CountBits = 21 - BeatBits;   // beats of a request, minus 1

  logic valid_q;
  logic [39:BeatBits] beat_q;
  logic [39:8] next_q;                                 // the block after it
  logic [CountBits-1:0] left_q;                        // beats still to ask for, minus 1
  logic [IndexBits-1:0] room, len;                     // beats to the end of the block, minus 1
  logic taken, in_valid, in_ready;
  logic [39:0] in_addr;
  logic [20:0] in_bytes;

  weft_skid #(
    .Width(61)
  ) u_in (
    .clk_i,
    .rst_ni(rst_ni && !clear_i),
    .valid_i(req_valid_i),
    .ready_o(req_ready_o),
    .data_i({req_addr_i, req_bytes_i}),
    .valid_o(in_valid),
    .ready_i(in_ready),
    .data_o({in_addr, in_bytes})
  );

  assign room = ~beat_q[BeatBits+:IndexBits];
  assign burst_last_o = left_q <= CountBits'(room);
  assign len = burst_last_o ? left_q[IndexBits-1:0] : room;
  assign burst_len_o = 8'(len);
  assign burst_addr_o = {beat_q, BeatBits'(0)};
  assign burst_valid_o = valid_q;
  assign taken = valid_q && burst_ready_i;
  assign check_block_o = (!valid_q || burst_last_o) ? in_addr[39:8] : next_q;
  assign in_ready = !valid_q || (taken && burst_last_o);

  always_ff @(posedge clk_i) begin
    if (in_valid && in_ready) begin
      beat_q <= in_addr[39:BeatBits];
      next_q <= in_addr[39:8] + 1'b1;
      left_q <= CountBits'((in_bytes - 21'd1) >> BeatBits);
    end else if (taken) begin
      // On in the next block, if this was not the last burst: `len` need not be waited for.
      beat_q <= {next_q, IndexBits'(0)};
      next_q <= next_q + 1'b1;
      left_q <= left_q - CountBits'(room) - 1'b1;
    end
    if (!valid_q || taken) burst_allowed_o <= check_allowed_i;
    if (!rst_ni || clear_i) valid_q <= 1'b0;
    else valid_q <= (in_valid && in_ready) || (valid_q && !(taken && burst_last_o));
    if (rst_ni && !clear_i && in_valid && in_ready) begin
      `WEFT_ASSERT(a_request_aligned, in_addr[BeatBits-1:0] == '0)
      `WEFT_ASSERT(a_request_not_empty, in_bytes != '0)
    end
  end

endmodule
`default_nettype wire
