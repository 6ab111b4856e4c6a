# SPDX-License-Identifier: Apache-2.0
#
# OpenROAD-flow-scripts: weft_top of weft64 in sky130hd, as one block.
#
#   make -C OpenROAD-flow-scripts/flow DESIGN_CONFIG=/path/to/weft/constraints/orfs/config.mk
#
# Memories: weft_ram is to be replaced by a file of the same module over macros (MEMORY), given with
# the macros' LEF, LIB and GDS; with the file of rtl/common they would be 99 KiB of flip-flops. Has not
# been run: OpenROAD is not in Debian. scripts/check.sh orfs_config evaluates it with GNU make.
WEFT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/../..)
MEMORY ?= $(WEFT)/rtl/common/weft_ram.sv

export DESIGN_NICKNAME = weft64
export DESIGN_NAME = weft_top
export PLATFORM = sky130hd

export VERILOG_FILES = $(patsubst $(WEFT)/rtl/common/weft_ram.sv,$(MEMORY),\
  $(addprefix $(WEFT)/,$(filter rtl/%.sv,$(shell cat $(WEFT)/rtl/weft.f))))
export VERILOG_INCLUDE_DIRS = $(WEFT)/rtl
export VERILOG_DEFINES = -D WEFT_CONFIG_WEFT64
export SDC_FILE = $(WEFT)/constraints/orfs/weft64.sdc

export ADDITIONAL_LEFS = $(MEMORY_LEFS)
export ADDITIONAL_LIBS = $(MEMORY_LIBS)
export ADDITIONAL_GDS = $(MEMORY_GDS)

export SYNTH_HIERARCHICAL = 1
export CORE_UTILIZATION = 40
export PLACE_DENSITY_LB_ADDON = 0.1
