#!/usr/bin/env bash
# pysam 0.24.1 (bcftools and htslib 1.24)
# `bcftools view -r` gives every record that overlaps a region, a long deletion that begins before it
# among them. `bcftools query -r` does so only if its format asks for something of INFO: asked for IDs
# alone it leaves out the calls that begin before the region, without a word, since it reads no further
# than the columns that it prints and so has not seen END. With --regions-overlap 0 both look at POS.
# bcftools 1.16 of Debian does the same.
# Seen: view 2 calls; query of ID 1; query of ID and SVTYPE 2.
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet pysam==0.24.1
env/bin/python - <<'PYTHON'
import sys

import pysam
import pysam.bcftools as bcftools

lines = [
    "##fileformat=VCFv4.2",
    "##contig=<ID=chr1,length=1000000>",
    '##ALT=<ID=DEL,Description="Deletion">',
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    "chr1\t1000\tbegins_before\tN\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=3000",
    "chr1\t2100\tbegins_within\tN\t<DEL>\t.\tPASS\tSVTYPE=DEL;END=2200",
]
with open("calls.vcf", "w") as file:
    file.write("\n".join(lines) + "\n")
pysam.tabix_index("calls.vcf", preset="vcf", force=True)
region = ("-r", "chr1:2000-2500")
view = [line.split("\t")[2] for line in bcftools.view("-H", *region, "calls.vcf.gz").splitlines()]
names = bcftools.query(*region, "-f", r"%ID\n", "calls.vcf.gz").split()
types = bcftools.query(*region, "-f", r"%ID %INFO/SVTYPE\n", "calls.vcf.gz").splitlines()
print("view:", view)
print("query of ID:", names)
print("query of ID and SVTYPE:", types)
both = ["begins_before", "begins_within"]
found = view == both and [line.split()[0] for line in types] == both
sys.exit(0 if found and names == both[1:] else 1)
PYTHON
