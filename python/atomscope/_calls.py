"""Calls: of tables of any library, lists, dicts and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import _core
from ._core import InputError
from ._inputs import is_path, kind, strings_of, warn
from ._table import Table

_EXPECTED = "a table (pandas, polars, pyarrow), a list of dicts, a dict of lists, or a path"


class Calls:
    """The calls of a cohort, in the order of the embeddings' rows.

    Columns are found by their names, in any order: ``truvari_class`` (TP and tp_comp_vcf are true calls),
    ``svtype``, ``svlen``, ``chrom``, ``pos``, ``dataset``, ``id`` and ``reason``; also as VCF tools write them
    (SVTYPE, #CHROM, INFO/SVLEN). Each may be missing.

    Parameters
    ----------
    calls
        A pandas DataFrame; any table that has ``__arrow_c_stream__`` (polars, pyarrow, DuckDB); a list of
        dicts, as the notebook's ``sv_info``; a dict of lists. A path is given to :func:`analyze` as it is.
    class_column
        The column of classes, where it is not truvari_class.
    true_class
        The class or classes that are true calls (also True, or a number), where they are not TP and
        tp_comp_vcf.
    """

    __slots__ = ("_core", "_table")

    def __init__(
        self,
        calls: Any,
        *,
        class_column: str | None = None,
        true_class: Any = None,
    ) -> None:
        self._core = _read(calls, class_column, strings_of(true_class))
        self._table: Table | None = None
        for text in self._core.warnings:
            warn(text)

    @classmethod
    def _of(cls, core: _core.Calls) -> Calls:
        made = object.__new__(cls)
        made._core = core
        made._table = None
        return made

    def __len__(self) -> int:
        return len(self._core)

    @property
    def table(self) -> Table:
        """The calls as they were read, with the label that counts."""
        if self._table is None:
            self._table = Table(self._core.table())
        return self._table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> Any:
        """The calls as a pandas DataFrame."""
        return self.table.to_pandas()

    def to_polars(self) -> Any:
        """The calls as a polars DataFrame."""
        return self.table.to_polars()

    def __repr__(self) -> str:
        tp, fp = self._core.counts()
        return f"Calls({len(self)}: {tp} true, {fp} false)"


def _read(calls: Any, class_column: str | None, true_class: list[str]) -> _core.Calls:
    rule = (class_column, true_class)
    if is_path(calls):
        import os

        raise InputError(
            f"calls: found the path {os.fspath(calls)!r}, expected a table; "
            "give a path to analyze() itself, which knows how many calls there must be"
        )
    if type(calls).__module__.partition(".")[0] == "pandas":
        return _of_pandas(calls, rule)
    if hasattr(calls, "collect") and hasattr(calls, "collect_schema"):
        raise InputError(f"calls: found {kind(calls)}, expected a table: calls.collect()")
    if hasattr(calls, "__arrow_c_stream__"):
        return _core.Calls.of_arrow(calls, *rule)
    if isinstance(calls, Mapping):
        return _of_columns(calls, rule)
    if isinstance(calls, (list, tuple)):
        if calls and not all(isinstance(call, Mapping) for call in calls):
            other = next(call for call in calls if not isinstance(call, Mapping))
            raise InputError(f"calls: found a list with {kind(other)}, expected a dict for each call")
        plain = [call if isinstance(call, dict) else dict(call) for call in calls]
        return _core.Calls.of_dicts(plain, *rule)
    raise InputError(f"calls: found {kind(calls)}, expected {_EXPECTED}")


def _of_pandas(table: Any, rule: tuple[str | None, list[str]]) -> _core.Calls:
    """Columns by pandas' own idea of what is missing: NaN, None, NA, NaT. It needs no pyarrow."""
    if not hasattr(table, "columns"):
        raise InputError(f"calls: found {kind(table)}, expected a DataFrame")
    if table.columns.nlevels > 1:
        raise InputError(
            "calls: found columns of several levels, expected one name each: calls.droplevel(0, axis=1), or "
            "calls.columns = [...]"
        )
    places = [
        place
        for place, name in enumerate(table.columns)
        if isinstance(name, str)
    ]

    def column(number: int) -> list[Any]:
        values = table.iloc[:, places[number]]
        if str(values.dtype).startswith(("datetime", "timedelta", "period", "interval")):
            raise InputError(
                f"calls: column {table.columns[places[number]]}: found values of type {values.dtype}, "
                "expected text, a number, True, False or a missing value; give one value for each call"
            )
        missing = values.isna()
        if missing.any():
            is_whole = values.dtype == float and (values[~missing] % 1 == 0).all()
            # Where numbers are missing pandas makes floats of whole ones, of which chromosome 1 is 1.0.
            values = values.astype("Int64" if is_whole else object).astype(object).where(~missing, None)
        plain: list[Any] = values.tolist()
        return plain

    names = [table.columns[place] for place in places]
    return _core.Calls.of_columns(names, column, len(table), *rule)


def _of_columns(columns: Mapping[Any, Any], rule: tuple[str | None, list[str]]) -> _core.Calls:
    lists: dict[str, Any] = {}
    singles: dict[str, Any] = {}
    for name, values in columns.items():
        if not isinstance(name, str):
            continue
        if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__") or getattr(values, "ndim", 1) == 0:
            singles[name] = values
        else:
            lists[name] = values if hasattr(values, "__len__") else list(values)
    if not lists and singles:
        raise InputError("calls: found a dict of single values, expected at least one list")
    first = next(iter(lists), "")
    rows = len(lists[first]) if lists else 0
    for name, values in lists.items():
        if len(values) != rows:
            raise InputError(
                f"calls: found {len(values)} values of {name!r} and {rows} of {first!r}, expected one for each call"
            )
    names = [*lists, *singles]

    def column(number: int) -> list[Any]:
        name = names[number]
        if name in singles:
            return [singles[name]] * rows
        values = lists[name]
        tolist = getattr(values, "tolist", None) or getattr(values, "to_list", None)
        return tolist() if tolist is not None else list(values)

    return _core.Calls.of_columns(names, column, rows, *rule)


def with_strata(
    read: _core.Calls,
    strata: str,
    regions: list[str],
    is_whole: bool,
    column_of: Callable[[str], _core.Calls],
) -> _core.Calls:
    """Calls with levels for regions and columns that they are stratified by; ``column_of`` reads a column."""
    if ":" not in strata:
        return read
    columns = []
    for name in _core.strata_columns(strata):
        try:
            columns.append((name, column_of(name)))
        except InputError as error:
            raise InputError(
                f"strata: found the column {name!r}, expected one of the table of calls, with single values"
            ) from error
    return read.with_levels(strata, columns, regions, is_whole)


def column_of(calls: Any, rows: _core.Rows, name: str) -> _core.Calls:
    """The values of a column of calls as their classes. Calls that were read have the columns of their table."""
    if isinstance(calls, Calls):
        return _core.Calls.of_arrow(calls.table, name, [])
    return calls_of(calls, rows, class_column=name, true_class=[])


def calls_of(
    calls: Any,
    rows: _core.Rows,
    *,
    class_column: str | None,
    true_class: list[str],
) -> _core.Calls:
    """The calls of rows that are at hand: a table, a path, or calls that were read before."""
    if isinstance(calls, Calls):
        if class_column is not None or true_class:
            raise InputError(
                "class_column, true_class: found beside Calls that were read already, "
                "expected them where the Calls are made"
            )
        return calls._core
    if is_path(calls):
        import os

        count = rows.shape[0]
        return _core.Calls.of_file(os.fspath(calls), count, rows.name, class_column, true_class)
    return _read(calls, class_column, true_class)
