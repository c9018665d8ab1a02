"""Makes tests/golden/activations: one matrix of activations in every layout that is read, as numpy,
scipy, safetensors and pandas write it, and files that are refused.

    python -m venv venv
    venv/bin/pip install numpy scipy safetensors pandas pyarrow ml_dtypes
    venv/bin/python tests/golden/make_activations.py

Values are eighths, so that every floating-point type holds them exactly. `rows.json` has what fires on
each row, from the dense matrix by numpy alone.
"""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pandas as pd
import scipy.sparse as sp
from safetensors.numpy import save_file

OUT = Path(__file__).parent / "activations"
N, F = 23, 11
rng = np.random.default_rng(16)


def matrix():
    """Rows of 0 to 5 atoms, negative ones among them; rows 0, 7 and 22 have none."""
    dense = np.zeros((N, F))
    for row in range(N):
        count = 0 if row in (0, 7, 22) else rng.integers(1, 6)
        atoms = rng.choice(F, count, replace=False)
        dense[row, atoms] = rng.integers(1, 60, count) / 8 * rng.choice([1, 1, 1, -1], count)
    return dense


def calls(path):
    kinds = {
        "id": [f"call{i}" for i in range(N)],
        "chrom": [f"chr{i % 3 + 1}" for i in range(N)],
        "pos": [1000 + 37 * i for i in range(N)],
        "svtype": [["DEL", "INS", "DUP"][i % 3] for i in range(N)],
        "svlen": [50 + 11 * i for i in range(N)],
        "truvari_class": [["TP", "fp"][i * i % 5 % 2] for i in range(N)],
    }
    pd.DataFrame(kinds).to_csv(path, index=False)


def odd(dense):
    """The same matrix as CSR with entries that are unsorted, there in two halves, or zero."""
    data, indices, indptr = [], [], [0]
    for row in dense:
        entries = [(a, row[a] / 2) for a in np.flatnonzero(row)] * 2
        entries += [(a, 0.0) for a in rng.integers(0, F, 2)]
        entries += [(3, 1.5), (3, -1.5)]
        rng.shuffle(entries)
        indices += [int(a) for a, _ in entries]
        data += [v for _, v in entries]
        indptr.append(len(indices))
    parts = np.array(data), np.array(indices, dtype="<i8"), np.array(indptr, dtype="<i8")
    return sp.csr_matrix(parts, shape=dense.shape)


def listed(dense):
    """The largest by size first; a row with fewer than k is filled up with index 0 and activation 0."""
    k = (dense != 0).sum(1).max()
    indices = np.argsort(-np.abs(dense), axis=1, kind="stable")[:, :k]
    acts = np.take_along_axis(dense, indices, 1)
    return np.where(acts == 0, 0, indices), acts


def good(dense):
    single = dense.astype("<f4")
    sp.save_npz(OUT / "csr_array.npz", sp.csr_array(single))
    sp.save_npz(OUT / "csr_matrix.npz", sp.csr_matrix(dense), compressed=False)
    sp.save_npz(OUT / "odd.npz", odd(dense))
    for kind in ("f2", "f4", "f8"):
        np.save(OUT / f"dense_{kind}.npy", dense.astype(f"<{kind}"))
    np.save(OUT / "fortran_f8.npy", np.asfortranarray(dense))
    np.savez(OUT / "only.npz", anything=single)
    np.savez_compressed(OUT / "acts.npz", acts=single, more=single * 2)
    save_file({"acts": single, "more": single * 2}, OUT / "acts.safetensors")
    save_file({"x": single.astype(ml_dtypes.bfloat16)}, OUT / "bfloat16.safetensors")
    indices, acts = listed(dense)
    named = {"top_indices": indices.astype("<i8"), "top_acts": acts.astype("<f4")}
    save_file(named, OUT / "top.safetensors")
    np.savez(OUT / "top.npz", top_indices=indices.astype("<i4"), top_acts=acts.astype("<f2"))
    rows, atoms = np.nonzero(dense)
    long = pd.DataFrame({"row": rows, "atom": atoms, "value": dense[rows, atoms]})
    long.to_parquet(OUT / "long.parquet")
    mixed = long.sample(frac=1, random_state=3).astype({"row": "uint32", "atom": "int32", "value": "float32"})
    zeros = pd.DataFrame({"row": [0, 22], "atom": [10, 4], "value": [0.0, -0.0]}).astype(mixed.dtypes)
    pd.concat([mixed, zeros]).to_parquet(OUT / "mixed.parquet", row_group_size=9, compression="zstd")


