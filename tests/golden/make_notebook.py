"""Makes tests/golden/notebook/: what the notebook itself prints and writes on small cohorts.

Run with torch, numpy, pandas, scipy and statsmodels installed, from the repository's root:

    python tests/golden/make_notebook.py --notebook notebook.txt

The notebook's cells are executed as they stand, from a temporary folder that has the files they
load. The embeddings are built so that the k largest scores are those of a chosen set, far apart:
the encoder is the identity, and a chosen feature's score exceeds every other by at least 1.

Each case is a folder: input.json (calls, firing sets, features), stdout.txt (from the bias
landscape to the end of the summary), analysis.csv, top.json; or, where the notebook raises,
crash.txt with the exception's name and what it had printed of its landscape. A field that a call
lacks is absent from its object; a null is a Python None.
"""

import argparse
import contextlib
import io
import json
import os
import pathlib
import random
import re
import shutil
import tempfile

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
FIRST, AFTER = " SAE Feature Bias Landscape\n", "\n Results saved to"


def cells(path):
    """The notebook's code cells, as text."""
    return re.split(r"^In \[[^\]]*\]:\n", pathlib.Path(path).read_text(), flags=re.M)[1:]


def save_inputs(root, case):
    """The files that the notebook loads, under root/data."""
    features = case["feature_dim"]
    scores = torch.zeros(len(case["calls"]), features)
    scores -= torch.arange(features) + 1.0
    for row, atoms in enumerate(case["fires"]):
        for rank, atom in enumerate(atoms):
            scores[row, atom] = 1000.0 + rank
    (root / "data/processed").mkdir(parents=True)
    (root / "data/models/sae").mkdir(parents=True)
    (root / "work").mkdir()
    torch.save({"embeddings": scores, "sv_info": case["calls"]},
               root / "data/processed/sae_sv_embeddings.pt")
    config = {"input_dim": features, "feature_dim": features, "k": case["k"],
              "mu": torch.zeros(features), "std": torch.ones(features)}
    weights = {"encoder.weight": torch.eye(features), "encoder.bias": torch.zeros(features),
               "decoder.weight": torch.zeros(features, features)}
    torch.save({"config": config, "model_state_dict": weights}, root / "data/models/sae/sae.pt")
    (root / "data/models/BEST_MODEL.json").write_text(json.dumps({"best_dir": "../data/models/sae"}))


def run_cells(code, root):
    """What the notebook prints in root/work, its names, and the exception's name, if any."""
    home = os.getcwd()
    out, crash, names = io.StringIO(), None, {}
    try:
        os.chdir(root / "work")
        with contextlib.redirect_stdout(out):
            for number, cell in enumerate(code):
                exec(compile(cell, f"cell {number}", "exec"), names)
    except Exception as error:  # whatever it is, it is the notebook's answer
        crash = type(error).__name__
    finally:
        os.chdir(home)
    return out.getvalue(), names, crash


def run_notebook(code, case):
    """What it printed, the folder's outputs, and the exception's name, if any."""
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        save_inputs(root, case)
        printed, names, crash = run_cells(code, root)
        fires = [sorted(row) for row in names["acts"].tolist()]
        assert fires == case["fires"], "the chosen sets did not fire"
        results = root / "data/models"
        files = {name: (results / name).read_text() for name in
                 ("sae_feature_bias_analysis.csv", "top_biased_features.json")
                 if (results / name).exists()}
        return printed, files, crash


def call(rng, label, svtype, **fields):
    """A call with plausible fields; those that are given as ... are left out."""
    length = int(50 * 10 ** rng.uniform(0, 2.5))
    made = {
        "chrom": f"chr{rng.randint(1, 22)}",
        "pos": rng.randint(10_000, 240_000_000),
        "svtype": svtype,
        "svlen": -length if svtype == "DEL" else length,
        "truvari_class": label,
        "dataset": rng.choice(["HG002-a", "HG005-b", "HG005-b"]),
    }
    made.update(fields)
    return {key: value for key, value in made.items() if value is not ...}


