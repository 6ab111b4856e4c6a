// SPDX-License-Identifier: Apache-2.0
// The register file of docs/registers.md: configuration the host writes, status it reads.
// Does not process jobs (weft_jobs), count events (weft_counters) or keep the memory windows
// (weft_window_registers). Writes take effect the next cycle; reads are combinational. CONTROL bits
// are pulses of one cycle, the one after the write's.
`default_nettype none
module weft_registers (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
    // register bus
    input  wire logic         wr_en_i,
    input  wire logic [11:0]  wr_addr_i,
    input  wire logic [31:0]  wr_data_i,
    input  wire logic [11:0]  rd_addr_i,
    output logic [31:0]       rd_data_o,
    // settings
    output logic [39:0]       ring_base_o,
    output logic [3:0]        ring_log2_o,
    output logic [31:0]       ring_tail_o,
    output logic [31:0]       watchdog_o,
    output logic [3:0]        arcache_o,
    output logic [2:0]        arprot_o,
    output logic [3:0]        awcache_o,
    output logic [2:0]        awprot_o,
    output logic [8*40-1:0]   region_base_o,
    output logic [8*32-1:0]   window_first_o,
    output logic [8*32-1:0]   window_last_o,
    output logic [7:0]        window_enable_o,
    output logic [7:0]        window_read_o,
    output logic [7:0]        window_write_o,
    output logic              abort_o,
    output logic              resume_o,
    output logic              reset_o,
    output logic              irq_o,
    // state
    input  wire logic         busy_i,
    input  wire logic         halted_i,
    input  wire logic         set_done_i,
    input  wire logic         set_error_i,
    input  wire logic [31:0]  ring_head_i,
    input  wire logic [31:0]  done_id_i,
    input  wire logic [7:0]   error_code_i,
    input  wire logic [31:0]  error_job_i,
    input  wire logic [31:0]  error_command_i,
    input  wire logic [39:0]  error_addr_i,
    input  wire logic [32*weft_pkg::NumCounters-1:0] counters_i
);
  localparam logic [31:0] IdValue = 32'h57454654;
  localparam logic [31:0] VersionValue = 32'h0000_0001;

  logic [1:0]  irq_status_q, irq_mask_q, irq_set, irq_clear;
  logic [39:0] ring_base_q;
  logic [3:0]  ring_log2_q;
  logic [31:0] ring_tail_q, watchdog_q;
  logic [14:0] axi_attr_q;
  logic [31:0] base_lo_q[8];
  logic [7:0]  base_hi_q[8];
  logic [31:0] counter_word, window_word;

  // A 64-bit register pair occupies 8 bytes from REGION_BASE_LO on.
  logic wr_region, rd_region;
  logic [2:0] wr_region_index, rd_region_index;
  assign wr_region = wr_addr_i[11:6] == weft_pkg::RegRegionBaseLo[11:6] && wr_addr_i[1:0] == 2'd0;
  assign rd_region = rd_addr_i[11:6] == weft_pkg::RegRegionBaseLo[11:6] && rd_addr_i[1:0] == 2'd0;
  assign wr_region_index = wr_addr_i[5:3];
  assign rd_region_index = rd_addr_i[5:3];

  assign irq_set = {set_error_i, set_done_i}
      | ((wr_en_i && wr_addr_i == weft_pkg::RegIrqTest) ? wr_data_i[1:0] : 2'b00);
  assign irq_clear = (wr_en_i && wr_addr_i == weft_pkg::RegIrqStatus) ? wr_data_i[1:0] : 2'b00;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      irq_status_q <= '0;
      irq_mask_q   <= '0;
      ring_base_q  <= '0;
      ring_log2_q  <= '0;
      ring_tail_q  <= '0;
      watchdog_q   <= 32'h0010_0000;
      axi_attr_q   <= '0;
      for (int i = 0; i < 8; i++) begin
        base_lo_q[i] <= '0;
        base_hi_q[i] <= '0;
      end
    end else begin
      irq_status_q <= (irq_status_q & ~irq_clear) | irq_set;
      if (reset_o) begin
        ring_tail_q  <= '0;
        irq_status_q <= '0;
      end
      if (wr_en_i) begin
        case (wr_addr_i)
          weft_pkg::RegIrqMask:    irq_mask_q <= wr_data_i[1:0];
          weft_pkg::RegRingBaseLo: ring_base_q[31:0] <= {wr_data_i[31:6], 6'b0};
          weft_pkg::RegRingBaseHi: ring_base_q[39:32] <= wr_data_i[7:0];
          weft_pkg::RegRingLog2:   ring_log2_q <= (wr_data_i > 32'd12) ? 4'd12 : wr_data_i[3:0];
          weft_pkg::RegRingTail:   ring_tail_q <= wr_data_i;
          weft_pkg::RegWatchdog:   watchdog_q <= wr_data_i;
          weft_pkg::RegAxiAttr:    axi_attr_q <= wr_data_i[14:0];
          default: ;
        endcase
        if (wr_region && !wr_addr_i[2]) base_lo_q[wr_region_index] <= {wr_data_i[31:6], 6'b0};
        if (wr_region && wr_addr_i[2]) base_hi_q[wr_region_index] <= wr_data_i[7:0];
      end
    end
  end

  logic wr_control;
  assign wr_control = rst_ni && wr_en_i && wr_addr_i == weft_pkg::RegControl;
  always_ff @(posedge clk_i) begin
    abort_o  <= wr_control && wr_data_i[weft_pkg::ControlAbortLsb];
    resume_o <= wr_control && wr_data_i[weft_pkg::ControlResumeLsb];
    reset_o  <= wr_control && wr_data_i[weft_pkg::ControlResetLsb];
  end

  assign irq_o       = |(irq_status_q & irq_mask_q);
  assign ring_base_o = ring_base_q;
  assign ring_log2_o = ring_log2_q;
  assign ring_tail_o = ring_tail_q;
  assign watchdog_o  = watchdog_q;
  assign arcache_o   = axi_attr_q[3:0];
  assign arprot_o    = axi_attr_q[6:4];
  assign awcache_o   = axi_attr_q[11:8];
  assign awprot_o    = axi_attr_q[14:12];
  for (genvar g = 0; g < 8; g++) begin : gen_region
    assign region_base_o[40*g +: 40] = {base_hi_q[g], base_lo_q[g]};
  end

  weft_window_registers u_windows (
      .clk_i, .rst_ni, .hold_i(busy_i),
      .wr_en_i, .wr_addr_i, .wr_data_i, .rd_addr_i, .rd_data_o(window_word),
      .first_o(window_first_o), .last_o(window_last_o), .enable_o(window_enable_o),
      .read_o(window_read_o), .write_o(window_write_o));

  assign counter_word = counters_i[32*rd_addr_i[5:2] +: 32];

  always_comb begin
    rd_data_o = '0;
    case (rd_addr_i)
      weft_pkg::RegId:              rd_data_o = IdValue;
      weft_pkg::RegVersion:         rd_data_o = VersionValue;
      weft_pkg::RegConfigHash:      rd_data_o = weft_pkg::ConfigHash;
      weft_pkg::RegCommandVersion:  rd_data_o = weft_pkg::CommandVersion;
      weft_pkg::RegSizes:           rd_data_o = {8'(weft_pkg::AxiBytes), 8'(weft_pkg::PostLanes),
                                                 8'(weft_pkg::N), 8'(weft_pkg::K)};
      weft_pkg::RegScratchpadBytes: rd_data_o = weft_pkg::Scratchpad;
      weft_pkg::RegWeightBytes:     rd_data_o = weft_pkg::WeightRing;
      weft_pkg::RegStatus:          rd_data_o = {30'b0, halted_i, busy_i};
      weft_pkg::RegIrqStatus:       rd_data_o = {30'b0, irq_status_q};
      weft_pkg::RegIrqMask:         rd_data_o = {30'b0, irq_mask_q};
      weft_pkg::RegRingBaseLo:      rd_data_o = ring_base_q[31:0];
      weft_pkg::RegRingBaseHi:      rd_data_o = {24'b0, ring_base_q[39:32]};
      weft_pkg::RegRingLog2:        rd_data_o = {28'b0, ring_log2_q};
      weft_pkg::RegRingTail:        rd_data_o = ring_tail_q;
      weft_pkg::RegRingHead:        rd_data_o = ring_head_i;
      weft_pkg::RegJobDoneId:       rd_data_o = done_id_i;
      weft_pkg::RegErrorCode:       rd_data_o = {24'b0, error_code_i};
      weft_pkg::RegErrorJob:        rd_data_o = error_job_i;
      weft_pkg::RegErrorCommand:    rd_data_o = error_command_i;
      weft_pkg::RegErrorAddrLo:     rd_data_o = error_addr_i[31:0];
      weft_pkg::RegErrorAddrHi:     rd_data_o = {24'b0, error_addr_i[39:32]};
      weft_pkg::RegWatchdog:        rd_data_o = watchdog_q;
      weft_pkg::RegAxiAttr:         rd_data_o = {17'b0, axi_attr_q & 15'h7f7f};
      default: begin
        if (rd_region) begin
          rd_data_o = rd_addr_i[2] ? {24'b0, base_hi_q[rd_region_index]}
                                   : base_lo_q[rd_region_index];
        end else if (rd_addr_i[11:6] == weft_pkg::RegCounter[11:6]
                     && rd_addr_i[1:0] == 2'd0) begin
          rd_data_o = counter_word;
        end else begin
          rd_data_o = window_word;
        end
      end
    endcase
  end
endmodule
`default_nettype wire
