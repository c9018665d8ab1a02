"""Whether this benchmark finds what it is there to find: it is run on a stand-in for the program that
has one fault at a time, and on one that has none."""

import copy
import os
import pathlib

import environment
import faults
import identity
import merging
import rows
from session import Session

STANDIN = pathlib.Path(__file__).resolve().parent / "standin.py"

# A fault of the stand-in, the part that must find it, and what it must say.
FAULTS = [
    (None, [rows, merging, identity, faults], None),
    ("files", [rows], "answer.txt differs from byte"),
    ("order", [identity], "answer.txt differs from byte"),
    ("lost", [identity], "coactivation.txt is missing"),
    ("twice", [faults], "answer.txt differs from byte"),
    ("leavings", [faults], "checkpoint should not be there"),
]


def run(options, work):
    """What was not found, or found where nothing is."""
    options = copy.copy(options)
    options.rows, options.rounds, options.tallies, options.kills = 2000, 1, 12, 12
    wrong = []
    for number, (fault, parts, words) in enumerate(FAULTS):
        os.environ["ATOMSCOPE_STANDIN_FAULT"] = fault or ""
        folder = work / f"selftest-{number}"
        folder.mkdir(exist_ok=True)
        session = Session(options, str(STANDIN), folder)
        for part in parts:
            part.render(part.run(session))
        if fault is None:
            wrong += [f"selftest: a program with no fault: {failure}" for failure in session.failures]
        elif not any(words in failure for failure in session.failures):
            wrong.append(f"selftest: the fault {fault!r} was not found")
        environment.say(f"selftest: {fault or 'no fault'}: {len(session.failures)} failures")
    return wrong
