// SPDX-License-Identifier: Apache-2.0
//
// weft_top as sim/verilated/simulation.h clocks it: its inputs come from registers. At a clock edge
// the design moves on what they hold and they take what is on the ports, the inputs of the cycle that
// begins. So one evaluation a cycle settles everything, outputs that follow inputs too, and no logic
// is evaluated a second time because an input changed. IdWidth is that of weft_top.
`default_nettype none
module weft_clocked (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    output logic             irq_o,
    // AXI4-Lite slave
    input  wire logic        s_axil_awvalid_i,
    output logic             s_axil_awready_o,
    input  wire logic [11:0] s_axil_awaddr_i,
    input  wire logic        s_axil_wvalid_i,
    output logic             s_axil_wready_o,
    input  wire logic [31:0] s_axil_wdata_i,
    input  wire logic [3:0]  s_axil_wstrb_i,
    output logic             s_axil_bvalid_o,
    input  wire logic        s_axil_bready_i,
    output logic [1:0]       s_axil_bresp_o,
    input  wire logic        s_axil_arvalid_i,
    output logic             s_axil_arready_o,
    input  wire logic [11:0] s_axil_araddr_i,
    output logic             s_axil_rvalid_o,
    input  wire logic        s_axil_rready_i,
    output logic [31:0]      s_axil_rdata_o,
    output logic [1:0]       s_axil_rresp_o,
    // AXI4 master, read
    output logic             m_axi_arvalid_o,
    input  wire logic        m_axi_arready_i,
    output logic [1:0]       m_axi_arid_o,
    output logic [39:0]      m_axi_araddr_o,
    output logic [7:0]       m_axi_arlen_o,
    output logic [2:0]       m_axi_arsize_o,
    output logic [1:0]       m_axi_arburst_o,
    output logic [3:0]       m_axi_arcache_o,
    output logic [2:0]       m_axi_arprot_o,
    input  wire logic        m_axi_rvalid_i,
    output logic             m_axi_rready_o,
    input  wire logic [1:0]  m_axi_rid_i,
    input  wire logic [8*weft_pkg::AxiBytes-1:0] m_axi_rdata_i,
    input  wire logic [1:0]  m_axi_rresp_i,
    input  wire logic        m_axi_rlast_i,
    // AXI4 master, write
    output logic             m_axi_awvalid_o,
    input  wire logic        m_axi_awready_i,
    output logic [1:0]       m_axi_awid_o,
    output logic [39:0]      m_axi_awaddr_o,
    output logic [7:0]       m_axi_awlen_o,
    output logic [2:0]       m_axi_awsize_o,
    output logic [1:0]       m_axi_awburst_o,
    output logic [3:0]       m_axi_awcache_o,
    output logic [2:0]       m_axi_awprot_o,
    output logic             m_axi_wvalid_o,
    input  wire logic        m_axi_wready_i,
    output logic [8*weft_pkg::AxiBytes-1:0] m_axi_wdata_o,
    output logic [weft_pkg::AxiBytes-1:0] m_axi_wstrb_o,
    output logic             m_axi_wlast_o,
    input  wire logic        m_axi_bvalid_i,
    output logic             m_axi_bready_o,
    input  wire logic [1:0]  m_axi_bid_i,
    input  wire logic [1:0]  m_axi_bresp_i
);
  logic rst_nq, s_axil_awvalid_q, s_axil_wvalid_q, s_axil_bready_q, s_axil_arvalid_q,
      s_axil_rready_q, m_axi_arready_q, m_axi_rvalid_q, m_axi_rlast_q, m_axi_awready_q,
      m_axi_wready_q, m_axi_bvalid_q;
  logic [11:0] s_axil_awaddr_q, s_axil_araddr_q;
  logic [31:0] s_axil_wdata_q;
  logic [3:0] s_axil_wstrb_q;
  logic [1:0] m_axi_rid_q, m_axi_rresp_q, m_axi_bid_q, m_axi_bresp_q;
  logic [8*weft_pkg::AxiBytes-1:0] m_axi_rdata_q;

  always_ff @(posedge clk_i) begin
    rst_nq <= rst_ni;
    s_axil_awvalid_q <= s_axil_awvalid_i;
    s_axil_wvalid_q <= s_axil_wvalid_i;
    s_axil_bready_q <= s_axil_bready_i;
    s_axil_arvalid_q <= s_axil_arvalid_i;
    s_axil_rready_q <= s_axil_rready_i;
    m_axi_arready_q <= m_axi_arready_i;
    m_axi_rvalid_q <= m_axi_rvalid_i;
    m_axi_awready_q <= m_axi_awready_i;
    m_axi_wready_q <= m_axi_wready_i;
    m_axi_bvalid_q <= m_axi_bvalid_i;
    if (s_axil_awvalid_i) s_axil_awaddr_q <= s_axil_awaddr_i;
    if (s_axil_wvalid_i) begin
      s_axil_wdata_q <= s_axil_wdata_i;
      s_axil_wstrb_q <= s_axil_wstrb_i;
    end
    if (s_axil_arvalid_i) s_axil_araddr_q <= s_axil_araddr_i;
    if (m_axi_rvalid_i) begin
      m_axi_rid_q <= m_axi_rid_i;
      m_axi_rdata_q <= m_axi_rdata_i;
      m_axi_rresp_q <= m_axi_rresp_i;
      m_axi_rlast_q <= m_axi_rlast_i;
    end
    if (m_axi_bvalid_i) begin
      m_axi_bid_q <= m_axi_bid_i;
      m_axi_bresp_q <= m_axi_bresp_i;
    end
  end

  weft_top u_top (
    .clk_i, .rst_ni(rst_nq), .irq_o,
    .s_axil_awvalid_i(s_axil_awvalid_q), .s_axil_awready_o, .s_axil_awaddr_i(s_axil_awaddr_q),
    .s_axil_wvalid_i(s_axil_wvalid_q), .s_axil_wready_o, .s_axil_wdata_i(s_axil_wdata_q),
    .s_axil_wstrb_i(s_axil_wstrb_q), .s_axil_bvalid_o, .s_axil_bready_i(s_axil_bready_q),
    .s_axil_bresp_o, .s_axil_arvalid_i(s_axil_arvalid_q), .s_axil_arready_o,
    .s_axil_araddr_i(s_axil_araddr_q), .s_axil_rvalid_o, .s_axil_rready_i(s_axil_rready_q),
    .s_axil_rdata_o, .s_axil_rresp_o,
    .m_axi_arvalid_o, .m_axi_arready_i(m_axi_arready_q), .m_axi_arid_o, .m_axi_araddr_o,
    .m_axi_arlen_o, .m_axi_arsize_o, .m_axi_arburst_o, .m_axi_arcache_o, .m_axi_arprot_o,
    .m_axi_rvalid_i(m_axi_rvalid_q), .m_axi_rready_o, .m_axi_rid_i(m_axi_rid_q),
    .m_axi_rdata_i(m_axi_rdata_q), .m_axi_rresp_i(m_axi_rresp_q), .m_axi_rlast_i(m_axi_rlast_q),
    .m_axi_awvalid_o, .m_axi_awready_i(m_axi_awready_q), .m_axi_awid_o, .m_axi_awaddr_o,
    .m_axi_awlen_o, .m_axi_awsize_o, .m_axi_awburst_o, .m_axi_awcache_o, .m_axi_awprot_o,
    .m_axi_wvalid_o, .m_axi_wready_i(m_axi_wready_q), .m_axi_wdata_o, .m_axi_wstrb_o,
    .m_axi_wlast_o, .m_axi_bvalid_i(m_axi_bvalid_q), .m_axi_bready_o, .m_axi_bid_i(m_axi_bid_q),
    .m_axi_bresp_i(m_axi_bresp_q)
  );
endmodule
`default_nettype wire
