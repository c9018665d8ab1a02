"""Warnings point at the line of the caller."""

import inspect
import warnings

import numpy as np
import pytest

import atomscope as ats

STATE = {"encoder.weight": np.eye(5, 3, dtype=np.float32), "encoder.bias": np.zeros(5, dtype=np.float32)}


def cases(cohort):
    turned = np.asfortranarray(cohort.x)
    table = cohort.calls.to_pandas().drop(columns=["svlen"])
    quick = {"permutations": 0, "bootstrap": 0}
    return {
        "analyze, array": lambda: ats.analyze(turned, cohort.sae, cohort.calls, **quick),
        "analyze, calls": lambda: ats.analyze(cohort.x, cohort.sae, table, **quick),
        "tally, array": lambda: ats.tally(turned, cohort.sae, cohort.calls, name="1"),
        "tally, calls": lambda: ats.tally(cohort.x, cohort.sae, table, name="1"),
        "encode": lambda: ats.encode(turned, cohort.sae),
        "SAE.encode": lambda: cohort.sae.encode(turned),
        "Calls": lambda: ats.Calls(table),
        "SAE": lambda: ats.SAE.from_state_dict(STATE, k=9, mean=0.0, std=1.0),
        "analyze, SAE": lambda: ats.encode(cohort.x[:, :3], {**package(), "extra": None}),
    }


def package():
    config = {"input_dim": 3, "feature_dim": 5, "k": 9, "mean": 0.0, "std": 1.0}
    return {"model_state_dict": STATE, "config": config}


@pytest.mark.parametrize("name", cases(ats.simulate(50, 8, 16, 2)))
def test_warnings_point_at_the_caller(cohort, name):
    case = cases(cohort)[name]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        case()
    lines, first = inspect.getsourcelines(cases)
    assert caught
    for warning in caught:
        assert warning.filename == __file__
        assert first <= warning.lineno < first + len(lines)


def test_warnings_of_anndata_point_at_the_caller(cohort):
    anndata = pytest.importorskip("anndata")
    obs = cohort.calls.to_pandas().drop(columns=["svlen", "label"])
    obs.index = obs.index.astype(str)
    adata = anndata.AnnData(np.zeros((2000, 1)), obs=obs, obsm={"X_embedding": cohort.x})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ats.analyze(adata, cohort.sae, permutations=0, bootstrap=0)
    assert caught and {warning.filename for warning in caught} == {__file__}
