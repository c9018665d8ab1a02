#!/usr/bin/env bash
# pyarrow 26.0.1 and polars 2.1.0: a table compressed by gzip and padded by zero bytes, as tapes and
# block devices pad files, is refused, while gzip, Python and pandas read it.
#
# Expected: what gzip(1) documents and does: zero bytes after the last member are ignored silently. Both
# libraries read several members after one another, so that they look beyond the first one's end.
# Seen: pyarrow.csv ends with "zlib inflate failed", polars with "invalid gzip header"; pandas, which
# reads by Python's gzip module, has all rows, and so has gzip -t no complaint.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1 polars==2.1.0 pandas==3.1.1 numpy==2.4.6
cd "$folder"
printf 'chrom,pos\nchr1,1\nchr2,2\n' | gzip -n > members.csv.gz
printf 'chr3,3\n' | gzip -n >> members.csv.gz
cp members.csv.gz padded.csv.gz
head -c 512 /dev/zero >> padded.csv.gz
gzip -t padded.csv.gz && echo "gzip -t: no complaint"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import sys
import pandas as pd, polars as pl, pyarrow as pa, pyarrow.csv

def rows(read, name):
    try:
        return read(name)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

readers = {
    f"pandas {pd.__version__}": lambda name: len(pd.read_csv(name)),
    f"pyarrow {pa.__version__}": lambda name: pyarrow.csv.read_csv(name).num_rows,
    f"polars {pl.__version__}": lambda name: pl.read_csv(name).height,
}
found = {}
for library, read in readers.items():
    found[library] = rows(read, "members.csv.gz"), rows(read, "padded.csv.gz")
    print(f"{library}: two members {found[library][0]!r}, padded {found[library][1]!r}")
pandas, pyarrow_, polars = found.values()
as_described = pandas == (3, 3) and all(
    whole == 3 and isinstance(padded, str) for whole, padded in (pyarrow_, polars))
print("as described" if as_described else "changed")
sys.exit(0 if as_described else 1)
PYTHON
