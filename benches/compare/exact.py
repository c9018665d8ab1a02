#!/usr/bin/env python3
"""How many rows of a cohort have another firing set than the definition in binary64 gives: for each
file of firing sets that is named. The cohort is read in chunks."""

import numpy as np
import torch

import program
from definition import Definition

# Scores of a chunk take 8 bytes a number: at most about this many bytes, and few enough rows.
SCORE_BYTES, MOST_ROWS = 1 << 28, 4096


def definition_of(path, device):
    saved = torch.load(path, map_location="cpu", mmap=True)
    weights = saved["model_state_dict"]
    mean, divisor = program.whitening(torch, saved["config"])
    weight = weights["encoder.weight"].float().to(device)
    k = min(int(saved["config"]["k"]), len(weight))
    return Definition(weight, weights["encoder.bias"].float().to(device), mean.to(device),
                      divisor.to(device), k)


def named(text):
    name, _, path = text.partition("=")
    return name, path


def main():
    parser = program.parser(__doc__.split("\n")[0])
    parser.add_argument("--fires", action="append", type=named, default=[], metavar="NAME=FILE")
    options = parser.parse_args()
    device = program.device_named(torch, options.device)
    watch = program.watch_for(torch, device, options.started)
    watch.lap("start_and_imports")
    definition = definition_of(options.model, device)
    embeddings = torch.load(options.embeddings, map_location="cpu", mmap=True)["embeddings"]
    fires = {name: np.load(path, mmap_mode="r") for name, path in options.fires}
    for name, sets in fires.items():
        assert sets.shape == (len(embeddings), definition.k), f"{name}: {sets.shape}"
    differ, close = {name: 0 for name in fires}, 0
    chunk = max(1, min(MOST_ROWS, SCORE_BYTES // (8 * definition.features)))
    watch.lap("read")
    with torch.no_grad():
        for first in range(0, len(embeddings), chunk):
            part = slice(first, first + chunk)
            sets, settled = definition.sets(embeddings[part].to(device).float())
            close += settled
            for name, theirs in fires.items():
                differ[name] += int((theirs[part] != sets).any(axis=1).sum())
    watch.lap("compare")
    program.write_report(torch, options.out, device, seconds=watch.seconds, rows=len(embeddings),
                         rows_differ=differ, rows_settled_canonically=close)


if __name__ == "__main__":
    main()
