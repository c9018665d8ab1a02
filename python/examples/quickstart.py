"""Simulate a cohort, analyze it, look at what is found."""

from __future__ import annotations

import tempfile

import numpy as np

import atomscope as ats


def main() -> None:
    """Find the planted atoms."""
    x, sae, calls, truth = ats.simulate(rows=3000, d_in=64, d_sae=256, k=8, seed=1)
    res: ats.Results = ats.analyze(x, sae, calls, permutations=200, bootstrap=0)
    print(res)

    strongest: ats.Table = res.top(5, by="maxt_p", lean="fp")
    print(strongest)
    print(strongest.describe("maxt_p"))

    atom = int(strongest["atom"][0])
    on: ats.Table = res.investigate(atom, n=10)
    print(on)
    print(f"{len(truth['planted'])} atoms were planted")

    acts: ats.Activations = sae.encode(x[:10])
    indices = np.asarray(acts.top_indices)
    assert indices.shape == (10, 8)

    with tempfile.TemporaryDirectory() as folder:
        res.write(folder)


if __name__ == "__main__":
    main()
