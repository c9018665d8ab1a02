#!/usr/bin/env python3
"""What atomscope's GPU engine is compared with: torch on the same device, embeddings and model
resident there. Prints a JSON object a line.

vectorised  whitening, fp32 linear (TF32 off), topk, and one bincount over label x atom, in chunks.
notebook    the notebook's own computation with mu and sigma moved to the device: the firing sets,
            its loop over atoms for counts by label, its loop over atoms for counts by type.
            Its statistical tests are timed beside these where scipy is there, and not counted,
            since the engine's time has none either.

Without a GPU, or without torch, it says so and does nothing.

    python3 benches/gpu/torch_compare.py [--small] [--features 4096,32768] [--seconds 60]

With --open-pairs it needs no GPU, and says how many atoms a row the bound of a binary16 screen
leaves open on Gaussian data, for several gammas: src/engine/cuda/margin.rs in binary64.
"""

import argparse
import json
import math
import pathlib
import sys
import time

# The passes themselves stand in benches/compare, which times them on files.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "compare"))


def say(**line):
    print(json.dumps(line), flush=True)


def skip(reason):
    say(mode="torch", skipped=reason)
    sys.exit(0)


try:
    import torch
except Exception as error:  # whatever an installation can raise
    skip(f"torch cannot be imported: {type(error).__name__}: {error}")

import passes  # noqa: E402  it imports torch


def clock(device):
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def timed(device, work):
    began = clock(device)
    result = work()
    return clock(device) - began, result


class Problem:
    """A random model and rows, on the device."""

    def __init__(self, device, rows, dim, features, k):
        self.device, self.rows, self.dim, self.features, self.k = device, rows, dim, features, k
        random = torch.Generator(device=device)
        random.manual_seed(1)

        def normal(*shape):
            return torch.randn(*shape, generator=random, device=device)

        self.weight = normal(features, dim) / dim**0.5
        self.bias = 0.1 * normal(features)
        self.mean = 0.1 * normal(1, dim)
        self.divisor = (1.0 + 0.05 * normal(1, dim)).clamp(min=0.5) + 1e-6
        self.embeddings = normal(rows, dim)
        place = torch.arange(rows, device=device)
        self.labels = place % 3 == 0
        self.inserted = place % 5 < 2


def vectorised(p, chunk):
    """Counts [2, F] by label."""
    counts = torch.zeros(2, p.features, dtype=torch.int64, device=p.device)
    passes.expert_counts(p.embeddings, p.labels.to(torch.int64), counts, p, chunk)
    return counts


def notebook_encode(p):
    """The notebook's cell: all rows at once, an indicator matrix."""
    x = (p.embeddings - p.mean) / p.divisor
    acts, indicator, _ = passes.notebook_sets(
        x, lambda x: torch.nn.functional.linear(x, p.weight, p.bias), p.k)
    return acts, indicator


def notebook_labels(p, indicator, atoms):
    return [passes.notebook_label_counts(indicator, p.labels, atom) for atom in atoms]


def notebook_types(p, acts, atoms):
    return [passes.notebook_type_counts(acts, p.inserted, atom) for atom in atoms]


def notebook_tests(p, counts):
    """The chi-squared tests, where scipy is there: on the host, one atom at a time."""
    from scipy.stats import chi2_contingency

    tp_total = int(p.labels.sum())
    fp_total = p.rows - tp_total
    for tp_on, fp_on in counts:
        if tp_on + fp_on < 5:
            continue
        try:
            table = [[tp_on, fp_on], [tp_total - tp_on, fp_total - fp_on]]
            chi2_contingency(table, correction=False)
        except ValueError:
            continue


