"""What may be given as embeddings: arrays, array-likes, AnnData, paths."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

from . import _core
from ._core import InputError

#: A path, as ``open`` takes it.
Path = str | os.PathLike[str]


def kind(value: object) -> str:
    """The name of a value's type, with its module where that is not Python's own."""
    of = type(value)
    return of.__qualname__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__qualname__}"


def is_path(value: object) -> TypeGuard[Path]:
    """Say whether a value is a path."""
    return isinstance(value, (str, os.PathLike))


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
    if kind(array).startswith("numpy.ma"):
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
    if is_anndata(x):
        x = embeddings_of(x, key)
    if hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__"):
        array, is_bf16 = exported(x, argument)
        rows = _core.Rows.of_array(array, argument, is_bf16)
        if rows.note:
            warnings.warn(rows.note, UserWarning, stacklevel=4)
        return rows
    if hasattr(x, "columns") and hasattr(x, "to_numpy"):
        raise InputError(
            f"{argument}: found a table ({kind(x)}), expected an array: {argument}[columns].to_numpy()"
        )
    shape = getattr(x, "shape", None)
    if shape is not None and hasattr(x, "dtype") and hasattr(x, "__getitem__"):
        # scipy's, and anndata's of a file.
        if hasattr(x, "tocsr") or getattr(x, "format", None) in ("csr", "csc"):
            raise InputError(f"{argument}: found a sparse matrix, expected a dense one (.toarray())")
        if len(shape) != 2:
            raise InputError(f"{argument}: found an array of shape {list(shape)}, expected [calls, d_in]")
        return _core.Rows.of_blocks(_blocks(x, argument), (int(shape[0]), int(shape[1])), dtype_of(x), argument)
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
