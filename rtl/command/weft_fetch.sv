// SPDX-License-Identifier: Apache-2.0
// Reads a run of 32-byte records (commands, or the two halves of a job ring entry) from memory
// ahead of their use. Does not look into them. start_i takes address and count while idle; records
// come out valid/ready in order with their index. Asks for 256 bytes at a time, and only when they
// have a place.
`default_nettype none
module weft_fetch (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
    input  wire logic         start_i,
    input  wire logic [39:0]  addr_i,
    input  wire logic [31:0]  count_i,
    // AXI read client
    output logic              req_valid_o,
    input  wire logic         req_ready_i,
    output logic [39:0]       req_addr_o,
    output logic [20:0]       req_bytes_o,
    input  wire logic         rsp_valid_i,
    output logic              rsp_ready_o,
    input  wire logic [8*weft_pkg::AxiBytes-1:0] rsp_data_i,
    // records
    output logic              cmd_valid_o,
    input  wire logic         cmd_ready_i,
    output logic [weft_pkg::CommandBits-1:0] cmd_o,
    output logic [31:0]       cmd_index_o,
    output logic              exhausted_o,   // every record has been handed out
    output logic              awake_o
);
  localparam int unsigned RecordBytes = weft_pkg::CommandBits / 8;
  localparam int unsigned Beats = RecordBytes / weft_pkg::AxiBytes;   // beats of a record
  localparam int unsigned Depth = 16;                                 // records held
  localparam int unsigned Chunk = 8;                                  // records asked for at once
  localparam int unsigned BeatBits = (Beats > 1) ? $clog2(Beats) : 1;
  localparam int unsigned BeatWidth = 8 * weft_pkg::AxiBytes;

  logic [39:0] addr_q;
  logic [31:0] to_ask_q, to_hand_q, index_q;
  logic [4:0]  held_q;               // records asked for and not yet handed out
  logic [4:0]  ask;
  logic        ask_fire, hand_fire, record_valid, fifo_ready;
  logic [weft_pkg::CommandBits-1:0] record;

  assign ask = (to_ask_q > 32'(Chunk)) ? 5'(Chunk) : to_ask_q[4:0];
  assign req_valid_o = (ask != '0) && (held_q + ask <= 5'(Depth));
  assign req_addr_o  = addr_q;
  assign req_bytes_o = 21'(ask) * 21'(RecordBytes);
  assign ask_fire    = req_valid_o && req_ready_i;
  assign hand_fire   = cmd_valid_o && cmd_ready_i;

  assign cmd_index_o = index_q;
  assign exhausted_o = (to_hand_q == '0);
  assign awake_o     = start_i || req_valid_o || rsp_valid_i || hand_fire;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      to_ask_q  <= '0;
      to_hand_q <= '0;
      held_q    <= '0;
    end else begin
      if (start_i) begin
        to_ask_q  <= count_i;
        to_hand_q <= count_i;
      end else begin
        if (ask_fire) to_ask_q <= to_ask_q - 32'(ask);
        if (hand_fire) to_hand_q <= to_hand_q - 32'd1;
      end
      held_q <= held_q + (ask_fire ? ask : 5'd0) - 5'(hand_fire);
    end
    if (start_i) begin
      addr_q  <= addr_i;
      index_q <= '0;
    end else begin
      if (ask_fire) addr_q <= addr_q + 40'(req_bytes_o);
      if (hand_fire) index_q <= index_q + 32'd1;
    end
  end

  // Beats of a record are gathered low part first; with one beat a record they pass through.
  if (Beats == 1) begin : gen_whole
    assign record       = rsp_data_i;
    assign record_valid = rsp_valid_i;
  end else begin : gen_gather
    logic [BeatBits-1:0] beat_q;
    logic [weft_pkg::CommandBits-BeatWidth-1:0] low_q;
    assign record       = {rsp_data_i, low_q};
    assign record_valid = rsp_valid_i && (beat_q == BeatBits'(Beats - 1));
    always_ff @(posedge clk_i) begin
      if (!rst_ni) beat_q <= '0;
      else if (rsp_valid_i && rsp_ready_o) beat_q <= beat_q + BeatBits'(1);
      if (rsp_valid_i && rsp_ready_o) begin
        for (int i = 0; i < Beats - 1; i++) begin
          if (beat_q == BeatBits'(i)) low_q[BeatWidth*i +: BeatWidth] <= rsp_data_i;
        end
      end
    end
  end
  assign rsp_ready_o = fifo_ready;

  weft_ram_fifo #(
      .Width(weft_pkg::CommandBits),
      .Depth(Depth)
  ) u_records (
      .clk_i, .rst_ni,
      .valid_i(record_valid),
      .ready_o(fifo_ready),
      .data_i(record),
      .valid_o(cmd_valid_o),
      .ready_i(cmd_ready_i),
      .data_o(cmd_o)
  );
endmodule
`default_nettype wire
