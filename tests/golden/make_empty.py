"""Parquet tables without a row, as pandas writes them: tests/golden/empty.

Run with pandas 2 and pyarrow: python3 tests/golden/make_empty.py
"""

from pathlib import Path

import pandas as pd

folder = Path(__file__).parent / "empty"
folder.mkdir(exist_ok=True)
types = {"chrom": str, "pos": "int64", "svtype": str, "svlen": "int64", "truvari_class": str}
table = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in types.items()})
table.to_parquet(folder / "typed.parquet", index=False)
# Columns that never had a value have the type "null".
pd.DataFrame(columns=list(types)).to_parquet(folder / "untyped.parquet", index=False)
pd.DataFrame([]).to_parquet(folder / "no_columns.parquet", index=False)
