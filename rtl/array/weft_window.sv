// SPDX-License-Identifier: Apache-2.0
//
// Forms the windows of depthwise and maximum beats: R rows by C columns of N channels. Columns
// arrive from weft_feed_fetch (col_*) into a queue and from there, at most one a cycle, into a
// rotating buffer of C columns; columns of padding are not stored. ready_o says that the window of
// the next pixel of the beat issue_i is complete; it is on window_o in the cycle of take_i. In mode
// 3 columns are two pixels wide, and the window of each half of the channels is a pixel further on.
// Columns of following rows and beats may already lie behind those of the present one. What take_i
// changes is worked out for both its values before: it comes late in the cycle.
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
  output      logic [8*weft_pkg::N*weft_pkg::WindowRows*weft_pkg::WindowCols-1:0] window_o,
  output      logic                          idle_o
);

  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned R = weft_pkg::WindowRows;
  localparam int unsigned C = weft_pkg::WindowCols;
  localparam int unsigned ColumnBits = 8 * N * R;
  localparam int unsigned SlotBits = $clog2(C);
  localparam int unsigned CountBits = $clog2(C + 1);
  localparam int unsigned PtrBits = $clog2(ColumnDepth);

  `WEFT_ISSUE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for weft_issue
  issue_t issue, next;
  /* verilator lint_on UNUSEDSIGNAL */
  assign issue = issue_i;
  assign next = next_i;

  // The queue: filled row by row, one column at a time.
  logic [ColumnBits-1:0] queue [ColumnDepth];
  logic [ColumnDepth-1:0] queue_last_q;
  logic [PtrBits-1:0] wr_ptr_q, rd_ptr_q;
  logic [PtrBits:0] queue_count_q;

  // The rotating buffer: columns from slot head_q to before tail_q. Bit i of held_q: there are more
  // than i of them; of last_q: the i-th is the last of its band.
  logic [ColumnBits-1:0] columns [C];
  logic [SlotBits-1:0] head_q, tail_q;
  logic [C-1:0] held_q, last_q;

  // The band of pixels the window is in. back_q: by how many columns the window's column 0 is left
  // of the buffer's oldest, or of where that will be; need_q: columns the buffer must have for it.
  logic signed [15:0] back_q, back_on, need_q;
  logic [11:0] width_q;
  logic band_end;
  assign back_on = back_q - 16'(issue.stride_cols);
  assign band_end = width_q == 12'd1 || beat_end_i;

  // Of the buffered columns, those of this band: all, unless the last of a band is among them.
  logic [C-1:0] band;
  logic band_complete;
  logic [CountBits-1:0] band_cols;
  always_comb begin
    band = held_q;
    for (int unsigned i = 1; i < C; i++) begin
      if (last_q[i-1] || !band[i-1]) band[i] = 1'b0;
    end
    band_cols = '0;
    for (int unsigned i = 0; i < C; i++) if (band[i]) band_cols = CountBits'(i + 1);
  end
  assign band_complete = last_q != '0;
  logic enough;
  always_comb begin
    enough = need_q <= 16'sd0;
    for (int unsigned i = 0; i < C; i++) begin
      if (need_q == $signed(16'(i + 1)) && held_q[i]) enough = 1'b1;
    end
  end
  assign ready_o = band_complete || (!band_end && enough);

  // Columns the next pixel does not use leave; the last of the band stays as its mark. Their number
  // when there is no take (*_stay) and when there is one (*_on).
  logic [CountBits-1:0] drop_stay, drop_on;
  always_comb begin
    drop_stay = '0;
    drop_on = '0;
    for (int unsigned i = 0; i < C; i++) begin
      if (band[i] && !last_q[i] && back_q < -$signed(16'(i))) drop_stay = CountBits'(i + 1);
      if (band[i] && !last_q[i] && back_on < -$signed(16'(i))) drop_on = CountBits'(i + 1);
    end
    if (!beat_valid_i) drop_stay = '0;
    if (band_end) drop_on = band_cols;
  end

  // Another column comes in where there is room. The buffer after that, for both.
  logic queued, queued_last, push_stay, push_on, push;
  logic [C-1:0] held_stay, held_on, last_stay, last_on;
  logic [SlotBits:0] head_stay, head_on;
  assign queued = queue_count_q != '0;
  assign queued_last = queue_last_q[rd_ptr_q];
  assign push_stay = queued && (!held_q[C-1] || drop_stay != '0);
  assign push_on = queued && (!held_q[C-1] || drop_on != '0);
  assign push = take_i ? push_on : push_stay;
  always_comb begin
    held_stay = held_q >> drop_stay;
    held_on = held_q >> drop_on;
    last_stay = last_q >> drop_stay;
    last_on = last_q >> drop_on;
    if (push_stay && queued_last) last_stay |= ~held_stay & C'({held_stay, 1'b1});
    if (push_on && queued_last) last_on |= ~held_on & C'({held_on, 1'b1});
    if (push_stay) held_stay = C'({held_stay, 1'b1});
    if (push_on) held_on = C'({held_on, 1'b1});
    head_stay = (SlotBits+1)'(head_q) + (SlotBits+1)'(drop_stay);
    if (head_stay >= (SlotBits+1)'(C)) head_stay = head_stay - (SlotBits+1)'(C);
    head_on = (SlotBits+1)'(head_q) + (SlotBits+1)'(drop_on);
    if (head_on >= (SlotBits+1)'(C)) head_on = head_on - (SlotBits+1)'(C);
  end

  // The window: lane rr*C + cc.
  localparam int unsigned PairCols = 3;
  localparam int unsigned IndexBits = SlotBits + 2;
  logic near;                           // some of the window may be in the buffer
  logic [2**IndexBits-1:0] present;     // by index, those below zero last
  logic [IndexBits-1:0] index;          // of a window's column in the buffer
  logic [SlotBits:0] slot;
  logic [ColumnBits-1:0] formed [C];
  logic [7:0] lane_cols;
  logic [8*N-1:0] lane, outside;
  assign outside = (issue.mode == 2'd2) ? {N{8'h80}} : '0;
  assign near = back_q < $signed(16'(C)) && back_q > -$signed(16'(C));
  assign present = near ? (2**IndexBits)'(band) : '0;
  always_comb begin
    window_o = '0;
    index = '0;
    slot = '0;
    lane = '0;
    lane_cols = (issue.mode == 2'd3) ? 8'(PairCols) : issue.cols;
    for (int unsigned cc = 0; cc < C; cc++) formed[cc] = '0;
`ifdef VERILATOR
    if (take_i)  // simulation is spared a window that nobody takes
