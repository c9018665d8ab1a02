#!/usr/bin/env python3
"""Measures atomscope on millions of calls in many files, and checks that in however many files they
lie, on whatever code path, and however often it is killed, the answer is the same bytes. Needs Python
3.9 or later and nothing else.

    python3 benches/scale/run.py --work FOLDER --record record.json

Exit code: 0 where all outputs agree; 1 where they do not, with a line that says where, or where
something cannot be run; 2 for wrong arguments. A goal that is missed is said, and changes no exit code.
"""

import argparse
import contextlib
import datetime
import json
import pathlib
import signal
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "compare")]

import environment  # noqa: E402
import faults  # noqa: E402
import identity  # noqa: E402
import merging  # noqa: E402
import rows  # noqa: E402
import selftest  # noqa: E402
from measure import Failed  # noqa: E402
from session import Session, machine  # noqa: E402

PARTS = {"rows": rows, "merge": merging, "identity": identity, "faults": faults}
PROGRAM = environment.ROOT / "target" / "release" / "atomscope"


def whole(least):
    def parse(text):
        if not text.isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text}: expected a whole number from {least}")
        return int(text)
    return parse


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure [all]")
    add("--atomscope", metavar="PROGRAM", default=PROGRAM, help="[target/release/atomscope]")
    add("--work", type=pathlib.Path, metavar="FOLDER",
        help="for files, of which simulated ones stay there and are used again [a temporary one]; 7 GB")
    add("--rows", type=whole(1000), metavar="N", help="calls of the large cohort [10000000; 200000]")
    add("--rounds", type=whole(1), metavar="R", help="timed rounds [5; 1]")
    add("--tallies", type=whole(2), metavar="N", help="tallies to merge [1000; 100]")
    add("--kills", type=whole(1), metavar="N", help="kills that must hit, of each command [50; 10]")
    add("--quick", action="store_true", help="the second of the defaults above: to see that it works")
    add("--selftest", action="store_true", help="see that a program's faults are found; then end")
    add("--seed", type=whole(0), default=1, help="of cohorts and of all that is drawn here [1]")
    add("--record", type=pathlib.Path, metavar="FILE", help="all figures as JSON")
    options = parser.parse_args()
    for name, usual, quick in [("rows", 10_000_000, 200_000), ("rounds", 5, 1), ("tallies", 1000, 100),
                               ("kills", 50, 10)]:
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    return options


@contextlib.contextmanager
def work_folder(options):
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
        yield options.work.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="atomscope-scale-") as folder:
            yield pathlib.Path(folder)


def record_of(session, parts):
    now = datetime.datetime.now(datetime.timezone.utc)
    options = session.options
    chosen = {name: getattr(options, name) for name in ("rows", "rounds", "tallies", "kills", "seed")}
    return {"date": f"{now:%Y-%m-%dT%H:%M:%SZ}", "machine": machine(session.program), "options": chosen,
            "failures": session.failures, "parts": parts, "commands": session.commands}


def run(options, work):
    """Every part that is asked for; the failures that were found."""
    if options.selftest:
        return selftest.run(options, work)
    session = Session(options, environment.atomscope(options.atomscope), work)
    print(f"seed {options.seed}", flush=True)
    parts = {}
    for name in options.parts:
        try:
            parts[name] = PARTS[name].run(session)
        except Failed as failed:
            # The other parts may still have something to say.
            session.failures.append(f"{name}: {failed}")
            continue
        print(f"\n{PARTS[name].render(parts[name])}", flush=True)
    record = record_of(session, parts)
    found = record["machine"]
    print(f"\n{found['processor']['name']}, {found['cores']} cores; {found['atomscope']}, {found['commit']}")
    if options.record:
        options.record.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        environment.say(f"the record is {options.record}")
    return session.failures


def main():
    options = arguments()
    # So that files are removed, and programs ended, where the run is ended from outside too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with work_folder(options) as work:
            failures = run(options, work)
    except Failed as failed:
        failures = [str(failed)]
    for failure in failures:
        environment.say(f"scale: FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
