// SPDX-License-Identifier: Apache-2.0
//
// The column loop of a window beat (depthwise, maximum): the pixels of a stripe that lie in one row
// of the rectangle are a band; for each band the columns under its windows that exist in the image
// are read once, left to right, each as pieces of up to 2 rows (one word each: 4). Padding columns
// cost nothing, except that a band with no other gives one, and a cycle for each window that lies
// left of the image. Columns between windows, where the stride is larger, are passed on without
// being read. Takes the next beat in the cycle of the last piece of the one before. Runs ahead of
// weft_window, which forms the windows.
`default_nettype none
`include "array/weft_feed_types.svh"
module weft_feed_columns (
  input  wire logic                        clk_i,
  input  wire logic                        rst_ni,
  input  wire logic                        beat_valid_i,
  output      logic                        beat_ready_o,
  input  wire logic [`WEFT_BEAT_BITS-1:0]  beat_i,
  output      logic                        piece_valid_o,
  input  wire logic                        piece_ready_i,
  output      logic [`WEFT_PIECE_BITS-1:0] piece_o,
  output      logic                        busy_o
);

  `WEFT_BEAT_TYPE
  `WEFT_PIECE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for dense beats only
  beat_t beat;
  /* verilator lint_on UNUSEDSIGNAL */
  assign beat = beat_i;

  logic active_q;
  logic [7:0] windows_q;              // of this band whose last column is to come
  logic [7:0] pixels_q;               // in the bands after this one
  logic [11:0] tile_width_q;          // pixels of a band
  logic signed [17:0] row_q;          // input row of the group's first row
  logic signed [39:0] base_q;         // address of byte 0 of that row, first channel
  logic [35:0] x_q, x_rest_q;         // the column: byte offset in its row
  logic [20:0] room_q, room_rest_q;   // bytes from there to the end of the row
  logic signed [16:0] end_q;          // columns from this one to the last of the next window
  logic signed [16:0] end_rest_q;     // the same at the start of a band
  logic [7:0] part_q;                 // first row of the piece
  logic signed [39:0] part_base_q;
  logic aligned_q;
  logic [7:0] group_rows_q, group_cols_q, channels_q, stride_cols_q, stride_rows_q, pad_q;
  logic [15:0] pixel_bytes_q, rows_q;
  logic [20:0] row_bytes_q, pitch_q;
  logic [28:0] wrap_pitch_q;

  // A band with no column in the image: all of its windows are left of it, or right of it.
  logic [7:0] part_rows, first_pixels, next_pixels;
  logic band_void, band_last, part_last, stripe_last, settled, column_used, step, take;
  assign band_void = windows_q == 8'd0 || room_q == 21'd0;
  assign band_last = band_void || (windows_q == 8'd1 && end_q == 17'sd0) ||
      room_q <= 21'(pixel_bytes_q);
  assign settled = end_q >= 17'sd0 || band_void;
  assign column_used = !band_void && end_q < $signed(17'(group_cols_q));
  assign part_rows = aligned_q ? 8'd4 : 8'd2;
  assign part_last = band_void || part_q + part_rows >= group_rows_q;
  assign stripe_last = pixels_q == 8'd0;
  assign first_pixels = (12'(beat.pixels) < beat.first_width) ? beat.pixels : beat.first_width[7:0];
  assign next_pixels = (12'(pixels_q) < tile_width_q) ? pixels_q : tile_width_q[7:0];

  assign step = active_q && settled && piece_ready_i;
  assign beat_ready_o = !active_q || (step && part_last && band_last && stripe_last);
  assign take = beat_valid_i && beat_ready_o;
  assign piece_valid_o = active_q && settled;
  assign busy_o = active_q;

  logic [20:0] room_first, room_rest;
  assign room_first = (beat.x_first >= 36'(beat.in_row_bytes)) ? 21'd0
      : beat.in_row_bytes - beat.x_first[20:0];
  assign room_rest = (beat.x_rest >= 36'(beat.in_row_bytes)) ? 21'd0
      : beat.in_row_bytes - beat.x_rest[20:0];

  logic signed [17:0] beat_row;
  logic signed [39:0] beat_base;
  assign beat_row = 18'(beat.in_y) + 18'(beat.row);
  assign beat_base = beat.base + 40'(beat.row_offset) + 40'(beat.chan_offset);

  piece_t piece;
  logic signed [17:0] part_row;
  logic [3:0] row_ok;
  assign part_row = row_q + 18'(part_q);
  always_comb begin
    for (int i = 0; i < 4; i++) begin
      row_ok[i] = active_q && column_used && part_q + 8'(i) < group_rows_q &&
          part_row + 18'(i) >= 18'sd0 && part_row + 18'(i) < $signed({2'd0, rows_q});
    end
  end
  always_comb begin
    piece = '0;
    if (active_q) begin
      piece.column = 1'b1;
      piece.aligned = aligned_q;
      piece.part_first = part_q == 8'd0;
      piece.part_last = part_last;
      piece.band_last = band_last;
      piece.part_row = part_q;
      piece.pad_value = pad_q;
      piece.row_bytes = row_bytes_q;
      piece.ok = row_ok;
      piece.n0 = channels_q;
      piece.n1 = channels_q;
      piece.addr0 = part_base_q;
      piece.addr1 = part_base_q + 40'(pitch_q);
      piece.addr2 = part_base_q + 40'({pitch_q, 1'b0});
      piece.addr3 = part_base_q + 40'({pitch_q, 1'b0}) + 40'(pitch_q);
      piece.col0 = x_q;
      piece.col1 = x_q;
    end
  end
  assign piece_o = piece;

  always_ff @(posedge clk_i) begin
    if (take) begin
      windows_q <= (beat.stride_cols == 8'd0) ? 8'd1 : first_pixels;
      pixels_q <= beat.pixels - first_pixels;
      row_q <= beat_row;
      base_q <= beat_base;
      x_q <= beat.x_first;
      room_q <= room_first;
      end_q <= $signed(17'(beat.n1)) - 17'sd1 - $signed({1'b0, beat.lead_first});
      part_q <= 8'd0;
      part_base_q <= beat_base;
      tile_width_q <= beat.tile_width;
      x_rest_q <= beat.x_rest;
      room_rest_q <= room_rest;
      end_rest_q <= $signed(17'(beat.n1)) - 17'sd1 - $signed({1'b0, beat.lead_rest});
      aligned_q <= beat.aligned && weft_pkg::WindowRows > 2;
      group_rows_q <= beat.n0;
      group_cols_q <= beat.n1;
      channels_q <= beat.channels;
      stride_cols_q <= beat.stride_cols;
      stride_rows_q <= beat.stride_rows;
      pad_q <= beat.pad_value;
      pixel_bytes_q <= beat.pixel_bytes;
      rows_q <= beat.in_rows;
      row_bytes_q <= beat.in_row_bytes;
      pitch_q <= beat.in_pitch;
      wrap_pitch_q <= beat.wrap_pitch;
    end else if (active_q && !settled) begin
      end_q <= end_q + $signed(17'(stride_cols_q));
      windows_q <= windows_q - 8'd1;
    end else if (step) begin
      if (!part_last) begin
        part_q <= part_q + part_rows;
        part_base_q <= part_base_q + (aligned_q ? 40'({pitch_q, 2'b0}) : 40'({pitch_q, 1'b0}));
      end else begin
        part_q <= 8'd0;
        part_base_q <= base_q;
        end_q <= end_q - 17'sd1;
        if (end_q == 17'sd0) begin
          end_q <= $signed(17'(stride_cols_q)) - 17'sd1;
          windows_q <= windows_q - 8'd1;
        end
        x_q <= x_q + 36'(pixel_bytes_q);
        room_q <= room_q - 21'(pixel_bytes_q);
        if (band_last) begin
          windows_q <= (stride_cols_q == 8'd0) ? 8'd1 : next_pixels;
          pixels_q <= pixels_q - next_pixels;
          row_q <= row_q + 18'(stride_rows_q);
          base_q <= base_q + 40'(wrap_pitch_q);
          part_base_q <= base_q + 40'(wrap_pitch_q);
          x_q <= x_rest_q;
          room_q <= room_rest_q;
          end_q <= end_rest_q;
        end
      end
    end

    if (!rst_ni) active_q <= 1'b0;
    else if (take) active_q <= 1'b1;
    else if (step && part_last && band_last && stripe_last) active_q <= 1'b0;
  end

endmodule
`default_nettype wire