`endif
    begin
      for (int unsigned cc = 0; cc < C; cc++) begin
        index = IndexBits'(cc) - back_q[IndexBits-1:0];
        slot = (SlotBits+1)'(head_q) + index[SlotBits:0];
        if (slot >= (SlotBits+1)'(C)) slot = slot - (SlotBits+1)'(C);
        formed[cc] = {N*R{issue.pad_value}};
        if (present[index]) formed[cc] = columns[slot[SlotBits-1:0]];
      end
      for (int unsigned cc = 0; cc < C; cc++) begin
        for (int unsigned rr = 0; rr < R; rr++) begin
          lane = formed[cc][rr*8*N +: 8*N];
          // Mode 3: half pixel cc, or cc + 1, of the row of words, and the one after it.
          if (issue.mode == 2'd3 && cc < PairCols && PairCols <= C) begin
            if (issue.half == cc[0]) begin
              lane = formed[(cc + 1) / 2 % C][rr*8*N +: 8*N];
            end else begin
              lane = {formed[(cc / 2 + 1) % C][rr*8*N +: 4*N], formed[cc / 2][rr*8*N + 4*N +: 4*N]};
            end
          end
          if (8'(cc) >= lane_cols || 8'(rr) >= issue.rows) lane = outside;
          window_o[(rr * C + cc) * 8 * N +: 8 * N] = lane;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) columns[tail_q] <= queue[rd_ptr_q];

    if (col_valid_i) begin
      for (int unsigned rr = 0; rr < R; rr++) begin
        if (col_row_i <= 8'(rr)) begin
          queue[wr_ptr_q][rr*8*N +: 8*N] <= col_data_i[(rr % 4) * 8 * N +: 8 * N];
        end
      end
      queue_last_q[wr_ptr_q] <= col_band_last_i;
    end

    if (!beat_valid_i || (take_i && beat_end_i)) begin
      back_q <= next.lead_first;
      need_q <= 16'(next.cols) - next.lead_first;
      width_q <= next.first_width;
    end else if (take_i) begin
      back_q <= band_end ? issue.lead_rest : back_on + 16'(drop_on);
      need_q <= band_end ? 16'(issue.cols) - issue.lead_rest
          : need_q + 16'(issue.stride_cols) - 16'(drop_on);
      width_q <= band_end ? issue.tile_width : width_q - 12'd1;
    end else begin
      back_q <= back_q + 16'(drop_stay);
      need_q <= need_q - 16'(drop_stay);
    end

    if (!rst_ni) begin
      wr_ptr_q <= '0;
      rd_ptr_q <= '0;
      queue_count_q <= '0;
      col_free_o <= 1'b0;
      head_q <= '0;
      tail_q <= '0;
      held_q <= '0;
      last_q <= '0;
    end else begin
      if (col_valid_i && col_last_i) wr_ptr_q <= wr_ptr_q + 1'b1;
      if (push) rd_ptr_q <= rd_ptr_q + 1'b1;
      queue_count_q <= queue_count_q + (PtrBits+1)'(col_valid_i && col_last_i) - (PtrBits+1)'(push);
      col_free_o <= push;
      head_q <= take_i ? head_on[SlotBits-1:0] : head_stay[SlotBits-1:0];
      if (push) tail_q <= (tail_q == SlotBits'(C - 1)) ? '0 : tail_q + 1'b1;
      held_q <= take_i ? held_on : held_stay;
      last_q <= take_i ? last_on : last_stay;
      `WEFT_ASSERT(a_take_when_ready, !take_i || ready_o)
      `WEFT_ASSERT(a_queue_in_range, queue_count_q <= (PtrBits+1)'(ColumnDepth))
      `WEFT_ASSERT(a_first_ones_held, ((held_q + 1'b1) & held_q) == '0)
      `WEFT_ASSERT(a_marks_of_held, (last_q & ~held_q) == '0)
    end
  end

  assign idle_o = queue_count_q == '0 && held_q == '0;

endmodule
`default_nettype wire
