#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lays out one lane of the array: rtl/array/weft_array.sv with K = 8, N = 1, from RTL to GDSII.

usage: gds.py [--out DIR] [--density D]... [--picture FILE.png]

Yosys maps the lane to Debian's osu018 cells; qflow places (graywolf) and routes (qrouter) it; magic
checks the design rules and extracts a netlist, netgen compares that with what was synthesised;
magic writes OUT/weft_array.gds, KLayout draws it. The RTL is read as it is, with a weft_pkg made by
spec/generate.py for a configuration of that size. The router may leave a few spacing errors: the
next density is tried then. Exit code 0 only if all nets are routed, no design rule is broken and
the netlists match. docs/gds.md says what that means and what it does not.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cells

sys.path.insert(0, str(cells.ROOT / "spec"))
import generate  # noqa: E402

MODULE = "weft_array"
TECH = "osu018"
TECH_FILES = Path("/usr/share/qflow/tech") / TECH
LANE = {"n": 1, "post_lanes": 1}  # the rest is weft64
TOOLS = {"qflow": "qflow", "graywolf": "graywolf", "qrouter": "qrouter", "magic": "magic",
         "netgen-lvs": "netgen-lvs", "klayout": "klayout", "tcsh": "tcsh"}
DENSITIES = [0.65, 0.6, 0.7]

# Layers of the picture, from below: GDS number, colour.
LAYERS = [(49, "#0040c0"), (51, "#c00000"), (62, "#00a000"), (31, "#e08000"), (33, "#8000c0"),
          (37, "#008080")]


def check_tools():
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)}
                     | ({f"qflow-tech-{TECH}"} if not TECH_FILES.is_dir() else set()))
    if missing:
        cells.fail(f"{', '.join(missing)} not installed: sudo apt-get install {' '.join(missing)}, "
                   "or WEFT_BOOTSTRAP_OPTIONAL=1 scripts/bootstrap.sh")


def lane_package():
    """The text of weft_pkg.sv with the lane as one more configuration."""
    configs = generate.load("configs.toml")
    commands = generate.load("commands.toml")
    generate.place_fields(commands)
    lane = {key: value for key, value in configs["weft64"].items()} | LANE
    generate.check_configs({"lane": lane})
    return generate.sv_package(configs | {"lane": lane}, commands,
                               generate.load("registers.toml"))


def elaborate(folder):
    """Writes what qflow starts from: plain Verilog, and Yosys' script for it."""
    for name in ["source", "synthesis", "layout"]:
        (folder / name).mkdir(parents=True, exist_ok=True)
    source = folder / "source"
    package = source / "weft_pkg.sv"
    package.write_text(lane_package())
    cells.yosys([cells.read_rtl("lane", [package, cells.RTL / f"array/{MODULE}.sv"]),
                 f"hierarchy -check -top {MODULE}", "proc", "opt_clean",
                 f"write_verilog -noattr {source / MODULE}.v"], source / "elaborate.log")
    (source / f"{MODULE}.ys").write_text("\n".join([
        f"read_verilog {MODULE}.v", f"synth -flatten -top {MODULE}",
        *cells.map_to_cells(TECH_FILES / f"{TECH}_stdcells.lib", source / "map.abc"),
        "iopadmap -outpad BUFX2 A:Y -bits", "opt", "clean", "rename -enumerate",
        f"write_blif -buf BUFX2 A Y {MODULE}_mapped.blif"]) + "\n")


