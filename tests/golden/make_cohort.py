"""Makes tests/golden/cohort/: a small cohort and SAE as torch saves them, and what the notebook
itself prints and writes on them.

Run with torch, numpy, pandas, scipy and statsmodels installed, from the repository's root:

    python tests/golden/make_cohort.py --notebook notebook.txt

The folder is laid out as the notebook expects it: data/processed/sae_sv_embeddings.pt,
data/models/BEST_MODEL.json, data/models/24to72_k6/sae.pt; and expected/: notebook_stdout.txt,
sae_feature_bias_analysis.csv, top_biased_features.json, and fires.npy, uint16 [N, k], each row the
firing set in ascending order, scored in binary64 by torch.
"""

import argparse
import json
import math
import pathlib
import random
import shutil

import numpy as np
import torch

from make_notebook import call, cells, run_cells

HERE = pathlib.Path(__file__).parent
ROOT = HERE / "cohort"
N, D, F, K = 420, 24, 72, 6


def calls(rng):
    """Calls of three types, some without a field, of classes as benchmarks name them."""
    made = []
    for number in range(N):
        label = rng.choice(["TP", "TP", "tp_comp_vcf", "FP", "fp_vcf"])
        svtype = rng.choice(["DEL", "DEL", "INS", "INS", "DUP"])
        fields = {"id": f"{svtype}{number:05}"}
        if number % 41 == 7:
            fields["svlen"] = ...
        if number % 53 == 9:
            fields["chrom"] = ...
        made.append(call(rng, label, svtype, **fields))
    return made


def embed(info, generator):
    """Correlated numbers that know a little of label, type and size, of unlike scales."""
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)
    true = torch.tensor([sv["truvari_class"] in ("TP", "tp_comp_vcf") for sv in info]).double()
    insertion = torch.tensor([sv["svtype"] == "INS" for sv in info]).double()
    size = torch.tensor([math.log10(abs(sv.get("svlen", 100))) for sv in info]).double()
    known = torch.stack([true, insertion, size], 1)
    mixed = draw(N, 8) @ draw(8, D) + draw(N, D) + known @ draw(3, D)
    return (mixed * torch.logspace(-2, 2, D) + draw(D)).float()


def binary64_sets(embeddings, config, weights):
    """The firing sets, and the smallest gap between the last that fires and the next."""
    x = (embeddings - config["μ"]) / (config["σ"] + 1e-6)
    scores = x.double() @ weights["encoder.weight"].double().T + weights["encoder.bias"].double()
    values, atoms = torch.topk(scores, K + 1, dim=-1)
    gap = (values[:, K - 1] - values[:, K]).min().item()
    return np.sort(atoms[:, :K].numpy(), 1).astype(np.uint16), gap


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--notebook", required=True)
    code = cells(parser.parse_args().notebook)
    shutil.rmtree(ROOT, ignore_errors=True)
    model = ROOT / "data/models/24to72_k6"
    for folder in (ROOT / "data/processed", model, ROOT / "work", ROOT / "expected"):
        folder.mkdir(parents=True)
    generator = torch.Generator().manual_seed(5)
    info = calls(random.Random(5))
    embeddings = embed(info, generator)
    config = {"input_dim": D, "feature_dim": F, "k": K,
              "μ": embeddings.mean(0), "σ": embeddings.std(0)}
    directions = torch.randn(F, D, generator=generator)
    weights = {"encoder.weight": directions / directions.norm(dim=1, keepdim=True),
               "encoder.bias": 0.05 * torch.randn(F, generator=generator)}
    weights["decoder.weight"] = weights["encoder.weight"].T.contiguous()
    torch.save({"embeddings": embeddings, "sv_info": info},
               ROOT / "data/processed/sae_sv_embeddings.pt")
    torch.save({"config": config, "model_state_dict": weights}, model / "sae.pt")
    best = json.dumps({"best_dir": "../data/models/24to72_k6"}, indent=2)
    (ROOT / "data/models/BEST_MODEL.json").write_text(best)

    sets, gap = binary64_sets(embeddings, config, weights)
    assert gap > 1e-5, f"the notebook's binary32 may differ: the gap is {gap}"
    np.save(ROOT / "expected/fires.npy", sets)
    printed, names, crash = run_cells(code, ROOT)
    assert crash is None, crash
    assert (np.sort(names["acts"].numpy(), 1) == sets).all()
    (ROOT / "expected/notebook_stdout.txt").write_text(printed)
    for name in ("sae_feature_bias_analysis.csv", "top_biased_features.json"):
        (ROOT / "data/models" / name).rename(ROOT / "expected" / name)
    (ROOT / "work").rmdir()


if __name__ == "__main__":
    main()
