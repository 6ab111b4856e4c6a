// SPDX-License-Identifier: Apache-2.0
//
// Where the window of weft_window is: which columns the rotating buffer of C slots holds, which of
// them the next pixel of the beat issue_i uses (pick_o), and which leave or come in. ready_o says
// that those of the next pixel are there. Not here: the columns themselves. What take_i changes is
// worked out for both its values before: it comes late in the cycle, and so does push_o.
`default_nettype none
`include "common/weft_assert.svh"
`include "array/weft_feed_types.svh"
module weft_window_control #(
  parameter int unsigned C = weft_pkg::WindowCols
) (
  input  wire logic                        clk_i,
  input  wire logic                        rst_ni,
  input  wire logic [`WEFT_ISSUE_BITS-1:0] issue_i,
  input  wire logic [`WEFT_ISSUE_BITS-1:0] next_i,         // what issue_i will be
  input  wire logic                        beat_valid_i,   // issue_i is a beat of this unit
  input  wire logic                        beat_end_i,     // the next pixel is the beat's last
  output      logic                        ready_o,
  input  wire logic                        take_i,
  input  wire logic                        queued_i,       // a column waits to come in
  input  wire logic                        queued_last_i,  // and is the last of its band
  output      logic                        push_o,         // it does,
  output      logic [C-1:0]                tail_o,         // into this slot, one-hot
  output      logic [C*C-1:0]              pick_o,         // slot of window column k: k*C +: C
  output      logic                        idle_o
);

  localparam int unsigned SlotBits = $clog2(C);
  localparam int unsigned CountBits = $clog2(C + 1);

  `WEFT_ISSUE_TYPE

  /* verilator lint_off UNUSEDSIGNAL */  // some fields are for others
  issue_t issue, next;
  /* verilator lint_on UNUSEDSIGNAL */
  assign issue = issue_i;
  assign next = next_i;

  // Columns lie from slot head_q to before tail_o. Bit i of held_q: there are more than i of them;
  // of last_q: the i-th is the last of its band.
  logic [C-1:0] head_q, held_q, last_q;

  // The band of pixels the window is in. back_q: by how many columns the window's column 0 is left
  // of the buffer's oldest, or of where that will be; near_q: by 0 to 2^SlotBits - 1. short_q:
  // columns missing for the window, less one. edge_q: the next pixel is the band's last.
  logic signed [15:0] back_q;
  logic near_q;
  logic signed [16:0] short_q;
  logic [11:0] width_q;
  logic edge_q, band_end;
  assign band_end = edge_q || beat_end_i;

  // Of the buffered columns, those of this band: all, unless the last of a band is among them.
  logic [C-1:0] band;
  logic band_complete;
  always_comb begin
    band = held_q;
    for (int unsigned i = 1; i < C; i++) begin
      if (last_q[i-1] || !band[i-1]) band[i] = 1'b0;
    end
  end
  assign band_complete = last_q != '0;
  assign ready_o = band_complete || (!band_end && short_q[16]);

  // A new band or beat: its first window, with the columns that are there already.
  logic [C-1:0] kept;
  logic fresh_push;
  logic [CountBits-1:0] kept_cols;
  logic [15:0] fresh_back;
  logic signed [16:0] fresh_short;
  logic [11:0] fresh_width;
  assign kept = beat_valid_i ? held_q & ~band : held_q;
  assign fresh_push = queued_i && (beat_valid_i || !held_q[C-1]);
  always_comb begin
    kept_cols = CountBits'(fresh_push);
    for (int unsigned i = 0; i < C; i++) kept_cols = kept_cols + CountBits'(kept[i]);
    if (!beat_valid_i || beat_end_i) begin
      fresh_back = next.lead_first;
      fresh_short = 17'(next.cols) - 17'(next.lead_first) - 17'(kept_cols) - 17'd1;
      fresh_width = next.first_width;
    end else begin
      fresh_back = issue.lead_rest;
      fresh_short = 17'(issue.cols) - 17'(issue.lead_rest) - 17'(kept_cols) - 17'd1;
      fresh_width = issue.tile_width;
    end
  end

  // Columns the next pixel does not use leave; the last of the band stays as its mark, and no more
  // than one can be there when the window is further on. Bit i: the i-th leaves; when there is no
  // take (*_stay) and when there is one (*_on). A stride is less than 256 columns.
  logic [C-1:0] spare, gone_on;
  logic gone_stay;
  logic [CountBits-1:0] spare_cols;
  logic signed [15:0] back_on, back_none;  // with those the window skips gone; with all that can
  assign spare = band & ~last_q;
  assign gone_stay = beat_valid_i && back_q[15] && spare[0];
  assign back_on = back_q - 16'(issue.stride_cols);
  assign back_none = back_q - 16'(issue.stride_cols) + 16'(spare_cols);
  always_comb begin
    spare_cols = '0;
    for (int unsigned i = 0; i < C; i++) if (spare[i]) spare_cols = CountBits'(i + 1);
    for (int unsigned i = 0; i < C; i++) begin
      gone_on[i] = spare[i] && back_on[15] &&
          ((~back_on[7:SlotBits]) != '0 || (~back_on[SlotBits-1:0]) >= SlotBits'(i));
    end
    if (band_end) gone_on = band;
  end

  // Another column comes in where there is room. The buffer after that, for both.
  logic push_stay, push_on;
  logic [C-1:0] held_stay, held_on, last_stay, last_on, head_stay, head_on;
  logic leave;
  assign push_stay = queued_i && (!held_q[C-1] || gone_stay);
  assign push_on = queued_i && (!held_q[C-1] || band_end || (back_on[15] && spare[0]));
  assign push_o = take_i ? push_on : push_stay;
  always_comb begin
    held_stay = gone_stay ? held_q >> 1 : held_q;
    last_stay = gone_stay ? last_q >> 1 : last_q;
    head_stay = gone_stay ? {head_q[C-2:0], head_q[C-1]} : head_q;
    held_on = gone_on[0] ? '0 : held_q;
    last_on = gone_on[0] ? '0 : last_q;
    head_on = gone_on[0] ? '0 : head_q;
    for (int unsigned n = 1; n <= C; n++) begin  // n leave
      leave = gone_on[n-1] && (n == C || !gone_on[n % C]);
      held_on |= {C{leave}} & (held_q >> n);
      last_on |= {C{leave}} & (last_q >> n);
      for (int unsigned s = 0; s < C; s++) head_on[(s + n) % C] |= leave && head_q[s];
    end
    if (push_stay && queued_last_i) last_stay |= ~held_stay & C'({held_stay, 1'b1});
    if (push_on && queued_last_i) last_on |= ~held_on & C'({held_on, 1'b1});
    if (push_stay) held_stay = C'({held_stay, 1'b1});
    if (push_on) held_on = C'({held_on, 1'b1});
  end

  // Column k of the window is the i-th in the buffer if the window is k - i columns left of it.
  logic [C-1:0] left;
  always_comb begin
    for (int unsigned i = 0; i < C; i++) left[i] = near_q && back_q[SlotBits-1:0] == SlotBits'(i);
    pick_o = '0;
    for (int unsigned k = 0; k < C; k++) begin
      for (int unsigned i = 0; i <= k; i++) begin
        for (int unsigned s = 0; s < C; s++) begin
          pick_o[k*C + (s + i) % C] |= left[k - i] && band[i] && head_q[s];
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!beat_valid_i || (take_i && band_end)) begin
      back_q <= fresh_back;
      near_q <= fresh_back[15:SlotBits] == '0;
      short_q <= fresh_short;
      width_q <= fresh_width;
      edge_q <= fresh_width == 12'd1;
    end else if (take_i) begin
      // Once further on it is only the band's last column that is behind: no need to count.
      if (!back_q[15]) begin
        back_q <= !back_on[15] ? back_on : (back_none[15] ? back_none : 16'sd0);
        near_q <= !back_on[15] ? back_on[15:SlotBits] == '0 : !back_none[15];
      end
      short_q <= short_q + 17'(issue.stride_cols) - 17'(push_on);
      width_q <= width_q - 12'd1;
      edge_q <= width_q == 12'd2;
    end else begin
      if (gone_stay) begin
        back_q <= back_q + 16'sd1;
        near_q <= back_q == -16'sd1;
      end
      if (push_stay) short_q <= short_q - 17'sd1;
    end

    if (!rst_ni) begin
      head_q <= C'(1);
      tail_o <= C'(1);
      held_q <= '0;
      last_q <= '0;
    end else begin
      head_q <= take_i ? head_on : head_stay;
      if (push_o) tail_o <= {tail_o[C-2:0], tail_o[C-1]};
      held_q <= take_i ? held_on : held_stay;
      last_q <= take_i ? last_on : last_stay;
      `WEFT_ASSERT(a_take_when_ready, !take_i || ready_o)
      `WEFT_ASSERT(a_first_ones_held, ((held_q + 1'b1) & held_q) == '0)
      `WEFT_ASSERT(a_marks_of_held, (last_q & ~held_q) == '0)
      `WEFT_ASSERT(a_one_behind, !(beat_valid_i && back_q[15]) || (band >> 1) == '0)
      `WEFT_ASSERT(a_near, !beat_valid_i || near_q == (back_q[15:SlotBits] == '0))
      `WEFT_ASSERT(a_mark_ends_short, !(take_i && back_q[15]) || (band_complete && spare == '0))
    end
  end

  assign idle_o = held_q == '0;

endmodule
`default_nettype wire
