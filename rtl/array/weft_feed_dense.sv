// SPDX-License-Identifier: Apache-2.0
//
// The pixel loop of a dense beat: one piece (two fragments, see weft_feed_types.svh) a pixel. Takes
// the next beat in the cycle of the last pixel of the one before, so beats of P pixels cost P
// cycles. Says which bytes are in the image, does not read them: weft_feed_fetch does.
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
  output      logic [`WEFT_PIECE_BITS-1:0] piece_o        // 0 unless valid
);

  `WEFT_BEAT_TYPE
  `WEFT_PIECE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for windows only
  beat_t beat;
  /* verilator lint_on UNUSEDSIGNAL */
  assign beat = beat_i;

  logic active_q;
  logic [7:0] pixels_q;               // left, the present one included
  logic last_q;                       // the present one is the last
  logic [11:0] width_q, tile_width_q; // pixels left in this row of the rectangle, and of a row
  logic signed [17:0] row_q;          // input row of fragment 0
  logic signed [39:0] base_q;         // address of byte 0 of that row
  logic signed [35:0] col0_q, col1_q; // byte offsets of the fragments in their rows
  logic signed [35:0] col0_row_q;     // the same at the start of a row of the rectangle
  logic signed [21:0] col1_row_q;
  logic [7:0] n0_q, n1_q, stride_rows_q, pad_q;
  logic [28:0] wrap_pitch_q;
  logic [20:0] step_q, pitch_q, row_bytes_q;
  logic [15:0] rows_q;

  logic step, take;
  assign step = active_q && piece_ready_i;
  assign beat_ready_o = !active_q || (piece_ready_i && last_q);
  assign take = beat_valid_i && beat_ready_o;
  assign piece_valid_o = active_q;

  // Of a fragment that begins too far from its row for 22 bits, nothing exists. Where more bytes than
  // any fragment has are skipped or have room, their number does not matter.
  logic near0, near1;
  assign near0 = col0_q[35:22] == {14{col0_q[21]}};
  assign near1 = col1_q[35:22] == {14{col1_q[21]}};
  function automatic logic [5:0] clamp(input logic signed [22:0] bytes);
    clamp = bytes[22] ? 6'd0 : (bytes[21:6] != '0) ? 6'd63 : bytes[5:0];
  endfunction

  logic signed [17:0] next_row;
  piece_t piece;
  assign next_row = row_q + 18'sd1;
  always_comb begin
    piece = '0;
    if (active_q) begin
      piece.part_first = 1'b1;
      piece.part_last = 1'b1;
      piece.pad_value = pad_q;
      piece.ok[0] = near0 && row_q >= 18'sd0 && row_q < $signed({2'd0, rows_q});
      piece.ok[1] = near1 && next_row >= 18'sd0 && next_row < $signed({2'd0, rows_q});
      piece.n0 = n0_q;
      piece.n1 = n1_q;
      piece.addr0 = base_q + 40'(col0_q);
      piece.addr1 = base_q + 40'(pitch_q) + 40'(col1_q);
      piece.skip0 = clamp(-col0_q[22:0]);
      piece.skip1 = clamp(-col1_q[22:0]);
      piece.room0 = clamp({2'd0, row_bytes_q} - col0_q[22:0]);
      piece.room1 = clamp({2'd0, row_bytes_q} - col1_q[22:0]);
    end
  end
  assign piece_o = piece;

  always_ff @(posedge clk_i) begin
    if (take) begin
      pixels_q <= beat.pixels;
      last_q <= beat.pixels == 8'd1;
      width_q <= beat.first_width;
      row_q <= beat.row;
      base_q <= beat.base;
      col0_q <= beat.x_first;
      col1_q <= beat.col_first;
      tile_width_q <= beat.tile_width;
      col0_row_q <= beat.x_rest;
      col1_row_q <= beat.col_row;
      n0_q <= beat.n0;
      n1_q <= beat.n1;
      stride_rows_q <= beat.stride_rows;
      pad_q <= beat.pad_value;
      wrap_pitch_q <= beat.wrap_pitch;
      step_q <= beat.step_bytes;
      pitch_q <= beat.in_pitch;
      row_bytes_q <= beat.in_row_bytes;
      rows_q <= beat.in_rows;
    end else if (step) begin
      pixels_q <= pixels_q - 8'd1;
      last_q <= pixels_q == 8'd2;
      if (width_q == 12'd1) begin
        width_q <= tile_width_q;
        row_q <= row_q + 18'(stride_rows_q);
        base_q <= base_q + 40'(wrap_pitch_q);
        col0_q <= col0_row_q;
        col1_q <= 36'(col1_row_q);
      end else begin
        width_q <= width_q - 12'd1;
        col0_q <= col0_q + 36'(step_q);
        col1_q <= col1_q + 36'(step_q);
      end
    end

    if (!rst_ni) active_q <= 1'b0;
    else if (take) active_q <= 1'b1;
    else if (step && last_q) active_q <= 1'b0;
  end

endmodule
`default_nettype wire
