#!/usr/bin/env bash
# safetensors 0.8.0, numpy 2.4.6
# safetensors.torch.save_file refuses a tensor that is not contiguous, in words. One would guess that
# safetensors.numpy.save_file does so too, or copies, as numpy.save does. It writes as many bytes as the
# array has from where the array begins, whatever its strides: a slice like tokens[:, 0] is saved as the
# first rows of the whole, in the slice's shape, without a word.
# Seen: numbers[:, 0] of [[0 1 2] [3 4 5]] (first column: 0, 3) comes back as 0, 1; numpy.save gives 0, 3.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet safetensors==0.8.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
column = numbers[:, 0]
save_file({"x": column}, "x.safetensors")
np.save("x.npy", column)
ours, theirs = load_file("x.safetensors")["x"].tolist(), np.load("x.npy").tolist()
print("the slice:", column.tolist(), "| from safetensors:", ours, "| from numpy.save:", theirs)
same = ours == [0, 1] and theirs == [0, 3]
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
