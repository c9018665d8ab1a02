#!/usr/bin/env bash
# datasets 5.2.0, pyarrow 26.0.1, polars 2.1.0
# One would guess that a file called data-00000-of-00001.arrow is an Arrow IPC file: .arrow is the suffix
# registered for the file format, .arrows the one for the stream. save_to_disk writes streams under that
# name: no magic bytes, no footer. What reads .arrow files refuses them, in words that sound like damage.
# Seen: the file begins with ff ff ff ff rather than with ARROW1; pyarrow.ipc.open_file says "Not an Arrow
# file", polars.read_ipc "out-of-spec: InvalidFooter"; the readers of streams have all rows.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet datasets==5.2.0 numpy==2.4.6 pyarrow==26.0.1 polars==2.1.0
HF_HUB_OFFLINE=1 HF_HOME="$folder/home" env/bin/python - <<'PYTHON'
import pathlib
import sys

import datasets
import numpy as np
import polars as pl
import pyarrow as pa

datasets.disable_progress_bars()
rows = np.arange(12, dtype=np.float32).reshape(4, 3)
datasets.Dataset.from_dict({"embedding": rows}).save_to_disk("saved")
file = next(pathlib.Path("saved").glob("*.arrow"))


def attempt(read):
    try:
        return read(file)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


start = file.read_bytes()[:6]
as_file = [attempt(lambda path: pa.ipc.open_file(path).read_all().num_rows), attempt(lambda path: pl.read_ipc(path).height)]
as_stream = [attempt(lambda path: pa.ipc.open_stream(path).read_all().num_rows), attempt(lambda path: pl.read_ipc_stream(path).height)]
print(file.name, "begins with", start)
print("as a file:", as_file)
print("as a stream:", as_stream)
same = (
    start[:4] == b"\xff\xff\xff\xff"
    and "Not an Arrow file" in str(as_file[0])
    and "InvalidFooter" in str(as_file[1])
    and as_stream == [4, 4]
)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
