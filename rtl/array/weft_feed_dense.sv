// SPDX-License-Identifier: Apache-2.0
//
// The pixel loop of a dense beat: one piece (two fragments, see weft_feed_types.svh) a pixel. Takes
// the next beat in the cycle of the last pixel of the one before, so beats of P pixels cost P
// cycles. Does not clip to the image and does not read: weft_feed_fetch does.
`default_nettype none
`include "array/weft_feed_types.svh"
module weft_feed_dense (
  input  wire logic                        clk_i,
  input  wire logic                        rst_ni,
  input  wire logic                        beat_valid_i,
  output      logic                        beat_ready_o,
  input  wire logic [`WEFT_BEAT_BITS-1:0]  beat_i,
  output      logic                        piece_valid_o,
  input  wire logic                        piece_ready_i,
  output      logic [`WEFT_PIECE_BITS-1:0] piece_o
);

  `WEFT_BEAT_TYPE
  `WEFT_PIECE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for windows only
  beat_t beat;
  /* verilator lint_on UNUSEDSIGNAL */
  assign beat = beat_i;

  logic active_q;
  logic [7:0] pixels_q;               // left, the present one included
  logic [11:0] width_q, tile_width_q; // pixels left in this row of the rectangle, and of a row
  logic signed [16:0] row_q;          // input row of window row 0
  logic signed [39:0] base_q;         // address of byte 0 of that row
  logic signed [35:0] col_q;          // byte offset of the window in its row
  logic signed [21:0] col_row_q;
  logic [7:0] n0_q, n1_q, window_row_q, stride_rows_q, pad_q;
  logic [16:0] offset_q;
  logic [28:0] row_offset_q, wrap_pitch_q;
  logic [20:0] step_q, pitch_q, row_bytes_q;
  logic [15:0] rows_q;

  logic step, take;
  assign step = active_q && piece_ready_i;
  assign beat_ready_o = !active_q || (step && pixels_q == 8'd1);
  assign take = beat_valid_i && beat_ready_o;
  assign piece_valid_o = active_q;

  logic signed [17:0] row0, row1;
  logic signed [39:0] row_base;
  assign row0 = 18'(row_q) + 18'(window_row_q);
  assign row1 = row0 + 18'sd1;
  assign row_base = base_q + 40'(row_offset_q);

  piece_t piece;
  always_comb begin
    piece = '0;
    if (active_q) begin
      piece.part_first = 1'b1;
      piece.part_last = 1'b1;
      piece.pad_value = pad_q;
      piece.row_bytes = row_bytes_q;
      piece.ok[0] = row0 >= 18'sd0 && row0 < $signed({2'd0, rows_q});
      piece.ok[1] = row1 >= 18'sd0 && row1 < $signed({2'd0, rows_q});
      piece.n0 = n0_q;
      piece.n1 = n1_q;
      piece.addr0 = row_base;
      piece.addr1 = row_base + 40'(pitch_q);
      piece.col0 = col_q + 36'(offset_q);
      piece.col1 = col_q;
    end
  end
  assign piece_o = piece;

  always_ff @(posedge clk_i) begin
    if (take) begin
      pixels_q <= beat.pixels;
      width_q <= beat.first_width;
      row_q <= 17'(beat.in_y);
      base_q <= beat.base;
      col_q <= beat.col_first;
      tile_width_q <= beat.tile_width;
      col_row_q <= beat.col_row;
      n0_q <= beat.n0;
      n1_q <= beat.n1;
      window_row_q <= beat.row;
      stride_rows_q <= beat.stride_rows;
      pad_q <= beat.pad_value;
      offset_q <= beat.offset;
      row_offset_q <= beat.row_offset;
      wrap_pitch_q <= beat.wrap_pitch;
      step_q <= beat.step_bytes;
      pitch_q <= beat.in_pitch;
      row_bytes_q <= beat.in_row_bytes;
      rows_q <= beat.in_rows;
    end else if (step) begin
      pixels_q <= pixels_q - 8'd1;
      if (width_q == 12'd1) begin
        width_q <= tile_width_q;
        row_q <= row_q + 17'(stride_rows_q);
        base_q <= base_q + 40'(wrap_pitch_q);
        col_q <= 36'(col_row_q);
      end else begin
        width_q <= width_q - 12'd1;
        col_q <= col_q + 36'(step_q);
      end
    end

    if (!rst_ni) active_q <= 1'b0;
    else if (take) active_q <= 1'b1;
    else if (step && pixels_q == 8'd1) active_q <= 1'b0;
  end

endmodule
`default_nettype wire
