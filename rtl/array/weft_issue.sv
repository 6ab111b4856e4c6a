// SPDX-License-Identifier: Apache-2.0
//
// Lets operands into the array, in the order of the issue queue: one a cycle, when the operand is
// there (vector queue or window unit), the accumulator row is free, a beat's first pixel finds new
// weights in the shadow block, and the row is not still on its way through the sums. Null beats
// take no operand and only hand a buffer to post. Counts every cycle as exactly one event.
// A row is free when post has given the buffer back; a block's first beat, which only writes, may
// follow post through the rows it has read for the last time (drain_*), up to the block's last one.
// op_* go with the operand itself, into the array's register; mul_* describe it a cycle later, when
// it is multiplied. ev_* tell of the cycle before.
`default_nettype none
`include "common/weft_assert.svh"
`include "array/weft_feed_types.svh"
module weft_issue (
  input  wire logic                        clk_i,
  input  wire logic                        rst_ni,
  input  wire logic                        issue_valid_i,
  output      logic                        issue_ready_o,
  input  wire logic [`WEFT_ISSUE_BITS-1:0] issue_i,
  input  wire logic [`WEFT_ISSUE_BITS-1:0] next_i,         // what issue_i will be
  input  wire logic                        vec_valid_i,
  output      logic                        vec_ready_o,
  input  wire logic                        window_ready_i,
  output      logic                        window_take_o,
  output      logic                        window_beat_o,
  output      logic                        beat_end_o,
  input  wire logic                        shadow_full_i,
  output      logic                        swap_o,
  input  wire logic [1:0]                  acc_release_i,
  input  wire logic                        drain_valid_i,  // post's last pass through drain_buf_i
  input  wire logic                        drain_buf_i,
  input  wire logic [7:0]                  drain_rows_i,   // rows it has read
  output      logic                        op_valid_o,     // an operand is accepted
  output      logic [1:0]                  op_mode_o,
  output      logic                        mul_valid_o,    // an operand, or a null beat
  output      logic                        mul_null_o,
  output      logic [1:0]                  mul_mode_o,
  output      logic [7:0]                  mul_row_o,
  output      logic                        mul_buf_o,
  output      logic                        mul_first_o,
  output      logic                        mul_last_o,     // hands the buffer to post
  input  wire logic                        feed_waiting_i,
  input  wire logic                        feed_idle_i,
  output      logic                        ev_busy_o,
  output      logic                        ev_stall_dependency_o,
  output      logic                        ev_stall_operand_o,
  output      logic                        ev_stall_weights_o,
  output      logic                        ev_stall_accumulator_o,
  output      logic                        ev_idle_o,
  output      logic                        idle_o
);

  `WEFT_ISSUE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for weft_window
  issue_t issue, next;
  /* verilator lint_on UNUSEDSIGNAL */
  assign issue = issue_i;
  assign next = next_i;

  logic [7:0] pixel_q;
  logic fill_q;          // the buffer being filled
  logic [1:0] taken_q;   // buffers filled, on their way or with post
  logic start_q;         // the beat's first pixel is next
  logic finish_q;        // its last one is
  logic again_q;         // the next operand may be for the row of the one before
  logic dense, window, present, weights, drained, buffer, settled, accept;

  assign dense = !issue.null_op && issue.mode == 2'd0;
  assign window = !issue.null_op && issue.mode != 2'd0;
  assign present = issue_valid_i &&
      (issue.null_op || (dense && vec_valid_i) || (window && window_ready_i));
  assign drained = drain_valid_i && drain_buf_i == fill_q && pixel_q < drain_rows_i &&
      !issue.null_op && issue.first && !(issue.last && finish_q);
  assign buffer = !taken_q[fill_q] || drained;
  assign weights = !(issue.swap && start_q && !issue.null_op) || shadow_full_i;
  // A row may be read two cycles after it was accepted last: not by the next operand. Its row is
  // another one unless a beat of one pixel follows a beat of one pixel.
  assign settled = issue.null_op || issue.first || !again_q;
  assign accept = present && buffer && weights && settled;

  assign issue_ready_o = accept && finish_q;
  assign vec_ready_o = accept && dense;
  assign window_take_o = accept && window;
  assign window_beat_o = issue_valid_i && window;
  assign beat_end_o = finish_q;
  assign swap_o = accept && issue.swap && start_q && !issue.null_op;
  assign op_valid_o = accept && !issue.null_op;
  assign op_mode_o = issue.mode;

  always_ff @(posedge clk_i) begin
    if (accept) begin
      mul_null_o <= issue.null_op;
      mul_mode_o <= issue.mode;
      mul_row_o <= pixel_q;
      mul_buf_o <= fill_q;
      mul_first_o <= issue.first;
      mul_last_o <= issue.last && finish_q;
    end
    if (!issue_valid_i || issue_ready_o) finish_q <= next.last_pixel == 8'd0;
    else if (accept) finish_q <= pixel_q + 8'd1 == issue.last_pixel;
    if (!rst_ni) begin
      mul_valid_o <= 1'b0;
      again_q <= 1'b0;
      pixel_q <= 8'd0;
      start_q <= 1'b1;
      fill_q <= 1'b0;
      taken_q <= 2'd0;
    end else begin
      mul_valid_o <= accept;
      again_q <= accept && !issue.null_op && start_q && finish_q && !issue.last;
      if (accept) begin
        pixel_q <= finish_q ? 8'd0 : pixel_q + 8'd1;
        start_q <= finish_q;
      end
      taken_q <= taken_q & ~acc_release_i;
      if (issue_ready_o && issue.last) begin
        fill_q <= !fill_q;
        taken_q[fill_q] <= 1'b1;
      end
      `WEFT_ASSERT(a_finish_known, !issue_valid_i || finish_q == (pixel_q == issue.last_pixel))
      `WEFT_ASSERT(a_release_of_taken, (acc_release_i & ~taken_q) == 2'd0)
    end
  end

  // One of them in every cycle, in reset too.
  logic busy, stall_accumulator, stall_weights, stall_dependency, idle;
  assign busy = accept && !issue.null_op;
  assign stall_accumulator = present && !buffer;
  assign stall_weights = present && buffer && !weights;
  assign stall_dependency = !issue_valid_i && feed_waiting_i;
  assign idle = (!issue_valid_i && !feed_waiting_i && feed_idle_i) || (accept && issue.null_op);
  always_ff @(posedge clk_i) begin
    ev_busy_o <= rst_ni && busy;
    ev_stall_accumulator_o <= rst_ni && stall_accumulator;
    ev_stall_weights_o <= rst_ni && stall_weights;
    ev_stall_dependency_o <= rst_ni && stall_dependency;
    ev_idle_o <= !rst_ni || idle;
    ev_stall_operand_o <= rst_ni &&
        !(busy || stall_accumulator || stall_weights || stall_dependency || idle);
  end
  assign idle_o = !issue_valid_i && !mul_valid_o;

endmodule
`default_nettype wire
