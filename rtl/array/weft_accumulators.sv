// SPDX-License-Identifier: Apache-2.0
//
// Two buffers of Stripe rows of N int32. The array adds to one (or takes the maximum, or overwrites
// in a block's first beat) while post reads and writes back the other. Maxima are int8. add_* comes with the
// operand's mul_* and is delayed here to meet sum_i, which arrives two cycles later. After the last
// row of a block the buffer is post's (full_o) until release_i, but for overwriting rows that post
// has read for the last time. rd_data_o: a cycle after rd_en_i.
// A row must not be added to in two successive cycles (weft_issue sees to it).
`default_nettype none
`include "common/weft_assert.svh"
module weft_accumulators (
  input  wire logic                      clk_i,
  input  wire logic                      rst_ni,
  input  wire logic                      add_valid_i,
  input  wire logic                      add_null_i,
  input  wire logic                      add_max_i,
  /* verilator lint_off UNUSEDSIGNAL */  // rows are below Stripe
  input  wire logic [7:0]                add_row_i,
  /* verilator lint_on UNUSEDSIGNAL */
  input  wire logic                      add_buf_i,
  input  wire logic                      add_first_i,
  input  wire logic                      add_last_i,
  input  wire logic [32*weft_pkg::N-1:0] sum_i,
  output      logic [1:0]                full_o,
  input  wire logic [1:0]                release_i,
  input  wire logic                      rd_en_i,
  input  wire logic                      rd_buf_i,
  /* verilator lint_off UNUSEDSIGNAL */  // likewise
  input  wire logic [6:0]                rd_row_i,
  /* verilator lint_on UNUSEDSIGNAL */
  output      logic [32*weft_pkg::N-1:0] rd_data_o,
  input  wire logic                      wr_en_i,
  input  wire logic                      wr_buf_i,
  /* verilator lint_off UNUSEDSIGNAL */  // likewise
  input  wire logic [6:0]                wr_row_i,
  /* verilator lint_on UNUSEDSIGNAL */
  input  wire logic [32*weft_pkg::N-1:0] wr_data_i,
  input  wire logic [weft_pkg::N-1:0]    wr_lanes_i,
  output      logic                      idle_o
);

  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned RowBits = $clog2(weft_pkg::Stripe);

  // The operand's way: s1 with the products, s2 with the sums (the row is added and written).
  logic s1_valid_q, s2_valid_q, s1_null_q, s2_null_q, s1_max_q, s2_max_q, s1_buf_q, s2_buf_q;
  logic s1_first_q, s2_first_q, s1_last_q, s2_last_q;
  logic [RowBits-1:0] s1_row_q, s2_row_q;
  logic [1:0] full_q;
  logic rd_buf_q;

  logic [1:0] ram_rd_en, ram_wr_en, post_write;
  logic [RowBits-1:0] ram_rd_row0, ram_rd_row1, ram_wr_row0, ram_wr_row1;
  logic [32*N-1:0] ram_rd_data0, ram_rd_data1, ram_wr_data0, ram_wr_data1;
  logic [N-1:0] ram_mask0, ram_mask1;
  logic [32*N-1:0] old_row, new_row;
  logic add_read, add_write;

  assign add_read = s1_valid_q && !s1_null_q && !s1_first_q;
  assign add_write = s2_valid_q && !s2_null_q;

  // What a first beat overwrites counts as zero: no choice behind the adder.
  always_comb begin
    old_row = s2_first_q ? '0 : s2_buf_q ? ram_rd_data1 : ram_rd_data0;
    new_row = sum_i;
    for (int unsigned n = 0; n < N; n++) begin
      if (!s2_max_q) begin
        new_row[n*32 +: 32] = old_row[n*32 +: 32] + sum_i[n*32 +: 32];
      end else if (!s2_first_q && $signed(old_row[n*32 +: 8]) > $signed(sum_i[n*32 +: 8])) begin
        new_row[n*32 +: 32] = old_row[n*32 +: 32];
      end
    end
  end

  // A buffer is post's while full, else the array's. Post writes back while it needs every row.
  always_comb begin
    ram_rd_en[0] = full_q[0] ? rd_en_i && !rd_buf_i : add_read && !s1_buf_q;
    ram_rd_en[1] = full_q[1] ? rd_en_i && rd_buf_i : add_read && s1_buf_q;
    ram_rd_row0 = full_q[0] ? rd_row_i[RowBits-1:0] : s1_row_q;
    ram_rd_row1 = full_q[1] ? rd_row_i[RowBits-1:0] : s1_row_q;
    post_write[0] = wr_en_i && !wr_buf_i;
    post_write[1] = wr_en_i && wr_buf_i;
    ram_wr_en[0] = post_write[0] || (add_write && !s2_buf_q);
    ram_wr_en[1] = post_write[1] || (add_write && s2_buf_q);
    ram_wr_row0 = post_write[0] ? wr_row_i[RowBits-1:0] : s2_row_q;
    ram_wr_row1 = post_write[1] ? wr_row_i[RowBits-1:0] : s2_row_q;
    ram_wr_data0 = post_write[0] ? wr_data_i : new_row;
    ram_wr_data1 = post_write[1] ? wr_data_i : new_row;
    ram_mask0 = post_write[0] ? wr_lanes_i : '1;
    ram_mask1 = post_write[1] ? wr_lanes_i : '1;
  end

  weft_ram #(.Width(32 * N), .Depth(weft_pkg::Stripe), .Granule(32)) u_buffer0 (
    .clk_i,
    .rd_en_i(ram_rd_en[0]), .rd_addr_i(ram_rd_row0), .rd_data_o(ram_rd_data0),
    .wr_en_i(ram_wr_en[0]), .wr_addr_i(ram_wr_row0), .wr_data_i(ram_wr_data0), .wr_mask_i(ram_mask0)
  );
  weft_ram #(.Width(32 * N), .Depth(weft_pkg::Stripe), .Granule(32)) u_buffer1 (
    .clk_i,
    .rd_en_i(ram_rd_en[1]), .rd_addr_i(ram_rd_row1), .rd_data_o(ram_rd_data1),
    .wr_en_i(ram_wr_en[1]), .wr_addr_i(ram_wr_row1), .wr_data_i(ram_wr_data1), .wr_mask_i(ram_mask1)
  );

  assign rd_data_o = rd_buf_q ? ram_rd_data1 : ram_rd_data0;
  assign full_o = full_q;
  assign idle_o = !add_valid_i && !s1_valid_q && !s2_valid_q;

  always_ff @(posedge clk_i) begin
    s1_null_q <= add_null_i;
    s1_max_q <= add_max_i;
    s1_row_q <= add_row_i[RowBits-1:0];
    s1_buf_q <= add_buf_i;
    s1_first_q <= add_first_i;
    s1_last_q <= add_last_i;
    s2_null_q <= s1_null_q;
    s2_max_q <= s1_max_q;
    s2_row_q <= s1_row_q;
    s2_buf_q <= s1_buf_q;
    s2_first_q <= s1_first_q;
    s2_last_q <= s1_last_q;
    if (rd_en_i) rd_buf_q <= rd_buf_i;
    if (!rst_ni) begin
      s1_valid_q <= 1'b0;
      s2_valid_q <= 1'b0;
      full_q <= 2'd0;
    end else begin
      s1_valid_q <= add_valid_i;
      s2_valid_q <= s1_valid_q;
      full_q <= full_q & ~release_i;
      if (s2_valid_q && s2_last_q) full_q[s2_buf_q] <= 1'b1;
      `WEFT_ASSERT(a_array_owns_row,
          !s2_valid_q || !full_q[s2_buf_q] || (s2_first_q && !s2_last_q && !s2_null_q))
      `WEFT_ASSERT(a_one_writer, !add_write || !post_write[s2_buf_q])
      `WEFT_ASSERT(a_post_owns_read, !rd_en_i || full_q[rd_buf_i])
      `WEFT_ASSERT(a_post_owns_write, !wr_en_i || full_q[wr_buf_i])
    end
  end

endmodule
`default_nettype wire
