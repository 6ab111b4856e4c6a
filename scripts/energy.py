#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Energy of gates: switching activity of a real layer on a mapped netlist, priced by the library.

usage: energy.py --recorder FILE.sv MODULE...
           writes a recorder of the ports of MODULE (files of rtl/), bound to each instance of it
       energy.py --record PROGRAM --out DIR [--liberty LIB] [--cycles N]
           runs the shipped network on weft64 by PROGRAM (`weft_record`), then for each of WINDOWS
           maps the module to cells, plays back what entered it during the layer, and prices it
       energy.py --flip-flops CONFIG... [--out DIR]
           counts those of weft_top; memories apart, memories of a few words as registers

Activity: Icarus simulates the cells with the library's delays at the load each of them drives, so
glitches count; every output must equal what the RTL gave in every cycle. Energy: each transition
of a net times the library's internal energy of the cells at it, and its capacitance. Prints a table
and the error of spec/energy.toml's constants; writes OUT/energy.json.
docs/energy.md says what is in the figures and what is not.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

import cells
import liberty

CONFIG = "weft64"
MODEL = ["models/mnist_cnn/mnist_cnn_int8.tflite", "--input",
         "models/mnist_cnn/digits/digit_7.bin"]

# What is measured: module and layer. The first windows of a module give its constants (one for each
# kind of event); a further one only says how far off they are.
WINDOWS = [("weft_array", "conv2"), ("weft_array", "dense1"), ("weft_array", "conv1"),
           ("weft_requantise", "conv1"), ("weft_requantise", "conv2"), ("weft_axi_read", "conv1")]
# Control that cannot be joined in the middle is played from reset, and counted early in the layer.
FROM_RESET = {"weft_axi_read"}

VOLTS = 1.8          # of sky130_fd_sc_hd__tt_025C_1v80
PERIOD_NS = 20.0     # long enough for every path to settle: energy a cycle is what is asked for
SLEW_NS = 0.05       # input transition at which delays are taken from the tables
WIRE_FF = 3.0        # wire capacitance for each input a net reaches: nothing is placed yet
WARM_UP = 400        # cycles played before counting: weights and parameters must have arrived


# --- the recorder ---------------------------------------------------------------------------------

PORT = re.compile(r"^\s*(input|output)\s+(?:wire\s+)?logic\s*((?:signed\s*)?(?:\[[^;,]*?\])?)\s*(\w+)"
                  r"\s*(?:,|//|$)", re.M)


def source_of(module):
    found = list(cells.RTL.glob(f"*/{module}.sv"))
    if not found:
        cells.fail(f"no module {module} in rtl/")
    return found[0]


def header_of(module):
    text = source_of(module).read_text()
    start = re.search(rf"^module {module}\b", text, re.M).start()
    return text[start:text.index(");", start)]


def ports_of(module):
    """(direction, type, name) of every port, in the order of the source; without clock."""
    return [port for port in PORT.findall(header_of(module)) if port[2] != "clk_i"]


def write_recorder(path, modules):
    lines = ["// Written by scripts/energy.py; one line a cycle, all ports of the module, the first "
             "one on the left."]
    for module in modules:
        ports = ports_of(module)
        parameters = re.search(r"#\(.*?^\) ", header_of(module), re.S | re.M)
        lines += [f"module record_{module} {parameters[0] if parameters else ''}(",
                  "  input wire logic clk_i,"]
        lines += [",\n".join(f"  input wire logic {kind} {name}" for _, kind, name in ports), ");"]
        names = ", ".join(name for _, _, name in ports)
        lines += ["  int file;", f'  initial file = $fopen("{module}.hex", "w");',
                  f'  always_ff @(posedge clk_i) $fwrite(file, "%h\\n", {{{names}}});',
                  "endmodule", f"bind {module} record_{module} u_record (.*);"]
    path.write_text("\n".join(lines) + "\n")


# --- the netlist ----------------------------------------------------------------------------------

class Library:
    """What simulation needs of a Liberty library: functions, delays, capacitances, flip-flops."""

    def __init__(self, path):
        self.path = path
        self.cells = {}
        for group in cells.parse(path.read_text()).all("cell"):
            self.cells[group.arguments[0]] = Cell(group)


