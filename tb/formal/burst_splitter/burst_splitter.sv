// SPDX-License-Identifier: Apache-2.0
//
// The bursts of weft_burst_splitter tile a request exactly: each begins where the one before ended,
// the last one ends where the request, rounded up to beats, ends, and is the one marked last. No
// burst leaves its 256-byte block, so none crosses a 4 KiB border. Requests are those behind the
// splitter's skid buffer, which loses and changes none (proof `skid`). The answer that comes with a burst
// is that to its block: one, chosen by the solver, is refused.
`default_nettype none
module burst_splitter #(
  parameter int unsigned BeatBytes = 8
) (
  input wire logic        clk_i,
  input wire logic        rst_free_i,
  input wire logic        clear_i,
  input wire logic        valid_i,
  input wire logic [39:0] addr_i,
  input wire logic [20:0] bytes_i,
  input wire logic        ready_i
);

  localparam int unsigned BeatBits = $clog2(BeatBytes);

  (* anyconst *) logic [31:0] denied_block;
  logic started_q = 1'b0;
  logic rst_n, ready, valid, last, allowed;
  logic [31:0] check_block;
  logic [39:0] addr;
  logic [7:0] len;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  weft_burst_splitter #(
    .BeatBytes(BeatBytes)
  ) u_splitter (
    .clk_i,
    .rst_ni(rst_n),
    .clear_i,
    .req_valid_i(valid_i),
    .req_ready_o(ready),
    .req_addr_i(addr_i),
    .req_bytes_i(bytes_i),
    .burst_valid_o(valid),
    .burst_ready_i(ready_i),
    .burst_addr_o(addr),
    .burst_len_o(len),
    .burst_last_o(last),
    .burst_allowed_o(allowed),
    .check_block_o(check_block),
    .check_allowed_i(check_block != denied_block)
  );

  // The block's registers, for the invariant.
  (* hierconn *) wire [20-BeatBits:0] \u_splitter.left_q ;
  (* hierconn *) wire \u_splitter.in_valid , \u_splitter.in_ready ;
  (* hierconn *) wire [39:8] \u_splitter.next_q ;
  (* hierconn *) wire [39:0] \u_splitter.in_addr ;
  (* hierconn *) wire [20:0] \u_splitter.in_bytes ;

  // What is still to be asked for of the request under way: from here, so many beats.
  logic request_q, accept, taken, stalled_q;
  logic [39:0] from_q;
  logic [21:0] beats_q;
  logic [8:0] beats;
  logic [53:0] stalled_burst_q;
  assign accept = \u_splitter.in_valid && \u_splitter.in_ready ;
  assign taken = valid && ready_i;
  assign beats = 9'(len) + 1'b1;

  always_ff @(posedge clk_i) begin
    if (accept) begin
      m_aligned: assume (\u_splitter.in_addr [BeatBits-1:0] == '0);
      m_not_empty: assume (\u_splitter.in_bytes != '0);
    end
    stalled_q <= rst_n && !clear_i && valid && !ready_i;
    stalled_burst_q <= {addr, len, last, allowed};
    if (accept) begin
      from_q <= \u_splitter.in_addr ;
      beats_q <= 22'((22'(\u_splitter.in_bytes ) + 22'(BeatBytes - 1)) >> BeatBits);
    end else if (taken) begin
      from_q <= from_q + (40'(beats) << BeatBits);
      beats_q <= beats_q - 22'(beats);
    end
    if (!rst_n || clear_i) request_q <= 1'b0;
    else request_q <= accept || (request_q && !(taken && beats_q == 22'(beats)));

    if (rst_n) begin
      a_burst_while_beats_left: assert (valid == request_q);
      a_next_request_without_gap: assert (\u_splitter.in_ready == (!request_q ||
                                                    (taken && beats_q == 22'(beats))));
      if (valid) begin
        a_begins_where_last_ended: assert (addr == from_q);
        a_next_block: assert (\u_splitter.next_q == from_q[39:8] + 1'b1);
        a_answer_is_its: assert (allowed == (addr[39:8] != denied_block));
        a_never_too_long: assert (22'(beats) <= beats_q);
        a_last_right: assert (last == (22'(beats) == beats_q));
        a_within_block: assert (9'(addr[7:0]) + (9'(len) << BeatBits) < 9'd256 && len < 8'd32);
        // A burst that is not the last one goes up to the block's end: no more bursts than needed.
        a_as_long_as_possible: assert (last || 9'(addr[7:0]) + (9'(beats) << BeatBits) == 9'd256);
      end
      if (request_q) a_same_rest: assert (22'(\u_splitter.left_q ) + 1'b1 == beats_q);
      if (stalled_q) a_held: assert (valid && stalled_burst_q == {addr, len, last, allowed});

      c_three_bursts: cover (taken && last && beats_q == 22'd2 && addr[11:0] == '0);
      c_back_to_back: cover (taken && last && accept && len == 8'd0);
    end
  end

endmodule
`default_nettype wire
