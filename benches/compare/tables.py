"""The notebook's tables from counts, each in a few calls of numpy: the expert's way."""

import csv
import json

import numpy as np
from scipy.special import chdtrc

COLUMNS = ["atom", "TP_on", "FP_on", "TP_off", "FP_off", "odds", "support", "p", "fdr_corrected",
           "significant"]


def adjusted(p):
    """Benjamini-Hochberg."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * (len(p) / np.arange(1, len(p) + 1))
    result = np.empty_like(p)
    result[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return result


def chi_squared(on, off):
    """p of every table [[TP on, FP on], [TP off, FP off]] [2, A], without continuity correction."""
    seen = np.stack([on, off]).astype(np.float64)
    rows, columns = seen.sum(axis=1, keepdims=True), seen.sum(axis=0, keepdims=True)
    expected = rows * columns / seen.sum(axis=(0, 1))
    return chdtrc(1, ((seen - expected) ** 2 / expected).sum(axis=(0, 1)))


def bias(counts, totals, least=5):
    """Columns of the table of atoms. counts [2, F] and totals [2] are of true and false calls."""
    support = counts.sum(axis=0)
    # A test with an expected count of zero is none: the atom is left out.
    atoms = np.flatnonzero((support >= least) & (support < totals.sum()) & (totals.min() > 0))
    on, off = counts[:, atoms], totals[:, None] - counts[:, atoms]
    p = chi_squared(on, off)
    corrected = adjusted(p)
    odds = on[0] * off[1] / np.maximum(1, on[1] * off[0])
    values = [atoms, on[0], on[1], off[0], off[1], odds, support[atoms], p, corrected,
              corrected < 0.05]
    return dict(zip(COLUMNS, values))


def largest(numbers, n):
    """Places of the n largest; of equal ones the first."""
    return np.argsort(-numbers, kind="stable")[:n]


def row(table, place, columns=COLUMNS):
    """One atom's row, of Python's own numbers."""
    return {name: table[name][place].item() for name in columns}


def rows(table, places, columns=COLUMNS):
    return [row(table, place, columns) for place in places]


def types(table, inserted, least=10):
    """Insertions against all else, for atoms that fire often enough; inserted [F] counts them."""
    ins, total = inserted[table["atom"]], table["support"]
    often = np.flatnonzero(total >= least)
    rate = ins[often] / total[often]
    return {"atom": table["atom"][often], "ins_count": ins[often],
            "del_count": (total - ins)[often], "ins_rate": rate, "bias_score": rate - 0.5}


def pairs(acts, atoms, features, least=5):
    """On how many rows two of the atoms fire, for every pair with at least `least`."""
    unique, at = np.unique(atoms, return_inverse=True)
    place = np.full(features, len(unique), dtype=np.int64)
    place[unique] = np.arange(len(unique))
    row, column = np.nonzero((place < len(unique))[acts])
    fires = np.zeros((len(acts), len(unique)), dtype=np.float32)
    fires[row, place[acts[row, column]]] = 1  # sums of ones: exact below 2^24 calls
    together = (fires.T @ fires).astype(np.int64)
    found = {}
    for i, one in enumerate(atoms):
        for j in range(i + 1, len(atoms)):
            count = int(together[at[i], at[j]])
            if count >= least:
                found[(int(one), int(atoms[j]))] = count
    return found


def support_summary(support):
    return {"mean": support.mean(), "50%": np.median(support), "min": support.min(),
            "max": support.max()}


def save(table, top, low, out):
    with open(out / "sae_feature_bias_analysis.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(zip(*(table[name].tolist() for name in COLUMNS)))
    columns = ["atom", "odds", "support", "TP_on", "FP_on"]
    best = {"top_tp_biased": rows(table, top, columns), "top_fp_biased": rows(table, low, columns)}
    (out / "top_biased_features.json").write_text(json.dumps(best, indent=2))
