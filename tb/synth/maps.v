// SPDX-License-Identifier: Apache-2.0
//
// What constraints/arithmetic_map.v, full_adder.v and clock_gate.v replace, one of each kind, small enough to prove.
`default_nettype none
module arithmetic (
  input  wire signed [5:0] a, b,
  input  wire [3:0] c, d,
  input  wire [29:0] words,              // six, with signs
  output wire signed [11:0] signs,
  output wire [7:0] plain,
  output wire signed [9:0] mixed,
  output wire [7:0] low,                 // of a product that is wider
  input  wire one,
  output wire signed [10:0] rounded,     // a product and a constant, or not
  output wire signed [11:0] halves,
  output reg  signed [7:0] sum
);
  assign signs = a * b;
  assign plain = c * d;
  assign mixed = a * $signed({1'b0, c});
  assign low = a * b;
  assign rounded = a * $signed({1'b0, c}) + $signed({1'b0, one, 3'b000});
  assign halves = b * $signed(words[5:0]);
  integer i;
  always @* begin
    sum = 0;
    for (i = 0; i < 6; i = i + 1) sum = sum + $signed(words[5*i +: 5]);
  end
endmodule

module register (
  input  wire clk, load,
  input  wire [7:0] a,
  output reg  [7:0] kept
);
  always @(posedge clk) if (load) kept <= a;
endmodule

// A library's full adder.
module library_adder (
  input  wire A,
  input  wire B,
  input  wire CIN,
  output wire COUT,
  output wire SUM
);
  assign {COUT, SUM} = A + B + CIN;
endmodule

// A clock gate: the enable as it is while the clock is low.
module clock_gate (
  input  wire CLK,
  input  wire GATE,
  output wire GCLK
);
  reg open;
  always @* if (!CLK) open = GATE;
  assign GCLK = CLK && open;
endmodule
`default_nettype wire
