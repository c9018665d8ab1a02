"""Makes tests/golden/association/exact_strata.tsv: the exact conditional test within strata, in whole numbers.

    python tests/golden/make_exact_strata.py

Of each set of 2 x 2 tables (a,b,c,d, between semicolons) the number of ways in which each sum of the first
cells comes about, as a Python integer: the product over strata of the polynomials
sum C(a + c, x) C(b + d, a + b - x) z^x. p is the share of the ways of all sums that have at most as many as
the observed one, mid_p the same with those that have just as many counted half. ln of both, by mpmath at 30
digits. No set has a sum whose ways differ from the observed one's by less than one in 10^6 but are not the same.
Needs mpmath 1.3; uses no random numbers but Python's own.
"""

import math
import pathlib
import random

import mpmath as mp

OUT = pathlib.Path(__file__).parent / "association" / "exact_strata.tsv"
RNG = random.Random(14)
mp.mp.dps = 30


def ways(tables):
    """Ways of each sum from the least, and the observed one's place: polynomials packed into integers."""
    polynomials, place, total = [], 0, 1
    for a, b, c, d in tables:
        tp, fp, fires = a + c, b + d, a + b
        low, high = max(0, fires - fp), min(fires, tp)
        polynomials.append([math.comb(tp, x) * math.comb(fp, fires - x) for x in range(low, high + 1)])
        place += a - low
        total *= math.comb(tp + fp, fires)
    bytes_each = total.bit_length() // 8 + 1
    packed, length = 1, 1
    for polynomial in sorted(polynomials, key=len):
        packed *= int.from_bytes(b"".join(n.to_bytes(bytes_each, "little") for n in polynomial), "little")
        length += len(polynomial) - 1
    data = packed.to_bytes(length * bytes_each, "little")
    found = [int.from_bytes(data[i * bytes_each:(i + 1) * bytes_each], "little") for i in range(length)]
    assert sum(found) == total
    return found, place


def test(tables):
    found, place = ways(tables)
    observed, total = found[place], sum(found)
    if any(n != observed and abs(n - observed) * 10**6 < observed for n in found):
        return None
    less, same = sum(n for n in found if n < observed), sum(n for n in found if n == observed)
    return mp.log(mp.mpf(less + same) / total), mp.log(mp.mpf(2 * less + same) / (2 * total))


def stratum(tp, fp, rate, ratio):
    tp_rate = ratio * rate / (1 - rate + ratio * rate)
    if tp + fp < 5000:
        a, b = (sum(RNG.random() < r for _ in range(n)) for n, r in ((tp, tp_rate), (fp, rate)))
    else:
        a, b = (min(n, max(0, round(RNG.gauss(n * r, math.sqrt(n * r * (1 - r)))))) for n, r in ((tp, tp_rate), (fp, rate)))
    return a, b, tp - a, fp - b


def informs(t):
    return 0 not in (t[0] + t[1], t[2] + t[3], t[0] + t[2], t[1] + t[3])


def drawn(count, size, true, rate, ratio):
    tables = []
    while len(tables) < count:
        n = RNG.randint(2, size)
        tp = min(n - 1, max(1, round(n * true)))
        table = stratum(tp, n - tp, rate, ratio)
        if informs(table):
            tables.append(table)
    return tables


def cases():
    rates = (0.005, 0.02, 0.1, 0.4)
    for _ in range(300):  # sparse, rare, unbalanced
        yield drawn(RNG.choice((2, 3, 5, 9, 16)), RNG.choice((6, 30, 200, 1000)), RNG.choice((0.03, 0.1, 0.5, 0.8, 0.95, 0.98)),
                    RNG.choice(rates), math.exp(RNG.gauss(0, 1)))
    for _ in range(12):
        yield drawn(64, RNG.choice((4, 20, 400)), RNG.choice((0.5, 0.95)), RNG.choice(rates), math.exp(RNG.gauss(0, 1)))
    for _ in range(80):  # as many true as false calls: sums that mirror each other are as probable
        halves = RNG.choice((2, 4, 9))
        yield [stratum(n, n, RNG.choice((0.1, 0.4)), RNG.choice((1, 3))) for n in (RNG.randint(5, 40) for _ in range(halves))]
    for _ in range(80):  # strong, to below 1e-300
        yield drawn(RNG.choice((2, 4, 8)), RNG.choice((200, 400)), RNG.choice((0.1, 0.5, 0.9)), RNG.choice((0.1, 0.4)),
                    math.exp(RNG.choice((-1, 1)) * RNG.uniform(2, 7)))
    for _ in range(40):  # few firings of very many calls, all on the rarer side but for some
        tp, fp = RNG.choice(((10**9, 300), (4 * 10**6, 10**12), (500, 10**8)))
        most = RNG.choice((12, 45))  # to 1e-300, and far below
        rare = [RNG.randint(2, most) for _ in range(RNG.choice((2, 4)))]
        on_true = tp < fp
        yield [(k, e, tp - k, fp - e) if on_true else (e, k, tp - e, fp - k) for k in rare for e in [RNG.randint(0, 1)]]
    for strength in (0, 0, 0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3):  # more sums than are convolved
        for sign in (-1, 1):
            for true in (0.5, 0.93):
                yield drawn(RNG.choice((2, 5)), 1500, true, RNG.choice((0.1, 0.5)), math.exp(sign * strength))
    for small, sign in ((3, 1), (40, -1)):  # all that can fire does, on one side or the other
        yield [(small, 0, 5, 60), (small + 2, 0, 8, 70)] if sign > 0 else [(0, small, 60, 5), (0, small, 80, 4)]
    yield [(300, 0, 0, 400), (330, 0, 0, 310)]
    yield [(300, 1, 0, 400), (330, 0, 2, 310)]
    yield [(0, 300, 400, 0), (0, 330, 310, 2)]


rows = []
for case in cases():
    for table in RNG.choices([(0, 0, 3, 4), (2, 3, 0, 0), (0, 0, 0, 0), (0, 5, 0, 6)], k=RNG.random() < 0.1):
        case.append(table)
    if sum(map(informs, case)) < 2:
        continue
    found = test([t for t in case if informs(t)])
    if found is None:
        continue
    text = ";".join(",".join(map(str, t)) for t in case)
    rows.append((text, *(mp.nstr(x, 18) for x in found)))
assert len(rows) >= 500, len(rows)
OUT.write_text("\n".join("\t".join(row) for row in [("tables", "ln_p", "ln_mid_p"), *rows]) + "\n")
print(len(rows), "sets, ln p from", min(float(r[1]) for r in rows))
