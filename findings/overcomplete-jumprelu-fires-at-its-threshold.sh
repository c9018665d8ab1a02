#!/usr/bin/env bash
# overcomplete 0.3.0, torch 2.15.0, on the processor
# JumpReLU lets an atom fire above its threshold: the paper, SAELens, dictionary_learning and latentsae
# say so and do so, and the documentation of overcomplete's JumpSAE says so. It zeroes what is below
# instead, so that a score equal to the threshold fires. The threshold is exp(thresholds): 0 there, where
# release 0.2.0 starts all of them, is exactly 1.
# Seen: scores 1 and 2 fire, 0.99 does not, at the threshold 1.
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
from overcomplete.sae.jump_sae import JumpSAE

sae = JumpSAE(3, 3).untied()
with torch.no_grad():
    sae.encoder.weight.copy_(torch.eye(3))
    sae.thresholds.zero_()
    sae.eval()
    scores, codes = sae.encode(torch.tensor([[1.0, 0.99, 2.0]]))
print("scores", scores.tolist(), "thresholds", torch.exp(sae.thresholds).tolist(), "codes", codes.tolist())
same = codes.tolist() == [[1.0, 0.0, 2.0]]
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
