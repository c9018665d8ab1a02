"""Makes tests/golden/association/rank_law.tsv: two-sided p-values of rank sums given all ties, by
counting choices in whole numbers.

    python tests/golden/make_ranks.py

A line a rank sum: `ties` are the groups of tied calls by ascending value, `class` the calls of one
class, `doubled_ranks` twice the sum of their mid-ranks from 1. `all_counted` is yes where few calls are
outside of the largest group, so that nothing may be approximated.
Needs scipy 1.17 and mpmath 1.3.
"""

import math
import pathlib
import random
from collections import defaultdict
from fractions import Fraction

import mpmath as mp
import numpy as np
from scipy import stats

OUT = pathlib.Path(__file__).parent / "association"
RNG = random.Random(14)
mp.mp.dps = 40


def ranks_of(ties):
    before, ranks = 0, []
    for tied in ties:
        ranks.append(2 * before + tied + 1)
        before += tied
    return ranks


def law(ties, size):
    """How many choices of that many calls have each doubled rank sum."""
    ranks, largest = ranks_of(ties), ties.index(max(ties))
    ways = {(0, 0): 1}
    for place, (tied, rank) in enumerate(zip(ties, ranks)):
        if place == largest:
            continue
        more = defaultdict(int)
        for (taken, total), count in ways.items():
            for x in range(min(tied, size - taken) + 1):
                more[taken + x, total + x * rank] += count * math.comb(tied, x)
        ways = more
    sums = defaultdict(int)
    for (taken, total), count in ways.items():
        left = size - taken
        if left <= ties[largest]:
            sums[total + left * ranks[largest]] += count * math.comb(ties[largest], left)
    return dict(sorted(sums.items()))


def two_sided(sums):
    """By doubled rank sum, as fractions."""
    everything = sum(sums.values())
    below, found = 0, {}
    for total, count in sums.items():
        above = everything - below
        below += count
        found[total] = min(Fraction(1), Fraction(2 * min(below, above), everything))
    return found


def check_against_scipy():
    """The definition is that of scipy's exact permutation test."""
    for _ in range(12):
        ties = [RNG.randint(1, 3) for _ in range(RNG.randint(4, 5))]
        values = np.repeat(np.arange(len(ties)), ties)
        size = RNG.randint(2, max(2, len(values) - 2))
        chosen = np.array(RNG.sample(range(len(values)), size))
        rest = np.setdiff1d(np.arange(len(values)), chosen)
        ranks = 2 * stats.rankdata(values)
        test = stats.permutation_test((ranks[chosen], ranks[rest]), lambda x, y: x.sum(), n_resamples=10**6)
        exact = two_sided(law(ties, size))[int(ranks[chosen].sum())]
        assert abs(test.pvalue - float(exact)) < 1e-12, (ties, size)


def singles(count):
    return [1] * count


def some_ties(count, most):
    ties = []
    while sum(ties) < count:
        ties.append(min(RNG.randint(1, most), count - sum(ties)))
    return ties


def cases():
    silent = (30, 400, 95_000, 10**9)
    for below, above in ((0, 1), (0, 6), (0, 20), (1, 0), (4, 9), (12, 0), (7, 7)):
        for many in silent:
            for size in {2, 5, many // 20, many // 2}:
                yield some_ties(below, 2) + [many] + some_ties(above, 3), size
    yield singles(9), 4
    yield singles(16), 8
    yield [5, 5], 5
    yield [3, 1, 4, 1, 5, 9, 2], 11
    yield [10**9 - 40, *singles(40)], 39
    # What is too much to count is approximated.
    for below, above in ((0, 44), (0, 36), (9, 30), (20, 20), (38, 4)):
        for many in (60, 900, 95_000):
            for size in {7, many // 20, many // 2}:
                yield singles(below) + [many] + some_ties(above, 1 + many % 7), size
    yield singles(44), 22
    yield singles(60), 9
    yield [7, 8, 300, 300, 290], 400
    yield [700, 9, 280, 300], 120


def main():
    check_against_scipy()
    rows = []
    for ties, size in cases():
        others = sum(ties) - max(ties)
        size = max(1, min(size, sum(ties) - 1))
        exact = two_sided(law(ties, size))
        totals = list(exact)
        wanted = {totals[0], totals[-1], totals[len(totals) // 2]}
        wanted |= {totals[min(int(len(totals) * q), len(totals) - 1)] for q in (0.03, 0.2, 0.7, 0.9, 0.98, 0.999)}
        for total in sorted(wanted):
            ln_p = mp.log(mp.mpf(exact[total].numerator) / exact[total].denominator)
            counted = "yes" if others <= 20 or size <= 2 else "no"
            rows.append((" ".join(map(str, ties)), size, total, repr(float(ln_p)), counted))
            # The other class has the other ranks.
            if RNG.random() < 0.1:
                calls = sum(ties)
                rows.append((rows[-1][0], calls - size, calls * (calls + 1) - total, repr(float(ln_p)), counted))
    columns = ("ties", "class", "doubled_ranks", "ln_p", "all_counted")
    text = "\n".join("\t".join(map(str, row)) for row in [columns, *rows])
    (OUT / "rank_law.tsv").write_text(text + "\n")
    print(len(rows), "sums")


main()
