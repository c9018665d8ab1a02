#!/usr/bin/env python3
"""A table of calls whose texts try to be markup.    hostile.py FILE ROWS"""

import csv
import random
import sys

MARKUP = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "\"'><svg onload=alert(1)>",
    "$'$&`",
    "a\u202eb\u2066c\u200d",
    "x" * 10_000,
    "javascript:alert(1)",
    "\x1b[31mred\x07",
]
draw = random.Random(5)
with open(sys.argv[1], "w", newline="", encoding="utf-8") as file:
    out = csv.writer(file)
    out.writerow(["id", "chrom", "pos", "svtype", "svlen", "truvari_class", "dataset"])
    for row in range(int(sys.argv[2])):
        markup = MARKUP[row % len(MARKUP)]
        chrom = markup if row % 5 == 0 else f"chr{row % 7 + 1}"
        svtype = markup if row % 11 == 0 else draw.choice(["DEL", "INS", "INV"])
        dataset = MARKUP[row % 3]
        label = "TP" if draw.random() < 0.6 else "FP"
        out.writerow([markup, chrom, draw.randrange(1, 10**8), svtype, draw.randrange(-9000, 9000), label, dataset])
