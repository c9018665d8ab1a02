"""What the parts have in common: cohorts, runs of the program, outputs and how they differ."""

import hashlib
import json
import os
import pathlib
import platform
import shutil

import environment
import measure
from measure import Failed


class Session:
    """One run of the benchmark."""

    def __init__(self, options, program, work):
        self.options, self.program, self.work = options, program, work
        self.failures = []
        # Of each part, as they were run; paths below the work folder without it.
        self.commands = {}

    def remember(self, part, command):
        shown = " ".join(str(word) for word in command).replace(f"{self.work}/", "")
        self.commands.setdefault(part, [])
        if len(self.commands[part]) < 40:
            self.commands[part].append(f"atomscope {shown}")

    def run(self, part, *words):
        """Runs the program to its end; wall, processor seconds, peak memory."""
        self.remember(part, words)
        log = self.work / f"{part}.log"
        measured = measure.run([self.program, *words], log)
        if measured["exit_code"] != 0:
            raise Failed(f"atomscope {words[0]} ended with {measured['exit_code']}: {measure.error_line(log)}")
        return measured

    def simulate(self, part, name, shape, pieces=1):
        """A simulated cohort in a folder of its own. One that lies there from an earlier run is taken:
        the same options give the same files."""
        folder = self.work / f"{name}-{pieces}"
        wanted = {**shape, "seed": self.options.seed}
        if len(list(folder.glob("embeddings*.pt"))) == pieces and (folder / "truth.json").exists():
            found = json.loads((folder / "truth.json").read_text())["options"]
            if all(found.get(option) == value for option, value in wanted.items()):
                return folder
        words = ["simulate", "--quiet", "--out", folder]
        for option, value in wanted.items():
            words += [f"--{option.replace('_', '-')}", value]
        self.run(part, *words, *(["--pieces", pieces] if pieces > 1 else []))
        return folder

    def fresh(self, name):
        """A folder with nothing in it."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def compare(self, what, expected, found):
        """Notes where two sets of outputs differ; whether they do not."""
        different = differences(expected, found)
        self.failures += [f"{what}: {line}" for line in different]
        return not different


def of(folder, pieces=1):
    """The arguments that name a cohort's files. The pattern is for the program, not for a shell."""
    name = "embeddings.pt" if pieces == 1 else "embeddings-*.pt"
    return ["--embeddings", folder / name, "--model", folder / "sae.pt"]


def outputs(folder):
    """All that is in a folder, by path, but for the run's own record, which has times and paths in it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir():
            found[f"{name}/"] = b""
        elif path.name != "run.json":
            found[name] = path.read_bytes()
    return found


def differences(expected, found):
    lines = [f"{name} is missing" for name in expected if name not in found]
    lines += [f"{name} should not be there" for name in found if name not in expected]
    for name in expected.keys() & found.keys():
        one, other = expected[name], found[name]
        if one != other:
            same = len(os.path.commonprefix([one, other]))
            lines.append(f"{name} differs from byte {same} on: {len(other)} bytes where {len(one)} are expected")
    return sorted(lines)


def goal(met):
    return "met" if met else "MISSED"


def machine(program):
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": environment.processor(), "cores": cores,
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
            "python": platform.python_version(), "commit": environment.commit(),
            "atomscope": environment.output_of(program, "--version"),
            "program_sha256": hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()}