class Layout:
    """A run of qflow in its own folder."""

    def __init__(self, folder, density):
        self.folder, self.density = folder, density
        shutil.rmtree(folder, ignore_errors=True)
        elaborate(folder)
        (folder / "project_vars.sh").write_text(
            f'set yosys_options="-s {MODULE}.ys"\nset initial_density={density}\n')

    def log(self, step):
        return (self.folder / f"log/{step}.log").read_text(errors="replace")

    def qflow(self, step):
        """One step of qflow; its exit code is not reliable, its results are looked at instead."""
        start = time.monotonic()
        print(f"density {self.density}: {step} ...", end=" ", flush=True)
        with open(self.folder / f"qflow_{step}.out", "w") as out:
            subprocess.run(["qflow", step, "-T", TECH, MODULE], cwd=self.folder, stdout=out,
                           stderr=subprocess.STDOUT)
        print(f"{time.monotonic() - start:.0f} s", flush=True)

    def magic(self, name, commands):
        script = self.folder / f"layout/{name}.tcl"
        script.write_text("\n".join(
            ["drc off", f"lef read {TECH_FILES}/{TECH}_stdcells.lef", f"load {MODULE}",
             "select top cell", "expand", *commands, "quit"]) + "\n")
        done = subprocess.run(["magic", "-dnull", "-noconsole", script.name], cwd=script.parent,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=subprocess.DEVNULL)
        return done.stdout

    def make(self):
        """Runs all steps; returns what is wrong with the result."""
        for step in ["synthesize", "place", "route", "migrate"]:
            self.qflow(step)
        if not (self.folder / f"layout/{MODULE}.spice").exists():
            return [f"qflow made no layout; see {self.folder}/log"]
        faults = []
        if "Final: No failed routes!" not in self.log("route"):
            faults.append(f"not all nets are routed; see {self.folder}/log/route.log")
        said = self.magic("drc", ["drc euclidean on", "drc on", "drc check", "drc catchup",
                                  'puts stdout "drc: [drc list count total]"',
                                  'puts stdout "why: [drc listall why]"'])
        count = re.search(r"^drc: (\d+)$", said, re.M)
        if not count:
            faults.append(f"magic did not count design rule errors:\n{said}")
        elif int(count[1]):
            why = re.search(r"^why: (.*)$", said, re.M)[1]
            faults.append(f"{count[1]} design rule errors: {why}")
        self.qflow("lvs")
        compared = (self.folder / "layout/comp.out")
        if not compared.exists() or "Circuits match uniquely." not in compared.read_text():
            faults.append(f"layout and netlist differ: {compared}")
        return faults

    def write_gds(self):
        self.magic("write", [f"gds write {MODULE}"])
        return self.folder / f"layout/{MODULE}.gds"

    def figures(self):
        """What docs/gds.md states."""
        text = (self.folder / f"layout/{MODULE}.def").read_text()
        placed = [kind for kind in re.findall(r"^- \S+ (\S+) \+ PLACED", text, re.M)
                  if kind != "FILL"]
        units = int(re.search(r"UNITS DISTANCE MICRONS (\d+)", text)[1])
        corners = [int(n) / units for n in re.findall(
            r"-?\d+", re.search(r"^DIEAREA (.*);", text, re.M)[1])]
        return {"density": self.density, "cells": len(placed),
                "flip_flops": sum(kind.startswith("DFF") for kind in placed),
                "nets": int(re.search(r"^NETS (\d+)", text, re.M)[1]),
                "pins": int(re.search(r"^PINS (\d+)", text, re.M)[1]),
                "width_um": corners[2] - corners[0], "height_um": corners[3] - corners[1]}


def draw(gds, picture):
    """A picture of the layout, by KLayout without a display."""
    script = gds.with_suffix(".picture.py")
    script.write_text(f"""import pya
view = pya.LayoutView()
view.load_layout({str(gds)!r})
view.max_hier()
for name, value in [("background-color", "#ffffff"), ("grid-visible", "false"),
                    ("text-visible", "false")]:
    view.set_config(name, value)
view.clear_layers()
for number, color in {LAYERS!r}:
    layer = pya.LayerProperties()
    layer.source = f"{{number}}/0"
    layer.fill_color = layer.frame_color = int(color[1:], 16)
    layer.dither_pattern = 0
    view.insert_layer(view.end_layers(), layer)
view.zoom_fit()
view.save_image({str(picture)!r}, 1200, 880)
""")
    done = subprocess.run(["klayout", "-z", "-nc", "-rx", "-r", str(script)],
                          env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0 or not picture.exists():
        cells.fail(f"KLayout drew no picture:\n{done.stdout}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=cells.ROOT / "build/gds")
    parser.add_argument("--density", type=float, action="append")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    check_tools()
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    for density in args.density or DENSITIES:
        layout = Layout(out / f"density_{density}", density)
        faults = layout.make()
        if not faults:
            break
        print(f"density {density}: " + "; ".join(faults), flush=True)
    else:
        cells.fail("no density gave a clean layout")
    gds = out / f"{MODULE}.gds"
    shutil.copy(layout.write_gds(), gds)
    picture = args.picture.resolve() if args.picture else out / f"{MODULE}.png"
    draw(gds, picture)
    figures = layout.figures() | {"gds_bytes": gds.stat().st_size}
    (out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(f"clean: no design rule errors, netlists match ({figures['cells']} cells, "
          f"{figures['nets']} nets, {figures['width_um']:.0f} x {figures['height_um']:.0f} um)\n"
          f"{gds}\n{picture}")


if __name__ == "__main__":
    main()