def median(numbers):
    return sorted(numbers)[len(numbers) // 2]


def compare_vectorised(device, sizes, features, deadline):
    p = Problem(device, sizes["rows"], sizes["dim"], features, sizes["k"])
    best = None
    # The chunk that suits torch best, not one of ours.
    for chunk in sizes["chunks"]:
        try:
            vectorised(p, chunk)
            seconds = []
            while len(seconds) < 3 and (not seconds or time.perf_counter() < deadline):
                seconds.append(timed(device, lambda: vectorised(p, chunk))[0])
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            continue
        if best is None or median(seconds) < best[0]:
            best = (median(seconds), chunk, len(seconds))
        if time.perf_counter() > deadline:
            break
    if best is None:
        say(mode="torch_vectorised", features=features, error="no chunk fits the device's memory")
        return
    assert int(vectorised(p, best[1]).sum()) == p.rows * p.k
    say(mode="torch_vectorised", features=features, dim=p.dim, k=p.k, rows=p.rows, chunk=best[1],
        runs=best[2], seconds=best[0], rows_per_second=p.rows / best[0])


def compare_notebook(device, sizes, features, deadline):
    rows = sizes["notebook_rows"][0 if features <= 8192 else 1]
    p = Problem(device, rows, sizes["dim"], features, sizes["k"])
    # Kernels are loaded, and memory is pooled, before anything is timed.
    acts, indicator = notebook_encode(p)
    notebook_labels(p, indicator, range(3))
    notebook_types(p, acts, range(3))
    del acts, indicator
    encode, (acts, indicator) = timed(device, lambda: notebook_encode(p))
    # Every atom costs the same: where time is short a stretch of them stands for all.
    atoms = range(features)
    label_seconds, counts = stretch(device, atoms, deadline, lambda a: notebook_labels(p, indicator, a))
    type_seconds, _ = stretch(device, atoms, deadline, lambda a: notebook_types(p, acts, a))
    line = {
        "mode": "torch_notebook", "features": features, "dim": p.dim, "k": p.k, "rows": rows,
        "encode_seconds": encode, "label_seconds": label_seconds, "type_seconds": type_seconds,
        "atoms_looped": len(counts), "seconds": encode + label_seconds + type_seconds,
    }
    line["rows_per_second"] = rows / line["seconds"]
    try:
        seconds, _ = timed(device, lambda: notebook_tests(p, counts))
        line["test_seconds"] = seconds * features / max(len(counts), 1)
    except ImportError:
        line["test_seconds"] = None
    say(**line)


def stretch(device, atoms, deadline, work):
    """Seconds for all atoms, from as many of them as there is time for, and their results."""
    done, spent, step = [], 0.0, 1024
    while len(done) < len(atoms) and (not done or time.perf_counter() < deadline):
        part = atoms[len(done):len(done) + step]
        seconds, results = timed(device, lambda: work(part))
        spent += seconds
        done += results
    return spent * len(atoms) / len(done), done


def in_half(t):
    """Rounded to binary16 after the largest was scaled into [2^14, 2^15), in binary64."""
    scale = 2.0 ** (math.frexp(t.abs().max().item())[1] - 15)
    return (t / scale).half().double() * scale


def open_pairs(rows, dim, features, k):
    torch.manual_seed(0)
    weight, bias = torch.randn(features, dim) / dim**0.5, 0.1 * torch.randn(features)
    x = torch.randn(rows, dim)
    w_half, x_half = in_half(weight), torch.stack([in_half(row) for row in x])
    scores = x_half @ w_half.T + bias.double()
    error, norm = (x.double() - x_half).norm(dim=1, keepdim=True), x_half.norm(dim=1, keepdim=True)
    whole, lost = weight.double().norm(dim=1), (weight.double() - w_half).norm(dim=1)
    def summed_in_blocks(block):
        return (1.25 * block + 64 + dim // block - 1) * 2**-23

    gammas = [(f"blocks of {block}", summed_in_blocks(block)) for block in (dim, 2048, 1024, 512)]
    for name, gamma in [*gammas, ("256 2^-23", 256 * 2**-23), ("0", 0.0)]:
        spread = lost + gamma * w_half.norm(dim=1) + 8 * 2**-24 * whole
        margin = error * whole + norm * spread
        low, high = scores - margin, scores + margin
        least = low.topk(k, dim=1).values[:, -1:]
        rival = high.topk(k + 1, dim=1).values[:, -1:]
        left = ((high >= least) & (low <= rival)).sum(dim=1).double()
        say(mode="open_pairs", dim=dim, features=features, k=k, rows=rows, gamma=name,
            mean=left.mean().item(), most=int(left.max()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--cpu", action="store_true", help="to try this script without a GPU")
    parser.add_argument("--features", default="4096,32768")
    parser.add_argument("--seconds", type=float, default=60.0, help="about how long it may take")
    parser.add_argument("--open-pairs", action="store_true")
    options = parser.parse_args()
    if options.open_pairs:
        open_pairs(64, 4096, 4096, 64)
        open_pairs(32, 4096, 32_768, 64)
        return 0
    features = [int(f) for f in options.features.split(",")]
    if not options.cpu and not torch.cuda.is_available():
        skip("torch finds no CUDA device")
    device = torch.device("cpu" if options.cpu else "cuda")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")
    if options.small:
        sizes = {"dim": 64, "k": 8, "rows": 512, "chunks": [256], "notebook_rows": [256, 128]}
        features = sorted({min(f, 256) for f in features})
    else:
        sizes = {"dim": 4096, "k": 64, "rows": 131_072, "chunks": [16_384, 4096, 65_536],
                 "notebook_rows": [131_072, 32_768]}
    name = "cpu" if options.cpu else torch.cuda.get_device_name(0)
    say(mode="torch", version=torch.__version__, device=name)
    began, parts = time.perf_counter(), 2 * len(features)
    failed = False
    with torch.no_grad():
        work = [(compare, f) for f in features for compare in (compare_vectorised, compare_notebook)]
        for done, (compare, f) in enumerate(work):
            deadline = began + options.seconds * (done + 1) / parts
            try:
                compare(device, sizes, f, deadline)
            except Exception as error:  # one comparison that fails leaves the others
                failed = True
                say(mode=compare.__name__.replace("compare", "torch"), features=f,
                    error=f"{type(error).__name__}: {error}"[:500])
            if device.type == "cuda":
                torch.cuda.empty_cache()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
