# SPDX-License-Identifier: Apache-2.0
#
# The few commands a user needs. CMake and Ninja do the work, in $(BUILD).

BUILD ?= build
JOBS ?= $(shell nproc)
CMAKE_FLAGS ?=
DEMO = models/mnist_cnn/mnist_cnn_int8.tflite --input models/mnist_cnn/digits/digit_7.bin
export JOBS

.DEFAULT_GOAL := help
.PHONY: help demo test bench regress formal build lint format wave trace mutate netlist xprop \
  synth place synth-report equiv energy gds clean bootstrap configure

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20
	@echo
	@echo '  BUILD=DIR   build folder (default build)'
	@echo '  JOBS=N      parallel jobs (default: one a core)'
	@echo '  SANITIZE=1  our code with AddressSanitizer and UBSan, in $$(BUILD)-sanitize'

ifeq ($(SANITIZE),1)
override BUILD := $(BUILD)-sanitize
override CMAKE_FLAGS += -DWEFT_SANITIZE=ON
endif

demo: configure ## the shipped network, verified on the simulated hardware
	cmake --build $(BUILD) -j $(JOBS) --target weft
	$(BUILD)/weft run $(DEMO)
	$(BUILD)/weft verify $(DEMO)

test: build ## every test and every check; the last line counts them
	scripts/run_tests.py $(BUILD)

build: configure ## everything that demo and test need
	cmake --build $(BUILD) -j $(JOBS)

bench: configure ## cycles, limits and speeds of all networks as a table, in $(BUILD)/bench.txt and .json
	cmake --build $(BUILD) -j $(JOBS) --target weft
	scripts/bench.py --build $(BUILD)

# Streams: CONFIG and SEED choose cases, ILLEGAL=1 and HUGE=1 other streams; FAULTS=1 runs the campaign
# of faults, WINDOWS=1 that of memory windows (DEVICE=functional: without the RTL). NETWORKS=1:
# networks, chosen by CONFIG, SEED and DEVICE, as many as SEEDS or LAYERS say. WAVE=file.fst builds
# the model with waves and writes those of the first case.
REGRESS = $(if $(NETWORKS),networks,regress)$(if $(WAVE),_trace)
regress: configure ## random command streams, or NETWORKS=1, FAULTS=1, WINDOWS=1: [SEEDS=n] [SEED=n]
	cmake --build $(BUILD) -j $(JOBS) --target $(REGRESS)
	$(BUILD)/tb/regress/$(REGRESS) $(if $(WAVE),--no-shrink --wave $(WAVE)) \
	  $(if $(SEEDS),--seeds $(SEEDS),$(if $(LAYERS),--layers $(LAYERS),--seeds 1000)) \
	  --seed $(or $(SEED),1) $(if $(CONFIG),--config $(CONFIG)) $(if $(DEVICE),--device $(DEVICE)) \
	  $(if $(ILLEGAL),--illegal) $(if $(HUGE),--huge) $(if $(FAULTS),--faults) \
	  $(if $(WINDOWS),--windows)

# PROOF=name or pattern chooses; MUTANTS=1 also plants the bugs that the proofs must notice.
formal: ## proofs of the RTL by solvers: [PROOF=axi_read] [MUTANTS=1]
	scripts/formal.py --build $(BUILD)/formal $(foreach p,$(PROOF),'$p') $(if $(MUTANTS),--mutants)

lint: configure ## the checks that need no build: RTL, generated files, driver, licences, format
	scripts/run_tests.py $(BUILD) -L lint

format: ## formats C and C++ with clang-format
	scripts/check.sh format

wave: ## a test again, with waves: make wave TEST=unit_dma [FILTER=Suite.Case] [WEFT_SEED=n]
	@test -n "$(TEST)" || { echo 'usage: make wave TEST=unit_dma [FILTER=Suite.Case]'; exit 2; }
	$(MAKE) configure BUILD=$(BUILD)-wave CMAKE_FLAGS="$(CMAKE_FLAGS) -DWEFT_TRACE=ON"
	cmake --build $(BUILD)-wave -j $(JOBS) --target $(TEST)
	WEFT_WAVE=$(BUILD)-wave/$(TEST).fst \
	  $$(find $(BUILD)-wave -type f -name $(TEST) -perm -u+x) --gtest_filter='$(or $(FILTER),*)'

