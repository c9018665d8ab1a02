"""An SAE with thresholds as an expert writes it in torch, in binary32: linear, compare, count.

The folder has `weight` [F, D], `bias` [F], `threshold` [F] and `rows` [N, D] as raw binary32. Each
line on stdin asks for a pass over all rows; the answer is its seconds and the number of firings.
"""

import pathlib
import sys
import time

import numpy as np
import torch


def numbers(folder, name):
    return torch.from_numpy(np.fromfile(folder / name, dtype=np.float32))


def by_sum(fires, counts):
    counts += fires.sum(0)


def by_places(fires, counts):
    counts += torch.bincount(fires.nonzero()[:, 1], minlength=len(counts))


def one_pass(rows, weight, bias, threshold, chunk, count):
    """Seconds, and on how many rows each feature fires."""
    counts = torch.zeros(len(bias), dtype=torch.int64)
    began = time.perf_counter()
    for first in range(0, len(rows), chunk):
        scores = torch.nn.functional.linear(rows[first:first + chunk], weight, bias)
        count(scores > threshold, counts)
    return time.perf_counter() - began, counts


def main():
    folder = pathlib.Path(sys.argv[1])
    bias, threshold = numbers(folder, "bias"), numbers(folder, "threshold")
    weight = numbers(folder, "weight").view(len(bias), -1)
    rows = numbers(folder, "rows").view(-1, weight.shape[1])
    model = (weight, bias, threshold)
    ways = [(chunk, count) for chunk in (128, 512, 2048) for count in (by_sum, by_places)]
    few = rows[:2048]
    one_pass(few, *model, *ways[0])
    seconds = {way: one_pass(few, *model, *way)[0] for way in ways}
    chunk, count = min(seconds, key=seconds.get)
    print(f"{torch.__version__}, {torch.get_num_threads()} threads, rows in chunks of {chunk}, "
          f"counted {count.__name__}", flush=True)
    for _ in sys.stdin:
        seconds, counts = one_pass(rows, *model, chunk, count)
        # Threads that wait for more work must not take time from whoever is next.
        time.sleep(0.5)
        print(seconds, int(counts.sum()), flush=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
