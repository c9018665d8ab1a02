#!/usr/bin/env bash
# sae-lens 6.54.12, transformer-lens 3.9.0, torch 2.15.0, on the processor
# Nothing keeps the thresholds of a JumpReLU SAE above 0 while SAELens trains it: they are parameters,
# moved by the optimiser. One would guess that a model in training and the one that
# save_inference_model writes of it, with the same numbers, encode alike. The one in training gives
# every score above its threshold, be it negative; the saved one takes the ReLU first, so that no atom
# fires at a score below 0. What is watched during training, and what is found later in the file, are
# then other atoms, and activations of one are of both signs.
# Seen, with one threshold in ten below 0: each of 1000 rows has other atoms, all of whose scores are
# negative; with the same thresholds' absolute values the two agree on every row.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6 sae-lens==6.54.12 transformer-lens==3.9.0
env/bin/python -W ignore - <<'PYTHON'
import sys

import torch
from sae_lens import SAE, JumpReLUTrainingSAE, JumpReLUTrainingSAEConfig

torch.manual_seed(0)
torch.set_grad_enabled(False)
trained = JumpReLUTrainingSAE(JumpReLUTrainingSAEConfig(d_in=16, d_sae=256))
trained.threshold.copy_(0.2 + torch.rand(256))
trained.threshold[::10] *= -1
rows = 3 * torch.randn(1000, 16)


def differ(path):
    trained.save_inference_model(path)
    one, other = trained.encode(rows), SAE.load_from_disk(path).encode(rows)
    apart = (one != 0) != (other != 0)
    return int(apart.any(1).sum()), bool((one[apart] < 0).all() and (other[apart] == 0).all())


below, are_negative = differ("below")
trained.threshold.copy_(trained.threshold.abs())
above, _ = differ("above")
print(f"rows with other atoms: {below} of 1000, their scores negative: {are_negative} | thresholds above 0: {above}")
same = below > 900 and are_negative and above == 0
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
