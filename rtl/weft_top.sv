// SPDX-License-Identifier: Apache-2.0
// Weft: the accelerator. Wiring only, in the order of a byte's path: host, command, dma, scratchpad,
// array, post, store. One clock, synchronous active-low reset. AXI4-Lite slave (registers), AXI4
// master (40-bit addresses, INCR bursts of at most 256 bytes), one level interrupt.
`default_nettype none
module weft_top #(
    parameter int unsigned IdWidth = 2
) (
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
    output logic [IdWidth-1:0] m_axi_arid_o,
    output logic [39:0]      m_axi_araddr_o,
    output logic [7:0]       m_axi_arlen_o,
    output logic [2:0]       m_axi_arsize_o,
    output logic [1:0]       m_axi_arburst_o,
    output logic [3:0]       m_axi_arcache_o,
    output logic [2:0]       m_axi_arprot_o,
    input  wire logic        m_axi_rvalid_i,
    output logic             m_axi_rready_o,
    input  wire logic [IdWidth-1:0] m_axi_rid_i,
    input  wire logic [8*weft_pkg::AxiBytes-1:0] m_axi_rdata_i,
    input  wire logic [1:0]  m_axi_rresp_i,
    input  wire logic        m_axi_rlast_i,
    // AXI4 master, write
    output logic             m_axi_awvalid_o,
    input  wire logic        m_axi_awready_i,
    output logic [IdWidth-1:0] m_axi_awid_o,
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
    input  wire logic [IdWidth-1:0] m_axi_bid_i,
    input  wire logic [1:0]  m_axi_bresp_i
);
  localparam int unsigned CmdW = weft_pkg::CommandBits;
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned L = weft_pkg::PostLanes;
  localparam int unsigned WordW = 8 * weft_pkg::WordBytes;
  localparam int unsigned AxiW = 8 * weft_pkg::AxiBytes;
  localparam int unsigned RingW = 8 * weft_pkg::WeightWord;
  localparam int unsigned SpadAW = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes);
  localparam int unsigned RingAW = $clog2(weft_pkg::WeightRing / weft_pkg::WeightWord);
  localparam int unsigned CounterW = 32 * weft_pkg::NumCounters;

  // Clocks behind gates (last section), and who says that something goes on there.
  logic clk_command, clk_read, clk_write, clk_post;
  logic axil_awake, jobs_awake, fetch_awake, dispatch_awake, read_awake, load_awake, weights_awake;
  logic store_awake, marker_awake, write_awake, post_awake;

  // ---------------------------------------------------------------- host
  logic        reg_wr_en;
  logic [11:0] reg_wr_addr, reg_rd_addr;
  logic [31:0] reg_wr_data, reg_rd_data;
  logic [39:0] ring_base;
  logic [3:0]  ring_log2, arcache, awcache;
  logic [2:0]  arprot, awprot;
  logic [31:0] ring_tail, ring_head, done_id, watchdog, error_job, error_command;
  logic [39:0] error_addr;
  logic [7:0]  error_code;
  logic [8*40-1:0] region_base_set, region_base;
  logic        abort, resume, host_reset, busy, halted, set_done, set_error;
  logic        running, job_active, job_begin, engine_rst_n, drain, progress, job_end;
  logic [255:0] window_first, window_last;
  logic [7:0]  window_enable, window_read, window_write;
  logic        fault;
  logic [7:0]  fault_code;
  logic [31:0] fault_command;
  logic [39:0] fault_addr;
  logic [CounterW-1:0] counters;
  logic [weft_pkg::NumCounters-1:0] events;

  weft_axil u_axil (
      .clk_i(clk_command), .rst_ni,
      .s_axil_awvalid_i, .s_axil_awready_o, .s_axil_awaddr_i, .s_axil_wvalid_i, .s_axil_wready_o,
      .s_axil_wdata_i, .s_axil_wstrb_i, .s_axil_bvalid_o, .s_axil_bready_i, .s_axil_bresp_o,
      .s_axil_arvalid_i, .s_axil_arready_o, .s_axil_araddr_i, .s_axil_rvalid_o, .s_axil_rready_i,
      .s_axil_rdata_o, .s_axil_rresp_o,
      .wr_en_o(reg_wr_en), .wr_addr_o(reg_wr_addr), .wr_data_o(reg_wr_data),
      .rd_addr_o(reg_rd_addr), .rd_data_i(reg_rd_data), .awake_o(axil_awake));

  weft_registers u_registers (
      .clk_i(clk_command), .rst_ni,
      .wr_en_i(reg_wr_en), .wr_addr_i(reg_wr_addr), .wr_data_i(reg_wr_data),
      .rd_addr_i(reg_rd_addr), .rd_data_o(reg_rd_data),
      .ring_base_o(ring_base), .ring_log2_o(ring_log2), .ring_tail_o(ring_tail),
      .watchdog_o(watchdog), .arcache_o(arcache), .arprot_o(arprot), .awcache_o(awcache),
      .awprot_o(awprot), .region_base_o(region_base_set), .window_first_o(window_first),
      .window_last_o(window_last), .window_enable_o(window_enable), .window_read_o(window_read),
      .window_write_o(window_write), .abort_o(abort), .resume_o(resume),
      .reset_o(host_reset), .irq_o,
      .busy_i(busy), .halted_i(halted), .set_done_i(set_done), .set_error_i(set_error),
      .ring_head_i(ring_head), .done_id_i(done_id), .error_code_i(error_code),
      .error_job_i(error_job), .error_command_i(error_command), .error_addr_i(error_addr),
      .counters_i(counters));

  logic        fetch_start, fetch_valid, fetch_exhausted, entry_ready, stream_ready;
  logic [39:0] fetch_addr;
  logic [31:0] fetch_count, fetch_index;
  logic [CmdW-1:0] fetch_cmd;
  logic        read_idle, write_idle;

  weft_jobs u_jobs (
      .clk_i(clk_command), .rst_ni,
      .ring_base_i(ring_base), .ring_log2_i(ring_log2), .ring_tail_i(ring_tail),
      .watchdog_i(watchdog), .region_base_i(region_base_set), .abort_i(abort), .resume_i(resume),
      .reset_i(host_reset), .busy_o(busy), .halted_o(halted), .set_done_o(set_done),
      .set_error_o(set_error), .ring_head_o(ring_head), .done_id_o(done_id),
      .error_code_o(error_code), .error_job_o(error_job), .error_command_o(error_command),
      .error_addr_o(error_addr),
      .fetch_start_o(fetch_start), .fetch_addr_o(fetch_addr), .fetch_count_o(fetch_count),
      .cmd_valid_i(fetch_valid), .entry_ready_o(entry_ready), .entry_i(fetch_cmd),
      .running_o(running), .job_active_o(job_active), .job_begin_o(job_begin),
      .engine_rst_no(engine_rst_n), .region_base_o(region_base), .end_i(job_end),
      .progress_i(progress), .error_i(fault), .error_code_i(fault_code),
      .error_command_i(fault_command), .error_addr_i(fault_addr),
      .drain_o(drain), .dma_idle_i(read_idle && write_idle), .awake_o(jobs_awake));

  weft_counters u_counters (
      .clk_i, .rst_ni, .clear_i(job_begin), .run_i(job_active), .event_i(events), .counters_o(counters));

  // ---------------------------------------------------------------- command
  logic [2:0]   rd_req_valid, rd_req_ready, rd_rsp_valid, rd_rsp_ready, rd_beat;
  logic [119:0] rd_req_addr;
  logic [62:0]  rd_req_bytes;
  logic [AxiW-1:0] rd_data;
  logic         rd_last;

  weft_fetch u_fetch (
      .clk_i(clk_command), .rst_ni(engine_rst_n),
      .start_i(fetch_start), .addr_i(fetch_addr), .count_i(fetch_count),
      .req_valid_o(rd_req_valid[0]), .req_ready_i(rd_req_ready[0]),
      .req_addr_o(rd_req_addr[39:0]), .req_bytes_o(rd_req_bytes[20:0]),
      .rsp_valid_i(rd_rsp_valid[0]), .rsp_ready_o(rd_rsp_ready[0]), .rsp_data_i(rd_data),
      .cmd_valid_o(fetch_valid), .cmd_ready_i(entry_ready || stream_ready), .cmd_o(fetch_cmd),
      .cmd_index_o(fetch_index), .exhausted_o(fetch_exhausted), .awake_o(fetch_awake));

  logic load_cv, load_cr, weights_cv, weights_cr, store_cv, store_cr;
  logic feed_cv, feed_cr, loader_cv, loader_cr, post_cv, post_cr;
  logic [39:0] load_ca, weights_ca, store_ca, post_ca;
  logic [31:0] load_ci, weights_ci, store_ci, post_ci, feed_index;
  logic [CmdW-1:0] load_cmd, weights_cmd, store_cmd, feed_cmd, loader_cmd, post_cmd;
  logic load_retired, block_retired, store_retired, engines_idle;
  logic [15:0] load_count, exec_count, store_count;
  logic [7:0]  decode_error;
  logic [31:0] decode_index;

  weft_dispatch u_dispatch (
      .clk_i(clk_command), .rst_ni(engine_rst_n),
      .cmd_valid_i(fetch_valid), .cmd_ready_o(stream_ready), .cmd_i(fetch_cmd),
      .cmd_index_i(fetch_index), .exhausted_i(fetch_exhausted), .running_i(running),
      .region_base_i(region_base),
      .load_valid_o(load_cv), .load_ready_i(load_cr), .load_addr_o(load_ca),
      .load_index_o(load_ci), .load_cmd_o(load_cmd),
      .weights_valid_o(weights_cv), .weights_ready_i(weights_cr), .weights_addr_o(weights_ca),
      .weights_index_o(weights_ci), .weights_cmd_o(weights_cmd),
      .store_valid_o(store_cv), .store_ready_i(store_cr), .store_addr_o(store_ca),
      .store_index_o(store_ci), .store_cmd_o(store_cmd),
      .feed_valid_o(feed_cv), .feed_ready_i(feed_cr), .feed_cmd_o(feed_cmd),
      .loader_valid_o(loader_cv), .loader_ready_i(loader_cr), .loader_cmd_o(loader_cmd),
      .post_valid_o(post_cv), .post_ready_i(post_cr), .post_addr_o(post_ca),
      .post_index_o(post_ci), .post_cmd_o(post_cmd),
      .feed_index_o(feed_index),
      .load_retired_i(load_retired), .block_retired_i(block_retired),
      .store_retired_i(store_retired), .load_count_o(load_count), .exec_count_o(exec_count),
      .store_count_o(store_count), .engines_idle_i(engines_idle), .end_o(job_end),
      .error_o(decode_error), .error_index_o(decode_index), .awake_o(dispatch_awake));

  // ---------------------------------------------------------------- dma
  logic        weights_urgent;
  logic        read_error, read_denied, write_error, write_denied, write_client, write_beat;
  logic [1:0]  read_client;
  logic [39:0] read_addr, write_addr;

  weft_axi_read #(.IdWidth(IdWidth)) u_axi_read (
      .clk_i(clk_read), .rst_ni, .drain_i(drain), .idle_o(read_idle), .urgent_i(weights_urgent),
      .req_valid_i(rd_req_valid), .req_ready_o(rd_req_ready), .req_addr_i(rd_req_addr),
      .req_bytes_i(rd_req_bytes), .rsp_valid_o(rd_rsp_valid), .rsp_ready_i(rd_rsp_ready),
      .rsp_data_o(rd_data), .rsp_last_o(rd_last),
      .error_o(read_error), .error_denied_o(read_denied), .error_client_o(read_client),
      .error_addr_o(read_addr), .beat_o(rd_beat),
      .window_first_i(window_first), .window_last_i(window_last),
      .window_enable_i(window_enable), .window_permit_i(window_read),
      .cache_i(arcache), .prot_i(arprot),
      .axi_arvalid_o(m_axi_arvalid_o), .axi_arready_i(m_axi_arready_i), .axi_arid_o(m_axi_arid_o),
      .axi_araddr_o(m_axi_araddr_o), .axi_arlen_o(m_axi_arlen_o), .axi_arsize_o(m_axi_arsize_o),
      .axi_arburst_o(m_axi_arburst_o), .axi_arcache_o(m_axi_arcache_o),
      .axi_arprot_o(m_axi_arprot_o), .axi_rvalid_i(m_axi_rvalid_i), .axi_rready_o(m_axi_rready_o),
      .axi_rid_i(m_axi_rid_i), .axi_rdata_i(m_axi_rdata_i), .axi_rresp_i(m_axi_rresp_i),
      .axi_rlast_i(m_axi_rlast_i), .awake_o(read_awake));

  logic        ld_req, ld_gnt, load_idle, load_busy, load_err;
  logic [SpadAW-1:0] ld_addr;
  logic [WordW-1:0]  ld_data;
  logic [weft_pkg::WordBytes-1:0] ld_mask;
  logic [31:0] load_err_index;
  logic [31:0] load_access;

  weft_load u_load (
      .clk_i(clk_read), .rst_ni(engine_rst_n),
      .cmd_valid_i(load_cv), .cmd_ready_o(load_cr), .cmd_i(load_cmd), .cmd_addr_i(load_ca),
      .cmd_index_i(load_ci), .load_count_i(load_count), .exec_count_i(exec_count),
      .store_count_i(store_count),
      .req_valid_o(rd_req_valid[2]), .req_ready_i(rd_req_ready[2]),
      .req_addr_o(rd_req_addr[119:80]), .req_bytes_o(rd_req_bytes[62:42]),
      .rsp_valid_i(rd_rsp_valid[2]), .rsp_ready_o(rd_rsp_ready[2]), .rsp_data_i(rd_data),
      .rsp_last_i(rd_last),
      .ld_req_o(ld_req), .ld_addr_o(ld_addr), .ld_data_o(ld_data), .ld_mask_o(ld_mask),
      .ld_gnt_i(ld_gnt), .retired_o(load_retired), .idle_o(load_idle), .busy_o(load_busy),
      .err_o(load_err), .err_index_o(load_err_index), .access_index_o(load_access),
      .awake_o(load_awake));

  logic        ring_wr_valid, ring_rd_en;
  logic        weights_idle;
  logic [AxiW-1:0] ring_wr_data;
  logic [15:0] ring_written, ring_released;
  logic [RingAW-1:0] ring_rd_addr;
  logic [RingW-1:0]  ring_rd_data;
  logic [31:0] weights_access;

  weft_load_weights u_load_weights (
      .clk_i(clk_read), .rst_ni(engine_rst_n),
      .cmd_valid_i(weights_cv), .cmd_ready_o(weights_cr), .cmd_i(weights_cmd),
      .cmd_addr_i(weights_ca), .cmd_index_i(weights_ci),
      .req_valid_o(rd_req_valid[1]), .req_ready_i(rd_req_ready[1]),
      .req_addr_o(rd_req_addr[79:40]), .req_bytes_o(rd_req_bytes[41:21]),
      .rsp_valid_i(rd_rsp_valid[1]), .rsp_ready_o(rd_rsp_ready[1]), .rsp_data_i(rd_data),
      .ring_released_i(ring_released), .ring_rd_en_i(ring_rd_en), .ring_rd_addr_i(ring_rd_addr),
      .ring_wr_valid_o(ring_wr_valid), .ring_wr_data_o(ring_wr_data), .urgent_o(weights_urgent),
      .idle_o(weights_idle), .access_index_o(weights_access), .awake_o(weights_awake));

  // ---------------------------------------------------------------- scratchpad
  logic [3:0]          feed_req, feed_gnt;
  logic [4*SpadAW-1:0] feed_addr;
  logic [4*WordW-1:0]  feed_data;
  logic [1:0]          opd_req, opd_gnt, spad_res_req, spad_res_gnt;
  logic [2*SpadAW-1:0] opd_addr, spad_res_addr;
  logic [2*WordW-1:0]  opd_data, spad_res_data;
  logic [2*weft_pkg::WordBytes-1:0] spad_res_mask;
  logic                st_req, st_gnt;
  logic [SpadAW-1:0]   st_addr;
  logic [WordW-1:0]    st_data;

  weft_scratchpad u_scratchpad (
      .clk_i,
      .feed_req_i(feed_req), .feed_addr_i(feed_addr), .feed_gnt_o(feed_gnt),
      .feed_data_o(feed_data),
      .opd_req_i(opd_req), .opd_addr_i(opd_addr), .opd_gnt_o(opd_gnt), .opd_data_o(opd_data),
      .st_req_i(st_req), .st_addr_i(st_addr), .st_gnt_o(st_gnt), .st_data_o(st_data),
      .res_req_i(spad_res_req), .res_addr_i(spad_res_addr), .res_data_i(spad_res_data),
      .res_mask_i(spad_res_mask), .res_gnt_o(spad_res_gnt),
      .ld_req_i(ld_req), .ld_addr_i(ld_addr), .ld_data_i(ld_data), .ld_mask_i(ld_mask),
      .ld_gnt_o(ld_gnt));

  weft_weight_ring u_weight_ring (
      .clk_i, .rst_ni(engine_rst_n),
      .wr_valid_i(ring_wr_valid), .wr_data_i(ring_wr_data), .written_o(ring_written),
      .rd_en_i(ring_rd_en), .rd_addr_i(ring_rd_addr), .rd_data_o(ring_rd_data));

  // ---------------------------------------------------------------- array
  logic        prm_valid, prm_ready, prm_table, prm_last, feed_err, array_idle;
  logic [RingW-1:0] prm_data;
  logic [1:0]  acc_full, acc_release;
  logic        acc_rd_en, acc_rd_buf, acc_wr_en, acc_wr_buf, acc_drain_valid, acc_drain_buf;
  logic [7:0]  acc_drain_rows;
  logic [6:0]  acc_rd_row, acc_wr_row;
  logic [32*N-1:0] acc_rd_data, acc_wr_data;
  logic [N-1:0]    acc_wr_lanes;
  logic ev_array_busy, ev_dependency, ev_operand, ev_weights, ev_accumulator, ev_array_idle;

  weft_array_stage u_array (
      .clk_i, .rst_ni(engine_rst_n),
      .feed_cmd_valid_i(feed_cv), .feed_cmd_ready_o(feed_cr), .feed_cmd_i(feed_cmd),
      .wl_cmd_valid_i(loader_cv), .wl_cmd_ready_o(loader_cr), .wl_cmd_i(loader_cmd),
      .load_count_i(load_count), .exec_count_i(exec_count), .store_count_i(store_count),
      .rd_req_o(feed_req), .rd_addr_o(feed_addr), .rd_gnt_i(feed_gnt), .rd_data_i(feed_data),
      .ring_rd_en_o(ring_rd_en), .ring_rd_addr_o(ring_rd_addr), .ring_rd_data_i(ring_rd_data),
      .ring_written_i(ring_written), .ring_released_o(ring_released),
      .prm_valid_o(prm_valid), .prm_ready_i(prm_ready), .prm_data_o(prm_data),
      .prm_table_o(prm_table), .prm_last_o(prm_last),
      .acc_full_o(acc_full), .acc_release_i(acc_release), .acc_drain_valid_i(acc_drain_valid),
      .acc_drain_buf_i(acc_drain_buf), .acc_drain_rows_i(acc_drain_rows), .acc_rd_en_i(acc_rd_en),
      .acc_rd_buf_i(acc_rd_buf), .acc_rd_row_i(acc_rd_row), .acc_rd_data_o(acc_rd_data),
      .acc_wr_en_i(acc_wr_en), .acc_wr_buf_i(acc_wr_buf), .acc_wr_row_i(acc_wr_row),
      .acc_wr_data_i(acc_wr_data), .acc_wr_lanes_i(acc_wr_lanes),
      .ev_busy_o(ev_array_busy), .ev_stall_dependency_o(ev_dependency),
      .ev_stall_operand_o(ev_operand), .ev_stall_weights_o(ev_weights),
      .ev_stall_accumulator_o(ev_accumulator), .ev_idle_o(ev_array_idle),
      .err_o(feed_err), .idle_o(array_idle));

  // ---------------------------------------------------------------- post
  logic        res_valid, res_ready, res_last, post_busy, post_err, post_idle;
  logic [20:0] res_addr;
  logic [8*L-1:0] res_data;
  logic [L-1:0]   res_mask;
  logic [31:0]    post_index;
  logic [1:0]     mark_valid, mark_ready;
  logic [79:0]    mark_addr;
  logic [31:0]    mark_layers;
  logic [63:0]    mark_index;
  logic           res_err, res_idle;

  weft_post_stage u_post (
      .clk_i(clk_post), .rst_ni(engine_rst_n),
      .cmd_valid_i(post_cv), .cmd_ready_o(post_cr), .cmd_i(post_cmd), .cmd_addr_i(post_ca),
      .cmd_index_i(post_ci),
      .prm_valid_i(prm_valid), .prm_ready_o(prm_ready), .prm_data_i(prm_data),
      .prm_table_i(prm_table), .prm_last_i(prm_last),
      .acc_full_i(acc_full), .acc_release_o(acc_release), .acc_drain_valid_o(acc_drain_valid),
      .acc_drain_buf_o(acc_drain_buf), .acc_drain_rows_o(acc_drain_rows), .acc_rd_en_o(acc_rd_en),
      .acc_rd_buf_o(acc_rd_buf), .acc_rd_row_o(acc_rd_row), .acc_rd_data_i(acc_rd_data),
      .acc_wr_en_o(acc_wr_en), .acc_wr_buf_o(acc_wr_buf), .acc_wr_row_o(acc_wr_row),
      .acc_wr_data_o(acc_wr_data), .acc_wr_lanes_o(acc_wr_lanes),
      .opd_req_o(opd_req), .opd_addr_o(opd_addr), .opd_gnt_i(opd_gnt), .opd_data_i(opd_data),
      .res_valid_o(res_valid), .res_ready_i(res_ready), .res_addr_o(res_addr),
      .res_data_o(res_data), .res_mask_o(res_mask), .res_blk_last_o(res_last),
      .res_idle_i(res_idle),
      .mark_valid_o(mark_valid[0]), .mark_ready_i(mark_ready[0]), .mark_addr_o(mark_addr[39:0]),
      .mark_layer_o(mark_layers[15:0]), .index_o(post_index),
      .ev_busy_o(post_busy), .err_o(post_err), .idle_o(post_idle), .awake_o(post_awake));
  assign mark_index[31:0] = post_index;

  // ---------------------------------------------------------------- store
  logic [1:0]  wr_valid, wr_ready, wr_last, wr_cmd_last, wr_done;
  logic [79:0] wr_addr;
  logic [2*AxiW-1:0] wr_data;
  logic [2*weft_pkg::AxiBytes-1:0] wr_strb;
  logic        store_idle, store_busy, store_err, marker_idle;
  logic [31:0] store_err_index, marker_access;
  logic [31:0] store_access;
  logic        mark_done;
  logic [15:0] mark_done_layer;

  weft_result_writer u_result_writer (
      .clk_i(clk_post), .rst_ni(engine_rst_n),
      .res_valid_i(res_valid), .res_ready_o(res_ready), .res_addr_i(res_addr),
      .res_data_i(res_data), .res_mask_i(res_mask), .res_blk_last_i(res_last),
      .spad_req_o(spad_res_req), .spad_addr_o(spad_res_addr), .spad_data_o(spad_res_data),
      .spad_mask_o(spad_res_mask), .spad_gnt_i(spad_res_gnt),
      .block_retired_o(block_retired), .idle_o(res_idle), .err_o(res_err));

  weft_store u_store (
      .clk_i(clk_write), .rst_ni(engine_rst_n),
      .cmd_valid_i(store_cv), .cmd_ready_o(store_cr), .cmd_i(store_cmd), .cmd_addr_i(store_ca),
      .cmd_index_i(store_ci), .load_count_i(load_count), .exec_count_i(exec_count),
      .store_count_i(store_count),
      .st_req_o(st_req), .st_addr_o(st_addr), .st_gnt_i(st_gnt), .st_data_i(st_data),
      .wr_valid_o(wr_valid[0]), .wr_ready_i(wr_ready[0]), .wr_addr_o(wr_addr[39:0]),
      .wr_data_o(wr_data[AxiW-1:0]), .wr_strb_o(wr_strb[weft_pkg::AxiBytes-1:0]),
      .wr_last_o(wr_last[0]), .wr_cmd_last_o(wr_cmd_last[0]), .wr_done_i(wr_done[0]),
      .mark_valid_o(mark_valid[1]), .mark_ready_i(mark_ready[1]), .mark_addr_o(mark_addr[79:40]),
      .mark_layer_o(mark_layers[31:16]), .mark_index_o(mark_index[63:32]),
      .retired_o(store_retired), .idle_o(store_idle), .busy_o(store_busy), .err_o(store_err),
      .err_index_o(store_err_index), .access_index_o(store_access), .awake_o(store_awake));

  weft_marker u_marker (
      .clk_i(clk_write), .rst_ni(engine_rst_n),
      .mark_valid_i(mark_valid), .mark_ready_o(mark_ready), .mark_addr_i(mark_addr),
      .mark_layer_i(mark_layers), .mark_index_i(mark_index), .counters_i(counters),
      .wr_valid_o(wr_valid[1]), .wr_ready_i(wr_ready[1]), .wr_addr_o(wr_addr[79:40]),
      .wr_data_o(wr_data[2*AxiW-1:AxiW]),
      .wr_strb_o(wr_strb[2*weft_pkg::AxiBytes-1:weft_pkg::AxiBytes]),
      .wr_last_o(wr_last[1]), .wr_cmd_last_o(wr_cmd_last[1]), .wr_done_i(wr_done[1]),
      .mark_done_o(mark_done), .mark_layer_o(mark_done_layer), .idle_o(marker_idle),
      .access_index_o(marker_access), .awake_o(marker_awake));

  weft_axi_write #(.IdWidth(IdWidth)) u_axi_write (
      .clk_i(clk_write), .rst_ni, .drain_i(drain), .idle_o(write_idle),
      .wr_valid_i(wr_valid), .wr_ready_o(wr_ready), .wr_addr_i(wr_addr), .wr_data_i(wr_data),
      .wr_strb_i(wr_strb), .wr_last_i(wr_last), .wr_cmd_last_i(wr_cmd_last), .done_o(wr_done),
      .error_o(write_error), .error_denied_o(write_denied), .error_client_o(write_client),
      .error_addr_o(write_addr), .beat_o(write_beat),
      .window_first_i(window_first), .window_last_i(window_last),
      .window_enable_i(window_enable), .window_permit_i(window_write),
      .cache_i(awcache), .prot_i(awprot),
      .axi_awvalid_o(m_axi_awvalid_o), .axi_awready_i(m_axi_awready_i), .axi_awid_o(m_axi_awid_o),
      .axi_awaddr_o(m_axi_awaddr_o), .axi_awlen_o(m_axi_awlen_o), .axi_awsize_o(m_axi_awsize_o),
      .axi_awburst_o(m_axi_awburst_o), .axi_awcache_o(m_axi_awcache_o),
      .axi_awprot_o(m_axi_awprot_o), .axi_wvalid_o(m_axi_wvalid_o), .axi_wready_i(m_axi_wready_i),
      .axi_wdata_o(m_axi_wdata_o), .axi_wstrb_o(m_axi_wstrb_o), .axi_wlast_o(m_axi_wlast_o),
      .axi_bvalid_i(m_axi_bvalid_i), .axi_bready_o(m_axi_bready_o), .axi_bresp_i(m_axi_bresp_i),
      .awake_o(write_awake));

  // ---------------------------------------------------------------- back to command and host
  assign engines_idle = load_idle && weights_idle && array_idle && post_idle && res_idle
                        && store_idle && marker_idle && read_idle && write_idle;
  assign progress = |rd_beat || write_beat || ev_array_busy || post_busy || block_retired;

  weft_faults u_faults (
      .clk_i, .rst_ni(engine_rst_n),
      .read_error_i(read_error), .read_denied_i(read_denied), .read_client_i(read_client),
      .read_addr_i(read_addr), .write_error_i(write_error), .write_denied_i(write_denied),
      .write_client_i(write_client), .write_addr_i(write_addr),
      .command_index_i(fetch_index), .weights_access_i(weights_access),
      .load_access_i(load_access), .store_access_i(store_access),
      .marker_access_i(marker_access), .load_range_i(load_err), .load_index_i(load_err_index),
      .store_range_i(store_err), .store_index_i(store_err_index), .feed_range_i(feed_err),
      .feed_index_i(feed_index), .post_range_i(post_err || res_err), .post_index_i(post_index),
      .decode_error_i(decode_error), .decode_index_i(decode_index),
      .error_o(fault), .code_o(fault_code), .command_o(fault_command), .addr_o(fault_addr));

  assign events[weft_pkg::CounterCycles]           = 1'b1;
  assign events[weft_pkg::CounterLayer]            = 1'b0;
  assign events[weft_pkg::CounterArrayBusy]        = ev_array_busy;
  assign events[weft_pkg::CounterStallDependency]  = ev_dependency;
  assign events[weft_pkg::CounterStallOperand]     = ev_operand;
  assign events[weft_pkg::CounterStallWeights]     = ev_weights;
  assign events[weft_pkg::CounterStallAccumulator] = ev_accumulator;
  assign events[weft_pkg::CounterArrayIdle]        = ev_array_idle;
  assign events[weft_pkg::CounterPostBusy]         = post_busy;
  assign events[weft_pkg::CounterReadBeats]        = |rd_beat;
  assign events[weft_pkg::CounterWriteBeats]       = write_beat;
  assign events[weft_pkg::CounterCommandBeats]     = rd_beat[0];
  assign events[weft_pkg::CounterWeightBeats]      = rd_beat[1];
  assign events[weft_pkg::CounterLoadBusy]         = load_busy;
  assign events[weft_pkg::CounterStoreBusy]        = store_busy;
  assign events[weft_pkg::CounterBlocks]           = block_retired;

  // ---------------------------------------------------------------- clocks
  // Host and commands, the way in from memory and the way out keep still while the array computes,
  // post while it waits for a block. Errors of blocks on other clocks must reach weft_jobs; a drained
  // port must see it.
  weft_clock_gate u_clk_command (
      .clk_i, .clk_o(clk_command),
      .awake_i(!rst_ni || axil_awake || jobs_awake || fetch_awake || dispatch_awake
               || feed_err || post_err || res_err));
  weft_clock_gate u_clk_read (
      .clk_i, .clk_o(clk_read),
      .awake_i(!rst_ni || !engine_rst_n || drain || read_awake || load_awake || weights_awake));
  weft_clock_gate u_clk_write (
      .clk_i, .clk_o(clk_write),
      .awake_i(!rst_ni || !engine_rst_n || drain || store_awake || marker_awake || write_awake));
  weft_clock_gate u_clk_post (
      .clk_i, .clk_o(clk_post), .awake_i(post_awake || !res_idle));

  // One write ID is used: responses come in order, their ID says nothing.
  logic unused;
  assign unused = ^m_axi_bid_i;
endmodule
`default_nettype wire
