// SPDX-License-Identifier: Apache-2.0
//
// What AXI4 demands of a write master with one ID (asserted) and what the master may expect of a
// memory (assumed). WLAST is checked on a burst that the solver chooses when it is announced.
`default_nettype none
module axi_write_rules #(
  parameter int unsigned Bytes = 8,     // of a beat
  parameter int unsigned MaxBursts = 8
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,
  input  wire logic                watch_i,    // watch the burst that is announced now
  input  wire logic                awvalid_i,
  input  wire logic                awready_i,
  input  wire logic [39:0]         awaddr_i,
  input  wire logic [7:0]          awlen_i,
  input  wire logic [2:0]          awsize_i,
  input  wire logic [1:0]          awburst_i,
  input  wire logic [3:0]          awcache_i,
  input  wire logic [2:0]          awprot_i,
  input  wire logic                wvalid_i,
  input  wire logic                wready_i,
  input  wire logic [8*Bytes-1:0]  wdata_i,
  input  wire logic [Bytes-1:0]    wstrb_i,
  input  wire logic                wlast_i,
  input  wire logic                bvalid_i,
  input  wire logic                bready_i,
  input  wire logic [1:0]          bresp_i,
  output      logic [7:0]          all_o       // announced and not answered
);

  logic aw_waits_q = 1'b0, w_waits_q = 1'b0, b_waits_q = 1'b0;
  logic [59:0] aw, aw_q;
  logic [9*Bytes:0] w, w_q;
  logic [1:0] b_q;
  logic [7:0] taken_q;   // AW taken, not answered
  logic [7:0] ended_q;   // last W beat taken, not answered
  logic [7:0] data_q;    // announced, last W beat not taken, before this cycle
  logic [12:0] end_in_page;
  logic announced, w_ends, answered;

  assign aw = {awaddr_i, awlen_i, awsize_i, awburst_i, awcache_i, awprot_i};
  assign w = {wlast_i, wstrb_i, wdata_i};
  assign announced = awvalid_i && !aw_waits_q;
  assign w_ends = wvalid_i && wready_i && wlast_i;
  assign answered = bvalid_i && bready_i;
  assign end_in_page = 13'(awaddr_i[11:0]) + ((13'(awlen_i) + 1'b1) << $clog2(Bytes));
  assign all_o = taken_q + 8'(awvalid_i);

  // The watched burst: how many bursts' data are before its own, and how many of its beats came.
  logic watched_q;
  logic [7:0] ahead_q, len_q, beat_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      watched_q <= 1'b0;
    end else if (watched_q) begin
      if (w_ends) ahead_q <= ahead_q - 1'b1;
      if (w_ends && ahead_q == '0) watched_q <= 1'b0;
      if (wvalid_i && wready_i && ahead_q == '0) beat_q <= beat_q + 1'b1;
    end else if (announced && watch_i && !(w_ends && data_q == '0)) begin
      watched_q <= 1'b1;
      len_q <= awlen_i;
      ahead_q <= data_q - 8'(w_ends);
      beat_q <= 8'(wvalid_i && wready_i && data_q == '0);
    end
  end

  always_ff @(posedge clk_i) begin
    aw_waits_q <= rst_ni && awvalid_i && !awready_i;
    w_waits_q <= rst_ni && wvalid_i && !wready_i;
    b_waits_q <= rst_ni && bvalid_i && !bready_i;
    aw_q <= aw;
    w_q <= w;
    b_q <= bresp_i;
    if (!rst_ni) begin
      taken_q <= '0;
      ended_q <= '0;
      data_q <= '0;
    end else begin
      taken_q <= taken_q + 8'(awvalid_i && awready_i) - 8'(answered);
      ended_q <= ended_q + 8'(w_ends) - 8'(answered);
      data_q <= data_q + 8'(announced) - 8'(w_ends);

      // An answer comes after the address and all of the data.
      if (bvalid_i) m_b_was_due: assume (taken_q != '0 && ended_q != '0);
      if (b_waits_q) m_b_held: assume (bvalid_i && bresp_i == b_q);

      if (aw_waits_q) a_aw_stable: assert (awvalid_i && aw == aw_q);
      if (w_waits_q) a_w_stable: assert (wvalid_i && w == w_q);
      if (awvalid_i) begin
        a_aw_size: assert (awsize_i == 3'($clog2(Bytes)));
        a_aw_incr: assert (awburst_i == 2'b01);
        a_aw_within_4k: assert (end_in_page <= 13'd4096);
        a_aw_aligned: assert (awaddr_i[$clog2(Bytes)-1:0] == '0);
      end
      if (wvalid_i) a_w_was_announced: assert (announced || data_q != '0);
      if (watched_q && wvalid_i && ahead_q == '0) begin
        a_wlast_right: assert (wlast_i == (beat_q == len_q));
      end
      if (announced && wvalid_i && data_q == '0) begin
        a_wlast_right_at_once: assert (wlast_i == (awlen_i == '0));
      end
      a_writes_bounded: assert (all_o <= 8'(MaxBursts));
      a_b_always_taken: assert (bready_i);
    end
  end

endmodule
`default_nettype wire
