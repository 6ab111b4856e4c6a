// SPDX-License-Identifier: Apache-2.0
//
// weft_axi_write obeys AXI4 (axi/axi_write_rules), announces only what the windows permit, sends
// every beat it took up to a denied burst, in order, at its address; drained, it becomes idle. The memory inside is the
// one of tb/formal/lib.
`default_nettype none
module axi_write #(
  parameter int unsigned MaxBursts = 2
) (
  input wire logic                              clk_i,
  input wire logic                              rst_free_i,
  input wire logic                              drain_i,
  input wire logic [1:0]                        wr_valid_i,
  input wire logic [2*40-1:0]                   wr_addr_i,
  input wire logic [2*8*weft_pkg::AxiBytes-1:0] wr_data_i,
  input wire logic [2*weft_pkg::AxiBytes-1:0]   wr_strb_i,
  input wire logic [1:0]                        wr_last_i,
  input wire logic [1:0]                        wr_cmd_last_i,
  input wire logic                              awready_i,
  input wire logic                              wready_i,
  input wire logic                              bvalid_i,
  input wire logic [1:0]                        bresp_i,
  input wire logic                              watch_burst_i,
  input wire logic                              watch_beat_i
);

  localparam int unsigned Bytes = weft_pkg::AxiBytes;
  localparam int unsigned BeatBits = $clog2(Bytes);

  // The block that no window permits (lib/weft_windows).
  (* hierconn *) wire [31:0] \u_dut.u_windows.denied_block ;

  logic started_q = 1'b0;
  logic rst_n;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  // Settings: any, in every cycle.
  (* anyseq *) logic [3:0] cache;
  (* anyseq *) logic [2:0] prot;

  logic idle, error, denied, error_client, moved, awvalid, wvalid, wlast, bready;
  logic [1:0] wr_ready, done, awid, awburst;
  logic [39:0] error_addr, awaddr;
  logic [7:0] awlen;
  logic [2:0] awsize, awprot;
  logic [3:0] awcache;
  logic [8*Bytes-1:0] wdata;
  logic [Bytes-1:0] wstrb;

  weft_axi_write #(
    .MaxBursts(MaxBursts)
  ) u_dut (
    .clk_i,
    .rst_ni(rst_n),
    .drain_i,
    .idle_o(idle),
    .wr_valid_i,
    .wr_ready_o(wr_ready),
    .wr_addr_i,
    .wr_data_i,
    .wr_strb_i,
    .wr_last_i,
    .wr_cmd_last_i,
    .done_o(done),
    .error_o(error),
    .error_denied_o(denied),
    .error_client_o(error_client),
    .error_addr_o(error_addr),
    .beat_o(moved),
    .window_first_i('0),
    .window_last_i('0),
    .window_enable_i('0),
    .window_permit_i('0),
    .cache_i(cache),
    .prot_i(prot),
    .axi_awvalid_o(awvalid),
    .axi_awready_i(awready_i),
    .axi_awid_o(awid),
    .axi_awaddr_o(awaddr),
    .axi_awlen_o(awlen),
    .axi_awsize_o(awsize),
    .axi_awburst_o(awburst),
    .axi_awcache_o(awcache),
    .axi_awprot_o(awprot),
    .axi_wvalid_o(wvalid),
    .axi_wready_i(wready_i),
    .axi_wdata_o(wdata),
    .axi_wstrb_o(wstrb),
    .axi_wlast_o(wlast),
    .axi_bvalid_i(bvalid_i),
    .axi_bready_o(bready),
    .axi_bresp_i(bresp_i)
  );

  logic [7:0] all;
  axi_write_rules #(
    .Bytes(Bytes),
    .MaxBursts(MaxBursts)
  ) u_rules (
    .clk_i,
    .rst_ni(rst_n),
    .watch_i(watch_burst_i),
    .awvalid_i(awvalid),
    .awready_i,
    .awaddr_i(awaddr),
    .awlen_i(awlen),
    .awsize_i(awsize),
    .awburst_i(awburst),
    .awcache_i(awcache),
    .awprot_i(awprot),
    .wvalid_i(wvalid),
    .wready_i,
    .wdata_i(wdata),
    .wstrb_i(wstrb),
    .wlast_i(wlast),
    .bvalid_i,
    .bready_i(bready),
    .bresp_i,
    .all_o(all)
  );

  // What is taken: within a burst, beats follow each other and come from one client.
  logic [1:0] taken;
  logic client_q, open_q, client;         // a burst is begun and not complete
  logic [39:0] next_q, addr;
  logic [7:0] data;
  logic ends;
  assign taken = wr_valid_i & wr_ready;
  assign client = taken[1];
  assign addr = client ? wr_addr_i[40+:40] : wr_addr_i[0+:40];
  assign data = client ? wr_data_i[8*Bytes+:8] : wr_data_i[0+:8];
  assign ends = wr_last_i[client] || wr_cmd_last_i[client] || &addr[7:BeatBits];

  // A complete burst is checked, and passes or is dropped, with what comes in that cycle.
  (* hierconn *) wire \u_dut.passed , \u_dut.denied ;
  logic passes, drop, dropped_q;          // dropped_q: since then, until a drain
  assign passes = \u_dut.passed ;
  assign drop = \u_dut.denied ;

  // The watched beat, and the beats taken before it that have not left. A drain drops the beats of
  // an incomplete burst.
  logic watched_q;
  logic [7:0] ahead_q, complete_q, pend_q, begun_q, data_q;   // pend_q: complete, not checked
  logic sent;
  assign sent = wvalid && wready_i;

  logic drain_q, was_busy_q;
  always_ff @(posedge clk_i) begin
    drain_q <= rst_n && drain_i;
    was_busy_q <= rst_n && drain_i && !idle;
    if (taken != '0) begin
      m_aligned: assume (addr[BeatBits-1:0] == '0);
      if (open_q && !drop) m_follows: assume (addr == next_q);
      next_q <= addr + 40'(Bytes);
      client_q <= client;
    end
    if (!rst_n) begin
      open_q <= 1'b0;
      watched_q <= 1'b0;
      complete_q <= '0;
      begun_q <= '0;
      pend_q <= '0;
      dropped_q <= 1'b0;
    end else begin
      dropped_q <= (drop || dropped_q) && !drain_i;
      if (drain_i || drop) open_q <= 1'b0;
      else if (taken != '0) open_q <= !ends;
      if (drain_i || drop) begun_q <= '0;
      else if (taken != '0) begun_q <= ends ? '0 : begun_q + 1'b1;
      if (taken != '0 && ends && !drop) pend_q <= begun_q + 1'b1;
      else if (passes || drop) pend_q <= '0;
      complete_q <= complete_q - 8'(sent) + (passes ? pend_q : '0);
      if (watched_q) begin
        if (sent) ahead_q <= ahead_q - 1'b1;
        if ((sent && ahead_q == '0) || (drop && ahead_q >= complete_q) ||
            (drain_i && ahead_q >= complete_q + pend_q)) watched_q <= 1'b0;
      end else if (watch_beat_i && taken != '0 && !drop) begin
        watched_q <= 1'b1;
        data_q <= data;
        ahead_q <= complete_q + pend_q + begun_q - 8'(sent);
      end

      a_one_client: assert (taken != 2'b11 && (!open_q || taken == '0 || client == client_q));
      if (wvalid) a_only_what_was_taken: assert (complete_q != '0);
      if (watched_q && wvalid && ahead_q == '0) a_data_unchanged: assert (wdata[7:0] == data_q);
      if (awvalid) a_inside_windows: assert (awaddr[39:8] != \u_dut.u_windows.denied_block );
      if (awvalid) a_within_block: assert (9'(awaddr[7:0]) + ((9'(awlen) + 1'b1) << BeatBits)
                                           <= 9'd256);
      a_idle_is_quiet: assert (!idle || (all == '0 && complete_q == '0 && pend_q == '0 && !open_q &&
                                         !wvalid));
      if (dropped_q) a_nothing_after_denied: assert (taken == '0);
      if (dropped_q && idle && !drain_i) a_denied_is_reported: assert (denied);
      if (drain_q && drain_i && complete_q == '0 && pend_q == '0 && all == '0) a_drain_ends: assert (idle);
      if (drain_i) a_drain_refuses: assert (wr_ready == '0 && done == '0 && !denied);
      if (error && !denied) a_error_is_an_answer: assert (bvalid_i && bresp_i != 2'b00);
      if (done != '0) a_done_is_an_answer: assert (bvalid_i && bresp_i == 2'b00 && done != 2'b11);

      c_two_bursts: cover (all == 8'd2 && wvalid && wlast && complete_q > 8'd2);
      c_denied: cover (denied);
      c_dropped: cover (drain_i && begun_q == 8'd2 && complete_q == 8'd1);
      c_drained: cover (drain_q && idle && was_busy_q);
      c_watched_leaves: cover (watched_q && sent && ahead_q == '0 && data_q == 8'h5a);
    end
  end

endmodule
`default_nettype wire
