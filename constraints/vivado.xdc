# SPDX-License-Identifier: Apache-2.0
# Clock and ports of weft_top on AMD devices: 200 MHz; the logic on the other side of the ports has a
# fifth of the period before and after them. The reset is synchronous, a port like the others.
create_clock -name clk -period 5.000 [get_ports clk_i]
set_input_delay -clock clk 1.000 [get_ports -filter {DIRECTION == IN && NAME != clk_i}]
set_output_delay -clock clk 1.000 [get_ports -filter {DIRECTION == OUT}]
