#!/usr/bin/env bash
# oxbow 0.8.2
# A VCF record that passed all filters has FILTER PASS; one to which none was applied has a dot. In the
# table that oxbow makes of a VCF the first has an empty list and the second has none. A search for
# "PASS" in that column, as bcftools and pysam let one do, finds no call at all.
# Seen: PASS gives [], a dot null, q10 ["q10"], q10;s50 both names.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet oxbow==0.8.2 polars==2.1.0 pyarrow==26.0.1
env/bin/python - <<'PYTHON'
import sys

import oxbow

filters = ["PASS", ".", "q10", "q10;s50"]
header = [
    "##fileformat=VCFv4.2",
    "##contig=<ID=chr1,length=1000000>",
    '##FILTER=<ID=q10,Description="Quality below 10">',
    '##FILTER=<ID=s50,Description="Few samples">',
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
]
rows = [f"chr1\t{100 + i}\tc{i}\tA\tG\t30\t{text}\t." for i, text in enumerate(filters)]
with open("calls.vcf", "w") as file:
    file.write("\n".join(header + rows) + "\n")
found = oxbow.from_vcf("calls.vcf").pl()["filter"].to_list()
for text, value in zip(filters, found):
    print(f"{text:8} {value}")
same = found == [[], None, ["q10"], ["q10", "s50"]]
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
