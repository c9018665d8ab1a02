"""Importing, and the command line."""

import subprocess
import sys

import atomscope as ats
from conftest import program


def python(code: str) -> str:
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_import_takes_no_other_library():
    loaded = python("import atomscope, sys; print(*sys.modules)").split()
    heavy = {"numpy", "pandas", "polars", "pyarrow", "torch", "scipy", "matplotlib", "anndata", "tqdm"}
    assert not heavy & set(loaded)


def test_import_takes_less_than_50_ms():
    # The processor's time, so that other work on the machine does not count.
    code = "import time; t = time.process_time(); import atomscope; print(time.process_time() - t)"
    assert min(float(python(code)) for _ in range(5)) < 0.05


def test_program_tells_its_version():
    assert program("--version").split() == ["atomscope", ats.__version__]


def test_program_refuses_with_its_own_exit_code():
    arguments = [sys.executable, "-P", "-m", "atomscope", "analyze", "--embeddings", "none.pt", "--model", "none.pt", "--out", "x"]
    found = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stderr.startswith("atomscope: ")
    found = subprocess.run([sys.executable, "-P", "-m", "atomscope", "unknown"], capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert "Usage: atomscope" in found.stderr


def test_show_versions_names_all(capsys):
    ats.show_versions()
    assert ats.__version__ in capsys.readouterr().out


def test_doctor_reports():
    assert "cpu" in ats.doctor().lower()


def test_unknown_names_are_refused():
    try:
        ats.nothing_of_this_name
    except AttributeError as error:
        assert "nothing_of_this_name" in str(error)
    else:
        raise AssertionError("a name that is not there")
