# SPDX-License-Identifier: Apache-2.0
#
# The checks that need no build, each a test of its own (label `lint`). scripts/check.sh says what
# each of them does; exit code 77 means that the tool for it is not installed.

foreach(check
    spec_fresh
    rtl_verilator_weft64 rtl_verilator_weft256 rtl_verilator_weft1024 rtl_verilator_odd
    rtl_yosys_weft64 rtl_yosys_weft256 rtl_yosys_weft1024 rtl_axi_paths
    file_lists vivado_tcl orfs_config
    driver_host driver_riscv driver_arm
    licence_headers cpp_format shell_syntax models_python scripts_python mutations_fit
    formal_fit formal_quick equivalence_quick synth_maps)
  add_test(NAME check.${check} COMMAND scripts/check.sh ${check}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(check.${check} PROPERTIES LABELS lint SKIP_RETURN_CODE 77 TIMEOUT 900)
endforeach()

# Resources of weft64 against tb/area.json: minutes each, so not in `lint`.
foreach(target generic ecp5)
  add_test(NAME synth.${target} COMMAND scripts/check.sh synth_${target}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(synth.${target} PROPERTIES TIMEOUT 1800 COST 1000)
endforeach()

# Cycles of the tracked networks against tb/cycles.json: counts, not times.
add_test(NAME bench.cycles
  COMMAND scripts/bench.py --build ${CMAKE_BINARY_DIR} --check WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
set_tests_properties(bench.cycles PROPERTIES TIMEOUT 600)
