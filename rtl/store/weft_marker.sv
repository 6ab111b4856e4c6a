// SPDX-License-Identifier: Apache-2.0
//
// Writes snapshots of the performance counters. Requests come from post (0) and from the store
// queue (1); the counters are captured in the cycle in which a request is taken (mark_done_o one
// cycle later, for the simulator), then leave through the AXI write half as one 64-byte burst. The
// next request is taken when the beats are handed over; up to four snapshots wait for memory's
// answer.
`default_nettype none
module weft_marker (
  input  wire logic                              clk_i,
  input  wire logic                              rst_ni,
  input  wire logic [1:0]                        mark_valid_i,
  output      logic [1:0]                        mark_ready_o,
  input  wire logic [2*40-1:0]                   mark_addr_i,    // 64-byte aligned
  input  wire logic [2*16-1:0]                   mark_layer_i,
  input  wire logic [2*32-1:0]                   mark_index_i,   // index in the stream
  input  wire logic [32*weft_pkg::NumCounters-1:0] counters_i,
  // AXI write client
  output      logic                              wr_valid_o,
  input  wire logic                              wr_ready_i,
  output      logic [39:0]                       wr_addr_o,
  output      logic [8*weft_pkg::AxiBytes-1:0]   wr_data_o,
  output      logic [weft_pkg::AxiBytes-1:0]     wr_strb_o,
  output      logic                              wr_last_o,
  output      logic                              wr_cmd_last_o,
  input  wire logic                              wr_done_i,
  // state
  output      logic                              mark_done_o,    // a snapshot was captured,
  output      logic [15:0]                       mark_layer_o,   // of this layer
  output      logic                              idle_o,
  output      logic [31:0]                       access_index_o,  // command of the oldest access
  output      logic                              awake_o
);

  localparam int unsigned B = weft_pkg::AxiBytes;
  localparam int unsigned Bytes = 4 * weft_pkg::NumCounters;
  localparam int unsigned Beats = Bytes / B;
  localparam int unsigned BeatBits = $clog2(Beats);

  logic sel, take, space, pending, busy_q, beat;
  logic [15:0] layer;
  logic [39:0] addr_q;
  logic [8*Bytes-1:0] snapshot_q;  // shifted out, lowest beat first
  logic [BeatBits-1:0] beat_q;

  assign sel = !mark_valid_i[0];
  assign mark_ready_o = (busy_q || !space) ? 2'b00 : sel ? 2'b10 : 2'b01;
  assign take = (mark_valid_i & mark_ready_o) != '0;
  assign layer = sel ? mark_layer_i[16+:16] : mark_layer_i[0+:16];
  assign beat = wr_valid_o && wr_ready_i;

  assign wr_valid_o = busy_q;
  assign wr_addr_o = addr_q;
  assign wr_data_o = snapshot_q[8*B-1:0];
  assign wr_strb_o = '1;
  assign wr_last_o = beat_q == BeatBits'(Beats - 1);
  assign wr_cmd_last_o = wr_last_o;

  always_ff @(posedge clk_i) begin
    if (take) begin
      addr_q <= sel ? mark_addr_i[40+:40] : mark_addr_i[0+:40];
      snapshot_q <= counters_i;
      snapshot_q[32*weft_pkg::CounterLayer+:32] <= 32'(layer);
      mark_layer_o <= layer;
    end else if (beat) begin
      addr_q <= addr_q + 40'(B);
      snapshot_q <= snapshot_q >> (8 * B);
    end
    if (!rst_ni) begin
      busy_q <= 1'b0;
      beat_q <= '0;
      mark_done_o <= 1'b0;
    end else begin
      busy_q <= take || (busy_q && !(beat && wr_last_o));
      if (beat) beat_q <= wr_last_o ? '0 : beat_q + 1'b1;
      mark_done_o <= take;
    end
  end

  weft_fifo #(
    .Width(32),
    .Depth(4)
  ) u_pending (
    .clk_i,
    .rst_ni,
    .valid_i(take),
    .ready_o(space),
    .data_i(sel ? mark_index_i[32+:32] : mark_index_i[0+:32]),
    .valid_o(pending),
    .ready_i(wr_done_i),
    .data_o(access_index_o)
  );

  assign idle_o = !pending;
  assign awake_o = mark_valid_i != '0 || busy_q || mark_done_o || wr_done_i;

endmodule
`default_nettype wire
