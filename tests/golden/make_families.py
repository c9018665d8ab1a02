#!/usr/bin/env python3
"""Writes families/: small models with the keys of real libraries, and what their formulas give.

    python3 tests/golden/make_families.py        (torch, numpy)

A model is what its library would write, made by hand: 7 numbers an embedding, 10 atoms, so that no matrix
is square. rows.json has 14 embeddings: the pre-bias itself, zeros, one on the wrong side, a large one, two
equal ones. expected.json says of each model which atoms fire on each row, and their activations, computed
here in binary64 with plain formulas. No decision is nearer than 1e-4 to its threshold, so that rounding
does not matter; but those named equal are of whole numbers, and have rows of their own."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent / "families"
D, F, ROWS, K = 7, 10, 14, 3


def rows(rng, mean):
    out = mean + rng.standard_normal((ROWS, D)) * 1.5
    out[0], out[1] = mean, 0
    out[2] = mean - 2.5 * (out[2] - mean)
    out[3] = mean + 20 * (out[3] - mean)
    out[6] = out[5]
    return out.astype(np.float32)


def safetensors(path, tensors, metadata=None):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    names = {"float32": "F32", "float64": "F64", "int64": "I64"}
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": names[str(array.dtype)], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def t(array):
    return torch.from_numpy(np.ascontiguousarray(array))


def standardised(x, epsilon=1e-5):
    return (x - x.mean(1, keepdims=True)) / (x.std(1, ddof=1, keepdims=True) + epsilon)


def to_norm(x, norm, least):
    return x * norm / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), least)


class Model:
    """Weights, and activations with the distance of the nearest decision."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        single = lambda *shape: rng.standard_normal(shape).astype(np.float32)
        self.mean = single(D) * np.float32(0.5)
        self.rows = rows(np.random.default_rng(5), np.random.default_rng(6).standard_normal(D) * 0.5)
        self.w, self.b = single(F, D), single(F) * np.float32(0.3)
        self.dec = single(F, D)
        self.theta = np.abs(single(F)) + np.float32(0.2)
        self.gate, self.mag, self.r = single(F) * np.float32(0.3), single(F) * np.float32(0.3), single(F) * np.float32(0.2)
        self.near = np.inf

    def x(self):
        return self.rows.astype(np.float64)

    def s(self, x, bias=True):
        return x @ self.w.astype(np.float64).T + (self.b.astype(np.float64) if bias else 0)

    def close(self, distance):
        self.near = min(self.near, np.abs(distance).min())

    def above(self, s, threshold=0.0):
        threshold = np.maximum(np.broadcast_to(np.asarray(threshold, np.float64), s.shape), 0)
        self.close(s - threshold)
        return np.where(s > threshold, s, 0)

    def largest(self, s, k=K, by=None, relu=True):
        by = s if by is None else by
        order = np.argsort(-by, axis=1, kind="stable")
        ranked = np.take_along_axis(by, order, 1)
        gap = ranked[:, k - 1] - ranked[:, k]
        self.close(gap)
        out = np.zeros_like(s)
        np.put_along_axis(out, order[:, :k], np.take_along_axis(s, order[:, :k], 1), 1)
        if relu:
            self.close(out[out != 0])
            out = np.maximum(out, 0)
        return out

    def gated(self, s):
        a, b = s + self.gate, s * np.exp(self.r.astype(np.float64)) + self.mag
        self.close(a), self.close(b)
        return np.where((a > 0) & (b > 0), b, 0)


MODELS = {}


def model(family, answers=None, **facts):
    def keep(make):
        MODELS[make.__name__.replace("__", "-")] = (family, answers or {}, make, facts)
        return make
    return keep


def cfg(folder, name="cfg.json", **values):
    (folder / name).write_text(json.dumps(values))


def lens(m, folder, tensors, **values):
    safetensors(folder / "sae_weights.safetensors", {"W_enc": m.w.T, "W_dec": m.dec, "b_dec": m.mean, **tensors})
    cfg(folder, **({"d_in": D, "d_sae": F, "metadata": {"sae_lens_version": "6.54.12"}} | values))


