#!/usr/bin/env python3
"""Measures how the CPU time of each stage of atomscope grows with the number of calls. Needs Python 3.9
or later and nothing else.

    cargo build --release --locked
    python3 benches/growth/run.py --work FOLDER --record record.json

A stage's time t(n) grows with exponent e between n and m calls where t(m)/t(n) = (m/n)^e. Times are CPU
seconds of the whole process in that stage (`cpu_seconds` of run.json), so that other work on the machine
bears on them little; each is the least of the rounds, which visit the sizes in turn.

Exit code: 0; 1 where something cannot be run; 2 for wrong arguments. A goal that is missed is said, and
changes no exit code.
"""

import argparse
import datetime
import json
import math
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scale"), str(HERE.parent / "compare")]

import environment  # noqa: E402
from measure import Failed  # noqa: E402
from session import Session, goal, machine, of  # noqa: E402

SHAPES = {"64-512": {"input_dim": 64, "features": 512, "k": 8},
          "128-4096": {"input_dim": 128, "features": 4096, "k": 32}}
PROGRAM = environment.ROOT / "target" / "release" / "atomscope"
GOAL = 1.03
# A stage below it is as long as what starts it, whatever the calls: no exponent says anything of it.
LEAST_SECONDS = 0.05


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), help="inputs and atoms [all]")
    add("--rows", nargs="+", type=int, metavar="N", default=[10_000, 100_000, 1_000_000],
        help="numbers of calls [10000 100000 1000000]")
    add("--rounds", type=int, metavar="R", default=3, help="rounds, of which the least time counts [3]")
    add("--atomscope", metavar="PROGRAM", default=PROGRAM, help="[target/release/atomscope]")
    add("--work", type=pathlib.Path, metavar="FOLDER", required=True,
        help="for files, of which simulated ones stay there and are used again; 1 GB")
    add("--options", nargs=argparse.REMAINDER, default=[], help="further options of analyze, the last ones here")
    add("--seed", type=int, default=1, help="of cohorts [1]")
    add("--record", type=pathlib.Path, metavar="FILE", help="all figures as JSON")
    return parser.parse_args()


def stages(record, tally, merge, report):
    """CPU seconds of each stage: of one run, and of the whole processes that do it in parts."""
    found = {name: seconds for name, seconds in record["cpu_seconds"].items()}
    found.update({f"tables: {name}": seconds for name, seconds in record["tables"]["cpu_seconds"].items()})
    found.update({"tally": tally, "merge": merge, "report": report})
    return found


def cpu(measured):
    return measured["processor_seconds"]


def one(session, shape, rows, options):
    """The CPU seconds of each stage, and the peak memory, of one round."""
    cohort = session.simulate("simulate", f"{shape}-{rows}", {"rows": rows, **SHAPES[shape]})
    out = session.fresh("results")
    analyzed = session.run("analyze", "analyze", *of(cohort), "--out", out, "--quiet", "--print", "summary",
                           *options)
    record = json.loads((out / "run.json").read_text())
    parts = session.fresh("parts")
    half = rows // 2
    tallies, seconds = [], 0.0
    for span in [f"0..{half}", f"{half}..{rows}"]:
        tally = parts / f"{span}.tally"
        seconds += cpu(session.run("tally", "tally", *of(cohort), "--out", tally, "--fires", "--rows", span, "--quiet"))
        tallies.append(tally)
    merged = parts / "all.tally"
    merge = cpu(session.run("merge", "merge", "--quiet", "--out", merged, *tallies))
    report = cpu(session.run("report", "report", "--quiet", merged, "--out", session.fresh("reported"),
                             "--print", "summary", *options))
    return stages(record, seconds, merge, report), analyzed["peak_memory_bytes"] or 0


def measure(session, options):
    """For each shape and number of calls the least seconds of each stage, and the least peak."""
    found = {}
    for number in range(options.rounds):
        for shape in options.shapes:
            for rows in options.rows:
                seconds, peak = one(session, shape, rows, options.options)
                known = found.setdefault(shape, {}).setdefault(rows, {"cpu_s": seconds, "peak_bytes": peak})
                known["peak_bytes"] = min(known["peak_bytes"], peak)
                for stage, value in seconds.items():
                    known["cpu_s"][stage] = min(known["cpu_s"].get(stage, value), value)
                environment.say(f"round {number + 1}: {shape}, {rows} calls: {seconds['total']:.2f} s")
    return found


def exponents(by_rows):
    """The exponent of each stage between two consecutive numbers of calls; None for one that is too short."""
    sizes = sorted(by_rows)
    found = {}
    for few, many in zip(sizes, sizes[1:]):
        of_step = {}
        for stage, before in by_rows[few]["cpu_s"].items():
            after = by_rows[many]["cpu_s"].get(stage)
            tells = after is not None and min(before, after) >= LEAST_SECONDS
            of_step[stage] = math.log(after / before) / math.log(many / few) if tells else None
        found[f"{few}-{many}"] = of_step
    return found


def render(shape, by_rows, steps):
    sizes = sorted(by_rows)
    lines = [f"{shape}: CPU seconds, and the exponent of their growth",
             f"| stage | {' | '.join(f'{size:,}' for size in sizes)} | {' | '.join(steps)} | <= {GOAL} |",
             "|---" * (2 + len(sizes) + len(steps)) + "|"]
    for stage in by_rows[sizes[-1]]["cpu_s"]:
        seconds = [f"{by_rows[size]['cpu_s'].get(stage, 0):.3f}" for size in sizes]
        grows = [steps[step].get(stage) for step in steps]
        shown = ["-" if e is None else f"{e:.3f}" for e in grows]
        met = "-" if not grows or grows[-1] is None else goal(grows[-1] <= GOAL)
        lines.append(f"| {stage} | {' | '.join(seconds)} | {' | '.join(shown)} | {met} |")
    lines.append(f"| peak memory, MB | {' | '.join(str(by_rows[size]['peak_bytes'] // 10**6) for size in sizes)} |"
                 + " |" * (1 + len(steps)))
    return "\n".join(lines)


def main():
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    try:
        session = Session(options, environment.atomscope(options.atomscope), options.work.resolve())
        found = measure(session, options)
    except Failed as failed:
        environment.say(f"growth: FAILED: {failed}")
        return 1
    shapes = {shape: {"rows": by_rows, "exponents": exponents(by_rows)} for shape, by_rows in found.items()}
    for shape, of_shape in shapes.items():
        print(f"\n{render(shape, of_shape['rows'], of_shape['exponents'])}")
    now = datetime.datetime.now(datetime.timezone.utc)
    record = {"date": f"{now:%Y-%m-%dT%H:%M:%SZ}", "machine": machine(session.program), "goal": GOAL,
              "rounds": options.rounds, "options": options.options, "shapes": shapes, "commands": session.commands}
    if options.record:
        options.record.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        environment.say(f"the record is {options.record}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
