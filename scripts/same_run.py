#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the same `verify` on two programs and wants the same outputs and the same counters.

usage: same_run.py WEFT_A WEFT_B OUT_DIR ARGUMENTS...     (the arguments of `weft verify`)

Every counter of every layer must be equal, cycles among them, and every byte of every output. That
the outputs are right is what `verify` itself checks, against the functional model and the golden
reference. Exit code 0 only then.
"""
import json
import subprocess
import sys
from pathlib import Path


def verify(program, out, arguments):
    """(counters by layer, outputs, the report's totals)"""
    out.mkdir(parents=True, exist_ok=True)
    subprocess.run([program, "verify", *arguments, "--report", str(out / "report.json"),
                    "--output-dir", str(out)], check=True)
    report = json.loads((out / "report.json").read_text())
    assert report["exact"], "verify ended well but is not exact"
    counters = {layer["name"]: layer["counters"] for layer in report["layers"]}
    outputs = {output["name"]: Path(output["file"]).read_bytes() for output in report["outputs"]}
    return counters, outputs, report["total"]


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    programs, out, arguments = sys.argv[1:3], Path(sys.argv[3]), sys.argv[4:]
    runs = [verify(program, out / Path(program).name, arguments) for program in programs]
    (counters_a, outputs_a, total), (counters_b, outputs_b, other) = runs
    differences = [f"output {name} differs" for name in outputs_a
                   if outputs_a[name] != outputs_b.get(name)]
    for layer, counters in counters_a.items():
        for name, value in counters.items():
            got = counters_b.get(layer, {}).get(name)
            if got != value:
                differences.append(f"layer {layer}, counter {name}: {value} and {got}")
    if differences or not outputs_a or not counters_a:
        sys.exit("\n".join(differences or ["nothing was compared"]))
    print(f"{' and '.join(Path(program).name for program in programs)} agree: "
          f"{len(outputs_a)} outputs, {sum(map(len, counters_a.values()))} counters of "
          f"{len(counters_a)} layers, {total['cycles']} cycles "
          f"({total['sim_khz']:.1f} and {other['sim_khz']:.1f} kHz)")


if __name__ == "__main__":
    main()
