#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of README.md and docs/silicon.md anew, from the results of `make synth`.

usage: synth_report.py BUILD

Reads BUILD/synth (make synth), BUILD/place (make place) and BUILD/bench.json (make bench). What
stands in a document between `<!-- synth NAME -->` and `<!-- end -->` is replaced: NAME is `summary`,
`fpga`, `cells` or `memories` (a table over all results), `placed`, or `TARGET CONFIG` (the stages of
one). A table without any result is kept as it stands; one over all results has only those of BUILD.
"""
import json
import re
import sys
import tomllib
from pathlib import Path

from elaborate import ROOT
from liberty import targets
from synth import STAGES

DOCUMENTS = ["README.md", "docs/silicon.md"]
TINY = ["ic", "kws", "vww", "ad"]

CONFIGS = ["weft64", "weft256", "weft1024"]


def table(columns, rows):
    return "\n".join(["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|",
                      *("| " + " | ".join(row) + " |" for row in rows)])


def number(figures, column):
    return f"{figures[column]:,}" if column in figures else ""


def is_cells(result):
    return "cells" in result["total"]


def is_fpga(result):
    return not is_cells(result)


def has_memories(result):
    return bool(result["memories"])


def megahertz(result):
    """The clock that static timing or place and route allows, of all seeds the slowest; or None."""
    if "timing" in result:
        return result["timing"]["fmax_mhz"]
    return min((run["mhz"] for run in result["placed"]["runs"]), default=None)


def area(result):
    total = result["total"]
    if is_cells(result):
        return f"{total['GE'] / 1e3:,.0f} kGE"
    return ", ".join(f"{total[c]:,} {c}" for c in ("LUT", "LUT4", "DSP", "BRAM", "BRAM36", "BRAM18")
                     if total.get(c))


def summary(results):
    """What a configuration is worth on a target: peak and ic's MAC/s at its clock, energies."""
    with open(ROOT / "spec/configs.toml", "rb") as handle:
        configs = tomllib.load(handle)
    with open(ROOT / "spec/energy.toml", "rb") as handle:
        technology = tomllib.load(handle)["technology"]["name"]
    rows = []
    for result in results:
        config, figures = configs[result["config"]], result["bench"]
        mhz, speed, energies = megahertz(result), ["", "", ""], ""
        if mhz:
            speed = [f"{mhz:.0f}", f"{config['k'] * config['n'] * mhz / 1e3:.1f}",
                     f"{figures['ic']['macs'] / figures['ic']['cycles'] * mhz / 1e3:.1f}"
                     if "ic" in figures else ""]
        if result["target"] == technology and all(name in figures for name in TINY):
            energies = ", ".join(f"{figures[name]['energy']['chip_nj'] / 1e3:.0f}" for name in TINY)
        rows.append([result["config"], result["target"], area(result), *speed, energies])
    return table(["configuration", "target", "logic", "MHz", "GMAC/s peak", "GMAC/s on ic",
                  f"uJ an inference: {', '.join(TINY)}"], rows)


def fpga(results):
    columns = ["LUT", "LUT4", "carry", "LUTRAM", "FF", "DSP", "BRAM", "BRAM36", "BRAM18"]
    columns = [c for c in columns if any(c in result["total"] for result in results)]
    return table(["configuration", "target", *columns],
                 [[result["config"], result["target"], *(number(result["total"], c) for c in columns)]
                  for result in results])


def cells(results):
    rows = []
    for result in results:
        total, timing = result["total"], result.get("timing")
        rows.append([result["config"], result["target"], number(total, "cells"), number(total, "FF"),
                     f"{total['area_um2'] / 1e6:.2f}" if "area_um2" in total else "",
                     f"{total['GE'] / 1e3:,.0f}k",
                     f"{megahertz(result):.0f}" if timing else ""])
    return table(["configuration", "target", "cells", "FF", "mm2", "GE", "MHz"], rows)


