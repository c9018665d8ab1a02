#!/usr/bin/env bash
# latentsae 0.2.0, torch 2.15.0, on the processor
# What Sae.load_from_disk gives is for encoding, one would guess, and a JumpReLU has one definition: the
# score where it is above the threshold. A loaded model is in training mode, as any new torch module,
# and in training mode encode() multiplies by a sigmoid of (score - threshold) / jumprelu_bandwidth: atoms
# below their thresholds have activations that are not zero, negative scores among them. After eval()
# the definition holds, but for the number: only the jumprelu_max_active largest of a row are given, 512
# unless the configuration says otherwise, and those beyond it are silently missing.
# Seen: in 50 rows, 632 activations are above the threshold, and so many are not zero after eval(); as
# loaded it is 766, and by a bandwidth of 0.05 all 3200. With jumprelu_max_active 4 no row has more than 4.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6 latentsae==0.2.0 einops==0.8.2 safetensors==0.8.0 \
    simple-parsing==0.1.9 huggingface_hub==2.4.0
env/bin/python -W ignore - <<'PYTHON'
import sys

import torch
from latentsae.sae import Sae
from latentsae.utils.config import SaeConfig, SaeType

torch.manual_seed(0)
torch.set_grad_enabled(False)
rows = torch.randn(50, 16)


def written(folder, **options):
    options = dict(sae_type=SaeType.JUMPRELU, num_latents=64, jumprelu_init_threshold=0.5, **options)
    torch.manual_seed(1)
    Sae(16, SaeConfig(**options)).save_to_disk(folder)
    return Sae.load_from_disk(folder)


def fires(sae):
    return (sae.encode(rows).top_acts != 0).sum(-1)


for folder, options in (("wide", dict(jumprelu_bandwidth=0.05)), ("default", {})):
    sae = written(folder, **options)
    mode, loaded, evaluated = sae.training, fires(sae), fires(sae.eval())
    scores = torch.nn.functional.linear(rows - sae.b_dec, sae.encoder.weight, sae.encoder.bias)
    defined = (scores > sae.log_threshold.exp()).sum(-1)
    print(f"{folder} bandwidth: training mode {mode}, not zero as loaded {int(loaded.sum())}, after eval {int(evaluated.sum())}, above the threshold {int(defined.sum())}")
    if folder == "wide":
        same = mode and bool((loaded > evaluated).all()) and torch.equal(evaluated, defined)
    else:
        same = same and mode and int(loaded.sum()) > int(evaluated.sum()) and torch.equal(evaluated, defined)
capped = fires(written("capped", jumprelu_max_active=4).eval())
print("with jumprelu_max_active 4, after eval: at most", int(capped.max()), "| defined: at most", int(defined.max()))
same = same and int(capped.max()) == 4 and int(defined.max()) > 4
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
