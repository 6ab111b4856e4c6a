// SPDX-License-Identifier: Apache-2.0
//
// The weight ring's memory: takes beats of AxiBytes in order, delivers words of WeightWord bytes.
// It counts what was written and knows nothing of what was released: the weights engine asks memory
// only for what fits. Word p of the job lies at p mod ring words and may be read (one cycle) as
// soon as written_o (modulo 2^16) is past p.
`default_nettype none
module weft_weight_ring #(
  parameter int unsigned Words = weft_pkg::WeightRing / weft_pkg::WeightWord,
  parameter int unsigned AddrWidth = $clog2(Words)
) (
  input  wire logic                              clk_i,
  input  wire logic                              rst_ni,
  input  wire logic                              wr_valid_i,
  input  wire logic [8*weft_pkg::AxiBytes-1:0]   wr_data_i,
  output      logic [15:0]                       written_o,
  input  wire logic                              rd_en_i,
  input  wire logic [AddrWidth-1:0]              rd_addr_i,
  output      logic [8*weft_pkg::WeightWord-1:0] rd_data_o
);

  // Beats of a word; Words is a power of two, so an address is the low bits of a position.
  localparam int unsigned Beats = weft_pkg::WeightWord / weft_pkg::AxiBytes;
  localparam int unsigned BeatBits = $clog2(Beats);

  logic [16+BeatBits-1:0] beats_q;  // written since the job began
  logic [Beats-1:0] lane;

  assign written_o = beats_q[BeatBits+:16];

  if (Beats > 1) begin : gen_lane
    always_comb begin
      lane = '0;
      lane[beats_q[BeatBits-1:0]] = 1'b1;
    end
  end else begin : gen_whole
    assign lane = 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) beats_q <= '0;
    else if (wr_valid_i) beats_q <= beats_q + 1'b1;
  end

  weft_ram #(
    .Width(8 * weft_pkg::WeightWord),
    .Depth(Words),
    .Granule(8 * weft_pkg::AxiBytes)
  ) u_ram (
    .clk_i,
    .rd_en_i,
    .rd_addr_i,
    .rd_data_o,
    .wr_en_i(wr_valid_i),
    .wr_addr_i(written_o[AddrWidth-1:0]),
    .wr_data_i({Beats{wr_data_i}}),
    .wr_mask_i(lane)
  );

endmodule
`default_nettype wire
