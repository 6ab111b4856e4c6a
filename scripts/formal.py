#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves the properties in tb/formal with Yosys and a solver, and that the proofs can fail.

usage: formal.py [PROOF...] [--mutants] [--quick] [--jobs N] [--build DIR]
       formal.py --check    only: mutants fit the sources, every assertion has one that breaks it

A proof is a folder of tb/formal with a proof.toml and a harness (tb/formal/README.md is the format).
Without names all are run; a name may be a pattern such as 'axi_*'. --mutants puts each planted bug
of the proofs into a copy of its file, alone, and demands a counterexample, from reset, to each
assertion that the mutant says it breaks. Exit code 0 only if everything was as it should be; 77
with --quick if a solver is missing. Counterexamples are written as VCD files; their paths are shown.
Results appear on standard error as they come, in tables on standard output at the end.
"""
import argparse
import concurrent.futures
import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROOFS = ROOT / "tb/formal"
MODES = ["induction", "bmc", "cover"]
SOLVERS = {  # name: (program, Debian package)
    "abc": ("yosys-abc", "yosys"),
    "z3": ("z3", "z3"),
    "cvc4": ("cvc4", "cvc4"),
}
KEYS = {
    "proof": {"summary", "top", "sources", "configuration", "constants", "cut", "parameters", "variant",
              "task", "mutant"},
    "variant": {"name", "configuration", "parameters"},
    "task": {"mode", "depth", "solver", "variants", "seconds", "quick"},
    "mutant": {"name", "file", "before", "after", "breaks", "variant", "depth", "seconds"},
}
LABEL = re.compile(r"\b(\w+)\s*:\s*(?:assert|cover)\b|`WEFT_ASSERT\(\s*(\w+)", re.M)


class Mistake(Exception):
    """Something is wrong with a proof's description."""


class Proof:
    """A proof.toml, checked, with its defaults filled in."""

    def __init__(self, path):
        self.folder = path.parent
        self.name = path.parent.name
        with open(path, "rb") as handle:
            text = tomllib.load(handle)
        self.allow("proof", text, text.get("top", self.name))
        self.top = text.get("top", self.name)
        self.summary = text["summary"]
        self.constants = text.get("constants", {})
        self.cut = text.get("cut", [])
        self.sources = text["sources"] + [
            str(file.relative_to(ROOT)) for file in sorted(self.folder.glob("*.sv"))]
        self.variants = {}
        for variant in text.get("variant", [{"name": ""}]):
            self.allow("variant", variant, variant["name"])
            self.variants[variant["name"]] = {
                "configuration": variant.get("configuration", text.get("configuration", "weft64")),
                "parameters": text.get("parameters", {}) | variant.get("parameters", {})}
        self.tasks = text["task"]
        self.mutants = text.get("mutant", [])
        for task in self.tasks:
            self.allow("task", task, task["mode"])
            task.setdefault("solver", "abc")
            task.setdefault("variants", list(self.variants))
            task.setdefault("seconds", 300)
            task.setdefault("quick", False)
            open_ended = task["mode"] == "induction" and task["solver"] == "abc"
            if task["mode"] not in MODES or task["solver"] not in SOLVERS:
                raise Mistake(f"{self.name}: unknown mode or solver in a task")
            if open_ended == ("depth" in task):
                raise Mistake(f"{self.name}: a depth, except for induction by abc, which has none")
            for variant in task["variants"]:
                self.variant(variant)
        for mutant in self.mutants:
            self.allow("mutant", mutant, mutant["name"])
            mutant.setdefault("variant", next(iter(self.variants)))
            mutant.setdefault("depth", 20)
            mutant.setdefault("seconds", 60)
            self.variant(mutant["variant"])
            if mutant["file"] not in self.sources:
                raise Mistake(f"{self.name}: {mutant['file']} of a mutant is none of its sources")
            if mutant["before"] == mutant["after"] or not mutant["breaks"]:
                raise Mistake(f"{self.name}: mutant '{mutant['name']}' changes or breaks nothing")

    def allow(self, kind, table, name):
        for key in table.keys() - KEYS[kind]:
            raise Mistake(f"{self.name}: {kind} '{name}' has an unknown key {key}")

    def variant(self, name):
        if name not in self.variants:
            raise Mistake(f"{self.name}: there is no variant '{name}'")
        return self.variants[name]


def load():
    return [Proof(path) for path in sorted(PROOFS.glob("*/proof.toml"))]


def labels(file):
    return {first or second for first, second in LABEL.findall((ROOT / file).read_text())
            if (first or second).startswith("a_")}


