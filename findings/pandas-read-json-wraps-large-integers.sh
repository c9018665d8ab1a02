#!/usr/bin/env bash
# pandas 3.1.1: read_json gives another number for many integers beyond 64 bits, without a word.
#
# Expected: the nearest float, an int of Python's, or the error that read_json(2**64) has ("Value is
# too big"). json.loads reads all of them exactly.
# Seen: the check for overflow compares the new value with the one before the last digit, so that an
# integer that wraps round to a larger number passes: 123456789012345678901 is read as
# 12776324570088369205, its rest modulo 2**64, as uint64. Of 1000 random integers of 21 digits 252 are
# wrapped so; the others are refused. Calls' IDs that are hashes or barcodes written as JSON numbers
# become other IDs so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pandas==3.1.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import io, json, random, sys
import pandas as pd

def read(number):
    try:
        return int(pd.read_json(io.StringIO(f'{{"id": {number}}}\n'), lines=True)["id"].iloc[0])
    except ValueError:
        return None

one = 123456789012345678901
print(f"pandas {pd.__version__}: {one} is read as {read(one)}, by json.loads as {json.loads(str(one))}")
print(f"{2**64} is read as {read(2**64)} (None: refused)")
rng = random.Random(1)
numbers = [rng.randrange(10**20, 10**21) for _ in range(1000)]
found = [read(number) for number in numbers]
wrapped = sum(value == number % 2**64 for value, number in zip(found, numbers))
refused = sum(value is None for value in found)
print(f"of 1000 integers of 21 digits {wrapped} are wrapped, {refused} refused, {1000 - wrapped - refused} otherwise")
as_described = read(one) == one % 2**64 and read(2**64) is None and wrapped > 0
print("as described" if as_described else "changed")
sys.exit(0 if as_described else 1)
PYTHON
