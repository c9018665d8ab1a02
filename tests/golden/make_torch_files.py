"""Writes the small torch files of tests/golden/torch, and expected.json beside them.

Run it with any Python that has torch 2 and numpy 2:  python tests/golden/make_torch_files.py
The files hold no outside data: numbers come from a fixed formula, calls are made up.
"""

import collections
import io
import json
import pathlib
import pickle
import shutil
import sys
import types
import warnings
import zipfile

import numpy as np
import torch

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "torch"
EXPECTED = {"rows": {}, "models": {}, "calls": {}}


def numbers(rows, columns, seed=0):
    """Asymmetric values, exact in binary16 and in bfloat16."""
    i = torch.arange(rows * columns).reshape(rows, columns) + 7 * seed
    return ((i * 37 + 11) % 64 - 32).float() / 8


def calls(n):
    return [
        {
            "chrom": f"chr{1 + i % 3}",
            "pos": 1000 + 17 * i,
            "svtype": ["DEL", "INS", "DUP"][i % 3],
            "svlen": (-1) ** i * (50 + i),
            "truvari_class": ["TP", "FP", "tp_comp_vcf"][i % 3],
            "dataset": "d1",
            "id": f"v{i}",
        }
        for i in range(n)
    ]


def as_text(sv, key):
    if key not in sv:
        return None
    value = sv[key]
    return str(value.item() if isinstance(value, torch.Tensor) else value)


