#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts bugs into the RTL, one at a time, and reports which of them the tests catch.

usage: mutate.py [--seed N] [--per-stage N] [--only NAME] [--build DIR]
       mutate.py --check    only: every mutation still fits the sources

The bugs are in tb/mutations.toml; a mutation replaces one text, which must occur exactly once in its
file, by another. From each stage of the byte's path, --per-stage (default 2) are drawn with the
printed seed. Works on a copy of the sources in the build folder (default build-mutate), so ccache
keeps what a mutation does not touch. A mutation that does not build is a mistake of the list and is
reported as such. Exit code 0 only if every mutation was caught and the unchanged sources pass.
"""
import argparse
import os
import random
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
            problems.append(f"{name}: its text occurs {times} times in {mutation['file']}, not once")
    for stage in STAGES:
        if sum(m["stage"] == stage for m in mutations) < 2:
            problems.append(f"stage {stage} has fewer than two mutations")
    if len({m["name"] for m in mutations}) != len(mutations):
        problems.append("two mutations have the same name")
    if problems:
        sys.exit("tb/mutations.toml:\n  " + "\n  ".join(problems))
    return mutations


class Workspace:
    """A copy of the sources with a build folder in it."""

    def __init__(self, folder):
        self.source = folder.resolve() / "source"
        self.build = self.source / "build"
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
        for name in listed:
            original, copy = ROOT / name, self.source / name
            if not original.is_file():
                continue
            if not copy.exists() or copy.read_bytes() != original.read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(original, copy)
        self.environment = dict(os.environ)
        self.environment.setdefault("WEFT_DATA", str(ROOT / ".." / "shared"))
        self.log = open(folder / "mutate.log", "w")
        if self.run("cmake", "-S", str(self.source), "-B", str(self.build), "-G", "Ninja"):
            sys.exit(f"mutate.py: the copy does not configure; see {self.log.name}")

    def run(self, *command):
        self.log.write(f"\n$ {' '.join(command)}\n")
        self.log.flush()
        return subprocess.run(command, cwd=self.source, env=self.environment, stdout=self.log,
                              stderr=subprocess.STDOUT).returncode

    def make(self, *targets):
        return self.run("cmake", "--build", str(self.build), "-j", JOBS,
                        *(["--target", *targets] if targets else [])) == 0

    def first_failure(self, *selection):
        """The name of a test that fails, or None."""
        failed = self.build / "Testing/Temporary/LastTestsFailed.log"
        failed.unlink(missing_ok=True)
        code = self.run("ctest", "--test-dir", str(self.build), "-j", JOBS, "--stop-on-failure",
                        "--output-on-failure", "-L", "gtest", *selection)
        if code == 0:
            return None
        names = failed.read_text().split("\n")[0] if failed.exists() else ""
        return names.partition(":")[2] or "a test"

    def try_mutation(self, mutation):
        """(verdict, by what). Tests of the mutated stage come first, then all."""
        path = self.source / mutation["file"]
        original = path.read_text()
        path.write_text(original.replace(mutation["before"], mutation["after"]))
        try:
            stage = f"unit_{mutation['stage']}"
            if (self.source / "tb/unit" / mutation["stage"]).is_dir():
                if not self.make(stage):
                    return "does not build", ""
                failure = self.first_failure("-R", f"^{stage}(\\.[0-9]+)?$")
                if failure:
                    return "caught", failure
            if not self.make():
                return "does not build", ""
            failure = self.first_failure()
            return ("caught", failure) if failure else ("NOT CAUGHT", "")
        finally:
            path.write_text(original)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-stage", type=int, default=2)
    parser.add_argument("--only", help="the mutation of this name, whatever the seed")
    parser.add_argument("--build", type=Path, default=ROOT / "build-mutate")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()

    mutations = load()
    if args.check:
        print(f"{len(mutations)} mutations fit the sources")
        return
    if args.only:
        drawn = [m for m in mutations if m["name"] == args.only]
    else:
        print(f"seed {args.seed}; repeat with: scripts/mutate.py --seed {args.seed} "
              f"--per-stage {args.per_stage}")
        generator = random.Random(args.seed)
        drawn = [m for stage in STAGES for m in generator.sample(
            [m for m in mutations if m["stage"] == stage], args.per_stage)]

    args.build.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(args.build)
    if not workspace.make() or workspace.first_failure():
        sys.exit(f"mutate.py: the unchanged sources do not pass; see {workspace.log.name}")
    caught = 0
    for mutation in drawn:
        start = time.monotonic()
        verdict, by = workspace.try_mutation(mutation)
        caught += verdict == "caught"
        print(f"{mutation['stage']:<11} {mutation['name']:<32} {verdict} {by} "
              f"({time.monotonic() - start:.0f} s)", flush=True)
    print(f"{caught} of {len(drawn)} mutations caught")
    sys.exit(0 if drawn and caught == len(drawn) else 1)


if __name__ == "__main__":
    main()
