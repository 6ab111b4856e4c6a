// SPDX-License-Identifier: Apache-2.0
//
// Executes LOAD_WEIGHTS: appends bytes from memory to the weight ring. It asks, 256-byte block by
// block, only for what the ring has room for (released words are free), so data is always taken at
// once. Waiting for a whole block cannot deadlock: the room for all of a command is released by
// earlier commands. Asking runs ahead into later commands while data of earlier ones comes. It is
// urgent while fewer than UrgentWords words were asked for and not read: the array will wait.
`default_nettype none
`include "common/weft_assert.svh"
module weft_load_weights #(
  parameter int unsigned UrgentWords = 96,
  parameter int unsigned RingBits = $clog2(weft_pkg::WeightRing / weft_pkg::WeightWord)
) (
  input  wire logic                              clk_i,
  input  wire logic                              rst_ni,
  // commands, with the resolved memory address and the index in the stream
  input  wire logic                              cmd_valid_i,
  output      logic                              cmd_ready_o,
  input  wire logic [weft_pkg::CommandBits-1:0]  cmd_i,
  input  wire logic [39:0]                       cmd_addr_i,
  input  wire logic [31:0]                       cmd_index_i,
  // AXI read client
  output      logic                              req_valid_o,
  input  wire logic                              req_ready_i,
  output      logic [39:0]                       req_addr_o,
  output      logic [20:0]                       req_bytes_o,
  input  wire logic                              rsp_valid_i,
  output      logic                              rsp_ready_o,
  input  wire logic [8*weft_pkg::AxiBytes-1:0]   rsp_data_i,
  // ring: words released since the job began, modulo 2^16
  input  wire logic [15:0]                       ring_released_i,
  input  wire logic                              ring_rd_en_i,
  input  wire logic [RingBits-1:0]               ring_rd_addr_i,
  output      logic                              ring_wr_valid_o,
  output      logic [8*weft_pkg::AxiBytes-1:0]   ring_wr_data_o,
  // state
  output      logic                              urgent_o,
  output      logic                              idle_o,
  output      logic [31:0]                       access_index_o, // the command whose data comes
  output      logic                              awake_o
);

  localparam int unsigned BeatBits = $clog2(weft_pkg::AxiBytes);
  localparam int unsigned WordBeatBits = $clog2(weft_pkg::WeightWord / weft_pkg::AxiBytes);
  localparam int unsigned PosBits = 16 + WordBeatBits;  // positions and lengths in beats
  localparam int unsigned BlockBits = 8 - BeatBits;     // beats of a 256-byte block
  localparam logic [PosBits-1:0] RingBeats = PosBits'(weft_pkg::WeightRing / weft_pkg::AxiBytes);

  /* verilator lint_off UNUSEDSIGNAL */  // opcode, region, offset: the dispatcher's
  weft_pkg::load_weights_t cmd;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [PosBits-1:0] cmd_beats;  // minus 1

  assign cmd = cmd_i;
  assign cmd_beats = (PosBits'(cmd.words) << WordBeatBits) - 1'b1;

  // Asking.
  logic ask_q, start, taken, ask_last, place_ready;
  logic [39:BeatBits] beat_q;      // memory address
  logic [PosBits-1:0] left_q;      // beats of the command still to ask for, minus 1
  logic [PosBits-1:0] asked_q;     // beats asked for since the job began
  logic [PosBits-1:0] held, room;  // beats asked for and not released; free ones
  logic [BlockBits-1:0] to_end, ask;  // beats minus 1: to the end of the block, of this request

  assign to_end = ~beat_q[BeatBits+:BlockBits];
  assign ask_last = left_q <= PosBits'(to_end);
  assign ask = ask_last ? left_q[BlockBits-1:0] : to_end;
  assign held = asked_q - (PosBits'(ring_released_i) << WordBeatBits);
  assign room = RingBeats - held;

  assign req_valid_o = ask_q && room > PosBits'(ask);
  assign req_addr_o = {beat_q, BeatBits'(0)};
  assign req_bytes_o = (21'(ask) + 1'b1) << BeatBits;
  assign taken = req_valid_o && req_ready_i;
  assign cmd_ready_o = place_ready && (!ask_q || (taken && ask_last));
  assign start = cmd_valid_i && cmd_ready_o;

  always_ff @(posedge clk_i) begin
    if (start) begin
      beat_q <= cmd_addr_i[39:BeatBits];
      left_q <= cmd_beats;
    end else if (taken) begin
      beat_q <= beat_q + (40-BeatBits)'(ask) + 1'b1;
      left_q <= left_q - PosBits'(ask) - 1'b1;
    end
    if (!rst_ni) begin
      ask_q <= 1'b0;
      asked_q <= '0;
    end else begin
      ask_q <= start || (ask_q && !(taken && ask_last));
      if (taken) asked_q <= asked_q + PosBits'(ask) + 1'b1;
      `WEFT_ASSERT(a_ring_not_overrun, held <= RingBeats)
      if (start) begin
        `WEFT_ASSERT(a_address_aligned, cmd_addr_i[BeatBits-1:0] == '0)
      end
    end
  end

  // How far asking is ahead of reading, in words of the ring.
  logic [RingBits-1:0] read_q, ahead;  // read_q: after the word read last

  assign ahead = asked_q[WordBeatBits+:RingBits] - read_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q <= '0;
      urgent_o <= 1'b0;
    end else begin
      if (ring_rd_en_i) read_q <= ring_rd_addr_i + 1'b1;
      urgent_o <= ahead < RingBits'(UrgentWords);
    end
  end

  // Data. Which command it belongs to matters only for the index.
  logic next_valid, next_take, active_q, come_last;
  logic [PosBits-1:0] next_beats, come_q;
  logic [31:0] next_index;

  weft_fifo #(
    .Width(PosBits + 32),
    .Depth(4)
  ) u_place (
    .clk_i,
    .rst_ni,
    .valid_i(start),
    .ready_o(place_ready),
    .data_i({cmd_beats, cmd_index_i}),
    .valid_o(next_valid),
    .ready_i(next_take),
    .data_o({next_beats, next_index})
  );

  assign rsp_ready_o = 1'b1;
  assign ring_wr_valid_o = rsp_valid_i;
  assign ring_wr_data_o = rsp_data_i;
  assign come_last = rsp_valid_i && come_q == '0;
  assign next_take = !active_q || come_last;
  assign awake_o = start || req_valid_o || (next_take && next_valid) || rsp_valid_i || ring_rd_en_i;
  assign idle_o = !ask_q && !next_valid && !active_q;

  always_ff @(posedge clk_i) begin
    if (next_take) begin
      come_q <= next_beats;
      access_index_o <= next_index;
    end else if (rsp_valid_i) begin
      come_q <= come_q - 1'b1;
    end
    if (!rst_ni) begin
      active_q <= 1'b0;
    end else begin
      if (next_take) active_q <= next_valid;
      `WEFT_ASSERT(a_data_was_asked_for, !rsp_valid_i || active_q)
    end
  end

endmodule
`default_nettype wire
