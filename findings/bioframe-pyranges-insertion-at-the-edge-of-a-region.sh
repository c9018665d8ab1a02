#!/usr/bin/env bash
# bioframe 0.8.0, pyranges 0.1.7
# An insertion has no bases of the reference: in BED its interval is empty. Whether one that stands just
# before the first base of a region is in it depends on the library: bioframe counts it, pyranges does
# not. Neither counts one just after the last base. So an odds ratio of insertions in short repeats
# follows the library that counted them.
# Seen, against [10,20): at 10 bioframe 1, pyranges 0; at 15 both 1; at 20 both 0.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet bioframe==0.8.0 pyranges==0.1.7 pandas==3.1.1 numpy==2.4.6 setuptools==65.5.0
env/bin/python - <<'PYTHON'
import sys

import bioframe
import pandas
import pyranges

places = [10, 15, 20]
calls = pandas.DataFrame({"chrom": ["c"] * 3, "start": places, "end": places})
region = pandas.DataFrame({"chrom": ["c"], "start": [10], "end": [20]})
of_bioframe = bioframe.count_overlaps(calls, region)["count"].tolist()
names = {"chrom": "Chromosome", "start": "Start", "end": "End"}
ranges = [pyranges.PyRanges(table.rename(columns=names)) for table in (calls, region)]
counted = ranges[0].count_overlaps(ranges[1]).df.sort_values("Start")
of_pyranges = counted["NumberOverlaps"].tolist()
for place, *counts in zip(places, of_bioframe, of_pyranges):
    print(f"insertion before base {place}: bioframe {counts[0]}, pyranges {counts[1]}")
same = of_bioframe == [1, 1, 0] and of_pyranges == [0, 1, 0]
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
