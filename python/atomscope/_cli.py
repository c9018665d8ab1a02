"""The command line, from the same extension."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Run the command line with this process's arguments, and return its exit code."""
    from ._core import main as run

    # The program has a handler of its own, which Python's would keep from being called.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.stdout.flush()
    return run(["atomscope", *sys.argv[1:]])
