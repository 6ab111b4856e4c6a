// SPDX-License-Identifier: Apache-2.0
// For techmap: full adders of arithmetic.v become the library's cell CELL.
(* techmap_celltype = "$fa" *)
module full_adder_map #(
  parameter WIDTH = 1
) (
  input [WIDTH-1:0] A,
  input [WIDTH-1:0] B,
  input [WIDTH-1:0] C,
  output [WIDTH-1:0] X,
  output [WIDTH-1:0] Y
);
  wire _TECHMAP_FAIL_ = WIDTH != 1;
  `CELL adder (.A(A), .B(B), .CIN(C), .COUT(X), .SUM(Y));
endmodule
