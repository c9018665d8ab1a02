"""Firing sets: the atoms that fire on each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core import InputError

if TYPE_CHECKING:
    from . import _core


class Activations:
    """The atoms that fire on each call, and their activations. Arrays are not to be written to."""

    __slots__ = ("_core",)

    def __init__(self, core: _core.Firings) -> None:
        self._core = core

    @property
    def shape(self) -> tuple[int, int]:
        """Calls that were given, and atoms."""
        return self._core.rows, self._core.d_sae

    @property
    def k(self) -> int | None:
        """Atoms that fire on every call; None where calls differ."""
        return self._core.k

    @property
    def top_indices(self) -> Any:
        """The atoms, ascending on each call: uint32 [calls, k], without a copy.

        Calls that were dropped have no row; ``dropped`` names them.
        """
        self._check_uniform()
        return self.indices

    @property
    def top_acts(self) -> Any:
        """Their activations, canonical scores in binary64: float64 [calls, k], without a copy."""
        self._check_uniform()
        return self.data

    @property
    def indices(self) -> Any:
        """As top_indices; where calls differ in how many atoms fire, uint32 [firings], call after call."""
        import numpy as np

        return np.asarray(self._core.indices())

    @property
    def data(self) -> Any:
        """As top_acts; where calls differ in how many atoms fire, float64 [firings]."""
        import numpy as np

        acts = self._core.acts()
        if acts is None:
            raise InputError("activations: found firing sets without them, expected ones that kept them")
        return np.asarray(acts)

    @property
    def indptr(self) -> Any:
        """Where the firings of each call begin, and where the last ends: int64 [calls + 1]."""
        import numpy as np

        return np.asarray(self._core.indptr())

    @property
    def dropped(self) -> Any:
        """Calls that were dropped for a NaN or an infinity: int64, ascending."""
        import numpy as np

        return np.asarray(self._core.dropped())

    def to_scipy(self) -> Any:
        """A sparse matrix of activations, scipy.sparse.csr_array [calls, d_sae]; dropped calls are empty."""
        import numpy as np
        from scipy.sparse import csr_array

        rows, atoms = self.shape
        counts = np.zeros(rows, dtype=np.int64)
        kept = np.ones(rows, dtype=bool)
        kept[self.dropped] = False
        counts[kept] = np.diff(self.indptr)
        ends = np.concatenate([[0], np.cumsum(counts)])
        indices = self.indices.ravel()
        fits = np.int32 if max(int(ends[-1]), atoms) < 2**31 else np.int64
        matrix = csr_array(
            (self.data.ravel(), indices.astype(fits), ends.astype(fits)), shape=(rows, atoms)
        )
        matrix.has_sorted_indices = True
        return matrix

    def __len__(self) -> int:
        return len(self._core)

    def __repr__(self) -> str:
        rows, atoms = self.shape
        each = f"{self.k} each" if self.k is not None else "any number each"
        return f"Activations({rows} calls, {atoms} atoms, {each})"

    def _check_uniform(self) -> None:
        if self.k is None:
            raise InputError(
                "top_indices, top_acts: found calls on which different numbers of atoms fire, "
                "expected k on each; use indices, data and indptr, or to_scipy()"
            )
