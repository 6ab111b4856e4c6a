// SPDX-License-Identifier: Apache-2.0
//
// The block and beat loops of the prepared command: waits until a beat may start, then offers it
// twice, to address generation (beat_*) and, in the same cycle, to the issue queue (issue_*). Both
// must be ready for a beat to go; a null beat goes to the issue queue only. At most a beat in three
// cycles: as long as weft_beat_walker takes for the next.
// The pixel loops are in weft_feed_dense and weft_feed_columns.
`default_nettype none
`include "common/weft_assert.svh"
`include "array/weft_feed_types.svh"
module weft_feed (
  input  wire logic                        clk_i,
  input  wire logic                        rst_ni,
  input  wire logic                        plan_valid_i,
  input  wire logic [`WEFT_PLAN_BITS-1:0]  plan_i,
  output      logic                        plan_done_o,
  input  wire logic [15:0]                 load_count_i,
  input  wire logic [15:0]                 exec_count_i,
  input  wire logic [15:0]                 store_count_i,
  output      logic                        beat_valid_o,
  input  wire logic                        beat_ready_i,
  output      logic [`WEFT_BEAT_BITS-1:0]  beat_o,
  output      logic                        beat_window_o,  // beat_o is for the column loop
  output      logic                        issue_valid_o,
  input  wire logic                        issue_ready_i,
  output      logic [`WEFT_ISSUE_BITS-1:0] issue_o,
  output      logic                        waiting_o,
  output      logic                        idle_o
);

  localparam int unsigned N = weft_pkg::N;

  `WEFT_PLAN_TYPE
  `WEFT_BEAT_TYPE
  `WEFT_ISSUE_TYPE

  plan_t plan;
  assign plan = plan_i;

  // The loops. open_q: a command is in them; before that its start values are loaded.
  logic open_q;
  logic sized_q;             // the plan has been there for a cycle before the loops open
  logic [15:0] block_q;
  logic [11:0] beat_q;
  logic last_beat_q, last_block_q;  // a cycle later than these: beats are further apart
  logic [15:0] chan_q;
  logic [15:0] wait_block_q, wait_beat_q;
  logic first_beat, step;
  assign first_beat = beat_q == 12'd0;

  beat_t beat_out_q;
  issue_t issue_out_q;
  logic out_valid_q;
  logic out_null_q;
  logic out_go;

  logic waits_met;
  weft_waits u_waits (
    .mask_i(plan.wait_mask),
    .wait_load_i(plan.wait_load), .wait_exec_i(wait_beat_q), .wait_store_i(plan.wait_store),
    .load_count_i, .exec_count_i, .store_count_i,
    .ok_o(waits_met)
  );

  logic [7:0] n0, n1, row;
  logic [28:0] row_offset;
  logic [16:0] offset;
  logic [32:0] offset_bytes;
  logic opening, walk_ready;
  weft_beat_walker u_walker (
    .clk_i, .rst_ni,
    .start_i(opening && plan.acc_first),
    .advance_i(step),
    .restart_i(last_beat_q && !last_block_q),
    .dense_i(plan.mode == 2'd0),
    .kernel_rows_i(plan.kernel_rows),
    .kernel_span_i(plan.kernel_span),
    .in_pitch_i(plan.in_pitch),
    .pixel_bytes_i(plan.pixel_bytes),
    .ready_o(walk_ready),
    .n0_o(n0), .n1_o(n1), .row_o(row),
    .row_offset_o(row_offset), .offset_o(offset), .offset_bytes_o(offset_bytes)
  );

  // Dense operands are of all channels.
  logic [15:0] chan_offset;
  assign chan_offset = (plan.mode == 2'd0) ? 16'd0 : chan_q;

  // Padding columns before the first one that exists, in the first band of the stripe and in the
  // others, and where that one is.
  logic pads_first, pads_rest;
  logic [15:0] lead_first, lead_rest;
  function automatic logic [15:0] clamp(input logic [21:0] columns);
    clamp = (columns[21:15] != '0) ? 16'h7fff : columns[15:0];
  endfunction
  assign pads_first = 22'(offset) < plan.pads_first;
  assign pads_rest = 22'(offset) < plan.pads;
  assign lead_first = pads_first ? clamp(plan.pads_first - 22'(offset)) : 16'd0;
  assign lead_rest = pads_rest ? clamp(plan.pads - 22'(offset)) : 16'd0;

  assign out_go = out_valid_q && issue_ready_i && (out_null_q || beat_ready_i);
  assign step = open_q && walk_ready && waits_met && (!out_valid_q || out_go);
  assign plan_done_o = step && last_beat_q && last_block_q;
  assign opening = !open_q && plan_valid_i;

  assign beat_valid_o = out_valid_q && !out_null_q && issue_ready_i;
  assign issue_valid_o = out_valid_q && (out_null_q || beat_ready_i);
  assign beat_o = beat_out_q;
  assign beat_window_o = beat_out_q.window;
  assign issue_o = issue_out_q;
  assign waiting_o = open_q && !waits_met;
  assign idle_o = !open_q && !out_valid_q;

  always_ff @(posedge clk_i) begin
    last_beat_q <= beat_q == plan.beats - 12'd1;
    last_block_q <= block_q == plan.blocks - 16'd1;
    if (!open_q) begin
      block_q <= 16'd0;
      beat_q <= 12'd0;
      chan_q <= 16'd0;
      wait_block_q <= plan.wait_exec;
      wait_beat_q <= plan.wait_exec;
    end else if (step) begin
      if (last_beat_q) begin
        beat_q <= 12'd0;
        block_q <= block_q + 16'd1;
        chan_q <= chan_q + 16'(N);
        wait_block_q <= wait_block_q + 16'(plan.wait_step_block);
        wait_beat_q <= wait_block_q + 16'(plan.wait_step_block);
      end else begin
        beat_q <= beat_q + 12'd1;
        wait_beat_q <= wait_beat_q + 16'(plan.wait_step_beat);
      end
    end

    if (step) begin
      out_null_q <= plan.null_op;
      issue_out_q.null_op <= plan.null_op;
      issue_out_q.mode <= plan.mode;
      issue_out_q.swap <= plan.mode != 2'd2 && (!plan.shared || (first_beat && block_q == 16'd0));
      issue_out_q.first <= plan.acc_first && first_beat;
      issue_out_q.last <= plan.null_op || (plan.acc_last && last_beat_q);
      issue_out_q.half <= plan.half;
      issue_out_q.last_pixel <= plan.null_op ? 8'd0 : plan.pixels - 8'd1;
      issue_out_q.tile_width <= plan.tile_width;
      issue_out_q.first_width <= plan.first_width;
      issue_out_q.rows <= n0;
      issue_out_q.cols <= n1;
      issue_out_q.stride_cols <= plan.stride_cols;
      issue_out_q.pad_value <= plan.pad_value;
      issue_out_q.lead_first <= lead_first;
      issue_out_q.lead_rest <= lead_rest;
    end
    if (step && !plan.null_op) begin
      beat_out_q.window <= plan.mode != 2'd0;
      beat_out_q.aligned <= plan.aligned;
      beat_out_q.pixels <= plan.pixels;
      beat_out_q.tile_width <= plan.tile_width;
      beat_out_q.first_width <= plan.first_width;
      beat_out_q.n0 <= n0;
      beat_out_q.n1 <= n1;
      beat_out_q.channels <= last_block_q ? plan.last_channels : 8'(N);
      beat_out_q.step_bytes <= plan.step_bytes;
      beat_out_q.pixel_bytes <= plan.pixel_bytes;
      beat_out_q.stride_cols <= plan.stride_cols;
      beat_out_q.stride_rows <= plan.stride_rows;
      beat_out_q.in_rows <= plan.in_rows;
      beat_out_q.in_row_bytes <= plan.in_row_bytes;
      beat_out_q.in_pitch <= plan.in_pitch;
      beat_out_q.wrap_pitch <= plan.wrap_pitch;
      beat_out_q.pad_value <= plan.pad_value;
      beat_out_q.row <= 18'(plan.in_y) + 18'(row);
      beat_out_q.base <= plan.base + 40'(row_offset) + 40'(chan_offset);
      beat_out_q.col_first <= plan.col_first;
      beat_out_q.col_row <= plan.col_row;
      beat_out_q.x_first <= pads_first ? 36'(plan.pads_x)
          : plan.col_first + 36'(offset_bytes);
      beat_out_q.x_rest <= pads_rest ? 36'(plan.pads_x)
          : {{14{plan.col_row[21]}}, plan.col_row} + 36'(offset_bytes);
      beat_out_q.lead_first <= lead_first;
      beat_out_q.lead_rest <= lead_rest;
    end

    if (!rst_ni) begin
      open_q <= 1'b0;
      sized_q <= 1'b0;
      out_valid_q <= 1'b0;
    end else begin
      sized_q <= opening;
      if (!open_q) open_q <= plan_valid_i && (plan.acc_first || sized_q);
      else if (plan_done_o) open_q <= 1'b0;
      if (step) out_valid_q <= 1'b1;
      else if (out_go) out_valid_q <= 1'b0;
      `WEFT_ASSERT(a_open_has_plan, !open_q || plan_valid_i)
    end
  end

endmodule
`default_nettype wire
