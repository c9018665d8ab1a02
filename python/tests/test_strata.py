"""Strata by columns and regions, of calls in memory."""

import numpy as np
import pytest

import atomscope as ats
from conftest import program, same_files

QUICK = {"permutations": 30, "bootstrap": 0, "seed": 3}


@pytest.fixture(scope="module")
def table(cohort):
    calls = cohort.calls.to_pandas().drop(columns="label")
    return calls.assign(depth=np.arange(len(calls)) % 97, caller=np.where(calls.pos % 2, "one", "other"))


@pytest.fixture(scope="module")
def files(cohort, table, tmp_path_factory):
    """The same cohort in files, a model, and regions."""
    folder = tmp_path_factory.mktemp("strata")
    np.save(folder / "x.npy", cohort.x)
    table.to_csv(folder / "calls.csv", index=False)
    np.savez(folder / "sae.npz", **{"encoder.weight": cohort.sae.weight, "encoder.bias": cohort.sae.bias})
    chroms = sorted(set(table.chrom))
    (folder / "half.bed").write_text("".join(f"{chrom}\t0\t60000000\n" for chrom in chroms))
    return folder


@pytest.mark.parametrize("strata", ["svtype,col:caller", "col:chrom,col:caller", "col:depth", "svtype,region:half"])
def test_strata_of_tables_in_memory_are_the_programs(cohort, table, files, tmp_path, strata):
    sae = ats.SAE.load(files / "sae.npz", k=8)
    regions = [files / "half.bed"] if "region" in strata else []
    found = ats.analyze(cohort.x, sae, table, strata=strata, regions=regions, **QUICK)
    found.write(tmp_path / "here")
    given = ["--embeddings", files / "x.npy", "--metadata", files / "calls.csv", "--model", files / "sae.npz", "--k", "8"]
    given += ["--strata", strata, "--permutations", "30", "--bootstrap", "0", "--seed", "3", "--out", tmp_path / "there"]
    given += ["--regions", files / "half.bed"] if regions else []
    program("analyze", *map(str, given))
    same_files(tmp_path / "here", tmp_path / "there")


def test_strata_are_the_same_from_every_form_of_calls(cohort, table, files):
    expected = ats.analyze(cohort.x, cohort.sae, table, strata=["svtype", "col:caller"], **QUICK).atoms.to_dicts()
    for calls in (table.to_dict("records"), table.to_dict("list"), files / "calls.csv"):
        found = ats.analyze(cohort.x, cohort.sae, calls, strata=["svtype", "col:caller"], **QUICK)
        assert found.atoms.to_dicts() == expected
    one = ats.analyze(cohort.x, cohort.sae, cohort.calls, strata="col:chrom", **QUICK)
    other = ats.analyze(cohort.x, cohort.sae, table, strata="col:chrom", **QUICK)
    assert one.atoms.to_dicts() == other.atoms.to_dicts()


def test_tallies_are_stratified_by_columns(cohort, table, tmp_path):
    for name, rows in {"1": slice(0, 900), "2": slice(900, 2000)}.items():
        tally = ats.tally(cohort.x[rows], cohort.sae, table[rows], name=name, strata="svtype,col:caller")
        tally.save(tmp_path / f"{name}.tally")
    merged = ats.merge(str(tmp_path / "*.tally")).analyze(**QUICK)
    whole = ats.analyze(cohort.x, cohort.sae, table, strata="svtype,col:caller", **QUICK)
    assert merged.atoms.to_dicts() == whole.atoms.to_dicts()


@pytest.mark.parametrize(
    ("strata", "message"),
    [
        ("svtype,bogus", '^strata: found "bogus", expected some of svtype, size'),
        ("col:nope", "strata: found the column 'nope', expected one of the table of calls"),
        ("info:DP", "strata: found the column 'info:DP'"),
        ("region:nope", "strata: found region:nope, expected regions of that name"),
        (3, "strata: found int, expected some of svtype"),
    ],
)
def test_strata_that_are_not_there_are_named(cohort, table, strata, message):
    with pytest.raises(ats.InputError, match=message):
        ats.analyze(cohort.x, cohort.sae, table, strata=strata, **QUICK)
