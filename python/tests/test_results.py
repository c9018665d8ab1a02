"""Results out: tables, firing sets, files."""

import math
import re
import pathlib

import numpy as np
import pytest

import atomscope as ats
from conftest import program, same_files


def test_notebooks_table_is_counted_from_the_firing_sets(results, cohort):
    truth = np.array([call["label"] == "TP" for call in cohort.calls.table])
    fires = np.zeros((len(cohort.calls), 128), dtype=bool)
    np.put_along_axis(fires, results.activations.top_indices.astype(int), True, axis=1)
    table = results.notebook
    for atom, tp_on, fp_on in zip(table["atom"], table["TP_on"], table["FP_on"], strict=True):
        assert (tp_on, fp_on) == (fires[truth, atom].sum(), fires[~truth, atom].sum())
    kept = (fires.sum(axis=0) >= 5).sum()
    assert 0 < len(table) <= kept


def test_firing_sets_are_those_of_encode(results, cohort):
    found = cohort.sae.encode(cohort.x)
    np.testing.assert_array_equal(found.top_indices, results.activations.top_indices)
    np.testing.assert_array_equal(found.top_acts, results.activations.top_acts)
    assert found.top_indices.dtype == np.uint32 and found.top_acts.dtype == np.float64
    assert found.top_indices.shape == (2000, 8)


def test_firing_sets_are_shared_and_outlive_their_owner(cohort):
    found = cohort.sae.encode(cohort.x[:100])
    one, other = found.top_indices, found.top_indices
    assert np.shares_memory(one, other) and not one.flags.writeable
    copy = one.copy()
    del found, other
    np.testing.assert_array_equal(one, copy)


def test_to_scipy_has_every_activation(cohort):
    scipy = pytest.importorskip("scipy.sparse")
    found = cohort.sae.encode(cohort.x[:200])
    sparse = found.to_scipy()
    assert isinstance(sparse, scipy.csr_array) and sparse.shape == (200, 128)
    np.testing.assert_array_equal(np.sort(sparse.indices.reshape(200, 8), axis=1), found.top_indices)
    np.testing.assert_array_equal(sparse[[3], :].toarray()[0, found.top_indices[3]], found.top_acts[3])


def test_ragged_sets_have_ends(cohort):
    state = {"encoder.weight": cohort.sae.weight, "encoder.bias": cohort.sae.bias}
    sae = ats.SAE.from_state_dict(state, threshold=3.0)
    found = sae.encode(cohort.x[:300])
    scores = cohort.x[:300].astype(np.float64) @ cohort.sae.weight.T.astype(np.float64) + cohort.sae.bias
    np.testing.assert_array_equal(np.diff(found.indptr), (scores > 3.0).sum(axis=1))
    np.testing.assert_allclose(found.to_scipy().toarray(), np.where(scores > 3.0, scores, 0.0), rtol=1e-9)
    with pytest.raises(ats.InputError, match="use indices, data and indptr"):
        found.top_indices  # noqa: B018


@pytest.mark.parametrize("name", ["atoms", "atom_types", "atom_sizes", "atom_pairs", "replication", "notebook"])
def test_tables_are_the_same_in_every_library(results, name):
    pandas, polars, pyarrow = (pytest.importorskip(one) for one in ("pandas", "polars", "pyarrow"))
    table = results.table(name)
    assert len(table) > 0
    arrow, frame, other = table.to_arrow(), table.to_pandas(), table.to_polars()
    assert isinstance(arrow, pyarrow.Table) and isinstance(frame, pandas.DataFrame) and isinstance(other, polars.DataFrame)
    dicts = table.to_dicts()
    assert arrow.to_pylist() == dicts
    assert other.to_dicts() == dicts
    assert list(frame.columns) == table.columns and len(frame) == len(table)
    for column in table.columns:
        for value, expected in zip(frame[column], (row[column] for row in dicts), strict=True):
            assert pandas.isna(value) if expected is None else value == expected, column


