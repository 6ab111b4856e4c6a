// SPDX-License-Identifier: Apache-2.0
//
// Test harness: LOAD and LOAD_WEIGHTS engines, weight ring and AXI read half, connected as in the
// top. Commands, the scratchpad's write port, the reader of the ring and memory are the test's.
`default_nettype none
module weft_dma_harness (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  // LOAD
  input  wire logic         ld_cmd_valid_i,
  output      logic         ld_cmd_ready_o,
  input  wire logic [255:0] ld_cmd_i,
  input  wire logic [39:0]  ld_cmd_addr_i,
  input  wire logic [31:0]  ld_cmd_index_i,
  input  wire logic [15:0]  load_count_i,
  input  wire logic [15:0]  exec_count_i,
  input  wire logic [15:0]  store_count_i,
  output      logic         ld_req_o,
  output      logic [31:0]  ld_addr_o,
  output      logic [8*weft_pkg::WordBytes-1:0] ld_data_o,
  output      logic [weft_pkg::WordBytes-1:0]   ld_mask_o,
  input  wire logic         ld_gnt_i,
  output      logic         ld_retired_o,
  output      logic         ld_idle_o,
  output      logic         ld_busy_o,
  output      logic         ld_err_o,
  output      logic [31:0]  ld_err_index_o,
  output      logic [31:0]  ld_access_index_o,
  // LOAD_WEIGHTS
  input  wire logic         lw_cmd_valid_i,
  output      logic         lw_cmd_ready_o,
  input  wire logic [255:0] lw_cmd_i,
  input  wire logic [39:0]  lw_cmd_addr_i,
  input  wire logic [31:0]  lw_cmd_index_i,
  output      logic         lw_idle_o,
  output      logic [31:0]  lw_access_index_o,
  input  wire logic [15:0]  ring_released_i,
  output      logic [15:0]  ring_written_o,
  input  wire logic         ring_rd_en_i,
  input  wire logic [15:0]  ring_rd_pos_i,
  output      logic [8*weft_pkg::WeightWord-1:0] ring_rd_data_o,
  // memory
  input  wire logic         drain_i,
  output      logic         idle_o,
  output      logic         error_o,
  output      logic [1:0]   error_client_o,
  output      logic [39:0]  error_addr_o,
  output      logic         axi_arvalid_o,
  input  wire logic         axi_arready_i,
  output      logic [1:0]   axi_arid_o,
  output      logic [39:0]  axi_araddr_o,
  output      logic [7:0]   axi_arlen_o,
  output      logic [2:0]   axi_arsize_o,
  output      logic [1:0]   axi_arburst_o,
  input  wire logic         axi_rvalid_i,
  output      logic         axi_rready_o,
  input  wire logic [1:0]   axi_rid_i,
  input  wire logic [8*weft_pkg::AxiBytes-1:0] axi_rdata_i,
  input  wire logic [1:0]   axi_rresp_i,
  input  wire logic         axi_rlast_i
);

  localparam int unsigned AddrWidth = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes);
  localparam int unsigned RingWidth = $clog2(weft_pkg::WeightRing / weft_pkg::WeightWord);

  logic [2:0] req_valid, req_ready, rsp_valid, rsp_ready;
  logic [3*40-1:0] req_addr;
  logic [3*21-1:0] req_bytes;
  logic [8*weft_pkg::AxiBytes-1:0] rsp_data, ring_wr_data;
  logic rsp_last, ring_wr_valid, urgent;

  assign req_valid[0] = 1'b0;
  assign req_addr[0+:40] = '0;
  assign req_bytes[0+:21] = '0;
  assign rsp_ready[0] = 1'b1;

  weft_load u_load (
    .clk_i,
    .rst_ni,
    .cmd_valid_i(ld_cmd_valid_i),
    .cmd_ready_o(ld_cmd_ready_o),
    .cmd_i(ld_cmd_i),
    .cmd_addr_i(ld_cmd_addr_i),
    .cmd_index_i(ld_cmd_index_i),
    .load_count_i,
    .exec_count_i,
    .store_count_i,
    .req_valid_o(req_valid[2]),
    .req_ready_i(req_ready[2]),
    .req_addr_o(req_addr[80+:40]),
    .req_bytes_o(req_bytes[42+:21]),
    .rsp_valid_i(rsp_valid[2]),
    .rsp_ready_o(rsp_ready[2]),
    .rsp_data_i(rsp_data),
    .rsp_last_i(rsp_last),
    .ld_req_o,
    .ld_addr_o(ld_addr_o[AddrWidth-1:0]),
    .ld_data_o,
    .ld_mask_o,
    .ld_gnt_i,
    .retired_o(ld_retired_o),
    .idle_o(ld_idle_o),
    .busy_o(ld_busy_o),
    .err_o(ld_err_o),
    .err_index_o(ld_err_index_o),
    .access_index_o(ld_access_index_o)
  );
  assign ld_addr_o[31:AddrWidth] = '0;

  weft_load_weights u_load_weights (
    .clk_i,
    .rst_ni,
    .cmd_valid_i(lw_cmd_valid_i),
    .cmd_ready_o(lw_cmd_ready_o),
    .cmd_i(lw_cmd_i),
    .cmd_addr_i(lw_cmd_addr_i),
    .cmd_index_i(lw_cmd_index_i),
    .req_valid_o(req_valid[1]),
    .req_ready_i(req_ready[1]),
    .req_addr_o(req_addr[40+:40]),
    .req_bytes_o(req_bytes[21+:21]),
    .rsp_valid_i(rsp_valid[1]),
    .rsp_ready_o(rsp_ready[1]),
    .rsp_data_i(rsp_data),
    .ring_released_i,
    .ring_rd_en_i,
    .ring_rd_addr_i(ring_rd_pos_i[RingWidth-1:0]),
    .ring_wr_valid_o(ring_wr_valid),
    .ring_wr_data_o(ring_wr_data),
    .urgent_o(urgent),
    .idle_o(lw_idle_o),
    .access_index_o(lw_access_index_o)
  );

  weft_weight_ring u_ring (
    .clk_i,
    .rst_ni,
    .wr_valid_i(ring_wr_valid),
    .wr_data_i(ring_wr_data),
    .written_o(ring_written_o),
    .rd_en_i(ring_rd_en_i),
    .rd_addr_i(ring_rd_pos_i[RingWidth-1:0]),
    .rd_data_o(ring_rd_data_o)
  );

  weft_axi_read u_read (
    .clk_i,
    .rst_ni,
    .drain_i,
    .idle_o,
    .urgent_i(urgent),
    .req_valid_i(req_valid),
    .req_ready_o(req_ready),
    .req_addr_i(req_addr),
    .req_bytes_i(req_bytes),
    .rsp_valid_o(rsp_valid),
    .rsp_ready_i(rsp_ready),
    .rsp_data_o(rsp_data),
    .rsp_last_o(rsp_last),
    .error_o,
    .error_denied_o(),
    .error_client_o,
    .error_addr_o,
    .beat_o(),
    .window_first_i('0),
    .window_last_i('0),
    .window_enable_i('0),
    .window_permit_i('0),
    .cache_i(4'b0000),
    .prot_i(3'b000),
    .axi_arvalid_o,
    .axi_arready_i,
    .axi_arid_o,
    .axi_araddr_o,
    .axi_arlen_o,
    .axi_arsize_o,
    .axi_arburst_o,
    .axi_arcache_o(),
    .axi_arprot_o(),
    .axi_rvalid_i,
    .axi_rready_o,
    .axi_rid_i,
    .axi_rdata_i,
    .axi_rresp_i,
    .axi_rlast_i
  );

endmodule
`default_nettype wire
