// SPDX-License-Identifier: Apache-2.0
//
// weft_fifo, or weft_shift_fifo, keeps every item, once, in order and unchanged. One item, chosen freely by the solver
// when it enters, is watched: how many items are ahead of it is counted here, without a look into
// the FIFO, and when none is, the output must be that item.
`default_nettype none
module fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 2,
  parameter bit Shift = 1'b0   // weft_shift_fifo
) (
  input wire logic             clk_i,
  input wire logic             rst_free_i,  // later resets, at any time
  input wire logic             valid_i,
  input wire logic [Width-1:0] data_i,
  input wire logic             ready_i,
  input wire logic             watch_i      // watch the item that enters now
);

  logic started_q = 1'b0;
  logic rst_n, ready, valid;
  logic [Width-1:0] data, next;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  if (Shift) begin : gen_shift
    weft_shift_fifo #(.Width(Width), .Depth(Depth)) u_fifo (
      .clk_i, .rst_ni(rst_n),
      .valid_i, .ready_o(ready), .data_i,
      .valid_o(valid), .ready_i, .data_o(data), .next_o(next)
    );
  end else begin : gen_pointers
    weft_fifo #(.Width(Width), .Depth(Depth)) u_fifo (
      .clk_i, .rst_ni(rst_n),
      .valid_i, .ready_o(ready), .data_i,
      .valid_o(valid), .ready_i, .data_o(data)
    );
    assign next = data;
  end

  // The contract of the writer: what is offered stays until it is taken.
  logic offered_q = 1'b0;
  logic [Width-1:0] offered_data_q;
  always_ff @(posedge clk_i) begin
    offered_q <= rst_n && valid_i && !ready;
    offered_data_q <= data_i;
    if (offered_q && rst_n) m_held: assume (valid_i && data_i == offered_data_q);
  end

  logic [7:0] inside_q;  // items in the FIFO
  logic [7:0] ahead_q;   // items ahead of the watched one
  logic watched_q, stalled_q, comes_q;
  logic [Width-1:0] item_q, stalled_data_q, next_q;
  logic push, pop;
  assign push = valid_i && ready;
  assign pop = valid && ready_i;

  always_ff @(posedge clk_i) begin
    stalled_data_q <= data;
    next_q <= next;
    if (!rst_n) begin
      inside_q <= '0;
      watched_q <= 1'b0;
      stalled_q <= 1'b0;
      comes_q <= 1'b0;
    end else begin
      inside_q <= inside_q + 8'(push) - 8'(pop);
      stalled_q <= valid && !ready_i;
      comes_q <= Shift && (pop || !valid) && (push || inside_q > 8'd1);
      if (watched_q) begin
        if (pop) ahead_q <= ahead_q - 1'b1;
        if (pop && ahead_q == '0) watched_q <= 1'b0;
      end else if (watch_i && push) begin
        watched_q <= 1'b1;
        item_q <= data_i;
        ahead_q <= inside_q - 8'(pop);
      end

      a_no_overflow: assert (inside_q <= 8'(Depth));
      a_ready_while_room: assert (ready == (inside_q != 8'(Depth)));
      a_valid_while_items: assert (valid == (inside_q != '0));
      if (watched_q) begin
        a_watched_still_inside: assert (ahead_q < inside_q);
        if (ahead_q == '0) a_watched_comes_out: assert (valid && data == item_q);
      end
      if (comes_q) a_next_foretold: assert (valid && data == next_q);
      if (stalled_q) a_output_held: assert (valid && data == stalled_data_q);

      c_full: cover (inside_q == 8'(Depth));
      c_watched_leaves: cover (watched_q && pop && ahead_q == '0 && inside_q == 8'(Depth));
      if (Depth > 1) c_both: cover (push && pop && inside_q == 8'(Depth - 1));
    end
  end

endmodule
`default_nettype wire
