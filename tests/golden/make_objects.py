"""Writes tests/golden/objects: files of torch and numpy that hold more than tensors and lists, columns
of calls in every form, models with keys that change their encoder, and archives that are not what
they seem; expected.json beside them.

Run it with a Python that has torch 2, numpy 2, pandas and scikit-learn:
    python tests/golden/make_objects.py
The files hold no outside data: numbers come from a fixed formula, calls are made up.
"""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import json
import pathlib
import shutil
import uuid
import warnings
import zipfile

import numpy as np
import pandas as pd
import sklearn.preprocessing
import torch
import torch.distributed.checkpoint as checkpoint

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "objects"
EXPECTED = {}
D, F, N = 3, 4, 5
ROWS = ((torch.arange(N * D).reshape(N, D) * 37 + 11) % 64 - 32).float() / 8
CALLS = [
    {
        "chrom": f"chr{1 + i % 3}", "pos": 1000 + 17 * i, "svtype": ["DEL", "INS", "DUP"][i % 3],
        "svlen": (-1) ** i * (50 + i), "truvari_class": ["TP", "FP"][i % 2], "dataset": "d1",
        "id": f"v{i}",
    }
    for i in range(N)
]


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2


Point = collections.namedtuple("Point", "x y")


@dataclasses.dataclass
class Settings:
    rate: float = 0.1


class Slots:
    __slots__ = ("a",)


class Rows(torch.Tensor):
    pass


class Weights(torch.nn.Parameter):
    pass


class Words(dict):
    pass


class Numbers(list):
    pass


class Text(str):
    pass


class Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Linear(D, F)


class Failure(Exception):
    pass


def with_attribute():
    tensor = torch.ones(2)
    tensor.unit = "bp"
    return tensor


def slots():
    made = Slots()
    made.a = 1
    return made


