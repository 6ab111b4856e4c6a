// SPDX-License-Identifier: Apache-2.0
//
// The multipliers: K lanes by N output channels, one int8 product each, and the sums (or maxima)
// over the lanes. Operands: the dense vector (a byte a lane, the same for all channels) or the
// window (a byte for each lane and channel, zero in mode 0 and in lanes that windows have not),
// joined in front of the one operand register.
//   cycle 0  operand in vec_i / window_i (mul_valid_i)   operand register
//   cycle 1                                              product register, or maxima of some lanes
//   cycle 2                                              sum register
//   cycle 3  sum_o is valid
// Weights: the shadow block is filled word by word (wb_*) and becomes the active one at swap_i, in
// the cycle of the operand that first uses it. Not here: the accumulators.
`default_nettype none
module weft_array (
  input  wire logic                            clk_i,
  input  wire logic                            rst_ni,
  input  wire logic                            wb_valid_i,
  output      logic                            wb_ready_o,
  input  wire logic [8*weft_pkg::WeightWord-1:0] wb_data_i,
  input  wire logic                            swap_i,
  output      logic                            shadow_full_o,
  input  wire logic                            mul_valid_i,
  input  wire logic [1:0]                      mul_mode_i,
  input  wire logic [8*weft_pkg::K-1:0]        vec_i,
  input  wire logic [8*weft_pkg::K*weft_pkg::N-1:0] window_i,
  output      logic [32*weft_pkg::N-1:0]       sum_o
);

  localparam int unsigned K = weft_pkg::K;
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned Lanes = weft_pkg::WindowRows * weft_pkg::WindowCols;
  localparam int unsigned WordBytes = weft_pkg::WeightWord;
  localparam int unsigned BlockWords = K * N / WordBytes;
  localparam int unsigned CountBits = $clog2(BlockWords + 1);
  localparam int unsigned SumBits = 16 + $clog2(K);      // of K products
  localparam int unsigned Group = 2**(($clog2(Lanes) + 1) / 2);  // lanes a maximum of cycle 1 is of
  localparam int unsigned Groups = (Lanes + Group - 1) / Group;

  // A loop with two step assignments is not unrolled by Verilator. Left as loops, over variables of
  // a task, these become vector instructions; unrolled they take minutes to compile.
`ifdef VERILATOR
  /* verilator lint_off UNUSEDSIGNAL */
  logic rolled;
  /* verilator lint_on UNUSEDSIGNAL */
