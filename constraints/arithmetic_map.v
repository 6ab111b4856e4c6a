// SPDX-License-Identifier: Apache-2.0
// For techmap: $mul and $macc become modules of arithmetic.v, each of which is then mapped once.
(* techmap_celltype = "$mul" *)
module multiplier_map #(
  parameter A_SIGNED = 0,
  parameter B_SIGNED = 0,
  parameter A_WIDTH = 8,
  parameter B_WIDTH = 8,
  parameter Y_WIDTH = 16
) (
  input  [A_WIDTH-1:0] A,
  input  [B_WIDTH-1:0] B,
  output [Y_WIDTH-1:0] Y
);
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTVAL_A_ = 0;
  parameter _TECHMAP_CONSTMSK_B_ = 0;
  parameter _TECHMAP_CONSTVAL_B_ = 0;
  // An operand whose sign is a constant 0 has none.
  localparam A_PLUS = A_SIGNED && _TECHMAP_CONSTMSK_A_[A_WIDTH-1] && !_TECHMAP_CONSTVAL_A_[A_WIDTH-1];
  localparam B_PLUS = B_SIGNED && _TECHMAP_CONSTMSK_B_[B_WIDTH-1] && !_TECHMAP_CONSTVAL_B_[B_WIDTH-1];
  weft_multiplier #(
    .A_SIGNED(A_SIGNED && !A_PLUS), .B_SIGNED(B_SIGNED && !B_PLUS),
    .A_WIDTH(A_WIDTH - A_PLUS), .B_WIDTH(B_WIDTH - B_PLUS), .Y_WIDTH(Y_WIDTH)
  ) _TECHMAP_REPLACE_ (.A(A[A_WIDTH-A_PLUS-1:0]), .B(B[B_WIDTH-B_PLUS-1:0]), .Y(Y));
endmodule

// Only a sum of words that are all alike and have a sign: CONFIG has, from bit 4 on, for each of them
// a sign, no subtraction, its width and no second factor, in numbers of CONFIG[3:0] bits.
(* techmap_celltype = "$macc" *)
module sum_map #(
  parameter A_WIDTH = 1,
  parameter B_WIDTH = 0,
  parameter Y_WIDTH = 1,
  parameter CONFIG = 4'd0,
  parameter CONFIG_WIDTH = 4
) (
  input  [A_WIDTH-1:0] A,
  input  [B_WIDTH-1:0] B,
  output [Y_WIDTH-1:0] Y
);
  localparam BITS = CONFIG[3:0];
  localparam ENTRY = 2 + 2 * BITS;
  localparam WORDS = (CONFIG_WIDTH - 4) / ENTRY;
  localparam WIDTH = A_WIDTH / WORDS;
  localparam [ENTRY-1:0] WANTED = {WIDTH, 2'b01};
  wire _TECHMAP_FAIL_ = WORDS < 3 || B_WIDTH != 0 || A_WIDTH != WORDS * WIDTH ||
                        CONFIG[CONFIG_WIDTH-1:4] != {WORDS{WANTED}};
  weft_sum #(.WORDS(WORDS), .WIDTH(WIDTH), .Y_WIDTH(Y_WIDTH)) _TECHMAP_REPLACE_ (.A(A), .Y(Y));
endmodule

// A product, or one and a word to be added: CONFIG as above, the first entry with a second factor. The
// word must not have a sign that can be set; what of it is a constant 0 costs nothing.
(* techmap_celltype = "$macc" *)
module product_map #(
  parameter A_WIDTH = 1,
  parameter B_WIDTH = 0,
  parameter Y_WIDTH = 1,
  parameter CONFIG = 4'd0,
  parameter CONFIG_WIDTH = 4
) (
  input  [A_WIDTH-1:0] A,
  input  [B_WIDTH-1:0] B,
  output [Y_WIDTH-1:0] Y
);
  parameter _TECHMAP_CONSTMSK_A_ = 0;
  parameter _TECHMAP_CONSTVAL_A_ = 0;
  localparam BITS = CONFIG[3:0];
  localparam ENTRY = 2 + 2 * BITS;
  localparam [BITS-1:0] P_WIDTH = CONFIG >> 6;
  localparam [BITS-1:0] Q_WIDTH = CONFIG >> (6 + BITS);
  localparam C_WIDTH = A_WIDTH - P_WIDTH - Q_WIDTH;
  localparam [2*ENTRY-1:0] WANTED = {(C_WIDTH > 0) ? {C_WIDTH, 2'b01} : 34'd0,
                                     Q_WIDTH, P_WIDTH, 2'b01};
  localparam FITS = B_WIDTH == 0 && Q_WIDTH > 0 && C_WIDTH >= 0 && (CONFIG >> 4) == WANTED;
  localparam P = FITS ? P_WIDTH : A_WIDTH;
  localparam Q = FITS ? Q_WIDTH : 2;
  wire [A_WIDTH+Y_WIDTH+1:0] words = A;
  localparam [A_WIDTH+Y_WIDTH+1:0] ZEROS =
      {{(Y_WIDTH+2){1'b1}}, _TECHMAP_CONSTMSK_A_[A_WIDTH-1:0] & ~_TECHMAP_CONSTVAL_A_[A_WIDTH-1:0]};
  localparam B_PLUS = ZEROS[P+Q-1];
  wire _TECHMAP_FAIL_ = !FITS || (C_WIDTH > 0 && !ZEROS[A_WIDTH-1]);
  weft_booth #(
    .A_WIDTH(P), .B_WIDTH(Q - B_PLUS), .B_PLUS(B_PLUS), .Y_WIDTH(Y_WIDTH),
    .C_MASK(~(ZEROS >> (P + Q)))
  ) _TECHMAP_REPLACE_ (.A(words[P-1:0]), .B(words[P +: Q-B_PLUS]), .C(words[P+Q +: Y_WIDTH]), .Y(Y));
endmodule
