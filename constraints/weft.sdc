# SPDX-License-Identifier: Apache-2.0
# Clock and ports of weft_top for static timing. PERIOD (ns), DRIVER (a cell) and LOAD (pF, which ABC
# assumes behind every block too) come from targets.toml. One clock, ideal: no tree yet, so its skew
# and jitter are the uncertainty. Nothing is placed: no wires; paths are a tenth slower for them.
create_clock -name clk -period $PERIOD [get_ports clk_i]
set_clock_uncertainty [expr 0.05 * $PERIOD] clk
set_timing_derate -late -cell_delay 1.10
set_timing_derate -late -net_delay 1.10

# The other side of the ports has a fifth of the period before and after them.
set inputs [list]
foreach port [all_inputs] {
  if {[get_full_name $port] ne "clk_i"} { lappend inputs $port }
}
set_input_delay -clock clk [expr 0.2 * $PERIOD] $inputs
set_output_delay -clock clk [expr 0.2 * $PERIOD] [all_outputs]
set_driving_cell -lib_cell $DRIVER $inputs
set_load $LOAD [all_outputs]
