#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages the project needs and this machine lacks. Does nothing when all are
# there. Without root or passwordless sudo it prints the exact command to run and fails.
#
#   WEFT_BOOTSTRAP_OPTIONAL=1   also the optional ones: bare-metal cross compilers for the driver
#                               check, clang-format for the format check, Icarus and GTKWave,
#                               the solvers z3 and cvc4 for make formal, OpenSTA and the osu018
#                               cells for make synth
#   WEFT_BOOTSTRAP=skip         trust the machine (for systems that are not Debian)
set -euo pipefail

required=(
  verilator yosys python3
  g++ make cmake ninja-build ccache
  libgtest-dev libgmock-dev libeigen3-dev libcli11-dev nlohmann-json3-dev libfmt-dev
  libexpected-dev zlib1g-dev
)
optional=(gcc-riscv64-unknown-elf gcc-arm-none-eabi clang-format iverilog gtkwave z3 cvc4
  opensta qflow-tech-osu018)

if [ "${WEFT_BOOTSTRAP:-}" = skip ]; then
  exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "bootstrap: this is not a Debian system. Install the equivalents of these packages," >&2
  echo "then set WEFT_BOOTSTRAP=skip: ${required[*]}" >&2
  exit 1
fi

wanted=("${required[@]}")
if [ "${WEFT_BOOTSTRAP_OPTIONAL:-0}" = 1 ]; then
  wanted+=("${optional[@]}")
fi
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null \
  | sed -n 's/^installed //p' || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
  as_root=(env DEBIAN_FRONTEND=noninteractive)
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
else
  echo "bootstrap: packages are missing and there is neither root nor passwordless sudo. Run:" >&2
  echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

echo "bootstrap: installing ${missing[*]}"
apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
"${as_root[@]}" "${apt[@]}" update
"${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
