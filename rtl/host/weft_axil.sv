// SPDX-License-Identifier: Apache-2.0
// AXI4-Lite slave to a register bus: one write and one read at a time, 32-bit words.
// Does not decode offsets: an unknown one reads zero and ignores writes (weft_registers).
// Address and data of a write are taken as they come and kept; wr_en_o lasts one cycle, in the cycle
// after the later of them. rd_data_i answers rd_addr_o combinationally. Responses are always OKAY;
// latency two cycles. No output depends on an input of the same cycle.
`default_nettype none
module weft_axil (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
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
    // register bus
    output logic             wr_en_o,
    output logic [11:0]      wr_addr_o,
    output logic [31:0]      wr_data_o,
    output logic [11:0]      rd_addr_o,
    input  wire logic [31:0] rd_data_i,
    output logic             awake_o         // an access is under way
);
  logic aw_kept_q, w_kept_q, ar_kept_q, b_valid_q, r_valid_q, take_write;
  logic [3:0]  w_strb_q;
  logic [31:0] r_data_q;

  // Registers have no byte lanes: a write with any strobe clear is taken and does nothing.
  assign take_write = aw_kept_q && w_kept_q && !b_valid_q;

  assign s_axil_awready_o = !aw_kept_q;
  assign s_axil_wready_o  = !w_kept_q;
  assign s_axil_bvalid_o  = b_valid_q;
  assign s_axil_bresp_o   = 2'b00;
  assign s_axil_arready_o = !ar_kept_q && !r_valid_q;
  assign s_axil_rvalid_o  = r_valid_q;
  assign s_axil_rdata_o   = r_data_q;
  assign s_axil_rresp_o   = 2'b00;

  assign wr_en_o   = take_write && (w_strb_q == 4'hf);
  assign awake_o   = s_axil_awvalid_i || s_axil_wvalid_i || s_axil_arvalid_i || aw_kept_q || w_kept_q
                     || ar_kept_q || b_valid_q || r_valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_kept_q <= 1'b0;
      w_kept_q  <= 1'b0;
      ar_kept_q <= 1'b0;
      b_valid_q <= 1'b0;
      r_valid_q <= 1'b0;
    end else begin
      aw_kept_q <= aw_kept_q ? !take_write : s_axil_awvalid_i;
      w_kept_q  <= w_kept_q ? !take_write : s_axil_wvalid_i;
      ar_kept_q <= s_axil_arvalid_i && s_axil_arready_o;
      if (take_write) b_valid_q <= 1'b1;
      else if (s_axil_bready_i) b_valid_q <= 1'b0;
      if (ar_kept_q) r_valid_q <= 1'b1;
      else if (s_axil_rready_i) r_valid_q <= 1'b0;
    end
    if (!aw_kept_q) wr_addr_o <= s_axil_awaddr_i;
    if (!w_kept_q) begin
      wr_data_o <= s_axil_wdata_i;
      w_strb_q  <= s_axil_wstrb_i;
    end
    if (s_axil_arready_o) rd_addr_o <= s_axil_araddr_i;
    if (ar_kept_q) r_data_q <= rd_data_i;
  end
endmodule
`default_nettype wire
