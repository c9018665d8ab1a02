#!/usr/bin/env bash
# overcomplete 0.3.0, torch 2.15.0, on the processor
# Batch top-k with k = 4 keeps 4 activations a row on average, 4 N of N rows: so do the paper's code,
# SAELens, dictionary_learning, HypotheSAEs and latentsae, and one would take BatchTopKSAE(top_k=4) of
# overcomplete for the same. It keeps 4 of the whole batch, however many rows that has: in training on
# batches of 1000 a row has 0.004 on average, and the threshold that it learns for later is as high.
# Whoever repeats its selection by k and the number of rows has N times as many.
# Seen: top_k = 4 fires 4 times in 1 row, in 10 and in 1000; the threshold learned from the batch of 1000
# lets 4 activations of those rows fire.
# Exit code 0 while that is so. Of the package, only overcomplete.sae is imported: the rest needs models
# and libraries for pictures, which are not installed here.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6 scipy==1.17.1 einops==0.8.2 tqdm==4.70.1 \
    scikit-learn==1.9.1 pillow==13.0.0
env/bin/pip install --quiet --no-deps overcomplete==0.3.0
env/bin/python - <<'PYTHON'
import importlib.util
import sys
import types

import numpy as np
import torch

package = types.ModuleType("overcomplete")
package.__path__ = importlib.util.find_spec("overcomplete").submodule_search_locations
sys.modules["overcomplete"] = package
from overcomplete.sae.batchtopk_sae import BatchTopKSAE

torch.manual_seed(0)
rows = torch.from_numpy(np.random.default_rng(2).standard_normal((1000, 16)).astype(np.float32))


def fires(sae, rows):
    with torch.no_grad():
        return int((sae.encode(rows)[1] != 0).sum())


training = {count: fires(BatchTopKSAE(16, 64, top_k=4).untied(), rows[:count]) for count in (1, 10, 1000)}
sae = BatchTopKSAE(16, 64, top_k=4).untied()
fires(sae, rows)
sae.eval()
later = fires(sae, rows)
print("fires by rows in the batch, in training:", training)
print(f"threshold {float(sae.running_threshold):.3f}, fires in the 1000 rows afterwards:", later)
same = training == {1: 4, 10: 4, 1000: 4} and later == 4
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
