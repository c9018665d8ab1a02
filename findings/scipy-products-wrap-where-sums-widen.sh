#!/usr/bin/env bash
# scipy 1.17.1, numpy 2.4.6
# Which atoms fire on which calls is a matrix of ones, kept as bool or uint8, since that is small. Its
# column sums are how often each atom fires, and X.T @ X is how often two fire together, with those same
# sums on its diagonal. sum() widens to 64 bits, as numpy's does; products do not: they are of the
# matrix's own type, count modulo 256 without a word, and for bool say only that atoms met. So the diagonal
# of X.T @ X is not X.sum(axis=0), and ones @ X is neither.
# Seen: atoms that fire on 300, 256 and 44 calls, and together on 256, 44 and 44. Sums right for both types;
# the product of uint8 has 44, 0, 44 on its diagonal and the pair of 256 calls is no entry that is not 0;
# that of bool has True throughout.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet scipy==1.17.1 numpy==2.4.6
env/bin/python -W error - <<'PYTHON'
import sys

import numpy as np
import scipy.sparse as sparse

calls = np.arange(300)
fires = np.stack([calls < 300, calls < 256, calls < 44], axis=1)
truth = fires.T.astype(int) @ fires.astype(int)
seen = {}
for dtype in (np.uint8, bool):
    x = sparse.csr_array(fires.astype(dtype))
    sums, pairs = x.sum(axis=0), (x.T @ x).toarray()
    alone = (sparse.csr_array(np.ones((1, 300), dtype)) @ x).toarray()[0]
    print(np.dtype(dtype).name, "sums:", sums.tolist(), "| ones @ X:", alone.tolist(), "| X.T @ X:", pairs.tolist(),
          pairs.dtype)
    seen[dtype] = (sums.tolist(), alone.tolist(), pairs.tolist())
print("in whole numbers:", truth.tolist())
right = [300, 256, 44]
same = (
    seen[np.uint8] == (right, [44, 0, 44], (truth % 256).tolist())
    and seen[bool] == (right, [True] * 3, [[True] * 3] * 3)
    and truth.diagonal().tolist() == right
)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
