#!/usr/bin/env bash
# datasets 5.2.0, numpy 2.4.6, pyarrow 26.0.1, pandas 3.1.1
# One would guess that with_format("numpy") gives a column in the type that it has. A column of float64 is
# given as float32, silently; plain access and with_format("pandas") give what was stored. Two columns of
# that type are everyday ones: embeddings that passed through lists of Python numbers, and positions with
# a missing one among them, which pandas keeps as float64. Positions above 2^24 are then other positions,
# and whoever encodes such rows encodes other rows than the file has.
# Seen: 248956421 becomes 248956416, and 16777217 becomes 16777216; the embeddings are float64 in the
# file and float32 when read.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet datasets==5.2.0 numpy==2.4.6 pyarrow==26.0.1 pandas==3.1.1
HF_HUB_OFFLINE=1 HF_HOME="$folder/home" env/bin/python - <<'PYTHON'
import sys

import pandas as pd
from datasets import Dataset

positions = [248956421, None, 16777217]
table = Dataset.from_pandas(pd.DataFrame({"pos": positions}))
rows = Dataset.from_dict({"embedding": [[0.1, 0.2, 0.3], [0.4, 0.5, 0.7]]})


def whole(values):
    return [None if value != value else int(value) for value in values]


stored = whole(table.with_format("pandas")[:]["pos"])
given = whole(table.with_format("numpy")[:]["pos"])
kept = table.features["pos"].dtype, rows.features["embedding"].feature.dtype
read = rows.with_format("numpy")[:]["embedding"].dtype.name
print("types of the columns:", kept)
print("positions stored:", stored, "| by the numpy format:", given)
print("embeddings by the numpy format:", read)
same = (
    kept == ("float64", "float64")
    and stored == positions
    and given == [248956416, None, 16777216]
    and read == "float32"
)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
