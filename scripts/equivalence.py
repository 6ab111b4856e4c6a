#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves, module by module, that the netlist Yosys makes does what the RTL says.

usage: equivalence.py [MODULE...] [--quick] [--mutants N] [--cells] [--seconds N] [--build DIR]

A module is read for weft64 with all it instantiates; memories (weft_ram) are black boxes on both
sides. One side is the RTL as Yosys has read it, its words broken into gates one by one; the other is
the netlist of `synth`, and with --cells also the one of a library's cells (sky130hd of WEFT_DATA, or
LIBERTY), by the functions the library gives them. Registers are cut and matched by name, and ABC's
`cec` shows that equal states and inputs give equal next states and outputs; x in the RTL is zero
there. Where a register cannot be cut (it drives a port, or the netlist has dropped it), Yosys'
equiv_simple and equiv_induct show the same for every signal that both sides name.
docs/equivalence.md says what that covers and what it does not.

--mutants N inverts N single bits of each netlist, one at a time: every one must be noticed. --quick
takes the modules of QUICK with one mutant each. Without names: all of MODULES. Exit code 0 only if
everything is proved and every mutant noticed; 77 with --quick if Yosys is missing.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cells
import liberty

CONFIG = "weft64"
QUICK = ["weft_fifo", "weft_shift_fifo", "weft_skid", "weft_waits", "weft_burst_splitter"]

# What is proved, in the order of the byte's path; docs/equivalence.md says what covers the rest.
MODULES = [
    "weft_fifo", "weft_shift_fifo", "weft_skid", "weft_waits", "weft_axil", "weft_faults",
    "weft_fetch", "weft_decode", "weft_windows", "weft_burst_splitter", "weft_load", "weft_load_weights",
    "weft_weight_ring", "weft_feed_dense", "weft_issue", "weft_accumulators", "weft_post_params",
    "weft_result_writer", "weft_marker",
]


