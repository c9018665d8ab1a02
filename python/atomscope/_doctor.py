"""What this machine can do, and which versions are there."""

from __future__ import annotations

import sys

_LIBRARIES = ("numpy", "scipy", "pandas", "polars", "pyarrow", "torch", "anndata", "h5py", "zarr", "matplotlib", "tqdm")


def doctor() -> str:
    """Check this machine as ``atomscope doctor`` does, and return what it prints."""
    import subprocess

    found = subprocess.run(
        [sys.executable, "-P", "-m", "atomscope", "doctor"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout + found.stderr


def show_versions() -> None:
    """Print versions and platform, for a report of a fault."""
    import platform
    from importlib import metadata

    from ._core import VERSION

    print(f"atomscope   {VERSION}")
    print(f"python      {platform.python_version()} ({sys.executable})")
    print(f"platform    {platform.platform()}")
    for name in _LIBRARIES:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = "not there"
        print(f"{name:<11} {version}")
