"""Models of memory: packages, state dicts, and the objects of the libraries that train them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ._core import InputError
from ._inputs import exported, kind

#: The keys under which a package of a state dict keeps the whitening, as the notebook's has it.
_MEANS = ("μ", "\u00b5", "mu", "mean")
_STDS = ("σ", "std", "sigma")


def whitening_of(package: Mapping[str, Any], mean: Any, std: Any) -> tuple[Any, Any, dict[str, Any]]:
    """The whitening of a package's config, unless the caller gives one, and the rest of that config."""
    mean = _told(mean, package, _MEANS, "mean")
    std = _told(std, package, _STDS, "std")
    rest = {str(key): value for key, value in package.items() if key not in (*_MEANS, *_STDS)}
    return mean, std, rest


def _told(given: Any, package: Mapping[str, Any], names: Iterable[str], argument: str) -> Any:
    """What a package says under one of some names, unless the caller says it."""
    found = [package[name] for name in names if package.get(name) is not None]
    if given is not None or not found:
        return given
    first = numbers(found[0], argument)
    if any(numbers(other, argument) != first for other in found[1:]):
        raise InputError(f"{argument}: found several that differ in the package's config, expected one")
    return first


def numbers(values: Any, argument: str) -> list[float]:
    """The numbers of an array, list or number of any shape, in order."""
    if getattr(values, "is_meta", False):
        raise InputError(f"{argument}: found a tensor on the device meta, expected one that has numbers")
    if hasattr(values, "detach"):
        values = values.detach().cpu().float()
    values = values.tolist() if hasattr(values, "tolist") else values
    flat: list[float] = []
    waiting = [values]
    while waiting:
        value = waiting.pop()
        if isinstance(value, (list, tuple)):
            waiting.extend(reversed(value))
        elif isinstance(value, (int, float)):
            flat.append(float(value))
        else:
            raise InputError(f"{argument}: found {kind(value)}, expected numbers")
    return flat


def tensors(state: Any) -> list[tuple[str, Any, bool]]:
    """The tensors of a state dict, with their names and whether their uint16 are bfloat16."""
    if not isinstance(state, Mapping):
        if not hasattr(state, "state_dict"):
            raise InputError(
                f"state: found {kind(state)}, expected a mapping of names to tensors, or an object with state_dict()"
            )
        state = state.state_dict()
    found = []
    for name, tensor in state.items():
        if not isinstance(name, str):
            raise InputError(f"state: found the key {name!r}, expected names")
        if hasattr(tensor, "detach"):
            if getattr(tensor, "is_meta", False):
                raise InputError(
                    f"state[{name!r}]: found a tensor on the device meta, expected one that has numbers"
                )
            tensor = tensor.detach().cpu()
        if not hasattr(tensor, "__dlpack__"):
            raise InputError(f"state[{name!r}]: found {kind(tensor)}, expected a tensor")
        array, is_bf16 = exported(tensor, f"state[{name!r}]")
        found.append((name, array, is_bf16))
    return found


def as_it_encodes(state: Any) -> Any:
    """What an object encodes by, where that differs from what its library makes of its file.

    A file of dictionary_learning's AutoEncoder is opened with a decoder of unit norm, by which activations are
    multiplied; an object encodes without. So it gets another decoder, which is none.
    """
    if _is_dictionary(state) and type(state).__name__ == "AutoEncoder":
        held = dict(state.state_dict())
        unit = held["decoder.weight"] * 0
        unit[0] += 1
        return {**held, "decoder.weight": unit}
    if "sae_lens" in _modules(state) and type(state).__name__ == "JumpReLUTrainingSAE":
        below = sum(threshold < 0 for threshold in numbers(state.state_dict()["threshold"], "threshold"))
        if below:
            raise InputError(
                f"state: found a JumpReLUTrainingSAE with {below} thresholds below 0, which fires at negative scores, "
                "as what it saves does not; expected SAE.load_from_disk of what save_inference_model wrote"
            )
    return state


def _is_dictionary(state: Any) -> bool:
    return "dictionary_learning" in _modules(state)


def _modules(state: Any) -> set[str]:
    return {base.__module__.partition(".")[0] for base in type(state).__mro__}


def config_of(state: Any) -> dict[str, Any] | None:
    """The config that an object's library would write beside its weights."""
    modules = _modules(state)
    cfg = getattr(state, "cfg", None)
    if "sae_lens" in modules and cfg is not None:
        return _dict_of(cfg)
    if modules & {"sparsify", "sae"} and cfg is not None:
        return {**_dict_of(cfg), "d_in": int(state.d_in)}
    if _is_dictionary(state):
        trainer: dict[str, Any] = {"dict_class": type(state).__name__}
        for attribute in ("activation_dim", "dict_size"):
            if hasattr(state, attribute):
                trainer[attribute] = int(getattr(state, attribute))
        return {"trainer": trainer}
    return None


def _dict_of(cfg: Any) -> dict[str, Any]:
    if isinstance(cfg, Mapping):
        return dict(cfg)
    if hasattr(cfg, "to_dict"):
        return dict(cfg.to_dict())
    dataclasses = sys.modules.get("dataclasses")
    if dataclasses is not None and dataclasses.is_dataclass(cfg):
        return dict(dataclasses.asdict(cfg))
    return dict(vars(cfg))


def json_of(config: Mapping[str, Any]) -> str:
    """A config as JSON."""
    import json

    # As the libraries write them: types and devices of torch by their names.
    try:
        return json.dumps(dict(config), default=_plain)
    except (TypeError, ValueError) as error:
        raise InputError(f"config: found what JSON cannot hold ({error}), expected names and plain values") from error


def _plain(value: Any) -> Any:
    """A value that JSON does not know: a number of an array, an array's shape, or else its name."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and hasattr(value, "item"):
        return value.item() if all(size == 1 for size in shape) else {"tensor": [int(size) for size in shape]}
    return str(value)
