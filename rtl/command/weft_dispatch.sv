// SPDX-License-Identifier: Apache-2.0
// Takes commands in stream order, refuses illegal ones, and puts each into the queue of its engine;
// execution commands go to feed, weight loader and post alike. END waits until everything is idle.
// Does not check waits: the engines do, against the retired counts kept here. One command a cycle
// when its queue has room; two cycles from stream to an engine that waits. A queue entry carries the
// command, its index in the stream, and the base of its memory region; the offset is added behind the
// queue.
`default_nettype none
module weft_dispatch (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // stream
    input  wire logic        cmd_valid_i,
    output logic             cmd_ready_o,
    input  wire logic [weft_pkg::CommandBits-1:0] cmd_i,
    input  wire logic [31:0] cmd_index_i,
    input  wire logic        exhausted_i,     // no command is left in the stream
    input  wire logic        running_i,       // a job is running
    input  wire logic [8*40-1:0] region_base_i,
    // queues
    output logic             load_valid_o,
    input  wire logic        load_ready_i,
    output logic [39:0]      load_addr_o,
    output logic [31:0]      load_index_o,
    output logic [weft_pkg::CommandBits-1:0] load_cmd_o,
    output logic             weights_valid_o,
    input  wire logic        weights_ready_i,
    output logic [39:0]      weights_addr_o,
    output logic [31:0]      weights_index_o,
    output logic [weft_pkg::CommandBits-1:0] weights_cmd_o,
    output logic             store_valid_o,
    input  wire logic        store_ready_i,
    output logic [39:0]      store_addr_o,
    output logic [31:0]      store_index_o,
    output logic [weft_pkg::CommandBits-1:0] store_cmd_o,
    output logic             feed_valid_o,
    input  wire logic        feed_ready_i,
    output logic [weft_pkg::CommandBits-1:0] feed_cmd_o,
    output logic             loader_valid_o,
    input  wire logic        loader_ready_i,
    output logic [weft_pkg::CommandBits-1:0] loader_cmd_o,
    output logic             post_valid_o,
    input  wire logic        post_ready_i,
    output logic [39:0]      post_addr_o,
    output logic [31:0]      post_index_o,
    output logic [weft_pkg::CommandBits-1:0] post_cmd_o,
    output logic [31:0]      feed_index_o,    // of the command the feed took last
    // retired work
    input  wire logic        load_retired_i,
    input  wire logic        block_retired_i,
    input  wire logic        store_retired_i,
    output logic [15:0]      load_count_o,
    output logic [15:0]      exec_count_o,
    output logic [15:0]      store_count_o,
    // end and errors
    input  wire logic        engines_idle_i,
    output logic             end_o,           // END reached and everything idle: one cycle
    output logic [7:0]       error_o,         // error of the command in decode, ErrNone if none
    output logic [31:0]      error_index_o,
    output logic             awake_o
);
  localparam int unsigned Depth = 8;
  localparam int unsigned CmdW = weft_pkg::CommandBits;
  localparam int unsigned BaseW = 34;                   // of a base, a multiple of 64
  localparam int unsigned EntryW = CmdW + BaseW + 32;   // command, base, index

  // Stage 1: decode.
  logic [2:0]  engine, region;
  logic [7:0]  error;
  logic have_input_q, have_output_q, have_add_q, pairs_q, adds_q, has_params_q, per_tensor_q;
  logic        acc_open_q;         // the last RUN keeps its accumulators for the next
  logic [7:0]  acc_pixels_q;
  logic [15:0] acc_channels_q;
  weft_pkg::setup_input_t setup_in;
  weft_pkg::setup_output_t setup_out;
  weft_pkg::run_t run;
  assign setup_in = cmd_i;
  assign setup_out = cmd_i;
  assign run = cmd_i;

  weft_decode u_decode (
      .cmd_i,
      .have_input_i (have_input_q),
      .have_output_i(have_output_q),
      .have_add_i   (have_add_q),
      .pairs_i      (pairs_q),
      .adds_i       (adds_q),
      .has_params_i (has_params_q),
      .per_tensor_i (per_tensor_q),
      .acc_open_i   (acc_open_q),
      .acc_pixels_i (acc_pixels_q),
      .acc_channels_i(acc_channels_q),
      .engine_o     (engine),
      .error_o      (error),
      .region_o     (region)
  );

  logic            held_q;           // stage 2 holds a command
  logic [2:0]      engine_q;
  logic [7:0]      error_q;
  logic [2:0]      region_q;
  logic [BaseW-1:0] base;
  logic [CmdW-1:0] cmd_q;
  logic [31:0]     index_q;
  logic            taken, is_end, is_nop;

  assign cmd_ready_o = running_i && (!held_q || taken);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_q        <= 1'b0;
      have_input_q  <= 1'b0;
      have_output_q <= 1'b0;
      have_add_q    <= 1'b0;
      pairs_q       <= 1'b0;
      adds_q        <= 1'b0;
      has_params_q  <= 1'b0;
      per_tensor_q  <= 1'b0;
      acc_open_q    <= 1'b0;
    end else begin
      if (cmd_valid_i && cmd_ready_o) begin
        held_q <= 1'b1;
        if (cmd_i[7:0] == weft_pkg::OpSetupInput) begin
          have_input_q <= 1'b1;
          pairs_q      <= setup_in.mode == 3'd3;
        end
        if (cmd_i[7:0] == weft_pkg::OpSetupAdd) have_add_q <= 1'b1;
        if (cmd_i[7:0] == weft_pkg::OpRun) acc_open_q <= !run.acc_last;
        if (cmd_i[7:0] == weft_pkg::OpSetupOutput) begin
          have_output_q <= 1'b1;
          adds_q        <= setup_out.add;
          has_params_q  <= setup_out.has_params;
          per_tensor_q  <= setup_out.per_tensor;
        end
      end else if (taken) begin
        held_q <= 1'b0;
      end
    end
    if (cmd_valid_i && cmd_ready_o) begin
      engine_q <= engine;
      error_q  <= error;
      region_q <= region;
      cmd_q    <= cmd_i;
      index_q  <= cmd_index_i;
      if (cmd_i[7:0] == weft_pkg::OpRun) begin
        acc_pixels_q   <= run.pixels;
        acc_channels_q <= run.channels;
      end
    end
  end

  // Stage 2: with its region's base into the queues. An illegal command stays here until the job is ended.
  logic legal, load_ready, weights_ready, store_ready, exec_ready;
  logic to_load, to_weights, to_store, to_exec, queues_empty, queues_awake, quiet_q;

  assign base       = region_base_i[40*region_q+6 +: BaseW];
  assign legal      = held_q && (error_q == weft_pkg::ErrNone);
  assign is_end     = legal && cmd_q[7:0] == weft_pkg::OpEnd;
  assign is_nop     = legal && cmd_q[7:0] == weft_pkg::OpNop;
  assign to_load    = legal && engine_q == 3'd1 && load_ready;
  assign to_weights = legal && engine_q == 3'd2 && weights_ready;
  assign to_exec    = legal && engine_q == 3'd3 && exec_ready;
  assign to_store   = legal && engine_q == 3'd4 && store_ready;
  assign end_o      = is_end && quiet_q;
  assign taken      = to_load || to_weights || to_exec || to_store || is_nop || end_o;

  // "All idle" passes a register. END must have been here then: not a command on its way to a queue.
  always_ff @(posedge clk_i) begin
    quiet_q <= rst_ni && is_end && !end_o && queues_empty && engines_idle_i;
  end

  assign error_o = (held_q && error_q != weft_pkg::ErrNone) ? error_q
                   : (running_i && !held_q && exhausted_i) ? weft_pkg::ErrBadStream
                   : weft_pkg::ErrNone;
  assign error_index_o = held_q ? index_q : cmd_index_i;

  logic [5:0] valid;
  logic [6*EntryW-1:0] entries;
  weft_command_queues #(.Width(EntryW), .Depth(Depth)) u_queues (
      .clk_i, .rst_ni,
      .push_i({to_exec, to_store, to_weights, to_load}),
      .ready_o({exec_ready, store_ready, weights_ready, load_ready}),
      .data_i({index_q, base, cmd_q}),
      .valid_o(valid),
      .ready_i({post_ready_i, loader_ready_i, feed_ready_i, store_ready_i, weights_ready_i,
                load_ready_i}),
      .data_o(entries), .empty_o(queues_empty), .awake_o(queues_awake));
  assign {post_valid_o, loader_valid_o, feed_valid_o, store_valid_o, weights_valid_o, load_valid_o}
      = valid;
  logic [BaseW-1:0] load_base, weights_base, store_base, post_base;
  assign {load_index_o, load_base, load_cmd_o} = entries[0*EntryW +: EntryW];
  assign {weights_index_o, weights_base, weights_cmd_o} = entries[1*EntryW +: EntryW];
  assign {store_index_o, store_base, store_cmd_o} = entries[2*EntryW +: EntryW];
  assign {feed_index, feed_cmd_o} = {entries[3*EntryW+CmdW+BaseW +: 32], entries[3*EntryW +: CmdW]};
  assign loader_cmd_o = entries[4*EntryW +: CmdW];
  assign {post_index_o, post_base, post_cmd_o} = entries[5*EntryW +: EntryW];

  // Memory addresses. Of post's commands only MARK has one.
  function automatic logic [39:0] resolve(input logic [BaseW-1:0] base_i, input logic [39:0] offset_i);
    resolve = {base_i + offset_i[39:6], offset_i[5:0]};
  endfunction

  /* verilator lint_off UNUSEDSIGNAL */  // but for their offsets
  weft_pkg::load_t         load;
  weft_pkg::load_weights_t weights;
  weft_pkg::store_t        store;
  weft_pkg::mark_t         store_mark, post_mark;
  /* verilator lint_on UNUSEDSIGNAL */
  assign load            = load_cmd_o;
  assign weights         = weights_cmd_o;
  assign store           = store_cmd_o;
  assign store_mark      = store_cmd_o;
  assign post_mark       = post_cmd_o;
  assign load_addr_o     = resolve(load_base, load.offset);
  assign weights_addr_o  = resolve(weights_base, weights.offset);
  assign store_addr_o    = resolve(store_base, (store.opcode == weft_pkg::OpMark) ? store_mark.offset
                                                                                  : store.offset);
  assign post_addr_o     = resolve(post_base, post_mark.offset);

  assign awake_o = (cmd_valid_i && cmd_ready_o) || taken || queues_awake
                   || (is_end && queues_empty && engines_idle_i) || load_retired_i
                   || block_retired_i || store_retired_i || error_o != weft_pkg::ErrNone;

  // The feed's accesses are named by the command it took last.
  logic [31:0] feed_index;
  always_ff @(posedge clk_i) begin
    if (feed_valid_o && feed_ready_i) feed_index_o <= feed_index;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      load_count_o  <= '0;
      exec_count_o  <= '0;
      store_count_o <= '0;
    end else begin
      load_count_o  <= load_count_o + 16'(load_retired_i);
      exec_count_o  <= exec_count_o + 16'(block_retired_i);
      store_count_o <= store_count_o + 16'(store_retired_i);
    end
  end
endmodule
`default_nettype wire
