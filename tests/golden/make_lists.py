"""Writes tests/golden/lists: embeddings as the columns of tables (pyarrow, polars, datasets), as NumPy
arrays in torch files, as one matrix among several, and with a row of numbers for each token.

    python make_lists.py        pyarrow 26.0.1, pandas 3.1.1, polars 2.1.0, datasets 5.2.0, torch 2.15.0,
                                numpy 2.4.6, safetensors 0.8.0

The numbers are those of `number` below, which the tests compute for themselves."""

import os
import pathlib
import shutil
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import safetensors.numpy
import torch
import torch.distributed.checkpoint

HERE = pathlib.Path(__file__).parent / "lists"
N, L, D = 7, 4, 5


def number(layer, n, token, d):
    """32 bits of it; a binary32 rounds, and a binary16 takes the first 11."""
    mixed = (layer * 32452843 + n * 7919 + token * 104729 + d * 1299709 + 12345) * 2654435761 % 2**32
    return (mixed - 2**31) * 2.0**-20


def tokens(layer=0, dtype="f4", rows=N):
    wide = np.array(
        [[[number(layer, n, t, d) for d in range(D)] for t in range(L)] for n in range(rows)]
    )
    if dtype == "f2":
        # 11 bits, from the first ones.
        wide = np.floor(wide * 2.0**20 / 2**21) * 2.0**-3
    return wide.astype(dtype)


def rows(layer=0, dtype="f4", count=N):
    # A copy: safetensors writes the memory that a slice begins in, whatever its strides.
    return np.ascontiguousarray(tokens(layer, dtype, count)[:, 0])


TYPES = {"f2": pa.float16(), "f4": pa.float32(), "f8": pa.float64()}


def column(array, kind="list", dtype="f4"):
    number = TYPES[dtype]
    of = {
        "list": lambda t, _: pa.list_(t),
        "large": lambda t, _: pa.large_list(t),
        "fixed": lambda t, size: pa.list_(t, size),
    }[kind]
    type_ = number
    for size in array.shape[:0:-1]:
        type_ = of(type_, size)
    listed = [list(row) if row.ndim == 1 else [list(token) for token in row] for row in array]
    return pa.array(listed, type_)


def calls(count=N):
    return {
        "chrom": [f"chr{1 + n % 3}" for n in range(count)],
        "pos": [1000 + 10 * n for n in range(count)],
        "svtype": ["INS" if n % 2 else "DEL" for n in range(count)],
        "svlen": [-50 - n for n in range(count)],
        "truvari_class": ["TP" if n % 3 else "fp" for n in range(count)],
        "dataset": ["a long name of a data set" if n else "s" for n in range(count)],
        "id": [f"call{n}" for n in range(count)],
    }


def stream(name, table, options=None, batch=None):
    with pa.ipc.new_stream(HERE / name, table.schema, options=options) as out:
        out.write_table(table, max_chunksize=batch)


def file(name, table, options=None, batch=None):
    with pa.ipc.new_file(HERE / name, table.schema, options=options) as out:
        out.write_table(table, max_chunksize=batch)


def parquet():
    def write(name, table, **options):
        pq.write_table(table, HERE / name, **{"store_schema": False, **options})

    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    write("f4.parquet", pa.table({"embeddings": column(rows())}), **plain)
    write("f8.parquet", pa.table({"e": column(rows(dtype="f8"), "large", "f8")}), compression="snappy")
    write(
        "f2.parquet",
        pa.table({"e": column(rows(dtype="f2"), "fixed", "f2")}),
        compression="zstd",
        data_page_version="2.0",
        row_group_size=3,
    )
    write("tokens.parquet", pa.table({"e": column(tokens())}), row_group_size=4)
    layers = {f"layer_{layer}": column(rows(layer)) for layer in (12, 26)}
    write("layers.parquet", pa.table({"id": calls()["id"], **layers}))
    write("calls.parquet", pa.table({**calls(), "e": column(rows())}))
    frame = pd.DataFrame({**calls(), "e": list(rows())})
    frame.to_parquet(HERE / "pandas.parquet")
    pl.DataFrame({"e": list(rows())}).write_parquet(HERE / "polars.parquet")
    return write


