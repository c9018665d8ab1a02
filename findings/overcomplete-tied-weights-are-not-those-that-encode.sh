#!/usr/bin/env bash
# overcomplete 0.3.0, torch 2.15.0, on the processor
# A tied encoder multiplies by the decoder's weights, and the state dict of an overcomplete SAE with one
# (sae.tied()) has them twice, as dictionary._weights and as encoder.tied_to._weights. Neither is what the
# encoder multiplies by after a step of an optimizer: eval() normalises them, by the norm of each atom or
# by the largest norm, as the dictionary was made to, and no key says how.
# Seen: after 20 steps of Adam the codes are not relu(x Wᵀ) of the W in the file; one file loaded into models
# that normalise by "l2", "max_l2" and "identity" gives three kinds of codes, other atoms fire among the 3
# largest, and nothing is missing or left over at any load.
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
rows = torch.randn(200, 6)


def made(normalization):
    return TopKSAE(6, 30, top_k=3, dictionary_params={"normalization": normalization}).tied()


trained = made("l2")
steps = torch.optim.Adam(trained.parameters(), lr=0.05)
for _ in range(20):
    steps.zero_grad()
    (trained(rows)[2] - rows).square().mean().backward()
    steps.step()
torch.save(trained.state_dict(), "sae.pt")
state = torch.load("sae.pt")
print("keys:", list(state))
weight = state["encoder.tied_to._weights"]
codes = {}
with torch.no_grad():
    for normalization in ("l2", "max_l2", "identity"):
        sae = made(normalization)
        print(normalization, sae.load_state_dict(state))
        codes[normalization] = sae.eval().encode(rows)[1]
    trained.eval()
    is_trained = torch.allclose(codes["l2"], trained.encode(rows)[1], atol=1e-6)
    best = torch.topk(torch.relu(rows @ weight.T), 3)
    of_file = torch.zeros_like(codes["l2"]).scatter(1, best.indices, best.values)


def differ(a, b):
    return int(((a != 0) != (b != 0)).any(1).sum())


of_file_is = {name: torch.allclose(found, of_file, atol=1e-6) for name, found in codes.items()}
other_sets = differ(codes["l2"], codes["identity"])
scaled = torch.allclose(codes["max_l2"], codes["identity"], atol=1e-3)
print("norms of W in the file:", f"{float(weight.norm(dim=1).min()):.3f} to {float(weight.norm(dim=1).max()):.3f}")
print("codes of the trained model by l2:", is_trained, "| codes by W of the file:", of_file_is)
print(f"rows of 200 with other atoms by l2 than by W of the file: {other_sets}; max_l2 like identity: {scaled}")
same = is_trained and of_file_is == {"l2": False, "max_l2": False, "identity": True} and other_sets > 0 and not scaled
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
