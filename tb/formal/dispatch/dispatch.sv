// SPDX-License-Identifier: Apache-2.0
//
// No legal stream deadlocks between command, load, weights, exec and store. Around the real
// dispatcher and its queues stand engines that do what they must and nothing more: they take the
// head of their queue when its waits are met, and retire in order, each after any time. The solver
// chooses a command to watch as it enters, in a stream of any length. Claimed: from the moment
// everything before it has retired, nothing but its own engine can hold it up: it is at the head of
// its queue (or goes there in this cycle; END, a cycle later), which offers it within seven cycles
// whatever the other engines take, and its waits are met and stay met. An oldest command always
// exists, so a stream ends if every engine ends a command it may begin.
//
// That the queues keep commands in order and unchanged is the proof `command_queues`.
// The engines here may also begin a command too early; that only adds behaviour.
`default_nettype none
module dispatch (
  input wire logic         clk_i,
  input wire logic         rst_free_i,
  input wire logic         cmd_valid_i,
  input wire logic [255:0] cmd_i,
  input wire logic [31:0]  cmd_index_i,
  input wire logic [319:0] region_base_i,
  input wire logic         watch_i,        // watch the command that enters now,
  input wire logic [2:0]   mask_i,         // and these waits of it, or of one of its beats
  input wire logic [47:0]  waits_i,
  input wire logic [12:0]  blocks_i,       // blocks that the command that enters now will retire
  // what the engines choose to do
  input wire logic [5:0]   take_i,         // load, weights, store; exec: feed, loader, post
  input wire logic [3:0]   retire_i,       // load, weights, store, exec: the oldest command
  input wire logic [2:0]   count_i         // a LOAD, a block, a STORE counts as retired
);
  logic started_q = 1'b0;
  logic rst_n;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  logic cmd_ready, end_done, engines_idle;
  logic [5:0] valid;
  logic [15:0] load_count, exec_count, store_count;
  logic [7:0] error;
  weft_dispatch u_dispatch (
    .clk_i, .rst_ni(rst_n),
    .cmd_valid_i, .cmd_ready_o(cmd_ready), .cmd_i, .cmd_index_i(32'd0), .exhausted_i(1'b0),
    .running_i(1'b1), .region_base_i(320'd0),
    .load_valid_o(valid[0]), .load_ready_i(take_i[0]),
    .load_addr_o(), .load_index_o(), .load_cmd_o(),
    .weights_valid_o(valid[1]), .weights_ready_i(take_i[1]),
    .weights_addr_o(), .weights_index_o(), .weights_cmd_o(),
    .store_valid_o(valid[2]), .store_ready_i(take_i[2]),
    .store_addr_o(), .store_index_o(), .store_cmd_o(),
    .feed_valid_o(valid[3]), .feed_ready_i(take_i[3]), .feed_cmd_o(),
    .loader_valid_o(valid[4]), .loader_ready_i(take_i[4]), .loader_cmd_o(),
    .post_valid_o(valid[5]), .post_ready_i(take_i[5]),
    .post_addr_o(), .post_index_o(), .post_cmd_o(), .feed_index_o(),
    .load_retired_i(count_i[0]), .block_retired_i(count_i[1]), .store_retired_i(count_i[2]),
    .load_count_o(load_count), .exec_count_o(exec_count), .store_count_o(store_count),
    .engines_idle_i(engines_idle), .end_o(end_done), .error_o(error), .error_index_o()
  );
  (* hierconn *) wire \u_dispatch.held_q , \u_dispatch.taken ;
  (* hierconn *) wire [2:0] \u_dispatch.engine_q ;
  (* hierconn *) wire [255:0] \u_dispatch.cmd_q ;

  // The queues: commands in each, in memory, on their way, offered; whose turn it is.
  (* hierconn *) wire [3:0] \u_dispatch.u_queues.count_q[0] , \u_dispatch.u_queues.count_q[1] ,
    \u_dispatch.u_queues.count_q[2] , \u_dispatch.u_queues.count_q[3] , \u_dispatch.u_queues.count_q[4] ,
    \u_dispatch.u_queues.count_q[5] ;
  (* hierconn *) wire [3:0] \u_dispatch.u_queues.wr_ptr_q[0] , \u_dispatch.u_queues.wr_ptr_q[1] ,
    \u_dispatch.u_queues.wr_ptr_q[2] , \u_dispatch.u_queues.wr_ptr_q[3] ;
  (* hierconn *) wire [3:0] \u_dispatch.u_queues.rd_ptr_q[0] , \u_dispatch.u_queues.rd_ptr_q[1] ,
    \u_dispatch.u_queues.rd_ptr_q[2] , \u_dispatch.u_queues.rd_ptr_q[3] , \u_dispatch.u_queues.rd_ptr_q[4] ,
    \u_dispatch.u_queues.rd_ptr_q[5] ;
  (* hierconn *) wire [5:0] \u_dispatch.u_queues.head_valid_q , \u_dispatch.u_queues.arrives_q ,
    \u_dispatch.u_queues.turn_q ;
  logic [23:0] inside, stored;
  assign inside = {\u_dispatch.u_queues.count_q[5] , \u_dispatch.u_queues.count_q[4] ,
    \u_dispatch.u_queues.count_q[3] , \u_dispatch.u_queues.count_q[2] , \u_dispatch.u_queues.count_q[1] ,
    \u_dispatch.u_queues.count_q[0] };
  assign stored = {\u_dispatch.u_queues.wr_ptr_q[3] - \u_dispatch.u_queues.rd_ptr_q[5] ,
    \u_dispatch.u_queues.wr_ptr_q[3] - \u_dispatch.u_queues.rd_ptr_q[4] ,
    \u_dispatch.u_queues.wr_ptr_q[3] - \u_dispatch.u_queues.rd_ptr_q[3] ,
    \u_dispatch.u_queues.wr_ptr_q[2] - \u_dispatch.u_queues.rd_ptr_q[2] ,
    \u_dispatch.u_queues.wr_ptr_q[1] - \u_dispatch.u_queues.rd_ptr_q[1] ,
    \u_dispatch.u_queues.wr_ptr_q[0] - \u_dispatch.u_queues.rd_ptr_q[0] };
  logic [5:0] offered, arrives, turn;
  assign offered = \u_dispatch.u_queues.head_valid_q ;
  assign arrives = \u_dispatch.u_queues.arrives_q ;
  assign turn = \u_dispatch.u_queues.turn_q ;

  // The engine of a command, and the counts it will add to, by docs/commands.md.
  logic enters, leaves, works;
  logic [3:0] engine, held_engine_q;   // load, weights, store, exec; none: control
  assign enters = cmd_valid_i && cmd_ready && rst_n;
  assign leaves = \u_dispatch.taken && rst_n;
  assign works = cmd_i[7:0] == 8'h28 || cmd_i[7:0] == 8'h29 || cmd_i[7:0] == 8'h2a;
  assign engine[0] = cmd_i[7:0] == 8'h10;
  assign engine[1] = cmd_i[7:0] == 8'h11;
  assign engine[2] = cmd_i[7:0] == 8'h12 || (cmd_i[7:0] == 8'h02 && cmd_i[8]);
  assign engine[3] = cmd_i[7:0] == 8'h20 || cmd_i[7:0] == 8'h21 || cmd_i[7:0] == 8'h22 || works ||
                     (cmd_i[7:0] == 8'h02 && !cmd_i[8]);
  logic [13:0] adds [3];
  assign adds[0] = 14'(engine[0]);
  assign adds[1] = works ? 14'(blocks_i) : 14'd0;
  assign adds[2] = 14'(cmd_i[7:0] == 8'h12);
  always_ff @(posedge clk_i) if (enters) held_engine_q <= engine;

  logic held;
  assign held = \u_dispatch.held_q ;
  assign engines_idle = begun[0] == '0 && begun[1] == '0 && begun[2] == '0 && begun[3] == '0 &&
                        begun[4] == '0 && begun[5] == '0;

  // What the stream has set up so far, as docs/commands.md says; the decoder relies on it.
  logic input_q, output_q, add_q, adds_q, params_q, tensor_q, open_q;
  logic [7:0] pixels_q;
  logic [15:0] channels_q;
  always_ff @(posedge clk_i) begin
    if (!rst_n) begin
      {input_q, output_q, add_q, adds_q, params_q, tensor_q, open_q} <= '0;
    end else if (enters) begin
      case (cmd_i[7:0])
        8'h20: input_q <= 1'b1;
        8'h21: {output_q, adds_q, params_q, tensor_q} <= {1'b1, cmd_i[49], cmd_i[48], cmd_i[47]};
        8'h22: add_q <= 1'b1;
        8'h28: begin                   // RUN: without acc_last it opens an accumulation
          open_q <= !cmd_i[9];
          if (!open_q) {pixels_q, channels_q} <= {cmd_i[99:92], cmd_i[219:204]};
        end
        default: ;
      endcase
    end
  end
  (* hierconn *) wire \u_dispatch.have_input_q , \u_dispatch.have_output_q ,
    \u_dispatch.have_add_q , \u_dispatch.adds_q , \u_dispatch.has_params_q ,
    \u_dispatch.per_tensor_q , \u_dispatch.acc_open_q ;
  (* hierconn *) wire [7:0] \u_dispatch.acc_pixels_q ;
  (* hierconn *) wire [15:0] \u_dispatch.acc_channels_q ;

  // The watched command: where it is, and how many are in front of it.
  logic watched_q, watch, in_held_q, done;
  logic [3:0] engine_q;
  logic [5:0] in_queue_q;
  logic [2:0] mask_q;
  logic [47:0] waits_q;
  assign watch = enters && watch_i && !watched_q;

  // Queues: commands taken from each and not retired; those in front of the watched one.
  logic [5:0] begun [6];
  logic [3:0] ahead [6];
  logic [5:0] pop, push;
  logic [5:0] queue_ok, retires_begun, few_begun;
  for (genvar q = 0; q < 6; q++) begin : gen_queue
    localparam int unsigned E = (q > 3) ? 3 : q;
    assign pop[q] = valid[q] && take_i[q];
    assign push[q] = leaves && held_engine_q[E];
    always_ff @(posedge clk_i) begin
      if (!rst_n) begin
        begun[q] <= '0;
        in_queue_q[q] <= 1'b0;
      end else begin
        begun[q] <= begun[q] + 6'(pop[q]) - 6'(retire_i[E]);
        if (push[q] && in_held_q) begin
          in_queue_q[q] <= 1'b1;
          ahead[q] <= inside[4*q +: 4] - 4'(pop[q]);
        end else if (pop[q]) begin
          if (ahead[q] == '0) in_queue_q[q] <= 1'b0;
          ahead[q] <= ahead[q] - 4'd1;
        end
      end
    end
    assign retires_begun[q] = !retire_i[E] || begun[q] != '0;
    assign few_begun[q] = begun[q] != '1;
    assign queue_ok[q] = inside[4*q +: 4] <= 4'd8 && stored[4*q +: 4] <= 4'd8 &&
      inside[4*q +: 4] == stored[4*q +: 4] + 4'(offered[q]) + 4'(arrives[q]) &&
      !(offered[q] && arrives[q]) &&
      (!(watched_q && in_held_q) || before[E] == 7'(inside[4*q +: 4]) + 7'(begun[q])) &&
      (!(watched_q && in_queue_q[q]) || (engine_q[E] && !in_held_q && ahead[q] < inside[4*q +: 4] &&
                                         before[E] == 7'(ahead[q]) + 7'(begun[q]))) &&
      7'(inside[4*q +: 4]) + 7'(begun[q]) == 7'(inside[4*E +: 4]) + 7'(begun[E]);
  end

  // Engines: commands before the watched one that have not retired.
  logic [6:0] before [4];
  logic [3:0] before_any;
  for (genvar e = 0; e < 4; e++) begin : gen_engine
    assign before_any[e] = before[e] != '0;
    always_ff @(posedge clk_i) begin
      if (watch) before[e] <= 7'(inside[4*e +: 4]) + 7'(begun[e]) - 7'(retire_i[e]) +
                              7'(leaves && held_engine_q[e]);
      else if (retire_i[e] && before[e] != '0) before[e] <= before[e] - 7'd1;
    end
  end

  // Counts: what commands will still add; before the watched one; later ones that have counted.
  logic [23:0] due [3], due_before [3];
  logic [15:0] entered [3], entered_before [3], late [3];
  logic [15:0] count [3];
  logic [2:0] due_any, count_ok, counts_due, few_due, few_late, wait_earlier;
  assign count[0] = load_count;
  assign count[1] = exec_count;
  assign count[2] = store_count;
  for (genvar k = 0; k < 3; k++) begin : gen_count
    assign due_any[k] = due_before[k] != '0;
    always_ff @(posedge clk_i) begin
      if (!rst_n) begin
        due[k] <= '0;
        entered[k] <= '0;
      end else begin
        due[k] <= due[k] + (enters ? 24'(adds[k]) : 24'd0) - 24'(count_i[k]);
        if (enters) entered[k] <= entered[k] + 16'(adds[k]);
      end
      if (watch) begin
        entered_before[k] <= entered[k];
        due_before[k] <= due[k] - 24'(count_i[k]);
        late[k] <= '0;
      end else if (count_i[k]) begin
        if (due_before[k] != '0) due_before[k] <= due_before[k] - 24'd1;
        else late[k] <= late[k] + 16'd1;
      end
    end
    assign counts_due[k] = !count_i[k] || due[k] != '0;
    assign few_due[k] = due[k] < 24'h800000;
    assign few_late[k] = late[k] < 16'h4000;
    assign wait_earlier[k] = !(watch && mask_i[k]) || entered[k] - waits_i[16*k +: 16] < 16'h4000;
    assign count_ok[k] = count[k] + due[k][15:0] == entered[k] && due[k] < 24'h810000 &&
      (!watched_q || (count[k] == entered_before[k] - due_before[k][15:0] + late[k] &&
                      due_before[k] <= due[k] && late[k] <= 16'h4000 &&
                      (!mask_q[k] || entered_before[k] - waits_q[16*k +: 16] < 16'h4000)));
  end

  assign done = in_held_q ? leaves && engine_q == '0
                : in_queue_q == '0 && (engine_q & retire_i & ~before_any) != '0;
  always_ff @(posedge clk_i) begin
    if (!rst_n) begin
      watched_q <= 1'b0;
      in_held_q <= 1'b0;
    end else if (watch) begin
      watched_q <= 1'b1;
      in_held_q <= 1'b1;
      engine_q <= engine;
      mask_q <= mask_i;
      waits_q <= waits_i;
    end else begin
      if (done) watched_q <= 1'b0;
      if (leaves) in_held_q <= 1'b0;
    end
  end

  logic waits_met;
  weft_waits u_waits (
    .mask_i(mask_q), .wait_load_i(waits_q[0 +: 16]), .wait_exec_i(waits_q[16 +: 16]),
    .wait_store_i(waits_q[32 +: 16]), .load_count_i(load_count), .exec_count_i(exec_count),
    .store_count_i(store_count), .ok_o(waits_met)
  );

  logic oldest, held_end, end_waited_q;
  assign oldest = watched_q && before_any == '0 && due_any == '0;
  assign held_end = held && \u_dispatch.cmd_q [7:0] == 8'h01;
  always_ff @(posedge clk_i) end_waited_q <= rst_n && oldest && in_held_q && held_end && !leaves;
  (* hierconn *) wire \u_dispatch.quiet_q ;
  always_comb if (rst_n) begin
    m_legal: assume (error == 8'd0);
    m_retires_what_began: assume (retires_begun == '1);
    m_counts_what_is_due: assume (counts_due == '1);
    // A wait names a command before it (the rule of docs/commands.md), and the difference modulo
    // 2^16 has a meaning: fewer than 2^14 count between the two, and fewer than 2^14 afterwards.
    m_wait_is_earlier: assume (wait_earlier == '1);
    m_few_late: assume (few_late == '1);
    // The widths of this harness; real engines have at most five commands at work.
    m_few_begun: assume (few_begun == '1 && few_due == '1);

    if (oldest) begin
      a_waits_met: assert (waits_met);
      if (in_held_q) a_goes_to_its_queue: assert (leaves || (held_end && !end_waited_q));
    end
    a_setups: assert ({input_q, output_q, add_q, adds_q, params_q, tensor_q} ==
      {\u_dispatch.have_input_q , \u_dispatch.have_output_q , \u_dispatch.have_add_q ,
       \u_dispatch.adds_q , \u_dispatch.has_params_q , \u_dispatch.per_tensor_q });
    a_accumulation: assert (open_q == \u_dispatch.acc_open_q &&
      (!open_q || {pixels_q, channels_q} ==
       {\u_dispatch.acc_pixels_q , \u_dispatch.acc_channels_q }));
    c_accumulation: cover (held && open_q && pixels_q == 8'd3);
    a_at_head: assert (!oldest || at_head == '1);
    a_stream_goes_on: assert (held || cmd_ready);
    a_end_is_last: assert (!end_done || (inside == '0 && engines_idle));

    c_oldest_waits_for_nothing: cover (oldest && in_queue_q != '0 && mask_q == '1 &&
                                       exec_count != 0 && load_count != 0 && store_count != 0);
    c_queue_full: cover (watched_q && in_held_q && held_engine_q[3] && !leaves);
    c_overtaken: cover (oldest && in_queue_q[0] && late[1] != 0);
    c_only_post_left: cover (oldest && in_queue_q == 6'b100000);
    c_end: cover (end_done && exec_count != 0);

    i_queues: assert (queue_ok == '1);
    i_in_time: assert (in_time == '1 && (~turn & (~turn + 6'd1)) == '0);
    i_counts: assert (count_ok == '1);
    i_engine: assert (!held || held_engine_q == {\u_dispatch.engine_q == 3'd3,
      \u_dispatch.engine_q == 3'd4, \u_dispatch.engine_q == 3'd2, \u_dispatch.engine_q == 3'd1});
    i_control: assert (!held || (held_engine_q == '0) == (\u_dispatch.cmd_q [7:1] == '0));
    i_quiet: assert (!\u_dispatch.quiet_q || (held_end && valid == '0 && engines_idle));
    i_end_waited: assert (!end_waited_q || \u_dispatch.quiet_q );
    i_watched: assert (watched_q || (in_queue_q == '0 && !in_held_q));
    i_held: assert (!in_held_q || (watched_q && held && engine_q == held_engine_q &&
                                   in_queue_q == '0));
  end
  // How long each queue has had a command and offered none, and who is served before it: those
  // whose turn it is and those below, in this order.
  logic [5:0] at_head, in_time;
  logic [2:0] unoffered [6], first [6];
  for (genvar q = 0; q < 6; q++) begin : gen_head
    always_comb begin
      first[q] = '0;
      for (int unsigned p = 0; p < 6; p++) begin
        if (turn[p] == turn[q] ? p < q : turn[p]) first[q] = first[q] + 3'd1;
      end
    end
    always_ff @(posedge clk_i) begin
      if (!rst_n || valid[q] || inside[4*q +: 4] == '0) unoffered[q] <= '0;
      else if (unoffered[q] != '1) unoffered[q] <= unoffered[q] + 3'd1;
    end
    assign in_time[q] = valid[q] || inside[4*q +: 4] == '0 ||
      (arrives[q] ? unoffered[q] <= 3'd6 : 4'(unoffered[q]) + 4'(first[q]) <= 4'd5);
    assign at_head[q] = !in_queue_q[q] || (ahead[q] == '0 && (valid[q] || unoffered[q] <= 3'd6));
  end
endmodule
`default_nettype wire
