"""Makes tests/golden/inputs/: one cohort in every form in which embeddings and calls are read.

Run with torch, numpy, safetensors, pandas and pyarrow installed, from the repository's root:

    python tests/golden/make_inputs.py

cohort.pt has embeddings and sv_info; all other files hold the same numbers and the same calls, so
that what is read from them must be what is read from cohort.pt. Embeddings are small multiples of
1/8, which every type of number has exactly. Calls have no None and no NaN, whose reading differs
from form to form; missing.csv, missing.jsonl and missing.parquet are of calls that lack fields.
"""

import gzip
import io
import json
import pathlib
import random
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors.numpy
import safetensors.torch
import torch

ROOT = pathlib.Path(__file__).parent / "inputs"
N, D = 13, 5
FIELDS = ["chrom", "pos", "svtype", "svlen", "truvari_class", "dataset", "id"]


def calls():
    rng = random.Random(3)
    made = []
    for row in range(N):
        svtype = rng.choice(["DEL", "INS", "DUP"])
        made.append({
            "chrom": rng.choice(["chr1", "chr2", "chrX"]),
            "pos": rng.randrange(1, 2**33),
            "svtype": svtype,
            "svlen": rng.randrange(50, 5000) * (-1 if svtype == "DEL" else 1),
            "truvari_class": rng.choice(["TP", "tp_comp_vcf", "FP", "fn"]),
            "dataset": rng.choice(["HG002, \"q\"", "HG003"]),
            "id": f"délly.{row:03}" if row != 4 else "x" * 80,
        })
    return made


def npy(name, array, version=None):
    with open(ROOT / name, "wb") as file:
        np.lib.format.write_array(file, array, version=version)


def embeddings(x):
    for code in ["<f2", "<f4", "<f8"]:
        npy(f"rows_{code[1:]}.npy", x.astype(code))
    npy("rows_v2.npy", x, (2, 0))
    npy("rows_v3.npy", x, (3, 0))
    npy("rows_fortran.npy", np.asfortranarray(x))
    ids = np.array([call["id"] for call in calls()])
    np.savez(ROOT / "named.npz", other=np.zeros((2, 3), np.float32), embeddings=x, ids=ids)
    np.savez(ROOT / "only.npz", x=x, labels=np.arange(N))
    np.savez_compressed(ROOT / "compressed.npz", embeddings=x, id=ids)
    np.savez(ROOT / "objects.npz", x=x, id=ids.astype(object))
    tensor = torch.from_numpy(x)
    for dtype in [torch.float16, torch.bfloat16, torch.float32, torch.float64]:
        name = str(dtype).removeprefix("torch.")
        safetensors.torch.save_file(
            {"a": torch.arange(3), "embeddings": tensor.to(dtype), "z": torch.zeros(2, 2)},
            ROOT / f"rows_{name}.safetensors", {"made": "by hand"})
    safetensors.numpy.save_file({"x": x}, ROOT / "only.safetensors")
    torch.save(tensor, ROOT / "bare.pt")
    torch.save({"embeddings": tensor}, ROOT / "alone.pt")


def tables(info):
    frame = pd.DataFrame(info)[FIELDS]
    frame["extra"] = range(N)
    frame.to_csv(ROOT / "calls.csv", index=False)
    frame.to_csv(ROOT / "calls.tsv", index=False, sep="\t")
    frame.to_json(ROOT / "calls.jsonl", orient="records", lines=True)
    text = frame[FIELDS[::-1]].to_csv(index=False, lineterminator="\r\n")
    (ROOT / "bom_crlf.csv").write_bytes(b"\xef\xbb\xbf\r\n" + text.encode())
    for name in ["calls.csv", "calls.tsv", "calls.jsonl"]:
        content = (ROOT / name).read_bytes()
        (ROOT / f"{name}.gz").write_bytes(gzip.compress(content[:300], mtime=0)
                                          + gzip.compress(content[300:], mtime=0))
    for codec in ["none", "snappy", "gzip", "zstd", "lz4"]:
        frame.to_parquet(ROOT / f"calls_{codec}.parquet", index=False,
                         compression=None if codec == "none" else codec)
    table = pa.Table.from_pandas(frame, preserve_index=False)
    plain = dict(use_dictionary=False, row_group_size=4, data_page_version="2.0", version="2.6")
    pq.write_table(table, ROOT / "plain_v2.parquet", compression="snappy", **plain)
    pq.write_table(table, ROOT / "delta.parquet", compression="none", use_dictionary=False,
                   column_encoding={name: "DELTA_BINARY_PACKED" if name in ("pos", "svlen")
                                    else "DELTA_BYTE_ARRAY" for name in FIELDS})
    large = table.set_column(0, "chrom", table["chrom"].cast(pa.large_string()))
    large = large.set_column(3, "svlen", large["svlen"].cast(pa.int32()))
    large = large.set_column(2, "svtype", large["svtype"].dictionary_encode())
    pq.write_table(large, ROOT / "types.parquet", data_page_size=16)


def missing():
    """Some fields missing, some columns, some numbers of other types."""
    info = [
        {"svtype": "DEL", "svlen": 12.0, "truvari_class": "TP", "id": "a"},
        {"svlen": -3.5, "truvari_class": "FP", "id": "b"},
        {"svtype": "INS", "truvari_class": "TP"},
    ]
    frame = pd.DataFrame(info)
    frame.to_csv(ROOT / "missing.csv", index=False)
    frame.to_parquet(ROOT / "missing.parquet", index=False)
    (ROOT / "missing.jsonl").write_text("".join(json.dumps(call) + "\n" for call in info))
    x = torch.arange(6.0).reshape(3, 2)
    torch.save({"embeddings": x, "sv_info": info}, ROOT / "missing.pt")
    nulls = [{"svtype": None, "svlen": None, "truvari_class": True, "pos": False, "dataset": 7,
              "chrom": 1.5, "id": None}]
    (ROOT / "nulls.jsonl").write_text("".join(json.dumps(call) + "\n" for call in nulls))
    torch.save({"embeddings": x[:1].clone(), "sv_info": nulls}, ROOT / "nulls.pt")


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir()
    x = np.arange(-20, N * D - 20, dtype=np.float32).reshape(N, D) / 8
    x[3] = x[3, ::-1]
    info = calls()
    torch.save({"embeddings": torch.from_numpy(x), "sv_info": info}, ROOT / "cohort.pt")
    embeddings(x)
    tables(info)
    missing()


if __name__ == "__main__":
    main()
