#!/usr/bin/env bash
# statsmodels 0.15.0: the Breslow-Day test is NaN where the pooled odds ratio is exactly 1.
#
# Expected: with an odds ratio of 1 the expected cells are row margin times column margin over n,
# and the test is defined; here the strata lean to opposite sides, so that it should reject.
# Seen: StratifiedTable.test_equal_odds solves a quadratic whose leading coefficient is 1 minus the
# odds ratio. At 1 it is linear, the formula is 0/0, and statistic and p-value are NaN, with and
# without Tarone's adjustment. A balanced design, or two strata that mirror each other, has it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math, sys
import numpy as np
from statsmodels.stats.contingency_tables import StratifiedTable

def homogeneity(second):
    strata = StratifiedTable([np.array([[30, 10], [10, 30]]), np.array(second)])
    found = [strata.test_equal_odds(adjust=adjust) for adjust in (False, True)]
    print(f"pooled odds ratio {strata.oddsratio_pooled}: p {found[0].pvalue}, with Tarone's adjustment {found[1].pvalue}")
    return [one.pvalue for one in found]

mirrored = homogeneity([[10, 30], [30, 10]])
nearly = homogeneity([[10, 30], [30, 11]])
as_described = all(map(math.isnan, mirrored)) and all(p < 1e-6 for p in nearly)
print("as described" if as_described else "changed")
sys.exit(0 if as_described else 1)
PYTHON
