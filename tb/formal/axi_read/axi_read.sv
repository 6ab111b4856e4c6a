// SPDX-License-Identifier: Apache-2.0
//
// weft_axi_read obeys AXI4 (axi/axi_read_rules), asks only for what the windows permit, hands every
// beat to the client that asked, in order, and serves every client; drained, it becomes idle.
`default_nettype none
module axi_read #(
  parameter int unsigned MaxBursts = 2,
  parameter int unsigned Patience = 2
) (
  input wire logic                            clk_i,
  input wire logic                            rst_free_i,
  input wire logic                            drain_i,
  input wire logic                            urgent_i,
  input wire logic [2:0]                      req_valid_i,
  input wire logic [3*40-1:0]                 req_addr_i,
  input wire logic [3*21-1:0]                 req_bytes_i,
  input wire logic [2:0]                      rsp_ready_i,
  input wire logic                            arready_i,
  input wire logic                            rvalid_i,
  input wire logic [1:0]                      rid_i,
  input wire logic [8*weft_pkg::AxiBytes-1:0] rdata_i,
  input wire logic [1:0]                      rresp_i,
  input wire logic                            rlast_i,
  input wire logic                            watch_i    // watch the beat that arrives now
);

  localparam int unsigned Bytes = weft_pkg::AxiBytes;
  localparam int unsigned BeatBits = $clog2(Bytes);

  // The block that no window permits (lib/weft_windows).
  (* hierconn *) wire [31:0] \u_dut.gen_splitter[0].u_windows.denied_block ,
    \u_dut.gen_splitter[1].u_windows.denied_block , \u_dut.gen_splitter[2].u_windows.denied_block ;
  logic [31:0] denied_block;
  assign denied_block = \u_dut.gen_splitter[0].u_windows.denied_block ;
  // Clients whose burst waits, and the one whose burst leaves.
  (* hierconn *) wire [2:0] \u_dut.burst_valid ;
  (* hierconn *) wire [2:0] \u_dut.burst_ready ;

  logic started_q = 1'b0;
  logic rst_n;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  always_ff @(posedge clk_i) begin
    m_same_windows: assume (\u_dut.gen_splitter[1].u_windows.denied_block == denied_block &&
                            \u_dut.gen_splitter[2].u_windows.denied_block == denied_block);
  end

  // Settings: any, in every cycle.
  (* anyseq *) logic [3:0] cache;
  (* anyseq *) logic [2:0] prot;

  logic idle, rsp_last, error, denied, arvalid, rready;
  logic [2:0] req_ready, rsp_valid, beat;
  logic [8*Bytes-1:0] rsp_data;
  logic [1:0] error_client, arid;
  logic [39:0] error_addr, araddr;
  logic [7:0] arlen;
  logic [2:0] arsize, arprot;
  logic [1:0] arburst;
  logic [3:0] arcache;

  weft_axi_read #(
    .MaxBursts(MaxBursts),
    .Patience(Patience)
  ) u_dut (
    .clk_i,
    .rst_ni(rst_n),
    .drain_i,
    .idle_o(idle),
    .urgent_i,
    .req_valid_i,
    .req_ready_o(req_ready),
    .req_addr_i,
    .req_bytes_i,
    .rsp_valid_o(rsp_valid),
    .rsp_ready_i,
    .rsp_data_o(rsp_data),
    .rsp_last_o(rsp_last),
    .error_o(error),
    .error_denied_o(denied),
    .error_client_o(error_client),
    .error_addr_o(error_addr),
    .beat_o(beat),
    .window_first_i('0),
    .window_last_i('0),
    .window_enable_i('0),
    .window_permit_i('0),
    .cache_i(cache),
    .prot_i(prot),
    .axi_arvalid_o(arvalid),
    .axi_arready_i(arready_i),
    .axi_arid_o(arid),
    .axi_araddr_o(araddr),
    .axi_arlen_o(arlen),
    .axi_arsize_o(arsize),
    .axi_arburst_o(arburst),
    .axi_arcache_o(arcache),
    .axi_arprot_o(arprot),
    .axi_rvalid_i(rvalid_i),
    .axi_rready_o(rready),
    .axi_rid_i(rid_i),
    .axi_rdata_i(rdata_i),
    .axi_rresp_i(rresp_i),
    .axi_rlast_i(rlast_i)
  );

  logic [23:0] open;
  logic [7:0] all;
  axi_read_rules #(
    .Bytes(Bytes),
    .MaxBursts(MaxBursts)
  ) u_rules (
    .clk_i,
    .rst_ni(rst_n),
    .arvalid_i(arvalid),
    .arready_i,
    .arid_i(arid),
    .araddr_i(araddr),
    .arlen_i(arlen),
    .arsize_i(arsize),
    .arburst_i(arburst),
    .arcache_i(arcache),
    .arprot_i(arprot),
    .rvalid_i,
    .rready_i(rready),
    .rid_i,
    .rdata_i,
    .rresp_i,
    .rlast_i,
    .open_o(open),
    .all_o(all)
  );

  // The clients' side of the contract: aligned and not empty.
  logic [2:0] req_legal;
  always_comb begin
    for (int unsigned c = 0; c < 3; c++) begin
      req_legal[c] = req_addr_i[40*c+:BeatBits] == '0 && req_bytes_i[21*c+:21] != '0;
    end
  end
  always_ff @(posedge clk_i) m_requests: assume ((req_valid_i & ~req_legal) == '0);

  // One beat from memory, watched: at most two are inside, and it leaves after those before it.
  logic [1:0] inside_q;
  logic watched_q, fail_q, in, out;
  logic [1:0] id_q;
  logic [8*Bytes-1:0] data_q;
  assign in = rvalid_i && rready;
  assign out = beat != '0;

  // Bursts of others that left while a client's waited, the client chosen by the solver.
  (* anyconst *) logic [1:0] waits;
  logic [3:0] passed_q;
  logic waiting;
  assign waiting = \u_dut.burst_valid [waits] && !\u_dut.burst_ready [waits] && !drain_i;
  always_ff @(posedge clk_i) begin
    m_client: assume (waits < 2'd3);
    if (!rst_n || !waiting) passed_q <= '0;
    else passed_q <= passed_q + 4'(\u_dut.burst_ready != '0);
  end

  logic drain_q, ar_waited_q, was_busy_q;
  always_ff @(posedge clk_i) begin
    drain_q <= rst_n && drain_i;
    ar_waited_q <= rst_n && arvalid && !arready_i;
    was_busy_q <= rst_n && drain_i && !idle;
    if (!rst_n) begin
      inside_q <= '0;
      watched_q <= 1'b0;
    end else begin
      inside_q <= inside_q + 2'(in) - 2'(out);
      if (watched_q && out) watched_q <= 1'b0;
      else if (watch_i && in && !(out && inside_q == '0)) watched_q <= 1'b1;
      if (watch_i && in && !watched_q) begin
        id_q <= rid_i;
        data_q <= rdata_i;
        fail_q <= rresp_i != 2'b00;
      end

      if (arvalid) a_inside_windows: assert (araddr[39:8] != denied_block);
      if (arvalid) a_within_block: assert (9'(araddr[7:0]) + ((9'(arlen) + 1'b1) << BeatBits)
                                           <= 9'd256 && arlen < 8'd32);
      a_one_beat_kept: assert (inside_q <= 2'd1 && rready == (inside_q == '0));
      // A beat goes to the client that asked for it, at once or from the register, unless drained.
      if (out && inside_q == '0) begin
        a_beat_passes: assert (in && beat == 3'b001 << rid_i && rsp_data == rdata_i &&
                               (rsp_valid == beat || drain_i) && (error && !denied) ==
                               (rresp_i != 2'b00));
      end
      if (out && watched_q) begin
        a_beat_kept_passes: assert (beat == 3'b001 << id_q && rsp_data == data_q &&
                                    (rsp_valid == beat || drain_i) && (error && !denied) == fail_q);
      end
      a_taken_by_client: assert (drain_i ? rsp_valid == '0 : beat == (rsp_valid & rsp_ready_i));
      // What the client is ready for moves in the cycle in which it is there.
      if ((in || inside_q != '0) && (&rsp_ready_i || drain_i)) a_no_stall: assert (out);

      a_idle_is_quiet: assert (!idle || (all == '0 && inside_q == '0 && !arvalid));
      if (drain_q && all == '0 && inside_q == '0) a_drain_ends: assert (idle);
      if (drain_i) a_drain_refuses: assert (req_ready == '0 && !denied);
      if (drain_q) a_drain_asks_no_more: assert (!arvalid || ar_waited_q);

      // All others may be as impatient, each once.
      a_turn_comes: assert (passed_q <= 4'(Patience + 2));

      c_passed_over: cover (passed_q == 4'(Patience + 1));
      c_two_clients: cover (open[7:0] != '0 && open[23:16] != '0);
      c_full: cover (all == 8'(MaxBursts) && arvalid);
      c_denied: cover (denied);
      c_drained: cover (drain_q && idle && was_busy_q);
      c_kept: cover (watched_q && out);
    end
  end

endmodule
`default_nettype wire
