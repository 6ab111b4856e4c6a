// SPDX-License-Identifier: Apache-2.0
//
// Prepares exec commands for the feed: keeps SETUP_INPUT, multiplies and counts out what a RUN's
// address generation starts from (about six cycles, while the RUN before is being fed; fifty at
// most, for a window that begins far left of the image), and holds the result until plan_done_i.
// Passes ELTWISE and SOFTMAX on as null commands and drops the rest. It does not wait for anything
// and does not walk the window. The columns of mode 3, half a word each, become whole words.
`default_nettype none
`include "common/weft_assert.svh"
`include "array/weft_feed_types.svh"
module weft_feed_plan (
  input  wire logic                       clk_i,
  input  wire logic                       rst_ni,
  input  wire logic                       cmd_valid_i,
  output      logic                       cmd_ready_o,
  input  wire logic [255:0]               cmd_i,
  output      logic                       plan_valid_o,
  output      logic [`WEFT_PLAN_BITS-1:0] plan_o,
  input  wire logic                       plan_done_i,
  output      logic                       idle_o,
  output      logic                       awake_o   // a register changes at the next edge
);

  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned WordBytes = weft_pkg::WordBytes;
  localparam int unsigned OffsetBits = $clog2(WordBytes);
  localparam logic [7:0] MaxStride = 8'hff;

  `WEFT_PLAN_TYPE

  typedef enum logic [2:0] {Idle, SetupWrap, SetupStride, RunRow, RunColumn, RunSkip, RunPads, Out}
      state_e;
  state_e state_q;

  /* verilator lint_off UNUSEDSIGNAL */  // other fields are post's and the loader's
  weft_pkg::setup_input_t cmd_setup, set_q;
  weft_pkg::run_t cmd_run, run_q;
  weft_pkg::eltwise_t cmd_eltwise;
  weft_pkg::softmax_t cmd_softmax;
  /* verilator lint_on UNUSEDSIGNAL */
  assign cmd_setup = cmd_i;
  assign cmd_run = cmd_i;
  assign cmd_eltwise = cmd_i;
  assign cmd_softmax = cmd_i;

  localparam int unsigned HalfBit = $clog2(N) - 1;
  localparam logic [2:0] Pairs = 3'd3;  // SETUP_INPUT.mode

  plan_t plan_q;
  logic plan_valid_q;
  logic null_q, half_q;
  logic [28:0] wrap_q;
  logic [7:0] stride_q;
  logic [21:0] stride_x_q;
  logic signed [36:0] row_q;
  logic [32:0] column_q;
  logic [19:0] skip_q;
  logic [21:0] pads_q;
  logic signed [21:0] pads_x_q;
  logic [20:0] pads_step_q;                     // bytes of pads_count_q columns
  logic [21:0] pads_count_q;                    // a power of two
  logic pads_shrink_q;
  logic signed [24:0] pads_1, pads_2, pads_4;   // where 1, 2, 4 such steps lead
  logic pads_go, pads_grow, pads_fall;
  logic signed [39:0] base;
  logic signed [35:0] col_first;
  logic [15:0] blocks;
  logic stride_done, pads_done, take, load;

  // One multiplier for all products: factors for a state are there when it begins, their product in
  // the next.
  logic signed [15:0] mul_a_q;
  logic [20:0] mul_b_q;
  /* verilator lint_off UNUSEDSIGNAL */  // no product needs all bits
  logic signed [37:0] product;
  logic signed [26:0] product_low_q, product_high_q;  // by the lower and upper bits of mul_b_q
  /* verilator lint_on UNUSEDSIGNAL */
  assign product = 38'(product_low_q) + {product_high_q, 11'd0};

  assign stride_done = set_q.mode == 3'd0 || set_q.pixel_bytes == 16'd0 ||
      stride_x_q >= {1'b0, set_q.step_bytes} || stride_q == MaxStride;
  // Columns left of the image: steps of growing, then of falling length, the last of one column.
  // None but that one goes past column 0. Up to four columns it is a column a cycle.
  assign pads_1 = 25'(pads_x_q) + 25'({1'b0, pads_step_q});
  assign pads_2 = 25'(pads_x_q) + 25'({1'b0, pads_step_q, 1'b0});
  assign pads_4 = 25'(pads_x_q) + 25'({1'b0, pads_step_q, 2'b0});
  assign pads_go = pads_1 < 0 || pads_count_q[0];
  assign pads_grow = !pads_shrink_q && pads_4 < 0;
  assign pads_fall = pads_2 >= 0 && !pads_count_q[0];  // not both: pads_2 is less than pads_4
  assign pads_done = set_q.mode == 3'd0 || set_q.pixel_bytes == 16'd0 || !pads_x_q[21];
  assign base = {19'd0, set_q.in_addr} + {{3{row_q[36]}}, row_q};
  assign col_first = {{14{run_q.in_x[21]}}, run_q.in_x} + {3'd0, column_q};
  assign blocks = 16'((17'(run_q.channels) + 17'(N - 1)) / 17'(N));

  // What a column has of a row is in one word: whole words, or channels within a half or quarter.
  logic [OffsetBits-1:0] offsets;  // bits that may be set in a column's offset in its word
  logic aligned;
  always_comb begin
    offsets = set_q.in_addr[OffsetBits-1:0] | run_q.in_x[OffsetBits-1:0] |
        set_q.pixel_bytes[OffsetBits-1:0];
    aligned = offsets == '0;
    if (offsets[OffsetBits-2:0] == '0 && run_q.channels <= 16'(WordBytes / 2)) aligned = 1'b1;
    if (offsets[OffsetBits-3:0] == '0 && run_q.channels <= 16'(WordBytes / 4)) aligned = 1'b1;
    if (N != WordBytes || set_q.in_pitch[OffsetBits-1:0] != '0) aligned = 1'b0;
  end

  assign cmd_ready_o = state_q == Idle;
  assign take = cmd_valid_i && cmd_ready_o;
  assign load = state_q == Out && !plan_valid_q;
  assign plan_valid_o = plan_valid_q;
  assign plan_o = plan_q;
  assign idle_o = state_q == Idle && !plan_valid_q;
  assign awake_o = take || load || plan_done_i || (state_q != Idle && state_q != Out);

  always_ff @(posedge clk_i) begin
    if (take) begin
      null_q <= cmd_i[7:0] != weft_pkg::OpRun;
      if (cmd_i[7:0] == weft_pkg::OpSetupInput) begin
        set_q <= cmd_setup;
        if (cmd_setup.mode == Pairs) set_q.pixel_bytes <= 16'(N);
        mul_a_q <= {8'd0, cmd_setup.stride_rows};
        mul_b_q <= cmd_setup.in_pitch;
      end
      if (cmd_i[7:0] == weft_pkg::OpRun) begin
        run_q <= cmd_run;
        mul_a_q <= cmd_run.in_y;
        mul_b_q <= set_q.in_pitch;
        half_q <= set_q.mode == Pairs && cmd_run.in_x[HalfBit];
        if (set_q.mode == Pairs) run_q.in_x[HalfBit] <= 1'b0;
      end
      if (cmd_i[7:0] == weft_pkg::OpEltwise) begin
        run_q.wait_mask <= cmd_eltwise.wait_mask;
        run_q.wait_load <= cmd_eltwise.wait_load;
        run_q.wait_exec <= cmd_eltwise.wait_exec;
        run_q.wait_store <= cmd_eltwise.wait_store;
        run_q.wait_step_block <= cmd_eltwise.wait_step_block;
        run_q.channels <= cmd_eltwise.channels;
      end
      if (cmd_i[7:0] == weft_pkg::OpSoftmax) begin
        run_q.wait_mask <= cmd_softmax.wait_mask;
        run_q.wait_load <= cmd_softmax.wait_load;
        run_q.wait_exec <= cmd_softmax.wait_exec;
        run_q.wait_store <= cmd_softmax.wait_store;
        run_q.channels <= 16'd1;
      end
    end

    product_low_q <= 27'(mul_a_q) * $signed({16'd0, mul_b_q[10:0]});
    product_high_q <= 27'(mul_a_q) * $signed({17'd0, mul_b_q[20:11]});
    case (state_q)
      SetupWrap: begin
        stride_q <= 8'd0;
        stride_x_q <= 22'd0;
      end
      SetupStride: begin
        wrap_q <= product[28:0];
        if (!stride_done) begin
          stride_q <= stride_q + 8'd1;
          stride_x_q <= stride_x_q + {6'd0, set_q.pixel_bytes};
        end
      end
      RunRow: begin
        mul_a_q <= {4'd0, run_q.tile_x};
        mul_b_q <= set_q.step_bytes;
      end
      RunColumn: begin
        row_q <= product[36:0];
        mul_b_q <= {13'd0, stride_q};
      end
      RunSkip: begin
        column_q <= product[32:0];
        pads_q <= 22'd0;
        pads_x_q <= run_q.in_x;
        pads_step_q <= {5'd0, set_q.pixel_bytes};
        pads_count_q <= 22'd1;
        pads_shrink_q <= 1'b0;
      end
      RunPads: begin
        skip_q <= product[19:0];
        if (!pads_done) begin
          if (pads_go) begin
            pads_q <= pads_q + pads_count_q;
            pads_x_q <= pads_1[21:0];
          end
          if (pads_grow) begin
            pads_step_q <= pads_step_q << 1;
            pads_count_q <= pads_count_q << 1;
          end
          if (pads_fall) begin
            pads_shrink_q <= 1'b1;
            pads_step_q <= pads_step_q >> 1;
            pads_count_q <= pads_count_q >> 1;
          end
        end
      end
      default: ;
    endcase

    if (load) begin
      plan_q.null_op <= null_q;
      plan_q.mode <= set_q.mode[1:0];
      plan_q.acc_first <= run_q.acc_first;
      plan_q.acc_last <= run_q.acc_last;
      plan_q.shared <= run_q.weights_shared;
      plan_q.aligned <= aligned;
      plan_q.half <= half_q;
      plan_q.wait_mask <= run_q.wait_mask;
      plan_q.wait_load <= run_q.wait_load;
      plan_q.wait_exec <= run_q.wait_exec;
      plan_q.wait_store <= run_q.wait_store;
      plan_q.wait_step_block <= run_q.wait_step_block;
      plan_q.wait_step_beat <= run_q.wait_step_beat;
      plan_q.pixels <= run_q.pixels;
      plan_q.tile_width <= run_q.tile_width;
      plan_q.first_width <= run_q.tile_width - run_q.tile_x;
      plan_q.blocks <= blocks;
      plan_q.last_channels <= 8'(run_q.channels - (blocks - 16'd1) * 16'(N));
      plan_q.beats <= null_q ? 12'd1 : run_q.beats;
      plan_q.kernel_rows <= set_q.kernel_rows;
      plan_q.kernel_span <= (set_q.mode == Pairs) ? 17'd2 + 17'(half_q) : set_q.kernel_span;
      plan_q.pixel_bytes <= set_q.pixel_bytes;
      plan_q.step_bytes <= set_q.step_bytes;
      plan_q.stride_cols <= stride_q;
      plan_q.stride_rows <= set_q.stride_rows;
      plan_q.in_rows <= set_q.in_rows;
      plan_q.in_row_bytes <= set_q.in_row_bytes;
      plan_q.in_pitch <= set_q.in_pitch;
      plan_q.wrap_pitch <= wrap_q;
      plan_q.pad_value <= set_q.pad_value;
      plan_q.in_y <= run_q.in_y;
      plan_q.base <= base;
      plan_q.col_first <= col_first;
      plan_q.col_row <= run_q.in_x;
      plan_q.pads <= pads_q;
      plan_q.pads_x <= pads_x_q;
      plan_q.pads_first <= (pads_q > 22'(skip_q)) ? pads_q - 22'(skip_q) : 22'd0;
    end

    if (!rst_ni) begin
      state_q <= Idle;
      plan_valid_q <= 1'b0;
    end else begin
      if (plan_done_i) plan_valid_q <= 1'b0;
      case (state_q)
        Idle: if (take) begin
          case (cmd_i[7:0])
            weft_pkg::OpSetupInput: state_q <= SetupWrap;
            weft_pkg::OpRun: state_q <= RunRow;
            weft_pkg::OpEltwise, weft_pkg::OpSoftmax: state_q <= Out;
            default: ;
          endcase
        end
        SetupWrap: state_q <= SetupStride;
        SetupStride: if (stride_done) state_q <= Idle;
        RunRow: state_q <= RunColumn;
        RunColumn: state_q <= RunSkip;
        RunSkip: state_q <= RunPads;
        RunPads: if (pads_done) state_q <= Out;
        Out: if (load) begin
          plan_valid_q <= 1'b1;
          state_q <= Idle;
        end
        default: state_q <= Idle;
      endcase
      `WEFT_ASSERT(a_done_only_when_valid, !plan_done_i || plan_valid_q)
    end
  end

endmodule
`default_nettype wire
