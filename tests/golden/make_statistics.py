"""Makes tests/golden/statistics/: figures by scipy, statsmodels, numpy, Python and mpmath.

    python tests/golden/make_statistics.py

Tab-separated, a line a case; floats by their repr, which reads back to the same bits, except
where a number is given by its bits in hexadecimal. Each file's first line names its columns.
"""

import math
import pathlib
import random
import struct

import mpmath
import numpy as np
from scipy.stats import chi2, chi2_contingency
from statsmodels.stats.multitest import multipletests

OUT = pathlib.Path(__file__).parent / "statistics"
RNG = random.Random(20)
mpmath.mp.dps = 40


def table(name, columns, rows):
    text = "\n".join("\t".join(map(str, row)) for row in [columns, *rows])
    (OUT / name).write_text(text + "\n")


def tail(x):
    return float(mpmath.erfc(mpmath.sqrt(mpmath.mpf(x) / 2)))


def survival():
    grid = [10.0 ** e for e in range(-18, 3)] + [1380 * i / 150 for i in range(1, 151)]
    grid += [RNG.uniform(0, 2) for _ in range(60)] + [10 ** RNG.uniform(-6, 3.139) for _ in range(100)]
    grid += [0.0, 5e-324, 2.2e-308, 1e-300, 0.5, 2.0, 1.4215]
    # Where the tail is subnormal, and where scipy's becomes 0.
    grid += [1405.0, 1410.0, 1420.0, 1424.98, 1424.9894684224535, 1424.9894684224537, 1425.0, 1450.0, 1480.0]
    table("survival.tsv", ("x", "scipy", "exact"),
          [(repr(x), repr(float(chi2.sf(x, 1))), repr(tail(x))) for x in grid])


def contingency():
    rows = []
    for _ in range(220):
        most = 10 ** RNG.randint(1, 6)
        cells = [RNG.choice((0, RNG.randint(0, most), RNG.randint(0, 30))) for _ in range(4)]
        a, b, c, d = cells
        if sum(cells) == 0:
            continue  # scipy divides nothing by nothing here; the notebook never asks
        try:
            test = chi2_contingency([[a, b], [c, d]], correction=False)
        except ValueError:
            rows.append((*cells, "none", "none", "none"))
            continue
        if test.pvalue and test.pvalue < 1e-300:
            continue
        odds = (a * d) / max(1, b * c)
        rows.append((*cells, repr(float(test.statistic)), repr(float(test.pvalue)), repr(odds)))
    table("contingency.tsv", ("a", "b", "c", "d", "statistic", "p", "odds"), rows)


def quotients():
    rows = []
    for _ in range(250):
        n = RNG.getrandbits(RNG.randint(1, 128))
        d = max(1, RNG.getrandbits(RNG.randint(1, 128)))
        if RNG.random() < 0.4:  # at, and one beside, a tie between two neighbours
            m = (1 << 53) + 2 * RNG.getrandbits(52) + 1
            d = 1 << RNG.randint(0, 60)
            n = m * d + RNG.choice((-1, 0, 1))
        rows.append((n, d, repr(n / d)))
    table("quotients.tsv", ("n", "d", "quotient"), rows)


def adjusted():
    rows = []
    for n in (1, 2, 3, 7, 10, 40, 97):
        p = [RNG.choice((RNG.random(), RNG.random() ** 9, 10 ** RNG.uniform(-300, 0))) for _ in range(n)]
        p += RNG.choices(p, k=n // 3) + [1.0] * (n % 3)
        corrected = multipletests(p, method="fdr_bh")[1].tolist()
        rows.append((" ".join(map(repr, p)), " ".join(map(repr, corrected))))
    table("adjusted.tsv", ("p", "adjusted"), rows)


def described():
    rows = []
    for n in (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 100, 127, 128, 129, 200, 300, 520):
        values = [RNG.choice((float(RNG.randint(1, 9000)), RNG.uniform(1, 100), 0.1 * RNG.randint(1, 99)))
                  for _ in range(n)]
        values = [float(f"{value:.3g}") for value in values]
        figures = (np.mean(values), np.median(values), np.quantile(values, 0.75), np.quantile(values, 0.1))
        rows.append((" ".join(map(repr, values)), *(repr(float(figure)) for figure in figures)))
    table("described.tsv", ("values", "mean", "median", "q75", "q10"), rows)


def numbers():
    """How Python writes numbers: ends of each form, ties, and bits at random."""
    values = [0.0, -0.0, 1.0, -1.0, 59.0, 1e15, 1e16, 1e17, 9999999999999998.0, 1e22, 1e23, 1e-4, 1e-5,
              0.00012345, 0.00009999, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
              123456789012345680.0, 0.1, 1 / 3, math.inf, -math.inf, math.nan, 0.5, 1.5, 2.5, 3.5,
              0.25, 0.75, 0.125, 0.375, 0.35, 1.005, 2.675, 0.0005, 0.0015, 0.0025, 12.5, 1e-100,
              1.125, 1.375, 112.5, 1125.0, 11250.0, 9.995, 9.985, 99.95, 0.9995, 0.05, 0.15, -0.0001]
    values += [RNG.randint(0, 4000) / 16 for _ in range(60)] + [RNG.randint(0, 4000) / 1000 for _ in range(60)]
    values += [10 ** RNG.uniform(-320, 300) for _ in range(80)] + [RNG.random() for _ in range(40)]
    values += [struct.unpack("<d", RNG.randbytes(8))[0] for _ in range(80)]
    rows = []
    for x in values:
        bits = struct.unpack("<Q", struct.pack("<d", x))[0]
        small = abs(x) < 1e6 or not math.isfinite(x)
        fixed = [f"{x:.{digits}f}" if small else "-" for digits in range(4)]
        rows.append((f"{bits:016x}", repr(x), f"{x:.2e}", *fixed))
    table("numbers.tsv", ("bits", "repr", ".2e", ".0f", ".1f", ".2f", ".3f"), rows)


OUT.mkdir(exist_ok=True)
for make in (survival, contingency, quotients, adjusted, described, numbers):
    make()