def as_number(sv, key):
    """As text, because JSON readers round floats differently."""
    value = sv.get(key)
    if value is None:
        return "0"
    if isinstance(value, (torch.Tensor, np.generic)):
        value = value.item()
    if isinstance(value, str):
        value = int(value) if value.strip().lstrip("-").isdigit() else float(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        value = float(value)
    return repr(int(value) if isinstance(value, bool) else value)


def expect_rows(name, tensor):
    EXPECTED["rows"][name] = {
        "shape": list(tensor.shape),
        "rows": tensor.detach().float().contiguous().reshape(-1).tolist(),
    }


def expect_calls(name, info):
    EXPECTED["calls"][name] = [
        [
            as_text(sv, "chrom"), as_number(sv, "pos"), as_text(sv, "svtype"),
            as_number(sv, "svlen"), as_text(sv, "truvari_class"), as_text(sv, "dataset"),
            as_text(sv, "id"),
        ]
        for sv in info
    ]


def cohort(name, embeddings, info=None, **options):
    if info is None:
        info = calls(len(embeddings))
    else:
        expect_calls(name, info)
    torch.save({"embeddings": embeddings, "sv_info": info}, HERE / name, **options)
    expect_rows(name, embeddings)


D, F = 5, 7


def state_dict(prefix="", dtype=torch.float32):
    linear = torch.nn.Linear(D, F)
    decoder = torch.nn.Linear(F, D, bias=False)
    linear.weight.data = numbers(F, D, 1).to(dtype)
    linear.bias.data = numbers(1, F, 2)[0].to(dtype)
    model = torch.nn.ModuleDict({"encoder": linear, "decoder": decoder})
    state = model.state_dict()
    return type(state)((prefix + key, value) for key, value in state.items())


MU, SIGMA = numbers(1, D, 3)[0], numbers(1, D, 4)[0].abs() + 0.25


def model(name, config=None, state=None, expect=True, k=3, mu=MU, sigma=SIGMA, **options):
    config = {"input_dim": D, "feature_dim": F, "k": k, "μ": mu, "σ": sigma} if config is None else config
    state = state_dict() if state is None else state
    (HERE / name).parent.mkdir(exist_ok=True, parents=True)
    torch.save({"config": config, "model_state_dict": state}, HERE / name, **options)
    if expect:
        EXPECTED["models"][name] = {
            "input_dim": D, "feature_dim": F, "k": min(int(config["k"]), F),
            "weight": numbers(F, D, 1).reshape(-1).tolist(),
            "bias": numbers(1, F, 2)[0].tolist(),
            "mean": MU.tolist(), "std": SIGMA.tolist(),
        }


def rewrite(name, to, change, compress=False):
    """Copies a zip container, its pickle changed, its entries perhaps compressed."""
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(HERE / name) as old, zipfile.ZipFile(HERE / to, "w", method) as new:
        for entry in old.namelist():
            data = old.read(entry)
            new.writestr(entry, change(data) if entry.endswith("data.pkl") else data)


def make_rows():
    base = numbers(6, D)
    for dtype in "float16 bfloat16 float32 float64 int8 int16 int32 int64".split():
        cohort(f"dtype_{dtype}.pt", (base if "float" in dtype else base * 8).to(getattr(torch, dtype)))
    for dtype in "uint8 uint16 uint32 uint64 bool".split():
        cohort(f"dtype_{dtype}.pt", (base * 8).abs().to(torch.int64).to(getattr(torch, dtype)))
    cohort("f64_rounds.pt", numbers(4, D).double() / 3)
    cohort("transposed.pt", numbers(D, 6).t())
    cohort("row_slice.pt", numbers(12, D)[3:9])
    cohort("column_slice.pt", numbers(6, 9)[:, 2:7])
    cohort("strided.pt", numbers(12, 11)[1::2, ::2])
    cohort("strided_half.pt", numbers(12, 11).half()[1::2, 1::2])
    cohort("expanded.pt", numbers(1, D).expand(6, D))
    cohort("expanded_columns.pt", numbers(6, 1).expand(6, D))
    cohort("transposed_bf16.pt", numbers(D, 6).bfloat16().t())
    cohort("one_row.pt", numbers(1, D))
    cohort("parameter.pt", torch.nn.Parameter(numbers(6, D)))
    tied = numbers(13, D)
    torch.save(
        {"all": tied, "embeddings": tied[4:8], "sv_info": calls(4), "other": tied[0]}, HERE / "tied.pt"
    )
    expect_rows("tied.pt", tied[4:8])
    for protocol in (2, 3, 4, 5):
        cohort(f"protocol_{protocol}.pt", numbers(6, D), pickle_protocol=protocol)
    for dtype in (torch.float32, torch.float16, torch.int64):
        name = f"legacy_{str(dtype)[6:]}.pt"
        cohort(name, (numbers(6, D) * 8).to(dtype), _use_new_zipfile_serialization=False)
    cohort("legacy_transposed.pt", numbers(D, 6).t(), _use_new_zipfile_serialization=False)
    torch.save(
        {"a": tied, "embeddings": tied[4:8], "z": numbers(2, 3).double(), "sv_info": calls(4)},
        HERE / "legacy_tied.pt", _use_new_zipfile_serialization=False, pickle_protocol=4,
    )
    expect_rows("legacy_tied.pt", tied[4:8])

    cohort("uncompressed.pt", numbers(6, D))
    rewrite("uncompressed.pt", "compressed.pt", lambda data: data, compress=True)
    EXPECTED["rows"]["compressed.pt"] = EXPECTED["rows"]["uncompressed.pt"]
    (HERE / "uncompressed.pt").unlink()
    del EXPECTED["rows"]["uncompressed.pt"]

    # Made again by a zip program: 64-bit sizes, another extra field, folders around it all.
    with zipfile.ZipFile(HERE / "column_slice.pt") as old, zipfile.ZipFile(HERE / "zip64.pt", "w") as new:
        for entry in old.namelist():
            with new.open("outer/" + entry, "w", force_zip64=True) as file:
                file.write(old.read(entry))
    EXPECTED["rows"]["zip64.pt"] = EXPECTED["rows"]["column_slice.pt"]

    def cuda(data):
        cpu, gpu = b"X\x03\0\0\0cpu", b"X\x06\0\0\0cuda:0"
        assert cpu in data
        return data.replace(cpu, gpu)

    rewrite("one_row.pt", "cuda.pt", cuda)
    EXPECTED["rows"]["cuda.pt"] = EXPECTED["rows"]["one_row.pt"]


def make_calls():
    shared = {"chrom": "chrX", "pos": 5, "svtype": "INS", "svlen": 300, "truvari_class": "TP"}
    odd = [
        shared, shared,
        {"chrom": None, "pos": None, "svtype": None, "svlen": None, "truvari_class": None},
        {},
        {"chrom": 7, "pos": "59", "svtype": "DEL", "svlen": -12.5, "dataset": 3.0, "id": True},
        {"chrom": np.str_("chr9"), "pos": np.int64(12), "svlen": np.float64(0.1), "dataset": np.float32(0.1)},
        {"pos": torch.tensor(99), "svlen": torch.tensor(2.5), "svtype": torch.tensor(4), "id": np.int16(-3)},
        {"pos": 2**70, "svlen": -(2**65), "chrom": 1e16, "dataset": float("nan"), "id": 1e-5},
        {"pos": True, "svlen": " -7 ", "chrom": "chrÅ", "extra": [1, {"deep": (2, 3)}], "id": np.bool_(True)},
        collections.OrderedDict(chrom="chr2", pos=1, svlen=np.uint64(2**63), svtype="DEL", truvari_class="FP"),
        collections.defaultdict(list, chrom="chr3", pos=2**40, svlen=-1, svtype="DEL", truvari_class="fn"),
    ]
    for protocol in (2, 4, 5):
        cohort(f"odd_calls_{protocol}.pt", numbers(len(odd), D), odd, pickle_protocol=protocol)
    cohort("odd_calls_legacy.pt", numbers(len(odd), D), odd, _use_new_zipfile_serialization=False)
    cohort("tuple_calls.pt", numbers(3, D), tuple(calls(3)))
    columns = {key: [sv[key] for sv in calls(4)] for key in calls(1)[0]}
    torch.save({"embeddings": numbers(4, D), "sv_info": columns}, HERE / "column_calls.pt")
    expect_calls("column_calls.pt", calls(4))
    # More than a pickler writes in one batch: the test expects each call's number as its pos.
    many = {"embeddings": numbers(1, 1).expand(1500, 1), "sv_info": [{"pos": i} for i in range(1500)]}
    torch.save(many, HERE / "many_calls.pt", pickle_protocol=4)


def config(**more):
    return {"input_dim": D, "feature_dim": F, "k": 3, **more}


def make_models():
    mu, sigma = MU.numpy(), SIGMA.numpy()
    model("models/sae.pt")
    model("models/legacy.pt", _use_new_zipfile_serialization=False)
    model("models/k_clamped.pt", k=99)
    model("models/half_weights.pt", state=state_dict(dtype=torch.bfloat16))
    model("models/prefix_module.pt", state=state_dict("module."))
    model("models/prefix_both.pt", state=state_dict("_orig_mod.module._orig_mod."))
    model("models/plain_dict.pt", state={k: torch.nn.Parameter(v) for k, v in state_dict().items()})
    names = {
        "micro": ("\u00b5", "σ"), "mu_std": ("mu", "std"), "mean_sigma": ("mean", "sigma"),
    }
    for name, (m, s) in names.items():
        model(f"models/names_{name}.pt", config(**{m: MU, s: SIGMA}))
    model("models/numpy_sizes.pt", {"input_dim": np.int64(D), "feature_dim": float(F),
                                    "k": torch.tensor(3), "mu": MU[None], "std": SIGMA[:, None]})
    model("models/lists.pt", mu=MU.tolist(), sigma=tuple(SIGMA.tolist()))
    model("models/nested_lists.pt", mu=[MU.tolist()], sigma=[SIGMA.tolist()])
    model("models/scalar_lists.pt", mu=[np.float64(x) for x in mu], sigma=list(SIGMA))
    for protocol in (2, 5):
        model(f"models/numpy_{protocol}.pt", mu=mu.astype("f8"), sigma=sigma[None], pickle_protocol=protocol)
        fortran = np.asfortranarray(np.stack([mu, sigma]))  # (2, D), F order
        model(f"models/fortran_{protocol}.pt", mu=np.asfortranarray(fortran[:1].T), sigma=sigma.astype(">f4"),
              pickle_protocol=protocol)
        model(f"models/big_endian_{protocol}.pt", mu=mu.astype(">f8"), sigma=sigma.astype(">f2"),
              pickle_protocol=protocol)
    # numpy before 2.0 had its modules under numpy.core.
    old = lambda data: data.replace(b"numpy._core.", b"numpy.core.")
    rewrite("models/numpy_2.pt", "models/old_numpy.pt", old)
    EXPECTED["models"]["models/old_numpy.pt"] = EXPECTED["models"]["models/numpy_2.pt"]

    for name, mean, std in [
        ("float", 0.1, 2), ("numpy_scalar", np.float32(0.1), np.int32(2)),
        ("numpy_zero_d", np.array(0.1), np.array(2, dtype="i8")), ("one_tensor", torch.tensor([0.1]), torch.tensor(2)),
    ]:
        model(f"models/scalar_{name}.pt", mu=mean, sigma=std)
        EXPECTED["models"][f"models/scalar_{name}.pt"].update(
            mean=torch.full((D,), 0.1).tolist(), std=[2.0] * D)
    exact = torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.float32)
    for protocol in (2, 5):
        name = f"models/fortran_order_{protocol}.pt"
        torch.save({"config": {"input_dim": 6, "feature_dim": 2, "k": 1,
                               "mu": np.asfortranarray(exact.numpy()), "std": exact.t()},
                    "model_state_dict": {"encoder.weight": numbers(6, 2).t(), "encoder.bias": numbers(1, 2)[0]}},
                   HERE / name, pickle_protocol=protocol)
        EXPECTED["models"][name] = {
            "input_dim": 6, "feature_dim": 2, "k": 1, "weight": numbers(6, 2).t().reshape(-1).tolist(),
            "bias": numbers(1, 2)[0].tolist(), "mean": [1, 2, 3, 4, 5, 6], "std": [1, 4, 2, 5, 3, 6]}


