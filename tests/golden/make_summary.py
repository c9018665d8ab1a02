"""Writes tests/golden/summary/simulated.txt: the summary's lines, worked out from atoms.tsv with pandas.

    atomscope simulate --out sim --rows 3000 --input-dim 32 --features 256 --k 8 --seed 1
    atomscope analyze --embeddings sim/embeddings.pt --model sim/sae.pt --out results --permutations 500
    python tests/golden/make_summary.py results > tests/golden/summary/simulated.txt

The number of strata is run.json's, since atoms.tsv has none for the whole cohort. The cohort has no
near-duplicates, several datasets and no displacement, so the lines that would tell of them are not here.
"""

import json
import sys
from pathlib import Path

import pandas as pd

results = Path(sys.argv[1])
atoms = pd.read_csv(results / "atoms.tsv", sep="\t", comment="#").sort_values("rank")
strata = json.loads((results / "run.json").read_text())["tables"]["strata"]


def three(x):
    return f"{x:#.3g}"


def strongest(side):
    of_side = held[(held.cmh_or > 1) == side].head(3)
    texts = [
        f"atom {row.atom} ({three(row.cmh_or)}; {100 * row.precision:.1f} %)" for row in of_side.itertuples()
    ]
    return of_side.atom.iloc[0], ", ".join(texts)


tp, fp = [int((atoms[f"{label}_on"] + atoms[f"{label}_off"]).iloc[0]) for label in ("tp", "fp")]
held = atoms[atoms.maxt_p < 0.05]
called = atoms[atoms.fdr_bh < 0.05]
true_atom, true_text = strongest(True)
false_atom, false_text = strongest(False)
figures = "odds ratio within strata; share of true calls"
confounded = int(called.confounded.astype(bool).sum())
print(" Summary: what holds")
print("=" * 50)
print(f"{tp + fp} calls: {tp} true (TP) and {fp} false (FP).")
print(f"{strata} strata, by SV type, size and dataset: calls are compared within them.")
print(
    f"{len(atoms)} atoms (SAE features), of which {int(atoms.tested.sum())} can be tested (they fire on at "
    "least 5 calls)."
)
print(
    f"{len(held)} atoms lean to true or to false calls within strata, with 95 % confidence none of them by "
    "chance (max-T)."
)
print(f"{int((atoms.cmh_fdr_bh < 0.05).sum())} atoms do so at a false discovery rate of 5 % (Benjamini-Hochberg).")
print(
    f"{len(called)} atoms lean on all calls at once at that rate; {int((called.cmh_fdr_bh < 0.05).sum())} of "
    "these hold within strata."
)
print(f"Strongest to true calls ({figures}): {true_text}.")
print(f"Strongest to false calls ({figures}): {false_text}.")
print(
    f"Biggest caution: {confounded} of the {len(called)} atoms called on all calls at once is confounded: the "
    "association goes away within strata."
)
print(
    f"Look next: the calls on which the strongest fire (investigate --atom {true_atom},{false_atom}); whether "
    "they replicate (--replicate dataset); all atoms (atoms.tsv)."
)