@model("SAELens")
def saelens__jumprelu(m, folder):
    m.theta[2], m.theta[3] = 0, -1
    lens(m, folder, {"b_enc": m.b, "threshold": m.theta}, architecture="jumprelu", apply_b_dec_to_input=True)
    return m.above(m.s(m.x() - m.mean), m.theta)


@model("SAELens")
def saelens__topk_rescaled(m, folder):
    lens(m, folder, {"b_enc": m.b}, architecture="topk", k=K, rescale_acts_by_decoder_norm=True)
    return m.largest(m.s(m.x() - m.mean) * np.linalg.norm(m.dec.astype(np.float64), axis=1))


@model("SAELens")
def saelens__abstopk(m, folder):
    lens(m, folder, {"b_enc": m.b}, architecture="abstopk", k=K, apply_b_dec_to_input=False)
    s = m.s(m.x())
    return m.largest(s, by=abs(s), relu=False)


@model("SAELens")
def saelens__gated_layer_norm(m, folder):
    lens(m, folder, {"b_gate": m.gate, "b_mag": m.mag, "r_mag": m.r}, architecture="gated",
         normalize_activations="layer_norm")
    return m.gated(m.s(standardised(m.x()) - m.mean, bias=False))


@model("SAELens")
def saelens__transcoder(m, folder):
    lens(m, folder, {"b_enc": m.b}, architecture="transcoder", apply_b_dec_to_input=False)
    return m.above(m.s(m.x()))


@model("SAELens")
def saelens__5_topk_tanh(m, folder):
    lens(m, folder, {"b_enc": m.b}, metadata=None, architecture="standard", activation_fn_str="tanh-relu",
         normalize_activations="none", dtype="torch.float32")
    return np.tanh(m.above(m.s(m.x() - m.mean)))


@model("SAELens")
def saelens__5_topk(m, folder):
    lens(m, folder, {"b_enc": m.b}, metadata=None, architecture="standard", activation_fn_str="topk",
         activation_fn_kwargs={"k": K}, normalize_activations=False)
    return m.largest(m.s(m.x() - m.mean))


@model("SAELens")
def saelens__2024(m, folder):
    lens(m, folder, {"b_enc": m.b}, metadata=None, dtype="torch.float32", hook_point="blocks.8")
    return m.above(m.s(m.x() - m.mean))


def sparse(m, folder, tensors=None, **values):
    safetensors(folder / "sae.safetensors", {"encoder.weight": m.w, "encoder.bias": m.b, "W_dec": m.dec,
                                             "b_dec": m.mean, **(tensors or {})})
    cfg(folder, **({"d_in": D, "k": K, "num_latents": F, "expansion_factor": 32} | values))


@model("sparsify")
def sparsify__topk(m, folder):
    sparse(m, folder, activation="topk")
    return m.largest(m.s(m.x() - m.mean))


@model("sparsify", layer="layers.8")
def sparsify__layers(m, folder):
    for layer in ("layers.6", "layers.8"):
        (folder / layer).mkdir()
        sparse(m, folder / layer, activation="topk", transcode=layer == "layers.8")
    return m.largest(m.s(m.x()))


@model("sparsify")
def sparsify__groupmax(m, folder):
    sparse(m, folder, activation="groupmax", k=5)
    s = m.s(m.x() - m.mean).reshape(ROWS, 5, 2)
    m.close(s[:, :, 0] - s[:, :, 1]), m.close(s)
    out = np.where((s == s.max(2, keepdims=True)) & (s > 0), s, 0)
    return out.reshape(ROWS, F)


@model("sparsify")
def sparsify__signed(m, folder):
    sparse(m, folder, signed=True)
    s = m.s(m.x() - m.mean)
    return m.largest(s, by=abs(s), relu=False)


@model("latentsae")
def latentsae__jumprelu_centred(m, folder):
    centre = m.mag[:D].copy()
    sparse(m, folder, {"log_threshold": np.log(m.theta), "input_mean": centre}, sae_type="JUMPRELU", mean_center=True)
    return m.above(m.s(m.x() - centre - m.mean), np.exp(np.log(m.theta).astype(np.float64)))