def lean(rng, features, k, wanted):
    """k atoms, those of wanted first (as many as fit), the others at random."""
    chosen = sorted(set(wanted))[:k]
    rest = [atom for atom in range(features) if atom not in chosen]
    return sorted(chosen + rng.sample(rest, k - len(chosen)))


def make(features, k, calls, fires):
    return {"feature_dim": features, "k": k, "calls": calls, "fires": fires}


def mixed(seed, rows, features, k, types=("DEL", "INS"), classes=("TP", "tp_comp_vcf", "fp")):
    """Atoms that lean to labels and types; the first few never miss or never see a label."""
    rng = random.Random(seed)
    calls, fires = [], []
    for _ in range(rows):
        label, svtype = rng.choice(classes), rng.choice(types)
        true = label in ("TP", "tp_comp_vcf")
        wanted = [0] if true else [1]
        if svtype == "INS":
            wanted += [2, 3]
        if rng.random() < 0.4:
            wanted += [4, 5] if true else [6, 7]
        calls.append(call(rng, label, svtype))
        fires.append(lean(rng, features, k, wanted))
    return make(features, k, calls, fires)


def ties():
    """Pairs of atoms that always fire together: equal odds, p-values, scores and counts."""
    case = mixed(11, 60, 12, 3)
    fires = [sorted({2 * atom for atom in row} | {2 * atom + 1 for atom in row})
             for row in case["fires"]]
    return make(24, 6, case["calls"], fires)


def missing_fields():
    case = mixed(12, 40, 16, 4)
    for row, sv in enumerate(case["calls"]):
        for at, key in enumerate(("chrom", "svtype", "pos", "svlen", "dataset", "truvari_class")):
            if (row + at) % 7 == 0:
                del sv[key]
        if row % 11 == 3:
            sv["svtype"] = "UNK"  # counted together with those that have none
        if row % 13 == 5:
            sv["chrom"], sv["dataset"] = "unknown", "unknown"
    return case


def none_types():
    """None as a type, late enough to stay out of the examples, which cannot print it."""
    case = mixed(13, 60, 14, 4)
    for sv in case["calls"][45:]:
        sv["svtype"] = None
    return case


def float_sizes():
    case = mixed(14, 50, 14, 4)
    rng = random.Random(98)
    for row, sv in enumerate(case["calls"]):
        if row % 4:
            sv["svlen"] = rng.choice([59.0, 59.0, 60.5, -313.0, 0.0, 1234.5678, 1e16, 2.5, 0.00005])
        if row % 5 == 0:
            sv["pos"] = float(sv["pos"])
    return case


def no_sizes():
    case = mixed(15, 40, 10, 3)
    for sv in case["calls"]:
        sv["svlen"] = -abs(sv["svlen"]) if sv["pos"] % 2 else 0
    return case


def exactly_five():
    """Atom 0 fires 5 times, atom 1 four times, atom 2 ten times, atom 3 nine."""
    rng = random.Random(16)
    calls, fires = [], []
    for row in range(40):
        calls.append(call(rng, "TP" if row % 3 else "FP", "INS" if row % 4 == 0 else "DEL"))
        wanted = [atom for atom, times in enumerate((5, 4, 10, 9)) if row < times]
        rest = rng.sample(range(4, 12), 4 - len(wanted))
        fires.append(sorted(wanted + rest))
    return make(12, 4, calls, fires)


def none_often_enough_for_types():
    """Both types, but no atom with 10 activations: the table of types has a head only."""
    rng = random.Random(17)
    calls = [call(rng, "TP" if row % 2 else "FP", "INS" if row % 3 else "DEL") for row in range(24)]
    fires = [sorted([row % 3, 3 + (row * 5) % 4]) for row in range(24)]
    return make(7, 2, calls, fires)


