#!/usr/bin/env bash
# overcomplete 0.3.0, torch 2.15.0, on the processor
# A state dict holds what a torch module needs to compute as it did: BatchNorm's running statistics are
# buffers, and so are the thresholds of batch top-k in SAELens, dictionary_learning and HypotheSAEs. The
# running threshold of overcomplete's BatchTopKSAE, by which eval() encodes, is a plain attribute: it is in
# no state dict. A model that is loaded again does not encode in eval() until rows went through it in
# train(), and then it encodes by the threshold of those rows, whatever training had found.
# Seen: the state dicts are equal; loaded, eval() raises an AssertionError; after one batch of 100 other
# rows in train() it encodes without a word, and ten times as many atoms fire as in the model that was saved,
# which was trained on batches of 1000.
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

import torch

package = types.ModuleType("overcomplete")
package.__path__ = importlib.util.find_spec("overcomplete").submodule_search_locations
sys.modules["overcomplete"] = package
from overcomplete.sae.batchtopk_sae import BatchTopKSAE

torch.manual_seed(0)
torch.set_grad_enabled(False)
rows, others = torch.randn(1000, 16), torch.randn(100, 16)


def fires(sae):
    return int((sae.encode(rows)[1] != 0).sum())


trained = BatchTopKSAE(16, 64, top_k=400).untied()
trained.encode(rows)
trained.eval()
torch.save(trained.state_dict(), "sae.pt")
loaded = BatchTopKSAE(16, 64, top_k=400).untied()
loaded.load_state_dict(torch.load("sae.pt"))
equal = all(torch.equal(value, trained.state_dict()[key]) for key, value in loaded.state_dict().items())
try:
    loaded.eval().encode(rows)
    says = "nothing"
except AssertionError as error:
    says = str(error)
loaded.train().encode(others)
loaded.eval()
print("state dicts equal:", equal, "| keys:", list(loaded.state_dict()))
print("loaded, eval():", says)
print(f"thresholds: {float(trained.running_threshold):.4f}, {float(loaded.running_threshold):.4f}")
before, after = fires(trained), fires(loaded)
print("fires in 1000 rows, trained:", before, "| loaded, after 100 rows in train():", after)
same = equal and says != "nothing" and before == 400 and after > 3000
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
