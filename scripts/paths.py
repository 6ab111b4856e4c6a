#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Finds combinational paths between the ports of a bus, in a netlist that Yosys wrote.

usage: paths.py NETLIST.json MODULE PREFIX...

NETLIST.json: `write_json` of the flattened design after `proc`. Reports every input port whose name
begins with one of the PREFIXes and that reaches an output port of theirs without passing a
register, and exits 1 if there is one: AXI forbids such paths. A memory with a clocked read port is
a register; one without is not. Each bit of a cell's output is taken to depend on all its inputs.
"""
import collections
import json
import sys

FLOPS = ("$dff", "$sdff", "$adff", "$aldff", "$dlatch", "$sr", "$ff")


def is_register(cell):
    if cell["type"] in ("$memrd", "$memrd_v2"):
        return int(cell["parameters"]["CLK_ENABLE"], 2) == 1
    return cell["type"].startswith(FLOPS)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    netlist, name, prefixes = sys.argv[1], sys.argv[2], tuple(sys.argv[3:])
    with open(netlist) as handle:
        module = json.load(handle)["modules"][name]

    reads = collections.defaultdict(list)  # bit: indices of the cells it goes into
    drives = []
    for cell in module["cells"].values():
        if is_register(cell):
            continue
        directions = cell["port_directions"]
        drives.append([bit for port, bits in cell["connections"].items()
                       if directions[port] == "output" for bit in bits])
        for port, bits in cell["connections"].items():
            if directions[port] == "input":
                for bit in bits:
                    reads[bit].append(len(drives) - 1)

    ports = {port: data for port, data in module["ports"].items() if port.startswith(prefixes)}
    outputs = collections.defaultdict(set)
    for port, data in ports.items():
        if data["direction"] == "output":
            for bit in data["bits"]:
                outputs[bit].add(port)
    inputs = [port for port, data in ports.items() if data["direction"] == "input"]
    if not inputs or not outputs:
        sys.exit(f"{name} has no inputs or no outputs named {' or '.join(prefixes)}")

    paths = set()
    for port in inputs:
        seen, cells = set(ports[port]["bits"]), set()
        todo = list(seen)
        while todo:
            bit = todo.pop()
            if bit in outputs:
                paths.update((port, output) for output in outputs[bit])
            for cell in reads[bit]:
                if cell in cells:
                    continue
                cells.add(cell)
                for driven in drives[cell]:
                    if driven not in seen:
                        seen.add(driven)
                        todo.append(driven)
    for source, sink in sorted(paths):
        print(f"{name}: combinational path from {source} to {sink}")
    print(f"{name}: {len(inputs)} inputs, {len(set().union(*outputs.values()))} outputs, "
          f"{len(paths)} combinational paths")
    sys.exit(1 if paths else 0)


if __name__ == "__main__":
    main()
