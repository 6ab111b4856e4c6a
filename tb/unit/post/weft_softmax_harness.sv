// SPDX-License-Identifier: Apache-2.0
// weft_softmax with a multiplier of its own in place of the requantiser's first lane.
`default_nettype none
module weft_softmax_harness (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        table_valid_i,
    output logic             table_ready_o,
    input  wire logic [8*weft_pkg::WeightWord-1:0] table_data_i,
    input  wire logic        table_last_i,
    output logic             table_full_o,
    input  wire logic        start_i,
    input  wire logic [20:0] in_addr_i,
    input  wire logic [20:0] out_addr_i,
    input  wire logic [15:0] length_i,
    output logic             busy_o,
    output logic             req_o,
    output logic [$clog2(weft_pkg::Scratchpad/weft_pkg::WordBytes)-1:0] addr_o,
    input  wire logic        gnt_i,
    input  wire logic [8*weft_pkg::WordBytes-1:0] data_i,
    output logic             res_valid_o,
    input  wire logic        res_ready_i,
    output logic [20:0]      res_addr_o,
    output logic [7:0]       res_data_o,
    output logic             res_last_o,
    output logic             err_o
);
  logic               mul_valid;
  logic signed [31:0] mul_a, mul_b;
  logic signed [32:0] mul;
  weft_softmax u_softmax (.mul_valid_o(mul_valid), .mul_a_o(mul_a), .mul_b_o(mul_b),
                          .mul_i(mul), .*);

  logic [1:0]         valid_q;
  logic signed [31:0] a_q, b_q;
  logic signed [63:0] product_q;
  always_ff @(posedge clk_i) begin
    valid_q <= {valid_q[0], mul_valid};
    if (mul_valid) {a_q, b_q} <= {mul_a, mul_b};
    if (valid_q[0]) product_q <= 64'(a_q) * 64'(b_q) + 64'sd1073741824;
    if (valid_q[1]) mul <= product_q[63:31];
  end
endmodule
`default_nettype wire