def test_tables_equal_the_files(results, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    results.write(tmp_path)
    for name in ("atoms", "atom_types", "atom_chromosomes", "atom_pairs", "replication"):
        written = parquet.read_table(tmp_path / f"{name}.parquet")
        assert written.to_pylist() == results.table(name).to_arrow().to_pylist(), name
    pandas = pytest.importorskip("pandas")
    notebook = pandas.read_csv(tmp_path / "sae_feature_bias_analysis.csv")
    pandas.testing.assert_frame_equal(notebook, results.notebook.to_pandas(), check_dtype=False)


def test_tables_describe_themselves(results):
    atoms = results.atoms
    assert "log odds ratio" in atoms.describe("log_or")
    with pytest.raises(KeyError, match="no_column"):
        atoms.describe("no_column")
    with pytest.raises(KeyError, match="no table of this analysis"):
        results.table("nothing")
    text, page = repr(atoms), atoms._repr_html_()
    assert text.startswith("atoms: 128 rows, ") and "... 118 more rows" in text
    assert page.count("<tr>") == 11


def test_html_escapes_what_calls_say(cohort):
    calls = cohort.calls.to_pandas()
    calls["id"] = "<script>alert(1)</script>"
    page = ats.Calls(calls).table.head(1)._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page


def test_top_orders_atoms_and_leans(results):
    strongest = results.top(5)
    strong = [x for x in results.atoms["neg_log10_p"] if not math.isnan(x)]
    assert list(strongest["neg_log10_p"]) == sorted(strong, reverse=True)[:5]
    assert all(results.top(5, by="maxt_p", lean="fp")["log_or"] < 0)
    assert all(results.top(5, by="cmh_p", lean="tp")["log_or"] > 0)
    with pytest.raises(ats.InputError, match="lean: found 'up'"):
        results.top(lean="up")
    for n in (-1, 2.5, None):
        with pytest.raises(ats.InputError, match="n: found"):
            results.top(n)
    with pytest.raises(ats.InputError, match="n: found -1"):
        results.investigate(1, n=-1)
    with pytest.raises(ats.InputError, match="by: found 'q'"):
        results.top(by="q")


def test_investigate_lists_the_calls_of_an_atom(results, cohort):
    atom = int(results.top(1)["atom"][0])
    found = results.investigate(atom)
    fires = (results.activations.top_indices == atom).any(axis=1)
    assert sorted(found["row"]) == list(np.flatnonzero(fires))
    assert list(found["score"]) == sorted(found["score"], reverse=True)
    labels = [call["label"] for call in cohort.calls.table]
    assert [labels[row] for row in found["row"]] == list(found["label"])
    assert len(results.investigate(atom, n=3)) == 3
    assert f"Feature {atom} Detailed Analysis" in results.detail(atom)
    for bad in (128, -1, 1.5, True):
        with pytest.raises(ats.InputError, match="atom: found"):
            results.investigate(bad)


def test_texts_speak_of_arguments(results, cohort):
    flag = re.compile(r"(?<![\w-])--[a-z]")
    more = ats.analyze(cohort.x, cohort.sae, cohort.calls, permutations=10, bootstrap=0, predict=True, compare_scores=True)
    alone = ats.analyze(cohort.x, cohort.sae, cohort.calls, tables="notebook")
    for found in (results, more, alone):
        texts = [str(found), found.report, found._repr_html_(), *found.warnings]
        for name in found.tables:
            table = found.table(name)
            texts += [table.about, *(table.describe(column) for column in table.columns)]
        for text in texts:
            assert not flag.search(text), text
    assert 'replicate="dataset"' in str(more) or 'replicate="chrom"' in str(more)
    assert 'tables="all" makes the tables' in str(alone)
    assert "investigate(" in str(results)
    assert "min_support calls" in results.atoms.about


def test_texts_leave_names_alone(cohort):
    calls = cohort.calls.to_pandas().assign(dataset="a--block sample --block")
    found = ats.analyze(cohort.x, cohort.sae, calls, permutations=0, bootstrap=0)
    assert "a--block sample" in found.report


def test_report_and_run_tell_of_the_run(results):
    assert str(results) == results.report[: len(str(results))]
    assert results.run["shapes"]["rows"] == 2000
    assert results.run["atomscope"] == ats.__version__
    assert results.summary["calls"] == {"tp": 1348, "fp": 652, "dropped": 0}
    assert repr(results).startswith("Results(2000 calls: ")


def test_written_files_are_the_programs(tmp_path):
    pytest.importorskip("numpy")
    program("simulate", "--rows", "1500", "--input-dim", "24", "--features", "96", "--k", "6", "--out", str(tmp_path / "made"))
    made = tmp_path / "made"
    files = {path.suffix: path for path in made.iterdir() if path.suffix in (".pt", ".npy")}
    embeddings = next(path for path in made.iterdir() if "embeddings" in path.name)
    model = next(path for path in made.iterdir() if path.name.endswith("sae.pt"))
    assert files
    options = ["--permutations", "20", "--bootstrap", "100", "--replicate", "chrom", "--save-fires"]
    program("analyze", "--embeddings", str(embeddings), "--model", str(model), "--out", str(tmp_path / "cli"), *options)
    chosen = {"permutations": 20, "bootstrap": 100, "replicate": "chrom"}
    of_files = ats.analyze(embeddings, model, **chosen)
    of_files.write(tmp_path / "files", save_fires=True)
    assert len(same_files(tmp_path / "cli", tmp_path / "files")) > 10
    assert len(of_files.calls) == 1500 == len(of_files.activations)
    torch = pytest.importorskip("torch")
    package = torch.load(embeddings, weights_only=False)
    sae = ats.SAE.from_state_dict(torch.load(model, weights_only=False))
    for calls in (package["sv_info"], ats.Calls(package["sv_info"])):
        found = ats.analyze(package["embeddings"], sae, calls, **chosen)
        found.write(tmp_path / "memory", save_fires=True)
        assert len(same_files(tmp_path / "cli", tmp_path / "memory")) > 10


def test_written_files_of_real_calls_are_the_programs(delly_mims, tmp_path):
    torch = pytest.importorskip("torch")
    embeddings = delly_mims / "data/processed/sae_sv_embeddings.pt"
    model = next(delly_mims.rglob("sae.pt"))
    program("analyze", "--embeddings", str(embeddings), "--model", str(model), "--out", str(tmp_path / "cli"), "--permutations", "100")
    ats.analyze(embeddings, model, permutations=100).write(tmp_path / "files")
    same_files(tmp_path / "cli", tmp_path / "files")
    package = torch.load(embeddings, weights_only=False)
    sae = ats.SAE.from_state_dict(torch.load(model, weights_only=False))
    found = ats.analyze(package["embeddings"], sae, package["sv_info"], permutations=100)
    found.write(tmp_path / "memory")
    same_files(tmp_path / "cli", tmp_path / "memory")


def test_write_replaces_nobodys_files(results, tmp_path):
    (tmp_path / "report.txt").write_text("mine")
    with pytest.raises(ats.InputError, match="report.txt"):
        results.write(tmp_path)
    assert (tmp_path / "report.txt").read_text() == "mine"


def test_to_anndata_has_calls_atoms_and_activations(results, cohort):
    anndata = pytest.importorskip("anndata")
    made = results.to_anndata(cohort.x)
    assert isinstance(made, anndata.AnnData) and made.shape == (2000, 128)
    assert list(made.var["atom"]) == list(range(128))
    assert made.obsm["X_embedding"] is not None
    assert made.varp["coactivation"].shape == (128, 128)
    again = ats.analyze(made, cohort.sae, permutations=0, bootstrap=0)
    np.testing.assert_array_equal(again.activations.top_indices, results.activations.top_indices)
    assert again._core.counts() == results._core.counts()


def test_notebook_tables_alone(cohort):
    found = ats.analyze(cohort.x, cohort.sae, cohort.calls, tables="notebook")
    assert found.tables == ["notebook", "coactivation"]
    with pytest.raises(KeyError):
        found.atoms  # noqa: B018


def test_pairs_are_those_of_all_pairs_that_tell_something(cohort, quick):
    def pairs_of(**chosen):
        return ats.analyze(cohort.x, cohort.sae, cohort.calls, min_coactivation=3, **quick, **chosen)

    everything, default = pairs_of(pairs="all").pairs.to_pandas(), pairs_of()
    tells = everything[(everything["fdr_bh"] <= 0.05) | (everything["difference_fdr_bh"] <= 0.05)]
    assert 5 < len(tells) < len(everything)
    assert default.pairs.to_pandas().equals(tells.reset_index(drop=True))
    numbers = default.run["tables"]["pairs"]
    assert (numbers["at_threshold"], numbers["listed"]) == (len(everything), len(tells))
    strongest = tells.assign(size=tells["phi"].abs()).sort_values(["size", "atom_a", "atom_b"], ascending=[False, True, True])
    few = pairs_of(max_pairs=5).pairs.to_pandas()
    assert set(few["phi"].abs()) == set(strongest["size"][:5])
    assert "atom_pairs" not in pairs_of(pairs="none").tables


def test_options_are_refused_by_name(cohort):
    for given, message in [
        ({"pairs": "some"}, "pairs: found"),
        ({"max_pairs": -1}, "max_pairs: found -1"),
        ({"strata": ["svtype", "colour"]}, "strata: found"),
        ({"block": "chromosome"}, 'block: found "chromosome", expected "locus" or "sample"'),
        ({"replicate": "sex"}, "replicate: found"),
        ({"predict": "x"}, "predict: found"),
        ({"tables": "some"}, "tables: found"),
        ({"permutations": -5}, "permutations: found -5"),
        ({"permutations": 1.5}, "permutations: found float"),
        ({"bootstrap": 5}, "bootstrap: found 5"),
        ({"seed": None}, "seed: found NoneType, expected a whole number"),
        ({"seed": 2**64}, r"seed: found 18446744073709551616, expected a number of less than 2\*\*63"),
        ({"nonfinite": 1}, "nonfinite: found int, expected a text"),
        ({"replicate": True}, "replicate: found bool, expected a text"),
        ({"compare_scores": "yes"}, "compare_scores: found str, expected True or False"),
    ]:
        with pytest.raises(ats.InputError, match=message):
            ats.analyze(cohort.x, cohort.sae, cohort.calls, **given)
    with pytest.raises(TypeError):
        ats.analyze(cohort.x, cohort.sae, cohort.calls, permutation=5)


def test_to_html_writes_the_programs_page(results: ats.Results, tmp_path: pathlib.Path) -> None:
    results.write(tmp_path / "results")
    results.to_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_bytes()
    assert page == (tmp_path / "results" / "report.html").read_bytes()


def test_to_html_shows_names_and_links(results: ats.Results, tmp_path: pathlib.Path) -> None:
    strongest = int(results.top(1)["atom"][0])
    results.to_html(tmp_path / "page.html", genome="hg38", labels={strongest: "my favourite atom"})
    page = (tmp_path / "page.html").read_text()
    assert "my favourite atom" in page
    with pytest.raises(ats.InputError, match='genome: found "hg99", expected hg38, hg19, chm13, or None'):
        results.to_html(tmp_path / "page.html", genome="hg99")
