// SPDX-License-Identifier: Apache-2.0
// Runs execution commands through post-processing: for every block waits for its accumulator buffer
// and parameter record, then issues its rows to the requantiser pass by pass. Does no arithmetic on
// data. Between passes of one block it waits until the pipeline is empty (a row written back must
// be there before it is read again); blocks of a single pass follow each other without a gap, also
// those of successive RUNs: the next command is taken in while one is at work.
`default_nettype none
module weft_post_sequencer (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        cmd_valid_i,
    output logic             cmd_ready_o,
    input  wire logic [weft_pkg::CommandBits-1:0] cmd_i,
    input  wire logic [39:0] cmd_addr_i,
    input  wire logic [31:0] cmd_index_i,
    // accumulators
    input  wire logic [1:0]  acc_full_i,
    output logic             acc_rd_en_o,
    output logic             acc_rd_buf_o,
    output logic [6:0]       acc_rd_row_o,
    output logic [1:0]       acc_release_o,     // SOFTMAX gives its token back here
    output logic             acc_drain_valid_o, // the last pass through buffer acc_drain_buf_o
    output logic             acc_drain_buf_o,
    output logic [7:0]       acc_drain_rows_o,  // rows it will not read again
    // operand reader
    output logic             rd_start_o,
    output logic [20:0]      rd_base_o,
    output logic [20:0]      rd_pitch_o,
    output logic [8:0]       rd_bytes_o,
    output logic [15:0]      out_pixel_o,
    output logic [11:0]      tile_width_o,
    output logic [11:0]      tile_x_o,
    output logic [20:0]      tile_first_o,    // bytes from column 0 to the first pixel
    output logic [7:0]       pixels_o,
    input  wire logic        opd_valid_i,
    output logic             opd_pop_o,
    // parameters
    input  wire logic        prm_full_i,
    input  wire logic        prm_free_i,
    // requantiser
    output logic             rq_valid_o,
    input  wire logic        rq_ready_i,
    input  wire logic        rq_empty_i,
    output logic             rq_first_o,
    output logic             rq_src_operand_o,
    output logic             rq_use_bias_o,
    output logic             rq_per_channel_o,
    output logic             rq_final_o,
    output logic             rq_to_acc_o,
    output logic             rq_add_acc_o,
    output logic             rq_release_o,
    output logic             rq_last_o,
    output logic [1:0]       rq_rounding_o,
    output logic signed [8:0]  rq_offset_o,
    output logic signed [31:0] rq_mult_o,
    output logic signed [7:0]  rq_shift_o,
    output logic [4:0]       rq_left_o,
    output logic signed [7:0]  rq_zero_o,
    output logic signed [7:0]  rq_low_o,
    output logic signed [7:0]  rq_high_o,
    output logic [7:0]       rq_group_o,
    output logic [20:0]      rq_addr_o,
    output logic [weft_pkg::PostLanes-1:0] rq_mask_o,
    output logic [6:0]       rq_row_o,
    output logic             rq_buf_o,
    // softmax
    output logic             sm_start_o,
    input  wire logic        sm_busy_i,
    input  wire logic        sm_table_full_i,
    output logic [20:0]      sm_in_o,
    output logic [20:0]      sm_out_o,
    output logic [15:0]      sm_length_o,
    // marks
    input  wire logic        res_idle_i,
    output logic             mark_valid_o,
    input  wire logic        mark_ready_i,
    output logic [39:0]      mark_addr_o,
    output logic [15:0]      mark_layer_o,
    output logic [31:0]      index_o,         // of the command at work
    output logic             ev_busy_o,
    output logic             idle_o,
    output logic             awake_o
);
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned L = weft_pkg::PostLanes;
  localparam logic [7:0] LastGroup = 8'(N / L - 1);

  typedef enum logic [2:0] {
    Get, Block, PassStart, Issue, PassEnd, Softmax, SoftmaxEnd, Mark
  } state_e;
  // Passes of docs/architecture.md: convolution or requantise; operand a; operand b; their sum.
  typedef enum logic [1:0] { PassMain, PassA, PassB, PassSum } pass_e;

  state_e state_q;
  pass_e  pass_q, last_pass;
  weft_pkg::setup_output_t so_q;
  weft_pkg::setup_add_t    sa_q;

  // The next command; a cycle after it came, bytes from column 0 to its first pixel are there too.
  logic        next_valid_q, next_ready_q, take, follow;
  logic [weft_pkg::CommandBits-1:0] next_q;
  logic [39:0] next_addr_q;
  logic [31:0] next_index_q;
  logic [20:0] next_start_q;
  logic [11:0] next_tile_x;
  weft_pkg::run_t          run;
  weft_pkg::eltwise_t      elt;
  weft_pkg::softmax_t      smx;
  weft_pkg::mark_t         mark;
  assign run  = next_q;
  assign elt  = next_q;
  assign smx  = next_q;
  assign mark = next_q;
  assign next_tile_x = (next_q[7:0] == weft_pkg::OpEltwise) ? elt.tile_x : run.tile_x;

  // The command at work.
  logic        elt_q, add_q, buf_q, prm_pending_q;
  logic [7:0]  pixels_q;
  logic [11:0] tile_width_q, tile_x_q;
  logic [20:0] a_q, b_q, out_q, start_q;      // start_q: as next_start_q
  logic [15:0] channels_q;                    // left, from the present block on
  // Position within a pass.
  logic [7:0]  p_q, g_q;
  logic [15:0] group_first, channels_left;    // first channel of group g; channels from it on
  logic [11:0] x_q;
  logic [20:0] row_q, addr_q, next_row;

  logic fire, first_row, last_row, row_ends, last_block, need_params;
  logic block_ready, block_done, go_on, params_ready;

  assign last_block  = channels_q <= 16'(N);
  assign need_params = !elt_q && so_q.has_params;
  assign params_ready = !need_params || (prm_full_i && !prm_pending_q);
  assign block_ready = acc_full_i[buf_q] && params_ready;
  assign last_pass   = add_q ? PassSum : PassMain;
  assign row_ends    = x_q == tile_width_q - 12'd1;
  assign first_row   = (p_q == '0) && (g_q == '0);
  assign last_row    = (p_q == pixels_q - 8'd1) && (g_q == LastGroup);
  assign fire        = rq_valid_o && rq_ready_i;
  assign block_done  = fire && last_row && pass_q == last_pass;
  // The next block begins in the next cycle: it needs no operands, and everything is there. Not
  // after a block of one row: what it and the block before it give back is not yet seen here.
  assign go_on       = !elt_q && !add_q && !first_row && acc_full_i[!buf_q] && params_ready
                       && (!last_block || (next_ready_q && next_q[7:0] == weft_pkg::OpRun
                                           && run.acc_last));
  assign follow      = block_done && last_block && go_on;
  assign take        = (state_q == Get && next_ready_q) || follow;
  assign next_row    = row_q + so_q.out_pitch;

  assign rq_src_operand_o = (pass_q == PassB) || (elt_q && (pass_q == PassMain || pass_q == PassA));
  assign rq_valid_o = (state_q == Issue) && (!rq_src_operand_o || opd_valid_i);
  assign opd_pop_o  = fire && rq_src_operand_o && (g_q == LastGroup);

  assign acc_rd_en_o  = fire && !rq_src_operand_o;
  assign acc_rd_buf_o = buf_q;
  assign acc_rd_row_o = p_q[6:0];


  assign rq_first_o       = need_params && (pass_q == PassMain) && first_row;
  assign rq_use_bias_o    = need_params && (pass_q == PassMain);
  assign rq_per_channel_o = (pass_q == PassMain) && !so_q.per_tensor;
  assign rq_final_o       = (pass_q == PassMain) || (pass_q == PassSum);
  assign rq_to_acc_o      = pass_q != last_pass;
  assign rq_add_acc_o     = pass_q == PassB;
  assign rq_release_o     = last_row && (pass_q == last_pass);
  assign rq_last_o        = last_row && (pass_q == last_pass);
  assign rq_rounding_o    = so_q.rounding;
  assign rq_group_o       = g_q;
  assign rq_addr_o        = addr_q + 21'(32'(g_q) * L);
  assign rq_row_o         = p_q[6:0];
  assign rq_buf_o         = buf_q;
  assign group_first   = 16'(g_q) * 16'(L);
  assign channels_left = (channels_q > group_first) ? channels_q - group_first : '0;
  assign rq_mask_o     = (channels_left >= 16'(L)) ? '1 : ~({L{1'b1}} << channels_left);

  always_comb begin
    rq_offset_o = '0;
    rq_mult_o   = so_q.multiplier;
    rq_shift_o  = so_q.shift;
    rq_left_o   = '0;
    rq_zero_o   = so_q.zero_point;
    rq_low_o    = so_q.clamp_low;
    rq_high_o   = so_q.clamp_high;
    case (pass_q)
      PassMain: if (elt_q) rq_offset_o = -(9'(sa_q.a_zero_point));
      PassA: begin
        rq_offset_o = -(9'(sa_q.a_zero_point));
        rq_mult_o   = sa_q.a_multiplier;
        rq_shift_o  = 8'(sa_q.a_shift);
        rq_left_o   = sa_q.left_shift;
      end
      PassB: begin
        rq_offset_o = -(9'(sa_q.b_zero_point));
        rq_mult_o   = sa_q.b_multiplier;
        rq_shift_o  = 8'(sa_q.b_shift);
        rq_left_o   = sa_q.left_shift;
      end
      default: begin
        rq_mult_o  = sa_q.sum_multiplier;
        rq_shift_o = 8'(sa_q.sum_shift);
        rq_zero_o  = sa_q.sum_zero_point;
        rq_low_o   = sa_q.sum_clamp_low;
        rq_high_o  = sa_q.sum_clamp_high;
      end
    endcase
  end

  assign rd_start_o   = (state_q == PassStart) && rq_src_operand_o;
  assign rd_base_o    = (pass_q == PassB) ? b_q : a_q;
  assign rd_pitch_o   = (pass_q == PassB) ? sa_q.b_pitch : sa_q.a_pitch;
  assign rd_bytes_o   = last_block ? channels_q[8:0] : 9'(N);
  assign out_pixel_o  = so_q.out_pixel;
  assign tile_width_o = tile_width_q;
  assign tile_x_o     = tile_x_q;
  assign tile_first_o = start_q;
  assign pixels_o     = pixels_q;

  assign cmd_ready_o  = !next_valid_q;
  assign sm_start_o   = (state_q == Softmax) && acc_full_i[buf_q] && sm_table_full_i && rq_empty_i;
  assign sm_in_o      = a_q;
  assign sm_out_o     = out_q;
  assign sm_length_o  = channels_q;
  assign acc_release_o = (state_q == SoftmaxEnd && !sm_busy_i) ? (2'b01 << buf_q) : 2'b00;
  assign mark_valid_o = (state_q == Mark) && rq_empty_i && res_idle_i;
  assign ev_busy_o    = fire || sm_busy_i;
  assign idle_o       = (state_q == Get) && !next_valid_q && rq_empty_i;

  // Nothing changes without a command, and while a block is waited for.
  assign awake_o      = (cmd_valid_i && cmd_ready_o) || next_valid_q != next_ready_q
                        || !((state_q == Get && !next_valid_q)
                             || (state_q == Block && !block_ready));

  always_ff @(posedge clk_i) begin
    if (cmd_valid_i && cmd_ready_o) begin
      next_q       <= cmd_i;
      next_addr_q  <= cmd_addr_i;
      next_index_q <= cmd_index_i;
    end
    if (next_valid_q && !next_ready_q) begin
      next_start_q <= 21'(28'(next_tile_x) * 28'(so_q.out_pixel));
    end
    if (!rst_ni) begin
      next_valid_q <= 1'b0;
      next_ready_q <= 1'b0;
    end else begin
      if (cmd_valid_i && cmd_ready_o) next_valid_q <= 1'b1;
      else if (take) next_valid_q <= 1'b0;
      next_ready_q <= next_valid_q && !take;
    end
  end

  // A cycle late, so that these still hold when the last row is read and the release is on its way.
  always_ff @(posedge clk_i) begin
    acc_drain_valid_o <= rst_ni && (state_q == Issue) && !rq_src_operand_o
                         && (pass_q == last_pass);
    acc_drain_buf_o   <= buf_q;
    acc_drain_rows_o  <= p_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q       <= Get;
      buf_q         <= 1'b0;
      prm_pending_q <= 1'b0;
    end else begin
      if (fire && rq_first_o) prm_pending_q <= 1'b1;
      else if (prm_free_i) prm_pending_q <= 1'b0;
      case (state_q)
        Get: if (take) begin
          case (next_q[7:0])
            weft_pkg::OpRun:     if (run.acc_last) state_q <= Block;
            weft_pkg::OpEltwise: state_q <= Block;
            weft_pkg::OpSoftmax: state_q <= Softmax;
            weft_pkg::OpMark:    state_q <= Mark;
            default: ;
          endcase
        end
        Block: if (block_ready) state_q <= elt_q ? PassStart : Issue;
        PassStart: state_q <= Issue;
        Issue: if (fire && last_row) begin
          if (pass_q != last_pass) state_q <= PassEnd;
          else begin
            buf_q   <= !buf_q;
            state_q <= go_on ? Issue : last_block ? Get : Block;
          end
        end
        PassEnd: if (rq_empty_i) state_q <= PassStart;
        Softmax: if (sm_start_o) state_q <= SoftmaxEnd;
        SoftmaxEnd: if (!sm_busy_i) begin
          buf_q   <= !buf_q;
          state_q <= Get;
        end
        Mark: if (mark_valid_o && mark_ready_i) state_q <= Get;
        default: state_q <= Get;
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    // A block begins with its first pass, a pass with its first row.
    if (state_q == Block) pass_q <= (elt_q && add_q) ? PassA : PassMain;
    if (state_q == PassEnd && rq_empty_i) begin
      pass_q <= (pass_q == PassMain) ? PassA : (pass_q == PassA) ? PassB : PassSum;
    end
    if (state_q == Block || state_q == PassStart) begin
      p_q    <= '0;
      g_q    <= '0;
      x_q    <= tile_x_q;
      row_q  <= out_q;
      addr_q <= out_q + start_q;
    end else if (follow) begin
      p_q    <= '0;
      g_q    <= '0;
      x_q    <= run.tile_x;
      row_q  <= run.out_addr;
      addr_q <= run.out_addr + next_start_q;
    end else if (block_done) begin
      p_q    <= '0;
      g_q    <= '0;
      x_q    <= tile_x_q;
      row_q  <= out_q + 21'(N);
      addr_q <= out_q + start_q + 21'(N);
    end else if (fire) begin
      g_q <= (g_q == LastGroup) ? '0 : g_q + 8'd1;
      if (g_q == LastGroup) begin
        p_q    <= p_q + 8'd1;
        x_q    <= row_ends ? '0 : x_q + 12'd1;
        addr_q <= row_ends ? next_row : addr_q + 21'(so_q.out_pixel);
        if (row_ends) row_q <= next_row;
      end
    end
    if (block_done) begin
      a_q        <= a_q + 21'(N);
      b_q        <= b_q + 21'(N);
      out_q      <= out_q + 21'(N);
      channels_q <= channels_q - 16'(N);
    end
    if (take) begin
      index_o      <= next_index_q;
      mark_addr_o  <= next_addr_q;
      mark_layer_o <= mark.layer;
      start_q      <= next_start_q;
      case (next_q[7:0])
        weft_pkg::OpSetupOutput: so_q <= next_q;
        weft_pkg::OpSetupAdd:    sa_q <= next_q;
        weft_pkg::OpRun: begin
          elt_q        <= 1'b0;
          add_q        <= so_q.add;
          pixels_q     <= run.pixels;
          tile_width_q <= run.tile_width;
          tile_x_q     <= run.tile_x;
          a_q          <= '0;
          b_q          <= run.b_addr;
          out_q        <= run.out_addr;
          channels_q   <= run.channels;
        end
        weft_pkg::OpEltwise: begin
          elt_q        <= 1'b1;
          add_q        <= elt.add;
          pixels_q     <= elt.pixels;
          tile_width_q <= elt.tile_width;
          tile_x_q     <= elt.tile_x;
          a_q          <= elt.a_addr;
          b_q          <= elt.b_addr;
          out_q        <= elt.out_addr;
          channels_q   <= elt.channels;
        end
        weft_pkg::OpSoftmax: begin
          a_q        <= smx.in_addr;
          out_q      <= smx.out_addr;
          channels_q <= smx.length;
        end
        default: ;
      endcase
    end
  end
endmodule
`default_nettype wire