@model("latentsae")
def latentsae__matryoshka(m, folder):
    sparse(m, folder, sae_type="MATRYOSHKA", k=5, matryoshka_ks="1,2, 3", matryoshka_sizes="2,5,10")
    return m.largest(m.s(m.x() - m.mean))


def dictionary(m, folder, state, dict_class):
    torch.save({name: t(np.asarray(value)) for name, value in state.items()}, folder / "ae.pt")
    cfg(folder, "config.json", trainer={"dict_class": dict_class, "lr": 1e-3, "activation_dim": D, "dict_size": F})


def linear(m):
    return {"encoder.weight": m.w, "encoder.bias": m.b, "decoder.weight": m.dec.T.copy()}


@model("dictionary_learning")
def dictionary_learning__autoencoder(m, folder):
    dictionary(m, folder, {"bias": m.mean, **linear(m)}, "AutoEncoder")
    return m.above(m.s(m.x() - m.mean)) * np.linalg.norm(m.dec.astype(np.float64), axis=1)


@model("dictionary_learning")
def dictionary_learning__new(m, folder):
    dictionary(m, folder, {**linear(m), "decoder.bias": m.mean}, "AutoEncoderNew")
    return m.above(m.s(m.x()))


@model("dictionary_learning")
def dictionary_learning__topk(m, folder):
    dictionary(m, folder, {"b_dec": m.mean, "k": np.int32(K), "threshold": np.float32(1.1), **linear(m)}, "AutoEncoderTopK")
    return m.largest(m.s(m.x() - m.mean))


@model("dictionary_learning")
def dictionary_learning__batchtopk(m, folder):
    (folder / "trainer_3").mkdir()
    state = {"b_dec": m.mean, "k": np.int32(K), "threshold": np.float32(1.25), **linear(m)}
    dictionary(m, folder / "trainer_3", state, "BatchTopKSAE")
    return m.above(m.s(m.x() - m.mean), 1.25)


@model("dictionary_learning")
def dictionary_learning__never_set(m, folder):
    state = {"W_enc": m.w.T, "b_enc": m.b, "W_dec": m.dec, "b_dec": m.mean, "k": np.int32(K),
             "threshold": np.float32(-1), "group_sizes": np.array([4, 6])}
    dictionary(m, folder, state, "MatryoshkaBatchTopKSAE")
    return m.above(m.s(m.x() - m.mean))


@model("dictionary_learning")
def dictionary_learning__jumprelu(m, folder):
    state = {"W_enc": m.w.T, "b_enc": m.b, "W_dec": m.dec, "b_dec": m.mean, "threshold": m.theta}
    dictionary(m, folder, state, "JumpReluAutoEncoder")
    return m.above(m.s(m.x()), m.theta)


@model("dictionary_learning")
def dictionary_learning__gated(m, folder):
    state = {"decoder_bias": m.mean, "r_mag": m.r, "gate_bias": m.gate, "mag_bias": m.mag,
             "encoder.weight": m.w, "decoder.weight": m.dec.T.copy()}
    dictionary(m, folder, state, "GatedAutoEncoder")
    return m.gated(m.s(m.x() - m.mean, bias=False))


def openai_state(m):
    return {"pre_bias": t(m.mean), "latent_bias": t(m.b), "stats_last_nonzero": torch.zeros(F, dtype=torch.int64),
            "encoder.weight": t(m.w), "decoder.weight": t(m.dec.T)}


@model("OpenAI")
def openai__topk(m, folder):
    torch.save(openai_state(m) | {"activation": "TopK", "activation_state_dict": {"k": K, "postact_fn": "ReLU"}},
               folder / "6.pt")
    return m.largest(m.s(standardised(m.x()) - m.mean))


@model("OpenAI")
def openai__relu(m, folder):
    torch.save(openai_state(m) | {"activation": "ReLU", "activation_state_dict": {}}, folder / "6.pt")
    return m.above(m.s(m.x() - m.mean))


@model("Calico sae-borzoi", {"k": K})
def calico(m, folder):
    state = openai_state(m) | {"temperature": torch.tensor(1.0)}
    del state["stats_last_nonzero"]
    torch.save({"epoch": 3, "model_state_dict": state, "optimizer_state_dict": {"state": {}}}, folder / "best_model.pt")
    return m.largest(m.s(standardised(m.x()) - m.mean), relu=False)


