// SPDX-License-Identifier: Apache-2.0
//
// One fragment of a piece: which of its bytes exist, and which words of the scratchpad hold them.
// Byte j (0..n-1) lies at addr + col + j and exists if ok and, when clipping, 0 <= col + j <
// row_bytes. mask_o has a bit for each byte that exists; a word is needed only if it holds one.
// Combinational.
`default_nettype none
module weft_feed_fragment #(
  parameter int unsigned Bytes = 16,
  parameter int unsigned AddrWidth = 14
) (
  input  wire logic signed [39:0]   addr_i,
  input  wire logic signed [35:0]   col_i,
  input  wire logic                 ok_i,
  input  wire logic                 clip_i,
  input  wire logic [7:0]           n_i,
  input  wire logic [20:0]          row_bytes_i,
  output      logic [Bytes-1:0]     mask_o,
  output      logic                 need_low_o,
  output      logic                 need_high_o,
  output      logic                 low_outside_o,   // a word beyond the scratchpad
  output      logic                 high_outside_o,
  output      logic [AddrWidth-1:0] word_low_o,
  output      logic [AddrWidth-1:0] word_high_o,
  output      logic [$clog2(weft_pkg::WordBytes)-1:0] offset_o
);

  localparam int unsigned WordBytes = weft_pkg::WordBytes;
  localparam int unsigned OffsetBits = $clog2(WordBytes);
  localparam int unsigned Words = weft_pkg::Scratchpad / WordBytes;

  logic signed [39:0] addr, word_low, word_high;
  logic signed [36:0] room;  // bytes from the fragment's start to the end of the row
  logic signed [36:0] skip;  // bytes before the row's start
  logic [7:0] low, high;
  logic some;

  always_comb begin
    addr = addr_i + 40'(col_i);
    word_low = addr >>> OffsetBits;
    word_high = word_low + 40'sd1;
    offset_o = addr[OffsetBits-1:0];
    room = $signed({16'd0, row_bytes_i}) - 37'(col_i);
    skip = 37'sd0 - 37'(col_i);
    low = 8'd0;
    high = n_i;
    if (clip_i) begin
      if (skip > 37'sd0) low = (skip > 37'sd128) ? 8'd128 : skip[7:0];
      if (room < $signed({29'd0, n_i})) high = (room < 37'sd0) ? 8'd0 : room[7:0];
    end
    some = ok_i && low < high;
    mask_o = some ? ~({Bytes{1'b1}} << high) & ({Bytes{1'b1}} << low) : '0;
    need_low_o = some && low + 8'(offset_o) < 8'(WordBytes);
    need_high_o = some && high + 8'(offset_o) > 8'(WordBytes);
    // As unsigned numbers: below zero is out of range too.
    low_outside_o = word_low[39:0] >= 40'(Words);
    high_outside_o = word_high[39:0] >= 40'(Words);
    word_low_o = word_low[AddrWidth-1:0];
    word_high_o = word_high[AddrWidth-1:0];
  end

endmodule
`default_nettype wire
