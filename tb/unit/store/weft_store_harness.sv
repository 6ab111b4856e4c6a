// SPDX-License-Identifier: Apache-2.0
//
// Test harness: STORE engine, marker and AXI write half, connected as in the top. Commands, post's
// marks, counters, the scratchpad's read port and memory are the test's.
`default_nettype none
module weft_store_harness (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  // store queue
  input  wire logic         cmd_valid_i,
  output      logic         cmd_ready_o,
  input  wire logic [255:0] cmd_i,
  input  wire logic [39:0]  cmd_addr_i,
  input  wire logic [31:0]  cmd_index_i,
  input  wire logic [15:0]  load_count_i,
  input  wire logic [15:0]  exec_count_i,
  input  wire logic [15:0]  store_count_i,
  output      logic         st_req_o,
  output      logic [31:0]  st_addr_o,
  input  wire logic         st_gnt_i,
  input  wire logic [8*weft_pkg::WordBytes-1:0] st_data_i,
  output      logic         retired_o,
  output      logic         idle_o,
  output      logic         busy_o,
  output      logic         err_o,
  output      logic [31:0]  err_index_o,
  output      logic [31:0]  access_index_o,
  // marks of post
  input  wire logic         mark_valid_i,
  output      logic         mark_ready_o,
  input  wire logic [39:0]  mark_addr_i,
  input  wire logic [15:0]  mark_layer_i,
  input  wire logic [31:0]  mark_index_i,
  input  wire logic [511:0] counters_i,
  output      logic         mark_done_o,
  output      logic [15:0]  mark_layer_o,
  output      logic         mark_idle_o,
  output      logic [31:0]  mark_access_index_o,
  // memory
  input  wire logic         drain_i,
  output      logic         write_idle_o,
  output      logic         error_o,
  output      logic         error_client_o,
  output      logic [39:0]  error_addr_o,
  output      logic         axi_awvalid_o,
  input  wire logic         axi_awready_i,
  output      logic [39:0]  axi_awaddr_o,
  output      logic [7:0]   axi_awlen_o,
  output      logic [2:0]   axi_awsize_o,
  output      logic [1:0]   axi_awburst_o,
  output      logic         axi_wvalid_o,
  input  wire logic         axi_wready_i,
  output      logic [8*weft_pkg::AxiBytes-1:0] axi_wdata_o,
  output      logic [weft_pkg::AxiBytes-1:0]   axi_wstrb_o,
  output      logic         axi_wlast_o,
  input  wire logic         axi_bvalid_i,
  output      logic         axi_bready_o,
  input  wire logic [1:0]   axi_bresp_i
);

  localparam int unsigned AddrWidth = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes);
  localparam int unsigned B = weft_pkg::AxiBytes;

  logic [1:0] wr_valid, wr_ready, wr_last, wr_cmd_last, wr_done;
  logic [79:0] wr_addr;
  logic [16*B-1:0] wr_data;
  logic [2*B-1:0] wr_strb;
  logic st_mark_valid, st_mark_ready;
  logic [39:0] st_mark_addr;
  logic [15:0] st_mark_layer;
  logic [31:0] st_mark_index;

  weft_store u_store (
    .clk_i,
    .rst_ni,
    .cmd_valid_i,
    .cmd_ready_o,
    .cmd_i,
    .cmd_addr_i,
    .cmd_index_i,
    .load_count_i,
    .exec_count_i,
    .store_count_i,
    .st_req_o,
    .st_addr_o(st_addr_o[AddrWidth-1:0]),
    .st_gnt_i,
    .st_data_i,
    .wr_valid_o(wr_valid[0]),
    .wr_ready_i(wr_ready[0]),
    .wr_addr_o(wr_addr[0+:40]),
    .wr_data_o(wr_data[0+:8*B]),
    .wr_strb_o(wr_strb[0+:B]),
    .wr_last_o(wr_last[0]),
    .wr_cmd_last_o(wr_cmd_last[0]),
    .wr_done_i(wr_done[0]),
    .mark_valid_o(st_mark_valid),
    .mark_ready_i(st_mark_ready),
    .mark_addr_o(st_mark_addr),
    .mark_layer_o(st_mark_layer),
    .mark_index_o(st_mark_index),
    .retired_o,
    .idle_o,
    .busy_o,
    .err_o,
    .err_index_o,
    .access_index_o
  );
  assign st_addr_o[31:AddrWidth] = '0;

  weft_marker u_marker (
    .clk_i,
    .rst_ni,
    .mark_valid_i({st_mark_valid, mark_valid_i}),
    .mark_ready_o({st_mark_ready, mark_ready_o}),
    .mark_addr_i({st_mark_addr, mark_addr_i}),
    .mark_layer_i({st_mark_layer, mark_layer_i}),
    .mark_index_i({st_mark_index, mark_index_i}),
    .counters_i,
    .wr_valid_o(wr_valid[1]),
    .wr_ready_i(wr_ready[1]),
    .wr_addr_o(wr_addr[40+:40]),
    .wr_data_o(wr_data[8*B+:8*B]),
    .wr_strb_o(wr_strb[B+:B]),
    .wr_last_o(wr_last[1]),
    .wr_cmd_last_o(wr_cmd_last[1]),
    .wr_done_i(wr_done[1]),
    .mark_done_o,
    .mark_layer_o,
    .idle_o(mark_idle_o),
    .access_index_o(mark_access_index_o)
  );

  weft_axi_write u_write (
    .clk_i,
    .rst_ni,
    .drain_i,
    .idle_o(write_idle_o),
    .wr_valid_i(wr_valid),
    .wr_ready_o(wr_ready),
    .wr_addr_i(wr_addr),
    .wr_data_i(wr_data),
    .wr_strb_i(wr_strb),
    .wr_last_i(wr_last),
    .wr_cmd_last_i(wr_cmd_last),
    .done_o(wr_done),
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
    .axi_awvalid_o,
    .axi_awready_i,
    .axi_awid_o(),
    .axi_awaddr_o,
    .axi_awlen_o,
    .axi_awsize_o,
    .axi_awburst_o,
    .axi_awcache_o(),
    .axi_awprot_o(),
    .axi_wvalid_o,
    .axi_wready_i,
    .axi_wdata_o,
    .axi_wstrb_o,
    .axi_wlast_o,
    .axi_bvalid_i,
    .axi_bready_o,
    .axi_bresp_i
  );

endmodule
`default_nettype wire