def bionemo(m, folder, **more):
    state = {f"module.{name}": value for name, value in openai_state(m).items()
             if "model_config" in more or name != "stats_last_nonzero"}
    torch.save({"model_state_dict": state, "config": {"lr": 3e-4}, "input_dim": D, "hidden_dim": F, **more},
               folder / "checkpoint_final.pt")


@model("NVIDIA BioNeMo")
def bionemo__topk(m, folder):
    bionemo(m, folder, model_config={"input_dim": D, "hidden_dim": F, "top_k": K, "normalize_input": True})
    return m.largest(m.s(standardised(m.x(), 1e-8) - m.mean))


@model("NVIDIA BioNeMo")
def bionemo__relu(m, folder):
    bionemo(m, folder)
    return m.above(m.s(to_norm(m.x() - m.mean, 1.0, 1e-12)))


@model("Goodfire Llama")
def goodfire__llama(m, folder):
    torch.save({"encoder_linear.weight": t(m.w), "encoder_linear.bias": t(m.b), "decoder_linear.weight": t(m.dec.T),
                "decoder_linear.bias": t(m.mean)}, folder / "llama.pth")
    return m.above(m.s(m.x()))


def interplm(m, folder, state, yaml, name="ae.pt"):
    factors = state.pop("factors", np.ones(F, np.float32))
    state = {**state, **linear(m), "activation_rescale_factor": factors}
    torch.save({key: t(np.asarray(value)) for key, value in state.items()}, folder / name)
    if yaml:
        (folder / "config.yaml").write_text(f"trainer_cfg: !!python/object:interplm.train.trainers.{yaml}\n  lr: 0.1\n")


@model("InterPLM")
def interplm__relu(m, folder):
    interplm(m, folder, {"bias": m.mean, "normalize_to_sqrt_d": np.bool_(True), "factors": m.theta}, None, "ae_normalized.pt")
    return m.above(m.s(to_norm(m.x(), np.sqrt(D), 1e-12) - m.mean)) / m.theta


@model("InterPLM")
def interplm__batchtopk(m, folder):
    state = {"b_dec": m.mean, "k": np.int64(K), "threshold": np.float32(0.75), "normalize_to_sqrt_d": np.bool_(False)}
    interplm(m, folder, state, "batch_top_k.BatchTopKTrainerConfig")
    return m.above(m.s(m.x() - m.mean), 0.75)


@model("InterPLM")
def interplm__topk(m, folder):
    state = {"b_dec": m.mean, "k": np.int64(K), "threshold": np.float32(0.75), "normalize_to_sqrt_d": np.bool_(False)}
    interplm(m, folder, state, "top_k.TopKTrainerConfig")
    return m.largest(m.s(m.x() - m.mean))


@model("InterProt", {"k": K})
def interprot(m, folder):
    safetensors(folder / "esm.safetensors", {"w_enc": m.w.T, "b_enc": m.b, "b_pre": m.mean, "w_dec": m.dec,
                                             "stats_last_nonzero": np.zeros(F, np.int64)})
    return m.largest(m.s(standardised(m.x()) - m.mean))


@model("ESM C", layer="30")
def esmc(m, folder):
    cfg(folder, "config.json", model_type="esmc_sae", d_model=D, codebook_dim=F, k=K)
    for layer, weight in ((12, m.dec), (30, m.w)):
        safetensors(folder / f"layer_{layer}.safetensors", {"W_enc": weight.T, "W_dec": m.dec, "b_dec": m.mean,
                                                            "idf": m.theta, "max": m.theta})
    return m.largest(m.s(standardised(m.x()) - m.mean, bias=False))


@model("Gemma Scope")
def gemma__1(m, folder):
    np.savez(folder / "params.npz", W_enc=np.asfortranarray(m.w.T), W_dec=m.dec, b_enc=m.b, b_dec=m.mean, threshold=m.theta)
    return m.above(m.s(m.x()), m.theta)


