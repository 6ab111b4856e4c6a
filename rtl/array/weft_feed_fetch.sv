// SPDX-License-Identifier: Apache-2.0
//
// Reads the pieces of weft_feed_dense and weft_feed_columns through four word ports and delivers,
// in order, operand vectors (vec_*, from a queue) or rows of window columns (col_*, a write without
// handshake: its place is reserved before reading, col_free_i returns one). Of a piece whose words
// are not granted at once those that are will be kept. Without conflicts one piece a cycle; a
// vector comes four cycles after its piece.
`default_nettype none
`include "common/weft_assert.svh"
`include "array/weft_feed_types.svh"
module weft_feed_fetch #(
  parameter int unsigned AddrWidth = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes),
  parameter int unsigned ColumnDepth = 4
) (
  input  wire logic                                clk_i,
  input  wire logic                                rst_ni,
  input  wire logic                                piece_valid_i,
  output      logic                                piece_ready_o,
  input  wire logic [`WEFT_PIECE_BITS-1:0]         piece_i,
  output      logic [3:0]                          rd_req_o,
  output      logic [4*AddrWidth-1:0]              rd_addr_o,
  input  wire logic [3:0]                          rd_gnt_i,
  input  wire logic [4*8*weft_pkg::WordBytes-1:0]  rd_data_i,
  output      logic                                vec_valid_o,
  input  wire logic                                vec_ready_i,
  output      logic [8*weft_pkg::K-1:0]            vec_o,
  output      logic                                col_valid_o,
  input  wire logic                                col_free_i,
  output      logic                                col_last_o,
  output      logic                                col_band_last_o,
  output      logic [7:0]                          col_row_o,
  output      logic [4*8*weft_pkg::N-1:0]          col_data_o,
  output      logic                                error_o,
  output      logic                                idle_o
);

  localparam int unsigned K = weft_pkg::K;
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned WordBytes = weft_pkg::WordBytes;
  localparam int unsigned WordBits = 8 * WordBytes;
  localparam int unsigned OffsetBits = $clog2(WordBytes);
  localparam int unsigned VectorDepth = 4;
  localparam int unsigned Words = weft_pkg::Scratchpad / WordBytes;

  `WEFT_PIECE_TYPE

  // Stage 0: which bytes and words of the piece in the register.
  piece_t piece;
  logic [`WEFT_PIECE_BITS-1:0] head;
  logic piece_valid, take;
  assign piece = head;
  weft_shift_fifo #(.Width(`WEFT_PIECE_BITS), .Depth(2)) u_pieces (
    .clk_i, .rst_ni,
    .valid_i(piece_valid_i), .ready_o(piece_ready_o), .data_i(piece_i),
    .valid_o(piece_valid), .ready_i(!req_valid_q || req_go), .data_o(head),
    /* verilator lint_off PINCONNECTEMPTY */
    .next_o()
    /* verilator lint_on PINCONNECTEMPTY */
  );
  logic [WordBytes-1:0] mask0, mask1;
  logic [3:0] need, outside;
  logic [AddrWidth-1:0] low0, low1, high0, high1;
  logic [OffsetBits-1:0] offset0, offset1;
  weft_feed_fragment #(.Bytes(WordBytes), .AddrWidth(AddrWidth)) u_fragment0 (
    .addr_i(piece.addr0), .ok_i(piece.ok[0]),
    .n_i(piece.n0), .skip_i(piece.skip0), .room_i(piece.room0),
    .mask_o(mask0), .need_low_o(need[0]), .need_high_o(need[1]),
    .low_outside_o(outside[0]), .high_outside_o(outside[1]),
    .word_low_o(low0), .word_high_o(high0), .offset_o(offset0)
  );
  weft_feed_fragment #(.Bytes(WordBytes), .AddrWidth(AddrWidth)) u_fragment1 (
    .addr_i(piece.addr1), .ok_i(piece.ok[1]),
    .n_i(piece.n1), .skip_i(piece.skip1), .room_i(piece.room1),
    .mask_o(mask1), .need_low_o(need[2]), .need_high_o(need[3]),
    .low_outside_o(outside[2]), .high_outside_o(outside[3]),
    .word_low_o(low1), .word_high_o(high1), .offset_o(offset1)
  );
  // Aligned columns have no high words: their ports read rows 2 and 3.
  logic signed [39:0] word2, word3;
  assign word2 = piece.addr2 >>> OffsetBits;
  assign word3 = piece.addr3 >>> OffsetBits;

  // Stage 1: requests, until all words are granted.
  logic req_valid_q, req_column_q, req_aligned_q, req_first_q, req_last_q;
  logic req_band_last_q;
  logic [7:0] req_row_q, req_pad_q, req_n0_q, req_total_q;
  logic [3:0] req_need_q, req_outside_q, req_ok_q;
  logic [WordBytes-1:0] req_mask0_q, req_mask1_q;
  logic [OffsetBits-1:0] req_offset0_q, req_offset1_q;
  logic [AddrWidth-1:0] req_addr0_q, req_addr1_q, req_addr2_q, req_addr3_q;
  logic has_place, req_go;
  logic [VectorDepth-1:0] vec_places_q;  // bit i: more than i are free
  logic [ColumnDepth-1:0] col_places_q;
  logic vec_place_taken, vec_place_given, col_place_taken;
  logic error_q;

  assign has_place = req_column_q ? (!req_first_q || col_places_q[0]) : vec_places_q[0];
  assign rd_req_o = (req_valid_q && has_place) ? req_need_q : 4'd0;
  assign rd_addr_o = {req_addr3_q, req_addr2_q, req_addr1_q, req_addr0_q};
  assign req_go = req_valid_q && has_place && (req_need_q & ~rd_gnt_i) == 4'd0;
  assign take = piece_valid && (!req_valid_q || req_go);
  assign vec_place_taken = req_go && !req_column_q;
  assign vec_place_given = vec_valid_o && vec_ready_i;
  assign col_place_taken = req_go && req_column_q && req_first_q;
  assign error_o = error_q;

  // Stage 2: data. A word granted in the cycle before is on the port, others have been kept.
  logic out_valid_q, out_column_q, out_aligned_q, out_last_q, out_band_last_q;
  logic [7:0] out_row_q, out_pad_q, out_total_q;
  logic [3:0] out_ok_q, granted_q;
  logic out_two_q;    // there is a second fragment
  logic out_whole_q;  // a vector is the first fragment, all of it
  logic [WordBytes-1:0] out_mask_q;
  logic [WordBytes-1:0] out_behind_q;  // lanes behind the first fragment
  logic [OffsetBits-1:0] out_offset0_q;
  logic [OffsetBits:0] out_shift1_q;   // bytes from a low word before fragment 1's to its lane 0
  logic [WordBits-1:0] kept_q [4];

  always_ff @(posedge clk_i) begin
    if (take) begin
      req_column_q <= piece.column;
      req_aligned_q <= piece.column && piece.aligned;
      req_first_q <= piece.part_first;
      req_last_q <= piece.part_last;
      req_band_last_q <= piece.band_last;
      req_row_q <= piece.part_row;
      req_pad_q <= piece.pad_value;
      req_n0_q <= piece.n0;
      req_total_q <= piece.n0 + piece.n1;
      req_ok_q <= piece.ok;
      req_mask0_q <= mask0;
      req_mask1_q <= mask1;
      req_offset0_q <= offset0;
      req_offset1_q <= offset1;
      req_need_q <= need;
      req_outside_q <= outside;
      req_addr0_q <= low0;
      req_addr1_q <= high0;
      req_addr2_q <= low1;
      req_addr3_q <= high1;
      if (piece.column && piece.aligned) begin
        req_need_q[1] <= piece.ok[2];
        req_need_q[3] <= piece.ok[3];
        req_outside_q[1] <= word2[39:0] >= 40'(Words);
        req_outside_q[3] <= word3[39:0] >= 40'(Words);
        req_addr1_q <= word2[AddrWidth-1:0];
        req_addr3_q <= word3[AddrWidth-1:0];
      end
    end else if (req_valid_q && has_place) begin
      req_need_q <= req_need_q & ~rd_gnt_i;
    end

    for (int unsigned i = 0; i < 4; i++) begin
      if (granted_q[i] && !out_valid_q) kept_q[i] <= rd_data_i[i*WordBits +: WordBits];
    end

    if (req_go) begin
      out_column_q <= req_column_q;
      out_aligned_q <= req_aligned_q;
      out_last_q <= req_last_q;
      out_band_last_q <= req_band_last_q;
      out_row_q <= req_row_q;
      out_pad_q <= req_pad_q;
      out_total_q <= req_total_q;
      out_ok_q <= req_ok_q;
      out_two_q <= req_column_q || req_total_q != req_n0_q;
      out_whole_q <= req_n0_q == 8'(K) && (&req_mask0_q[K-1:0]);
      out_mask_q <= req_mask0_q | (req_mask1_q << req_n0_q);
      out_offset0_q <= req_offset0_q;
      out_behind_q <= {WordBytes{1'b1}} << req_n0_q;
      out_shift1_q <= (OffsetBits+1)'(WordBytes) + (OffsetBits+1)'(req_offset1_q) -
          (req_column_q ? '0 : req_n0_q[OffsetBits:0]);
    end

    granted_q <= rd_req_o & rd_gnt_i;
    if (!rst_ni) begin
      req_valid_q <= 1'b0;
      out_valid_q <= 1'b0;
      error_q <= 1'b0;
      granted_q <= 4'd0;
      vec_places_q <= '1;
      col_places_q <= '1;
    end else begin
      if (take) req_valid_q <= 1'b1;
      else if (req_go) req_valid_q <= 1'b0;
      out_valid_q <= req_go;
      if (req_valid_q && (req_need_q & req_outside_q) != 4'd0) error_q <= 1'b1;
      if (vec_place_taken && !vec_place_given) vec_places_q <= vec_places_q >> 1;
      if (vec_place_given && !vec_place_taken) vec_places_q <= VectorDepth'({vec_places_q, 1'b1});
      if (col_place_taken && !col_free_i) col_places_q <= col_places_q >> 1;
      if (col_free_i && !col_place_taken) col_places_q <= ColumnDepth'({col_places_q, 1'b1});
      `WEFT_ASSERT(a_vec_queue_has_room, !(out_valid_q && !out_column_q) || vec_push_ready)
    end
  end

  // The words, shifted: fragment 0 to lane 0, fragment 1 to the lane behind it (a row: to lane 0).
  logic [WordBits-1:0] low_word0, high_word0, low_word1, high_word1, shifted0, shifted1;
  logic [8*K-1:0] vec;
  logic vec_push_ready;
  always_comb begin
    low_word0 = '0;
    high_word0 = '0;
    low_word1 = '0;
    high_word1 = '0;
    shifted0 = '0;
    shifted1 = '0;
    if (out_valid_q) begin
      low_word0 = granted_q[0] ? rd_data_i[0*WordBits +: WordBits] : kept_q[0];
      high_word0 = granted_q[1] ? rd_data_i[1*WordBits +: WordBits] : kept_q[1];
      if (!out_aligned_q) shifted0 = WordBits'({high_word0, low_word0} >> {out_offset0_q, 3'd0});
    end
    if (out_valid_q && out_two_q) begin
      low_word1 = granted_q[2] ? rd_data_i[2*WordBits +: WordBits] : kept_q[2];
      high_word1 = granted_q[3] ? rd_data_i[3*WordBits +: WordBits] : kept_q[3];
      if (!out_aligned_q) begin
        shifted1 = WordBits'({high_word1, low_word1, {WordBits{1'b0}}} >> {out_shift1_q, 3'd0});
      end
    end
  end

  always_comb begin
    vec = shifted0[8*K-1:0];
    // Most vectors are one whole fragment: simulation is spared the rest.
    if (out_valid_q && !out_column_q && !out_whole_q) begin
      for (int unsigned i = 0; i < K; i++) begin
        if (out_two_q && out_behind_q[i]) vec[i*8 +: 8] = shifted1[i*8 +: 8];
        if (!out_mask_q[i]) vec[i*8 +: 8] = (8'(i) < out_total_q) ? out_pad_q : 8'd0;
      end
    end
  end

  weft_fifo #(.Width(8 * K), .Depth(VectorDepth)) u_vectors (
    .clk_i, .rst_ni,
    .valid_i(out_valid_q && !out_column_q), .ready_o(vec_push_ready), .data_i(vec),
    .valid_o(vec_valid_o), .ready_i(vec_ready_i), .data_o(vec_o)
  );

  assign col_valid_o = out_valid_q && out_column_q;
  assign col_last_o = out_last_q;
  assign col_band_last_o = out_band_last_q;
  assign col_row_o = out_row_q;
  always_comb begin
    col_data_o = '0;
    if (col_valid_o) begin
      if (out_aligned_q) begin
        col_data_o = {high_word1[8*N-1:0], high_word0[8*N-1:0],
                      low_word1[8*N-1:0], low_word0[8*N-1:0]};
        // Few channels: down by half and quarter words; lanes behind the channels do not matter.
        for (int unsigned i = 0; i < 4; i++) begin
          if (out_offset0_q[OffsetBits-1]) begin
            col_data_o[i*8*N +: 4*N] = col_data_o[i*8*N + 4*N +: 4*N];
          end
          if (out_offset0_q[OffsetBits-2]) begin
            col_data_o[i*8*N +: 2*N] = col_data_o[i*8*N + 2*N +: 2*N];
          end
        end
      end else begin
        col_data_o = {2{shifted1[8*N-1:0], shifted0[8*N-1:0]}};
      end
      for (int unsigned i = 0; i < 4; i++) begin
        if (!out_ok_q[out_aligned_q ? i : i % 2]) col_data_o[i*8*N +: 8*N] = {N{out_pad_q}};
      end
    end
  end

  assign idle_o = !piece_valid && !req_valid_q && !out_valid_q;

endmodule
`default_nettype wire
