"""Makes tests/golden/pairs/pairs.tsv: two atoms' firing on true and on false calls, by scipy,
statsmodels, and by mpmath at 50 digits.

    python tests/golden/make_pairs.py

Tab-separated, a line a case; the first line names the columns. `tp` and `fp` are calls on which both
atoms fire, only the first, only the second, neither. `none` where a figure is undefined.
Needs scipy 1.17, statsmodels 0.15, mpmath 1.3.
"""

import pathlib
import random
import warnings

import mpmath as mp
import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2

OUT = pathlib.Path(__file__).parent / "pairs"
RNG = random.Random(7)
mp.mp.dps = 50
warnings.simplefilter("ignore")


def neg_log10_p(statistic):
    """Of a chi-square statistic with one degree of freedom."""
    return repr(float(-mp.log10(mp.erfc(mp.sqrt(mp.mpf(statistic) / 2)))))


def association(table):
    (a, b), (c, d) = table.tolist()
    n, first, second = a + b + c + d, a + b, a + c
    if 0 in (first, second, n - first, n - second):
        return ["none"] * 5
    chi2, _, _, expected = stats.chi2_contingency(table, correction=False)
    exact = mp.mpf(n) * (a * d - b * c) ** 2 / (mp.mpf(first) * (n - first) * second * (n - second))
    assert abs(exact - chi2) <= 1e-9 * abs(chi2) + 1e-12, (exact, chi2)
    phi = stats.pearsonr(np.repeat([1, 1, 0, 0], [a, b, c, d]), np.repeat([1, 0, 1, 0], [a, b, c, d])).statistic
    lift = float(mp.mpf(a) * n / (first * second))
    jaccard = float(mp.mpf(a) / (a + b + c))
    return [repr(float(expected[0, 0])), repr(lift), repr(jaccard), repr(float(phi)), neg_log10_p(exact)]


def breslow_day_tarone(strata):
    """The statistic as textbooks have it. statsmodels' own has lost digits where strata hardly
    differ, and is held to be near."""
    strata = [[mp.mpf(int(x)) for x in t.flatten()] for t in strata]
    r, s = (sum(t[i] * t[j] / sum(t) for t in strata) for i, j in ((0, 3), (1, 2)))
    if r == 0 or s == 0:
        return None
    statistic, residual, variance = mp.mpf(0), mp.mpf(0), mp.mpf(0)
    for a, b, c, d in strata:
        low, high = max(a - d, mp.mpf(0)), min(a + b, a + c)
        for _ in range(200):
            x = (low + high) / 2
            low, high = (x, high) if x * (d - a + x) * s < r * (a + b - x) * (a + c - x) else (low, x)
        v = 1 / (1 / x + 1 / (a + b - x) + 1 / (a + c - x) + 1 / (d - a + x))
        statistic += (a - x) ** 2 / v
        residual += a - x
        variance += v
    return statistic - residual**2 / variance


def difference(tp, fp):
    for table in (tp, fp):
        if 0 in (*table.sum(axis=0), *table.sum(axis=1)):
            return ["none"] * 2
    log_or = [Table2x2(table + 0.5).log_oddsratio for table in (tp, fp)]
    statistic = breslow_day_tarone((tp, fp))
    if statistic is not None:
        library = StratifiedTable([t.astype(float) for t in (tp, fp)]).test_equal_odds(adjust=True).statistic
        assert abs(library - statistic) <= 1e-7 * statistic + 1e-10, (library, statistic)
    p = "none" if statistic is None else neg_log10_p(statistic)
    return [repr(float(log_or[0] - log_or[1])), p]


def case():
    def table(size):
        weights = [RNG.random() ** 3 for _ in range(4)]
        counts = [int(size * w / sum(weights)) for w in weights]
        for i in range(4):
            if RNG.random() < 0.06:
                counts[i] = 0
        return np.array(counts).reshape(2, 2)

    size = 10 ** RNG.uniform(0.7, 4)
    return table(size), table(size * RNG.uniform(0.3, 2))


COLUMNS = ["expected", "lift", "jaccard", "phi", "neg_log10_p"]
names = ["tp", "fp"] + [f"{group}_{c}" for group in ("all", "tp", "fp") for c in COLUMNS]
rows = [names + ["log_odds_ratio_difference", "breslow_day_neg_log10_p"]]
for _ in range(60):
    tp, fp = case()
    # A pair that never fires together is not kept.
    tp[0, 0] += 1
    cells = [",".join(map(str, t.flatten())) for t in (tp, fp)]
    rows.append(cells + association(tp + fp) + association(tp) + association(fp) + difference(tp, fp))
OUT.mkdir(exist_ok=True)
(OUT / "pairs.tsv").write_text("\n".join("\t".join(row) for row in rows) + "\n")
