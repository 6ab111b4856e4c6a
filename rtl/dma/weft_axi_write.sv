// SPDX-License-Identifier: Apache-2.0
//
// The write half of the one place from which accesses leave for memory. Clients (0 store, 1 marker)
// hand over beats; those of a row, up to the end of a 256-byte block, are collected into a burst,
// and only a complete burst is announced, so a client that stops never blocks the bus. Up to
// MaxBursts bursts wait for their answers; one AWID, so answers come in order. done_o pulses when
// the last answer of a command is in. A burst is checked against the memory windows from its first
// beat on: one of a single beat costs a cycle more. One that none permits is dropped, nothing is taken after it, and it is reported once all
// answers are in, until drain_i. wr_ready_o does not wait for addresses or windows. Reset by the
// hard reset only: with drain_i an incomplete burst is dropped, complete ones are finished without
// done_o, nothing new is taken, until idle_o.
`default_nettype none
`include "common/weft_assert.svh"
module weft_axi_write #(
  parameter int unsigned IdWidth = 2,
  parameter int unsigned MaxBursts = 8
) (
  input  wire logic                                clk_i,
  input  wire logic                                rst_ni,
  input  wire logic                                drain_i,
  output      logic                                idle_o,
  // clients; a burst's beats come from one client, in rising order
  input  wire logic [1:0]                          wr_valid_i,
  output      logic [1:0]                          wr_ready_o,
  input  wire logic [2*40-1:0]                     wr_addr_i,      // of the beat, beat-aligned
  input  wire logic [2*8*weft_pkg::AxiBytes-1:0]   wr_data_i,
  input  wire logic [2*weft_pkg::AxiBytes-1:0]     wr_strb_i,
  input  wire logic [1:0]                          wr_last_i,      // last beat of a row
  input  wire logic [1:0]                          wr_cmd_last_i,  // last beat of a command
  output      logic [1:0]                          done_o,
  // SLVERR or DECERR: a pulse (instead of done_o), or a denied burst, held; with the burst's client
  // and address
  output      logic                                error_o,
  output      logic                                error_denied_o,
  output      logic                                error_client_o,
  output      logic [39:0]                         error_addr_o,
  output      logic                                beat_o,         // a beat moved
  // memory windows
  input  wire logic [8*32-1:0]                     window_first_i,
  input  wire logic [8*32-1:0]                     window_last_i,
  input  wire logic [7:0]                          window_enable_i,
  input  wire logic [7:0]                          window_permit_i,
  // memory
  input  wire logic [3:0]                          cache_i,
  input  wire logic [2:0]                          prot_i,
  output      logic                                axi_awvalid_o,
  input  wire logic                                axi_awready_i,
  output      logic [IdWidth-1:0]                  axi_awid_o,
  output      logic [39:0]                         axi_awaddr_o,
  output      logic [7:0]                          axi_awlen_o,
  output      logic [2:0]                          axi_awsize_o,
  output      logic [1:0]                          axi_awburst_o,
  output      logic [3:0]                          axi_awcache_o,
  output      logic [2:0]                          axi_awprot_o,
  output      logic                                axi_wvalid_o,
  input  wire logic                                axi_wready_i,
  output      logic [8*weft_pkg::AxiBytes-1:0]     axi_wdata_o,
  output      logic [weft_pkg::AxiBytes-1:0]       axi_wstrb_o,
  output      logic                                axi_wlast_o,
  input  wire logic                                axi_bvalid_i,
  output      logic                                axi_bready_o,
  input  wire logic [1:0]                          axi_bresp_i,
  output      logic                                awake_o
);

  localparam int unsigned B = weft_pkg::AxiBytes;
  localparam int unsigned BeatBits = $clog2(B);
  localparam int unsigned IndexBits = 8 - BeatBits;         // beat within a block
  localparam int unsigned PtrBits = IndexBits + 2;          // room for four full bursts
  localparam int unsigned Entry = 9 * B + 1;
  localparam int unsigned CountBits = $clog2(MaxBursts + 1);

  // Collecting. Pointers have one bit more than an address, so that full differs from empty.
  logic locked_q, lock_q, sel, room;
  logic take, wr_last, cmd_last, burst_end;
  logic [39:0] addr;
  logic [8*B-1:0] data;
  logic [B-1:0] strb;
  logic [PtrBits:0] wr_ptr_q, end_ptr_q, done_ptr_q, rd_ptr_q;  // next beat, end of the last burst,
  logic [39:0] first_q, first;                                  // of the last checked; next read
  logic [IndexBits-1:0] count_q, len_q;                     // beats of the burst so far; last, minus 1
  logic ended_q, cmd_last_q;                                // a burst is complete and not checked
  logic allowed, allowed_q, known_q;                        // the windows' answer is that to first_q
  logic passed, denied, denied_q, space;

  assign sel = locked_q ? lock_q : wr_valid_i[1];
  assign addr = sel ? wr_addr_i[40+:40] : wr_addr_i[0+:40];
  assign data = sel ? wr_data_i[8*B+:8*B] : wr_data_i[0+:8*B];
  assign strb = sel ? wr_strb_i[B+:B] : wr_strb_i[0+:B];
  assign wr_last = wr_last_i[sel];
  assign cmd_last = wr_cmd_last_i[sel];

  assign room = (!ended_q || (known_q && space)) && !denied_q &&
                (wr_ptr_q - rd_ptr_q) != (PtrBits+1)'(1 << PtrBits);
  assign wr_ready_o[0] = !sel && room && !drain_i;
  assign wr_ready_o[1] = sel && room && !drain_i;
  assign take = (wr_valid_i & wr_ready_o) != '0;
  assign burst_end = wr_last || cmd_last || &addr[7:BeatBits];
  assign first = locked_q ? first_q : addr;

  // A burst lies in one block: what is permitted for one of its beats is for all.
  weft_windows u_windows (
    .first_i(window_first_i),
    .last_i(window_last_i),
    .enable_i(window_enable_i),
    .permit_i(window_permit_i),
    .block_i(first_q[39:8]),
    .allowed_o(allowed)
  );
  assign passed = ended_q && known_q && allowed_q && space;
  assign denied = ended_q && known_q && !allowed_q;

  always_ff @(posedge clk_i) begin
    allowed_q <= allowed;
    known_q <= !take || locked_q;
    if (take && !denied) begin
      lock_q <= sel;
      first_q <= first;
      len_q <= count_q;
      cmd_last_q <= cmd_last;
      end_ptr_q <= wr_ptr_q + 1'b1;
    end
    if (!rst_ni) begin
      locked_q <= 1'b0;
      count_q <= '0;
      wr_ptr_q <= '0;
      done_ptr_q <= '0;
      ended_q <= 1'b0;
      denied_q <= 1'b0;
    end else begin
      if (passed) done_ptr_q <= end_ptr_q;
      denied_q <= (denied || denied_q) && !drain_i;
      ended_q <= (take && burst_end && !denied) || (ended_q && !passed && !denied);
      if (drain_i || denied) begin
        locked_q <= 1'b0;
        count_q <= '0;
        wr_ptr_q <= (ended_q && !denied) ? end_ptr_q : done_ptr_q;
      end else if (take) begin
        locked_q <= !burst_end;
        count_q <= burst_end ? '0 : count_q + 1'b1;
        wr_ptr_q <= wr_ptr_q + 1'b1;
        `WEFT_ASSERT(a_beat_follows, addr == first + (40'(count_q) << BeatBits))
        `WEFT_ASSERT(a_beat_aligned, addr[BeatBits-1:0] == '0)
      end
    end
  end

  // Complete bursts waiting for their turn; one that need not wait goes past the FIFO.
  logic head_valid, head_take, head_client, head_cmd_last, waiting;
  logic [39:0] head_addr;
  logic [IndexBits-1:0] head_len;
  logic [41+IndexBits:0] checked, oldest;

  assign checked = {lock_q, cmd_last_q, first_q, len_q};
  weft_fifo #(
    .Width(42 + IndexBits),
    .Depth(MaxBursts)
  ) u_head (
    .clk_i,
    .rst_ni,
    .valid_i(passed && (waiting || !head_take)),
    .ready_o(space),
    .data_i(checked),
    .valid_o(waiting),
    .ready_i(head_take),
    .data_o(oldest)
  );
  assign head_valid = waiting || passed;
  assign {head_client, head_cmd_last, head_addr, head_len} = waiting ? oldest : checked;

  // Announcing.
  logic answer_space, answer_valid, answer_client, answer_cmd_last, done, failed;
  logic [39:0] answer_addr;
  logic w_burst_done;
  logic [CountBits-1:0] w_bursts_q;  // announced bursts whose last beat has not left

  assign head_take = answer_space && (!axi_awvalid_o || axi_awready_i);
  assign axi_awid_o = '0;
  assign axi_awsize_o = 3'(BeatBits);
  assign axi_awburst_o = 2'b01;

  always_ff @(posedge clk_i) begin
    if (head_valid && head_take) begin
      axi_awaddr_o <= head_addr;
      axi_awlen_o <= 8'(head_len);
      axi_awcache_o <= cache_i;
      axi_awprot_o <= prot_i;
    end
    if (!rst_ni) begin
      axi_awvalid_o <= 1'b0;
      w_bursts_q <= '0;
    end else begin
      if (head_valid && head_take) axi_awvalid_o <= 1'b1;
      else if (axi_awready_i) axi_awvalid_o <= 1'b0;
      w_bursts_q <= w_bursts_q + CountBits'(head_valid && head_take) - CountBits'(w_burst_done);
    end
  end

  // Data: the memory's output register is the channel's.
  logic fetch, fetched_q;

  assign fetch = (passed || rd_ptr_q != done_ptr_q) && (!fetched_q || (axi_wvalid_o && axi_wready_i));
  assign axi_wvalid_o = fetched_q && w_bursts_q != '0;
  assign beat_o = axi_wvalid_o && axi_wready_i;
  assign w_burst_done = beat_o && axi_wlast_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      rd_ptr_q <= '0;
      fetched_q <= 1'b0;
    end else begin
      if (fetch) rd_ptr_q <= rd_ptr_q + 1'b1;
      fetched_q <= fetch || (fetched_q && !beat_o);
    end
  end

  weft_ram #(
    .Width(Entry),
    .Depth(1 << PtrBits)
  ) u_beats (
    .clk_i,
    .rd_en_i(fetch),
    .rd_addr_i(rd_ptr_q[PtrBits-1:0]),
    .rd_data_o({axi_wlast_o, axi_wstrb_o, axi_wdata_o}),
    .wr_en_i(take),
    .wr_addr_i(wr_ptr_q[PtrBits-1:0]),
    .wr_data_i({burst_end, strb, data}),
    .wr_mask_i(1'b1)
  );

  // Answers.
  weft_fifo #(
    .Width(42),
    .Depth(MaxBursts)
  ) u_answer (
    .clk_i,
    .rst_ni,
    .valid_i(head_valid && head_take),
    .ready_o(answer_space),
    .data_i({head_client, head_cmd_last, head_addr}),
    .valid_o(answer_valid),
    .ready_i(axi_bvalid_i),
    .data_o({answer_client, answer_cmd_last, answer_addr})
  );

  assign axi_bready_o = 1'b1;
  assign failed = axi_bvalid_i && answer_valid && axi_bresp_i != 2'b00;
  assign done = axi_bvalid_i && answer_valid && !failed && answer_cmd_last && !drain_i;
  assign done_o = {done && answer_client, done && !answer_client};
  assign idle_o = !locked_q && !ended_q && !waiting && !answer_valid;
  assign awake_o = wr_valid_i != '0 || !idle_o || denied_q;

  // With every answer in, the client's oldest command is the one of the denied burst.
  assign error_denied_o = denied_q && !drain_i && idle_o;
  assign error_o = failed || error_denied_o;
  assign error_client_o = failed ? answer_client : lock_q;
  assign error_addr_o = failed ? answer_addr : first_q;

`ifndef SYNTHESIS
  logic aw_waits_q, w_waits_q;
  logic [47:0] aw_q;
  logic [Entry-1:0] w_q;
  always_ff @(posedge clk_i) begin
    aw_waits_q <= rst_ni && axi_awvalid_o && !axi_awready_i;
    w_waits_q <= rst_ni && axi_wvalid_o && !axi_wready_i;
    if (axi_awvalid_o && !axi_awready_i) aw_q <= {axi_awaddr_o, axi_awlen_o};
    if (axi_wvalid_o && !axi_wready_i) w_q <= {axi_wlast_o, axi_wstrb_o, axi_wdata_o};
    if (rst_ni) begin
      `WEFT_ASSERT(a_answer_was_due, !axi_bvalid_i || answer_valid)
      if (aw_waits_q) begin
        `WEFT_ASSERT(a_aw_held, axi_awvalid_o && aw_q == {axi_awaddr_o, axi_awlen_o})
      end
      if (w_waits_q) begin
        `WEFT_ASSERT(a_w_held, axi_wvalid_o && w_q == {axi_wlast_o, axi_wstrb_o, axi_wdata_o})
      end
    end
  end
`endif

endmodule
`default_nettype wire
