"""Cohorts that several tests share."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import warnings
from typing import Any

import pytest

import atomscope as ats


@pytest.fixture(scope="session")
def cohort() -> ats.Simulated:
    """A cohort of 2,000 calls."""
    return ats.simulate(2000, 32, 128, 8, seed=1)


@pytest.fixture(scope="session")
def quick() -> dict[str, Any]:
    """Options that take little time."""
    return {"permutations": 50, "bootstrap": 0}


@pytest.fixture(scope="session")
def results(cohort: ats.Simulated) -> ats.Results:
    """What is found in that cohort."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ats.analyze(
            cohort.x, cohort.sae, cohort.calls, permutations=50, bootstrap=0, replicate="chrom"
        )


@pytest.fixture(scope="session")
def delly_mims() -> pathlib.Path:
    """The folder of real calls, where it is there."""
    folder = os.environ.get("ATOMSCOPE_DELLY_MIMS")
    if not folder:
        pytest.skip("no real calls: ATOMSCOPE_DELLY_MIMS names no folder")
    return pathlib.Path(folder)


def program(*arguments: str) -> str:
    """Run the command line, and return what it prints."""
    found = subprocess.run(
        [sys.executable, "-P", "-m", "atomscope", *arguments], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def same_files(one: pathlib.Path, other: pathlib.Path) -> list[str]:
    """Compare two folders byte by byte but for run.json, and return the names that they share."""
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    compared = [name for name in names if name != "run.json" and not name.startswith(".")]
    for name in compared:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    return compared
