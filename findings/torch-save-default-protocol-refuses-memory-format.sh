#!/usr/bin/env bash
# torch 2.15.0 and numpy 2.4.6, Python 3.11, on the processor
# A training config with its memory format in it cannot be saved: torch.save uses pickle protocol 2
# by default, and torch.channels_last pickles only from protocol 4 on. torch.float16, torch.strided and
# torch.device, its neighbours in such configs, are saved by any protocol. The message names neither.
# Seen: "TypeError: cannot pickle 'module' object" by protocols 2 and 3; protocol 4 saves it.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6
env/bin/python - <<'EOF'
import io
import sys

import torch


def saves(value, **options):
    try:
        torch.save({"config": value}, io.BytesIO(), **options)
        return True
    except TypeError as error:
        print(type(error).__name__, error, options)
        return False


others = all(saves(value) for value in (torch.float16, torch.strided, torch.device("cpu")))
default = saves(torch.channels_last)
third = saves(torch.channels_last, pickle_protocol=3)
fourth = saves(torch.channels_last, pickle_protocol=4)
print("others:", others, "| channels_last by default:", default, "| by 3:", third, "| by 4:", fourth)
sys.exit(0 if others and fourth and not default and not third else 1)
EOF
