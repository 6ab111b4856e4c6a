// SPDX-License-Identifier: Apache-2.0
// For techmap: Yosys' $mul becomes an instance of weft_multiplier.
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
  weft_multiplier #(
    .A_SIGNED(A_SIGNED), .B_SIGNED(B_SIGNED),
    .A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
  ) _TECHMAP_REPLACE_ (.A(A), .B(B), .Y(Y));
endmodule
