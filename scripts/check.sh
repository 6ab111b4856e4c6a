#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# check.sh NAME...: the checks that need no build. `make lint` runs all of them, `make test` too.
# Exit code 77, with a last line "skipped: <why>", when the tool a check needs is not installed.
set -euo pipefail
cd "$(dirname "$0")/.."

skip() {
  echo "skipped: $1"
  exit 77
}

# The project's files, committed or not, that match the given patterns.
files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
      if [ -f "$file" ]; then echo "$file"; fi
    done
  else
    local pattern
    for pattern in "$@"; do
      find . -name "$pattern" -not -path './build*' -printf '%P\n'
    done
  fi
}

# Generated files are what spec/ says.
check_spec_fresh() {
  python3 spec/generate.py --check
}

# Verilator's lint with every warning, on the configuration $1.
rtl_verilator() {
  verilator --lint-only -Wall --top-module weft_top "+define+WEFT_CONFIG_${1^^}" -f rtl/weft.f
}
check_rtl_verilator_weft64() { rtl_verilator weft64; }
check_rtl_verilator_weft256() { rtl_verilator weft256; }
check_rtl_verilator_weft1024() { rtl_verilator weft1024; }
check_rtl_verilator_odd() {
  local config
  for config in $(sed -n 's/^\[\(odd_.*\)\]$/\1/p' spec/configs.toml); do
    echo "$config"
    rtl_verilator "$config"
  done
}

# Stock Yosys reads the whole design: nothing in it is undriven, doubly driven, a loop or a latch, and
# every warning is explained.
check_rtl_yosys_weft64() { scripts/elaborate.py weft64; }
check_rtl_yosys_weft256() { scripts/elaborate.py weft256; }
check_rtl_yosys_weft1024() { scripts/elaborate.py weft1024; }

# The lists of files for other flows are rtl/weft.f, in its order; FuseSoC also needs the headers.
sources() {
  sed -n 's/^ *\([^/+-].*\.sv\)$/\1/p' rtl/weft.f
}
check_file_lists() {
  diff <(sources) <(sed -n 's/^ *- \(rtl\/.*\.sv\)$/\1/p' weft.core)
  diff <(sources) <(sed -n 's/^ *- \(rtl\/.*\.sv\)$/\1/p' Bender.yml)
  diff <(find rtl -name '*.svh' | sort) <(sed -n 's/^ *- \(rtl\/.*\.svh\):.*/\1/p' weft.core)
}

# The script for Vivado ends, with stand-ins for Vivado's commands, and gives it every source.
check_vivado_tcl() {
  if ! command -v tclsh >/dev/null; then skip "tclsh is not installed"; fi
  local out
  out=$(mktemp -d)
  trap "rm -rf '$out'" EXIT
  tclsh >"$out/read" <<EOF
    foreach command {synth_design write_checkpoint report_utilization opt_design place_design
                     phys_opt_design route_design report_timing_summary report_drc} {
      proc \$command args {}
    }
    proc read_verilog {flag sources} { puts [join \$sources "\n"] }
    proc read_xdc {mode what file} { close [open \$file] }
    set argv {xc7a100t weft64 $out/reports}
    if {[catch {source constraints/vivado.tcl} message]} { puts \$message; exit 1 }
EOF
  diff <(sources) "$out/read"
}

# What OpenROAD-flow-scripts would read: every source, and files that exist.
check_orfs_config() {
  local file
  diff <(sources | sort) <(orfs_variable VERILOG_FILES | sed "s|^$PWD/||" | sort)
  for file in $(orfs_variable VERILOG_FILES) $(orfs_variable SDC_FILE); do
    if [ ! -f "$file" ]; then echo "constraints/orfs/config.mk names $file, which is not there"; return 1; fi
  done
}
orfs_variable() {
  make -s -f constraints/orfs/config.mk --eval "print: ; @printf '%s\\n' \$($1)" print
}

# No output of the AXI ports depends on an input of theirs in the same cycle.
check_rtl_axi_paths() {
  local out
  out=$(mktemp -d)
  trap "rm -rf '$out'" EXIT
  scripts/elaborate.py weft64 "$out/design.il"
  yosys -q -p "read_rtlil $out/design.il; hierarchy -top weft_top; flatten; opt_clean
    write_json $out/design.json"
  scripts/paths.py "$out/design.json" weft_top m_axi_ s_axil_
}

