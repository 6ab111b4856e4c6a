// SPDX-License-Identifier: Apache-2.0
//
// The synthesised netlist in a four-state simulator (Icarus), from power-up with every register and
// memory unknown. Plays back what a host did (tb/xprop/record_streams.cc) against a memory with
// random latency and stalls, and stops at the first unknown bit where a known one is due:
//   - every control output, and the payload of a channel while it is valid, from the end of reset on;
//   - every control input of a memory of the design (ram_bad, in the generated ram_checks.vh).
// The payload inputs of a channel are unknown while it is not valid. At the end the memory must be
// what the functional device left; write data may be unknown only where that is.
// Prints `xprop: ok` with the figures, or one line that says what is wrong and when.
`default_nettype none
`timescale 1ns / 1ns
module xprop;
  localparam integer ResetCycles = 4;
  localparam integer B = `AXI_BYTES;
  localparam integer MemBytes = 1 << 20;
  localparam integer Bursts = 64;          // under way, more than the design starts
  localparam integer MaxWait = 200000;     // cycles until the interrupt

  reg clk = 1'b0;
  reg rst_n = 1'b0;
  integer cycle = 0;
  reg checking = 1'b0;                     // reset has ended

  always #5 clk = !clk;

  task fail(input [8*40-1:0] what);
    begin
      $display("xprop: FAILED, cycle %0d: %0s", cycle, what);
      $finish(0);
    end
  endtask

  // ---------------------------------------------------------------- the design
  wire irq;
  reg awvalid = 0, wvalid = 0, bready = 0, arvalid = 0, rready = 0;
  reg [11:0] awaddr, araddr;
  reg [31:0] wdata;
  reg [3:0] wstrb;
  wire awready, wready, bvalid, arready, rvalid;
  wire [1:0] bresp, rresp;
  wire [31:0] rdata;

  wire m_arvalid, m_rready, m_awvalid, m_wvalid, m_wlast, m_bready;
  wire [1:0] m_arid, m_awid, m_arburst, m_awburst;
  wire [39:0] m_araddr, m_awaddr;
  wire [7:0] m_arlen, m_awlen;
  wire [2:0] m_arsize, m_awsize, m_arprot, m_awprot;
  wire [3:0] m_arcache, m_awcache;
  wire [8*B-1:0] m_wdata;
  wire [B-1:0] m_wstrb;
  reg m_arready = 0, m_rvalid = 0, m_rlast, m_awready = 0, m_wready = 0, m_bvalid = 0;
  reg [1:0] m_rid, m_rresp, m_bid, m_bresp;
  reg [8*B-1:0] m_rdata;

  weft_top dut (
      .clk_i(clk), .rst_ni(rst_n), .irq_o(irq),
      .s_axil_awvalid_i(awvalid), .s_axil_awready_o(awready), .s_axil_awaddr_i(awaddr),
      .s_axil_wvalid_i(wvalid), .s_axil_wready_o(wready), .s_axil_wdata_i(wdata),
      .s_axil_wstrb_i(wstrb), .s_axil_bvalid_o(bvalid), .s_axil_bready_i(bready),
      .s_axil_bresp_o(bresp), .s_axil_arvalid_i(arvalid), .s_axil_arready_o(arready),
      .s_axil_araddr_i(araddr), .s_axil_rvalid_o(rvalid), .s_axil_rready_i(rready),
      .s_axil_rdata_o(rdata), .s_axil_rresp_o(rresp),
      .m_axi_arvalid_o(m_arvalid), .m_axi_arready_i(m_arready), .m_axi_arid_o(m_arid),
      .m_axi_araddr_o(m_araddr), .m_axi_arlen_o(m_arlen), .m_axi_arsize_o(m_arsize),
      .m_axi_arburst_o(m_arburst), .m_axi_arcache_o(m_arcache), .m_axi_arprot_o(m_arprot),
      .m_axi_rvalid_i(m_rvalid), .m_axi_rready_o(m_rready), .m_axi_rid_i(m_rid),
      .m_axi_rdata_i(m_rdata), .m_axi_rresp_i(m_rresp), .m_axi_rlast_i(m_rlast),
      .m_axi_awvalid_o(m_awvalid), .m_axi_awready_i(m_awready), .m_axi_awid_o(m_awid),
      .m_axi_awaddr_o(m_awaddr), .m_axi_awlen_o(m_awlen), .m_axi_awsize_o(m_awsize),
      .m_axi_awburst_o(m_awburst), .m_axi_awcache_o(m_awcache), .m_axi_awprot_o(m_awprot),
      .m_axi_wvalid_o(m_wvalid), .m_axi_wready_i(m_wready), .m_axi_wdata_o(m_wdata),
      .m_axi_wstrb_o(m_wstrb), .m_axi_wlast_o(m_wlast), .m_axi_bvalid_i(m_bvalid),
      .m_axi_bready_o(m_bready), .m_axi_bid_i(m_bid), .m_axi_bresp_i(m_bresp));

`include "ram_checks.vh"

  // ---------------------------------------------------------------- what must be known
  integer checked_cycles = 0;
  always @(posedge clk) begin
    cycle <= cycle + 1;
    if (checking) begin
      checked_cycles <= checked_cycles + 1;
      if (^irq === 1'bx) fail("irq");
      if (^{awready, wready, bvalid, arready, rvalid} === 1'bx) fail("AXI4-Lite valid or ready");
      if (bvalid && ^bresp === 1'bx) fail("BRESP of AXI4-Lite");
      if (rvalid && ^{rdata, rresp} === 1'bx) fail("RDATA or RRESP of AXI4-Lite");
      if (^{m_arvalid, m_awvalid, m_wvalid, m_bready} === 1'bx) fail("AXI valid or BREADY");
      if (m_rvalid && m_rready === 1'bx) fail("RREADY");
      if (m_arvalid && ^{m_arid, m_araddr, m_arlen, m_arsize, m_arburst, m_arcache, m_arprot} === 1'bx)
        fail("payload of AR");
      if (m_awvalid && ^{m_awid, m_awaddr, m_awlen, m_awsize, m_awburst, m_awcache, m_awprot} === 1'bx)
        fail("payload of AW");
      if (m_wvalid && ^{m_wstrb, m_wlast} === 1'bx) fail("WSTRB or WLAST");
      if (|ram_bad) begin
        show_ram_bad;
        fail("a memory's control input");
      end
    end
  end

  // ---------------------------------------------------------------- memory
  // Takes nothing during reset: a ready would clear a valid that has no reset.
  reg [7:0] mem [0:MemBytes-1];
  integer seed = 1;
  integer stall;                           // percent of the cycles a channel does not move

  function integer moves(input integer unused);
    moves = ($unsigned($random(seed)) % 100) >= stall;
  endfunction

  reg [39:0] ar_addr [0:Bursts-1];
  reg [7:0]  ar_len [0:Bursts-1];
  reg [1:0]  ar_id [0:Bursts-1];
  integer    ar_due [0:Bursts-1];
  integer ar_in = 0, ar_out = 0, r_beat = 0;
  reg [39:0] aw_addr [0:Bursts-1];
  reg [7:0]  aw_len [0:Bursts-1];
  integer aw_in = 0, aw_out = 0, w_beat = 0, b_due = 0;
  integer reads = 0, writes = 0;           // beats
  integer i, latency, bytes;
  reg [39:0] at;

  always @(posedge clk) begin
    if (m_arvalid && m_arready) begin
      ar_addr[ar_in % Bursts] = m_araddr;
      ar_len[ar_in % Bursts] = m_arlen;
      ar_id[ar_in % Bursts] = m_arid;
      ar_due[ar_in % Bursts] = cycle + latency;
      ar_in = ar_in + 1;
    end
    m_arready <= rst_n && moves(0) && ar_in - ar_out < Bursts;
    if (m_rvalid && m_rready) begin
      reads = reads + 1;
      r_beat = m_rlast ? 0 : r_beat + 1;
      if (m_rlast) ar_out = ar_out + 1;
    end
    if (!m_rvalid || m_rready) begin
      m_rvalid <= 1'b0;
      {m_rid, m_rresp, m_rlast} <= 5'bx;
      m_rdata <= {8*B{1'bx}};
      if (ar_in != ar_out && cycle >= ar_due[ar_out % Bursts] && moves(0)) begin
        m_rvalid <= 1'b1;
        m_rid <= ar_id[ar_out % Bursts];
        m_rresp <= 2'b00;
        m_rlast <= r_beat == ar_len[ar_out % Bursts];
        at = ar_addr[ar_out % Bursts] + r_beat * B;
        if (at + B > bytes) fail("a read outside the memory");
        else for (i = 0; i < B; i = i + 1) m_rdata[8*i+:8] <= mem[at + i];
      end
    end
  end

  always @(posedge clk) begin
    if (m_awvalid && m_awready) begin
      aw_addr[aw_in % Bursts] = m_awaddr;
      aw_len[aw_in % Bursts] = m_awlen;
      aw_in = aw_in + 1;
    end
    if (m_wvalid && m_wready) begin
      writes = writes + 1;
      at = aw_addr[aw_out % Bursts] + w_beat * B;
      if (m_wlast !== (w_beat == aw_len[aw_out % Bursts])) fail("WLAST is not the last beat");
      if (at + B > bytes) fail("a write outside the memory");
      else for (i = 0; i < B; i = i + 1) if (m_wstrb[i]) mem[at + i] = m_wdata[8*i+:8];
      w_beat = m_wlast ? 0 : w_beat + 1;
      if (m_wlast) begin
        aw_out = aw_out + 1;
        b_due = b_due + 1;
      end
    end
    m_awready <= rst_n && moves(0) && aw_in - aw_out < Bursts - 1;
    // A beat is taken only when its address is known.
    m_wready <= rst_n && moves(0) && aw_in != aw_out;
    if (m_bvalid && m_bready) b_due = b_due - 1;
    if (!m_bvalid || m_bready) begin
      m_bvalid <= b_due != 0 && moves(0);
      {m_bid, m_bresp} <= (b_due != 0) ? 4'b0000 : 4'bx;
    end
  end

  // ---------------------------------------------------------------- host
  task write_register(input [11:0] address, input [31:0] value);
    reg aw, w;
    begin
      awvalid <= 1'b1; awaddr <= address;
      wvalid <= 1'b1; wdata <= value; wstrb <= 4'hf;
      bready <= 1'b1;
      {aw, w} = 2'b00;
      while (!(aw && w)) begin
        @(posedge clk);
        if (awvalid && awready) begin aw = 1'b1; awvalid <= 1'b0; awaddr <= 12'bx; end
        if (wvalid && wready) begin w = 1'b1; wvalid <= 1'b0; wdata <= 32'bx; wstrb <= 4'bx; end
      end
      @(posedge clk);
      while (!bvalid) @(posedge clk);
      bready <= 1'b0;
    end
  endtask

  task read_register(input [11:0] address, input [31:0] expected);
    begin
      arvalid <= 1'b1; araddr <= address;
      rready <= 1'b1;
      @(posedge clk);
      while (!arready) @(posedge clk);
      arvalid <= 1'b0; araddr <= 12'bx;
      while (!rvalid) @(posedge clk);
      if (rdata !== expected) begin
        $display("register %h: %h, not %h", address, rdata, expected);
        fail("a register");
      end
      rready <= 1'b0;
    end
  endtask

  reg [7:0] expected [0:MemBytes-1];
  reg [31:0] kind, address, value;
  reg [8*200-1:0] folder;
  integer host, waited, a, unknown;

  initial begin
    if (!$value$plusargs("folder=%s", folder)) fail("no +folder");
    if (!$value$plusargs("bytes=%d", bytes) || bytes > MemBytes) fail("no +bytes, or too many");
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    latency = 1 + $unsigned($random(seed)) % 60;
    stall = ($unsigned($random(seed)) % 3) * 30;
    $readmemh({folder, "/memory.hex"}, mem, 0, bytes - 1);
    $readmemh({folder, "/expected.hex"}, expected, 0, bytes - 1);
    repeat (ResetCycles) @(posedge clk);
    rst_n <= 1'b1;
    checking <= 1'b1;
    @(posedge clk);

    host = $fopen({folder, "/host.txt"}, "r");
    while ($fscanf(host, "%h %h %h", kind, address, value) == 3) begin
      case (kind)
        0: write_register(address[11:0], value);
        1: read_register(address[11:0], value);
        2: begin
          waited = 0;
          while (!irq) begin
            @(posedge clk);
            waited = waited + 1;
            if (waited > MaxWait) fail("no interrupt");
          end
        end
        default: for (a = 0; a < 4; a = a + 1) mem[address + a] = value[8*a+:8];
      endcase
    end

    unknown = 0;
    for (a = 0; a < bytes; a = a + 1) begin
      if (expected[a] === 8'hxx) begin
        if (^mem[a] === 1'bx) begin
          $display("byte %h of a snapshot", a);
          fail("a counter is unknown");
        end
        unknown = unknown + 1;
      end else if (mem[a] !== expected[a]) begin
        $display("memory byte %h: %h, not %h", a, mem[a], expected[a]);
        fail("memory");
      end
    end
    $display("xprop: ok, %0d cycles checked, %0d read and %0d write beats, %0d bytes of counters",
             checked_cycles, reads, writes, unknown);
    $finish(0);
  end
endmodule
`default_nettype wire