@model("Gemma Scope")
def gemma__2(m, folder):
    cfg(folder, "config.json", architecture="jump_relu", width=F)
    safetensors(folder / "params.safetensors", {"w_enc": m.w.T, "w_dec": m.dec, "b_enc": m.b, "b_dec": m.mean, "threshold": m.theta})
    return m.above(m.s(m.x()), m.theta)


def bussmann(m, folder, more, **values):
    torch.save({"W_enc": t(m.w.T), "W_dec": t(m.dec), "b_enc": t(m.b), "b_dec": t(m.mean), **more}, folder / "sae.pt")
    cfg(folder, "config.json", act_size=D, dict_size=F, top_k=K, **values)


@model("BatchTopK (Bussmann)")
def bussmann__topk(m, folder):
    bussmann(m, folder, {}, sae_type="topk", input_unit_norm=True)
    return m.largest(m.s(standardised(m.x()) - m.mean, bias=False))


@model("BatchTopK (Bussmann)")
def bussmann__jumprelu(m, folder):
    bussmann(m, folder, {"jumprelu.log_threshold": t(np.log(m.theta))}, sae_type="jumprelu", input_unit_norm=False)
    return m.above(m.s(m.x()), np.exp(np.log(m.theta).astype(np.float64)))


def overcomplete(m, folder, norm, **more):
    state = {"encoder.final_block.0.weight": t(m.w), "encoder.final_block.0.bias": t(m.b), "dictionary._weights": t(m.dec)}
    s = m.s(m.x())
    if norm:
        part = "encoder.final_block.1."
        state |= {part + "weight": t(m.r + 1), part + "bias": t(m.gate), part + "running_mean": t(m.mag),
                  part + "running_var": t(m.theta), part + "num_batches_tracked": torch.tensor(9)}
        s = (s - m.mag) / np.sqrt(m.theta.astype(np.float64) + 1e-5) * (m.r + np.float32(1)) + m.gate
    torch.save(state | more, folder / "overcomplete.pt")
    return s


@model("overcomplete", {"k": K})
def overcomplete__topk(m, folder):
    return m.largest(overcomplete(m, folder, True))


@model("overcomplete")
def overcomplete__jump(m, folder):
    s = overcomplete(m, folder, False, thresholds=t(np.log(m.theta)), bandwith=torch.tensor(0.1))
    return m.above(s, np.exp(np.log(m.theta).astype(np.float64)))


@model("overcomplete")
def overcomplete__jump_equal(m, folder):
    """Whole numbers: scores that equal their threshold, which fire."""
    m.w, m.b = np.rint(m.w), np.rint(m.b)
    m.rows = np.rint(m.rows)
    state = {"encoder.final_block.0.weight": t(m.w), "encoder.final_block.0.bias": t(m.b),
             "thresholds": torch.zeros(F), "dictionary._weights": t(m.dec)}
    torch.save(state, folder / "overcomplete.pt")
    s = m.s(m.x())
    assert (s == 1).any()
    return np.where(s >= 1, s, 0)


@model("overcomplete", {"threshold": 0.5})
def overcomplete__batchtopk(m, folder):
    return m.above(overcomplete(m, folder, True), 0.5)


def hypothesaes(m, folder, **values):
    config = {"input_dim": D, "m_total_neurons": F, "k_active_neurons": K, "prefix_lengths": None, **values}
    state = {"input_bias": t(m.mean), "neuron_bias": t(m.b), "threshold": torch.tensor(0.75), "encoder.weight": t(m.w),
             "decoder.weight": t(m.dec.T)}
    torch.save({"config": config, "state_dict": state}, folder / "SAE_M=10_K=3.pt")
    return m.s(m.x() - m.mean)


@model("HypotheSAEs")
def hypothesaes__topk(m, folder):
    return m.largest(hypothesaes(m, folder, use_batch_topk=False))


@model("HypotheSAEs")
def hypothesaes__batchtopk(m, folder):
    return m.above(hypothesaes(m, folder, use_batch_topk=True), 0.75)


def llamascopium(m, folder, more, **values):
    safetensors(folder / "sae_weights.safetensors", {"W_E": m.w.T, "b_E": m.b, "W_D": m.dec, "b_D": m.mean, **more})
    cfg(folder, "config.json", sae_type="sae", d_model=D, sparsity_include_decoder_norm=True, **values)
    norm = np.linalg.norm(m.dec.astype(np.float64), axis=1)
    return m.s(m.x()) * norm, norm


