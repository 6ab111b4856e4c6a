// SPDX-License-Identifier: Apache-2.0
//
// weft_windows for proofs of who asks it: one block, chosen by the solver, is never permitted; the
// answer for others is anything, anew in every cycle. An access to that block that leaves would be
// one that stable windows, whatever they are, do not permit: the block stands for all of those.
`default_nettype none
module weft_windows (
  input  wire logic [8*32-1:0] first_i,
  input  wire logic [8*32-1:0] last_i,
  input  wire logic [7:0]      enable_i,
  input  wire logic [7:0]      permit_i,
  input  wire logic [31:0]     block_i,
  output      logic            allowed_o
);

  (* anyconst *) logic [31:0] denied_block;
  (* anyseq *) logic other;

  assign allowed_o = other && block_i != denied_block;

endmodule
`default_nettype wire
