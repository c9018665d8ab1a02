"""Makes tests/golden/association/: effects, tests and adjusted p-values by scipy, statsmodels,
scikit-learn, and by mpmath at 50 digits.

    python tests/golden/make_tests.py

Tab-separated, a line a case; each file's first line names its columns. Floats by their repr.
Columns that are named after a library are its own; all others are mpmath's, straight from the
definitions. A library's is `none` where it has none, or not to ten digits by its rounding or
underflow: scipy's `fisher_exact` has nine at a million calls, six at a thousand million, statsmodels' Breslow–Day
statistic likewise in large strata.
Needs scipy 1.17, statsmodels 0.15, scikit-learn 1.9, mpmath 1.3.
"""

import math
import pathlib
import random
import warnings

import mpmath as mp
import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

OUT = pathlib.Path(__file__).parent / "association"
RNG = random.Random(6)
mp.mp.dps = 50
Z = mp.sqrt(2) * mp.erfinv(mp.mpf(95) / 100)
warnings.simplefilter("ignore")


def write(name, columns, rows):
    text = "\n".join("\t".join(map(str, row)) for row in [columns, *rows])
    (OUT / name).write_text(text + "\n")


def shown(x):
    """A number as binary64."""
    return repr(float(x))


def close(library, exact):
    """The library's figure, where it has the ten digits that are asked for. Where it has not, that
    must be by its rounding (a million calls and more) or by underflow, never another definition."""
    library, exact = float(library), mp.mpf(exact)
    apart = abs(library - exact)
    if math.isfinite(library) and apart <= abs(exact) / 10**10:
        return repr(library)
    nothing = math.isnan(library)  # statsmodels' fit at an odds ratio of 1
    underflow = library in (0.0, -math.inf) or 0 < exact < mp.mpf(10) ** -300
    assert nothing or underflow or apart <= max(abs(exact) / 10**5, mp.mpf(10) ** -12), (library, exact)
    return "none"


def ln_gamma_tail(a, h):
    """ln Q(a, h), the upper regularized incomplete gamma function."""
    a, h = mp.mpf(a), mp.mpf(h)
    if h == 0:
        return mp.mpf(0)
    if h < a + 30:
        return mp.log(mp.gammainc(a, h, regularized=True))
    # Its continued fraction (DLMF 8.9.2), from far behind.
    fraction = mp.mpf(0)
    for n in range(3000, 0, -1):
        fraction = n * (a - n) / (h - a + 2 * n + 1 + fraction)
    return a * mp.log(h) - h - mp.log(h - a + 1 + fraction) - mp.loggamma(a)


def ln_chi2(x, degrees):
    return ln_gamma_tail(mp.mpf(degrees) / 2, mp.mpf(x) / 2)


def tails():
    rows = []
    for degrees in (1, 2, 3, 4, 7, 8, 31, 32, 33, 63, 64, 200, 1001):
        for x in [1e-9, 0.3, 0.999 * degrees, float(degrees), 1.001 * degrees, 2.5 * degrees,
                  degrees + 1400.0, degrees + 3000.0, 10 ** RNG.uniform(-3, 3), 10 ** RNG.uniform(1, 4), 461000.5]:
            exact = ln_chi2(x, degrees)
            rows.append(("chi2", repr(x), degrees, shown(exact), close(stats.chi2.logsf(x, degrees), exact)))
    for z in [0.0, 1e-12, 1e-5, 0.3, 0.7, 0.71, 1.0, 1.96, 5.0, 24.4, 24.5, 25.0, 37.5, 40.0, 100.0, 679.1, 1e5]:
        exact = ln_gamma_tail(0.5, mp.mpf(z) ** 2 / 2)
        rows.append(("two_sided", repr(z), 0, shown(exact), close(stats.norm.logsf(z) + math.log(2), exact)))
        for z in {z, -z}:
            exact = mp.log(mp.erfc(z / mp.sqrt(2)) / 2)
            rows.append(("upper", repr(z), 0, shown(exact), close(stats.norm.logsf(z), exact)))
    write("tails.tsv", ("tail", "x", "degrees", "ln_p", "scipy"), rows)


