// SPDX-License-Identifier: Apache-2.0
//
// weft_ram_fifo keeps every item, once, in order and unchanged, and offers it within two cycles. One
// item, chosen freely by the solver when it enters, is watched: how many items are ahead of it is
// counted here, without a look into the FIFO, and when none is, what is offered must be that item.
`default_nettype none
module ram_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 4
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
  logic [Width-1:0] data;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  weft_ram_fifo #(
    .Width(Width),
    .Depth(Depth)
  ) u_fifo (
    .clk_i,
    .rst_ni(rst_n),
    .valid_i,
    .ready_o(ready),
    .data_i,
    .valid_o(valid),
    .ready_i,
    .data_o(data)
  );

  logic [7:0] inside_q;  // items in the FIFO
  logic [7:0] ahead_q;   // items ahead of the watched one
  logic watched_q, stalled_q, older_q;   // older_q: an item is a cycle old
  logic [Width-1:0] item_q, stalled_data_q;
  logic push, pop;
  assign push = valid_i && ready;
  assign pop = valid && ready_i;

  always_ff @(posedge clk_i) begin
    stalled_data_q <= data;
    if (!rst_n) begin
      inside_q <= '0;
      watched_q <= 1'b0;
      stalled_q <= 1'b0;
      older_q <= 1'b0;
    end else begin
      older_q <= inside_q != 8'(pop);
      inside_q <= inside_q + 8'(push) - 8'(pop);
      stalled_q <= valid && !ready_i;
      if (watched_q) begin
        if (pop) ahead_q <= ahead_q - 1'b1;
        if (pop && ahead_q == '0) watched_q <= 1'b0;
      end else if (watch_i && push) begin
        watched_q <= 1'b1;
        item_q <= data_i;
        ahead_q <= inside_q - 8'(pop);
      end

      // In memory, and one on offer or on its way.
      a_no_overflow: assert (inside_q <= 8'(Depth + 1));
      a_ready_while_room: assert (ready == (inside_q != 8'(Depth + 1)));
      a_valid_only_with_items: assert (!valid || inside_q != '0);
      a_offered_soon: assert (!older_q || valid);
      if (watched_q) begin
        a_watched_still_inside: assert (ahead_q < inside_q);
        if (ahead_q == '0 && valid) a_watched_comes_out: assert (data == item_q);
      end
      if (stalled_q) a_output_held: assert (valid && data == stalled_data_q);

      c_full: cover (inside_q == 8'(Depth + 1));
      c_watched_leaves: cover (watched_q && pop && ahead_q == '0 && inside_q == 8'(Depth + 1));
      c_both: cover (push && pop && inside_q == 8'(Depth));
    end
  end

endmodule
`default_nettype wire
