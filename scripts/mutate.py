#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts bugs into the RTL, one at a time, and reports which of them the tests catch.

usage: mutate.py [--seed N] [--per-stage N] [--only PATTERN...] [--build DIR]
       mutate.py --check    only: every mutation still fits the sources

The bugs are in tb/mutations.toml; a mutation replaces one text, which must occur exactly once in
its file, by another. From each stage of the byte's path, --per-stage (default 2) are drawn with the
printed seed; --only takes those whose names fit one of the patterns instead. Works on a copy of the
sources in the build folder (default build-mutate), so ccache keeps what a mutation does not touch.

What is built and run for a mutation is a part of what `make test` runs: first the program that the
list names as the one that caught the bug before (`caught_by`); if that passes, everything is built,
and every test program is run that was linked anew, which is every one with the mutated RTL in it,
the system tests included. A program stops at its first failure. The unchanged sources pass the same
programs first. A mutation that does not build is a mistake of the list and is reported as such.
Exit code 0 only if every mutation was caught.
"""
import argparse
import fnmatch
import os
import random
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGES = ["host", "command", "dma", "scratchpad", "array", "post", "store"]
JOBS = os.environ.get("JOBS", str(os.cpu_count() or 1))


def load():
    with open(ROOT / "tb/mutations.toml", "rb") as handle:
        mutations = tomllib.load(handle)["mutation"]
    problems = []
    for mutation in mutations:
        name = mutation["name"]
        if mutation["stage"] not in STAGES:
            problems.append(f"{name}: there is no stage {mutation['stage']}")
        path = ROOT / mutation["file"]
        times = path.read_text().count(mutation["before"]) if path.exists() else 0
        if times != 1:
            problems.append(
                f"{name}: its text occurs {times} times in {mutation['file']}, not once")
        if mutation["before"] == mutation["after"]:
            problems.append(f"{name}: changes nothing")
        if not mutation.get("caught_by"):
            problems.append(f"{name}: caught_by does not say which test program to try first")
    for stage in STAGES:
        if sum(m["stage"] == stage for m in mutations) < 4:
            problems.append(f"stage {stage} has fewer than four mutations")
    if len({m["name"] for m in mutations}) != len(mutations):
        problems.append("two mutations have the same name")
    if problems:
        sys.exit("tb/mutations.toml:\n  " + "\n  ".join(problems))
    return mutations


class Workspace:
    """A build folder with a copy of the sources in it.

    Paths from the build folder to system headers, which ccache goes by, are those of a build folder
    next to it.
    """

    def __init__(self, folder):
        self.build = folder.resolve()
        self.source = self.build / "source"
        self.all_pass = False  # whether the unchanged sources were seen to pass every test
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        listed = [name for name in listed if (ROOT / name).is_file()]
        for name in listed:
            original, copy = ROOT / name, self.source / name
            if not copy.exists() or copy.read_bytes() != original.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(original, copy)
        for part in ("rtl", "tb", "sw", "sim"):  # what is gone here must not be found there
            for copy in (self.source / part).rglob("*"):
                if copy.is_file() and str(copy.relative_to(self.source)) not in set(listed):
                    copy.unlink()
        self.environment = dict(os.environ, GTEST_FAIL_FAST="1")
        self.environment.setdefault("WEFT_DATA", str(ROOT / ".." / "shared"))
        self.log = self.build / "mutate.log"
        self.log.write_text("")
        if self.run("cmake", "-S", str(self.source), "-B", str(self.build), "-G", "Ninja")[0]:
            sys.exit(f"mutate.py: the copy does not configure; see {self.log}")

    def run(self, *command):
        """(exit code, output); the output goes to the log too."""
        done = subprocess.run(command, cwd=self.source, env=self.environment, text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with open(self.log, "a") as log:
            log.write(f"\n$ {' '.join(command)}\n{done.stdout}")
        return done.returncode, done.stdout

    def make(self, *targets):
        return self.run("cmake", "--build", str(self.build), "-j", JOBS,
                        *(["--target", *targets] if targets else []))[0] == 0

    def programs(self):
        """Every GoogleTest program: its name, without the number of a shard, and its file."""
        files = {path.name: path for folder in ("tb", "sw", "sim")
                 for path in (self.build / folder).rglob("*") if path.is_file()}
        listing = self.run("ctest", "--test-dir", str(self.build), "-N", "-L", "gtest")[1]
        names = re.findall(r"Test +#\d+: (\S+?)(?:\.\d+)?$", listing, re.M)
        return {name: files.get(name) for name in dict.fromkeys(names)}

    def first_failure(self, programs):
        """What fails first, program and case, or None."""
        code, output = self.run(
            "ctest", "--test-dir", str(self.build), "-j", JOBS, "--stop-on-failure",
            "--output-on-failure", "--no-tests=error", "-L", "gtest",
            "-R", f"^({'|'.join(programs)})(\\.[0-9]+)?$")
        if code == 0:
            return None
        program = re.search(r"Test +#\d+: (\S+) \.*\*", output)
        case = (re.findall(r"^\[  FAILED  \] (\S+?),? ", output, re.M)
                or re.findall(r"^\[ RUN      \] (\S+)", output, re.M)[-1:])
        return " ".join([program.group(1) if program else "a test", *case[:1]])

    def check_unchanged(self, programs):
        if not self.make(*programs) or self.first_failure(programs):
            sys.exit(f"mutate.py: the unchanged sources do not pass; see {self.log}")

    def try_mutation(self, mutation):
        """(verdict, by what)"""
        path = self.source / mutation["file"]
        original = path.read_text()
        mutant = original.replace(mutation["before"], mutation["after"])
        try:
            path.write_text(mutant)
            first = mutation["caught_by"]
            if not self.make(first):
                return "does not build", ""
            failure = self.first_failure([first])
            if failure:
                return "caught", failure
            if not self.all_pass:
                path.write_text(original)
                if not self.make() or self.first_failure(self.programs()):
                    sys.exit(f"mutate.py: the unchanged sources do not pass; see {self.log}")
                self.all_pass = True
            path.write_text(mutant)
            start = path.stat().st_mtime
            if not self.make():
                return "does not build", ""
            rest = [name for name, file in self.programs().items()
                    if file and file.stat().st_mtime > start and name != first]
            failure = self.first_failure(rest) if rest else None
            return ("caught", failure) if failure else ("NOT CAUGHT", "")
        finally:
            path.write_text(original)


def draw(mutations, seed, per_stage):
    generator = random.Random(seed)
    return [m for stage in STAGES for m in generator.sample(
        [m for m in mutations if m["stage"] == stage], per_stage)]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-stage", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="PATTERN", help="such as 'dma_*'")
    parser.add_argument("--build", type=Path, default=ROOT / "build-mutate")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()

    mutations = load()
    if args.check:
        print(f"{len(mutations)} mutations fit the sources")
        return
    if args.only:
        drawn = [m for m in mutations if any(fnmatch.fnmatch(m["name"], p) for p in args.only)]
    else:
        print(f"seed {args.seed}; repeat with: scripts/mutate.py --seed {args.seed} "
              f"--per-stage {args.per_stage}", flush=True)
        drawn = draw(mutations, args.seed, args.per_stage)

    args.build.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(args.build)
    workspace.check_unchanged(sorted({m["caught_by"] for m in drawn}))
    caught = 0
    for mutation in drawn:
        start = time.monotonic()
        verdict, by = workspace.try_mutation(mutation)
        caught += verdict == "caught"
        print(f"{mutation['stage']:<11} {mutation['name']:<38} {verdict} {by} "
              f"({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{caught} of {len(drawn)} mutations caught")
    sys.exit(0 if drawn and caught == len(drawn) else 1)


if __name__ == "__main__":
    main()
