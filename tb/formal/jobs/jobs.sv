// SPDX-License-Identifier: Apache-2.0
//
// weft_jobs ends every job and tells the truth about it. Time is bounded by counters: with the
// watchdog on, a job is halted or done at most two watchdog periods and a few cycles after the last
// thing moved, whatever the memory and the engines do; only after RESET it waits for the bus. The first error stays until the host resumes
// or resets; the head never passes the tail; nothing starts while the bus is not quiet.
`default_nettype none
module jobs #(
  parameter int unsigned Watchdog = 4    // cycles
) (
  input wire logic         clk_i,
  input wire logic         rst_free_i,
  input wire logic [39:0]  ring_base_i,
  input wire logic [3:0]   ring_log2_i,
  input wire logic         ring_add_i,   // the host adds a job
  input wire logic         abort_i,
  input wire logic         resume_i,
  input wire logic         reset_i,
  input wire logic         cmd_valid_i,
  input wire logic [255:0] entry_i,
  input wire logic         end_i,
  input wire logic         progress_i,
  input wire logic         error_i,
  input wire logic [7:0]   error_code_i,
  input wire logic [31:0]  error_command_i,
  input wire logic [39:0]  error_addr_i,
  input wire logic         dma_idle_i
);

  logic started_q = 1'b0;
  logic rst_n;
  always_ff @(posedge clk_i) started_q <= 1'b1;
  assign rst_n = started_q && !rst_free_i;

  // The host: the tail only grows, by less than the ring holds; RESET clears it (weft_registers).
  logic [31:0] tail_q;
  logic busy, halted, set_done, set_error, running, active, engine_rst_n, drain, fetch_start;
  logic entry_ready, begins;
  logic [31:0] head, done_id, error_job, error_command;
  logic [7:0] error_code;
  logic [39:0] error_addr;
  always_ff @(posedge clk_i) begin
    if (!rst_n || reset_i) tail_q <= '0;
    else tail_q <= tail_q + 32'(ring_add_i);
    if (ring_add_i) m_ring_not_full: assume (tail_q - head < 32'd4);
  end

  weft_jobs u_jobs (
    .clk_i,
    .rst_ni(rst_n),
    .ring_base_i,
    .ring_log2_i,
    .ring_tail_i(tail_q),
    .watchdog_i(32'(Watchdog)),
    .region_base_i('0),
    .abort_i,
    .resume_i,
    .reset_i,
    .busy_o(busy),
    .halted_o(halted),
    .set_done_o(set_done),
    .set_error_o(set_error),
    .ring_head_o(head),
    .done_id_o(done_id),
    .error_code_o(error_code),
    .error_job_o(error_job),
    .error_command_o(error_command),
    .error_addr_o(error_addr),
    .fetch_start_o(fetch_start),
    .cmd_valid_i,
    .entry_ready_o(entry_ready),
    .entry_i,
    .running_o(running),
    .job_active_o(active),
    .job_begin_o(begins),
    .engine_rst_no(engine_rst_n),
    .end_i,
    .progress_i,
    .error_i,
    .error_code_i,
    .error_command_i,
    .error_addr_i,
    .drain_o(drain),
    .dma_idle_i
  );

  // The engines' side: an error has a code; with the engines stopped nothing moves for ever.
  always_ff @(posedge clk_i) if (error_i) m_error_has_code: assume (error_code_i != '0);

  logic [3:0] quiet_q;     // cycles of one job in which nothing moved and it has not ended
  logic [79:0] error_q;    // the error registers in the cycle before
  logic failed_q;          // they were set, and nobody has resumed or reset
  logic active_q, idle_q, reset_open_q;  // RESET came, and the bus has not been quiet since
  logic started_resume_q, resumed_q;  // RESUME came since the job failed; ever
  logic [31:0] head_q;
  always_ff @(posedge clk_i) begin
    error_q <= {error_code, error_job, error_addr};
    active_q <= rst_n && active && !reset_i;
    head_q <= head;
    failed_q <= rst_n && error_code != '0 && !reset_i && halted && !resume_i;
    reset_open_q <= rst_n && (reset_i || reset_open_q) && !(drain && dma_idle_i);
    idle_q <= rst_n && drain && dma_idle_i;
    if (idle_q) m_idle_while_drained: assume (dma_idle_i);  // proven of the AXI masters
    if (!rst_n || !active || halted || progress_i || reset_i || reset_open_q) quiet_q <= '0;
    else quiet_q <= quiet_q + 4'(quiet_q != '1);

    if (rst_n) begin
      a_ends_in_time: assert (quiet_q <= 4'(2 * Watchdog + 3));
      a_head_not_past_tail: assert (tail_q - head <= 32'd4);
      if (active_q && !reset_i) begin
        a_head_steps_with_end: assert (head == head_q || (head == head_q + 1'b1 &&
                                                         (set_done || set_error)));
      end
      a_done_or_error: assert (!(set_done && set_error));
      if (failed_q && !started_resume_q) begin
        a_first_error_stays: assert ({error_code, error_job, error_addr} == error_q);
      end
      if (set_error) a_error_is_reported: assert (error_code != '0 && halted);
      if (fetch_start) a_starts_undrained: assert (!drain && engine_rst_n);
      if (running) a_runs_undrained: assert (!drain && engine_rst_n);
      if (halted) a_halted_is_drained: assert (drain && !running);
      if (!busy && !halted) a_not_busy_is_idle: assert (!active && tail_q == head);
      c_done: cover (set_done);
      c_error: cover (set_error && error_code == weft_pkg::ErrReadError);
      c_timeout: cover (set_error && error_code == weft_pkg::ErrTimeout);
      c_resumed: cover (set_done && head == 32'd2 && resumed_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_n || reset_i || !halted) started_resume_q <= 1'b0;
    else if (resume_i) started_resume_q <= 1'b1;
    if (!rst_n) resumed_q <= 1'b0;
    else if (halted && resume_i) resumed_q <= 1'b1;
  end

endmodule
`default_nettype wire
