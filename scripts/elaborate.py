#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the whole design into Yosys, as far as words and registers, and checks it.

usage: elaborate.py CONFIG [OUT.il]

Fails when something is undriven, doubly driven, a loop, a latch or implicitly declared, or on a
warning that constraints/warnings.toml does not explain. Writes OUT.il for what goes on with it:
netlist.py, synth.py, the check of combinational paths.

Memories are modules called weft_ram_WIDTHxDEPTHxGRANULE in it. They may become black boxes only
after this: of a black box Yosys does not know which ports are outputs when an array's element is
connected to one, and drops what the port drives without a word.
"""
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints"
MEMORY = "weft_ram"
LATCHES = " ".join(f"t:${kind}" for kind in ["dlatch", "adlatch", "dlatchsr", "sr"])


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def yosys(commands, log):
    """Runs Yosys; ends the program when it fails, or when a signal is used that nobody declared."""
    if not shutil.which("yosys"):
        fail("yosys is not installed: sudo apt-get install yosys")
    done = subprocess.run(["yosys", "-q", "-l", str(log), "-e", "implicitly declared",
                           "-p", "\n".join(commands)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "ERROR" in line]
        fail("\n".join([f"Yosys failed; see {log}", *unexplained(log)[:20], *errors]))


def unexplained(log):
    """The warnings in a log of Yosys that constraints/warnings.toml does not explain, once each."""
    explained = [re.compile(entry["text"])
                 for entry in tomllib.loads((CONSTRAINTS / "warnings.toml").read_text())["warning"]]
    found = re.findall(r"^(?:ABC: |\S+:\d+: )?Warning: (.*)$", Path(log).read_text(), re.M)
    return [text for text in dict.fromkeys(found)
            if not any(pattern.match(text) for pattern in explained)]


def fail_on_warnings(log):
    if warnings := unexplained(log):
        fail("\n".join([f"{len(warnings)} warnings of Yosys that constraints/warnings.toml does "
                        f"not explain ({log}):", *warnings[:20]]))


def name_memories(design):
    """Names memories after their size; Yosys names a module with parameters after their hash."""
    text = design.read_text()
    for name, body in re.findall(rf"^module (\$paramod\S*\\{MEMORY})$(.*?)^end$", text, re.M | re.S):
        values = dict(re.findall(r"^  parameter \\(\w+) (\d+)$", body, re.M))
        text = text.replace(f"{name}\n", f"\\{MEMORY}_{values['Width']}x{values['Depth']}"
                                         f"x{values['Granule']}\n")
        text = text.replace(f"{name} ", f"\\{MEMORY}_{values['Width']}x{values['Depth']}"
                                        f"x{values['Granule']} ")
    design.write_text(text)


def read_rtl(config, sources=None):
    """The Yosys command that reads files for a configuration, by default all of rtl/weft.f."""
    listed = (ROOT / "rtl/weft.f").read_text().split()
    includes = [word.replace("+incdir+", "-I") for word in listed if word.startswith("+incdir+")]
    files = sources or [word for word in listed if word.endswith(".sv")]
    return f"read_verilog -sv -DWEFT_CONFIG_{config.upper()} {' '.join(map(str, includes + files))}"


def elaborate(config, design, log):
    """Writes weft_top of a configuration to `design` (RTLIL)."""
    yosys([
        read_rtl(config),
        "hierarchy -check -top weft_top",
        "proc",
        "check -assert",
        f"select -assert-none {LATCHES}",
        f"write_rtlil {design}",
    ], log)
    fail_on_warnings(log)
    name_memories(design)


def configurations():
    return list(tomllib.loads((ROOT / "spec/configs.toml").read_text()))


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    config = sys.argv[1]
    if config not in configurations():
        fail(f"no configuration {config}: spec/configs.toml has {', '.join(configurations())}")
    with tempfile.TemporaryDirectory() as folder:
        design = Path(sys.argv[2]).resolve() if len(sys.argv) == 3 else Path(folder) / "design.il"
        elaborate(config, design, design.with_suffix(".log"))


if __name__ == "__main__":
    main()
