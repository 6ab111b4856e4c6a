// SPDX-License-Identifier: Apache-2.0
// A multiplier of the array as a module, with the parameters of Yosys' $mul. Combinational.
`default_nettype none
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
  generate
    if (A_SIGNED && B_SIGNED) begin : gen_signed
      assign Y = $signed(A) * $signed(B);
    end else begin : gen_unsigned
      assign Y = A * B;
    end
  endgenerate
endmodule
`default_nettype wire
