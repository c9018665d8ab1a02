"""What an analysis is given: embeddings, activations, calls, and the files that they are read from."""

from __future__ import annotations

from typing import Any

from . import _core
from ._calls import Calls, calls_of, column_of, with_strata
from ._core import InputError
from ._inputs import files_of, is_anndata, kind, paths_of, read_from, rows_of, warn
from ._options import whole
from ._results import Results
from ._sae import SAE

#: Files that are read, and files of embeddings beside which a table of calls may be found.
Files = tuple[list[str], list[str]]


def warned(found: Results) -> Results:
    """Results of which the warnings are given."""
    for text in found.warnings:
        warn(text)
    return found


def of_activations(
    activations: Any, atoms: int | None, others: tuple[Any, Any, Any], chosen: dict[str, Any], told: Any
) -> Results:
    """Analyze activations that were computed elsewhere."""
    x, sae, calls = others
    atoms = None if atoms is None else whole("atoms", atoms, 1)
    if x is not None or sae is not None:
        raise InputError("activations: found beside x or sae, expected in place of both")
    files = paths_of(activations)
    tables = [] if calls is None else paths_of(calls)
    if files is None or tables is None:
        found = kind(activations if files is None else calls)
        name = "activations" if files is None else "calls"
        raise InputError(f"{name}: found {found}, expected a path or paths")
    return warned(Results(_core.analyze_activations(files, tables, atoms, chosen, told)))


def of_embeddings(x: Any, sae: SAE, calls: Any, chosen: dict[str, Any], told: Any) -> Results:
    """Analyze embeddings: those of files, or at hand."""
    files = paths_of(x)
    tables = [] if calls is None else paths_of(calls)
    if files is not None and tables is not None and sae._core.path is not None:
        return Results(_core.analyze_files(files, tables, sae._core, chosen, told))
    rows, read, sources = at_hand(x, calls, chosen)
    found = _core.analyze_memory(rows, sae._core, read._core, sources, chosen, told)
    return Results(found, read)


def at_hand(
    x: Any, calls: Any, chosen: dict[str, Any], *, is_whole: bool = True
) -> tuple[_core.Rows, Calls, Files]:
    """Embeddings and their calls, both at hand, and the files that they are from."""
    key, layer, pool = chosen["key"], chosen["layer"], chosen["pool"]
    class_column, true_class = chosen["class_column"], chosen["true_class"]
    rows = rows_of(x, key=key, layer=layer, pool=pool)
    if calls is None and is_anndata(x):
        calls = x.obs
    files = files_of(x)
    tables = [] if calls is None else paths_of(calls)
    given = calls
    if files is not None and tables is not None:
        of_files, of_tables = files, tables

        def column(name: str) -> _core.Calls:
            return _core.Calls.of_cohort(of_files, of_tables, (key, layer, pool), name, [])

        read = _core.Calls.of_cohort(files, tables, (key, layer, pool), class_column, true_class)
    elif calls is None:
        raise InputError(
            "calls: found None beside an array, expected a table (pandas, polars, pyarrow), a list of dicts, "
            "a dict of lists, or a path"
        )
    else:
        if tables is not None and isinstance(calls, (list, tuple)):
            if len(tables) > 1:
                raise InputError(f"calls: found {len(tables)} paths beside an array, expected one")
            given = tables[0]

        def column(name: str) -> _core.Calls:
            return column_of(given, rows, name)

        read = calls_of(given, rows, class_column=class_column, true_class=true_class)
    if len(read) != rows.shape[0]:
        raise InputError(f"calls: found {len(read)} calls, expected {rows.shape[0]}, one for each row of x")
    known = read.warnings if read is getattr(calls, "_core", None) else []
    read = with_strata(read, chosen["strata"], chosen["regions"], is_whole, column)
    for text in read.warnings:
        if text not in known:
            warn(text)
    sources = [*(files or read_from(x)), *(tables or [])]
    return rows, Calls._of(read), (sources, [] if files is None or tables else files)
