#!/usr/bin/env bash
# dictionary_learning 0.1.0, torch 2.15.0, on the processor
# trainSAE with normalize_activations=True scales the weights that it saves, so that the model takes rows
# as they are. So it does; but the rows are no longer as they were. Where they
# are float32 on the processor, each batch is divided in place, and a batch that is a view (rows.split, a
# slice of an array by from_numpy) is the caller's own matrix. Encode it with the model just saved, or
# write it to a file, and each row is too short by the norm, which no file tells. A list of batches that
# is gone through twice is divided twice.
# Seen: the whole matrix is divided by one number, about 12; of 640 rows, encoded by the saved model, 594
# have other atoms than the same rows kept aside. Without normalize_activations nothing changes.
# Exit code 0 while that is so. Its parts for language models (nnsight, wandb) are not installed; empty
# modules stand in for them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6 einops==0.8.2 tqdm==4.70.1
env/bin/pip install --quiet --no-deps dictionary-learning==0.1.0
env/bin/python -W ignore - 2> progress <<'PYTHON'
import importlib.util
import sys
import types

import numpy as np
import torch


def stand_in(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


found = importlib.util.find_spec("dictionary_learning").submodule_search_locations
stand_in("dictionary_learning", __path__=found)
stand_in("dictionary_learning.buffer", ActivationBuffer=object, NNsightActivationBuffer=object)
stand_in("nnsight", LanguageModel=object)
stand_in("wandb")
from dictionary_learning.trainers.top_k import AutoEncoderTopK, TopKTrainer
from dictionary_learning.training import trainSAE

torch.manual_seed(0)
drawn = torch.from_numpy(3 * np.random.default_rng(3).standard_normal((640, 16)).astype(np.float32))


def train(rows, folder, normalize):
    trainer = dict(
        trainer=TopKTrainer, activation_dim=16, dict_size=32, k=4, layer=0, lm_name="none", steps=10,
        warmup_steps=1, device="cpu",
    )
    trainSAE(list(rows.split(64)), [trainer], steps=10, save_dir=folder, normalize_activations=normalize, device="cpu")
    return AutoEncoderTopK.from_pretrained(f"{folder}/trainer_0/ae.pt")


plain, divided = drawn.clone(), drawn.clone()
train(plain, "plain", False)
sae = train(divided, "normalized", True)
ratio = drawn / divided
with torch.no_grad():
    others = int(((sae.encode(divided) != 0) != (sae.encode(drawn) != 0)).any(1).sum())
print("unchanged without normalize_activations:", torch.equal(plain, drawn))
print(f"with it, rows are divided by {ratio.min():.4f} to {ratio.max():.4f}; other atoms in {others} of 640 rows")
same = torch.equal(plain, drawn) and 11 < ratio.min() and ratio.max() - ratio.min() < 1e-3 and others > 500
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
