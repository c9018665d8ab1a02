"""What may be given as embeddings: arrays, array-likes, AnnData, paths."""

from __future__ import annotations

import operator
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

from . import _core
from ._core import InputError

#: A path, as ``open`` takes it.
Path = str | os.PathLike[str]


def warn(text: str) -> None:
    """Warn about what the caller of the package wrote: the warning points at that line."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)


def kind(value: object) -> str:
    """The name of a value's type, with its module where that is not Python's own."""
    of = type(value)
    return of.__qualname__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__qualname__}"


def is_path(value: object) -> TypeGuard[Path]:
    """Say whether a value is a path."""
    return isinstance(value, (str, os.PathLike))


def path_of(argument: str, value: object, what: str = "a file") -> str:
    """A path that is given, which must not be empty."""
    if not is_path(value):
        raise InputError(f"{argument}: found {kind(value)}, expected the path of {what}")
    path = os.fspath(value)
    if not path:
        raise InputError(f"{argument}: found an empty text, expected the path of {what}")
    return path


def paths_of(value: object) -> list[str] | None:
    """The paths of a path or of a sequence of paths; None of anything else."""
    if is_path(value):
        return [os.fspath(value)]
    if isinstance(value, (list, tuple)) and value and all(is_path(path) for path in value):
        return [os.fspath(path) for path in value]
    return None


def files_of(value: object) -> list[str] | None:
    """The files that paths and patterns name, in the order in which people count."""
    paths = paths_of(value)
    return None if paths is None else [os.fspath(path) for path in _core.expand(paths)]


def is_anndata(value: object) -> bool:
    """Say whether a value is AnnData: it has ``obsm`` and ``obs``."""
    return hasattr(value, "obsm") and hasattr(value, "obs")


def embeddings_of(adata: Any, key: str | None) -> Any:
    """The embeddings of AnnData: those of a key of ``obsm``, or of X_embedding."""
    key = "X_embedding" if key is None else key
    if key not in adata.obsm:
        there = ", ".join(map(str, adata.obsm.keys())) or "no keys"
        raise InputError(f"x: found an AnnData whose obsm has {there}, expected the key {key!r} (key=)")
    return adata.obsm[key]


def dtype_of(array: Any) -> str:
    """The name of an array's number type, without its library's."""
    dtype = getattr(array, "dtype", None)
    name = getattr(dtype, "name", None) or str(dtype)
    return str(name).rpartition(".")[2]


def _is(array: object, library: str, name: str) -> bool:
    """Say whether an array is of a library's class, or of a class that is made of it; imports nothing."""
    of = getattr(sys.modules.get(library), name, None)
    return of is not None and isinstance(array, of)


def exported(array: Any, argument: str) -> tuple[Any, bool]:
    """An array that has ``__dlpack__``, and whether its uint16 are bfloat16."""
    if _is(array, "numpy.ma", "MaskedArray"):
        raise InputError(f"{argument}: found a masked array, expected one without a mask (.filled())")
    if _is(array, "numpy", "ndarray"):
        if not array.dtype.isnative:
            raise InputError(
                f"{argument}: found numbers of another byte order than this machine's, expected its own: "
                f"{argument}.astype({argument}.dtype.newbyteorder('='))"
            )
        if array.dtype.name == "bfloat16":
            return array.view("uint16"), True
    elif _is(array, "torch", "Tensor"):
        torch = sys.modules["torch"]
        if array.requires_grad:
            array = array.detach()
        if array.layout != torch.strided:
            raise InputError(f"{argument}: found a sparse tensor, expected a dense one (.to_dense())")
        if array.is_conj() or array.is_neg():
            array = array.resolve_conj().resolve_neg()
        if array.is_cuda:
            # What makes the numbers has to be done before another stream reads them.
            torch.cuda.current_stream(array.device).synchronize()
    elif _is(array, "cupy", "ndarray"):
        sys.modules["cupy"].cuda.get_current_stream().synchronize()
    elif _is(array, "jax", "Array"):
        array.block_until_ready()
    return array, False


