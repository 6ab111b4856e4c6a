// SPDX-License-Identifier: Apache-2.0
//
// weft_windows says yes exactly if no window is enabled, or one that is enabled and has the
// permission holds the block - for all contents of the eight windows.
`default_nettype none
module windows (
  input wire logic            clk_i,
  input wire logic [8*32-1:0] first_i,
  input wire logic [8*32-1:0] last_i,
  input wire logic [7:0]      enable_i,
  input wire logic [7:0]      permit_i,
  input wire logic [31:0]     block_i,
  input wire logic [2:0]      window_i   // any of the eight
);

  logic allowed, holds;
  weft_windows u_windows (
    .first_i,
    .last_i,
    .enable_i,
    .permit_i,
    .block_i,
    .allowed_o(allowed)
  );

  // Outside window_i: below its first block or above its last.
  logic [31:0] first, last;
  assign first = first_i[32*window_i+:32];
  assign last = last_i[32*window_i+:32];
  assign holds = enable_i[window_i] && permit_i[window_i] && !(block_i < first) && !(last < block_i);

  // Whether any window holds it, as a vector: the solver's window_i stands for each.
  logic [7:0] outside;
  always_comb begin
    for (int unsigned i = 0; i < 8; i++) begin
      outside[i] = !enable_i[i] || !permit_i[i] || block_i < first_i[32*i+:32] ||
                   last_i[32*i+:32] < block_i;
    end
  end

  // One cycle of history: the solvers in ABC refuse a design without a register.
  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  always_ff @(posedge clk_i) if (started_q) begin
    if (enable_i == '0) a_all_without_windows: assert (allowed);
    if (holds) a_inside_permitted: assert (allowed);
    if (enable_i != '0 && &outside) a_outside_denied: assert (!allowed);
    if (enable_i != '0 && last < first && permit_i == 8'h01 << window_i) begin
      a_empty_window_holds_nothing: assert (!allowed);
    end
    c_allowed: cover (allowed && enable_i == 8'h80);
    c_denied: cover (!allowed && enable_i == 8'h80 && permit_i == 8'h80);
  end

endmodule
`default_nettype wire
