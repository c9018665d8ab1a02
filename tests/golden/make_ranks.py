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


def ways_of(ties, most):
    """How many choices of up to `most` calls outside of the largest group have each count and doubled
    rank sum."""
    ranks, largest = ranks_of(ties), ties.index(max(ties))
    ways = {(0, 0): 1}
    for place, (tied, rank) in enumerate(zip(ties, ranks)):
        if place == largest:
            continue
        more = defaultdict(int)
        for (taken, total), count in ways.items():
            for x in range(min(tied, most - taken) + 1):
                more[taken + x, total + x * rank] += count * math.comb(tied, x)
        ways = more
    return ways


def law(ties, size, ways):
    """How many choices of so many calls have each doubled rank sum."""
    largest = ties.index(max(ties))
    rank, sums = ranks_of(ties)[largest], defaultdict(int)
    choices = {left: math.comb(ties[largest], left) for left in range(max(0, size - sum(ties) + ties[largest]), size + 1)}
    for (taken, total), count in ways.items():
        left = size - taken
        if 0 <= left <= ties[largest]:
            sums[total + left * rank] += count * choices[left]
    return dict(sorted(sums.items()))


def two_sided(sums, observed):
    everything = sum(sums.values())
    below = sum(count for total, count in sums.items() if total <= observed)
    above = sum(count for total, count in sums.items() if total >= observed)
    return min(Fraction(1), Fraction(2 * min(below, above), everything))


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
        exact = two_sided(law(ties, size, ways_of(ties, size)), int(ranks[chosen].sum()))
        assert abs(test.pvalue - float(exact)) < 1e-12, (ties, size)


def singles(count):
    return [1] * count


def some_ties(count, most):
    ties = []
    while sum(ties) < count:
        ties.append(min(RNG.randint(1, most), count - sum(ties)))
    return ties


def cases():
    """Groups of ties, and sizes of the class."""
    for below, above in ((0, 1), (0, 6), (0, 20), (1, 0), (4, 9), (12, 0), (7, 7)):
        for many in (30, 400, 95_000):
            yield some_ties(below, 2) + [many] + some_ties(above, 3), {2, 5, many // 20, min(many // 2, 2000)}
    yield [*singles(3), 10**9, *singles(9)], {3, 11}
    yield singles(9), {4}
    yield singles(16), {8}
    yield [5, 5], {5}
    yield [3, 1, 4, 1, 5, 9, 2], {11}
    yield [10**9 - 40, *singles(40)], {39}
    # What is too much to count is approximated.
    for below, above in ((0, 32), (0, 26), (8, 22), (16, 16), (27, 4)):
        for many in (60, 5000):
            yield singles(below) + [many] + some_ties(above, 1 + many % 7), {7, many // 20, many // 2}
    yield singles(30), {9, 15}
    yield [7, 8, 40, 45, 50], {60, 21}


def main():
    check_against_scipy()
    rows = []
    for ties, sizes in cases():
        calls, others = sum(ties), sum(ties) - max(ties)
        sizes = {max(1, min(size, calls - 1)) for size in sizes}
        ways = ways_of(ties, max(sizes))
        for size in sorted(sizes):
            sums = law(ties, size, ways)
            totals = list(sums)
            wanted = {totals[0], totals[-1], totals[len(totals) // 2]}
            wanted |= {totals[int((len(totals) - 1) * q)] for q in (0.03, 0.2, 0.7, 0.9, 0.98, 0.999)}
            for total in sorted(wanted):
                exact = two_sided(sums, total)
                ln_p = repr(float(mp.log(mp.mpf(exact.numerator) / exact.denominator)))
                text, counted = " ".join(map(str, ties)), "yes" if others <= 20 or size <= 2 else "no"
                if RNG.random() < 0.9:
                    rows.append((text, size, total, ln_p, counted))
                else:  # The other class has the other ranks.
                    rows.append((text, calls - size, calls * (calls + 1) - total, ln_p, counted))
    columns = ("ties", "class", "doubled_ranks", "ln_p", "all_counted")
    text = "\n".join("\t".join(map(str, row)) for row in [columns, *rows])
    (OUT / "rank_law.tsv").write_text(text + "\n")
    print(len(rows), "sums")


main()
