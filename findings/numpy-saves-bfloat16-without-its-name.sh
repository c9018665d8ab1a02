#!/usr/bin/env bash
# numpy 2.4.6, ml_dtypes 0.6.0
# numpy.save takes an array of bfloat16, float8 or int4 (ml_dtypes, as jax and others give them) without a
# word, and one would guess that it comes back, or that it is refused. The header has no name for such a
# type: it says raw bytes, |V2 or |V1. numpy.load gives bytes that cannot be computed with, and nothing in
# the file tells float8_e4m3fn, float8_e8m0fnu and int4 apart: their headers are one. float8_e5m2 alone is
# written as a float of one byte, a type that numpy does not have: the file just saved is refused.
# Seen: descr '<V2' for bfloat16, '<V1' for those three, '<f1' for float8_e5m2, whose loading ends with
# "descr is not a valid dtype descriptor"; no warning when saving; the loaded bytes viewed as bfloat16
# are the array that was saved.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet numpy==2.4.6 ml_dtypes==0.6.0
env/bin/python - <<'PYTHON'
import io
import sys
import warnings

import ml_dtypes
import numpy as np

warnings.simplefilter("error")
numbers = np.array([[1.0, 2.0, 4.0], [4.0, 1.0, 2.0]])


def saved(kind):
    file = io.BytesIO()
    np.save(file, numbers.astype(kind))
    return file.getvalue()


def header(file):
    return file[10 : file.index(b"\n")].decode().strip()


def loaded(file):
    try:
        return np.load(io.BytesIO(file))
    except ValueError as error:
        return str(error)


brain = saved(ml_dtypes.bfloat16)
bytewise = [saved(kind) for kind in (ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e8m0fnu, ml_dtypes.int4)]
other = saved(ml_dtypes.float8_e5m2)
back = loaded(brain)
print("bfloat16:", header(brain), "| loaded:", back.dtype)
print("8 bits:", {header(file) for file in bytewise}, "| different files:", len(set(bytewise)))
print("float8_e5m2:", header(other), "| loaded:", loaded(other))
same = (
    "'descr': '<V2'" in header(brain)
    and back.dtype.kind == "V"
    and np.array_equal(back.view(ml_dtypes.bfloat16), numbers.astype(ml_dtypes.bfloat16))
    and len({header(file) for file in bytewise}) == 1
    and "'descr': '<V1'" in header(bytewise[0])
    and len(set(bytewise)) == 3
    and "'descr': '<f1'" in header(other)
    and "not a valid dtype descriptor" in str(loaded(other))
)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