def _blocks(x: Any, argument: str) -> Callable[[int, int], Any]:
    """What reads rows of an object by slicing it."""

    def block(start: int, stop: int) -> Any:
        rows = x[start:stop]
        if not hasattr(rows, "__dlpack__"):
            import numpy as np

            rows = np.asarray(rows)
        if _is(rows, "numpy", "ndarray") and not rows.dtype.isnative:
            rows = rows.astype(rows.dtype.newbyteorder("="))
        return exported(rows, argument)[0]

    return block


def _refuse_choice(what: str, **given: str | None) -> None:
    """Refuse what chooses a matrix of a file beside an array; the key of AnnData is one of its own."""
    for argument, value in given.items():
        if value is not None and not (argument == "key" and what == "AnnData"):
            raise InputError(
                f"{argument}: found {value!r} beside {what}, expected None: it is for files of embeddings"
            )


def read_from(x: Any) -> list[str]:
    """The file that an array lies in: of a mapped array, a data set of HDF5, a backed AnnData."""
    found = getattr(x, "filename", None) or getattr(getattr(x, "file", None), "filename", None)
    return [os.fspath(found)] if is_path(found) else []


def rows_of(
    x: Any,
    *,
    key: str | None = None,
    layer: str | None = None,
    pool: str | None = None,
    argument: str = "x",
) -> _core.Rows:
    """Embeddings as rows: in place where they are an array."""
    files = files_of(x)
    if files is not None:
        return _core.Rows.of_files(files, key, layer, pool)
    _refuse_choice("AnnData" if is_anndata(x) else "an array", key=key, layer=layer, pool=pool)
    if is_anndata(x):
        x = embeddings_of(x, key)
    if hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__"):
        array, is_bf16 = exported(x, argument)
        rows = _core.Rows.of_array(array, argument, is_bf16)
        if rows.note:
            warn(rows.note)
        return rows
    if hasattr(x, "columns") and hasattr(x, "to_numpy"):
        raise InputError(
            f"{argument}: found a table ({kind(x)}), expected an array: {argument}[columns].to_numpy()"
        )
    try:
        shape, has_dtype = getattr(x, "shape", None), hasattr(x, "dtype")
    except Exception as error:
        # As that of a data set of a file that is closed.
        raise InputError(
            f"{argument}: found {kind(x)} that cannot be read ({error}), expected one that is open"
        ) from error
    if shape is not None and has_dtype and hasattr(x, "__getitem__"):
        # scipy's, and anndata's of a file.
        if hasattr(x, "tocsr") or getattr(x, "format", None) in ("csr", "csc"):
            raise InputError(f"{argument}: found a sparse matrix, expected a dense one (.toarray())")
        shape = list(shape) if hasattr(shape, "__len__") else [shape]
        if len(shape) != 2:
            raise InputError(f"{argument}: found an array of shape {shape}, expected [calls, d_in]")
        try:
            count, width = (operator.index(size) for size in shape)
        except TypeError:
            count = width = -1
        if count < 0 or width < 0:
            raise InputError(f"{argument}: found an array of shape {shape}, expected two whole numbers")
        return _core.Rows.of_blocks(_blocks(x, argument), (count, width), dtype_of(x), argument)
    expected = "an array [calls, d_in] (numpy, torch, JAX, CuPy, HDF5, Zarr), AnnData, a path, or paths"
    found = "an empty list" if isinstance(x, (list, tuple)) and not x else kind(x)
    raise InputError(f"{argument}: found {found}, expected {expected}")


def strings_of(value: object) -> list[str]:
    """The texts of one value, of several, or of None: classes may be True and False, or numbers."""
    if value is None:
        return []
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [str(value)]
    return [str(one) for one in value]