def arrow():
    table = pa.table({"embeddings": column(rows())})
    file("f4.arrow", table)
    stream("stream.arrow", table, batch=3)
    stream("f8.arrow", pa.table({"e": column(rows(dtype="f8"), "large", "f8")}))
    stream("f2.arrow", pa.table({"e": column(rows(dtype="f2"), "fixed", "f2")}), batch=2)
    file("tokens.arrow", pa.table({"e": column(tokens())}), batch=4)
    file("tokens_fixed.arrow", pa.table({"e": column(tokens(), "fixed")}), batch=4)
    for codec in ("lz4", "zstd"):
        options = pa.ipc.IpcWriteOptions(compression=codec)
        file(f"{codec}.arrow", pa.table({**calls(), "e": column(rows())}), options, batch=4)
    pyarrow.feather.write_feather(pa.table({"e": column(rows())}), HERE / "feather.feather")
    longer = pa.table({"e": column(rows(count=N + 4))})
    # The rows before these are in none of the buffers, or in all of them: the writer decides.
    layered = pa.table({"id": calls()["id"], **{f"layer_{n}": column(rows(n)) for n in (12, 26)}})
    file("layers.arrow", layered)
    file("sliced.arrow", longer.slice(0, N))
    pl.DataFrame({**calls(), "e": list(rows())}).write_ipc(HERE / "polars.arrow")
    pl.DataFrame({"e": rows()}).write_ipc(HERE / "polars_array.arrow")
    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        features = datasets.Features(
            {
                "embeddings": datasets.List(datasets.Value("float32")),
                "tokens": datasets.Array2D((L, D), "float32"),
            }
        )
        made = {"embeddings": [list(row) for row in rows()], "tokens": list(tokens())}
        datasets.Dataset.from_dict(made, features).save_to_disk(folder)
        (saved,) = pathlib.Path(folder).glob("*.arrow")
        shutil.copy(saved, HERE / "datasets.arrow")


def bad(write):
    listed = [list(map(float, row)) for row in rows()]
    of = pa.list_(pa.float32())

    def both(name, values, type_=of):
        table = pa.table({"e": pa.array(values, type_)})
        write(f"bad_{name}.parquet", table)
        file(f"bad_{name}.arrow", table)

    both("null_row", listed[:4] + [None] + listed[5:])
    both("null_number", listed[:4] + [[1.0, None, 2.0, 3.0, 4.0]] + listed[5:])
    both("ragged", listed[:4] + [listed[4][:-1]] + listed[5:])
    both("empty", listed[:4] + [[]] + listed[5:])
    both("all_empty", [[]] * N)
    both("whole", [[1, 2, 3]] * N, pa.list_(pa.int32()))
    both("no_rows", [])
    three = [[list(map(float, token)) for token in row] for row in tokens()]
    nested = pa.list_(of)
    both("null_token", three[:4] + [[three[4][0], None, three[4][2], three[4][3]]] + three[5:], nested)
    both("few_tokens", three[:4] + [three[4][:-1]] + three[5:], nested)
    both("short_token", three[:4] + [three[4][:-1] + [three[4][3][:-1]]] + three[5:], nested)


def torch_files():
    def write(name, value, **options):
        torch.save(value, HERE / name, **options)

    for dtype in ("f2", "f4", "f8"):
        write(f"array_{dtype}.pt", {"embeddings": rows(dtype=dtype)})
        write(f"fortran_{dtype}.pt", {"embeddings": np.asfortranarray(rows(dtype=dtype))})
    write("alone.pt", rows())
    write("legacy.pt", {"embeddings": rows()}, _use_new_zipfile_serialization=False)
    write("protocol_5.pt", {"embeddings": rows()}, pickle_protocol=5)
    write("big_endian.pt", {"embeddings": rows().astype(">f4")})
    write("text.pt", {"embeddings": np.array([["a", "b"]] * N)})
    write("array_tokens.pt", {"embeddings": np.asfortranarray(tokens())})
    write("tokens.pt", {"embeddings": torch.from_numpy(tokens())})
    write("tokens_turned.pt", torch.from_numpy(tokens().transpose(1, 0, 2).copy()).transpose(0, 1))
    layers = {f"blocks.{n}.hook_resid_post": torch.from_numpy(rows(n)) for n in (12, 26)}
    write("layers.pt", layers)
    write("nested.pt", {"acts": {n: torch.from_numpy(rows(n)) for n in (12, 26)}, "names": ["x"]})
    write("only.pt", {"features": torch.from_numpy(rows())})
    both = {"embeddings": torch.from_numpy(rows()), "layer_26": torch.from_numpy(rows(26))}
    write("beside.pt", both)
    # A shard of one tensor is an archive like any other.
    value = {"embeddings": torch.from_numpy(rows())}
    torch.distributed.checkpoint.save(value, checkpoint_id=HERE / "dcp_one")


def arrays():
    np.save(HERE / "tokens.npy", tokens())
    np.save(HERE / "tokens_fortran.npy", np.asfortranarray(tokens()))
    layers = {f"layers.{n}": rows(n) for n in (12, 26)}
    np.savez(HERE / "layers.npz", **layers)
    np.savez(HERE / "tokens.npz", pooled=rows(3), acts=tokens())
    safetensors.numpy.save_file(layers, HERE / "layers.safetensors")
    safetensors.numpy.save_file({"acts": tokens(dtype="f2")}, HERE / "tokens.safetensors")
    np.save(HERE / "no_tokens.npy", np.zeros((N, 0, D), "f4"))
    holes = tokens()
    holes[3, 2, 1] = np.nan
    np.save(HERE / "holes.npy", holes)


if __name__ == "__main__":
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    bad(parquet())
    arrow()
    torch_files()
    arrays()
