// SPDX-License-Identifier: Apache-2.0
// Joins what can fail into one error for weft_jobs, which sees it a cycle later: code, command
// index, address. Does not remember: sources hold or pulse, weft_jobs takes the first. Of what fails
// in one cycle, earlier lines below win.
`default_nettype none
module weft_faults (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,             // nothing has failed
    // memory accesses
    input  wire logic        read_error_i,
    input  wire logic        read_denied_i,      // with read_error_i: not sent, no window permits it
    input  wire logic [1:0]  read_client_i,      // 0 commands, 1 weights, 2 load
    input  wire logic [39:0] read_addr_i,
    input  wire logic        write_error_i,
    input  wire logic        write_denied_i,     // likewise
    input  wire logic        write_client_i,     // 0 store, 1 marker
    input  wire logic [39:0] write_addr_i,
    input  wire logic [31:0] command_index_i,
    input  wire logic [31:0] weights_access_i,
    input  wire logic [31:0] load_access_i,
    input  wire logic [31:0] store_access_i,
    input  wire logic [31:0] marker_access_i,
    // scratchpad ranges
    input  wire logic        load_range_i,
    input  wire logic [31:0] load_index_i,
    input  wire logic        store_range_i,
    input  wire logic [31:0] store_index_i,
    input  wire logic        feed_range_i,
    input  wire logic [31:0] feed_index_i,
    input  wire logic        post_range_i,
    input  wire logic [31:0] post_index_i,
    // decoding
    input  wire logic [7:0]  decode_error_i,
    input  wire logic [31:0] decode_index_i,
    output logic             error_o,
    output logic [7:0]       code_o,
    output logic [31:0]      command_o,
    output logic [39:0]      addr_o
);
  logic        error;
  logic [7:0]  code;
  logic [31:0] command;
  logic [39:0] addr;

  always_comb begin
    error   = 1'b1;
    code    = weft_pkg::ErrBadAddress;
    command = decode_index_i;
    addr    = '0;
    if (read_error_i) begin
      code    = read_denied_i ? weft_pkg::ErrWindow : weft_pkg::ErrReadError;
      addr    = read_addr_i;
      command = (read_client_i == 2'd0) ? command_index_i
                : (read_client_i == 2'd1) ? weights_access_i : load_access_i;
    end else if (write_error_i) begin
      code    = write_denied_i ? weft_pkg::ErrWindow : weft_pkg::ErrWriteError;
      addr    = write_addr_i;
      command = write_client_i ? marker_access_i : store_access_i;
    end else if (load_range_i) begin
      command = load_index_i;
    end else if (store_range_i) begin
      command = store_index_i;
    end else if (feed_range_i) begin
      command = feed_index_i;
    end else if (post_range_i) begin
      command = post_index_i;
    end else begin
      code  = decode_error_i;
      error = decode_error_i != weft_pkg::ErrNone;
    end
  end

  always_ff @(posedge clk_i) begin
    error_o   <= rst_ni && error;
    code_o    <= code;
    command_o <= command;
    addr_o    <= addr;
  end
endmodule
`default_nettype wire
