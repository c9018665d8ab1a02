"""scikit-learn's LogisticRegressionCV (saga, L1) on the calls that benches/prediction/main.rs wrote."""

import pathlib
import sys
import time
import warnings

import numpy as np
import scipy.sparse
import sklearn
from sklearn.linear_model import LogisticRegressionCV


def main():
    folder, atoms = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    read = lambda name, kind: np.fromfile(folder / name, dtype=kind)
    ends, y, folds, weights = read("ends", "<u8"), read("labels", "u1"), read("folds", "<u4"), read("weights", "<f8")
    indices = read("atoms", "<u4").astype(np.int32)
    indptr = np.concatenate([[0], ends]).astype(np.int32)
    x = scipy.sparse.csr_matrix((np.ones(len(indices)), indices, indptr), shape=(len(y), atoms))
    cv = [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in range(5)]
    # C of the folds' calls: the objective's weight is 1 / (n C).
    cs = 1 / (weights * (0.8 * len(y)))
    model = LogisticRegressionCV(
        Cs=cs, cv=cv, l1_ratios=(1.0,), solver="saga", scoring="neg_log_loss", n_jobs=2, use_legacy_attributes=False
    )
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        began, cores = time.time(), time.process_time()
        model.fit(x, y)
        seconds, cores = time.time() - began, time.process_time() - cores
    not_converged = sum("max_iter" in str(warning.message) for warning in told)
    c = float(model.C_)
    eta = x @ model.coef_[0] + model.intercept_[0]
    # The last fit is of all calls under C.
    objective = np.mean(np.logaddexp(0, eta) - y * eta) + np.abs(model.coef_[0]).sum() / (c * len(y))
    at = int(np.argmin(np.abs(cs - c)))
    print(
        f"scikit-learn {sklearn.__version__}: {seconds:.2f} s ({cores:.2f} s of cores) for 5 folds x {len(cs)} penalties and all calls; "
        f"penalty {at}; objective {objective:.9f} of weight {1 / (c * len(y)):.6e}; {not_converged} warnings of too "
        "few iterations"
    )


if __name__ == "__main__":
    main()