class Cell:
    def __init__(self, group):
        self.name = group.arguments[0]
        self.load, self.functions, self.delays, self.energies = {}, {}, {}, {}
        self.leakage = group.number("cell_leakage_power", 0)
        flops = group.all("ff")
        self.flop = flops[0] if flops else None
        for pin in group.all("pin"):
            name = pin.arguments[0]
            self.energies[name] = self.internal_energy(pin)
            if pin.attributes["direction"] == "input":
                self.load[name] = pin.number("capacitance", 0)
            elif "function" in pin.attributes:
                self.functions[name] = pin.attributes["function"]
                self.delays[name] = [self.delay(pin, kind) for kind in ["cell_rise", "cell_fall"]]

    @staticmethod
    def delay(pin, kind):
        """Delay against load: a list of (pF, ns), the mean of all arcs."""
        return mean([table for timing in pin.all("timing") for table in timing.all(kind)])

    @staticmethod
    def internal_energy(pin):
        """Energy inside the cell of a transition against load: a list of (pF, pJ).

        The mean of rising and falling edges (the tables add half the energy of the load to the one
        and take it from the other), of all arcs and of all states of the other inputs.
        """
        return mean([table for arc in pin.all("internal_power")
                     for kind in ("rise_power", "fall_power") for table in arc.all(kind)])


def mean(tables):
    """The mean of tables at an input transition of SLEW_NS: (load, value) pairs; empty: zeros."""
    points = {}
    for table in tables:
        slews = floats(table.attributes["index_1"])
        row = min(range(len(slews)), key=lambda i: abs(slews[i] - SLEW_NS))
        if "index_2" in table.attributes:
            loads, values = table.attributes["index_2"], table.attributes["values"][row]
        else:  # of an input: no load
            loads, values = "0", table.attributes["values"].split(",")[row]
        for load, value in zip(floats(loads), floats(values)):
            points.setdefault(load, []).append(value)
    return sorted((load, sum(values) / len(values)) for load, values in points.items()) or [(0, 0)]


def floats(text):
    return [float(word) for word in text.replace(",", " ").split()]


