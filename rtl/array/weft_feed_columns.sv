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
  output      logic [`WEFT_PIECE_BITS-1:0] piece_o,       // 0 unless busy
  output      logic                        busy_o
);

  `WEFT_BEAT_TYPE
  `WEFT_PIECE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for dense beats only
  beat_t beat;
  /* verilator lint_on UNUSEDSIGNAL */
  assign beat = beat_i;

  localparam int unsigned PartBits = $clog2(weft_pkg::WindowRows + 1);

  logic active_q;
  logic [7:0] windows_q;              // of this band whose last column is to come
  logic [7:0] pixels_q;               // in the bands after this one
  logic [11:0] tile_width_q;          // pixels of a band
  logic signed [17:0] band_row_q;     // input row of the group's first row
  logic signed [39:0] band_addr_q;    // of that row, first channel, at the start of a band
  logic signed [39:0] column_addr_q;  // the same at the column
  logic room_void_q;                  // there is no column in the image's row
  logic room_last_q;                  // none behind the present one
  logic [20:0] room_q;                // bytes from there to the end of the row
  logic rest_void_q, rest_last_q;     // the same at the start of a band
  logic [20:0] room_rest_q;
  logic signed [16:0] end_q;          // columns from this one to the last of the next window
  logic end_zero_q;                   // there are none
  logic signed [16:0] end_rest_q;     // the same at the start of a band
  logic [PartBits-1:0] part_q;        // first row of the piece
  logic [PartBits-1:0] part_left_q;   // the group's rows from there on
  logic signed [17:0] part_row_q;     // its input row
  logic signed [39:0] part_addr_q;
  logic aligned_q;
  logic [PartBits-1:0] group_rows_q;
  logic [7:0] group_cols_q, channels_q, stride_cols_q, stride_rows_q, pad_q;
  logic [15:0] pixel_bytes_q, rows_q;
  logic [20:0] pitch_q;
  logic [22:0] pitch3_q;              // three times that
  logic [28:0] wrap_pitch_q;

  // A band with no column in the image: all of its windows are left of it, or right of it.
  logic [7:0] first_pixels, next_pixels;
  logic [2:0] part_rows;
  logic band_void, band_last, part_last, stripe_last, settled, column_used, step, take;
  assign band_void = windows_q == 8'd0 || room_void_q;
  assign band_last = room_last_q || windows_q == 8'd0 || (windows_q == 8'd1 && end_zero_q);
  assign settled = end_q >= 17'sd0 || band_void;
  assign column_used = !band_void && end_q < $signed(17'(group_cols_q));
  assign part_rows = aligned_q ? 3'd4 : 3'd2;
  assign part_last = band_void || 3'(part_left_q) <= part_rows;
  assign stripe_last = pixels_q == 8'd0;
  assign first_pixels = (12'(beat.pixels) < beat.first_width) ? beat.pixels : beat.first_width[7:0];
  assign next_pixels = (12'(pixels_q) < tile_width_q) ? pixels_q : tile_width_q[7:0];

  assign step = active_q && settled && piece_ready_i;
  assign beat_ready_o = !active_q || (step && part_last && band_last && stripe_last);
  assign take = beat_valid_i && beat_ready_o;
  assign piece_valid_o = active_q && settled;
  assign busy_o = active_q;

  logic signed [16:0] end_first, end_next;
  assign end_first = $signed(17'(beat.n1)) - 17'sd1 - $signed({1'b0, beat.lead_first});
  assign end_next = end_q + $signed(17'(stride_cols_q));

  // Where the first column of a band and the one behind it begin, from the end of the row on.
  /* verilator lint_off UNUSEDSIGNAL */  // only the signs matter
  logic signed [37:0] past_first, past_rest, next_past_first, next_past_rest;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [37:0] x_first, x_rest;
  assign x_first = {2'd0, beat.x_first};
  assign x_rest = {2'd0, beat.x_rest};
  assign past_first = x_first - 38'(beat.in_row_bytes);
  assign past_rest = x_rest - 38'(beat.in_row_bytes);
  assign next_past_first = x_first + 38'(beat.pixel_bytes) - 38'(beat.in_row_bytes);
  assign next_past_rest = x_rest + 38'(beat.pixel_bytes) - 38'(beat.in_row_bytes);

  piece_t piece;
  logic signed [18:0] rows_below;
  logic [3:0] row_ok;
  assign rows_below = $signed({3'd0, rows_q}) - 19'(part_row_q);
  always_comb begin
    for (int i = 0; i < 4; i++) begin
      row_ok[i] = active_q && column_used && 3'(i) < 3'(part_left_q) &&
          part_row_q + 18'(i) >= 18'sd0 && rows_below > 19'(i);
    end
  end
  always_comb begin
    piece = '0;
    if (active_q) begin
      piece.column = 1'b1;
      piece.aligned = aligned_q;
      piece.part_first = part_q == '0;
      piece.part_last = part_last;
      piece.band_last = band_last;
      piece.part_row = 8'(part_q);
      piece.pad_value = pad_q;
      piece.ok = row_ok;
      piece.n0 = channels_q;
      piece.n1 = channels_q;
      piece.addr0 = part_addr_q;
      piece.addr1 = part_addr_q + 40'(pitch_q);
      piece.addr2 = part_addr_q + 40'({pitch_q, 1'b0});
      piece.addr3 = part_addr_q + 40'(pitch3_q);
      piece.room0 = '1;
      piece.room1 = '1;
    end
  end
  assign piece_o = piece;

  always_ff @(posedge clk_i) begin
    if (take) begin
      windows_q <= (beat.stride_cols == 8'd0) ? 8'd1 : first_pixels;
      pixels_q <= beat.pixels - first_pixels;
      band_row_q <= beat.row;
      band_addr_q <= beat.base + 40'(beat.x_rest);
      column_addr_q <= beat.base + 40'(beat.x_first);
      room_void_q <= !past_first[37];
      room_last_q <= !next_past_first[37];
      room_q <= beat.in_row_bytes - beat.x_first[20:0];
      end_q <= end_first;
      end_zero_q <= end_first == 17'sd0;
      part_q <= '0;
      part_left_q <= beat.n0[PartBits-1:0];
      part_row_q <= beat.row;
      part_addr_q <= beat.base + 40'(beat.x_first);
      tile_width_q <= beat.tile_width;
      rest_void_q <= !past_rest[37];
      rest_last_q <= !next_past_rest[37];
      room_rest_q <= beat.in_row_bytes - beat.x_rest[20:0];
      end_rest_q <= $signed(17'(beat.n1)) - 17'sd1 - $signed({1'b0, beat.lead_rest});
      aligned_q <= beat.aligned && weft_pkg::WindowRows > 2;
      group_rows_q <= beat.n0[PartBits-1:0];
      group_cols_q <= beat.n1;
      channels_q <= beat.channels;
      stride_cols_q <= beat.stride_cols;
      stride_rows_q <= beat.stride_rows;
      pad_q <= beat.pad_value;
      pixel_bytes_q <= beat.pixel_bytes;
      rows_q <= beat.in_rows;
      pitch_q <= beat.in_pitch;
      pitch3_q <= 23'(beat.in_pitch) + 23'({beat.in_pitch, 1'b0});
      wrap_pitch_q <= beat.wrap_pitch;
    end else if (active_q && !settled) begin
      end_q <= end_next;
      end_zero_q <= end_next == 17'sd0;
      windows_q <= windows_q - 8'd1;
    end else if (step) begin
      if (!part_last) begin
        part_q <= part_q + PartBits'(part_rows);
        part_left_q <= part_left_q - PartBits'(part_rows);
        part_row_q <= part_row_q + 18'(part_rows);
        part_addr_q <= part_addr_q + (aligned_q ? 40'({pitch_q, 2'b0}) : 40'({pitch_q, 1'b0}));
      end else begin
        part_q <= '0;
        part_left_q <= group_rows_q;
        part_row_q <= band_row_q;
        part_addr_q <= column_addr_q + 40'(pixel_bytes_q);
        column_addr_q <= column_addr_q + 40'(pixel_bytes_q);
        end_q <= end_q - 17'sd1;
        end_zero_q <= end_q == 17'sd1;
        if (end_zero_q) begin
          end_q <= $signed(17'(stride_cols_q)) - 17'sd1;
          end_zero_q <= stride_cols_q == 8'd1;
          windows_q <= windows_q - 8'd1;
        end
        room_q <= room_q - 21'(pixel_bytes_q);
        room_last_q <= 22'(room_q) <= {5'd0, pixel_bytes_q, 1'b0};
        if (band_last) begin
          windows_q <= (stride_cols_q == 8'd0) ? 8'd1 : next_pixels;
          pixels_q <= pixels_q - next_pixels;
          band_row_q <= band_row_q + 18'(stride_rows_q);
          part_row_q <= band_row_q + 18'(stride_rows_q);
          band_addr_q <= band_addr_q + 40'(wrap_pitch_q);
          column_addr_q <= band_addr_q + 40'(wrap_pitch_q);
          part_addr_q <= band_addr_q + 40'(wrap_pitch_q);
          room_void_q <= rest_void_q;
          room_last_q <= rest_last_q;
          room_q <= room_rest_q;
          end_q <= end_rest_q;
          end_zero_q <= end_rest_q == 17'sd0;
        end
      end
    end

    if (!rst_ni) active_q <= 1'b0;
    else if (take) active_q <= 1'b1;
    else if (step && part_last && band_last && stripe_last) active_q <= 1'b0;
  end

endmodule
`default_nettype wire
