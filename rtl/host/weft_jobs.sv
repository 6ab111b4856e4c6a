// SPDX-License-Identifier: Apache-2.0
// The job processor: takes entries from the ring in memory, checks them, starts the stream, and
// ends the job - with a code when anything failed. Does not decode commands or move data: it steers
// weft_fetch and the engines' reset. On an error it stops decoding at once, lets started bursts
// finish (drain_o until dma_idle_i, or another watchdog period if memory never answers), resets the
// engines, reports, and halts until the host resumes. Between jobs, too, nothing may ask for
// memory: what was fetched ahead beyond an END is swallowed before the next job begins.
`default_nettype none
module weft_jobs (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // settings and actions of the host
    input  wire logic [39:0] ring_base_i,
    input  wire logic [3:0]  ring_log2_i,
    input  wire logic [31:0] ring_tail_i,
    input  wire logic [31:0] watchdog_i,
    input  wire logic [8*40-1:0] region_base_i,
    input  wire logic        abort_i,
    input  wire logic        resume_i,
    input  wire logic        reset_i,
    // state for the host
    output logic             busy_o,
    output logic             halted_o,
    output logic             set_done_o,
    output logic             set_error_o,
    output logic [31:0]      ring_head_o,
    output logic [31:0]      done_id_o,
    output logic [7:0]       error_code_o,
    output logic [31:0]      error_job_o,
    output logic [31:0]      error_command_o,
    output logic [39:0]      error_addr_o,
    // fetch: the ring entry first, then the stream
    output logic             fetch_start_o,
    output logic [39:0]      fetch_addr_o,
    output logic [31:0]      fetch_count_o,
    input  wire logic        cmd_valid_i,
    output logic             entry_ready_o,
    input  wire logic [weft_pkg::CommandBits-1:0] entry_i,  // words 0..7, then 8..15
    // engines
    output logic             running_o,       // the stream may be decoded
    output logic             job_active_o,    // from the doorbell to the end: counters run
    output logic             job_begin_o,     // clear the counters: a job begins, or all is forgotten
    output logic             engine_rst_no,
    output logic [8*40-1:0]  region_base_o,   // as taken when the job began
    input  wire logic        end_i,
    input  wire logic        progress_i,      // anything moved this cycle
    input  wire logic        error_i,         // something failed: code, index, address
    input  wire logic [7:0]  error_code_i,
    input  wire logic [31:0] error_command_i,
    input  wire logic [39:0] error_addr_i,
    output logic             drain_o,
    input  wire logic        dma_idle_i,
    output logic             awake_o
);
  typedef enum logic [2:0] {
    Idle, StartEntry, Entry, StartStream, Run, Drain, Halted
  } state_e;

  state_e      state_q;
  logic        half_q;                // the second half of the entry is next
  logic        reserved_q;            // a reserved word of the entry is not zero
  logic        abort_q;               // ABORT came between two jobs: it is for the next
  logic        reset_pending_q;       // CONTROL.RESET came and the bus is not quiet yet
  logic        resume_pending_q;      // RESUME came before the bus was quiet
  logic        reported_q;
  logic [31:0] head_q, job_id_q, hash_q, count_q, offset_q, region_q, slot;
  logic [31:0] still_q;               // cycles since anything moved
  logic [39:0] base_q;                // base of the stream's region, a cycle after it is known
  logic        progress_q;
  logic        begins, ends, forget, queued, fail, failed_access, timeout, entry_bad, stream_ok;
  logic [7:0]  fail_code;

  assign slot          = head_q & ((32'd1 << ring_log2_i) - 32'd1);
  assign queued        = ring_tail_i != head_q;
  assign begins        = state_q == Idle && !engine_rst_no && queued && dma_idle_i && !reset_i;
  assign ends          = state_q == Run && end_i;
  assign forget        = reset_i || reset_pending_q;
  assign halted_o      = (state_q == Halted || (state_q == Drain && reported_q))
                         && !reset_pending_q;
  assign busy_o        = ((state_q != Idle || queued) && !halted_o)
                         || (state_q == Drain && !dma_idle_i);
  assign ring_head_o   = head_q;
  assign running_o     = state_q == Run;
  assign job_active_o  = state_q != Idle && state_q != Halted;
  assign job_begin_o   = begins || reset_i || (state_q == Halted && forget);
  assign drain_o       = state_q == Drain || state_q == Halted || state_q == Idle;
  assign entry_ready_o = state_q == Entry;
  assign fetch_start_o = state_q == StartEntry || (state_q == StartStream && stream_ok);
  assign fetch_addr_o  = (state_q == StartEntry) ? ring_base_i + {2'b0, slot, 6'b0}
                                                 : base_q + {8'b0, offset_q};
  assign fetch_count_o = (state_q == StartEntry) ? 32'd2 : count_q;

  assign entry_bad = region_q > 32'd7 || |offset_q[5:0] || count_q == '0;
  assign stream_ok = hash_q == weft_pkg::ConfigHash && !reserved_q && !entry_bad;
  assign timeout   = watchdog_i != '0 && still_q >= watchdog_i;

  // A job runs and something moves: nothing happens here.
  assign awake_o = state_q != Run || !progress_i || still_q != '0 || ends || fail || error_i;

  always_comb begin
    fail          = 1'b1;
    failed_access = 1'b0;
    fail_code     = error_code_i;
    if (state_q == Idle || state_q == Drain || state_q == Halted || ends) begin
      fail = 1'b0;
    end else if (abort_i || abort_q || reset_i) begin
      fail_code = weft_pkg::ErrAborted;
    end else if (error_i) begin
      failed_access = 1'b1;
    end else if (timeout) begin
      fail_code = weft_pkg::ErrTimeout;
    end else if (state_q == StartStream && hash_q != weft_pkg::ConfigHash) begin
      fail_code = weft_pkg::ErrConfigMismatch;
    end else if (state_q == StartStream && reserved_q) begin
      fail_code = weft_pkg::ErrBadField;
    end else if (state_q == StartStream && entry_bad) begin
      fail_code = weft_pkg::ErrBadStream;
    end else begin
      fail = 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    set_done_o  <= 1'b0;
    set_error_o <= 1'b0;
    if (!rst_ni) begin
      state_q          <= Idle;
      head_q           <= '0;
      done_id_o        <= '0;
      error_code_o     <= '0;
      error_job_o      <= '0;
      error_command_o  <= '0;
      error_addr_o     <= '0;
      half_q           <= 1'b0;
      job_id_q         <= '0;
      abort_q          <= 1'b0;
      reset_pending_q  <= 1'b0;
      resume_pending_q <= 1'b0;
      reported_q       <= 1'b0;
      still_q          <= '0;
      progress_q       <= 1'b0;
      engine_rst_no    <= 1'b0;
    end else begin
      // From a register, it drives so much; a cycle late when a job has ended, when nothing runs.
      engine_rst_no <= begins || !(state_q == Idle || state_q == Halted
                                   || (state_q == Drain && dma_idle_i));
      base_q <= region_base_o[40*region_q[2:0] +: 40];
      progress_q <= progress_i;
      still_q <= (progress_q || fail || state_q == Idle) ? '0 : still_q + 32'(still_q != '1);
      case (state_q)
        Idle: begin
          half_q     <= 1'b0;
          reported_q <= 1'b0;
          if (begins) begin
            region_base_o <= region_base_i;
            state_q       <= StartEntry;
          end
        end
        StartEntry:   state_q <= Entry;
        Entry: if (cmd_valid_i) begin
          half_q <= !half_q;
          if (!half_q) begin
            job_id_q <= entry_i[32*weft_pkg::JobJobId +: 32];
            hash_q   <= entry_i[32*weft_pkg::JobConfigHash +: 32];
            region_q <= entry_i[32*weft_pkg::JobStreamRegion +: 32];
            offset_q <= entry_i[32*weft_pkg::JobStreamOffset +: 32];
            count_q  <= entry_i[32*weft_pkg::JobStreamCommands +: 32];
            reserved_q <= |entry_i[weft_pkg::CommandBits-1:32*(weft_pkg::JobStreamCommands+1)];
          end else begin
            reserved_q <= reserved_q || |entry_i;
            state_q <= StartStream;
          end
        end
        StartStream: state_q <= Run;
        Run: if (ends) begin
          state_q    <= Idle;
          head_q     <= head_q + 32'd1;
          done_id_o  <= job_id_q;
          set_done_o <= 1'b1;
        end
        Drain: begin
          if (!reported_q && (dma_idle_i || timeout)) begin
            reported_q <= 1'b1;
            if (!forget) begin
              set_error_o <= 1'b1;
              head_q      <= head_q + 32'd1;
              done_id_o   <= job_id_q;
            end
          end
          if (reported_q && dma_idle_i) state_q <= Halted;
        end
        default: ;
      endcase
      // The host may resume before the bus is quiet: it takes effect when it is.
      if (resume_i && halted_o) resume_pending_q <= 1'b1;
      if (state_q == Halted && (resume_pending_q || forget)) begin
        state_q          <= Idle;
        resume_pending_q <= 1'b0;
        reset_pending_q  <= 1'b0;
        error_code_o     <= weft_pkg::ErrNone;
        error_job_o      <= '0;
        error_command_o  <= '0;
        error_addr_o     <= '0;
      end
      abort_q <= (abort_i || abort_q) && !fail && (ends || (state_q == Idle && queued));
      if (fail) begin
        state_q         <= Drain;
        error_code_o    <= fail_code;
        error_job_o     <= job_id_q;
        error_command_o <= (state_q == Run) ? error_command_i : '0;
        error_addr_o    <= failed_access ? error_addr_i : '0;
      end
      if (reset_i) begin
        head_q          <= '0;
        set_done_o      <= 1'b0;
        error_code_o    <= weft_pkg::ErrNone;
        error_job_o     <= '0;
        error_command_o <= '0;
        error_addr_o    <= '0;
        abort_q         <= 1'b0;
        reset_pending_q <= state_q != Idle && state_q != Halted && !ends;
      end
    end
  end
endmodule
`default_nettype wire
