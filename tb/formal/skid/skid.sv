// SPDX-License-Identifier: Apache-2.0
//
// weft_skid hands on every item, once, in order and unchanged, at full rate. It keeps one item at
// most, so order is that an item comes in only when the one before has left. Source and sink are
// free: the source may even take an offer back that was not taken.
`default_nettype none
module skid #(
  parameter int unsigned Width = 8
) (
  input wire logic             clk_i,
  input wire logic             rst_free_i,  // later resets, at any time
  input wire logic             valid_i,
  input wire logic [Width-1:0] data_i,
  input wire logic             ready_i
);

  logic started_q = 1'b0;
  logic rst_n, ready, valid;
  logic [Width-1:0] data;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  weft_skid #(.Width(Width)) u_skid (
    .clk_i,
    .rst_ni(rst_n),
    .valid_i,
    .ready_o(ready),
    .data_i,
    .valid_o(valid),
    .ready_i,
    .data_o(data)
  );

  logic [7:0] inside_q;      // items taken and not handed on
  logic [Width-1:0] item_q;  // the last one taken
  logic push, pop;
  logic stalled_q, flowing_q;
  logic [Width-1:0] stalled_data_q;
  assign push = valid_i && ready;
  assign pop = valid && ready_i;

  always_ff @(posedge clk_i) begin
    if (push) item_q <= data_i;
    stalled_data_q <= data;
    if (!rst_n) begin
      inside_q <= '0;
      stalled_q <= 1'b0;
      flowing_q <= 1'b0;
    end else begin
      inside_q <= inside_q + 8'(push) - 8'(pop);
      stalled_q <= valid && !ready_i;
      flowing_q <= ready_i;

      a_one_inside: assert (inside_q <= 8'd1);
      // A function of what happened up to the last edge: of no input of this cycle.
      a_ready_from_register: assert (ready == (inside_q == '0));
      a_valid_while_items: assert (valid == (valid_i || inside_q != '0));
      if (inside_q != '0) a_kept_comes_out: assert (data == item_q);
      if (inside_q == '0 && valid) a_passes: assert (data == data_i);
      if (stalled_q) a_output_held: assert (valid && data == stalled_data_q);
      if (flowing_q) a_full_rate: assert (ready);

      c_kept_leaves: cover (inside_q != '0 && pop && valid_i && data != data_i);
      c_flows: cover (flowing_q && push && pop);
      c_offer_taken_back: cover (stalled_q && inside_q != '0 && !valid_i);
    end
  end

endmodule
`default_nettype wire
