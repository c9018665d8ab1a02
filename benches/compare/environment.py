"""What the comparison runs on: the Python with torch, the atomscope program, the machine."""

import hashlib
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys

from measure import Failed

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

PROBE = """
import json, torch, numpy, scipy, pandas, statsmodels
cuda = torch.cuda.is_available()
print(json.dumps({
    "python": __import__("platform").python_version(),
    "torch": torch.__version__, "torch_threads": torch.get_num_threads(),
    "numpy": numpy.__version__, "scipy": scipy.__version__, "pandas": pandas.__version__,
    "statsmodels": statsmodels.__version__,
    "gpu": torch.cuda.get_device_name(0) if cuda else None,
    "gpu_memory_bytes": torch.cuda.get_device_properties(0).total_memory if cuda else None,
}))
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def python_with_torch(named, folder):
    """The interpreter that is named, or that of a virtual environment with the pinned packages, which
    is made in the folder unless it is there."""
    if named:
        return named
    python = folder / "bin" / "python"
    requirements = HERE / "requirements.txt"
    stamp, wanted = folder / "requirements.sha256", hashlib.sha256(requirements.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return str(python)
    say(f"making a virtual environment in {folder}: torch is some gigabytes, this takes minutes")
    for command in ([sys.executable, "-m", "venv", "--clear", folder],
                    [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                     "--requirement", requirements]):
        if subprocess.run(command, check=False).returncode != 0:
            raise Failed(f"{' '.join(map(str, command))} failed; --python names an interpreter that "
                         "has the packages of requirements.txt")
    stamp.write_text(wanted)
    return str(python)


def probe(python):
    """Versions, threads and GPU, as that interpreter sees them."""
    found = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        said = found.stderr.strip().splitlines()
        raise Failed(f"{python} lacks what is compared: {said[-1] if said else 'it said nothing'}")
    return json.loads(found.stdout)


def atomscope(named):
    """The program that is named, or the one that this checkout builds."""
    if named:
        path = pathlib.Path(named).resolve()
    else:
        command = ["cargo", "build", "--release", "--locked"]
        if not shutil.which("cargo") or subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            raise Failed("cargo does not build atomscope here; --atomscope names a built program")
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
        path = ROOT / target / "release" / "atomscope"
    if not os.access(path, os.X_OK):
        raise Failed(f"{path} is no program; --atomscope names a built one")
    return str(path)


def output_of(*command):
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return found.stdout.strip() if found.returncode == 0 else None


def commit():
    """The checkout's commit, and whether sources differ from it."""
    head = output_of("git", "rev-parse", "HEAD")
    changed = head and output_of("git", "status", "--porcelain", "--untracked-files=no")
    return head and head + (" with changes" if changed else "")


def processor():
    """The model's name, and the instructions that decide which screens and products it has."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return {"name": platform.processor() or platform.machine()}
    fields = dict((part.strip() for part in line.split(":", 1))
                  for line in text.split("\n\n")[0].splitlines() if ":" in line)
    flags = fields.get("flags", "").split()
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile")
    return {"name": fields.get("model name", platform.machine()),
            "instructions": [flag for flag in wanted if flag in flags]}


def machine(python, program):
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processor": processor(), "cores": cores, "memory_bytes": memory,
            "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}",
            **probe(python),
            "atomscope": output_of(program, "--version"), "commit": commit()}
