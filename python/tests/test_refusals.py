"""What is refused, in one line that names the argument."""

import pickle
import re

import numpy as np
import pytest

import atomscope as ats

QUICK = {"permutations": 0, "bootstrap": 0}
STATE = {"encoder.weight": np.eye(5, 3, dtype=np.float32), "encoder.bias": np.zeros(5, dtype=np.float32)}
SAELENS = {
    "W_enc": np.ones((3, 5), np.float32), "b_enc": np.zeros(5, np.float32),
    "W_dec": np.ones((5, 3), np.float32), "b_dec": np.zeros(3, np.float32),
}
BIASED = {**STATE, "decoder.weight": np.ones((3, 5), np.float32), "decoder.bias": np.zeros(3, np.float32)}


def refused(message, run, kind=ats.InputError):
    with pytest.raises(kind) as caught:
        run()
    text = str(caught.value)
    assert re.search(message, text), text
    assert "\n" not in text
    return caught.value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"config": "x"}, "^config: found str, expected a mapping"),
        ({"config": [1]}, "^config: found list, expected a mapping"),
        ({"k": True}, "^k: found bool, expected a whole number"),
        ({"threshold": True}, "^threshold: found bool, expected a number"),
        ({"k": 2, "orientation": 3}, '^orientation: found int, expected "inputs-first"'),
        ({"k": 2, "subtract_decoder_bias": "yes"}, "^subtract_decoder_bias: found 'yes', expected True, False or None"),
        ({"k": 2, "subtract_decoder_bias": 1}, "^subtract_decoder_bias: found 1, expected True"),
    ],
)
def test_answers_of_another_type_are_refused(given, message):
    refused(message, lambda: ats.SAE.from_state_dict(STATE, **given))


def test_what_a_message_proposes_is_taken():
    error = refused("subtract_decoder_bias=True or False$", lambda: ats.SAE.from_state_dict(BIASED, k=2))
    assert '"yes"' not in str(error)
    assert ats.SAE.from_state_dict(BIASED, k=2, subtract_decoder_bias=False).d_sae == 5


def test_weights_without_their_config_ask_for_the_argument():
    error = refused("config=", lambda: ats.SAE.from_state_dict(SAELENS, k=2))
    assert "folder" not in str(error)


def test_module_without_numbers_is_refused():
    torch = pytest.importorskip("torch")
    module = torch.nn.Module()
    module.encoder = torch.nn.Linear(3, 5, device="meta")
    refused(r"^state\['encoder.weight'\]: found a tensor on the device meta", lambda: ats.SAE.from_state_dict(module, k=2))


def test_data_set_of_a_closed_file_is_refused(cohort, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        closed = file.create_dataset("x", data=cohort.x)
    refused("^x: found .*Dataset that cannot be read", lambda: cohort.sae.encode(closed))


@pytest.mark.parametrize("shape", [("a", "b"), (-20, 16), (2.5, 16), (20,), 20])
def test_shapes_of_no_whole_numbers_are_refused(cohort, shape):
    class Sliced:
        dtype = cohort.x.dtype

        def __getitem__(self, rows):
            return cohort.x[rows]

    sliced = Sliced()
    sliced.shape = shape
    refused(r"^x: found an array of shape \[", lambda: cohort.sae.encode(sliced))


def test_matrices_of_numpy_are_no_masked_arrays(cohort):
    with pytest.warns(PendingDeprecationWarning):
        matrix = np.matrix(cohort.x[:20])
    np.testing.assert_array_equal(cohort.sae.encode(matrix).top_acts, cohort.sae.encode(cohort.x[:20]).top_acts)
    masked = np.ma.masked_array(cohort.x)
    refused("^x: found a masked array", lambda: cohort.sae.encode(masked))


@pytest.mark.parametrize("argument", ["key", "layer", "pool"])
def test_choices_of_a_matrix_beside_an_array_are_refused(cohort, argument):
    given = {argument: "3"}
    message = f"^{argument}: found '3' beside an array, expected None"
    refused(message, lambda: ats.analyze(cohort.x, cohort.sae, cohort.calls, **given, **QUICK))
    refused(message, lambda: cohort.sae.encode(cohort.x, **given))
    refused(message, lambda: ats.tally(cohort.x, cohort.sae, cohort.calls, name="1", **given))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"atoms": 5}, "^atoms: found 5 beside x, expected None"),
        ({"batch_threshold": True}, "^batch_threshold: found True, expected a model of batch top-k"),
        ({"calls": ["c.csv", "d.csv"]}, "^calls: found 2 paths beside an array, expected one"),
        ({"true_class": "nope"}, r"^calls: the classes .* expected nope .*: true_class=\["),
        ({"class_column": "nope"}, "^calls: .*class_column="),
    ],
)
def test_arguments_of_analyze_are_named(cohort, given, message):
    given = {"calls": cohort.calls.to_pandas().drop(columns="label"), **given}
    refused(message, lambda: ats.analyze(cohort.x, cohort.sae, **given, **QUICK))


