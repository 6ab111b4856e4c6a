# SPDX-License-Identifier: Apache-2.0
"""Standard cells: reading Liberty libraries, and Yosys' mapping of the RTL to them.

Used by gds.py, energy.py and equivalence.py; not a program. Units are those of the library.
"""
import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RTL = ROOT / "rtl"

# Cells of sky130hd that logic must not use: of power switching, delay lines and probes.
UNUSED = re.compile(r"__(lpflow|dlygate|dlymetal|clkdlybuf|probe|macro|sdl|ed|s?df[bs]|dfr|sdf|dlr|dlx)")

# Debian's default of `abc -liberty` takes minutes on a multiplier; this takes seconds.
ABC = "strash; &get -n; &nf; &put; buffer -c; topo; upsize; dnsize; stime -p"

TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s(){};:,"]+)|([(){};:,])', re.S)


class Group:
    """A group of a Liberty file: `kind (arguments) { attributes and groups }`."""

    def __init__(self, kind, arguments):
        self.kind, self.arguments = kind, arguments
        self.attributes, self.groups = {}, []

    def all(self, kind):
        return [group for group in self.groups if group.kind == kind]

    def number(self, name, default=None):
        return float(self.attributes.get(name, default))


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")


def shared_liberty(name):
    """A library of the shared data: LIBERTY names a file, WEFT_DATA the folder that has liberty/."""
    data = Path(os.environ.get("WEFT_DATA", ROOT.parent / "shared"))
    return Path(os.environ.get("LIBERTY", data / "liberty" / name))


def read_text(path):
    """The text of a file that may be compressed."""
    path = Path(path)
    if not path.exists():
        fail(f"no library {path}: set LIBERTY, or WEFT_DATA to the folder that has liberty/")
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()


def parse(text):
    """The library of a Liberty text, as a Group."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")
    root = Group("file", [])
    stack, words = [root], []
    tokens = TOKEN.finditer(text)
    for token in tokens:
        mark = token[3]
        if mark is None:
            words.append(token[1] if token[1] is not None else token[2])
        elif mark == "{":
            group = Group(words[0], words[1:])
            stack[-1].groups.append(group)
            stack.append(group)
            words = []
        elif mark in ";}":
            if len(words) > 1:
                stack[-1].attributes[words[0]] = words[1] if len(words) == 2 else words[1:]
            words = []
            if mark == "}":
                stack.pop()
        elif mark == ")" and words:
            after = re.compile(r"[ \t]*([;{]?)").match(text, token.end())[1]
            if not after:  # `index_1 ("1, 2")` may end without a semicolon
                stack[-1].attributes[words[0]] = words[1] if len(words) == 2 else words[1:]
                words = []
    if len(stack) != 1 or not root.groups:
        fail("the library is not in Liberty format: braces do not match")
    return root.groups[0]


def without_unused(text):
    """The text of a library without the cells that UNUSED names."""
    kept, end = [], 0
    for cell in re.finditer(r'^[ \t]*cell *\( *"?([\w$]+)"? *\)', text, re.M):
        if not UNUSED.search(cell[1]):
            continue
        depth, position = 0, text.index("{", cell.end())
        for brace in re.compile(r"[{}]").finditer(text, position):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                break
        kept.append(text[end:cell.start()])
        end = brace.end()
    return "".join(kept) + text[end:]


def library(path, folder):
    """Writes the library to `folder`, plain and without UNUSED cells; returns where."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / (Path(path).name.removesuffix(".gz"))
    if plain.suffix != ".lib":
        plain = plain.with_suffix(".lib")
    plain.write_text(without_unused(read_text(path)))
    return plain


def yosys(commands, log):
    """Runs Yosys; a failure, or a signal that nobody declared, ends the program."""
    done = subprocess.run(["yosys", "-q", "-l", str(log), "-e", "implicitly declared",
                           "-p", "\n".join(commands)], cwd=ROOT, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        fail(f"Yosys failed; see {log}")


def read_rtl(config, sources=None):
    """The Yosys command that reads files of rtl/, by default all of them, for a configuration."""
    if sources is None:
        listed = (RTL / "weft.f").read_text().split()
        sources = [ROOT / word for word in listed if word.endswith(".sv")]
    return (f"read_verilog -sv -DWEFT_CONFIG_{config.upper()} -I{RTL} "
            f"{' '.join(str(source) for source in sources)}")


def map_to_cells(liberty, abc_script):
    """Yosys commands: flattened words to cells of `liberty`. Writes the script ABC needs."""
    abc_script.write_text(ABC.replace("; ", "\n") + "\n")
    return [f"dfflibmap -liberty {liberty}", "opt",
            f"abc -liberty {liberty} -script {abc_script}", "setundef -zero", "opt_clean -purge"]
