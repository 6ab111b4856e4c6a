// SPDX-License-Identifier: Apache-2.0
//
// Executes LOAD: memory to scratchpad, row by row. Waits are checked before the first request of a
// command; from there requests run ahead of the data, by rows and by up to two commands, because
// the data's place is free. Beats are gathered into words; a word is written in the cycle after its
// last beat at the earliest. retired_o pulses with the write of a command's last word. Alignment
// was checked by the decoder; a row outside the scratchpad raises err_o until reset.
`default_nettype none
`include "common/weft_assert.svh"
module weft_load #(
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
  // AXI read client
  output      logic                              req_valid_o,
  input  wire logic                              req_ready_i,
  output      logic [39:0]                       req_addr_o,
  output      logic [20:0]                       req_bytes_o,
  input  wire logic                              rsp_valid_i,
  output      logic                              rsp_ready_o,
  input  wire logic [8*weft_pkg::AxiBytes-1:0]   rsp_data_i,
  input  wire logic                              rsp_last_i,
  // scratchpad write port
  output      logic                              ld_req_o,
  output      logic [AddrWidth-1:0]              ld_addr_o,
  output      logic [8*weft_pkg::WordBytes-1:0]  ld_data_o,
  output      logic [weft_pkg::WordBytes-1:0]    ld_mask_o,
  input  wire logic                              ld_gnt_i,
  // state
  output      logic                              retired_o,
  output      logic                              idle_o,
  output      logic                              busy_o,          // a LOAD is past its waits
  output      logic                              err_o,           // range, until reset
  output      logic [31:0]                       err_index_o,     // the command of err_o
  output      logic [31:0]                       access_index_o,  // the command whose data comes
  output      logic                              awake_o
);

  localparam int unsigned WordBytes = weft_pkg::WordBytes;
  localparam int unsigned WordBits = $clog2(WordBytes);
  localparam int unsigned BeatBits = $clog2(weft_pkg::AxiBytes);
  localparam int unsigned Lanes = WordBytes / weft_pkg::AxiBytes;  // beats of a word
  localparam int unsigned LaneBits = (Lanes > 1) ? $clog2(Lanes) : 1;

  // Asking.
  /* verilator lint_off UNUSEDSIGNAL */  // opcode, region, offset: the dispatcher's
  weft_pkg::load_t cmd;
  logic [20:0] row_spad_addr;
  logic row_last;
  /* verilator lint_on UNUSEDSIGNAL */
  logic waits_ok, start, ask_busy, ask_done, place_ready;

  assign cmd = cmd_i;

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

  assign cmd_ready_o = waits_ok && place_ready && (!ask_busy || ask_done);
  assign start = cmd_valid_i && cmd_ready_o;

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
    .busy_o(ask_busy),
    .row_valid_o(req_valid_o),
    .row_ready_i(req_ready_i),
    .row_mem_addr_o(req_addr_o),
    .row_spad_addr_o(row_spad_addr),
    .row_bytes_o(req_bytes_o),
    .row_last_o(row_last),
    .done_o(ask_done),
    .range_error_o(err_o)
  );

  always_ff @(posedge clk_i) if (start) err_index_o <= cmd_index_i;

  // Placing. The second walk over the same command, in words, follows the data.
  localparam int unsigned PlaceBits = 2 * AddrWidth + 16 + 21 + 32;
  logic next_valid, next_take;
  logic [AddrWidth-1:0] next_addr, next_pitch;
  logic [15:0] next_rows;
  logic [20:0] next_bytes;
  logic [31:0] next_index;

  weft_fifo #(
    .Width(PlaceBits),
    .Depth(2)
  ) u_place (
    .clk_i,
    .rst_ni,
    .valid_i(start),
    .ready_o(place_ready),
    .data_i({cmd.spad_addr[WordBits+:AddrWidth], cmd.spad_pitch[WordBits+:AddrWidth], cmd.rows,
             cmd.row_bytes, cmd_index_i}),
    .valid_o(next_valid),
    .ready_i(next_take),
    .data_o({next_addr, next_pitch, next_rows, next_bytes, next_index})
  );

  logic active_q;
  logic [AddrWidth-1:0] row_q, addr_q, pitch_q;  // row's first word, present word
  logic [15:0] rows_q;                           // rows after this one
  logic [20-BeatBits:0] beats_q, row_beats_q;    // beats after this one; of a row, minus 1
  logic [WordBits-1:0] tail_q;                   // bytes of a row's last word, 0 for all
  logic [LaneBits-1:0] lane_q;
  logic beat, row_end, word_end, cmd_end;
  logic word_valid_q, word_last_q;
  logic [WordBytes-1:0] tail_mask;

  assign rsp_ready_o = active_q && (!word_valid_q || ld_gnt_i);
  assign beat = rsp_valid_i && rsp_ready_o;
  assign row_end = beats_q == '0;
  assign word_end = row_end || Lanes == 1 || lane_q == LaneBits'(Lanes - 1);
  assign cmd_end = row_end && rows_q == '0;
  assign next_take = !active_q || (beat && cmd_end);

  // Ones up to and with the row's last byte.
  assign tail_mask = row_end ? {WordBytes{1'b1}} >> (WordBits'(0) - tail_q) : {WordBytes{1'b1}};

  always_ff @(posedge clk_i) begin
    if (next_take && next_valid) begin
      row_q <= next_addr;
      addr_q <= next_addr;
      pitch_q <= next_pitch;
      rows_q <= next_rows - 1'b1;
      beats_q <= (21-BeatBits)'((next_bytes - 21'd1) >> BeatBits);
      row_beats_q <= (21-BeatBits)'((next_bytes - 21'd1) >> BeatBits);
      tail_q <= next_bytes[WordBits-1:0];
      access_index_o <= next_index;
    end else if (beat) begin
      if (row_end) begin
        row_q <= row_q + pitch_q;
        addr_q <= row_q + pitch_q;
        rows_q <= rows_q - 1'b1;
        beats_q <= row_beats_q;
      end else begin
        if (word_end) addr_q <= addr_q + 1'b1;
        beats_q <= beats_q - 1'b1;
      end
    end
    if (beat) begin
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (Lanes == 1 || lane_q == LaneBits'(i)) begin
          ld_data_o[i*8*weft_pkg::AxiBytes+:8*weft_pkg::AxiBytes] <= rsp_data_i;
        end
      end
      ld_addr_o <= addr_q;
      ld_mask_o <= tail_mask;
      word_last_q <= cmd_end;
    end
    if (!rst_ni) begin
      active_q <= 1'b0;
      lane_q <= '0;
      word_valid_q <= 1'b0;
    end else begin
      if (next_take) active_q <= next_valid;
      if (beat) lane_q <= word_end ? '0 : lane_q + 1'b1;
      word_valid_q <= (beat && word_end) || (word_valid_q && !ld_gnt_i);
      if (beat) begin
        `WEFT_ASSERT(a_last_beat_ends_row, rsp_last_i == row_end)
      end
    end
  end

  assign ld_req_o = word_valid_q;
  assign retired_o = word_valid_q && word_last_q && ld_gnt_i;
  assign busy_o = ask_busy || active_q || next_valid || word_valid_q;
  assign idle_o = !busy_o;
  assign awake_o = start || req_valid_o || (next_take && next_valid) || rsp_valid_i || word_valid_q;

endmodule
`default_nettype wire
