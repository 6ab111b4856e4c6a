// SPDX-License-Identifier: Apache-2.0
//
// What AXI4 demands of a read master (asserted) and what the master may expect of a memory
// (assumed). The memory is weaker than AXI allows: a burst may have any number of beats, so whatever
// is proven does not rely on the count. Bursts of a client with ID i are answered in order, those of
// different IDs in any.
`default_nettype none
module axi_read_rules #(
  parameter int unsigned IdWidth = 2,
  parameter int unsigned Ids = 3,       // IDs 0..Ids-1 are in use
  parameter int unsigned Bytes = 8,     // of a beat
  parameter int unsigned MaxBursts = 8
) (
  input  wire logic                clk_i,
  input  wire logic                rst_ni,
  input  wire logic                arvalid_i,
  input  wire logic                arready_i,
  input  wire logic [IdWidth-1:0]  arid_i,
  input  wire logic [39:0]         araddr_i,
  input  wire logic [7:0]          arlen_i,
  input  wire logic [2:0]          arsize_i,
  input  wire logic [1:0]          arburst_i,
  input  wire logic [3:0]          arcache_i,
  input  wire logic [2:0]          arprot_i,
  input  wire logic                rvalid_i,
  input  wire logic                rready_i,
  input  wire logic [IdWidth-1:0]  rid_i,
  input  wire logic [8*Bytes-1:0]  rdata_i,
  input  wire logic [1:0]          rresp_i,
  input  wire logic                rlast_i,
  output      logic [8*Ids-1:0]    open_o,   // of each ID: bursts taken and not answered to the end
  output      logic [7:0]          all_o     // of all: offered or taken, not answered to the end
);

  localparam int unsigned ArBits = IdWidth + 40 + 8 + 3 + 2 + 4 + 3;

  logic ar_waits_q = 1'b0, r_waits_q = 1'b0;
  logic [ArBits-1:0] ar, ar_q;
  logic [IdWidth+8*Bytes+2:0] r, r_q;
  logic [8*Ids-1:0] open_q;
  logic [7:0] taken_q;       // sum of open_q, to be able to bound it
  logic [12:0] end_in_page;  // of the burst, within its 4 KiB page
  logic ar_taken, r_ends, asked_for;

  assign ar = {arid_i, araddr_i, arlen_i, arsize_i, arburst_i, arcache_i, arprot_i};
  assign r = {rid_i, rdata_i, rresp_i, rlast_i};
  assign ar_taken = arvalid_i && arready_i;
  assign r_ends = rvalid_i && rready_i && rlast_i;
  assign end_in_page = 13'(araddr_i[11:0]) + ((13'(arlen_i) + 1'b1) << $clog2(Bytes));
  assign open_o = open_q;
  assign all_o = taken_q + 8'(arvalid_i);

  for (genvar i = 0; i < Ids; i++) begin : gen_open
    always_ff @(posedge clk_i) begin
      if (!rst_ni) open_q[8*i+:8] <= '0;
      else open_q[8*i+:8] <= open_q[8*i+:8] + 8'(ar_taken && arid_i == IdWidth'(i))
                                  - 8'(r_ends && rid_i == IdWidth'(i));
    end
  end

  always_comb begin
    asked_for = 1'b0;
    for (int unsigned i = 0; i < Ids; i++) begin
      if (rid_i == IdWidth'(i) && open_q[8*i+:8] != '0) asked_for = 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    ar_waits_q <= rst_ni && arvalid_i && !arready_i;
    r_waits_q <= rst_ni && rvalid_i && !rready_i;
    ar_q <= ar;
    r_q <= r;
    if (!rst_ni) taken_q <= '0;
    else taken_q <= taken_q + 8'(ar_taken) - 8'(r_ends);
    if (rst_ni) begin
      if (rvalid_i) m_r_was_asked_for: assume (asked_for);
      if (r_waits_q) m_r_held: assume (rvalid_i && r == r_q);

      if (ar_waits_q) a_ar_stable: assert (arvalid_i && ar == ar_q);
      if (arvalid_i) begin
        a_ar_id: assert (arid_i < IdWidth'(Ids));
        a_ar_size: assert (arsize_i == 3'($clog2(Bytes)));
        a_ar_incr: assert (arburst_i == 2'b01);
        a_ar_within_4k: assert (end_in_page <= 13'd4096);
        a_ar_aligned: assert (araddr_i[$clog2(Bytes)-1:0] == '0);
      end
      a_bursts_bounded: assert (all_o <= 8'(MaxBursts));
    end
  end

endmodule
`default_nettype wire
