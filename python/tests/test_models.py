"""Models in: converted exactly, or refused by name."""

import json
import os
import pathlib

import numpy as np
import pytest

import atomscope as ats

RNG = np.random.default_rng(3)
STATE = {
    "encoder.weight": RNG.normal(size=(11, 7)).astype(np.float32),
    "encoder.bias": RNG.normal(size=11).astype(np.float32),
}
MEAN, STD = RNG.normal(size=7), RNG.uniform(0.5, 2.0, 7)


def test_notebooks_package_gives_the_model_of_its_file(tmp_path):
    torch = pytest.importorskip("torch")
    tensors = {name: torch.from_numpy(values) for name, values in STATE.items()}
    config = {"input_dim": 7, "feature_dim": 11, "k": 3, "μ": torch.from_numpy(MEAN), "σ": torch.from_numpy(STD)}
    package = {"config": config, "model_state_dict": tensors}
    torch.save(package, tmp_path / "sae.pt")
    loaded = ats.SAE.load(tmp_path / "sae.pt")
    assert (loaded.d_in, loaded.d_sae, loaded.k) == (7, 11, 3)
    taken = [
        ats.SAE.from_state_dict(package),
        ats.SAE.from_state_dict(tensors, k=3, mean=MEAN, std=STD),
        ats.SAE.from_state_dict(STATE, k=3, mean=MEAN.tolist(), std=torch.from_numpy(STD)),
        ats.SAE.from_state_dict({f"module.{name}": value for name, value in STATE.items()}, k=3, mean=MEAN, std=STD),
    ]
    for sae in taken:
        assert sae.digest() == loaded.digest()
        np.testing.assert_array_equal(sae.weight, STATE["encoder.weight"])
    module = torch.nn.Module()
    module.encoder = torch.nn.Linear(7, 11)
    module.encoder.load_state_dict({"weight": tensors["encoder.weight"], "bias": tensors["encoder.bias"]})
    assert ats.SAE.from_state_dict(module, k=3, mean=MEAN, std=STD).digest() == loaded.digest()


PACKAGES = {
    "k of a fraction": {"k": 8.5}, "k of a text": {"k": "eight"}, "k of a flag": {"k": True}, "no k": {"k": None},
    "k of 0": {"k": 0}, "k below 0": {"k": -3}, "another input_dim": {"input_dim": 6},
    "another feature_dim": {"feature_dim": 5}, "another activation": {"activation": "relu"},
    "another kind": {"architecture": "jumprelu"}, "a second k": {"top_k": 5}, "a switch": {"apply_b_dec_to_input": True},
    "no whitening": {"μ": None}, "a norm": {"normalize": {"by": 2}},
}


@pytest.mark.parametrize("name", PACKAGES)
def test_packages_that_a_file_is_refused_for_are_refused(name, tmp_path):
    config = {"input_dim": 7, "feature_dim": 11, "k": 3, "μ": MEAN, "σ": STD, **PACKAGES[name]}
    with pytest.raises(ats.InputError):
        ats.SAE.from_state_dict({"model_state_dict": STATE, "config": config})
    torch = pytest.importorskip("torch")
    numbers = {key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for key, value in config.items()}
    tensors = {key: torch.from_numpy(value) for key, value in STATE.items()}
    torch.save({"model_state_dict": tensors, "config": numbers}, tmp_path / "sae.pt")
    with pytest.raises(ats.InputError):
        ats.SAE.load(tmp_path / "sae.pt")


def test_packages_without_a_key_that_a_file_needs_are_refused():
    whole = {"input_dim": 7, "feature_dim": 11, "k": 3, "μ": MEAN, "σ": STD}
    for key, message in {"input_dim": "a key input_dim", "feature_dim": "a key feature_dim", "k": "a key k"}.items():
        config = {name: value for name, value in whole.items() if name != key}
        with pytest.raises(ats.InputError, match=f"config of .*: {key}: found .*expected {message}"):
            ats.SAE.from_state_dict({"model_state_dict": STATE, "config": config})
    with pytest.raises(ats.InputError, match="k: found 9, expected no answer"):
        ats.SAE.from_state_dict({"model_state_dict": STATE, "config": whole}, k=9)


