// SPDX-License-Identifier: Apache-2.0
//
// One fragment of a piece: which of its bytes exist, and which words of the scratchpad hold them.
// Byte j (0..n-1) lies at addr + j and exists if ok and skip <= j < room. mask_o has a bit for each
// byte that exists; a word is needed only if it holds one. Combinational.
`default_nettype none
module weft_feed_fragment #(
  parameter int unsigned Bytes = 16,
  parameter int unsigned AddrWidth = 14
) (
  input  wire logic signed [39:0]   addr_i,
  input  wire logic                 ok_i,
  input  wire logic [7:0]           n_i,
  input  wire logic [5:0]           skip_i,
  input  wire logic [5:0]           room_i,
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
  localparam logic [39:0] LastWord = 40'(Words) - 40'd1;

  logic signed [39:0] word_low;
  logic [Bytes-1:0] in_low;  // bytes that the low word would hold
  assign word_low = addr_i >>> OffsetBits;
  assign offset_o = addr_i[OffsetBits-1:0];

  // Byte by byte, without a first and a last one worked out before.
  always_comb begin
    for (int unsigned j = 0; j < Bytes; j++) begin
      mask_o[j] = ok_i && 8'(j) < n_i && 6'(j) >= skip_i && 6'(j) < room_i;
      in_low[j] = (OffsetBits+1)'(j) + (OffsetBits+1)'(offset_o) < (OffsetBits+1)'(WordBytes);
    end
  end
  assign need_low_o = (mask_o & in_low) != '0;
  assign need_high_o = (mask_o & ~in_low) != '0;
  // As unsigned numbers: below zero is out of range too, and -1 is the word before the first.
  assign low_outside_o = word_low[39:0] >= 40'(Words);
  assign high_outside_o = word_low[39:0] >= LastWord && word_low != -40'sd1;
  assign word_low_o = word_low[AddrWidth-1:0];
  assign word_high_o = word_low_o + 1'b1;

endmodule
`default_nettype wire
