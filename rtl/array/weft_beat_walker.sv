// SPDX-License-Identifier: Apache-2.0
//
// Where in the window the next beat is. Dense (mode 0): at most two fragments of n0 and n1 bytes,
// the first at window row row_o, byte offset_o. Otherwise: a group of n0 rows and n1 columns at
// row_o, column offset_o. offset_bytes_o is offset_o in bytes. The outputs belong to the present
// beat when ready_o is set. advance_i moves on by one, or with restart_i back to the start of the
// window: ready three cycles later. start_i begins a window of other sizes: ready in the next cycle.
// The position outlives a RUN, so that one with acc_first = 0 goes on where the RUN before stopped:
// without a start, new sizes count from two cycles after they are there.
`default_nettype none
module weft_beat_walker (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         start_i,
  input  wire logic         advance_i,
  input  wire logic         restart_i,
  input  wire logic         dense_i,
  input  wire logic [7:0]   kernel_rows_i,
  input  wire logic [16:0]  kernel_span_i,
  input  wire logic [20:0]  in_pitch_i,
  input  wire logic [15:0]  pixel_bytes_i,
  output      logic         ready_o,
  output      logic [7:0]   n0_o,
  output      logic [7:0]   n1_o,
  output      logic [7:0]   row_o,
  output      logic [28:0]  row_offset_o,
  output      logic [16:0]  offset_o,
  output      logic [32:0]  offset_bytes_o
);

  localparam int unsigned K = weft_pkg::K;
  localparam int unsigned R = weft_pkg::WindowRows;
  localparam int unsigned C = weft_pkg::WindowCols;
  localparam int unsigned SizeBits = $clog2(K + 1);

  // The position, what is left from there on, and what the beat takes of that: each from the one
  // before, a cycle later.
  logic [7:0] row_q;
  logic [28:0] row_offset_q;
  logic [16:0] offset_q;
  logic [32:0] bytes_q;
  logic [16:0] left_q;                // of the present row: bytes, or columns
  logic [7:0] rows_left_q;
  logic [SizeBits-1:0] n0_q, n1_q;
  logic row_ends_q;                   // the next beat begins in another row, ...
  logic [2:0] rows_on_q;              // 0, 1, 2 or R further on, ...
  logic [23:0] pitch_on_q;            // so many bytes, ...
  logic [SizeBits-1:0] offset_on_q;   // there
  logic ready_q, left_ready_q;

  logic [16:0] left;
  logic [7:0] rows_left;
  logic row_ends, joins, joins_all;   // the head of the next row, or all of it
  logic [SizeBits-1:0] n0, n1, rest;
  logic [2:0] rows_on;
  logic [23:0] pitch_on;
  assign left = start_i ? kernel_span_i : left_q;
  assign rows_left = start_i ? kernel_rows_i : rows_left_q;
  assign row_ends = left <= (dense_i ? 17'(K) : 17'(C));
  assign rest = SizeBits'(K) - left[SizeBits-1:0];
  assign joins = left < 17'(K) && rows_left > 8'd1;
  assign joins_all = joins && kernel_span_i <= 17'(rest);
  always_comb begin
    if (dense_i) begin
      n0 = row_ends ? left[SizeBits-1:0] : SizeBits'(K);
      n1 = joins ? (joins_all ? kernel_span_i[SizeBits-1:0] : rest) : '0;
      rows_on = joins_all ? 3'd2 : 3'd1;
      pitch_on = joins_all ? 24'({in_pitch_i, 1'b0}) : 24'(in_pitch_i);
    end else begin
      n0 = (rows_left > 8'(R)) ? SizeBits'(R) : rows_left[SizeBits-1:0];
      n1 = row_ends ? left[SizeBits-1:0] : SizeBits'(C);
      rows_on = 3'(R);
      pitch_on = 24'(R) * 24'(in_pitch_i);
    end
    if (!row_ends) begin
      rows_on = 3'd0;
      pitch_on = 24'd0;
    end
  end

  assign ready_o = ready_q;
  assign n0_o = 8'(n0_q);
  assign n1_o = 8'(n1_q);
  assign row_o = row_q;
  assign row_offset_o = row_offset_q;
  assign offset_o = offset_q;
  assign offset_bytes_o = bytes_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i || advance_i) begin
      row_q <= row_q + 8'(rows_on_q);
      row_offset_q <= row_offset_q + 29'(pitch_on_q);
      if (row_ends_q) begin
        offset_q <= 17'(offset_on_q);
        bytes_q <= 33'(offset_on_q);
      end else begin
        offset_q <= offset_q + (dense_i ? 17'(K) : 17'(C));
        bytes_q <= bytes_q + (dense_i ? 33'(K) : 33'(C) * 33'(pixel_bytes_i));
      end
      if (!rst_ni || start_i || restart_i) begin
        row_q <= 8'd0;
        row_offset_q <= 29'd0;
        offset_q <= 17'd0;
        bytes_q <= 33'd0;
      end
    end

    left_q <= start_i ? kernel_span_i : kernel_span_i - offset_q;
    rows_left_q <= start_i ? kernel_rows_i : kernel_rows_i - row_q;

    n0_q <= n0;
    n1_q <= n1;
    row_ends_q <= row_ends;
    rows_on_q <= rows_on;
    pitch_on_q <= pitch_on;
    offset_on_q <= (dense_i && !joins_all) ? n1 : '0;

    if (!rst_ni) {ready_q, left_ready_q} <= 2'b00;
    else if (start_i) {ready_q, left_ready_q} <= 2'b11;
    else if (advance_i) {ready_q, left_ready_q} <= 2'b00;
    else {ready_q, left_ready_q} <= {left_ready_q, 1'b1};
  end

endmodule
`default_nettype wire
