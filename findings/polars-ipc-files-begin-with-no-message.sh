#!/usr/bin/env bash
# polars 2.1.0, pyarrow 26.0.1
# Arrow's format says that an IPC file is the magic number, padding, a stream, and a footer: so one would
# guess that a file can be read from its eighth byte on as a stream. write_ipc of polars puts the schema
# there without the mark and the length that make it a message. Readers that begin with the footer do not
# notice; a reader of streams finds no message.
# Seen: byte 8 of pyarrow's file is ff ff ff ff, of polars' file 04 00 00 00; pyarrow.ipc.open_stream reads
# the one from there on, and refuses the other; pyarrow.ipc.open_file reads both.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet pyarrow==26.0.1 polars==2.1.0
env/bin/python - <<'PYTHON'
import sys

import polars as pl
import pyarrow as pa

table = pa.table({"x": [1, 2, 3]})
with pa.ipc.new_file("pyarrow.arrow", table.schema) as out:
    out.write_table(table)
pl.DataFrame({"x": [1, 2, 3]}).write_ipc("polars.arrow")


def rows(name, start):
    data = open(name, "rb").read()
    try:
        if start:
            return pa.ipc.open_stream(pa.py_buffer(data[start:])).read_all().num_rows
        return pa.ipc.open_file(pa.py_buffer(data)).read_all().num_rows
    except Exception as error:
        return f"{type(error).__name__}: {error}"


seen = {}
for name in ("pyarrow.arrow", "polars.arrow"):
    head = open(name, "rb").read()[8:12]
    seen[name] = (head, rows(name, 8), rows(name, 0))
    print(name, "byte 8:", head.hex(" "), "| as a stream from there:", seen[name][1], "| as a file:", seen[name][2])
head, stream, file = seen["polars.arrow"]
same = seen["pyarrow.arrow"] == (b"\xff" * 4, 3, 3) and head != b"\xff" * 4 and stream != 3 and file == 3
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