`define WEFT_NEXT(i, to) i = to, rolled = 1'b0
`else
`define WEFT_NEXT(i, to) i = to
`endif

  // Only the block below touches the arrays, so blocking assignments are registers here: each is
  // read before it is written. They simulate several times faster than delayed copies.
  logic signed [7:0] shadow [K][N];
  logic signed [7:0] active [K][N];
  logic signed [15:0] product [K][N];
  logic signed [7:0] vector [K];
  logic signed [7:0] operand [K][N];
  logic signed [31:0] sum [N];
  logic signed [7:0] larger [Lanes][N];
  logic signed [7:0] leader [Groups][N];
  logic operand_valid_q, operand_max_q, product_valid_q, product_max_q;
  logic [CountBits-1:0] filled_q;
  logic wb_take;

  assign shadow_full_o = filled_q == CountBits'(BlockWords);
  assign wb_ready_o = !shadow_full_o || swap_i;
  assign wb_take = wb_valid_i && wb_ready_o;

  /* verilator lint_off BLKSEQ */
  task automatic add_products();
    int unsigned k, n;
    for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) sum[n] = 32'sd0;
    for (k = 0; k < K; `WEFT_NEXT(k, k + 1)) begin
      for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) sum[n] = sum[n] + 32'(product[k][n]);
    end
  endtask

  task automatic spread_vector();
    int unsigned k, n;
    for (k = 0; k < K; `WEFT_NEXT(k, k + 1)) begin
      for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) operand[k][n] = vector[k];
    end
  endtask

  task automatic multiply();
    int unsigned k, n;
    for (k = 0; k < K; `WEFT_NEXT(k, k + 1)) begin
      for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) product[k][n] = operand[k][n] * active[k][n];
    end
  endtask

  // The larger ones by a tree: pairs, pairs of pairs, ..., in two cycles.
  task automatic find_leaders();
    int unsigned step, k, n;
    for (k = 0; k < Lanes; `WEFT_NEXT(k, k + 1)) begin
      for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) larger[k][n] = operand[k][n];
    end
    for (step = 1; step < Group; `WEFT_NEXT(step, 2 * step)) begin
      for (k = 0; k + step < Lanes; `WEFT_NEXT(k, k + 2 * step)) begin
        for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) begin
          if (larger[k + step][n] > larger[k][n]) larger[k][n] = larger[k + step][n];
        end
      end
    end
    for (k = 0; k < Groups; `WEFT_NEXT(k, k + 1)) begin
      for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) leader[k][n] = larger[k * Group][n];
    end
  endtask

  task automatic find_maxima();
    int unsigned step, k, n;
    for (k = 0; k < Groups; `WEFT_NEXT(k, k + 1)) begin
      for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) larger[k][n] = leader[k][n];
    end
    for (step = 1; step < Groups; `WEFT_NEXT(step, 2 * step)) begin
      for (k = 0; k + step < Groups; `WEFT_NEXT(k, k + 2 * step)) begin
        for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) begin
          if (larger[k + step][n] > larger[k][n]) larger[k][n] = larger[k + step][n];
        end
      end
    end
    for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) sum[n] = 32'(larger[0][n]);
  endtask

  task automatic swap_weights();
    int unsigned k, n;
    for (k = 0; k < K; `WEFT_NEXT(k, k + 1)) begin
      for (n = 0; n < N; `WEFT_NEXT(n, n + 1)) active[k][n] = shadow[k][n];
    end
  endtask

  always_ff @(posedge clk_i) begin
    if (product_valid_q) begin
      if (product_max_q) find_maxima();
      else add_products();
      for (int unsigned n = 0; n < N; n++) sum_o[n*32 +: 32] <= 32'(signed'(sum[n][SumBits-1:0]));
    end

    if (operand_valid_q) begin
      if (operand_max_q) find_leaders();
      else multiply();
    end

    if (mul_valid_i) begin
      for (int unsigned k = 0; k < K; k++) begin
        vector[k] = (mul_mode_i == 2'd0) ? vec_i[k*8 +: 8] : 8'sd0;
      end
      spread_vector();
`ifdef VERILATOR
      if (mul_mode_i != 2'd0)  // simulation is spared joining zeros
`endif
      for (int unsigned k = 0; k < K; k++) begin
        for (int unsigned n = 0; n < N; n++) begin
          operand[k][n] = operand[k][n] | window_i[(k*N + n)*8 +: 8];
        end
      end
    end

    if (swap_i) swap_weights();
    for (int unsigned w = 0; w < BlockWords; w++) begin
      if (wb_take && (shadow_full_o ? '0 : filled_q) == CountBits'(w)) begin
        for (int unsigned i = 0; i < WordBytes; i++) begin
          shadow[(w*WordBytes + i) / N][(w*WordBytes + i) % N] = wb_data_i[i*8 +: 8];
        end
      end
    end
  end
  /* verilator lint_on BLKSEQ */

  always_ff @(posedge clk_i) begin
    operand_max_q <= mul_mode_i == 2'd2;
    product_max_q <= operand_max_q;
    if (!rst_ni) begin
      operand_valid_q <= 1'b0;
      product_valid_q <= 1'b0;
      filled_q <= '0;
    end else begin
      operand_valid_q <= mul_valid_i;
      product_valid_q <= operand_valid_q;
      filled_q <= (swap_i ? '0 : filled_q) + CountBits'(wb_take);
    end
  end

`undef WEFT_NEXT
endmodule
`default_nettype wire