def test_bad_pool_is_told_once(cohort, tmp_path):
    np.save(tmp_path / "x.npy", cohort.x)
    error = refused('^pool: found "bogus", expected mean', lambda: cohort.sae.encode(tmp_path / "x.npy", pool="bogus"))
    assert "expected expected" not in str(error)


@pytest.mark.parametrize(("name", "found"), [(None, "NoneType"), ("", "an empty text"), ([1], "list")])
def test_shard_without_a_name_is_refused(cohort, name, found):
    refused(f"^name: found {found}, expected the name", lambda: ats.tally(cohort.x, cohort.sae, cohort.calls, name=name))


def test_outputs_without_a_name_are_refused(results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused("^path: found an empty text, expected the path of a folder", lambda: results.write(""))
    refused("^path: found an empty text", lambda: results.to_html(""))
    refused("^path: found an empty text", lambda: results.tally.save(""))
    refused("^path: found int", lambda: results.write(3))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"], "^labels: found list, expected a dict"),
        ({"a": "b"}, "^labels: found str, expected a whole number"),
        ({9999: "a"}, "^labels: found the atom 9999, expected numbers from 0 to 127"),
        ({-1: "a"}, "^labels: found the atom -1"),
    ],
)
def test_labels_of_no_atoms_are_refused(results, tmp_path, labels, message):
    refused(message, lambda: results.to_html(tmp_path / "page.html", labels=labels))


def test_embeddings_of_other_calls_are_refused(results, cohort):
    pytest.importorskip("anndata")
    refused("^embeddings: found 5 rows, expected 2000", lambda: results.to_anndata(cohort.x[:5]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [([-1], "^rows: found -1"), ([10**6], "^rows: found 1000000"), (["a"], "^rows: found str"), (3, "^rows: found int")],
)
def test_rows_that_are_not_there_are_refused(results, rows, message):
    refused(message, lambda: results.atoms.pick(rows))


def test_plots_of_no_results_and_no_atoms_are_refused(results):
    pytest.importorskip("matplotlib")
    for plot in (ats.pl.volcano, ats.pl.effects, ats.pl.sizes, ats.pl.types, ats.pl.coactivation):
        refused("^res: found NoneType, expected Results", lambda plot=plot: plot(None))
    refused("^atoms: found str, expected a whole number", lambda: ats.pl.types(results, ["a"]))
    refused("^atoms: found int, expected a sequence", lambda: ats.pl.types(results, 3))


MISSING = {
    "atoms": 'tables="all"', "regions": "regions=", "prediction": "predict=True", "scores": "compare_scores=True",
    "replication": "replicate=", "pairs": "pairs=", "reasons": "reason",
}


@pytest.mark.parametrize("name", MISSING)
def test_tables_that_are_not_there_say_what_makes_them(cohort, name):
    found = ats.analyze(cohort.x, cohort.sae, cohort.calls, tables="notebook", **QUICK)
    assert not hasattr(found, name) and getattr(found, name, None) is None
    error = refused(re.escape(MISSING[name]), lambda: getattr(found, name), AttributeError)
    assert not str(error).startswith(("'", '"')) and "there are notebook, coactivation" in str(error)
    assert isinstance(error, KeyError)


def test_tables_by_an_unknown_name_are_key_errors(results):
    error = refused("^nope: no table of this analysis; there are", lambda: results.table("nope"), KeyError)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_plots_of_the_notebooks_tables_say_what_they_need(cohort):
    pytest.importorskip("matplotlib")
    found = ats.analyze(cohort.x, cohort.sae, cohort.calls, tables="notebook", **QUICK)
    refused('tables="all"', lambda: ats.pl.volcano(found), AttributeError)
