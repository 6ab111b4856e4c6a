// SPDX-License-Identifier: Apache-2.0
//
// Multipliers and sums of many words as cells want them: each column of bits of one weight is
// compressed by full adders ($fa: gates, or what full_adder.v makes of them) until two are left, and
// one adder does the rest. In place of Yosys' $mul and $macc in the blocks that arithmetic_map.v is
// applied to; not part of the RTL. Combinational. scripts/check.sh synth_maps proves them equal to
// what they replace.
`default_nettype none

// A * B, each with a sign or without, modulo 2^Y_WIDTH.
module weft_multiplier #(
  parameter A_SIGNED = 0,
  parameter B_SIGNED = 0,
  parameter A_WIDTH = 8,
  parameter B_WIDTH = 8,
  parameter Y_WIDTH = 16
) (
  input  wire [A_WIDTH-1:0] A,
  input  wire [B_WIDTH-1:0] B,
  output wire [Y_WIDTH-1:0] Y
);
  localparam MAX = ((A_WIDTH < B_WIDTH) ? A_WIDTH : B_WIDTH) + 1;

  // Bit j of A times bit i of B counts negative when one of them is a sign. -x is ~x - 1; what is
  // taken away makes one constant (Baugh and Wooley).
  function integer negative(input integer j, input integer i);
    negative = (A_SIGNED && j == A_WIDTH - 1) != (B_SIGNED && i == B_WIDTH - 1);
  endfunction
  function [Y_WIDTH-1:0] constant(input integer unused);
    integer i, j;
    begin
      constant = 0;
      for (i = 0; i < B_WIDTH; i = i + 1) begin
        for (j = 0; j < A_WIDTH && i + j < Y_WIDTH; j = j + 1) begin
          if (negative(j, i)) constant = constant - ({{(Y_WIDTH-1){1'b0}}, 1'b1} << (i + j));
        end
      end
    end
  endfunction
  localparam [Y_WIDTH-1:0] CONSTANT = constant(0);

  // Column c has the products of bits c - i of A and i of B, i from first(c) on.
  function integer first(input integer c);
    first = (c < A_WIDTH) ? 0 : c - A_WIDTH + 1;
  endfunction
  function integer products(input integer c);
    products = (c > A_WIDTH + B_WIDTH - 2) ? 0 : ((c < B_WIDTH) ? c : B_WIDTH - 1) - first(c) + 1;
  endfunction
  function [8*Y_WIDTH-1:0] heights(input integer unused);
    integer c;
    for (c = 0; c < Y_WIDTH; c = c + 1) heights[8*c +: 8] = products(c) + CONSTANT[c];
  endfunction

  wire [Y_WIDTH*MAX-1:0] bits;
  genvar c, i;
  generate
    for (c = 0; c < Y_WIDTH; c = c + 1) begin : column
      for (i = first(c); i < first(c) + products(c); i = i + 1) begin : product
        assign bits[MAX*c + i - first(c) + CONSTANT[c]] =
            negative(c - i, i) ? !(A[c - i] && B[i]) : (A[c - i] && B[i]);
      end
      if (CONSTANT[c]) assign bits[MAX*c] = 1'b1;
    end
  endgenerate
  wire [Y_WIDTH-1:0] x, y;
  weft_compress #(.WIDTH(Y_WIDTH), .MAX(MAX), .HEIGHT(heights(0))) compress (
    .bits(bits), .a(x), .b(y)
  );
  assign Y = x + y;
endmodule

// A * B + C, all with a sign, modulo 2^Y_WIDTH. B is read in digits of -2 to 2 (Booth, radix 4): half
// the rows to be summed, of one selected bit a place instead of one product. For B of 16 bits that is
// smaller, for 8 it is not. C_MASK: the bits of C that are not a constant 0; not its sign.
// B_PLUS: B has no sign.
module weft_booth #(
  parameter A_WIDTH = 8,
  parameter B_WIDTH = 8,
  parameter B_PLUS = 0,
  parameter Y_WIDTH = 16,
  parameter [Y_WIDTH-1:0] C_MASK = 0
) (
  input  wire [A_WIDTH-1:0] A,
  input  wire [B_WIDTH-1:0] B,
  input  wire [Y_WIDTH-1:0] C,
  output wire [Y_WIDTH-1:0] Y
);
  localparam DIGITS = (B_WIDTH + B_PLUS + 1) / 2;
  localparam PLUS = B_PLUS && B_WIDTH % 2 == 0;          // the last digit is 0 or 1
  localparam MAX = DIGITS + 3;

  // A row has A_WIDTH + 1 bits, the last of which counts negative, and a bit more where the row is
  // that of a negative digit, inverted. -x is ~x - 1; what is taken away makes one constant.
  function [Y_WIDTH-1:0] constant(input integer unused);
    integer d;
    begin
      constant = 0;
      for (d = 0; d < DIGITS && A_WIDTH + 2*d < Y_WIDTH; d = d + 1) begin
        constant = constant - ({{(Y_WIDTH-1){1'b0}}, 1'b1} << (A_WIDTH + 2*d));
      end
    end
  endfunction
  localparam [Y_WIDTH-1:0] CONSTANT = constant(0);

  // Column c has bits of the digits from first(c) on.
  function integer first(input integer c);
    first = (c <= A_WIDTH) ? 0 : (c - A_WIDTH + 1) / 2;
  endfunction
  function integer rows(input integer c);
    rows = (c / 2 < DIGITS) ? c / 2 - first(c) + 1 : (first(c) < DIGITS) ? DIGITS - first(c) : 0;
  endfunction
  function integer negative(input integer c);
    negative = c % 2 == 0 && c / 2 < DIGITS - PLUS;
  endfunction
  function [8*Y_WIDTH-1:0] heights(input integer unused);
    integer c;
    for (c = 0; c < Y_WIDTH; c = c + 1) begin
      heights[8*c +: 8] = rows(c) + negative(c) + C_MASK[c] + CONSTANT[c];
    end
  endfunction

  wire [2*DIGITS:0] b = {B_PLUS ? 2'b00 : {2{B[B_WIDTH-1]}}, B, 1'b0};
  wire [A_WIDTH+1:0] a = {A[A_WIDTH-1], A, 1'b0};
  wire [DIGITS-1:0] one, two;
  wire [Y_WIDTH*MAX-1:0] bits;
  genvar c, d;
  generate
    for (d = 0; d < DIGITS; d = d + 1) begin : digit
      assign one[d] = b[2*d+1] ^ b[2*d];
      assign two[d] = (b[2*d+2] ^ b[2*d+1]) & !one[d];
    end
    for (c = 0; c < Y_WIDTH; c = c + 1) begin : column
      localparam FIXED = CONSTANT[c] + C_MASK[c] + negative(c);
      if (CONSTANT[c]) assign bits[MAX*c] = 1'b1;
      if (C_MASK[c]) assign bits[MAX*c + CONSTANT[c]] = C[c];
      if (negative(c)) assign bits[MAX*c + CONSTANT[c] + C_MASK[c]] = b[c+2];
      for (d = first(c); d < first(c) + rows(c); d = d + 1) begin : row
        assign bits[MAX*c + FIXED + d - first(c)] = (c - 2*d == A_WIDTH) ^ b[2*d+2]
            ^ ((one[d] & a[c - 2*d + 1]) | (two[d] & a[c - 2*d]));
      end
    end
  endgenerate
  wire [Y_WIDTH-1:0] x, y;
  weft_compress #(.WIDTH(Y_WIDTH), .MAX(MAX), .HEIGHT(heights(0))) compress (
    .bits(bits), .a(x), .b(y)
  );
  weft_adder #(.WIDTH(Y_WIDTH)) add (.A(x), .B(y), .Y(Y));
endmodule

// The sum of words with a sign, modulo 2^Y_WIDTH.
module weft_sum #(
  parameter WORDS = 4,
  parameter WIDTH = 8,
  parameter Y_WIDTH = 10
) (
  input  wire [WORDS*WIDTH-1:0] A,
  output wire [Y_WIDTH-1:0] Y
);
  // Signs as in a multiplier: -x is ~x - 1.
  localparam MAX = WORDS + 1;
  localparam [Y_WIDTH-1:0] CONSTANT = -(WORDS << (WIDTH - 1));
  function [8*Y_WIDTH-1:0] heights(input integer unused);
    integer c;
    for (c = 0; c < Y_WIDTH; c = c + 1) heights[8*c +: 8] = ((c < WIDTH) ? WORDS : 0) + CONSTANT[c];
  endfunction

  wire [Y_WIDTH*MAX-1:0] bits;
  genvar c, k;
  generate
    for (c = 0; c < Y_WIDTH; c = c + 1) begin : column
      for (k = 0; k < WORDS && c < WIDTH; k = k + 1) begin : word
        assign bits[MAX*c + k + CONSTANT[c]] = (c == WIDTH - 1) ? !A[WIDTH*k + c] : A[WIDTH*k + c];
      end
      if (CONSTANT[c]) assign bits[MAX*c] = 1'b1;
    end
  endgenerate
  wire [Y_WIDTH-1:0] x, y;
  weft_compress #(.WIDTH(Y_WIDTH), .MAX(MAX), .HEIGHT(heights(0))) compress (
    .bits(bits), .a(x), .b(y)
  );

  weft_adder #(.WIDTH(Y_WIDTH)) add (.A(x), .B(y), .Y(Y));
endmodule

// A + B, modulo 2^WIDTH, with the carries of a prefix tree (Sklansky): for what is behind many levels
// of full adders. After level l, bit c of g and p stands for bits c down to the start of its group of
// 2^l.
module weft_adder #(
  parameter WIDTH = 4
) (
  input  wire [WIDTH-1:0] A,
  input  wire [WIDTH-1:0] B,
  output wire [WIDTH-1:0] Y
);
  localparam LEVELS = $clog2(WIDTH);
  wire [WIDTH-1:0] g [0:LEVELS];
  wire [WIDTH-1:0] p [0:LEVELS];
  genvar c, l;
  generate
    assign g[0] = A & B;
    assign p[0] = A | B;
    for (l = 0; l < LEVELS; l = l + 1) begin : level
      for (c = 0; c < WIDTH; c = c + 1) begin : bit
        if ((c >> l) & 1) begin : join
          assign g[l+1][c] = g[l][c] | (p[l][c] & g[l][((c >> l) << l) - 1]);
          assign p[l+1][c] = p[l][c] & p[l][((c >> l) << l) - 1];
        end else begin : keep
          assign g[l+1][c] = g[l][c];
          assign p[l+1][c] = p[l][c];
        end
      end
    end
  endgenerate
  assign Y = A ^ B ^ (g[LEVELS] << 1);
endmodule

// Two words that have the sum, modulo 2^WIDTH, of bits in columns: HEIGHT[8*c +: 8] bits of weight
// 2^c, the lowest of bits[MAX*c +: MAX]. One level of a Dadda tree, handed on to the next.
module weft_compress #(
  parameter WIDTH = 4,
  parameter MAX = 3,
  parameter [8*WIDTH-1:0] HEIGHT = 0
) (
  input  wire [WIDTH*MAX-1:0] bits,
  output wire [WIDTH-1:0] a,
  output wire [WIDTH-1:0] b
);
  function integer tallest(input integer unused);
    integer c;
    begin
      tallest = 0;
      for (c = 0; c < WIDTH; c = c + 1) begin
        if (HEIGHT[8*c +: 8] > tallest) tallest = HEIGHT[8*c +: 8];
      end
    end
  endfunction
  // What a level leaves: the largest of 2, 3, 4, 6, 9, 13, ... that is less than there is.
  function integer goal(input integer height);
    begin
      goal = 2;
      while (goal * 3 / 2 < height) goal = goal * 3 / 2;
    end
  endfunction
  localparam TALLEST = tallest(0);
  localparam LEFT = goal(TALLEST);

  // For each column, its full adders (kind 0), half adders (1), or height after this level (2).
  function [8*WIDTH-1:0] plan(input integer kind);
    integer c, carries, over, full, half;
    begin
      carries = 0;
      for (c = 0; c < WIDTH; c = c + 1) begin
        over = HEIGHT[8*c +: 8] + carries - LEFT;
        full = (over > 1) ? over / 2 : 0;
        half = (over > 0) ? over % 2 : 0;
        plan[8*c +: 8] = (kind == 0) ? full : (kind == 1) ? half
                         : HEIGHT[8*c +: 8] + carries - 2 * full - half;
        carries = full + half;
      end
    end
  endfunction
  localparam [8*WIDTH-1:0] FULL = plan(0);
  localparam [8*WIDTH-1:0] HALF = plan(1);
  localparam [8*WIDTH-1:0] NEXT = plan(2);

  genvar c, i;
  generate
    if (TALLEST <= 2) begin : words
      for (c = 0; c < WIDTH; c = c + 1) begin : column
        assign a[c] = (HEIGHT[8*c +: 8] > 0) ? bits[MAX*c] : 1'b0;
        assign b[c] = (HEIGHT[8*c +: 8] > 1) ? bits[MAX*c + 1] : 1'b0;
      end
    end else begin : tree
      wire [WIDTH*LEFT-1:0] left;
      for (c = 0; c < WIDTH; c = c + 1) begin : column
        localparam F = FULL[8*c +: 8];
        localparam H = HALF[8*c +: 8];
        localparam REST = HEIGHT[8*c +: 8] - 3 * F - 2 * H;
        localparam CARRIES = NEXT[8*c +: 8] - REST - F - H;   // of the column before
        wire [F+H:0] carry;
        for (i = 0; i < REST; i = i + 1) begin : rest
          assign left[LEFT*c + i] = bits[MAX*c + 3*F + 2*H + i];
        end
        for (i = 0; i < F; i = i + 1) begin : full
          \$fa #(.WIDTH(1)) adder (
            .A(bits[MAX*c + 3*i]), .B(bits[MAX*c + 3*i + 1]), .C(bits[MAX*c + 3*i + 2]),
            .X(carry[i]), .Y(left[LEFT*c + REST + i])
          );
        end
        for (i = 0; i < H; i = i + 1) begin : half
          wire x = bits[MAX*c + 3*F], y = bits[MAX*c + 3*F + 1];
          assign left[LEFT*c + REST + F + i] = x ^ y;
          assign carry[F + i] = x & y;
        end
        for (i = 0; i < CARRIES; i = i + 1) begin : carried
          assign left[LEFT*c + REST + F + H + i] = column[c-1].carry[i];
        end
      end
      weft_compress #(.WIDTH(WIDTH), .MAX(LEFT), .HEIGHT(NEXT)) next (.bits(left), .a(a), .b(b));
    end
  endgenerate
endmodule
`default_nettype wire
