"""What results are asked for that they do not have, or cannot take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._core import InputError
from ._inputs import kind
from ._options import whole

#: The argument that makes a table. All others that need one need ``tables="all"``.
_MADE_BY = {
    "atom_regions": "regions=",
    "regions": "regions=",
    "atom_scores": "compare_scores=True",
    "atom_pairs": 'pairs="significant" or pairs="all"',
    "replication": "replicate=",
    "replication_summary": "replicate=",
    "prediction": "predict=True",
    "prediction_atoms": "predict=True",
    "call_predictions": "predict=True",
}
#: Tables that every analysis makes but that of the notebook's tables alone.
_OF_ALL = ("atoms", "atom_types", "atom_sizes", "atom_chromosomes", "atom_datasets")


class MissingTable(AttributeError, KeyError):
    """A table that an analysis did not make: no attribute of its results, and no key."""

    def __init__(self, name: str, there: list[str]) -> None:
        is_small = "atoms" not in there
        if name == "atom_reasons":
            made = "it takes calls with a column reason"
        elif name in _MADE_BY:
            made = f"analyze(..., {_MADE_BY[name]}) makes it"
            made += ', with tables="all"' if is_small else ""
        elif name in _OF_ALL and is_small:
            made = 'analyze(..., tables="all") makes it'
        elif name in _OF_ALL or name == "coactivation":
            made = "it takes firing sets"
        else:
            made = ""
        self.text = f"{name}: no table of this analysis" + (f"; {made}" if made else "")
        self.text += f"; there are {', '.join(there)}"
        super().__init__(name, there)

    def __str__(self) -> str:
        return self.text


def names_of(labels: Mapping[int, str] | None, atoms: int) -> dict[int, str]:
    """Names of atoms, by their numbers."""
    if labels is None:
        return {}
    if not isinstance(labels, Mapping):
        raise InputError(f"labels: found {kind(labels)}, expected a dict of atoms' numbers and names")
    names = {}
    for atom, name in labels.items():
        number = whole("labels", atom, -(2**63))
        if not 0 <= number < atoms:
            raise InputError(f"labels: found the atom {number}, expected numbers from 0 to {atoms - 1}")
        names[number] = str(name)
    return names


def check_rows(embeddings: Any, calls: int) -> None:
    """Refuse embeddings that have not one row for each call."""
    shape = getattr(embeddings, "shape", None)
    if not shape and not hasattr(embeddings, "__len__"):
        raise InputError(f"embeddings: found {kind(embeddings)}, expected an array [calls, d_in]")
    rows = int(shape[0]) if shape else len(embeddings)
    if rows != calls:
        raise InputError(f"embeddings: found {rows} rows, expected {calls}, one for each call")