def ln_student(rho, degrees):
    """ln of the two-sided tail for the t of a correlation, by the hypergeometric function."""
    rho, a = mp.mpf(rho), mp.mpf(degrees) / 2
    y = rho * rho
    beta = mp.beta(a, 0.5)
    if y * degrees < 30 * (1 - y):
        inner = 2 * mp.sqrt(y) * (1 - y) ** a / beta * mp.hyp2f1(1, a + 0.5, 1.5, y)
        return mp.log(1 - inner)
    fraction, c, w = mp.mpf(1), a + 1, (1 - y) / y
    for m in range(400, -1, -1):
        fraction = 1 + (m + 1) * (c - 0.5 + m) / ((c + 2 * m) * (c + 2 * m + 1)) * w / fraction
        fraction = 1 + (0.5 + m) * (c - 1 + m) / ((c + 2 * m - 1) * (c + 2 * m)) * w / fraction
    return a * mp.log1p(-y) - mp.log(y) / 2 - mp.log(a * beta) - mp.log(fraction)


def student():
    rows = []
    for degrees in (1, 2, 3, 4, 9, 30, 31, 32, 33, 1000, 99_998, 999_998, 10_000_000):
        rhos = [1e-9, 1e-3, 0.5, 0.75, 0.9, 0.999999]
        rhos += [t / math.sqrt(degrees + t * t) for t in (0.5, 1.7, 1.74, 1.8, 3.0, 6.0, 30.0)]
        for rho in rhos:
            exact = ln_student(rho, degrees)
            if exact < -5e6:
                continue
            t = rho * math.sqrt(degrees / ((1 - rho) * (1 + rho)))
            rows.append((repr(rho), degrees, shown(exact), close(2 * stats.t.sf(t, degrees), mp.exp(exact))))
    write("student.tsv", ("rho", "degrees", "ln_p", "scipy"), rows)


def ln_pmf(x, fires, tp, n):
    def choose(n, k):
        return mp.loggamma(n + 1) - mp.loggamma(k + 1) - mp.loggamma(n - k + 1)
    return choose(tp, x) + choose(n - tp, fires - x) - choose(n, fires)


def tail(x, fires, tp, n, step):
    """The sum of probabilities from x on, by P(x)."""
    total = term = mp.mpf(1)
    while term > total * mp.mpf(10) ** -35:
        a, b, c, d = x, fires - x, tp - x, n - fires - tp + x
        term *= mp.mpf(b * c) / ((a + 1) * (d + 1)) if step > 0 else mp.mpf(a * d) / ((b + 1) * (c + 1))
        total += term
        x += step
    return total


