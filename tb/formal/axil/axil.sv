// SPDX-License-Identifier: Apache-2.0
//
// weft_axil is an AXI4-Lite slave: every request gets exactly one response, in order, held until
// taken, whichever of write address and write data comes first. A write with all strobes set reaches
// the register bus once, unchanged, before its response; a read answers what the bus said in the
// cycle before its response.
`default_nettype none
module axil (
  input wire logic        clk_i,
  input wire logic        rst_free_i,
  input wire logic        awvalid_i,
  input wire logic [11:0] awaddr_i,
  input wire logic        wvalid_i,
  input wire logic [31:0] wdata_i,
  input wire logic [3:0]  wstrb_i,
  input wire logic        bready_i,
  input wire logic        arvalid_i,
  input wire logic [11:0] araddr_i,
  input wire logic        rready_i,
  input wire logic [31:0] rd_data_i   // of the register bus
);

  logic started_q = 1'b0;
  logic rst_n;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  logic awready, wready, bvalid, arready, rvalid, wr_en;
  logic [1:0] bresp, rresp;
  logic [31:0] rdata, wr_data;
  logic [11:0] wr_addr, rd_addr;

  weft_axil u_axil (
    .clk_i,
    .rst_ni(rst_n),
    .s_axil_awvalid_i(awvalid_i),
    .s_axil_awready_o(awready),
    .s_axil_awaddr_i(awaddr_i),
    .s_axil_wvalid_i(wvalid_i),
    .s_axil_wready_o(wready),
    .s_axil_wdata_i(wdata_i),
    .s_axil_wstrb_i(wstrb_i),
    .s_axil_bvalid_o(bvalid),
    .s_axil_bready_i(bready_i),
    .s_axil_bresp_o(bresp),
    .s_axil_arvalid_i(arvalid_i),
    .s_axil_arready_o(arready),
    .s_axil_araddr_i(araddr_i),
    .s_axil_rvalid_o(rvalid),
    .s_axil_rready_i(rready_i),
    .s_axil_rdata_o(rdata),
    .s_axil_rresp_o(rresp),
    .wr_en_o(wr_en),
    .wr_addr_o(wr_addr),
    .wr_data_o(wr_data),
    .rd_addr_o(rd_addr),
    .rd_data_i
  );

  // The host's side of the protocol: a request stays until it is taken.
  logic aw_waits_q = 1'b0, w_waits_q = 1'b0, ar_waits_q = 1'b0;
  logic [11:0] awaddr_q, araddr_q;
  logic [35:0] w_q;
  logic b_waits_q = 1'b0, r_waits_q = 1'b0;
  logic [33:0] r_q;
  logic aw, w, b, ar, r;
  assign aw = awvalid_i && awready;
  assign w = wvalid_i && wready;
  assign b = bvalid && bready_i;
  assign ar = arvalid_i && arready;
  assign r = rvalid && rready_i;

  always_ff @(posedge clk_i) begin
    aw_waits_q <= rst_n && awvalid_i && !awready;
    w_waits_q <= rst_n && wvalid_i && !wready;
    ar_waits_q <= rst_n && arvalid_i && !arready;
    b_waits_q <= rst_n && bvalid && !bready_i;
    r_waits_q <= rst_n && rvalid && !rready_i;
    awaddr_q <= awaddr_i;
    araddr_q <= araddr_i;
    w_q <= {wstrb_i, wdata_i};
    r_q <= {rresp, rdata};
    if (aw_waits_q) m_aw_held: assume (awvalid_i && awaddr_i == awaddr_q);
    if (w_waits_q) m_w_held: assume (wvalid_i && {wstrb_i, wdata_i} == w_q);
    if (ar_waits_q) m_ar_held: assume (arvalid_i && araddr_i == araddr_q);
  end

  // Requests taken and not answered.
  logic [3:0] aw_open_q, w_open_q, ar_open_q;
  logic both_open_q, read_open_q;  // a whole write, or a read, was there in the cycle before, without an answer
  always_ff @(posedge clk_i) begin
    read_open_q <= rst_n && ar_open_q != '0 && !rvalid;
    both_open_q <= rst_n && aw_open_q != '0 && w_open_q != '0 && !bvalid;
    if (!rst_n) begin
      aw_open_q <= '0;
      w_open_q <= '0;
      ar_open_q <= '0;
    end else begin
      aw_open_q <= aw_open_q + 4'(aw) - 4'(b);
      w_open_q <= w_open_q + 4'(w) - 4'(b);
      ar_open_q <= ar_open_q + 4'(ar) - 4'(r);

      // One answer is out and one more request is kept, at most.
      a_answer_was_due: assert (!bvalid || (aw_open_q >= 4'd1 && w_open_q >= 4'd1));
      a_few_open: assert (aw_open_q <= 4'd1 + 4'(bvalid) && w_open_q <= 4'd1 + 4'(bvalid));
      a_answer_soon: assert (bvalid || !both_open_q || !(aw_open_q != '0 && w_open_q != '0));
      a_data_was_due: assert ((!rvalid || ar_open_q == 4'd1) && ar_open_q <= 4'd1);
      a_data_soon: assert (rvalid || !read_open_q);
      a_write_taken: assert ((awready || aw_open_q != '0) && (wready || w_open_q != '0));
      a_read_taken: assert (arready == (ar_open_q == '0));
      a_okay: assert (bresp == 2'b00 && rresp == 2'b00);
      if (b_waits_q) a_b_held: assert (bvalid);
      if (r_waits_q) a_r_held: assert (rvalid && {rresp, rdata} == r_q);
    end
  end

  // The register bus.
  logic [11:0] addr_q, araddr_taken_q;
  logic [31:0] wdata_q, answer_q;
  logic [3:0] strb_q, answered_strb_q;  // of the newest write; of the one that is answered
  logic delivered_q;
  always_ff @(posedge clk_i) begin
    if (aw) addr_q <= awaddr_i;
    if (w) {strb_q, wdata_q} <= {wstrb_i, wdata_i};
    if (!bvalid) answered_strb_q <= strb_q;
    delivered_q <= rst_n && wr_en;
    if (ar) araddr_taken_q <= araddr_i;
    if (!rvalid) answer_q <= rd_data_i;
    if (rst_n) begin
      if (wr_en) a_write_unchanged: assert (wr_addr == addr_q && wr_data == wdata_q);
      a_whole_write_once: assert (delivered_q ==
                                  (bvalid && !b_waits_q && answered_strb_q == 4'hf));
      if (ar_open_q != '0 && !rvalid) a_read_address: assert (rd_addr == araddr_taken_q);
      if (rvalid) a_read_answer: assert (rdata == answer_q);
      c_read_back: cover (r && rdata == 32'h1234_5640);
      c_data_first: cover (aw && w_open_q == 4'd1 && !bvalid);
      c_address_first: cover (w && aw_open_q == 4'd1 && !bvalid);
      c_two_open: cover (aw_open_q == 4'd2 && w_open_q == 4'd2);
    end
  end

endmodule
`default_nettype wire
