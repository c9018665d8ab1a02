#!/usr/bin/env bash
# latentsae 0.2.0, torch 2.15.0, on the processor
# Batch top-k lets a row that needs more atoms have more than k of them, and the threshold that training
# keeps stands for that when rows come one by one. In latentsae encode() takes the k largest of a row
# that are at least the threshold: no row has more than k, so that the mean falls below it. And a
# Matryoshka model that is trained by batch top-k (matryoshka_use_batchtopk) keeps such a threshold, and
# encode() does not look at it: k atoms of each row, whatever the threshold is.
# Seen: with k = 4 and the threshold by which 200 rows have 4 atoms on average, above it are 0 to 15, given
# are at most 4 and 2.78 on average; the Matryoshka model gives 4 on every row, by a threshold of 100 too.
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
K = 4
rows = torch.randn(200, 16)


def counts(sae):
    return (sae.encode(rows).top_acts != 0).sum(-1)


torch.manual_seed(1)
sae = Sae(16, SaeConfig(sae_type=SaeType.BATCHTOPK, num_latents=64, k=K)).eval()
scores = sae.pre_acts(rows)
threshold = scores.flatten().sort(descending=True).values[K * len(rows) - 1]
sae.batchtopk_threshold.fill_(float(threshold))
above, given = (scores >= threshold).sum(-1), counts(sae)
print(f"at least the threshold: {int(above.min())} to {int(above.max())} a row, {float(above.float().mean()):.2f} on average")
print(f"given by encode: at most {int(given.max())}, {float(given.float().mean()):.2f} on average")
options = dict(num_latents=64, matryoshka_sizes="16,64", matryoshka_ks=f"2,{K}", matryoshka_use_batchtopk=True)
nested = Sae(16, SaeConfig(sae_type=SaeType.MATRYOSHKA, **options)).eval()
before = counts(nested)
nested.batchtopk_threshold.fill_(100.0)
after = counts(nested)
print(f"Matryoshka by batch top-k: {int(before.min())} to {int(before.max())} a row; by a threshold of 100: {int(after.min())} to {int(after.max())}")
same = (
    int(above.max()) > K and int(given.max()) == K and float(given.float().mean()) < float(above.float().mean())
    and torch.equal(given, above.clamp(max=K)) and torch.equal(before, after) and bool((before == K).all())
)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
