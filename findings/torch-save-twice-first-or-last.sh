#!/usr/bin/env bash
# torch 2.15.0 and numpy 2.4.6, Python 3.11, on the processor
# Two torch.save to one open file make a file that is two objects, depending on who reads it. One
# would guess that the zip directory at the end decides, so that the last is read, as by zipfile and
# every other reader of zip. torch.load gives the first. A shard of torch.distributed.checkpoint (an
# archive for each tensor and each other value, one after another) is such a file, too: zipfile opens
# its last archive, and of a whole shard with a tensor and a number torch.load says that it is
# corrupted.
# Seen: torch.load {'name': 'first'}; zipfile finds the pickle that says 'second'; of the shard
# torch.load says "failed reading zip archive", zipfile opens one archive of several.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6
env/bin/python - <<'EOF'
import sys
import warnings
import zipfile

warnings.filterwarnings("ignore")
import torch
import torch.distributed.checkpoint as checkpoint

with open("two.pt", "wb") as file:
    torch.save({"name": "first"}, file)
    torch.save({"name": "second"}, file)
loaded = torch.load("two.pt")
with zipfile.ZipFile("two.pt") as archive:
    pickle = archive.read(next(n for n in archive.namelist() if n.endswith("data.pkl")))
print("torch.load:", loaded, "| zipfile's pickle has 'second':", b"second" in pickle)

checkpoint.save({"a": torch.zeros(2), "k": 2}, checkpoint_id="folder")
shard = "folder/__0_0.distcp"
archives = open(shard, "rb").read().count(b"PK\x05\x06")
try:
    torch.load(shard)
    refused = False
except RuntimeError as error:
    refused = True
    print("torch.load of the shard:", str(error)[:80])
members = zipfile.ZipFile(shard).namelist()
print("archives in the shard:", archives, "| zipfile opens one of them, with", len(members), "members")
same = loaded == {"name": "first"} and b"second" in pickle and archives > 1 and refused
sys.exit(0 if same else 1)
EOF