class Check:
    """One module against one netlist of it, in a folder of its own."""

    def __init__(self, module, liberty, build, seconds):
        self.module, self.liberty, self.seconds = module, liberty, seconds
        self.kind = "cells" if liberty else "gates"
        self.folder = build / f"{module}_{self.kind}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def yosys(self, name, commands):
        cells.yosys(commands, self.folder / f"{name}.log")

    def synthesise(self):
        commands = [
            cells.read_rtl(CONFIG), f"hierarchy -check -top {self.module}", "proc",
            "blackbox *weft_ram", "flatten", "opt_clean", "memory_collect", "memory_map",
            "opt_clean",
            f"write_rtlil {self.folder}/gold.il", f"synth -flatten -top {self.module}"]
        if self.liberty:
            commands += cells.map_to_cells(self.liberty, self.folder / "map.abc") + [
                f"read_liberty -ignore_miss_func {self.liberty}", "flatten", "opt_clean"]
        self.yosys("synthesise", commands + [f"write_rtlil {self.folder}/gate.il"])

    def cut(self, change):
        """Writes both sides without registers: what a register holds is an input, what it takes an
        output. Inputs and outputs of memories are cut the same way."""
        both = [f"read_rtlil {self.folder}/gold.il", f"rename {self.module} gold",
                f"read_rtlil {self.folder}/gate.il", f"rename {self.module} gate", *change,
                "setundef -zero gold gate", "dffunmap gold gate", "opt_clean",
                "expose -evert -shared gold gate", "expose -evert-dff -shared gold gate",
                "design -save both"]
        for side, other in [("gold", "gate"), ("gate", "gold")]:
            both += ["design -load both", f"delete {other}", "techmap", "setundef -zero", "aigmap",
                     "opt_clean", f"rename {side} cut", f"write_blif {self.folder}/{side}.blif"]
        self.yosys("cut", both)

    def by_cec(self, change):
        """(verdict, outputs compared, named signals inside among them); no verdict where not all
        registers could be cut."""
        self.cut(change)
        texts = [(self.folder / f"{side}.blif").read_text() for side in ("gold", "gate")]
        if any(".latch" in text for text in texts):
            return None, 0
        outputs = len(re.search(r"^\.outputs((?:.*\\\n)*.*)$", texts[0], re.M)[1]
                      .replace("\\\n", " ").split())
        try:
            said = subprocess.run(
                ["yosys-abc", "-c", f"cec {self.folder}/gold.blif {self.folder}/gate.blif"],
                timeout=self.seconds, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True).stdout
        except subprocess.TimeoutExpired:
            return "time is up", outputs
        (self.folder / "cec.log").write_text(said)
        if "non-driven" in said:  # a register was cut at one of its names and read by another
            return None, 0
        if "Networks are equivalent" in said:
            return "equal", outputs
        return ("different" if "NOT EQUIVALENT" in said else None), outputs

    def by_induction(self, change):
        """(verdict, signals compared)"""
        log = self.folder / "induction.log"
        log.unlink(missing_ok=True)
        try:
            done = subprocess.run(
                ["yosys", "-q", "-l", str(log), "-p", "\n".join([
                    f"read_rtlil {self.folder}/gold.il", f"rename {self.module} gold",
                    f"read_rtlil {self.folder}/gate.il", f"rename {self.module} gate", *change,
                    "equiv_make gold gate equiv", "hierarchy -top equiv", "opt_clean",
                    "equiv_struct", "equiv_simple -undef", "equiv_induct -undef",
                    "equiv_status -assert"])],
                timeout=self.seconds, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return "time is up", 0
        text = log.read_text()
        found = re.findall(r"Found (\d+) \$equiv cells in equiv", text)
        if done.returncode == 0 and found:
            return "equal", int(found[-1])
        return ("not proved" if "Unproven $equiv" in text else "not comparable"), 0

    def compare(self, change=()):
        """(means, verdict, how many outputs or signals); `change` is done to the netlist first."""
        verdict, count = self.by_cec(change)
        if verdict:
            return "cec", verdict, count
        return "induction", *self.by_induction(change)

    def mutants(self, number):
        """Verdicts of netlists with one inverted bit each."""
        listing = self.folder / "mutants.txt"
        self.yosys("mutants", [f"read_rtlil {self.folder}/gate.il", f"rename {self.module} gate",
                               f"mutate -list {number} -seed 1 -mode inv -o {listing}"])
        return [self.compare([line])[1] for line in listing.read_text().splitlines() if line]

    def run(self, mutants):
        """A row of the table, and whether all is as it should be."""
        start = time.monotonic()
        self.synthesise()
        means, verdict, count = self.compare()
        good = verdict == "equal" and count > 0
        seconds = time.monotonic() - start
        noticed = ""
        if mutants and good:
            verdicts = self.mutants(mutants)
            caught = sum(v in ("different", "not proved") for v in verdicts)
            noticed = f"{caught} of {len(verdicts)}"
            good = caught == len(verdicts) == mutants
        row = [self.module, self.kind, means, str(count), verdict, noticed, f"{seconds:.0f}"]
        print("  ".join(row), file=sys.stderr, flush=True)
        return row, good


def table(rows):
    rows = [["module", "netlist", "means", "compared", "result", "mutants noticed", "seconds"]] + rows
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS)
    parser.add_argument("module", nargs="*")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--mutants", type=int, default=0)
    parser.add_argument("--cells", action="store_true")
    parser.add_argument("--seconds", type=int, default=600, help="for a run of ABC")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", os.cpu_count() or 1)))
    parser.add_argument("--build", type=Path, default=cells.ROOT / "build/equivalence")
    args = parser.parse_args()
    unknown = [name for name in args.module if not list(cells.RTL.glob(f"**/{name}.sv"))]
    if unknown:
        cells.fail(f"no module {unknown[0]} in rtl/")
    missing = [tool for tool in ("yosys", "yosys-abc") if not shutil.which(tool)]
    if missing:
        print(f"skipped: {' and '.join(missing)} not installed: sudo apt-get install yosys")
        sys.exit(77 if args.quick else 2)
    build = args.build.resolve()
    liberties = [None]
    if args.cells:
        liberties.append(cells.library(liberty.find("sky130hd"), build))
    checks = [Check(module, library, build, args.seconds)
              for module in args.module or (QUICK if args.quick else MODULES)
              for library in liberties]
    start = time.monotonic()
    mutants = 1 if args.quick else args.mutants
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(lambda check: check.run(mutants), checks))
    table([row for row, _ in results])
    bad = sum(not good for _, good in results)
    print(f"{len(results) - bad} of {len(results)} as they should be "
          f"({time.monotonic() - start:.0f} s)")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
