// SPDX-License-Identifier: Apache-2.0
//
// Forms the windows of depthwise and maximum beats: R rows by C columns of N channels. Columns
// arrive from weft_feed_fetch (col_*) into a queue and from there, at most one a cycle, into a
// rotating buffer of C columns; columns of padding are not stored. ready_o says that the window of
// the next pixel of the beat issue_i is complete; it is on window_o in the cycle of take_i, and
// zeros are while there is no such beat. In mode 3 columns are two pixels wide, and the window of
// each half of the channels is a pixel further on. Columns of following rows and beats may already
// lie behind those of the present one. Where the window lies is up to weft_window_control.
`default_nettype none
`include "common/weft_assert.svh"
`include "array/weft_feed_types.svh"
module weft_window #(
  parameter int unsigned ColumnDepth = 4
) (
  input  wire logic                          clk_i,
  input  wire logic                          rst_ni,
  input  wire logic                          col_valid_i,
  output      logic                          col_free_o,    // a column left the queue a cycle ago
  input  wire logic                          col_last_i,
  input  wire logic                          col_band_last_i,
  input  wire logic [7:0]                    col_row_i,
  input  wire logic [4*8*weft_pkg::N-1:0]    col_data_i,
  input  wire logic [`WEFT_ISSUE_BITS-1:0]   issue_i,
  input  wire logic [`WEFT_ISSUE_BITS-1:0]   next_i,        // what issue_i will be
  input  wire logic                          beat_valid_i,  // issue_i is a beat of this unit
  input  wire logic                          beat_end_i,    // the next pixel is the beat's last
  output      logic                          ready_o,
  input  wire logic                          take_i,
  output      logic [8*weft_pkg::K*weft_pkg::N-1:0] window_o,  // zeros in lanes beyond R*C
  output      logic                          idle_o
);

  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned R = weft_pkg::WindowRows;
  localparam int unsigned C = weft_pkg::WindowCols;
  localparam int unsigned ColumnBits = 8 * N * R;
  localparam int unsigned PtrBits = $clog2(ColumnDepth);

  `WEFT_ISSUE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
  issue_t issue;
  /* verilator lint_on UNUSEDSIGNAL */
  assign issue = issue_i;

  // The queue: filled row by row, one column at a time.
  logic [ColumnBits-1:0] queue [ColumnDepth];
  logic [ColumnDepth-1:0] queue_last_q;
  logic [PtrBits-1:0] wr_ptr_q, rd_ptr_q;
  logic [PtrBits:0] queue_count_q;

  // The rotating buffer of columns.
  logic [ColumnBits-1:0] columns [C];
  logic push, queued, buffer_idle;
  logic [C-1:0] tail;
  logic [C*C-1:0] pick;
  assign queued = queue_count_q != '0;
  weft_window_control u_control (
    .clk_i, .rst_ni,
    .issue_i, .next_i, .beat_valid_i, .beat_end_i, .ready_o, .take_i,
    .queued_i(queued), .queued_last_i(queue_last_q[rd_ptr_q]),
    .push_o(push), .tail_o(tail), .pick_o(pick), .idle_o(buffer_idle)
  );

  // The window: lane rr*C + cc; nothing for other beats. In mode 3 lane cc is a half of the row of
  // words, half pixel cc or cc + 1, and the one after it: of one column, or of two with the halves
  // crossed.
  localparam int unsigned PairCols = 3;
  logic pairs, crossed;
  logic [7:0] lane_cols, lane_rows, outside;
  logic [C-1:0] from;                 // slot of the column that a half comes from
  logic [R-1:0] used;                 // rows of the lane that are of the kernel
  logic [4*N*R-1:0] half [2];
  assign pairs = issue.mode == 2'd3;
  assign outside = (beat_valid_i && issue.mode == 2'd2) ? 8'h80 : 8'h00;
  assign lane_cols = pairs ? 8'(PairCols) : issue.cols;
  assign lane_rows = beat_valid_i ? issue.rows : 8'd0;
  always_comb begin
    window_o = '0;
    crossed = 1'b0;
    from = '0;
    used = '0;
    half[0] = '0;
    half[1] = '0;
`ifdef VERILATOR
    if (take_i)  // simulation is spared a window that nobody takes
`endif
    begin
      for (int unsigned cc = 0; cc < C; cc++) begin
        crossed = pairs && cc < PairCols && issue.half != cc[0];
        for (int unsigned rr = 0; rr < R; rr++) begin
          used[rr] = 8'(cc) < lane_cols && 8'(rr) < lane_rows;
        end
        for (int unsigned h = 0; h < 2; h++) begin
          from = pick[cc*C +: C];
          if (pairs && cc < PairCols) begin
            from = pick[(crossed ? cc / 2 + 1 - h : (cc + 1) / 2) % C * C +: C];
          end
          for (int unsigned rr = 0; rr < R; rr++) begin
            half[h][rr*4*N +: 4*N] =
                {N/2{used[rr] ? ((from == '0) ? issue.pad_value : 8'd0) : outside}};
          end
          for (int unsigned s = 0; s < C; s++) begin
            if (from[s]) begin
              for (int unsigned rr = 0; rr < R; rr++) begin
                if (used[rr]) begin
                  half[h][rr*4*N +: 4*N] =
                      half[h][rr*4*N +: 4*N] | columns[s][(2*rr + h)*4*N +: 4*N];
                end
              end
            end
          end
        end
        for (int unsigned rr = 0; rr < R; rr++) begin
          window_o[(rr*C + cc)*8*N +: 8*N] = crossed
              ? {half[0][rr*4*N +: 4*N], half[1][rr*4*N +: 4*N]}
              : {half[1][rr*4*N +: 4*N], half[0][rr*4*N +: 4*N]};
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned s = 0; s < C; s++) begin
      if (push && tail[s]) columns[s] <= queue[rd_ptr_q];
    end

    if (col_valid_i) begin
      for (int unsigned rr = 0; rr < R; rr++) begin
        if (col_row_i <= 8'(rr)) begin
          queue[wr_ptr_q][rr*8*N +: 8*N] <= col_data_i[(rr % 4) * 8 * N +: 8 * N];
        end
      end
      queue_last_q[wr_ptr_q] <= col_band_last_i;
    end

    if (!rst_ni) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      queue_count_q <= '0;
      col_free_o <= 1'b0;
    end else begin
      if (col_valid_i && col_last_i) wr_ptr_q <= wr_ptr_q + 1'b1;
      if (push) rd_ptr_q <= rd_ptr_q + 1'b1;
      queue_count_q <= queue_count_q + (PtrBits+1)'(col_valid_i && col_last_i) - (PtrBits+1)'(push);
      col_free_o <= push;
      `WEFT_ASSERT(a_queue_in_range, queue_count_q <= (PtrBits+1)'(ColumnDepth))
    end
  end

  assign idle_o = !queued && buffer_idle;

endmodule
`default_nettype wire
