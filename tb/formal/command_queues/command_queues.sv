// SPDX-License-Identifier: Apache-2.0
//
// weft_command_queues gives every reader every command of its queue, once, in order and unchanged,
// and in time, whatever the other readers do. One command, chosen freely by the solver when it is
// pushed, is watched: how many are ahead of it is counted here for each reader, without a look
// inside.
`default_nettype none
module command_queues #(
  parameter int unsigned Width = 2,
  parameter int unsigned Depth = 2
) (
  input wire logic             clk_i,
  input wire logic             rst_free_i,  // later resets, at any time
  input wire logic [3:0]       push_i,
  input wire logic [Width-1:0] data_i,
  input wire logic [5:0]       ready_i,
  input wire logic             watch_i      // watch the command that enters now
);

  logic started_q = 1'b0;
  logic rst_n, empty;
  logic [3:0] ready;
  logic [5:0] valid;
  logic [6*Width-1:0] data;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  weft_command_queues #(
    .Width(Width),
    .Depth(Depth)
  ) u_queues (
    .clk_i,
    .rst_ni(rst_n),
    .push_i(push_i),
    .ready_o(ready),
    .data_i,
    .valid_o(valid),
    .ready_i,
    .data_o(data),
    .empty_o(empty)
  );

  logic watched_q;
  logic [Width-1:0] item_q;
  always_ff @(posedge clk_i) begin
    if (rst_n && watch_i && push_i != '0 && !watched_q) begin
      watched_q <= 1'b1;
      item_q <= data_i;
    end
    if (!rst_n) watched_q <= 1'b0;
  end

  logic [5:0] few, full, something, still_inside, comes_out, held, in_time;
  logic [5:0] leaves_full;
  for (genvar r = 0; r < 6; r++) begin : gen_reader
    localparam int unsigned Q = (r < 3) ? r : 3;
    logic [3:0] inside_q, ahead_q, late_q;
    logic has_q, stalled_q, pop;
    logic [Width-1:0] stalled_data_q, out;
    assign out = data[r*Width+:Width];
    assign pop = valid[r] && ready_i[r];
    always_ff @(posedge clk_i) begin
      stalled_data_q <= out;
      if (!rst_n) begin
        inside_q <= '0;
        late_q <= '0;
        has_q <= 1'b0;
        stalled_q <= 1'b0;
      end else begin
        inside_q <= inside_q + 4'(push_i[Q]) - 4'(pop);
        late_q <= (inside_q != '0 && !valid[r]) ? late_q + 1'b1 : '0;
        stalled_q <= valid[r] && !ready_i[r];
        if (watch_i && push_i[Q] && !watched_q) begin
          has_q <= 1'b1;
          ahead_q <= inside_q - 4'(pop);
        end else if (pop) begin
          ahead_q <= ahead_q - 1'b1;
          if (ahead_q == '0) has_q <= 1'b0;
        end
      end
    end
    assign few[r] = inside_q <= 4'(Depth);
    assign full[r] = inside_q == 4'(Depth);
    assign something[r] = inside_q != '0;
    assign still_inside[r] = !has_q || ahead_q < inside_q;
    assign comes_out[r] = !(has_q && ahead_q == '0 && valid[r]) || out == item_q;
    assign held[r] = !stalled_q || (valid[r] && out == stalled_data_q);
    assign in_time[r] = late_q < 4'd7 || valid[r];
    assign leaves_full[r] = has_q && pop && ahead_q == '0 && full[r];
  end

  always_ff @(posedge clk_i) begin
    m_one_push: assume ((push_i & (push_i - 1'b1)) == '0 && (push_i & ~ready) == '0);
    if (rst_n) begin
      a_no_overflow: assert (few == '1);
      a_ready_while_room: assert (ready == {full[5:3] == '0, ~full[2:0]});
      a_valid_if_something: assert ((valid & ~something) == '0);
      a_empty_if_nothing: assert (empty == (something == '0));
      a_watched_still_inside: assert (still_inside == '1);
      a_watched_comes_out: assert (comes_out == '1);
      a_output_held: assert (held == '1);
      a_offered_in_time: assert (in_time == '1);

      c_full_leaves: cover (leaves_full[5] && full[0]);
      c_all_wait: cover (something == '1 && valid == '0);
    end
  end

endmodule
`default_nettype wire