def placed(results):
    """Place and route, a row for each block and seed."""
    rows = []
    for result in results:
        use = ", ".join(f"{count:,} {kind}" for kind, count in result["use"].items()
                        if re.search(r"COMB|FF|LC$|DP16|RAM$|MULT|DSP", kind))
        for run in result["runs"]:
            path = run["worst"]
            rows.append([f"{result['block']}, {result['config']}", f"{result['target']} {result['device']}",
                         use, str(run["seed"]), f"{run['mhz']:.1f}", f"{result['goal_mhz']:g}",
                         f"`{path['from']}` to `{path['to']}`: {path['logic_ns']} ns logic, "
                         f"{path['routing_ns']} ns wires"])
    return table(["block", "device", "use", "seed", "MHz", "goal", "worst path"], rows)


def memories(results):
    rows = {}
    for result in results:
        for m in result["memories"]:
            key = (result["config"], m["stage"], m["depth"], m["width"], m["granule"])
            rows[key] = [result["config"], m["stage"], f"{m['depth']:,} x {m['width']}",
                         str(m["granule"]), str(m["count"]), f"{m['bits'] / 8192:,.1f}"]
    return table(["configuration", "stage", "words x bits", "write granule", "number", "KiB"],
                 rows.values())


def one(results):
    result, = results
    timing = result.get("timing") or {"stages": {}}
    columns = list(result["total"])
    rows = []
    for stage in [*STAGES, "top", "total"]:
        figures = result["total"] if stage == "total" else result["stages"].get(stage)
        if figures is None:
            continue
        path = timing["stages"].get(stage)
        rows.append([stage, *(number(figures, c) for c in columns),
                     *([f"{path['delay_ns']:.2f}", f"`{path['from']}`", f"`{path['to']}`"]
                       if path else ["", "", ""])])
    if not timing["stages"]:
        return table(["stage", *columns], [row[:-3] for row in rows])
    return table(["stage", *columns, "longest path, ns", "from", "to"], rows)


SUMMARIES = {"summary": (summary, bool), "fpga": (fpga, is_fpga), "cells": (cells, is_cells),
             "memories": (memories, has_memories)}


def results_of(build):
    """The report of every configuration and target, with its placement and its networks' figures."""
    bench = build / "bench.json"
    figures = json.loads(bench.read_text())["figures"] if bench.exists() else []
    for config in CONFIGS:
        for target in targets():
            path = build / "synth" / target / config / "report.json"
            placed = build / "place" / target / config / "place.json"
            if path.exists():
                yield {"placed": json.loads(placed.read_text())
                       if placed.exists() else {"runs": []},
                       "bench": {f["network"]: f for f in figures if f["config"] == config},
                       **json.loads(path.read_text())}


def placements_of(build):
    return [json.loads(path.read_text()) for path in sorted((build / "place").glob("*/*/place.json"))]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build = Path(sys.argv[1])
    results, placements = list(results_of(build)), placements_of(build)
    if not results:
        sys.exit(f"synth_report.py: no results in {sys.argv[1]}/synth: run make synth first")

    def section(match):
        name = match[1]
        if name == "placed":
            return f"<!-- synth placed -->\n{placed(placements)}\n<!-- end -->" if placements else match[0]
        write, belongs = SUMMARIES.get(name, (one, lambda result: f"{result['target']} "
                                                                  f"{result['config']}" == name))
        found = [result for result in results if belongs(result)]
        return f"<!-- synth {name} -->\n{write(found)}\n<!-- end -->" if found else match[0]

    for document in DOCUMENTS:
        path = ROOT / document
        text, sections = re.subn(r"<!-- synth (.*?) -->\n.*?<!-- end -->", section,
                                 path.read_text(), flags=re.S)
        if not sections:
            sys.exit(f"synth_report.py: {document} has no section <!-- synth NAME -->")
        path.write_text(text)
        print(f"{document}: {sections} tables from {len(results)} results")


if __name__ == "__main__":
    main()
