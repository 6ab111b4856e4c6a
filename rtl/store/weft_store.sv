// SPDX-License-Identifier: Apache-2.0
//
// Executes STORE: scratchpad to memory, row by row, a word read a cycle, and passes MARK commands
// of its queue to the marker once every earlier STORE has retired. The words of a command are listed
// while it still waits, two ahead, and its waits are checked before its first read, at the earliest
// two cycles after it came; reads of the next command go on while memory still answers for up to
// four earlier ones. A grant takes a word off the list and moves nothing else. retired_o pulses, in order, when the last answer for a command is in. Alignment was
// checked by the decoder; a row outside the scratchpad raises err_o until reset.
`default_nettype none
`include "common/weft_assert.svh"
module weft_store #(
  parameter int unsigned AddrWidth = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes)
) (
  input  wire logic                              clk_i,
  input  wire logic                              rst_ni,
  // commands, with the resolved memory address and the index in the stream
  input  wire logic                              cmd_valid_i,
  output      logic                              cmd_ready_o,
  input  wire logic [weft_pkg::CommandBits-1:0]  cmd_i,
  input  wire logic [39:0]                       cmd_addr_i,
  input  wire logic [31:0]                       cmd_index_i,
  // retired so far
  input  wire logic [15:0]                       load_count_i,
  input  wire logic [15:0]                       exec_count_i,
  input  wire logic [15:0]                       store_count_i,
  // scratchpad read port
  output      logic                              st_req_o,
  output      logic [AddrWidth-1:0]              st_addr_o,
  input  wire logic                              st_gnt_i,
  input  wire logic [8*weft_pkg::WordBytes-1:0]  st_data_i,
  // AXI write client
  output      logic                              wr_valid_o,
  input  wire logic                              wr_ready_i,
  output      logic [39:0]                       wr_addr_o,
  output      logic [8*weft_pkg::AxiBytes-1:0]   wr_data_o,
  output      logic [weft_pkg::AxiBytes-1:0]     wr_strb_o,
  output      logic                              wr_last_o,
  output      logic                              wr_cmd_last_o,
  input  wire logic                              wr_done_i,
  // marker
  output      logic                              mark_valid_o,
  input  wire logic                              mark_ready_i,
  output      logic [39:0]                       mark_addr_o,
  output      logic [15:0]                       mark_layer_o,
  output      logic [31:0]                       mark_index_o,
  // state
  output      logic                              retired_o,
  output      logic                              idle_o,
  output      logic                              busy_o,          // a STORE is past its waits
  output      logic                              err_o,           // range, until reset
  output      logic [31:0]                       err_index_o,     // the command of err_o
  output      logic [31:0]                       access_index_o,  // command of the oldest access
  output      logic                              awake_o
);

  localparam int unsigned WordBytes = weft_pkg::WordBytes;
  localparam int unsigned WordBits = $clog2(WordBytes);
  localparam int unsigned B = weft_pkg::AxiBytes;
  localparam int unsigned Lanes = WordBytes / B;  // beats of a word
  localparam int unsigned LaneBits = (Lanes > 1) ? $clog2(Lanes) : 1;
  localparam int unsigned WordDepth = 4;          // words listed and not yet sent as beats

  /* verilator lint_off UNUSEDSIGNAL */  // opcode, region, offset: the dispatcher's
  weft_pkg::store_t cmd;
  weft_pkg::mark_t mark;
  logic [20:0] row_spad_addr;
  /* verilator lint_on UNUSEDSIGNAL */
  logic is_mark, waits_ok, start, begins, space, pending, walk_busy, walk_done;
  logic waits_q;  // the rows of the command on offer are walked, its waits are not met
  logic go_q;     // a command has begun, its first word is not granted

  assign cmd = cmd_i;
  assign mark = cmd_i;
  assign is_mark = cmd.opcode == weft_pkg::OpMark;

  weft_waits u_waits (
    .mask_i(cmd.wait_mask),
    .wait_load_i(cmd.wait_load),
    .wait_exec_i(cmd.wait_exec),
    .wait_store_i(cmd.wait_store),
    .load_count_i,
    .exec_count_i,
    .store_count_i,
    .ok_o(waits_ok)
  );

  assign mark_valid_o = cmd_valid_i && is_mark && !pending;
  assign mark_addr_o = cmd_addr_i;
  assign mark_layer_o = mark.layer;
  assign mark_index_o = cmd_index_i;

  assign start = cmd_valid_i && !is_mark && !waits_q && (!walk_busy || walk_done);
  assign begins = (start || waits_q) && waits_ok && space && !go_q;
  assign cmd_ready_o = begins || (mark_valid_o && mark_ready_i);

  // Commands whose answers are not all in.
  weft_fifo #(
    .Width(32),
    .Depth(4)
  ) u_pending (
    .clk_i,
    .rst_ni,
    .valid_i(begins),
    .ready_o(space),
    .data_i(cmd_index_i),
    .valid_o(pending),
    .ready_i(wr_done_i),
    .data_o(access_index_o)
  );

  always_ff @(posedge clk_i) if (begins) err_index_o <= cmd_index_i;

  // Rows, and the words of the present row.
  logic row_valid, row_last, row_next, row_bad;
  logic [39:0] row_mem_addr;
  logic [20:0] row_bytes;

  weft_rows u_rows (
    .clk_i,
    .rst_ni,
    .start_i(start),
    .mem_addr_i(cmd_addr_i),
    .spad_addr_i(cmd.spad_addr),
    .rows_i(cmd.rows),
    .row_bytes_i(cmd.row_bytes),
    .mem_pitch_i(cmd.mem_pitch),
    .spad_pitch_i(cmd.spad_pitch),
    .busy_o(walk_busy),
    .row_valid_o(row_valid),
    .row_ready_i(row_next),
    .row_mem_addr_o(row_mem_addr),
    .row_spad_addr_o(row_spad_addr),
    .row_bytes_o(row_bytes),
    .row_last_o(row_last),
    .done_o(walk_done),
    .range_error_o(row_bad)
  );

  assign err_o = row_bad && !waits_q;

  logic [AddrWidth-1:0] word_q, end_q;            // word of the row; its last one
  logic first_q;                                  // of the command
  logic word_last, listed, list_ready, asks, asks_first, granted, arrives_q;
  logic [2:0] words_q;                            // words listed and not yet all sent
  logic word_sent;

  assign word_last = word_q == end_q;
  assign listed = row_valid && list_ready && words_q != 3'(WordDepth);
  assign row_next = listed && word_last;

  // Reading.
  weft_fifo #(
    .Width(AddrWidth + 1),
    .Depth(2)
  ) u_list (
    .clk_i,
    .rst_ni,
    .valid_i(listed),
    .ready_o(list_ready),
    .data_i({first_q, row_spad_addr[WordBits+:AddrWidth] + word_q}),
    .valid_o(asks),
    .ready_i(granted),
    .data_o({asks_first, st_addr_o})
  );

  assign st_req_o = asks && (go_q || !asks_first);
  assign granted = st_req_o && st_gnt_i;

  // A row of more bytes than the scratchpad has is never listed.
  always_ff @(posedge clk_i) begin
    if (start) end_q <= AddrWidth'((cmd.row_bytes - 21'd1) >> WordBits);
    if (!rst_ni) begin
      waits_q <= 1'b0;
      go_q <= 1'b0;
      first_q <= 1'b0;
      word_q <= '0;
      words_q <= '0;
      arrives_q <= 1'b0;
    end else begin
      waits_q <= (start || waits_q) && !begins;
      go_q <= begins || (go_q && !(granted && asks_first));
      first_q <= start || (first_q && !listed);
      if (listed) word_q <= word_last ? '0 : word_q + 1'b1;
      words_q <= words_q + 3'(listed) - 3'(word_sent);
      arrives_q <= granted;
    end
  end

  // Sending: the beats of the oldest word. Where it goes was known when it was listed.
  logic out_valid, out_ready, out_row_last, out_cmd_last, fits, place_fits, placed;
  logic [39:0] out_addr;
  logic [WordBits-1:0] out_size;                  // bytes, minus 1
  logic [8*WordBytes-1:0] out_data;
  logic [LaneBits-1:0] lane_q;
  logic lane_last;
  logic [WordBytes-1:0] strobes;

  weft_fifo #(
    .Width(40 + WordBits + 2),
    .Depth(WordDepth)
  ) u_places (
    .clk_i,
    .rst_ni,
    .valid_i(listed),
    .ready_o(place_fits),
    .data_i({row_mem_addr + (40'(word_q) << WordBits),
             word_last ? row_bytes[WordBits-1:0] - 1'b1 : {WordBits{1'b1}},
             word_last, word_last && row_last}),
    .valid_o(placed),
    .ready_i(word_sent),
    .data_o({out_addr, out_size, out_row_last, out_cmd_last})
  );

  weft_fifo #(
    .Width(8 * WordBytes),
    .Depth(WordDepth)
  ) u_words (
    .clk_i,
    .rst_ni,
    .valid_i(arrives_q),
    .ready_o(fits),
    .data_i(st_data_i),
    .valid_o(out_valid),
    .ready_i(out_ready),
    .data_o(out_data)
  );

  always_comb begin
    strobes = {WordBytes{1'b1}} >> ~out_size;  // bytes 0 to out_size
    wr_addr_o = out_addr;
    wr_data_o = out_data[0+:8*B];
    wr_strb_o = strobes[0+:B];
    for (int unsigned i = 1; i < Lanes; i++) begin
      if (lane_q == LaneBits'(i)) begin
        wr_addr_o = out_addr + 40'(i * B);
        wr_data_o = out_data[i*8*B+:8*B];
        wr_strb_o = strobes[i*B+:B];
      end
    end
  end

  assign lane_last = Lanes == 1 || 32'(out_size) < (32'(lane_q) + 1) * B;
  assign wr_valid_o = out_valid;
  assign wr_last_o = out_row_last && lane_last;
  assign wr_cmd_last_o = out_cmd_last && lane_last;
  assign out_ready = wr_ready_i && lane_last;
  assign word_sent = out_valid && out_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      lane_q <= '0;
    end else begin
      if (Lanes > 1 && wr_valid_o && wr_ready_i) lane_q <= lane_last ? '0 : lane_q + 1'b1;
      `WEFT_ASSERT(a_word_fits, (!arrives_q || fits) && (!listed || place_fits))
      `WEFT_ASSERT(a_word_has_place, !out_valid || placed)
      `WEFT_ASSERT(a_answer_was_due, !wr_done_i || pending)
    end
  end

  assign retired_o = wr_done_i;
  assign awake_o = start || begins || listed || st_req_o || arrives_q || out_valid || wr_done_i;
  assign busy_o = pending;
  assign idle_o = !pending;

endmodule
`default_nettype wire
