"""Strikes tallies while they run: `kill FILE` ends the process that is to write FILE with SIGKILL,
`cancel FILE` cancels the Slurm job that it runs in. Ends when all have been struck."""

import glob
import os
import signal
import subprocess
import sys
import time


def arguments(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().decode(errors="replace").split("\0")


def job_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        variables = file.read().decode(errors="replace").split("\0")
    return next(v.partition("=")[2] for v in variables if v.startswith("SLURM_JOB_ID="))


waiting = dict(zip(sys.argv[2::2], sys.argv[1::2]))
deadline = time.monotonic() + 240
while waiting:
    if time.monotonic() > deadline:
        sys.exit(f"never seen: {', '.join(waiting)}")
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            argv = arguments(pid)
            # The program itself, not the shell and the Snakemake around it, in whose arguments all
            # of its own are one.
            if "tally" not in argv or "--out" not in argv:
                continue
            path = argv[argv.index("--out") + 1]
            if path not in waiting:
                continue
            # Not before it has a whole part to go on from; one under way has a hidden name.
            if not glob.glob("*.tally", root_dir=f"{path}.checkpoints"):
                continue
            if waiting[path] == "kill":
                os.kill(int(pid), signal.SIGKILL)
            else:
                subprocess.run(["scancel", job_of(pid)], check=True)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if os.path.exists(path):
            sys.exit(f"{path} was done before its process was struck")
        print(waiting.pop(path), path, f"process {pid}", flush=True)
    time.sleep(0.02)
