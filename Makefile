# SPDX-License-Identifier: Apache-2.0
#
# The few commands a user needs. CMake and Ninja do the work, in $(BUILD).

BUILD ?= build
JOBS ?= $(shell nproc)
CMAKE_FLAGS ?=
DEMO = models/mnist_cnn/mnist_cnn_int8.tflite --input models/mnist_cnn/digits/digit_7.bin
export JOBS

.DEFAULT_GOAL := help
.PHONY: help demo test bench regress build lint format wave trace mutate clean bootstrap configure

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16
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

bench: configure ## cycles and simulation speed of the networks, as a table
	cmake --build $(BUILD) -j $(JOBS) --target weft
	scripts/bench.py --build $(BUILD)

# CONFIG and SEED choose cases, ILLEGAL=1 and HUGE=1 other streams; FAULTS=1 runs the campaign of
# faults, WINDOWS=1 that of memory windows (DEVICE=functional: without the RTL). WAVE=file.fst builds
# the model with waves and writes those of the first case.
regress: configure ## random command streams, functional device against RTL: [SEEDS=n] [SEED=n]
	cmake --build $(BUILD) -j $(JOBS) --target regress$(if $(WAVE),_trace)
	$(BUILD)/tb/regress/regress$(if $(WAVE),_trace --no-shrink --wave $(WAVE)) \
	  --seeds $(or $(SEEDS),1000) --seed $(or $(SEED),1) $(if $(CONFIG),--config $(CONFIG)) \
	  $(if $(ILLEGAL),--illegal) $(if $(HUGE),--huge) $(if $(FAULTS),--faults) \
	  $(if $(WINDOWS),--windows $(if $(DEVICE),--device $(DEVICE)))

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

clean: ## removes the build folders
	rm -rf $(BUILD) $(BUILD)-wave $(BUILD)-mutate $(BUILD)-sanitize

bootstrap:
	@scripts/bootstrap.sh

configure: bootstrap
	@mkdir -p $(BUILD)
	@cmake -S . -B $(BUILD) -G Ninja $(CMAKE_FLAGS) >$(BUILD)/configure.log 2>&1 || \
	  { cat $(BUILD)/configure.log; exit 1; }
