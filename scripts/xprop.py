#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the synthesised netlist in Icarus, with every register and memory unknown at power-up.

usage: xprop.py NETLIST.il --recorder PROGRAM --out DIR [--config NAME] [--seed N] [--seeds N]
       xprop.py ... --plant N    also: takes the reset from N registers, one at a time
       xprop.py ... --without REGISTER   the same for a register by name; may be given again

NETLIST.il is from scripts/netlist.py --words. The bench is tb/xprop/xprop.sv; what it plays back,
for each seed, comes from the recorder, tb/xprop/record_streams.cc. Resets and enables of flip-flops
become multiplexers first: an unknown one then makes the register unknown, where Verilog's `if`
would take it for false.

Exit code 0 only if every seed passed and every planted bug was noticed. Not every register's reset
matters, though: which were not noticed is listed, to be looked at.
"""
import argparse
import random
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESET = re.compile(r"^    connect \\SRST (\\\S*rst_ni)$", re.M)  # active low, all of them


def run(*command, **options):
    done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        sys.exit(f"xprop.py: this failed: {' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def flip_flops_with_reset(text):
    """Register names, and for each where in the text its reset is connected."""
    registers = {}
    for cell in re.finditer(r"^  cell \$sdff\S* \S+\n(?:    .*\n)*", text, re.M):
        reset = RESET.search(text, cell.start(), cell.end())
        if reset:
            output = re.search(r"connect \\Q (\S+)", cell[0])[1]
            registers.setdefault(output.lstrip("\\"), []).append(reset.span(1))
    return registers


def without_reset(text, places):
    for start, end in sorted(places, reverse=True):
        text = text[:start] + "1'1" + text[end:]
    return text


def ram_checks(text):
    """A condition for each memory of the netlist, that a control input that should be known is not,
    and a task that says which memories."""
    names = re.findall(r"^  cell \\weft_ram \\?(\S+)$", text, re.M)
    assert names, "a netlist without memories"
    lines = [f"wire [{len(names) - 1}:0] ram_bad;", "task show_ram_bad;", "  begin"]
    lines += [f'    if (ram_bad[{i}]) $display("memory {name}");' for i, name in enumerate(names)]
    lines += ["  end", "endtask"]
    for i, name in enumerate(names):
        port = f"dut.\\{name} ."
        lines.append(
            f"assign ram_bad[{i}] = {port}rd_en_i === 1'bx || {port}wr_en_i === 1'bx"
            f" || ({port}rd_en_i && ^{port}rd_addr_i === 1'bx)"
            f" || ({port}wr_en_i && ^{{{port}wr_addr_i, {port}wr_mask_i}} === 1'bx);")
    return "\n".join(lines) + "\n"


class Bench:
    def __init__(self, args):
        self.out, self.recorder, self.config = args.out, args.recorder, args.config
        self.program = args.out / "xprop.vvp"
        with open(ROOT / "spec/configs.toml", "rb") as handle:
            self.axi_bytes = tomllib.load(handle)[args.config]["axi_bytes"]
        # Icarus 11 has no unsigned integer parameters.
        ram = (ROOT / "rtl/common/weft_ram.sv").read_text().replace("int unsigned", "int")
        (self.out / "weft_ram.sv").write_text(ram)

    def build(self, text):
        (self.out / "planted.il").write_text(text)
        (self.out / "ram_checks.vh").write_text(ram_checks(text))
        run("yosys", "-q", "-p", f"read_rtlil {self.out}/planted.il; dffunmap; "
            f"opt_clean -purge; write_verilog -noattr {self.out}/xprop_netlist.v")
        run("iverilog", "-g2012", "-s", "xprop", f"-I{self.out}", f"-DAXI_BYTES={self.axi_bytes}",
            "-o", self.program, ROOT / "tb/xprop/xprop.sv", self.out / "xprop_netlist.v",
            self.out / "weft_ram.sv")

    def record(self, seed):
        folder = self.out / f"seed_{seed}"
        folder.mkdir(exist_ok=True)
        print(run(self.recorder, "--config", self.config, "--seed", seed, folder).strip(),
              flush=True)
        return folder

    def simulate(self, seed, folder):
        """What the bench says last."""
        size = sum(1 for _ in open(folder / "memory.hex"))
        output = run("vvp", "-n", self.program, f"+folder={folder}", f"+seed={seed}",
                     f"+bytes={size}")
        said = [line for line in output.splitlines() if line.startswith("xprop: ")]
        if not said:
            sys.exit(f"xprop.py: the bench said nothing:\n{output}")
        return said[0].removeprefix("xprop: ")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS)
    parser.add_argument("netlist", type=Path)
    parser.add_argument("--recorder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", default="weft64")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--plant", type=int, default=0)
    parser.add_argument("--without", action="append", default=[])
    args = parser.parse_args()
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)

    text = args.netlist.read_text()
    bench = Bench(args)
    bench.build(text)
    failed = 0
    for seed in range(args.seed, args.seed + args.seeds):
        said = bench.simulate(seed, bench.record(seed))
        print(f"  {said}", flush=True)
        failed += not said.startswith("ok")

    registers = flip_flops_with_reset(text)
    drawn = random.Random(args.seed).sample(sorted(registers), args.plant)
    for name in args.without + drawn:
        bench.build(without_reset(text, registers[name]))
        said = bench.simulate(args.seed, args.out / f"seed_{args.seed}")
        print(f"without the reset of {name}: {said}", flush=True)
        failed += said.startswith("ok")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
