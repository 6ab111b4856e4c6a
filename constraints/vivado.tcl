# SPDX-License-Identifier: Apache-2.0
#
# Vivado, non-project: weft_top out of context (no pads), synthesised, placed and routed, with reports.
#
#   vivado -mode batch -source constraints/vivado.tcl -tclargs PART CONFIG OUT_DIR
#
# From the project's folder; for example xczu3eg-sbva484-1-e weft256 build/vivado. Files and their order
# come from rtl/weft.f. Clock and ports: xc7.xdc for parts of the 7 series, else xcup.xdc. Has not been run under Vivado: no open
# flow has it. scripts/check.sh vivado_tcl runs it with stand-ins for Vivado's commands.
if {[llength $argv] != 3} {
  puts stderr "usage: vivado -mode batch -source constraints/vivado.tcl -tclargs PART CONFIG OUT_DIR"
  exit 2
}
lassign $argv part config out

set family [expr {[string match xc7* $part] ? "xc7" : "xcup"}]

set list [open rtl/weft.f]
set sources [list]
foreach line [split [read $list] "\n"] {
  if {[regexp {^rtl/.*\.sv$} [string trim $line]]} { lappend sources [string trim $line] }
}
close $list
file mkdir $out

read_verilog -sv $sources
read_xdc -mode out_of_context constraints/$family.xdc
synth_design -top weft_top -part $part -mode out_of_context -include_dirs rtl \
  -verilog_define "WEFT_CONFIG_[string toupper $config]=1"
write_checkpoint -force $out/synth.dcp
report_utilization -hierarchical -file $out/utilization_synth.rpt

opt_design
place_design
phys_opt_design
route_design
write_checkpoint -force $out/route.dcp
report_utilization -hierarchical -file $out/utilization.rpt
report_timing_summary -max_paths 20 -file $out/timing.rpt
report_drc -file $out/drc.rpt
