// SPDX-License-Identifier: Apache-2.0
// L lanes of the requantiser: x = (accumulator or operand) + bias or offset, left shift, 32 x 32
// multiply, rounding in one of three modes, right shift, then zero point and clamp, or back to the
// accumulators. Does not sequence passes (weft_post_sequencer). valid/ready in; the whole pipeline
// stands while the result writer is not ready, which it says from a register. Seven stages:
//   1 add  2 shift  3 partial products  4 product  5 shift  6 combine  7 result
// A stage holds at most a 32 x 16 multiplier, a 48-bit adder, a shifter, a 32-bit adder, or one of
// ten bits with a clamp.
// Per-channel parameters enter each stage with the first row of their block (first_i), so blocks
// follow each other without a gap; prm_free_o says that the record may be overwritten. Rows that use
// them follow their block's first row, with none of another kind between.
// While empty_o, the first lane multiplies for weft_softmax: mul_a_i * mul_b_i, rounded at bit 31, is
// on mul_o from the third cycle after mul_valid_i on, whatever the result writer does.
`default_nettype none
module weft_requantise (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        valid_i,
    output logic             ready_o,
    output logic             empty_o,         // nothing in the pipeline
    input  wire logic        first_i,         // first row of a block that brings parameters
    input  wire logic        src_operand_i,   // x from operand_i; otherwise the accumulator row
    input  wire logic        use_bias_i,      // add the channel's bias; otherwise offset_i
    input  wire logic        per_channel_i,   // multiplier and shift from the parameter record
    input  wire logic        final_i,         // apply zero point and clamp
    input  wire logic        to_acc_i,        // write back to the accumulator row; else a result
    input  wire logic        add_acc_i,       // add what the accumulator row holds
    input  wire logic        release_i,       // last read of this accumulator buffer
    input  wire logic        last_i,          // last row of the block
    input  wire logic [1:0]  rounding_i,
    input  wire logic signed [8:0]  offset_i,
    input  wire logic signed [31:0] mult_i,
    input  wire logic signed [7:0]  shift_i,
    input  wire logic [4:0]  left_i,
    input  wire logic signed [7:0]  zero_i,
    input  wire logic signed [7:0]  low_i,
    input  wire logic signed [7:0]  high_i,
    input  wire logic [7:0]  group_i,         // lanes group_i * L .. + L - 1 of the N channels
    input  wire logic [20:0] addr_i,
    input  wire logic [weft_pkg::PostLanes-1:0] mask_i,
    input  wire logic [6:0]  row_i,
    input  wire logic        buf_i,
    input  wire logic [8*weft_pkg::N-1:0]  operand_i,
    input  wire logic [32*weft_pkg::N-1:0] acc_data_i,  // a cycle after valid_i or late_rd_en_o
    output logic             late_rd_en_o,    // read row late_rd_row_o for add_acc
    output logic             late_rd_buf_o,
    output logic [6:0]       late_rd_row_o,
    output logic [1:0]       acc_release_o,
    input  wire logic [32*weft_pkg::N-1:0] prm_bias_i,
    input  wire logic [32*weft_pkg::N-1:0] prm_mult_i,
    input  wire logic [8*weft_pkg::N-1:0]  prm_shift_i,
    output logic             prm_free_o,
    output logic             acc_wr_en_o,
    output logic             acc_wr_buf_o,
    output logic [6:0]       acc_wr_row_o,
    output logic [32*weft_pkg::N-1:0] acc_wr_data_o,
    output logic [weft_pkg::N-1:0] acc_wr_lanes_o,
    output logic             res_valid_o,
    input  wire logic        res_ready_i,   // a register: a result of this cycle is taken
    output logic [20:0]      res_addr_o,
    output logic [8*weft_pkg::PostLanes-1:0] res_data_o,
    output logic [weft_pkg::PostLanes-1:0] res_mask_o,
    output logic             res_last_o,
    input  wire logic        mul_valid_i,
    input  wire logic signed [31:0] mul_a_i,
    input  wire logic signed [31:0] mul_b_i,
    output logic signed [32:0] mul_o          // not saturated
);
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned L = weft_pkg::PostLanes;

  // Control that travels with a row; one copy for all lanes.
  typedef struct packed {
    logic                first;
    logic                src_operand;
    logic                per_channel;
    logic                final_pass;
    logic                to_acc;
    logic                add_acc;
    logic                release_buf;
    logic                last;
    logic [1:0]          rounding;
    logic signed [31:0]  mult;
    logic signed [7:0]   shift;
    logic [4:0]          left;
    logic signed [7:0]   zero;
    logic signed [7:0]   low;
    logic signed [7:0]   high;
    logic [7:0]          group;
    logic [20:0]         addr;
    logic [L-1:0]        mask;
    logic [6:0]          row;
    logic                buf_sel;
  } control_t;

  control_t c1, c2, c3, c4, c5, c6;
  logic [6:1] v_q;
  logic [4:3] mul_q;               // softmax's product is in these stages of the first lane
  logic       en, rounds3;

  assign en      = res_ready_i;
  assign ready_o = res_ready_i;
  assign rounds3 = c3.rounding == 2'd0 || mul_q[3];   // at bit 31 of the product
  assign empty_o = (v_q == '0) && !acc_wr_en_o && !res_valid_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      v_q   <= '0;
      mul_q <= '0;
    end else begin
      if (en) v_q <= {v_q[5:1], valid_i};
      mul_q <= {mul_q[3], mul_valid_i};
    end
    if (en) begin
      if (v_q[1]) c2 <= c1;
      if (v_q[2]) c3 <= c2;
      if (v_q[3]) c4 <= c3;
      if (v_q[4]) c5 <= c4;
      if (v_q[5]) c6 <= c5;
    end
  end

  always_ff @(posedge clk_i) begin
    if (en && valid_i) begin
      c1.first <= first_i;
      c1.src_operand <= src_operand_i;
      c1.per_channel <= per_channel_i;
      c1.final_pass <= final_i;
      c1.to_acc <= to_acc_i;
      c1.add_acc <= add_acc_i;
      c1.release_buf <= release_i;
      c1.last <= last_i;
      c1.rounding <= rounding_i;
      c1.mult <= mult_i;
      c1.shift <= shift_i;
      c1.left <= left_i;
      c1.zero <= zero_i;
      c1.low <= low_i;
      c1.high <= high_i;
      c1.group <= group_i;
      c1.addr <= addr_i;
      c1.mask <= mask_i;
      c1.row <= row_i;
      c1.buf_sel <= buf_i;
    end
  end

  // A buffer is given back when its last row has left the memory's output.
  assign acc_release_o = (v_q[1] && en && c1.release_buf) ? (2'b01 << c1.buf_sel) : 2'b00;
  assign late_rd_en_o  = v_q[5] && en && c5.add_acc;
  assign late_rd_buf_o = c5.buf_sel;
  assign late_rd_row_o = c5.row;
  assign prm_free_o    = v_q[3] && en && c3.first;

  // Parameters of the row in a stage, taken from the record as its block's first row enters that
  // stage: nothing is chosen in front of the arithmetic. add1_q is the bias, or the offset.
  logic [32*N-1:0] add1_q;
  logic [8*N-1:0]  shift2_q, shift4_q;
  always_ff @(posedge clk_i) begin
    if (en) begin
      if (valid_i && (first_i || !use_bias_i)) begin
        add1_q <= use_bias_i ? prm_bias_i : {N{32'(offset_i)}};
      end
      if (v_q[1] && c1.first) shift2_q <= prm_shift_i;
      if (v_q[3] && c3.first) shift4_q <= prm_shift_i;
    end
  end

  // The L channels of a group out of N; with L == N there is one group.
  logic [8*L-1:0]  operand_now, operand_q, s2_now, s4_now;
  logic [32*L-1:0] acc_now, acc6_now, b_now, m_now;
  logic            m_holds;      // the multipliers in stage 3 are those of the row in stage 2
  if (L == N) begin : gen_all
    assign operand_now = operand_i;
    assign acc_now     = acc_data_i;
    assign acc6_now    = acc_data_i;
    assign b_now       = add1_q;
    assign m_now       = prm_mult_i;
    assign m_holds     = c2.per_channel && !c2.first;
    assign s2_now      = shift2_q;
    assign s4_now      = shift4_q;
  end else begin : gen_group
    localparam int unsigned GroupW = $clog2(N / L);
    logic [32*N-1:0] mult2_q;
    always_ff @(posedge clk_i) if (en && v_q[1] && c1.first) mult2_q <= prm_mult_i;
    assign operand_now = operand_i[8*L*group_i[GroupW-1:0] +: 8*L];
    assign acc_now     = acc_data_i[32*L*c1.group[GroupW-1:0] +: 32*L];
    assign acc6_now    = acc_data_i[32*L*c6.group[GroupW-1:0] +: 32*L];
    assign b_now       = add1_q[32*L*c1.group[GroupW-1:0] +: 32*L];
    assign m_now       = mult2_q[32*L*c2.group[GroupW-1:0] +: 32*L];
    assign m_holds     = 1'b0;
    assign s2_now      = shift2_q[8*L*c2.group[GroupW-1:0] +: 8*L];
    assign s4_now      = shift4_q[8*L*c4.group[GroupW-1:0] +: 8*L];
  end

  // The lanes, in one block with the last stage first: each stage reads what the one before it left
  // a cycle ago. Nothing else touches the arrays, so blocking assignments are registers here; they
  // simulate several times faster than delayed copies.
  logic signed [31:0] x2_q[L], x3_q[L], m3_q[L], y6_q[L];
  logic signed [47:0] plo_q[L], phi_q[L];  // x times the low and the high half of M
  logic signed [63:0] p5_q[L];
  logic [5:0]         t5_q[L];
  logic               up6_q[L];
  logic [32*L-1:0]    out_q;
  logic signed [31:0] t1, sum6;
  logic signed [9:0]  near6;
  logic [23:0]        far6;
  logic               inside6, negative6;
  logic signed [7:0]  s2, s4, z6;
  logic [5:0]         amount;
  logic signed [63:0] kept5;
  logic signed [64:0] shifted5;
  logic               saturates5, rest5;
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) begin
    // Stages 6 and 7: round up, then the accumulator's share, or zero point and clamp; then out. The
    // zero point is added to the low eight bits only: with what they carry, the bits above them
    // tell whether the sum (modulo 2^32) is an int8, and its sign.
    if (en && v_q[6]) begin
      for (int l = 0; l < L; l++) begin
        sum6  = 32'((33'({y6_q[l], 1'b1})
                     + {c6.add_acc ? acc6_now[32*l +: 32] : 32'd0, up6_q[l]}) >> 1);
        far6  = y6_q[l][31:8];
        near6 = signed'({2'b00, y6_q[l][7:0]}) + 10'(c6.zero) + 10'(signed'({1'b0, up6_q[l]}));
        case (near6[9:8])
          2'b00: begin
            inside6   = far6 == (near6[7] ? 24'hffffff : 24'h000000);
            negative6 = far6[23];
          end
          2'b01: begin
            inside6   = far6 == (near6[7] ? 24'hfffffe : 24'hffffff);
            negative6 = far6[23] ? far6 != 24'hffffff : far6 == 24'h7fffff;
          end
          default: begin
            inside6   = far6 == (near6[7] ? 24'h000000 : 24'h000001);
            negative6 = far6[23] ? far6 != 24'h800000 : far6 == 24'h000000;
          end
        endcase
        z6 = near6[7:0];
        if (inside6 ? z6 < c6.low : negative6) z6 = c6.low;
        else if (!inside6 || z6 > c6.high) z6 = c6.high;
        out_q[32*l +: 32] <= c6.final_pass ? 32'(z6) : sum6;
      end
    end
    // Stage 5: the right shift by t places, and whether the result is to be rounded up: if the
    // highest bit that goes is set; where ties go away from zero, of a negative number only if
    // another one is set too. Double rounding has rounded at bit 31 already and takes only what is
    // above it, saturating.
    if (en && v_q[5]) begin
      for (int l = 0; l < L; l++) begin
        saturates5 = c5.rounding == 2'd0 && p5_q[l][63:62] == 2'b01 && t5_q[l] == 6'd31;
        kept5      = (c5.rounding == 2'd0) ? {p5_q[l][63:31], 31'd0} : p5_q[l];
        shifted5   = signed'({kept5, 1'b0}) >>> t5_q[l];
        rest5      = (64'(kept5) & (~(~64'd0 << t5_q[l]) >> 1)) != '0;
        y6_q[l]    = saturates5 ? 32'sh7fffffff : signed'(shifted5[32:1]);
        up6_q[l]   = shifted5[0] && (c5.rounding == 2'd1 || !kept5[63] || rest5);
      end
    end
    // Stages 4 and 3: the product, from halves of M; half of the last place for the first of two
    // roundings; how far the result goes right.
    if ((en && v_q[4]) || mul_q[4]) begin
      for (int l = 0; l < L; l++) begin
        s4      = c4.per_channel ? signed'(s4_now[8*l +: 8]) : c4.shift;
        t5_q[l] = 6'(8'sd31 - ((c4.rounding == 2'd0 && !s4[7]) ? 8'sd0 : s4));
        p5_q[l] = {phi_q[l] + 48'(signed'(plo_q[l][47:16])), plo_q[l][15:0]};
      end
    end
    if ((en && v_q[3]) || mul_q[3]) begin
      for (int l = 0; l < L; l++) begin
        plo_q[l] = 48'(x3_q[l]) * 48'(signed'({1'b0, m3_q[l][15:0]}))
                   + 48'(signed'({1'b0, rounds3, 30'd0}));
        phi_q[l] = 48'(x3_q[l]) * 48'(signed'(m3_q[l][31:16]));
      end
    end
    // Stages 2 and 1: left shift and the multiplier; bias or offset.
    if (en && v_q[2]) begin
      for (int l = 0; l < L; l++) begin
        s2 = c2.per_channel ? signed'(s2_now[8*l +: 8]) : c2.shift;
        amount = 6'(c2.left) + ((c2.rounding == 2'd0 && !s2[7]) ? {1'b0, s2[4:0]} : 6'd0);
        x3_q[l] = x2_q[l] << amount;
        if (!m_holds) m3_q[l] = c2.per_channel ? signed'(m_now[32*l +: 32]) : c2.mult;
      end
    end
    if (mul_valid_i) begin
      x3_q[0] = mul_a_i;
      m3_q[0] = mul_b_i;
    end
    if (en && v_q[1]) begin
      for (int l = 0; l < L; l++) begin
        t1 = c1.src_operand ? 32'(signed'(operand_q[8*l +: 8])) : signed'(acc_now[32*l +: 32]);
        x2_q[l] = t1 + signed'(b_now[32*l +: 32]);
      end
    end
    if (en && valid_i && src_operand_i) operand_q <= operand_now;
  end
  /* verilator lint_on BLKSEQ */

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      res_valid_o <= 1'b0;
      acc_wr_en_o <= 1'b0;
    end else if (en) begin
      res_valid_o <= v_q[6] && !c6.to_acc;
      acc_wr_en_o <= v_q[6] && c6.to_acc;
    end else begin
      acc_wr_en_o <= 1'b0;
    end
    if (en && v_q[6]) begin
      res_addr_o   <= c6.addr;
      res_mask_o   <= c6.mask;
      res_last_o   <= c6.last;
      acc_wr_row_o <= c6.row;
      acc_wr_buf_o <= c6.buf_sel;
      for (int g = 0; g < N / L; g++) begin
        acc_wr_lanes_o[g*L +: L] <= {L{c6.group == 8'(g)}};
      end
    end
  end

  for (genvar l = 0; l < L; l++) begin : gen_result
    assign res_data_o[8*l +: 8] = out_q[32*l +: 8];
  end
  assign acc_wr_data_o = {(N / L){out_q}};
  assign mul_o         = p5_q[0][63:31];
endmodule
`default_nettype wire
