// SPDX-License-Identifier: Apache-2.0
//
// A memory window's registers keep what was written while the device was not busy and the window
// not locked, and from its lock on never change until the hard reset, whatever is written where and
// whatever else happens. One window, chosen by the solver, stands for all eight.
`default_nettype none
module window_registers (
  input wire logic        clk_i,
  input wire logic        rst_free_i,
  input wire logic        busy_i,
  input wire logic        wr_en_i,
  input wire logic [11:0] wr_addr_i,
  input wire logic [31:0] wr_data_i,
  input wire logic [11:0] rd_addr_i
);

  logic started_q = 1'b0;
  logic rst_n;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  logic [31:0] rd_data;
  logic [8*32-1:0] first, last;
  logic [7:0] enable, read, write;

  weft_window_registers u_windows (
    .clk_i,
    .rst_ni(rst_n),
    .hold_i(busy_i),
    .wr_en_i,
    .wr_addr_i,
    .wr_data_i,
    .rd_addr_i,
    .rd_data_o(rd_data),
    .first_o(first),
    .last_o(last),
    .enable_o(enable),
    .read_o(read),
    .write_o(write)
  );

  (* hierconn *) wire [7:0] \u_windows.lock_q ;  // for the invariant
  (* anyconst *) logic [2:0] window;
  logic [66:0] now, before_q;       // of that window
  logic [31:0] first_q, last_q;     // what it should hold
  logic [3:0] control_q;
  logic held_q, locked_q;           // nothing could be written in the cycle before
  logic mine;
  assign now = {first[32*window+:32], last[32*window+:32], write[window], read[window],
                enable[window]};
  assign mine = wr_en_i && wr_addr_i[11:4] == weft_pkg::RegWindowFirst[11:4] + 8'(window);

  always_ff @(posedge clk_i) begin
    before_q <= now;
    held_q <= rst_n && busy_i;
    locked_q <= rst_n && control_q[weft_pkg::WindowControlLockLsb];
    if (!rst_n) begin
      first_q <= '0;
      last_q <= '0;
      control_q <= '0;
    end else begin
      if (mine && !busy_i && !control_q[weft_pkg::WindowControlLockLsb]) begin
        if (wr_addr_i[3:0] == weft_pkg::RegWindowFirst[3:0]) first_q <= wr_data_i;
        if (wr_addr_i[3:0] == weft_pkg::RegWindowLast[3:0]) last_q <= wr_data_i;
        if (wr_addr_i[3:0] == weft_pkg::RegWindowControl[3:0]) control_q <= wr_data_i[3:0];
      end

      if (held_q) a_stable_while_busy: assert (now == before_q);
      if (locked_q) a_stable_when_locked: assert (now == before_q);
      a_holds_what_was_written: assert (now == {first_q, last_q, control_q[2:0]} &&
                                        \u_windows.lock_q [window] ==
                                        control_q[weft_pkg::WindowControlLockLsb]);
      if (rd_addr_i[11:4] == weft_pkg::RegWindowFirst[11:4] + 8'(window)) begin
        a_reads_back: assert (rd_data == ((rd_addr_i[3:0] == 4'h0) ? first_q :
                                          (rd_addr_i[3:0] == 4'h4) ? last_q :
                                          (rd_addr_i[3:0] == 4'h8) ? {28'b0, control_q} : '0));
      end
      c_written: cover (enable == 8'h81 && locked_q && first_q == 32'd5 && last_q == 32'd9);
      c_refused: cover (locked_q && mine && !busy_i && wr_addr_i[3:0] == 4'h0);
    end
  end

endmodule
`default_nettype wire
