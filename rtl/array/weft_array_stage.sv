// SPDX-License-Identifier: Apache-2.0
//
// The array stage: exec commands and scratchpad words in, accumulator rows out. Wiring only.
//   feed_cmd > weft_feed_plan > weft_feed > weft_feed_dense / _columns > weft_feed_fetch (4 words)
//            > vector queue / weft_window > weft_issue > weft_array > weft_accumulators > post
//   wl_cmd   > weft_weight_loader (ring) > weft_array's shadow weights; parameter records > post
// The same exec commands arrive at both command ports.
`default_nettype none
`include "array/weft_feed_types.svh"
module weft_array_stage #(
  parameter int unsigned AddrWidth = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes),
  parameter int unsigned RingAddrWidth = $clog2(weft_pkg::WeightRing / weft_pkg::WeightWord)
) (
  input  wire logic                               clk_i,
  input  wire logic                               rst_ni,
  input  wire logic                               feed_cmd_valid_i,
  output      logic                               feed_cmd_ready_o,
  input  wire logic [255:0]                       feed_cmd_i,
  input  wire logic                               wl_cmd_valid_i,
  output      logic                               wl_cmd_ready_o,
  input  wire logic [255:0]                       wl_cmd_i,
  input  wire logic [15:0]                        load_count_i,
  input  wire logic [15:0]                        exec_count_i,
  input  wire logic [15:0]                        store_count_i,
  output      logic [3:0]                         rd_req_o,
  output      logic [4*AddrWidth-1:0]             rd_addr_o,
  input  wire logic [3:0]                         rd_gnt_i,
  input  wire logic [4*8*weft_pkg::WordBytes-1:0] rd_data_i,
  output      logic                               ring_rd_en_o,
  output      logic [RingAddrWidth-1:0]           ring_rd_addr_o,
  input  wire logic [8*weft_pkg::WeightWord-1:0]  ring_rd_data_i,
  input  wire logic [15:0]                        ring_written_i,
  output      logic [15:0]                        ring_released_o,
  output      logic                               prm_valid_o,
  input  wire logic                               prm_ready_i,
  output      logic [8*weft_pkg::WeightWord-1:0]  prm_data_o,
  output      logic                               prm_table_o,
  output      logic                               prm_last_o,
  output      logic [1:0]                         acc_full_o,
  input  wire logic [1:0]                         acc_release_i,
  input  wire logic                               acc_drain_valid_i,
  input  wire logic                               acc_drain_buf_i,
  input  wire logic [7:0]                         acc_drain_rows_i,
  input  wire logic                               acc_rd_en_i,
  input  wire logic                               acc_rd_buf_i,
  input  wire logic [6:0]                         acc_rd_row_i,
  output      logic [32*weft_pkg::N-1:0]          acc_rd_data_o,
  input  wire logic                               acc_wr_en_i,
  input  wire logic                               acc_wr_buf_i,
  input  wire logic [6:0]                         acc_wr_row_i,
  input  wire logic [32*weft_pkg::N-1:0]          acc_wr_data_i,
  input  wire logic [weft_pkg::N-1:0]             acc_wr_lanes_i,
  output      logic                               ev_busy_o,
  output      logic                               ev_stall_dependency_o,
  output      logic                               ev_stall_operand_o,
  output      logic                               ev_stall_weights_o,
  output      logic                               ev_stall_accumulator_o,
  output      logic                               ev_idle_o,
  output      logic                               err_o,
  output      logic                               idle_o
);

  localparam int unsigned K = weft_pkg::K;
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned IssueDepth = 4;
  localparam int unsigned ColumnDepth = 4;

  // Plan, columns and window rest while a dense RUN goes on. A window beat's values are taken while it
  // is the next issue; after that what is on its way to the window keeps it from being idle.
  `WEFT_ISSUE_TYPE
  /* verilator lint_off UNUSEDSIGNAL */  // only the mode
  issue_t next;
  /* verilator lint_on UNUSEDSIGNAL */
  logic clk_feed, plan_awake, columns_busy, col_valid, window_idle, window_beat;
  logic [`WEFT_ISSUE_BITS-1:0] issue_next;
  logic beat_valid, beat_window;
  assign next = issue_next;
  weft_clock_gate u_clk_feed (
    .clk_i, .clk_o(clk_feed),
    .awake_i(!rst_ni || plan_awake || (beat_valid && beat_window) || columns_busy
             || col_valid || !window_idle || window_beat || next.mode != 2'd0)
  );

  // Feed
  logic plan_valid, plan_done, plan_idle, feed_idle, feed_waiting;
  logic [`WEFT_PLAN_BITS-1:0] plan;
  weft_feed_plan u_plan (
    .clk_i(clk_feed), .rst_ni,
    .cmd_valid_i(feed_cmd_valid_i), .cmd_ready_o(feed_cmd_ready_o), .cmd_i(feed_cmd_i),
    .plan_valid_o(plan_valid), .plan_o(plan), .plan_done_i(plan_done), .idle_o(plan_idle),
    .awake_o(plan_awake)
  );

  logic issue_in_valid, issue_in_ready;
  logic [`WEFT_BEAT_BITS-1:0] beat;
  logic [`WEFT_ISSUE_BITS-1:0] issue_in;
  logic dense_ready, columns_ready;
  weft_feed u_feed (
    .clk_i, .rst_ni,
    .plan_valid_i(plan_valid), .plan_i(plan), .plan_done_o(plan_done),
    .load_count_i, .exec_count_i, .store_count_i,
    .beat_valid_o(beat_valid), .beat_ready_i(dense_ready && columns_ready), .beat_o(beat),
    .beat_window_o(beat_window),
    .issue_valid_o(issue_in_valid), .issue_ready_i(issue_in_ready), .issue_o(issue_in),
    .waiting_o(feed_waiting), .idle_o(feed_idle)
  );

  // Address generation: one of the two is at work at a time, beats stay in order.
  logic dense_valid, columns_valid, piece_ready;
  logic [`WEFT_PIECE_BITS-1:0] dense_piece, columns_piece;
  weft_feed_dense u_dense (
    .clk_i, .rst_ni,
    .beat_valid_i(beat_valid && !beat_window && columns_ready), .beat_ready_o(dense_ready),
    .beat_i(beat),
    .piece_valid_o(dense_valid), .piece_ready_i(piece_ready), .piece_o(dense_piece)
  );
  weft_feed_columns u_columns (
    .clk_i(clk_feed), .rst_ni,
    .beat_valid_i(beat_valid && beat_window && dense_ready), .beat_ready_o(columns_ready),
    .beat_i(beat),
    .piece_valid_o(columns_valid), .piece_ready_i(piece_ready), .piece_o(columns_piece),
    .busy_o(columns_busy)
  );

  logic vec_valid, vec_ready, fetch_idle;
  logic [8*K-1:0] vec;
  logic col_free, col_last, col_band_last;
  logic [7:0] col_row;
  logic [4*8*N-1:0] col_data;
  weft_feed_fetch #(.AddrWidth(AddrWidth), .ColumnDepth(ColumnDepth)) u_fetch (
    .clk_i, .rst_ni,
    .piece_valid_i(dense_valid || columns_valid), .piece_ready_o(piece_ready),
    .piece_i(columns_piece | dense_piece),
    .rd_req_o, .rd_addr_o, .rd_gnt_i, .rd_data_i,
    .vec_valid_o(vec_valid), .vec_ready_i(vec_ready), .vec_o(vec),
    .col_valid_o(col_valid), .col_free_i(col_free), .col_last_o(col_last),
    .col_band_last_o(col_band_last), .col_row_o(col_row), .col_data_o(col_data),
    .error_o(err_o), .idle_o(fetch_idle)
  );

  // Issue
  logic issue_valid, issue_ready;
  logic [`WEFT_ISSUE_BITS-1:0] issue;
  weft_shift_fifo #(.Width(`WEFT_ISSUE_BITS), .Depth(IssueDepth)) u_issue_queue (
    .clk_i, .rst_ni,
    .valid_i(issue_in_valid), .ready_o(issue_in_ready), .data_i(issue_in),
    .valid_o(issue_valid), .ready_i(issue_ready), .data_o(issue), .next_o(issue_next)
  );

  logic window_ready, window_take, beat_end;
  logic [8*K*N-1:0] window;
  weft_window #(.ColumnDepth(ColumnDepth)) u_window (
    .clk_i(clk_feed), .rst_ni,
    .col_valid_i(col_valid), .col_free_o(col_free), .col_last_i(col_last),
    .col_band_last_i(col_band_last), .col_row_i(col_row), .col_data_i(col_data),
    .issue_i(issue), .next_i(issue_next), .beat_valid_i(window_beat), .beat_end_i(beat_end),
    .ready_o(window_ready), .take_i(window_take), .window_o(window), .idle_o(window_idle)
  );

  logic shadow_full, swap, issue_idle;
  logic op_valid, mul_valid, mul_null, mul_buf, mul_first, mul_last;
  logic [1:0] op_mode, mul_mode;
  logic [7:0] mul_row;
  weft_issue u_issue (
    .clk_i, .rst_ni,
    .issue_valid_i(issue_valid), .issue_ready_o(issue_ready), .issue_i(issue),
    .next_i(issue_next), .vec_valid_i(vec_valid), .vec_ready_o(vec_ready),
    .window_ready_i(window_ready), .window_take_o(window_take), .window_beat_o(window_beat),
    .beat_end_o(beat_end),
    .shadow_full_i(shadow_full), .swap_o(swap),
    .acc_release_i, .drain_valid_i(acc_drain_valid_i), .drain_buf_i(acc_drain_buf_i),
    .drain_rows_i(acc_drain_rows_i),
    .op_valid_o(op_valid), .op_mode_o(op_mode),
    .mul_valid_o(mul_valid), .mul_null_o(mul_null), .mul_mode_o(mul_mode), .mul_row_o(mul_row),
    .mul_buf_o(mul_buf), .mul_first_o(mul_first), .mul_last_o(mul_last),
    .feed_waiting_i(feed_waiting), .feed_idle_i(feed_idle && plan_idle),
    .ev_busy_o, .ev_stall_dependency_o, .ev_stall_operand_o, .ev_stall_weights_o,
    .ev_stall_accumulator_o, .ev_idle_o,
    .idle_o(issue_idle)
  );

  // Weights, products, sums, accumulators
  logic wb_valid, wb_ready, loader_idle;
  logic [8*weft_pkg::WeightWord-1:0] wb_data;
  weft_weight_loader u_loader (
    .clk_i, .rst_ni,
    .cmd_valid_i(wl_cmd_valid_i), .cmd_ready_o(wl_cmd_ready_o), .cmd_i(wl_cmd_i),
    .ring_rd_en_o, .ring_rd_addr_o, .ring_rd_data_i, .ring_written_i, .ring_released_o,
    .wb_valid_o(wb_valid), .wb_ready_i(wb_ready), .wb_data_o(wb_data),
    .prm_valid_o, .prm_ready_i, .prm_data_o, .prm_table_o, .prm_last_o,
    .idle_o(loader_idle)
  );

  logic [32*N-1:0] sum;
  weft_array u_array (
    .clk_i, .rst_ni,
    .wb_valid_i(wb_valid), .wb_ready_o(wb_ready), .wb_data_i(wb_data),
    .swap_i(swap), .shadow_full_o(shadow_full),
    .mul_valid_i(op_valid), .mul_mode_i(op_mode), .vec_i(vec), .window_i(window), .sum_o(sum)
  );

  logic accumulators_idle;
  weft_accumulators u_accumulators (
    .clk_i, .rst_ni,
    .add_valid_i(mul_valid), .add_null_i(mul_null), .add_max_i(mul_mode == 2'd2),
    .add_row_i(mul_row), .add_buf_i(mul_buf), .add_first_i(mul_first), .add_last_i(mul_last),
    .sum_i(sum),
    .full_o(acc_full_o), .release_i(acc_release_i),
    .rd_en_i(acc_rd_en_i), .rd_buf_i(acc_rd_buf_i), .rd_row_i(acc_rd_row_i),
    .rd_data_o(acc_rd_data_o),
    .wr_en_i(acc_wr_en_i), .wr_buf_i(acc_wr_buf_i), .wr_row_i(acc_wr_row_i),
    .wr_data_i(acc_wr_data_i), .wr_lanes_i(acc_wr_lanes_i),
    .idle_o(accumulators_idle)
  );

  assign idle_o = plan_idle && feed_idle && fetch_idle && window_idle && issue_idle &&
      loader_idle && accumulators_idle && !dense_valid && !columns_busy;

endmodule
`default_nettype wire
