"""Runs a program once: wall clock, peak memory, and what it said last."""

import os
import resource
import statistics
import subprocess
import sys
import time


class Failed(Exception):
    """What ends the run, as one line."""


def peak_unit():
    return 1 if sys.platform == "darwin" else 1024


def last_line(path):
    with open(path, "rb") as file:
        lines = file.read()[-4000:].decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "it said nothing"


def error_line(path):
    """The line that says what is wrong: the first that claims to, else the last."""
    with open(path, "rb") as file:
        lines = file.read()[:4000].decode(errors="replace").splitlines()
    claimed = [line.strip() for line in lines if line.lower().startswith("error")]
    return claimed[0][:300] if claimed else last_line(path)


def busy_seconds():
    """What all processors have worked since the start of the machine; None where nothing tells."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def others_share(before, own, wall):
    """The part of all processors' time that others took meanwhile."""
    after = busy_seconds()
    if before is None or after is None:
        return None
    return max(0.0, after - before - own) / (wall * os.cpu_count())


def run(command, log):
    """Starts the command with no shell between, and waits for it. Where its peak is no higher than
    this process's own, which it began as, the peak is not known and None."""
    own, busy = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, busy_seconds()
    with open(log, "wb") as output:
        began = time.monotonic()
        filled = [str(part).replace("@STARTED@", repr(began)) for part in command]
        process = subprocess.Popen(filled, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss * peak_unit() if usage.ru_maxrss > own else None
    worked = usage.ru_utime + usage.ru_stime
    return {"exit_code": process.returncode, "wall_seconds": wall, "peak_memory_bytes": peak,
            "processor_seconds": worked, "others_share": others_share(busy, worked, wall)}


def summary(repetitions, *keys):
    """Median, and the spread (largest less smallest) as a part of it, of one figure in each
    repetition; None where one has no such figure."""
    values = []
    for each in repetitions:
        for key in keys:
            each = (each or {}).get(key)
        values.append(each)
    if not values or None in values:
        return None
    median = statistics.median(values)
    spread = (max(values) - min(values)) / median if median else 0.0
    return {"median": median, "spread": spread, "of": len(values)}
