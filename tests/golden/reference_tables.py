"""What the tables beside the notebook's must hold, by scipy, statsmodels and scikit-learn: nothing of
atomscope's. `make_evidence.py` makes golden files of it.

Calls are a pandas table with svtype, svlen, chrom, dataset, is_tp; firing sets a boolean array
[calls, atoms], and activations a float one, 0 where an atom does not fire.
Needs numpy, pandas, scipy 1.17, statsmodels 0.15, scikit-learn 1.9.
"""

import math
import re
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

# truvari.SZBINS and SZBINMAX.
BINS = ["[0,50)", "[50,100)", "[100,200)", "[200,300)", "[300,400)", "[400,600)", "[600,800)",
        "[800,1k)", "[1k,2.5k)", "[2.5k,5k)", ">=5k"]
ENDS = [50, 100, 200, 300, 400, 600, 800, 1000, 2500, 5000]


def strata_of(calls, scheme):
    """A text for each call."""
    size = pd.Series([BINS[np.searchsorted(ENDS, abs(x), side="right")] for x in calls.svlen])
    parts = {"svtype": calls.svtype, "size": size, "dataset": calls.dataset}
    text = pd.Series([""] * len(calls))
    for name in scheme:
        text = text + "|" + parts[name].reset_index(drop=True).astype(str)
    return text.to_numpy()


def table(fires, label):
    return np.array([[np.sum(fires & label), np.sum(fires & ~label)],
                     [np.sum(~fires & label), np.sum(~fires & ~label)]], dtype=np.int64)


def adjusted(p, tested, method):
    """Over tested ones that have a p-value."""
    p = np.asarray(p, dtype=float)
    out = np.full(len(p), math.nan)
    there = np.asarray(tested) & ~np.isnan(p)
    if there.any():
        if method == "storey":
            share = min(1.0, (1 + np.sum(p[there] > 0.5)) / (0.5 * there.sum()))
            order = np.argsort(p[there])
            ranked = p[there][order] * there.sum() * share / np.arange(1, there.sum() + 1)
            q = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
            back = np.empty_like(q)
            back[order] = q
            out[there] = back
        else:
            out[there] = multipletests(p[there], method=method)[1]
    return out


def exact_conditional(tables):
    """p and mid-p of the sum of the first cells given all margins, by counting ways in whole numbers."""
    ways, place = [1], 0
    for a, b, c, d in (map(int, t.ravel()) for t in tables):
        low, high = max(0, a + b - (b + d)), min(a + b, a + c)
        one = [math.comb(a + c, x) * math.comb(b + d, a + b - x) for x in range(low, high + 1)]
        longer = [0] * (len(ways) + len(one) - 1)
        for i, m in enumerate(ways):
            for j, n in enumerate(one):
                longer[i + j] += m * n
        ways, place = longer, place + a - low
    less = sum(n for n in ways if n < ways[place])
    same = sum(n for n in ways if n == ways[place])
    return float(Fraction(less + same, sum(ways))), float(Fraction(2 * less + same, 2 * sum(ways)))


def stratified(fires, label, strata):
    tables = [table(fires[strata == s], label[strata == s]) for s in np.unique(strata)]
    informative = [t for t in tables if (t.sum(0) > 0).all() and (t.sum(1) > 0).all()]
    row = {"strata": len(informative)}
    names = ["cmh_or", "cmh_or_lo", "cmh_or_hi", "cmh_p", "cmh_midp", "cmh_chi2_p", "bd_tarone_chi2_p"]
    row |= dict.fromkeys(names, math.nan)
    if not informative:
        return row | {"other_side": None}
    cells = np.array(informative, dtype=float)
    n = cells.sum((1, 2))
    r = (cells[:, 0, 0] * cells[:, 1, 1] / n).sum()
    s = (cells[:, 0, 1] * cells[:, 1, 0] / n).sum()
    row["cmh_or"] = math.inf if s == 0 and r > 0 else (math.nan if s == 0 else r / s)
    both = StratifiedTable([t.astype(float) for t in informative])
    # statsmodels' own p-values are 1 - cdf, which is 0 from 1e-16 on.
    row["cmh_p"], row["cmh_midp"] = exact_conditional(informative)
    row["cmh_chi2_p"] = stats.chi2.sf(both.test_null_odds(correction=False).statistic, 1)
    if r > 0 and s > 0:
        row["cmh_or_lo"], row["cmh_or_hi"] = both.oddsratio_pooled_confint()
        if len(informative) > 1:
            statistic = both.test_equal_odds(adjust=True).statistic
            row["bd_tarone_chi2_p"] = stats.chi2.sf(statistic, len(informative) - 1)
    crude = table(fires, label)
    crude = int(crude[0, 0]) * int(crude[1, 1]) - int(crude[0, 1]) * int(crude[1, 0])
    row["other_side"] = bool(crude * (r - s) < 0 and abs(r - s) > 1e-9)
    return row


