// SPDX-License-Identifier: Apache-2.0
//
// Executes STORE: scratchpad to memory, row by row, a word read a cycle, and passes MARK commands
// of its queue to the marker once every earlier STORE has retired. Waits are checked before a
// command's first read; reads of the next command go on while memory still answers for up to four
// earlier ones. retired_o pulses, in order, when the last answer for a command is in. Alignment was
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
  localparam int unsigned WordDepth = 4;          // words between scratchpad and beats

  /* verilator lint_off UNUSEDSIGNAL */  // opcode, region, offset: the dispatcher's
  weft_pkg::store_t cmd;
  weft_pkg::mark_t mark;
  logic [20:0] row_spad_addr;
  /* verilator lint_on UNUSEDSIGNAL */
  logic is_mark, waits_ok, start, space, pending, walk_busy, walk_done;

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

  assign start = cmd_valid_i && !is_mark && waits_ok && space && (!walk_busy || walk_done);
  assign cmd_ready_o = start || (mark_valid_o && mark_ready_i);

  // Commands whose answers are not all in.
  weft_fifo #(
    .Width(32),
    .Depth(4)
  ) u_pending (
    .clk_i,
    .rst_ni,
    .valid_i(start),
    .ready_o(space),
    .data_i(cmd_index_i),
    .valid_o(pending),
    .ready_i(wr_done_i),
    .data_o(access_index_o)
  );

  always_ff @(posedge clk_i) if (start) err_index_o <= cmd_index_i;

  // Reading: rows, and the words of the present row.
  logic row_valid, row_last, row_next;
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
    .range_error_o(err_o)
  );

  logic [AddrWidth-1:0] word_q;                   // word of the row
  logic word_last, granted, arrives_q;
  logic [2:0] words_q;                            // words granted and not yet all sent
  logic word_sent;

  assign word_last = 21'(word_q) == ((row_bytes - 21'd1) >> WordBits);
  assign st_req_o = row_valid && words_q != 3'(WordDepth);
  assign st_addr_o = row_spad_addr[WordBits+:AddrWidth] + word_q;
  assign granted = st_req_o && st_gnt_i;
  assign row_next = granted && word_last;

  // What belongs to the word that arrives in the next cycle.
  logic [39:0] meta_addr_q;
  logic [WordBits-1:0] meta_size_q;               // bytes, minus 1
  logic meta_row_last_q, meta_cmd_last_q;

  always_ff @(posedge clk_i) begin
    if (granted) begin
      meta_addr_q <= row_mem_addr + (40'(word_q) << WordBits);
      meta_size_q <= word_last ? row_bytes[WordBits-1:0] - 1'b1 : '1;
      meta_row_last_q <= word_last;
      meta_cmd_last_q <= word_last && row_last;
    end
    if (!rst_ni) begin
      word_q <= '0;
      words_q <= '0;
      arrives_q <= 1'b0;
    end else begin
      if (granted) word_q <= word_last ? '0 : word_q + 1'b1;
      words_q <= words_q + 3'(granted) - 3'(word_sent);
      arrives_q <= granted;
    end
  end

  // Sending: the beats of the oldest word.
  logic out_valid, out_ready, out_row_last, out_cmd_last, fits;
  logic [39:0] out_addr;
  logic [WordBits-1:0] out_size;
  logic [8*WordBytes-1:0] out_data;
  logic [LaneBits-1:0] lane_q;
  logic lane_last;
  logic [WordBytes-1:0] strobes;

  weft_fifo #(
    .Width(8 * WordBytes + 40 + WordBits + 2),
    .Depth(WordDepth)
  ) u_words (
    .clk_i,
    .rst_ni,
    .valid_i(arrives_q),
    .ready_o(fits),
    .data_i({st_data_i, meta_addr_q, meta_size_q, meta_row_last_q, meta_cmd_last_q}),
    .valid_o(out_valid),
    .ready_i(out_ready),
    .data_o({out_data, out_addr, out_size, out_row_last, out_cmd_last})
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
      `WEFT_ASSERT(a_word_fits, !arrives_q || fits)
      `WEFT_ASSERT(a_answer_was_due, !wr_done_i || pending)
    end
  end

  assign retired_o = wr_done_i;
  assign awake_o = start || st_req_o || arrives_q || out_valid || wr_done_i;
  assign busy_o = pending;
  assign idle_o = !pending;

endmodule
`default_nettype wire
