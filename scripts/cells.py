# SPDX-License-Identifier: Apache-2.0
"""Standard cells: what is in a Liberty library, and Yosys' mapping of single modules to it.

Used by gds.py, energy.py and equivalence.py; not a program. Units are those of the library.
"""
import re
from pathlib import Path

import liberty
from elaborate import ROOT, fail, read_rtl, yosys  # noqa: F401: the others' too

RTL = ROOT / "rtl"

# Cells of sky130hd that logic must not use: of power switching, delay lines and probes.
UNUSED = r".*__(lpflow|dlygate|dlymetal|clkdlybuf|probe|macro|sdl|ed|s?df[bs]|dfr|sdf|dlr|dlx).*"

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


def library(path, folder):
    """Writes the library to `folder`, plain and without UNUSED cells; returns where."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = folder / (Path(path).name.removesuffix(".gz"))
    if plain.suffix != ".lib":
        plain = plain.with_suffix(".lib")
    plain.write_text(liberty.without(liberty.read(Path(path)), UNUSED))
    return plain


def map_to_cells(path, abc_script):
    """Yosys commands: flattened words to cells of the library. Writes the script ABC needs."""
    abc_script.write_text(ABC.replace("; ", "\n") + "\n")
    return [f"dfflibmap -liberty {path}", "opt",
            f"abc -liberty {path} -script {abc_script}", "setundef -zero", "opt_clean -purge"]
