// SPDX-License-Identifier: Apache-2.0
//
// Follows the exec commands beside the feed and streams what they use out of the weight ring:
// weight blocks to the array's shadow (wb_*), parameter records and softmax tables to post (prm_*,
// prm_last_o with the last word of each), in ring order, ahead of their use. A word is read once
// ring_written_i says it is there; ring_released_o tells the weights engine which words may be
// overwritten. A small queue covers the ring's read latency, so blocks follow one another without a
// gap; another holds a whole record, so that weights behind it need not wait until post has
// finished with the record before.
`default_nettype none
`include "common/weft_assert.svh"
module weft_weight_loader #(
  parameter int unsigned RingWords = weft_pkg::WeightRing / weft_pkg::WeightWord
) (
  input  wire logic                              clk_i,
  input  wire logic                              rst_ni,
  input  wire logic                              cmd_valid_i,
  output      logic                              cmd_ready_o,
  input  wire logic [255:0]                      cmd_i,
  output      logic                              ring_rd_en_o,
  output      logic [$clog2(RingWords)-1:0]      ring_rd_addr_o,
  input  wire logic [8*weft_pkg::WeightWord-1:0] ring_rd_data_i,
  input  wire logic [15:0]                       ring_written_i,
  output      logic [15:0]                       ring_released_o,
  output      logic                              wb_valid_o,
  input  wire logic                              wb_ready_i,
  output      logic [8*weft_pkg::WeightWord-1:0] wb_data_o,
  output      logic                              prm_valid_o,
  input  wire logic                              prm_ready_i,
  output      logic [8*weft_pkg::WeightWord-1:0] prm_data_o,
  output      logic                              prm_table_o,
  output      logic                              prm_last_o,
  output      logic                              idle_o
);

  localparam int unsigned N = weft_pkg::N;
  localparam int unsigned WordBytes = weft_pkg::WeightWord;
  localparam int unsigned BlockWords = weft_pkg::K * N / WordBytes;
  localparam int unsigned Int32Words = (4 * N + WordBytes - 1) / WordBytes;
  localparam int unsigned ShiftWords = (N + WordBytes - 1) / WordBytes;
  localparam int unsigned TableWords = 1024 / WordBytes;
  localparam int unsigned QueueDepth = 3;
  localparam int unsigned RecordWords = 2 * Int32Words + ShiftWords;
  localparam int unsigned LoopBits = 16;

  /* verilator lint_off UNUSEDSIGNAL */  // other fields are the feed's and post's
  weft_pkg::setup_input_t cmd_setup;
  weft_pkg::setup_output_t cmd_output;
  weft_pkg::run_t cmd_run;
  weft_pkg::softmax_t cmd_softmax;
  /* verilator lint_on UNUSEDSIGNAL */
  assign cmd_setup = cmd_i;
  assign cmd_output = cmd_i;
  assign cmd_run = cmd_i;
  assign cmd_softmax = cmd_i;

  logic no_weights_q, has_params_q, per_tensor_q;

  // The command in work: `blocks` times (`beats` weight blocks, then `tail` words for post).
  logic busy_q, stream_q, release_q, table_q;
  logic [15:0] pos_q, released_q;
  logic [15:0] blocks_q;
  logic [11:0] beats_q, beats_left_q;
  logic [LoopBits-1:0] tail_q, words_left_q;
  logic in_tail_q;

  logic take, is_run, is_softmax;
  assign cmd_ready_o = !busy_q;
  assign take = cmd_valid_i && cmd_ready_o;
  assign is_run = cmd_i[7:0] == weft_pkg::OpRun;
  assign is_softmax = cmd_i[7:0] == weft_pkg::OpSoftmax;

  logic [LoopBits-1:0] run_tail;
  always_comb begin
    run_tail = '0;
    if (has_params_q && cmd_run.acc_last) begin
      run_tail = per_tensor_q ? LoopBits'(Int32Words) : LoopBits'(RecordWords);
    end
  end

  // One word a cycle, when it is there and has a place in the queue.
  logic read, last_word, last_unit, no_work;
  logic [1:0] places_q;
  /* verilator lint_off UNUSEDSIGNAL */  // only the sign matters
  logic [15:0] ahead;
  /* verilator lint_on UNUSEDSIGNAL */
  logic queue_pop;
  assign ahead = ring_written_i - pos_q - 16'd1;
  assign no_work = beats_q == 12'd0 && tail_q == '0;
  assign read = busy_q && !no_work && places_q != 2'd0 && !ahead[15];
  assign last_word = words_left_q == LoopBits'(1);
  assign last_unit = in_tail_q || (beats_left_q == 12'd1 && tail_q == '0);
  assign ring_rd_en_o = read;
  assign ring_rd_addr_o = pos_q[$clog2(RingWords)-1:0];
  assign ring_released_o = released_q;

  logic [15:0] blocks;
  assign blocks = 16'((17'(cmd_run.channels) + 17'(N - 1)) / 17'(N));

  always_ff @(posedge clk_i) begin
    if (take) begin
      if (cmd_i[7:0] == weft_pkg::OpSetupInput) no_weights_q <= cmd_setup.mode == 3'd2;
      if (cmd_i[7:0] == weft_pkg::OpSetupOutput) begin
        has_params_q <= cmd_output.has_params;
        per_tensor_q <= cmd_output.per_tensor;
      end
      stream_q <= is_run && cmd_run.weights_stream;
      release_q <= is_run ? cmd_run.weights_release : cmd_softmax.weights_release;
      table_q <= is_softmax;
      pos_q <= is_run ? cmd_run.weights_pos : cmd_softmax.weights_pos;
      if (is_run) begin
        blocks_q <= cmd_run.weights_shared ? 16'd1 : blocks;
        beats_q <= no_weights_q ? 12'd0 : (cmd_run.weights_shared ? 12'd1 : cmd_run.beats);
        beats_left_q <= cmd_run.weights_shared ? 12'd1 : cmd_run.beats;
        tail_q <= run_tail;
        in_tail_q <= no_weights_q;
        words_left_q <= no_weights_q ? run_tail : LoopBits'(BlockWords);
      end else begin
        blocks_q <= 16'd1;
        beats_q <= 12'd0;
        tail_q <= LoopBits'(TableWords);
        in_tail_q <= 1'b1;
        words_left_q <= LoopBits'(TableWords);
      end
    end else if (read) begin
      pos_q <= pos_q + 16'd1;
      words_left_q <= words_left_q - LoopBits'(1);
      if (last_word) begin
        words_left_q <= LoopBits'(BlockWords);
        if (in_tail_q || last_unit) begin
          blocks_q <= blocks_q - 16'd1;
          beats_left_q <= beats_q;
          in_tail_q <= beats_q == 12'd0;
          if (beats_q == 12'd0) words_left_q <= tail_q;
        end else begin
          beats_left_q <= beats_left_q - 12'd1;
          if (beats_left_q == 12'd1) begin
            in_tail_q <= 1'b1;
            words_left_q <= tail_q;
          end
        end
      end
    end

    if (!rst_ni) begin
      busy_q <= 1'b0;
      released_q <= 16'd0;
    end else begin
      if (take) busy_q <= is_run || is_softmax;
      else if (busy_q && no_work) busy_q <= 1'b0;  // what reads no word releases none
      else if (read) begin
        if (stream_q) released_q <= pos_q + 16'd1;
        if (last_word && last_unit && blocks_q == 16'd1) begin
          busy_q <= 1'b0;
          if (release_q) released_q <= pos_q + 16'd1;
        end
      end
    end
  end

  // The ring answers a cycle later, into the queue.
  logic back_valid_q, back_prm_q, back_table_q, back_last_q;
  logic queue_valid, queue_push_ready, queue_prm, queue_table, queue_last, record_ready;
  always_ff @(posedge clk_i) begin
    back_prm_q <= in_tail_q;
    back_table_q <= table_q;
    back_last_q <= last_word;
    if (!rst_ni) begin
      back_valid_q <= 1'b0;
      places_q <= 2'(QueueDepth);
    end else begin
      back_valid_q <= read;
      places_q <= places_q - 2'(read) + 2'(queue_pop);
      `WEFT_ASSERT(a_queue_has_room, !back_valid_q || queue_push_ready)
    end
  end
  weft_fifo #(.Width(3 + 8 * WordBytes), .Depth(QueueDepth)) u_queue (
    .clk_i, .rst_ni,
    .valid_i(back_valid_q), .ready_o(queue_push_ready),
    .data_i({back_prm_q, back_table_q, back_last_q, ring_rd_data_i}),
    .valid_o(queue_valid), .ready_i(queue_prm ? record_ready : wb_ready_i),
    .data_o({queue_prm, queue_table, queue_last, wb_data_o})
  );
  weft_fifo #(.Width(2 + 8 * WordBytes), .Depth(RecordWords)) u_record (
    .clk_i, .rst_ni,
    .valid_i(queue_valid && queue_prm), .ready_o(record_ready),
    .data_i({queue_table, queue_last, wb_data_o}),
    .valid_o(prm_valid_o), .ready_i(prm_ready_i),
    .data_o({prm_table_o, prm_last_o, prm_data_o})
  );
  assign queue_pop = queue_valid && (queue_prm ? record_ready : wb_ready_i);
  assign wb_valid_o = queue_valid && !queue_prm;
  assign idle_o = !busy_q && !back_valid_q && !queue_valid && !prm_valid_o;

endmodule
`default_nettype wire
