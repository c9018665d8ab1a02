"""Tallies: counts that merge exactly, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._activations import Activations
from ._inputs import Path, path_of
from ._options import table_options
from ._progress import Progress, shown

if TYPE_CHECKING:
    from . import _core
    from ._results import Results


class Tally:
    """The counts of a cohort, or of one shard of it. Made by :func:`tally` and :func:`merge`."""

    __slots__ = ("_core",)

    def __init__(self, core: _core.Tally) -> None:
        self._core = core

    @property
    def shards(self) -> list[tuple[str, int, int]]:
        """Name, first row, and the row after the last one of each shard."""
        return self._core.shards

    @property
    def d_sae(self) -> int:
        """The number of atoms."""
        return self._core.d_sae

    @property
    def activations(self) -> Activations:
        """The firing sets, where they were kept."""
        return Activations(self._core.firings())

    def __len__(self) -> int:
        return len(self._core)

    def save(self, path: Path, *, fires: bool | Path = True, force: bool = False) -> None:
        """Write the tally, and its firing sets beside it.

        Parameters
        ----------
        path
            The tally's file.
        fires
            Whether firing sets are written, which most tables need; or their file. They lie beside the
            tally, as the program writes them.
        force
            Whether files that are no tallies are replaced. No file that the tally was made from ever is.
        """
        tally = path_of("path", path)
        beside: str | None = None
        if not isinstance(fires, bool):
            beside = path_of("fires", fires)
        elif fires and self._core.has_fires:
            beside = f"{tally}.fires"
        self._core.save(tally, beside, force)

    def analyze(self, *, sae: Any = None, progress: Progress = None, **chosen: Any) -> Results:
        """Make all tables of what was counted: the same as one run over all shards.

        Parameters
        ----------
        sae
            The model that the tally is of, as in :func:`atomscope.analyze`, for the page alone: it then shows
            atoms of a like direction in the decoder, which a tally has not. Another model is refused.

        The other options are those of :func:`atomscope.analyze` that bear on tables: strata, permutations, block,
        locus_distance, seed, min_support, min_coactivation, pairs, max_pairs, replicate, bootstrap, predict,
        regions, tables, threads, memory.
        """
        from . import _core
        from ._results import Results
        from ._sae import sae_of

        made = table_options(**chosen)
        model = None if sae is None else sae_of(sae)._core
        with shown(progress) as told:
            return Results(_core.analyze_tally(self._core, model, made, told))

    def __repr__(self) -> str:
        return f"Tally({len(self)} calls of {len(self.shards)} shards, {self.d_sae} atoms)"
