"""Makes tests/golden/evidence/: a cohort of firing sets with scores, and what its tables must hold.

    python tests/golden/make_evidence.py

Needs what reference_tables.py needs.
"""

import json
import pathlib
import warnings

import numpy as np
import pandas as pd

import reference_tables as reference

OUT = pathlib.Path(__file__).parent / "evidence"
CALLS, ATOMS, K = 420, 26, 4
rng = np.random.default_rng(11)
warnings.simplefilter("ignore")


def cohort():
    svtype = rng.choice(["INS", "DEL", "DUP", "BND"], CALLS, p=[0.4, 0.4, 0.12, 0.08])
    svlen = np.round(np.exp(rng.normal(6, 1.5, CALLS))).astype(int) + 30
    svlen = np.where(svtype == "DEL", -svlen, svlen)
    svlen[svtype == "BND"] = 0
    dataset = rng.choice(["s1", "s10", "s2"], CALLS, p=[0.5, 0.3, 0.2])
    chrom = rng.choice(["chr1", "chr2", "chr10", "chrX"], CALLS)
    share = np.select([svtype == "DEL", svtype == "INS"], [0.8, 0.55], 0.35) + 0.1 * (dataset == "s1")
    is_tp = rng.random(CALLS) < share
    sets, scores = [], []
    for call in range(CALLS):
        weight = np.full(ATOMS, 1.0)
        weight[0] = 6.0 if is_tp[call] else 1.0
        weight[1] = 0.2 if is_tp[call] else 5.0
        weight[2] = 9.0 if svtype[call] == "DEL" else 0.3
        weight[3] = 5.0 if abs(svlen[call]) > 700 else 0.4
        weight[4] = 6.0 if chrom[call] == "chrX" else 0.5
        weight[20:24] = 0.03
        weight[24] = 0.0  # never fires
        weight[25] = 1e9  # fires on every call
        chosen = np.sort(rng.choice(ATOMS, K, replace=False, p=weight / weight.sum()))
        sets.append(chosen.tolist())
        # Few values, so that there are ties; some are negative, and some are 0.
        scores.append((np.round(rng.normal(1, 1, K) * 4) / 8 + 0.25 * is_tp[call]).tolist())
    calls = pd.DataFrame({"svtype": svtype, "svlen": svlen, "chrom": chrom, "dataset": dataset, "is_tp": is_tp})
    return calls, sets, scores


def main():
    calls, sets, scores = cohort()
    fires = np.zeros((CALLS, ATOMS), dtype=bool)
    activation = np.zeros((CALLS, ATOMS))
    for call, (chosen, values) in enumerate(zip(sets, scores)):
        fires[call, chosen] = True
        activation[call, chosen] = values
    OUT.mkdir(exist_ok=True)
    given = {"features": ATOMS, "k": K, "calls": calls.to_dict(orient="list"), "sets": sets, "scores": scores}
    (OUT / "cohort.json").write_text(json.dumps(given) + "\n")
    atoms = reference.atoms(calls, fires, activation)
    tables = {"atoms": atoms, "atom_sizes": reference.sizes(calls, fires, atoms.tested)}
    for name, column in [("types", "svtype"), ("chromosomes", "chrom"), ("datasets", "dataset")]:
        tables[f"atom_{name}"] = reference.categories(calls[column], calls, fires, column, 5, name == "types")
    for name, table in tables.items():
        table.to_csv(OUT / f"{name}.tsv", sep="\t", index=False, na_rep="NA")
    print({name: table.shape for name, table in tables.items()})


if __name__ == "__main__":
    main()
