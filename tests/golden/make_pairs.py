"""Makes tests/golden/pairs/pairs.tsv: two atoms' firing on true and on false calls, by scipy,
statsmodels, exact fractions, and by mpmath at 50 digits.

    python tests/golden/make_pairs.py

Tab-separated, a line a case; the first line names the columns. `tp` and `fp` are calls on which both
atoms fire, only the first, only the second, neither. `none` where a figure is undefined.
Each call fires two of six atoms; `sets` says which the others are. What chance leaves is found by
going through all fifteen sets.
Needs scipy 1.17, statsmodels 0.15, mpmath 1.3.
"""

import itertools
import math
import pathlib
import random
import warnings
from fractions import Fraction

import mpmath as mp
import numpy as np
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2

OUT = pathlib.Path(__file__).parent / "pairs"
RNG = random.Random(7)
mp.mp.dps = 50
warnings.simplefilter("ignore")


def sets(table):
    """The sets of a table's calls: the other atoms take turns."""
    a, b, c, d = table.flatten().tolist()
    others = [{2, 3}, {4, 5}, {2, 4}, {3, 5}]
    return (
        [{0, 1}] * a
        + [{0, 2 + i % 4} for i in range(b)]
        + [{1, 2 + i % 4} for i in range(c)]
        + [others[i % 4] for i in range(d)]
    )


def shares(weights, k):
    """How often each atom fires, and atoms 0 and 1 both, where a set is drawn in proportion to the
    product of its atoms' weights."""
    total, both, one = mp.mpf(0), mp.mpf(0), {atom: mp.mpf(0) for atom in weights}
    for chosen in itertools.combinations(weights, k):
        weight = mp.fprod(weights[atom] for atom in chosen)
        total += weight
        both += weight if {0, 1} <= set(chosen) else 0
        for atom in chosen:
            one[atom] += weight
    return {atom: share / total for atom, share in one.items()}, both / total


def chance(calls):
    """P(both fire) by chance, and the odds ratio; no odds ratio where nothing is left to chance."""
    n = len(calls)
    fires = {atom: sum(atom in one for one in calls) for atom in range(6)}
    always = [atom for atom in fires if fires[atom] == n]
    fires = {atom: count for atom, count in fires.items() if 0 < count < n}
    k = 2 - len(always)
    if k < 2 or len(fires) - k < 2:
        return None
    share = {atom: mp.mpf(count) / n for atom, count in fires.items()}
    weights = {atom: p / (1 - p) for atom, p in share.items()}
    for _ in range(20000):
        found, both = shares(weights, k)
        if max(abs(found[atom] / share[atom] - 1) for atom in share) < mp.mpf(10) ** -22:
            break
        weights = {atom: weights[atom] * mp.sqrt(share[atom] * (1 - found[atom]) / (found[atom] * (1 - share[atom]))) for atom in share}
    else:
        raise ValueError("no weights")
    a, b = share[0], share[1]
    return both, both * (1 - a - b + both) / ((a - both) * (b - both))


def neg_log10_two_sided(weights, observed):
    """Of weights of all counts there could have been."""
    at_most = observed * (1 + mp.mpf(10) ** -11)
    return repr(float(-mp.log10(mp.fsum(w for w in weights if w <= at_most) / mp.fsum(weights))))


def association(table, calls):
    (a, b), (c, d) = table.tolist()
    n, first, second = a + b + c + d, a + b, a + c
    if 0 in (first, second, n - first, n - second):
        return ["none"] * 5
    phi = stats.pearsonr(np.repeat([1, 1, 0, 0], [a, b, c, d]), np.repeat([1, 0, 1, 0], [a, b, c, d])).statistic
    jaccard = repr(float(mp.mpf(a) / (a + b + c)))
    known = chance(calls)
    if known is None:
        return ["none", "none", jaccard, repr(float(phi)), "none"]
    both, odds_ratio = known
    least, most = max(0, first + second - n), min(first, second)
    weights = [mp.mpf(1)]
    for x in range(least, most):
        up, down = (first - x) * (second - x), (x + 1) * (n - first - second + x + 1)
        weights.append(weights[-1] * odds_ratio * up / down)
    p = neg_log10_two_sided(weights, weights[a - least])
    if n < 2000:
        law = stats.nchypergeom_fisher(n, first, second, float(odds_ratio))
        scipy = law.pmf(np.arange(least, most + 1))
        scipy = scipy[scipy <= scipy[a - least] * (1 + 1e-9)].sum()
        assert scipy < 1e-10 or abs(float(p) + math.log10(scipy)) < 1e-5, (p, scipy)
    return [repr(float(both * n)), repr(float(a / (both * n))), jaccard, repr(float(phi)), p]


def zelen(tp, fp):
    """The exact test of one odds ratio in two tables, in fractions."""
    tables = [t.flatten().tolist() for t in (tp, fp)]
    both = tables[0][0] + tables[1][0]
    ends = [(max(0, a - d), min(a + b, a + c)) for a, b, c, d in tables]
    least, most = max(ends[0][0], both - ends[1][1]), min(ends[0][1], both - ends[1][0])
    if least == most:
        return "none"

    def ways(x):
        count = 1
        for (a, b, c, d), on in zip(tables, (x, both - x)):
            count *= math.comb(a + b, on) * math.comb(c + d, a + c - on)
        return count

    weights = [ways(x) for x in range(least, most + 1)]
    observed = weights[tables[0][0] - least]
    p = Fraction(sum(w for w in weights if w <= observed), sum(weights))
    return repr(float(-mp.log10(mp.mpf(p.numerator) / p.denominator)) + 0.0)


def difference(tp, fp):
    for table in (tp, fp):
        if 0 in (*table.sum(axis=0), *table.sum(axis=1)):
            return ["none"] * 2
    log_or = [Table2x2(table + 0.5).log_oddsratio for table in (tp, fp)]
    return [repr(float(log_or[0] - log_or[1])), zelen(tp, fp)]


def case():
    def table(size):
        weights = [RNG.random() ** 3 for _ in range(4)]
        counts = [int(size * w / sum(weights)) for w in weights]
        for i in range(4):
            if RNG.random() < 0.06:
                counts[i] = 0
        return np.array(counts).reshape(2, 2)

    size = 10 ** RNG.uniform(0.7, 3.5)
    return table(size), table(size * RNG.uniform(0.3, 2))


COLUMNS = ["expected", "lift", "jaccard", "phi", "neg_log10_p"]
names = ["tp", "fp"] + [f"{group}_{c}" for group in ("all", "tp", "fp") for c in COLUMNS]
rows = [names + ["log_odds_ratio_difference", "zelen_neg_log10_p"]]
for _ in range(60):
    tp, fp = case()
    # A pair that never fires together is not kept.
    tp[0, 0] += 1
    cells = [",".join(map(str, t.flatten())) for t in (tp, fp)]
    rows.append(cells + association(tp + fp, sets(tp) + sets(fp)) + association(tp, sets(tp)) + association(fp, sets(fp)) + difference(tp, fp))
OUT.mkdir(exist_ok=True)
(OUT / "pairs.tsv").write_text("\n".join("\t".join(row) for row in rows) + "\n")
