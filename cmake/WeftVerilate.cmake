# SPDX-License-Identifier: Apache-2.0
#
# SystemVerilog to a C++ library, at build time.

find_program(WEFT_VERILATOR verilator REQUIRED)
execute_process(COMMAND ${WEFT_VERILATOR} --getenv VERILATOR_ROOT
  OUTPUT_VARIABLE WEFT_VERILATOR_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

# Generated code is compiled for this machine and without warnings. -O3 on the part that runs every
# cycle is what the simulation's speed hangs on; the part that runs once is compiled fast instead.
set(WEFT_MODEL_OPTIONS -w -O3 -march=native -fcf-protection=none)

# Verilator's run time, once without and once with waves: a program links the one its models need.
foreach(trace 0 1)
  set(runtime weft_verilator_runtime)
  set(sources verilated.cpp verilated_threads.cpp)
  if(trace)
    set(runtime weft_verilator_runtime_trace)
    list(APPEND sources verilated_fst_c.cpp)
  endif()
  list(TRANSFORM sources PREPEND ${WEFT_VERILATOR_ROOT}/include/)
  add_library(${runtime} STATIC EXCLUDE_FROM_ALL ${sources})
  target_include_directories(${runtime} SYSTEM PUBLIC
    ${WEFT_VERILATOR_ROOT}/include ${WEFT_VERILATOR_ROOT}/include/vltstd)
  target_compile_definitions(${runtime} PUBLIC
    VM_COVERAGE=0 VM_SC=0 VM_TRACE=${trace} VM_TRACE_VCD=0 VM_TRACE_FST=${trace})
  target_compile_options(${runtime} PRIVATE ${WEFT_MODEL_OPTIONS})
  target_link_libraries(${runtime} PUBLIC Threads::Threads)
endforeach()
target_link_libraries(weft_verilator_runtime_trace PUBLIC ZLIB::ZLIB)

# weft_verilate(<target> TOP <module> [CONFIG <name>] [PREFIX <class>] [SOURCES <file.sv>...]
#               [PARAMETERS <Name=value>...] [DEFINES <NAME>...] [NETLIST <file.v>] [SHARDS <n>] [TRACE] [UNCHECKED])
#
# The module <TOP>, found with all it instantiates in rtl/ by name (and in SOURCES, for a harness
# around the block under test), as a static library <target>. The model's class is <PREFIX>, by default
# V<TOP>_<CONFIG>, in a header of that name. CONFIG is one of spec/configs.toml (default weft256).
# SHARDS is into how many files the fast part is compiled: more of them build faster side by side.
# NETLIST is read before the SOURCES; what it instantiates is found in rtl/ again.
# TRACE adds FST waves, which doubles the model; the option WEFT_TRACE adds them to every model.
# UNCHECKED leaves the assertions of the RTL out: a tenth of the instructions a cycle.
function(weft_verilate target)
  cmake_parse_arguments(arg "TRACE;UNCHECKED" "TOP;CONFIG;PREFIX;NETLIST;SHARDS" "SOURCES;PARAMETERS;DEFINES" ${ARGN})
  if(NOT arg_CONFIG)
    set(arg_CONFIG weft256)
  endif()
  if(NOT arg_PREFIX)
    set(arg_PREFIX V${arg_TOP}_${arg_CONFIG})
  endif()
  if(NOT arg_SHARDS)
    set(arg_SHARDS 1)
  endif()
  string(TOUPPER ${arg_CONFIG} define)
  set(runtime weft_verilator_runtime)
  set(trace_option "")
  if(arg_TRACE OR WEFT_TRACE)
    set(runtime weft_verilator_runtime_trace)
    set(trace_option --trace-fst --trace-structs --trace-max-array 64)
  endif()
  set(assert_option --assert)
  if(arg_UNCHECKED)
    set(assert_option "")
  endif()
  list(TRANSFORM arg_SOURCES REPLACE "^([^/].*)$" "${CMAKE_CURRENT_SOURCE_DIR}/\\1")
  list(TRANSFORM arg_PARAMETERS PREPEND -G)
  list(TRANSFORM arg_DEFINES PREPEND +define+)

  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.dir)
  set(fast "")
  math(EXPR last "${arg_SHARDS} - 1")
  foreach(shard RANGE ${last})
    list(APPEND fast ${folder}/fast_${shard}.cpp)
  endforeach()
  set(slow ${folder}/slow.cpp)

  file(GLOB_RECURSE rtl CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/rtl/*.sv ${CMAKE_SOURCE_DIR}/rtl/*.svh)
  set(top ${rtl})
  list(FILTER top INCLUDE REGEX "/${arg_TOP}\\.sv$")
  if(arg_NETLIST)
    set(top ${arg_NETLIST})
  endif()
  file(GLOB stages LIST_DIRECTORIES true RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/rtl/*)
  list(FILTER stages EXCLUDE REGEX "\\.")
  list(TRANSFORM stages PREPEND +incdir+ OUTPUT_VARIABLE search)
  add_custom_command(
    OUTPUT ${fast} ${slow} ${folder}/${arg_PREFIX}.h
    COMMAND python3 ${CMAKE_SOURCE_DIR}/cmake/verilate.py --out ${folder} --prefix ${arg_PREFIX}
      --shards ${arg_SHARDS} -- ${WEFT_VERILATOR}
      --top-module ${arg_TOP} ${arg_PARAMETERS} +define+WEFT_CONFIG_${define} ${arg_DEFINES}
      -O3 ${assert_option} --x-assign fast --x-initial unique
      --unroll-count 4096 --unroll-stmts 1000000 --output-split-cfuncs 1000 -Wno-fatal -Wno-lint -Wno-style
      ${trace_option} +incdir+rtl ${search} rtl/weft_pkg.sv ${top} ${arg_SOURCES}
    DEPENDS ${rtl} ${top} ${arg_SOURCES} ${CMAKE_SOURCE_DIR}/cmake/verilate.py
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    COMMENT "Verilating ${arg_TOP} (${arg_CONFIG})"
    VERBATIM)

  add_library(${target} STATIC EXCLUDE_FROM_ALL ${fast} ${slow} ${folder}/${arg_PREFIX}.h)
  set_source_files_properties(${slow} PROPERTIES COMPILE_OPTIONS -O0)
  target_compile_options(${target} PRIVATE ${WEFT_MODEL_OPTIONS})
  if(arg_NETLIST)  # hundreds of thousands of gates: -O3 would take longer than it saves
    target_compile_options(${target} PRIVATE -O1)
  endif()
  target_include_directories(${target} SYSTEM PUBLIC ${folder} PRIVATE ${CMAKE_SOURCE_DIR}/cmake)
  target_link_libraries(${target} PUBLIC ${runtime})
endfunction()
