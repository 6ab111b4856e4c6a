// SPDX-License-Identifier: Apache-2.0
// The memory windows of docs/registers.md: eight ranges of 256-byte blocks with permissions. Does
// not check accesses (weft_windows does). Writes are ignored while hold_i is high or once the
// window's LOCK is set, and take effect the next cycle; reads are combinational, zero at other
// offsets. Only the hard reset clears a window or its lock.
`default_nettype none
module weft_window_registers (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
    input  wire logic         hold_i,
    // register bus
    input  wire logic         wr_en_i,
    input  wire logic [11:0]  wr_addr_i,
    input  wire logic [31:0]  wr_data_i,
    input  wire logic [11:0]  rd_addr_i,
    output logic [31:0]       rd_data_o,
    // window i: bits 32*i of first and last, bit i of the others
    output logic [8*32-1:0]   first_o,
    output logic [8*32-1:0]   last_o,
    output logic [7:0]        enable_o,
    output logic [7:0]        read_o,
    output logic [7:0]        write_o
);
  // A window occupies 16 bytes from WINDOW_FIRST on, of which the last four are unused.
  localparam logic [3:0] First = weft_pkg::RegWindowFirst[3:0];
  localparam logic [3:0] Last = weft_pkg::RegWindowLast[3:0];
  localparam logic [3:0] Control = weft_pkg::RegWindowControl[3:0];

  logic [7:0] lock_q, wr_window;

  always_comb begin
    rd_data_o = '0;
    for (int unsigned i = 0; i < 8; i++) begin
      wr_window[i] = wr_en_i && !hold_i && !lock_q[i]
          && wr_addr_i[11:7] == weft_pkg::RegWindowFirst[11:7] && wr_addr_i[6:4] == 3'(i);
      if (rd_addr_i[11:7] == weft_pkg::RegWindowFirst[11:7] && rd_addr_i[6:4] == 3'(i)) begin
        case (rd_addr_i[3:0])
          First: rd_data_o = first_o[32*i +: 32];
          Last:  rd_data_o = last_o[32*i +: 32];
          Control: begin
            rd_data_o[weft_pkg::WindowControlEnableLsb] = enable_o[i];
            rd_data_o[weft_pkg::WindowControlReadLsb]   = read_o[i];
            rd_data_o[weft_pkg::WindowControlWriteLsb]  = write_o[i];
            rd_data_o[weft_pkg::WindowControlLockLsb]   = lock_q[i];
          end
          default: ;
        endcase
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      first_o  <= '0;
      last_o   <= '0;
      enable_o <= '0;
      read_o   <= '0;
      write_o  <= '0;
      lock_q   <= '0;
    end else begin
      for (int unsigned i = 0; i < 8; i++) begin
        if (wr_window[i]) begin
          case (wr_addr_i[3:0])
            First: first_o[32*i +: 32] <= wr_data_i;
            Last:  last_o[32*i +: 32] <= wr_data_i;
            Control: begin
              enable_o[i] <= wr_data_i[weft_pkg::WindowControlEnableLsb];
              read_o[i]   <= wr_data_i[weft_pkg::WindowControlReadLsb];
              write_o[i]  <= wr_data_i[weft_pkg::WindowControlWriteLsb];
              lock_q[i]   <= wr_data_i[weft_pkg::WindowControlLockLsb];
            end
            default: ;
          endcase
        end
      end
    end
  end
endmodule
`default_nettype wire
