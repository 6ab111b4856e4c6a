#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs networks on the verilated RTL and tells how fast device, simulation, compiler and estimate are.

usage: bench.py [--build DIR] [--config NAME]... [--quick | --check | --update] [NETWORK...]

NETWORK is a .tflite file, or one of: mnist; ic, kws, vww, ad (MLPerf Tiny, from WEFT_DATA when it is there);
ic_twin, kws_twin, vww_twin, ad_twin; mobilenet_v2, efficientnet_lite0, resnet50; the layers of models/layers.py (all
but mnist and MLPerf Tiny are written by models/*.py into the build folder). Without any: all of them, with the twins
where the MLPerf Tiny models are not there, and the MLPerf Tiny networks on slower memories too; --quick leaves out
resnet50, which takes minutes. Writes the table to DIR/bench.txt and all figures, layer by layer, to DIR/bench.json,
which scripts/bench_docs.py turns into the tables of the documents. Rows of networks that were not run stay there.

Columns: `limit`: no schedule takes fewer cycles: products / (K x N), or the bytes of weights, inputs and outputs / bytes
of a beat. `share`: limit / cycles. `estimate`: error of `weft estimate`. kHz and MAC/s are of the simulation, `functional`
MAC/s of the functional device, `reference` seconds of the golden reference; they and compile time depend on the
machine and what else it does, cycles do not. The build times below the table are ninja's, as each model was built last (ccache included).

--check compares cycles with tb/cycles.json and fails when one has grown by more than 1 %, or when an estimate is
more than 5 % off; without NETWORK, of the networks that are tracked: twins, the MLPerf Tiny models that are there,
mobilenet_v2. --update writes that file anew: commit it together with the change that is worth the cycles, or saves
them.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "models"))
from layers import LAYERS  # noqa: E402
from tflite_reader import read_model  # noqa: E402

TINY = ["ic", "kws", "vww", "ad"]
LARGE = ["mobilenet_v2", "efficientnet_lite0", "resnet50"]
BASELINE = ROOT / "tb/cycles.json"
GROWTH = 0.01
ESTIMATE_ERROR = 0.05
# What weft256 is to reach: cycles, or a share of the limit.
TARGETS = {"ic": 51000, "kws": 12500, "vww": 36500, "ad": 17500, "resnet50": 0.95, "mobilenet_v2": 0.80,
           "efficientnet_lite0": 0.70, "gemm_512_512_512": 0.98, "gemm_64_64_64": 1400, "conv3_32x32x16_16": 9900,
           **{name: 0.5 for name in LAYERS if name.startswith("dw3_")}}
LATENCIES = [8, 32, 100, 200]
BANDWIDTHS = [1, 0.5, 0.25]
COLUMNS = ["network", "config", "MACs", "cycles", "limit", "share", "target", "estimate", "kHz", "MAC/s", "compile s",
           "functional MAC/s", "reference s"]


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
    if name in LAYERS:
        script, arguments = "layers.py", [name, "-o", folder]
    elif name.endswith("_twin"):
        script, arguments = "twins.py", [name.removesuffix("_twin"), "-o", folder]
    elif name in LARGE:
        script, arguments = f"{name}.py", ["-o", path]
    else:
        sys.exit(f"bench.py: no network is called {name}; see --help")
    script = ROOT / "models" / script
    if not path.exists() or path.stat().st_mtime < script.stat().st_mtime:
        command = [sys.executable, script, *arguments]
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def weft(build, *arguments):
    """Standard output of the program; ends the script when it fails."""
    command = [str(build / "weft"), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench.py: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def run(build, path, *arguments):
    """The report of one run."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        weft(build, "run", path, *arguments, "--output-dir", folder, "--report", report)
        return json.loads(report.read_text())


def compile_seconds(build, path, config):
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        weft(build, "compile", path, "--config", config, "-o", Path(folder) / "program.weft")
        return time.monotonic() - start


def limit_cycles(path, config, macs):
    """No fewer cycles: all products, or every weight, input and output byte once through the port."""
    model = read_model(path.read_bytes())
    inputs = {i for op in model.operators for i in op.inputs if i >= 0 and model.tensors[i].data}
    through_port = sum(len(model.tensors[i].data) for i in inputs)
    for index in [*model.inputs, *model.outputs]:
        size = 1
        for extent in model.tensors[index].shape:
            size *= extent
        through_port += size
    return round(max(macs / (config["k"] * config["n"]), through_port / config["axi_bytes"]))


def configs(build):
    """Name -> K, N, bytes of a beat."""
    found = {}
    for line in weft(build, "configs").splitlines()[1:]:
        name, k, _, n, axi_bytes = line.split()[:5]
        found[name] = {"k": int(k), "n": int(n), "axi_bytes": int(axi_bytes)}
    return found


def measure(build, name, config, constants, host):
    """The figures of one network on one configuration. `host`: also how fast the host's parts are."""
    path = model_file(name, build)
    report = run(build, path, "--config", config)
    estimate = json.loads(weft(build, "estimate", path, "--config", config, "--json"))
    total = report["total"]
    figure = {"network": name, "config": config, "exact": report["exact"], **total,
              "estimate": estimate["total"]["cycles"],
              "layers": [{**layer, "estimate": guess["cycles"], "estimate_read_bytes": guess["read_bytes"],
                          "estimate_write_bytes": guess["write_bytes"]}
                         for layer, guess in zip(report["layers"], estimate["layers"])]}
    figure["mac_per_second"] = total["macs"] / total["sim_seconds"]
    if name.startswith("dw3_"):  # the layer in the middle is what counts
        figure["macs"] = report["layers"][1]["macs"]
        figure["cycles"] = report["layers"][1]["cycles"]
        figure["estimate"] = estimate["layers"][1]["cycles"]
        figure["limit"] = round(figure["macs"] / (constants["k"] * constants["n"]))
    else:
        figure["limit"] = limit_cycles(path, constants, total["macs"])
    figure["share"] = figure["limit"] / figure["cycles"]
    if host:
        figure["compile_seconds"] = compile_seconds(build, path, config)
        functional = run(build, path, "--config", config, "--device", "functional")
        reference = run(build, path, "--config", config, "--device", "reference")
        figure["functional_mac_per_second"] = total["macs"] / functional["total"]["sim_seconds"]
        figure["reference_seconds"] = reference["total"]["sim_seconds"]
    return figure


def target_of(figure):
    """What the figure is to reach, and whether it does; None where nothing is set."""
    target = TARGETS.get(figure["network"].removesuffix("_twin"))
    if figure["config"] != "weft256" or target is None:
        return None
    if target < 1:
        return f"{100 * target:.0f} %", figure["share"] >= target
    return f"{target:,}", figure["cycles"] <= target


def cells(figure):
    target = target_of(figure)
    host = "compile_seconds" in figure
    return [figure["network"], figure["config"], f"{figure['macs']:,}", f"{figure['cycles']:,}", f"{figure['limit']:,}",
            f"{100 * figure['share']:.1f} %",
            "" if target is None else f"{target[0]} {'met' if target[1] else 'MISSED'}",
            f"{100 * (figure['estimate'] / figure['cycles'] - 1):+.1f} %", f"{figure['sim_khz']:.0f}",
            f"{figure['mac_per_second']:.2e}", f"{figure['compile_seconds']:.2f}" if host else "",
            f"{figure['functional_mac_per_second']:.2e}" if host else "",
            f"{figure['reference_seconds']:.2f}" if host else ""]


def memories(build, networks):
    """Cycles of networks on weft256 with other memories."""
    figures = []
    for name in networks:
        for latency in LATENCIES:
            for bandwidth in BANDWIDTHS:
                memory = ["--mem-latency", latency, "--mem-bandwidth", bandwidth]
                path = model_file(name, build)
                estimate = json.loads(weft(build, "estimate", path, "--json", *memory))
                figures.append({"network": name, "latency": latency, "bandwidth": bandwidth,
                                "cycles": run(build, path, *memory)["total"]["cycles"],
                                "estimate": estimate["total"]["cycles"]})
    return figures


def memory_table(figures):
    lines = ["| network | latency | " + " | ".join(f"{b:g} beats a cycle" for b in BANDWIDTHS) + " |",
             "|---|---|" + "---|" * len(BANDWIDTHS)]
    for at in range(0, len(figures), len(BANDWIDTHS)):
        group = figures[at:at + len(BANDWIDTHS)]
        lines.append(row([group[0]["network"], str(group[0]["latency"]), *(f"{f['cycles']:,}" for f in group)]))
    return lines


def build_seconds(build):
    """Seconds that verilating and compiling each configuration's model took, one job after the other."""
    log = build / ".ninja_log"
    seconds = {}
    if not log.exists():
        return seconds
    edges = {}  # the last line of an output counts; the outputs of one command share their times
    for line in log.read_text().splitlines()[1:]:
        start, end, _, output, command = line.split("\t")
        for config in ("weft64", "weft256", "weft1024"):
            if f"weft_rtl_{config}.dir/" in output:
                edges[(config, command)] = (int(end) - int(start)) / 1000
    for (config, _), duration in edges.items():
        seconds[config] = seconds.get(config, 0) + duration
    return seconds


def check(figures):
    """One line for each figure that is missing in the baseline, has grown, or was estimated badly."""
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
        error = figure["estimate"] / cycles - 1
        if abs(error) > ESTIMATE_ERROR:
            lines.append(f"{network} on {config}: estimated {figure['estimate']} cycles, {100 * error:+.1f} % of {cycles}")
    return lines


def row(texts):
    return "| " + " | ".join(texts) + " |"


def write(build, figures, slow):
    """The table and all figures; of what was not measured now, those of before."""
    path = build / "bench.json"
    before = json.loads(path.read_text()) if path.exists() else {"figures": [], "memories": []}
    rows = {(f["network"], f["config"]): f for f in [*before["figures"], *figures]}
    slow = slow or before["memories"]
    everything = {"figures": list(rows.values()), "memories": slow, "build_seconds": build_seconds(build)}
    path.write_text(json.dumps(everything, indent=1) + "\n")
    lines = [row(COLUMNS), "|" + "---|" * len(COLUMNS), *(row(cells(f)) for f in rows.values())]
    if everything["build_seconds"]:
        lines += ["", "Build: " + ", ".join(f"{c} {s:.0f} s" for c, s in everything["build_seconds"].items())]
    if slow:
        lines += ["", "Cycles on weft256 with other memories:", "", *memory_table(slow)]
    (build / "bench.txt").write_text("\n".join(lines) + "\n")


def update(figures):
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    for figure in figures:
        baseline.setdefault(figure["network"], {})[figure["config"]] = figure["cycles"]
    BASELINE.write_text(json.dumps(baseline, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--config", action="append", help="default: the three that ship")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_true", help="without resnet50, unless it is named")
    mode.add_argument("--check", action="store_true", help="fail when cycles have grown or estimates are off")
    mode.add_argument("--update", action="store_true", help="write the baseline anew")
    parser.add_argument("networks", nargs="*")
    args = parser.parse_args()
    constants = configs(args.build)
    for name in args.config or []:
        if name not in constants:
            parser.error(f"no configuration is called {name}: choose from {', '.join(constants)}")
    twins = [f"{name}_twin" for name in TINY]
    real = [name for name in TINY if tiny_file(name).exists()]
    tracked = args.check or args.update
    everything = not tracked and not args.networks
    networks = args.networks or [*twins, *real, "mobilenet_v2"]
    if everything:
        large = [name for name in LARGE if not (args.quick and name == "resnet50")]
        networks = ["mnist", *(real or twins), *large, *LAYERS]

    print(row(COLUMNS) + "\n" + "|" + "---|" * len(COLUMNS))
    figures = []
    for name in networks:
        for config in args.config or constants:
            figures.append(measure(args.build, name, config, constants[config], host=not tracked))
            print(row(cells(figures[-1])), flush=True)
    if not tracked:
        write(args.build, figures, memories(args.build, real or twins) if everything else None)
    if args.update:
        update(figures)
    if args.check and (found := check(figures)):
        sys.exit("\n".join([*found, "worth it? scripts/bench.py --update, and say so in the commit"]))


if __name__ == "__main__":
    main()