@pytest.mark.parametrize(
    "more",
    [{}, {"k": np.int64(3)}, {"k": 3.0}, {"k": "3"}, {"whiten": True}, {"lr": 1e-3, "loss": np.ones(4), "activation": "topk"}],
)
def test_packages_that_a_file_is_taken_for_are_taken(more):
    config = {"input_dim": 7, "feature_dim": 11, "k": 3, "μ": MEAN, "σ": STD, **more}
    found = ats.SAE.from_state_dict({"model_state_dict": STATE, "config": config})
    assert found.digest() == ats.SAE.from_state_dict(STATE, k=3, mean=MEAN, std=STD).digest()


def test_k_beyond_the_atoms_is_told():
    config = {"input_dim": 7, "feature_dim": 11, "k": 99, "μ": MEAN, "σ": STD}
    with pytest.warns(UserWarning, match="config.k is 99, more than the 11 features"):
        assert ats.SAE.from_state_dict({"model_state_dict": STATE, "config": config}).k == 11
    with pytest.warns(UserWarning, match="k is 99, more than the 11 features"):
        ats.SAE.from_state_dict(STATE, k=99, mean=MEAN, std=STD)


def test_whitening_of_one_number_stands_for_all():
    one = ats.SAE.from_state_dict(STATE, k=3, mean=0, std=1.0)
    all_of_them = ats.SAE.from_state_dict(STATE, k=3, mean=np.zeros(7), std=np.ones((1, 7)))
    assert one.digest() == all_of_them.digest()


def test_transposed_and_narrow_tensors_are_taken_exactly():
    turned = {**STATE, "encoder.weight": np.asfortranarray(STATE["encoder.weight"])}
    plain = ats.SAE.from_state_dict(STATE, k=3, mean=0.0, std=1.0)
    assert ats.SAE.from_state_dict(turned, k=3, mean=0.0, std=1.0).digest() == plain.digest()
    ml_dtypes = pytest.importorskip("ml_dtypes")
    narrow = {name: values.astype(ml_dtypes.bfloat16) for name, values in STATE.items()}
    sae = ats.SAE.from_state_dict(narrow, k=3, mean=0.0, std=1.0)
    np.testing.assert_array_equal(sae.weight, narrow["encoder.weight"].astype(np.float32))


def test_weights_stay_when_the_model_goes():
    weight = ats.SAE.from_state_dict(STATE, k=3, mean=0.0, std=1.0).weight
    np.testing.assert_array_equal(weight, STATE["encoder.weight"])
    assert not weight.flags.writeable


def test_objects_of_libraries_are_told_by_their_config():
    """Stand-ins with the modules, names and attributes of the libraries' own classes."""

    class Config:
        def __init__(self, **values):
            self.values = values

        def to_dict(self):
            return self.values

    def made(module, name, state, **attributes):
        of = type(name, (), {"__module__": module, "state_dict": lambda self: state})
        instance = of()
        for key, value in attributes.items():
            setattr(instance, key, value)
        return instance

    rng = np.random.default_rng(1)
    w_enc, w_dec = (rng.normal(size=shape).astype(np.float32) for shape in ((7, 11), (11, 7)))
    b_enc, b_dec = (rng.normal(size=size).astype(np.float32) for size in (11, 7))
    lens = made(
        "sae_lens.saes.topk_sae", "TopKSAE",
        {"W_enc": w_enc, "W_dec": w_dec, "b_enc": b_enc, "b_dec": b_dec},
        cfg=Config(architecture="topk", d_in=7, d_sae=11, k=4, dtype="float32", apply_b_dec_to_input=True,
                   normalize_activations="none", metadata={"sae_lens_version": "6.54.12"}),
    )
    sparse = made(
        "sparsify.sparse_coder", "SparseCoder",
        {"encoder.weight": w_enc.T.copy(), "encoder.bias": b_enc, "W_dec": w_dec, "b_dec": b_dec},
        cfg=Config(k=4, num_latents=11, expansion_factor=32, activation="topk", signed=False, transcode=False),
        d_in=7,
    )
    dictionary = made(
        "dictionary_learning.trainers.top_k", "AutoEncoderTopK",
        {"encoder.weight": w_enc.T.copy(), "encoder.bias": b_enc, "decoder.weight": w_dec.T.copy(), "b_dec": b_dec,
         "k": np.array(4), "threshold": np.array(-1.0, dtype=np.float32)},
        activation_dim=7, dict_size=11,
    )
    found = {sae.family: sae for sae in map(ats.SAE.from_state_dict, (lens, sparse, dictionary))}
    assert list(found) == ["SAELens", "sparsify", "dictionary_learning"]
    assert len({sae.digest() for sae in found.values()}) == 1
    x = rng.normal(size=(30, 7)).astype(np.float32)
    for sae in found.values():
        dense = sae.encode(x).to_scipy().toarray()
        expected = (x - b_dec).astype(np.float64) @ w_enc + b_enc
        at_most = np.sort(expected, axis=1)[:, [-4]]
        np.testing.assert_allclose(dense, np.where((expected >= at_most) & (expected > 0), expected, 0), rtol=1e-12)


