// SPDX-License-Identifier: Apache-2.0
// The host stage with the fetch of commands, as weft_top wires them: from AXI4-Lite to the stream of
// commands. Memory, decoder and engines are the bench's.
`default_nettype none
module weft_host_harness (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    output logic             irq_o,
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
    // settings that leave the stage
    output logic [3:0]       arcache_o,
    output logic [2:0]       arprot_o,
    output logic [3:0]       awcache_o,
    output logic [2:0]       awprot_o,
    output logic [8*40-1:0]  region_base_o,
    output logic [8*32-1:0]  window_first_o,
    output logic [8*32-1:0]  window_last_o,
    output logic [7:0]       window_enable_o,
    output logic [7:0]       window_read_o,
    output logic [7:0]       window_write_o,
    // memory
    output logic             req_valid_o,
    input  wire logic        req_ready_i,
    output logic [39:0]      req_addr_o,
    output logic [20:0]      req_bytes_o,
    input  wire logic        rsp_valid_i,
    output logic             rsp_ready_o,
    input  wire logic [8*weft_pkg::AxiBytes-1:0] rsp_data_i,
    output logic             drain_o,
    input  wire logic        dma_idle_i,
    // decoder and engines
    output logic             engine_rst_no,
    output logic             running_o,
    output logic             cmd_valid_o,
    input  wire logic        cmd_ready_i,
    output logic [weft_pkg::CommandBits-1:0] cmd_o,
    output logic [31:0]      cmd_index_o,
    output logic             exhausted_o,
    input  wire logic        end_i,
    input  wire logic        progress_i,
    input  wire logic        error_i,
    input  wire logic [7:0]  error_code_i,
    input  wire logic [31:0] error_command_i,
    input  wire logic [39:0] error_addr_i,
    input  wire logic [weft_pkg::NumCounters-1:0] event_i
);
  logic        reg_wr_en;
  logic [11:0] reg_wr_addr, reg_rd_addr;
  logic [31:0] reg_wr_data, reg_rd_data;
  logic [39:0] ring_base;
  logic [3:0]  ring_log2;
  logic [31:0] ring_tail, ring_head, done_id, watchdog, error_job, error_command;
  logic [39:0] error_addr;
  logic [7:0]  error_code;
  logic [8*40-1:0] region_base_set;
  logic        abort, resume, host_reset, busy, halted, set_done, set_error;
  logic        job_active, job_begin;
  logic [32*weft_pkg::NumCounters-1:0] counters;
  logic        fetch_start, entry_ready;
  logic [39:0] fetch_addr;
  logic [31:0] fetch_count;

  weft_axil u_axil (
      .clk_i, .rst_ni,
      .s_axil_awvalid_i, .s_axil_awready_o, .s_axil_awaddr_i, .s_axil_wvalid_i, .s_axil_wready_o,
      .s_axil_wdata_i, .s_axil_wstrb_i, .s_axil_bvalid_o, .s_axil_bready_i, .s_axil_bresp_o,
      .s_axil_arvalid_i, .s_axil_arready_o, .s_axil_araddr_i, .s_axil_rvalid_o, .s_axil_rready_i,
      .s_axil_rdata_o, .s_axil_rresp_o,
      .wr_en_o(reg_wr_en), .wr_addr_o(reg_wr_addr), .wr_data_o(reg_wr_data),
      .rd_addr_o(reg_rd_addr), .rd_data_i(reg_rd_data));

  weft_registers u_registers (
      .clk_i, .rst_ni,
      .wr_en_i(reg_wr_en), .wr_addr_i(reg_wr_addr), .wr_data_i(reg_wr_data),
      .rd_addr_i(reg_rd_addr), .rd_data_o(reg_rd_data),
      .ring_base_o(ring_base), .ring_log2_o(ring_log2), .ring_tail_o(ring_tail),
      .watchdog_o(watchdog), .arcache_o, .arprot_o, .awcache_o, .awprot_o,
      .region_base_o(region_base_set), .window_first_o, .window_last_o, .window_enable_o,
      .window_read_o, .window_write_o, .abort_o(abort), .resume_o(resume),
      .reset_o(host_reset), .irq_o,
      .busy_i(busy), .halted_i(halted), .set_done_i(set_done), .set_error_i(set_error),
      .ring_head_i(ring_head), .done_id_i(done_id), .error_code_i(error_code),
      .error_job_i(error_job), .error_command_i(error_command), .error_addr_i(error_addr),
      .counters_i(counters));

  weft_jobs u_jobs (
      .clk_i, .rst_ni,
      .ring_base_i(ring_base), .ring_log2_i(ring_log2), .ring_tail_i(ring_tail),
      .watchdog_i(watchdog), .region_base_i(region_base_set), .abort_i(abort), .resume_i(resume),
      .reset_i(host_reset), .busy_o(busy), .halted_o(halted), .set_done_o(set_done),
      .set_error_o(set_error), .ring_head_o(ring_head), .done_id_o(done_id),
      .error_code_o(error_code), .error_job_o(error_job), .error_command_o(error_command),
      .error_addr_o(error_addr),
      .fetch_start_o(fetch_start), .fetch_addr_o(fetch_addr), .fetch_count_o(fetch_count),
      .cmd_valid_i(cmd_valid_o), .entry_ready_o(entry_ready), .entry_i(cmd_o),
      .running_o, .job_active_o(job_active), .job_begin_o(job_begin),
      .engine_rst_no, .region_base_o, .end_i, .progress_i,
      .error_i, .error_code_i, .error_command_i, .error_addr_i, .drain_o, .dma_idle_i);

  weft_counters u_counters (
      .clk_i, .rst_ni, .clear_i(job_begin), .run_i(job_active), .event_i, .counters_o(counters));

  weft_fetch u_fetch (
      .clk_i, .rst_ni(engine_rst_no),
      .start_i(fetch_start), .addr_i(fetch_addr), .count_i(fetch_count),
      .req_valid_o, .req_ready_i, .req_addr_o, .req_bytes_o,
      .rsp_valid_i, .rsp_ready_o, .rsp_data_i,
      .cmd_valid_o, .cmd_ready_i(entry_ready || (cmd_ready_i && running_o)), .cmd_o,
      .cmd_index_o, .exhausted_o);
endmodule
`default_nettype wire
