#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Synthesises weft_top to Yosys' generic gates and flip-flops, flat.

usage: netlist.py CONFIG OUT_DIR

Writes OUT_DIR/CONFIG.il, which scripts/xprop.py goes on with, and OUT_DIR/CONFIG.v, which is
verilated; OUT_DIR/CONFIG.log says what Yosys did and ends with the number of cells of each kind.

Memories stay what they are in the RTL: instances of weft_ram. Yosys reads its real source first and
makes it a black box afterwards, because of a black box it does not know which ports are outputs
when an array's element is connected to one, and drops what the port drives without a word.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEMORY = "weft_ram"


def yosys(commands, log):
    done = subprocess.run(["yosys", "-q", "-l", str(log), "-e", "implicitly declared",
                           "-p", "\n".join(commands)], cwd=ROOT)
    if done.returncode != 0:
        sys.exit(f"{Path(sys.argv[0]).name}: Yosys failed; see {log}")


def synthesise(config, out):
    listed = (ROOT / "rtl/weft.f").read_text().split()
    includes = [word.replace("+incdir+", "-I") for word in listed if word.startswith("+incdir+")]
    sources = [word for word in listed if word.endswith(".sv")]
    yosys([
        f"read_verilog -sv -DWEFT_CONFIG_{config.upper()} {' '.join(includes + sources)}",
        "hierarchy -check -top weft_top",
        "proc",
        "setattr -set keep 1 weft_top/w:mark_done*",  # nothing but the simulation looks at them
        f"blackbox *{MEMORY}",
        "synth -top weft_top -run coarse:check",
        "flatten",
        "opt_clean",
        "check -assert",
        "stat",
        f"write_rtlil {out}/{config}.il",
    ], out / f"{config}.log")


def restore_memories(netlist):
    """Yosys names a module with parameters after a hash of them: names them all weft_ram again."""
    text = netlist.read_text()
    parameters = {}
    for name, body in re.findall(
            rf"^module (\$paramod\S*\\{MEMORY})$(.*?)^end$", text, re.M | re.S):
        values = re.findall(r"^  parameter (\\\w+) (\S+)$", body, re.M)
        parameters[name] = "".join(f"    parameter {name} {value}\n" for name, value in values)
    text = re.sub(rf"^(?:attribute .*\n)*module \$paramod\S*\\{MEMORY}\n.*?^end\n", "", text,
                  flags=re.M | re.S)
    text, instances = re.subn(
        rf"^  cell (\$paramod\S*\\{MEMORY}) (\S+)\n",
        lambda match: f"  cell \\{MEMORY} {match[2]}\n{parameters[match[1]]}", text, flags=re.M)
    netlist.write_text(text)
    return instances


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    netlist = args.out / f"{args.config}.il"
    synthesise(args.config, args.out)
    print(f"{netlist}: {restore_memories(netlist)} memories")
    yosys([f"read_rtlil {netlist}", f"write_verilog -noattr {args.out}/{args.config}.v"],
          args.out / "write.log")


if __name__ == "__main__":
    main()
