#!/usr/bin/env bash
# truvari 5.4.0, pysam 0.24.1
# vcf2df gives every call a size and one of Truvari's bins. A breakend has no size, and its record no
# SVLEN. The table has the number of letters of its ALT, less one, so that the bin of a breakend is told
# by how long the name of the other contig is: A]chr2:5000] falls into [10,15), and the same event on a
# contig with a long name into [20,30) or beyond.
# Seen: svlen 11 and [10,15); svlen 21 and [20,30); the INFO key SVLEN beside them is missing in both.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet truvari==5.4.0 pysam==0.24.1 pandas==3.1.1 numpy==2.4.6
env/bin/python - <<'PYTHON'
import sys

import pysam
import truvari

header = [
    "##fileformat=VCFv4.2",
    "##contig=<ID=chr1,length=1000000>",
    "##contig=<ID=chr2,length=1000000>",
    "##contig=<ID=chr2_KI270715v1,length=1000000>",
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">',
    '##INFO=<ID=SVLEN,Number=1,Type=Integer,Description="Length">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tsample",
]
alts = ["A]chr2:5000]", "A]chr2_KI270715v1:500]"]
rows = [
    f"chr1\t{4000 + i}\tbnd{i}\tA\t{alt}\t30\tPASS\tSVTYPE=BND\tGT\t0/1" for i, alt in enumerate(alts)
]
with open("calls.vcf", "w") as file:
    file.write("\n".join(header + rows) + "\n")
pysam.tabix_compress("calls.vcf", "calls.vcf.gz")
pysam.tabix_index("calls.vcf.gz", preset="vcf")

table = truvari.vcf_to_df("calls.vcf.gz", with_info=True)
print(table[["id", "svtype", "svlen", "szbin", "SVLEN"]].to_string(index=False))
lengths = [int(value) for value in table["svlen"]]
same = lengths == [len(alt) - 1 for alt in alts] and table["SVLEN"].isna().all()
same = same and [str(value) for value in table["szbin"]] == ["[10,15)", "[20,30)"]
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
