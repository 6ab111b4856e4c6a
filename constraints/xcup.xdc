# SPDX-License-Identifier: Apache-2.0
# Vivado, UltraScale+: 250 MHz. The ports belong to the AXI interconnect, which has a fifth of the period.
create_clock -name clk -period 4.000 [get_ports clk_i]
set_input_delay -clock clk 0.8 [get_ports -filter {DIRECTION == IN && NAME != "clk_i"}]
set_output_delay -clock clk 0.8 [get_ports -filter {DIRECTION == OUT}]