def fisher_exact(a, b, c, d):
    """ln of p, mid-p, P(X ≤ a) and P(X ≥ a), from the definitions; the rule for ties is scipy's."""
    fires, tp, n = a + b, a + c, a + b + c + d
    least, most = max(0, fires + tp - n), min(fires, tp)
    here = ln_pmf(a, fires, tp, n)
    one_sided = []
    mode = min(max(fires * tp // n, least), most)
    for step, start in ((-1, a), (1, a)):
        if (start - mode) * step >= 0:
            one_sided.append(here + mp.log(tail(a, fires, tp, n, step)))
        elif start - step < least or start - step > most:
            one_sided.append(mp.mpf(0))
        else:
            x = start - step
            one_sided.append(mp.log1p(-mp.exp(ln_pmf(x, fires, tp, n)) * tail(x, fires, tp, n, -step)))
    limit, ties = here + mp.mpf(10) ** -14, mp.mpf(10) ** -14
    peak = max(range(max(least, mode - 2), min(most, mode + 2) + 1), key=lambda x: ln_pmf(x, fires, tp, n))
    total, equal = mp.mpf(0), mp.mpf(0)
    if ln_pmf(peak, fires, tp, n) <= limit:
        near = [x for x in range(max(least, a - 2), min(most, a + 2) + 1)]
        equal = sum(1 for x in near if abs(ln_pmf(x, fires, tp, n) - here) <= ties)
        return mp.mpf(0), mp.log(1 - mp.exp(here) * equal / 2), *one_sided
    for step, end in ((-1, least), (1, most)):
        # The first x from the peak on whose probability does not exceed the limit.
        inside, outside = peak, end
        if ln_pmf(end, fires, tp, n) > limit:
            continue
        while abs(outside - inside) > 1:
            middle = (inside + outside) // 2
            if ln_pmf(middle, fires, tp, n) > limit:
                inside = middle
            else:
                outside = middle
        relative = mp.exp(ln_pmf(outside, fires, tp, n) - here)
        total += relative * tail(outside, fires, tp, n, step)
        equal += abs(relative - 1) <= ties
    return here + mp.log(total), here + mp.log(total - equal / mp.mpf(2)), *one_sided


def tables():
    cases = [(8, 2, 1, 5), (0, 5, 5, 0), (5, 0, 0, 5), (0, 9, 3, 40), (3, 0, 0, 0), (0, 0, 4, 9), (7, 0, 9, 0), (0, 8, 0, 2),
             (10, 10, 10, 10), (1, 1, 1, 1), (1, 0, 0, 1), (1, 0, 0, 0), (3, 4, 3, 4), (20, 30, 30, 20), (2, 13, 13, 2),
             (0, 1000, 1000, 0), (1, 999_999, 0, 0), (1, 0, 499_999, 500_000), (5, 0, 499_995, 500_000),
             (250_000, 250_000, 250_000, 250_000), (250_001, 249_999, 249_999, 250_001),
             (250_300, 249_700, 249_700, 250_300), (259_000, 241_000, 241_000, 259_000),
             (300_000, 200_000, 200_000, 300_000), (500_000, 0, 0, 500_000), (499_990, 10, 10, 499_990),
             (0, 2000, 600_000, 398_000), (2000, 0, 600_000, 398_000), (1300, 700, 599_000, 399_000),
             (150_000, 100, 350_000, 499_900), (30, 5000, 970, 994_000), (90_000, 10_000, 410_000, 490_000),
             (250_020_000, 249_980_000, 249_980_000, 250_020_000), (50_100, 49_900, 499_949_900, 499_950_100),
             (250_200_000, 249_800_000, 249_800_000, 250_200_000), (900, 100, 100, 900), (730, 270, 500, 500), (5000, 3200, 3200, 5000), (1, 99, 99, 1), (12, 0, 0, 12)]
    for _ in range(70):
        most = 10 ** RNG.randint(1, 5)
        cases.append(tuple(RNG.choice((RNG.randint(0, most), RNG.randint(0, 30))) for _ in range(4)))
    for case in range(30):  # A million calls with the support of an atom.
        support, share = RNG.randint(50, 60_000), RNG.uniform(0.2, 0.9)
        tp = RNG.randint(100_000, 900_000)
        if case % 3:  # p-values between 1 and 10⁻³⁰⁰.
            share = tp / 1e6 + RNG.choice((-1, 1)) * RNG.uniform(0, 36) * math.sqrt(tp / 1e6 * (1 - tp / 1e6) / support)
        tp_on = min(max(0, round(support * share)), tp)
        cases.append((tp_on, support - tp_on, tp - tp_on, 1_000_000 - tp - (support - tp_on)))
    return [case for case in cases if sum(case) and min(case) >= 0]


def fisher():
    rows = []
    for a, b, c, d in tables():
        margins = (a + b, c + d, a + c, b + d)
        if 0 in margins:
            rows.append((a, b, c, d, "0.0", shown(mp.log(0.5)), "none", "none", shown(stats.fisher_exact([[a, b], [c, d]])[1])))
            continue
        exact = fisher_exact(a, b, c, d)
        library = stats.fisher_exact([[a, b], [c, d]])[1]
        rows.append((a, b, c, d, *map(shown, exact), close(library, mp.exp(exact[0]))))
    kept = sum(row[-1] != "none" for row in rows)
    print(f"fisher: scipy has ten digits in {kept} of {len(rows)}")
    write("fisher.tsv", ("a", "b", "c", "d", "ln_p", "ln_mid_p", "ln_lower", "ln_upper", "scipy"), rows)


def wilson(x, n):
    x, n = mp.mpf(x), mp.mpf(n)
    middle = (x + Z**2 / 2) / (n + Z**2)
    half = Z / (n + Z**2) * mp.sqrt(x * (n - x) / n + Z**2 / 4)
    return x / n, middle - half, middle + half


def effects():
    """Each of the library's intervals is checked here, and the exact ones are written."""
    rows, worst = [], 0
    for a, b, c, d in tables():
        half = mp.mpf(1) / 2
        value = mp.log((a + half) * (d + half) / ((b + half) * (c + half)))
        width = Z * mp.sqrt(sum(1 / (x + half) for x in (a, b, c, d)))
        figures = [value, value - width, value + width]
        table = Table2x2(np.array([[a, b], [c, d]]) + 0.5)
        library = [table.log_oddsratio, *table.log_oddsratio_confint()]
        precision = risk = ["none"] * 3
        if a + b:
            precision = wilson(a, a + b)
            library += [a / (a + b), *proportion_confint(a, a + b, method="wilson")]
            figures += precision
        if a + b and c + d:
            (p, p_low, p_high), (q, q_low, q_high) = precision, wilson(c, c + d)
            down, up = mp.sqrt((p - p_low) ** 2 + (q_high - q) ** 2), mp.sqrt((p_high - p) ** 2 + (q - q_low) ** 2)
            risk = (p - q, p - q - down, p - q + up)
            library += [a / (a + b) - c / (c + d),
                        *confint_proportions_2indep(a, a + b, c, c + d, method="newcomb", compare="diff")]
            figures += risk
        worst = max([worst, *(abs(x - y) for x, y in zip(library, figures))])
        pearson = ["none"] * 4
        if 0 not in (a + b, c + d, a + c, b + d):
            n = a + b + c + d
            statistic = mp.mpf(n) * (a * d - b * c) ** 2 / ((a + b) * (c + d) * (a + c) * (b + d))
            expected = stats.contingency.expected_freq([[a, b], [c, d]]).min()
            library_statistic = stats.chi2_contingency([[a, b], [c, d]], correction=False)[0]
            pearson = [shown(statistic), shown(ln_chi2(statistic, 1)), shown(expected), close(library_statistic, statistic)]
        every = [*figures[:3], *precision, *risk]
        rows.append((a, b, c, d, *(x if x == "none" else shown(x) for x in every), *pearson))
    print(f"effects: statsmodels is within {float(worst):.1e} of the exact ones")
    assert worst < 1e-10
    names = [f"{name}{end}" for name in ("log_or", "precision", "risk") for end in ("", "_low", "_high")]
    write("effects.tsv", ("a", "b", "c", "d", *names, "statistic", "ln_p", "least_expected", "scipy_statistic"), rows)


def fit(a, b, c, d, psi):
    """The first cell with the table's margins and the odds ratio psi, by the textbook's quadratic."""
    row, column, n = a + b, a + c, a + b + c + d
    if psi == 1:
        return mp.mpf(row) * column / n
    linear = psi * (row + column) + n - row - column
    root = mp.sqrt(linear**2 - 4 * (psi - 1) * psi * row * column)
    return (linear - root) / (2 * (psi - 1))


def textbook(tables):
    """Everything of strata from the formulas, over strata without a zero margin."""
    tables = [t for t in tables if 0 not in (t[0] + t[1], t[2] + t[3], t[0] + t[2], t[1] + t[3])]
    found = dict.fromkeys(COLUMNS, "none") | {"informative": len(tables)}
    if not tables:
        return found
    cells = [(*map(mp.mpf, t), mp.mpf(sum(t))) for t in tables]
    r, s = sum(a * d / n for a, b, c, d, n in cells), sum(b * c / n for a, b, c, d, n in cells)
    difference = sum((a * d - b * c) / n for a, b, c, d, n in cells)
    variance = sum((a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1)) for a, b, c, d, n in cells)
    for name, correction in (("cmh", 0), ("cmh_corrected", mp.mpf(1) / 2)):
        found[name] = max(abs(difference) - correction, 0) ** 2 / variance
        found["ln_p_" + name] = ln_chi2(found[name], 1)
    if s == 0 or r == 0:
        found["ln_or"] = mp.inf if s == 0 else -mp.inf
        return found
    psi = r / s
    found["ln_or"] = mp.log(psi)
    weights = [((a + d) / n, (b + c) / n, a * d / n, b * c / n) for a, b, c, d, n in cells]
    rbg = sum(P * R for P, Q, R, S in weights) / (2 * r * r)
    rbg += sum(P * S + Q * R for P, Q, R, S in weights) / (2 * r * s)
    rbg += sum(Q * S for P, Q, R, S in weights) / (2 * s * s)
    found["low"], found["high"] = mp.log(psi) - Z * mp.sqrt(rbg), mp.log(psi) + Z * mp.sqrt(rbg)
    if len(tables) < 2:
        return found
    fits = [fit(*t, psi) for t in tables]
    variances = [1 / (1 / e + 1 / (a + b - e) + 1 / (a + c - e) + 1 / (d - a + e))
                 for e, (a, b, c, d, n) in zip(fits, cells)]
    residuals = [t[0] - e for e, t in zip(fits, tables)]
    found["bd"] = sum(x * x / v for x, v in zip(residuals, variances))
    found["tarone"] = found["bd"] - sum(residuals) ** 2 / sum(variances)
    for name in ("bd", "tarone"):
        found["ln_p_" + name] = ln_chi2(max(found[name], 0), len(tables) - 1)
    return found


COLUMNS = ("informative", "ln_or", "low", "high", "cmh", "ln_p_cmh", "cmh_corrected", "ln_p_cmh_corrected",
           "bd", "ln_p_bd", "tarone", "ln_p_tarone")


def statsmodels_of(tables, exact):
    """statsmodels' figures where all strata inform; a statistic may be off where it is near 0."""
    whole = all(0 not in (t[0] + t[1], t[2] + t[3], t[0] + t[2], t[1] + t[3]) for t in tables)
    if not whole or exact["bd"] == "none":
        return ["none"] * 7
    table = StratifiedTable([np.array(t).reshape(2, 2) for t in tables])
    names = ("ln_or", "low", "high", "cmh", "cmh_corrected", "bd", "tarone")
    figures = (table.logodds_pooled, *table.logodds_pooled_confint(), table.test_null_odds().statistic,
               table.test_null_odds(correction=True).statistic,
               table.test_equal_odds().statistic, table.test_equal_odds(adjust=True).statistic)
    # It squares |difference| − ½ where that is negative, too.
    squares_negative = exact["cmh_corrected"] == 0
    return ["none" if name == "cmh_corrected" and squares_negative else close(figure, exact[name])
            for name, figure in zip(names, figures)]


def stratified():
    def stratum(size, ratio):
        tp, fp = RNG.randint(1, size), RNG.randint(1, size)
        rate = RNG.uniform(0.02, 0.7)
        tp_rate = ratio * rate / (1 - rate + ratio * rate)
        a = sum(RNG.random() < tp_rate for _ in range(tp)) if tp < 2000 else round(tp * tp_rate)
        b = sum(RNG.random() < rate for _ in range(fp)) if fp < 2000 else round(fp * rate)
        return a, b, tp - a, fp - b
    cases = [[(8, 2, 1, 5)], [(10, 10, 10, 10)], [(5, 5, 5, 5), (7, 7, 7, 7)], [(0, 4, 5, 6), (3, 0, 2, 9)],
             [(0, 4, 5, 6), (0, 1, 2, 9)], [(4, 0, 5, 6), (1, 0, 2, 9)], [(0, 0, 3, 4)], [(1, 0, 0, 1)] * 30,
             [(1, 0, 0, 1)] * 30 + [(0, 1, 1, 0)] * 11, [(3, 4, 0, 0), (5, 6, 7, 8), (0, 0, 0, 0), (1, 0, 0, 0)],
             [(90, 10, 10, 1), (1, 10, 10, 90)], [(80, 20, 8, 2), (2, 8, 20, 80)],
             [(100_000, 20_000, 60_000, 320_000), (250_000, 80_000, 70_000, 100_000)],
             [(500_000, 10, 20, 499_970), (3, 4, 5, 6)], [(400_000, 1, 2, 400_000), (90_000, 3, 1, 109_993)],
             [(250_001, 249_999, 249_999, 250_001), (100, 101, 100, 100)]]
    for count, size in ((2, 40), (2, 4000), (5, 9), (8, 300), (20, 30), (64, 5), (64, 3), (64, 60), (64, 15_000), (200, 2)):
        for ratio in (1, RNG.uniform(0.1, 1), RNG.uniform(1, 12)):
            cases.append([stratum(size, ratio) for _ in range(count)])
    rows = []
    for case in cases:
        exact = textbook(case)
        text = ";".join(",".join(map(str, t)) for t in case)
        rows.append((text, *(x if x == "none" or isinstance(x, int) else shown(x) for x in exact.values()),
                     *statsmodels_of(case, exact)))
    columns = ("tables", *COLUMNS, *(f"statsmodels_{n}" for n in ("ln_or", "low", "high", "cmh", "cmh_corrected", "bd", "tarone")))
    write("stratified.tsv", columns, rows)


def multiplicity():
    rows = []
    for n in (1, 2, 3, 10, 41, 90):
        for deep in (False, True):
            ln_p = [RNG.choice((-RNG.random(), -690 * RNG.random() ** 3, math.log(RNG.random()))) for _ in range(n)]
            if deep:
                ln_p = [x * RNG.choice((1, 400)) for x in ln_p]
            ln_p += RNG.choices(ln_p, k=n // 3) + [0.0] * (n % 3)
            exact = [mp.mpf(x) for x in ln_p]
            m, order = len(ln_p), sorted(range(len(ln_p)), key=lambda i: ln_p[i])
            above = sum(x > math.log(0.5) for x in ln_p)
            share = min(mp.mpf(1), mp.mpf(1 + above) / (m * mp.mpf("0.5")))
            harmonic = sum(mp.mpf(1) / i for i in range(1, m + 1))
            adjusted = {}
            for name, factor in (("bh", mp.mpf(m)), ("by", m * harmonic), ("storey", m * share)):
                values, least = [0] * m, mp.mpf(0)
                for rank in range(m, 0, -1):
                    least = min(least, exact[order[rank - 1]] + mp.log(factor / rank))
                    values[order[rank - 1]] = least
                adjusted[name] = values
            values, most = [0] * m, -mp.inf
            for rank, i in enumerate(order):
                most = max(most, exact[i] + mp.log(m - rank))
                values[i] = min(most, 0)
            adjusted["holm"] = values
            if not deep:
                for name, method in (("bh", "fdr_bh"), ("by", "fdr_by"), ("holm", "holm")):
                    library = multipletests(np.exp(ln_p), method=method)[1]
                    # The exponential itself has an error of up to 690 units in the last place.
                    assert all(abs(mp.log(x) - y) < 1e-12 for x, y in zip(library, adjusted[name])), method
            rows.append((" ".join(map(repr, ln_p)), shown(share),
                         *(" ".join(map(shown, adjusted[name])) for name in ("bh", "by", "holm", "storey"))))
    write("multiplicity.tsv", ("ln_p", "null_share", "bh", "by", "holm", "storey"), rows)


def rank_sum():
    rows = []
    cases = [([], (3, 4)), ([(1.5, 1)], (0, 1)), ([(0.0, 1), (0.0, 0)], (2, 2)), ([(2.0, 1), (2.0, 0)], (0, 0)),
             ([(1.0, 0), (2.0, 1)], (0, 0)), ([(-1.0, 1), (0.0, 0), (1.0, 1)], (5, 6))]
    for count, silent, shift in ((8, (3, 9), 0), (30, (0, 0), 0.5), (60, (40, 60), 0.3), (90, (900, 30), -0.4), (60, (10**5, 10**5), 2),
                                 (90, (500_000, 499_910), 0), (60, (3 * 10**4, 5), 1), (60, (0, 0), 1e9), (120, (0, 10**6), 1e9)):
        for digits in (0, 2):
            firing = []
            for _ in range(count):
                label = RNG.randint(0, 1)
                firing.append((round(RNG.gauss(0.8, 1) + shift * label, digits), label))
            cases.append((sorted(firing), silent))
    for firing, (silent_tp, silent_fp) in cases:
        x = [v for v, label in firing if label]
        y = [v for v, label in firing if not label]
        x, y = np.array(x + [0.0] * silent_tp), np.array(y + [0.0] * silent_fp)
        library = stats.mannwhitneyu(x, y, method="asymptotic") if len(x) and len(y) else None
        text = " ".join(f"{v!r},{label}" for v, label in firing)
        if library is None:
            rows.append((text, silent_tp, silent_fp, *["none"] * 4))
            continue
        values, counts = np.unique(np.concatenate([x, y]), return_counts=True)
        tp, fp, n = len(x), len(y), len(x) + len(y)
        ties = sum(int(t) ** 3 - int(t) for t in counts)
        variance = mp.mpf(tp * fp) / 12 * (n + 1 - mp.mpf(ties) / (n * (n - 1)))
        distance = abs(mp.mpf(library.statistic) - mp.mpf(tp * fp) / 2) - mp.mpf(1) / 2
        ln_p = mp.mpf(0) if distance <= 0 else ln_gamma_tail(0.5, distance**2 / variance / 2)
        labels = [1] * tp + [0] * fp
        auroc = roc_auc_score(labels, np.concatenate([x, y]))
        p = close(library.pvalue, mp.exp(ln_p))
        rows.append((text, silent_tp, silent_fp, shown(library.statistic), shown(auroc), shown(ln_p), p))
    write("rank_sum.tsv", ("firing", "silent_tp", "silent_fp", "u", "auroc", "ln_p", "scipy"), rows)


def spearman():
    rows = []
    for n in (2, 3, 4, 7, 20, 60, 250):
        for kind in range(5):
            # Lengths of calls: many small ones, ties; all equal once.
            lengths = [math.log10(int(10 ** RNG.uniform(1.7, 2.2 + kind))) for _ in range(n)]
            if kind == 4:
                lengths = [3.0] * n if n % 2 else sorted(lengths)
            threshold = sorted(lengths)[n // 2]
            fires = [int(RNG.random() < (0.3 + 0.15 * kind * (x > threshold))) for x in lengths]
            if kind == 3:
                fires = [int(x > threshold) for x in lengths]
            if kind == 4 and n % 2 == 0:
                fires = [int(i >= n // 2) for i in range(n)]
            library = stats.spearmanr(fires, lengths)
            # By integers: twice the mid-ranks.
            ranks = [int(2 * r) for r in stats.rankdata(lengths)]
            on = sum(fires)
            covariance = n * sum(r * f for r, f in zip(ranks, fires)) - on * sum(ranks)
            spread = n * sum(r * r for r in ranks) - sum(ranks) ** 2
            if on * (n - on) * spread == 0 or n < 3:
                rho = ln_p = "none"
            else:
                exact = mp.mpf(covariance) / mp.sqrt(mp.mpf(on * (n - on)) * spread)
                rho, ln_p = shown(exact), "-inf" if abs(exact) == 1 else shown(ln_student(exact, n - 2))
            p = "none" if ln_p in ("none", "-inf") else close(library.pvalue, mp.exp(mp.mpf(ln_p)))
            close_rho = "none" if rho == "none" else close(library.statistic, exact)
            rows.append((" ".join(map(repr, lengths)), " ".join(map(str, fires)), rho, ln_p, close_rho, p))
    write("spearman.tsv", ("lengths", "fires", "rho", "ln_p", "scipy_rho", "scipy_p"), rows)


OUT.mkdir(exist_ok=True)
for make in (tails, student, fisher, effects, stratified, multiplicity, rank_sum, spearman):
    make()
