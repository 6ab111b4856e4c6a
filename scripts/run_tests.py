#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of a build folder and counts every single one of them.

usage: run_tests.py BUILD_DIR [ctest options, e.g. -L lint or -R import]

A GoogleTest program counts with each of its test cases, so does a Python unittest (run with -v); any
other check counts as one test. Skipped ones are listed with their reasons. The last line printed is `P passed, F failed, S skipped`; the exit code is 0 only
if nothing failed and something passed. With WEFT_REQUIRE_DATA=1 a test that needs the shared data
fails without it: the test itself sees to that (tb/lib/data.h).
"""
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []  # (name, reason)

    def add_check(self, case):
        """A test that is not a GoogleTest program, from ctest's own report."""
        name, status = case.get("name"), case.get("status")
        output = case.findtext("system-out") or ""
        results = re.findall(r"^(\w+) \(.*\)(?:\n.*)? \.\.\. (ok|FAIL|ERROR|skipped .*)$", output, re.M)
        if results and status == "run":
            self.add_unittest(name, results)
        elif status == "run":
            self.passed += 1
        elif status == "notrun" and case.find("skipped") is not None:
            lines = output.strip().splitlines()
            self.skipped.append((name, lines[-1].removeprefix("skipped: ") if lines else ""))
        else:
            self.failed.append(name)

    def add_unittest(self, name, results):
        for test, result in results:
            if result.startswith("skipped"):
                self.skipped.append((f"{name}: {test}", result.removeprefix("skipped ").strip("'\"")))
            else:
                self.passed += 1

    def add_program(self, case, report):
        """A GoogleTest program: its own report, and whether it ended as that report says."""
        name = case.get("name")
        failures = 0
        counted = 0
        if report.exists():
            for test in xml.parse(report).getroot().iter("testcase"):
                if test.get("status") != "run":
                    continue
                counted += 1
                full = f"{name}: {test.get('classname')}.{test.get('name')}"
                if test.find("failure") is not None:
                    failures += 1
                    self.failed.append(full)
                elif test.find("skipped") is not None:
                    message = test.find("skipped").get("message", "").splitlines()
                    self.skipped.append((full, message[-1] if message else ""))
                else:
                    self.passed += 1
        if counted == 0:
            self.failed.append(f"{name}: ran no tests (crashed, or nothing in it)")
        elif case.get("status") != "run" and failures == 0:
            self.failed.append(f"{name}: ended with an error after its last test")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = Path(sys.argv[1]).resolve()
    if not build.is_dir():
        sys.exit(f"{__doc__}\nrun_tests.py: there is no folder {build}")
    results = build / "test-results"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    summary = results / "ctest.xml"
    jobs = os.environ.get("JOBS", str(os.cpu_count() or 1))
    subprocess.run(["ctest", "--test-dir", str(build), "-j", jobs, "--output-on-failure",
                    "--test-output-size-passed", "100000", "--output-junit", str(summary),
                    *sys.argv[2:]])
    if not summary.exists():
        sys.exit(f"run_tests.py: ctest wrote no report; is {build} a configured build folder?")

    programs = subprocess.run(["ctest", "--test-dir", str(build), "-N", "-L", "gtest"],
                              capture_output=True, text=True, check=True).stdout
    programs = {line.split(": ", 1)[1] for line in programs.splitlines() if " Test " in line}

    count = Count()
    for case in xml.parse(summary).getroot().iter("testcase"):
        name = case.get("name")
        if name in programs:
            count.add_program(case, results / f"{name}.xml")
        else:
            count.add_check(case)

    print()
    for name, reason in count.skipped:
        print(f"skipped  {name}  ({reason})")
    for name in count.failed:
        print(f"FAILED   {name}")
    print(f"{count.passed} passed, {len(count.failed)} failed, {len(count.skipped)} skipped")
    sys.exit(1 if count.failed or count.passed == 0 else 0)


if __name__ == "__main__":
    main()
