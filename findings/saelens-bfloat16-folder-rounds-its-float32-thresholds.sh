#!/usr/bin/env bash
# sae-lens 6.54.12, transformer-lens 3.9.0, torch 2.15.0, on the processor
# A JumpReLU SAE that SAELens trains in bfloat16 keeps its thresholds in float32, on purpose, and writes
# them so: a file of bfloat16 with one tensor of float32. One would guess that the model read from it
# has those thresholds. It has the nearest numbers of bfloat16: each tensor is converted to the dtype of
# cfg.json, whatever the file has. Widening the model afterwards, load_from_disk(path).to(float32), and
# load_from_disk(path, dtype="float32") are then two models that differ in thresholds alone, and fire
# differently on the same rows. So does a reader that takes the file at its word.
# Seen: 256 of 256 thresholds are others; weights and biases are equal; 34 of 1000 rows have other
# atoms.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6 sae-lens==6.54.12 transformer-lens==3.9.0 safetensors==0.8.0
env/bin/python -W ignore - <<'PYTHON'
import json
import sys

import torch
from sae_lens import SAE, JumpReLUTrainingSAE, JumpReLUTrainingSAEConfig
from safetensors.torch import load_file

torch.manual_seed(0)
torch.set_grad_enabled(False)
trained = JumpReLUTrainingSAE(JumpReLUTrainingSAEConfig(d_in=16, d_sae=256, dtype="bfloat16"))
trained.threshold.copy_(0.001 + torch.rand(256))
trained.save_inference_model("saved")
file = load_file("saved/sae_weights.safetensors")
types = {key: str(value.dtype).removeprefix("torch.") for key, value in file.items()}
config = json.load(open("saved/cfg.json"))["dtype"]

widened = SAE.load_from_disk("saved").to(torch.float32)
asked = SAE.load_from_disk("saved", dtype="float32")
moved = int((widened.threshold != file["threshold"]).sum())
exact = torch.equal(asked.threshold, file["threshold"])
weights = all(torch.equal(getattr(widened, key), getattr(asked, key)) for key in ("W_enc", "b_enc", "b_dec"))
rows = 3 * torch.randn(1000, 16)
others = int(((widened.encode(rows) != 0) != (asked.encode(rows) != 0)).any(1).sum())
print("in the file:", types, "| cfg.json:", config)
print(f"loaded, then widened: {moved} thresholds differ from the file's | asked for in float32: exact {exact}")
print(f"weights and biases equal: {weights} | rows with other atoms: {others} of 1000")
same = (
    types["threshold"] == "float32" and types["W_enc"] == config == "bfloat16"
    and moved > 200 and exact and weights and others > 20
)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
