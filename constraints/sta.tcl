# SPDX-License-Identifier: Apache-2.0
# OpenSTA: the worst path into each block of weft_top, and into its ports. synth.py sets CELLS, MEMORIES, NETLIST,
# SDC and what weft.sdc asks for, and reads what is printed.
read_liberty $CELLS
read_liberty $MEMORIES
read_verilog $NETLIST
link_design weft_top
source $SDC

foreach pin [all_registers -data_pins] {
  lappend ends([lindex [split [get_full_name $pin] /] 0]) $pin
}
foreach block [lsort [array names ends]] {
  puts "weft: block $block [llength $ends($block)]"
  report_checks -to $ends($block) -format full -fields {fanout} -digits 3
}
puts "weft: block ports 0"
report_checks -to [all_outputs] -format full -fields {fanout} -digits 3
exit
