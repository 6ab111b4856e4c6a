// SPDX-License-Identifier: Apache-2.0
//
// Where in the window the next beat is. Dense (mode 0): at most two fragments of n0 and n1 bytes,
// the first at window row row_o, byte offset_o. Otherwise: a group of n0 rows and n1 columns at
// row_o, column offset_o (offset_bytes_o bytes). The outputs belong to the present beat; advance_i
// moves on by one, start_i back to the start of the window. The position outlives a RUN, so that
// one with acc_first = 0 goes on where the RUN before stopped; a cycle with neither takes its sizes.
`default_nettype none
module weft_beat_walker (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         start_i,
  input  wire logic         advance_i,
  input  wire logic         dense_i,
  input  wire logic [7:0]   kernel_rows_i,
  input  wire logic [16:0]  kernel_span_i,
  input  wire logic [20:0]  in_pitch_i,
  input  wire logic [15:0]  pixel_bytes_i,
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

  logic [7:0] row_q;
  logic [28:0] row_offset_q;
  logic [16:0] offset_q, offset_d;
  logic [32:0] bytes_q;
  logic [16:0] left_q, left_d;  // of the present row: bytes, or columns
  logic [7:0] rows_left_q;
  logic [2:0] rows_on;       // rows the walk moves on by: 0, 1, 2 or R
  logic [28:0] pitch, row_offset_d;

  assign pitch = 29'(in_pitch_i);

  always_comb begin
    rows_on = 3'd0;
    if (dense_i) begin
      n0_o = (left_q > 17'(K)) ? 8'(K) : left_q[7:0];
      n1_o = 8'd0;
      if (n0_o < 8'(K) && rows_left_q > 8'd1) begin
        n1_o = 8'(K) - n0_o;
        if (kernel_span_i < 17'(n1_o)) n1_o = kernel_span_i[7:0];
      end
      offset_d = offset_q + 17'(K);
      left_d = left_q - 17'(K);
      if (left_q <= 17'(K)) begin
        rows_on = (17'(n1_o) == kernel_span_i) ? 3'd2 : 3'd1;
        offset_d = (17'(n1_o) == kernel_span_i) ? 17'd0 : 17'(n1_o);
        left_d = (17'(n1_o) == kernel_span_i) ? kernel_span_i : kernel_span_i - 17'(n1_o);
      end
    end else begin
      n0_o = (rows_left_q > 8'(R)) ? 8'(R) : rows_left_q;
      n1_o = (left_q > 17'(C)) ? 8'(C) : left_q[7:0];
      offset_d = offset_q + 17'(C);
      left_d = left_q - 17'(C);
      if (left_q <= 17'(C)) begin
        rows_on = 3'(R);
        offset_d = 17'd0;
        left_d = kernel_span_i;
      end
    end
    row_offset_d = row_offset_q;
    if (rows_on == 3'd1) row_offset_d = row_offset_q + pitch;
    if (rows_on == 3'd2) row_offset_d = row_offset_q + {pitch[27:0], 1'b0};
    if (!dense_i && rows_on != 3'd0) row_offset_d = row_offset_q + 29'(R) * pitch;
  end

  assign row_o = row_q;
  assign row_offset_o = row_offset_q;
  assign offset_o = offset_q;
  assign offset_bytes_o = bytes_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) begin
      row_q <= 8'd0;
      rows_left_q <= kernel_rows_i;
      left_q <= kernel_span_i;
      row_offset_q <= 29'd0;
      offset_q <= 17'd0;
      bytes_q <= 33'd0;
    end else if (advance_i) begin
      row_q <= row_q + 8'(rows_on);
      rows_left_q <= rows_left_q - 8'(rows_on);
      left_q <= left_d;
      row_offset_q <= row_offset_d;
      offset_q <= offset_d;
      bytes_q <= (offset_d == 17'd0) ? 33'd0 : bytes_q + 33'(C) * 33'(pixel_bytes_i);
    end else begin
      rows_left_q <= kernel_rows_i - row_q;
      left_q <= kernel_span_i - offset_q;
    end
  end

endmodule
`default_nettype wire
