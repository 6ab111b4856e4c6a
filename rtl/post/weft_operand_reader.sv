// SPDX-License-Identifier: Apache-2.0
// Reads N operand bytes a pixel, for the pixels of one pass, from any byte address of the
// scratchpad. Does not interpret them. start_i takes a pass; vectors come out in pixel order
// (valid_o, pop_i) from a FIFO of four. A vector that crosses a word costs two reads, granted
// together or one after the other; one vector a cycle when granted at once. Two cycles from grant
// to vector. What a pass asks for is known a cycle before: requests come from registers.
`default_nettype none
`include "common/weft_assert.svh"
module weft_operand_reader (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        start_i,
    input  wire logic [20:0] base_i,        // byte address of column 0 in the first pixel's row
    input  wire logic [20:0] pitch_i,
    input  wire logic [15:0] pixel_i,       // bytes between pixels
    input  wire logic [11:0] tile_width_i,
    input  wire logic [11:0] tile_x_i,
    input  wire logic [20:0] first_i,       // bytes from column 0 to the first pixel
    input  wire logic [7:0]  pixels_i,
    input  wire logic [8:0]  bytes_i,       // bytes of a vector that are needed, 1..N
    output logic [1:0]       req_o,
    output logic [2*$clog2(weft_pkg::Scratchpad/weft_pkg::WordBytes)-1:0] addr_o,
    input  wire logic [1:0]  gnt_i,
    input  wire logic [16*weft_pkg::WordBytes-1:0] data_i,
    output logic             valid_o,
    input  wire logic        pop_i,
    output logic [8*weft_pkg::N-1:0] vector_o,
    output logic             err_o          // a needed byte was beyond the memory, a cycle ago
);
  localparam int unsigned W = weft_pkg::WordBytes;
  localparam int unsigned LogW = $clog2(W);
  localparam int unsigned AW = $clog2(weft_pkg::Scratchpad / W);
  localparam int unsigned Depth = 4;

  // Request side: one vector at a time, need_q says which of its two words are still to be granted.
  logic [7:0]  left_q;
  logic [11:0] x_q;
  logic [20:0] row_q, addr_q, next_row, next_addr;
  logic [1:0]  need_q;
  logic [2:0]  room_q;
  logic [LogW:0] end_offset;
  logic        ask, complete, row_ends;

  assign ask        = (left_q != '0) && (room_q != '0);
  assign req_o      = ask ? need_q : 2'b00;
  assign addr_o     = {AW'(addr_q >> LogW) + AW'(1), AW'(addr_q >> LogW)};
  assign complete   = ask && (need_q & ~gnt_i) == 2'b00;
  assign row_ends   = x_q == tile_width_i - 12'd1;
  assign next_row   = row_q + pitch_i;
  assign next_addr  = start_i ? base_i + first_i : row_ends ? next_row : addr_q + 21'(pixel_i);
  assign end_offset = (LogW+1)'(next_addr[LogW-1:0]) + (LogW+1)'(bytes_i - 9'd1);

  // Capture side: one cycle after the grant.
  logic            cap_valid_q;
  logic [1:0]      cap_now_q;
  logic [LogW-1:0] cap_offset_q;
  logic [8*W-1:0]  hold_lo_q, hold_hi_q, lo, hi;
  logic [8*weft_pkg::N-1:0] rotated;
  logic            fifo_ready;

  assign lo = cap_now_q[0] ? data_i[8*W-1:0] : hold_lo_q;
  assign hi = cap_now_q[1] ? data_i[16*W-1:8*W] : hold_hi_q;
  assign rotated = (8*weft_pkg::N)'({hi, lo} >> {cap_offset_q, 3'b000});

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      left_q      <= '0;
      room_q      <= 3'(Depth);
      cap_valid_q <= 1'b0;
      cap_now_q   <= '0;
      err_o       <= 1'b0;
    end else begin
      room_q      <= room_q + 3'(pop_i) - 3'(complete);
      cap_valid_q <= complete;
      cap_now_q   <= req_o & gnt_i;
      err_o       <= ask && (22'(addr_q) + 22'(bytes_i) > 22'(weft_pkg::Scratchpad));
      if (start_i) left_q <= pixels_i;
      else if (complete) left_q <= left_q - 8'd1;
    end
    if (start_i || complete) begin
      addr_q <= next_addr;
      need_q <= {end_offset[LogW], 1'b1};
    end else if (ask) begin
      need_q <= need_q & ~gnt_i;
    end
    if (start_i) begin
      x_q   <= tile_x_i;
      row_q <= base_i;
    end else if (complete) begin
      x_q <= row_ends ? '0 : x_q + 12'd1;
      if (row_ends) row_q <= next_row;
    end
    if (complete) cap_offset_q <= addr_q[LogW-1:0];
    if (cap_now_q[0]) hold_lo_q <= data_i[8*W-1:0];
    if (cap_now_q[1]) hold_hi_q <= data_i[16*W-1:8*W];
  end

  weft_fifo #(
      .Width(8 * weft_pkg::N),
      .Depth(Depth)
  ) u_vectors (
      .clk_i, .rst_ni,
      .valid_i(cap_valid_q),
      .ready_o(fifo_ready),
      .data_i(rotated),
      .valid_o(valid_o),
      .ready_i(pop_i),
      .data_o(vector_o)
  );

  // Room was kept before the words were asked for.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      `WEFT_ASSERT(a_vector_has_room, !cap_valid_q || fifo_ready)
    end
  end
endmodule
`default_nettype wire
