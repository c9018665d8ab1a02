#!/usr/bin/env bash
# scikit-allel 1.3.13
# read_vcf gives altlen, the difference in length between ALT and REF, on which one would select
# insertions and deletions. Of a symbolic allele it is of the text: a deletion <DEL> of 900 bases is an
# insertion of 4, a breakend an insertion of 11. A missing SVLEN is -1, which is the SVLEN of a deletion
# of one base.
# Seen: altlen 4, 4, 11 and -1; SVLEN -900, 300, -1 (missing) and -1 (in the file).
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet scikit-allel==1.3.13 numpy==2.4.6
env/bin/python - <<'PYTHON'
import sys

import allel

header = [
    "##fileformat=VCFv4.2",
    "##contig=<ID=chr1,length=1000000>",
    "##contig=<ID=chr2,length=1000000>",
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">',
    '##INFO=<ID=SVLEN,Number=1,Type=Integer,Description="Length">',
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
]
rows = [
    "chr1\t1000\td\tA\t<DEL>\t30\tPASS\tSVTYPE=DEL;SVLEN=-900",
    "chr1\t2000\ti\tA\t<INS>\t30\tPASS\tSVTYPE=INS;SVLEN=300",
    "chr1\t3000\tb\tA\tA]chr2:5000]\t30\tPASS\tSVTYPE=BND",
    "chr1\t4000\ts\tAC\tA\t30\tPASS\tSVTYPE=DEL;SVLEN=-1",
]
with open("calls.vcf", "w") as file:
    file.write("\n".join(header + rows) + "\n")
found = allel.read_vcf("calls.vcf", fields=["ID", "ALT", "altlen", "SVLEN"], alt_number=1)
names = ["variants/ID", "variants/ALT", "variants/altlen", "variants/SVLEN"]
for row in zip(*(found[name].tolist() for name in names)):
    print(*row)
same = found["variants/altlen"].tolist() == [4, 4, 11, -1]
same = same and found["variants/SVLEN"].tolist() == [-900, 300, -1, -1]
print("as described" if same else "changed")
sys.exit(0 if same else 1)
PYTHON
