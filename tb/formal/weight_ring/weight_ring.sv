// SPDX-License-Identifier: Apache-2.0
//
// The weight ring between its writer (weft_load_weights) and its reader (weft_weight_loader): any
// sequence of LOAD_WEIGHTS beside any sequence of execution commands, memory that takes and answers
// at any time, consumers that take at any time. Legal is assumed, as docs/commands.md has it: every
// word of a RUN or SOFTMAX lies less than a ring past what the commands before it released.
// Claimed: the loader reads exactly the words of its commands, as what they are, each when it is
// written and before it is overwritten, and releases what the commands say. Neither side waits
// without a reason: the loader only for words and consumers, the writer only for room and memory.
//
// The walk over a command's words and what it releases are here a second time, as the loops of
// commands.md; room and words that are there are counted from that, not by the blocks' counters.
`default_nettype none
module weight_ring (
  input wire logic                            clk_i,
  input wire logic                            rst_free_i,
  input wire logic                            load_valid_i,
  input wire logic [255:0]                    load_i,
  input wire logic [39:0]                     load_addr_i,
  input wire logic                            req_ready_i,
  input wire logic                            rsp_valid_i,
  input wire logic [8*weft_pkg::AxiBytes-1:0] rsp_data_i,
  input wire logic                            exec_valid_i,
  input wire logic [255:0]                    exec_i,
  input wire logic                            wb_ready_i,
  input wire logic                            prm_ready_i
);
  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned AxiBits = 8 * weft_pkg::AxiBytes;
  localparam int unsigned Word = weft_pkg::WeightWord;
  localparam int unsigned Ring = weft_pkg::WeightRing / Word;  // words
  localparam int unsigned RingBits = $clog2(Ring);
  localparam int unsigned Beats = Word / weft_pkg::AxiBytes;   // of a word
  localparam int unsigned WordBeatBits = $clog2(Beats);
  localparam int unsigned PosBits = 16 + WordBeatBits;
  localparam int unsigned BlockWords = weft_pkg::K * N / Word;
  localparam int unsigned Int32Words = (4 * N + Word - 1) / Word;
  localparam int unsigned ShiftWords = (N + Word - 1) / Word;
  localparam int unsigned RecordWords = 2 * Int32Words + ShiftWords;
  localparam int unsigned TableWords = 1024 / Word;
  localparam logic [PosBits-1:0] RingBeats = PosBits'(Ring * Beats);

  logic started_q = 1'b0;
  logic rst_n;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  logic load_ready, req_valid, wr_valid, exec_ready, rd_en, wb_valid, prm_valid, load_idle, idle;
  logic [20:0] req_bytes;
  logic [AxiBits-1:0] wr_data;
  logic [15:0] written, released;
  logic [RingBits-1:0] rd_addr;
  logic [8*Word-1:0] rd_data;
  weft_load_weights u_writer (
    .clk_i, .rst_ni(rst_n),
    .cmd_valid_i(load_valid_i), .cmd_ready_o(load_ready), .cmd_i(load_i),
    .cmd_addr_i(load_addr_i), .cmd_index_i(32'd0),
    .req_valid_o(req_valid), .req_ready_i, .req_addr_o(), .req_bytes_o(req_bytes),
    .rsp_valid_i, .rsp_ready_o(), .rsp_data_i,
    .ring_released_i(released), .ring_rd_en_i(rd_en), .ring_rd_addr_i(rd_addr),
    .urgent_o(), .ring_wr_valid_o(wr_valid), .ring_wr_data_o(wr_data),
    .idle_o(load_idle), .access_index_o()
  );
  weft_weight_ring u_ring (
    .clk_i, .rst_ni(rst_n),
    .wr_valid_i(wr_valid), .wr_data_i(wr_data), .written_o(written),
    .rd_en_i(rd_en), .rd_addr_i(rd_addr), .rd_data_o(rd_data)
  );
  weft_weight_loader u_loader (
    .clk_i, .rst_ni(rst_n),
    .cmd_valid_i(exec_valid_i), .cmd_ready_o(exec_ready), .cmd_i(exec_i),
    .ring_rd_en_o(rd_en), .ring_rd_addr_o(rd_addr), .ring_rd_data_i('0),
    .ring_written_i(written), .ring_released_o(released),
    .wb_valid_o(wb_valid), .wb_ready_i, .wb_data_o(),
    .prm_valid_o(prm_valid), .prm_ready_i, .prm_data_o(), .prm_table_o(), .prm_last_o(),
    .idle_o(idle)
  );

  // ---- Memory: owes a beat for each that was asked for.
  logic asks;
  logic [PosBits-1:0] asked, owed_q, come_q;  // come_q: beats since reset
  logic [15:0] come_pos;                      // the word that the next beat belongs to
  assign asks = req_valid && req_ready_i;
  assign asked = PosBits'(req_bytes >> $clog2(weft_pkg::AxiBytes));
  assign come_pos = come_q[WordBeatBits+:16];
  always_ff @(posedge clk_i) begin
    if (!rst_n) begin
      owed_q <= '0;
      come_q <= '0;
    end else begin
      owed_q <= owed_q + (asks ? asked : PosBits'(0)) - PosBits'(rsp_valid_i);
      come_q <= come_q + PosBits'(rsp_valid_i);
    end
  end

  // ---- Execution commands, as commands.md has them: the words of the one at work, in their order.
  weft_pkg::load_weights_t load;
  weft_pkg::setup_input_t setup_in;
  weft_pkg::setup_output_t setup_out;
  weft_pkg::run_t run;
  weft_pkg::softmax_t softmax;
  assign load = load_i;
  assign setup_in = exec_i;
  assign setup_out = exec_i;
  assign run = exec_i;
  assign softmax = exec_i;

  logic take, is_run, is_softmax;
  logic have_in_q, have_out_q, maximum_q, has_params_q, per_tensor_q;
  logic [15:0] run_blocks, run_record;
  logic [11:0] run_beats;
  assign take = exec_valid_i && exec_ready;
  assign is_run = run.opcode == weft_pkg::OpRun;
  assign is_softmax = run.opcode == weft_pkg::OpSoftmax;
  assign run_blocks = run.weights_shared ? 16'd1
                      : 16'((17'(run.channels) + 17'(N - 1)) / 17'(N));
  assign run_beats = maximum_q ? 12'd0 : run.weights_shared ? 12'd1 : run.beats;
  assign run_record = !(has_params_q && run.acc_last) ? 16'd0
                      : per_tensor_q ? 16'(Int32Words) : 16'(RecordWords);

  logic more_q, record_q;              // a word is to be read; it is one of a record or table
  logic stream_q, release_q, table_q;
  logic [15:0] blocks_q, block_q, record_words_q, word_q, pos_q, base_q, released_q;
  logic [11:0] beats_q, beat_q;
  logic unit_ends, beats_end, block_ends, ends;
  assign unit_ends = word_q + 16'd1 == (record_q ? record_words_q : 16'(BlockWords));
  assign beats_end = unit_ends && !record_q && beat_q + 12'd1 == beats_q;
  assign block_ends = unit_ends && (record_q || (beats_end && record_words_q == 16'd0));
  assign ends = block_ends && block_q + 16'd1 == blocks_q;
  always_ff @(posedge clk_i) begin
    if (take) begin
      if (run.opcode == weft_pkg::OpSetupInput) maximum_q <= setup_in.mode == 3'd2;
      if (run.opcode == weft_pkg::OpSetupOutput) begin
        has_params_q <= setup_out.has_params;
        per_tensor_q <= setup_out.per_tensor;
      end
      block_q <= 16'd0;
      beat_q <= 12'd0;
      word_q <= 16'd0;
      blocks_q <= is_run ? run_blocks : 16'd1;
      beats_q <= is_run ? run_beats : 12'd0;
      record_words_q <= is_run ? run_record : 16'(TableWords);
      record_q <= is_run ? run_beats == 12'd0 : 1'b1;
      table_q <= is_softmax;
      stream_q <= is_run && run.weights_stream;
      release_q <= is_run ? run.weights_release : softmax.weights_release;
      pos_q <= is_run ? run.weights_pos : softmax.weights_pos;
      base_q <= released_q;
    end else if (rd_en) begin
      pos_q <= pos_q + 16'd1;
      word_q <= unit_ends ? 16'd0 : word_q + 16'd1;
      if (unit_ends && !record_q) beat_q <= beats_end ? 12'd0 : beat_q + 12'd1;
      if (beats_end && !block_ends) record_q <= 1'b1;
      if (block_ends) begin
        record_q <= beats_q == 12'd0;
        block_q <= block_q + 16'd1;
      end
    end
    if (!rst_n) begin
      have_in_q <= 1'b0;
      have_out_q <= 1'b0;
      more_q <= 1'b0;
      released_q <= 16'd0;
    end else if (take) begin
      if (run.opcode == weft_pkg::OpSetupInput) have_in_q <= 1'b1;
      if (run.opcode == weft_pkg::OpSetupOutput) have_out_q <= 1'b1;
      more_q <= is_softmax || (is_run && (run_beats != 12'd0 || run_record != 16'd0));
    end else if (rd_en) begin
      if (ends) more_q <= 1'b0;
      if (stream_q || (ends && release_q)) released_q <= pos_q + 16'd1;
    end
  end

  // ---- Where both sides are.
  logic [PosBits-1:0] filled;          // beats in the ring
  logic [15:0] there, ahead;           // words in the ring; those before the next to be read
  assign filled = come_q - (PosBits'(released_q) << WordBeatBits);
  assign there = 16'(filled >> WordBeatBits);
  assign ahead = pos_q - released_q;

  // ---- The words that come to one address of the ring, and what the loader gets from there.
  (* hierconn *) wire [RingBits-1:0] \u_ring.u_ram.address ;
  logic here, got_q, record_got_q, table_got_q, last_got_q, watched_got_q;
  logic [15:0] here_pos_q;             // the last word that came here,
  logic [8*Word-1:0] here_q, expected_q;
  logic [$clog2(Beats+1)-1:0] lane;
  assign lane = ($clog2(Beats + 1))'(come_q & PosBits'(Beats - 1));
  assign here = rsp_valid_i && come_pos[RingBits-1:0] == \u_ring.u_ram.address ;
  always_ff @(posedge clk_i) begin
    for (int unsigned b = 0; b < Beats; b++) begin
      if (here && 32'(lane) == b) here_q[b*AxiBits+:AxiBits] <= rsp_data_i;
    end
    if (here) here_pos_q <= come_pos;
    got_q <= rst_n && rd_en;
    record_got_q <= record_q;
    table_got_q <= table_q;
    last_got_q <= unit_ends;
    watched_got_q <= pos_q[RingBits-1:0] == \u_ring.u_ram.address ;
    expected_q <= here_q;
  end

  // ---- Cycles in which one could have gone on, and did not. Others do not count, nor excuse.
  logic [7:0] inside_q;                // words read and not delivered
  logic [1:0] read_waits_q, deliver_waits_q, ask_waits_q;
  logic delivers, can_read, can_ask;
  logic [PosBits-1:0] left;            // beats of the LOAD_WEIGHTS at work, not yet asked for
  (* hierconn *) wire \u_writer.ask_q ;
  (* hierconn *) wire [PosBits-1:0] \u_writer.left_q ;
  assign left = \u_writer.ask_q ? \u_writer.left_q + PosBits'(1) : PosBits'(0);
  assign delivers = (wb_valid && wb_ready_i) || (prm_valid && prm_ready_i);
  assign can_read = more_q && there > ahead && wb_ready_i && prm_ready_i;
  assign can_ask = (load_valid_i || left != '0) && req_ready_i && (owed_q == '0 || rsp_valid_i) &&
    filled + owed_q + left <= RingBeats;
  always_ff @(posedge clk_i) begin
    if (!rst_n || rd_en || !more_q) read_waits_q <= 2'd0;
    else if (can_read) read_waits_q <= read_waits_q + 2'd1;
    if (!rst_n || delivers || inside_q == 8'd0) deliver_waits_q <= 2'd0;
    else if (wb_ready_i && prm_ready_i) deliver_waits_q <= deliver_waits_q + 2'd1;
    if (!rst_n || asks || rsp_valid_i) ask_waits_q <= 2'd0;
    else if (can_ask) ask_waits_q <= ask_waits_q + 2'd1;
    if (!rst_n) inside_q <= 8'd0;
    else inside_q <= inside_q + 8'(rd_en) - 8'(wb_valid && wb_ready_i)
                     - 8'(prm_valid && prm_ready_i);
  end

  // ---- The mark that the word read in the cycle before gets on its way.
  (* hierconn *) wire \u_loader.back_prm_q , \u_loader.back_table_q , \u_loader.back_last_q ;

  always_comb if (rst_n) begin
    m_load: assume (load.words != 16'd0 && load.words <= 16'(Ring));
    m_load_aligned: assume (load_addr_i[$clog2(weft_pkg::AxiBytes)-1:0] == '0);
    m_answers: assume (!rsp_valid_i || owed_q != '0);
    m_run: assume (!is_run || (have_in_q && have_out_q && run.channels != 16'd0 &&
      run.beats != 12'd0 && !(run.weights_shared && has_params_q)));
    m_legal: assume (!more_q || 16'(pos_q - base_q) < 16'(Ring));

    a_words_of_command: assert (!rd_en || (more_q && rd_addr == pos_q[RingBits-1:0]));
    a_reads_what_is_there: assert (!rd_en || there > ahead);
    a_writes_where_released: assert (!rsp_valid_i || filled < RingBeats);
    a_released: assert (released == released_q);
    a_unchanged: assert (!got_q || !watched_got_q || rd_data == expected_q);
    a_as_what_it_is: assert (!got_q || (\u_loader.back_prm_q == record_got_q &&
      \u_loader.back_table_q == table_got_q && \u_loader.back_last_q == last_got_q));
    a_idle: assert (!idle || (!more_q && inside_q == 8'd0));
    a_read_waits: assert (read_waits_q < 2'd3);
    a_deliver_waits: assert (deliver_waits_q < 2'd3);
    a_ask_waits: assert (ask_waits_q < 2'd2);

    c_full: cover (filled == RingBeats && !load_idle);
    c_waits_for_word: cover (more_q && there == ahead && word_q != 16'd0);
    c_streams: cover (stream_q && rd_en && filled + owed_q == RingBeats);
    c_second_round: cover (rd_en && pos_q == 16'(Ring));
    c_blocks: cover (rd_en && ends && block_q == 16'd1 && record_words_q != 16'd0);
    c_overwritten: cover (got_q && watched_got_q && here_pos_q >= 16'(Ring));
    c_shared: cover (rd_en && ends && beats_q != 12'd0 && record_words_q == 16'd0);
  end
endmodule
`default_nettype wire
