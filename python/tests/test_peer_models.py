"""Models of the libraries that train them: atoms and activations are those of their own encode."""

import sys
import types

import numpy as np
import pytest

import atomscope as ats

torch = pytest.importorskip("torch", reason="models of other libraries need torch")

D_IN, D_SAE, K = 16, 48, 6


def filled(model, **given):
    """The same model with random numbers, and some that are given."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
        for name, value in given.items():
            getattr(model, name).copy_(torch.as_tensor(value))
    return model


def check(model, encode):
    x = torch.randn(60, D_IN, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = encode(x).float().numpy()
    found = ats.SAE.from_state_dict(model).encode(x).to_scipy().toarray()
    np.testing.assert_array_equal(found != 0, expected != 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["TopK", "JumpReLU", "Standard", "Gated", "TopKTraining", "JumpReLUTraining"])
def test_models_of_saelens_are_taken(kind):
    saes = pytest.importorskip("sae_lens.saes")
    of = getattr(saes, f"{kind}SAE")
    more = {"k": K} if kind.startswith("TopK") else {}
    config = getattr(saes, f"{kind}SAEConfig")(d_in=D_IN, d_sae=D_SAE, dtype="float32", device="cpu", **more)
    model = of(config)
    given = {"threshold": np.linspace(0.1, 1, D_SAE)} if kind.startswith("JumpReLU") else {}
    filled(model, **given)
    check(model, model.encode)


def test_models_in_training_that_fire_below_zero_are_refused():
    saes = pytest.importorskip("sae_lens.saes")
    model = saes.JumpReLUTrainingSAE(saes.JumpReLUTrainingSAEConfig(d_in=D_IN, d_sae=D_SAE))
    filled(model, threshold=np.linspace(-0.1, 1, D_SAE))
    with pytest.raises(ats.InputError, match="JumpReLUTrainingSAE with 5 thresholds below 0"):
        ats.SAE.from_state_dict(model)


@pytest.mark.parametrize("activation", ["topk", "groupmax"])
def test_models_of_sparsify_are_taken(activation):
    sparsify = pytest.importorskip("sparsify")
    config = sparsify.SparseCoderConfig(num_latents=D_SAE, k=K, activation=activation)
    model = filled(sparsify.SparseCoder(D_IN, config))

    def encode(x):
        found = model.encode(x)
        return torch.zeros(len(x), D_SAE).scatter(1, found.top_indices, found.top_acts)

    check(model, encode)


@pytest.mark.parametrize(
    ("module", "name", "arguments", "given"),
    [
        ("trainers.top_k", "AutoEncoderTopK", (K,), {}),
        ("trainers.batch_top_k", "BatchTopKSAE", (K,), {"threshold": 0.5}),
        ("trainers.matryoshka_batch_top_k", "MatryoshkaBatchTopKSAE", (K, [24, 24]), {"threshold": 0.5}),
        ("dictionary", "AutoEncoder", (), {}),
        ("dictionary", "GatedAutoEncoder", (), {}),
        ("dictionary", "JumpReluAutoEncoder", (), {"threshold": np.linspace(0.1, 1, D_SAE)}),
    ],
)
def test_models_of_dictionary_learning_are_taken(module, name, arguments, given, monkeypatch):
    if "nnsight" not in sys.modules:
        # It is imported for models that activations come from, and needs a network.
        stand_in = types.ModuleType("nnsight")
        stand_in.LanguageModel = stand_in.NNsight = object
        monkeypatch.setitem(sys.modules, "nnsight", stand_in)
    pytest.importorskip("dictionary_learning")
    of = pytest.importorskip(f"dictionary_learning.{module}")
    model = filled(getattr(of, name)(D_IN, D_SAE, *arguments), **given)
    check(model, lambda x: model.encode(x, use_threshold=True) if "atch" in name else model.encode(x))
