// SPDX-License-Identifier: Apache-2.0
// Receives one parameter record (bias, and unless per tensor multipliers and shifts) word by word
// and holds it until freed. Does not know to which block it belongs: records come in block order.
// ready_o is low while a whole record is held; the record is full_o the cycle after its last word.
`default_nettype none
module weft_post_params (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic valid_i,
    output logic      ready_o,
    input  wire logic [8*weft_pkg::WeightWord-1:0] data_i,
    input  wire logic last_i,       // last word of the record
    output logic      full_o,
    input  wire logic free_i,
    output logic [32*weft_pkg::N-1:0] bias_o,
    output logic [32*weft_pkg::N-1:0] mult_o,
    output logic [8*weft_pkg::N-1:0]  shift_o
);
  localparam int unsigned WordW = 8 * weft_pkg::WeightWord;
  localparam int unsigned Wide = (32 * weft_pkg::N + WordW - 1) / WordW;     // words of N int32
  localparam int unsigned Narrow = (8 * weft_pkg::N + WordW - 1) / WordW;    // words of N int8
  localparam int unsigned Words = 2 * Wide + Narrow;
  localparam int unsigned CountW = $clog2(Words + 1);

  logic [CountW-1:0] count_q;
  logic              full_q;
  logic [WordW*Wide-1:0]   bias_q, mult_q;
  logic [WordW*Narrow-1:0] shift_q;

  assign ready_o = !full_q;
  assign full_o  = full_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      count_q <= '0;
      full_q  <= 1'b0;
    end else if (free_i) begin
      full_q  <= 1'b0;
    end else if (valid_i && !full_q) begin
      count_q <= last_i ? '0 : count_q + CountW'(1);
      full_q  <= last_i;
    end
    if (valid_i && !full_q) begin
      for (int i = 0; i < Wide; i++) begin
        if (count_q == CountW'(i)) bias_q[WordW*i +: WordW] <= data_i;
        if (count_q == CountW'(Wide + i)) mult_q[WordW*i +: WordW] <= data_i;
      end
      for (int i = 0; i < Narrow; i++) begin
        if (count_q == CountW'(2 * Wide + i)) shift_q[WordW*i +: WordW] <= data_i;
      end
    end
  end

  assign bias_o  = bias_q[32*weft_pkg::N-1:0];
  assign mult_o  = mult_q[32*weft_pkg::N-1:0];
  assign shift_o = shift_q[8*weft_pkg::N-1:0];
endmodule
`default_nettype wire