def interpolate(points, x):
    if len(points) == 1:
        return points[0][1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if x <= x1:
            break
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


class Netlist:
    """A module mapped to cells, from Yosys' JSON. Nets are numbers."""

    def __init__(self, module, library, folder):
        self.module, self.library, self.folder = module, library, folder
        mapped = folder / f"{module}.json"
        cells.yosys([cells.read_rtl(CONFIG), f"hierarchy -check -top {module}",
                     f"synth -flatten -top {module}",
                     *cells.map_to_cells(library.path, folder / "map.abc"),
                     f"write_json {mapped}"], folder / f"{module}.log")
        data = json.loads(mapped.read_text())["modules"][module]
        self.ports = {name: (port["direction"], port["bits"])
                      for name, port in data["ports"].items()}
        self.instances = [(cell["type"], {pin: bits[0] for pin, bits in cell["connections"].items()})
                          for cell in data["cells"].values()]
        self.clock = self.ports["clk_i"][1][0]
        self.capacitance, self.wires = {}, {}  # pF of the inputs a net reaches; their number
        for kind, pins in self.instances:
            if kind not in library.cells:
                cells.fail(f"{module}: {kind} is not a cell of the library")
            for pin, load in library.cells[kind].load.items():
                net = pins.get(pin)
                self.capacitance[net] = self.capacitance.get(net, 0) + load
                self.wires[net] = self.wires.get(net, 0) + 1

    def load(self, net):
        return self.capacitance.get(net, 0) + self.wires.get(net, 0) * WIRE_FF / 1000

    def inputs(self):
        return [net for direction, bits in self.ports.values() if direction == "input"
                for net in bits]

    def outputs(self):
        return [net for direction, bits in self.ports.values() if direction == "output"
                for net in bits if not isinstance(net, str)]

    def write_simulation(self, path):
        """Verilog of continuous assignments with delays, faster to simulate than instances."""
        ins, outs = self.inputs(), sorted(set(self.outputs()))
        lines = ["`timescale 1ns/1ps", "module dut (",
                 ", ".join([f"input n{net}" for net in ins]
                           + [f"output n{net}" for net in outs if net not in ins]), ");"]
        for kind, pins in self.instances:
            cell = self.library.cells[kind]
            for pin, function in cell.functions.items():
                net = pins.get(pin)
                if net is None:
                    continue
                rise, fall = (max(interpolate(points, self.load(net)), 0.001)
                              for points in cell.delays[pin])
                if cell.flop:
                    state = cell.flop.arguments[0]
                    lines += [f"reg r{net}; assign n{net} = r{net};",
                              f"always @(posedge {name(pins['CLK'])}) r{net} <= #({rise:.3f}) "
                              + ("" if function == state else "~")
                              + expression(cell.flop.attributes['next_state'], pins) + ";"]
                else:
                    lines.append(f"assign #({rise:.3f},{fall:.3f}) n{net} = "
                                 f"{expression(function, pins)};")
        path.write_text("\n".join(lines) + "\nendmodule\n")


def name(net):
    return f"1'b{net if net in '01' else '0'}" if isinstance(net, str) else f"n{net}"


def expression(function, pins):
    text = re.sub(r"[A-Za-z]\w*", lambda word: name(pins[word[0]]), function)
    return "(" + text.replace("!", "~") + ")"


# --- activity -------------------------------------------------------------------------------------

BENCH = """`timescale 1ns/1ps
module bench;
  reg [{width}-1:0] lines [0:{last}];
  reg [{width}-1:0] line;
  reg clk = 0;
  wire [{outputs}-1:0] got = {{{got}}};
  wire [{outputs}-1:0] expected = {{{expected}}};
  integer cycle, wrong = 0, compared = 0;
  dut dut ({connections});
  initial begin
    $readmemh("{vectors}", lines);
    line = lines[0];
    for (cycle = 0; cycle <= {last}; cycle = cycle + 1) begin
      #({period} / 2.0) clk = 1;
      if (cycle == {warm_up}) begin
        $dumpfile("{pipe}");
        $dumpvars(1, dut);
      end
      #0.3 line = lines[cycle];
      #({period} / 2.0 - 0.5) if (cycle >= {warm_up}) begin
        compared = compared + 1;
        if (got !== expected) wrong = wrong + 1;
      end
      #0.2 clk = 0;
    end
    $display("compared %0d wrong %0d", compared, wrong);
    $finish;
  end
endmodule
"""


class Recording:
    """What entered and left a module: an integer a cycle, the first port in the highest bits."""

    def __init__(self, module, folder, sizes):
        self.ports = ports_of(module)
        self.lines = (folder / f"{module}.hex").read_text().split()
        position, self.place = sum(sizes[name] for _, _, name in self.ports), {}
        self.width = position
        for _, _, name in self.ports:
            position -= sizes[name]
            self.place[name] = (position, (1 << sizes[name]) - 1)

    def values(self, port, first, count):
        shift, mask = self.place[port]
        return [int(line, 16) >> shift & mask for line in self.lines[first:first + count]]


class Activity:
    """Transitions of every net in a window of a recording, by simulation of the netlist."""

    def __init__(self, netlist, recording, first, count, warm_up):
        self.netlist, self.cycles = netlist, count
        folder = netlist.folder
        lines = recording.lines[first - warm_up:first + count]
        vectors = folder / "vectors.hex"
        vectors.write_text("\n".join(lines) + "\n")
        netlist.write_simulation(folder / "dut.v")
        self.write_bench(recording, vectors, len(lines), warm_up)
        program, pipe = folder / "bench.vvp", folder / "changes.pipe"
        subprocess.run(["iverilog", "-g2012", "-s", "bench", "-o", program, folder / "bench.v",
                        folder / "dut.v"], check=True)
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
        simulation = subprocess.Popen(["vvp", "-n", str(program)], stdout=subprocess.PIPE, text=True)
        self.count(pipe)
        said = re.search(r"compared (\d+) wrong (\d+)", simulation.communicate()[0])
        pipe.unlink()
        if not said or int(said[2]) or not int(said[1]):
            cells.fail(f"{netlist.module}: the netlist differs from the recorded RTL "
                       f"({said[0] if said else 'no simulation'})")

    def write_bench(self, recording, vectors, count, warm_up):
        """Inputs come from the recorded line, outputs are compared with it."""
        connections, got, expected = [f".n{self.netlist.clock}(clk)"], [], []
        for direction, _, port in recording.ports:
            position, _ = recording.place[port]
            for i, net in enumerate(self.netlist.ports[port][1]):
                if direction == "input":
                    connections.append(f".n{net}(line[{position + i}])")
                else:
                    expected.append(f"line[{position + i}]")
                    got.append(name(net) if isinstance(net, str) else f"dut.n{net}")
        (self.netlist.folder / "bench.v").write_text(BENCH.format(
            width=recording.width, last=count - 1, outputs=len(got), vectors=vectors,
            got=", ".join(got), expected=", ".join(expected), connections=", ".join(connections),
            period=PERIOD_NS, warm_up=warm_up, pipe=self.netlist.folder / "changes.pipe"))

    def count(self, pipe):
        """Reads the value changes; a net that was unknown until now has not changed."""
        nets, value, toggles = {}, {}, {}
        with open(pipe) as changes:
            for line in changes:
                mark = line[0]
                if mark in "01xz":
                    code = line[1:-1]
                    if value.get(code, "x") + mark in ("01", "10"):
                        toggles[code] = toggles.get(code, 0) + 1
                    value[code] = mark
                elif line.startswith("$var"):
                    words = line.split()
                    if words[4].startswith("n"):
                        nets[words[3]] = int(words[4][1:])
        self.toggles = {net: toggles.get(code, 0) for code, net in nets.items()}
        self.unknown = sum(value.get(code) in ("x", "z") for code in nets)


def price(netlist, activity):
    """Energy in pJ a cycle, by cause; `leakage` is power, in nW."""
    energy = dict.fromkeys(["clock", "registers", "gates", "wires"], 0.0)
    leakage = 0.0
    toggles = {net: count / activity.cycles for net, count in activity.toggles.items()}
    toggles[netlist.clock] = 2.0
    for kind, pins in netlist.instances:
        cell = netlist.library.cells[kind]
        leakage += cell.leakage
        cause = "registers" if cell.flop else "gates"
        for pin, net in pins.items():
            share = "clock" if net == netlist.clock else cause
            energy[share] += toggles.get(net, 0) * interpolate(cell.energies[pin],
                                                               netlist.load(net))
    for net, count in toggles.items():
        switched = count * VOLTS ** 2 / 2
        pins, wire = netlist.capacitance.get(net, 0), netlist.wires.get(net, 0) * WIRE_FF / 1000
        if net == netlist.clock:
            energy["clock"] += switched * (pins + wire)
        else:
            energy["gates"] += switched * pins
            energy["wires"] += switched * wire
    return energy | {"leakage": leakage}


# --- constants ------------------------------------------------------------------------------------

def events_of(module, recording, first, count, useful):
    """How often each event of the model happened. `useful`: share of the products that are MACs."""
    def values(port):
        return recording.values(port, first, count)

    def both(a, b):
        return sum(x & y for x, y in zip(values(a), values(b)))

    with open(cells.ROOT / "spec/configs.toml", "rb") as handle:
        config = tomllib.load(handle)[CONFIG]
    if module == "weft_array":
        return {"mac": sum(values("mul_valid_i")) * config["k"] * config["n"] * useful,
                "weight_byte": both("wb_valid_i", "wb_ready_o") * config["weight_word"]}
    if module == "weft_requantise":
        return {"post_lane": both("valid_i", "ready_o") * config["post_lanes"]}
    return {"dma_byte": both("axi_rvalid_i", "axi_rready_o") * config["axi_bytes"]}


def count_flip_flops(config, folder):
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"flip_flops_{config}.log"
    cells.yosys([cells.read_rtl(config), "hierarchy -check -top weft_top", "proc",
                 "blackbox *weft_ram", "opt_clean", "memory_collect", "memory_map", "opt_clean",
                 "stat -width -top weft_top"], log)
    text = log.read_text()
    total = text[text.rindex("=== design hierarchy"):]
    return sum(int(width) * int(count) for width, count
               in re.findall(r"\$[as]*dff[a-z]*_(\d+)\s+(\d+)", total))


def solve(rows):
    """Constants c with sum(c[e] * events[e]) = energy for rows of (events, energy), one or two."""
    names = list(rows[0][0])
    if len(names) == 1:
        return {names[0]: rows[0][1] / rows[0][0][names[0]]}
    (a, x), (b, y) = rows[:2]
    p, q = names
    determinant = a[p] * b[q] - a[q] * b[p]
    return {p: (x * b[q] - a[q] * y) / determinant, q: (a[p] * y - x * b[p]) / determinant}


def measure(args, library):
    """For every window: cycles, events, energy by cause in pJ, counted flip-flops."""
    report = json.loads((args.out / "report.json").read_text())
    ends, layers = 0, {}
    for layer in report["layers"]:
        layers[layer["name"]] = (ends, layer)
        ends += layer["cycles"]
    netlists, results = {}, []
    for module, layer_name in WINDOWS:
        if module not in netlists:
            folder = args.out / module
            folder.mkdir(exist_ok=True)
            netlists[module] = Netlist(module, library, folder)
        netlist = netlists[module]
        recording = Recording(module, args.out, {name: len(bits) for name, (_, bits)
                                                 in netlist.ports.items()})
        start, layer = layers[layer_name]
        before = len(recording.lines) - ends  # cycles in which the host set up the device
        if module in FROM_RESET:
            first = warm_up = before + start + 200
        else:
            first, warm_up = before + start + layer["cycles"] // 2, WARM_UP
        begin = time.monotonic()
        activity = Activity(netlist, recording, first, args.cycles, warm_up)
        busy = layer["counters"]["array_busy"]
        with open(cells.ROOT / "spec/configs.toml", "rb") as handle:
            config = tomllib.load(handle)[CONFIG]
        useful = min(1, layer["macs"] / (busy * config["k"] * config["n"])) if busy else 0
        results.append({
            "module": module, "layer": layer_name, "cycles": args.cycles,
            "cells": len(netlist.instances),
            "flip_flops": sum(library.cells[kind].flop is not None
                              for kind, _ in netlist.instances),
            "transitions": sum(activity.toggles.values()), "unknown_nets": activity.unknown,
            "events": events_of(module, recording, first, args.cycles, useful),
            "pj_a_cycle": price(netlist, activity), "seconds": time.monotonic() - begin})
        row = results[-1]
        print(f"{module:16} {layer_name:7} {row['cells']:6} cells  " + "  ".join(
            f"{cause} {value:.1f}" for cause, value in row["pj_a_cycle"].items())
            + f"  {row['events']}  ({row['seconds']:.0f} s)", flush=True)
    return results


def dynamic(row):
    """Energy of a window in pJ without the clock."""
    return sum(value for cause, value in row["pj_a_cycle"].items()
               if cause not in ("clock", "leakage")) * row["cycles"]


def compare(results):
    """Prints the constants that the windows give, and how well those of spec/energy.toml fit."""
    with open(cells.ROOT / "spec/energy.toml", "rb") as handle:
        model = {event["name"]: event["pj"] for event in tomllib.load(handle)["event"]}
    given = {"clock": sum(row["pj_a_cycle"]["clock"] for row in results)
             / sum(row["flip_flops"] for row in results)}
    for module in dict.fromkeys(row["module"] for row in results):
        given |= solve([(row["events"], dynamic(row)) for row in results if row["module"] == module])
    print("\nconstant      measured  spec/energy.toml   (pJ)")
    for event, value in given.items():
        print(f"{event:12} {value:9.3f} {model[event]:9.3f}")
    print("\nmodule           layer      gates     model   error   (pJ a cycle, clock included)")
    for row in results:
        gates = dynamic(row) / row["cycles"] + row["pj_a_cycle"]["clock"]
        guess = (sum(model[event] * count for event, count in row["events"].items())
                 / row["cycles"] + model["clock"] * row["flip_flops"])
        row["model_pj_a_cycle"] = guess
        print(f"{row['module']:16} {row['layer']:7} {gates:8.1f}  {guess:8.1f}  "
              f"{guess / gates - 1:+6.1%}")
    return given


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS)
    parser.add_argument("--recorder", type=Path)
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--record", type=Path)
    parser.add_argument("--out", type=Path, default=cells.ROOT / "build/energy")
    parser.add_argument("--liberty", type=Path)
    parser.add_argument("--flip-flops", nargs="+", metavar="CONFIG")
    parser.add_argument("--cycles", type=int, default=600)
    args = parser.parse_args()
    if args.recorder:
        write_recorder(args.recorder, args.modules)
        return
    if args.flip_flops:
        with open(cells.ROOT / "spec/energy.toml", "rb") as handle:
            stated = tomllib.load(handle)["flip_flops"]
        for config in args.flip_flops:
            print(f"{config}: {count_flip_flops(config, args.out.resolve())} flip-flops, "
                  f"spec/energy.toml {stated[config]}", flush=True)
        return
    if not args.record:
        parser.error("--record, --recorder or --flip-flops is needed")
    if not shutil.which("iverilog"):
        cells.fail("Icarus is not installed: sudo apt-get install iverilog")
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    library = Library(cells.library(liberty.find("sky130hd", args.liberty),
                                    args.out))
    model = [str(cells.ROOT / word) if "/" in word else word for word in MODEL]
    subprocess.run([args.record.resolve(), "run", *model, "--config", CONFIG, "--report",
                    "report.json"], cwd=args.out, check=True, stdout=subprocess.DEVNULL)
    results = measure(args, library)
    given = compare(results)
    (args.out / "energy.json").write_text(
        json.dumps({"constants_pj": given, "windows": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
