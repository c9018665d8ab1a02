#!/usr/bin/env bash
# statsmodels 0.15.0: one stratum with a single observation makes the Cochran-Mantel-Haenszel test
# of all strata NaN.
#
# Expected: a stratum of one observation has no variance, so that it adds nothing to the test, as a
# stratum with an empty margin adds nothing.
# Seen: StratifiedTable.test_null_odds divides by n^2 (n - 1), which is 0/0 there, and the sum over
# strata is NaN: statistic nan, p-value nan, with a RuntimeWarning alone. The pooled odds ratio and
# its standard error stay as they were. Calls in strata of SV type, size and dataset have such
# strata as a rule (one translocation of one dataset).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import math, sys
import numpy as np
from statsmodels.stats.contingency_tables import StratifiedTable

informative = np.array([[5, 3], [20, 30]])
single = np.array([[1, 0], [0, 0]])
empty_margin = np.array([[3, 0], [2, 0]])

def test(*tables):
    strata = StratifiedTable(list(tables))
    found = strata.test_null_odds()
    print(f"{len(tables)} strata: statistic {found.statistic}, p {found.pvalue}, pooled odds ratio {strata.oddsratio_pooled}")
    return found.pvalue, strata.oddsratio_pooled

alone, ratio = test(informative)
with_margin, _ = test(informative, empty_margin)
with_single, ratio_with_single = test(informative, single)
as_described = with_margin == alone and math.isnan(with_single) and ratio_with_single == ratio
print("as described" if as_described else "changed")
sys.exit(0 if as_described else 1)
PYTHON
