#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Synthesises weft_top, flat: to Yosys' generic gates and flip-flops, or to words.

usage: netlist.py CONFIG OUT_DIR [--words]

Writes OUT_DIR/CONFIG.il and OUT_DIR/CONFIG.v, which is verilated; OUT_DIR/CONFIG.log says what
Yosys did and ends with the number of cells of each kind. With --words, CONFIG_words.il and its log:
the same design after Yosys has read and optimised it and found flip-flops,
their enables and resets, but before adders, comparisons and multiplexers are broken into gates.
That is the one that Icarus can read; scripts/xprop.py goes on with CONFIG_words.il.

Memories stay what they are in the RTL: instances of weft_ram.
"""
import argparse
import re
from pathlib import Path

from elaborate import MEMORY, elaborate, yosys

# Of weft_top, what sim/verilated/observe.vlt shows the simulation; they keep their names.
OBSERVED = " ".join(f"weft_top/w:{name}" for name in [
    "mark_done*", "load_count", "exec_count", "store_count", "ring_written", "ring_head"])

GATES = ["synth -top weft_top -run coarse:check", "flatten", "opt_clean", "check -assert"]

# What a four-state simulation asks of the words, so that an unknown bit spreads as far as in gates
# and no further: a small memory must be flip-flops (Verilog ignores a write to an unknown address)
# and cases multiplexers (Verilog's `case` takes an unknown for the default). A shift by an unknown
# amount becomes multiplexers too, because Verilog makes all of it unknown, also where it shifts
# zeros. `check` is before the memories: entries past a depth that is no power of two have no driver.
SHIFTS = " ".join(f"t:${kind}" for kind in ["shl", "shr", "sshl", "sshr", "shift", "shiftx"])
WORDS = ["flatten", "opt_clean", "check -assert", "opt", "wreduce", "peepopt", "opt_clean",
         "pmuxtree", "memory_collect", "memory_map", "opt_clean", "opt",
         f"techmap -max_iter 1 {SHIFTS}", "opt_expr", "opt_clean"]


def synthesise(config, steps, netlist):
    design = netlist.with_suffix(".design.il")
    elaborate(config, design, netlist.with_suffix(".design.log"))
    yosys([
        f"read_rtlil {design}",
        "hierarchy -top weft_top",
        f"setattr -set keep 1 {OBSERVED}",
        f"blackbox {MEMORY}_*",
        *steps,
        "stat",
        f"write_rtlil {netlist}",
    ], netlist.with_suffix(".log"))


def restore_memories(netlist):
    """Makes the memories instances of weft_ram with parameters again."""
    text = re.sub(rf"^(?:attribute .*\n)*module \\{MEMORY}_\w+\n.*?^end\n", "", netlist.read_text(),
                  flags=re.M | re.S)

    def instance(match):
        values = zip(["Width", "Depth", "Granule"], match[1].split("x"))
        return (f"  cell \\{MEMORY} {match[2]}\n"
                + "".join(f"    parameter \\{name} {value}\n" for name, value in values))

    text, instances = re.subn(rf"^  cell \\{MEMORY}_(\S+) (\S+)\n", instance, text, flags=re.M)
    netlist.write_text(text)
    return instances


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("out", type=Path)
    parser.add_argument("--words", action="store_true")
    args = parser.parse_args()
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    netlist = args.out / f"{args.config}{'_words' if args.words else ''}.il"
    synthesise(args.config, WORDS if args.words else GATES, netlist)
    print(f"{netlist}: {restore_memories(netlist)} memories")
    if not args.words:
        yosys([f"read_rtlil {netlist}", f"write_verilog -noattr {netlist.with_suffix('.v')}"],
              args.out / "write.log")


if __name__ == "__main__":
    main()
