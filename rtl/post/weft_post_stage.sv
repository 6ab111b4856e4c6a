// SPDX-License-Identifier: Apache-2.0
// Post-processing: drains accumulator blocks in passes (docs/architecture.md, Post), adds
// residuals, does element-wise commands and softmax. Wiring of the sequencer, operand reader,
// parameter store, requantiser and softmax; the arithmetic is in weft_requantise. Commands come in
// order from the dispatcher; results leave valid/ready towards the result writer. About nine cycles
// from accumulator row to result.
`default_nettype none
module weft_post_stage (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // execution commands
    input  wire logic        cmd_valid_i,
    output logic             cmd_ready_o,
    input  wire logic [weft_pkg::CommandBits-1:0] cmd_i,
    input  wire logic [39:0] cmd_addr_i,
    input  wire logic [31:0] cmd_index_i,
    // parameter records and softmax tables from the weight loader
    input  wire logic        prm_valid_i,
    output logic             prm_ready_o,
    input  wire logic [8*weft_pkg::WeightWord-1:0] prm_data_i,
    input  wire logic        prm_table_i,    // a softmax table, not a parameter record
    input  wire logic        prm_last_i,     // last word of the record or table
    // accumulators
    input  wire logic [1:0]  acc_full_i,
    output logic [1:0]       acc_release_o,
    output logic             acc_drain_valid_o,
    output logic             acc_drain_buf_o,
    output logic [7:0]       acc_drain_rows_o,
    output logic             acc_rd_en_o,
    output logic             acc_rd_buf_o,
    output logic [6:0]       acc_rd_row_o,
    input  wire logic [32*weft_pkg::N-1:0] acc_rd_data_i,
    output logic             acc_wr_en_o,
    output logic             acc_wr_buf_o,
    output logic [6:0]       acc_wr_row_o,
    output logic [32*weft_pkg::N-1:0] acc_wr_data_o,
    output logic [weft_pkg::N-1:0] acc_wr_lanes_o,
    // scratchpad operand reads
    output logic [1:0]       opd_req_o,
    output logic [2*$clog2(weft_pkg::Scratchpad/weft_pkg::WordBytes)-1:0] opd_addr_o,
    input  wire logic [1:0]  opd_gnt_i,
    input  wire logic [16*weft_pkg::WordBytes-1:0] opd_data_i,
    // results
    output logic             res_valid_o,
    input  wire logic        res_ready_i,
    output logic [20:0]      res_addr_o,
    output logic [8*weft_pkg::PostLanes-1:0] res_data_o,
    output logic [weft_pkg::PostLanes-1:0] res_mask_o,
    output logic             res_blk_last_o,
    input  wire logic        res_idle_i,
    // marks
    output logic             mark_valid_o,
    input  wire logic        mark_ready_i,
    output logic [39:0]      mark_addr_o,
    output logic [15:0]      mark_layer_o,
    output logic [31:0]      index_o,         // of the command at work
    // state
    output logic             ev_busy_o,
    output logic             err_o,
    output logic             idle_o,
    output logic             awake_o
);
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned L = weft_pkg::PostLanes;
  localparam int unsigned AW = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes);
  localparam int unsigned W = weft_pkg::WordBytes;

  // sequencer -> operand reader
  logic        rd_start, opd_valid, opd_pop, rd_err;
  logic [20:0] rd_base, rd_pitch;
  logic [8:0]  rd_bytes;
  logic [15:0] out_pixel;
  logic [11:0] tile_width, tile_x;
  logic [20:0] tile_first;
  logic [7:0]  pixels;
  logic [8*N-1:0] opd_vector;
  // sequencer -> requantiser
  logic        rq_valid, rq_ready, rq_empty, rq_first, rq_src_operand, rq_use_bias, rq_per_channel;
  logic        rq_final, rq_to_acc, rq_add_acc, rq_release, rq_last;
  logic [1:0]  rq_rounding;
  logic signed [8:0]  rq_offset;
  logic signed [31:0] rq_mult;
  logic signed [7:0]  rq_shift, rq_zero, rq_low, rq_high;
  logic [4:0]  rq_left;
  logic [7:0]  rq_group;
  logic [20:0] rq_addr;
  logic [L-1:0] rq_mask;
  logic [6:0]  rq_row;
  logic        rq_buf;
  // parameters
  logic        prm_full, prm_free, prm_param_ready;
  logic [32*N-1:0] prm_bias, prm_mult;
  logic [8*N-1:0]  prm_shift;
  // softmax
  logic        sm_start, sm_busy, sm_table_full, sm_table_ready;
  logic        seq_awake;
  logic        seq_rd_en, seq_rd_buf, late_rd_en, late_rd_buf;
  logic [6:0]  seq_rd_row, late_rd_row;
  logic [1:0]  seq_release, rq_release_buf;
  logic [20:0] sm_in, sm_out;
  logic [15:0] sm_length;
  logic        sm_req, sm_res_valid, sm_res_last, sm_err;
  logic [AW-1:0] sm_addr;
  logic [20:0] sm_res_addr;
  logic [7:0]  sm_res_data;
  logic        mul_valid;
  logic signed [31:0] mul_a, mul_b;
  logic signed [32:0] product;
  logic        lane_res_valid, lane_res_last;
  logic [20:0] lane_res_addr;
  logic [8*L-1:0] lane_res_data;
  logic [L-1:0] lane_res_mask;
  logic [1:0]  rd_req;
  logic [2*AW-1:0] rd_addr;

  weft_post_sequencer u_sequencer (
      .clk_i, .rst_ni,
      .cmd_valid_i, .cmd_ready_o, .cmd_i, .cmd_addr_i, .cmd_index_i,
      .acc_full_i, .acc_release_o(seq_release), .acc_rd_en_o(seq_rd_en), .acc_rd_buf_o(seq_rd_buf),
      .acc_rd_row_o(seq_rd_row),
      .acc_drain_valid_o, .acc_drain_buf_o, .acc_drain_rows_o,
      .rd_start_o(rd_start), .rd_base_o(rd_base), .rd_pitch_o(rd_pitch), .rd_bytes_o(rd_bytes),
      .out_pixel_o(out_pixel), .tile_width_o(tile_width), .tile_x_o(tile_x),
      .tile_first_o(tile_first), .pixels_o(pixels),
      .opd_valid_i(opd_valid), .opd_pop_o(opd_pop),
      .prm_full_i(prm_full), .prm_free_i(prm_free),
      .rq_valid_o(rq_valid), .rq_ready_i(rq_ready), .rq_empty_i(rq_empty), .rq_first_o(rq_first),
      .rq_src_operand_o(rq_src_operand), .rq_use_bias_o(rq_use_bias),
      .rq_per_channel_o(rq_per_channel), .rq_final_o(rq_final), .rq_release_o(rq_release),
      .rq_to_acc_o(rq_to_acc), .rq_add_acc_o(rq_add_acc),
      .rq_last_o(rq_last), .rq_rounding_o(rq_rounding), .rq_offset_o(rq_offset),
      .rq_mult_o(rq_mult), .rq_shift_o(rq_shift), .rq_left_o(rq_left), .rq_zero_o(rq_zero),
      .rq_low_o(rq_low), .rq_high_o(rq_high), .rq_group_o(rq_group), .rq_addr_o(rq_addr),
      .rq_mask_o(rq_mask), .rq_row_o(rq_row), .rq_buf_o(rq_buf),
      .sm_start_o(sm_start), .sm_busy_i(sm_busy), .sm_table_full_i(sm_table_full),
      .sm_in_o(sm_in), .sm_out_o(sm_out), .sm_length_o(sm_length),
      .res_idle_i, .mark_valid_o, .mark_ready_i, .mark_addr_o, .mark_layer_o, .index_o,
      .ev_busy_o, .idle_o, .awake_o(seq_awake));
  assign awake_o = !rst_ni || seq_awake || !rq_empty || (prm_valid_i && prm_ready_o);

  weft_operand_reader u_reader (
      .clk_i, .rst_ni,
      .start_i(rd_start), .base_i(rd_base), .pitch_i(rd_pitch), .pixel_i(out_pixel),
      .tile_width_i(tile_width), .tile_x_i(tile_x), .first_i(tile_first),
      .pixels_i(pixels), .bytes_i(rd_bytes),
      .req_o(rd_req), .addr_o(rd_addr), .gnt_i(opd_gnt_i), .data_i(opd_data_i),
      .valid_o(opd_valid), .pop_i(opd_pop), .vector_o(opd_vector), .err_o(rd_err));

  weft_post_params u_params (
      .clk_i, .rst_ni,
      .valid_i(prm_valid_i && !prm_table_i), .ready_o(prm_param_ready), .data_i(prm_data_i),
      .last_i(prm_last_i), .full_o(prm_full), .free_i(prm_free),
      .bias_o(prm_bias), .mult_o(prm_mult), .shift_o(prm_shift));

  weft_requantise u_requantise (
      .clk_i, .rst_ni,
      .valid_i(rq_valid), .ready_o(rq_ready), .empty_o(rq_empty), .first_i(rq_first),
      .src_operand_i(rq_src_operand), .use_bias_i(rq_use_bias), .per_channel_i(rq_per_channel),
      .final_i(rq_final), .to_acc_i(rq_to_acc), .add_acc_i(rq_add_acc), .release_i(rq_release),
      .last_i(rq_last), .rounding_i(rq_rounding),
      .offset_i(rq_offset), .mult_i(rq_mult), .shift_i(rq_shift), .left_i(rq_left),
      .zero_i(rq_zero), .low_i(rq_low), .high_i(rq_high), .group_i(rq_group), .addr_i(rq_addr),
      .mask_i(rq_mask), .row_i(rq_row), .buf_i(rq_buf),
      .operand_i(opd_vector), .acc_data_i(acc_rd_data_i),
      .late_rd_en_o(late_rd_en), .late_rd_buf_o(late_rd_buf), .late_rd_row_o(late_rd_row),
      .acc_release_o(rq_release_buf),
      .prm_bias_i(prm_bias), .prm_mult_i(prm_mult),
      .prm_shift_i(prm_shift), .prm_free_o(prm_free),
      .acc_wr_en_o, .acc_wr_buf_o, .acc_wr_row_o, .acc_wr_data_o, .acc_wr_lanes_o,
      .res_valid_o(lane_res_valid), .res_ready_i(res_ready_i), .res_addr_o(lane_res_addr),
      .res_data_o(lane_res_data), .res_mask_o(lane_res_mask), .res_last_o(lane_res_last),
      .mul_valid_i(mul_valid), .mul_a_i(mul_a), .mul_b_i(mul_b), .mul_o(product));

  weft_softmax u_softmax (
      .clk_i, .rst_ni,
      .table_valid_i(prm_valid_i && prm_table_i), .table_data_i(prm_data_i),
      .table_ready_o(sm_table_ready), .table_last_i(prm_last_i), .table_full_o(sm_table_full),
      .start_i(sm_start), .in_addr_i(sm_in), .out_addr_i(sm_out), .length_i(sm_length),
      .busy_o(sm_busy),
      .req_o(sm_req), .addr_o(sm_addr), .gnt_i(opd_gnt_i[0]), .data_i(opd_data_i[8*W-1:0]),
      .res_valid_o(sm_res_valid), .res_ready_i, .res_addr_o(sm_res_addr),
      .res_data_o(sm_res_data), .res_last_o(sm_res_last),
      .mul_valid_o(mul_valid), .mul_a_o(mul_a), .mul_b_o(mul_b), .mul_i(product), .err_o(sm_err));

  assign prm_ready_o = prm_table_i ? sm_table_ready : prm_param_ready;

  // The requantiser reads a row late only in a pass whose source is an operand.
  assign acc_rd_en_o   = seq_rd_en || late_rd_en;
  assign acc_rd_buf_o  = late_rd_en ? late_rd_buf : seq_rd_buf;
  assign acc_rd_row_o  = late_rd_en ? late_rd_row : seq_rd_row;
  assign acc_release_o = seq_release | rq_release_buf;

  // Softmax and the lanes never work at the same time: the sequencer runs one command after
  // another.
  assign opd_req_o  = sm_busy ? {1'b0, sm_req} : rd_req;
  assign opd_addr_o = sm_busy ? {{AW{1'b0}}, sm_addr} : rd_addr;

  assign res_valid_o    = sm_busy ? sm_res_valid : lane_res_valid;
  assign res_addr_o     = sm_busy ? sm_res_addr : lane_res_addr;
  assign res_data_o     = sm_busy ? {{(8*L-8){1'b0}}, sm_res_data} : lane_res_data;
  assign res_mask_o     = sm_busy ? {{(L-1){1'b0}}, 1'b1} : lane_res_mask;
  assign res_blk_last_o = sm_busy ? sm_res_last : lane_res_last;

  assign err_o = rd_err || sm_err;
endmodule
`default_nettype wire