trace: configure ## the command line with waves, as $(BUILD)/weft_trace (for run --wave)
	cmake --build $(BUILD) -j $(JOBS) --target weft_trace

mutate: bootstrap ## puts fourteen bugs into the RTL, one at a time; each must be caught: [SEED=n]
	scripts/mutate.py --seed $(or $(SEED),1) --build $(BUILD)-mutate

netlist: configure ## weft64 as Yosys' gates, verilated: the shipped network, exact and cycle for cycle
	cmake --build $(BUILD) -j $(JOBS) --target weft weft_netlist regress_netlist
	scripts/same_run.py $(BUILD)/weft $(BUILD)/weft_netlist $(BUILD)/netlist-run \
	  $(DEMO) --config weft64
	$(BUILD)/tb/regress/regress_netlist --config weft64 --seeds $(or $(SEEDS),10) \
	  --seed $(or $(SEED),1) --no-shrink

# TARGET: generic, ecp5, ice40, xcup, xc7, osu018, sky130hd, sg13g2; the last two need LIBERTY=file or
# WEFT_DATA. Everything about targets is in constraints/.
synth: bootstrap ## area by stage, timing where there are cells: TARGET=ecp5 CONFIG=weft64 [LIBERTY=f]
	@test -n "$(TARGET)" -a -n "$(CONFIG)" || \
	  { echo 'usage: make synth TARGET=generic|ecp5|ice40|xcup|xc7|osu018|sky130hd|sg13g2' \
	    'CONFIG=weft64|weft256|weft1024 [LIBERTY=file]'; exit 2; }
	scripts/synth.py $(TARGET) $(CONFIG) --out $(BUILD)/synth $(if $(LIBERTY),--liberty $(LIBERTY))

place: bootstrap ## FPGA placed and routed, clock by seed: CONFIG=weft64 [TARGET=ice40] [BLOCK=module] [SEEDS=3]
	scripts/place.py $(or $(CONFIG),weft64) --target $(or $(TARGET),ecp5) $(if $(BLOCK),--block $(BLOCK)) \
	  --seeds $(or $(SEEDS),3) --out $(BUILD)/place

synth-report: ## the tables of README and docs/silicon.md anew, from make synth, place and bench
	scripts/synth_report.py $(BUILD)

# PLANT=n takes the reset from n registers, drawn by SEED, one at a time: each must be noticed.
xprop: configure ## words of Yosys in four states, unknown at power-up: [SEED=n] [SEEDS=n] [PLANT=n]
	@command -v iverilog >/dev/null || \
	  { echo 'make xprop needs Icarus: sudo apt-get install iverilog'; exit 1; }
	cmake --build $(BUILD) -j $(JOBS) --target weft64_words record_streams
	scripts/xprop.py $(BUILD)/sim/netlist/weft64_words.il \
	  --recorder $(BUILD)/tb/xprop/record_streams --out $(BUILD)/xprop \
	  --seed $(or $(SEED),2) --seeds $(or $(SEEDS),3) --plant $(or $(PLANT),0)

# MODULE=name chooses; MUTANTS=n inverts n bits of each netlist; CELLS=1 also maps to sky130hd.
equiv: ## netlists of the modules against the RTL, by proof: [MODULE=name] [MUTANTS=n] [CELLS=1]
	scripts/equivalence.py $(MODULE) --build $(BUILD)/equivalence --mutants $(or $(MUTANTS),0) \
	  $(if $(CELLS),--cells)

energy: configure ## activity of real layers on gates of sky130hd, priced: against spec/energy.toml
	@command -v iverilog >/dev/null || \
	  { echo 'make energy needs Icarus: sudo apt-get install iverilog'; exit 1; }
	cmake --build $(BUILD) -j $(JOBS) --target weft_record
	scripts/energy.py --record $(BUILD)/weft_record --out $(BUILD)/energy

gds: ## one lane of the array from RTL to GDSII: design rules, netlist comparison, picture
	scripts/gds.py --out $(BUILD)/gds

clean: ## removes the build folders
	rm -rf $(BUILD) $(BUILD)-wave $(BUILD)-mutate $(BUILD)-sanitize

bootstrap:
	@scripts/bootstrap.sh

configure: bootstrap
	@mkdir -p $(BUILD)
	@cmake -S . -B $(BUILD) -G Ninja $(CMAKE_FLAGS) >$(BUILD)/configure.log 2>&1 || \
	  { cat $(BUILD)/configure.log; exit 1; }
