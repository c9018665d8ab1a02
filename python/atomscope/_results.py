"""The results of an analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._activations import Activations
from ._core import InputError
from ._inputs import Path, path_of
from ._missing import MissingTable, check_rows, names_of
from ._options import whole
from ._table import Table
from ._tally import Tally

if TYPE_CHECKING:
    from . import _core
    from ._calls import Calls

_LEANS = ("tp", "fp")


class Results:
    """Everything that an analysis found. Tables are made when they are asked for.

    ``str(res)`` is what the report begins with, ``res.report`` all of it.
    """

    def __init__(self, core: _core.Results, calls: Calls | None = None) -> None:
        self._core = core
        self._calls = calls
        self._tables: dict[str, Table] = {}

    @property
    def tables(self) -> list[str]:
        """The names of the tables that there are, for :meth:`table`."""
        return self._core.table_names()

    def table(self, name: str) -> Table:
        """A table by its name. The error of one that is not there says which argument makes it."""
        if name not in self._tables:
            found = self._core.table(name)
            if found is None:
                raise MissingTable(name, self.tables)
            self._tables[name] = Table(found)
        return self._tables[name]

    @property
    def atoms(self) -> Table:
        """Every atom: counts, effects, tests, strata, activation."""
        return self.table("atoms")

    @property
    def types(self) -> Table:
        """Every atom against every SV type."""
        return self.table("atom_types")

    @property
    def sizes(self) -> Table:
        """The sizes of the calls on which each atom fires."""
        return self.table("atom_sizes")

    @property
    def chromosomes(self) -> Table:
        """Every atom against every chromosome."""
        return self.table("atom_chromosomes")

    @property
    def datasets(self) -> Table:
        """Every atom against every dataset."""
        return self.table("atom_datasets")

    @property
    def pairs(self) -> Table:
        """Pairs of atoms that fire together: those that tell something, or all (``pairs="all"``)."""
        return self.table("atom_pairs")

    @property
    def scores(self) -> Table:
        """Every atom by its score on every call (``compare_scores=True``)."""
        return self.table("atom_scores")

    @property
    def reasons(self) -> Table:
        """Every atom on true calls against the false calls of each reason, where calls have reasons."""
        return self.table("atom_reasons")

    @property
    def regions(self) -> Table:
        """Every atom in each region against outside (``regions=``)."""
        return self.table("atom_regions")

    @property
    def replication(self) -> Table:
        """Every atom in both parts of the cohort (``replicate=``)."""
        return self.table("replication")

    @property
    def prediction(self) -> Table:
        """How well each model predicts the label (``predict=``)."""
        return self.table("prediction")

    @property
    def notebook(self) -> Table:
        """The notebook's table of atoms: ``sae_feature_bias_analysis.csv``."""
        return self.table("notebook")

    @property
    def coactivation(self) -> Table:
        """The notebook's pairs of the most biased atoms: ``coactivation.csv``."""
        return self.table("coactivation")

    @property
    def calls(self) -> Calls:
        """The calls, in the order of the embeddings."""
        if self._calls is None:
            from ._calls import Calls

            self._calls = Calls._of(self._core.calls())
        return self._calls

    @property
    def activations(self) -> Activations:
        """The atoms that fire on each call."""
        return Activations(self._core.firings())

    @property
    def tally(self) -> Tally:
        """The counts by stratum and atom."""
        return Tally(self._core.tally())

    @property
    def d_sae(self) -> int:
        """The number of atoms."""
        return self._core.d_sae

    def top(self, n: int = 10, *, by: str = "neg_log10_p", lean: str | None = None) -> Table:
        """The strongest atoms, by a column of :attr:`atoms`.

        Parameters
        ----------
        n
            How many.
        by
            The column. Columns of p-values (``…_p``, ``fdr_…``) are taken smallest first, others largest first.
        lean
            "tp" for atoms that lean to true calls, "fp" for those that lean to false ones.
        """
        n = whole("n", n)
        if lean is not None and lean not in _LEANS:
            raise InputError(f"lean: found {lean!r}, expected 'tp', 'fp' or None")
        atoms = self.atoms
        if by not in atoms.columns:
            raise InputError(f"by: found {by!r}, expected a column of atoms: {', '.join(atoms.columns)}")
        import numpy as np

        values = np.asarray(atoms[by], dtype=float)
        leans, strength = (np.nan_to_num(atoms[column]) for column in ("log_or", "neg_log10_p"))
        if not ((by.endswith("_p") and not by.endswith("log10_p")) or by in _SMALLEST):
            values = -values
        keep = ~np.isnan(values)
        if lean is not None:
            keep &= leans > 0 if lean == "tp" else leans < 0
        # Equal ones, as permutations give them, in the order of strength.
        order = np.lexsort((-strength, values))
        return atoms.pick(order[keep[order]][:n].tolist())

    def investigate(self, atom: int, *, n: int | None = None, seed: int | None = None) -> Table:
        """The calls on which an atom fires, the strongest firing first.

        Parameters
        ----------
        atom
            Its number.
        n
            The most calls, those on which it fires most strongly; all where None.
        seed
            Draws n calls at random instead.
        """
        n = None if n is None else whole("n", n)
        seed = None if seed is None else whole("seed", seed)
        return Table(self._core.calls_of(_atom(atom), n, seed))

    def detail(self, atom: int) -> str:
        """What the notebook prints of an atom: types, sizes, chromosomes, datasets, examples."""
        return self._core.detail(_atom(atom))

    @property
    def report(self) -> str:
        """The printed report."""
        return self._core.report()

    @property
    def summary(self) -> dict[str, Any]:
        """What the report begins with, as data: claims, the strongest atoms, cautions."""
        import json

        found: dict[str, Any] = json.loads(self._core.summary())
        return found

    @property
    def run(self) -> dict[str, Any]:
        """The record of the run, as in ``run.json``: versions, options, the certificate, seconds."""
        import json

        found: dict[str, Any] = json.loads(self._core.record())
        return found

    @property
    def warnings(self) -> list[str]:
        """What is odd, one sentence each."""
        return self._core.warnings()

    def write(self, path: Path, *, save_fires: bool = False) -> None:
        """Write every file that ``atomscope analyze`` writes into a folder: all of them, or none.

        Parameters
        ----------
        path
            The folder, which is made where it does not exist. Files of an earlier run are replaced, no others.
        save_fires
            Whether firing sets, and calls with the confirmed atoms that fire on them, are written, too.
        """
        self._core.write(path_of("path", path, "a folder"), save_fires)

    def to_html(
        self, path: Path, *, genome: str | None = None, labels: Mapping[int, str] | None = None
    ) -> None:
        """Write the page that people look at: one file that opens in a browser, without a network.

        Parameters
        ----------
        path
            The file. One that is there is replaced, unless it is an input.
        genome
            "hg38", "hg19" or "chm13": links of every call to genome browsers; none where None.
        labels
            Names of atoms, which the page shows wherever it names one.
        """
        names = names_of(labels, self.d_sae)
        self._core.write_page(path_of("path", path), genome, names)

    def to_anndata(self, embeddings: Any = None) -> Any:
        """An AnnData: calls as obs, atoms as var, activations as X.

        Parameters
        ----------
        embeddings
            An array [calls, d_in] that becomes ``obsm["X_embedding"]``.
        """
        import json

        import anndata
        import numpy as np
        from scipy.sparse import csr_array

        obs = self.calls.to_pandas()
        if embeddings is not None:
            check_rows(embeddings, len(obs))
        obs.index = [str(row) for row in range(len(obs))]
        var = self.atoms.to_pandas()
        var.index = var["atom"].astype(str)
        var.index.name = None
        made = anndata.AnnData(X=self.activations.to_scipy(), obs=obs, var=var)
        if "atom_pairs" in self.tables:
            pairs = self.pairs
            a, b, both = pairs["atom_a"], pairs["atom_b"], pairs["count"]
            rows, columns = np.concatenate([a, b]), np.concatenate([b, a])
            values = np.concatenate([both, both]).astype(float)
            made.varp["coactivation"] = csr_array((values, (rows, columns)), shape=(self.d_sae, self.d_sae))
        if embeddings is not None:
            made.obsm["X_embedding"] = embeddings
        made.uns["atomscope"] = json.dumps(self.run)
        return made

    def __str__(self) -> str:
        return self._core.short()

    def __repr__(self) -> str:
        calls, tp, fp = self._core.counts()
        return f"Results({calls} calls: {tp} true, {fp} false; {self.d_sae} atoms)"

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(str(self))}</pre>"


#: Columns of which the smallest values are the strongest, beside those whose name ends in _p.
_SMALLEST = (
    "fdr_bh",
    "fdr_by",
    "holm",
    "storey_q",
    "mwu_fdr_bh",
    "cmh_fdr_bh",
    "cmh_fdr_by",
    "cmh_holm",
    "fisher_midp",
    "cmh_midp",
)


def _atom(atom: Any) -> int:
    return whole("atom", atom, below=2**32)