def ones(dense):
    """Files that say which atoms fire, and not how strongly."""
    fires = dense != 0
    np.save(OUT / "ones_bool.npy", fires)
    sp.save_npz(OUT / "ones.npz", sp.csr_array(fires.astype("u1")))
    # k atoms on each row, as an analysis writes them.
    k = 3
    atoms = np.sort(np.stack([rng.choice(F, k, replace=False) for _ in range(N)]), axis=1)
    np.save(OUT / "fires.npy", atoms.astype("<u4"))
    return atoms


def bad(dense):
    single = dense.astype("<f4")
    sp.save_npz(OUT / "bad_csc.npz", sp.csc_array(single))
    sp.save_npz(OUT / "bad_coo.npz", sp.coo_array(single))
    sp.save_npz(OUT / "bad_bsr.npz", sp.bsr_matrix(single))
    np.save(OUT / "bad_bfloat16.npy", single.astype(ml_dtypes.bfloat16))
    np.save(OUT / "bad_whole.npy", single.astype("<i8"))
    np.save(OUT / "bad_line.npy", single.reshape(-1))
    nan = single.copy()
    nan[5, 9] = np.nan
    np.save(OUT / "bad_nan.npy", nan)
    csr = sp.csr_array(dense)

    def csr_with(name, **changes):
        parts = {"indices": csr.indices, "indptr": csr.indptr, "format": b"csr"}
        parts |= {"shape": csr.shape, "data": csr.data} | changes
        np.savez_compressed(OUT / name, **parts)

    def changed(array, at, value):
        array = array.copy()
        array[at] = value
        return array

    csr_with("bad_falls.npz", indptr=changed(csr.indptr, 4, csr.indptr[9]))
    csr_with("bad_index.npz", indices=changed(csr.indices, 6, F))
    csr_with("bad_negative.npz", indices=changed(csr.indices, 6, -1))
    csr_with("bad_infinite.npz", data=changed(csr.data, 6, -np.inf))
    csr_with("bad_ragged.npz", data=csr.data[:-1])
    csr_with("bad_short.npz", indptr=csr.indptr[:-1])
    csr_with("bad_huge.npz", shape=np.array([2**62, F]))
    csr_with("bad_wide.npz", shape=np.array([N, 2**40]))
    csr_with("bad_rows.npz", shape=(N - 1, F), indptr=csr.indptr[:-1])
    indices, acts = listed(dense)
    acts = acts.astype("<f4")
    save_file({"top_indices": indices, "top_acts": acts[:, :-1].copy()}, OUT / "bad_shapes.safetensors")
    save_file({"top_indices": indices}, OUT / "bad_alone.safetensors")
    save_file({"top_indices": indices - 1, "top_acts": acts}, OUT / "bad_top.safetensors")
    np.savez(OUT / "bad_several.npz", a=single, b=single)
    long = pd.DataFrame({"row": [0, 5, 5], "atom": [1, 2, 2], "value": [1.0, 2.0, 0.5]})
    long.to_parquet(OUT / "bad_twice.parquet")
    long.assign(row=[0, 5, N]).to_parquet(OUT / "bad_row.parquet")
    long.assign(row=[0, 5, -1]).to_parquet(OUT / "bad_negative.parquet")
    long.assign(atom=[0, 5, F]).to_parquet(OUT / "bad_atom.parquet")
    long.assign(value=[0.5, None, 1]).to_parquet(OUT / "bad_missing.parquet")
    long.assign(atom=["1", "2", "3"]).to_parquet(OUT / "bad_text.parquet")
    long.rename(columns={"atom": "feature"}).to_parquet(OUT / "bad_names.parquet")


def main():
    OUT.mkdir(exist_ok=True)
    dense = matrix()
    calls(OUT / "calls.csv")
    good(dense)
    save_file({"top_indices": np.zeros((N, 0), "<i8"), "top_acts": np.zeros((N, 0), "<f4")}, OUT / "k0.safetensors")
    atoms = ones(dense)
    bad(dense)
    rows = [[[int(a), row[a]] for a in np.flatnonzero(row)] for row in dense]
    fires = [[[int(a), 1.0] for a in row] for row in atoms]
    (OUT / "rows.json").write_text(json.dumps({"atoms": F, "rows": rows, "fires": fires}) + "\n")


if __name__ == "__main__":
    main()