def bad(name, value, **options):
    (HERE / "bad").mkdir(exist_ok=True)
    torch.save(value, HERE / "bad" / name, **options)


def make_bad():
    info = calls(6)
    bad("no_embeddings.pt", {"embedding": numbers(6, D), "sv_info": info})
    bad("no_sv_info.pt", {"embeddings": numbers(6, D)})
    bad("length.pt", {"embeddings": numbers(6, D), "sv_info": info[:5]})
    bad("empty.pt", {"embeddings": numbers(0, D), "sv_info": []})
    bad("one_dimension.pt", {"embeddings": numbers(6, D)[0], "sv_info": info})
    bad("numpy_embeddings.pt", {"embeddings": [1, 2], "sv_info": info})
    bad("complex.pt", {"embeddings": numbers(6, D).to(torch.complex64), "sv_info": info})
    bad("call_not_dict.pt", {"embeddings": numbers(2, D), "sv_info": [info[0], "chr1"]})
    bad("pos_text.pt", {"embeddings": numbers(2, D), "sv_info": [info[0], {"pos": "12q"}]})
    bad("foreign.pt", {"embeddings": numbers(2, D), "sv_info": info[:2],
                       "config": {"optimizer": [torch.optim.SGD, 1]}})
    # A module whose source cannot be found: the legacy container would hold its text otherwise.
    models = types.ModuleType("models")
    models.Encoder = type("Encoder", (torch.nn.Module,), {"__module__": "models"})
    sys.modules["models"] = models
    bad("foreign_legacy.pt", {"a": {"b": models.Encoder()}}, _use_new_zipfile_serialization=False)
    bad("list.pt", [1, 2])

    class Shell:
        def __reduce__(self):
            import os
            return os.system, ("touch executed",)

    bad("shell.pt", {"embeddings": numbers(2, D), "sv_info": [{"chrom": Shell()}, {}]})

    good = {"config": config(mu=MU, std=SIGMA), "model_state_dict": state_dict()}
    for name, change in [
        ("config", {}), ("mu", {"mu": MU[:4]}), ("nan", {"mu": MU * float("nan")}),
        ("sigma_negative", {"std": -SIGMA}), ("sigma_nan", {"std": SIGMA / 0 * 0}),
        ("k_zero", {"k": 0}), ("k_negative", {"k": -3}), ("k_text", {"k": "many"}), ("input_dim", {"input_dim": 6}),
        ("mu_text", {"mu": "0.1"}), ("mu_dict", {"mu": [{}]}),
    ]:
        bad(f"model_{name}.pt", {**good, "config": {**good["config"], **change} if change else 3})
    bad("model_no_mu.pt", {**good, "config": config(std=SIGMA)})
    bad("model_no_sigma.pt", {**good, "config": config(mu=MU)})
    bad("model_no_config.pt", {"model_state_dict": state_dict()})
    bad("model_no_weights.pt", {"config": good["config"]})
    state = state_dict()
    del state["encoder.weight"]
    bad("model_no_weight.pt", {**good, "model_state_dict": state})
    bad("model_bias_shape.pt", {**good, "model_state_dict": {**state_dict(), "encoder.bias": numbers(1, F)}})
    bad("model_int_weight.pt", {**good, "model_state_dict": {**state_dict(), "encoder.weight": numbers(F, D).int()}})
    weight = numbers(F, D)
    weight[3, 2] = float("inf")
    bad("model_inf_weight.pt", {**good, "model_state_dict": {**state_dict(), "encoder.weight": weight}})
    scripted = torch.jit.script(torch.nn.Linear(2, 2))
    scripted.save(str(HERE / "bad" / "script.pt"))

    def big(source, to):
        with zipfile.ZipFile(HERE / source) as old, zipfile.ZipFile(HERE / to, "w") as new:
            for entry in old.namelist():
                data = old.read(entry)
                new.writestr(entry, b"big" if entry.endswith("byteorder") else data)

    big("one_row.pt", "bad/big_endian.pt")


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    torch.manual_seed(0)
    make_rows()
    make_calls()
    make_models()
    make_bad()
    # NaN has no JSON: none is expected but in text.
    text = json.dumps(EXPECTED, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")


main()
