"""The options of runs, as the extension takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_DEFAULTS: dict[str, Any] = {
    "strata": "svtype,size,dataset",
    "permutations": 1000,
    "block": None,
    "locus_distance": 1000,
    "seed": 0,
    "min_support": 5,
    "min_coactivation": 10,
    "pairs": "significant",
    "max_pairs": 100_000,
    "replicate": None,
    "bootstrap": 1000,
    "compare_scores": False,
    "predict": None,
    "regions": [],
    "tables": "all",
    "device": "auto",
    "threads": None,
    "memory": None,
    "nonfinite": "error",
    "batch_rows": None,
    "batch_threshold": False,
    "class_column": None,
    "true_class": [],
    "key": None,
    "layer": None,
    "pool": None,
    "save_fires": False,
}


#: Options that count something; some may be None.
_COUNTS = (
    "permutations",
    "locus_distance",
    "seed",
    "min_support",
    "min_coactivation",
    "max_pairs",
    "bootstrap",
)
_COUNTS_OR_NONE = ("threads", "memory", "batch_rows")
#: Options that are words; some may be None.
_WORDS = ("strata", "tables", "nonfinite", "pairs")
_WORDS_OR_NONE = ("block", "replicate", "predict", "class_column", "key", "pool")
#: Options that are so or not.
_FLAGS = ("compare_scores", "batch_threshold", "save_fires")


def whole(argument: str, value: Any, least: int = 0) -> int:
    """A whole number of at least ``least`` that 64 bits hold."""
    from ._core import InputError
    from ._inputs import kind

    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"{argument}: found {kind(value)}, expected a whole number")
    number = int(value.__index__())
    if not least <= number < 2**63:
        most = f"at least {least}" if number < least else "less than 2**63"
        raise InputError(f"{argument}: found {number}, expected a number of {most}")
    return number


def options(**given: Any) -> dict[str, Any]:
    """All options: those that are given, and the program's defaults for the others."""
    from ._core import InputError
    from ._inputs import kind, strings_of

    for name, value in given.items():
        if value is None and name in (*_COUNTS_OR_NONE, *_WORDS_OR_NONE):
            continue
        if name in (*_COUNTS, *_COUNTS_OR_NONE):
            given[name] = whole(name, value)
        elif name in (*_WORDS, *_WORDS_OR_NONE) and not isinstance(value, str):
            if name != "strata" or value is not None:
                raise InputError(f"{name}: found {kind(value)}, expected a text")
        elif name in _FLAGS and not isinstance(value, bool):
            raise InputError(f"{name}: found {kind(value)}, expected True or False")
    if 0 < given.get("bootstrap", 0) < 100:
        raise InputError(f"bootstrap: found {given['bootstrap']}, expected 0, or at least 100 replicates")
    device = given.get("device")
    if device is not None and not isinstance(device, str):
        # torch.device
        given["device"] = str(device)
    if given.get("layer") is not None:
        given["layer"] = str(given["layer"])
    if "true_class" in given:
        given["true_class"] = strings_of(given["true_class"])
    return {**_DEFAULTS, **given}


def strata_of(strata: str | Iterable[str] | None) -> str:
    """Strata as the program writes them."""
    if isinstance(strata, str):
        return strata
    names = () if strata is None else tuple(strata)
    return ",".join(names) if names else "none"
