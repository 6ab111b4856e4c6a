// SPDX-License-Identifier: Apache-2.0
// Decides whether a command is legal and which engine it is for. Combinational. Does not check
// addresses that only arise while a command runs (the engines do) nor the order of waits (the
// functional model does). What depends on earlier commands comes from the dispatcher: which setups
// there were (have_*_i), what the last ones said (pairs_i: mode 3 of SETUP_INPUT; adds_i,
// has_params_i, per_tensor_i: SETUP_OUTPUT), and whether an accumulation is open (acc_open_i) and
// what its RUNs must repeat.
`default_nettype none
module weft_decode (
    input  wire logic [weft_pkg::CommandBits-1:0] cmd_i,
    input  wire logic have_input_i,
    input  wire logic have_output_i,
    input  wire logic have_add_i,
    input  wire logic pairs_i,
    input  wire logic adds_i,
    input  wire logic has_params_i,
    input  wire logic per_tensor_i,
    input  wire logic acc_open_i,
    input  wire logic [7:0]  acc_pixels_i,
    input  wire logic [15:0] acc_channels_i,
    output logic [2:0] engine_o,     // see Engine* below
    output logic [7:0] error_o,      // an error code, ErrNone if legal
    output logic [2:0] region_o
);
  localparam logic [2:0] EngineControl = 3'd0;
  localparam logic [2:0] EngineLoad    = 3'd1;
  localparam logic [2:0] EngineWeights = 3'd2;
  localparam logic [2:0] EngineExec    = 3'd3;
  localparam logic [2:0] EngineStore   = 3'd4;
  localparam int unsigned Align = $clog2(weft_pkg::WordBytes);
  localparam int unsigned RingWords = weft_pkg::WeightRing / weft_pkg::WeightWord;
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned PairBits = $clog2(N);
  localparam bit HasPairs = weft_pkg::WordBytes == N && weft_pkg::WindowCols >= 3;

  weft_pkg::mark_t         mark;
  weft_pkg::load_t         load;
  weft_pkg::load_weights_t weights;
  weft_pkg::store_t        store;
  weft_pkg::setup_input_t  setup_in;
  weft_pkg::setup_output_t setup_out;
  weft_pkg::setup_add_t    setup_add;
  weft_pkg::run_t          run;
  weft_pkg::eltwise_t      elt;
  weft_pkg::softmax_t      smax;
  assign mark      = cmd_i;
  assign load      = cmd_i;
  assign weights   = cmd_i;
  assign store     = cmd_i;
  assign setup_in  = cmd_i;
  assign setup_out = cmd_i;
  assign setup_add = cmd_i;
  assign run       = cmd_i;
  assign elt       = cmd_i;
  assign smax      = cmd_i;

  logic bad_field, bad_address, bad_pairs;
  assign bad_pairs = !HasPairs || setup_in.kernel_rows > 8'(weft_pkg::WindowRows)
                     || setup_in.kernel_span != 17'd3 || setup_in.pixel_bytes != 16'(N / 2)
                     || setup_in.step_bytes != 21'(N) || |setup_in.in_addr[PairBits-1:0]
                     || |setup_in.in_pitch[PairBits-1:0] || |setup_in.in_row_bytes[PairBits-1:0];

  always_comb begin
    engine_o    = EngineControl;
    bad_field   = 1'b0;
    bad_address = 1'b0;
    error_o     = weft_pkg::ErrNone;
    region_o    = load.region;
    case (cmd_i[7:0])
      weft_pkg::OpNop: bad_field = |cmd_i[weft_pkg::CommandBits-1:8];
      weft_pkg::OpEnd: bad_field = |cmd_i[weft_pkg::CommandBits-1:8] || acc_open_i;
      weft_pkg::OpMark: begin
        engine_o    = mark.store_engine ? EngineStore : EngineExec;
        region_o    = mark.region;
        bad_field   = |mark.reserved;
        bad_address = |mark.offset[5:0];
      end
      weft_pkg::OpLoad: begin
        engine_o    = EngineLoad;
        bad_field   = |load.reserved || load.rows == '0 || load.row_bytes == '0;
        bad_address = |load.offset[Align-1:0] || |load.spad_addr[Align-1:0]
                      || |load.mem_pitch[Align-1:0] || |load.spad_pitch[Align-1:0];
      end
      weft_pkg::OpLoadWeights: begin
        engine_o    = EngineWeights;
        region_o    = weights.region;
        bad_field   = |weights.reserved || weights.words == '0;
        bad_address = |weights.offset[Align-1:0] || 32'(weights.words) > RingWords;
      end
      weft_pkg::OpStore: begin
        engine_o    = EngineStore;
        region_o    = store.region;
        bad_field   = |store.reserved || store.rows == '0 || store.row_bytes == '0;
        bad_address = |store.offset[Align-1:0] || |store.spad_addr[Align-1:0]
                      || |store.mem_pitch[Align-1:0] || |store.spad_pitch[Align-1:0];
      end
      weft_pkg::OpSetupInput: begin
        engine_o  = EngineExec;
        bad_field = |setup_in.reserved || acc_open_i || setup_in.mode > 3'd3
                    || (setup_in.mode == 3'd3 && bad_pairs)
                    || setup_in.kernel_rows == '0 || setup_in.kernel_span == '0;
      end
      weft_pkg::OpSetupOutput: begin
        engine_o  = EngineExec;
        bad_field = |setup_out.reserved || acc_open_i || setup_out.rounding > 2'd2
                    || (!setup_out.has_params && !setup_out.per_tensor)
                    || setup_out.shift < -8'sd31 || setup_out.shift > 8'sd31
                    || setup_out.clamp_low > setup_out.clamp_high;
      end
      weft_pkg::OpSetupAdd: begin
        engine_o  = EngineExec;
        bad_field = |setup_add.reserved || acc_open_i || setup_add.a_shift == -6'sd32
                    || setup_add.b_shift == -6'sd32 || setup_add.sum_shift == -6'sd32
                    || setup_add.sum_clamp_low > setup_add.sum_clamp_high;
      end
      weft_pkg::OpRun: begin
        engine_o  = EngineExec;
        bad_field = |run.reserved || !have_input_i || !have_output_i
                    || run.pixels == '0 || run.pixels > 8'(weft_pkg::Stripe)
                    || run.tile_x >= run.tile_width || run.channels == '0 || run.beats == '0
                    || ((!run.acc_first || !run.acc_last) && run.channels > 16'(weft_pkg::N))
                    || run.acc_first == acc_open_i
                    || (acc_open_i && run.pixels != acc_pixels_i)
                    || (acc_open_i && run.channels != acc_channels_i)
                    || (pairs_i && (run.channels != 16'(N) || run.beats != 12'd1
                                    || |run.in_x[PairBits-2:0]))
                    || (run.weights_shared && has_params_i)
                    || (run.acc_last && adds_i && !have_add_i);
      end
      weft_pkg::OpEltwise: begin
        engine_o  = EngineExec;
        bad_field = |elt.reserved || acc_open_i || !have_output_i || !have_add_i || has_params_i
                    || !per_tensor_i
                    || elt.pixels == '0 || elt.pixels > 8'(weft_pkg::Stripe)
                    || elt.tile_x >= elt.tile_width || elt.channels == '0;
      end
      weft_pkg::OpSoftmax: begin
        engine_o  = EngineExec;
        bad_field = |smax.reserved || acc_open_i || smax.length == '0;
      end
      default: error_o = weft_pkg::ErrBadOpcode;
    endcase
    if (bad_address) error_o = weft_pkg::ErrBadAddress;
    if (bad_field) error_o = weft_pkg::ErrBadField;
  end
endmodule
`default_nettype wire
