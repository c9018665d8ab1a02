"""Whether runs that are killed at any moment, and started again, end with the bytes of one that is
not, and leave nothing else behind."""

import random
import signal
import subprocess
import time

import measure
from measure import Failed
from session import of, outputs

PART = "faults"
SHAPE = {"rows": 400_000, "input_dim": 64, "features": 512, "k": 8}
PIECES = 8
CHECKPOINT_ROWS = 10_000
# Of rounds from nothing to the end: more than any sequence of kills needs that hits now and then.
MOST_ROUNDS = 1000


def run(session):
    draw = random.Random(session.options.seed)
    whole = session.simulate(PART, "faults", SHAPE)
    pieces = session.simulate(PART, "faults", SHAPE, PIECES)
    every = ["--quiet", "--checkpoint-rows", CHECKPOINT_ROWS, "--out"]

    def analyze(out):
        return ["analyze", *of(pieces, PIECES), *every, out]

    def tally(out):
        # A tally counts what its screen left open, and which screen is taken is a matter of time.
        return ["tally", *of(whole), "--fires", "--screen", "single", *every, out / "all.tally"]

    commands = {f"analyze, {PIECES} files": analyze, "tally --fires": tally}
    return {"shape": SHAPE, "checkpoint_rows": CHECKPOINT_ROWS,
            "commands": {name: killed(session, draw, name, words) for name, words in commands.items()}}


def killed(session, draw, name, words):
    """Runs a command to its end again and again, killed on the way, until as many kills hit as are
    asked for."""
    undisturbed = folder(session, "faults-undisturbed")
    seconds = session.run(PART, *words(undisturbed / "results"))["wall_seconds"]
    expected = outputs(undisturbed)
    found = {"undisturbed_seconds": seconds, "outputs": sorted(expected), "kills": 0, "late": 0, "ends": 0,
             "with_leavings": 0, "same_bytes": True}
    for _ in range(MOST_ROUNDS):
        if found["kills"] >= session.options.kills:
            return found
        out = folder(session, "faults-killed")
        to_the_end(session, draw, words(out / "results"), seconds, found)
        found["ends"] += 1
        what = f"faults: {name}, killed {found['kills']} times by then, where an undisturbed run has other bytes"
        results = outputs(out)
        found["same_bytes"] &= session.compare(what, expected, results)
        found["with_leavings"] += bool(results.keys() - expected.keys())
    raise Failed(f"{name} was hit {found['kills']} times in {MOST_ROUNDS} rounds: it ends too soon; use more rows")


def folder(session, name):
    """A folder for results, in one of its own: what is left beside it is seen too."""
    around = session.fresh(name)
    (around / "results").mkdir()
    return around


def to_the_end(session, draw, words, seconds, found):
    """Starts the command until it ends by itself. A start is killed anywhere within the time that an
    undisturbed run takes; one that goes on from what earlier ones left may end before."""
    log = session.work / f"{PART}.log"
    while True:
        with open(log, "wb") as output:
            process = subprocess.Popen([session.program, *map(str, words)], stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=subprocess.STDOUT)
            try:
                if found["kills"] < session.options.kills:
                    time.sleep(draw.uniform(0.0, seconds))
                    process.kill()
                code = process.wait()
            finally:
                process.kill()
                process.wait()
        if code == -signal.SIGKILL:
            found["kills"] += 1
        elif code == 0:
            # Its end came before the kill, or none was left to send.
            found["late"] += found["kills"] < session.options.kills
            return
        else:
            raise Failed(f"atomscope {words[0]}, after {found['kills']} kills, ended with {code}: "
                         f"{measure.error_line(log)}")


def render(found):
    lines = ["{rows} calls, {input_dim} -> {features}, k = {k}".format(**found["shape"])
             + f", a checkpoint every {found['checkpoint_rows']}"]
    for name, each in found["commands"].items():
        same = "the same bytes" if each["same_bytes"] else "OTHER BYTES"
        lines.append(f"{name}: {each['kills']} kills of a running process, {each['late']} that came too late, "
                     f"{each['ends']} ends, each with {same}; {each['with_leavings']} left other files")
    return "\n".join(lines)
