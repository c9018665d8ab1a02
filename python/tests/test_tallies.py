"""Tallies: shards merge to what one run gives."""

import numpy as np
import pytest

import atomscope as ats
from conftest import program, same_files

QUICK = {"permutations": 30, "bootstrap": 0, "seed": 3}


def parts(cohort, *cuts):
    calls = cohort.calls.to_pandas()
    ends = [0, *cuts, len(calls)]
    for number, (start, end) in enumerate(zip(ends, ends[1:], strict=False)):
        yield str(number), cohort.x[start:end], calls.iloc[start:end]


def test_merged_tallies_give_the_files_of_one_run(cohort, tmp_path):
    whole = ats.analyze(cohort.x, cohort.sae, cohort.calls.to_pandas(), **QUICK)
    whole.write(tmp_path / "whole")
    paths = []
    for name, x, calls in parts(cohort, 300, 1100):
        paths.append(tmp_path / f"{name}.tally")
        ats.tally(x, cohort.sae, calls, name=name).save(paths[-1])
    for order in (paths, paths[::-1], [str(tmp_path / "*.tally")]):
        merged = ats.merge(order)
        assert len(merged) == 2000
        assert merged.shards == [("0", 0, 300), ("1", 0, 800), ("2", 0, 900)]
        merged.analyze(**QUICK).write(tmp_path / "merged")
        assert len(same_files(tmp_path / "whole", tmp_path / "merged")) > 8
    np.testing.assert_array_equal(merged.activations.top_indices, whole.activations.top_indices)


def test_counts_alone_give_what_counts_tell(cohort, tmp_path):
    path = tmp_path / "counts.tally"
    tally = ats.tally(cohort.x, cohort.sae, cohort.calls, name="all")
    tally.save(path, fires=False)
    assert [file.name for file in tmp_path.iterdir()] == ["counts.tally"]
    found = ats.merge(path).analyze(permutations=0, bootstrap=0)
    assert len(found.atoms) == 128
    with pytest.raises(ats.InputError, match="expected firing sets"):
        found.activations  # noqa: B018


def test_rows_that_come_twice_are_refused(cohort, tmp_path):
    for name in ("a", "b"):
        ats.tally(cohort.x, cohort.sae, cohort.calls, name=name).save(tmp_path / f"{name}.tally")
    with pytest.raises(ats.InputError, match="found"):
        ats.merge([tmp_path / "a.tally", tmp_path / "b.tally"])


def test_tallies_of_other_models_are_refused(cohort, tmp_path):
    other = ats.simulate(2000, 32, 128, 8, seed=2)
    ats.tally(cohort.x, cohort.sae, cohort.calls, name="a").save(tmp_path / "a.tally")
    ats.tally(other.x, other.sae, other.calls, name="b").save(tmp_path / "b.tally")
    with pytest.raises(ats.InputError, match="b.tally"):
        ats.merge([tmp_path / "a.tally", tmp_path / "b.tally"])


def test_results_have_the_tally_of_their_run(results):
    assert len(results.tally) == 2000 and results.tally.d_sae == 128
    again = results.tally.analyze(permutations=50, bootstrap=0, replicate="chrom")
    assert again.atoms.to_dicts() == results.atoms.to_dicts()


@pytest.fixture(scope="module")
def with_decoder(cohort, tmp_path_factory):
    """A model with a decoder, as a file and in memory, and the cohort's embeddings and calls as files."""
    rng = np.random.default_rng(5)
    state = {
        "encoder.weight": cohort.sae.weight,
        "encoder.bias": cohort.sae.bias,
        "decoder.weight": rng.normal(size=(32, 128)).astype(np.float32),
        "b_dec": np.zeros(32, dtype=np.float32),
    }
    folder = tmp_path_factory.mktemp("decoder")
    np.savez(folder / "sae.npz", **state)
    np.save(folder / "x.npy", cohort.x)
    cohort.calls.to_pandas().to_csv(folder / "calls.csv", index=False)
    cohort.calls.to_pandas().to_csv(folder / "x.csv", index=False)
    return folder, state


def pages(found, path):
    found.to_html(path)
    return path.read_bytes()


ANSWERS = {"k": 8, "subtract_decoder_bias": True}


def test_page_of_a_tally_with_its_model_is_the_programs(with_decoder, tmp_path):
    folder, state = with_decoder
    model, said = folder / "sae.npz", ("--k", "8", "--subtract-decoder-bias", "yes")
    inputs = ["--embeddings", folder / "x.npy", "--metadata", folder / "calls.csv", "--model", model, *said]
    tally, counted = tmp_path / "x.tally", ["--permutations", "30", "--bootstrap", "0", "--seed", "3"]
    program("tally", *map(str, inputs), "--out", str(tally), "--fires")
    for name, more in {"with": ["--model", model, *said], "without": []}.items():
        program("report", *map(str, [tally, *more, *counted, "--out", tmp_path / name]))
    expected = {name: (tmp_path / name / "report.html").read_bytes() for name in ("with", "without")}
    assert expected["with"] != expected["without"]
    merged, page = ats.merge(tally), tmp_path / "page.html"
    for sae in (ats.SAE.load(model, **ANSWERS), ats.SAE.from_state_dict(state, **ANSWERS)):
        found = merged.analyze(sae=sae, **QUICK)
        found.write(tmp_path / "results")
        same_files(tmp_path / "with", tmp_path / "results")
        assert pages(found, page) == expected["with"]
    assert pages(merged.analyze(**QUICK), page) == expected["without"]


