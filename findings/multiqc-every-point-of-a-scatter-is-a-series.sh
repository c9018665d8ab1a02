#!/usr/bin/env bash
# MultiQC 1.35
# Its plots of more than plots_defer_loading_numseries series (100) wait for a click on "Show plot". A
# scatter of one sample is one series to its reader; MultiQC counts every point of it. So a volcano plot of
# one sample shows nothing at first, and above plots_flat_numseries (2,000) points it is to be a flat image.
# Seen: 100 points of one sample are drawn, 101 are not.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet multiqc==1.35
env/bin/python - <<'PYTHON'
import json
import pathlib
import re
import subprocess
import sys


def waits(points):
    folder = pathlib.Path(f"of-{points}")
    folder.mkdir()
    content = {
        "id": "volcano",
        "plot_type": "scatter",
        "pconfig": {"id": "volcano_plot", "title": "one sample: a plot"},
        "data": {"sample": [{"x": i % 7, "y": i % 11, "name": f"point {i}"} for i in range(points)]},
    }
    (folder / "volcano_mqc.json").write_text(json.dumps(content))
    subprocess.run(["env/bin/multiqc", "-q", "-o", f"{folder}/out", folder], check=True)
    page = (folder / "out/multiqc_report.html").read_text()
    plot = re.search(r'class="hc-plot hc-scatter [^"]*"', page)
    print(f"{points} points of one sample:", plot[0] if plot else "no plot")
    return plot is not None and "defer_render" in plot[0]


same = not waits(100) and waits(101)
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
