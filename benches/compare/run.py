#!/usr/bin/env python3
"""Compares atomscope with the notebook's computation and with an expert's in torch, on the same files,
in alternating runs, and checks that all three give the same counts. Needs Python 3.9 or later; makes
what else it needs.

    python3 benches/compare/run.py --record record.json

Exit code: 0 where all agree; 1 where they do not, with a line that says where, or where something
cannot be run; 2 for wrong arguments.
"""

import argparse
import contextlib
import datetime
import json
import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cohorts  # noqa: E402
import compare  # noqa: E402
import environment  # noqa: E402
import selftest  # noqa: E402
import table  # noqa: E402
from environment import say  # noqa: E402
from measure import Failed  # noqa: E402

VARIANTS = {"auto": "", "single": "--screen single", "bfloat16": "--screen bfloat16"}
GPU_VARIANTS = {"cpu": "--device cpu", "cuda": "--device cuda"}


def variant(text):
    name, equals, options = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text}: expected NAME=OPTIONS, as in 'single=--screen single'")
    return name, options


def case(text):
    try:
        return cohorts.parse_case(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def whole(least):
    def parse(text):
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text}: expected a whole number from {least}")
        return int(text)
    return parse


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--cases", nargs="+", type=case, metavar="CASE",
        help=f"delly-mims, or DxFxK:ROWS,ROWS [default: {' '.join(cohorts.DEFAULT)}]")
    add("--quick", action="store_true", help="small cohorts, one round: to see that it works")
    add("--repetitions", type=whole(1), help="timed rounds [default: 5; 1 with --quick]")
    add("--notebook-repetitions", type=whole(1), default=3, help="in how many the notebook runs [3]")
    add("--notebook-rows", type=whole(0), default=40_000, help="on how many calls at most [40000]")
    add("--exact-rows", type=whole(0), default=0,
        help="rows of each shape to compare with the definition in binary64 [0: none]")
    add("--precisions", nargs="+", choices=compare.PRECISIONS, default=compare.PRECISIONS,
        help="of torch [both]; in bfloat16 it is very slow where the processor has no instructions for it")
    add("--variant", action="append", type=variant, default=[], metavar="NAME=OPTIONS",
        help="another way to run atomscope, besides auto, single and bfloat16")
    add("--seed", type=whole(0), default=1)
    add("--delly-mims", metavar="FOLDER", help="the real cohort [default: ATOMSCOPE_DELLY_MIMS]")
    add("--atomscope", metavar="PROGRAM", help="[default: built from this checkout]")
    add("--python", metavar="PROGRAM", help="one that has torch, instead of an environment of its own")
    add("--venv", type=pathlib.Path, default=environment.ROOT / "target" / "compare-venv",
        metavar="FOLDER", help="where the environment is made [target/compare-venv]")
    add("--work", type=pathlib.Path, metavar="FOLDER",
        help="for files, which stay there and are used again [default: a temporary one]")
    add("--record", type=pathlib.Path, metavar="FILE", help="all figures as JSON")
    add("--selftest", action="store_true", help="see that planted faults are found; then end")
    options = parser.parse_args()
    small = options.quick
    options.repetitions = options.repetitions or (1 if small else 5)
    options.cases = options.cases or [case(text) for text in (cohorts.QUICK if small else cohorts.DEFAULT)]
    return options


@contextlib.contextmanager
def work_folder(options):
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
        yield options.work.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="atomscope-compare-") as folder:
            yield pathlib.Path(folder)


def record_of(session, cases, exact):
    now = datetime.datetime.now(datetime.timezone.utc)
    options = session.options
    record = {"date": f"{now:%Y-%m-%dT%H:%M:%SZ}", "machine": session.machine,
              "variants": session.variants, "seed": options.seed,
              "repetitions": options.repetitions, "notebook_repetitions": options.notebook_repetitions,
              "failures": session.failures, "cases": cases, "exact": [each for each in exact if each]}
    table.add_ratios(record)
    return record


def run(options, work):
    """Everything; the failures that were found."""
    program = environment.atomscope(options.atomscope)
    python = environment.python_with_torch(options.python, options.venv)
    machine = environment.machine(python, program)
    variants = {**VARIANTS, **(GPU_VARIANTS if machine["gpu"] else {}), **dict(options.variant)}
    session = compare.Session(options, python, program, work, machine, variants)
    if options.selftest:
        return selftest.run(session)
    cases, exact = [], []
    for each in options.cases:
        cases.append(compare.compare(session, each))
        if options.exact_rows:
            exact.append(compare.exact(session, each))
    record = record_of(session, cases, exact)
    print(f"{machine['processor']['name']}, {machine['cores']} cores, GPU: {machine['gpu'] or 'none'}; "
          f"{machine['atomscope']}; torch {machine['torch']} with {machine['torch_threads']} threads\n")
    print(table.render(record))
    if options.record:
        options.record.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        say(f"the record is {options.record}")
    return session.failures


def main():
    options = arguments()
    # So that files are removed where the run is ended from outside too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with work_folder(options) as work:
            failures = run(options, work)
    except Failed as failed:
        failures = [str(failed)]
    for failure in failures:
        say(f"compare: FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