def test_page_of_rows_in_memory_shows_the_models_decoder(with_decoder, cohort, tmp_path):
    folder, state = with_decoder
    calls, page = folder / "calls.csv", tmp_path / "page.html"
    loaded = ats.SAE.load(folder / "sae.npz", **ANSWERS)
    expected = pages(ats.analyze(folder / "x.npy", loaded, calls, **QUICK), page)
    for sae in (loaded, ats.SAE.from_state_dict(state, **ANSWERS)):
        assert pages(ats.analyze(cohort.x, sae, calls, **QUICK), page) == expected
        tally = ats.tally(cohort.x, sae, calls, name="x")
        for again in (tally.analyze(**QUICK), tally.analyze(sae=loaded, **QUICK)):
            assert pages(again, page) == expected
    del state["decoder.weight"]
    without = ats.SAE.from_state_dict(state, **ANSWERS)
    assert pages(ats.analyze(cohort.x, without, calls, **QUICK), page) != expected


def test_another_model_than_the_tallys_is_refused(results, with_decoder):
    folder, _ = with_decoder
    for sae in (folder / "sae.npz", ats.SAE.load(folder / "sae.npz", k=7, subtract_decoder_bias=True)):
        with pytest.raises(ats.InputError, match="that of the tally|expected"):
            results.tally.analyze(sae=sae, **QUICK)


def test_inputs_of_a_tally_are_never_replaced(with_decoder, cohort, tmp_path):
    folder, state = with_decoder
    before = {path: path.read_bytes() for path in folder.iterdir()}
    loaded = ats.SAE.load(folder / "sae.npz", **ANSWERS)
    mapped = np.load(folder / "x.npy", mmap_mode="r")
    of_files = ats.analyze(folder / "x.npy", loaded, folder / "calls.csv", **QUICK)
    table, memory = folder / "calls.csv", [folder / "calls.csv", folder / "sae.npz"]
    made = {
        "files": (ats.tally(folder / "x.npy", loaded, table, name="1"), [*memory, folder / "x.npy"]),
        "a mapped array": (ats.tally(mapped, loaded, table, name="1"), [*memory, folder / "x.npy"]),
        "results": (of_files.tally, [*memory, folder / "x.npy"]),
        "a table beside": (
            ats.tally(folder / "x.npy", loaded, name="1"), [folder / name for name in ("x.npy", "x.csv", "sae.npz")]
        ),
        "a table": (ats.tally(cohort.x, loaded, table, name="1"), memory),
    }
    for name, (tally, inputs) in made.items():
        for path in inputs:
            for fires in (False, tmp_path / "other.fires"):
                with pytest.raises(ats.InputError, match="an input is never replaced"):
                    tally.save(path, fires=fires, force=True)
            with pytest.raises(ats.InputError, match="an input is never replaced"):
                tally.save(tmp_path / "x.tally", fires=path, force=True)
            assert path.read_bytes() == before[path], name
    with pytest.raises(ats.InputError, match="expected|never"):
        ats.analyze(cohort.x, loaded, folder / "calls.csv", **QUICK).to_html(folder / "calls.csv")
    assert (folder / "calls.csv").read_bytes() == before[folder / "calls.csv"]


def test_tallies_that_were_merged_are_never_replaced(cohort, tmp_path):
    path = tmp_path / "1.tally"
    ats.tally(cohort.x, cohort.sae, cohort.calls, name="1").save(path)
    before = path.read_bytes(), (tmp_path / "1.tally.fires").read_bytes()
    merged = ats.merge(path)
    for force in (False, True):
        with pytest.raises(ats.InputError, match="an input is never replaced"):
            merged.save(path, force=force)
    assert (path.read_bytes(), (tmp_path / "1.tally.fires").read_bytes()) == before
    merged.save(tmp_path / "all.tally")
    merged.save(tmp_path / "all.tally", force=True)


def test_options_of_no_table_are_refused(results):
    with pytest.raises(TypeError, match="device is no option of tables"):
        results.tally.analyze(device="cpu")


def test_simulate_is_the_same_for_a_seed():
    one, other = ats.simulate(100, 8, 32, 4, seed=7), ats.simulate(100, 8, 32, 4, seed=7)
    np.testing.assert_array_equal(one.x, other.x)
    assert one.sae.digest() == other.sae.digest() and one.truth == other.truth
    with pytest.raises(ats.InputError, match="k: found 33, expected a number from 1 to 32"):
        ats.simulate(100, 8, 32, 33)
