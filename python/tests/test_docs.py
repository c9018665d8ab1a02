"""The page that replaces the notebook's cells is run on the notebook's own files."""

import pathlib
import re
import subprocess
import sys

import pytest

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "FROM-THE-NOTEBOOK.md"
EXAMPLE = pathlib.Path(__file__).parents[1] / "examples" / "quickstart.py"


def test_page_replaces_the_notebook(delly_mims, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("pandas")
    if not PAGE.is_file():
        pytest.skip("the tests are not in a checkout")
    for folder in ("notebooks", "data/models"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "data/processed").symlink_to(delly_mims / "data/processed")
    for model in (delly_mims / "data/models").iterdir():
        (tmp_path / "data/models" / model.name).symlink_to(model)
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    found = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", code],
        cwd=tmp_path / "notebooks",
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "SAE config: 768 -> 3072, k=32" in found.stdout
    written = tmp_path / "data/models/results"
    for name in ("sae_feature_bias_analysis.csv", "top_biased_features.json"):
        assert (written / name).is_file()


def test_example_runs():
    if not EXAMPLE.is_file():
        pytest.skip("the tests are not in a checkout")
    found = subprocess.run(
        [sys.executable, "-P", "-W", "ignore", str(EXAMPLE)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "atoms were planted" in found.stdout
