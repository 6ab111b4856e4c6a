// SPDX-License-Identifier: Apache-2.0
// Softmax of one row of int8 values (docs/commands.md, SOFTMAX): three walks over the row -
// maximum, sum of exponentials, results - with a Newton reciprocal between. Exponentials come from
// a table received beforehand, one for each SOFTMAX. Does not share the row with others: start_i
// while idle, busy_o until the last result is taken. Products are those of weft_requantise's first
// lane, one at a time; an element costs one cycle in the maximum, three in the sum, six in the
// result, a word of the row two more.
`default_nettype none
module weft_softmax (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // table words, in order
    input  wire logic        table_valid_i,
    output logic             table_ready_o,
    input  wire logic [8*weft_pkg::WeightWord-1:0] table_data_i,
    input  wire logic        table_last_i,
    output logic             table_full_o,
    // a row
    input  wire logic        start_i,
    input  wire logic [20:0] in_addr_i,
    input  wire logic [20:0] out_addr_i,
    input  wire logic [15:0] length_i,
    output logic             busy_o,
    // scratchpad
    output logic             req_o,
    output logic [$clog2(weft_pkg::Scratchpad/weft_pkg::WordBytes)-1:0] addr_o,
    input  wire logic        gnt_i,
    input  wire logic [8*weft_pkg::WordBytes-1:0] data_i,
    // results, a byte at a time
    output logic             res_valid_o,
    input  wire logic        res_ready_i,
    output logic [20:0]      res_addr_o,
    output logic [7:0]       res_data_o,
    output logic             res_last_o,
    // the multiplier: from the third cycle on mul_i is mul_a_o * mul_b_o, rounded at bit 31
    output logic             mul_valid_o,
    output logic signed [31:0] mul_a_o,
    output logic signed [31:0] mul_b_o,
    input  wire logic signed [32:0] mul_i,
    output logic             err_o
);
  localparam int unsigned LogW = $clog2(weft_pkg::WordBytes);
  localparam int unsigned AW = $clog2(weft_pkg::Scratchpad / weft_pkg::WordBytes);
  localparam int unsigned PerWord = weft_pkg::WeightWord / 4;     // table entries of a weight word
  localparam int unsigned TableWords = 256 / PerWord;
  localparam int unsigned TableW = $clog2(TableWords);

  // ---- table memory
  logic [TableW-1:0] fill_q;
  logic              full_q, table_rd;
  logic [7:0]        diff;
  logic [8*weft_pkg::WeightWord-1:0] table_word;
  logic [31:0]       exp_now;

  assign table_ready_o = !full_q;
  assign table_full_o  = full_q;
  weft_ram #(.Width(8 * weft_pkg::WeightWord), .Depth(TableWords)) u_table (
      .clk_i,
      .rd_en_i(table_rd), .rd_addr_i(diff[7 -: TableW]), .rd_data_o(table_word),
      .wr_en_i(table_valid_i && table_ready_o), .wr_addr_i(fill_q), .wr_data_i(table_data_i),
      .wr_mask_i(1'b1));
  assign exp_now = table_word[32*(diff % 8'(PerWord)) +: 32];

  // ---- walk over the row
  typedef enum logic [3:0] {
    Idle, Fetch, Take, Maximum, Lookup, Exponent, Accumulate, Normalise, Product, Round, Newton,
    Finish, Result, Send
  } state_e;
  typedef enum logic [1:0] { WalkMax, WalkSum, WalkResult } walk_e;

  state_e      state_q;
  walk_e       walk_q;
  logic [20:0] base_q, out_q, at_q;
  logic [15:0] length_q, left_q;
  logic [8*weft_pkg::WordBytes-1:0] word_q;
  logic signed [7:0] value, max_q;
  logic [20:0] exp_q;                // rounded down twelve places
  logic [31:0] sum_q;
  logic        last_element, word_ends, advance;

  assign value        = word_q[8*at_q[LogW-1:0] +: 8];
  assign diff         = 8'(9'(max_q) - 9'(value));
  assign last_element = left_q == 16'd1;
  assign word_ends    = &at_q[LogW-1:0];
  assign advance      = (state_q == Maximum) || (state_q == Accumulate)
                        || (state_q == Send && res_ready_i);
  assign table_rd     = state_q == Lookup;
  assign req_o        = state_q == Fetch;
  assign addr_o       = AW'(at_q >> LogW);
  assign err_o        = (state_q == Fetch) && (32'(at_q) >= weft_pkg::Scratchpad);
  assign busy_o       = state_q != Idle;

  // ---- arithmetic: saturating rounding doubling high products, one at a time
  logic signed [31:0] srdhm;
  assign srdhm = (mul_i[32:31] == 2'b01) ? 32'sh7fffffff : mul_i[31:0];

  // Reciprocal of 1 + a for a in [0, 1): half denominator d = (a + 1) / 2 in Q0.31, x in Q2.29.
  localparam logic signed [31:0] C48Over17 = 32'sd1515870810;
  localparam logic signed [31:0] CMinus32Over17 = -32'sd1010580540;
  localparam logic signed [31:0] OneQ2 = 32'sd536870912;
  logic [5:0]         zeros, headroom_q;
  logic signed [31:0] half, half_q, x_q, r_q, normalised, x;
  logic [2:0]         step_q;         // which product of the reciprocal is at work

  always_comb begin
    zeros = 6'd32;
    if (state_q == Normalise) begin  // simulation is spared it otherwise
      for (int i = 0; i < 32; i++) begin
        if (sum_q[i]) zeros = 6'(31 - i);
      end
    end
  end
  assign normalised = signed'((sum_q << zeros) - 32'h8000_0000);
  // (a + INT32_MAX + 1) / 2: a is not negative, so the sum's sign is positive
  assign half = 32'((33'(normalised) + 33'sd2147483648) >>> 1);
  // Products: 0 gives the first x, then three times d * x and x * (1 - d * x), which comes out in
  // Q4.27: two places up, saturating.
  always_comb begin
    x = C48Over17 + srdhm;
    if (step_q != 3'd0) begin
      x = x_q + ((srdhm[31:29] == {3{srdhm[31]}}) ? (srdhm <<< 2)
                 : {srdhm[31], {31{!srdhm[31]}}});
    end
  end
  assign mul_valid_o = (state_q == Normalise) || (state_q == Newton)
                       || (state_q == Exponent && walk_q == WalkResult);
  always_comb begin
    case (state_q)
      Normalise: {mul_a_o, mul_b_o} = {half, CMinus32Over17};
      Exponent:  {mul_a_o, mul_b_o} = {r_q, exp_now};
      default:   {mul_a_o, mul_b_o} = step_q[0] ? {x_q, OneQ2 - srdhm} : {half_q, x};
    endcase
  end

  // Result: r * e goes right by 35 - headroom, at least 4 places, and is rounded up if the highest bit
  // that goes is set. Below zero it is only when the sum is 0 modulo 2^32, which has no reciprocal:
  // then the result is the least, however it is rounded.
  logic [32:0] shifted;
  logic [8:0]  scaled;
  always_comb begin
    shifted = '0;
    scaled  = '0;
    if (state_q == Result) begin     // simulation is spared it otherwise
      shifted = {srdhm, 1'b0} >> (6'd35 - headroom_q);
      scaled  = 9'(shifted[8:1]) + 9'(shifted[0]);
    end
  end

  assign res_valid_o = state_q == Send;
  assign res_addr_o  = out_q;
  assign res_last_o  = last_element;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Idle;
      full_q  <= 1'b0;
      fill_q  <= '0;
    end else begin
      if (table_valid_i && table_ready_o) begin
        fill_q <= table_last_i ? '0 : fill_q + TableW'(1);
        full_q <= table_last_i;
      end
      case (state_q)
        Idle: if (start_i) state_q <= Fetch;
        Fetch: if (gnt_i) state_q <= Take;
        Take: state_q <= (walk_q == WalkMax) ? Maximum : Lookup;
        Maximum: if (last_element || word_ends) state_q <= Fetch;
        Lookup: state_q <= Exponent;
        Exponent: state_q <= (walk_q == WalkSum) ? Accumulate : Product;
        Accumulate: state_q <= last_element ? Normalise : word_ends ? Fetch : Lookup;
        Normalise: state_q <= Product;
        Product: state_q <= Round;
        Round: state_q <= (walk_q == WalkResult) ? Result : Newton;
        Newton: state_q <= (step_q == 3'd6) ? Finish : Product;
        Finish: state_q <= Fetch;
        Result: state_q <= Send;
        Send: if (res_ready_i) begin
          state_q <= last_element ? Idle : word_ends ? Fetch : Lookup;
          if (last_element) full_q <= 1'b0;
        end
        default: state_q <= Idle;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == Idle) begin
      walk_q   <= WalkMax;
      base_q   <= in_addr_i;
      at_q     <= in_addr_i;
      out_q    <= out_addr_i;
      length_q <= length_i;
      left_q   <= length_i;
      max_q    <= -8'sd128;
      sum_q    <= '0;
      step_q   <= '0;
    end
    if (state_q == Take) word_q <= data_i;
    if (advance) begin
      at_q   <= last_element ? base_q : at_q + 21'd1;
      left_q <= last_element ? length_q : left_q - 16'd1;
      if (last_element && walk_q == WalkMax) walk_q <= WalkSum;
    end
    if (state_q == Maximum && value > max_q) max_q <= value;
    // e is at least zero: rounding it down twelve places is adding half and cutting.
    if (state_q == Exponent) exp_q <= 21'((33'(exp_now) + 33'd2048) >> 12);
    if (state_q == Accumulate) sum_q <= sum_q + 32'(exp_q);
    if (state_q == Normalise) begin
      headroom_q <= zeros;
      half_q     <= half;
    end
    if (state_q == Newton) begin
      step_q <= step_q + 3'd1;
      if (!step_q[0]) x_q <= x;
    end
    // x / 2 read as Q0.31, saturated
    if (state_q == Finish) begin
      r_q    <= (x_q > 32'sd1073741823) ? 32'sh7fffffff : (x_q <<< 1);
      walk_q <= WalkResult;
    end
    if (state_q == Result) begin
      res_data_o <= srdhm[31] ? 8'h80 : (scaled[8] || shifted[32:9] != '0) ? 8'h7f
                    : {!scaled[7], scaled[6:0]};
    end
    if (state_q == Send && res_ready_i) out_q <= out_q + 21'd1;
  end
endmodule
`default_nettype wire
