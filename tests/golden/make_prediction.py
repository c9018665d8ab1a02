"""Logistic models of a label, by scikit-learn: tests/golden/prediction/prediction.json.

    python tests/golden/make_prediction.py       (numpy, scikit-learn 1.9)

Calls with atoms, scores, labels and folds; the coefficients of models under L1 and L2; and the whole
procedure of docs/PREDICTION.md done step by step: penalties chosen without each fold, log odds
recalibrated without it, and the figures of these.
"""

import json
import pathlib
import warnings

import numpy as np
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

CALLS, ATOMS, FOLDS, PENALTIES, PATIENCE = 260, 14, 5, 20, 3
ENDS = {"l1": (1.0, 1e-3), "l2": (100.0, 1e-2)}


def fit(x, y, penalty, weight):
    """The minimum of mean loss + weight * penalty; the intercept is free."""
    common = dict(C=1 / (len(y) * weight), tol=1e-13, max_iter=1_000_000)
    if penalty == "l1":
        model = LogisticRegression(l1_ratio=1.0, solver="saga", random_state=0, **common)
    else:
        model = LogisticRegression(l1_ratio=0.0, solver="newton-cg", **common)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(x, y)
    return float(model.intercept_[0]), model.coef_[0]


def weights(x, y, penalty):
    most = np.abs(x.T @ (y.mean() - y)).max() / len(y)
    first, last = ENDS[penalty]
    return [most * first * (last / first) ** (at / (PENALTIES - 1)) for at in range(PENALTIES)]


def path(x, y, penalty, upto):
    return [fit(x, y, penalty, weight) for weight in weights(x, y, penalty)[: upto + 1]]


def losses(eta, y):
    return np.sum(np.logaddexp(0, eta) - y * eta)


def platt(eta, y):
    ones, zeros = y.sum(), len(y) - y.sum()
    targets = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    # A call of each outcome, weighted by its target.
    two = np.concatenate([eta, eta])[:, None]
    outcome = np.concatenate([np.ones(len(y)), np.zeros(len(y))])
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000, solver="newton-cg")
    model.fit(two, outcome, sample_weight=np.concatenate([targets, 1 - targets]))
    if model.coef_[0, 0] <= 0:
        return float(logit(targets.mean())), 0.0
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def line(eta, y):
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000, solver="newton-cg")
    model.fit(eta[:, None], y)
    return float(model.intercept_[0]), float(model.coef_[0, 0])


def nested(x, y, fold, penalty):
    chosen, odds = [], np.zeros(len(y))
    for out in range(FOLDS):
        inner = [f for f in range(FOLDS) if f != out]
        models = {f: path(x[(fold != out) & (fold != f)], y[(fold != out) & (fold != f)], penalty, 19) for f in inner}
        eta = lambda f, at: models[f][at][0] + x[fold == f] @ models[f][at][1]
        best = (np.inf, 0)
        for at in range(PENALTIES):
            loss = sum(losses(eta(f, at), y[fold == f]) for f in inner)
            if loss < best[0]:
                best = (loss, at)
            if at >= best[1] + PATIENCE:
                break
        at = best[1]
        chosen.append(at)
        a, b = platt(np.concatenate([eta(f, at) for f in inner]), np.concatenate([y[fold == f] for f in inner]))
        kept = fold != out
        intercept, coefficients = fit(x[kept], y[kept], penalty, weights(x[kept], y[kept], penalty)[at])
        odds[fold == out] = a + b * (intercept + x[fold == out] @ coefficients)
    pairs = [(y[fold == f] == 1).sum() * (y[fold == f] == 0).sum() for f in range(FOLDS)]
    aurocs = [roc_auc_score(y[fold == f], odds[fold == f]) for f in range(FOLDS)]
    p = expit(odds)
    intercept, slope = line(odds, y)
    return {
        "penalty": penalty,
        "chosen": chosen,
        "log_odds": odds.tolist(),
        "auroc": float(np.average(aurocs, weights=pairs)),
        "auprc": float(average_precision_score(y, p)),
        "brier": float(brier_score_loss(y, p)),
        "log_loss": float(log_loss(y, p)),
        "calibration_intercept": intercept,
        "calibration_slope": slope,
    }


def main():
    draw = np.random.default_rng(17)
    atoms = [sorted(draw.choice(ATOMS, size=draw.integers(0, 6), replace=False).tolist()) for _ in range(CALLS)]
    scores = [draw.normal(1, 0.7, len(row)).astype(np.float32).tolist() for row in atoms]
    binary, valued = np.zeros((CALLS, ATOMS)), np.zeros((CALLS, ATOMS))
    for call, (row, of_row) in enumerate(zip(atoms, scores)):
        binary[call, row], valued[call, row] = 1, of_row
    effects = np.array([2.0, -1.5, 1.0, -0.7, 0.5] + [0.0] * (ATOMS - 5))
    y = (draw.random(CALLS) < expit(binary @ effects - 0.4)).astype(int)
    fold = draw.integers(0, FOLDS, CALLS)
    scaled = valued / np.sqrt((valued**2).mean(axis=0))
    fits = []
    for name, x in [("atoms", binary), ("scores", scaled)]:
        for penalty in ["l1", "l2"]:
            for weight in [0.03, 0.004, 0.0005]:
                intercept, coefficients = fit(x, y, penalty, weight)
                fits.append(
                    dict(features=name, penalty=penalty, weight=weight, intercept=intercept, coefficients=coefficients.tolist())
                )
    found = {
        "atoms": atoms,
        "scores": scores,
        "is_fp": y.tolist(),
        "fold": fold.tolist(),
        "fits": fits,
        "nested": [nested(binary, y, fold, penalty) for penalty in ["l1", "l2"]],
    }
    out = pathlib.Path(__file__).parent / "prediction" / "prediction.json"
    out.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
