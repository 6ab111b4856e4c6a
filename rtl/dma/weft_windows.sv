// SPDX-License-Identifier: Apache-2.0
//
// Whether the memory windows permit an access to one 256-byte block: yes while no window is
// enabled, otherwise if an enabled window with the permission holds the block. Combinational; does
// not know reads from writes: permit_i is the windows' bit of that kind.
`default_nettype none
module weft_windows (
  input  wire logic [8*32-1:0] first_i,    // window i at bit 32*i: first and last block, inclusive
  input  wire logic [8*32-1:0] last_i,
  input  wire logic [7:0]      enable_i,
  input  wire logic [7:0]      permit_i,
  input  wire logic [31:0]     block_i,    // address bits 39..8
  output      logic            allowed_o
);

  logic [7:0] holds;

  always_comb begin
    for (int unsigned i = 0; i < 8; i++) begin
      holds[i] = block_i >= first_i[32*i+:32] && block_i <= last_i[32*i+:32];
    end
  end

  assign allowed_o = enable_i == '0 || (enable_i & permit_i & holds) != '0;

endmodule
`default_nettype wire
