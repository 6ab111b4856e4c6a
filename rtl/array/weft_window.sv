// SPDX-License-Identifier: Apache-2.0
//
// Forms the windows of depthwise and maximum beats: R rows by C columns of N channels. Columns
// arrive from weft_feed_fetch (col_*) into a queue and from there, at most one a cycle, into a
// rotating buffer of C columns; columns of padding are not stored. ready_o says that the window of
// the next pixel of the beat issue_i is complete; take_i puts it into the register window_o. In mode
// 3 columns are two pixels wide, and the window of each half of the channels is a pixel further on.
// Columns of following rows and beats may already lie behind those of the present one.
`default_nettype none
`include "common/weft_assert.svh"
`include "array/weft_feed_types.svh"
module weft_window #(
  parameter int unsigned ColumnDepth = 4
) (
  input  wire logic                          clk_i,
  input  wire logic                          rst_ni,
  input  wire logic                          col_valid_i,
  output      logic                          col_free_o,
  input  wire logic                          col_last_i,
  input  wire logic                          col_band_last_i,
  input  wire logic [7:0]                    col_row_i,
  input  wire logic [4*8*weft_pkg::N-1:0]    col_data_i,
  input  wire logic [`WEFT_ISSUE_BITS-1:0]   issue_i,
  input  wire logic                          beat_valid_i,  // issue_i is a beat of this unit
  input  wire logic                          beat_start_i,  // the next pixel is the beat's first
  input  wire logic                          beat_end_i,    // the next pixel is the beat's last
  output      logic                          ready_o,
  input  wire logic                          take_i,
  output      logic [8*weft_pkg::N*weft_pkg::WindowRows*weft_pkg::WindowCols-1:0] window_o,
  output      logic                          idle_o
);

  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned R = weft_pkg::WindowRows;
  localparam int unsigned C = weft_pkg::WindowCols;
  localparam int unsigned SlotBits = $clog2(C);
  localparam int unsigned CountBits = $clog2(C + 1);
  localparam int unsigned PtrBits = $clog2(ColumnDepth);

  `WEFT_ISSUE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for weft_issue
  issue_t issue;
  /* verilator lint_on UNUSEDSIGNAL */
  assign issue = issue_i;

  // The queue: filled row by row, one column at a time.
  logic [8*N-1:0] queue [ColumnDepth*R];
  logic [ColumnDepth-1:0] queue_last_q;
  logic [PtrBits-1:0] wr_ptr_q, rd_ptr_q;
  logic [PtrBits:0] queue_count_q;

  // The rotating buffer: used_q columns from slot head_q on.
  logic [8*N-1:0] columns [C*R];
  logic [C-1:0] last_q;
  logic [SlotBits-1:0] head_q;
  logic [CountBits-1:0] used_q;

  // The band of pixels the window is in. Columns are numbered from the band's first, padding
  // included: pixel_q is the window's column 0, oldest_q the column in slot head_q.
  logic [15:0] pixel_q, oldest_q, pixel, oldest;
  logic [11:0] width_q, width;
  logic band_end;

  assign pixel = beat_start_i ? 16'd0 : pixel_q;
  assign oldest = beat_start_i ? issue.lead_first : oldest_q;
  assign width = beat_start_i ? issue.first_width : width_q;
  assign band_end = width == 12'd1 || beat_end_i;

  // Of the buffered columns, those of this band, and whether its last one is among them.
  logic [CountBits-1:0] band_cols;
  logic band_complete;
  logic [SlotBits:0] slot_sum;
  logic [SlotBits-1:0] slot;
  always_comb begin
    band_cols = used_q;
    band_complete = 1'b0;
    slot_sum = '0;
    slot = '0;
    for (int unsigned i = 0; i < C; i++) begin
      slot_sum = (SlotBits+1)'(head_q) + (SlotBits+1)'(i);
      if (slot_sum >= (SlotBits+1)'(C)) slot_sum = slot_sum - (SlotBits+1)'(C);
      slot = slot_sum[SlotBits-1:0];
      if (CountBits'(i) < used_q && last_q[slot] && !band_complete) begin
        band_cols = CountBits'(i + 1);
        band_complete = 1'b1;
      end
    end
  end
  assign ready_o = band_complete ||
      (!band_end && pixel + 16'(issue.cols) <= oldest + 16'(band_cols));

  // Columns the next pixel does not use leave; the last of the band stays as its mark.
  logic [15:0] pixel_next, behind;
  logic [CountBits-1:0] drop;
  logic [SlotBits:0] head_sum, tail_sum;
  logic push;
  always_comb begin
    pixel_next = take_i ? pixel + 16'(issue.stride_cols) : pixel;
    behind = (pixel_next > oldest) ? pixel_next - oldest : 16'd0;
    drop = band_complete ? band_cols - CountBits'(1) : band_cols;
    if (behind < 16'(drop)) drop = behind[CountBits-1:0];
    if (take_i && band_end) drop = band_cols;
    if (!beat_valid_i || (!take_i && beat_start_i)) drop = '0;
    head_sum = (SlotBits+1)'(head_q) + (SlotBits+1)'(drop);
    if (head_sum >= (SlotBits+1)'(C)) head_sum = head_sum - (SlotBits+1)'(C);
    tail_sum = (SlotBits+1)'(head_q) + (SlotBits+1)'(used_q);
    if (tail_sum >= (SlotBits+1)'(C)) tail_sum = tail_sum - (SlotBits+1)'(C);
  end
  assign push = queue_count_q != '0 && used_q - drop < CountBits'(C);
  assign col_free_o = push;

  // The window: lane rr*C + cc. The variables are temporaries of the block below.
  localparam int unsigned PairCols = 3;
  logic [15:0] lane_index;
  logic [SlotBits:0] lane_sum;
  logic [8*N-1:0] lane;
  logic [8*N-1:0] formed [C*R];
  logic [7:0] lane_cols;
  logic [8*N-1:0] outside;
  assign outside = (issue.mode == 2'd2) ? {N{8'h80}} : '0;

  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) begin
    if (take_i) begin
      for (int unsigned cc = 0; cc < C; cc++) begin
        lane_index = pixel + 16'(cc) - oldest;
        lane_sum = (SlotBits+1)'(head_q) + (SlotBits+1)'(lane_index[CountBits-1:0]);
        if (lane_sum >= (SlotBits+1)'(C)) lane_sum = lane_sum - (SlotBits+1)'(C);
        for (int unsigned rr = 0; rr < R; rr++) begin
          lane = {N{issue.pad_value}};
          if (lane_index < 16'(band_cols)) lane = columns[lane_sum[SlotBits-1:0] * R + rr];
          formed[cc * R + rr] = lane;
        end
      end
      lane_cols = (issue.mode == 2'd3) ? 8'(PairCols) : issue.cols;
      for (int unsigned cc = 0; cc < C; cc++) begin
        for (int unsigned rr = 0; rr < R; rr++) begin
          lane = formed[cc * R + rr];
          // Mode 3: half pixel cc, or cc + 1, of the row of words, and the one after it.
          if (issue.mode == 2'd3 && cc < PairCols && PairCols <= C) begin
            if (issue.half == cc[0]) begin
              lane = formed[((cc + 1) / 2 % C) * R + rr];
            end else begin
              lane = {formed[((cc / 2 + 1) % C) * R + rr][4*N-1:0], formed[cc / 2 * R + rr][8*N-1:4*N]};
            end
          end
          if (8'(cc) >= lane_cols || 8'(rr) >= issue.rows) lane = outside;
          window_o[(rr * C + cc) * 8 * N +: 8 * N] <= lane;
        end
      end
    end
  end
  /* verilator lint_on BLKSEQ */

  always_ff @(posedge clk_i) begin
    if (push) begin
      for (int unsigned rr = 0; rr < R; rr++) begin
        columns[tail_sum[SlotBits-1:0] * R + rr] <= queue[rd_ptr_q * R + rr];
      end
      last_q[tail_sum[SlotBits-1:0]] <= queue_last_q[rd_ptr_q];
    end

    if (col_valid_i) begin
      for (int unsigned rr = 0; rr < R; rr++) begin
        if (col_row_i <= 8'(rr)) queue[wr_ptr_q * R + rr] <= col_data_i[(rr % 4) * 8 * N +: 8 * N];
      end
      queue_last_q[wr_ptr_q] <= col_band_last_i;
    end

    if (take_i && band_end) begin
      pixel_q <= 16'd0;
      oldest_q <= issue.lead_rest;
      width_q <= issue.tile_width;
    end else if (take_i || (beat_valid_i && !beat_start_i)) begin
      pixel_q <= pixel_next;
      oldest_q <= oldest + 16'(drop);
      if (take_i) width_q <= width - 12'd1;
    end

    if (!rst_ni) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      queue_count_q <= '0;
      head_q <= '0;
      used_q <= '0;
    end else begin
      if (col_valid_i && col_last_i) wr_ptr_q <= wr_ptr_q + 1'b1;
      if (push) rd_ptr_q <= rd_ptr_q + 1'b1;
      queue_count_q <= queue_count_q + (PtrBits+1)'(col_valid_i && col_last_i) - (PtrBits+1)'(push);
      head_q <= head_sum[SlotBits-1:0];
      used_q <= used_q - drop + CountBits'(push);
      `WEFT_ASSERT(a_take_when_ready, !take_i || ready_o)
      `WEFT_ASSERT(a_queue_in_range, queue_count_q <= (PtrBits+1)'(ColumnDepth))
      /* verilator lint_off CMPCONST */  // C may be the most that used_q can hold
      `WEFT_ASSERT(a_buffer_in_range, used_q <= CountBits'(C))
      /* verilator lint_on CMPCONST */
    end
  end

  assign idle_o = queue_count_q == '0 && used_q == '0;

endmodule
`default_nettype wire
