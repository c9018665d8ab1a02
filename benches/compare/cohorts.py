"""The files that all programs read: a simulated cohort of each shape, or the real one."""

import json
import os
import pathlib
import re
import shutil
from dataclasses import dataclass

import measure

DEFAULT = ["delly-mims", "4096x4096x64:4000,20000,40000", "4096x32768x64:4000",
           "768x3072x32:20000,200000"]
QUICK = ["delly-mims", "256x512x8:400,4000"]
REAL = "delly-mims"


@dataclass(frozen=True)
class Case:
    """One shape, and the numbers of rows at which it is run: none for the real cohort."""

    name: str
    input_dim: int = 0
    features: int = 0
    k: int = 0
    rows: tuple = ()


@dataclass
class Cohort:
    """One cohort's files."""

    rows: int
    input_dim: int
    features: int
    k: int
    embeddings: pathlib.Path
    model: pathlib.Path
    made: pathlib.Path | None = None

    def shape(self):
        return {"rows": self.rows, "input_dim": self.input_dim, "features": self.features, "k": self.k}

    def remove(self):
        if self.made:
            shutil.rmtree(self.made, ignore_errors=True)


def parse_case(text):
    """delly-mims, or DxFxK:ROWS,ROWS."""
    if text == REAL:
        return Case(REAL)
    found = re.fullmatch(r"(\d+)x(\d+)x(\d+):(\d+(?:,\d+)*)", text)
    if not found:
        raise ValueError(f"{text}: expected {REAL} or a shape and numbers of rows, as in {DEFAULT[1]}")
    rows = tuple(sorted(int(number) for number in found[4].split(",")))
    return Case(text.split(":")[0], int(found[1]), int(found[2]), int(found[3]), rows)


def real_cohort(options):
    """The cohort of real calls, or None where nothing says where it lies."""
    folder = options.delly_mims or os.environ.get("ATOMSCOPE_DELLY_MIMS")
    if not folder:
        return None
    data = pathlib.Path(folder) / "data"
    embeddings = data / "processed" / "sae_sv_embeddings.pt"
    models = sorted((data / "models").glob("*/sae.pt"))
    if not embeddings.exists() or not models:
        raise measure.Failed(f"{folder} holds no cohort: {embeddings} or {data}/models/*/sae.pt is "
                             "missing")
    # Its shape is known once atomscope has read it.
    return Cohort(0, 0, 0, 0, embeddings, models[0])


def simulated(program, work, case, rows, seed):
    """A simulated cohort in a folder of its own. One that lies there from an earlier run is taken:
    the same seed gives the same files."""
    folder = work / f"{case.name}-{rows}-{seed}"
    cohort = Cohort(rows, case.input_dim, case.features, case.k, folder / "embeddings.pt",
                    folder / "sae.pt", folder)
    wanted = {"rows": rows, "input_dim": case.input_dim, "features": case.features, "k": case.k,
              "seed": seed}
    truth = folder / "truth.json"
    if truth.exists():
        found = json.loads(truth.read_text())["options"]
        if all(found.get(name) == value for name, value in wanted.items()):
            return cohort
    log = work / "simulate.log"
    command = [program, "simulate", "--quiet", "--out", folder]
    for name, value in wanted.items():
        command += [f"--{name.replace('_', '-')}", value]
    if measure.run(command, log)["exit_code"] != 0:
        raise measure.Failed(f"atomscope simulate: {measure.error_line(log)}")
    return cohort