def check(proofs, chosen):
    """Mutants fit; each assertion has one: a harness's in its own proof, others in any proof."""
    problems = []
    broken_anywhere = {label for proof in proofs for m in proof.mutants for label in m["breaks"]}
    for proof in chosen:
        broken_here = {label for m in proof.mutants for label in m["breaks"]}
        known = {}
        for file in proof.sources:
            for label in labels(file):
                known[label] = file
        for mutant in proof.mutants:
            times = (ROOT / mutant["file"]).read_text().count(mutant["before"])
            if times != 1:
                problems.append(f"{proof.name}: mutant '{mutant['name']}': its text occurs {times} "
                                f"times in {mutant['file']}, not once")
        for label in sorted(broken_here - known.keys()):
            problems.append(f"{proof.name}: a mutant breaks {label}, which no source has")
        for label, file in sorted(known.items()):
            own = (ROOT / file).parent == proof.folder
            if label not in (broken_here if own else broken_anywhere):
                problems.append(f"{proof.name}: no mutant breaks {label} of {file}")
    if problems:
        raise Mistake("\n".join(sorted(set(problems))))


RUNNING = set()  # process groups, to be ended with this program


def end_running(*_):
    for group in list(RUNNING):
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(1)


def run(command, folder, seconds):
    """(exit code or None for out of time, output)"""
    with subprocess.Popen([str(word) for word in command], cwd=folder, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as process:
        RUNNING.add(process.pid)
        try:
            output = process.communicate(timeout=seconds)[0]
            return process.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # yosys-smtbmc's solver too
            return None, process.communicate()[0]
        finally:
            RUNNING.discard(process.pid)


# A cover statement as an assertion that it is never reached: its counterexample is the witness.
COVER_AS_ASSERT = """
(* techmap_celltype = "$cover" *) module cover_as_assert(input A, input EN);
  \\$assert _TECHMAP_REPLACE_ (.A(!A), .EN(EN));
endmodule
"""


class Model:
    """A proof's design, elaborated for one variant, in a folder of its own."""

    def __init__(self, proof, variant, folder, replaced=None):
        """`replaced`: (file, text) in the place of a source."""
        self.proof = proof
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        settings = proof.variant(variant)
        sources = []
        for file in ["rtl/weft_pkg.sv"] + proof.sources:
            path = ROOT / file
            if replaced and replaced[0] == file:
                path = folder / path.name
                path.write_text(replaced[1])
            elif file == "rtl/weft_pkg.sv" and proof.constants:
                path = folder / path.name
                path.write_text(self.smaller(proof.constants))
            sources.append(str(path))
        parameters = "".join(f" -chparam {name} {value}"
                             for name, value in settings["parameters"].items())
        (folder / "cover.v").write_text(COVER_AS_ASSERT)
        self.yosys("model.ys", f"""
            read_verilog -formal -sv -I{ROOT}/rtl -DWEFT_CONFIG_{settings['configuration'].upper()} {' '.join(sources)}
            hierarchy -check -top {proof.top}{parameters}
            proc
            chformal -early
            flatten
            {'; '.join(f'cutpoint w:{escape(wire)}' for wire in proof.cut)}
            opt -keepdc -fast
            memory -nordff -nomap
            async2sync
            formalff -clk2ff
            setundef -undriven -anyseq
            opt -keepdc -fast
            check -assert
            write_rtlil model.il
            tee -o asserts.txt select -list t:$assert
            tee -o covers.txt select -list t:$cover
            formalff -ff2anyinit
            write_smt2 -wires model.smt2""")
        self.asserts = self.cells("asserts.txt")
        self.covers = self.cells("covers.txt")

    def smaller(self, constants):
        """The package with sizes of this proof's own, in every configuration."""
        text = (ROOT / "rtl/weft_pkg.sv").read_text()
        for name, value in constants.items():
            text, count = re.subn(rf"(localparam int unsigned {name} =) \d+;", rf"\1 {value};", text)
            if count == 0:
                raise Mistake(f"{self.proof.name}: weft_pkg has no constant {name}")
        return text

    def cells(self, file):
        return [line.split("/", 1)[1].strip()
                for line in (self.folder / file).read_text().splitlines() if "/" in line]

    def yosys(self, script, text):
        (self.folder / script).write_text("\n".join(line.strip() for line in text.split("\n")))
        code, output = run(["yosys", "-q", "-e", "implicitly declared", script], self.folder, 600)
        if code != 0:
            raise Mistake(f"{self.proof.name}: yosys {self.folder / script} failed:\n"
                          f"{output[-2000:]}")

    def aiger(self, name, choose):
        """Writes `name`.aig, with the properties that the commands in `choose` leave."""
        self.yosys(f"{name}.ys", f"""
            read_rtlil model.il
            {choose}
            memory_map
            opt -full
            techmap
            opt -fast
            formalff -clk2ff
            simplemap
            dffunmap
            abc -g AND -fast
            opt_clean
            write_aiger -zinit -no-startoffset -symbols -map {name}.aim {name}.aig""")

    def abc(self, name, method, seconds):
        """("proved" | "bounded" | "failed" | "out of time" | "unknown", frame of the failure)"""
        code, output = run(["yosys-abc", "-c", f"read_aiger {name}.aig; fold; strash; {method}; "
                                               f"write_cex -a {name}.aiw"], self.folder, seconds)
        (self.folder / f"{name}.log").write_text(output)
        failure = re.search(r"was asserted in frame (\d+)", output)
        if failure:
            return "failed", int(failure.group(1))
        if code is None:
            return "out of time", None
        if "Property proved" in output or "Networks are equivalent" in output:
            return "proved", None
        reached = re.search(r"No output (?:failed|asserted) in (\d+) frames", output)
        if reached and method == f"bmc3 -F {reached.group(1)}":
            return "bounded", None
        return "unknown", None

    def smtbmc(self, name, options, solver, seconds):
        """(exit code, output)"""
        code, output = run(["yosys-smtbmc", "-s", solver, "--unroll", "--noprogress", *options,
                            "--dump-vcd", f"{name}.vcd", "model.smt2"], self.folder, seconds)
        (self.folder / f"{name}.log").write_text(output)
        return code, output


class Result:
    def __init__(self, columns, good, verdict, notes=()):
        self.columns, self.good, self.verdict, self.notes = columns, good, verdict, list(notes)
        print(*[column for column in columns if column != ""], verdict, sep="  ", file=sys.stderr,
              flush=True)


def run_abc(model, task):
    """(verdict, notes) of the assertions, by the solvers in ABC."""
    model.aiger(task["mode"], "delete t:$cover")
    method = "pdr" if task["mode"] == "induction" else f"bmc3 -F {task['depth']}"
    verdict, frame = model.abc(task["mode"], method, task["seconds"])
    if verdict != "failed":
        return verdict, []
    notes = [f"counterexample of {frame + 1} steps"]
    if shutil.which("z3"):
        name = f"{task['mode']}_trace"
        _, output = model.smtbmc(name, ["-t", frame + 2, "--aig",
                                        f"{task['mode']}.aim:{task['mode']}.aiw", "--aig-noheader"],
                                 "z3", task["seconds"])
        notes += failed_asserts(output) + vcd(model, name)
    else:
        notes += ["(z3, which would name the assertion and write the trace, is not installed)"]
    return verdict, notes


def failed_asserts(output):
    return [f"fails: {label}" for label in sorted(set(
        re.findall(r"Assert failed in \S+ (\S+)", output)))]


def vcd(model, name):
    path = model.folder / f"{name}.vcd"
    return [f"trace: {path}"] if path.exists() else []


def run_smt(model, task):
    """(verdict, notes) of the assertions, by an SMT solver: induction is base and step."""
    runs = [(task["mode"] + "_base", ["-t", task["depth"] + 1])]
    if task["mode"] == "induction":
        runs.append(("induction_step", ["-i", "-t", task["depth"]]))
    for name, options in runs:
        code, output = model.smtbmc(name, options, task["solver"], task["seconds"])
        if code is None:
            return "out of time", []
        if code != 0:
            verdict = "not inductive" if name == "induction_step" else "failed"
            return verdict, failed_asserts(output) + vcd(model, name)
    return "proved" if task["mode"] == "induction" else "bounded", []


def run_cover(model, task):
    """(verdict, notes): every cover statement must be reached."""
    missed = []
    if task["solver"] == "abc":
        for number, cover in enumerate(model.covers):
            name = f"cover_{number}"
            model.aiger(name, f"""delete t:$assert
                delete t:$cover c:{escape(cover)} %d
                techmap -map cover.v""")
            verdict, _ = model.abc(name, f"bmc3 -F {task['depth']}", task["seconds"])
            if verdict != "failed":
                missed.append(cover)
    else:
        _, output = model.smtbmc("cover", ["-c", "-t", task["depth"] + 1], task["solver"],
                                 task["seconds"])
        reached = set(re.findall(r"Reached cover statement at (\S+)", output))
        missed = [cover for cover in model.covers if cover not in reached]
    return ("not reached" if missed else "reached"), [f"not reached: {cover}" for cover in missed]


def escape(cell):
    return re.sub(r"([\[\]*?\\])", r"\\\1", cell)


def run_task(model, variant, task):
    start = time.monotonic()
    count = len(model.covers if task["mode"] == "cover" else model.asserts)
    if task["mode"] == "cover":
        verdict, notes = run_cover(model, task)
    else:
        verdict, notes = (run_abc if task["solver"] == "abc" else run_smt)(model, task)
    expected = {"induction": "proved", "bmc": "bounded", "cover": "reached"}[task["mode"]]
    if verdict == "proved" and task["mode"] == "bmc":  # the solver found that depth is no limit
        verdict = "bounded"
    if count == 0:
        verdict = "nothing to prove"
    name = model.proof.name + (f" {variant}" if variant else "")
    if verdict != expected:
        notes = [model.proof.summary] + notes
    return Result([name, count, task["mode"], task.get("depth", "open"), task["solver"],
                   f"{time.monotonic() - start:.1f}"], verdict == expected, verdict, notes)


def run_mutant(proof, mutant, folder):
    """A Result for each assertion that the mutant says it breaks."""
    text = (ROOT / mutant["file"]).read_text().replace(mutant["before"], mutant["after"])
    try:
        model = Model(proof, mutant["variant"], folder, (mutant["file"], text))
    except Mistake as mistake:
        return [Result([proof.name, mutant["name"], "", "", ""], False, "does not build",
                       [str(mistake)])]
    results = []
    for label in mutant["breaks"]:
        start = time.monotonic()
        if not any(cell.split(".")[-1] == label for cell in model.asserts):
            verdict, frame = "no such assertion", None
        else:
            model.aiger(label, f"""delete t:$cover
                delete t:$assert c:{label} c:*.{label} %u %d""")
            verdict, frame = model.abc(label, f"bmc3 -F {mutant['depth']}", mutant["seconds"])
        caught = verdict == "failed"
        results.append(Result([proof.name, mutant["name"], label,
                               frame + 1 if caught else "", f"{time.monotonic() - start:.1f}"],
                              caught, "caught" if caught else f"NOT CAUGHT ({verdict})"))
    return results


def table(head, results):
    rows = [head] + [[str(column) for column in r.columns] + [r.verdict] for r in results]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for number, row in enumerate(rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        for note in results[number - 1].notes if number else []:
            print(f"    {note}")


def missing(tasks):
    """A sentence about the programs that are needed and not installed, or None."""
    programs = {"yosys": "yosys"} | {SOLVERS[task["solver"]][0]: SOLVERS[task["solver"]][1]
                                     for task in tasks}
    packages = sorted({package for program, package in programs.items()
                       if not shutil.which(program)})
    if not packages:
        return None
    return (f"{', '.join(packages)} not installed: sudo apt-get install {' '.join(packages)}, or "
            "WEFT_BOOTSTRAP_OPTIONAL=1 scripts/bootstrap.sh")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS)
    parser.add_argument("proof", nargs="*")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--quick", action="store_true", help="only the tasks marked quick")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", os.cpu_count() or 1)))
    parser.add_argument("--build", type=Path, default=ROOT / "build/formal")
    args = parser.parse_args()

    proofs = load()
    for pattern in args.proof:
        if not any(fnmatch.fnmatch(proof.name, pattern) for proof in proofs):
            raise Mistake(f"no proof is called {pattern}; there are "
                          f"{', '.join(proof.name for proof in proofs)}")
    chosen = [proof for proof in proofs
              if not args.proof or any(fnmatch.fnmatch(proof.name, p) for p in args.proof)]
    if args.check or args.mutants:
        check(proofs, chosen)
    if args.check:
        print(f"{len(chosen)} proofs, {sum(len(p.mutants) for p in chosen)} mutants fit the sources")
        return 0
    tasks = [(proof, variant, task) for proof in chosen for task in proof.tasks
             for variant in task["variants"] if task["quick"] or not args.quick]
    problem = missing([task for _, _, task in tasks])
    if problem:
        print(f"skipped: {problem}" if args.quick else f"formal.py: {problem}")
        return 77 if args.quick else 2

    signal.signal(signal.SIGTERM, end_running)
    signal.signal(signal.SIGINT, end_running)
    build = args.build.resolve()
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        wanted = list(dict.fromkeys((proof, variant) for proof, variant, _ in tasks))
        models = dict(zip(wanted, pool.map(
            lambda w: Model(*w, build / w[0].name / (w[1] or "model")), wanted)))
        results = list(pool.map(lambda t: run_task(models[t[0], t[1]], t[1], t[2]), tasks))
        table(["proof", "properties", "mode", "depth", "solver", "seconds", "result"], results)
        if args.mutants:
            planted = [(proof, m) for proof in chosen for m in proof.mutants]
            caught = [r for found in pool.map(lambda p: run_mutant(
                *p, build / p[0].name / "mutants" / p[1]["name"].replace(" ", "_")), planted)
                for r in found]
            print()
            table(["proof", "mutant", "breaks", "steps", "seconds", "result"], caught)
            results += caught
            print(f"{len(planted)} mutants, {sum(r.good for r in caught)} of {len(caught)} "
                  "broken assertions found")
    bad = sum(not result.good for result in results)
    print(f"{len(results) - bad} of {len(results)} as they should be "
          f"({time.monotonic() - start:.0f} s)")
    return 1 if bad or not results else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Mistake as mistake:
        sys.exit(f"formal.py: {mistake}")
