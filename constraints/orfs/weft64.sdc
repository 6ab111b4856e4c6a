# SPDX-License-Identifier: Apache-2.0
# Clock and ports of weft64 in sky130hd for layout, which brings its own tree and wires.
create_clock -name clk -period 5.0 [get_ports clk_i]
set inputs [all_inputs -no_clocks]
set_input_delay -clock clk 1.0 $inputs
set_output_delay -clock clk 1.0 [all_outputs]
