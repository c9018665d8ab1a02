"""Makes tests/golden/scores/comparison.json: scores of single atoms compared between true and false
calls within strata, by scipy and statsmodels.

    python tests/golden/make_scores.py

Needs numpy, scipy, statsmodels, scikit-learn. What each figure is made of:

- auroc: sklearn.metrics.roc_auc_score over all calls;
- auroc_within: U of scipy.stats.mannwhitneyu summed over strata, over the number of pairs;
- z: van Elteren's statistic. Of each stratum U is mannwhitneyu's, and its standard deviation that of
  scipy.stats.tiecorrect, which must be what mannwhitneyu(method="asymptotic", use_continuity=False)
  used for its p-value;
- p: scipy.stats.norm;
- difference: the label's coefficient in statsmodels' OLS on label and stratum;
- interval: Student's t with Welch and Satterthwaite's degrees of freedom, by numpy and scipy.stats.t.
"""

import json
import pathlib

import numpy as np
import statsmodels.api as sm
from scipy import stats
from sklearn.metrics import roc_auc_score


def both_labels(is_tp, stratum):
    return [s for s in np.unique(stratum) if 0 < is_tp[stratum == s].sum() < (stratum == s).sum()]


def elteren(x, is_tp, stratum):
    total, variance, u_sum, pairs = 0.0, 0.0, 0.0, 0
    for s in both_labels(is_tp, stratum):
        true, false = x[(stratum == s) & is_tp], x[(stratum == s) & ~is_tp]
        n = len(true) + len(false)
        u = stats.mannwhitneyu(true, false).statistic
        u_sum, pairs = u_sum + u, pairs + len(true) * len(false)
        ties = stats.tiecorrect(stats.rankdata(np.concatenate([true, false])))
        sigma = np.sqrt(ties * len(true) * len(false) * (n + 1) / 12)
        if sigma > 0 and u != len(true) * len(false) / 2:
            p = stats.mannwhitneyu(true, false, method="asymptotic", use_continuity=False).pvalue
            from_p = abs(u - len(true) * len(false) / 2) / stats.norm.isf(p / 2)
            assert np.isclose(from_p, sigma, rtol=1e-9), (from_p, sigma)
        weight = 1 / (n + 1)
        total += weight * (u - len(true) * len(false) / 2)
        variance += weight**2 * sigma**2
    if variance == 0:
        return None, None, u_sum / pairs if pairs else None
    z = total / np.sqrt(variance)
    return z, 2 * stats.norm.sf(abs(z)), u_sum / pairs


def difference(x, is_tp, stratum):
    keep = np.isin(stratum, both_labels(is_tp, stratum))
    if not keep.any():
        return None, None
    x, is_tp, stratum = x[keep], is_tp[keep], stratum[keep]
    dummies = (stratum[:, None] == np.unique(stratum)).astype(float)
    value = sm.OLS(x, np.column_stack([is_tp.astype(float), dummies])).fit().params[0]
    # Of each label: residuals about the means of its strata, and the coefficient of its variance.
    strata = np.unique(stratum)
    n = {(s, l): ((stratum == s) & (is_tp == l)).sum() for s in strata for l in (True, False)}
    weight = {s: n[s, True] * n[s, False] / (n[s, True] + n[s, False]) for s in strata}
    parts, degrees = [], []
    for label in (True, False):
        squares = sum(
            np.var(x[(stratum == s) & (is_tp == label)]) * n[s, label] for s in strata
        )
        df = (is_tp == label).sum() - len(strata)
        if df == 0:
            return value, None
        factor = sum(weight[s] ** 2 / n[s, label] for s in weight) / sum(weight.values()) ** 2
        parts.append(factor * squares / df)
        degrees.append(df)
    if sum(parts) == 0:
        return value, [value, value]
    df = sum(parts) ** 2 / sum(p**2 / d for p, d in zip(parts, degrees))
    half = stats.t.ppf(0.975, df) * np.sqrt(sum(parts))
    return value, [value - half, value + half]


def case(name, x, is_tp, stratum):
    x, is_tp, stratum = np.asarray(x, float), np.asarray(is_tp, bool), np.asarray(stratum)
    z, p, within = elteren(x, is_tp, stratum)
    value, interval = difference(x, is_tp, stratum)
    some = 0 < is_tp.sum() < len(is_tp)
    return {
        "name": name,
        "scores": x.tolist(),
        "is_tp": is_tp.tolist(),
        "stratum": stratum.tolist(),
        "mean": [x[which].mean() if which.any() else None for which in (is_tp, ~is_tp)],
        "auroc": roc_auc_score(is_tp, x) if some else None,
        "auroc_within": within,
        "z": z,
        "p": p,
        "difference": value,
        "interval": interval,
    }


def main():
    rng = np.random.default_rng(20261129)
    cases = []
    n = 60
    stratum, is_tp = rng.integers(0, 3, n), rng.random(n) < 0.6
    noise = np.round(rng.normal(size=n), 6)
    cases.append(case("no effect", noise, is_tp, stratum))
    cases.append(case("an effect", noise + 1.5 * is_tp, is_tp, stratum))
    cases.append(case("strata far apart", noise + 0.7 * is_tp - 40 * stratum, is_tp, stratum))
    cases.append(case("another spread", noise * np.where(is_tp, 1, 5), is_tp, stratum))
    cases.append(case("ties", np.round(noise + is_tp), is_tp, stratum))
    cases.append(case("one value but for two calls", (np.arange(n) % 31 == 5) * 1.0, is_tp, stratum))
    cases.append(case("all equal", np.full(n, -0.25), is_tp, stratum))
    one = np.where(stratum == 1, True, is_tp)
    cases.append(case("a stratum with one label", noise - one, one, stratum))
    few = np.zeros(n, bool)
    few[[3, 17, 40]] = True
    cases.append(case("three false calls", noise + 2 * few, ~few, np.arange(n) % 2))
    lonely = np.arange(n) == 12
    cases.append(case("one false call", noise, ~lonely, np.zeros(n, int)))
    cases.append(case("no false call", noise[:9], np.ones(9, bool), stratum[:9]))
    twice = [np.tile(part, 2) for part in (noise + 30 * is_tp, is_tp, stratum)]
    cases.append(case("a far tail", *twice))
    path = pathlib.Path(__file__).parent / "scores" / "comparison.json"
    lines = ",\n".join(json.dumps(c) for c in cases)
    path.write_text(f"[\n{lines}\n]\n")
    print(len(cases), "cases,", path.stat().st_size, "bytes")


main()
