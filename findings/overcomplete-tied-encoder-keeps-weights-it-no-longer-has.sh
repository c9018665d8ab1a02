#!/usr/bin/env bash
# overcomplete 0.3.0, torch 2.15.0, on the processor
# For a torch module, eval() and load_state_dict() may come in either order. An overcomplete SAE with a
# tied encoder (sae.tied()) computes the dictionary that it encodes by when eval() is called, and keeps it:
# weights loaded afterwards are in its state dict, equal to the file's, and its codes are those of
# the weights before, the random start as a rule. A second eval() does not help, train() and eval() do.
# Seen: all tensors of the state dicts are equal, the codes are not, until train().eval().
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
from overcomplete.sae.topk_sae import TopKSAE

torch.manual_seed(0)
torch.set_grad_enabled(False)
trained = TopKSAE(6, 10, top_k=3).tied().eval()
torch.save(trained.state_dict(), "sae.pt")
rows = torch.randn(20, 6)


def alike(sae):
    return torch.allclose(sae.encode(rows)[1], trained.encode(rows)[1], atol=1e-5)


loaded = TopKSAE(6, 10, top_k=3).tied().eval()
loaded.load_state_dict(torch.load("sae.pt"))
equal = all(torch.equal(value, trained.state_dict()[key]) for key, value in loaded.state_dict().items())
at_once = alike(loaded)
again = alike(loaded.eval())
by_train = alike(loaded.train().eval())
before = TopKSAE(6, 10, top_k=3).tied()
before.load_state_dict(torch.load("sae.pt"))
other_order = alike(before.eval())
print("state dicts equal:", equal, "| keys:", list(loaded.state_dict()))
print("codes equal after eval, load:", at_once, "| eval again:", again, "| train, eval:", by_train, "| load, eval:", other_order)
same = (equal, at_once, again, by_train, other_order) == (True, False, False, True, True)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
