#!/usr/bin/env bash
# scipy 1.17.1, numpy 2.4.6
# A CSR matrix may hold a place more than once (its value is the sum) and may hold zeros; save_npz and
# load_npz keep both. So do files of activations that were joined batch by batch. How many entries are
# not zero, then, has five answers, and to ask is to change the matrix: count_nonzero and comparisons,
# which nobody expects to write, add up the duplicates in place, so that nnz, data and indices are others
# afterwards. nonzero() neither adds up nor changes anything: it names one place twice, and names
# another whose value is 0, though it leaves out a stored zero.
# Seen: five entries stored, of which one place is not zero. nnz 5, places named by nonzero() 4, entries
# of astype(bool) 3, count_nonzero 1, and nnz 3 from then on.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet scipy==1.17.1 numpy==2.4.6
env/bin/python - <<'PYTHON'
import sys

import numpy as np
import scipy.sparse as sparse

data, atoms, starts = [1.0, 2.0, 0.0, -2.0, 2.0], [4, 4, 1, 3, 3], [0, 2, 3, 5]
sparse.save_npz("acts.npz", sparse.csr_array((data, atoms, starts), shape=(3, 5)))

found = sparse.load_npz("acts.npz")
dense = int(np.count_nonzero(found.toarray()))
named = [(int(row), int(atom)) for row, atom in zip(*found.nonzero())]
before, as_bool = found.nnz, found.astype(bool).nnz
counted, after = int(found.count_nonzero()), found.nnz
compared = sparse.load_npz("acts.npz")
places = int((compared != 0).sum())
print("not zero in the dense matrix:", dense)
print("nnz:", before, "| nonzero():", named, "| astype(bool).nnz:", as_bool)
print("count_nonzero():", counted, "| nnz afterwards:", after)
print("entries that are != 0:", places, "| nnz after that comparison:", compared.nnz)
same = (
    (dense, before, as_bool, counted, after, places, compared.nnz) == (1, 5, 3, 1, 3, 1, 3)
    and named == [(0, 4), (0, 4), (2, 3), (2, 3)]
)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
