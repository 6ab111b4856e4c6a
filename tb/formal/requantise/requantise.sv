// SPDX-License-Identifier: Apache-2.0
//
// weft_requantise against docs/numerics.md at full width: every x, bias, multiplier, shift, zero
// point, clamp and rounding, any stream of rows of every kind of pass, any stalls. The two products
// of halves are cut (the runner frees them): here they are any numbers that add up to what a product
// of two int32 can be, the same for both sides; a_factor says that x, M and the first rounding arrive
// there as they should, the multipliers themselves are tested in tb/unit/post. One channel
// is followed. Softmax's products come while the pipeline is empty and change nothing. The specification is written from docs/numerics.md; what travels with a row is sampled
// here when the row goes in. a_* are what is claimed; i_* relate the pipeline's registers to the
// specification, which makes the proof an induction over one cycle.
`default_nettype none
module requantise #(
  parameter int unsigned Rounding = 0,     // one of the three
  parameter int unsigned Channel = 5       // the channel that is followed
) (
  input wire logic clk,
  input wire logic valid, first, src_operand, use_bias, per_channel, final_pass, to_acc, add_acc,
  input wire logic release_buf, last, buf_sel, res_ready,
  input wire logic [1:0] rounding,
  input wire logic mul_valid,
  input wire logic signed [31:0] mul_a, mul_b,
  input wire logic signed [8:0] offset,
  input wire logic signed [31:0] mult,
  input wire logic signed [7:0] shift, zero, low, high,
  input wire logic [4:0] left,
  input wire logic [7:0] group,
  input wire logic [20:0] addr,
  input wire logic [weft_pkg::PostLanes-1:0] mask,
  input wire logic [6:0] row,
  input wire logic [8*weft_pkg::N-1:0] operand,
  input wire logic [32*weft_pkg::N-1:0] acc_data, prm_bias, prm_mult,
  input wire logic [8*weft_pkg::N-1:0] prm_shift
);
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned L = weft_pkg::PostLanes;

  logic rst_n = 1'b0;
  always_ff @(posedge clk) rst_n <= 1'b1;

  logic ready, empty, late_rd_en, late_rd_buf, prm_free, acc_wr_en, acc_wr_buf;
  logic res_valid, res_last;
  logic [6:0] late_rd_row, acc_wr_row;
  logic [1:0] acc_release;
  logic [32*N-1:0] acc_wr_data;
  logic [N-1:0] acc_wr_lanes;
  logic [20:0] res_addr;
  logic [8*L-1:0] res_data;
  logic signed [32:0] mul;
  logic [L-1:0] res_mask;

  weft_requantise dut (
    .clk_i(clk), .rst_ni(rst_n), .valid_i(valid), .ready_o(ready), .empty_o(empty),
    .first_i(first), .src_operand_i(src_operand), .use_bias_i(use_bias),
    .per_channel_i(per_channel), .final_i(final_pass), .to_acc_i(to_acc), .add_acc_i(add_acc),
    .release_i(release_buf), .last_i(last), .rounding_i(rounding), .offset_i(offset),
    .mult_i(mult), .shift_i(shift), .left_i(left), .zero_i(zero), .low_i(low), .high_i(high),
    .group_i(group), .addr_i(addr), .mask_i(mask), .row_i(row), .buf_i(buf_sel),
    .operand_i(operand), .acc_data_i(acc_data), .late_rd_en_o(late_rd_en),
    .late_rd_buf_o(late_rd_buf), .late_rd_row_o(late_rd_row), .acc_release_o(acc_release),
    .prm_bias_i(prm_bias), .prm_mult_i(prm_mult), .prm_shift_i(prm_shift), .prm_free_o(prm_free),
    .acc_wr_en_o(acc_wr_en), .acc_wr_buf_o(acc_wr_buf), .acc_wr_row_o(acc_wr_row),
    .acc_wr_data_o(acc_wr_data), .acc_wr_lanes_o(acc_wr_lanes), .res_valid_o(res_valid),
    .res_ready_i(res_ready), .res_addr_o(res_addr), .res_data_o(res_data),
    .res_mask_o(res_mask), .res_last_o(res_last),
    .mul_valid_i(mul_valid), .mul_a_i(mul_a), .mul_b_i(mul_b), .mul_o(mul)
  );

  // The registers of the pipeline, for the invariants.
  (* hierconn *) wire [6:1] \dut.v_q ;
  (* hierconn *) wire signed [31:0] \dut.x2_q[0] , \dut.x2_q[1] , \dut.x2_q[2] , \dut.x2_q[3] ;
  (* hierconn *) wire signed [31:0] \dut.x3_q[0] , \dut.x3_q[1] , \dut.x3_q[2] , \dut.x3_q[3] ;
  (* hierconn *) wire signed [31:0] \dut.m3_q[0] , \dut.m3_q[1] , \dut.m3_q[2] , \dut.m3_q[3] ;
  (* hierconn *) wire signed [47:0] \dut.plo_q[0] , \dut.plo_q[1] , \dut.plo_q[2] , \dut.plo_q[3] ;
  (* hierconn *) wire signed [47:0] \dut.phi_q[0] , \dut.phi_q[1] , \dut.phi_q[2] , \dut.phi_q[3] ;
  (* hierconn *) wire [4:3] \dut.mul_q ;
  (* hierconn *) wire \dut.rounds3 ;
  (* hierconn *) wire signed [63:0] \dut.p5_q[0] , \dut.p5_q[1] , \dut.p5_q[2] , \dut.p5_q[3] ;
  (* hierconn *) wire signed [31:0] \dut.y6_q[0] , \dut.y6_q[1] , \dut.y6_q[2] , \dut.y6_q[3] ;
  (* hierconn *) wire [5:0] \dut.t5_q[0] , \dut.t5_q[1] , \dut.t5_q[2] , \dut.t5_q[3] ;
  (* hierconn *) wire \dut.up6_q[0] , \dut.up6_q[1] , \dut.up6_q[2] , \dut.up6_q[3] ;
  (* hierconn *) wire [8*L-1:0] \dut.operand_q ;
  (* hierconn *) wire [32*N-1:0] \dut.add1_q , \dut.gen_group.mult2_q ;
  (* hierconn *) wire [8*N-1:0] \dut.shift2_q , \dut.shift4_q ;
  localparam int unsigned ControlBits = 126 + L;
  (* hierconn *) wire [ControlBits-11:0] \dut.c1 , \dut.c2 , \dut.c3 , \dut.c4 , \dut.c5 , \dut.c6 ;

  localparam int unsigned Lane = Channel % L;
  localparam logic [7:0] Home = Channel / L;     // the group it is in

  logic signed [31:0] rtl_x2, rtl_x3, rtl_m3, rtl_y6;
  logic [5:0] rtl_t5;
  logic signed [47:0] lo, hi;
  logic rtl_up6;
  logic signed [63:0] rtl_p5;
  logic signed [66:0] product;         // of the row in stage 4
  always_comb begin
    case (Lane)
      0: begin
        {rtl_x2, rtl_x3, rtl_p5} = {\dut.x2_q[0] , \dut.x3_q[0] , \dut.p5_q[0] };
        {rtl_y6, rtl_up6} = {\dut.y6_q[0] , \dut.up6_q[0] };
        {rtl_m3, rtl_t5} = {\dut.m3_q[0] , \dut.t5_q[0] };
        {lo, hi} = {\dut.plo_q[0] , \dut.phi_q[0] };
      end
      1: begin
        {rtl_x2, rtl_x3, rtl_p5} = {\dut.x2_q[1] , \dut.x3_q[1] , \dut.p5_q[1] };
        {rtl_y6, rtl_up6} = {\dut.y6_q[1] , \dut.up6_q[1] };
        {rtl_m3, rtl_t5} = {\dut.m3_q[1] , \dut.t5_q[1] };
        {lo, hi} = {\dut.plo_q[1] , \dut.phi_q[1] };
      end
      2: begin
        {rtl_x2, rtl_x3, rtl_p5} = {\dut.x2_q[2] , \dut.x3_q[2] , \dut.p5_q[2] };
        {rtl_y6, rtl_up6} = {\dut.y6_q[2] , \dut.up6_q[2] };
        {rtl_m3, rtl_t5} = {\dut.m3_q[2] , \dut.t5_q[2] };
        {lo, hi} = {\dut.plo_q[2] , \dut.phi_q[2] };
      end
      default: begin
        {rtl_x2, rtl_x3, rtl_p5} = {\dut.x2_q[3] , \dut.x3_q[3] , \dut.p5_q[3] };
        {rtl_y6, rtl_up6} = {\dut.y6_q[3] , \dut.up6_q[3] };
        {rtl_m3, rtl_t5} = {\dut.m3_q[3] , \dut.t5_q[3] };
        {lo, hi} = {\dut.plo_q[3] , \dut.phi_q[3] };
      end
    endcase
    product = 67'(lo) + (67'(hi) <<< 16) - (Rounding == 0 ? 67'sd1073741824 : 67'sd0);
  end

  // ---- The environment: weft_post_sequencer and weft_post_params.
  // A record of parameters is there when its block's first row goes in, and stays until it is
  // freed; until then no other block brings one.
  logic accept, owned = 1'b0, have_record = 1'b0, have_old = 1'b0;
  logic signed [31:0] rec_bias, rec_mult, old_mult, in_bias, in_mult;
  logic signed [7:0] rec_shift, old_shift, in_shift;
  logic was_bias = 1'b0;               // the latest row used its bias
  assign accept = valid && ready && rst_n;
  always_ff @(posedge clk) begin
    if (!rst_n) was_bias <= 1'b0;
    else if (accept) was_bias <= use_bias;
  end
  assign in_bias = prm_bias[32*Channel +: 32];
  assign in_mult = prm_mult[32*Channel +: 32];
  assign in_shift = prm_shift[8*Channel +: 8];
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      owned <= 1'b0;
      have_record <= 1'b0;
      have_old <= 1'b0;
    end else if (accept && first) begin
      owned <= 1'b1;
      have_record <= 1'b1;
      have_old <= have_record;
      rec_bias <= in_bias;
      rec_mult <= in_mult;
      rec_shift <= in_shift;
      old_mult <= rec_mult;
      old_shift <= rec_shift;
    end else if (prm_free) begin
      owned <= 1'b0;
    end
  end
  always_comb begin
    assume (shift >= -31 && shift <= 31);
    assume (in_shift >= -31 && in_shift <= 31);
    assume (rounding == Rounding && low <= high);
    if (valid && !have_record) assume (first || !(use_bias || per_channel));
    if (valid && first) assume (!owned);
    if (owned) assume (in_bias == rec_bias && in_mult == rec_mult && in_shift == rec_shift);
    if (valid) assume (group < N / L);
    // Rows with a bias follow the one that brought it; softmax has the lanes for itself.
    if (valid && use_bias && !first) assume (was_bias);
    if (mul_valid) assume (empty);
    if (mul_valid || \dut.mul_q [3]) assume (!valid);
  end

  // ---- The specification: what goes in, row by row, in step with the pipeline.
  logic go;
  assign go = ready;
  logic [ControlBits-1:0] in_control;
  assign in_control = {first, src_operand, use_bias, per_channel, final_pass, to_acc, add_acc,
    release_buf, last, rounding, offset, mult, shift, left, zero, low, high, group, addr, mask,
    row, buf_sel};

  logic [6:0] k_valid = 7'd0;          // a row in stage i + 1
  logic [ControlBits-1:0] k_control [7];
  logic signed [31:0] k_bias [2];      // b of numerics.md, or the offset
  logic signed [31:0] k_mult [7];      // M
  logic signed [7:0] k_shift [7];      // s
  logic signed [7:0] k_operand;
  logic signed [31:0] k_x;             // x, in stage 2
  logic signed [31:0] k_a [5];         // a of the product a * M, from stage 3
  logic signed [63:0] k_product;       // a * M, in stage 5
  logic signed [31:0] k_scaled [7];    // rq(x, M, s), from stage 6
  logic signed [31:0] k_acc;           // what the accumulator row held, in stage 7

  logic signed [31:0] new_bias, new_mult;
  logic signed [7:0] new_shift;
  assign new_bias = !use_bias ? 32'(offset) : first ? in_bias : rec_bias;
  assign new_mult = !per_channel ? mult : first ? in_mult : rec_mult;
  assign new_shift = !per_channel ? shift : first ? in_shift : rec_shift;

  // Fields of a row's control.
  `define ROUNDING(c) c[ControlBits-10 -: 2]
  `define LEFT(c) c[ControlBits-61 -: 5]
  `define FIRST(c) c[ControlBits-1]
  `define SRC_OPERAND(c) c[ControlBits-2]
  `define USE_BIAS(c) c[ControlBits-3]
  `define PER_CHANNEL(c) c[ControlBits-4]
  `define FINAL(c) c[ControlBits-5]
  `define TO_ACC(c) c[ControlBits-6]
  `define ADD_ACC(c) c[ControlBits-7]
  `define RELEASE(c) c[ControlBits-8]
  `define OFFSET(c) $signed(c[ControlBits-12 -: 9])
  `define MULT(c) $signed(c[ControlBits-21 -: 32])
  `define SHIFT(c) $signed(c[ControlBits-53 -: 8])
  `define ZERO(c) $signed(c[ControlBits-66 -: 8])
  `define LOW(c) $signed(c[ControlBits-74 -: 8])
  `define HIGH(c) $signed(c[ControlBits-82 -: 8])
  `define GROUP(c) c[ControlBits-90 -: 8]
  // All but what the first stage has used: use_bias and offset.
  `define CARRIED(c) {c[ControlBits-1 -: 2], c[ControlBits-4 -: 8], c[ControlBits-21:0]}

  always_ff @(posedge clk) begin
    if (!rst_n) k_valid <= 7'd0;
    else if (go) k_valid <= {k_valid[5:0], valid};
    if (go) begin
      k_control[0] <= in_control;
      k_bias[0] <= new_bias;
      k_mult[0] <= new_mult;
      k_shift[0] <= new_shift;
      k_operand <= operand[8*Channel +: 8];
      k_x <= (`SRC_OPERAND(k_control[0]) ? 32'(k_operand)
                 : $signed(acc_data[32*Channel +: 32])) + k_bias[0];
      k_a[2] <= factor(k_x, `LEFT(k_control[1]), Rounding, k_shift[1]);
      k_a[3] <= k_a[2];
      k_a[4] <= k_a[3];
      k_product <= product[63:0];
      k_scaled[5] <= finish(start(k_a[4], k_mult[4], k_product, k_shift[4], Rounding), k_shift[4],
                            Rounding);
      k_scaled[6] <= k_scaled[5];
      k_acc <= acc_data[32*Channel +: 32];
      for (int i = 1; i < 7; i++) begin
        k_control[i] <= k_control[i-1];
        k_mult[i] <= k_mult[i-1];
        k_shift[i] <= k_shift[i-1];
      end
    end
  end

  // rq(x << left, M, s) of docs/numerics.md, in the three steps that the product cuts it into.
  // Operand a of the product:
  function automatic signed [31:0] factor(input signed [31:0] x, input [4:0] by,
                                          input [1:0] mode, input signed [7:0] s);
    logic [31:0] moved;
    moved = x << by;
    factor = (mode == 0 && s > 0) ? moved << s[4:0] : moved;
  endfunction

  // SRDHM(a, M), or the product and its rounding, before the shift by t = 31 - s:
  localparam logic signed [31:0] Min32 = 32'h8000_0000;
  function automatic signed [65:0] start(input signed [31:0] a, input signed [31:0] m,
                                         input signed [63:0] p, input signed [7:0] s,
                                         input [1:0] mode);
    logic [5:0] t;
    logic signed [65:0] one;
    t = 6'(31 - s);
    one = 66'sd1;
    start = 66'(p);
    if (mode == 0) begin
      if (a == Min32 && m == Min32) start = 66'sd2147483647;
      else start = (66'(p) + 66'sd1073741824) >>> 31;
    end else if (t != 0) begin
      start = 66'(p) + (one << (t - 6'd1)) - ((mode == 2'd2 && p < 0) ? 66'sd1 : 66'sd0);
    end
  endfunction

  // RDPOT(sum, max(-s, 0)), or sum >> t:
  function automatic signed [31:0] finish(input signed [65:0] sum, input signed [7:0] s,
                                          input [1:0] mode);
    logic [5:0] e, t;
    logic [31:0] ones, r, half;
    logic signed [31:0] x;
    logic signed [65:0] shifted;
    e = (s < 0) ? 6'(-s) : 6'd0;
    t = 6'(31 - s);
    ones = (32'd1 << e) - 32'd1;
    x = sum[31:0];
    r = x & ones;
    half = (ones >> 1) + (x < 0 ? 32'd1 : 32'd0);
    shifted = sum >>> t;
    finish = (x >>> e) + (r > half ? 32'sd1 : 32'sd0);
    if (mode != 2'd0) finish = shifted[31:0];
  endfunction

  // The result of the row in stage 7.
  logic signed [31:0] want;
  always_comb begin
    want = k_scaled[6];
    if (`FINAL(k_control[6])) begin
      want = k_scaled[6] + 32'(`ZERO(k_control[6]));
      if (want < `LOW(k_control[6])) want = `LOW(k_control[6]);
      else if (want > `HIGH(k_control[6])) want = `HIGH(k_control[6]);
    end else if (`ADD_ACC(k_control[6])) begin
      want = k_scaled[6] + k_acc;
    end
  end

  // A product of two int32: 2^62 only for two minima, else at most 2^62 - 2^31.
  always_comb begin
    if (k_a[3] == Min32 && k_mult[3] == Min32) assume (product == 67'sd1 <<< 62);
    else assume (product <= (67'sd1 <<< 62) - (67'sd1 <<< 31));
    assume (product > -(67'sd1 <<< 62));
  end

  // ---- What is claimed.
  logic followed;
  assign followed = k_valid[6] && `GROUP(k_control[6]) == Home;
  always_comb if (rst_n) begin
    a_goes_out_once: assert (res_valid == (k_valid[6] && !`TO_ACC(k_control[6])));
    if (acc_wr_en) a_no_write_from_nothing: assert (k_valid[6] && `TO_ACC(k_control[6]));
    if (res_valid) begin
      a_result_place: assert ({res_addr, res_mask} == k_control[6][L+28:8]);
      a_result_last: assert (res_last == k_control[6][ControlBits-9]);
      if (followed) a_result: assert ($signed(res_data[8*Lane +: 8]) == $signed(want[7:0]));
    end
    if (acc_wr_en) begin
      a_write_place: assert ({acc_wr_row, acc_wr_buf} == k_control[6][7:0]);
      a_write_lane: assert (acc_wr_lanes[Channel] == (`GROUP(k_control[6]) == Home));
      if (followed) a_write: assert ($signed(acc_wr_data[32*Channel +: 32]) == want);
    end
    if (k_valid[2] && `GROUP(k_control[2]) == Home)
      a_factor: assert (rtl_x3 == k_a[2] && rtl_m3 == k_mult[2]
                        && \dut.rounds3 == (Rounding == 0));
    a_late_read: assert (late_rd_en == (k_valid[4] && go && `ADD_ACC(k_control[4])));
    if (late_rd_en) a_late_row: assert ({late_rd_row, late_rd_buf} == k_control[4][7:0]);
    a_release: assert (acc_release == ((k_valid[0] && go && `RELEASE(k_control[0]))
                                       ? 2'd1 << k_control[0][0] : 2'd0));
    a_free: assert (prm_free == (k_valid[2] && go && `FIRST(k_control[2])));
    c_result: cover (followed && res_valid && `FINAL(k_control[6]) && k_mult[6] > 32'sh4000_0000 &&
                     k_scaled[6] == -32'sd5);
    c_write: cover (followed && acc_wr_en && `ADD_ACC(k_control[6]) &&
                    k_scaled[6] == 32'sh1234_5678);
    c_stall: cover (res_valid && !res_ready && k_valid[5:3] == '1 && have_old);
    a_empty: assert (!empty || k_valid[5:0] == 6'd0);
  end

  // Written once: a write that a stall repeats would be seen by post a second time.
  logic k_new = 1'b0;
  always_ff @(posedge clk) k_new <= rst_n && go && k_valid[5];
  always_comb if (rst_n) begin
    a_write_once: assert (acc_wr_en == (k_new && k_valid[6] && `TO_ACC(k_control[6])));
  end

  // ---- Invariants.
  logic [3:1] f;                       // a row that brings parameters, in stage i
  assign f = {k_valid[2] && `FIRST(k_control[2]), k_valid[1] && `FIRST(k_control[1]),
              k_valid[0] && `FIRST(k_control[0])};
  logic [4:1] newest;                  // the row in stage i uses the newest record
  assign newest = {!owned, !owned || f[3], !owned || (f[3:2] != 0), 1'b1};

  always_comb if (rst_n) begin
    i_valid: assert (\dut.v_q == k_valid[5:0]);
    i_owned: assert (owned == (f != 0) && (f & (f - 3'd1)) == 0);
    i_record: assert (have_record || (!owned && !have_old));
    if (have_record) begin
      i_record_legal: assert (rec_shift >= -31 && rec_shift <= 31);
      if (was_bias) i_bias: assert (\dut.add1_q [32*Channel +: 32] == rec_bias);
      i_shift2: assert (f[1] ? !have_old || \dut.shift2_q [8*Channel +: 8] == old_shift
                        : \dut.shift2_q [8*Channel +: 8] == rec_shift);
      i_mult2: assert (f[1] ? !have_old || \dut.gen_group.mult2_q [32*Channel +: 32] == old_mult
                       : \dut.gen_group.mult2_q [32*Channel +: 32] == rec_mult);
      i_shift4: assert (f != 0 ? !have_old || \dut.shift4_q [8*Channel +: 8] == old_shift
                        : \dut.shift4_q [8*Channel +: 8] == rec_shift);
    end
    i_was_bias: assert (!was_bias || have_record);
    i_mul: assert (\dut.mul_q == 2'd0 || k_valid[5:0] == 6'd0);
    if (k_valid[0]) begin
      i_add: assert (\dut.add1_q [32*Channel +: 32] == k_bias[0]);
      i_row_bias: assert (`USE_BIAS(k_control[0]) ? have_record && k_bias[0] == rec_bias
                          : k_bias[0] == 32'(`OFFSET(k_control[0])));
    end
    if (k_valid[0]) i_c1: assert (\dut.c1 == `CARRIED(k_control[0]));
    if (k_valid[1]) i_c2: assert (\dut.c2 == `CARRIED(k_control[1]));
    if (k_valid[2]) i_c3: assert (\dut.c3 == `CARRIED(k_control[2]));
    if (k_valid[3]) i_c4: assert (\dut.c4 == `CARRIED(k_control[3]));
    if (k_valid[4]) i_c5: assert (\dut.c5 == `CARRIED(k_control[4]));
    if (k_valid[5]) i_c6: assert (\dut.c6 == `CARRIED(k_control[5]));
    if (k_valid[0] && `GROUP(k_control[0]) == Home && `SRC_OPERAND(k_control[0]))
      i_operand: assert ($signed(\dut.operand_q [8*Lane +: 8]) == k_operand);
    if (k_valid[1] && `GROUP(k_control[1]) == Home) i_x2: assert (rtl_x2 == k_x);
    if (k_valid[4]) begin
      i_product: assert (k_product > -(64'sd1 <<< 62) &&
        (k_a[4] == Min32 && k_mult[4] == Min32 ? k_product == 64'sd1 <<< 62
                                               : k_product <= (64'sd1 <<< 62) - (64'sd1 <<< 31)));
      if (`GROUP(k_control[4]) == Home) begin
        i_t5: assert (rtl_t5 == 6'(31 - ((Rounding == 0 && k_shift[4] > 0) ? 0 : k_shift[4])));
        i_p5: assert (rtl_p5 == k_product + (Rounding == 0 ? 64'sd1073741824 : 64'sd0));
      end
    end
    if (k_valid[5] && `GROUP(k_control[5]) == Home)
      i_y6: assert (rtl_y6 + 32'(rtl_up6) == k_scaled[5]);
  end

  // What a row carries is what it brought itself, or the record of its block.
  logic [3:0] record_ok, mult_ok, shift_ok;
  for (genvar i = 0; i < 4; i++) begin : gen_row
    wire logic own = !`PER_CHANNEL(k_control[i]);
    assign record_ok[i] = !k_valid[i] || own || (newest[i+1] ? have_record : have_old);
    assign mult_ok[i] = !k_valid[i] || k_mult[i] ==
      (own ? `MULT(k_control[i]) : newest[i+1] ? rec_mult : old_mult);
    assign shift_ok[i] = !k_valid[i] || k_shift[i] ==
      (own ? `SHIFT(k_control[i]) : newest[i+1] ? rec_shift : old_shift);
  end
  logic [5:0] legal;
  for (genvar i = 0; i < 6; i++) begin : gen_legal
    assign legal[i] = !k_valid[i] || (k_shift[i] >= -31 && k_shift[i] <= 31 &&
      `ROUNDING(k_control[i]) == Rounding && `LOW(k_control[i]) <= `HIGH(k_control[i]));
  end
  always_comb if (rst_n) begin
    i_row_legal: assert (legal == '1);
    i_row_record: assert (record_ok == '1);
    i_row_mult: assert (mult_ok == '1);
    i_row_shift: assert (shift_ok == '1);
  end
endmodule
`default_nettype wire
