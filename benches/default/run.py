#!/usr/bin/env python3
"""Measures what the default tables take beyond the notebook's, stage by stage. Needs Python 3.9 or later
and nothing else.

    cargo build --release --locked
    python3 benches/default/run.py --work FOLDER --record record.json

Programs and tables take turns, and each figure is the least of the rounds: CPU seconds of all threads, and
seconds by the clock for whole processes.

Exit code: 0; 1 where something cannot be run; 2 for wrong arguments.
"""

import argparse
import json
import os
import pathlib
import platform
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target" / "release" / "atomscope"
SHAPE = {"rows": 100_000, "input-dim": 256, "features": 4096, "k": 64, "seed": 1}
TABLES = {"default": [], "notebook": ["--tables", "notebook"]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--programs", nargs="+", metavar="PROGRAM", default=[str(PROGRAM)], help="[target/release/atomscope]")
    add("--work", type=pathlib.Path, metavar="FOLDER", required=True,
        help="for files, of which simulated ones stay there and are used again; 300 MB")
    add("--embeddings", metavar="FILE", help="in place of simulated ones")
    add("--model", metavar="PATH", help="the model of these embeddings")
    add("--rounds", type=int, metavar="R", default=5, help="[5]")
    add("--record", type=pathlib.Path, metavar="FILE", help="all figures as JSON")
    asked = parser.parse_args()
    if (asked.embeddings is None) != (asked.model is None):
        parser.error("--embeddings and --model go together")
    return asked


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def simulated(program, work):
    cohort = work / "cohort"
    if not (cohort / "sae.pt").exists():
        shape = [word for name, value in SHAPE.items() for word in (f"--{name}", str(value))]
        subprocess.run([program, "simulate", "-q", "--out", cohort, *shape], check=True)
    return cohort / "embeddings.pt", cohort / "sae.pt"


def measured(program, tables, embeddings, model, out):
    """Seconds of a run: of its stages, and of the whole process."""
    command = [program, "analyze", "-q", "--force", "--embeddings", embeddings, "--model", model, "--out", out]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*command, *TABLES[tables]], check=True, stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    record = json.loads((out / "run.json").read_text())
    found = {name: seconds for name, seconds in record["cpu_seconds"].items() if name != "total"}
    of_tables = record.get("tables", {}).get("cpu_seconds", {})
    found.update({f"tables: {name}": seconds for name, seconds in of_tables.items()})
    whole = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    found["other"] = whole - sum(found.values())
    return {**found, "process": whole, "process, by the clock": clock}


def main():
    asked = arguments()
    asked.work.mkdir(parents=True, exist_ok=True)
    files = (asked.embeddings, asked.model) if asked.model else simulated(asked.programs[0], asked.work)
    least = {}
    for _ in range(asked.rounds):
        for number, program in enumerate(asked.programs):
            for tables in TABLES:
                found = measured(program, tables, *files, asked.work / f"results-{number}-{tables}")
                of = least.setdefault((number, tables), {})
                for stage, seconds in found.items():
                    of[stage] = min(seconds, of.get(stage, seconds))
    record = {"machine": processor(), "cores": os.cpu_count(), "rounds": asked.rounds, "programs": []}
    for number, program in enumerate(asked.programs):
        default, notebook = least[number, "default"], least[number, "notebook"]
        print(f"{program}\n{'CPU seconds':>24}  default  notebook")
        for stage, seconds in default.items():
            print(f"{stage:>24}  {seconds:7.3f}  {notebook.get(stage, 0.0):7.3f}")
        ratios = {stage: default[stage] / notebook[stage] for stage in ("process", "process, by the clock")}
        print("".join(f"{stage}: {ratio:.2f} times\n" for stage, ratio in ratios.items()))
        record["programs"].append({"default": default, "notebook": notebook, "ratios": ratios})
    if asked.record:
        asked.record.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"{error}")
