"""Torch files whose weights are no plain arrays, or whose names no library has: tests/golden/odd_models.

Made with torch 2.15: python tests/golden/make_odd_models.py
"""

import pathlib
import shutil

import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, spectral_norm, weight_norm

HERE = pathlib.Path(__file__).parent / "odd_models"
DIM, FEATURES = 3, 5


class Module(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(DIM, FEATURES)
        self.decoder = nn.Linear(FEATURES, DIM)


def altered(change):
    module = Module()
    change(module)
    return module.state_dict()


def with_weight(change):
    state = Module().state_dict()
    return {**state, "encoder.weight": change(state["encoder.weight"])}


def models():
    yield "sparse", with_weight(torch.Tensor.to_sparse)
    yield "sparse_csr", with_weight(torch.Tensor.to_sparse_csr)
    yield "qint8", with_weight(lambda weight: torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8))
    yield "float8", with_weight(lambda weight: weight.to(torch.float8_e4m3fn))
    yield "meta", with_weight(lambda weight: weight.to("meta"))
    linear = nn.Sequential(nn.Linear(DIM, FEATURES))
    yield "dynamic", torch.ao.quantization.quantize_dynamic(linear, {nn.Linear}, dtype=torch.qint8).state_dict()
    yield "weight_norm", altered(lambda module: weight_norm(module.encoder))
    yield "parametrized", altered(lambda module: parametrizations.weight_norm(module.encoder))
    yield "parametrized_decoder", altered(lambda module: parametrizations.orthogonal(module.decoder))
    yield "spectral_norm", altered(lambda module: spectral_norm(module.encoder))
    yield "pruned", altered(lambda module: prune.l1_unstructured(module.encoder, "weight", 0.3))
    state = Module().state_dict()
    yield "near", {name.replace("encoder", "enc").replace("decoder", "dec"): x for name, x in state.items()}
    yield "far", {"layers.0.weight": torch.zeros(FEATURES, DIM), "layers.0.bias": torch.zeros(FEATURES)}


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    torch.manual_seed(0)
    for name, state in models():
        torch.save(state, HERE / f"{name}.pt")


if __name__ == "__main__":
    main()
