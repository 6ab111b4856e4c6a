# SPDX-License-Identifier: Apache-2.0
"""Static timing of a mapped netlist by OpenSTA, as synth.py needs it; not a program."""
import re
import shutil
import subprocess

import liberty
from elaborate import CONSTRAINTS, fail


def simple_names(source, netlist):
    """Copies a netlist of Yosys with names that OpenSTA 2019 reads: no escapes, no brackets.

    A dot between levels becomes two underscores, so does the bracket of an index.
    """
    given = {}

    def rename(match):
        name = match[1].replace(".", "__").replace("[", "__").replace("]", "")
        name = re.sub(r"\W", "_", name)
        if given.setdefault(name, match[1]) != match[1]:
            fail(f"{match[1]} and {given[name]} would both be called {name}")
        return name + " "

    with open(source) as lines, open(netlist, "w") as out:
        out.writelines(re.sub(r"\\(\S+)\s?", rename, line) for line in lines)


def analyse(synthesis, memories, stages_of_blocks):
    """The worst path into each stage: {stage: {from, to, delay_ns, slack_ns}}; None without OpenSTA.

    `memories` as Synthesis.memories() gives them; `stages_of_blocks` names the stage of each
    instance in weft_top. `ports` are the paths to outputs.
    """
    if not shutil.which("sta"):
        return None
    folder, target = synthesis.folder, synthesis.target
    simple_names(folder / "yosys.v", folder / "netlist.v")
    sizes = sorted({(entry["width"], entry["depth"], entry["granule"]) for entry in memories})
    (folder / "memories.lib").write_text(liberty.memories(sizes, **target["memory"]))
    settings = {"CELLS": synthesis.values["LIBERTY"], "MEMORIES": folder / "memories.lib",
                "NETLIST": folder / "netlist.v", "SDC": CONSTRAINTS / "weft.sdc",
                "PERIOD": target["period"], "DRIVER": target["driver"], "LOAD": target["load"]}
    script = "".join(f"set {name} {value}\n" for name, value in settings.items())
    (folder / "sta.tcl").write_text(script + (CONSTRAINTS / "sta.tcl").read_text())
    done = subprocess.run(["sta", "-no_splash", folder / "sta.tcl"], capture_output=True, text=True)
    text = done.stdout + done.stderr
    (folder / "sta.txt").write_text(text)
    errors = [line for line in text.splitlines() if line.startswith("Error")]
    if done.returncode != 0 or errors:
        fail("\n".join([f"OpenSTA failed; see {folder / 'sta.txt'}", *errors[:5]]))
    return worst_paths(text, stages_of_blocks, folder / "paths.txt")


def worst_paths(text, stages_of_blocks, paths_file):
    worst, reports = {}, {}
    for block, report in re.findall(r"^weft: block (\S+) \d+$(.*?)(?=^weft: block|\Z)", text,
                                    re.M | re.S):
        slack = re.search(r"(-?[\d.]+) +slack", report)
        if not slack:
            continue
        stage = "ports" if block == "ports" else stages_of_blocks.get(block, "top")
        if stage in worst and worst[stage]["slack_ns"] <= float(slack[1]):
            continue
        start, end = (re.search(rf"^{point}: (\S+)", report, re.M)[1]
                      for point in ["Startpoint", "Endpoint"])
        delay = re.search(r"([\d.]+) +data arrival time", report)[1]
        worst[stage] = {"from": plain(start), "to": plain(end), "delay_ns": float(delay),
                        "slack_ns": float(slack[1])}
        reports[stage] = report
    if not worst:
        fail(f"OpenSTA found no paths; see {paths_file.parent / 'sta.txt'}")
    paths_file.write_text("".join(f"{stage}\n{reports[stage]}\n" for stage in worst))
    return worst


def plain(name):
    """A register's name without the cell that Yosys put behind it."""
    name = re.sub(r"_(sky130_fd_sc_hd__\w+|sg13g2_\w+|[A-Z][A-Z0-9]*X\d+)$", "", name)
    return name.replace("__", ".")
