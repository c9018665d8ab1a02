#!/usr/bin/env bash
# pysam 0.24.1 (htslib 1.24), cyvcf2 0.35.0 (htslib 1.19)
# A symbolic deletion, duplication or inversion that has SVLEN and no END ends at POS + |SVLEN| by the
# first and at POS by the second, whatever version of VCF its file names: both are htslib, from before and
# after it learnt to read SVLEN. So one indexed file gives two lists of calls for one region.
# Seen: ends 1500 and 1000; calls that overlap chr1:1300 [deletion, duplication, inversion] and [].
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet pysam==0.24.1 cyvcf2==0.35.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
import sys

import cyvcf2
import pysam

types = {"deletion": "DEL", "duplication": "DUP", "inversion": "INV", "insertion": "INS"}
lines = ["##fileformat=VCFv4.4", "##contig=<ID=chr1,length=1000000>"]
lines += [f'##ALT=<ID={kind},Description="{name}">' for name, kind in types.items()]
lines += [
    '##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="Length">',
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
]
lines += [
    f"chr1\t1000\t{name}\tN\t<{kind}>\t.\tPASS\tSVLEN=500" for name, kind in types.items()
]
with open("calls.vcf", "w") as file:
    file.write("\n".join(lines) + "\n")
pysam.tabix_index("calls.vcf", preset="vcf", force=True)
name = "calls.vcf.gz"
newer = {call.id: call.stop for call in pysam.VariantFile(name)}
older = {call.ID: call.end for call in cyvcf2.VCF(name)}
print("ends by pysam:", newer)
print("ends by cyvcf2:", older)
in_newer = [call.id for call in pysam.VariantFile(name).fetch("chr1", 1299, 1300)]
in_older = [call.ID for call in cyvcf2.VCF(name)("chr1:1300-1300")]
print("calls over chr1:1300 by pysam:", in_newer)
print("calls over chr1:1300 by cyvcf2:", in_older)
spans = ["deletion", "duplication", "inversion"]
expected = {**dict.fromkeys(spans, 1500), "insertion": 1000}
same = newer == expected and older == dict.fromkeys(types, 1000)
sys.exit(0 if same and in_newer == spans and in_older == [] else 1)
PYTHON
