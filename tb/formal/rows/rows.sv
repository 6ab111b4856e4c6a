// SPDX-License-Identifier: Apache-2.0
//
// weft_rows offers the rows of a copy, each once and in order, at the exact addresses: here they
// are kept in numbers too wide to wrap around. No row that leaves the scratchpad is ever offered;
// such a row raises the error, and nothing more is offered until reset.
`default_nettype none
module rows (
  input wire logic        clk_i,
  input wire logic        rst_free_i,
  input wire logic        start_i,
  input wire logic [39:0] mem_addr_i,
  input wire logic [20:0] spad_addr_i,
  input wire logic [15:0] rows_i,
  input wire logic [20:0] row_bytes_i,
  input wire logic [31:0] mem_pitch_i,
  input wire logic [20:0] spad_pitch_i,
  input wire logic        ready_i
);

  logic started_q = 1'b0;
  logic rst_n, busy, valid, last, done, range_error;
  logic [39:0] mem_addr;
  logic [20:0] spad_addr, bytes;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  weft_rows u_rows (
    .clk_i,
    .rst_ni(rst_n),
    .start_i,
    .mem_addr_i,
    .spad_addr_i,
    .rows_i,
    .row_bytes_i,
    .mem_pitch_i,
    .spad_pitch_i,
    .busy_o(busy),
    .row_valid_o(valid),
    .row_ready_i(ready_i),
    .row_mem_addr_o(mem_addr),
    .row_spad_addr_o(spad_addr),
    .row_bytes_o(bytes),
    .row_last_o(last),
    .done_o(done),
    .range_error_o(range_error)
  );

  // The block's registers, for the invariant.
  (* hierconn *) wire [39:0] \u_rows.mem_addr_q ;
  (* hierconn *) wire [20:0] \u_rows.spad_addr_q ;
  (* hierconn *) wire [15:0] \u_rows.left_q ;
  (* hierconn *) wire [20:0] \u_rows.bytes_q ;
  (* hierconn *) wire [20:0] \u_rows.spad_pitch_q ;
  (* hierconn *) wire [31:0] \u_rows.mem_pitch_q ;
  (* hierconn *) wire [22:0] \u_rows.row_end_q ;
  (* hierconn *) wire \u_rows.bad_q ;

  // The copy under way, by its definition.
  logic copy_q, taken, stalled_q;
  logic [39:0] mem_q;
  logic [24:0] spad_q;      // a legal row's address, plus at most one pitch, is below 2^22
  logic [31:0] mem_pitch_q;
  logic [20:0] spad_pitch_q, bytes_q;
  logic [16:0] left_q;      // rows to offer
  logic legal;
  assign taken = valid && ready_i;
  assign legal = spad_q + 25'(bytes_q) <= 25'(weft_pkg::Scratchpad);

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      m_only_when_free: assume (!busy || done);
      m_not_empty: assume (rows_i != '0 && row_bytes_i != '0);  // the decoder's check
      mem_q <= mem_addr_i;
      spad_q <= 25'(spad_addr_i);
      mem_pitch_q <= mem_pitch_i;
      spad_pitch_q <= spad_pitch_i;
      bytes_q <= row_bytes_i;
      left_q <= 17'(rows_i);
    end else if (taken) begin
      mem_q <= mem_q + 40'(mem_pitch_q);
      spad_q <= spad_q + 25'(spad_pitch_q);
      left_q <= left_q - 1'b1;
    end
    stalled_q <= rst_n && valid && !ready_i;
    if (!rst_n) begin
      copy_q <= 1'b0;
    end else begin
      if (start_i) copy_q <= 1'b1;
      else if (taken && left_q == 17'd1) copy_q <= 1'b0;

      a_busy_while_rows_left: assert (busy == copy_q);
      a_offered_if_legal: assert (valid == (copy_q && legal));
      a_error_if_not: assert (range_error == (copy_q && !legal));
      a_done_with_last: assert (done == (taken && left_q == 17'd1));
      if (valid) begin
        a_memory_address: assert (mem_addr == mem_q);
        a_scratchpad_address: assert (25'(spad_addr) == spad_q);
        a_bytes: assert (bytes == bytes_q);
        a_last: assert (last == (left_q == 17'd1));
      end
      if (stalled_q) a_held: assert (valid);

      // The invariant: the block's registers are those of the definition.
      if (copy_q) begin
        a_same_copy: assert (\u_rows.mem_addr_q == mem_q && \u_rows.mem_pitch_q == mem_pitch_q &&
                             \u_rows.spad_pitch_q == spad_pitch_q && \u_rows.bytes_q == bytes_q &&
                             (\u_rows.bad_q || 25'(\u_rows.spad_addr_q ) == spad_q) &&
                             25'(\u_rows.row_end_q ) == spad_q + 25'(bytes_q) &&
                             \u_rows.bad_q == !legal &&
                             17'(\u_rows.left_q ) + 1'b1 == left_q);
      end

      c_three_rows: cover (done && rows_i == 16'd3 && start_i);
      c_error_later: cover (range_error && left_q == 17'd2 && spad_pitch_q != '0);
    end
  end

endmodule
`default_nettype wire
