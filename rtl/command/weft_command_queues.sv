// SPDX-License-Identifier: Apache-2.0
// The command queues: load, weights, store, exec. All lie in one memory, each command once; the
// exec queue is read three times, by feed, weight loader and post. A reader has its next command in
// a register. Pushed to a reader that has none it goes there at once and is offered in the next
// cycle; otherwise it is fetched when the reader has taken the one before. The exec readers' ready
// comes from a register, and they keep what they take: they are offered the memory's output itself,
// a command a cycle; the others a command in three. The memory is read once a cycle, for the
// readers in turn: with all six waiting up to eight cycles. Does not look into commands.
`default_nettype none
`include "common/weft_assert.svh"
module weft_command_queues #(
    parameter int unsigned Width = 8,
    parameter int unsigned Depth = 8    // commands of a queue, a power of two
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic [3:0]  push_i,    // load, weights, store, exec: at most one, and only with
    output logic [3:0]       ready_o,   // ready_o, which waits for nobody
    input  wire logic [Width-1:0] data_i,
    output logic [5:0]       valid_o,   // load, weights, store; exec: feed, loader, post
    input  wire logic [5:0]  ready_i,
    output logic [6*Width-1:0] data_o,
    output logic             empty_o,   // no reader has a command or will get one
    output logic             awake_o    // a register changes at the next edge
);
  localparam int unsigned Queues = 4;
  localparam int unsigned Readers = 6;
  localparam int unsigned Exec = 3;     // its queue, and the first of its readers
  localparam int unsigned SlotBits = $clog2(Depth);

  // Next slot to write, next one to fetch: one bit more than a slot, so that all differ from none.
  logic [SlotBits:0] wr_ptr_q [Queues];
  logic [SlotBits:0] rd_ptr_q [Readers];
  logic [SlotBits:0] count_q [Readers];   // commands pushed and not taken
  logic [Readers-1:0] push, pop, more, free, direct, want, grant, arrives_q, head_valid_q;
  logic [Width-1:0] head_q [Readers];
  logic [Width-1:0] rd_data;

  always_comb begin
    ready_o = '1;
    for (int unsigned r = 0; r < Readers; r++) begin
      more[r] = rd_ptr_q[r] != wr_ptr_q[(r < Exec) ? r : Exec];
      if (count_q[r][SlotBits]) ready_o[(r < Exec) ? r : Exec] = 1'b0;
      valid_o[r] = head_valid_q[r] || (r >= Exec && arrives_q[r]);
      data_o[r*Width+:Width] = (r >= Exec && arrives_q[r]) ? rd_data : head_q[r];
      free[r] = (!head_valid_q[r] && !arrives_q[r]) || (r >= Exec && ready_i[r]);
    end
    push = {{(Readers-Exec){push_i[Exec]}}, push_i[Exec-1:0]};
    direct = push & ~more & free;
    want = more & free;
    empty_o = 1'b1;
    for (int unsigned r = 0; r < Readers; r++) if (count_q[r] != '0) empty_o = 1'b0;
  end

  assign pop = valid_o & ready_i;

  // In turn: who comes after the last one served goes first.
  logic [Readers-1:0] turn_q, after, from;
  assign after = want & turn_q;
  assign from = (after != '0) ? after : want;
  assign grant = from & (~from + 1'b1);

  assign awake_o = push_i != '0 || want != '0 || arrives_q != '0 || (valid_o & ready_i) != '0;

  // A queue has its part of the memory.
  logic [SlotBits+1:0] wr_addr, rd_addr;
  always_comb begin
    wr_addr = '0;
    for (int unsigned q = 0; q < Queues; q++) begin
      if (push_i[q]) wr_addr = wr_addr | {2'(q), wr_ptr_q[q][SlotBits-1:0]};
    end
    rd_addr = '0;
    for (int unsigned r = 0; r < Readers; r++) begin
      if (grant[r]) rd_addr = rd_addr | {2'((r < Exec) ? r : Exec), rd_ptr_q[r][SlotBits-1:0]};
    end
  end

  weft_ram #(
      .Width(Width),
      .Depth(Queues * Depth)
  ) u_ram (
      .clk_i,
      .rd_en_i(want != '0),
      .rd_addr_i(rd_addr),
      .rd_data_o(rd_data),
      .wr_en_i(push_i != '0),
      .wr_addr_i(wr_addr),
      .wr_data_i(data_i),
      .wr_mask_i(1'b1)
  );

  always_ff @(posedge clk_i) begin
    for (int unsigned r = 0; r < Readers; r++) begin
      if (direct[r] || arrives_q[r]) head_q[r] <= direct[r] ? data_i : rd_data;
    end
    if (!rst_ni) begin
      for (int unsigned q = 0; q < Queues; q++) wr_ptr_q[q] <= '0;
      for (int unsigned r = 0; r < Readers; r++) begin
        rd_ptr_q[r] <= '0;
        count_q[r] <= '0;
      end
      turn_q <= '0;
      arrives_q <= '0;
      head_valid_q <= '0;
    end else begin
      for (int unsigned q = 0; q < Queues; q++) begin
        wr_ptr_q[q] <= wr_ptr_q[q] + (SlotBits+1)'(push_i[q]);
      end
      for (int unsigned r = 0; r < Readers; r++) begin
        rd_ptr_q[r] <= rd_ptr_q[r] + (SlotBits+1)'(direct[r] || grant[r]);
        if (push[r] && !pop[r]) count_q[r] <= count_q[r] + 1'b1;
        if (pop[r] && !push[r]) count_q[r] <= count_q[r] - 1'b1;
      end
      if (want != '0) turn_q <= ~(grant | (grant - 1'b1));
      arrives_q <= grant;
      for (int unsigned r = 0; r < Readers; r++) begin
        head_valid_q[r] <= direct[r] || (arrives_q[r] && !(r >= Exec && ready_i[r])) ||
                           (head_valid_q[r] && !ready_i[r]);
      end
      `WEFT_ASSERT(a_push_has_room, (push_i & ~ready_o) == '0)
      `WEFT_ASSERT(a_one_push, (push_i & (push_i - 1'b1)) == '0)
    end
  end
endmodule
`default_nettype wire
