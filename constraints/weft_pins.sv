// SPDX-License-Identifier: Apache-2.0
//
// weft_top behind a few pins, for place and route on a device that has fewer pins than weft_top has
// ports: a shift register drives the inputs, another takes the outputs. Every path of weft_top from
// or to a port so starts or ends at a register beside it. Not a design to use: nothing here speaks AXI.
// A word of outputs is taken while take_i is high, and shifted out while it is low.
`default_nettype none
module weft_pins (
  input  wire logic clk_i,
  input  wire logic rst_ni,
  input  wire logic serial_i,
  input  wire logic take_i,
  output      logic serial_o
);

  localparam int unsigned IdWidth = 2;  // the default of weft_top
  localparam int unsigned AxiBytes = weft_pkg::AxiBytes;
  localparam int unsigned Inputs = 12 + 32 + 4 + 12 + 11 + 8 * AxiBytes + 2 * (IdWidth + 2) + 1;
  localparam int unsigned Outputs =
      1 + 5 + 2 + 32 + 2 + 2 * (1 + IdWidth + 40 + 8 + 3 + 2 + 4 + 3) + 9 * AxiBytes + 4;

  logic [Inputs-1:0] in_q;
  logic [Outputs-1:0] out, out_q;

  logic s_axil_awvalid, s_axil_wvalid, s_axil_bready, s_axil_arvalid, s_axil_rready;
  logic s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_arready, s_axil_rvalid;
  logic [11:0] s_axil_awaddr, s_axil_araddr;
  logic [31:0] s_axil_wdata, s_axil_rdata;
  logic [3:0] s_axil_wstrb;
  logic [1:0] s_axil_bresp, s_axil_rresp, m_axi_rresp, m_axi_bresp;
  logic m_axi_arready, m_axi_rvalid, m_axi_rlast, m_axi_awready, m_axi_wready, m_axi_bvalid;
  logic m_axi_arvalid, m_axi_rready, m_axi_awvalid, m_axi_wvalid, m_axi_wlast, m_axi_bready, irq;
  logic [IdWidth-1:0] m_axi_rid, m_axi_bid, m_axi_arid, m_axi_awid;
  logic [39:0] m_axi_araddr, m_axi_awaddr;
  logic [7:0] m_axi_arlen, m_axi_awlen;
  logic [2:0] m_axi_arsize, m_axi_awsize, m_axi_arprot, m_axi_awprot;
  logic [1:0] m_axi_arburst, m_axi_awburst;
  logic [3:0] m_axi_arcache, m_axi_awcache;
  logic [8*AxiBytes-1:0] m_axi_rdata, m_axi_wdata;
  logic [AxiBytes-1:0] m_axi_wstrb;

  assign {s_axil_awvalid, s_axil_awaddr, s_axil_wvalid, s_axil_wdata, s_axil_wstrb, s_axil_bready,
          s_axil_arvalid, s_axil_araddr, s_axil_rready, m_axi_arready, m_axi_rvalid, m_axi_rid,
          m_axi_rdata, m_axi_rresp, m_axi_rlast, m_axi_awready, m_axi_wready, m_axi_bvalid,
          m_axi_bid, m_axi_bresp} = in_q[Inputs-1:1];

  assign out = {
      irq, s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_bresp, s_axil_arready,
      s_axil_rvalid, s_axil_rdata, s_axil_rresp,
      m_axi_arvalid, m_axi_arid, m_axi_araddr, m_axi_arlen, m_axi_arsize, m_axi_arburst,
      m_axi_arcache, m_axi_arprot, m_axi_rready,
      m_axi_awvalid, m_axi_awid, m_axi_awaddr, m_axi_awlen, m_axi_awsize, m_axi_awburst,
      m_axi_awcache, m_axi_awprot, m_axi_wvalid, m_axi_wdata, m_axi_wstrb, m_axi_wlast,
      m_axi_bready};

  always_ff @(posedge clk_i) begin
    in_q <= {in_q[Inputs-2:0], serial_i};
    out_q <= take_i ? out : {out_q[Outputs-2:0], in_q[0]};
  end
  assign serial_o = out_q[Outputs-1];

  weft_top u_weft (
    .clk_i, .rst_ni, .irq_o(irq),
    .s_axil_awvalid_i(s_axil_awvalid), .s_axil_awready_o(s_axil_awready),
    .s_axil_awaddr_i(s_axil_awaddr), .s_axil_wvalid_i(s_axil_wvalid),
    .s_axil_wready_o(s_axil_wready), .s_axil_wdata_i(s_axil_wdata),
    .s_axil_wstrb_i(s_axil_wstrb), .s_axil_bvalid_o(s_axil_bvalid),
    .s_axil_bready_i(s_axil_bready), .s_axil_bresp_o(s_axil_bresp),
    .s_axil_arvalid_i(s_axil_arvalid), .s_axil_arready_o(s_axil_arready),
    .s_axil_araddr_i(s_axil_araddr), .s_axil_rvalid_o(s_axil_rvalid),
    .s_axil_rready_i(s_axil_rready), .s_axil_rdata_o(s_axil_rdata),
    .s_axil_rresp_o(s_axil_rresp),
    .m_axi_arvalid_o(m_axi_arvalid), .m_axi_arready_i(m_axi_arready), .m_axi_arid_o(m_axi_arid),
    .m_axi_araddr_o(m_axi_araddr), .m_axi_arlen_o(m_axi_arlen), .m_axi_arsize_o(m_axi_arsize),
    .m_axi_arburst_o(m_axi_arburst), .m_axi_arcache_o(m_axi_arcache),
    .m_axi_arprot_o(m_axi_arprot), .m_axi_rvalid_i(m_axi_rvalid), .m_axi_rready_o(m_axi_rready),
    .m_axi_rid_i(m_axi_rid), .m_axi_rdata_i(m_axi_rdata), .m_axi_rresp_i(m_axi_rresp),
    .m_axi_rlast_i(m_axi_rlast),
    .m_axi_awvalid_o(m_axi_awvalid), .m_axi_awready_i(m_axi_awready), .m_axi_awid_o(m_axi_awid),
    .m_axi_awaddr_o(m_axi_awaddr), .m_axi_awlen_o(m_axi_awlen), .m_axi_awsize_o(m_axi_awsize),
    .m_axi_awburst_o(m_axi_awburst), .m_axi_awcache_o(m_axi_awcache),
    .m_axi_awprot_o(m_axi_awprot), .m_axi_wvalid_o(m_axi_wvalid), .m_axi_wready_i(m_axi_wready),
    .m_axi_wdata_o(m_axi_wdata), .m_axi_wstrb_o(m_axi_wstrb), .m_axi_wlast_o(m_axi_wlast),
    .m_axi_bvalid_i(m_axi_bvalid), .m_axi_bready_o(m_axi_bready), .m_axi_bid_i(m_axi_bid),
    .m_axi_bresp_i(m_axi_bresp));

endmodule
`default_nettype wire
