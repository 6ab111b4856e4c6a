#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Synthesises weft_top for a target: resources by stage, and static timing where there are cells.

usage: synth.py TARGET CONFIG [--out DIR] [--liberty FILE] [--check | --update]

TARGET is a section of constraints/targets.toml, CONFIG one of spec/configs.toml. Into
DIR/TARGET/CONFIG go synth.ys and its log (everything Yosys did: `yosys synth.ys` repeats it), the
netlist, report.txt and report.json. Exit code 1 on a warning that constraints/warnings.toml does
not explain.

For cells of a Liberty library, memories are macros, listed apart. Libraries that Debian does not
have are looked for in $WEFT_DATA/liberty; --liberty or LIBERTY names another file. Timing needs
OpenSTA (`sta`, Debian's opensta); without it the report says so.

--check compares the resources with tb/area.json and fails when one has grown by more than 2 %;
--update writes that file anew: commit it together with the change that is worth it, or saves it.
"""
import argparse
import collections
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import liberty
import static_timing
from elaborate import (CONSTRAINTS, MEMORY, ROOT, configurations, elaborate, fail,
                       fail_on_warnings, yosys)

STAGES = ["host", "command", "dma", "scratchpad", "array", "post", "store"]
BASELINE = ROOT / "tb/area.json"
GROWTH = 0.02
LOGIC = 0.4  # of a period: what a block is mapped for; paths cross blocks, and registers take their part


class Synthesis:
    """One target and configuration, in a folder of its own."""

    def __init__(self, name, config, out, given_library=None):
        self.name, self.config, self.target = name, config, liberty.targets()[name]
        self.folder = out.resolve() / name / config
        self.folder.mkdir(parents=True, exist_ok=True)
        self.areas = {}
        self.values = {"CONSTRAINTS": CONSTRAINTS}
        if "liberty" in self.target:
            self._prepare_library(liberty.find(name, given_library))

    def _prepare_library(self, path):
        text = liberty.without(liberty.read(path), self.target["omit"])
        self.areas = liberty.areas(text)
        if self.target["nand2"] not in self.areas:
            fail(f"{path} has no cell {self.target['nand2']}: it is not a library of {self.name}")
        cells, loads = (self.folder / name for name in ["cells.lib", "loads"])
        cells.write_text(text)
        loads.write_text(f"set_driving_cell {self.target['driver']}\n"
                         f"set_load {self.target['load']} [all_outputs]\n")
        period = str(round(1000 * LOGIC * self.target["period"]))
        for value, name in [("ABC", "asic.abc"), ("AREA", "asic_area.abc")]:
            self.values[value] = self.folder / name
            self.values[value].write_text(
                (CONSTRAINTS / name).read_text().replace("@PERIOD_PS@", period))
        self.values |= {"LIBERTY": cells, "LOADS": loads, "HIGH": self.target.get("high"),
                        "LOW": self.target.get("low"), "GATE": self.target.get("gate"),
                        "ADDER": self.target.get("adder")}

    def _commands(self, *scripts):
        text = "".join((CONSTRAINTS / script).read_text() for script in scripts)
        for name, value in self.values.items():
            text = text.replace(f"@{name}@", str(value))
        return [line for line in text.splitlines() if line and not line.startswith("#")]

    def map(self):
        """Elaborates and maps the design; ends the program on a warning nobody explained."""
        design, log = self.folder / "design.il", self.folder / "synth.log"
        elaborate(self.config, design, self.folder / "elaborate.log")
        commands = [f"read_rtlil {design}", *self._commands("hierarchy.ys", *self.target["scripts"]),
                    "hierarchy -check -top weft_top", "check -assert",
                    f"tee -q -o {self.folder / 'stat.txt'} stat"]
        if self.areas:
            commands.append(f"write_verilog -noattr -noexpr -nohex -nodec {self.folder / 'yosys.v'}")
        elif self.name != "generic":
            commands.append(f"write_json {self.folder / 'netlist.json'}")
        (self.folder / "synth.ys").write_text("\n".join(commands) + "\n")
        yosys(commands, log)
        fail_on_warnings(log)

    def count(self):
        """Cells by stage: {stage: Counter of cell names}; what weft_top itself has is `top`."""
        modules = {}
        for name, body in re.findall(r"^=== (\S+) ===$(.*?)(?=^===|\Z)",
                                     (self.folder / "stat.txt").read_text(), re.M | re.S):
            modules[name] = {cell: int(number)
                             for cell, number in re.findall(r"^ {5}(\S+) +(\d+)$", body, re.M)}

        def cells(module):
            total = collections.Counter()
            for cell, number in modules[module].items():
                if cell in modules and not cell.startswith(MEMORY):
                    for inner, inner_number in cells(cell).items():
                        total[inner] += number * inner_number
                else:
                    total[cell] += number
            return total

        stages = collections.defaultdict(collections.Counter)
        for cell, number in modules["weft_top"].items():
            if cell in modules:
                for inner, inner_number in cells(cell).items():
                    stages[stage_of(cell)][inner] += number * inner_number
            else:
                stages["top"][cell] += number
        return stages

    def resources(self, counts):
        """The figures of one stage, by column."""
        cells = {cell: number for cell, number in counts.items() if not cell.startswith(MEMORY)}
        figures = {column: sum(number for cell, number in cells.items() if re.fullmatch(kind, cell))
                   for column, kind in self.target["columns"].items()}
        if self.areas:
            if unknown := [cell for cell in cells if cell not in self.areas]:
                fail(f"not mapped to cells of the library: {', '.join(unknown[:5])}")
            area = sum(self.areas[cell] * number for cell, number in cells.items())
            return {"cells": sum(cells.values()), **figures, "area_um2": round(area),
                    "GE": round(area / self.areas[self.target["nand2"]])}
        if "gate_equivalents" in self.target:
            weights = self.target["gate_equivalents"]
            gates = sum(number * gate_weight(cell, weights) for cell, number in cells.items())
            return {"cells": sum(cells.values()), **figures, "GE": round(gates)}
        return figures

    def memories(self, stages):
        """The macros left out: [{stage, width, depth, granule, count, bits}]."""
        return [{"stage": stage, "width": width, "depth": depth, "granule": granule,
                 "count": number, "bits": width * depth * number}
                for stage in STAGES for cell, number in sorted(stages[stage].items())
                if cell.startswith(MEMORY) and "x" in cell
                for width, depth, granule in [map(int, cell.removeprefix(f"{MEMORY}_").split("x"))]]


def gate_weight(cell, weights):
    for kind, weight in weights.items():
        if re.fullmatch(kind, cell):
            return weight
    fail(f"constraints/targets.toml has no weight for the gate {cell}")


def stage_of(module):
    """The stage whose folder in rtl/ has the module (a name that Yosys may have decorated)."""
    plain = re.search(r"weft_\w+", module)[0]
    found = list((ROOT / "rtl").glob(f"*/{plain}.sv"))
    return found[0].parent.name if found and found[0].parent.name in STAGES else "top"


def blocks():
    """The stage of each instance in weft_top."""
    text = (ROOT / "rtl/weft_top.sv").read_text()
    return {instance: stage_of(module)
            for module, instance in re.findall(r"^  (weft_\w+) (?:#\(.*?\) )?(u_\w+) \(", text, re.M)}


def report(result):
    """The result as text: a table by stage, memories, timing."""
    rows = [(stage, result["stages"][stage]) for stage in [*STAGES, "top"]
            if stage in result["stages"]] + [("total", result["total"])]
    columns = list(result["total"])
    lines = [f"{result['config']} for {result['target']}, {result['yosys']}, no unexplained warning",
             "", "| stage | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {stage} | " + " | ".join(f"{figures[column]:,}" for column in columns) + " |"
              for stage, figures in rows]
    if result["memories"]:
        lines += ["", "| memory, not in the above | words x bits | write granule | number | KiB |",
                  "|---|---|---|---|---|"]
        lines += [f"| {m['stage']} | {m['depth']} x {m['width']} | {m['granule']} | {m['count']} | "
                  f"{m['bits'] / 8192:.1f} |" for m in result["memories"]]
    if result.get("timing"):
        timing = result["timing"]
        lines += ["", f"Static timing, {timing['period_ns']} ns: {timing['fmax_mhz']} MHz "
                      "(assumptions: constraints/weft.sdc)", "",
                  "| paths into | from | to | ns | slack ns |", "|---|---|---|---|---|"]
        lines += [f"| {stage} | {path['from']} | {path['to']} | {path['delay_ns']:.2f} | "
                  f"{path['slack_ns']:.2f} |" for stage, path in timing["stages"].items()]
    elif "timing" in result:
        lines += ["", "Static timing skipped: OpenSTA is not installed (sudo apt-get install opensta)"]
    return "\n".join(lines) + "\n"


def grown(result):
    """One line for each figure that is not in the baseline, or more than GROWTH above it."""
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    before = baseline.get(result["target"], {}).get(result["config"], {})
    lines = []
    for column, figure in result["total"].items():
        if column not in before:
            lines.append(f"{column}: {figure}, not in {BASELINE.relative_to(ROOT)} yet")
        elif figure > before[column] * (1 + GROWTH):
            lines.append(f"{column}: {figure}, more than {100 * GROWTH:.0f} % above the "
                         f"{before[column]} of {BASELINE.relative_to(ROOT)}")
    return lines


def update(result):
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    baseline.setdefault(result["target"], {})[result["config"]] = result["total"]
    BASELINE.write_text(json.dumps(baseline, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=liberty.targets())
    parser.add_argument("config", choices=configurations())
    parser.add_argument("--out", type=Path, default=ROOT / "build/synth")
    parser.add_argument("--liberty", help="a Liberty file instead of the target's")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="fail when a figure has grown")
    mode.add_argument("--update", action="store_true", help="write the baseline anew")
    args = parser.parse_args()
    if not shutil.which("yosys"):
        fail("yosys is not installed: sudo apt-get install yosys")

    synthesis = Synthesis(args.target, args.config, args.out, args.liberty)
    synthesis.map()
    stages = synthesis.count()
    total = sum(stages.values(), collections.Counter())
    result = {
        "target": args.target, "config": args.config,
        "yosys": subprocess.run(["yosys", "-V"], capture_output=True, text=True).stdout.split(" (")[0],
        "stages": {stage: synthesis.resources(counts) for stage, counts in stages.items()},
        "total": synthesis.resources(total), "memories": synthesis.memories(stages)}
    if synthesis.areas:
        result["timing"] = None
        if paths := static_timing.analyse(synthesis, result["memories"], blocks()):
            period = synthesis.target["period"]
            longest = period - min(path["slack_ns"] for path in paths.values())
            result["timing"] = {"period_ns": period, "fmax_mhz": round(1000 / longest, 1),
                                "stages": paths}
    text = report(result)
    (synthesis.folder / "report.json").write_text(json.dumps(result, indent=1) + "\n")
    (synthesis.folder / "report.txt").write_text(text)
    print(text, end="")
    if args.update:
        update(result)
    if args.check and (lines := grown(result)):
        sys.exit("\n".join([*lines, f"worth it? scripts/synth.py {args.target} {args.config} "
                                    "--update, and say so in the commit"]))


if __name__ == "__main__":
    main()
