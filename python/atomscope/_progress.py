"""Progress: a bar, a function, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What ``progress`` may be: True for a bar, a function of stage, what is done and all there is (which ends the
#: run by returning False), or None for nothing.
Progress = bool | Callable[[str, int, int], Any] | None


#: What stages are counted in that have no rows; "" where they are not counted.
_UNITS = {
    "starting": "",
    "merging": " tallies",
    "testing": " atoms",
    "permuting": " permutations",
    "replicating": " replicates",
    "bootstrapping": " replicates",
    "pairing": " atoms",
    "comparing": "",
    "predicting": " models",
}


def _unit(stage: str) -> str:
    return _UNITS.get(stage, " calls")


class _Line:
    """One line on a terminal, for want of tqdm."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        count = f" {done}/{total}{_unit(stage)}" if total else ""
        sys.stderr.write(f"\r{stage}{count}".ljust(48))
        sys.stderr.flush()

    def close(self) -> None:
        sys.stderr.write("\n")


class _Bar:
    """tqdm's bar: in notebooks, too."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None
        self._stage, self._total = "", 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._bar is None or (stage, total) != (self._stage, self._total):
            self.close()
            self._stage, self._total = stage, total
            self._bar = self._tqdm(total=total or None, desc=stage, unit=_unit(stage))
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


@contextmanager
def shown(progress: Progress) -> Iterator[Callable[[str, int, int], Any] | None]:
    """Give the function that is told of progress, and end what it shows."""
    if progress is None or progress is False:
        yield None
        return
    if progress is not True:
        if not callable(progress):
            from ._core import InputError

            raise InputError(
                f"progress: found {progress!r}, expected True, a function of (stage, done, total), or None"
            )
        yield progress
        return
    bar: _Bar | _Line
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if not sys.stderr.isatty():
            yield None
            return
        bar = _Line()
    else:
        bar = _Bar(tqdm)
    try:
        yield bar
    finally:
        bar.close()
