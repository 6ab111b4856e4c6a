// SPDX-License-Identifier: Apache-2.0
//
// weft_waits compares the full counts of retired work, of which it sees 16 bits, exactly as long as
// a count and its wait are less than 2^15 apart - and once it has said yes it never takes it back.
`default_nettype none
module waits (
  input wire logic       clk_i,
  input wire logic [2:0] retire_i  // loads, execution blocks, stores that retire in this cycle
);

  logic started_q = 1'b0;
  always_ff @(posedge clk_i) started_q <= 1'b1;

  // Counts at any value; the values to wait for, and the mask, stay.
  (* anyconst *) logic [19:0] wait_load, wait_exec, wait_store;
  (* anyconst *) logic [2:0] mask;
  logic [19:0] load_q, exec_q, store_q;
  logic ok, ok_q;

  always_ff @(posedge clk_i) begin
    load_q <= load_q + 20'(retire_i[0]);
    exec_q <= exec_q + 20'(retire_i[1]);
    store_q <= store_q + 20'(retire_i[2]);
    ok_q <= ok;
  end

  weft_waits u_waits (
    .mask_i(mask),
    .wait_load_i(wait_load[15:0]),
    .wait_exec_i(wait_exec[15:0]),
    .wait_store_i(wait_store[15:0]),
    .load_count_i(load_q[15:0]),
    .exec_count_i(exec_q[15:0]),
    .store_count_i(store_q[15:0]),
    .ok_o(ok)
  );

  logic signed [19:0] load_far, exec_far, store_far;
  assign load_far = load_q - wait_load;
  assign exec_far = exec_q - wait_exec;
  assign store_far = store_q - wait_store;

  // The compiler's promise: never more than 2^15 - 1 ahead of, or behind, what is retired.
  always_ff @(posedge clk_i) begin
    m_load_near: assume (load_far > -20'sd32768 && load_far < 20'sd32768);
    m_exec_near: assume (exec_far > -20'sd32768 && exec_far < 20'sd32768);
    m_store_near: assume (store_far > -20'sd32768 && store_far < 20'sd32768);

    a_exact: assert (ok == ((!mask[0] || load_far >= 0) && (!mask[1] || exec_far >= 0) &&
                            (!mask[2] || store_far >= 0)));
    if (started_q) a_never_taken_back: assert (!ok_q || ok);
    if (started_q) c_comes_true: cover (!ok_q && ok && mask == 3'b111);
    c_across_wrap: cover (ok && mask[0] && load_q[15:0] < wait_load[15:0]);
  end

endmodule
`default_nettype wire
