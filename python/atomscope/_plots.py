"""What plots share: axes, marks, and the atoms that are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._core import InputError
from ._inputs import kind
from ._options import whole

if TYPE_CHECKING:
    from ._results import Results


def check_results(res: Any) -> None:
    """Refuse what are no results."""
    from ._results import Results

    if not isinstance(res, Results):
        raise InputError(f"res: found {kind(res)}, expected Results")


def axes_of(ax: Any) -> Any:
    """The axes to draw on: those that are given, or new ones."""
    if ax is not None:
        return ax
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "plots need matplotlib, which is not installed: pip install 'atomscope[plot]'", name=error.name
        ) from error
    return plt.subplots(layout="constrained")[1]


def log_of(ratio: Any) -> Any:
    """Natural logarithms, of 0 minus infinity."""
    import numpy as np

    with np.errstate(divide="ignore"):
        return np.log(np.asarray(ratio, dtype=float))


def clipped(values: Any, most: float) -> Any:
    """Values that go no further than the edge."""
    import numpy as np

    return np.clip(np.asarray(values, dtype=float), -most, most)


def are_tested(atoms: Any) -> Any:
    """Which atoms were tested."""
    return are_true(atoms["tested"])


def are_true(flags: Any) -> Any:
    """Flags, of which a missing one is False."""
    import numpy as np

    return np.array([flag is not None and bool(flag) for flag in flags], dtype=bool)


def chosen_of(res: Results, atoms: Sequence[int] | None, n: int) -> list[int]:
    """The atoms that are chosen, or the strongest."""
    if atoms is None:
        return [int(atom) for atom in res.top(n)["atom"]]
    if isinstance(atoms, (str, bytes)) or not hasattr(atoms, "__iter__"):
        raise InputError(f"atoms: found {kind(atoms)}, expected a sequence of numbers")
    chosen = [whole("atoms", atom, -(2**63)) for atom in atoms]
    for atom in chosen:
        if not 0 <= atom < res.d_sae:
            raise InputError(f"atoms: found {atom}, expected numbers from 0 to {res.d_sae - 1}")
    return list(dict.fromkeys(chosen))


def woolf(a: int, b: int, c: int, d: int) -> list[float]:
    """The log odds ratio of a 2 x 2 table with its 95 % interval; NaN where a margin is 0."""
    import math

    if not (a + b and c + d and a + c and b + d):
        return [math.nan] * 3
    cells = [count + 0.5 for count in (a, b, c, d)]
    value = math.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    half = 1.959963984540054 * math.sqrt(sum(1 / cell for cell in cells))
    return [value, value - half, value + half]


def draw_map(ax: Any, values: Any, words: str) -> None:
    """Draw a map of values around 0."""
    import numpy as np

    finite = values[np.isfinite(values)]
    most = float(np.abs(finite).max()) if len(finite) else 1.0
    image = ax.imshow(clipped(values, most), cmap="PuOr_r", vmin=-most, vmax=most, aspect="auto")
    ax.figure.colorbar(image, ax=ax, label=words)


def name_atoms(ax: Any, atoms: Any, x: Any, y: Any, rows: Sequence[Any]) -> None:
    """Write the numbers of some atoms beside them."""
    for row in rows:
        ax.annotate(
            str(int(atoms[row])), (x[row], y[row]), xytext=(4, 3), textcoords="offset points", fontsize="small"
        )