def everywhere():
    """Atom 2 fires on every call: its expected counts are zero, and it is left out."""
    case = mixed(18, 50, 13, 3)
    fires = [lean(random.Random(row), 13, 4, [2, *atoms]) for row, atoms in enumerate(case["fires"])]
    for row, atoms in enumerate(fires):
        assert 2 in atoms, row
    return make(13, 4, case["calls"], fires)


def many_types():
    case = mixed(19, 70, 20, 5, types=("DEL", "DEL", "INS", "DUP", "INV", "BND"))
    for row, sv in enumerate(case["calls"]):
        sv["dataset"] = f"set-{(row * 7) % 5}"
        sv["chrom"] = ["chr1", "chrX", "chrUn_KI270742v1", "émile", "22"][row % 5]
    return case


def balanced():
    """Every atom fires as often on true as on false calls: all odds are 1, both lists empty."""
    rng = random.Random(23)
    calls, fires = [], []
    for row in range(72):
        calls.append(call(rng, "TP" if row % 2 else "FP", "DUP" if row % 3 else "DEL"))
        fires.append([row // 2 % 12])
    return make(12, 1, calls, fires)


def apart():
    """One atom a call, and thirty of them: no two fire together."""
    rng = random.Random(24)
    calls, fires = [], []
    for row in range(150):
        atom = row % 30
        calls.append(call(rng, "TP" if rng.random() < (atom + 1) / 31 else "FP", "DEL"))
        fires.append([atom])
    return make(30, 1, calls, fires)


def one_class(label):
    return mixed(21, 30, 10, 3, classes=(label,))


def low_support():
    rng = random.Random(22)
    calls = [call(rng, "TP" if row % 2 else "FP", "DEL") for row in range(12)]
    return make(36, 3, calls, [[row, 12 + row, 24 + row] for row in range(12)])


CASES = {
    "mixed": lambda: mixed(1, 90, 40, 6),
    "few_atoms": lambda: mixed(2, 40, 7, 3),
    "three_atoms": lambda: mixed(3, 60, 3, 1),
    "ties": ties,
    "missing_fields": missing_fields,
    "none_types": none_types,
    "only_ins": lambda: mixed(5, 50, 18, 4, types=("INS",)),
    "float_sizes": float_sizes,
    "no_sizes": no_sizes,
    "exactly_five": exactly_five,
    "no_types_compared": none_often_enough_for_types,
    "everywhere": everywhere,
    "many_types": many_types,
    "balanced": balanced,
    "apart": apart,
    "strong": lambda: mixed(6, 130, 9, 2),
    "all_tp": lambda: one_class("TP"),
    "all_fp": lambda: one_class("FP"),
    "low_support": low_support,
}


def write_case(folder, case, printed, files, crash):
    folder.mkdir(parents=True)
    lines = {"feature_dim": case["feature_dim"], "k": case["k"]}
    body = "".join(f' "{key}": {value},\n' for key, value in lines.items())
    for key in ("calls", "fires"):
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in case[key])
        body += f' "{key}": [\n{rows}\n]{"," if key == "calls" else ""}\n'
    (folder / "input.json").write_text("{\n" + body + "}\n")
    if crash:
        start = printed.find(FIRST)
        (folder / "crash.txt").write_text(f"{crash}\n" + (printed[start:] if start >= 0 else ""))
        return
    (folder / "stdout.txt").write_text(printed[printed.index(FIRST):printed.index(AFTER)])
    (folder / "analysis.csv").write_text(files["sae_feature_bias_analysis.csv"])
    (folder / "top.json").write_text(files["top_biased_features.json"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--notebook", required=True)
    options = parser.parse_args()
    code = cells(options.notebook)
    shutil.rmtree(HERE / "notebook", ignore_errors=True)
    for name, build in CASES.items():
        case = build()
        printed, files, crash = run_notebook(code, case)
        write_case(HERE / "notebook" / name, case, printed, files, crash)
        print(f"{name}: {crash or 'ok'}")


if __name__ == "__main__":
    main()
