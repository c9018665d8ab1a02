"""Plots of results. They need matplotlib and scipy: ``pip install 'atomscope[plot]'``.

Every function takes results, draws on ``ax`` (or on new axes), and returns what it has drawn on. True calls are
blue and false ones vermilion, which the colour-blind tell apart; a mark's form says what its colour says.

>>> import atomscope as ats
>>> ats.pl.volcano(res)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ._core import InputError
from ._plots import (
    are_tested,
    are_true,
    axes_of,
    check_results,
    chosen_of,
    clipped,
    draw_map,
    log_of,
    name_atoms,
    woolf,
)

if TYPE_CHECKING:
    from ._results import Results

#: Colours of true calls, of false ones, and of what is neither (Okabe and Ito 2008).
TRUE, FALSE, NEITHER = "#0072B2", "#D55E00", "#999999"

#: Colours of what goes away, and of what changes sides.
_GONE, _FLIPS = "#009E73", "#CC79A7"

_LEVEL = 0.05
#: The largest figure on an axis of -log10 p or of log odds ratios: what is beyond stands at the edge.
_MOST_NEG_LOG10_P, _MOST_LOG_OR = 350.0, 12.0

#: Procedures, the strictest first: column on all calls, column within strata, mark, words.
_PROCEDURES = (
    (None, "maxt_p", "*", "max-T"),
    ("holm", "cmh_holm", "^", "Holm"),
    ("fdr_bh", "cmh_fdr_bh", "o", "FDR (Benjamini-Hochberg)"),
)


def volcano(res: Results, *, scope: str = "within", label: int = 10, ax: Any = None) -> Any:
    """Draw the effect of every tested atom against the evidence for it.

    Parameters
    ----------
    res
        The results.
    scope
        "within" for the odds ratio within strata and its exact test, "all" for all calls at once.
    label
        How many of the strongest atoms are named.
    ax
        The axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        x: natural logarithm of the odds ratio, above 0 where an atom leans to true calls. y: -log10 p. The mark
        is the strictest procedure that finds the atom at 5 %.
    """
    import numpy as np

    check_results(res)
    if scope not in ("within", "all"):
        raise InputError(f"scope: found {scope!r}, expected 'within' or 'all'")
    within = scope == "within"
    atoms = res.atoms
    effect = log_of(atoms["cmh_or"]) if within else atoms["log_or"]
    evidence = atoms["cmh_neg_log10_p" if within else "neg_log10_p"]
    there = are_tested(atoms) & ~np.isnan(effect) & ~np.isnan(evidence)
    x, y = clipped(effect, _MOST_LOG_OR), np.minimum(evidence, _MOST_NEG_LOG10_P)
    ax = axes_of(ax)
    ax.axvline(0, color=NEITHER, linewidth=0.8, zorder=0)
    left = there.copy()
    for on_all, in_strata, mark, words in _PROCEDURES:
        column = in_strata if within else on_all
        if column is None or column not in atoms.columns:
            continue
        found = left & (atoms[column] <= _LEVEL)
        left &= ~found
        if found.any():
            colours = np.where(x[found] > 0, TRUE, FALSE)
            ax.scatter(x[found], y[found], c=colours, marker=mark, s=30, linewidths=0, zorder=2)
            ax.scatter([], [], c="black", marker=mark, s=30, linewidths=0, label=words)
    ax.scatter(x[left], y[left], c=NEITHER, marker=".", s=12, linewidths=0, label="none", zorder=1)
    strongest = [at for at in np.argsort(-evidence, kind="stable") if there[at] and not left[at]]
    name_atoms(ax, atoms["atom"], x, y, strongest[:label])
    where = "within strata" if within else "on all calls"
    ax.set_xlabel(f"log odds ratio {where} (left: false calls, right: true calls)")
    ax.set_ylabel("$-\\log_{10}$ p")
    ax.legend(title="found at 5 % by", frameon=False)
    return ax


def effects(res: Results, *, label: int = 10, ax: Any = None) -> Any:
    """Draw each atom's effect within strata against that on all calls at once.

    An atom that only follows SV type or size moves to 0; one on the other side of 0 is Simpson's paradox.

    Parameters
    ----------
    res
        The results.
    label
        How many of the atoms that change most are named, those that change sides first.
    ax
        The axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        x: log odds ratio on all calls. y: log odds ratio within strata.
    """
    import numpy as np

    check_results(res)
    atoms = res.atoms
    crude, within = atoms["log_or"], log_of(atoms["cmh_or"])
    there = are_tested(atoms) & ~np.isnan(crude) & ~np.isnan(within)
    x, y = clipped(crude, _MOST_LOG_OR), clipped(within, _MOST_LOG_OR)
    flips, gone = are_true(atoms["sign_flip"]), are_true(atoms["confounded"])
    ax = axes_of(ax)
    ax.axline((0, 0), slope=1, color=NEITHER, linewidth=0.8, zorder=0)
    ax.axhline(0, color=NEITHER, linewidth=0.8, zorder=0)
    ax.axvline(0, color=NEITHER, linewidth=0.8, zorder=0)
    for which, mark, colour, words in (
        (there & ~flips & ~gone, ".", NEITHER, "stays"),
        (there & gone & ~flips, "s", _GONE, "goes away within strata"),
        (there & flips, "X", _FLIPS, "changes sides (Simpson)"),
    ):
        if which.any():
            ax.scatter(x[which], y[which], c=colour, marker=mark, s=25, linewidths=0, label=words)
    change = np.where(there, np.abs(x - y), -1.0)
    order = np.lexsort((-change, ~(flips & there), ~((flips | gone) & there)))
    named = [at for at in order[:label] if there[at] and (flips[at] or gone[at])]
    name_atoms(ax, atoms["atom"], x, y, named)
    ax.set_xlabel("log odds ratio on all calls")
    ax.set_ylabel("log odds ratio within strata")
    ax.legend(frameon=False)
    return ax


def sizes(res: Results, *, label: int = 10, ax: Any = None) -> Any:
    """Draw the median size of the calls on which each atom fires against its effect.

    Parameters
    ----------
    res
        The results, with firing sets.
    label
        How many of the strongest atoms are named.
    ax
        The axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        x: median size in bases, logarithmic. y: log odds ratio on all calls.
    """
    import numpy as np

    check_results(res)
    atoms, table = res.atoms, res.sizes
    place = {int(atom): at for at, atom in enumerate(atoms["atom"])}
    at = np.array([place[int(atom)] for atom in table["atom"]], dtype=int)
    size = np.asarray(table["median_size"], dtype=float)
    effect = clipped(atoms["log_or"][at], _MOST_LOG_OR)
    there = are_tested(atoms)[at] & (size > 0) & ~np.isnan(effect)
    ax = axes_of(ax)
    ax.axhline(0, color=NEITHER, linewidth=0.8, zorder=0)
    for which, mark, colour, words in (
        (there & (effect > 0), "^", TRUE, "leans to true calls"),
        (there & (effect <= 0), "v", FALSE, "leans to false calls"),
    ):
        ax.scatter(size[which], effect[which], c=colour, marker=mark, s=18, linewidths=0, label=words)
    ax.set_xscale("log")
    strength = np.where(there, atoms["neg_log10_p"][at], -np.inf)
    strongest = [row for row in np.argsort(-strength, kind="stable")[:label] if there[row]]
    name_atoms(ax, table["atom"], size, effect, strongest)
    ax.set_xlabel("median size of its calls (bases)")
    ax.set_ylabel("log odds ratio on all calls")
    ax.legend(frameon=False)
    return ax


def types(res: Results, atoms: Sequence[int] | None = None, *, n: int = 20, ax: Any = None) -> Any:
    """Draw on which SV types atoms fire, as a map of log odds ratios.

    Parameters
    ----------
    res
        The results.
    atoms
        The atoms; the ``n`` strongest where None.
    n
        How many, where ``atoms`` is None.
    ax
        The axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        One row an atom, one column a type. A dot marks what a false discovery rate of 5 % finds.
    """
    import numpy as np

    check_results(res)
    table = res.types
    chosen = chosen_of(res, atoms, n)
    names = list(dict.fromkeys(table["svtype"]))
    shape = (len(chosen), len(names))
    effect, found = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    row_of = {atom: row for row, atom in enumerate(chosen)}
    column_of = {name: column for column, name in enumerate(names)}
    columns = (table["atom"], table["svtype"], table["log_or"], table["fdr_bh"])
    for atom, name, value, fdr in zip(*columns, strict=True):
        row = row_of.get(int(atom))
        if row is not None:
            effect[row, column_of[name]] = value
            found[row, column_of[name]] = fdr <= _LEVEL
    ax = axes_of(ax)
    draw_map(ax, effect, "log odds ratio of firing, in the type against others")
    rows, marked = np.nonzero(found)
    ax.scatter(marked, rows, c="black", s=8)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(chosen)), [str(atom) for atom in chosen])
    ax.set_xlabel("SV type")
    ax.set_ylabel("atom")
    return ax


def coactivation(res: Results, atoms: Sequence[int] | None = None, *, n: int = 40, ax: Any = None) -> Any:
    """Draw which atoms fire together, as a map in the order of average linkage.

    Parameters
    ----------
    res
        The results, with pairs.
    atoms
        The atoms; the ``n`` strongest where None.
    n
        How many, where ``atoms`` is None.
    ax
        The axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        phi of each two atoms; white where they are not in the table of pairs.
    """
    import numpy as np
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    check_results(res)
    chosen = chosen_of(res, atoms, n)
    row_of = {atom: row for row, atom in enumerate(chosen)}
    phi = np.full((len(chosen), len(chosen)), np.nan)
    table = res.pairs
    for a, b, value in zip(table["atom_a"], table["atom_b"], table["phi"], strict=True):
        one, other = row_of.get(int(a)), row_of.get(int(b))
        if one is not None and other is not None:
            phi[one, other] = phi[other, one] = value
    if len(chosen) > 2:
        distance = 1 - np.nan_to_num(phi)
        np.fill_diagonal(distance, 0)
        order = leaves_list(linkage(squareform(distance, checks=False), "average"))
        chosen, phi = [chosen[at] for at in order], phi[np.ix_(order, order)]
    ax = axes_of(ax)
    draw_map(ax, phi, "phi: above 0 together, below 0 apart")
    names = [str(atom) for atom in chosen]
    ax.set_xticks(range(len(names)), names, rotation=90, fontsize="x-small")
    ax.set_yticks(range(len(names)), names, fontsize="x-small")
    ax.set_xlabel("atom")
    ax.set_ylabel("atom")
    return ax


def atom(res: Results, atom: int, *, ax: Any = None) -> Any:
    """Draw one atom: its effect on all calls, within strata, and within each SV type.

    Parameters
    ----------
    res
        The results, with firing sets.
    atom
        Its number.
    ax
        The axes to draw on; new ones where None.

    Returns
    -------
    matplotlib.axes.Axes
        Log odds ratios with their 95 % intervals: within a type with 0.5 added to each cell (Haldane 1956,
        Anscombe 1956; Woolf 1955). On the right, the true and false calls on which it fires.
    """
    import numpy as np

    check_results(res)
    table, of_types = res.atoms, res.types
    place = np.flatnonzero(table["atom"] == atom)
    if not len(place):
        raise InputError(f"atom: found {atom!r}, expected one of the {res.d_sae} atoms of the model")
    at = int(place[0])
    on_tp, on_fp = int(table["tp_on"][at]), int(table["fp_on"][at])
    lines = [("all calls", [float(table[name][at]) for name in ("log_or", "log_or_lo", "log_or_hi")], on_tp, on_fp)]
    within = [float(log_of(table[name][[at]])[0]) for name in ("cmh_or", "cmh_or_lo", "cmh_or_hi")]
    lines.append(("within strata", within, on_tp, on_fp))
    fires = res.investigate(atom)
    types, is_true = fires["svtype"], fires["label"] == "TP"
    for row in np.flatnonzero(of_types["atom"] == atom):
        name, calls, true = (of_types[column][row] for column in ("svtype", "calls", "tp"))
        on = types == name
        a, b = int((on & is_true).sum()), int((on & ~is_true).sum())
        lines.append((str(name), woolf(a, b, int(true) - a, int(calls) - int(true) - b), a, b))
    ax = axes_of(ax)
    ax.axvline(0, color=NEITHER, linewidth=0.8, zorder=0)
    for line, (_, (value, low, high), tp, fp) in enumerate(lines):
        if not np.isnan(value):
            low, high, value = (float(clipped(np.array([x]), _MOST_LOG_OR)[0]) for x in (low, high, value))
            ax.plot([low, high], [line, line], color=NEITHER, linewidth=1.5)
            ax.plot([value], [line], "o" if value > 0 else "s", color=TRUE if value > 0 else FALSE)
        ax.annotate(
            f"{tp} TP, {fp} FP", (1.01, line), xycoords=("axes fraction", "data"), va="center", fontsize="small"
        )
    ax.set_yticks(range(len(lines)), [name for name, *_ in lines])
    ax.invert_yaxis()
    ax.set_xlabel("log odds ratio (left: false calls, right: true calls)")
    ax.set_title(f"atom {atom}: fires on {on_tp + on_fp} calls")
    return ax


__all__ = ["atom", "coactivation", "effects", "sizes", "types", "volcano"]
