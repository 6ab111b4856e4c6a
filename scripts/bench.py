#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cycles and simulation speed of the networks at hand, on the verilated RTL, as one table.

usage: bench.py [--build DIR] [--config NAME]... [--json FILE] [--check | --update] [NETWORK...]

NETWORK is a .tflite file, or one of: mnist, mobilenet_v2, resnet50, ic_twin, kws_twin, vww_twin, ad_twin (written by
models/*.py into the build folder), ic, kws, vww, ad (MLPerf Tiny, from WEFT_DATA when it is there). Without
any: mnist, the four MLPerf Tiny models or else their twins, and mobilenet_v2. kHz depends on the machine; cycles do not.

--check compares cycles with tb/cycles.json and fails when one has grown by more than 1 %; without NETWORK, of the
twins, of the MLPerf Tiny models that are there, and of mobilenet_v2. --update writes that file anew: commit it together with the change
that is worth the cycles, or saves them.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TINY = ["ic", "kws", "vww", "ad"]
BASELINE = ROOT / "tb/cycles.json"
GROWTH = 0.01


def data_folder():
    return Path(os.environ.get("WEFT_DATA", ROOT.parent / "shared"))


def tiny_file(name):
    return data_folder() / "models" / "mlperf_tiny" / name / "model_int8.tflite"


def model_file(name, build):
    """The path of a network, generated into the build folder where a script of ours writes it."""
    if name.endswith(".tflite"):
        return Path(name)
    if name == "mnist":
        return ROOT / "models/mnist_cnn/mnist_cnn_int8.tflite"
    if name in TINY:
        return tiny_file(name)
    folder = build / "models"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.tflite"
    if not path.exists():
        if name.endswith("_twin"):
            command = [ROOT / "models/twins.py", name.removesuffix("_twin"), "-o", folder]
        elif name in ("mobilenet_v2", "resnet50"):
            command = [ROOT / f"models/{name}.py", "-o", path]
        else:
            sys.exit(f"bench.py: no network is called {name}; see --help")
        subprocess.run([sys.executable, *map(str, command)], check=True, stdout=subprocess.DEVNULL)
    return path


def measure(build, path, config):
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [build / "weft", "run", path, "--config", config, "--output-dir", folder, "--report", report]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"bench.py: {path} on {config}: {done.stderr.strip()}")
        return json.loads(report.read_text())


def grown(figures):
    """One line for each figure that is missing in the baseline or more than GROWTH above it."""
    baseline = json.loads(BASELINE.read_text())
    lines = []
    for figure in figures:
        network, config, cycles = figure["network"], figure["config"], figure["cycles"]
        before = baseline.get(network, {}).get(config)
        if before is None:
            lines.append(f"{network} on {config}: {cycles} cycles, not in {BASELINE.relative_to(ROOT)} yet")
        elif cycles > before * (1 + GROWTH):
            lines.append(f"{network} on {config}: {cycles} cycles, {100 * (cycles / before - 1):.1f} % above the "
                         f"{before} of {BASELINE.relative_to(ROOT)}")
    return lines


def update(figures):
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    for figure in figures:
        baseline.setdefault(figure["network"], {})[figure["config"]] = figure["cycles"]
    BASELINE.write_text(json.dumps(baseline, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--config", action="append", help="default: the three that ship")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="fail when cycles have grown")
    mode.add_argument("--update", action="store_true", help="write the baseline anew")
    parser.add_argument("networks", nargs="*")
    args = parser.parse_args()
    configs = args.config or ["weft64", "weft256", "weft1024"]
    twins = [f"{name}_twin" for name in TINY]
    real = [name for name in TINY if tiny_file(name).exists()]
    tracked = args.check or args.update
    networks = args.networks or [*(twins + real if tracked else ["mnist", *(real or twins)]), "mobilenet_v2"]

    print("| network | MACs | " + " | ".join(f"{c} cycles | share | kHz" for c in configs) + " |")
    print("|---|---|" + "---|---|---|" * len(configs))
    figures = []
    for name in networks:
        cells, macs = [], 0
        for config in configs:
            report = measure(args.build, model_file(name, args.build), config)
            total = report["total"]
            macs = total["macs"]
            cells.append(f"{total['cycles']:,} | {100 * total['utilization']:.1f} % | {total['sim_khz']:.0f}")
            figures.append({"network": name, "config": config, "exact": report["exact"], **total})
        print(f"| {Path(name).stem} | {macs:,} | " + " | ".join(cells) + " |", flush=True)
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    if args.update:
        update(figures)
    if args.check and (lines := grown(figures)):
        sys.exit("\n".join([*lines, "worth it? scripts/bench.py --update, and say so in the commit"]))


if __name__ == "__main__":
    main()
