// SPDX-License-Identifier: Apache-2.0
// The performance counters of docs/registers.md: each adds its event every cycle, all wrap at 2^32.
// Events end long paths and are counted a cycle later; blocks at once, a MARK may follow them closely.
// Cleared when a job starts, frozen when it has ended (run_i low). counters_o shows word i at bit
// 32*i; the word `layer` is zero here (weft_marker fills it in a snapshot).
`default_nettype none
module weft_counters (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic clear_i,
    input  wire logic run_i,
    input  wire logic [weft_pkg::NumCounters-1:0] event_i,
    output logic [32*weft_pkg::NumCounters-1:0] counters_o
);
  logic [weft_pkg::NumCounters-1:0] event_q, counted;
  always_ff @(posedge clk_i) event_q <= event_i;

  always_comb begin
    counted = event_q;
    counted[weft_pkg::CounterBlocks] = event_i[weft_pkg::CounterBlocks];
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      counters_o <= '0;
    end else if (run_i) begin
      for (int g = 0; g < weft_pkg::NumCounters; g++) begin
        if (counted[g]) counters_o[32*g +: 32] <= counters_o[32*g +: 32] + 32'd1;
      end
    end
  end
endmodule
`default_nettype wire
