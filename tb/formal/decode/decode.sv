// SPDX-License-Identifier: Apache-2.0
//
// weft_decode against docs/commands.md, for all 2^256 commands and all that earlier commands can
// have left: legal exactly when the page says so, and with the right error code otherwise; the
// right engine and region. Bit positions and rules are written here from the page, not from
// weft_pkg. Combinational: one step is a proof (the second, as the runner wants a register).
`default_nettype none
module decode (
  input wire logic clk_i,
  input wire logic [255:0] cmd,
  input wire logic have_input,
  input wire logic have_output,
  input wire logic have_add,
  input wire logic pairs,          // the last SETUP_INPUT had mode 3
  input wire logic adds,
  input wire logic has_params,
  input wire logic per_tensor,
  input wire logic open,           // an accumulation, of a RUN with these
  input wire logic [7:0] pixels,
  input wire logic [15:0] channels
);
  localparam int unsigned Word = weft_pkg::WordBytes;
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned Ring = weft_pkg::WeightRing / weft_pkg::WeightWord;

  logic [2:0] engine, region;
  logic [7:0] error;
  weft_decode dut (
    .cmd_i(cmd), .have_input_i(have_input), .have_output_i(have_output), .have_add_i(have_add),
    .pairs_i(pairs), .adds_i(adds), .has_params_i(has_params), .per_tensor_i(per_tensor),
    .acc_open_i(open), .acc_pixels_i(pixels), .acc_channels_i(channels),
    .engine_o(engine), .error_o(error), .region_o(region)
  );

  // What docs/commands.md says. field: BAD_FIELD (2); address: BAD_ADDRESS (3).
  logic known, field, address, memory;
  logic [2:0] queue;               // 0 control, 1 load, 2 weights, 3 exec, 4 store
  logic [2:0] where;               // memory region, of commands that have one
  logic [39:0] from;
  logic signed [7:0] out_shift, out_low, out_high, sum_low, sum_high;
  logic signed [5:0] a_shift, b_shift, sum_shift;
  logic pairs_ok;                  // mode 3: configuration, rows, columns, pixels, alignment
  assign pairs_ok = Word == N && weft_pkg::WindowCols >= 3 &&
                    cmd[142:135] <= weft_pkg::WindowRows && cmd[159:143] == 3 &&
                    cmd[105:90] == N / 2 && cmd[126:106] == N &&
                    cmd[31:11] % N == 0 && cmd[52:32] % N == 0 && cmd[89:69] % N == 0;
  assign out_shift = cmd[89:82];
  assign out_low = cmd[105:98];
  assign out_high = cmd[113:106];
  assign a_shift = cmd[100:95];
  assign b_shift = cmd[146:141];
  assign sum_shift = cmd[184:179];
  assign sum_low = cmd[200:193];
  assign sum_high = cmd[208:201];

  always_comb begin
    known = 1'b1;
    field = 1'b0;
    address = 1'b0;
    memory = 1'b0;
    queue = 3'd0;
    where = cmd[10:8];
    from = cmd[50:11];
    case (cmd[7:0])
      8'h00: field = cmd[255:8] != 248'd0;                   // NOP
      8'h01: field = cmd[255:8] != 248'd0 || open;           // END
      8'h02: begin                                           // MARK
        queue = cmd[8] ? 3'd4 : 3'd3;
        memory = 1'b1;
        where = cmd[11:9];
        from = cmd[51:12];
        address = from % 64 != 0;
        field = cmd[255:68] != 188'd0;
      end
      8'h10, 8'h12: begin                                    // LOAD, STORE
        queue = (cmd[7:0] == 8'h10) ? 3'd1 : 3'd4;
        memory = 1'b1;
        address = from % Word != 0 || cmd[71:51] % Word != 0 || cmd[140:109] % Word != 0 ||
                  cmd[161:141] % Word != 0;
        field = cmd[87:72] < 1 || cmd[108:88] < 1 || cmd[255:213] != 43'd0;
      end
      8'h11: begin                                           // LOAD_WEIGHTS
        queue = 3'd2;
        memory = 1'b1;
        address = from % Word != 0 || cmd[66:51] > Ring;
        field = cmd[66:51] < 1 || cmd[255:67] != 189'd0;
      end
      8'h20: begin                                           // SETUP_INPUT
        queue = 3'd3;
        field = open || cmd[10:8] > 3 || (cmd[10:8] == 3 && !pairs_ok) || cmd[142:135] < 1 || cmd[159:143] < 1 ||
                cmd[255:168] != 88'd0;
      end
      8'h21: begin                                           // SETUP_OUTPUT
        queue = 3'd3;
        field = open || cmd[46:45] > 2 || (!cmd[48] && !cmd[47]) ||
                !(out_shift >= -31 && out_shift <= 31) || out_low > out_high ||
                cmd[255:114] != 142'd0;
      end
      8'h22: begin                                           // SETUP_ADD
        queue = 3'd3;
        field = open || a_shift < -31 || b_shift < -31 || sum_shift < -31 || sum_low > sum_high ||
                cmd[255:209] != 47'd0;
      end
      8'h28: begin                                           // RUN
        queue = 3'd3;
        field = !have_input || !have_output || cmd[99:92] < 1 || cmd[99:92] > weft_pkg::Stripe ||
                !(cmd[123:112] < cmd[111:100]) || cmd[219:204] < 1 || cmd[231:220] < 1 ||
                (!(cmd[8] && cmd[9]) && cmd[219:204] > weft_pkg::N) ||
                (pairs && (cmd[219:204] != N || cmd[231:220] != 1 || cmd[161:140] % (N / 2) != 0)) ||
                (cmd[12] && has_params) || (adds && cmd[9] && !have_add) ||
                (open ? cmd[8] || cmd[99:92] != pixels || cmd[219:204] != channels : !cmd[8]) ||
                cmd[255:232] != 24'd0;
      end
      8'h29: begin                                           // ELTWISE
        queue = 3'd3;
        field = open || !have_output || !have_add || !per_tensor || has_params ||
                cmd[75:68] < 1 || cmd[75:68] > weft_pkg::Stripe ||
                !(cmd[99:88] < cmd[87:76]) || cmd[178:163] < 1 || cmd[255:179] != 77'd0;
      end
      8'h2a: begin                                           // SOFTMAX
        queue = 3'd3;
        field = open || cmd[133:118] < 1 || cmd[255:134] != 122'd0;
      end
      default: known = 1'b0;
    endcase
  end

  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  always_comb if (started_q) begin
    a_code: assert (error == (!known ? 8'd1 : field ? 8'd2 : address ? 8'd3 : 8'd0));
    a_engine: assert (!known || engine == queue);
    a_memory: assert (!memory || region == where);

    c_bad_opcode: cover (error == 8'd1);
    c_bad_address: cover (error == 8'd3);
    c_field_before_address: cover (error == 8'd2 && address);
    c_nop: cover (error == 8'd0 && cmd[7:0] == 8'h00);
    c_end: cover (error == 8'd0 && cmd[7:0] == 8'h01);
    c_mark: cover (error == 8'd0 && cmd[7:0] == 8'h02 && cmd[8]);
    c_load: cover (error == 8'd0 && cmd[7:0] == 8'h10);
    c_load_weights: cover (error == 8'd0 && cmd[7:0] == 8'h11 && cmd[66:51] == Ring);
    c_store: cover (error == 8'd0 && cmd[7:0] == 8'h12);
    c_setup_input: cover (error == 8'd0 && cmd[7:0] == 8'h20);
    c_setup_pairs: cover (error == 8'd0 && cmd[7:0] == 8'h20 && cmd[10:8] == 3);
    c_run_pairs: cover (error == 8'd0 && cmd[7:0] == 8'h28 && pairs);
    c_setup_output: cover (error == 8'd0 && cmd[7:0] == 8'h21);
    c_setup_add: cover (error == 8'd0 && cmd[7:0] == 8'h22);
    c_run: cover (error == 8'd0 && cmd[7:0] == 8'h28 && cmd[9] && adds);
    c_run_opens: cover (error == 8'd0 && cmd[7:0] == 8'h28 && !cmd[9] && !open);
    c_run_closes: cover (error == 8'd0 && cmd[7:0] == 8'h28 && cmd[9] && open);
    c_eltwise: cover (error == 8'd0 && cmd[7:0] == 8'h29);
    c_softmax: cover (error == 8'd0 && cmd[7:0] == 8'h2a);
  end
endmodule
`default_nettype wire
