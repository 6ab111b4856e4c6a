// SPDX-License-Identifier: Apache-2.0
//
// A stage of a stream whose ready_o comes from a register: nobody's ready reaches the source in the
// same cycle. Data passes in the cycle in which it comes; what the sink does not take then is kept,
// one item. Full rate, no latency. For a stage that breaks the path of the data use weft_fifo.
`default_nettype none
module weft_skid #(
  parameter int unsigned Width = 8
) (
  input  wire logic             clk_i,
  input  wire logic             rst_ni,
  input  wire logic             valid_i,
  output      logic             ready_o,
  input  wire logic [Width-1:0] data_i,
  output      logic             valid_o,
  input  wire logic             ready_i,
  output      logic [Width-1:0] data_o
);

  logic kept_q;
  logic [Width-1:0] data_q;

  assign ready_o = !kept_q;
  assign valid_o = valid_i || kept_q;
  assign data_o = kept_q ? data_q : data_i;

  always_ff @(posedge clk_i) begin
    if (!kept_q) data_q <= data_i;
    if (!rst_ni) kept_q <= 1'b0;
    else kept_q <= valid_o && !ready_i;
  end

endmodule
`default_nettype wire