def objects():
    """One of each kind that people keep beside their embeddings."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    table = np.zeros(2, dtype=[("pos", "i8"), ("name", "U4")])
    scaler = sklearn.preprocessing.StandardScaler().fit(np.arange(6.0).reshape(3, 2))
    return {
        "frame": frame, "series": frame["a"], "index": frame.index, "timestamp": pd.Timestamp("2024-01-02"),
        "categorical": pd.Categorical(["a", "b", "a"]), "enum": Colour.RED, "flag": Level.LOW | Level.HIGH,
        "namedtuple": Point(1, 2), "scaler": scaler, "sparse": torch.eye(3).to_sparse(),
        "sparse_csr": torch.eye(3).to_sparse_csr(), "attributes": with_attribute(),
        "buffer": torch.nn.Buffer(torch.ones(2)), "parameter": torch.nn.Parameter(torch.ones(2)),
        "parameter_class": Weights(torch.ones(2)), "tensor_class": torch.ones(2).as_subclass(Rows),
        "datetime": datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc), "delta": datetime.timedelta(1),
        "path": pathlib.PurePosixPath("/data/x"), "decimal": decimal.Decimal("1.5"),
        "fraction": fractions.Fraction(1, 3), "uuid": uuid.UUID(int=7), "defaultdict": collections.defaultdict(list, a=[1]),
        "ordered": collections.OrderedDict(a=1), "counter": collections.Counter("abca"),
        "deque": collections.deque([1, 2], maxlen=3), "set": {1, 2}, "frozenset": frozenset([1]),
        "slice": slice(1, 9, 2), "complex": 1 + 2j, "range": range(3), "dataclass": Settings(),
        "slots": slots(), "dict_class": Words(a=1), "list_class": Numbers([1, 2]), "text_class": Text("x"),
        "dtype": torch.float16, "device": torch.device("cpu"), "size": torch.Size([2, 3]),
        "layout": torch.strided,
        "generator": torch.Generator().get_state(), "quantised": torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8),
        "complex_tensor": torch.ones(2, dtype=torch.complex64), "float8": torch.ones(2).to(torch.float8_e4m3fn),
        "meta": torch.ones(2, device="meta"), "function": datetime.datetime.strptime, "class": Settings,
        "builtin": len, "numpy_dtype": np.dtype("<f4"), "datetime64": np.datetime64("2024-01-02"),
        "datetimes": np.array(["2024-01-02"], dtype="M8[D]"), "structured": table, "record": table.view(np.recarray),
        "masked": np.ma.masked_array([1, 2], mask=[0, 1]), "object_array": np.array([{"a": 1}, None], dtype=object),
        "string_array": np.array(["a"], dtype=np.dtypes.StringDType()), "random_state": np.random.RandomState(1),
        "module": Encoder(), "exception": Failure("x"), "ellipsis": ..., "not_implemented": NotImplemented,
        "bytearray": bytearray(b"ab"), "big": 2**100, "optimizer": torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1),
        "bound_method": "x".upper, "namespace": __import__("types").SimpleNamespace(a=1),
    }


def save(name, value, **options):
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(value, path, **options)


def make_foreign():
    kinds = objects()
    EXPECTED["kinds"] = sorted(kinds)
    for protocol in (2, 3, 4, 5):
        save(f"foreign_{protocol}.pt", {"embeddings": ROWS, "sv_info": CALLS, "extra": kinds}, pickle_protocol=protocol)
    # The old container has no place for tensors of some types.
    old = {k: v for k, v in kinds.items() if k not in ("module", "float8")}
    for protocol in (2, 4):
        save(f"foreign_legacy_{protocol}.pt", {"embeddings": ROWS, "sv_info": CALLS, "extra": old},
             pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    save("rows_attributes.pt", {"embeddings": with_rows(), "sv_info": CALLS})
    save("rows_buffer.pt", {"embeddings": torch.nn.Buffer(ROWS), "sv_info": CALLS})
    # In a key that is needed.
    frame = pd.DataFrame(CALLS)
    save("needed/frame.pt", {"embeddings": ROWS, "sv_info": frame})
    save("needed/records.pt", {"embeddings": ROWS, "sv_info": frame.drop(columns=["chrom", "id", "svtype", "truvari_class", "dataset"]).to_records(index=False)})
    save("needed/set.pt", {"embeddings": ROWS, "sv_info": set("abcde")})
    save("needed/row_object.pt", {"embeddings": ROWS, "sv_info": [Point(1, 2)] * N})
    save("needed/enum.pt", {"embeddings": ROWS, "sv_info": [{**CALLS[0], "svtype": Colour.RED}] * N})
    save("needed/sparse.pt", {"embeddings": ROWS.to_sparse(), "sv_info": CALLS})
    save("needed/tensor_class.pt", {"embeddings": ROWS.as_subclass(Rows), "sv_info": CALLS})
    save("needed/module.pt", Encoder())
    save("needed/module_state.pt", {"config": config(), "model_state_dict": Encoder()})


def with_rows():
    rows = ROWS.clone()
    rows.unit = "x"
    return rows


def columns():
    return {key: [call[key] for call in CALLS] for key in CALLS[0]}


def make_columns():
    plain = columns()
    text = ("chrom", "svtype", "truvari_class", "dataset", "id")
    forms = {
        "collated": torch.utils.data.default_collate(CALLS),
        "numpy": {k: np.array(v) for k, v in plain.items()},
        "bytes": {k: np.array(v, dtype="S") if k in text else np.array(v, dtype=">i4") for k, v in plain.items()},
        "big_endian_text": {k: np.array(v).astype(">U9") if k in text else v for k, v in plain.items()},
        "objects": {k: np.array(v, dtype=object) for k, v in plain.items()},
        "pandas_arrays": {k: s.to_numpy() for k, s in pd.DataFrame(CALLS).astype({k: object for k in text}).items()},
        "tuples": {k: tuple(v) for k, v in plain.items()},
        "strided": {**plain, "pos": torch.tensor([[p, 0, 9] for p in plain["pos"]]).t()[0],
                    "svlen": torch.tensor(plain["svlen"] * 2)[:N]},
        "narrow": {**plain, "pos": torch.tensor(plain["pos"])[:, None], "svlen": torch.tensor(plain["svlen"], dtype=torch.int8)},
        "doubles": {**plain, "svlen": torch.tensor(plain["svlen"]).double() + 0.5, "pos": np.array(plain["pos"], dtype="f8")},
        "one_dataset": {**plain, "dataset": "d1"},
        "numpy_dataset": {**plain, "dataset": np.str_("d1")},
        "zero_d_dataset": {**plain, "dataset": np.array("d1")},
        "tensors_in_lists": {**plain, "pos": [torch.tensor(p) for p in plain["pos"]], "svlen": list(np.array(plain["svlen"]))},
        "byte_values": {**plain, "chrom": [c.encode() for c in plain["chrom"]]},
        "numpy_keys": {np.str_(k): v for k, v in plain.items()},
        "expanded": {**plain, "pos": torch.tensor([7]).expand(N)},
        "array_of_dicts": np.array(CALLS, dtype=object),
        "numpy_key_dicts": [{np.str_(k): v for k, v in call.items()} for call in CALLS],
        "no_ids": {k: v for k, v in plain.items() if k != "id"},
        "parameter": {**plain, "svlen": torch.nn.Parameter(torch.tensor(plain["svlen"]).float())},
    }
    EXPECTED["columns"] = {}
    for name, info in forms.items():
        for protocol in (2, 5):
            save(f"columns/{name}_{protocol}.pt", {"embeddings": ROWS, "sv_info": info}, pickle_protocol=protocol)
        EXPECTED["columns"][name] = [expected(name, i) for i in range(N)]


def expected(name, i):
    call = dict(CALLS[i])
    if name == "doubles":
        call["svlen"], call["pos"] = call["svlen"] + 0.5, float(call["pos"])
    if name == "parameter":
        call["svlen"] = float(call["svlen"])
    if name == "expanded":
        call["pos"] = 7
    if name == "no_ids":
        call["id"] = None
    keys = ("chrom", "pos", "svtype", "svlen", "truvari_class", "dataset", "id")
    return [None if call[key] is None else str(call[key]) for key in keys]


def make_bad_columns():
    plain = columns()
    forms = {
        "short": {"pos": torch.tensor(plain["pos"][:4])},
        "matrix": {"pos": torch.zeros(N, 2, dtype=torch.int64)},
        "scalar": {"svlen": torch.tensor(3)},
        "python_scalar": {"pos": 3},
        "id": {"id": "v0"},
        "none": {"truvari_class": None},
        "set": {"chrom": set(plain["chrom"])},
        "dict": {"chrom": {"a": 1}},
        "series": {"truvari_class": pd.Series(plain["truvari_class"])},
        "categorical": {"svtype": pd.Categorical(plain["svtype"])},
        "datetimes": {"pos": np.array(["2024-01-02"] * N, dtype="M8[D]")},
        "structured": {"pos": np.zeros(N, dtype=[("a", "i8")])},
        "strings": {"chrom": np.array(plain["chrom"], dtype=np.dtypes.StringDType())},
        "masked": {"svlen": np.ma.masked_array(plain["svlen"], mask=[0, 1, 0, 0, 0])},
        "sparse": {"svlen": torch.tensor(plain["svlen"]).to_sparse()},
        "complex": {"svlen": torch.tensor(plain["svlen"]).to(torch.complex64)},
        "number_text": {"svlen": np.array(["x"] * N)},
        "nested": {"chrom": [["a"]] * N},
        "bad_bytes": {"chrom": [b"\xff"] * N},
    }
    EXPECTED["bad_columns"] = {}
    for name, change in forms.items():
        save(f"bad_columns/{name}.pt", {"embeddings": ROWS, "sv_info": {**plain, **change}})
        EXPECTED["bad_columns"][name] = next(iter(change))


def config(**more):
    return {"input_dim": D, "feature_dim": F, "k": 2, "μ": torch.zeros(D), "σ": torch.ones(D), **more}


def state(**more):
    weight = (torch.arange(F * D).reshape(F, D) * 5 % 7 - 3).float()
    return {"encoder.weight": weight, "encoder.bias": torch.arange(F).float(),
            "decoder.weight": weight.t().contiguous(), **{k.replace("__", "."): v for k, v in more.items()}}


def make_models():
    """Of a name, the key that must be named; none where the model must load."""
    sigma = torch.ones(D)
    sigma[1] = 0
    one = torch.ones(1)
    bad = {
        "threshold": ({}, {"threshold": torch.zeros(F)}, {}),
        "log_threshold": ({}, {"log_threshold": torch.zeros(F)}, {}),
        "pre_bias": ({}, {"pre_bias": torch.zeros(D)}, {}),
        "b_dec": ({}, {"b_dec": torch.zeros(D)}, {}),
        "encoder.2.weight": ({}, {"encoder__2__weight": torch.eye(F)}, {}),
        "bn.running_mean": ({}, {"bn__running_mean": torch.zeros(D)}, {}),
        "gate.weight": ({}, {"gate__weight": torch.eye(F)}, {}),
        "sparse_mask": ({}, {"sparse_mask": torch.eye(F).to_sparse()}, {}),
        "module.encoder.weight": ({}, {"module__encoder__weight": torch.zeros(F, D)}, {}),
        "k": ({}, {"k": torch.tensor(3)}, {}),
        "activation": ({"activation": "jumprelu"}, {}, {}),
        "activation_fn": ({"activation_fn": "relu"}, {}, {}),
        "architecture": ({"architecture": "gated"}, {}, {}),
        "normalize_activations": ({"normalize_activations": "layer_norm"}, {}, {}),
        "apply_b_dec_to_input": ({"apply_b_dec_to_input": True}, {}, {}),
        "top_k": ({"top_k": 3}, {}, {}),
        "d_sae": ({"d_sae": 99}, {}, {}),
        "expansion_factor": ({"expansion_factor": 8}, {}, {}),
        "nested.threshold": ({"nested": {"threshold": 0.5}}, {}, {}),
        "eps": ({"eps": 1e-5}, {}, {}),
        "mean": ({"mean": torch.ones(D)}, {}, {}),
        "decoder.weight": ({}, {"decoder__weight": torch.zeros(D, F + 1)}, {}),
        "scaler": ({}, {}, {"scaler": sklearn.preprocessing.StandardScaler()}),
        "input_mean": ({}, {}, {"input_mean": torch.ones(D)}),
        "σ": ({"σ": sigma}, {}, {}),
        "zeros": ({"σ": torch.zeros(D)}, {}, {}),
    }
    good = {
        "plain": ({}, {}, {}),
        "activation_topk": ({"activation": "TopK", "architecture": "BatchTopKSAE", "bias": True}, {}, {}),
        "off": ({"normalize_activations": "none", "threshold": None, "pre_bias": False, "eps": 1e-6}, {}, {}),
        "same_sizes": ({"top_k": 2, "d_sae": F, "d_in": D, "expansion_factor": F / D}, {"k": torch.tensor(2)}, {}),
        "training": ({"lr": 0.1, "seed": 1, "dead_threshold": 9, "max_grad_norm": 1.0}, {"decoder__bias": torch.zeros(D), "steps_since_active": torch.zeros(F)},
                     {"optimizer": torch.optim.SGD([torch.nn.Parameter(one)], lr=0.1).state_dict(), "epoch": 3,
                      "scaler": {"scale": 65536.0, "growth_factor": 2.0}, "loss": one, "history": [1.0]}),
        "foreign": ({"colour": Colour.RED, "when": datetime.datetime(2024, 1, 2)}, {}, {"frame": pd.DataFrame({"a": [1]}), "settings": Settings()}),
        "twice": ({"mu": torch.zeros(D)}, {}, {}),
    }
    EXPECTED["bad_models"], EXPECTED["good_models"] = sorted(bad), sorted(good)
    for folder, models in (("bad_models", bad), ("models", good)):
        for name, (more, tensors, top) in models.items():
            save(f"{folder}/{name}.pt", {"config": config(**more), "model_state_dict": state(**tensors), **top})


def make_archives():
    whole = {"embeddings": ROWS, "sv_info": CALLS}
    (HERE / "archives").mkdir()
    for name, options in (("two", {}), ("two_legacy", {"_use_new_zipfile_serialization": False})):
        with open(HERE / f"archives/{name}.pt", "wb") as file:
            torch.save(whole, file, **options)
            torch.save({**whole, "embeddings": ROWS + 1}, file, **options)
    folder = HERE / "archives/checkpoint"
    checkpoint.save({"embeddings": ROWS, "other": torch.zeros(2)}, checkpoint_id=folder)
    torch.serialization.set_crc32_options(False)
    save("archives/no_sums.pt", whole)
    torch.serialization.set_crc32_options(True)
    save("archives/sums.pt", whole)
    save("archives/name_of_21_characters.pt", whole)
    array = io.BytesIO()
    np.save(array, ROWS.numpy())
    for name, method in (("bzip2", zipfile.ZIP_BZIP2), ("lzma", zipfile.ZIP_LZMA), ("deflated", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(HERE / f"archives/{name}.npz", "w", method) as out:
            out.writestr("embeddings.npy", array.getvalue())
    with zipfile.ZipFile(HERE / "archives/repeated.npz", "w") as out:
        for _ in range(2):
            out.writestr("embeddings.npy", array.getvalue())
    with zipfile.ZipFile(HERE / "archives/sums.pt") as old, zipfile.ZipFile(HERE / "archives/repeated.pt", "w") as out:
        for entry in old.namelist():
            out.writestr(entry, old.read(entry))
        out.writestr("sums/data/0", old.read("sums/data/0"))
    with zipfile.ZipFile(HERE / "archives/sums.pt") as old, zipfile.ZipFile(HERE / "archives/folders.pt", "w") as out:
        for entry in old.namelist():
            out.writestr("a/" + entry, old.read(entry))
            out.writestr("b/" + entry, old.read(entry))
    import ml_dtypes
    np.save(HERE / "archives/bfloat16.npy", ROWS.numpy().astype(ml_dtypes.bfloat16))
    np.save(HERE / "archives/records.npy", np.zeros((2, 3), dtype=[("a", "f4")]))


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    torch.manual_seed(0)
    make_foreign()
    make_columns()
    make_bad_columns()
    make_models()
    make_archives()
    text = json.dumps(EXPECTED, ensure_ascii=False, separators=(",", ":"))
    (HERE / "expected.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