@model("llamascopium")
def llamascopium__topk(m, folder):
    s, norm = llamascopium(m, folder, {}, act_fn="topk", top_k=K)
    return m.largest(s) / norm


@model("llamascopium")
def llamascopium__jumprelu(m, folder):
    s, norm = llamascopium(m, folder, {"activation_function.log_jumprelu_threshold": np.log(m.theta)}, act_fn="jumprelu")
    return m.above(s, np.exp(np.log(m.theta).astype(np.float64))) / norm


@model("Qwen Scope", {"k": K})
def qwen(m, folder):
    torch.save({"W_enc": t(m.w), "W_dec": t(m.dec.T), "b_enc": t(m.b), "b_dec": t(m.mean)}, folder / "layer0.sae.pt")
    return m.largest(m.s(m.x()))


@model("a plain module", {"subtract_decoder_bias": True})
def plain__lightning(m, folder):
    state = {f"sae_model.{name}": t(value) for name, value in
             {"W_enc": m.w.T, "b_enc": m.b, "W_dec": m.dec, "b_dec": m.mean}.items()}
    torch.save({"epoch": 3, "pytorch-lightning_version": "2.5.0", "state_dict": state, "hyper_parameters": {}},
               folder / "epoch=3.ckpt")
    return m.above(m.s(m.x() - m.mean))


@model("a plain module", {"subtract_decoder_bias": False, "k": K})
def plain__linear(m, folder):
    torch.save({name: t(value) for name, value in {**linear(m), "decoder.bias": m.mean}.items()}, folder / "module.pt")
    return m.largest(m.s(m.x()))


@model("a plain module", {"subtract_decoder_bias": True})
def plain__tied(m, folder):
    safetensors(folder / "model.safetensors", {"W_dec": m.w, "b_dec": m.mean, "encoder.bias": m.b},
                {"encoder.weight": "W_dec"})
    return m.above(m.s(m.x() - m.mean))


@model("SAELens")
def saelens__5_jumprelu_log(m, folder):
    """The name that training had for thresholds; and a factor that decode() alone multiplies by."""
    lens(m, folder, {"b_enc": m.b, "log_threshold": np.log(m.theta), "finetuning_scaling_factor": m.theta}, metadata=None,
         architecture="jumprelu", activation_fn_str="tanh-relu", finetuning_scaling_factor=True)
    return np.tanh(m.above(m.s(m.x() - m.mean), np.exp(np.log(m.theta).astype(np.float64))))


@model("latentsae")
def latentsae__matryoshka_batchtopk(m, folder):
    """To encode a row, the library takes the k largest of it all the same."""
    sparse(m, folder, {"batchtopk_threshold": np.float32(0.9)}, sae_type="MATRYOSHKA", matryoshka_ks="1,3",
           matryoshka_sizes="5,10", matryoshka_use_batchtopk=True)
    return m.largest(m.s(m.x() - m.mean))


@model("latentsae")
def latentsae__batchtopk(m, folder):
    sparse(m, folder, {"batchtopk_threshold": np.float32(0.8)}, sae_type="BATCHTOPK")
    return m.above(m.largest(m.s(m.x() - m.mean)), np.float32(0.8))


@model("latentsae")
def latentsae__batchtopk_equal(m, folder):
    """Whole numbers: scores that equal the threshold, which fire."""
    m.w, m.b, m.mean, m.rows = np.rint(m.w), np.rint(m.b), np.rint(m.mean), np.rint(m.rows)
    sparse(m, folder, {"batchtopk_threshold": np.float32(3)}, sae_type="BATCHTOPK", k=F)
    s = m.s(m.x() - m.mean)
    assert (s == 3).any() and (s == 2).any()
    return np.where(s >= 3, s, 0)


