#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of docs/silicon.md anew, from the results of `make synth`.

usage: synth_report.py RESULTS DOCUMENT

RESULTS is the folder that synth.py wrote to. What stands in DOCUMENT between `<!-- synth NAME -->`
and `<!-- end -->` is replaced: NAME is `fpga`, `cells` or `memories` (a table over all results), or
`TARGET CONFIG` (the stages of one). A table without any result is kept as it stands; one over all
results has only those that RESULTS has.
"""
import json
import re
import sys
from pathlib import Path

from liberty import targets
from synth import STAGES

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
                     f"{timing['fmax_mhz']:.0f}" if timing else ""])
    return table(["configuration", "target", "cells", "FF", "mm2", "GE", "MHz"], rows)


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


SUMMARIES = {"fpga": (fpga, is_fpga), "cells": (cells, is_cells),
             "memories": (memories, has_memories)}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, document = map(Path, sys.argv[1:])
    results = [json.loads(path.read_text()) for config in CONFIGS for target in targets()
               if (path := folder / target / config / "report.json").exists()]
    if not results:
        sys.exit(f"synth_report.py: no results in {folder}: run make synth first")

    def section(match):
        name = match[1]
        write, belongs = SUMMARIES.get(name, (one, lambda result: f"{result['target']} "
                                                                  f"{result['config']}" == name))
        found = [result for result in results if belongs(result)]
        return f"<!-- synth {name} -->\n{write(found)}\n<!-- end -->" if found else match[0]

    text, sections = re.subn(r"<!-- synth (.*?) -->\n.*?<!-- end -->", section,
                             document.read_text(), flags=re.S)
    if not sections:
        sys.exit(f"synth_report.py: {document} has no section <!-- synth NAME -->")
    document.write_text(text)
    print(f"{document}: {sections} tables from {len(results)} results")


if __name__ == "__main__":
    main()
