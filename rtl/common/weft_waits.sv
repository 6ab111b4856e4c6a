// SPDX-License-Identifier: Apache-2.0
//
// The waits of a command: ok_o when every count that mask_i names (0 loads, 1 execution blocks,
// 2 stores) has reached its value, modulo 2^16. Combinational.
`default_nettype none
module weft_waits (
  input  wire logic [2:0]  mask_i,
  input  wire logic [15:0] wait_load_i,
  input  wire logic [15:0] wait_exec_i,
  input  wire logic [15:0] wait_store_i,
  input  wire logic [15:0] load_count_i,
  input  wire logic [15:0] exec_count_i,
  input  wire logic [15:0] store_count_i,
  output      logic        ok_o
);

  // Only the signs matter.
  /* verilator lint_off UNUSEDSIGNAL */
  logic [15:0] load_past, exec_past, store_past;
  /* verilator lint_on UNUSEDSIGNAL */

  assign load_past = load_count_i - wait_load_i;
  assign exec_past = exec_count_i - wait_exec_i;
  assign store_past = store_count_i - wait_store_i;
  assign ok_o = (mask_i & {store_past[15], exec_past[15], load_past[15]}) == '0;

endmodule
`default_nettype wire
