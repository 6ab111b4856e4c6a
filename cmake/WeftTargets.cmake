# SPDX-License-Identifier: Apache-2.0
#
# How a folder becomes a library, and a test folder a test.

# What all code of this project is compiled with (the verilated models are not: they are generated).
add_library(weft_flags INTERFACE)
target_include_directories(weft_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/sw/include)
target_compile_options(weft_flags INTERFACE -Wall -Wextra -Werror)
target_link_libraries(weft_flags INTERFACE fmt::fmt)
if(WEFT_SANITIZE)
  target_compile_options(weft_flags INTERFACE
    -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined)
  target_link_options(weft_flags INTERFACE -fsanitize=address,undefined)
endif()

# add_subdirectory for a folder that may not have sources yet.
function(weft_folder folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cc ${folder}/*.c)
  if(sources)
    add_subdirectory(${folder})
  endif()
endfunction()

# weft_library(<name> [DEPS <name>...] [LINK <target>...])
#
# The current folder's *.cc and *.c, as the static library weft_<name>. DEPS are other libraries of
# this project by their short names, LINK are any other targets.
function(weft_library name)
  cmake_parse_arguments(arg "" "" "DEPS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc *.c)
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  add_library(weft_${name} STATIC ${sources})
  list(TRANSFORM arg_DEPS REPLACE "(.+)" "$<TARGET_NAME_IF_EXISTS:weft_\\1>")
  target_link_libraries(weft_${name} PUBLIC weft_flags ${arg_DEPS} ${arg_LINK})
endfunction()

# weft_test(<name> [SOURCES <file>...] [DEPS <name>...] [MODELS <target>...] [SHARDS <n>]
#           [COST <n>])
#
# One GoogleTest program, known to ctest as <name>. SOURCES default to the current folder's *.cc.
# DEPS are libraries of this project by their short names, MODELS verilated models (see
# WeftVerilate.cmake). SHARDS splits a long program into n that run side by side; programs of
# higher COST start first.
function(weft_test name)
  cmake_parse_arguments(arg "" "SHARDS;COST" "SOURCES;DEPS;MODELS" ${ARGN})
  if(NOT arg_SOURCES)
    file(GLOB arg_SOURCES CONFIGURE_DEPENDS *.cc)
  endif()
  if(NOT arg_SHARDS)
    set(arg_SHARDS 1)
  endif()
  if(NOT arg_COST)
    set(arg_COST 0)
  endif()
  list(TRANSFORM arg_DEPS REPLACE "(.+)" "$<TARGET_NAME_IF_EXISTS:weft_\\1>")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE weft_flags ${arg_DEPS} ${arg_MODELS} GTest::gmock_main)
  target_compile_definitions(${name} PRIVATE WEFT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

  math(EXPR last "${arg_SHARDS} - 1")
  foreach(shard RANGE ${last})
    set(test ${name})
    if(arg_SHARDS GREATER 1)
      set(test ${name}.${shard})
    endif()
    add_test(NAME ${test}
      COMMAND ${name} --gtest_output=xml:${CMAKE_BINARY_DIR}/test-results/${test}.xml
      WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${test} PROPERTIES
      TIMEOUT 1200 COST ${arg_COST} LABELS gtest
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${arg_SHARDS};GTEST_SHARD_INDEX=${shard}")
  endforeach()
endfunction()
