// SPDX-License-Identifier: Apache-2.0
//
// The two accumulator buffers between array and post: weft_issue and weft_accumulators with any
// stream of beats, and a post that takes full buffers in turn, reads and writes their rows in any
// order, then reads them once more in turn (drains them), and gives each back after any time. No
// token is lost or made, post meets the buffers in the order in which they were filled, no row is
// overwritten that post has yet to read, and the array waits for post only: with a buffer free, an
// operand and weights there, it goes on within two cycles. Rows are few (proof.toml); data plays no
// part.
`default_nettype none
`include "array/weft_feed_types.svh"
module buffers (
  input wire logic                        clk_i,
  input wire logic                        rst_free_i,
  input wire logic                        issue_valid_i,
  input wire logic [`WEFT_ISSUE_BITS-1:0] issue_i,
  input wire logic [`WEFT_ISSUE_BITS-1:0] next_i,
  input wire logic                        vec_valid_i,
  input wire logic                        window_ready_i,
  input wire logic                        shadow_full_i,
  input wire logic                        post_takes_i,     // post begins with its buffer,
  input wire logic                        post_drains_i,    // begins its last pass,
  input wire logic                        post_ends_i,      // and is done with it
  input wire logic                        post_reads_i,
  input wire logic                        post_writes_i,
  input wire logic [6:0]                  post_row_i,
  input wire logic [32*weft_pkg::N-1:0]   sum_i
);
  `WEFT_ISSUE_TYPE
  issue_t issue;
  assign issue = issue_i;

  logic started_q = 1'b0;
  logic rst_n;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  logic issue_ready, vec_ready, window_take, swap;
  logic mul_valid, mul_null, mul_buf, mul_first, mul_last, issue_idle, add_idle;
  logic [1:0] mul_mode, full, release_buf;
  logic [7:0] mul_row;
  weft_issue u_issue (
    .clk_i, .rst_ni(rst_n),
    .issue_valid_i, .issue_ready_o(issue_ready), .issue_i, .next_i,
    .vec_valid_i, .vec_ready_o(vec_ready),
    .window_ready_i, .window_take_o(window_take), .window_beat_o(), .beat_end_o(),
    .shadow_full_i, .swap_o(swap), .acc_release_i(release_buf),
    .drain_valid_i(draining_q), .drain_buf_i(turn_q), .drain_rows_i(drained_q),
    .op_valid_o(), .op_mode_o(), .mul_valid_o(mul_valid), .mul_null_o(mul_null), .mul_mode_o(mul_mode), .mul_row_o(mul_row),
    .mul_buf_o(mul_buf), .mul_first_o(mul_first), .mul_last_o(mul_last),
    .feed_waiting_i(1'b0), .feed_idle_i(1'b0),
    .ev_busy_o(), .ev_stall_dependency_o(), .ev_stall_operand_o(), .ev_stall_weights_o(),
    .ev_stall_accumulator_o(), .ev_idle_o(), .idle_o(issue_idle)
  );
  weft_accumulators u_accumulators (
    .clk_i, .rst_ni(rst_n),
    .add_valid_i(mul_valid), .add_null_i(mul_null), .add_max_i(mul_mode == 2'd2),
    .add_row_i(mul_row), .add_buf_i(mul_buf), .add_first_i(mul_first), .add_last_i(mul_last),
    .sum_i, .full_o(full), .release_i(release_buf),
    .rd_en_i(reading_q && post_reads), .rd_buf_i(turn_q),
    .rd_row_i(draining_q ? drained_q[6:0] : post_row_i), .rd_data_o(),
    .wr_en_i(reading_q && !draining_q && post_writes_i), .wr_buf_i(turn_q), .wr_row_i(post_row_i),
    .wr_data_i('0),
    .wr_lanes_i('1), .idle_o(add_idle)
  );

  // The contract of the issue queue: a beat has been announced, stays until it is taken, and is of
  // legal size; a reset leaves none.
  logic offered_q = 1'b0;
  logic empty_q = 1'b1;
  logic [`WEFT_ISSUE_BITS-1:0] expected_q;
  always_ff @(posedge clk_i) begin
    offered_q <= rst_n && issue_valid_i && !issue_ready;
    empty_q <= !rst_n;
    expected_q <= (issue_valid_i && !issue_ready) ? issue_i : next_i;
  end

  // Post: one buffer after the other (weft_post_sequencer's buf_q).
  logic turn_q, reading_q, draining_q, post_reads;
  logic [7:0] drained_q;
  assign post_reads = post_reads_i && drained_q < 8'(weft_pkg::Stripe);
  assign release_buf = (reading_q && post_ends_i) ? 2'd1 << turn_q : 2'd0;
  always_ff @(posedge clk_i) begin
    if (!rst_n) begin
      turn_q <= 1'b0;
      reading_q <= 1'b0;
      draining_q <= 1'b0;
      drained_q <= 8'd0;
    end else if (reading_q) begin
      if (post_drains_i) draining_q <= 1'b1;
      if (draining_q && post_reads) drained_q <= drained_q + 8'd1;
      if (post_ends_i) begin
        reading_q <= 1'b0;
        draining_q <= 1'b0;
        drained_q <= 8'd0;
        turn_q <= !turn_q;
      end
    end else if (full[turn_q] && post_takes_i) begin
      reading_q <= 1'b1;
    end
  end

  // The last rows of the blocks that are on their way to a buffer: mul, then two stages of sums.
  logic way1_q, way2_q, way_buf1_q, way_buf2_q;
  logic [1:0] on_way;
  always_ff @(posedge clk_i) begin
    way1_q <= rst_n && mul_valid && mul_last;
    way_buf1_q <= mul_buf;
    way2_q <= rst_n && way1_q;
    way_buf2_q <= way_buf1_q;
  end
  for (genvar b = 0; b < 2; b++) begin : gen_way
    assign on_way[b] = (mul_valid && mul_last && mul_buf == b) || (way1_q && way_buf1_q == b) ||
                       (way2_q && way_buf2_q == b);
  end

  // What the array does with a beat.
  logic accept, wants;
  logic [1:0] waiting_q;               // cycles in which it could have gone on, and did not
  (* hierconn *) wire \u_issue.fill_q ;
  (* hierconn *) wire [1:0] \u_issue.taken_q ;
  (* hierconn *) wire \u_accumulators.add_write ;
  (* hierconn *) wire \u_accumulators.s2_buf_q ;
  (* hierconn *) wire [$clog2(weft_pkg::Stripe)-1:0] \u_accumulators.s2_row_q ;
  assign accept = vec_ready || window_take || (issue_ready && issue.null_op);
  assign wants = issue_valid_i && shadow_full_i &&
    (issue.null_op || (issue.mode == 2'd0 ? vec_valid_i : window_ready_i));
  always_ff @(posedge clk_i) begin
    if (!rst_n || accept || !wants || full != 2'd0 || on_way != 2'd0) waiting_q <= 2'd0;
    else waiting_q <= waiting_q + 2'd1;
  end

  always_comb if (rst_n) begin
    if (offered_q) m_beat_held: assume (issue_valid_i);
    if (issue_valid_i) m_beat_announced: assume (!empty_q && issue_i == expected_q);
    m_pixels: assume (issue.last_pixel < weft_pkg::Stripe);
    m_null: assume (!issue.null_op || (issue.last_pixel == 0 && issue.last));

    a_token_kept: assert (\u_issue.taken_q == (full | on_way));
    a_token_once: assert ((full & on_way) == 2'd0);
    a_in_turn: assert (!full[!turn_q] || full[turn_q]);
    a_only_post_holds_it_up: assert (waiting_q < 2'd2);
    a_free_buffer_is_used: assert (!accept || !\u_issue.taken_q [\u_issue.fill_q ] ||
      (draining_q && turn_q == \u_issue.fill_q && issue.first && !issue.null_op));
    a_read_before_overwritten: assert (!\u_accumulators.add_write || !full[\u_accumulators.s2_buf_q ]
      || (draining_q && turn_q == \u_accumulators.s2_buf_q
          && 8'(\u_accumulators.s2_row_q ) < drained_q));
    a_fills_in_turn: assert ((full | on_way) == 2'b11 || full == 2'b00 || full[turn_q]);

    c_both_full: cover (full == 2'b11 && wants);
    c_one_drained_one_filled: cover (reading_q && accept && mul_valid && mul_buf != turn_q);
    c_waits_for_row: cover (waiting_q == 2'd1);
    c_follows_post: cover (\u_accumulators.add_write && full[\u_accumulators.s2_buf_q ]);
    c_round: cover (reading_q && turn_q == 1'b0 && full == 2'b11 && post_ends_i);
  end
endmodule
`default_nettype wire
