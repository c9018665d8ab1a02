#!/usr/bin/env bash
# torch 2.15.0 and numpy 2.4.6, Python 3.11, on the processor
# torch.save writes a CRC-32 for every member of its zip archive. One would guess that torch.load
# checks them, as zipfile and numpy.load do. It checks none of a tensor's storage: a file with one
# flipped bit loads without a word, with another number in it.
# Seen: zipfile.testzip names the member (data/0); torch.load returns 1.1754943508222875e-38 where 0 was saved.
# Exit code 0 while that is so; 1 once torch.load refuses, or gives the number that was saved.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6
env/bin/python - <<'EOF'
import struct
import sys
import zipfile

import torch

torch.save(torch.zeros(4), "whole.pt")
with zipfile.ZipFile("whole.pt") as archive:
    entry = next(e for e in archive.infolist() if e.filename.endswith("data/0"))
    print("recorded CRC-32 of", entry.filename, f"{entry.CRC:08x}")
data = bytearray(open("whole.pt", "rb").read())
name, extra = struct.unpack_from("<HH", data, entry.header_offset + 26)
start = entry.header_offset + 30 + name + extra
data[start + 2] ^= 0x80
open("damaged.pt", "wb").write(data)
print("zipfile finds damage in:", zipfile.ZipFile("damaged.pt").testzip())
try:
    loaded = torch.load("damaged.pt")
except Exception as error:
    sys.exit(f"torch.load refuses it now: {error}")
print("torch.load gives", loaded.tolist())
sys.exit(0 if loaded[0] != 0 else 1)
EOF
