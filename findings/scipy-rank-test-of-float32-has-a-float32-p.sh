#!/usr/bin/env bash
# scipy 1.17.1
# The Mann-Whitney test computes in the type of its input. Activations are float32, and so are its U,
# which is a count of pairs and loses its last digits above 2^24, and its p, which is 0 below 1e-45: the
# strongest features of a cohort all have the same p, and no logarithm of it. `ranksums` and
# `brunnermunzel` of the same arrays answer in float64, `kruskal` and `ttest_ind` in float32.
# Seen: U 214353808 and p 0 in float32; 214353816.5 and 3.472e-183 in float64 (ranksums 1.8e-35 in both).
# Exit code 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet scipy==1.17.1 numpy==2.4.6
env/bin/python - <<'PYTHON'
import sys

import numpy as np
from scipy import stats

random = np.random.default_rng(1)
true_calls = ((random.random(20000) < 0.1) * random.random(20000)).astype(np.float32)
false_calls = ((random.random(20000) < 0.03) * random.random(20000)).astype(np.float32)
single = stats.mannwhitneyu(true_calls, false_calls)
double = stats.mannwhitneyu(true_calls.astype(float), false_calls.astype(float))
for name, result in (("float32", single), ("float64", double)):
    print(f"{name}: U {float(result.statistic):.1f}, p {float(result.pvalue):.4g}")
types = {}
for test in (stats.ranksums, stats.brunnermunzel, stats.kruskal, stats.ttest_ind):
    types[test.__name__] = np.asarray(test(true_calls, false_calls).pvalue).dtype.name
print(types)
expected = {
    "ranksums": "float64", "brunnermunzel": "float64", "kruskal": "float32", "ttest_ind": "float32"
}
zero = single.pvalue == 0 and single.pvalue.dtype == np.float32 and 0 < double.pvalue < 1e-150
sys.exit(0 if zero and single.statistic != double.statistic and types == expected else 1)
PYTHON
