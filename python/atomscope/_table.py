"""Tables of results."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ._core import InputError
from ._inputs import kind
from ._options import whole

if TYPE_CHECKING:
    from . import _core

_SHOWN_ROWS = 10
_SHOWN_COLUMNS = 12
_MISSING = "NA"


class Table:
    """A table of results, which any library takes that knows Arrow (``__arrow_c_stream__``).

    A missing figure is null; an infinity is one. ``table["log_or"]`` is a column as a numpy array (NaN where a
    number is missing), ``table.describe("log_or")`` says what it means.
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Table) -> None:
        self._core = core

    @property
    def name(self) -> str:
        """The table's name: its file's, without the ending."""
        return self._core.name

    @property
    def about(self) -> str:
        """What one row is."""
        return self._core.about

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return self._core.columns

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self._core), len(self.columns)

    def __len__(self) -> int:
        return len(self._core)

    def describe(self, column: str) -> str:
        """What a column means: formula, unit, source."""
        return self._core.describe(column)

    def __getitem__(self, column: str) -> Any:
        """A column as a numpy array; text and categories as an array of objects."""
        import numpy as np

        kind, values, more = self._core.column(column)
        if kind == "category":
            return np.asarray(more, dtype=object)[np.asarray(values)]
        if kind == "text":
            return np.asarray(values, dtype=object)
        array = np.asarray(values)
        if more is None:
            return array
        missing = np.asarray(more)
        if not missing.any():
            return array
        found = array.astype(object if kind == "bool" else float)
        found[missing] = None if kind == "bool" else np.nan
        return found

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Rows as dicts."""
        names = self.columns
        for start in range(0, len(self), 1024):
            for row in self._core.rows(start, min(len(self), start + 1024)):
                yield dict(zip(names, row, strict=True))

    def to_dicts(self) -> list[dict[str, Any]]:
        """All rows, a dict each; None is a missing value."""
        return list(self)

    def head(self, rows: int = _SHOWN_ROWS) -> Table:
        """The first rows."""
        return self.pick(range(min(whole("rows", rows), len(self))))

    def pick(self, rows: Sequence[int]) -> Table:
        """The same table with these rows, in this order."""
        chosen = [_row(row, len(self)) for row in _several("rows", rows)]
        return Table(self._core.pick(chosen))

    def sort(self, by: str, *, descending: bool = False) -> Table:
        """The same table in the order of a column; missing values come last, equal ones in their order."""
        at = self._at(by)
        values = [row[at] for row in self._core.rows(0, len(self))]
        there = [row for row, value in enumerate(values) if value is not None]
        missing = [row for row, value in enumerate(values) if value is None]
        there.sort(key=lambda row: values[row], reverse=descending)
        return self.pick(there + missing)

    def _at(self, column: str) -> int:
        if column not in self.columns:
            raise KeyError(f"{column}: no column of {self.name}; there are {', '.join(self.columns)}")
        return self.columns.index(column)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._core.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._core.__arrow_c_schema__()

    def to_pandas(self) -> Any:
        """The table as a pandas DataFrame: numbers as numpy's, NaN where they are missing."""
        import numpy as np
        import pandas as pd

        data: dict[str, Any] = {}
        for name in self.columns:
            kind, values, more = self._core.column(name)
            if kind == "category":
                data[name] = pd.Categorical.from_codes(np.asarray(values), categories=more)
            elif kind == "text":
                data[name] = values
            elif more is not None and np.asarray(more).any():
                masked = pd.arrays.BooleanArray if kind == "bool" else pd.arrays.IntegerArray
                data[name] = masked(np.array(values), np.array(more))
            else:
                data[name] = np.asarray(values)
        return pd.DataFrame(data)

    def to_polars(self) -> Any:
        """The table as a polars DataFrame."""
        import polars as pl

        return pl.DataFrame(self)

    def to_arrow(self) -> Any:
        """The table as a pyarrow Table."""
        import pyarrow as pa

        return pa.table(self)

    def _cells(self) -> tuple[list[str], list[list[str]], int]:
        names = self.columns[:_SHOWN_COLUMNS]
        rows = self._core.rows(0, min(len(self), _SHOWN_ROWS))
        cells = [[_shown(value) for value in row[:_SHOWN_COLUMNS]] for row in rows]
        return names, cells, len(self.columns) - len(names)

    def __repr__(self) -> str:
        names, rows, more = self._cells()
        widths = [
            max([len(name), *(len(row[at]) for row in rows)]) for at, name in enumerate(names)
        ]
        lines = [f"{self.name}: {len(self)} rows, {len(self.columns)} columns"]
        for row in [names, *rows]:
            lines.append("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if len(self) > len(rows):
            lines.append(f"... {len(self) - len(rows)} more rows")
        if more:
            lines.append(f"... {more} more columns: {', '.join(self.columns[_SHOWN_COLUMNS:])}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        names, rows, more = self._cells()
        heads = "".join(
            f'<th title="{html.escape(self.describe(name))}">{html.escape(name)}</th>' for name in names
        )
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        rest = f", {more} of them not shown" if more else ""
        about = f"{html.escape(self.name)}: {len(self)} rows, {len(self.columns)} columns{rest}"
        return (
            f'<div><p title="{html.escape(self.about)}">{about}</p>'
            f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def _row(row: object, rows: int) -> int:
    number = whole("rows", row, -(2**63))
    if not 0 <= number < rows:
        raise InputError(f"rows: found {number}, expected numbers of the {rows} rows, from 0")
    return number


def _several(argument: str, values: Any) -> list[Any]:
    """The values of a sequence."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise InputError(f"{argument}: found {kind(values)}, expected a sequence of numbers")
    return list(values)


def _shown(value: object) -> str:
    if value is None:
        return _MISSING
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return text if len(text) <= 32 else text[:31] + "…"
