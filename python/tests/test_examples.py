"""The examples run from their first line to their last."""

from __future__ import annotations

import pathlib

import pytest

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"


def test_notebook_runs_without_an_error(tmp_path: pathlib.Path) -> None:
    nbclient = pytest.importorskip("nbclient", reason="the notebook needs nbclient")
    nbformat = pytest.importorskip("nbformat", reason="the notebook needs nbformat")
    pytest.importorskip("ipykernel", reason="the notebook needs ipykernel")
    pytest.importorskip("matplotlib", reason="the notebook needs matplotlib")
    notebook = nbformat.read(EXAMPLES / "false_calls.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 6
    printed = "".join(output["text"] for output in outputs if output.output_type == "stream")
    assert "planted atoms are among" in printed
