// SPDX-License-Identifier: Apache-2.0
//
// Walks the rows of a two-dimensional copy: memory address and scratchpad byte address of each row.
// A row whose bytes would leave the scratchpad is not offered: range_error_o is high instead, until
// reset. Neither data nor waits. A row a cycle, the first one in the cycle after start_i; offers,
// addresses and the error come from registers.
`default_nettype none
module weft_rows (
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  input  wire logic        start_i,       // only while not busy_o, or while done_o
  input  wire logic [39:0] mem_addr_i,
  input  wire logic [20:0] spad_addr_i,
  input  wire logic [15:0] rows_i,        // at least 1
  input  wire logic [20:0] row_bytes_i,   // at least 1
  input  wire logic [31:0] mem_pitch_i,
  input  wire logic [20:0] spad_pitch_i,
  output      logic        busy_o,
  output      logic        row_valid_o,
  input  wire logic        row_ready_i,
  output      logic [39:0] row_mem_addr_o,
  output      logic [20:0] row_spad_addr_o,
  output      logic [20:0] row_bytes_o,
  output      logic        row_last_o,
  output      logic        done_o,        // the last row is taken in this cycle
  output      logic        range_error_o
);

  logic [39:0] mem_addr_q;
  logic [20:0] spad_addr_q;
  logic [22:0] row_end_q, row_end;        // behind the row's last byte; of the row after it
  logic [15:0] left_q;                    // rows after this one
  logic [20:0] bytes_q, spad_pitch_q;
  logic [31:0] mem_pitch_q;
  logic busy_q, bad_q, taken;

  assign row_end = start_i ? 23'(spad_addr_i) + 23'(row_bytes_i)
                           : row_end_q + 23'(spad_pitch_q);
  assign range_error_o = busy_q && bad_q;
  assign row_valid_o = busy_q && !bad_q;
  assign row_mem_addr_o = mem_addr_q;
  assign row_spad_addr_o = spad_addr_q;
  assign row_bytes_o = bytes_q;
  assign row_last_o = left_q == '0;
  assign taken = row_valid_o && row_ready_i;
  assign done_o = taken && row_last_o;
  assign busy_o = busy_q;

  always_ff @(posedge clk_i) begin
    if (start_i || taken) begin
      row_end_q <= row_end;
      bad_q <= row_end > 23'(weft_pkg::Scratchpad);
    end
    if (start_i) begin
      mem_addr_q <= mem_addr_i;
      spad_addr_q <= spad_addr_i;
      left_q <= rows_i - 1'b1;
      bytes_q <= row_bytes_i;
      mem_pitch_q <= mem_pitch_i;
      spad_pitch_q <= spad_pitch_i;
    end else if (taken) begin
      mem_addr_q <= mem_addr_q + 40'(mem_pitch_q);
      spad_addr_q <= spad_addr_q + spad_pitch_q;
      left_q <= left_q - 1'b1;
    end
    if (!rst_ni) busy_q <= 1'b0;
    else busy_q <= start_i || (busy_q && !done_o);
  end

endmodule
`default_nettype wire