# What constraints/ puts in place of multipliers, sums and registers does what they do.
check_synth_maps() {
  command -v yosys >/dev/null || skip "yosys is not installed: sudo apt-get install yosys"
  yosys -q tb/synth/maps.ys
}

# weft64 synthesised: no unexplained warning, and nothing above tb/area.json by more than 2 %.
synth() {
  local out
  out=$(mktemp -d)
  trap "rm -rf '$out'" EXIT
  scripts/synth.py "$1" weft64 --out "$out" --check
}
check_synth_generic() { synth generic; }
check_synth_ecp5() { synth ecp5; }

# The driver is freestanding C99, here and for the bare-metal compilers.
driver() {
  local compiler=$1 out source
  shift
  if ! command -v "$compiler" >/dev/null; then skip "no cross compiler $compiler"; fi
  out=$(mktemp -d)
  trap "rm -rf '$out'" EXIT
  for source in sw/driver/*.c; do
    "$compiler" "$@" -std=c99 -pedantic -ffreestanding -nostdlib -O2 -Wall -Wextra -Wconversion \
      -Werror -Isw/include -I. -c "$source" -o "$out/$(basename "$source").o"
    echo "$compiler $*: $source"
  done
}
check_driver_host() { driver gcc; }
check_driver_riscv() { driver riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32; }
check_driver_arm() { driver arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb; }

# Every source file names its licence in the first lines.
check_licence_headers() {
  local bad=0 file
  while read -r file; do
    if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0'; then
      echo "$file: no 'SPDX-License-Identifier: Apache-2.0' in its first three lines"
      bad=1
    fi
  done < <(files '*.cc' '*.h' '*.c' '*.cpp' '*.sv' '*.svh' '*.vlt' '*.f' '*.py' '*.sh' '*.toml' \
    '*.ys' '*.abc' '*.sdc' '*.tcl' '*.lpf' '*.pcf' '*.xdc' '*.v' '*.mk' '*.core' 'Bender.yml' \
    '*.cmake' 'CMakeLists.txt' '*/CMakeLists.txt' 'Makefile' '.clang-format' '.ci/run')
  return $bad
}

# C and C++ are formatted as .clang-format says (`make format` does it). Generated files are not
# formatted. The result depends on the tool's version: 14 is Debian 12's.
check_cpp_format() {
  if ! command -v clang-format >/dev/null; then skip "clang-format is not installed"; fi
  case "$(clang-format --version)" in
    *"version 14."*) ;;
    *) skip "clang-format is not version 14" ;;
  esac
  formatted_files | xargs clang-format --dry-run -Werror
}
formatted_files() {
  files '*.cc' '*.h' '*.c' | grep -v '^sw/include/weft/hw/'
}
format() {
  formatted_files | xargs clang-format -i
}

check_shell_syntax() {
  files '*.sh' '.ci/run' | xargs -n 1 bash -n
}

# The scripts that make models, by their own tests.
check_models_python() {
  python3 models/test_models.py -v
}

# What the scripts for netlists compute, by their own tests.
check_scripts_python() {
  python3 scripts/test_scripts.py -v
}

# Every bug that scripts/mutate.py may put into the RTL still has its place in the sources.
check_mutations_fit() {
  scripts/mutate.py --check
}

# Every assertion of the proofs has a planted bug that breaks it, which still has its place.
check_formal_fit() {
  scripts/formal.py --check
}

# The proofs that take seconds; `make formal` runs all of them. formal.py skips without a solver.
check_formal_quick() {
  local out
  out=$(mktemp -d)
  trap "rm -rf '$out'" EXIT
  scripts/formal.py --quick --build "$out"
}

# Netlists of a few small modules against their RTL, and one planted bug in each; `make equiv` takes all.
check_equivalence_quick() {
  local out
  out=$(mktemp -d)
  trap "rm -rf '$out'" EXIT
  scripts/equivalence.py --quick --build "$out"
}

for name in "$@"; do
  if [ "$name" = format ]; then format; else "check_$name"; fi
done