def _checkpoints():
    folder = os.environ.get("ATOMSCOPE_SAE_CHECKPOINTS")
    if not folder:
        return []
    found = pathlib.Path(folder).rglob("*.safetensors")
    return sorted(path for path in found if (path.parent / "cfg.json").is_file())


@pytest.mark.parametrize("path", _checkpoints() or [None], ids=str)
def test_tensors_in_memory_give_the_model_of_the_file(path):
    if path is None:
        pytest.skip("no real models: ATOMSCOPE_SAE_CHECKPOINTS names no folder")
    numpy = pytest.importorskip("safetensors.torch")
    config = json.loads((path.parent / "cfg.json").read_text())

    def outcome(make):
        try:
            return make().digest()
        except ats.InputError as error:
            return str(error).partition("found ")[2].partition(": ")[0]

    loaded = outcome(lambda: ats.SAE.load(path))
    taken = outcome(lambda: ats.SAE.from_state_dict(numpy.load_file(path), config=config, name=str(path)))
    assert loaded == taken


@pytest.mark.parametrize(
    ("state", "given", "message"),
    [
        (STATE, {}, r"k: found no key that says it, expected an answer: how many atoms fire .*: k=\.\.\."),
        (STATE, {"k": 0}, "k: found 0"),
        (STATE, {"k": -1}, "k: found -1"),
        (STATE, {"k": 3, "mean": 0.0}, "mean, std: found mean without std"),
        (STATE, {"k": 3, "mean": [0.0] * 6, "std": 1.0}, "mean: found 6 numbers, expected 7"),
        (STATE, {"k": 3, "mean": 0.0, "std": 0.0}, r"std\[0\]: found 0, expected a finite number greater than 0"),
        (STATE, {"k": 3, "mean": float("nan"), "std": 1.0}, r"mean\[0\]: found NaN"),
        (STATE, {"k": 3, "mean": "zero", "std": 1.0}, "mean: found str, expected numbers"),
        (STATE, {"k": 3, "orientation": "up"}, "orientation: found"),
        ({**STATE, "extra": STATE["encoder.bias"]}, {"k": 3, "mean": 0.0, "std": 1.0}, "extra: found numbers of shape"),
        ({"encoder.weight": STATE["encoder.weight"].astype(np.int8)}, {"k": 3}, "found"),
        ({**STATE, "encoder.bias": [1.0]}, {"k": 3}, r"state\['encoder.bias'\]: found list, expected a tensor"),
        ({3: STATE["encoder.bias"]}, {"k": 3}, "state: found the key 3"),
        ({"a": STATE["encoder.bias"]}, {"k": 3}, "the tensors a"),
        (5, {"k": 3}, "state: found int, expected a mapping"),
    ],
)
def test_from_state_dict_refuses_by_name(state, given, message):
    with pytest.raises(ats.InputError, match=message):
        ats.SAE.from_state_dict(state, **given)


def test_square_matrices_are_never_guessed():
    square = {"W_enc": np.eye(5, dtype=np.float32), "b_enc": np.zeros(5, dtype=np.float32)}
    with pytest.raises(ats.InputError, match='orientation="inputs-first" or "features-first"'):
        ats.SAE.from_state_dict(square, k=2)
    assert ats.SAE.from_state_dict(square, k=2, orientation="inputs-first").d_sae == 5


def test_load_refuses_what_is_no_model(tmp_path):
    (tmp_path / "x.pt").write_bytes(b"not a model")
    for path in (tmp_path / "x.pt", tmp_path / "nothing.pt"):
        with pytest.raises(ats.InputError, match=path.name):
            ats.SAE.load(path)
    with pytest.raises(ats.InputError, match="expected SAE.load"):
        ats.SAE(tmp_path)