@model("InterPLM")
def interplm__topk_sqrt_d(m, folder):
    """Rows are scaled in training; to encode, by this class, they are not."""
    state = {"b_dec": m.mean, "k": np.int64(K), "threshold": np.float32(0.75), "normalize_to_sqrt_d": np.bool_(True)}
    interplm(m, folder, state, "top_k.TopKTrainerConfig")
    return m.largest(m.s(m.x() - m.mean))


@model("InterPLM")
def interplm__jumprelu(m, folder):
    state = {"decoder.bias": m.mean, "threshold": m.theta, "normalize_to_sqrt_d": np.bool_(False), "factors": m.theta}
    interplm(m, folder, state, "jump_relu.JumpReLUTrainerConfig")
    return m.above(m.s(m.x()), m.theta) / m.theta


@model("InterPLM")
def interplm__relu_tied(m, folder):
    interplm(m, folder, {"decoder.bias": m.mean, "normalize_to_sqrt_d": np.bool_(False)}, None)
    return m.above(m.s(m.x()))


@model("BatchTopK (Bussmann)")
def bussmann__topk_biased(m, folder):
    bussmann(m, folder, {}, sae_type="topk", input_unit_norm=False, use_encoder_bias=True, activation="relu")
    return m.largest(m.s(m.x() - m.mean))


@model("overcomplete", {"threshold": 0.5})
def overcomplete__untied(m, folder):
    torch.save({"encoder.weight": t(m.w), "dictionary._weights": t(m.dec), "dictionary.multiplier": torch.tensor(0.25)},
               folder / "overcomplete.pt")
    return m.above(m.s(m.x(), bias=False), 0.5)


@model("overcomplete")
def overcomplete__tied_jump(m, folder):
    """The encoder is the dictionary, of atoms of norm 1, times exp(multiplier)."""
    m.w = m.w / np.linalg.norm(m.w, axis=1, keepdims=True)
    torch.save({"encoder.bias": t(m.b), "thresholds": t(np.log(m.theta)),
                **{f"{name}._weights": t(m.w) for name in ("dictionary", "encoder.tied_to")},
                **{f"{name}.multiplier": torch.tensor(0.25) for name in ("dictionary", "encoder.tied_to")}},
               folder / "overcomplete.pt")
    s = m.s(m.x(), bias=False) * np.exp(0.25) + m.b
    return m.above(s, np.exp(np.log(m.theta).astype(np.float64)))


@model("a plain module", {"subtract_decoder_bias": True, "threshold": 0.25})
def plain__trainer(m, folder):
    """A part of a module of one's own."""
    state = {f"trainer.net.{name}": t(value) for name, value in
             {"encoder.weight": m.w, "encoder.bias": m.b, "decoder.weight": m.dec.T, "b_dec": m.mean}.items()}
    torch.save({"state_dict": state}, folder / "last.ckpt")
    return m.above(m.s(m.x() - m.mean), 0.25)


@model("llamascopium")
def llamascopium__topk_pt(m, folder):
    s, norm = llamascopium(m, folder, {}, act_fn="TopK", top_k=K, expansion_factor=F / D)
    (folder / "sae_weights.safetensors").unlink()
    state = {"W_E": t(m.w.T), "b_E": t(m.b), "W_D": t(m.dec), "b_D": t(m.mean)}
    torch.save({"sae": state, "version": "2.0.0b34"}, folder / "sae_weights.pt")
    return m.largest(s) / norm


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir()
    expected = {}
    for name, (family, answers, make, facts) in MODELS.items():
        for seed in range(1000):
            folder = HERE / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            m = Model([seed, len(expected)])
            acts = make(m, folder)
            if m.near > 1e-4 and (acts != 0).any() and (acts == 0).any():
                break
        else:
            raise SystemExit(f"{name}: no seed")
        values = [[float(f"{v:.9g}") for v in row[row != 0]] for row in acts]
        fires = [[int(i) for i in np.flatnonzero(row)] for row in acts]
        if m.rows.tolist() != Model(0).rows.tolist():
            facts = facts | {"rows": m.rows.tolist()}
        expected[name] = {"family": family, "answers": answers, **facts, "fires": fires, "values": values}
    (HERE / "rows.json").write_text(json.dumps(Model(0).rows.tolist()))
    (HERE / "expected.json").write_text(json.dumps(expected))


main()
