#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs Verilator and gathers what it wrote into files whose names CMake knows beforehand.

usage: verilate.py --out DIR --prefix CLASS --shards N -- verilator ARGUMENTS...

Writes DIR/fast_0.cpp ... fast_<N-1>.cpp (what runs every cycle) and DIR/slow.cpp (what runs once),
which include signed_arithmetic.h and the generated files. How many of those there are is Verilator's choice.
"""
import argparse
import subprocess
import sys
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()

    args.out.mkdir(parents=True, exist_ok=True)
    for stale in args.out.glob("*.cpp"):
        stale.unlink()
    command = args.command + ["--cc", "--Mdir", str(args.out), "--prefix", args.prefix]
    if subprocess.run(command).returncode != 0:
        sys.exit(f"verilate.py: this failed: {' '.join(command)}")

    sources = sorted(args.out.glob(f"{args.prefix}*.cpp"))
    slow = [f for f in sources if "__Slow" in f.name or f.name.endswith("__Syms.cpp")]
    fast = [f for f in sources if f not in slow]
    shards = [[] for _ in range(args.shards)]
    for source in sorted(fast, key=lambda f: -f.stat().st_size):
        min(shards, key=lambda shard: sum(f.stat().st_size for f in shard)).append(source)
    for number, shard in enumerate(shards):
        write(args.out / f"fast_{number}.cpp", sorted(shard))
    write(args.out / "slow.cpp", slow)


def write(path, sources):
    names = ["signed_arithmetic.h"] + [source.name for source in sources]
    path.write_text("".join(f'#include "{name}"\n' for name in names))


if __name__ == "__main__":
    main()
