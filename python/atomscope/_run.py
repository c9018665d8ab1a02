"""What is done: analyze, encode, tally, merge, simulate."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from . import _core
from ._activations import Activations
from ._calls import Calls
from ._core import InputError
from ._given import at_hand, of_activations, of_embeddings, warned
from ._inputs import Path, kind
from ._options import file_paths, options, whole
from ._progress import Progress, shown
from ._results import Results
from ._sae import SAE, sae_of
from ._tally import Tally

_STRATA = ("svtype", "size", "dataset")


def analyze(
    x: Any = None,
    sae: Any = None,
    calls: Any = None,
    *,
    activations: Any = None,
    atoms: int | None = None,
    strata: str | Iterable[str] | None = _STRATA,
    permutations: int = 1000,
    block: str | None = None,
    locus_distance: int = 1000,
    replicate: str | None = None,
    predict: bool | str = False,
    regions: Path | Iterable[Path] = (),
    compare_scores: bool = False,
    min_support: int = 5,
    min_coactivation: int = 10,
    pairs: str = "significant",
    max_pairs: int = 100_000,
    bootstrap: int = 1000,
    seed: int = 0,
    tables: str = "all",
    class_column: str | None = None,
    true_class: Any = None,
    nonfinite: str = "error",
    key: str | None = None,
    layer: str | int | None = None,
    pool: str | None = None,
    batch_rows: int | None = None,
    batch_threshold: bool = False,
    device: Any = "auto",
    threads: int | None = None,
    memory: int | None = None,
    progress: Progress = None,
) -> Results:
    """Find which atoms fire on true and on false calls.

    Parameters
    ----------
    x
        Embeddings [calls, d_in] in float16, bfloat16, float32 or float64. An array with DLPack (numpy, torch,
        JAX, CuPy) is read where it lies, and must not change or go meanwhile; a CUDA array is encoded on its
        device. An object with shape, dtype and slicing (HDF5, Zarr) is read block by block. AnnData gives
        ``obsm["X_embedding"]``, or ``obsm[key]``, and its ``obs`` as calls. Paths are those of the program.
    sae
        An :class:`SAE`, a path, a module or a state dict.
    calls
        :class:`Calls`, or what they are made of; of files of embeddings also a path or paths of tables, or
        None for the calls that are in them or beside them.
    activations, atoms
        In place of ``x`` and ``sae``: files of activations that were computed elsewhere, and the number of
        atoms where they do not say it.
    strata
        What calls are stratified by: some of "svtype", "size", "dataset", "col:NAME" for a column of the
        calls, and "region:NAME" for a file of ``regions``; None for nothing.
    permutations
        Permutations of the labels for ``maxt_p``; 0 for none.
    block
        What changes places as one in them: "locus", or "sample" for a whole dataset's labels in rotation.
    locus_distance
        Calls within so many base pairs of the next are one locus.
    replicate
        Discover in one part and confirm in the other: "chrom" or "dataset".
    predict
        Predict the label from atoms by models that have not seen the call's chromosome (True or "chrom"), or
        its locus ("locus").
    regions
        BED files of regions that calls are compared by.
    compare_scores
        Compare atoms by their scores on all calls, too, which reads the embeddings again.
    min_support, min_coactivation
        Leave out atoms, or pairs of them, that fire on fewer calls.
    pairs, max_pairs
        The pairs of the table of pairs: "significant" for those that fire together more or less often than by
        chance, or otherwise on true calls than on false ones, at an FDR of 5 %, and of these at most
        ``max_pairs``, those with the largest phi, above or below 0; "all"; or "none" for no such table.
    bootstrap
        Replicates for intervals, at least 100; 0 for none.
    seed
        The same seed gives the same permutations and bootstraps.
    tables
        "all", or "notebook" for the notebook's alone.
    class_column, true_class
        The column of classes, and the class or classes that are true calls (also True, or a number), where
        these are not ``truvari_class``, ``TP`` and ``tp_comp_vcf``.
    nonfinite
        What becomes of rows with a NaN or an infinity: "error", or "skip" to drop and count them.
    key, layer, pool
        The matrix in files of embeddings, and how tokens become one row: "mean", "last", "max", "token:I".
    batch_rows, batch_threshold
        The batches of a model of batch top-k.
    device
        "auto", "cpu", "cuda", "cuda:N" or "cuda:all": the answer is the same on each.
    threads
        Threads; all cores where None.
    memory
        Bytes that firing sets, calls and scores may take.
    progress
        True for a bar, or a function of (stage, done, total), which is called at least once a second and ends
        the run by returning False. Rows are counted while they are encoded, then atoms, permutations and so
        on; a total of 0 is one that nobody knows.

    Returns
    -------
    Results
        The same tables, and the same bytes when they are written, as ``atomscope analyze`` gives.

    Raises
    ------
    InputError
        Something in a file or an argument is not what it must be.
    DeviceError
        The device that was asked for cannot be used.
    """
    chosen = options(
        strata=strata,
        permutations=permutations,
        block=block,
        locus_distance=locus_distance,
        replicate=replicate,
        predict=predict,
        regions=regions,
        compare_scores=compare_scores,
        min_support=min_support,
        min_coactivation=min_coactivation,
        pairs=pairs,
        max_pairs=max_pairs,
        bootstrap=bootstrap,
        seed=seed,
        tables=tables,
        class_column=class_column,
        true_class=true_class,
        nonfinite=nonfinite,
        key=key,
        layer=layer,
        pool=pool,
        batch_rows=batch_rows,
        batch_threshold=batch_threshold,
        device=device,
        threads=threads,
        memory=memory,
    )
    with shown(progress) as told:
        if activations is not None:
            return of_activations(activations, atoms, (x, sae, calls), chosen, told)
        if sae is None:
            raise InputError("sae: found None, expected an SAE, a path, a module or a state dict")
        if atoms is not None:
            raise InputError(f"atoms: found {atoms!r} beside x, expected None: it goes with activations")
        return warned(of_embeddings(x, sae_of(sae), calls, chosen, told))


def encode(x: Any, sae: Any, **chosen: Any) -> Activations:
    """Find the atoms that fire on each row of embeddings: ``sae_of(sae).encode(x, ...)``."""
    return sae_of(sae).encode(x, **chosen)


def tally(
    x: Any,
    sae: Any,
    calls: Any = None,
    *,
    name: str,
    strata: str | Iterable[str] | None = _STRATA,
    class_column: str | None = None,
    true_class: Any = None,
    nonfinite: str = "error",
    key: str | None = None,
    layer: str | int | None = None,
    pool: str | None = None,
    batch_rows: int | None = None,
    batch_threshold: bool = False,
    device: Any = "auto",
    threads: int | None = None,
    progress: Progress = None,
) -> Tally:
    """Count one shard of a cohort, to be merged with others.

    Parameters
    ----------
    name
        The shard's name, by which shards are ordered: "2" comes before "10".

    The others are those of :func:`analyze`. Tallies merge where their shards were counted by the same model,
    known by its content, and by the same strata and classes.
    """
    chosen = options(
        strata=strata,
        class_column=class_column,
        true_class=true_class,
        nonfinite=nonfinite,
        key=key,
        layer=layer,
        pool=pool,
        batch_rows=batch_rows,
        batch_threshold=batch_threshold,
        device=device,
        threads=threads,
    )
    if not isinstance(name, str) or not name:
        found = kind(name) if not isinstance(name, str) else "an empty text"
        raise InputError(f"name: found {found}, expected the name of a shard")
    model = sae_of(sae)
    rows, read, files = at_hand(x, calls, chosen, is_whole=False)
    with shown(progress) as told:
        return Tally(_core.tally(rows, model._core, read._core, files, name, chosen, told))


def merge(
    tallies: Path | Iterable[Path],
    *,
    fires: Path | Iterable[Path] | None = None,
    progress: Progress = None,
) -> Tally:
    """Merge tallies that were saved, in any order and nesting.

    Parameters
    ----------
    tallies
        Paths or patterns.
    fires
        Files of firing sets, or folders of them; where None, those beside the tallies.
    """
    with shown(progress) as told:
        return Tally(_core.merge(file_paths("tallies", tallies), file_paths("fires", fires), told))


class Simulated(NamedTuple):
    """A cohort whose truth is known."""

    #: Embeddings, a float32 array [rows, d_in].
    x: Any
    sae: SAE
    calls: Calls
    #: The planted atoms, and the strata.
    truth: dict[str, Any]


def simulate(
    rows: int = 10_000,
    d_in: int = 256,
    d_sae: int = 1024,
    k: int = 32,
    *,
    seed: int = 1,
    confounded: bool = True,
) -> Simulated:
    """Simulate a cohort: embeddings, model, calls and truth. The same arguments give the same numbers."""
    import numpy as np

    for argument, value in {"rows": rows, "d_in": d_in, "d_sae": d_sae, "k": k, "seed": seed}.items():
        whole(argument, value)
    x, model, calls, truth = _core.simulate(rows, d_in, d_sae, k, seed, confounded)
    return Simulated(np.asarray(x), SAE(model), Calls._of(calls), json.loads(truth))
