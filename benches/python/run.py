#!/usr/bin/env python3
"""What the Python package costs, in one process and on the same arrays: beside the notebook's cells,
beside torch's product and top-k, over the engine's own time, and to hand tables to pandas.

    pip install ./python torch pandas scipy statsmodels
    python benches/python/run.py --delly-mims FOLDER

Runs alternate, and medians are shown. Each answer is checked before its time counts.
"""

import argparse
import contextlib
import io
import pathlib
import statistics
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "compare"))
warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
import torch  # noqa: E402

import atomscope as ats  # noqa: E402


def timed(work):
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def alternate(rounds, *works):
    """The medians of several pieces of work, one after another in each round, and what they found last."""
    seconds = [[] for _ in works]
    found = [None] * len(works)
    for _ in range(rounds):
        for number, work in enumerate(works):
            taken, found[number] = timed(work)
            seconds[number].append(taken)
    return [statistics.median(each) for each in seconds], found


def notebooks_cells(folder, rounds):
    import notebook

    package = torch.load(folder / "data/processed/sae_sv_embeddings.pt")
    saved = torch.load(next(folder.rglob("sae.pt")))
    config, state = saved["config"], saved["model_state_dict"]
    mean = torch.as_tensor(config.get("μ", config.get("mu"))).view(1, -1).float()
    divisor = torch.as_tensor(config.get("σ", config.get("std"))).view(1, -1).float() + 1e-6
    embeddings, calls = package["embeddings"].float(), package["sv_info"]
    module = notebook.Autoencoder(int(config["input_dim"]), int(config["feature_dim"]))
    module.load_state_dict(state, strict=False)

    def cells():
        with contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
            acts, indicator, _ = notebook.notebook_sets((embeddings - mean) / divisor, module.encoder, int(config["k"]))
            labels = notebook.labels_of(calls, "cpu")
            table, _ = notebook.bias_statistics(indicator, labels)
            notebook.show_bias(table)
            by_type = notebook.type_bias(table, calls, acts)
            notebook.investigate(table, calls, acts, labels)
            notebook.coactivation(table, acts)
            notebook.summarize(table, by_type)
            return table

    sae = ats.SAE.from_state_dict(saved)

    def ours():
        found = ats.analyze(embeddings, sae, calls, tables="notebook")
        return found.report, found.notebook.to_pandas()

    (theirs, mine), (expected, (_, table)) = alternate(rounds, cells, ours)
    assert list(expected["TP_on"]) == list(table["TP_on"])
    print(f"notebook's cells on {len(calls)} calls: {theirs:.2f} s; analyze(tables='notebook'): {mine:.3f} s; {theirs / mine:.1f} times")


def against_torch(rounds, rows, dim, atoms, k):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, dim)).astype(np.float32)
    weight = (rng.normal(size=(atoms, dim)) / np.sqrt(dim)).astype(np.float32)
    bias = np.zeros(atoms, dtype=np.float32)
    sae = ats.SAE.from_state_dict({"encoder.weight": weight, "encoder.bias": bias}, k=k, mean=0.0, std=1.0)
    calls = {"truvari_class": ["TP", "FP"] * (rows // 2)}
    read = ats.Calls(calls)
    tensor, linear = torch.from_numpy(x), torch.from_numpy(weight).T.contiguous()
    labels = torch.tensor([1, 0] * (rows // 2))

    def theirs():
        counts = torch.zeros(2, atoms, dtype=torch.int64)
        for start in range(0, rows, 4096):
            scores = tensor[start : start + 4096] @ linear
            fires = torch.topk(scores, k, dim=1).indices
            for label in (0, 1):
                of = fires[labels[start : start + 4096] == label].flatten()
                counts[label] += torch.bincount(of, minlength=atoms)
        return counts

    inner = []

    def encode():
        return ats.analyze(x, sae, read, tables="notebook", strata=None).run["encode"]["seconds"]

    def whole():
        return sae.encode(x)

    (of_torch, of_encode), (_, found) = alternate(rounds, theirs, whole)
    assert found.top_indices.shape == (rows, k)
    print(f"{rows} x {dim} -> {atoms}, k = {k}: torch {rows / of_torch:.0f} rows/s, encode {rows / of_encode:.0f} rows/s, {of_torch / of_encode:.2f} times")
    for _ in range(rounds):
        taken, engine = timed(encode)
        inner.append((taken, engine))
    of_engine = statistics.median(engine for _, engine in inner)
    print(f"engine alone {of_engine:.3f} s, sae.encode {of_encode:.3f} s: {100 * (of_encode / of_engine - 1):.1f} % over it")


def to_pandas(rounds, atoms):
    cohort = ats.simulate(2000, 32, atoms, 16, seed=1)
    found = ats.analyze(cohort.x, cohort.sae, cohort.calls, permutations=0, bootstrap=0)
    table = found.atoms
    (seconds,), (frame,) = alternate(rounds, table.to_pandas)
    assert frame.shape == table.shape
    print(f"{len(table)} atoms, {len(table.columns)} columns to pandas: {1e3 * seconds:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delly-mims", type=pathlib.Path, help="the folder of real calls")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"atomscope {ats.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    if options.delly_mims:
        notebooks_cells(options.delly_mims, options.rounds)
    against_torch(options.rounds, 20_000, 4096, 4096, 64)
    to_pandas(options.rounds, 65_536)


if __name__ == "__main__":
    main()
