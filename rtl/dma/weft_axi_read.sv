// SPDX-License-Identifier: Apache-2.0
//
// The read half of the one place from which accesses leave for memory. Clients (0 commands,
// 1 weights, 2 load) ask for runs of bytes; a run becomes INCR bursts within 256-byte blocks, with
// ARID = client. Commands go before load before weights, urgent weights before load, but who was
// passed over Patience times is next. Up to MaxBursts bursts are under way; memory may answer
// different IDs in any order. Data goes to the client in the cycle in which it arrives. A burst
// that no memory window permits is not sent: once the client's earlier bursts have ended it is
// reported, until drain_i. Reset by the hard reset only: with drain_i nothing new is asked for,
// requests are dropped, and data of the bursts under way is swallowed until idle_o.
`default_nettype none
`include "common/weft_assert.svh"
module weft_axi_read #(
  parameter int unsigned IdWidth = 2,
  parameter int unsigned MaxBursts = 8,
  parameter int unsigned Patience = 7
) (
  input  wire logic                              clk_i,
  input  wire logic                              rst_ni,
  input  wire logic                              drain_i,
  output      logic                              idle_o,        // no burst under way
  input  wire logic                              urgent_i,      // weights before load
  // clients
  input  wire logic [2:0]                        req_valid_i,
  output      logic [2:0]                        req_ready_o,
  input  wire logic [3*40-1:0]                   req_addr_i,    // beat-aligned
  input  wire logic [3*21-1:0]                   req_bytes_i,   // at least 1, rounded up to beats
  output      logic [2:0]                        rsp_valid_o,
  input  wire logic [2:0]                        rsp_ready_i,
  output      logic [8*weft_pkg::AxiBytes-1:0]   rsp_data_o,    // of whichever client is valid
  output      logic                              rsp_last_o,    // last beat of a request
  // SLVERR or DECERR: a pulse, or a denied burst, held; with the burst's client and address
  output      logic                              error_o,
  output      logic                              error_denied_o,
  output      logic [1:0]                        error_client_o,
  output      logic [39:0]                       error_addr_o,
  output      logic [2:0]                        beat_o,        // a beat of this client moved
  // memory windows
  input  wire logic [8*32-1:0]                   window_first_i,
  input  wire logic [8*32-1:0]                   window_last_i,
  input  wire logic [7:0]                        window_enable_i,
  input  wire logic [7:0]                        window_permit_i,
  // memory
  input  wire logic [3:0]                        cache_i,
  input  wire logic [2:0]                        prot_i,
  output      logic                              axi_arvalid_o,
  input  wire logic                              axi_arready_i,
  output      logic [IdWidth-1:0]                axi_arid_o,
  output      logic [39:0]                       axi_araddr_o,
  output      logic [7:0]                        axi_arlen_o,
  output      logic [2:0]                        axi_arsize_o,
  output      logic [1:0]                        axi_arburst_o,
  output      logic [3:0]                        axi_arcache_o,
  output      logic [2:0]                        axi_arprot_o,
  input  wire logic                              axi_rvalid_i,
  output      logic                              axi_rready_o,
  input  wire logic [IdWidth-1:0]                axi_rid_i,
  input  wire logic [8*weft_pkg::AxiBytes-1:0]   axi_rdata_i,
  input  wire logic [1:0]                        axi_rresp_i,
  input  wire logic                              axi_rlast_i,
  output      logic                              awake_o
);

  localparam int unsigned Clients = 3;
  localparam int unsigned CountBits = $clog2(MaxBursts + 1);
  localparam int unsigned PassedBits = $clog2(Patience + 1);

  // Bursts the clients would like to send.
  logic [Clients-1:0] burst_valid, burst_ready, burst_last, allowed;
  logic [40*Clients-1:0] burst_addr;
  logic [8*Clients-1:0] burst_len;
  logic [Clients-1:0] splitter_ready;

  assign req_ready_o = splitter_ready & {Clients{!drain_i}};

  // Each client's next burst is checked, before it is known whose turn it will be.
  for (genvar c = 0; c < Clients; c++) begin : gen_splitter
    logic [31:0] block;
    logic block_allowed;
    weft_windows u_windows (
      .first_i(window_first_i),
      .last_i(window_last_i),
      .enable_i(window_enable_i),
      .permit_i(window_permit_i),
      .block_i(block),
      .allowed_o(block_allowed)
    );
    weft_burst_splitter u_splitter (
      .clk_i,
      .rst_ni,
      .clear_i(drain_i),
      .req_valid_i(req_valid_i[c]),
      .req_ready_o(splitter_ready[c]),
      .req_addr_i(req_addr_i[c*40+:40]),
      .req_bytes_i(req_bytes_i[c*21+:21]),
      .burst_valid_o(burst_valid[c]),
      .burst_ready_i(burst_ready[c]),
      .burst_addr_o(burst_addr[40*c+:40]),
      .burst_len_o(burst_len[8*c+:8]),
      .burst_last_o(burst_last[c]),
      .burst_allowed_o(allowed[c]),
      .check_block_o(block),
      .check_allowed_i(block_allowed)
    );
  end

  // Choice of the next burst.
  logic [PassedBits-1:0] passed_q [Clients];  // times a waiting client was passed over
  logic [Clients-1:0] impatient, pick;
  logic [1:0] pick_client;
  logic [39:0] pick_addr;
  logic wanted, permitted, room, issue;
  logic [CountBits-1:0] count_q;
  logic burst_done;

  always_comb begin
    for (int unsigned c = 0; c < Clients; c++) begin
      impatient[c] = burst_valid[c] && passed_q[c] == PassedBits'(Patience);
    end
    if (impatient[0]) pick_client = 2'd0;
    else if (impatient[2]) pick_client = 2'd2;
    else if (impatient[1]) pick_client = 2'd1;
    else if (burst_valid[0]) pick_client = 2'd0;
    else if (burst_valid[2] && !(urgent_i && burst_valid[1])) pick_client = 2'd2;
    else pick_client = 2'd1;
    pick = Clients'(1) << pick_client;
  end

  assign pick_addr = burst_addr[40*pick_client+:40];
  assign wanted = (burst_valid & pick) != '0 && !drain_i;

  assign permitted = (allowed & pick) != '0;
  assign room = !axi_arvalid_o || axi_arready_i;
  assign issue = wanted && permitted && count_q != CountBits'(MaxBursts) && room;
  assign burst_ready = issue ? pick : '0;

  assign axi_arsize_o = 3'($clog2(weft_pkg::AxiBytes));
  assign axi_arburst_o = 2'b01;

  always_ff @(posedge clk_i) begin
    if (room) begin
      axi_arid_o <= IdWidth'(pick_client);
      axi_araddr_o <= pick_addr;
      axi_arcache_o <= cache_i;
      axi_arprot_o <= prot_i;
      axi_arlen_o <= burst_len[8*pick_client+:8];
    end
    if (!rst_ni) begin
      axi_arvalid_o <= 1'b0;
      count_q <= '0;
      for (int unsigned c = 0; c < Clients; c++) passed_q[c] <= '0;
    end else begin
      if (issue) axi_arvalid_o <= 1'b1;
      else if (axi_arready_i) axi_arvalid_o <= 1'b0;
      if (issue && !burst_done) count_q <= count_q + 1'b1;
      if (burst_done && !issue) count_q <= count_q - 1'b1;
      for (int unsigned c = 0; c < Clients; c++) begin
        if (!burst_valid[c] || burst_ready[c]) passed_q[c] <= '0;
        else if (issue && !impatient[c]) passed_q[c] <= passed_q[c] + 1'b1;
      end
    end
  end

  // Bursts under way, by client in order: address, and whether the request ends with it.
  logic [Clients-1:0] way_ready, way_valid, way_last, way_pop;
  logic [40*Clients-1:0] way_addr;
  logic beat;

  for (genvar c = 0; c < Clients; c++) begin : gen_way
    weft_fifo #(
      .Width(41),
      .Depth(MaxBursts)
    ) u_way (
      .clk_i,
      .rst_ni,
      .valid_i(burst_ready[c]),
      .ready_o(way_ready[c]),
      .data_i({burst_last[c], burst_addr[40*c+:40]}),
      .valid_o(way_valid[c]),
      .ready_i(way_pop[c]),
      .data_o({way_last[c], way_addr[40*c+:40]})
    );
  end

  // The channel's RREADY must not depend on its RID, which says whose readiness counts.
  logic r_valid, r_ready, r_last;
  logic [IdWidth-1:0] r_id;
  logic [1:0] r_resp;

  weft_skid #(
    .Width(IdWidth + 3 + 8 * weft_pkg::AxiBytes)
  ) u_r (
    .clk_i,
    .rst_ni,
    .valid_i(axi_rvalid_i),
    .ready_o(axi_rready_o),
    .data_i({axi_rid_i, axi_rresp_i, axi_rlast_i, axi_rdata_i}),
    .valid_o(r_valid),
    .ready_i(r_ready),
    .data_o({r_id, r_resp, r_last, rsp_data_o})
  );

  // Data. Beats with an ID nobody asked for are swallowed.
  logic [Clients-1:0] due, takes;  // whose beat it is, if anybody asked for it; who takes one
  logic [1:0] rsp_client;
  logic [39:0] rsp_addr;

  always_comb begin
    rsp_addr = '0;
    for (int unsigned c = 0; c < Clients; c++) begin
      due[c] = r_id == IdWidth'(c) && way_valid[c];
      if (r_id == IdWidth'(c)) rsp_addr = rsp_addr | way_addr[40*c+:40];
    end
  end

  assign takes = rsp_ready_i | {Clients{drain_i}};
  assign rsp_client = r_id[1:0];
  assign rsp_valid_o = due & {Clients{r_valid && !drain_i}};
  assign r_ready = (due & ~takes) == '0;
  assign beat_o = due & takes & {Clients{r_valid}};
  assign beat = beat_o != '0;
  assign burst_done = beat && r_last;
  assign way_pop = beat_o & {Clients{r_last}};
  assign rsp_last_o = r_last && (due & way_last) != '0;

  // The client's record of whose data comes names a denied burst's command once nothing else is
  // under way, and goes on doing so. An answer goes before it.
  logic failed, denied_q;
  logic [1:0] denied_client_q;
  logic [39:0] denied_addr_q;

  always_ff @(posedge clk_i) begin
    denied_q <= rst_ni && wanted && !permitted && !way_valid[pick_client];
    denied_client_q <= pick_client;
    denied_addr_q <= pick_addr;
  end

  assign failed = beat && r_resp != 2'b00;
  assign error_denied_o = !failed && denied_q && !drain_i;
  assign error_o = failed || error_denied_o;
  assign error_client_o = failed ? rsp_client : denied_client_q;
  assign error_addr_o = failed ? rsp_addr : denied_addr_q;
  assign idle_o = count_q == '0;
  assign awake_o = req_valid_i != '0 || burst_valid != '0 || axi_arvalid_o || r_valid;

`ifndef SYNTHESIS
  logic ar_waits_q;
  logic [IdWidth+47:0] ar_q;
  always_ff @(posedge clk_i) begin
    ar_waits_q <= rst_ni && axi_arvalid_o && !axi_arready_i;
    ar_q <= {axi_arid_o, axi_araddr_o, axi_arlen_o};
    if (rst_ni) begin
      `WEFT_ASSERT(a_room_for_burst, (burst_ready & ~way_ready) == '0)
      `WEFT_ASSERT(a_answer_was_asked_for, !r_valid || due != '0)
      `WEFT_ASSERT(a_ar_held, !ar_waits_q || (axi_arvalid_o &&
                                              ar_q == {axi_arid_o, axi_araddr_o, axi_arlen_o}))
    end
  end
`endif

endmodule
`default_nettype wire
