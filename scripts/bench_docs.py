#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the figures of scripts/bench.py into the documents, between their markers.

usage: bench_docs.py [--build DIR] [--check]

Reads DIR/bench.json; writes README.md and docs/performance.md. A marker is a line `<!-- bench: NAME -->`; what follows
it up to `<!-- bench end -->` is the table of that name. Nothing else is touched. --check only says whether the documents
hold what would be written.
"""
import argparse
import json
import sys
from pathlib import Path

from bench import BANDWIDTHS, memory_table, row, target_of

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "docs/performance.md"]
END = "<!-- bench end -->"
CONFIGS = ["weft64", "weft256", "weft1024"]
NAMES = {
    "mnist": "MNIST CNN (ships here)", "ic": "ResNet-8, CIFAR-10 (ic)", "kws": "DS-CNN, keywords (kws)",
    "vww": "MobileNetV1-0.25, 96x96 (vww)", "ad": "FC autoencoder (ad)", "mobilenet_v2": "MobileNetV2 1.0, 224x224",
    "efficientnet_lite0": "EfficientNet-Lite0, 224x224", "resnet50": "ResNet-50 v1.5, 224x224"}


def name_of(figure):
    return NAMES.get(figure["network"].removesuffix("_twin"), figure["network"])


def by_network(figures):
    """Network -> configuration -> figure, in the order of the file."""
    networks = {}
    for figure in figures:
        networks.setdefault(figure["network"], {})[figure["config"]] = figure
    return networks


def separator(columns):
    return "|" + "---|" * columns


def readme(bench):
    lines = [row(["network", "MACs", "weft64 (8x8)", "**weft256** (16x16)", "weft1024 (32x32)", "array used, weft256"]),
             separator(6)]
    for network, figures in by_network(bench["figures"]).items():
        if network.removesuffix("_twin") not in NAMES or not all(c in figures for c in CONFIGS):
            continue
        cycles = [f"{figures[c]['cycles']:,}" for c in CONFIGS]
        cycles[1] = f"**{cycles[1]}**"
        lines.append(row([name_of(figures["weft256"]), f"{figures['weft256']['macs']:,}", *cycles,
                          f"{100 * figures['weft256']['utilization']:.1f} %"]))
    return lines


def networks(bench):
    lines = [row(["network", "configuration", "cycles", "limit", "share", "target", "estimate"]), separator(7)]
    for figure in bench["figures"]:
        target = target_of(figure)
        lines.append(row([name_of(figure), figure["config"], f"{figure['cycles']:,}", f"{figure['limit']:,}",
                          f"{100 * figure['share']:.1f} %",
                          "" if target is None else target[0] if target[1] else f"{target[0]}: missed",
                          f"{100 * (figure['estimate'] / figure['cycles'] - 1):+.1f} %"]))
    return lines


def memories(bench):
    return memory_table(bench["memories"])


def estimate_memories(bench):
    worst = max(bench["memories"], key=lambda f: abs(f["estimate"] / f["cycles"] - 1))
    error = 100 * (worst["estimate"] / worst["cycles"] - 1)
    return [f"Largest error of the estimate over these {len(bench['memories'])} runs: {error:+.1f} % "
            f"({worst['network']}, latency {worst['latency']}, {worst['bandwidth']:g} beats a cycle)."]


def layers(bench):
    lines = []
    for network, figures in by_network(bench["figures"]).items():
        if network.removesuffix("_twin") not in NAMES or "weft256" not in figures:
            continue
        figure = figures["weft256"]
        lines += ["", f"### {name_of(figure)}: {figure['layers'] and sum(l['cycles'] for l in figure['layers']):,} cycles, "
                      f"{100 * figure['utilization']:.1f} % of the array", "",
                  row(["layer", "operator", "output", "cycles", "ideal", "unfilled", "dependency", "operand", "weights",
                       "accumulator", "idle", "bound", "estimate"]), separator(13)]
        for layer in figure["layers"]:
            losses = layer["losses"]
            error = layer["estimate"] / layer["cycles"] - 1
            lines.append(row([str(layer["index"]), layer["op"], "x".join(map(str, layer["output_shape"][1:])),
                              f"{layer['cycles']:,}", f"{layer['ideal_cycles']:,}",
                              *(f"{losses[cause]:,}" for cause in ("unfilled", "dependency", "operand", "weights",
                                                                   "accumulator", "idle")),
                              layer["bound"], f"{100 * error:+.1f} %"]))
    return lines[1:]


TABLES = {"readme": readme, "networks": networks, "memories": memories, "estimate memories": estimate_memories,
          "layers": layers}


def filled(text, bench, document):
    """The text with the tables of its markers; exits on a marker without end or of an unknown name."""
    lines, out = text.split("\n"), []
    at = 0
    while at < len(lines):
        out.append(lines[at])
        if lines[at].startswith("<!-- bench: "):
            name = lines[at].removeprefix("<!-- bench: ").removesuffix(" -->")
            if name not in TABLES or END not in lines[at:]:
                sys.exit(f"bench_docs.py: {document}: the marker '{name}' is unknown or has no '{END}'")
            out += TABLES[name](bench)
            at = lines.index(END, at)
            out.append(END)
        at += 1
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if something would change")
    args = parser.parse_args()
    source = args.build / "bench.json"
    if not source.exists():
        sys.exit(f"bench_docs.py: there is no {source}: `make bench` writes it")
    bench = json.loads(source.read_text())
    if len(bench["memories"]) % len(BANDWIDTHS) != 0 or not bench["memories"]:
        sys.exit(f"bench_docs.py: {source} has no figures of slower memories: run `make bench` without names")
    stale = []
    for document in DOCUMENTS:
        path = ROOT / document
        before = path.read_text()
        after = filled(before, bench, document)
        if after == before:
            continue
        stale.append(document)
        if not args.check:
            path.write_text(after)
    if args.check and stale:
        sys.exit(f"bench_docs.py: not up to date: {', '.join(stale)}")


if __name__ == "__main__":
    main()