def exact_rank_p(values, chosen):
    """Twice the smaller tail of the chosen calls' rank sum over all choices of as many, at most 1: calls
    are drawn one after another, and the probability of every count and sum is kept. Ties of the
    most frequent value come last, and all that is left to draw is theirs."""
    chosen = np.asarray(chosen)
    total = len(values)
    ranks = (2 * stats.rankdata(values)).astype(int)
    if chosen.sum() > total / 2:
        chosen = ~chosen
    n, observed = int(chosen.sum()), int(ranks[chosen].sum())
    kinds, counts = np.unique(ranks, return_counts=True)
    base = kinds[counts.argmax()]
    items = np.sort(ranks[ranks != base])
    law = np.zeros((n + 1, int(items[-n:].sum()) + 1))
    law[0, 0] = 1.0
    reach, drawn = 0, np.arange(n + 1)[:, None]
    for i, rank in enumerate(items):
        p = np.clip((n - drawn) / (total - i), 0.0, 1.0)
        top = min(i + 1, n)
        old = law[:top + 1, :reach + 1]
        taken = old * p[:top + 1]
        old -= taken
        end = min(reach + rank + 1, law.shape[1])
        law[1:top + 1, rank:end] += taken[:top, :end - rank]
        reach = end - 1
    sums = np.arange(law.shape[1])[None, :] + (n - drawn) * base
    tails = law[sums >= observed].sum(), law[sums <= observed].sum()
    return min(1.0, 2.0 * min(tails))


def atoms(calls, fires, activation, min_support=5, scheme=("svtype", "size", "dataset")):
    label = calls.is_tp.to_numpy()
    strata = strata_of(calls, scheme)
    rows = []
    for atom in range(fires.shape[1]):
        on = fires[:, atom]
        t = table(on, label)
        (a, b), (c, d) = t.tolist()
        half = Table2x2(t + 0.5)
        lo, hi = half.log_oddsratio_confint()
        row = {"atom": atom, "fires": a + b, "tp_on": a, "fp_on": b, "tp_off": c, "fp_off": d,
               "fisher_p": stats.fisher_exact(t).pvalue}
        degenerate = 0 in (a + b, c + d, a + c, b + d)
        row["tested"] = not degenerate and a + b >= min_support
        if a + b:
            row["precision"] = a / (a + b)
            row["precision_lo"], row["precision_hi"] = proportion_confint(a, a + b, method="wilson")
        if not degenerate:
            row |= {"log_or": half.log_oddsratio, "log_or_lo": lo, "log_or_hi": hi}
            row["risk_difference"] = a / (a + b) - c / (c + d)
            row["risk_difference_lo"], row["risk_difference_hi"] = confint_proportions_2indep(
                a, a + b, c, c + d, method="newcomb", compare="diff")
        if not degenerate:
            chi2, p, _, expected = stats.chi2_contingency(t, correction=False)
            row |= {"chi2": chi2, "chi2_p": p, "least_expected": expected.min()}
        x = activation[:, atom]
        row["mean_score_tp"] = x[on & label].mean() if a else math.nan
        row["mean_score_fp"] = x[on & ~label].mean() if b else math.nan
        if label.any() and not label.all():
            row["auroc"] = roc_auc_score(label, x)
            row["mwu_p"] = exact_rank_p(x, label)
            row["mwu_asymptotic_p"] = stats.mannwhitneyu(x[label], x[~label], method="asymptotic").pvalue
        rows.append(row | stratified(on, label, strata))
    found = pd.DataFrame(rows)
    for column, method in [("fdr_bh", "fdr_bh"), ("fdr_by", "fdr_by"), ("holm", "holm"), ("storey_q", "storey")]:
        found[column] = adjusted(found.fisher_p, found.tested, method)
    for p in ["cmh", "mwu"]:
        found[f"{p}_fdr_bh"] = adjusted(found[f"{p}_p"], found.tested, "fdr_bh")
    informs = found.strata > 0
    crude, within = found.fdr_bh < 0.05, found.cmh_fdr_bh < 0.05
    found["sign_flip"] = (crude & within & (found.other_side == True)).astype(object).where(informs, None)  # noqa: E712
    found["confounded"] = (crude & (found.cmh_p >= 0.05)).astype(object).where(informs, None)
    return found.drop(columns="other_side")


def sizes(calls, fires, tested):
    size = np.abs(calls.svlen.to_numpy(dtype=float))
    known = (size > 0) & np.isfinite(size)
    rows = []
    for atom in range(fires.shape[1]):
        on = fires[known, atom]
        row = {"atom": atom, "fires_with_size": int(on.sum())}
        if on.any():
            row["median_size"] = np.median(size[known][on])
        if on.any() and not on.all():
            rho, p = stats.spearmanr(on.astype(float), np.log10(size[known]))
            row |= {"spearman_rho": rho, "spearman_p": exact_rank_p(size[known], on), "spearman_asymptotic_p": p}
        rows.append(row)
    found = pd.DataFrame(rows)
    found["spearman_fdr_bh"] = adjusted(found.spearman_p, tested, "fdr_bh")
    return found


def as_people_sort(name):
    """chr2 before chr10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def categories(column, calls, fires, name, min_support, all_atoms):
    values = column.to_numpy()
    rows = []
    for atom in range(fires.shape[1]):
        on = fires[:, atom]
        if on.all() or (not all_atoms and on.sum() < max(1, min_support)):
            continue
        for value in sorted(set(values), key=as_people_sort):
            if (values == value).all():
                continue
            t = table(on, values == value)
            varies = (t.sum(0) > 0).all() and (t.sum(1) > 0).all()
            half = Table2x2(t + 0.5)
            lo, hi = half.log_oddsratio_confint()
            ok = varies and min(on.sum(), (values == value).sum()) >= max(1, min_support)
            effect = [half.log_oddsratio, lo, hi] if varies else [math.nan] * 3
            rows.append({"atom": atom, name: value, "fires_in": t[0, 0], "fires": t[0].sum(),
                         **dict(zip(["log_or", "log_or_lo", "log_or_hi"], effect)),
                         "fisher_p": stats.fisher_exact(t).pvalue if varies else math.nan, "ok": ok})
    found = pd.DataFrame(rows)
    found["fdr_bh"] = adjusted(found.fisher_p, found.ok, "fdr_bh")
    return found.drop(columns="ok")
