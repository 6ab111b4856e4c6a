// SPDX-License-Identifier: Apache-2.0
// For techmap: words of four bits or more that keep their value without EN get a gated clock in place
// of a multiplexer a bit. CELL is the library's clock gate.
(* techmap_celltype = "$dffe" *)
module clock_gate_map #(
  parameter WIDTH = 1,
  parameter CLK_POLARITY = 1,
  parameter EN_POLARITY = 1
) (
  input CLK,
  input EN,
  input [WIDTH-1:0] D,
  output [WIDTH-1:0] Q
);
  wire _TECHMAP_FAIL_ = WIDTH < 4 || !CLK_POLARITY;
  wire clock;
  `CELL gate (.CLK(CLK), .GATE(EN_POLARITY ? EN : !EN), .GCLK(clock));
  \$dff #(.WIDTH(WIDTH), .CLK_POLARITY(1'b1)) word (.CLK(clock), .D(D), .Q(Q));
endmodule
